"""A notebook that runs again: what the comparison lets pass, and what not."""

import io
import os
import re
import subprocess
import sys
from types import SimpleNamespace

import matplotlib
import nbformat
import numpy as np
import pytest
from matplotlib.figure import Figure
from nbformat.v4 import new_code_cell, new_notebook
from nbval.plugin import get_sanitize_patterns

from shared import datasets, notebooks
from shared.tests import pictures, plugin

PATTERNS = dict(
    get_sanitize_patterns((notebooks.ROOT / "shared/tests/sanitize.cfg").read_text(encoding="ascii"))
)


def masked(text):
    for pattern, replacement in PATTERNS.items():
        text = re.sub(pattern, replacement, text)
    return text


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        (
            "epoch 3 | loss ≈ 0.2312 | validation accuracy ≈ 0.9701",
            "epoch 3 | loss ≈ # | validation accuracy ≈ #",
        ),
        (
            "checkpoint 05-05 | LeNet | ≈ 0.9912 | at least 0.985",
            "checkpoint 05-05 | LeNet | ≈ # | at least 0.985",
        ),
        ("epoch 10 | ≈ 1 | ≈ -2.5e-07 | ≈ 60,000 | ≈ 4 %", "epoch 10 | ≈ # | ≈ # | ≈ # | ≈ # %"),
        ("first\nepoch 1 | loss ≈ 2.3\nlast", "first\nepoch 1 | loss ≈ #\nlast"),
    ],
)
def test_a_number_of_real_training_is_masked(text, seen):
    assert masked(text) == seen


@pytest.mark.parametrize(
    "text",
    [
        "checkpoint 01-01 | Nearest centroid | = 0.8203 | at least 0.81",
        "loss ≈ 0.2312",
        "the epoch 3 | loss ≈ 0.2312",
        " epoch 3 | loss ≈ 0.2312",
        "epochs 3 | loss ≈ 0.2312",
        "epoch 3 | loss = 0.2312",
        "epoch 3 | loss ≈ nan | accuracy ≈ inf",
        "Figure: epoch 3 | loss ≈ 0.2312",
    ],
)
def test_nothing_else_is_masked(text):
    assert masked(text) == text


def test_a_fifth_number_and_the_next_line_stay_visible():
    assert masked("epoch 1 | ≈ 1 | ≈ 2 | ≈ 3 | ≈ 4 | ≈ 5").endswith("≈ # | ≈ 5")
    assert masked("epoch 1 | loss\n≈ 2") == "epoch 1 | loss\n≈ 2"


def drawn(bars=(3, 5, 4), curve=True, fontsize=10, width=7.5):
    """A figure with bars, a thin curve, and words, as PNG bytes."""
    with matplotlib.rc_context({"font.size": fontsize}):
        figure = Figure(figsize=(width, 3.6), layout="constrained")
        axis = figure.subplots()
        axis.set(xlim=(-1, 3), ylim=(0, 6), title="Bars and a curve", xlabel="digit", ylabel="share (%)")
        axis.bar(range(len(bars)), bars)
        if curve:
            axis.plot(np.linspace(-1, 3), np.linspace(0, 2) ** 2, linewidth=2)
        image = io.BytesIO()
        figure.savefig(image, dpi=150)
    return image.getvalue()


def test_a_picture_is_the_same_but_for_small_differences_between_machines():
    assert pictures.difference(drawn(), drawn()) == 0
    assert pictures.difference(drawn(), drawn(fontsize=10.2)) < pictures.SAME / 2


@pytest.mark.parametrize(
    "change", [{"bars": (3, 4, 4)}, {"bars": ()}, {"bars": (), "curve": False}, {"width": 6}]
)
def test_a_changed_picture_is_another_one(change):
    assert pictures.difference(drawn(), drawn(**change)) > 2 * pictures.SAME


def test_a_thin_curve_that_vanishes_is_seen():
    assert pictures.difference(drawn(bars=()), drawn(bars=(), curve=False)) > pictures.SAME


def test_ink():
    blank = io.BytesIO()
    Figure().savefig(blank)
    assert pictures.ink(pictures.decode(blank.getvalue())[0]) == 0
    assert pictures.ink(pictures.decode(drawn())[0]) > pictures.NEAR_EMPTY


def bars(color="C0"):
    drawing = f"plt.bar([0, 1, 2], [3, 1, 2], color={color!r})\nplt.title('Bars')"
    return drawing + "\nplots.show('Three bars of different heights.')"


SMALL = {
    "imports": "import matplotlib.pyplot as plt\n\nfrom shared import plots",
    "number": "number = 20 / 3\nround(number, 4)",
    "masked": "print(f'epoch 1 | loss ≈ {number:.4g}')",
    "epoch": "print(f'epoch 1 | loss ≈ {number:.4g}')",
    "checkpoint": "print(f'checkpoint 01-01 | a claim | = {number:.4g} | at least 6')",
    "nothing": "print(number > 6)",
    "figure": bars(),
    "no figure": bars(),
    "no bars": bars(color="none"),
    "other words": bars(),
    "other figure": bars(color="C1"),
}


def spoil(cells):
    """Change what is stored in a notebook, so that each cell named here has to fail; returns their places."""
    cells["masked"].outputs[0].text = "epoch 1 | loss ≈ 7.123\n"  # this one has to pass
    cells["number"].outputs[0].data["text/plain"] = "6.6668"
    cells["epoch"].outputs[0].text = "epoch 2 | loss ≈ 6.667\n"
    cells["checkpoint"].outputs[0].text = "checkpoint 01-01 | a claim | = 6.668 | at least 6\n"
    cells["nothing"].outputs = []
    cells["no figure"].outputs = []
    cells["no bars"].source = bars()
    cells["other words"].outputs[0].data["text/plain"] = "Figure: Three bars."
    cells["other figure"].source = bars()
    changed = {
        "number",
        "epoch",
        "checkpoint",
        "nothing",
        "no figure",
        "no bars",
        "other words",
        "other figure",
    }
    return [number for number, name in enumerate(SMALL) if name in changed]


def run_tests(folder):
    """What pytest says, in a process of its own, with this project's settings, of the notebooks in a folder."""
    command = [
        sys.executable,
        "-m",
        "pytest",
        f"--rootdir={folder}",
        "-c",
        notebooks.ROOT / "pyproject.toml",
        folder,
    ]
    command += ["-n", "0", "-q", "-rf", "--color=no", "-p", "no:cacheprovider"]
    utf_8 = os.environ | {"PYTHONUTF8": "1"}
    printed = subprocess.run(
        command, cwd=folder, env=utf_8, capture_output=True, text=True, encoding="utf-8"
    ).stdout
    return {line.split(" - ")[0] for line in printed.splitlines() if line.startswith("FAILED ")}, printed


def test_running_again_finds_each_change(tmp_path):
    untouched, spoiled, swapped = (tmp_path / f"{name}.ipynb" for name in ("untouched", "spoiled", "swapped"))
    cells = [new_code_cell(source, id=name.replace(" ", "-")) for name, source in SMALL.items()]
    nbformat.write(new_notebook(cells=cells, metadata=notebooks.METADATA), untouched)
    notebooks.run(untouched)
    notebook = notebooks.read(untouched)
    notebook.cells[1:3] = notebook.cells[2:0:-1]
    notebooks.write(swapped, notebook)
    notebook = notebooks.read(untouched)
    places = spoil(dict(zip(SMALL, notebook.cells, strict=True)))
    notebooks.write(spoiled, notebook)
    failed, printed = run_tests(tmp_path)
    wanted = [f"spoiled.ipynb::Cell {place}" for place in places] + ["swapped.ipynb::Cell 1"]
    assert failed == {f"FAILED {name}" for name in wanted}, printed


@pytest.fixture
def calls(monkeypatch):
    """The loaders that were called, none of which finds its data."""
    calls = []

    def load(name):
        calls.append(name)
        raise OSError(f"no data: {name} tried everything")

    for name in [name for name in vars(datasets) if name.startswith("load_")]:
        monkeypatch.setattr(datasets, name, lambda name=name: load(name))
    return calls


def test_data_is_fetched_once_before_the_first_notebook_and_its_absence_is_said(calls):
    said = []
    writer = SimpleNamespace(line=said.append)
    config = SimpleNamespace(
        option=SimpleNamespace(collectonly=False), stash={}, get_terminal_writer=lambda: writer
    )
    plugin.pytest_xdist_node_collection_finished(
        SimpleNamespace(config=config), ["shared/tests/test_log.py::test_a"]
    )
    assert calls == []  # no notebook is among the tests
    for _ in range(2):  # each worker says what it has found
        ids = ["shared/tests/test_log.py::test_a", "01-linear-algebra/01-vectors.ipynb::Cell 0"]
        plugin.pytest_xdist_node_collection_finished(SimpleNamespace(config=config), ids)
    assert sorted(calls) == ["load_cifar10", "load_mnist", "load_orl_faces", "load_photographs"]
    assert "load_mnist failed before the notebooks were started" in said[0] and "tried everything" in said[0]
