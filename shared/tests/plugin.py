"""What pytest does in this repository beyond its own: pyproject.toml loads this file before anything starts.

Each notebook is a test file and each of its cells a test (nbval): the cell runs again, and what it prints has to be
what is stored. nbval does not look at pictures, so that is done here: a figure has to look like the one that is stored.
"""

import os
import tempfile
from pathlib import Path

import pytest
from nbval.plugin import IPyNbCell
from threadpoolctl import threadpool_limits

from shared import datasets
from shared.tests import pictures

pytest_plugins = ["shared.tests.browser"]  # its fixtures
THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
SETTINGS = ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR")


def pytest_configure(config):
    config.option.nbval_sanitize_with = str(Path(__file__).with_name("sanitize.cfg"))
    if hasattr(config, "workerinput"):
        return  # the controller's environment was handed down
    os.environ |= dict.fromkeys(THREADS, "1")  # for the workers and the kernels
    threadpool_limits(1, "blas")  # for this process, where NumPy is loaded by now
    os.environ["IMAGE_JOURNAL_PROGRESS"] = "off"
    # The tests must not depend on what a learner tells their own Python, IPython and Matplotlib to do at the start.
    for name in ("PYTHONSTARTUP", "MPLBACKEND"):
        os.environ.pop(name, None)
    folder = tempfile.TemporaryDirectory(prefix="image-journal-", ignore_cleanup_errors=True)
    config.add_cleanup(folder.cleanup)
    os.environ |= {name: str(Path(folder.name, name.lower())) for name in SETTINGS}


def pytest_xdist_node_collection_finished(node, ids):
    _fetch_data(node.config, ids)


def pytest_collection_finish(session):
    if not hasattr(session.config, "workerinput"):
        _fetch_data(session.config, [item.nodeid for item in session.items])


def _fetch_data(config, ids):
    """Download the data sets once, before the first notebook starts: no notebook waits for another's download."""
    wanted = any(".ipynb::" in name for name in ids) and not config.option.collectonly
    if not wanted or config.stash.get(_FETCHED, False):
        return
    config.stash[_FETCHED] = True
    for name in (name for name in vars(datasets) if name.startswith("load_")):
        try:
            getattr(datasets, name)()
        except OSError as error:
            config.get_terminal_writer().line(
                f"\n{name} failed before the notebooks were started; those that need it will fail as well. {error}\n"
            )


_FETCHED = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    result = yield
    if isinstance(item, IPyNbCell) and "timing" not in item.cell.metadata.get("tags", []):
        pairs = zip(pictures.stored(item.cell), pictures.stored({"outputs": item.test_outputs}), strict=False)
        for number, (stored, drawn) in enumerate(pairs, 1):
            if (difference := pictures.difference(stored, drawn)) > pictures.SAME:
                item.raise_cell_error(
                    f"Figure {number} does not look like the one that is stored: {difference:.1%} of its pixels have "
                    f"nothing alike near their place there. If it is right: python -m shared run {item.path.name}"
                )
    return result
