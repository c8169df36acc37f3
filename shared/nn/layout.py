"""The memory of an image batch: (N, C, H, W) for everybody who reads its shape, (H, C, W, N) inside, as a view.

A row of pixels is then one matrix, C deep and W * N wide, and rows that lie below each other in the image lie behind
each other in memory: K of them are one matrix too, K * C deep, and nothing has to be copied. Functions that treat each
number on its own keep the order (that is NumPy's rule), so it is made once, by the first layer, and undone by Flatten.
"""

import numpy as np
from numpy.lib.stride_tricks import as_strided

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


def shifts(size, kernel, stride, padding, dilation=1):
    """For each number of the kernel: (its place, the outputs where it meets the image, the pixels that it meets there).

    Outputs and pixels are slices; where a kernel hangs over the edge it meets padding, which is left out.
    """
    for place in range(kernel):
        shift = place * dilation - padding
        first = max(0, -(shift // stride))
        last = min(out_size(size, kernel, stride, padding, dilation), (size - 1 - shift) // stride + 1)
        if first < last:
            pixels = slice(first * stride + shift, (last - 1) * stride + shift + 1, stride)
            yield place, slice(first, last), pixels


def stack(rows, kernel, number, stride=1, dilation=1):
    """Windows of `kernel` rows, `stride` apart, as matrices: (G, H, …, W, N) -> (G, number, kernel * …, W * N).

    A view, however much the windows overlap; only rows that are not neighbours (dilation) have to be copied.
    """
    group, row = rows.strides[:2]
    shape = (len(rows), number, kernel, *rows.shape[2:])
    windows = as_strided(
        rows, shape, (group, stride * row, dilation * row, *rows.strides[2:]), writeable=False
    )
    return windows.reshape(len(rows), number, -1, rows.shape[-2] * rows.shape[-1])
