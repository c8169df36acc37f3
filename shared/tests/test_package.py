"""What `import shared` brings in, what the core may import, and where its random numbers come from."""

import ast
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import shared

FOLDER = Path(shared.__file__).parent
CORE = [
    "__init__",
    "checks",
    "linalg",
    "neighbors",
    "nn",
    "optim",
    "gradcheck",
    "images",
    "warp",
    "augmentation",
]
CORE += ["data", "metrics", "calibration", "significance", "handwriting", "photo"]


def core_files():
    """The files of the core that exist so far: modules and, for a package such as nn, all of its files."""
    single = [FOLDER / f"{name}.py" for name in CORE]
    nested = [path for name in CORE for path in (FOLDER / name).glob("**/*.py")]
    return [path for path in single + nested if path.exists()]


def imports(source):
    """Full names of the modules which a source text imports, wherever in it."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            package = "shared" if node.level else node.module
            yield from (f"{package}.{alias.name}" for alias in node.names)


def strangers(source):
    """What a file of the core imports but NumPy, the standard library and the core."""
    for name in imports(source):
        top, _, part = name.partition(".")
        core = part.split(".")[0] in {*CORE, "default_rng", "manual_seed", ""}
        known = core if top == "shared" else top == "numpy" or top in sys.stdlib_module_names
        if not known:
            yield name


@pytest.mark.parametrize("path", core_files(), ids=lambda path: path.stem)
def test_the_core_imports_numpy_and_the_core_only(path):
    assert not list(strangers(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize(
    "source",
    [
        "import scipy.linalg",
        "def f():\n    from matplotlib import pyplot",
        "from shared import plots",
        "from . import plots",
    ],
)
def test_a_stranger_is_noticed(source):
    assert list(strangers(source))


def loaded_by(statement):
    """Modules that a fresh Python has loaded after the statement."""
    code = f"{statement}\nimport sys\nprint(*sys.modules)"
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=FOLDER.parent, capture_output=True, text=True, check=True
    )
    return set(run.stdout.split())


def test_import_shared_loads_numpy_and_none_of_its_parts():
    import_numpy = loaded_by("import numpy, numpy.random")
    assert loaded_by("import shared") - import_numpy == {"shared"}


def test_the_core_loads_without_the_classroom():
    names = [path.relative_to(FOLDER).with_suffix("").as_posix() for path in core_files()]
    modules = [f"shared.{name.replace('/', '.')}".removesuffix(".__init__") for name in names]
    loaded = loaded_by(f"import {', '.join(modules)}")
    assert {name.split(".")[1] for name in loaded if name.startswith("shared.")} <= set(CORE)
    assert not {"matplotlib", "scipy", "sklearn", "torch", "pooch", "IPython", "ipywidgets"} & loaded


def test_manual_seed_repeats_what_follows_for_everybody_who_holds_the_generator():
    held = shared.default_rng()
    shared.manual_seed(3)
    first = held.standard_normal(4)
    shared.manual_seed(np.int64(3))
    np.testing.assert_array_equal(shared.default_rng().standard_normal(4), first)
    np.testing.assert_array_equal(np.random.default_rng(3).standard_normal(4), first)
    shared.manual_seed(4)
    assert not np.array_equal(held.standard_normal(4), first)


def test_a_generator_of_ones_own_is_used_and_the_package_generator_left_alone():
    shared.manual_seed(0)
    before = shared.default_rng().bit_generator.state
    own = np.random.default_rng(1)
    assert shared.default_rng(own) is own
    from shared import linalg

    linalg.power_iteration(np.diag([3, 1]), rng=own)
    assert shared.default_rng().bit_generator.state == before


def test_numpys_global_random_state_is_never_touched():
    from shared import linalg

    before = np.random.get_state()  # noqa: NPY002
    shared.manual_seed(0)
    linalg.power_iteration(np.diag([3, 1]))
    linalg.svd(np.eye(3))
    after = np.random.get_state()  # noqa: NPY002
    assert before[0] == after[0] and np.array_equal(before[1], after[1]) and before[2:] == after[2:]


@pytest.mark.parametrize("rng", [0, np.random.RandomState(0), "0"])  # noqa: NPY002
def test_anything_but_a_generator_is_refused_with_what_to_pass(rng):
    with pytest.raises(TypeError, match=r"got .*pass rng=np\.random\.default_rng\(0\).*manual_seed\(0\)"):
        shared.default_rng(rng)


@pytest.mark.parametrize(
    "seed, error",
    [(-1, ValueError), (1.0, TypeError), (True, TypeError), ("0", TypeError), (None, TypeError)],
)
def test_a_seed_is_a_whole_number_of_0_or_more(seed, error):
    with pytest.raises(error, match="manual_seed expected"):
        shared.manual_seed(seed)
