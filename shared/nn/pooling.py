"""Pooling: make images smaller, by the largest or the mean of the pixels that a window covers."""

import numpy as np

from shared import checks
from shared.nn.layout import below, out_size, parts, to_batch, to_rows, together, unbuffered, windows
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

    @unbuffered
    def forward(self, x):
        rows, (p, q), (K, L) = to_rows(x), self.padding, self.kernel_size  # (H, C, W, N)
        if p or q:
            rows = np.pad(rows, ((p, p), (0, 0), (q, q), (0, 0)), constant_values=-np.inf)
        self.x_shape, self.padded_shape = x.shape, rows.shape
        H, W = (out_size(*sizes, 0) for sizes in zip(rows.shape[::2], (K, L), self.stride, strict=True))
        y = np.empty((H, rows.shape[1], W, len(x)), x.dtype)
        self.wins_beside = np.empty((L - 1, H, K, *y.shape[1:]), bool)
        self.wins_below = np.empty((K - 1, H, *y.shape[1:]), bool)
        for outputs, places in self._places(rows, y.shape):
            places = [np.array(place, order="C") for place in places]  # L of (h, K, C, W', N)
            wide = _largest(places, self.wins_beside[:, outputs]).swapaxes(0, 1)
            y[outputs] = _largest(wide, self.wins_below[:, outputs])
        self.y_shape = to_batch(y).shape
        return to_batch(y)

    @unbuffered
    def backward(self, grad_y):
        checks.gradient(self, grad_y, self.y_shape)
        grad_y, (p, q), (H, W), (K, L) = to_rows(grad_y), self.padding, self.x_shape[2:], self.kernel_size
        apart = all(stride >= size for stride, size in zip(self.stride, (K, L), strict=True))
        grad_rows = np.zeros(self.padded_shape, grad_y.dtype)
        for outputs, places in self._places(grad_rows, grad_y.shape, apart):
            wide = _to_the_largest(grad_y[outputs], self.wins_below[:, outputs]).swapaxes(0, 1)
            for place, grad in zip(places, _to_the_largest(wide, self.wins_beside[:, outputs]), strict=True):
                place[...] = grad if apart else place + grad  # apart: no pixel is in two windows
        return to_batch(grad_rows[p : p + H, :, q : q + W])

    def _places(self, rows, y_shape, apart=True):
        """Some rows of the output at a time, one if windows overlap, and what stands in each column of their windows.

        Those are L views (h, K, C, W', N).
        """
        H, C, W, N = y_shape
        (K, L), (down, across) = self.kernel_size, self.stride
        last = (W - 1) * across + 1
        for outputs, _, first, stride in below(len(rows), K, down, 0):
            found = windows(rows, first, outputs, stride)
            for some, those in parts(outputs, together(H, K * L * C * W * N) if apart else 1):
                yield some, [found[those, :, :, column : column + last : across] for column in range(L)]

    def check(self, x):
        checks.images(self, x)
        checks.covers(self, x, self.kernel_size, self.padding)

    def extra_repr(self):
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


def _largest(places, wins):
    """The largest number of several places, in a knock-out: who comes later wins only by being larger."""
    first, *others = places
    for other, won in zip(others, wins, strict=True):
        np.greater(other, first, out=won)
        np.maximum(first, other, out=first)
    return first


def _to_the_largest(grad, wins):
    """The way back: from the last match to the first, the gradient goes to the winner."""
    grad_places = np.empty((len(wins) + 1, *grad.shape), grad.dtype)
    grad_places[0] = grad
    for part, won in zip(grad_places[:0:-1], wins[::-1], strict=True):
        np.copyto(part, won)
        part *= grad_places[0]
        grad_places[0] -= part
    return grad_places


class _Averages(Module):
    """Means along both axes are two matrix products: y = A x Bᵀ, and back, grad_x = Aᵀ grad_y B.

    So NaN or infinity in one pixel reaches its whole channel, not only the windows that cover it.
    """

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
