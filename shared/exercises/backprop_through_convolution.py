"""The exercises of 05-cnn/03-backprop-through-convolution.ipynb."""

from shared.exercises import Exercise

ROWS = [[1, 5, 2, 7], [3, 4, 8, 7], [6, 0, 4, 4], [6, 2, 4, 4]]


def _pool_backward(rows, grad, last=False, all_of_them=False, shared=False):
    result = [[0] * len(rows[0]) for _ in rows]
    for i, blames in enumerate(grad):
        for j, blame in enumerate(blames):
            places = [(2 * i + a, 2 * j + b) for a in (0, 1) for b in (0, 1)]
            largest = max(rows[r][c] for r, c in places)
            winners = [(r, c) for r, c in places if rows[r][c] == largest]
            chosen = winners if all_of_them or shared else winners[-1:] if last else winners[:1]
            for r, c in chosen:
                result[r][c] += blame / len(chosen) if shared else blame
    return result


def _blame(x, kernel, grad_y, overwrites=False, turned=False):
    kernel, result = kernel[::-1] if turned else kernel, [0.0] * len(x)
    for i, blame in enumerate(grad_y):
        for d, weight in enumerate(kernel):
            result[i + d] = blame * weight + (0 if overwrites else result[i + d])
    return result


EXERCISES = {
    "05-03.1": Exercise(
        cases=[((5, 3, 2, 2), 9), ((5, 3, 0, 0), 1), ((5, 3, 0, 2), 3), ((5, 3, 4, 1), 2), ((4, 2, 1, 3), 2)],
        mistakes={
            "That holds in the middle. Near an edge the kernel can't stand on all sides of the pixel.": (
                lambda size, kernel, row, column: kernel * kernel
            ),
            "The far edges cut off windows too: the last one begins at size - kernel.": (
                lambda size, kernel, row, column: min(kernel, row + 1) * min(kernel, column + 1)
            ),
            "Rows and columns are counted apart, and then multiplied.": lambda size, kernel, row, column: sum(
                sum(0 <= at - d <= size - kernel for d in range(kernel)) for at in (row, column)
            ),
        },
        hint="In one direction: how many corners from 0 to size - kernel have the pixel in their window?",
    ),
    "05-03.2": Exercise(
        cases=[
            ((ROWS, [[10, 20], [30, 40]]), [[0, 10, 0, 0], [0, 0, 20, 0], [30, 0, 40, 0], [0, 0, 0, 0]]),
            (([[-1, -2], [-3, -4]], [[5]]), [[5, 0], [0, 0]]),
        ],
        mistakes={
            "Only one of equal numbers gets the blame, or there would be more of it than came in.": (
                lambda rows, grad: _pool_backward(rows, grad, all_of_them=True)
            ),
            "Among equal numbers the first one takes it, in reading order.": lambda rows, grad: (
                _pool_backward(rows, grad, last=True)
            ),
            "Equal numbers don't share: the first one takes all of it.": lambda rows, grad: _pool_backward(
                rows, grad, shared=True
            ),
        },
        hint="Begin with zeros. For each window, find where its largest number stands; its blame goes there.",
    ),
    "05-03.3": Exercise(
        cases=[
            (([0.0, 0.0, 0.0, 0.0], [1.0, 2.0], [1.0, 10.0, 100.0]), [1.0, 12.0, 120.0, 200.0]),
            (([5.0, 6.0, 7.0], [3.0, -1.0, 4.0], [2.0]), [6.0, -2.0, 8.0]),
        ],
        mistakes={
            "A number that stands in two windows is blamed by both: add, do not overwrite.": (
                lambda x, kernel, grad_y: _blame(x, kernel, grad_y, overwrites=True)
            ),
            "x[i + d] met kernel[d]: the kernel lies as it lay on the way forward.": lambda x, kernel, grad_y: (
                _blame(x, kernel, grad_y, turned=True)
            ),
        },
        hint="Start from zeros; each y[i] adds its blame times kernel[d] to the blame of x[i + d].",
    ),
}
