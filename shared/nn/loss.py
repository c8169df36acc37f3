"""What being wrong is worth: each loss is one number for a batch, and ``backward()`` its gradient.

A loss is called as ``loss = criterion(prediction, target)``; ``criterion.backward()`` then returns the gradient of
the loss with respect to the prediction, which is what ``model.backward`` wants.
"""

import numpy as np

from shared import checks


class Loss:
    """The part that losses share: how the losses of single numbers or rows become one number.

    reduction: "mean", "sum", or "none" for all of them; then ``backward`` is the gradient of their sum.
    Raises ValueError for another reduction.
    Source: torch.nn.modules.loss.
    Built in 02-neural-net-basics/05-losses.ipynb.
    """

    reductions = ("mean", "sum", "none")
    __getattr__ = checks.missing

    def __init__(self, *, reduction="mean"):
        checks.choice(self, "reduction", reduction, self.reductions)
        self.reduction = reduction

    def reduce(self, losses):
        """One number from `losses`; remembers what each was divided by, for backward."""
        self.count = {"mean": losses.size, "batchmean": (*losses.shape, 1)[0]}.get(self.reduction, 1)
        return losses if self.reduction == "none" else losses.sum() / self.count

    def __repr__(self):
        return f"{type(self).__name__}(reduction={self.reduction!r})"


class MSELoss(Loss):
    """The mean squared error, for predicting numbers.

    Shapes: input and target of one shape -> a number.
    Raises ValueError when the shapes differ, TypeError when the dtypes do.
    Source: Legendre (1805), least squares; torch.nn.MSELoss.
    Built in 02-neural-net-basics/05-losses.ipynb.
    """

    def __call__(self, input, target):
        checks.pair(self, input, target)
        self.error = input - target
        return self.reduce(self.error**2)

    def backward(self):
        return 2 * self.error / self.count


class CrossEntropyLoss(Loss):
    """How surprised the scores are by the true class: -log of the probability that softmax gives it.

    Shapes: logits (N, C), target (N,) numbers of classes -> a number. label_smoothing moves that share of the truth
    evenly onto all classes. Different here: PyTorch also takes a probability for each class as target.
    Raises ValueError or TypeError for such targets, one-hot ones too, classes out of range, an empty batch.
    Source: Bridle (1990); label smoothing: Szegedy et al. (2016), section 7; torch.nn.CrossEntropyLoss.
    Built in 02-neural-net-basics/05-losses.ipynb.
    """

    def __init__(self, *, label_smoothing=0.0, reduction="mean"):
        super().__init__(reduction=reduction)
        if not 0 <= label_smoothing <= 1:
            raise ValueError(
                f"CrossEntropyLoss expected label_smoothing from 0 to 1, got {label_smoothing}: try 0.1"
            )
        self.label_smoothing = float(label_smoothing)

    def __call__(self, logits, target):
        target = np.asarray(target)
        checks.classes(self, logits, target)
        scores = np.array(logits.T, order="C")  # (C, N): sums along the longer axis are faster
        scores -= scores.max(axis=0)  # exp() cannot overflow now
        exp = np.exp(scores)
        total = exp.sum(axis=0)
        self.probs, self.true = exp / total, (target, np.arange(len(target)))
        log_probs = scores - np.log(total)
        losses = -log_probs[self.true]
        if self.label_smoothing:
            losses += self.label_smoothing * (-log_probs.mean(axis=0) - losses)
        return self.reduce(losses)

    def backward(self):
        grad = self.probs / self.count  # (C, N)
        grad[self.true] -= (1 - self.label_smoothing) / self.count  # p - y
        if self.label_smoothing:
            grad -= self.label_smoothing / len(grad) / self.count
        return grad.T


class BCEWithLogitsLoss(Loss):
    """The cross-entropy of yes-or-no questions, each with its own logit.

    Shapes: input (logits) and target of one shape, target between 0 and 1 -> a number.
    Raises ValueError for other targets and when the shapes differ, TypeError when the dtypes do.
    Source: Goodfellow, Bengio & Courville, Deep Learning, section 6.2.2.2; torch.nn.BCEWithLogitsLoss.
    Built in 02-neural-net-basics/05-losses.ipynb.
    """

    def __call__(self, input, target):
        checks.pair(self, input, target)
        if target.min() < 0 or target.max() > 1:
            found = f"{target.min():g} to {target.max():g}"
            raise ValueError(
                f"{self!r} expected a target from 0 to 1, got {found}: for class numbers take CrossEntropyLoss"
            )
        self.input, self.target = input, target
        return self.reduce(np.maximum(input, 0) - input * target + np.log1p(np.exp(-np.abs(input))))

    def backward(self):
        probs = 0.5 + 0.5 * np.tanh(0.5 * self.input)
        return (probs - self.target) / self.count


class MultiMarginLoss(Loss):
    """The hinge: the true class should win by `margin`, and each class that comes closer costs.

    Shapes: scores (N, C), target (N,) -> a number: mean over rows of sum of max(0, margin - s_true + s_other)^p / C.
    Raises ValueError or TypeError as CrossEntropyLoss does, and for p other than 1 or 2.
    Source: Crammer & Singer (2001); torch.nn.MultiMarginLoss.
    Built in 02-neural-net-basics/05-losses.ipynb.
    """

    def __init__(self, p=1, margin=1.0, *, reduction="mean"):
        super().__init__(reduction=reduction)
        checks.choice(self, "p", p, (1, 2))
        self.p, self.margin = p, float(margin)

    def __call__(self, scores, target):
        target = np.asarray(target)
        checks.classes(self, scores, target)
        rows = np.arange(len(scores))
        self.target, self.short = target, np.maximum(0, self.margin - scores[rows, target][:, None] + scores)
        self.short[rows, target] = 0
        return self.reduce((self.short**self.p).sum(axis=1) / scores.shape[1])

    def backward(self):
        grad = 2 * self.short if self.p == 2 else np.sign(self.short)
        grad[np.arange(len(grad)), self.target] = -grad.sum(axis=1)
        return grad / (grad.shape[1] * self.count)


class KLDivLoss(Loss):
    """How far one distribution is from another, in nats: sum of target * (log target - input).

    Shapes: input (log probabilities) and target (probabilities, or their logs with log_target) alike -> a number.
    reduction: also "batchmean", the sum divided by the number of rows; "mean" divides by that of all numbers.
    Raises ValueError when the shapes differ or a target is negative, TypeError when the dtypes differ.
    Source: Kullback & Leibler (1951); torch.nn.KLDivLoss.
    Built in 02-neural-net-basics/05-losses.ipynb.
    """

    reductions = ("mean", "sum", "none", "batchmean")

    def __init__(self, *, reduction="mean", log_target=False):
        super().__init__(reduction=reduction)
        self.log_target = log_target

    def __call__(self, input, target):
        checks.pair(self, input, target)
        if not self.log_target and target.min(initial=0) < 0:
            advice = "for their logs take log_target=True"
            raise ValueError(f"{self!r} expected probabilities as target, got {target.min():g}: {advice}")
        self.target = np.exp(target) if self.log_target else target
        log_target = target if self.log_target else np.log(np.where(target > 0, target, 1))  # 0 log 0 = 0
        return self.reduce(self.target * (log_target - input))

    def backward(self):
        return -self.target / self.count
