"""The exercises of 05-cnn/07-image-classification.ipynb."""

import numpy as np

from shared.exercises import Exercise

# Three networks, four pictures, two or three classes: votes, mean logits and mean probabilities disagree.
LOGITS = np.log(
    np.array(
        [
            [[0.52, 0.47, 0.01], [0.98, 0.01, 0.01], [0.2, 0.3, 0.5], [0.5, 0.49, 0.01]],
            [[0.55, 0.44, 0.01], [0.3, 0.69, 0.01], [0.6, 0.3, 0.1], [0.5, 0.49, 0.01]],
            [[0.05, 0.94, 0.01], [0.0005, 0.9, 0.0995], [0.1, 0.3, 0.6], [0.0001, 0.2, 0.7999]],
        ]
    )
)
SURE = np.array([[[9.0, 0.0], [0.0, 30.0]], [[0.0, 2.0], [1.0, 0.0]], [[0.0, 2.0], [1.0, 0.0]]])
COUNTS = np.array([[8, 2, 0], [4, 16, 20], [0, 2, 8]])
PAIR = np.array([[9, 1], [3, 3]])


def _softmax(logits, axis=2):
    likely = np.exp(logits - logits.max(axis=axis, keepdims=True))
    return likely / likely.sum(axis=axis, keepdims=True)


def _vote(logits):
    return np.array([np.bincount(column).argmax() for column in logits.argmax(axis=2).T])


EXERCISES = {
    "05-07.1": Exercise(
        cases=[((), (15 * 313, 0.008))],
        mistakes={
            "312 full batches are 39,936 pictures. The other 64 make a smaller batch of their own.": lambda: (
                15 * 312,
                0.008,
            ),
            "Those are the steps of one epoch.": lambda: (313, 0.008),
            "The cycle does not start at nothing: look at a for the way up.": lambda: (15 * 313, 0.0),
            "That is the peak, a quarter of the way on.": lambda: (15 * 313, 0.2),
            "That is the run with all 50,000 pictures.": lambda: (15 * 391, 0.008),
        },
        hint="Batches of 128 in 40,000, rounded up, times the epochs; and a 25th of the peak.",
    ),
    "05-07.2": Exercise(
        cases=[((LOGITS,), np.array([1, 1, 2, 1])), ((SURE,), np.array([1, 1]))],
        mistakes={
            "That is the mean of the logits: one network with large numbers shouts down the others.": lambda x: (
                x.mean(axis=0).argmax(axis=1)
            ),
            "That is a vote: it forgets how sure each network was.": _vote,
            "That follows whichever network is surest of all; the mean listens to every one.": lambda x: (
                _softmax(x).max(axis=0).argmax(axis=1)
            ),
            "The softmax goes over the classes, the last axis.": lambda x: (
                _softmax(x, axis=1).mean(axis=0).argmax(axis=1)
            ),
        },
        hint="Softmax over the last axis, the mean over the first, then the largest of each row.",
    ),
    "05-07.3": Exercise(
        cases=[((COUNTS,), np.array([0.8, 0.4, 0.8])), ((PAIR,), np.array([0.9, 0.5]))],
        mistakes={
            "That is the precision: of all that were called cat, the share that are cats.": lambda counts: (
                np.diag(counts) / counts.sum(axis=0)
            ),
            "Each class is compared with all pictures here; take its own row.": lambda counts: (
                np.diag(counts) / counts.sum()
            ),
            "Those are the shares that were missed.": lambda counts: 1 - np.diag(counts) / counts.sum(axis=1),
        },
        hint="The pictures of a class stand in its row, wherever they were put.",
    ),
}
