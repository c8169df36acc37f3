"""The exercises of 02-neural-net-basics/05-losses.ipynb."""

import numpy as np

from shared.exercises import Exercise


def cross_entropies(logits, target, shift):
    """The surprise of each row, by way of scores from which `shift` has been taken."""
    shifted = logits - shift
    log_probs = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return -log_probs[np.arange(len(target)), target]


def quiet(function):
    """`function` without NumPy's warnings, which its mistake is made to provoke."""

    def called(*arguments):
        with np.errstate(all="ignore"):
            return function(*arguments)

    return called


def slope(p, target, rows):
    grad = p.copy()
    grad[rows, target] -= 1
    return grad


MODERATE = np.log([[1.0, 2.0, 5.0], [4.0, 3.0, 1.0]])
FAR_APART = np.array([[2000.0, 0.0, 1000.0], [-3000.0, -3000.0, -4000.0]])
PROBABILITIES = np.array([[1.0, 2.0, 5.0], [4.0, 3.0, 1.0], [2.0, 2.0, 4.0]]) / 8

EXERCISES = {
    "02-05.1": Exercise(
        cases=[((), (np.log(40), 5, 0.5 / 3))],
        mistakes={
            "A price is never negative: the surprise is minus the logarithm of 1/40.": lambda: (
                np.log(1 / 40),
                5,
                0.5 / 3,
            ),
            "The MSE is the mean of the two squares, not their sum.": lambda: (np.log(40), 10, 0.5 / 3),
            "The hinge is divided by the number of classes, the true one included.": lambda: (
                np.log(40),
                5,
                0.5,
            ),
            "np.log is the logarithm to the base e; the surprise is counted in nats here, not in bits.": lambda: (
                np.log2(40),
                5,
                0.5 / 3,
            ),
            "How far is the true score ahead? By 2 and by 0.5. What is missing to a margin of 1?": lambda: (
                np.log(40),
                5,
                2.5 / 3,
            ),
        },
        hint="1/40 for each; the squares of 1 and 3; and only the third class is closer than 1 to the first.",
    ),
    "02-05.2": Exercise(
        cases=[
            ((MODERATE, np.array([2, 2])), (np.log(8 / 5) + np.log(8)) / 2),
            ((FAR_APART, np.array([2, 2])), (1000 + 1000 + np.log(2)) / 2),
        ],
        mistakes={
            "exp overflows at about 709. Take the largest score of each row away first.": quiet(
                lambda logits, target: cross_entropies(logits, target, 0).mean()
            ),
            "The largest score of the whole batch is too much for the other rows: each needs its own.": quiet(
                lambda logits, target: cross_entropies(logits, target, logits.max()).mean()
            ),
            "Somewhere the logarithm of a probability is taken, and the probability was 0. Use z - log-sum-exp.": quiet(
                lambda logits, target: (
                    -np.log(
                        np.exp(-cross_entropies(logits, target, logits.max(axis=1, keepdims=True)))
                    ).mean()
                )
            ),
            "That is the sum over the batch. Take the mean.": lambda logits, target: cross_entropies(
                logits, target, logits.max(axis=1, keepdims=True)
            ).sum(),
        },
        hint="Subtract each row's maximum, take log-sum-exp away, and pick with [np.arange(N), target].",
    ),
    "02-05.3": Exercise(
        cases=[
            (
                (PROBABILITIES, np.array([2, 0, 2])),
                np.array([[1, 2, -3], [-4, 3, 1], [2, 2, -4]]) / 24,
            ),
            ((PROBABILITIES[:2], np.array([1, 0])), np.array([[1, -6, 5], [-4, 3, 1]]) / 16),
        ],
        mistakes={
            "A colon means all rows: the 1 goes off in every row, for the targets of all the others as well.": (
                lambda p, target: slope(p, target, slice(None)) / len(p)
            ),
            "That is p - y. The loss is a mean over the batch, so its slope is divided by N.": lambda p, target: (
                slope(p, target, np.arange(len(p)))
            ),
            "Divided by N and by C: the mean goes over the pictures, not over the classes.": lambda p, target: (
                slope(p, target, np.arange(len(p))) / p.size
            ),
            "That is y - p, which points downhill. A slope points uphill.": lambda p, target: (
                -slope(p, target, np.arange(len(p))) / len(p)
            ),
        },
        hint="Row i has its own target[i]: index with the pair np.arange(len(p)), target.",
    ),
    "02-05.4": Exercise(
        cases=[
            ((np.array([0.5, 0.5]), np.array([0.75, 0.25])), 0.5 * np.log(4 / 3)),
            ((np.array([1.0, 0.0]), np.array([0.25, 0.75])), np.log(4)),
            ((np.array([0.5, 0.5]), np.array([1.0, 0.0])), np.inf),
        ],
        mistakes={
            "0 times ln 0 is nan for NumPy. Leave out where y is 0.": quiet(
                lambda y, p: np.sum(y * np.log(y / p))
            ),
            "The other way round: y, the truth, does the weighing.": quiet(
                lambda y, p: np.sum((p * np.log(p / y))[p > 0])
            ),
            "That is the cross-entropy. Take the entropy of y away: y / p, not 1 / p.": quiet(
                lambda y, p: -np.sum((y * np.log(p))[y > 0])
            ),
            "What happens although p says 0 has to cost infinity: leave out where y is 0, not where p is 0.": quiet(
                lambda y, p: np.sum((y * np.log(y / p))[(y > 0) & (p > 0)])
            ),
        },
        hint="Choose the classes with y > 0 first; then the sum of y * np.log(y / p) over these.",
    ),
}
