"""The exercises of 05-cnn/10-how-fast.ipynb."""

import numpy as np

from shared.exercises import Exercise

FORWARD = 2 * 64 * 32 * 14 * 14 * 16 * 9
CALM = [1.0, 1.0, 1.0, 1.0, 1.0], [2.0, 2.0, 2.0, 2.0, 2.0]
INTERRUPTED = [1.0, 9.0, 1.0, 1.0, 1.0], [2.0, 2.0, 2.0, 18.0, 2.0]
DRIFTING = [1.0, 1.1, 3.0, 5.0, 8.0], [1.0, 1.1, 3.0, 5.0, 8.4]


EXERCISES = {
    "05-10.1": Exercise(
        cases=[((), (FORWARD, 3 * FORWARD))],
        mistakes={
            "That counts multiplications alone; each comes with an addition.": lambda: (
                FORWARD // 2,
                3 * FORWARD // 2,
            ),
            "Backward has two products: the gradient of the weight, and that of the input.": lambda: (
                FORWARD,
                2 * FORWARD,
            ),
            "That is for one image; the batch has 64.": lambda: (FORWARD // 64, 3 * FORWARD // 64),
            "Each of the 16 input channels has its own 3 x 3 weights in every kernel.": lambda: (
                FORWARD // 16,
                3 * FORWARD // 16,
            ),
        },
        hint="2 N F H' W' C K K forward; backward has two products of that size, since the layer is not the first.",
    ),
    "05-10.2": Exercise(
        cases=[
            ((8e9, 1e9, 4e9, 2e9), 2.0),
            ((1e9, 8e9, 4e9, 2e9), 4.0),
            ((1e9, 0.0, 4e9, 2e9), 0.25),
        ],
        mistakes={
            "Both go on at the same time, so they are not added.": lambda flops, moved, peak, bandwidth: (
                flops / peak + moved / bandwidth
            ),
            "It has to wait for the slower of the two.": lambda flops, moved, peak, bandwidth: min(
                flops / peak, moved / bandwidth
            ),
            "That is a speed, in flops per second; divide the flops by it.": lambda flops, moved, peak, bandwidth: (
                min(peak, flops / moved * bandwidth) if moved else peak
            ),
        },
        hint="flops / peak seconds for computing, moved / bandwidth seconds for moving; the longer one decides.",
    ),
    "05-10.3": Exercise(
        cases=[(CALM, 0.5), (INTERRUPTED, 0.5), (DRIFTING, 1.0)],
        mistakes={
            "The least of one side and the mean of the other are different questions.": lambda here, there: (
                min(here) / np.mean(there)
            ),
            "A mean follows every interruption: take the median.": lambda here, there: (
                np.mean(here) / np.mean(there)
            ),
            "The mean of the ratios still follows one bad round: take their median.": lambda here, there: (
                np.mean(np.divide(here, there))
            ),
            "That is theirs by ours.": lambda here, there: np.median(np.divide(there, here)),
        },
        hint="Divide within each round, where both sides had the same weather, then take the median.",
    ),
}
