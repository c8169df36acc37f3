"""The exercises of 01-linear-algebra/02-matrices.ipynb."""

import numpy as np

from shared.exercises import Exercise


def _turn(angle, clockwise=False):
    cosine, sine = np.cos(angle), np.sin(angle)
    return np.array([[cosine, sine], [-sine, cosine]] if clockwise else [[cosine, -sine], [sine, cosine]])


def _members(labels, classes):
    return np.stack([labels == label for label in range(classes)]).astype(float)


PICTURES = np.arange(12).reshape(3, 2, 2)
WIDE_PICTURES = np.arange(12).reshape(2, 2, 3) ** 2
LABELS = np.array([0, 2, 1, 0, 0, 2])

EXERCISES = {
    "01-02.1": Exercise(
        cases=[((), ((64, 10), (10, 64), (784, 784), (1, 10)))],
        mistakes={
            "Each of them is turned round: rows come from the left factor, columns from the right one.": lambda: (
                ((10, 64), (64, 10), (784, 784), (10, 1))
            ),
            "X.T @ X: its rows are those of X.T, and X.T has 784. It is X @ X.T that is (64, 64).": lambda: (
                ((64, 10), (10, 64), (64, 64), (1, 10))
            ),
            "X[:1] is a matrix of one row: of the 64 pictures, one is left, and so is one row of scores.": lambda: (
                ((64, 10), (10, 64), (784, 784), (64, 10))
            ),
        },
        hint="Write both shapes side by side. The two inner numbers are equal and vanish; the outer ones remain.",
    ),
    "01-02.2": Exercise(
        cases=[
            ((30,), _turn(np.pi / 6)),
            ((90,), np.array([[0.0, -1.0], [1.0, 0.0]])),
            ((180,), -np.eye(2)),
        ],
        mistakes={
            "NumPy's cos and sin count in radians: put the angle through np.radians first.": _turn,
            "That turns clockwise. (1, 0) is to land above the axis, on (cos, sin).": lambda degrees: _turn(
                np.radians(degrees), clockwise=True
            ),
            "That mirrors. Turned by 90°, (0, 1) lands on (-1, 0).": lambda degrees: (
                _turn(np.radians(degrees)) * [1, -1]
            ),
        },
        hint="Its first column is where (1, 0) lands, its second where (0, 1) lands, a quarter turn further.",
    ),
    "01-02.3": Exercise(
        cases=[
            ((PICTURES,), np.array([[0, 4, 8], [1, 5, 9], [2, 6, 10], [3, 7, 11]])),
            ((WIDE_PICTURES,), np.array([[0, 36], [1, 49], [4, 64], [9, 81], [16, 100], [25, 121]])),
        ],
        mistakes={
            "The shape is right, the pictures are mixed: reshape never changes the order of the numbers.": (
                lambda pictures: pictures.reshape(-1, len(pictures))
            ),
            "Now each picture is a row. One .T is missing.": lambda pictures: pictures.reshape(
                len(pictures), -1
            ),
            "pictures.T turns round all three axes, and each picture is read column by column. Flatten first.": (
                lambda pictures: pictures.T.reshape(-1, len(pictures))
            ),
        },
        hint="In two steps: first one picture in each row, which needs no transpose; then turn the matrix.",
    ),
    "01-02.4": Exercise(
        cases=[
            ((np.array([1, 0, 1]), 2), np.array([[0, 1, 0], [0.5, 0, 0.5]])),
            ((LABELS, 3), _members(LABELS, 3) / [[3], [1], [2]]),
        ],
        mistakes={
            "That adds the pictures of a class up. For the mean, divide each row by how many there are.": _members,
            "Divide each row by the number of its own class, not by the number of all pictures.": (
                lambda labels, classes: _members(labels, classes) / len(labels)
            ),
            "The other way round: one row for each class, one column for each picture.": (
                lambda labels, classes: _members(labels, classes).T / np.bincount(labels, minlength=classes)
            ),
        },
        hint="Row c has 1 / (number of pictures of class c) where the label is c, and 0 elsewhere.",
    ),
}
