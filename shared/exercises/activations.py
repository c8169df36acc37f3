"""The exercises of 02-neural-net-basics/03-activations.ipynb."""

import numpy as np

from shared.exercises import Exercise


def softmax(scores, shift, axis=1):
    exp = np.exp(scores - shift)
    return exp / exp.sum(axis=axis, keepdims=True)


def quiet(function):
    """`function` without NumPy's warnings, which its mistake is made to provoke."""

    def called(*arguments):
        with np.errstate(all="ignore"):
            return function(*arguments)

    return called


X = np.array([-1.0, 0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 10.0])
MODERATE = np.log([[1.0, 2.0, 5.0], [4.0, 3.0, 1.0]])
FAR_APART = MODERATE + [[1000.0], [-2000.0]]
PROBABILITIES = np.array([[1.0, 2.0, 5.0], [4.0, 3.0, 1.0]]) / 8

EXERCISES = {
    "02-03.1": Exercise(
        cases=[((), (0.25, 1, 0, 0.01))],
        mistakes={
            "Those are the values of the functions. The question is how steep they are there.": lambda: (
                (0.5, 0, 0, -0.03)
            ),
            "The sigmoid at 0 is 1/2; its slope is s(1 - s).": lambda: (0.5, 1, 0, 0.01),
            "tanh is the sigmoid at twice the height and half the width: four times as steep in the middle.": (
                lambda: (0.25, 0.25, 0, 0.01)
            ),
            "A slope says how much the output grows when x grows. On the left, leaky ReLU still rises.": (
                lambda: (0.25, 1, 0, -0.01)
            ),
        },
        hint="s(1 - s), 1 - t², and for the last two: which straight line is it, left of 0?",
    ),
    "02-03.2": Exercise(
        cases=[((X,), np.array([0, 0, 0.5, 1, 0.5, 0, 0, 0]))],
        mistakes={
            "That is the tent, which goes on falling. A third ReLU, from 2 on, has to lift it back to the ground.": (
                lambda x: np.maximum(x, 0) - 2 * np.maximum(x - 1, 0)
            ),
            "From 1 on it stays at 1. To come down, the second ReLU has to take away twice the slope.": lambda x: (
                np.maximum(x, 0) - np.maximum(x - 1, 0)
            ),
            "The third ReLU is too strong: behind 2 the slopes 1, -2 and +1 add up to 0.": lambda x: (
                np.maximum(x, 0) - 2 * np.maximum(x - 1, 0) + 2 * np.maximum(x - 2, 0)
            ),
        },
        hint="Think in slopes: 1 from 0 on, -1 from 1 on, 0 from 2 on. Each ReLU changes the slope where it begins.",
    ),
    "02-03.3": Exercise(
        cases=[((MODERATE,), PROBABILITIES), ((FAR_APART,), PROBABILITIES)],
        mistakes={
            "exp overflows at about 709. Subtract something from the scores that does not change the answer.": quiet(
                lambda scores: softmax(scores, 0)
            ),
            "The largest score of the whole batch is too much for the other rows: all of theirs become exp(-3000) = 0. "
            "Each row needs its own.": quiet(lambda scores: softmax(scores, scores.max())),
            "The columns add up to 1. It is the rows that should: axis=1.": quiet(
                lambda scores: softmax(scores, scores.max(axis=0), axis=0)
            ),
        },
        hint="Subtract from each row its largest score (keepdims=True), take exp, divide by the sum of the row.",
    ),
    "02-03.4": Exercise(
        cases=[
            (
                (PROBABILITIES, np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 2.0]])),
                [[7 / 64, -2 / 64, -5 / 64], [-8 / 64, -6 / 64, 14 / 64]],
            ),
            ((PROBABILITIES[:1], np.array([[3.0, 3.0, 3.0]])), [[0.0, 0.0, 0.0]]),
        ],
        mistakes={
            "Only the diagonal of J is there. A score moves the other probabilities as well: row i of J is "
            "p[i] * (delta - p).": lambda p, grad_y: grad_y * p * (1 - p),
            "The sum goes over each row on its own: axis=1, keepdims=True.": lambda p, grad_y: (
                p * (grad_y - (grad_y * p).sum())
            ),
            "What is subtracted is weighted: the sum of grad_y * p, not of grad_y.": lambda p, grad_y: (
                p * (grad_y - grad_y.sum(axis=1, keepdims=True))
            ),
            "Almost: the last factor p is missing. J is p[i] * (delta - p[j]).": lambda p, grad_y: (
                grad_y - (grad_y * p).sum(axis=1, keepdims=True)
            ),
        },
        hint="Multiply out grad_y @ (diag(p) - p pT): the first term is grad_y * p, the second (grad_y . p) times p.",
    ),
}
