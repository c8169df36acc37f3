"""Notebooks as documents: what a reader, a screen reader, a code host and the next author may rely on.

`problems(notebook, path)` lists what is wrong, one line each, with what to do about it.
"""

import json
import platform
import re
import tempfile
from pathlib import Path

import nbformat

from shared import notebooks
from shared.tests import lessons, pictures
from shared.tests.cells import called, cells, tags, texts, tree

TAGS = {"imports", "proof", "exercise", "solution", "timing", "raises-exception", "nbval-ignore-output"}
TIME = re.compile(r"\d\s?(ns|us|µs|ms|s|sec|seconds|min|minutes)\b")
PLACE = re.compile(
    r"(?<![\w.:/~])/(home|Users|root|tmp|work|usr|opt|var|mnt|private|content|kaggle)/[\w.-]"
    r"|file://|\b[A-Za-z]:\\\w|~[\\/]\w"
)


def problems(notebook, path):
    """What is wrong with the notebook that was read from `path`; [] when nothing is."""
    path = Path(path)
    checks = [_file, _metadata, _runs, _tags, _pictures, _places]
    found = [problem for check in checks for problem in check(notebook, path)]
    return found + lessons.problems(notebook, notebooks.number(path))


def _file(notebook, path):
    raw = path.read_bytes()
    with tempfile.TemporaryDirectory() as folder:
        again = Path(folder, path.name)
        notebooks.write(again, notebook)
        if again.read_bytes() != raw:
            yield f"the file is not in the form in which notebooks are kept (line ends, indentation): {_run(path)}"
    try:
        nbformat.validate(notebook)
    except nbformat.ValidationError as error:
        yield f"not a valid notebook ({error.message}): mend it, or make the cell anew in JupyterLab"
    ids = [cell.get("id") for cell in json.loads(raw)["cells"]]
    if (notebook.nbformat, notebook.nbformat_minor) != (4, 5) or None in ids or len(set(ids)) < len(ids):
        yield "each cell needs an id of its own (notebook format 4.5): save it in JupyterLab"


def _run(path):
    return f"python -m shared run {path.parent.name}/{path.name}"


def _metadata(notebook, path):
    if notebook.metadata != notebooks.METADATA:
        odd = set(notebook.metadata) ^ set(notebooks.METADATA) or {"kernelspec", "language_info"}
        yield f"the notebook's metadata is not the plain one ({', '.join(sorted(odd))}): {_run(path)}"
    for name, cell in cells(notebook):
        if cell.cell_type not in ("code", "markdown"):
            yield f"{name} is a {cell.cell_type} cell: make it code or Markdown"
        for key in set(cell.metadata) - {"tags", "jupyter"}:
            yield f"{name} has left-over metadata {key!r}: delete it (JupyterLab: the gear at the top right)"


def _runs(notebook, path):
    counts = []
    for name, cell in cells(notebook, "code"):
        counts.append(cell.execution_count)
        errors = [output.ename for output in cell.outputs if output.output_type == "error"]
        results = [output for output in cell.outputs if output.output_type == "execute_result"]
        if not cell.source.strip():
            yield f"{name} is empty: delete it"
        elif not tree(cell).body and not re.fullmatch(r"(\s*#.*)*\s*", cell.source):
            yield f"{name} is not plain Python: write it without % and ! commands"
        if errors and "raises-exception" not in tags(cell):
            yield f"{name} holds the error {errors[0]}: mend it, or tag it raises-exception and explain the error"
        if not errors and "raises-exception" in tags(cell):
            yield f"{name} is tagged raises-exception, but raises nothing: remove the tag"
        if any(output.get("name") == "stderr" for output in cell.outputs):
            yield f"{name} prints on stderr (a warning?): remove the cause, or print it on purpose"
        if any(output.execution_count != cell.execution_count for output in results):
            yield f"{name} shows the result of another run: {_run(path)}"
    if counts != list(range(1, len(counts) + 1)):
        yield f"the cells were not run once, from top to bottom: {_run(path)}"


def _tags(notebook, path):
    for name, cell in cells(notebook):
        for tag in set(tags(cell)) - (TAGS if cell.cell_type == "code" else set()):
            yield f"{name} has the tag {tag!r}, which means nothing here: remove it (known: {', '.join(sorted(TAGS))})"
        if "nbval-ignore-output" in tags(cell) and "timing" not in tags(cell):
            yield f"{name} has outputs that are not compared: that is for cells tagged timing alone; remove the tag"
        if re.search(r"^\s*#\s*(NBVAL|PYTEST_VALIDATE)_", cell.source, re.MULTILINE):
            yield f"{name} switches its own test off by a comment: remove the comment"
        measures = "timing" in tags(cell) or {"perf_counter", "timeit"} & set(called(cell))
        if measures and any(TIME.search(output.get("text", "")) for output in cell.get("outputs", [])):
            yield f"{name} prints a measured time, which is another one tomorrow: print a bound, such as: over 50×"


def _pictures(notebook, path):
    for name, cell in cells(notebook, "code"):
        for number, output in enumerate(cell.outputs):
            view = output.get("data", {}).get(notebooks.WIDGET)
            if view and view["model_id"] != f"{cell.id}-{number}":
                yield f"{name} has a live part whose name is another one after each run: {_run(path)}"
            for problem in _picture(output):
                yield f"{name} {problem}"
        if sum(map(_draws, tree(cell).body)) > len(pictures.stored(cell)):
            yield f"{name} draws a figure that is not stored: {_run(path)}"


def _draws(line):
    """Whether a line of a cell is a call of plots.show or explore."""
    function = getattr(getattr(line, "value", None), "func", None)
    return getattr(function, "attr", getattr(function, "id", None)) in ("show", "explore")


def _picture(output):
    """What is wrong with one output, as the end of a sentence."""
    data, live = output.get("data", {}), notebooks.WIDGET in output.get("data", {})
    other = [kind for kind in data if kind.startswith("image/") and kind != "image/png"]
    if other or re.search("<(img|svg)", data.get("text/html", "")):
        yield "shows a picture that is not a PNG: draw it with Matplotlib and end in plots.show"
    if live and "image/png" not in data and "%|" not in data.get("text/plain", ""):  # a progress bar has none
        yield "has a live part without a picture for those who read without a kernel: use widgets.explore"
    if "image/png" not in data:
        return
    alt = output.metadata.get("image/png", {}).get("alt")
    if not alt:
        yield "shows a picture without words for those who can't see it: end in plots.show, or use widgets.explore"
        return
    [png] = pictures.stored({"outputs": [output]})
    try:
        image, description = pictures.decode(png)
    except (OSError, ValueError, SyntaxError) as error:  # Pillow has a SyntaxError for a broken PNG
        yield f"holds a damaged picture ({error}): run the notebook again"
        return
    text = data.get("text/plain", "")
    said = text.startswith(f"Live figure: {alt}\n") if live else text == f"Figure: {alt}"
    if not said or description != alt:
        yield f"holds the picture {description!r}, while its words say {alt!r}: run the notebook again"
    if pictures.ink(image) < pictures.NEAR_EMPTY:
        yield "shows an empty picture: draw something, and look at it"


def _places(notebook, path):
    for name, cell in cells(notebook):
        if found := places(texts(cell)):
            yield f"{name} holds {found[0]!r}, a place that only this computer knows: leave it out"


def places(text, general=PLACE):
    """Where this computer keeps its files, and what it is called: nobody else's business, and never true elsewhere."""
    own = [str(Path.home()), str(notebooks.ROOT), f"{Path.home().name}@"]
    if re.search(r"[\d.-]", platform.node()):  # else it may be a word of the text
        own.append(platform.node())
    own = "|".join(re.escape(word) for word in own if len(word) > 4)
    return [
        found.group()
        for kind in (general, re.compile(rf"(?<![\w./])({own})(?![\w-])"))
        for found in kind.finditer(text)
    ]
