"""The exercises of 03-backpropagation/01-gradients.ipynb."""

import numpy as np

from shared.exercises import Exercise


def coupled(x):
    """A valley that runs aslant: the slope along one axis depends on the place along the other."""
    return x[0] ** 2 + x[0] * x[1] + 2 * x[1] ** 2


def wave(x):
    return np.sum(np.sin(x)) + x[0] * x[-1] ** 2


def slopes(function, w, h):
    return np.array([(function(w + step) - function(w - step)) / (2 * h) for step in h * np.eye(len(w))])


def one_after_the_other(function, w, rate, h=1e-5):
    w = w.copy()
    for step in h * np.eye(len(w)):
        w -= rate * (function(w + step) - function(w - step)) / (2 * h) * (step > 0)
    return w


def towards(function, x, direction, h):
    return (function(x + h * direction) - function(x - h * direction)) / (2 * h)


PLACE, AHEAD = np.array([1.0, 2.0]), np.array([3.0, 4.0])
THREE, ASIDE = np.array([0.5, -1.0, 2.0]), np.array([1.0, 0.0, -1.0])

EXERCISES = {
    "03-01.1": Exercise(
        cases=[((), (6, 6.5, 6))],
        mistakes={
            "The central difference spans 2h: from 2.5 to 3.5 is a step of 1, not of 1/2.": lambda: (
                6,
                6.5,
                12,
            ),
            "For a parabola the two sides err equally, and opposite: the central difference is exact.": lambda: (
                (6, 6.5, 6.5)
            ),
            "That is how much the loss rose. Divide it by the step.": lambda: (6, 3.25, 6),
            "From 3 to 3.5, not from 2.5 to 3: the forward difference looks ahead.": lambda: (6, 5.5, 6),
        },
        hint="3.5² = 12.25, 3² = 9, 2.5² = 6.25. Divide each difference by the step that lies between.",
    ),
    "03-01.2": Exercise(
        cases=[((), (2 / 50, 2 / 52))],
        mistakes={
            "The steepest direction runs away first: the limit is set by the larger curvature.": lambda: (
                1,
                2 / 52,
            ),
            "With a rate of 1/50 the steep direction arrives in one step; up to twice that it still shrinks.": (
                lambda: (1 / 50, 2 / 52)
            ),
            "At 1/50 the flat direction shrinks by 48/50 only. A larger rate helps it more than it harms the other.": (
                lambda: (2 / 50, 1 / 50)
            ),
        },
        hint="Each step multiplies by 1 - rate * curvature. Where is that -1? And where are the two factors opposite?",
    ),
    "03-01.3": Exercise(
        cases=[
            ((coupled, PLACE, AHEAD), 48.0),
            ((coupled, PLACE, np.array([1.0, 0.0])), 4.0),
            ((wave, THREE, ASIDE), np.cos(0.5) - np.cos(2.0) + 4 - 2),
        ],
        mistakes={
            "Between the two places lie two steps of h: divide by 2 * h.": lambda function, x, direction, h=1e-5: (
                2 * towards(function, x, direction, h)
            ),
            "The direction is used as it is: twice as long, twice as fast. Don't divide by its length.": (
                lambda function, x, direction, h=1e-5: (
                    towards(function, x, direction, h) / np.linalg.norm(direction)
                )
            ),
            "That is the slope when all weights move alike. Multiply h by the direction.": (
                lambda function, x, direction, h=1e-5: towards(function, x, np.ones(len(x)), h)
            ),
            "Turned round: the value ahead comes first, the one behind is taken away.": (
                lambda function, x, direction, h=1e-5: -towards(function, x, direction, h)
            ),
        },
        hint="(function(ahead) - function(behind)) / (2 * h), with ahead = x + h * direction.",
        tolerance=1e-6,
    ),
    "03-01.4": Exercise(
        cases=[
            ((coupled, PLACE, 0.1), np.array([0.6, 1.1])),
            ((wave, THREE, 0.5), THREE - 0.5 * (np.cos(THREE) + [4.0, 0.0, 2.0])),
        ],
        mistakes={
            "The second slope is still measured after the first weight has moved. Measure all, then move all.": (
                one_after_the_other
            ),
            "That walks uphill: the gradient points to where the loss rises.": lambda function, w, rate, h=1e-5: (
                w + rate * slopes(function, w, h)
            ),
            "That is the gradient. The step takes rate times it away from the weights.": (
                lambda function, w, rate, h=1e-5: slopes(function, w, h)
            ),
        },
        hint="Two loops, or one list: first all slopes at the old place, then w - rate * slopes.",
        tolerance=1e-6,
    ),
}
