"""The fully connected layer, and the step that turns pictures into rows for it."""

import math

import numpy as np

from shared import checks
from shared.nn import init
from shared.nn.module import Module, Parameter


class Linear(Module):
    """Weighted sums of the inputs, one per output: ``y = x @ weight.T + bias``.

    Shapes: x (N, in_features) -> y (N, out_features); weight (out_features, in_features); bias (out_features,).
    Raises ValueError when x is not (N, in_features), TypeError when its dtype is not that of the weights.
    Source: Rumelhart, Hinton & Williams (1986), eq. 1. Same parameters and start as torch.nn.Linear.
    Built in 02-neural-net-basics/04-forward-pass.ipynb.
    """

    def __init__(self, in_features, out_features, bias=True, *, rng=None):
        for number in (in_features, out_features):
            checks.sizes(self, number, "features", "a picture of 28 x 28 pixels has 784")
        self.in_features, self.out_features = in_features, out_features
        self.weight = Parameter(np.zeros((in_features, out_features)).T)  # in memory as weight.T: see forward
        self.bias = Parameter(np.zeros(out_features)) if bias else None
        bound = 1 / math.sqrt(in_features)
        for parameter in self.parameters():
            init.uniform_(parameter, -bound, bound, rng=rng)

    def forward(self, x):
        self.x = x  # (N, in)
        y = x @ self.weight.data.T  # (N, out); a product is fastest when both sides lie in memory row by row
        if self.bias is not None:
            y += self.bias.data
        return y

    def backward(self, grad_y):  # (N, out)
        checks.gradient(self, grad_y, (len(self.x), self.out_features), self.weight)
        self.weight.add_grad((self.x.T @ grad_y).T)  # (out, in): each weight met each input once
        if self.bias is not None:
            self.bias.add_grad(grad_y.sum(axis=0))  # (out,)
        return grad_y @ self.weight.data if self.input_grad else None  # (N, in)

    def check(self, x):
        checks.rows(self, x, self.in_features, self.weight)

    def extra_repr(self):
        return f"{self.in_features}, {self.out_features}" + ("" if self.bias is not None else ", bias=False")


class Flatten(Module):
    """Lay out each example of the batch in one row.

    Shapes: x (N, …) -> y (N, product of the others).
    Source: torch.nn.Flatten with its default axes.
    Built in 02-neural-net-basics/04-forward-pass.ipynb.
    """

    def forward(self, x):
        self.x_shape = x.shape
        last = np.moveaxis(x, 0, -1)  # images of our layers have their batch last in memory: it stays there
        return last.reshape(math.prod(x.shape[1:]), len(x)).T  # not -1: an empty batch keeps its width

    def backward(self, grad_y):
        checks.gradient(self, grad_y, (self.x_shape[0], math.prod(self.x_shape[1:])))
        return np.moveaxis(grad_y.T.reshape(*self.x_shape[1:], self.x_shape[0]), -1, 0)
