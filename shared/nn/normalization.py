"""Batch normalisation: bring each feature to mean 0 and variance 1 over the batch, then to where it wants to be."""

import numpy as np

from shared import checks
from shared.nn.module import Module, Parameter


class _BatchNorm(Module):
    """What batch normalisation keeps: a scale and a shift for each feature, and the running statistics."""

    buffers = ("running_mean", "running_var", "num_batches_tracked")

    def __init__(self, num_features, eps=1e-5, momentum=0.1, affine=True, track_running_stats=True):
        checks.sizes(self, num_features, "features", "as many as the layer before has outputs")
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        self.track_running_stats = track_running_stats
        self.weight = Parameter(np.ones(num_features)) if affine else None
        self.bias = Parameter(np.zeros(num_features)) if affine else None
        self.running_mean = np.zeros(num_features, np.float32)
        self.running_var = np.ones(num_features, np.float32)
        self.num_batches_tracked = np.array(0, np.int64)
        if not track_running_stats:
            self.buffers = ()

    def remember(self, mean, var):
        """Move the running statistics towards those of this batch; momentum None: the mean of all batches."""
        self.num_batches_tracked = self.num_batches_tracked + 1
        share = 1 / int(self.num_batches_tracked) if self.momentum is None else self.momentum
        self.running_mean = (1 - share) * self.running_mean + share * mean
        self.running_var = (1 - share) * self.running_var + share * var

    def extra_repr(self):
        return f"{self.num_features}, eps={self.eps}, momentum={self.momentum}"


class BatchNorm1d(_BatchNorm):
    """Normalise each feature over the batch; y = (x - mean) / sqrt(var + eps) * weight + bias.

    Shapes: x (N, num_features) -> y (N, num_features). In evaluation the running statistics of training are used:
    running = (1 - momentum) * running + momentum * batch, where the variance is divided by N - 1.
    Raises ValueError for another shape and for one row in training, TypeError for another dtype than the weights'.
    Source: Ioffe & Szegedy (2015), algorithms 1 and 2; torch.nn.BatchNorm1d.
    Built in 03-backpropagation/07-regularisation.ipynb.
    """

    def forward(self, x):
        mean, var = self.running_mean, self.running_var
        self.of_batch = self.training or not self.track_running_stats
        if self.of_batch:
            mean, var = x.mean(axis=0), x.var(axis=0)  # (D,)
        if self.training and self.track_running_stats:
            self.remember(mean, var * len(x) / (len(x) - 1))
        self.inverse_std = 1 / np.sqrt(var + self.eps)  # (D,)
        self.x_hat = (x - mean) * self.inverse_std  # (N, D)
        return self.x_hat if self.weight is None else self.x_hat * self.weight.data + self.bias.data

    def backward(self, grad_y):
        checks.gradient(self, grad_y, self.x_hat.shape)
        if self.weight is not None:
            self.weight.add_grad((grad_y * self.x_hat).sum(axis=0))
            self.bias.add_grad(grad_y.sum(axis=0))
            grad_y = grad_y * self.weight.data  # now of x_hat
        if self.of_batch:  # every x moved the mean and the variance too: take those two directions out
            grad_y = grad_y - grad_y.mean(axis=0) - self.x_hat * (grad_y * self.x_hat).mean(axis=0)
        return grad_y * self.inverse_std

    def check(self, x):
        checks.rows(self, x, self.num_features, self.weight)
        if self.training and len(x) < 2:
            advice = "the variance of one is 0: take a larger batch, or model.eval() to predict"
            raise ValueError(f"{self!r} expected two rows or more in training, got {len(x)}: {advice}")
