"""The exercises of 03-backpropagation/09-debugging.ipynb."""

import math

import numpy as np

from shared.exercises import Exercise

OUTPUTS = np.array(
    [[0.0, 2.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0], [0.0, 3.0, 0.0, 0.0]]
)  # columns 0 and 2 are dead
ONE_DEAD = np.array([[0.0, 1.0, 1.0], [0.0, 0.0, 0.0]])
WEIGHT = np.array([[0.5, -0.2], [0.1, 0.3], [-0.4, 0.2]])
X, Y = np.array([[1.0, 2.0], [0.0, -1.0], [3.0, 0.5], [-1.0, 1.0]]), np.array([0, 2, 1, 1])


def _step(weight, x, y, lr, axis=1, sign=1, divisor=None):
    exp = np.exp(x @ weight.T - (x @ weight.T).max(axis=axis, keepdims=True))
    probs = exp / exp.sum(axis=axis, keepdims=True)
    return weight - sign * lr * (probs - np.eye(len(weight))[y]).T @ x / (divisor or len(x))


def _reading(**odd):
    healthy = {"equal": math.log(10), "classes": 10, "kept": 0.0, "cosine": -0.9, "dead": 0.1}
    return healthy | {"known": 0.6, "new": 0.5} | odd


def _cause(reading, price=None, uphill=lambda cosine: cosine > 0, learned=0.2):
    if abs(reading["equal"] - (price or math.log(reading["classes"]))) > 0.01:
        return "axis"
    if reading["kept"] > 0.01:
        return "zero_grad"
    if uphill(reading["cosine"]):
        return "sign"
    if reading["dead"] > 0.75:
        return "dead units"
    return "labels" if reading["known"] >= learned and reading["new"] < 0.05 else "healthy"


EXERCISES = {
    "03-09.1": Exercise(
        cases=[((), (math.log(100), math.log(128)))],
        mistakes={
            "The right one counts the classes of an example; along axis 0 the examples of the batch share.": lambda: (
                math.log(128),
                math.log(100),
            ),
            "Cross-entropy takes the natural logarithm.": lambda: (2.0, math.log10(128)),
            "That is the probability; the loss is minus its logarithm.": lambda: (1 / 100, 1 / 128),
            "Here there are 100 classes, not ten.": lambda: (math.log(10), math.log(128)),
        },
        hint="Equal scores give each of those who share the same probability. How many share?",
    ),
    "03-09.2": Exercise(
        cases=[((OUTPUTS,), 0.5), ((ONE_DEAD,), 1 / 3), ((np.ones((2, 5)),), 0.0)],
        mistakes={
            "That counts zeros. A unit that is off for some examples is alive.": lambda outputs: np.mean(
                outputs == 0
            ),
            "That asks for examples for which all units are off. A unit is a column.": lambda outputs: (
                np.mean((outputs == 0).all(axis=1))
            ),
            "Off for one example is no harm: dead means off for all of them.": lambda outputs: np.mean(
                (outputs == 0).any(axis=0)
            ),
            "That is how many; the share is asked for.": lambda outputs: np.sum((outputs == 0).all(axis=0)),
        },
        hint="For each column: are all its numbers 0? Then take the mean over the columns.",
    ),
    "03-09.3": Exercise(
        cases=[
            ((WEIGHT, X, Y, 0.1), _step(WEIGHT, X, Y, 0.1)),
            ((np.zeros((3, 2)), X, Y, 1.0), _step(np.zeros((3, 2)), X, Y, 1.0)),
        ],
        mistakes={
            "The axis is right now. But this gradient has the wrong sign: the loss rises.": (
                lambda weight, x, y, lr: _step(weight, x, y, lr, sign=-1)
            ),
            "The sign is right now. But softmax still runs over the examples.": (
                lambda weight, x, y, lr: _step(weight, x, y, lr, axis=0)
            ),
            "Both bugs are still there: an axis and a sign.": (
                lambda weight, x, y, lr: _step(weight, x, y, lr, axis=0, sign=-1)
            ),
            "That is the sum over the examples; the mean divides by len(x).": (
                lambda weight, x, y, lr: _step(weight, x, y, lr, divisor=1)
            ),
            "That divides by the number of classes; the mean is over the examples.": (
                lambda weight, x, y, lr: _step(weight, x, y, lr, divisor=len(weight))
            ),
        },
        hint="The classes of an example share its probability; and the gradient at the scores is p - y.",
    ),
    "03-09.4": Exercise(
        cases=[
            ((_reading(),), "healthy"),
            ((_reading(equal=math.log(20)),), "axis"),
            ((_reading(equal=math.log(2), classes=2),), "healthy"),
            ((_reading(kept=1.0),), "zero_grad"),
            ((_reading(cosine=1.0),), "sign"),
            ((_reading(dead=1.0, known=0.0, new=0.0),), "dead units"),
            ((_reading(new=0.01),), "labels"),
            ((_reading(known=0.1, new=0.0),), "healthy"),
        ],
        mistakes={
            "ln 10 is for ten classes: reading['classes'] says how many there are.": (
                lambda reading: _cause(reading, price=math.log(10))
            ),
            "A healthy step goes against the gradient: its cosine is negative.": (
                lambda reading: _cause(reading, uphill=lambda cosine: cosine < 0)
            ),
            "Who has learned nothing by heart says nothing about the labels: ask for known first.": (
                lambda reading: _cause(reading, learned=-1)
            ),
        },
        hint="Six readings, one cause each, in the order of the sentence; what is left is healthy.",
    ),
}
