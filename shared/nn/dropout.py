"""Dropout: a network that can't rely on any one of its units."""

import numpy as np

from shared import checks, default_rng
from shared.nn.module import Module


class Dropout(Module):
    """In training, each number becomes 0 with probability p and the others grow by 1 / (1 - p); else nothing happens.

    Shapes: x (…) -> y (…). The mean of y over many draws is x, in both modes.
    Raises ValueError when p is not from 0 to 1.
    Source: Srivastava et al. (2014), scaled in training as torch.nn.Dropout does.
    Built in 03-backpropagation/07-regularisation.ipynb.
    """

    def __init__(self, p=0.5, *, rng=None):
        if not isinstance(p, (int, float)) or not 0 <= p <= 1:
            raise ValueError(f"Dropout expected p from 0 to 1, got {p!r}: it is the share that is dropped")
        self.p, self.rng = p, rng

    def forward(self, x):
        self.x_shape = x.shape
        if not self.training:
            self.mask = None
            return x
        alone = self.alone(x)
        kept = default_rng(self.rng).random(alone.shape, dtype=np.float32) >= self.p
        self.mask = np.zeros_like(alone)  # in the memory order of x
        if self.p < 1:
            np.divide(kept, x.dtype.type(1 - self.p), out=self.mask)
        return x * self.mask

    def alone(self, x):
        """The numbers of x that are kept or dropped each on its own."""
        return x

    def backward(self, grad_y):
        checks.gradient(self, grad_y, self.x_shape)
        return grad_y if self.mask is None else grad_y * self.mask

    def extra_repr(self):
        return f"p={self.p}"


class Dropout2d(Dropout):
    """Dropout of whole channels: the pixels of one are so alike that dropping some of them would change little.

    Shapes: x (N, C, H, W) -> y (N, C, H, W).
    Raises ValueError when p is not from 0 to 1 or x is not (N, C, H, W).
    Source: Tompson et al. (2015), section 3.2; torch.nn.Dropout2d.
    Built in 05-cnn/05-lenet.ipynb.
    """

    def alone(self, x):
        return x[:, :, :1, :1]  # the others of a channel go with its first

    def check(self, x):
        checks.images(self, x)
