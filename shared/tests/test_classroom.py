"""The classroom from outside: exercises that answer, checkpoints that can fail."""

import functools

import numpy as np
import pytest

from shared import exercises, progress
from shared.checkpoints import checkpoint
from shared.exercises import Exercise


@pytest.fixture
def exercise(monkeypatch):
    """01-01.1 is for now: double the numbers."""
    doubled = Exercise(
        cases=[((np.array([1.0, 2.0]),), np.array([2.0, 4.0])), ((np.array([0.5]),), np.array([1.0]))],
        mistakes={"That is the square.": lambda x: x**2, "That is the same.": lambda x: x},
        hint="Think of x + x.",
    )
    monkeypatch.setattr(exercises, "load", lambda: {"01-01.1": doubled})
    return "01-01.1"


def double_in_place(x):
    x *= 2
    return x


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (lambda x: x + x, "01-01.1 passed"),
        (lambda x: [2 * value for value in x], "01-01.1 passed"),
        (double_in_place, "01-01.1 passed"),  # and the cases stay what they are
        (lambda x: x**2, "<lambda>([1., 2.]): expected [2., 4.], came [1., 4.]\nHint: That is the square."),
        (lambda x: x * 1.0, "Hint: That is the same."),
        (lambda x: x * 3, "Hint: Think of x + x."),
        (lambda x: x[None] * 2, "expected the shape (2,), came the shape (1, 2)"),
        (lambda x: 2 * x[:1], "expected the shape (2,), came the shape (1,)"),
        (lambda x: "four", "expected [2., 4.], came 'four'"),
        (lambda x: x[7], "it raised IndexError: index 7 is out of bounds"),
        (lambda x: None, "it returned None. Does it end in a return?"),
        (lambda: 2, "it raised TypeError"),
    ],
)
def test_the_answer_of_an_exercise(exercise, capsys, function, words):
    for _ in range(2):
        exercises.check(exercise, function)
        assert words in capsys.readouterr().out


def test_an_exercise_that_is_asked_for_wrongly(exercise):
    with pytest.raises(ValueError, match="there is no exercise '1.1'; did you mean one of 01-01.1"):
        exercises.check("1.1", len)
    with pytest.raises(TypeError, match="expected your function itself, without brackets; got 3"):
        exercises.check(exercise, 3)


def test_what_is_solved_is_kept_and_the_solution_does_not_count(exercise, tmp_path, monkeypatch):
    monkeypatch.setenv("IMAGE_JOURNAL_PROGRESS", str(tmp_path / "mine.json"))

    def double(x):
        return 2 * x

    def double_solution(x):
        return 2 * x

    exercises.check(exercise, lambda x: x)
    exercises.check(exercise, double_solution)
    assert progress.read()["exercises"] == {}
    exercises.check(exercise, double)
    assert progress.read()["exercises"] == {exercise: progress.today()}


# Checkpoints


@pytest.mark.parametrize(
    ("value", "bar", "line"),
    [
        (0.82031, {"at_least": 0.81}, "= 0.8203 | at least 0.81"),
        (np.float32(0.99123), {"at_least": 0.985, "value_is": "approximate"}, "≈ 0.9912 | at least 0.985"),
        (61_706, {"exactly": 61_706}, "= 61,706 | exactly 61,706"),
        (np.int64(7), {"exactly": 7}, "= 7 | exactly 7"),
        (3e-8, {"at_most": 1e-7}, "= 3e-08 | at most 1e-07"),
        (212.5, {"at_least": 50, "unit": "×", "value_is": "timing"}, "over 50×"),
        (0.81, {"at_least": 0.81}, "= 0.81 | at least 0.81"),
        (0, {"at_most": 0}, "= 0 | at most 0"),
    ],
)
def test_the_line_of_a_checkpoint(capsys, value, bar, line):
    checkpoint("05-05", "LeNet-5 on MNIST", value, **bar)
    assert capsys.readouterr().out == f"checkpoint 05-05 | LeNet-5 on MNIST | {line}\n"


@pytest.mark.parametrize(
    ("value", "bar"),
    [
        (0.8099, {"at_least": 0.81}),
        (np.float64(1.1), {"at_most": 1}),
        (6, {"exactly": 7}),
        (float("nan"), {"at_least": 0.5}),
        (float("nan"), {"at_most": 0.5}),
        (49.9, {"at_least": 50, "value_is": "timing"}),
    ],
)
def test_a_checkpoint_that_is_not_reached_fails(capsys, value, bar):
    with pytest.raises(
        AssertionError, match="checkpoint 05-05: a claim: measured .*, needed (at least|at most|exactly)"
    ):
        checkpoint("05-05", "a claim", value, **bar)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("claim", "options", "words"),
    [
        ("a claim", {}, "got 0 of them"),
        ("a claim", {"at_least": 0, "at_most": 2}, "got 2 of them"),
        ("a claim", {"at_least": 0, "value_is": "float16"}, "got 'float16'"),
        ("a claim", {"at_most": 2, "value_is": "timing"}, "got 'timing'"),
        ("one | two", {"at_least": 0}, "can't hold a |"),
    ],
)
def test_a_checkpoint_that_can_not_fail_is_refused(claim, options, words):
    with pytest.raises(ValueError, match=words.replace("|", r"\|")):
        checkpoint("05-05", claim, 1, **options)


def test_a_checkpoint_reached_is_kept(tmp_path, monkeypatch):
    monkeypatch.setenv("IMAGE_JOURNAL_PROGRESS", str(tmp_path / "mine.json"))
    checkpoint("01-01", "a claim", 0.82, at_least=0.81)
    assert progress.read()["checkpoints"] == {
        "01-01": {"claim": "a claim", "value": "= 0.82", "date": progress.today()}
    }


def test_shapes_may_come_as_lists_and_with_numbers_of_numpy(monkeypatch):
    shapes = Exercise(cases=[((), ((2, 3), (4,), 5))], mistakes={}, hint="")
    monkeypatch.setattr(exercises, "load", lambda: {"01-01.1": shapes})
    for answer in ([[2, 3], [4], np.int64(5)], ((2, 3), (4,), 5)):
        assert exercises.judge("01-01.1", lambda: answer).status == "passed"  # noqa: B023
    assert exercises.judge("01-01.1", lambda: ((3, 2), (4,), 5)).status == "not yet"
    exercises.check("01-01.1", functools.partial(lambda: ((2, 3), (4,), 5)))  # it has no name
