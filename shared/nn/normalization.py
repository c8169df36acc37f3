"""Batch normalisation: bring each feature to mean 0 and variance 1 over the batch, then to where it wants to be."""

import numpy as np

from shared import checks
from shared.nn.layout import sums, to_batch, to_rows, unbuffered
from shared.nn.module import Module, Parameter


class _BatchNorm(Module):
    """What batch normalisation keeps: a scale and a shift for each feature, and the running statistics."""

    buffers = ("running_mean", "running_var", "num_batches_tracked")

    def __init__(self, num_features, eps=1e-5, momentum=0.1, affine=True, track_running_stats=True):
        checks.sizes(self, num_features, "features", "as many as the layer before has outputs")
        self.num_features, self.eps = num_features, checks.not_negative(self, "eps", eps)
        self.momentum = None if momentum is None else checks.not_negative(self, "momentum", momentum)
        self.track_running_stats = track_running_stats
        self.weight = Parameter(np.ones(num_features)) if affine else None
        self.bias = Parameter(np.zeros(num_features)) if affine else None
        self.running_mean = np.zeros(num_features, np.float32)
        self.running_var = np.ones(num_features, np.float32)
        self.num_batches_tracked = np.array(0, np.int64)
        if not track_running_stats:
            self.buffers = ()

    def measures(self):
        """Whether the batch gives mean and variance, not what is remembered."""
        return self.training or not self.track_running_stats

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
        self.of_batch = self.measures()
        if self.of_batch:
            mean, var = x.mean(axis=0), x.var(axis=0)  # (D,)
        if self.training and self.track_running_stats:
            self.remember(mean, var * len(x) / (len(x) - 1))
        self.inverse_std = 1 / np.sqrt(var + self.eps)  # (D,)
        self.x_hat = (x - mean) * self.inverse_std  # (N, D)
        return self.x_hat if self.weight is None else self.x_hat * self.weight.data + self.bias.data

    def backward(self, grad_y):
        checks.gradient(self, grad_y, self.x_hat.shape, self.weight)
        if self.weight is not None:
            self.weight.add_grad((grad_y * self.x_hat).sum(axis=0))
            self.bias.add_grad(grad_y.sum(axis=0))
            grad_y = grad_y * self.weight.data  # now of x_hat
        if self.of_batch:  # every x moved the mean and the variance too: take those two directions out
            grad_y = grad_y - grad_y.mean(axis=0) - self.x_hat * (grad_y * self.x_hat).mean(axis=0)
        return grad_y * self.inverse_std

    def check(self, x):
        checks.rows(self, x, self.num_features, self.weight)
        if self.measures() and len(x) < 2:
            advice = "the variance of one is 0: take a larger batch, or model.eval() to predict"
            raise ValueError(f"{self!r} expected two rows or more in training, got {len(x)}: {advice}")


class BatchNorm2d(_BatchNorm):
    """BatchNorm1d for images: the features are the channels, and every pixel of every image is one example.

    Shapes: x (N, num_features, H, W) -> y (N, num_features, H, W).
    Raises ValueError for another shape and for a single pixel in training, TypeError for another dtype.
    Source: Ioffe & Szegedy (2015), section 3.2; torch.nn.BatchNorm2d.
    Built in 05-cnn/05-lenet.ipynb.
    """

    @unbuffered
    def forward(self, x):
        self.x_shape, self.rows = x.shape, _matrices(x)  # (H, C, W N); by rows all stays in the cache
        self.of_batch = self.measures()
        self.mean, var, count = self.running_mean[:, None], self.running_var, x.size // self.num_features
        if self.of_batch:
            self.mean = sums(self.rows)[:, None] / count  # (C, 1)
            var = sum(np.vecdot(row, row) for row in map(self._centred, self.rows)) / count
        if self.training and self.track_running_stats:
            self.remember(self.mean[:, 0], var * count / (count - 1))
        self.inverse_std = 1 / np.sqrt(var + self.eps)[:, None]  # (C, 1)
        y, scale, shift = np.empty_like(self.rows), self._scale(), -self.mean * self._scale()
        if self.bias is not None:
            shift += self.bias.data[:, None]
        for row, y_row in zip(self.rows, y, strict=True):
            np.multiply(row, scale, out=y_row)
            y_row += shift
        return self._images(y)

    @unbuffered
    def backward(self, grad_y):
        checks.gradient(self, grad_y, self.x_shape, self.weight)
        grad_y, count = _matrices(grad_y), grad_y.size // self.num_features
        grad_bias = sums(grad_y)
        # as if the rows were centred: in fewer passes, and a digit less precise where the mean is far from 0
        grad_weight = sum(map(np.vecdot, grad_y, self.rows)) - grad_bias * self.mean[:, 0]
        grad_weight *= self.inverse_std[:, 0]
        along, level = grad_weight[:, None] / count * self.inverse_std, grad_bias[:, None] / count
        grad_x, scale, shift = np.empty_like(grad_y), self._scale(), along * self.mean - level
        for grad, row, grad_row in zip(grad_y, self.rows, grad_x, strict=True):
            if self.of_batch:  # as in BatchNorm1d: (grad - along * centred - level) * scale
                np.multiply(row, along, out=grad_row)
                np.subtract(grad, grad_row, out=grad_row)
                grad_row += shift
                grad_row *= scale
            else:
                np.multiply(grad, scale, out=grad_row)
        if self.weight is not None:
            self.weight.add_grad(grad_weight)
            self.bias.add_grad(grad_bias)
        return self._images(grad_x)

    def _centred(self, row):
        return row - self.mean

    def _scale(self):
        return self.inverse_std if self.weight is None else self.inverse_std * self.weight.data[:, None]

    def _images(self, matrices):
        N, C, H, W = self.x_shape
        return to_batch(matrices.reshape(H, C, W, N))

    def check(self, x):
        checks.images(self, x, self.num_features, self.weight)
        if self.measures() and x.size == self.num_features:
            advice = "the variance of one is 0: take a larger batch, or model.eval() to predict"
            raise ValueError(f"{self!r} expected two pixels or more in training, got {x.shape}: {advice}")


def _matrices(x):
    """(N, C, H, W) -> (H, C, W N): for each row of pixels a matrix, a view of the memory of our layers."""
    rows = to_rows(x)
    return rows.reshape(*rows.shape[:2], -1)
