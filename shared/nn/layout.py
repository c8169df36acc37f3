"""The memory of an image batch: (N, C, H, W) for everybody who reads its shape, (H, C, W, N) inside, as a view.

A row of pixels is then one matrix, C deep and W * N wide, and rows that lie below each other in the image lie behind
each other in memory: K of them are one matrix too, K * C deep, and nothing has to be copied. Functions that treat each
number on its own keep the order (that is NumPy's rule), so it is made once, by the first layer, and undone by Flatten.
"""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

__all__ = []  # no lesson builds these alone: they are the inside of Conv2d and of pooling


def to_rows(x):
    """(N, C, H, W) -> (H, C, W, N), contiguous: a view when the batch came from one of our layers."""
    return np.ascontiguousarray(x.transpose(2, 1, 3, 0))


def to_batch(rows):
    """(H, C, W, N) -> (N, C, H, W), a view."""
    return rows.transpose(3, 1, 0, 2)


def out_size(size, kernel, stride, padding, dilation=1):
    """How many places a kernel takes along an axis."""
    return (size + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1


def beside(size, kernel, stride, padding, dilation=1):
    """For each number of a kernel along an axis: (its place, the outputs where it meets the image, the pixels it meets).

    Outputs and pixels are slices. Where the kernel hangs over the edge there is nothing to meet: it is left out.
    """
    for place in range(kernel):
        shift = place * dilation - padding
        first = max(0, -(shift // stride))
        last = min(out_size(size, kernel, stride, padding, dilation), (size - 1 - shift) // stride + 1)
        if first < last:
            start = first * stride + shift
            yield place, slice(first, last), slice(start, start + (last - 1 - first) * stride + 1, stride)


def pad_rows(rows, padding):
    """Rows of zeros above and below: (H, …) -> (H + 2p, …)."""
    if not padding:
        return rows
    padded = np.zeros((len(rows) + 2 * padding, *rows.shape[1:]), rows.dtype)
    padded[padding:-padding] = rows
    return padded


def row_windows(rows, kernel, stride, dilation):
    """The rows that each row of the output sees: (H, G, C, W, N) -> (H', G, K, C, W, N), a view."""
    windows = sliding_window_view(
        rows, dilation * (kernel - 1) + 1, axis=0, writeable=True
    )  # (…, G, C, W, N, reach)
    return np.moveaxis(windows[::stride, ..., ::dilation], -1, 2)
