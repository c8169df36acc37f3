"""The exercises of 05-cnn/06-alexnet-and-resnet.ipynb."""

import math

import numpy as np

from shared.exercises import Exercise

X = np.array([[1.0, 2.0], [-1.0, 1.0], [2.0, -3.0]])
WEIGHT = np.array([[0.5, -1.0], [0.0, 0.5]])
GRAD_Y = np.array([[1.0, 10.0], [-2.0, 3.0], [4.0, 5.0]])


def _gates(x, weight):
    return x + x @ weight.T > 0


def _backward(x, weight, grad_y):
    grad_sum = grad_y * _gates(x, weight)
    return grad_sum + grad_sum @ weight


def _ways(n, s, lengths):
    return sum(math.comb(n, passed) * s**passed for passed in lengths)


EXERCISES = {
    "05-06.1": Exercise(
        cases=[((), 128 * 64 * 9 + 128 * 128 * 9 + 128 * 64 + 3 * 256)],
        mistakes={
            "The way past has a convolution of 1 x 1 and a batch normalisation of its own.": lambda: (
                128 * 64 * 9 + 128 * 128 * 9 + 2 * 256
            ),
            "The second convolution goes from 128 channels to 128.": lambda: (
                2 * 128 * 64 * 9 + 128 * 64 + 3 * 256
            ),
            "A batch normalisation has a scale and a shift for each channel.": lambda: (
                128 * 64 * 9 + 128 * 128 * 9 + 128 * 64
            ),
            "The kernel of the way past is 1 x 1, not 3 x 3.": lambda: (
                2 * 128 * 64 * 9 + 128 * 128 * 9 + 3 * 256
            ),
        },
        hint="F C K² for each of three convolutions, and 2 F for each of three batch normalisations.",
    ),
    "05-06.2": Exercise(
        cases=[
            ((2, 1.0, 1), 0.75),
            ((3, 0.5, 0), 8 / 27),
            ((10, 0.2, 2), _ways(10, 0.2, range(3)) / 1.2**10),
        ],
        mistakes={
            "That counts the ways; each also has its size, s to the power of the blocks it passes.": lambda n, s, k: (
                _ways(n, 1, range(k + 1)) / 2**n
            ),
            "At most k: the ways through exactly k blocks belong to it.": lambda n, s, k: (
                _ways(n, s, range(k)) / (1 + s) ** n
            ),
            "That is the sum, not yet the share: divide by the whole, (1 + s) to the power n.": lambda n, s, k: (
                _ways(n, s, range(k + 1))
            ),
        },
        hint="There are math.comb(n, j) ways through j blocks, each of size s**j; all together are (1 + s)**n.",
    ),
    "05-06.3": Exercise(
        cases=[((X, WEIGHT, GRAD_Y), _backward(X, WEIGHT, GRAD_Y))],
        mistakes={
            "The way past lies before the ReLU as well: what it closes gets no gradient on either way.": (
                lambda x, weight, grad_y: grad_y + (grad_y * _gates(x, weight)) @ weight
            ),
            "The way past hands its gradient on too: add it.": lambda x, weight, grad_y: (
                (grad_y * _gates(x, weight)) @ weight
            ),
            "Back goes through the weights the other way: @ weight, not @ weight.T.": lambda x, weight, grad_y: (
                grad_y * _gates(x, weight) + (grad_y * _gates(x, weight)) @ weight.T
            ),
        },
        hint="First back through the ReLU, once; the result goes both ways, and the two gradients add up.",
    ),
    "05-06.4": Exercise(
        cases=[(((3, 3, 3),), 20), (((2, 2, 2, 2),), 18), (((3, 4, 6, 3),), 34)],
        mistakes={
            "A block has two convolutions.": lambda blocks: sum(blocks) + 2,
            "The first convolution and the last layer count too.": lambda blocks: 2 * sum(blocks),
            "The ways past aren't counted.": lambda blocks: 2 * sum(blocks) + 2 + len(blocks) - 1,
        },
        hint="One at the front, two in each block, one at the end.",
    ),
}
