"""The exercises of 05-cnn/04-im2col.ipynb."""

import numpy as np

from shared.exercises import Exercise

SHAPE = (8, 3, 5, 7)
SEEN = np.array([[1.0, 4, 6, 3, 2], [-1, -2, 0, -1, 5], [10, 20, 30, 40, 50]])
WINDOWS = np.array([[1.0, 2, 3], [10, 20, 30], [100, 200, 300]])


def _place(*indices, sizes):
    place = 0
    for index, size in zip(indices, sizes, strict=True):
        place = place * size + index
    return place


def _added(grad_windows, size, stride, add=True):
    grad_x = np.zeros(size)
    for w, window in enumerate(grad_windows):
        pixels = slice(w * stride, w * stride + len(window))
        grad_x[pixels] = window + (grad_x[pixels] if add else 0)
    return grad_x


def _mean_of_copies(grad_windows, size, stride):
    copies = _added(np.ones_like(grad_windows), size, stride)
    return _added(grad_windows, size, stride) / np.maximum(copies, 1)


def _shifted(seen, stride, shift=1):
    L, W = seen.shape
    return np.array([sum(seen[j, w + shift * j] for j in range(L)) for w in range(0, W - L + 1, stride)])


EXERCISES = {
    "05-04.1": Exercise(
        cases=[((), (9, 25, 9 / 4))],
        mistakes={
            "With a stride of 2 there are fewer windows: half as many in each direction.": lambda: (9, 25, 9),
            "A stride of 2 halves the windows in each of two directions.": lambda: (9, 25, 9 / 2),
            "A kernel covers K times K pixels, not K.": lambda: (3, 5, 3 / 4),
        },
        hint="With this padding and stride 1 there is a window for each pixel, and each holds K² numbers.",
    ),
    "05-04.2": Exercise(
        cases=[
            ((1, 0, 0, 0, SHAPE), 1),
            ((0, 0, 0, 1, SHAPE), 8),
            ((5, 2, 3, 4, SHAPE), ((3 * 3 + 2) * 7 + 4) * 8 + 5),
        ],
        mistakes={
            "That is the order (N, C, H, W). Here the number of the image comes last.": lambda n, c, h, w, shape: (
                _place(n, c, h, w, sizes=shape)
            ),
            "That is the order (H, W, C, N): the channel comes before the column.": lambda n, c, h, w, shape: (
                _place(h, w, c, n, sizes=(shape[2], shape[3], shape[1], shape[0]))
            ),
            "One step along w passes N numbers, one along n passes one.": lambda n, c, h, w, shape: _place(
                h, c, n, w, sizes=(shape[2], shape[1], shape[0], shape[3])
            ),
        },
        hint="Before row h lie h whole rows of C W N numbers; go on with the channel, the column, the image.",
    ),
    "05-04.3": Exercise(
        cases=[
            ((WINDOWS, 9, 3), _added(WINDOWS, 9, 3)),
            ((WINDOWS, 5, 1), _added(WINDOWS, 5, 1)),
            ((WINDOWS, 8, 2), _added(WINDOWS, 8, 2)),
        ],
        mistakes={
            "A later window wipes out what an earlier one left: add.": lambda grad_windows, size, stride: (
                _added(grad_windows, size, stride, add=False)
            ),
            "A sum, not a mean: each copy of a pixel has moved the loss.": _mean_of_copies,
        },
        hint="A pixel gets the sum of the gradients of its copies.",
    ),
    "05-04.4": Exercise(
        cases=[
            ((SEEN[:2], 1), _shifted(SEEN[:2], 1)),
            ((SEEN, 1), _shifted(SEEN, 1)),
            ((SEEN, 2), _shifted(SEEN, 2)),
        ],
        mistakes={
            "Nothing is shifted: column j looks at pixel w + j.": lambda seen, stride: _shifted(
                seen, stride, shift=0
            ),
            "That is stride 1; leave out the outputs between.": lambda seen, stride: _shifted(seen, 1),
        },
        hint="Output w adds seen[j, w * stride + j] over all j, and there are W - L + 1 places for stride 1.",
    ),
}
