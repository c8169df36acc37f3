"""`python -m shared run`: a second run changes no byte, and a failing notebook is left as it was."""

import os

import pytest
from nbformat.v4 import new_code_cell, new_notebook

from shared import __main__ as command
from shared import notebooks
from shared.tests import pictures

CELLS = {
    "imports": "import os\n\nimport matplotlib.pyplot as plt\nimport numpy as np\n\nfrom shared import plots, widgets",
    "settings": "print(os.environ['OPENBLAS_NUM_THREADS'], os.environ['IMAGE_JOURNAL_PROGRESS'], os.getcwd() == HERE)",
    "bars": "def bars(height=2):\n    plt.bar([0, 1], [1, height])\n    return f'{height} high'",
    "live": "widgets.explore(bars, height=(1, 4), alt='Two bars, one of which can be moved.')",
    "figure": "plt.plot(np.arange(5))\nplots.show('A straight line that rises to the right.')",
    "timing": "plt.bar(range(9), np.random.default_rng().random(9))\nplots.show('Nine bars that nobody can foresee.')",
    "lines": "for n in range(3):\n    print(n, flush=True)",
}


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "01-notebook.ipynb"
    cells = [
        new_code_cell(source.replace("HERE", repr(str(tmp_path))), id=name) for name, source in CELLS.items()
    ]
    cells[-2].metadata["tags"] = ["timing"]
    notebooks.write(
        path, new_notebook(cells=cells, metadata={"widgets": {"state": {}}, "language_info": {"name": "R"}})
    )
    return path


def test_a_second_run_changes_no_byte(path, capsys, monkeypatch):
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "2")
    monkeypatch.setattr(os, "environ", os.environ.copy())
    assert command.main(["run", str(path), "--jobs", "1"]) == 0
    assert capsys.readouterr().out.startswith("01-notebook.ipynb: ")
    once, cells = path.read_bytes(), dict(zip(CELLS, notebooks.read(path).cells, strict=True))
    assert cells["settings"].outputs[0].text == "1 off True\n"
    assert cells["live"].outputs[0].data[notebooks.WIDGET].model_id == "live-0"
    assert cells["lines"].outputs[0].text == "0\n1\n2\n"
    assert [cell.execution_count for cell in cells.values()] == [*range(1, 8)]
    assert notebooks.read(path).metadata == notebooks.METADATA

    assert command.main(["run", str(path), "--jobs", "1"]) == 0
    assert path.read_bytes() == once
    assert command.main(["run", str(path), "--jobs", "1", "--timings"]) == 0
    again = dict(zip(CELLS, notebooks.read(path).cells, strict=True))
    assert pictures.stored(again["figure"]) == pictures.stored(cells["figure"])
    assert pictures.stored(again["timing"]) != pictures.stored(cells["timing"])


def test_a_notebook_that_fails_stays_as_it_was(path, capsys):
    notebook = notebooks.read(path)
    notebook.cells[2].source = "raise ValueError('too high')"
    notebooks.write(path, notebook)
    before = path.read_bytes()
    assert command.main(["run", str(path), "--jobs", "1"]) == 1
    printed = capsys.readouterr().out
    assert printed.startswith("01-notebook.ipynb: failed") and "too high" in printed
    assert path.read_bytes() == before
    assert [found.name for found in path.parent.iterdir()] == [path.name]


def test_a_notebook_that_is_not_there(capsys):
    assert command.main(["run", "nowhere.ipynb"]) == 2
    assert capsys.readouterr().err == "no such notebook: nowhere.ipynb\n"


def test_the_notebooks_in_reading_order(tmp_path, monkeypatch):
    monkeypatch.setattr(notebooks, "ROOT", tmp_path)
    names = ["01-a/01-x.ipynb", "01-a/02-x.ipynb", "02-b/01-x.ipynb", "benchmark_prompts/01-x.ipynb"]
    others = [
        "01-a/.ipynb_checkpoints/01-x-checkpoint.ipynb",
        "Untitled.ipynb",
        "shared/x.ipynb",
        ".venv/01-a/x.ipynb",
    ]
    for name in [*reversed(names), *others]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert notebooks.paths() == [tmp_path / name for name in names]
    assert notebooks.number(tmp_path / names[1]) == "01-02"
