"""The exercises of 05-cnn/01-convolution.ipynb."""

import numpy as np

from shared.exercises import Exercise

X = np.arange(30.0).reshape(5, 6) ** 2
KERNEL = np.array([[1.0, 0.0], [-2.0, 1.0]])


def _strided(x, kernel, stride, step=None):
    K, step = len(kernel), stride if step is None else step
    rows, columns = ((size - K) // stride + 1 for size in x.shape)
    windows = np.lib.stride_tricks.sliding_window_view(x, (K, K))
    return np.array(
        [[(windows[i * step, j * step] * kernel).sum() for j in range(columns)] for i in range(rows)]
    )


def _one_at(row, column):
    kernel = np.zeros((3, 3))
    kernel[row, column] = 1
    return kernel


EXERCISES = {
    "05-01.1": Exercise(
        cases=[((), (28, 14, 10, 5))],
        mistakes={
            "Without padding, a kernel of 5 has 32 - 5 + 1 places to stand.": lambda: (32, 16, 16, 8),
            "32 - 5 is one too few: the first place counts as well.": lambda: (27, 13, 8, 4),
            "Pooling halves the width; its windows lie side by side.": lambda: (28, 27, 23, 22),
        },
        hint="A kernel of K takes K - 1 away; pooling of 2 halves.",
    ),
    "05-01.2": Exercise(
        cases=[((), _one_at(1, 2))],
        mistakes={
            "That moves the picture to the right: each place takes its left neighbour.": lambda: _one_at(
                1, 0
            ),
            "That leaves the picture as it is.": lambda: _one_at(1, 1),
            "That takes the pixel from below: the first axis is the row.": lambda: _one_at(2, 1),
        },
        hint="Which of the nine pixels under the kernel should the new number be? Put the 1 there.",
    ),
    "05-01.3": Exercise(
        cases=[
            ((X, KERNEL, 2), _strided(X, KERNEL, 2)),
            ((X, KERNEL, 1), _strided(X, KERNEL, 1)),
            ((X, np.ones((3, 3)), 3), _strided(X, np.ones((3, 3)), 3)),
        ],
        mistakes={
            "Window (i, j) begins at row i * stride and column j * stride.": lambda x, kernel, stride: (
                _strided(x, kernel, stride, step=1)
            ),
            "That is every window; with a stride only every stride-th counts.": lambda x, kernel, stride: (
                _strided(x, kernel, 1)
            ),
        },
        hint="The windows begin at 0, stride, 2 stride …, as long as they fit.",
    ),
}
