"""The exercises of 03-backpropagation/07-regularisation.ipynb."""

import numpy as np

from shared.exercises import Exercise

WEIGHT, GRAD = np.array([2.0, -1.0, 0.5]), np.array([0.3, 0.0, -0.2])


def _first_rise(losses, patience):
    for epoch in range(1, len(losses)):
        if losses[epoch] > losses[epoch - 1]:
            return epoch
    return len(losses) - 1


def _last_seen(losses, patience):
    best = 0
    for epoch in range(len(losses)):
        if losses[epoch] < losses[best]:
            best = epoch
        elif epoch - best >= patience:
            return epoch
    return len(losses) - 1


EXERCISES = {
    "03-07.1": Exercise(
        cases=[
            ((WEIGHT, GRAD, 0.1, 0.5), np.array([1.87, -0.95, 0.495])),
            ((WEIGHT, GRAD, 1.0, 0.0), WEIGHT - GRAD),
        ],
        mistakes={
            "The penalty pulls towards 0: its gradient is strength * weight, and the whole gradient is subtracted.": (
                lambda weight, grad, lr, strength: weight - lr * (grad - strength * weight)
            ),
            "That is L1: sign(weight) pulls all weights alike. L2 pulls by strength * weight.": (
                lambda weight, grad, lr, strength: weight - lr * (grad + strength * np.sign(weight))
            ),
            "The penalty is strength / 2 * weight², so that its gradient is strength * weight, without the 2.": (
                lambda weight, grad, lr, strength: weight - lr * (grad + 2 * strength * weight)
            ),
        },
        hint="New weight = weight - lr * (gradient of the loss + gradient of the penalty).",
    ),
    "03-07.2": Exercise(
        cases=[((), (0, 15, 3))],
        mistakes={
            "Those that stay are scaled by 1 / (1 - p), so that the mean stays 3.": lambda: (0, 3, 0.6),
            "p is the share that is dropped: one in five stays, and is scaled by 5.": lambda: (0, 3.75, 3),
        },
        hint="A number is dropped with probability p, else divided by 1 - p. What is the mean of the two?",
    ),
    "03-07.3": Exercise(
        cases=[
            (([5.0, 4.0, 4.5, 3.0, 3.5, 3.4, 2.0], 2), 3),
            (([5.0, 4.0, 4.5, 4.6, 3.0], 3), 4),
            (([3.0, 2.0, 1.0], 1), 2),
            (([1.0, 2.0, 3.0], 1), 0),
        ],
        mistakes={
            "It still stops at the first epoch that is worse than the one before.": _first_rise,
            "That is the epoch at which it stopped. Go back to the best one.": _last_seen,
            "That is the best of all epochs, also of those after stopping, which nobody would have seen.": (
                lambda losses, patience: int(np.argmin(losses))
            ),
        },
        hint="Keep the index of the best epoch so far; stop when it lies `patience` epochs back.",
    ),
}
