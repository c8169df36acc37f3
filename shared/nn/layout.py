"""The memory of an image batch: (N, C, H, W) for everybody who reads its shape, (H, C, W, N) inside, as a view.

A row of pixels is then one matrix, C deep and W * N wide, and rows that lie below each other in the image lie behind
each other in memory: K of them are one matrix too, K * C deep, and nothing has to be copied. Functions that treat each
number on its own keep the order (that is NumPy's rule), so it is made once, by the first layer, and undone by Flatten.
"""

import functools

import numpy as np

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
    """For each number of a kernel along an axis: (place, outputs where it meets the image, pixels it meets).

    Outputs and pixels are slices. Where the kernel hangs over the edge there is nothing to meet: it is left out.
    """
    for place in range(kernel):
        shift = place * dilation - padding
        first = max(0, -(shift // stride))
        last = min(out_size(size, kernel, stride, padding, dilation), (size - 1 - shift) // stride + 1)
        if first < last:
            start = first * stride + shift
            yield place, slice(first, last), slice(start, start + (last - 1 - first) * stride + 1, stride)


def below(size, kernel, stride, padding, dilation=1):
    """For each output along an axis: (the places of the kernel that meet the image, the pixels they meet), slices."""
    for output in range(out_size(size, kernel, stride, padding, dilation)):
        shift = output * stride - padding
        first = max(0, -(shift // dilation))
        last = max(first, min(kernel, (size - 1 - shift) // dilation + 1))
        start, stop = shift + first * dilation, shift + (last - 1) * dilation + 1
        yield slice(first, last), slice(start, max(start, stop), dilation)


def unbuffered(function):
    """Let NumPy compute on rows of images where they lie.

    It gathers pieces of memory shorter than its buffer, 8,192 numbers, before it adds or multiplies, which takes longer
    than the sum. ``np.errstate`` puts the size of the buffer back.
    """

    @functools.wraps(function)
    def with_a_small_buffer(*arguments):
        with np.errstate():
            np.setbufsize(512)
            return function(*arguments)

    return with_a_small_buffer
