"""The exercises of 01-linear-algebra/01-vectors.ipynb."""

import numpy as np

from shared.exercises import Exercise

BYTES = np.array([0, 10, 200], dtype=np.uint8), np.array([10, 0, 100], dtype=np.uint8)
ROWS = np.array([[9.0, 9.0, 0.0], [0.0, 1.0, 1.0], [5.0, 0.0, 0.0]])

EXERCISES = {
    "01-01.1": Exercise(
        cases=[((), (1, 0, -1))],
        mistakes={
            "Those are the dot products. The cosine divides them by both lengths.": lambda: (10, 0, -2),
            "Those are the angles in degrees. The cosine of 0° is 1, of 90° it is 0.": lambda: (0, 90, 180),
            "Look at the direction of d once more: it points the other way.": lambda: (1, 0, 1),
        },
        hint="Draw the four arrows. Which point the same way as a, which stand at a right angle, which point back?",
    ),
    "01-01.2": Exercise(
        cases=[
            ((np.array([3.0, 4.0]), np.array([0.0, 0.0])), 5.0),
            ((np.array([1.0, 1.0, 1.0]), np.array([0.0, 2.0, 3.0])), np.sqrt(6)),
            (BYTES, np.sqrt(10200)),
        ],
        mistakes={
            "Bytes wrapped round: 0 - 10 is 246 in uint8. Convert to float before you subtract.": lambda a, b: (
                np.sqrt(np.sum((a - b).astype(float) ** 2))
            ),
            "That is the square of the distance. Take the root.": lambda a, b: np.sum(
                (a.astype(float) - b) ** 2
            ),
            "That adds up the steps along the axes. Pythagoras squares them first.": lambda a, b: np.sum(
                np.abs(a.astype(float) - b)
            ),
        },
        hint="Subtract, square, add up, take the root: np.sqrt(np.sum((a - b)**2)), and mind the bytes.",
    ),
    "01-01.3": Exercise(
        cases=[
            ((np.array([0.0, 1.0, 1.0]), ROWS), 1),
            ((np.array([2.0, 0.1, 0.0]), ROWS), 2),
            ((np.array([3.0, 3.0, 1.0]), ROWS), 0),
        ],
        mistakes={
            "A long row still wins by its length alone. (The length of x is the same for all rows.)": (
                lambda x, others: np.argmax(others @ x)
            ),
            "argmin looks for the row that is least alike; a large cosine means alike.": lambda x, others: (
                np.argmin(others @ x / np.linalg.norm(others, axis=1))
            ),
        },
        hint="Divide each row's dot product by the length of that row: np.linalg.norm(others, axis=1).",
    ),
    "01-01.4": Exercise(
        cases=[
            ((np.array([4.0, 3.0]), np.array([2.0, 0.0])), np.array([0.0, 3.0])),
            ((np.array([1.0, 2.0, 3.0]), np.array([1.0, 1.0, 1.0])), np.array([-1.0, 0.0, 1.0])),
        ],
        mistakes={
            "That is the shadow itself. What is left is b minus the shadow.": lambda b, a: (
                (a @ b) / (a @ a) * a
            ),
            "Divide by a @ a, not by the length of a: the arrow a brings its own length along.": lambda b, a: (
                b - (a @ b) / np.linalg.norm(a) * a
            ),
            "The other way round: the shadow falls onto a, so it is a multiple of a.": lambda b, a: (
                a - (a @ b) / (b @ b) * b
            ),
        },
        hint="The shadow of b on a is (a @ b) / (a @ a) * a. Take it away from b.",
    ),
}
