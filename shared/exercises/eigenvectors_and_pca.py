"""The exercises of 01-linear-algebra/04-eigenvectors-and-pca.ipynb."""

import numpy as np

from shared.exercises import Exercise

# Points whose variances can be worked out by hand, moved away from the origin: 16 to 4, and 18 to 8 to 2.
KITE = np.array([[2.0, 2.0], [-2.0, -2.0], [1.0, -1.0], [-1.0, 1.0]]) + [5, 1]
STAR = np.concatenate([np.diag([3.0, 2.0, 1.0]), -np.diag([3.0, 2.0, 1.0])]) + [1, 7, 2]
CUBE_CORNER = np.array([[0.0, 1.0, 0.0], [0.6, 0.0, 0.8], [0.8, 0.0, -0.6]])
SYMMETRIC = np.array([[2.0, 1.0], [1.0, 2.0]])
DIAGONAL = np.diag([5.0, 3.0, 1.0])


def _step(matrix, first, vector, scale=np.linalg.norm):
    vector = matrix @ (vector - (vector @ first) * first)
    return vector / scale(vector)


def _share(x, k, power):
    s = np.linalg.svd(x, compute_uv=False) ** power
    return s[:k].sum() / s.sum()


EXERCISES = {
    "01-04.1": Exercise(
        cases=[((), (30, 1, 120, -1))],
        mistakes={
            "What stands at a right angle to the mirror comes back reversed: stretch -1.": lambda: (
                30,
                1,
                120,
                1,
            ),
            "A shadow would vanish there. A mirror image keeps its length.": lambda: (30, 1, 120, 0),
            "Swapped: an arrow that lies in the mirror stays as it is.": lambda: (120, 1, 30, -1),
            "The arrow at 60° is sent to 0°: turned, not only stretched.": lambda: (30, 1, 60, -1),
        },
        hint="Which arrow is its own mirror image, and which one comes back as its opposite?",
    ),
    "01-04.2": Exercise(
        cases=[
            (
                (SYMMETRIC, np.array([1.0, 1.0]) / np.sqrt(2), np.array([3.0, 1.0])),
                np.array([1, -1]) / np.sqrt(2),
            ),
            ((DIAGONAL, np.array([1.0, 0.0, 0.0]), np.array([7.0, 4.0, 5.0])), np.array([0, 12, 5]) / 13),
        ],
        mistakes={
            "The first direction is still in it: take the shadow on `first` away from `vector`.": lambda m, f, v: (
                m @ v / np.linalg.norm(m @ v)
            ),
            "The direction is right, the length is not 1: divide by it.": lambda m, f, v: (
                m @ (v - (v @ f) * f)
            ),
            "The length is the root of the sum of squares, not the sum or the largest number.": lambda m, f, v: (
                _step(m, f, v, scale=np.max)
            ),
            "That only took the shadow away. Now multiply by the matrix, then make the length 1.": lambda m, f, v: (
                (v - (v @ f) * f) / np.linalg.norm(v - (v @ f) * f)
            ),
        },
        hint="The shadow is (vector @ first) * first. Without it, times the matrix, divided by its length.",
    ),
    "01-04.3": Exercise(
        cases=[
            (
                (np.array([3.0, 4.0, 5.0]), np.array([1.0, 1.0, 1.0]), CUBE_CORNER, 1),
                np.array([1.0, 4.0, 1.0]),
            ),
            (
                (np.array([3.0, 4.0, 5.0]), np.array([1.0, 1.0, 1.0]), CUBE_CORNER, 2),
                np.array([3.64, 4.0, 4.52]),
            ),
            (
                (np.array([0.0, 0.0, 2.0]), np.array([1.0, 2.0, 0.0]), CUBE_CORNER, 3),
                np.array([0.0, 0.0, 2.0]),
            ),
        ],
        mistakes={
            "The mean is missing at the end: the numbers only say how x differs from it.": lambda x, m, c, k: (
                c[:k] @ (x - m) @ c[:k]
            ),
            "Take the mean away from x before you measure it along the components.": lambda x, m, c, k: (
                m + c[:k] @ x @ c[:k]
            ),
            "Those are the k numbers themselves. The components turn them back into a picture.": lambda x, m, c, k: (
                c[:k] @ (x - m)
            ),
            "Without the mean on both sides: subtract it first, add it last.": lambda x, m, c, k: (
                c[:k] @ x @ c[:k]
            ),
        },
        hint="numbers = components[:k] @ (x - mean), then mean + numbers @ components[:k].",
    ),
    "01-04.4": Exercise(
        cases=[((KITE, 1), 16 / 20), ((STAR, 1), 18 / 28), ((STAR, 2), 26 / 28), ((STAR, 3), 1.0)],
        mistakes={
            "Both bugs are still there: variance is measured from the mean, and it is a square.": lambda x, k: (
                _share(x, k, 1)
            ),
            "The mean is subtracted now. One bug is left: variances are the squares of s.": lambda x, k: (
                _share(x - x.mean(axis=0), k, 1)
            ),
            "The squares are right. One bug is left: the first direction of uncentred data is the mean.": lambda x, k: (
                _share(x, k, 2)
            ),
            "x.mean() is one number for the whole table; every column has its own: axis=0.": lambda x, k: (
                _share(x - x.mean(), k, 2)
            ),
        },
        hint="Subtract x.mean(axis=0), take the singular values, square them, divide the first k by all.",
    ),
}
