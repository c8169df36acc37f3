"""Whether the probabilities of a classifier can be believed: of what it calls 70 % sure, 70 % should come true."""

import numpy as np

from shared.metrics import _finite, _yes_or_no


def calibration_curve(y_true, y_prob, *, n_bins=5):
    """What was promised and what came: the share of positives and the mean probability, bin by bin.

    Shapes: y_true (N,) 0 and 1 or booleans, y_prob (N,) from 0 to 1 -> prob_true, prob_pred, one for each bin that is
    not empty. The bins are equally wide; an edge belongs to the bin below it. Of a classifier with many classes its
    answers are judged: pass whether each was right, and its probability, ``probs.max(axis=1)``.
    Raises ValueError for other shapes or labels, or when a probability is not from 0 to 1.
    Source: DeGroot & Fienberg (1983); sklearn.calibration.calibration_curve.
    Built in 04-image-data/04-metrics.ipynb.
    """
    counts, positives, promised = _bins("calibration_curve", y_true, y_prob, n_bins)
    return positives / counts, promised / counts


def expected_calibration_error(y_true, y_prob, *, n_bins=15):
    """How far the probabilities are from the shares that come true: the mean distance over the bins, by their size.

    Shapes: as calibration_curve -> a number from 0 to 1. With few bins opposite errors cancel inside one; with many,
    the luck of the few examples in each looks like an error.
    Raises ValueError as calibration_curve does.
    Source: Naeini, Cooper & Hauskrecht (2015); Guo et al. (2017), section 2.
    Built in 04-image-data/04-metrics.ipynb.
    """
    counts, positives, promised = _bins("expected_calibration_error", y_true, y_prob, n_bins)
    return float(np.sum(np.abs(positives - promised)) / counts.sum())


def _bins(who, y_true, y_prob, n_bins):
    """For each bin that is not empty: how many examples, how many positives, and the sum of their probabilities."""
    y, prob = _yes_or_no(who, y_true), _finite(who, "y_prob", y_prob, np.shape(y_true))
    if prob.min() < 0 or prob.max() > 1:
        raise ValueError(
            f"{who} expected probabilities from 0 to 1, got {prob.min():g} to {prob.max():g}: scores become "
            "probabilities by nn.Softmax(dim=1) or nn.Sigmoid()"
        )
    if isinstance(n_bins, bool) or not isinstance(n_bins, (int, np.integer)) or n_bins < 1:
        raise ValueError(f"{who} expected n_bins as a whole number, 1 or more, got {n_bins!r}: try n_bins=15")
    place = np.searchsorted(np.linspace(0, 1, n_bins + 1)[1:-1], prob)  # an edge belongs to the bin below
    counts, positives, promised = (np.bincount(place, weights) for weights in (None, y, prob))
    filled = counts > 0
    return counts[filled], positives[filled], promised[filled]
