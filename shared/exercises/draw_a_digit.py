"""The exercises of 04-image-data/06-draw-a-digit.ipynb."""

import numpy as np

from shared.exercises import Exercise

GREY = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 10.0], [0.0, 1.0, 2.0]])
SUMS = np.pad(GREY.cumsum(axis=0).cumsum(axis=1), ((1, 0), (1, 0)))
SPECKS = np.array([[1, 1, 0, 0], [0, 0, 0, 0], [0, 0, 1, 1], [1, 0, 0, 1]]) == 1
DIAGONAL = np.eye(4) == 1


def _fitted(height, width, box=20):
    scale = box / max(height, width)
    return round(height * scale), round(width * scale)


def _patches(mask, neighbours):
    seen, count = set(), 0
    for start in map(tuple, np.argwhere(mask).tolist()):
        count += start not in seen
        waiting = [start]
        while waiting:
            row, column = place = waiting.pop()
            inside = 0 <= row < mask.shape[0] and 0 <= column < mask.shape[1]
            if place in seen or not inside or not mask[place]:
                continue
            seen.add(place)
            waiting += [(row + down, column + right) for down, right in neighbours]
    return count


SIDES = [(0, 1), (1, 0), (0, -1), (-1, 0)]
CORNERS = [(1, 1), (1, -1), (-1, 1), (-1, -1)]

EXERCISES = {
    "04-06.1": Exercise(
        cases=[((), (9, 0))],
        mistakes={
            "The middle of 28 is pixel 14 in MNIST, not 13.": lambda: (8, -1),
            "Rows come first: the first number is the way down.": lambda: (0, 9),
            "That is the way from the middle to the digit; the digit has to go the other way.": lambda: (
                -9,
                0,
            ),
            "MNIST's pictures are 28 pixels wide, and their middle is 14. The 10 is the middle of the box of 20.": (
                lambda: (5, -4)
            ),
        },
        hint="The centre of mass has to come to row 14 and column 14: subtract where it is now.",
    ),
    "04-06.2": Exercise(
        cases=[((80, 40), (20, 10)), ((33, 100), (7, 20)), ((10, 10), (20, 20)), ((57, 41), (20, 14))],
        mistakes={
            "Both sides became 20: a 1 would become a block. The proportions have to stay.": lambda h, w: (
                20,
                20,
            ),
            "The box is 20 x 20. The picture of 28 x 28 is for after that, with its margin.": lambda h, w: (
                _fitted(h, w, 28)
            ),
            "That fits the shorter side, and the longer one leaves the box.": lambda h, w: (
                round(h * 20 / min(h, w)),
                round(w * 20 / min(h, w)),
            ),
            "What is smaller than the box has to grow: MNIST's digits all have the same size.": lambda h, w: (
                _fitted(h, w) if max(h, w) > 20 else (h, w)
            ),
        },
        hint="One factor for both sides: 20 / max(height, width). Then round.",
    ),
    "04-06.3": Exercise(
        cases=[
            ((SUMS, 0, 0, 2, 2), 12.0),
            ((SUMS, 1, 1, 3, 3), 29.0),
            ((SUMS, 2, 0, 4, 3), 28.0),
            ((SUMS, 0, 2, 4, 3), 21.0),
        ],
        mistakes={
            "The corner above and left was taken away twice: give it back once.": lambda s, top, left, end, right: (
                s[end, right] - s[top, right] - s[end, left]
            ),
            "What lies left of the rectangle is still in it.": lambda s, top, left, end, right: (
                s[end, right] - s[top, right]
            ),
            "That corner is given back, not taken away a third time.": lambda s, top, left, end, right: (
                s[end, right] - s[top, right] - s[end, left] - s[top, left]
            ),
        },
        hint="All down to the corner, less what is above, less what is left of it, plus what was taken away twice.",
    ),
    "04-06.4": Exercise(
        cases=[
            ((SPECKS,), 3),
            ((DIAGONAL,), 1),
            ((np.zeros((2, 3), bool),), 0),
            ((np.ones((3, 2), bool),), 1),
        ],
        mistakes={
            "Pixels that touch at a corner belong together: a thin slanted line would fall to pieces.": lambda mask: (
                _patches(mask, SIDES)
            ),
            "Sides count as well as corners.": lambda mask: _patches(mask, CORNERS),
            "That counts the pixels of ink.": lambda mask: int(mask.sum()),
            "That counts rows with ink.": lambda mask: int(mask.any(axis=1).sum()),
        },
        hint="Take a pixel of ink that has no number, give its whole patch one number, and count how often you start.",
    ),
}
