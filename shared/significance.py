"""Whether a difference is more than luck: intervals for a measured share, and a test for two classifiers."""

from statistics import NormalDist
from typing import NamedTuple

import numpy as np

from shared import default_rng


class McNemar(NamedTuple):
    """How many examples only the first got right, how many only the second, and how likely equals differ as much."""

    only_a: int
    only_b: int
    pvalue: float


def mcnemar(right_a, right_b):
    """Do two classifiers, asked about the same examples, differ by more than luck? The exact two-sided test.

    Shapes: right_a (N,), right_b (N,) booleans, whether each was right -> McNemar(only_a, only_b, pvalue). Where
    both are right or both wrong, nothing is to be learned; each of the others is the toss of a fair coin, if the two
    are equally good. pvalue is the chance of a result at least as lopsided. It speaks of these two trained classifiers
    and of new examples, not of what another training run would give.
    Raises ValueError for other shapes or no examples, TypeError when they are not booleans.
    Source: McNemar (1947); Dietterich (1998), Approximate statistical tests, section 3.1.
    Built in 04-image-data/04-metrics.ipynb.
    """
    a, b = np.asarray(right_a), np.asarray(right_b)
    if a.ndim != 1 or a.shape != b.shape or not a.size:
        advice = "both have to answer the same examples"
        raise ValueError(f"mcnemar expected two rows (N,), got {a.shape} and {b.shape}: {advice}")
    if a.dtype != bool or b.dtype != bool:
        advice = "try y_pred == y_true"
        raise TypeError(f"mcnemar expected booleans, got {a.dtype} and {b.dtype}: {advice}")
    only_a, only_b = int(np.sum(a & ~b)), int(np.sum(b & ~a))
    tosses, ways, total = only_a + only_b, 1, 0
    for heads in range(min(only_a, only_b) + 1):
        total += ways  # whole numbers of any size: nothing is rounded
        ways = ways * (tosses - heads) // (heads + 1)  # so many choices of heads + 1 among the tosses
    return McNemar(only_a, only_b, min(1.0, 2 * total / 2**tosses))


def wilson_interval(successes, trials, *, confidence_level=0.95):
    """Which true shares fit with so many successes in so many trials? Also near 0 and 1, and for few trials.

    successes: 0 to trials; trials: 1 or more; numbers, or arrays (…) -> low, high, from 0 to 1. All shares p are meant
    for which the result is within z standard errors, sqrt(p (1 - p) / trials), of p.
    Raises ValueError when there are fewer than 0 or more than all successes, or a level that is not between 0 and 1.
    Source: Wilson (1927); Brown, Cai & DasGupta (2001), section 3.1.1.
    Built in 04-image-data/04-metrics.ipynb.
    """
    z = NormalDist().inv_cdf((1 + _level("wilson_interval", confidence_level)) / 2)
    k, n = np.asarray(successes, np.float64), np.asarray(trials, np.float64)
    if not np.all((k >= 0) & (k <= n) & (n >= 1)):
        advice = "successes come first"
        raise ValueError(
            f"wilson_interval expected 0 to trials successes, got {successes} of {trials}: {advice}"
        )
    middle = (k + z**2 / 2) / (n + z**2)
    half = z * np.sqrt(k * (n - k) / n + z**2 / 4) / (n + z**2)
    return middle - half, np.where(k == n, 1.0, middle + half)[()]  # rounding may leave 1 - 1e-16


def bootstrap_interval(statistic, *arrays, confidence_level=0.95, n_resamples=2000, rng=None):
    """How much a measured number would move with other examples: draw from those there are, with replacement, and see.

    Shapes: arrays (N, …), drawn together, row by row -> low, high, between which the middle part of the results lies.
    statistic(*arrays) gives a number. For a difference of two classifiers pass both: lambda a, b: a.mean() - b.mean().
    Too narrow for few examples, and of no width at all when all of them are alike: see wilson_interval.
    Raises ValueError for arrays of different lengths or none, or a level that is not between 0 and 1.
    Source: Efron & Tibshirani, An Introduction to the Bootstrap, section 13.3 (percentile).
    Built in 04-image-data/04-metrics.ipynb.
    """
    level, arrays = _level("bootstrap_interval", confidence_level), [np.asarray(array) for array in arrays]
    sizes = {len(array) if array.ndim else 0 for array in arrays}
    if len(sizes) != 1 or sizes == {0}:
        found = ", ".join(str(array.shape) for array in arrays) or "none"
        advice = "what belongs together is drawn together"
        raise ValueError(f"bootstrap_interval expected arrays of one length, got {found}: {advice}")
    if isinstance(n_resamples, bool) or not isinstance(n_resamples, (int, np.integer)) or n_resamples < 1:
        advice = "try n_resamples=2000"
        raise ValueError(f"bootstrap_interval expected n_resamples, 1 or more, got {n_resamples!r}: {advice}")
    rng, [size] = default_rng(rng), sizes
    draws = (rng.integers(size, size=size) for _ in range(n_resamples))
    results = [float(statistic(*(array[rows] for array in arrays))) for rows in draws]
    low, high = np.quantile(results, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def _level(who, level):
    if not isinstance(level, (int, float)) or not 0 < level < 1:
        raise ValueError(f"{who} expected confidence_level between 0 and 1, got {level!r}: try 0.95")
    return level
