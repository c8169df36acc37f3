"""Batch normalisation: each feature is brought to mean 0 and variance 1 over the batch, then to where it wants to be."""

import numpy as np

from shared.nn.module import Module, Parameter


class BatchNorm1d(Module):
    """Normalise each feature over the batch; y = (x - mean) / sqrt(var + eps) * weight + bias.

    Shapes: x (N, num_features) -> y (N, num_features). In evaluation the running statistics of training are used:
    running = (1 - momentum) * running + momentum * batch, the variance there divided by N - 1; momentum=None averages all
    batches alike.
    Raises ValueError for another shape, and in training for a batch of one row, whose variance is 0.
    Source: Ioffe & Szegedy (2015), algorithms 1 and 2; torch.nn.BatchNorm1d.
    Built in 03-backpropagation/07-regularisation.ipynb.
    """

    buffers = ("running_mean", "running_var", "num_batches_tracked")

    def __init__(self, num_features, eps=1e-5, momentum=0.1, affine=True, track_running_stats=True):
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        self.track_running_stats = track_running_stats
        self.weight = Parameter(np.ones(num_features)) if affine else None
        self.bias = Parameter(np.zeros(num_features)) if affine else None
        self.running_mean = np.zeros(num_features, np.float32)
        self.running_var = np.ones(num_features, np.float32)
        self.num_batches_tracked = np.array(0)
        if not track_running_stats:
            self.buffers = ()

    def forward(self, x):
        if x.ndim != 2 or x.shape[1] != self.num_features:
            raise ValueError(
                f"BatchNorm1d({self.num_features}) expected (N, {self.num_features}), got {x.shape}"
            )
        self.of_batch = self.training or not self.track_running_stats
        if self.of_batch:
            if self.training and len(x) < 2:
                raise ValueError(
                    "BatchNorm1d expected at least two rows in training, got 1: their variance is 0. "
                    "Use a larger batch, or model.eval() to predict"
                )
            mean, var = x.mean(axis=0), x.var(axis=0)
            if self.training and self.track_running_stats:
                self.remember(mean, var * (len(x) / (len(x) - 1)))
        else:
            mean, var = self.running_mean, self.running_var
        self.inverse_std = (1 / np.sqrt(var + self.eps)).astype(x.dtype)  # (D,)
        self.x_hat = (x - mean) * self.inverse_std  # (N, D)
        return self.x_hat if self.weight is None else self.x_hat * self.weight.data + self.bias.data

    def remember(self, mean, var):
        """Move the running statistics towards those of this batch."""
        self.num_batches_tracked = self.num_batches_tracked + 1
        share = 1 / int(self.num_batches_tracked) if self.momentum is None else self.momentum
        self.running_mean = self.running_mean + share * (mean - self.running_mean)
        self.running_var = self.running_var + share * (var - self.running_var)

    def backward(self, grad_y):
        grad_x_hat = grad_y
        if self.weight is not None:
            self.weight.add_grad((grad_y * self.x_hat).sum(axis=0))
            self.bias.add_grad(grad_y.sum(axis=0))
            grad_x_hat = grad_y * self.weight.data
        if not self.of_batch:
            return grad_x_hat * self.inverse_std
        # every x moved the mean and the variance too: take those two directions out
        centred = grad_x_hat - grad_x_hat.mean(axis=0)
        return (centred - self.x_hat * (grad_x_hat * self.x_hat).mean(axis=0)) * self.inverse_std

    def extra_repr(self):
        return f"{self.num_features}, eps={self.eps}, momentum={self.momentum}"
