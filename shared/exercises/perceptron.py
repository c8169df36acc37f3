"""The exercises of 02-neural-net-basics/02-perceptron.ipynb."""

import numpy as np

from shared.exercises import Exercise

CORNERS = np.array([[0.0, 0.0, 1.0], [0.0, 1.0, 1.0], [1.0, 0.0, 1.0], [1.0, 1.0, 1.0]])
AND, OR = np.array([0, 0, 0, 1]), np.array([0, 1, 1, 1])
SWITCHES = np.array([[0, 0, 0], [0, 0, 1], [0, 1, 0], [0, 1, 1], [1, 0, 0], [1, 0, 1], [1, 1, 0], [1, 1, 1]])


def _path(X, targets, sign=1, always=False, shared=False):
    """The weights after each mistake of one epoch, with the bugs that a learner may build in."""
    path = [np.zeros(X.shape[1])]
    for x, target in zip(X, targets, strict=True):
        error = target - int(path[-1] @ x > 0)
        if error or always:
            path.append(path[-1] + sign * error * x)
    return np.array([path[-1]] * len(path) if shared else path)


EXERCISES = {
    "02-02.1": Exercise(
        cases=[((), (3, 2, 1))],
        mistakes={
            "The bias learns as well: its input is the constant 1.": lambda: (3, 2, 0),
            "It should have fired and did not: add the example, do not take it away.": lambda: (1, -4, -1),
            "2 · 1 − 1 · 3 + 0 is −1, so it is silent, and that is a mistake.": lambda: (2, -1, 0),
        },
        hint="First the sum. Is the answer right? If not, add (1, 3) and the constant 1, or take them away.",
    ),
    "02-02.2": Exercise(
        cases=[
            ((CORNERS, AND, np.array([2.0, 2.0, -3.0])), 1 / np.sqrt(17)),
            ((CORNERS, OR, np.array([6.0, 6.0, -3.0])), 1 / 3),
            ((CORNERS, AND, np.array([0.0, 3.0, -1.0])), -2 / np.sqrt(10)),
        ],
        mistakes={
            "That is the smallest sum, not yet a distance: divide by the length of the weights.": (
                lambda X, targets, weight: np.min((2 * targets - 1) * (X @ weight))
            ),
            "An example on the wrong side has to count as negative: multiply by 1 or −1 before the minimum.": (
                lambda X, targets, weight: np.min(np.abs(X @ weight)) / np.linalg.norm(weight)
            ),
            "The targets are 0 and 1, but the silent side needs the factor −1: 2 * targets - 1.": (
                lambda X, targets, weight: np.min(targets * (X @ weight)) / np.linalg.norm(weight)
            ),
        },
        hint="All sums X @ weight, times −1 where it should be silent; their minimum; over the length of weight.",
    ),
    "02-02.3": Exercise(
        cases=[
            ((CORNERS, OR), _path(CORNERS, OR)),
            ((CORNERS[::-1], AND), _path(CORNERS[::-1], AND)),
        ],
        mistakes={
            "All rows are the same array: += changes it in place, and the list holds it many times over.": (
                lambda X, targets: _path(X, targets, shared=True)
            ),
            "Only a mistake makes a new row; you add one for every example.": (
                lambda X, targets: _path(X, targets, always=True)
            ),
            "The sign is turned round: the examples that should have fired are taken away.": (
                lambda X, targets: _path(X, targets, sign=-1)
            ),
        },
        hint="weight += … changes the array that already stands in the list. weight = weight + … makes a new one.",
    ),
    "02-02.4": Exercise(
        cases=[
            ((SWITCHES,), np.array([0, 1, 1, 0, 1, 0, 0, 0])),
            ((SWITCHES[[7, 1]],), np.array([0, 1])),
        ],
        mistakes={
            "That is OR: it also fires when two or three are on. Subtract a second hidden neuron.": (
                lambda x: (x.sum(axis=1) > 0.5).astype(int)
            ),
            "Three inputs that are all on fire as well: that is XOR of XOR, an odd number of them.": (
                lambda x: x.sum(axis=1) % 2
            ),
            "That fires for two of them as well: only all three keep it silent.": (
                lambda x: ((x.sum(axis=1) > 0.5) & (x.sum(axis=1) < 2.5)).astype(int)
            ),
        },
        hint="One hidden neuron for at least one, one for at least two; the output: the first, and not the second.",
    ),
}
