"""The exercises of 03-backpropagation/06-initialisation.ipynb."""

import math

import numpy as np

from shared.exercises import Exercise

GRADS = [np.array([[3.0, 4.0], [0.0, 0.0]]), np.array([0.0, -12.0])]  # together they are 13 long
SMALL = [np.array([0.3]), np.array([-0.4])]  # 0.5 long


def _scaled(grads, factor):
    return np.concatenate([grad.ravel() * factor for grad in grads])


def _length(grads):
    return math.sqrt(sum(float(np.sum(grad**2)) for grad in grads))


EXERCISES = {
    "03-06.1": Exercise(
        cases=[((), (2.0**-10, 2.0**10))],
        mistakes={
            "That is without the bend: ReLU takes half of the mean square away in every layer.": lambda: (
                1.0,
                4.0**10,
            ),
            "That is one layer. The factors of ten layers multiply.": lambda: (0.5, 2.0),
            "The variance counts, so the standard deviation is squared first.": lambda: (5.0**10, 10.0**10),
            "That is the typical size; the question is about its square.": lambda: (2.0**-5, 2.0**5),
        },
        hint="One layer multiplies the mean square by n * std**2, and the ReLU before it by 1/2.",
    ),
    "03-06.2": Exercise(
        cases=[((100, 0.5), math.sqrt(0.016)), ((50, 0.0), 0.2), ((128, 1.0), math.sqrt(1 / 128))],
        mistakes={
            "That is ReLU's. Here the negative half is not lost but multiplied by the slope.": lambda fan_in, slope: (
                math.sqrt(2 / fan_in)
            ),
            "That is the variance; its root is asked for.": lambda fan_in, slope: (
                2 / ((1 + slope**2) * fan_in)
            ),
            "Mean squares add up: the negative half keeps slope squared of its own.": lambda fan_in, slope: (
                math.sqrt(2 / ((1 + slope) * fan_in))
            ),
        },
        hint="Half of the mean square stays, the other half is multiplied by slope**2; the weights make up for it.",
    ),
    "03-06.3": Exercise(
        cases=[
            ((GRADS, 1.0), _scaled(GRADS, 1 / 13)),
            ((GRADS, 6.5), _scaled(GRADS, 0.5)),
            ((SMALL, 1.0), _scaled(SMALL, 1.0)),
        ],
        mistakes={
            "Each array has a length of its own here, so the direction turns. Take one for all.": lambda grads, limit: (
                np.concatenate([_scaled([grad], min(1, limit / _length([grad]))) for grad in grads])
            ),
            "A short gradient was made longer. Clipping only ever shortens.": lambda grads, limit: _scaled(
                grads, limit / _length(grads)
            ),
            "That cuts each number off by itself; the direction turns.": lambda grads, limit: np.concatenate(
                [np.clip(grad, -limit, limit).ravel() for grad in grads]
            ),
        },
        hint="One length for all the arrays together, one factor for all, and the factor is never above 1.",
        tolerance=1e-5,  # with PyTorch's small number in the divisor, or without
    ),
    "03-06.4": Exercise(
        cases=[(((10, 64),), math.sqrt(6 / 74)), (((16, 8, 3, 3),), math.sqrt(6 / 216))],
        mistakes={
            "For a convolution, each of the K x K places of the kernel counts.": lambda shape: math.sqrt(
                6 / (shape[0] + shape[1])
            ),
            "That is the standard deviation; uniform numbers up to the bound b have b / sqrt(3).": lambda shape: (
                math.sqrt(2 / (math.prod(shape[2:]) * (shape[0] + shape[1])))
            ),
            "Xavier looks both ways: add what comes in and what goes out.": lambda shape: math.sqrt(
                3 / math.prod(shape[1:])
            ),
        },
        hint="variance = 2 / (fan_in + fan_out), and uniform numbers between -b and b have the variance b**2 / 3.",
    ),
}
