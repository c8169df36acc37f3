"""The fully connected layer, and the step that turns pictures into rows for it."""

import math

import numpy as np

from shared.nn import init
from shared.nn.module import Module, Parameter


class Linear(Module):
    """Weighted sums of the inputs, one per output: ``y = x @ weight.T + bias``.

    Shapes: x (N, in_features) -> y (N, out_features); weight (out_features, in_features); bias (out_features,).
    Raises ValueError when x is not (N, in_features), TypeError when it does not hold floating-point numbers.
    Source: Rumelhart, Hinton & Williams (1986), eq. 1. Same parameters and start as torch.nn.Linear.
    Built in 02-neural-net-basics/04-forward-pass.ipynb.
    """

    def __init__(self, in_features, out_features, bias=True, rng=None):
        self.in_features, self.out_features = in_features, out_features
        bound = 1 / math.sqrt(in_features)
        self.weight = Parameter(init.uniform((out_features, in_features), -bound, bound, rng))
        self.bias = Parameter(init.uniform((out_features,), -bound, bound, rng)) if bias else None

    def forward(self, x):
        self.check(x)
        self.x = x  # (N, in)
        y = x @ self.weight.data.T  # (N, out)
        if self.bias is not None:
            y += self.bias.data
        return y

    def backward(self, grad_y):  # (N, out)
        self.weight.add_grad(grad_y.T @ self.x)  # (out, in): each weight met each input once
        if self.bias is not None:
            self.bias.add_grad(grad_y.sum(axis=0))  # (out,)
        return grad_y @ self.weight.data  # (N, in)

    def check(self, x):
        """Raise an error that tells a beginner what to do."""
        expected = f"{self!r} expected (N, {self.in_features})"
        if not isinstance(x, np.ndarray) or x.dtype.kind != "f":
            kind = getattr(x, "dtype", type(x).__name__)
            raise TypeError(
                f"{expected} of floating-point numbers, got {kind}: try x.astype(np.float32) / 255 for pixels"
            )
        if x.ndim == 2 and x.shape[1] == self.in_features:
            return
        if x.ndim > 2:
            advice = "put nn.Flatten() before it"
        elif x.ndim == 1:
            advice = "one example is a batch of one: x[None]"
        elif x.shape[0] == self.in_features:
            advice = "examples are rows here: try x.T"
        else:
            advice = f"the layer before it should have {self.in_features} outputs"
        raise ValueError(f"{expected}, got {x.shape}: {advice}")

    def extra_repr(self):
        return f"{self.in_features}, {self.out_features}" + ("" if self.bias is not None else ", bias=False")


class Flatten(Module):
    """Lay out each example of the batch in one row.

    Shapes: x (N, …) -> y (N, product of the others).
    Source: torch.nn.Flatten with its default axes.
    Built in 02-neural-net-basics/04-forward-pass.ipynb.
    """

    def forward(self, x):
        self.shape = x.shape
        return x.reshape(len(x), -1)

    def backward(self, grad_y):
        return grad_y.reshape(self.shape)
