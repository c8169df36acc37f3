"""The exercises of 02-neural-net-basics/04-forward-pass.ipynb."""

import numpy as np

from shared.exercises import Exercise

EXAMPLES = np.array([[3.0, 1.0], [0.0, 2.0], [1.0, 0.0], [1.0, 1.0]])
HIDDEN = np.array([[1.0, 2.0], [-2.0, 1.0], [1.0, -1.0]]), np.array([-1.0, 2.0, 1.0])
OUTPUT = np.array([[1.0, 3.0, -1.0], [-1.0, 2.0, 1.0]]), np.array([1.0, 2.0])


def _scores(X, weight1, bias1, weight2, bias2, bend=True):
    hidden = X @ weight1.T + bias1
    return (np.maximum(hidden, 0) if bend else hidden) @ weight2.T + bias2


def _softmax(scores, axis=1):
    powers = np.exp(scores - scores.max(axis=axis, keepdims=True))
    return powers / powers.sum(axis=axis, keepdims=True)


def _count(sizes):
    return sum(inputs * outputs + outputs for inputs, outputs in zip(sizes[:-1], sizes[1:], strict=True))


EXERCISES = {
    "02-04.1": Exercise(
        cases=[((), ((30, 784), (64, 30), (64, 10), 23860))],
        mistakes={
            "The shapes are right, the biases are missing: 30 for the hidden units and 10 for the outputs.": (
                lambda: ((30, 784), (64, 30), (64, 10), 23820)
            ),
            "nn.Linear keeps a row of weights for each unit: (out, in).": lambda: (
                ((784, 30), (64, 30), (64, 10), 23860)
            ),
            "Parameters belong to the network, not to the pictures: 64 does not come into their number.": lambda: (
                ((30, 784), (64, 30), (64, 10), 64 * 23860)
            ),
        },
        hint="Weights: a row for each unit, and one number for each input. Numbers in a batch: a row for each picture.",
    ),
    "02-04.2": Exercise(
        cases=[
            ((EXAMPLES, *HIDDEN, *OUTPUT), _softmax(_scores(EXAMPLES, *HIDDEN, *OUTPUT))),
            ((EXAMPLES[:1], *HIDDEN, *OUTPUT), _softmax(_scores(EXAMPLES[:1], *HIDDEN, *OUTPUT))),
        ],
        mistakes={
            "The bend is missing: ReLU belongs between the two layers.": lambda *given: _softmax(
                _scores(*given, bend=False)
            ),
            "Those are the scores. Softmax makes probabilities of them.": _scores,
            "Softmax went down the columns, over the examples. Each row is to add up to 1: axis=1.": lambda *given: (
                _softmax(_scores(*given), axis=0)
            ),
            "The scores go through no ReLU: what is below 0 counts, too.": lambda *given: _softmax(
                np.maximum(_scores(*given), 0)
            ),
        },
        hint="Three steps: X @ weight1.T + bias1 and ReLU; the same with weight2, without ReLU; softmax of each row.",
    ),
    "02-04.3": Exercise(
        cases=[
            ((*HIDDEN, EXAMPLES.T), HIDDEN[0] @ EXAMPLES.T + HIDDEN[1][:, None]),
            ((*HIDDEN, EXAMPLES[:3].T), HIDDEN[0] @ EXAMPLES[:3].T + HIDDEN[1][:, None]),
        ],
        mistakes={
            "bias (out,) is still added along a row, to the examples. Give it a second axis.": (
                lambda weight, bias, X: weight @ X + bias
            ),
            "The numbers are right and stand in rows. Here each example is a column.": (
                lambda weight, bias, X: X.T @ weight.T + bias
            ),
            "The bias is missing: each unit adds its own to all examples.": lambda weight, bias, X: (
                weight @ X
            ),
        },
        hint="The product is (out, N). For a bias of (out, 1), broadcasting fills the N columns: bias[:, None].",
    ),
    "02-04.4": Exercise(
        cases=[
            (([784, 10, 10],), 7960),
            (([2, 3, 2],), 17),
            (([5, 4],), 24),
            (([784, 128, 64, 10],), 109386),
        ],
        mistakes={
            "Those are the connections. Each unit behind the input has a bias as well.": lambda sizes: (
                _count(sizes) - sum(sizes[1:])
            ),
            "The inputs have no bias: they are given, not computed.": lambda sizes: _count(sizes) + sizes[0],
            "There are more than two layers: go through all neighbours in the list.": lambda sizes: _count(
                sizes[:3]
            ),
        },
        hint="Each layer but the first: (numbers that come in) times (its units), and one bias for each of its units.",
    ),
}
