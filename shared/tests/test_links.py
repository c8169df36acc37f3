"""Every link in a Markdown file or a notebook leads somewhere: to a file, to a heading, or to a well-formed address."""

import os
import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from nbformat.v4 import new_markdown_cell, new_notebook

from shared import notebooks
from shared.tests.cells import cells, headings, without_code

HTTP_ONLY = {"neuralnetworksanddeeplearning.com"}  # sites that have no https
LINK = re.compile(
    r"""\]\(\s*<?([^)\s>]*)>?(?:\s+["'][^)]*)?\)"""  # [text](target "title"), ![alt](target)
    r"""|\b(?:href|src|srcset)\s*=\s*["']([^"']*)["']"""
    r"""|^\s*\[[^\]]+\]:\s+(\S+)"""  # [name]: target
    r"""|<(https?:[^>\s]+)>""",
    re.MULTILINE,
)


def pages():
    """Every Markdown file of the project and every notebook."""
    names = [*notebooks.ROOT.glob("*.md"), *notebooks.ROOT.glob(".github/**/*.md")]
    names += notebooks.ROOT.glob("[!.]*/**/*.md")
    others = "egg-info", ".ipynb_checkpoints"  # JupyterLab leaves a copy of what was opened in it
    pages = [path for path in sorted(names) if not any(other in str(path) for other in others)]
    return pages + notebooks.paths()


def prose(path):
    if path.suffix == ".ipynb":
        return "\n\n".join(cell.source for _, cell in cells(notebooks.read(path), "markdown"))
    return path.read_text(encoding="utf-8")


def anchors(text):
    """What a # after an address may name: GitHub's and JupyterLab's forms of each heading."""
    titles = [re.sub(r"\[([^\]]*)\]\([^)]*\)|[`*]", r"\1", title) for _, title in headings(text)]
    github = [re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles]
    return {*github, *(title.replace(" ", "-") for title in titles)}


def dead(path):
    """What is wrong with the links of a page, one line each."""
    text = prose(path)
    for found in LINK.finditer(re.sub(r"`[^`\n]*`", "", without_code(text))):
        link = next(group for group in found.groups() if group is not None)
        if trouble := _trouble(link, path, text):
            yield f"{link!r} {trouble}"


def _trouble(link, path, text):
    if not link:
        return "is empty"
    try:
        parts = urlsplit(link)
    except ValueError as error:
        return f"is not an address: {error}"
    if parts.scheme in ("http", "https"):
        well_formed = re.fullmatch(r"([\w-]+\.)+[a-z]{2,}", parts.netloc) and not re.search(r"\s", link)
        secure = parts.scheme == "https" or parts.netloc in HTTP_ONLY
        return None if well_formed and secure else "is no well-formed https address"
    if parts.scheme or parts.netloc or link.startswith("/") or "\\" in link:
        return "leads out of the repository: give a path relative to this page, with /"
    target = Path(os.path.normpath(path.parent / unquote(parts.path))) if parts.path else path
    if not target.is_relative_to(notebooks.ROOT) or not _exists(target):
        return "leads to no file of the repository (upper and lower case count)"
    if parts.fragment and unquote(parts.fragment) not in anchors(text if target == path else prose(target)):
        return f"names no heading of {target.name}"


def _exists(path):
    """Whether there is such a file or folder, spelled exactly like this: not every system minds the case."""
    return path == notebooks.ROOT or (
        path.exists() and path.name in os.listdir(path.parent) and _exists(path.parent)
    )


@pytest.mark.parametrize("path", pages(), ids=lambda path: path.relative_to(notebooks.ROOT).as_posix())
def test_links(path):
    found = list(dead(path))
    assert not found, f"{path.name}:\n- " + "\n- ".join(found)


@pytest.fixture
def page(tmp_path, monkeypatch):
    monkeypatch.setattr(notebooks, "ROOT", tmp_path)
    (tmp_path / "a b").mkdir()
    (tmp_path / "a b" / "Other.md").write_text("# One\n\n## What `dot` does, and *why*?\n", encoding="utf-8")
    return tmp_path / "page.md"


LIVE = [
    "[x](https://numpy.org/doc/stable/#a)",
    "[x](http://neuralnetworksanddeeplearning.com/)",
    "<https://numpy.org>",
    "[x](a%20b/Other.md)",
    "[x](<a%20b/Other.md>)",
    '[x](a%20b "a folder")',
    "[x](a%20b/Other.md#what-dot-does-and-why)",
    "[x](a%20b/Other.md#One)",
    "# Here\n[x](#here)",
    "`[x](nowhere.md)`",
    "```\n[x](nowhere.md)\n```",
    '<img src="a%20b/Other.md">',
]
DEAD = [
    "[x](nowhere.md)",
    "![x](nowhere.png)",
    "[x](a%20b/other.md)",
    "[x](a%20b/Other.md#two)",
    "[x](#here)",
    "[x](/page.md)",
    "[x](../outside.md)",
    "[x]()",
    "[x](http://numpy.org)",
    "[x](https://numpy)",
    "[x](https:/numpy.org)",
    "[x](https://[numpy.org)",
    "[x](ftp://numpy.org)",
    "[x](C:" + "\\page.md)",
    '<img alt="x" src="nowhere.png">',
    '<a href="nowhere.md">x</a>',
    '<source srcset="nowhere.png">',
    "[x][y]\n\n[y]: nowhere.md",
]


@pytest.mark.parametrize("text", LIVE)
def test_a_live_link_is_let_pass(page, text):
    page.write_text(text, encoding="utf-8")
    assert list(dead(page)) == []


@pytest.mark.parametrize("text", DEAD)
def test_a_dead_link_is_found(page, text):
    page.write_text(f"before\n{text}\nafter", encoding="utf-8")
    assert len(list(dead(page))) == 1


def test_links_of_notebooks_are_read_too(page):
    path = page.with_suffix(".ipynb")
    notebooks.write(path, new_notebook(cells=[new_markdown_cell("[x](nowhere.ipynb)")]))
    assert list(dead(path)) == [
        "'nowhere.ipynb' leads to no file of the repository (upper and lower case count)"
    ]
