"""Nothing falls from the sky: a notebook uses only what it or an earlier notebook has built, and has proved."""

import ast
import importlib
import inspect
import pkgutil
import re
from types import ModuleType

import pytest

import shared
from shared import notebooks
from shared.tests.cells import cells, each_notebook, tree

# What surrounds the lessons, and is built in none of them.
CLASSROOM = {
    "archives",
    "bench",
    "checkpoints",
    "exercises",
    "fetch",
    "log",
    "notebooks",
    "pad",
    "picture",
    "plots",
    "progress",
    "recipes",
    "records",
    "retrieve",
    "rivals",
    "tests",
}
CLASSROOM |= {"widgets", "__main__"}


def is_taught(thing):
    """Whether some notebook has to build this thing: a function or class of the package, outside the classroom.

    A NamedTuple does nothing that could be proved: it belongs to the function that returns it.
    """
    package, module = [*str(getattr(thing, "__module__", "")).split("."), ""][:2]
    record = isinstance(thing, type) and issubclass(thing, tuple)
    return callable(thing) and package == "shared" and module not in CLASSROOM and not record


def built_in(thing):
    """The notebook that the last line of a docstring names, or None."""
    found = re.search(
        r"^Built in (\d\d-[\w-]+/\d\d-[\w-]+\.ipynb)\.\Z", inspect.cleandoc(thing.__doc__ or ""), re.M
    )
    return found and found[1]


def public():
    """Every public function and class of the package that some notebook has to have built."""
    names = [found.name for found in pkgutil.walk_packages(shared.__path__, "shared.")]
    for name in ["shared", *(name for name in names if name.split(".")[1] not in CLASSROOM)]:
        module = importlib.import_module(name)
        exported = getattr(module, "__all__", [name for name in vars(module) if not name.startswith("_")])
        for thing in (getattr(module, name) for name in exported):
            if is_taught(thing) and thing.__module__ == module.__name__:
                yield pytest.param(thing, id=f"{thing.__module__}.{thing.__qualname__}")


def imported(notebook):
    """What the names that a notebook imports from the package stand for: {"linalg": its module, "dot": a function}."""
    names = {}
    for node in (node for _, cell in cells(notebook, "code") for node in ast.walk(tree(cell))):
        if isinstance(node, ast.Import):
            for alias in (alias for alias in node.names if alias.name.split(".")[0] == "shared"):
                module = importlib.import_module(alias.name)
                names[alias.asname or "shared"] = module if alias.asname else shared
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "shared":
            for alias in node.names:
                names[alias.asname or alias.name] = _part(importlib.import_module(node.module), alias.name)
    return names


def _part(module, name):
    """module.name, which may be a module that is not loaded yet."""
    return (
        getattr(module, name)
        if hasattr(module, name)
        else importlib.import_module(f"{module.__name__}.{name}")
    )


def used(notebook, tag=None):
    """The things of the package that the code of a notebook names, in all its cells or in those with a tag."""
    names = imported(notebook)
    for node in (node for _, cell in cells(notebook, "code", tag) for node in ast.walk(tree(cell))):
        path = []
        while isinstance(node, ast.Attribute):
            path.insert(0, node.attr)
            node = node.value
        if isinstance(node, ast.Name) and node.id in names:
            thing = names[node.id]
            while isinstance(thing, ModuleType) and path:
                thing = _part(thing, path.pop(0))
            yield thing
    if tag is None:
        yield from names.values()


def problems(notebook, path):
    """What a notebook uses before its time, one line each with what to do; [] when it keeps the order."""
    here, found = path.relative_to(path.parents[1]).as_posix(), []
    for thing in {id(thing): thing for thing in used(notebook) if is_taught(thing)}.values():
        name, place = f"{thing.__module__}.{thing.__qualname__}", built_in(thing)
        if place is None:
            found.append(
                f"uses {name}, which no notebook has built: its docstring ends in no line `Built in …`"
            )
        elif place > here:
            found.append(f"uses {name}, which is built later, in {place}: do without it, or build it earlier")
    for name, cell in cells(notebook, "code"):
        defined = {node.name for node in tree(cell).body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
        for again in defined & set(imported(notebook)):
            found.append(
                f"{name} defines {again}, which is also imported: import the module, and call module.{again}"
            )
    return found


@each_notebook
def test_a_notebook_uses_only_what_was_built_by_then(path):
    found = problems(notebooks.read(path), path)
    assert not found, f"{path.name}:\n- " + "\n- ".join(found)


@pytest.mark.parametrize("thing", [*public()])
def test_each_public_name_was_built_and_proved_in_a_notebook(thing):
    place = built_in(thing)
    assert place, "the docstring has to end in a line such as: Built in 01-linear-algebra/01-vectors.ipynb."
    assert notebooks.ROOT / place in notebooks.paths(), (
        f"there is no notebook {place}: write it, or mend the line"
    )
    proved = used(notebooks.read(notebooks.ROOT / place), "proof")
    assert any(thing is other for other in proved), (
        f"no cell of {place} that is tagged proof uses it: prove it there"
    )
