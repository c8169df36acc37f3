"""Reading notebooks cell by cell, for the tests."""

import ast
import re

import pytest

from shared import notebooks

# `pytest shared/tests/test_documents.py -k 03-broadcasting` looks at one notebook.
each_notebook = pytest.mark.parametrize(
    "path", notebooks.paths(), ids=lambda path: path.relative_to(notebooks.ROOT).with_suffix("").as_posix()
)


def cells(notebook, kind=None, tag=None):
    """(name for messages, cell) of the cells of a kind ("code", "markdown") and with a tag."""
    for number, cell in enumerate(notebook.cells, 1):
        if kind in (None, cell.cell_type) and (tag is None or tag in tags(cell)):
            yield f"cell {number} ({cell.get('id')})", cell


def tags(cell):
    return cell.metadata.get("tags", [])


def tree(cell):
    """The syntax tree of a code cell; an empty one where it is not plain Python, which documents.py reports."""
    try:
        return ast.parse(cell.source)
    except SyntaxError:
        return ast.parse("")


def called(cell):
    """The names of the functions that a cell calls, without what stands before a dot."""
    functions = [node.func for node in ast.walk(tree(cell)) if isinstance(node, ast.Call)]
    return [getattr(function, "attr", getattr(function, "id", "")) for function in functions]


def asserts(cell):
    """Whether the cell checks anything: an assert, or a function such as np.testing.assert_allclose."""
    found = any(isinstance(node, ast.Assert) for node in ast.walk(tree(cell)))
    return found or any(name.startswith("assert_") for name in called(cell))


def headings(source):
    """(level, text) of each heading in Markdown."""
    found = re.findall(r"^(#{1,6})\s+(.*?)\s*$", without_code(source), re.MULTILINE)
    return [(len(marks), text) for marks, text in found]


def without_code(source):
    return re.sub(r"^ *```.*?^ *```", "", source, flags=re.MULTILINE | re.DOTALL)


def texts(cell):
    """Everything that a cell and its outputs say in words, as one text."""
    parts = [cell.source]
    for output in cell.get("outputs", []):
        parts += [output.get("text", ""), output.get("evalue", ""), *output.get("traceback", [])]
        parts += [text for kind, text in output.get("data", {}).items() if kind.startswith("text/")]
    return "\n".join(parts)
