"""The exercises of 03-backpropagation/08-depth-and-width.ipynb."""

import math

import numpy as np

from shared.exercises import Exercise

EVEN, UNEVEN = np.array([0.0, 1.0, 2.0]), np.array([0.0, 1.0, 3.0, 4.0])


def _slopes(knots, values):
    return np.diff(values) / np.diff(knots)


EXERCISES = {
    "03-08.1": Exercise(
        cases=[((), (11, 1331, 8))],
        mistakes={
            "n kinks cut the line into n + 1 pieces, as three cuts make four slices.": lambda: (10, 1000, 8),
            "Layers multiply: each piece can fall into n + 1 in a layer of n.": lambda: (11, 31, 8),
            "That is what three layers of two are allowed. A tent makes two of one.": lambda: (11, 1331, 27),
            "Each fold doubles the pieces; they don't add up.": lambda: (11, 1331, 6),
        },
        hint="One layer: kinks + 1. Layers behind each other: the product of these. The tent: two for one.",
    ),
    "03-08.2": Exercise(
        cases=[((8.0, 1.0, 0.25), 2), ((2.0, 3.0, 0.25), 3), ((1.0, 2 * math.pi, 0.001), 71)],
        mistakes={
            "Rounded down, there is one bump too few: the promise needs the next whole number.": (
                lambda curvature, length, error: math.floor(length * math.sqrt(curvature / (8 * error)))
            ),
            "The error goes with h squared, so a root is taken in the end.": lambda curvature, length, error: (
                math.ceil(length * curvature / (8 * error))
            ),
            "That is the rule for functions with corners, L h / 2. The smooth one is curvature * h**2 / 8.": (
                lambda curvature, length, error: math.ceil(length * curvature / (2 * error))
            ),
            "Don't forget the 8 of the bound.": lambda curvature, length, error: math.ceil(
                length * math.sqrt(curvature / error)
            ),
        },
        hint="curvature * (length / n)**2 / 8 <= error. Bring n to one side.",
    ),
    "03-08.3": Exercise(
        cases=[
            ((EVEN, np.array([0.0, 1.0, 0.0])), np.array([1.0, -2.0])),
            ((UNEVEN, np.array([2.0, 3.0, 3.0, 1.0])), np.array([1.0, -1.0, -2.0])),
            ((UNEVEN, np.array([0.0, 2.0, 6.0, 8.0])), np.array([2.0, 0.0, 0.0])),
        ],
        mistakes={
            "Those are the slopes. A unit stays active, so the next one adds only the change of slope.": _slopes,
            "The knots are not all one apart: divide each rise by the width of its stretch.": lambda knots, values: (
                np.diff(np.diff(values), prepend=0)
            ),
            "The first unit is missing: before the first knot the slope is 0, so it changes there as well.": (
                lambda knots, values: np.diff(_slopes(knots, values))
            ),
        },
        hint="Slopes first: rise over width. Then each weight is a slope minus the one before it.",
    ),
    "03-08.4": Exercise(
        cases=[
            ((np.array([0.0, 1.0, 2.0, 4.0, 6.0, 5.0]),), 3),
            ((np.array([0.0, 1.0, 0.0, 1.0, 0.0]),), 4),
            ((np.array([0.0, 0.0, 0.0, 1.0, 1.0]),), 3),
            ((np.array([0.0, 0.1, 0.2, 0.3, 0.4]),), 1),
        ],
        mistakes={
            "It still counts turns. A piece also ends where the curve rises on, but more steeply.": lambda heights: (
                1 + np.sum(np.diff(np.diff(heights) > 0))
            ),
            "That counts different slopes. A slope that comes again after another one is a new piece.": (
                lambda heights: len(np.unique(np.round(np.diff(heights), 9)))
            ),
            "Those are the kinks. Three kinks make four pieces.": lambda heights: np.sum(
                ~np.isclose(np.diff(heights)[1:], np.diff(heights)[:-1])
            ),
            "Rounding makes equal slopes differ in their last digits: compare with a tolerance.": lambda heights: (
                1 + np.sum(np.diff(heights)[1:] != np.diff(heights)[:-1])
            ),
        },
        hint="Compare each slope with the one before it; 1 plus the number of changes.",
    ),
}
