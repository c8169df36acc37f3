"""What being wrong is worth: each loss is one number for a batch, and ``backward()`` its gradient.

A loss is called as ``loss = criterion(prediction, target)``; ``criterion.backward()`` then returns the gradient of the loss
with respect to the prediction, which is what ``model.backward`` wants.
"""

import numpy as np


class Loss:
    """The part that losses share: how the losses of single numbers or rows become one number.

    reduction: "mean" or "sum" ("batchmean" for KLDivLoss: the sum divided by the number of rows).
    Raises ValueError for another reduction.
    Built in 02-neural-net-basics/05-losses.ipynb.
    """

    reductions = ("mean", "sum")

    def __init__(self, reduction="mean"):
        if reduction not in self.reductions:
            choices = " or ".join(f'"{name}"' for name in self.reductions)
            raise ValueError(f"{type(self).__name__} expected reduction {choices}, got {reduction!r}")
        self.reduction = reduction

    def reduce(self, losses, rows):
        """One number from `losses`; remembers what each was divided by, for backward."""
        self.count = {"mean": losses.size, "sum": 1, "batchmean": rows}[self.reduction]
        return losses.sum() / losses.dtype.type(self.count)

    def __repr__(self):
        return f"{type(self).__name__}(reduction={self.reduction!r})"

    def floats(self, **arrays):
        """Check that the arrays hold floating-point numbers of one shape and at least one row."""
        shapes = {name: np.shape(array) for name, array in arrays.items()}
        for name, array in arrays.items():
            if not isinstance(array, np.ndarray) or array.dtype.kind != "f":
                kind = getattr(array, "dtype", type(array).__name__)
                raise TypeError(
                    f"{type(self).__name__} expected {name} of floating-point numbers, got {kind}: "
                    "try .astype(np.float32)"
                )
        if len(set(shapes.values())) > 1:
            told = ", ".join(f"{name} {shape}" for name, shape in shapes.items())
            raise ValueError(f"{type(self).__name__} expected two arrays of one shape, got {told}")
        if 0 in next(iter(shapes.values())):
            raise ValueError(f"{type(self).__name__} got an empty batch: the mean of nothing is not a number")

    def classes(self, scores, target):
        """Check scores (N, C) against the class numbers (N,) and return the latter."""
        name, target = type(self).__name__, np.asarray(target)
        self.floats(scores=scores)
        if scores.ndim != 2:
            raise ValueError(f"{name} expected scores of shape (N, C), got {scores.shape}")
        if target.shape == scores.shape:
            raise ValueError(
                f"{name} expected the numbers of the classes, shape (N,), got one-hot rows {target.shape}: "
                "use target.argmax(axis=1)"
            )
        if target.dtype.kind not in "iu":
            raise TypeError(
                f"{name} expected whole numbers as target, got {target.dtype}: try target.astype(int)"
            )
        if target.shape != scores.shape[:1]:
            raise ValueError(
                f"{name} expected a target of shape ({len(scores)},), one class per row, got {target.shape}"
            )
        if target.min() < 0 or target.max() >= scores.shape[1]:
            raise ValueError(
                f"{name} expected classes from 0 to {scores.shape[1] - 1}, got {target.min()} to "
                f"{target.max()}: the last layer has {scores.shape[1]} outputs"
            )
        return target


class MSELoss(Loss):
    """The mean squared error, for predicting numbers.

    Shapes: input and target of one shape -> a number.
    Source: Legendre (1805), least squares; torch.nn.MSELoss.
    Built in 02-neural-net-basics/05-losses.ipynb.
    """

    def __call__(self, input, target):
        self.floats(input=input, target=target)
        self.error = input - target
        return self.reduce(self.error**2, len(input))

    def backward(self):
        return 2 * self.error / self.error.dtype.type(self.count)


class CrossEntropyLoss(Loss):
    """How surprised the scores are by the true class: -log of the probability that softmax gives it.

    Shapes: logits (N, C), target (N,) numbers of classes -> a number. label_smoothing moves that share of the truth evenly
    onto all classes (0: none).
    Raises ValueError or TypeError for one-hot targets, classes out of range, an empty batch.
    Source: Bridle (1990); label smoothing: Szegedy et al. (2016), section 7; torch.nn.CrossEntropyLoss.
    Built in 02-neural-net-basics/05-losses.ipynb.
    """

    def __init__(self, label_smoothing=0.0, reduction="mean"):
        super().__init__(reduction)
        if not 0 <= label_smoothing <= 1:
            raise ValueError(f"CrossEntropyLoss expected label_smoothing from 0 to 1, got {label_smoothing}")
        self.label_smoothing = label_smoothing

    def __call__(self, logits, target):
        self.target, smooth = self.classes(logits, target), logits.dtype.type(self.label_smoothing)
        shifted = logits - logits.max(axis=1, keepdims=True)  # exp() cannot overflow now
        log_probs = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
        self.probs = np.exp(log_probs)
        losses = -(1 - smooth) * log_probs[np.arange(len(logits)), self.target]
        if smooth:
            losses -= smooth * log_probs.mean(axis=1)
        return self.reduce(losses, len(logits))

    def backward(self):
        grad, smooth = self.probs.copy(), self.probs.dtype.type(self.label_smoothing)
        grad[np.arange(len(grad)), self.target] -= 1 - smooth  # p - y
        if smooth:
            grad -= smooth / grad.shape[1]
        return grad / grad.dtype.type(self.count)


class BCEWithLogitsLoss(Loss):
    """The cross-entropy of yes-or-no questions, each with its own logit.

    Shapes: logits and target of one shape, target between 0 and 1 -> a number.
    Source: Goodfellow, Bengio & Courville, Deep Learning, section 6.2.2.2; torch.nn.BCEWithLogitsLoss.
    Built in 02-neural-net-basics/05-losses.ipynb.
    """

    def __call__(self, logits, target):
        self.floats(logits=logits, target=target)
        if target.min() < 0 or target.max() > 1:
            raise ValueError(
                f"BCEWithLogitsLoss expected a target from 0 to 1, got {target.min():g} to {target.max():g}"
            )
        self.logits, self.target = logits, target
        losses = np.maximum(logits, 0) - logits * target + np.log1p(np.exp(-np.abs(logits)))
        return self.reduce(losses, len(logits))

    def backward(self):
        probs = 0.5 + 0.5 * np.tanh(0.5 * self.logits)
        return (probs - self.target) / probs.dtype.type(self.count)


class MultiMarginLoss(Loss):
    """The hinge: the true class should win by `margin`, and each class that comes closer costs.

    Shapes: scores (N, C), target (N,) -> a number: mean over rows of sum of max(0, margin - s_true + s_other)^p / C.
    Source: Crammer & Singer (2001); torch.nn.MultiMarginLoss.
    Built in 02-neural-net-basics/05-losses.ipynb.
    """

    def __init__(self, p=1, margin=1.0, reduction="mean"):
        super().__init__(reduction)
        if p not in (1, 2):
            raise ValueError(f"MultiMarginLoss expected p of 1 or 2, got {p}")
        self.p, self.margin = p, margin

    def __call__(self, scores, target):
        self.target, rows = self.classes(scores, target), np.arange(len(scores))
        self.short = np.maximum(0, self.margin - scores[rows, self.target][:, None] + scores)
        self.short[rows, self.target] = 0
        return self.reduce((self.short**self.p).sum(axis=1) / scores.dtype.type(scores.shape[1]), len(scores))

    def backward(self):
        grad = (self.short > 0).astype(self.short.dtype) if self.p == 1 else 2 * self.short
        grad[np.arange(len(grad)), self.target] = -grad.sum(axis=1)
        return grad / grad.dtype.type(grad.shape[1] * self.count)


class KLDivLoss(Loss):
    """How far one distribution is from another, in nats: sum of target * (log target - input).

    Shapes: input (log probabilities) and target (probabilities, or logs of them with log_target) of one shape -> a number.
    Source: Kullback & Leibler (1951); torch.nn.KLDivLoss, whose odd "mean" divides by every number, not by rows.
    Built in 02-neural-net-basics/05-losses.ipynb.
    """

    reductions = ("mean", "sum", "batchmean")

    def __init__(self, reduction="mean", log_target=False):
        super().__init__(reduction)
        self.log_target = log_target

    def __call__(self, input, target):
        self.floats(input=input, target=target)
        self.target = np.exp(target) if self.log_target else target
        known = self.target > 0  # 0 log 0 = 0
        log_target = np.log(self.target, where=known, out=np.zeros_like(self.target))
        return self.reduce(self.target * (log_target - input), len(input))

    def backward(self):
        return -self.target / self.target.dtype.type(self.count)
