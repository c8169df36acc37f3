"""Do the tests see it? Each damage done to a whole notebook has to be found and named. (Runs: test_plugin.py.)"""

import base64
import copy
import io

import pytest
from nbformat.v4 import new_code_cell, new_output
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from shared import notebooks
from shared.tests import documents, lessons, pictures, test_exercises, test_provenance
from shared.tests.cells import cells, tags

MODEL = notebooks.ROOT / "01-linear-algebra" / "01-vectors.ipynb"
HOME = "/".join(["", "home", "ada"])  # in parts, because no file of this project may hold such a path


@pytest.fixture(scope="module")
def model():
    return notebooks.read(MODEL)


@pytest.mark.parametrize("lint", [documents, test_exercises, test_provenance])
def test_the_untouched_notebook_is_clean(lint, model):
    assert lint.problems(model, MODEL) == []


def code(notebook, words="", tag=None):
    """The first code cell that holds these words."""
    return next(cell for _, cell in cells(notebook, "code", tag) if words in cell.source)


def figure(notebook, words="plots.show"):
    return code(notebook, words).outputs[0]


def write(notebook, old, new):
    """Replace words of the first cell that holds them."""
    cell = next(cell for _, cell in cells(notebook) if old in cell.source)
    cell.source = cell.source.replace(old, new, 1)


def printed(notebook, text, name="stdout"):
    code(notebook, "right_dot").outputs[0] = new_output("stream", name=name, text=text)


def tag(notebook, words, *more):
    cell = code(notebook, words)
    cell.metadata["tags"] = tags(cell) + list(more)


def store(output, image, description):
    """Put another picture into an output."""
    info, file = PngInfo(), io.BytesIO()
    if description:
        info.add_text("Description", description)
    image.save(file, "PNG", pnginfo=info)
    output.data["image/png"] = base64.b64encode(file.getvalue()).decode()


def blank(output, shade):
    store(output, Image.new("RGB", (900, 400), shade), output.metadata["image/png"]["alt"])


def swap_pictures(notebook):
    one, other = (cell.outputs[0].data for _, cell in [*cells(notebook, "code")] if "explore(" in cell.source)
    one["image/png"], other["image/png"] = other["image/png"], one["image/png"]


def swap_cells(notebook):
    one, other = (notebook.cells.index(code(notebook, words)) for words in ("a = np.array", "def dot"))
    notebook.cells[one], notebook.cells[other] = notebook.cells[other], notebook.cells[one]


def cut_picture(notebook):
    figure(notebook).data["image/png"] = figure(notebook).data["image/png"][:4000]


def no_description(notebook):
    image, _ = pictures.decode(pictures.stored(code(notebook, "plots.show"))[0])
    store(figure(notebook), image, None)


def no_words(notebook):
    figure(notebook).metadata.clear()
    figure(notebook).data["text/plain"] = "<Figure size 720x345 with 20 Axes>"


def error(notebook):
    code(notebook, "assert dot(a, b)").outputs = [
        new_output("error", ename="AssertionError", evalue="", traceback=[])
    ]


def remove(notebook, words):
    notebook.cells.remove(code(notebook, words))


def untag(notebook, tag, number):
    for _, cell in [*cells(notebook, tag=tag)][:number]:
        cell.metadata["tags"] = []


def much_code(notebook):
    notebook.cells[-1:-1] = [new_code_cell("a", id=f"more-{number}") for number in range(40)]


def solve(notebook):
    call = 'exercises.check("01-01.1", three_cosines)'
    code(notebook, call).source = f"def three_cosines():\n    return 1, 0, -1\n\n\n{call}"


# What is done to the notebook, and words of the problem that has to be reported.
DOCUMENTS = {
    "an execution count deleted": (lambda n: code(n, "def dot").update(execution_count=None), "not run once"),
    "cells swapped": (swap_cells, "not run once"),
    "an empty cell": (lambda n: n.cells.append(new_code_cell(id="new")), "is empty: delete it"),
    "a magic": (lambda n: write(n, "import math", "%matplotlib inline"), "not plain Python"),
    "an untagged error": (error, "holds the error AssertionError"),
    "a tagged error that is none": (lambda n: tag(n, "def dot", "raises-exception"), "raises nothing"),
    "a warning": (lambda n: printed(n, "Deprecated\n", "stderr"), "prints on stderr"),
    "a skipped cell": (lambda n: tag(n, "def dot", "nbval-skip"), "tag 'nbval-skip'"),
    "an uncompared cell": (lambda n: tag(n, "def dot", "nbval-ignore-output"), "not compared"),
    "a comment for nbval": (
        lambda n: write(n, "def dot", "# NBVAL_SKIP\ndef dot"),
        "switches its own test off",
    ),
    "an unknown tag": (lambda n: tag(n, "def dot", "proofs"), "tag 'proofs'"),
    "a printed time": (
        lambda n: (tag(n, "right_dot", "timing"), printed(n, "it took 3.1 ms")),
        "measured time",
    ),
    "a blank figure": (lambda n: blank(figure(n), "white"), "empty picture"),
    "a black figure": (lambda n: blank(figure(n), "black"), "empty picture"),
    "a blank live figure": (lambda n: blank(figure(n, "explore(two"), "white"), "empty picture"),
    "a figure removed": (
        lambda n: code(n, "plots.show").update(outputs=[]),
        "draws a figure that is not stored",
    ),
    "a live figure removed": (lambda n: code(n, "explore(two").update(outputs=[]), "is not stored"),
    "the words alone": (lambda n: figure(n).data.pop("image/png"), "is not stored"),
    "a widget alone": (
        lambda n: figure(n, "explore(two").data.pop("image/png"),
        "a live part without a picture",
    ),
    "another figure's picture": (swap_pictures, "holds the picture"),
    "a damaged figure": (cut_picture, "damaged picture"),
    "a figure without words": (no_words, "without words"),
    "a figure without an alt": (lambda n: figure(n).metadata["image/png"].pop("alt"), "without words"),
    "a figure without a description": (no_description, "holds the picture None"),
    "a figure with other words": (
        lambda n: figure(n).data.update({"text/plain": "Figure: a 7"}),
        "holds the picture",
    ),
    "a drawing as SVG": (lambda n: figure(n).data.update({"image/svg+xml": "<svg/>"}), "not a PNG"),
    "a widget's random name": (
        lambda n: figure(n, "explore(two").data[notebooks.WIDGET].update(model_id="8f2c"),
        "a live part whose name is another one after each run",
    ),
    "left-over widget state": (lambda n: n.metadata.update(widgets={}), "not the plain one (widgets)"),
    "another kernel": (lambda n: n.metadata.kernelspec.update(name="mine"), "not the plain one (kernelspec"),
    "times of day": (
        lambda n: code(n).metadata.update(execution={"iopub.status.busy": "2026"}),
        "left-over metadata",
    ),
    "a home folder": (lambda n: printed(n, f"read {HOME}/data"), "a place that only this computer knows"),
    "a Windows folder": (
        lambda n: printed(n, "C:" + "\\Users\\Ada"),
        "a place that only this computer knows",
    ),
    "a path in prose": (lambda n: write(n, "# When", f"See {HOME}/x.\n\n# When"), "only this computer knows"),
}
LESSONS = {
    "no question": (lambda n: write(n, "alike?", "alike."), "begins with the question"),
    "two titles": (lambda n: write(n, "## Exercises", "# Exercises"), "the one heading of level 1"),
    "a level left out": (lambda n: write(n, "## Exercises", "#### Exercises"), "one at a time"),
    "no time given": (lambda n: write(n, "About 45 minutes", "Enjoy"), "About N minutes"),
    "too many words": (lambda n: write(n, "## Exercises", "word " * 91), "words: 90 at most"),
    "too many lines": (
        lambda n: write(n, "a = np.array", "b = 0\n" * 26 + "a = np.array"),
        "lines: 25 at most",
    ),
    "too little prose": (much_code, "say more between them"),
    "an image without words": (lambda n: write(n, "## Exercises", "![](a.png)"), "image without words"),
    "a late import": (lambda n: write(n, "def dot", "import os\n\n\ndef dot"), "imports something"),
    "a star import": (lambda n: write(n, "import math", "from math import *"), "imports *"),
    "two import cells": (lambda n: tag(n, "def dot", "imports"), "and no other, is tagged imports"),
    "no recall": (lambda n: None, "0 questions under ## Recall"),
    "no guess": (lambda n: [write(n, "**Predict.**", "Guess.") for _ in range(5)], "nothing to predict"),
    "nothing moves": (lambda n: [write(n, "explore(", "print(") for _ in range(2)], "no live figure"),
    "nothing breaks": (lambda n: write(n, "## Break it", "## Errors"), "no heading ## Break it"),
    "no journal": (lambda n: write(n, "## Journal", "## Notes"), "no heading ## Journal"),
    "a proof of nothing": (
        lambda n: code(n, tag="proof").update(source="a == a"),
        "proof, but asserts nothing",
    ),
    "no proof": (lambda n: untag(n, "proof", 9), "no cell is tagged proof"),
    "few exercises": (lambda n: untag(n, "exercise", 2), "2 cells tagged exercise"),
    "an exercise without a solution": (lambda n: remove(n, "def distance_solution"), "has no solution"),
    "an open solution": (lambda n: code(n, "_solution").metadata.pop("jupyter"), "solutions are folded"),
    "something else folded": (
        lambda n: code(n).metadata.update(jupyter={"source_hidden": True}),
        "nothing else is",
    ),
    "no checkpoint": (lambda n: n.cells.pop(), "ends in checkpoint"),
    "a checkpoint of another notebook": (
        lambda n: write(n, '("01-01", ', '("01-02", '),
        "number of another notebook",
    ),
    "a checkpoint without its line": (lambda n: n.cells[-1].outputs.clear(), "line that a checkpoint prints"),
}
EXERCISES = {
    "a broken solution": (lambda n: write(n, "return 1, 0, -1", "return 1, 0, 1"), "01-01.1 does not pass"),
    "a solution with an error": (
        lambda n: write(n, "return 1, 0, -1", "return one"),
        "01-01.1 does not pass",
    ),
    "a solution that leans on the notebook": (
        lambda n: write(n, "return 1, 0, -1", "return a"),
        "does not pass",
    ),
    "no solution": (lambda n: remove(n, "def distance_solution"), "01-01.2 has no solution"),
    "a solved stub": (solve, "is to hold a stub that raises NotImplementedError, but says: 01-01.1 passed"),
    "an untagged exercise": (lambda n: untag(n, "exercise", 1), "a cell tagged exercise holds a stub"),
    "an unknown exercise": (lambda n: write(n, '"01-01.1"', '"01-01.9"'), "shared/exercises holds"),
    "a forgotten exercise": (lambda n: remove(n, '"01-01.1"'), "shared/exercises holds"),
}
PROVENANCE = {
    "something not built yet": (
        lambda n: write(n, "linalg.dot(x, y)", "linalg.matmul(x, y)"),
        "is built later, in",
    ),
    "a later function, by its name": (
        lambda n: write(n, "import math", "from shared.linalg import cdist as d"),
        "uses shared.linalg.products.cdist, which is built later",
    ),
    "a later function, by its whole path": (
        lambda n: write(n, "import math", "import shared.linalg\n\nshared.linalg.matmul"),
        "uses shared.linalg.products.matmul, which is built later",
    ),
    "a later function, by an alias of its module": (
        lambda n: write(n, "import math", "import shared.linalg as la\n\nla.matmul"),
        "uses shared.linalg.products.matmul, which is built later",
    ),
    "something built nowhere": (
        lambda n: write(n, "import math", "from shared import default_rng"),
        "uses shared.default_rng, which no notebook has built",
    ),
    "an imported name defined again": (
        lambda n: write(n, "import math", "from shared.linalg import dot"),
        "defines dot, which is also imported",
    ),
}


def each(damages):
    return pytest.mark.parametrize(("damage", "words"), damages.values(), ids=damages.keys())


@each(DOCUMENTS)
def test_a_damaged_document_is_found(model, damage, words):
    assert words in found(documents.problems, model, damage, MODEL)


@each(LESSONS)
def test_a_damaged_lesson_is_found(model, damage, words):
    assert words in found(lessons.problems, model, damage, "01-02" if "Recall" in words else "01-01")


@each(EXERCISES)
def test_a_damaged_exercise_is_found(model, damage, words):
    assert words in found(test_exercises.problems, model, damage, MODEL)


@each(PROVENANCE)
def test_a_damaged_order_is_found(model, damage, words):
    assert words in found(test_provenance.problems, model, damage, MODEL)


def found(lint, notebook, damage, place):
    notebook = copy.deepcopy(notebook)
    damage(notebook)
    return "\n".join(lint(notebook, place))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"\n", b"\r\n"),
        (b"}\n", b"}"),
        (b'"id": "title"', b'"id": "md-02"'),
        (b'"id": "title",', b""),
        (b"   ", b"\t"),
    ],
    ids=["Windows line ends", "no last line end", "an id twice", "no id", "tabs"],
)
@pytest.mark.filterwarnings("ignore:.*id.*")  # nbformat's own
def test_a_file_in_another_form_is_found(tmp_path, old, new):
    path = tmp_path / "01-vectors.ipynb"
    path.write_bytes(MODEL.read_bytes().replace(old, new, 1) if old != b"}\n" else MODEL.read_bytes()[:-1])
    assert "not in the form in which notebooks are kept" in "\n".join(
        documents.problems(notebooks.read(path), path)
    )
