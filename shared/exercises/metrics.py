"""The exercises of 04-image-data/04-metrics.ipynb."""

import numpy as np

from shared.exercises import Exercise

MATRIX = np.array([[8, 2, 0], [1, 4, 0], [2, 0, 3]])
WITHOUT_A_CLASS = np.array([[3, 0, 1], [0, 0, 0], [0, 2, 2]])

TRUTH = np.array([True, True, False, True, False, True, False, False])
SCORE = np.array([0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.4, 0.2])
ALL_EQUAL = np.full(5, 0.5)
NINES_FIRST = np.array([True, True, False, False, False])


def _walk(truth, score, nines_first):
    """The count down the list, where of equal scores the nines stand first, or last."""
    order = np.lexsort([truth != nines_first, -score])
    return np.sum(np.cumsum(truth[order])[~truth[order]]) / (truth.sum() * (~truth).sum())


def _order_of_the_file(truth, score):
    truth = truth[np.argsort(-score, kind="stable")]
    return np.sum(np.cumsum(truth)[~truth]) / (truth.sum() * (~truth).sum())


EXERCISES = {
    "04-04.1": Exercise(
        cases=[((), (0.986, 0.4, 0.8, 16 / 30))],
        mistakes={
            "Precision and recall have changed places: of 20 alarms 8 are nines, of 10 nines 8 are found.": lambda: (
                0.986,
                0.8,
                0.4,
                16 / 30,
            ),
            "F1 is the harmonic mean, 2 / (1/precision + 1/recall); that is the plain one.": lambda: (
                0.986,
                0.4,
                0.8,
                0.6,
            ),
            "Both kinds of mistakes count against the accuracy: 12 false alarms and 2 missed nines.": lambda: (
                0.988,
                0.4,
                0.8,
                16 / 30,
            ),
        },
        hint="Write down the four counts first: TP 8, FP 12, FN 2, TN 978.",
    ),
    "04-04.2": Exercise(
        cases=[((MATRIX,), (0.8 + 0.8 + 0.6) / 3), ((WITHOUT_A_CLASS,), (0.75 + 0 + 0.5) / 3)],
        mistakes={
            "That divides by the columns, what was called so: it is the macro precision.": lambda matrix: (
                np.mean(np.diagonal(matrix) / np.maximum(matrix.sum(axis=0), 1))
            ),
            "That is the accuracy, where each digit counts the same. Here each class should.": lambda matrix: (
                np.trace(matrix) / matrix.sum()
            ),
            "A class that does not occur gives 0 / 0. It counts 0, and it counts in the mean.": lambda matrix: (
                np.mean([row[place] / row.sum() for place, row in enumerate(matrix) if row.any()])
            ),
        },
        hint="The diagonal over the sums of the rows, and the mean of that.",
    ),
    "04-04.3": Exercise(
        cases=[
            ((TRUTH, SCORE), 12.5 / 16),
            ((NINES_FIRST, ALL_EQUAL), 0.5),
            ((~NINES_FIRST, ALL_EQUAL), 0.5),
        ],
        mistakes={
            "A tie counts as won. All scores equal gives 1: a detector that knows nothing would be perfect.": (
                lambda truth, score: _walk(truth, score, True)
            ),
            "A tie counts as lost. It should count half.": lambda truth, score: _walk(truth, score, False),
            "Among equal scores the order of the file decides. A tie counts half, whoever stands first.": (
                _order_of_the_file
            ),
        },
        hint="Each pair of a nine and another digit: 1 if the nine is higher, 1/2 if they are equal; then the mean.",
    ),
    "04-04.4": Exercise(
        cases=[((1001, 0.9, 0.001), 0.9 / 1.9), ((2, 0.5, 0.5), 0.5), ((10_001, 1.0, 0.01), 1 / 101)],
        mistakes={
            "That is for as many places with a face as without. Here there is one among many.": (
                lambda places, tpr, fpr: tpr / (tpr + fpr)
            ),
            "The place with the face can't be a false alarm: places - 1 are left.": (
                lambda places, tpr, fpr: tpr / (tpr + places * fpr)
            ),
            "That is the recall: the share of the faces that is found.": lambda places, tpr, fpr: tpr,
        },
        hint="Expected: tpr faces found, and (places - 1) * fpr false alarms.",
    ),
}
