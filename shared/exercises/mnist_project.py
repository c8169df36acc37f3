"""The exercises of 04-image-data/05-mnist-project.ipynb."""

import numpy as np

from shared.exercises import Exercise

# The first recipe has the luckiest seed, the second the best mean; on the test set the third shines by chance.
VALIDATION = np.array([[0.99, 0.91, 0.92], [0.96, 0.95, 0.97], [0.94, 0.93, 0.95]])
TEST = np.array([[0.95, 0.90, 0.91], [0.93, 0.96, 0.94], [0.98, 0.95, 0.96]])
CLEAR = np.array([[0.80, 0.82], [0.90, 0.88]])


def _spent(trials, budgets, factor, least=1):
    total = 0
    for budget in budgets:
        total += trials * budget
        trials = max(least, trials // factor)
    return total


EXERCISES = {
    "04-05.1": Exercise(
        cases=[((), (0.4, 1 - 0.9**64))],
        mistakes={
            "The grid has 64 trials but only four different rates.": lambda: (1.0, 1 - 0.9**64),
            "Four values with even gaps never lie in the window together: their chances add up.": lambda: (
                1 - 0.9**4,
                1 - 0.9**64,
            ),
            "Each random trial has a rate of its own: there are 64 of them, not four.": lambda: (
                0.4,
                1 - 0.9**4,
            ),
            "That is the chance to miss.": lambda: (0.6, 0.9**64),
        },
        hint="Grid: different rates times the good share. Random: 1 minus the chance that all 64 miss.",
        tolerance=1e-3,
    ),
    "04-05.2": Exercise(
        cases=[((1e-4, 1.0, 0.5), 0.01), ((0.001, 0.1, 0.25), 0.001 * 100**0.25), ((2.0, 8.0, 0.5), 4.0)],
        mistakes={
            "That is the even scale: the share belongs to the logarithm.": lambda low, high, share: (
                low + share * (high - low)
            ),
            "The share counts from low upwards.": lambda low, high, share: high * (low / high) ** share,
            "That fits only where high is 1: the whole range is high / low.": lambda low, high, share: (
                low ** (1 - share)
            ),
        },
        hint="Go the share of the way from log(low) to log(high), and take the exponential.",
    ),
    "04-05.3": Exercise(
        cases=[((27, (1, 3, 9), 3), 81), ((2, (1, 3), 3), 5), ((10, (1, 2, 4), 2), 28)],
        mistakes={
            "At least one trial goes on, however few there are.": lambda trials, budgets, factor: _spent(
                trials, budgets, factor, least=0
            ),
            "That is what it costs when nobody is stopped.": lambda trials, budgets, factor: (
                trials * sum(budgets)
            ),
            "Those are the trials. Each of them costs its budget.": lambda trials, budgets, factor: _spent(
                trials, [1] * len(budgets), factor
            ),
        },
        hint="Each rung costs trials times budget; then one in factor goes on, rounded down, at least one.",
    ),
    "04-05.4": Exercise(
        cases=[((VALIDATION, TEST), 0.94333333333333), ((CLEAR, CLEAR - 0.1), 0.79)],
        mistakes={
            "The test set has chosen, both the recipe and the seed.": lambda validation, test: test.max(),
            "The test set has chosen the recipe.": lambda validation, test: test.mean(axis=1).max(),
            "A lucky seed has chosen the recipe: compare means over the seeds.": lambda validation, test: (
                test[np.unravel_index(validation.argmax(), validation.shape)[0]].mean()
            ),
            "The best seed is luck: report the mean over the seeds.": lambda validation, test: test[
                validation.mean(axis=1).argmax()
            ].max(),
            "That is the validation score of the winner, which was chosen for it.": lambda validation, test: (
                validation.mean(axis=1).max()
            ),
        },
        hint="The recipe with the best mean on validation, and the mean of its seeds on the test.",
    ),
}
