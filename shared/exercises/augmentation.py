"""The exercises of 04-image-data/03-augmentation.ipynb."""

import math

import numpy as np

from shared.exercises import Exercise

ROW = np.array([10.0, 30.0, 40.0])
CROSS = np.array(
    [
        [0.0, 0, 1, 0, 0],
        [0.0, 0, 2, 0, 0],
        [3.0, 4, 5, 6, 7],
        [0.0, 0, 8, 0, 0],
        [0.0, 0, 9, 0, 0],
    ]
)
LARGE = np.array(
    [
        [0.0, 2, 2, 2, 0],
        [4.0, 5, 5, 5, 6],
        [4.0, 5, 5, 5, 6],
        [4.0, 5, 5, 5, 6],
        [0.0, 8, 8, 8, 0],
    ]
)
LINES = np.array([[[1.0, 2, 3, 4]], [[5.0, 6, 7, 8]]])


def _between(row, x, left=None):
    """The row read at x, with 0 beyond its ends; `left` is the neighbour to the left when it is another one."""
    left = math.floor(x) if left is None else left
    a, b = (row[place] if 0 <= place < len(row) else 0.0 for place in (left, left + 1))
    return (1 - (x - left)) * a + (x - left) * b


def _zoom(image, where):
    """The picture whose row and column i are read at the rounded place where(i), with 0 beyond the edges."""
    large = np.zeros_like(image)
    for row, column in np.ndindex(image.shape):
        y, x = round(where(row)), round(where(column))
        if 0 <= y < len(image) and 0 <= x < len(image):
            large[row, column] = image[y, x]
    return large


def _shifted(images, dx):
    new = np.zeros_like(images)
    for picture, image, move in zip(new, images, dx, strict=True):
        for column in range(image.shape[1]):
            if 0 <= column - move < image.shape[1]:
                picture[:, column] = image[:, column - move]
    return new


EXERCISES = {
    "04-03.1": Exercise(
        cases=[((), [[2, 5], [-3, 0]])],
        mistakes={
            "That turns the other way: clockwise takes what lies above the middle to the right of it.": lambda: [
                [-2, 5],
                [3, 0],
            ],
            "The other way round: in (a) the point is turned first, while it is still at (0, -2).": lambda: [
                [-3, 0],
                [2, 5],
            ],
            "The two differ: a point that was moved first is turned together with its move.": lambda: [
                [2, 5],
                [2, 5],
            ],
            "y points down here, so a move down by 5 adds 5 to y.": lambda: [[2, -5], [7, 0]],
        },
        hint="A quarter turn clockwise takes (x, y) to (-y, x), about the middle, wherever the point is by then.",
    ),
    "04-03.2": Exercise(
        cases=[
            ((ROW, 1.25), 32.5),
            ((ROW, 0.5), 20.0),
            ((ROW, 2.0), 40.0),
            ((ROW, -0.25), 7.5),
            ((ROW, 2.75), 10.0),
            ((ROW, 7.5), 0.0),
        ],
        mistakes={
            "The weights are swapped: the nearer neighbour has to count more.": lambda row, x: _between(
                row, 2 * math.floor(x) + 1 - x
            ),
            "That takes the nearer neighbour alone. Mix the two.": lambda row, x: _between(
                row, math.floor(x + 0.5)
            ),
            "int(-0.25) is 0, and the neighbour to the left is -1: round down with math.floor.": lambda row, x: (
                _between(row, x, left=int(x))
            ),
            "Beyond the ends there is 0, not the last pixel: there, only one neighbour counts.": lambda row, x: (
                float(np.interp(x, range(len(row)), row))
            ),
        },
        hint="left = math.floor(x); what lies left and right of x, 0 where there is no pixel, weighted by 1 - fraction "
        "and fraction.",
    ),
    "04-03.3": Exercise(
        cases=[((CROSS, 3), LARGE), ((CROSS, 1), CROSS)],
        mistakes={
            "That is where the pixel goes, and makes the picture smaller. Where does it come from?": (
                lambda image, factor: _zoom(image, lambda i: 2 + factor * (i - 2))
            ),
            "That enlarges about the upper left corner. Count from the middle.": lambda image, factor: _zoom(
                image, lambda i: i / factor
            ),
            "The middle is (size - 1) / 2: of five pixels, counted from 0, number 2.": lambda image, factor: (
                _zoom(image, lambda i: 2.5 + (i - 2.5) / factor)
            ),
        },
        hint="Output pixel i comes from middle + (i - middle) / factor.",
    ),
    "04-03.4": Exercise(
        cases=[
            ((LINES, [1, -2]), np.array([[[0, 1, 2, 3]], [[7, 8, 0, 0]]])),
            ((LINES, [0, 3]), np.array([[[1, 2, 3, 4]], [[0, 0, 0, 5]]])),
        ],
        mistakes={
            "What leaves on one side comes in on the other. Ink that has left is gone; 0 comes in.": (
                lambda images, dx: np.stack(
                    [np.roll(image, move, axis=1) for image, move in zip(images, dx, strict=True)]
                )
            ),
            "All move like the first one. Each picture has a move of its own.": lambda images, dx: _shifted(
                images, [dx[0]] * len(images)
            ),
            "They move the wrong way: output column i comes from column i - dx.": lambda images, dx: _shifted(
                images, [-move for move in dx]
            ),
        },
        hint="For each picture: start from zeros, and copy the columns that stay inside.",
    ),
}
