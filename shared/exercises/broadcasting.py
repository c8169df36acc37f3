"""The exercises of 01-linear-algebra/03-broadcasting.ipynb."""

import numpy as np

from shared.exercises import Exercise


def _squared_distances(A, B):
    return ((A[:, None, :].astype(float) - B) ** 2).sum(axis=2)


def _ink_column(pictures):
    return (pictures * np.arange(pictures.shape[2])).sum(axis=(1, 2)) / pictures.sum(axis=(1, 2))


A = np.array([[0.0, 0.0], [3.0, 4.0], [1.0, 1.0]])
B = np.array([[0.0, 0.0], [3.0, 0.0]])
BYTES = np.array([[0, 10, 200], [7, 7, 7]], dtype=np.uint8), np.array([[10, 0, 100]], dtype=np.uint8)
COUNTS = np.array([[8, 2, 0], [1, 3, 0], [1, 1, 2]])
BARS = np.zeros((2, 3, 5))
BARS[0, :, 1], BARS[1, 0, 2], BARS[1, 2, 4] = 200, 50, 150
SLOPE = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)

EXERCISES = {
    "01-03.1": Exercise(
        cases=[((), ((1000, 28, 28), (1000, 1, 1), (64, 10), (5, 7, 784)))],
        mistakes={
            "keepdims=True leaves a 1 where each averaged axis was: (1000, 1, 1).": lambda: (
                ((1000, 28, 28), (1000,), (64, 10), (5, 7, 784))
            ),
            "A difference keeps the pixels: nothing has been summed away, so the 784 stays.": lambda: (
                ((1000, 28, 28), (1000, 1, 1), (64, 10), (5, 7))
            ),
            "A column meets a row: (64, 1) and (10,) are both stretched, to a table of 64 rows and 10 columns.": (
                lambda: ((1000, 28, 28), (1000, 1, 1), (64,), (5, 7, 784))
            ),
            "The mean picture is (28, 28), but it is subtracted from each of the 1000 pictures.": lambda: (
                ((28, 28), (1000, 1, 1), (64, 10), (5, 7, 784))
            ),
        },
        hint="Write the two shapes one below the other, aligned at the right; a 1 is stretched.",
    ),
    "01-03.2": Exercise(
        cases=[((A, B), _squared_distances(A, B)), (BYTES, _squared_distances(*BYTES))],
        mistakes={
            "Bytes wrapped round: 0 - 10 is 246 in uint8. Convert to float before you subtract.": lambda A, B: (
                ((A[:, None, :] - B) ** 2).sum(axis=2)
            ),
            "Square before you add up; else plus and minus cancel.": lambda A, B: (
                (A[:, None, :].astype(float) - B).sum(axis=2) ** 2
            ),
            "That is the distance. The square root is one step too many here.": lambda A, B: np.sqrt(
                _squared_distances(A, B)
            ),
            "The pixels lie along the last axis, 2. Axis 1 holds the rows of B.": lambda A, B: (
                (A[:, None, :].astype(float) - B) ** 2
            ).sum(axis=1),
            "Turned round: one row for each row of A, one column for each row of B.": lambda A, B: (
                _squared_distances(A, B).T
            ),
        },
        hint="A[:, None, :] has shape (N, 1, D); minus B it is (N, M, D). Square it, and sum over axis 2.",
    ),
    "01-03.3": Exercise(
        cases=[
            ((COUNTS,), COUNTS / [[10], [4], [4]]),
            ((np.array([[1, 3], [2, 2]]),), np.array([[0.25, 0.75], [0.5, 0.5]])),
        ],
        mistakes={
            "That is still the bug: the row of sums, (K,), is aligned at the right and divides the columns.": (
                lambda counts: counts / counts.sum(axis=1)
            ),
            "Now the columns add up to 1: of all that was read as p, how much was t. Rows are wanted.": (
                lambda counts: counts / counts.sum(axis=0)
            ),
            "Each row is to be divided by its own sum, not by the sum of the whole table.": (
                lambda counts: counts / counts.sum()
            ),
        },
        hint="The sums have to stand in a column, shape (K, 1), so that each meets its own row: keepdims=True.",
    ),
    "01-03.4": Exercise(
        cases=[((BARS,), np.array([1.0, 3.5])), ((SLOPE,), _ink_column(SLOPE))],
        mistakes={
            "Those are the rows: np.arange(W) aligned at the right meets the last axis, the columns.": (
                lambda pictures: _ink_column(pictures.transpose(0, 2, 1))
            ),
            "Divide by the ink of the picture, not by the number of its pixels.": lambda pictures: (
                pictures * np.arange(pictures.shape[2])
            ).mean(axis=(1, 2)),
            "One number for each picture: sum over the axes 1 and 2, and leave axis 0.": lambda pictures: (
                (pictures * np.arange(pictures.shape[2])).sum() / pictures.sum()
            ),
            "That is the darkest column. The mean column weighs all of them.": lambda pictures: pictures.sum(
                axis=1
            ).argmax(axis=1),
        },
        hint="pictures * np.arange(W) is (N, H, W). Sum over axes 1 and 2, and divide by the sum of the ink.",
    ),
}
