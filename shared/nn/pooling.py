"""Pooling: make images smaller, by the largest or the mean of the pixels that a window covers."""

import numpy as np

from shared import checks
from shared.nn.layout import out_size, to_batch, to_rows
from shared.nn.module import Module


class MaxPool2d(Module):
    """The largest number in each window; the gradient goes to the pixel that it came from, the first of equal ones.

    Shapes: x (N, C, H, W) -> y (N, C, H', W'), H' = (H + 2p - K) // s + 1; stride s is by default kernel_size.
    Padding p counts as smaller than everything. What has an H and a W may be a pair.
    Raises ValueError when x is not (N, C, H, W) or smaller than the window, and for padding above half a window.
    Source: Riesenhuber & Poggio (1999); torch.nn.MaxPool2d.
    Built in 05-cnn/04-im2col.ipynb.
    """

    def __init__(self, kernel_size, stride=None, padding=0):
        self.kernel_size, self.stride, self.padding = checks.window(self, kernel_size, stride, padding)

    def forward(self, x):
        rows, (p, q) = to_rows(x), self.padding  # (H, C, W, N)
        if p or q:
            rows = np.pad(rows, ((p, p), (0, 0), (q, q), (0, 0)), constant_values=-np.inf)
        self.matches = []
        for axis, kernel, stride in zip((2, 0), self.kernel_size[::-1], self.stride[::-1], strict=True):
            rows, match = _largest(rows, axis, kernel, stride)  # of each row of the window, then of these
            self.matches.append(match)
        self.x_shape, self.y_shape = x.shape, to_batch(rows).shape
        return to_batch(rows)

    def backward(self, grad_y):
        checks.gradient(self, grad_y, self.y_shape)
        grad, (p, q), (H, W) = to_rows(grad_y), self.padding, self.x_shape[2:]
        for match in reversed(self.matches):
            grad = _to_the_largest(grad, *match)
        return to_batch(grad[p : p + H, :, q : q + W])

    def check(self, x):
        checks.images(self, x)
        checks.covers(self, x, self.kernel_size, self.padding)

    def extra_repr(self):
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


def _largest(rows, axis, kernel, stride):
    """The largest along one axis, in a knock-out: who comes later wins only by being larger."""
    first, *others = _places(rows, axis, kernel, stride)
    wins = []
    for other in others:
        wins.append(other > first)
        first = np.maximum(first, other)
    return first, (rows.shape, axis, kernel, stride, wins)


def _to_the_largest(grad, shape, axis, kernel, stride, wins):
    """The way back: from the last match to the first, the gradient goes to the winner."""
    apart = stride >= kernel  # no pixel is in two windows: its gradient is written, not added
    complete = stride == kernel and shape[axis] % kernel == 0  # every pixel is in a window
    grad_rows = (np.empty if complete else np.zeros)(shape, grad.dtype)
    first, *others = _places(grad_rows, axis, kernel, stride)
    for other, won in zip(reversed(others), reversed(wins), strict=True):
        part = np.multiply(grad, won, out=other if apart else None)
        if not apart:
            other += part
        grad = grad - part
    if apart:
        first[...] = grad
    else:
        first += grad
    return grad_rows


def _places(rows, axis, kernel, stride):
    """For each place in the window, the pixels which stand there: views."""
    last = (out_size(rows.shape[axis], kernel, stride, 0) - 1) * stride + 1
    front = (slice(None),) * axis
    return [rows[(*front, slice(place, place + last, stride))] for place in range(kernel)]


class _Averages(Module):
    """Means along both axes are two matrix products: y = A x Bᵀ, and back, grad_x = Aᵀ grad_y B."""

    def forward(self, x):
        self.down, self.across = (
            self.weights(size, axis).astype(x.dtype) for axis, size in enumerate(x.shape[2:])
        )
        self.y_shape = (*x.shape[:2], len(self.down), len(self.across))
        return to_batch(_both(self.down, self.across, to_rows(x)))

    def backward(self, grad_y):
        checks.gradient(self, grad_y, self.y_shape)
        return to_batch(_both(self.down.T, self.across.T, to_rows(grad_y)))


def _both(down, across, rows):
    """(H', H) and (W', W) matrices times (H, C, W, N) -> (H', C, W', N)."""
    narrow = across @ rows
    return (down @ narrow.reshape(len(narrow), -1)).reshape(len(down), *narrow.shape[1:])


class AvgPool2d(_Averages):
    """The mean of each window.

    Shapes: as MaxPool2d; padding counts as zeros.
    Raises ValueError as MaxPool2d does.
    Source: LeCun et al. (1990), "averaging/subsampling"; torch.nn.AvgPool2d.
    Built in 05-cnn/04-im2col.ipynb.
    """

    def __init__(self, kernel_size, stride=None, padding=0):
        self.kernel_size, self.stride, self.padding = checks.window(self, kernel_size, stride, padding)

    def weights(self, size, axis):
        """(H', H): what share of each output comes from which pixel."""
        kernel, stride, padding = self.kernel_size[axis], self.stride[axis], self.padding[axis]
        start = stride * np.arange(out_size(size, kernel, stride, padding))[:, None] - padding
        pixel = np.arange(size)
        return ((start <= pixel) & (pixel < start + kernel)) / kernel

    check, extra_repr = MaxPool2d.check, MaxPool2d.extra_repr


class AdaptiveAvgPool2d(_Averages):
    """As many means as asked for, of windows that cover the image evenly, whatever its size.

    Shapes: x (N, C, H, W) -> y (N, C, *output_size); output i is the mean of the pixels from floor(i H / H') to
    ceil((i + 1) H / H').
    Raises ValueError when x is not (N, C, H, W) or an output size is not a whole number above 0.
    Source: Lin, Chen & Yan (2014), section 3.2 (output_size 1); torch.nn.AdaptiveAvgPool2d.
    Built in 05-cnn/04-im2col.ipynb.
    """

    def __init__(self, output_size):
        self.output_size = checks.pair_of_sizes(self, "output_size", output_size)

    def weights(self, size, axis):
        """(H', H): what share of each output comes from which pixel."""
        number = self.output_size[axis]
        start = np.arange(number)[:, None] * size // number
        stop = -(-(np.arange(number)[:, None] + 1) * size // number)
        pixel = np.arange(size)
        return ((start <= pixel) & (pixel < stop)) / (stop - start)

    def check(self, x):
        checks.images(self, x)

    def extra_repr(self):
        return f"output_size={self.output_size}"
