"""How good a classifier is: what it takes for what, and how well its scores put the right ones first.

Names, order of arguments (the truth first) and numbers are scikit-learn's. Where scikit-learn warns and goes on with
a number that means nothing, such as an area under a curve of one class, there is an error here. What is divided by
nothing because nothing was claimed or nothing was there (precision without a yes) counts as 0, as scikit-learn has it.
"""

import numpy as np

from shared import checks


def accuracy_score(y_true, y_pred):
    """The share of examples that got the right label.

    Shapes: y_true (N,), y_pred (N,) labels of any kind -> a number from 0 to 1.
    Raises ValueError for other shapes or no examples, TypeError for scores in place of labels.
    Source: Sokolova & Lapalme (2009), A systematic analysis of performance measures; sklearn.metrics.accuracy_score.
    Built in 04-image-data/04-metrics.ipynb.
    """
    y_true, y_pred = _labels("accuracy_score", y_true, y_pred)
    return float(np.mean(y_true == y_pred))


def confusion_matrix(y_true, y_pred, *, labels=None):
    """How often each true label (row) got each label as an answer (column).

    Shapes: y_true (N,), y_pred (N,) -> (C, C) int64. The C labels are those that occur in either, sorted, or ``labels``
    in their order; that way a class that does not occur keeps its row.
    Raises ValueError for other shapes or no examples, and for a label that is not, or twice, in ``labels``; TypeError
    for scores in place of labels.
    Source: Kohavi & Provost (1998), Glossary of terms; sklearn.metrics.confusion_matrix.
    Built in 04-image-data/04-metrics.ipynb.
    """
    y_true, y_pred = _labels("confusion_matrix", y_true, y_pred)
    labels = np.union1d(y_true, y_pred) if labels is None else np.asarray(labels)
    is_true, is_pred = (y[:, None] == labels.ravel() for y in (y_true, y_pred))  # (N, C): one-hot rows
    if not (np.all(is_true.sum(axis=1) == 1) and np.all(is_pred.sum(axis=1) == 1)):
        raise ValueError(
            f"confusion_matrix expected labels that hold each label once, got {labels.tolist()} for "
            f"{np.union1d(y_true, y_pred).tolist()}: leave labels out, or add what is missing"
        )
    return is_true.T.astype(np.int64) @ is_pred


def precision_score(y_true, y_pred, *, average="binary"):
    """Of the examples that were called positive, the share that is; 0 when none was.

    Shapes: y_true (N,), y_pred (N,) -> a number from 0 to 1; with average=None one for each class, (C,), sorted.
    average: "binary" for labels 0 and 1, or booleans; "macro" is the mean over the classes, "weighted" the mean
    weighted by how often each class is true, "micro" counts all classes together, which is the accuracy.
    Raises ValueError for another average, labels other than 0 and 1 with "binary", and as confusion_matrix does.
    Source: van Rijsbergen, Information Retrieval, chapter 7; sklearn.metrics.precision_score.
    Built in 04-image-data/04-metrics.ipynb.
    """
    return _averaged(precision_score, y_true, y_pred, average, lambda hits, called, true: (hits, called))


def recall_score(y_true, y_pred, *, average="binary"):
    """Of the examples that are positive, the share that was called so; 0 when there are none.

    Shapes, average and errors: as precision_score.
    Source: van Rijsbergen, Information Retrieval, chapter 7; sklearn.metrics.recall_score.
    Built in 04-image-data/04-metrics.ipynb.
    """
    return _averaged(recall_score, y_true, y_pred, average, lambda hits, called, true: (hits, true))


def f1_score(y_true, y_pred, *, average="binary"):
    """The harmonic mean of precision and recall: near the smaller one; 0 when nothing is positive nor called so.

    Shapes, average and errors: as precision_score. "macro" is the mean of the classes' F1, not the F1 of the means.
    Source: van Rijsbergen, Information Retrieval, chapter 7 (1 - E with α = 1/2); sklearn.metrics.f1_score.
    Built in 04-image-data/04-metrics.ipynb.
    """
    return _averaged(f1_score, y_true, y_pred, average, lambda hits, called, true: (2 * hits, called + true))


def _averaged(function, y_true, y_pred, average, fraction):
    """The average of fraction(hits, called, true) -> numerator, denominator: counts, (C,) each."""
    checks.choice(function, "average", average, ("binary", "macro", "micro", "weighted", None))
    y_true, y_pred = _labels(function.__name__, y_true, y_pred)
    if average == "binary":
        found = np.union1d(y_true, y_pred).tolist()
        if not set(found) <= {0, 1}:
            advice = 'try average="macro", or ask one question, such as y_true == 9 and y_pred == 9'
            raise ValueError(f"{function.__name__} expected labels 0 and 1, got {found}: {advice}")
        y_true, y_pred = y_true.astype(int), y_pred.astype(int)
    matrix = confusion_matrix(y_true, y_pred, labels=(0, 1) if average == "binary" else None)
    hits, called, true = np.diagonal(matrix), matrix.sum(axis=0), matrix.sum(axis=1)
    if average == "micro":
        hits, called, true = hits.sum(), called.sum(), true.sum()
    above, below = fraction(hits, called, true)
    values = above / np.maximum(below, 1)  # 0 of nothing counts as 0
    if average is None:
        return values
    if average == "weighted":
        return float(values @ true / true.sum())
    return float(np.mean(values[1] if average == "binary" else values))


def roc_curve(y_true, y_score):
    """How many positives (tpr) and how many negatives (fpr) get a yes, for every threshold: yes is score >= threshold.

    Shapes: y_true (N,) 0 and 1 or booleans, y_score (N,) -> fpr, tpr, thresholds, each (T + 1,) for T different scores:
    the thresholds fall from infinity (nobody gets a yes), the shares rise from 0 to 1. Equal scores make one step.
    Raises ValueError for other shapes or labels, NaN or infinity, and when all examples are of one class.
    Source: Fawcett (2006), algorithm 1; sklearn.metrics.roc_curve with drop_intermediate=False.
    Built in 04-image-data/04-metrics.ipynb.
    """
    false, true, thresholds = _counts("roc_curve", y_true, y_score)
    fpr, tpr = (np.insert(counts / counts[-1], 0, 0) for counts in (false, true))
    return fpr, tpr, np.insert(thresholds, 0, np.inf)


def auc(x, y):
    """The area under the points (x, y) joined by straight lines.

    Shapes: x (N,) that only rises or only falls, y (N,), N at least 2 -> a number.
    Raises ValueError for other shapes, and when x turns round.
    Source: the trapezoidal rule; sklearn.metrics.auc.
    Built in 04-image-data/04-metrics.ipynb.
    """
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    if x.ndim != 1 or x.shape != y.shape or len(x) < 2:
        raise ValueError(f"auc expected x and y of one shape (N,), 2 or more, got {x.shape} and {y.shape}")
    steps = np.diff(x)
    if not (np.all(steps >= 0) or np.all(steps <= 0)):
        raise ValueError("auc expected x that rises or falls, got one that does both: is the order x, y?")
    area = np.sum(steps * (y[1:] + y[:-1]) / 2)
    return float(area if x[-1] >= x[0] else -area)


def roc_auc_score(y_true, y_score):
    """The area under the ROC curve: the chance that a positive scores higher than a negative, a tie counting half.

    Shapes: y_true (N,) 0 and 1 or booleans, y_score (N,) -> a number from 0 to 1; 1/2 is what guessing gets.
    Counted in whole numbers, so it is the same to the last bit as counting all pairs.
    Raises ValueError as roc_curve does.
    Source: Mann & Whitney (1947); Hanley & McNeil (1982); sklearn.metrics.roc_auc_score.
    Built in 04-image-data/04-metrics.ipynb.
    """
    false, true, _ = _counts("roc_auc_score", y_true, y_score)
    twice = np.diff(false, prepend=0) * (true + np.insert(true, 0, 0)[:-1])  # trapezoids, two of each
    return float(twice.sum() / (2 * false[-1] * true[-1]))


def precision_recall_curve(y_true, y_score):
    """Precision and recall for every threshold, the lowest one first.

    Shapes: y_true (N,) 0 and 1 or booleans, y_score (N,) -> precision (T + 1,), recall (T + 1,), thresholds (T,) for T
    different scores. The last point, precision 1 and recall 0, has no threshold.
    Raises ValueError for other shapes or labels, NaN or infinity, and when no example is positive.
    Source: Davis & Goadrich (2006); sklearn.metrics.precision_recall_curve.
    Built in 04-image-data/04-metrics.ipynb.
    """
    false, true, thresholds = _counts("precision_recall_curve", y_true, y_score, both=False)
    precision, recall = true / (true + false), true / true[-1]
    return np.append(precision[::-1], 1), np.append(recall[::-1], 0), thresholds[::-1]


def average_precision_score(y_true, y_score):
    """The mean of the precision over all positives, each at the threshold that just lets it in.

    Shapes: y_true (N,) 0 and 1 or booleans, y_score (N,) -> a number from 0 to 1; guessing gets about the share of
    positives. It is the area under the steps of the curve, not under lines drawn between its points.
    Raises ValueError as precision_recall_curve does.
    Source: Davis & Goadrich (2006), on why not lines; sklearn.metrics.average_precision_score.
    Built in 04-image-data/04-metrics.ipynb.
    """
    false, true, _ = _counts("average_precision_score", y_true, y_score, both=False)
    return float(np.sum(np.diff(true, prepend=0) * true / (true + false)) / true[-1])


def _counts(who, y_true, y_score, both=True):
    """For each different score, highest first: how many negatives and positives have it or a higher one, and itself."""
    y, score = _yes_or_no(who, y_true), _finite(who, "y_score", y_score, np.shape(y_true))
    if not y.any() or (both and y.all()):
        needed, found = "examples of both classes" if both else "a positive example", int(y[0])
        raise ValueError(
            f"{who} expected {needed} in y_true, got {len(y)} examples, all {found}: "
            "take more examples, or all together instead of batch by batch"
        )
    order = np.argsort(-score, kind="stable")
    y, score = y[order], score[order]
    last = np.append(np.flatnonzero(score[1:] != score[:-1]), len(y) - 1)  # where a run of equal scores ends
    true = np.cumsum(y)[last]
    return last + 1 - true, true, score[last]


def top_k_accuracy_score(y_true, y_score, *, k=2):
    """The share of examples whose true class is among the k with the highest scores.

    Shapes: y_true (N,) numbers of classes, y_score (N, C) -> a number from 0 to 1. Of equal scores, the class with the
    larger number comes first, as in scikit-learn; argmax takes the smaller one.
    Raises ValueError for other shapes, classes out of range, NaN or infinity, k not from 1 to C.
    Source: Russakovsky et al. (2015), ImageNet, section 4 (top-5 error); sklearn.metrics.top_k_accuracy_score.
    Built in 04-image-data/04-metrics.ipynb.
    """
    who, y, shape = "top_k_accuracy_score", np.asarray(y_true), np.shape(y_score)
    if y.ndim != 1 or not y.size or len(shape) != 2 or shape[0] != len(y):
        advice = "one score for each class"
        raise ValueError(f"{who} expected y_true (N,), y_score (N, C), got {y.shape}, {shape}: {advice}")
    score = _finite(who, "y_score", y_score, shape)
    if y.dtype.kind not in "iuf":
        raise TypeError(
            f"{who} expected numbers of classes, got {y.dtype}: np.unique(y, return_inverse=True)[1]"
        )
    if y.dtype.kind == "f" or y.min() < 0 or y.max() >= shape[1]:
        advice = "as many columns as classes, counted from 0"
        raise ValueError(f"{who} expected classes 0 to {shape[1] - 1}, got {y.min()} to {y.max()}: {advice}")
    if isinstance(k, bool) or not isinstance(k, (int, np.integer)) or not 1 <= k <= shape[1]:
        raise ValueError(f"{who} expected k from 1 to {shape[1]}, got {k!r}: try k=1")
    own = np.take_along_axis(score, y[:, None], axis=1)  # (N, 1)
    ahead = (score > own) | ((score == own) & (np.arange(shape[1]) > y[:, None]))
    return float(np.mean(ahead.sum(axis=1) < k))


def _labels(who, y_true, y_pred):
    """Both as arrays (N,), after refusing what are not two lists of labels."""
    y_true, y_pred = np.asarray(y_true), np.asarray(y_pred)
    if y_true.ndim != 1 or y_true.shape != y_pred.shape or not y_true.size:
        raise ValueError(
            f"{who} expected y_true and y_pred of one shape (N,), got {y_true.shape} and {y_pred.shape}: "
            "scores (N, C) become labels by .argmax(axis=1)"
        )
    kinds = {"number" if y.dtype.kind in "biu" else y.dtype.kind for y in (y_true, y_pred)}
    if kinds not in ({"number"}, {"U"}):
        raise TypeError(
            f"{who} expected labels, whole numbers or text, got {y_true.dtype} and {y_pred.dtype}: "
            "scores become labels by .argmax(axis=1), or y_score >= threshold"
        )
    return y_true, y_pred


def _yes_or_no(who, y_true):
    """The answers to one question as booleans (N,)."""
    y = np.asarray(y_true)
    if y.ndim != 1 or not y.size:
        raise ValueError(f"{who} expected y_true of shape (N,), 1 or more, got {y.shape}: look at the slice")
    if not np.isin(y, (0, 1)).all():
        odd = next(label for label in y.tolist() if label not in (0, 1))
        advice = "ask one question, such as y_true == 9"
        raise ValueError(f"{who} expected y_true of 0 and 1, or booleans, got {odd!r}: {advice}")
    return y.astype(bool)


def _finite(who, name, values, shape):
    """The scores as floating-point numbers of this shape; whole numbers become float64."""
    values = np.asarray(values)
    if values.dtype.kind not in "biuf":
        raise TypeError(f"{who} expected {name} to hold numbers, got {values.dtype}: pass scores, not labels")
    if values.shape != shape:
        advice = "one column of (N, C) is y_score[:, 9]"
        raise ValueError(f"{who} expected {name} of shape {shape} as y_true, got {values.shape}: {advice}")
    if not np.isfinite(values).all():
        advice = "find them with np.argwhere(~np.isfinite(y_score))"
        raise ValueError(f"{who} expected {name} without NaN and infinity, got some: {advice}")
    return values if values.dtype.kind == "f" else values.astype(np.float64)
