"""Exercises that check themselves: ``exercises.check("01-01.1", my_function)``.

The cases of a notebook's exercises stand in the module of this package that has the notebook's name.
"""

import copy
import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np

from shared import progress


@dataclass(frozen=True)
class Exercise:
    """What a learner's function must do: cases, and the mistakes that are worth a hint of their own.

    `cases`: (arguments, expected result) pairs. `mistakes`: hint -> the wrong function that makes this mistake; the
    hint is given when the learner's results are those of that function. `hint`: for everything else.
    """

    cases: list[tuple[tuple, object]]
    mistakes: dict[str, Callable]
    hint: str
    tolerance: float = 1e-9


@dataclass(frozen=True)
class Verdict:
    """`status` is "passed", "not attempted yet" or "not yet"; `message` says more."""

    name: str
    status: str
    message: str = ""

    def __str__(self):
        return f"{self.name} {self.status}" + (f": {self.message}" if self.message else "")


@cache
def load():
    """Every exercise of the journal, by its name ("01-03.2": chapter 01, notebook 03, exercise 2)."""
    modules = [
        importlib.import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__)
    ]
    return {name: exercise for module in modules for name, exercise in sorted(module.EXERCISES.items())}


def judge(name, function):
    """Run `function` on the cases of exercise `name` and return the Verdict. Prints nothing."""
    if name not in load():
        raise ValueError(f"there is no exercise {name!r}; did you mean one of {', '.join(sorted(load()))}?")
    if not callable(function):
        raise TypeError(
            f"check({name!r}, …) expected your function itself, without brackets; got {function!r}"
        )
    exercise = load()[name]
    for arguments, expected in exercise.cases:
        try:
            came = function(*copy.deepcopy(arguments))
        except NotImplementedError:
            return Verdict(name, "not attempted yet")
        except Exception as error:
            came = error
        if trouble := _difference(expected, came, exercise.tolerance):
            name_of_function = getattr(function, "__name__", "your function")
            call = f"{name_of_function}({', '.join(_short(a) for a in arguments)})"
            return Verdict(name, "not yet", f"{call}: {trouble}\nHint: {_hint(exercise, function)}")
    return Verdict(name, "passed")


def check(name, function):
    """Print whether `function` solves exercise `name`, and where not: what was expected, what came, and a hint."""
    verdict = judge(name, function)
    print(verdict)
    if verdict.status == "passed" and not getattr(function, "__name__", "").endswith("_solution"):
        progress.record("exercises", name, progress.today())


def _hint(exercise, function):
    """The hint of the known mistake that gives the same results as `function`, or the general one."""
    results = [_result(function, arguments) for arguments, _ in exercise.cases]
    for hint, wrong in exercise.mistakes.items():
        theirs = [_result(wrong, arguments) for arguments, _ in exercise.cases]
        if all(_difference(a, b, exercise.tolerance) is None for a, b in zip(theirs, results, strict=True)):
            return hint
    return exercise.hint


def _result(function, arguments):
    try:
        return function(*copy.deepcopy(arguments))
    except Exception as error:
        return error


def _difference(expected, came, tolerance):
    """What is wrong with `came`, in words; None when it is as expected."""
    if isinstance(came, Exception):
        return None if type(came) is type(expected) else f"it raised {type(came).__name__}: {came}"
    if came is None:
        return "it returned None. Does it end in a return?"
    wrong = f"expected {_short(expected)}, came {_short(came)}"
    if isinstance(expected, str | bool | Exception):
        return None if isinstance(came, type(expected) | np.bool) and came == expected else wrong
    try:
        want, have = np.asarray(expected), np.asarray(came)
    except ValueError:  # rows of different lengths, such as shapes, are no array
        if not all(isinstance(rows, list | tuple) for rows in (expected, came)) or len(came) != len(expected):
            return wrong
        parts = zip(expected, came, strict=True)
        return wrong if any(_difference(want, have, tolerance) for want, have in parts) else None
    if have.dtype.kind not in "biufc":
        return wrong
    if want.shape != have.shape:
        return f"expected the shape {want.shape}, came the shape {have.shape}"
    return None if np.allclose(want, have, rtol=tolerance, atol=tolerance, equal_nan=True) else wrong


def _short(value):
    if isinstance(value, np.ndarray) and value.size > 12:
        return f"array of shape {value.shape}"
    if isinstance(value, np.ndarray | np.generic):
        return np.array2string(np.asarray(value), precision=4, separator=", ")
    return f"{value:.6g}" if isinstance(value, float) else repr(value)
