"""The exercises of 04-image-data/02-preparing-data.ipynb."""

import math

import numpy as np

from shared.exercises import Exercise

TRAIN = np.array([[0.0, 10.0, 5.0], [2.0, 30.0, 5.0]])  # mean 1, 20, 5; standard deviation 1, 10, 0
NEW = np.array([[3.0, 0.0, 7.0], [1.0, 20.0, 5.0], [5.0, 10.0, 6.0]])
PEOPLE = np.array([2, 0, 1, 3, 0, 2, 3, 1])


def _standardised(by, new):
    std = by.std(axis=0)
    return (new - by.mean(axis=0)) / np.where(std > 0, std, 1)


def _without_a_guard(train, new):
    with np.errstate(all="ignore"):
        return (new - train.mean(axis=0)) / train.std(axis=0)


def _sample_std(train, new):
    std = train.std(axis=0, ddof=1)
    return (new - train.mean(axis=0)) / np.where(std > 0, std, 1)


EXERCISES = {
    "04-02.1": Exercise(
        cases=[((), (469, 96, 468))],
        mistakes={
            "60,000 / 128 is 468.75: the three quarters of a batch are a batch too.": lambda: (468, 96, 468),
            "The last batch is what is left over: 60,000 - 468 * 128.": lambda: (469, 128, 468),
            "drop_last leaves out the batch that is smaller than the others.": lambda: (469, 96, 469),
            "Look at the order: batches, examples in the last one, batches with drop_last.": lambda: (
                468,
                96,
                469,
            ),
        },
        hint="Divide with remainder: 60,000 = 468 * 128 + 96.",
    ),
    "04-02.2": Exercise(
        cases=[
            ((TRAIN, NEW), np.array([[2.0, -2.0, 2.0], [0.0, 0.0, 0.0], [4.0, -1.0, 1.0]])),
            ((TRAIN, NEW[:1]), np.array([[2.0, -2.0, 2.0]])),
        ],
        mistakes={
            "That takes the mean and the spread of the new examples. A single new one would always become 0.": (
                lambda train, new: _standardised(new, new)
            ),
            "The new examples helped to compute the mean and the spread: that is the leak.": (
                lambda train, new: _standardised(np.concatenate([train, new]), new)
            ),
            "A column that never changes has the standard deviation 0: divide it by 1.": _without_a_guard,
            "np.std divides by N, and so does Normalize: leave ddof out.": _sample_std,
        },
        hint="Mean and standard deviation of each column come from train alone; divide by 1 where the latter is 0.",
    ),
    "04-02.3": Exercise(
        cases=[
            ((PEOPLE, 0.5), np.isin(PEOPLE, [0, 1])),
            ((PEOPLE, 0.25), PEOPLE == 0),
            ((np.array([7, 3, 3, 9]), 2 / 3), np.array([True, True, True, False])),
        ],
        mistakes={
            "That cuts the list of photographs: one person can be in both parts.": lambda people, share: (
                np.arange(len(people)) < share * len(people)
            ),
            "Sorting the photographs first doesn't help where the cut falls inside a person, and the rows are lost.": (
                lambda people, share: np.arange(len(people)) < round(share * len(np.unique(people)))
            ),
            "The numbers of the people need not begin with 0: count the different ones.": lambda people, share: (
                people < share * (people.max() + 1)
            ),
            "Those are the people of the test: turn the mask round.": lambda people, share: (
                ~np.isin(people, np.unique(people)[: round(share * len(np.unique(people)))])
            ),
        },
        hint="np.unique(people) lists the different people; np.isin says whose photographs these are.",
    ),
    "04-02.4": Exercise(
        cases=[
            ((1, 4, 10**9), math.sqrt(0.25 * (10**9 - 4) / (10**9 - 1))),
            ((64, 256, 1000), math.sqrt(744 / 936) / 2),
            ((10, 50, 50), 0.0),
        ],
        mistakes={
            "That is for draws in which an example may come twice. Here B = N leaves nothing to chance.": (
                lambda B, larger, N: math.sqrt(B / larger)
            ),
            "That is the ratio of the squared errors; its root is asked for.": lambda B, larger, N: (
                B / larger * (N - larger) / (N - B)
            ),
            "Upside down: a larger batch has the smaller error.": lambda B, larger, N: (
                math.sqrt(larger / B * (N - B) / (N - larger)) if larger < N else math.inf
            ),
        },
        hint="Divide sqrt((N - larger) / larger) by sqrt((N - B) / B); the rest of the formula cancels.",
    ),
}
