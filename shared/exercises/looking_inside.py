"""The exercises of 05-cnn/08-looking-inside.ipynb."""

import numpy as np

from shared.exercises import Exercise

MAPS = np.array([[[[1.0, 0], [2, 4]], [[0, 3], [0, 1]]]])
GRADS = np.array([[[[0.5, 0.5], [1, 0]], [[-1, -1], [0, 0]]]])
MORE = np.arange(24.0).reshape(2, 3, 1, 4) ** 2
HEAT = np.array([[3.0, 1, 3], [0, 5, 1]])


def _cam(maps, grads, axes=(2, 3)):
    return np.maximum((grads.mean(axis=axes, keepdims=True) * maps).sum(axis=1), 0)


def _entropy(p, logarithm=np.log2):
    p = p[p > 0]
    return -np.sum(p * logarithm(p))


EXERCISES = {
    "05-08.1": Exercise(
        cases=[((), (22, 7))],
        mistakes={
            "A layer widens by (kernel - 1) times all strides before it. These ignore the strides.": lambda: (
                10,
                7,
            ),
            "Sizes don't multiply: two kernels of 3 see 5, because their windows overlap.": lambda: (216, 27),
            "A pooling window is 2 wide as well: it adds to the side, besides its stride.": lambda: (15, 7),
        },
        hint="Begin at the output, with 1, and go backwards: size becomes (size - 1) * stride + kernel.",
    ),
    "05-08.2": Exercise(
        cases=[((MAPS, GRADS), _cam(MAPS, GRADS)), ((MORE, MORE[::-1] - 100), _cam(MORE, MORE[::-1] - 100))],
        mistakes={
            "ReLU is missing: places that speak against the class drop out.": lambda maps, grads: (
                grads.mean(axis=(2, 3), keepdims=True) * maps
            ).sum(axis=1),
            "That multiplies place by place. A channel has one weight: its mean gradient.": lambda maps, grads: (
                np.maximum((grads * maps).sum(axis=1), 0)
            ),
            "ReLU comes after the sum over the channels, not before.": lambda maps, grads: np.maximum(
                grads.mean(axis=(2, 3), keepdims=True) * maps, 0
            ).sum(axis=1),
            "The mean over the places, not their sum.": lambda maps, grads: np.maximum(
                (grads.sum(axis=(2, 3), keepdims=True) * maps).sum(axis=1), 0
            ),
        },
        hint="Weights: the mean over axes 2 and 3. Multiply with the maps, add up axis 1, cut at 0.",
    ),
    "05-08.3": Exercise(
        cases=[((HEAT,), [4, 0, 2, 1, 5, 3]), ((np.array([[0.5, -2, 0.5]]),), [0, 2, 1])],
        mistakes={
            "That is the least important pixel first.": lambda heat: np.argsort(heat.ravel(), kind="stable"),
            "Reversing the result reverses equal pixels too. Sort the negative numbers.": lambda heat: (
                np.argsort(heat.ravel(), kind="stable")[::-1]
            ),
            "That is the rank of each pixel. Asked is the pixel of each rank.": lambda heat: np.argsort(
                np.argsort(-heat.ravel(), kind="stable")
            ),
        },
        hint="np.argsort puts the smallest first; a stable sort leaves equal numbers as they come.",
    ),
    "05-08.4": Exercise(
        cases=[
            ((np.array([0.25, 0.25, 0.25, 0.25]),), 4.0),
            ((np.array([0.5, 0.5, 0.0]),), 2.0),
            ((np.array([0.5, 0.25, 0.25]),), 2**1.5),
        ],
        mistakes={
            "That is the entropy. The perplexity is 2 to its power.": _entropy,
            "Natural logarithms go with e, base 2 with 2.": lambda p: 2 ** _entropy(p, np.log),
            "0 times the logarithm of 0 counts as 0: leave those out.": lambda p: (
                2 ** -np.sum(p * np.log2(p)) if p.all() else np.nan
            ),
        },
        hint="The entropy is minus the sum of p log2 p, without the zeros.",
    ),
}
