"""Exercises as a learner meets them: untouched, solved, wrong in the usual ways, and broken."""

import ast
import contextlib
import io

import pytest

from shared import exercises, notebooks
from shared.tests.cells import cells, each_notebook, tags, tree


def checks(cell):
    """The (exercise, name of the function) of each `exercises.check("01-01.1", function)` in a cell."""
    calls = [node for node in ast.walk(tree(cell)) if isinstance(node, ast.Call)]
    calls = [call for call in calls if ast.unparse(call.func) == "exercises.check" and len(call.args) == 2]
    return [(ast.literal_eval(call.args[0]), ast.unparse(call.args[1])) for call in calls]


def says(notebook, cell, more=""):
    """What a cell prints when nothing but the import cell ran before it, or the error it ends in."""
    [(_, imports)] = cells(notebook, "code", "imports")
    code, printed = f"{imports.source}\n{cell.source}\n{more}", io.StringIO()
    with contextlib.redirect_stdout(printed):
        try:
            exec(compile(code, "a notebook", "exec"), {"__name__": "a notebook"})
        except Exception as error:
            return f"{type(error).__name__}: {error}"
    return printed.getvalue().strip()


def problems(notebook, path):
    """What is wrong with the exercises of a notebook, one line each with what to do; [] when nothing is."""
    names, found = [], []
    solutions = [cell for _, cell in cells(notebook, "code", "solution")]
    for name, cell in cells(notebook, "code"):
        here = checks(cell)
        names += [exercise for exercise, _ in here]
        if (len(here) == 1) != ("exercise" in tags(cell)):
            found.append(
                f"{name}: a cell tagged exercise holds a stub and one exercises.check, and no other cell does"
            )
            continue
        for exercise, function in here:
            if (said := says(notebook, cell)) != f"{exercise} not attempted yet":
                found.append(f"{name} is to hold a stub that raises NotImplementedError, but says: {said}")
            solved = [cell for cell in solutions if f"def {function}_solution(" in cell.source]
            check = f"exercises.check({exercise!r}, {function}_solution)"
            if not solved:
                found.append(
                    f"{exercise} has no solution: define {function}_solution in a cell tagged solution"
                )
            elif (said := says(notebook, solved[0], check)) != f"{exercise} passed":
                found.append(f"the solution of {exercise} does not pass: {said}")
    known = [name for name in exercises.load() if name.startswith(f"{notebooks.number(path)}.")]
    if names != known:
        found.append(f"the notebook checks {names}, shared/exercises holds {known}: make them the same")
    return found


@each_notebook
def test_stubs_and_solutions(path):
    found = problems(notebooks.read(path), path)
    assert not found, f"{path.name}:\n- " + "\n- ".join(found)


def test_every_exercise_belongs_to_a_notebook():
    numbers = {notebooks.number(path) for path in notebooks.paths()}
    lost = [name for name in exercises.load() if name.split(".")[0] not in numbers]
    assert not lost, f"no notebook has the exercises {lost}"


each_exercise = pytest.mark.parametrize("name", exercises.load())


@each_exercise
def test_known_mistakes_get_their_own_hint(name):
    exercise = exercises.load()[name]
    assert len(exercise.mistakes) >= 2, "think of at least two plausible wrong answers, each with a hint"
    for hint, mistake in exercise.mistakes.items():
        verdict = exercises.judge(name, mistake)
        assert verdict.status == "not yet", f"this mistake passes; add a case that it fails: {hint}"
        assert verdict.message.endswith(f"Hint: {hint}"), f"wanted the hint {hint!r}, got: {verdict}"
    assert exercise.hint not in exercise.mistakes


@each_exercise
def test_broken_answers_get_a_message_and_no_traceback(name):
    def broken(*arguments):
        raise ZeroDivisionError("oops")

    for wrong, words in [
        (broken, "ZeroDivisionError: oops"),
        (lambda *arguments: None, "returned None"),
        (lambda *arguments: "a word that nobody expects", "a word that nobody expects"),
        (lambda *arguments: [[1], [2, 3]], "[[1], [2, 3]]"),
        (lambda one, two, three, four, five, six, seven: 1, "TypeError"),
    ]:
        verdict = exercises.judge(name, wrong)
        assert verdict.status == "not yet"
        assert words in verdict.message and "Hint: " in verdict.message


@each_exercise
def test_a_stub_is_not_attempted_yet(name):
    def stub(*arguments):
        raise NotImplementedError("write me")

    assert str(exercises.judge(name, stub)) == f"{name} not attempted yet"
