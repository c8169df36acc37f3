"""The exercises of 01-linear-algebra/05-first-recogniser.ipynb."""

import numpy as np

from shared.exercises import Exercise

SHORT = np.array([[1.0, 2.0], [0.0, 3.0], [4.0, 4.0]]), np.array([[1.0, 0.0], [2.0, 2.0]])
BYTES = np.array([[0, 10, 200]], dtype=np.uint8), np.array([[10, 0, 100], [255, 16, 0]], dtype=np.uint8)
DISTANCES = np.array([6.0, 1.0, 9.0, 2.0, 8.0, 3.0, 7.0])
LABELS = np.array([5, 2, 7, 4, 7, 2, 5])
POINTS = np.array([0.0, 1.0, 2.5, 10.0, 11.0])


def _squares(a, b, factor=2):
    a, b = a.astype(float), b.astype(float)
    return (a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1) - factor * a @ b.T


def _in_bytes(a, b):
    return (a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1) - 2 * a @ b.T


def _majority(labels):
    return np.bincount(labels).argmax()


def _share(distances, labels, diagonal, choose=np.argmin):
    distances = distances.copy()
    np.fill_diagonal(distances, diagonal)
    return np.mean(labels[choose(distances, axis=1)] == labels)


def _pairs(points):
    return np.abs(points[:, None] - points)


EXERCISES = {
    "01-05.1": Exercise(
        cases=[((), (5, 3, 5))],
        mistakes={
            "With four votes it is a tie, two against two: the label of the nearest one wins.": lambda: (
                5,
                3,
                3,
            ),
            "Those are the first ones of the list. Sort by distance before they vote.": lambda: (3, 3, 3),
            "Those are the farthest. The neighbours are the ones with the smallest distances.": lambda: (
                8,
                8,
                3,
            ),
        },
        hint="Write the labels down in the order of the distances, nearest first; then count the first k of them.",
    ),
    "01-05.2": Exercise(
        cases=[
            (SHORT, np.array([[4.0, 1.0], [10.0, 5.0], [25.0, 8.0]])),
            (BYTES, np.array([[10200.0, 105061.0]])),
        ],
        mistakes={
            "Without the 2: (a - b)² is a² + b² - 2ab, and the last term counts twice.": lambda a, b: (
                _squares(a, b, factor=1)
            ),
            "Without the product, two equal rows are not at distance 0: subtract 2 A @ B.T.": lambda a, b: (
                _squares(a, b, factor=0)
            ),
            "The product is subtracted, not added: check it with two equal rows.": lambda a, b: _squares(
                a, b, factor=-2
            ),
            "Right for floats, not for bytes: 16 * 16 is 0 in uint8. Convert both before squaring.": _in_bytes,
            "Those are the distances themselves. Here the squares are asked for.": lambda a, b: np.sqrt(
                _squares(a, b)
            ),
            "Rows and columns are swapped: row i belongs to A, column j to B.": lambda a, b: _squares(b, a),
        },
        hint="(A**2).sum(axis=1)[:, None], a column, plus (B**2).sum(axis=1), a row, minus 2 * A @ B.T.",
    ),
    "01-05.3": Exercise(
        cases=[
            ((DISTANCES, LABELS, 1), 2),
            ((DISTANCES, LABELS, 3), 2),
            ((np.array([4.0, 9.0, 2.0, 8.0, 3.0, 1.0, 7.0]), LABELS, 3), 7),
            ((DISTANCES, np.array([5, 2, 5, 5, 5, 7, 7]), 1), 2),
        ],
        mistakes={
            "Those are the farthest: argsort puts the smallest first, so the nearest k are [:k].": lambda d, y, k: (
                _majority(y[np.argsort(d)[-k:]])
            ),
            "That asks the first k of the list. argsort says where the small distances stand.": lambda d, y, k: (
                _majority(y[:k])
            ),
            "That is the number of the nearest example. Its label was asked for.": lambda d, y, k: np.argmin(
                d
            ),
            "That asks one neighbour only, whatever k is.": lambda d, y, k: y[np.argmin(d)],
            "That asks everybody. Only the k nearest vote.": lambda d, y, k: _majority(y),
        },
        hint="np.argsort(distances) lists the row numbers, the smallest distance first. Which k of them vote?",
    ),
    "01-05.4": Exercise(
        cases=[
            ((_pairs(POINTS), np.array([1, 1, 7, 7, 7])), 0.8),
            ((_pairs(POINTS), np.array([1, 7, 7, 7, 1])), 0.2),
        ],
        mistakes={
            "Each picture still finds itself, at distance 0: keep it out of its own search.": lambda d, y: (
                _share(d, y, diagonal=0)
            ),
            "One too far: column 0 of argsort is the picture itself, column 1 its nearest other.": lambda d, y: (
                np.mean(y[np.argsort(d, axis=1)[:, 2]] == y)
            ),
            "That is the farthest one. The nearest other one is asked.": lambda d, y: _share(
                d, y, diagonal=0, choose=np.argmax
            ),
            "That is how many are right. The share is their mean.": lambda d, y: (
                len(y) * _share(d, y, diagonal=np.inf)
            ),
        },
        hint="Nobody is their own neighbour: put np.inf on the diagonal of a copy, then take argmin.",
    ),
}
