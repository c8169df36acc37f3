"""The exercises of 05-cnn/02-finite-difference-cnn.ipynb."""

import math

from shared.exercises import Exercise

ROWS = [[1, 5, 2, 0, 9], [3, 4, 8, 7, 9], [6, 0, 1, 2, 9], [2, 2, 3, 4, 9]]


def _pool(rows, size, stride, pick=max):
    rest = [range(0, length - size + 1, stride) for length in (len(rows), len(rows[0]))]
    window = range(size)
    return [[pick(rows[i + a][j + b] for a in window for b in window) for j in rest[1]] for i in rest[0]]


def _slopes(name, w, h, forgets=False, divides=True):
    f, w, result = {"sum": sum, "product": math.prod}[name], [*w], []
    before = f(w)
    for k in range(len(w)):
        moved = w if forgets else [*w]
        moved[k] += h
        result.append((f(moved) - before) / (h if divides else 1))
    return result


EXERCISES = {
    "05-02.1": Exercise(
        cases=[((2, 1), 1739), ((4, 8), 4 * 10 + 8 * 37 + 13520 + 10), ((1, 1), 10 + 10 + 1700)],
        mistakes={
            "A kernel of Conv2 is as deep as Conv1 has maps: first × 3 × 3 numbers.": lambda first, second: (
                first * 10 + second * 10 + second * 1690 + 10
            ),
            "Each kernel has a bias, and so has each class.": lambda first, second: (
                first * 9 + second * first * 9 + second * 1690
            ),
            "The last layer sees every map of Conv2, 169 numbers of each.": lambda first, second: (
                first * 10 + second * (first * 9 + 1) + 1700
            ),
        },
        hint="first kernels of 9 and a bias, second of first × 9 and a bias, then 169 × second inputs to 10 sums.",
    ),
    "05-02.2": Exercise(
        cases=[
            ((ROWS, 2), [[5, 8], [6, 4]]),
            ((ROWS, 3), [[8]]),
            ((ROWS, 1), ROWS),
            (([[-1, -2], [-3, -4]], 2), [[-1]]),
        ],
        mistakes={
            "Your windows overlap: the next one begins size pixels further on.": lambda rows, size: _pool(
                rows, size, 1
            ),
            "A window that hangs over the edge is dropped.": lambda rows, size: [
                [
                    max(x for row in rows[i : i + size] for x in row[j : j + size])
                    for j in range(0, len(rows[0]), size)
                ]
                for i in range(0, len(rows), size)
            ],
            "Start from the numbers in the window: where all are negative, 0 is not the largest.": lambda rows, size: [
                [max(0, x) for x in row] for row in _pool(rows, size, size)
            ],
        },
        hint="Two loops over the corners of the windows, 0, size, 2 size …; the largest of size × size numbers.",
    ),
    "05-02.3": Exercise(
        cases=[
            (("sum", [1.0, 2.0, 3.0], 0.5), [1.0, 1.0, 1.0]),
            (("product", [1.0, 2.0, 3.0], 0.5), [6.0, 3.0, 2.0]),
            (("product", [4.0], 0.25), [1.0]),
        ],
        mistakes={
            "The weight is not put back, so the next slope is measured from another place.": lambda name, w, h: (
                _slopes(name, w, h, forgets=True)
            ),
            "That is how much the loss changed; the slope is that divided by h.": lambda name, w, h: _slopes(
                name, w, h, divides=False
            ),
        },
        hint="Change one weight, measure, and put it back, or change a copy.",
    ),
}
