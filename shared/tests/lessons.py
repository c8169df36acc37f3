"""Notebooks as lessons: the rhythm that every one of them keeps, so that a reader always knows where they are."""

import ast
import re

from shared.tests.cells import asserts, called, cells, headings, tags, tree, without_code

WORDS, WORDS_OF_HEAD, LINES = 90, 130, 25


def problems(notebook, number):
    """What is wrong with the notebook of this number ("01-03"); [] when nothing is."""
    checks = [_head, _prose, _code, _imports, _exercises, _recall, _rhythm, _checkpoint]
    return [problem for check in checks for problem in check(notebook, number)]


def _head(notebook, number):
    above = 0
    for name, cell in cells(notebook, "markdown"):
        for level, text in headings(cell.source):
            if level > above + 1:
                yield f"{name}: the heading {text!r} is {level - above} levels below the one before: one at a time"
            if (level == 1) != (cell is notebook.cells[0]):
                yield f"{name}: the first cell has the one heading of level 1, all others have lower ones"
            above = level
    head = notebook.cells[0]
    first = headings(head.source)[:1] if head.cell_type == "markdown" else []
    if not first or not head.source.startswith("# ") or not first[0][1].endswith("?"):
        yield "the first cell begins with the question that the notebook asks, as a heading: # Why …?"
    for words in ("You need", "You gain", r"About \d+ minutes"):
        if not re.search(words, head.source):
            yield f"the first cell doesn't say *You need: … You gain: … About N minutes.* (missing: {words})"


def _prose(notebook, number):
    for name, cell in cells(notebook, "markdown"):
        most = WORDS_OF_HEAD if cell is notebook.cells[0] else WORDS
        if (words := _words(cell.source)) > most:
            yield f"{name} has {words} words: {most} at most, so shorten or divide it"
        images = re.findall(r"!\[([^\]]*)\]", cell.source) + [
            "".join(re.findall(r"alt=[\"']([^\"']*)", tag)) for tag in re.findall(r"<img[^>]*>", cell.source)
        ]
        if not all(alt.strip() for alt in images):
            yield f"{name} has an image without words for those who can't see it: ![what it shows](file)"
    prose, code = (len([*cells(notebook, kind)]) for kind in ("markdown", "code"))
    if prose < 0.6 * code:
        yield f"{prose} cells of prose for {code} of code: say more between them (at least 6 for 10)"


def _words(source):
    """How much there is to read: without code, tables and what is folded; a formula counts as one word."""
    text = re.sub(r"<details>.*?</details>", "", without_code(source), flags=re.DOTALL)
    text = re.sub(r"^\|.*$", "", text, flags=re.MULTILINE)
    return len(re.findall(r"\w\S*", re.sub(r"\$\$.+?\$\$|\$[^$\n]+\$", "formula", text, flags=re.DOTALL)))


def _code(notebook, number):
    for name, cell in cells(notebook, "code"):
        if (lines := len(cell.source.splitlines())) > LINES:
            yield f"{name} has {lines} lines: {LINES} at most; divide it, or move drawing to shared/plots.py"


def _imports(notebook, number):
    first = [name for name, _ in cells(notebook, "code")][:1]
    if [name for name, _ in cells(notebook, tag="imports")] != first:
        yield "the first code cell, and no other, is tagged imports"
    for name, cell in cells(notebook, "code"):
        for node in ast.walk(tree(cell)):
            if isinstance(node, ast.Import | ast.ImportFrom) and [name] != first:
                yield f"{name} imports something: move the import to the first code cell"
            if isinstance(node, ast.ImportFrom) and node.names[0].name == "*":
                yield f"{name} imports *: name what is meant, so that a reader can find it"


def _exercises(notebook, number):
    exercises = [*cells(notebook, tag="exercise")]
    if len(exercises) < 3:
        yield f"{len(exercises)} cells tagged exercise: write at least three (predict, fill in, find the bug)"
    for name, cell in exercises:
        place = notebook.cells.index(cell) + 1
        after = [tag for later in notebook.cells[place : place + 3] for tag in tags(later)]
        if after[:1] != ["solution"]:
            yield f"{name} has no solution: it belongs into one of the next three cells, tagged solution"
    for name, cell in cells(notebook):
        if (cell.metadata.get("jupyter") == {"source_hidden": True}) != ("solution" in tags(cell)):
            yield f"{name}: solutions are folded (metadata jupyter.source_hidden: true), and nothing else is"


def _recall(notebook, number):
    if number == "01-01":
        return  # nothing to remember yet
    prose = "\n\n".join(cell.source for _, cell in cells(notebook, "markdown"))
    section = re.search(r"^## Recall$(.*?)(?=^#|\Z)", prose, re.MULTILINE | re.DOTALL)
    fold = r"<details>\s*<summary>.+?</summary>\s*?\n\s*?\n.*?</details>"
    answers = re.findall(fold, section[1] if section else "", re.DOTALL)
    if len(answers) < 3:
        yield (
            f"{len(answers)} questions under ## Recall: at least three from earlier notebooks, the answers folded in "
            "<details><summary>…</summary>, an empty line, …</details>"
        )


def _rhythm(notebook, number):
    prose = [cell.source for _, cell in cells(notebook, "markdown")]
    for title in ("Break it", "Journal"):
        if (2, title) not in [heading for source in prose for heading in headings(source)]:
            yield f"there is no heading ## {title}"
    if not any("**Predict.**" in source for source in prose):
        yield "there is nothing to predict: ask for a guess before the first surprise, beginning with **Predict.**"
    if not any("explore" in called(cell) for _, cell in cells(notebook, "code")):
        yield "there is no live figure: let the reader move something, with widgets.explore"
    proofs = [*cells(notebook, "code", tag="proof")]
    if not proofs:
        yield "no cell is tagged proof: show that what shared/ does is what was built here"
    for name, cell in proofs:
        if not asserts(cell):
            yield f"{name} is tagged proof, but asserts nothing"


def _checkpoint(notebook, number):
    code = [cell for _, cell in cells(notebook, "code")]
    if [called(cell).count("checkpoint") for cell in code] != [0] * (len(code) - 1) + [1]:
        yield f'the last code cell, and no other, ends in checkpoint("{number}", …)'
    elif f'checkpoint("{number}"' not in re.sub(r"\(\s+", "(", code[-1].source):
        yield f'the checkpoint bears the number of another notebook: checkpoint("{number}", …)'
    elif f"checkpoint {number} | " not in "".join(output.get("text", "") for output in code[-1].outputs):
        yield "the last cell does not hold the line that a checkpoint prints: run the notebook"
