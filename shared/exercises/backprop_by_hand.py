"""The exercises of 03-backpropagation/03-backprop-by-hand.ipynb."""

import numpy as np

from shared.exercises import Exercise

GRAD_H = np.array([[0.5, -1.0, 2.0], [1.0, 0.25, -0.5]])
AFTER_TANH = np.array([[0.0, 0.5, -0.8], [0.9, -0.2, 1.0]])

# Three inputs, three hidden units, three outputs, two examples: nothing but the numbers tells the arrays apart.
EXAMPLES = np.array([[1.0, 0.0, 2.0], [0.0, 1.0, 1.0]])
HIDDEN = np.array([[2.0, 0.0, 1.0], [1.0, 3.0, 0.0]])
GRAD_SCORES = np.array([[-0.5, 0.25, 0.25], [0.1, -0.3, 0.2]])
WEIGHT1 = np.array([[1.0, 0.0, 0.5], [0.0, 1.0, -1.0], [2.0, 1.0, 0.0]])
WEIGHT2 = np.array([[1.0, 2.0, 3.0], [0.0, -1.0, 1.0], [2.0, 0.0, 1.0]])


def _update(X, H, grad_S, weight1, weight2, rate, sign=-1, transposed=False, too_early=False, bend=True):
    """Both weights after one step, with the bugs that a learner may build in or leave in."""
    new_weight2 = weight2 + sign * rate * grad_S.T @ H
    along = new_weight2 if too_early else weight2
    grad_Z = grad_S @ (along.T if transposed else along)
    if bend:
        grad_Z = grad_Z * (H > 0)
    return np.stack([weight1 + sign * rate * grad_Z.T @ X, new_weight2])


def _with(**bug):
    return lambda *arguments: _update(*arguments, **bug)


EXERCISES = {
    "03-03.1": Exercise(
        cases=[((), np.array([[16, 784], [10, 16], [32, 16], [32, 10]]))],
        mistakes={
            "Those of the weights are turned round: a gradient has the shape of its array, weight1 (16, 784).": (
                lambda: np.array([[784, 16], [16, 10], [32, 16], [32, 10]])
            ),
            "The gradients of H and S keep the pictures apart: 32 rows, as H and S have.": (
                lambda: np.array([[16, 784], [10, 16], [1, 16], [1, 10]])
            ),
            "The hidden layer has 16 units here, not 10.": (
                lambda: np.array([[10, 784], [10, 10], [32, 10], [32, 10]])
            ),
        },
        hint="Blame has the shape of the blamed. What are the shapes of weight1, weight2, H and S?",
    ),
    "03-03.2": Exercise(
        cases=[
            ((GRAD_H, AFTER_TANH), GRAD_H * (1 - AFTER_TANH**2)),
            ((GRAD_H[:1], -GRAD_H[:1] / 4), GRAD_H[:1] * (1 - GRAD_H[:1] ** 2 / 16)),
        ],
        mistakes={
            "That is the slope alone. Multiply it by the blame that arrived, grad_H.": (
                lambda grad_H, H: 1 - H**2
            ),
            "That is the line of ReLU. tanh lets everything through, with the slope 1 - H².": (
                lambda grad_H, H: grad_H * (H > 0)
            ),
            "H already is the tanh of the sums: do not take it a second time.": (
                lambda grad_H, H: grad_H * (1 - np.tanh(H) ** 2)
            ),
        },
        hint="Blame that arrived times slope of the line: the slope of tanh is 1 - tanh², and H is the tanh.",
    ),
    "03-03.3": Exercise(
        cases=[
            (arguments, _update(*arguments))
            for arguments in [
                (EXAMPLES, HIDDEN, GRAD_SCORES, WEIGHT1, WEIGHT2, 1.0),
                (EXAMPLES[::-1], HIDDEN, GRAD_SCORES, WEIGHT2, WEIGHT1, 0.5),
            ]
        ],
        mistakes={
            "weight2 has been updated before grad_Z went through it: first all blame, then all updates.": (
                _with(too_early=True)
            ),
            "weight2 is transposed on the way back; with a square matrix no shape objects.": (
                _with(transposed=True)
            ),
            "A hidden unit that was silent, H = 0, is not to blame.": _with(bend=False),
            "That goes uphill: the gradient is taken away.": _with(sign=1),
        },
        hint="Compute grad_Z with the weight2 that was used in the forward pass; only then change the weights.",
    ),
    "03-03.4": Exercise(
        cases=[((), (1563, 16, 15630))],
        mistakes={
            "The last, smaller batch is a step as well: round up.": lambda: (1562, 16, 15620),
            "The last batch holds what is left over: 50,000 minus 1,562 times 32.": lambda: (1563, 32, 15630),
            "The third is about all ten epochs together.": lambda: (1563, 16, 1563),
        },
        hint="50,000 divided by 32 is 1,562 and a rest. The rest is a batch of its own.",
    ),
}
