"""The memory of an image batch: (N, C, H, W) for everybody who reads its shape, (H, C, W, N) inside, as a view.

A row of pixels is then one matrix, C deep and W * N wide, and rows that lie below each other in the image lie behind
each other in memory: K of them are one matrix too, K * C deep, and nothing has to be copied. Functions that treat each
number on its own keep the order (that is NumPy's rule), so it is made once, by the first layer, and undone by Flatten.
"""

import functools

import numpy as np

CACHE = 2**17  # so many numbers, half a megabyte, are worked on at a time: they stay in the processor's cache

# Linux gives large arrays back to the system, and has to fill the next ones with zeros, page by page. When a block of
# nearly 32 MB has come and gone, glibc keeps what it has: a step of LeNet-5 takes 15 % less. Elsewhere nothing changes.
# So here one is made, and let go.
np.empty(31 * 2**20, np.uint8)

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


@functools.cache
def beside(size, kernel, stride, padding, dilation=1):
    """For each place of a kernel along an axis: (place, the outputs to which it gives, the pixels it meets), slices.

    Where a kernel hangs over the edge there is nothing to meet: it is left out.
    """
    met = _meetings(size, kernel, stride, padding, dilation)
    found = _slices(((k, o, x) for o, k, x in met), kernel)
    return [(k, outputs, pixels) for k, (outputs, pixels) in enumerate(found) if outputs.stop]


@functools.cache
def below(size, kernel, stride, padding, dilation=1):
    """Where outputs meet an image along an axis: (outputs, places of the kernel, pixels of the first output, stride).

    Outputs that meet the same places of the kernel stand together: mostly all but those at the edges.
    """
    met = _meetings(size, kernel, stride, padding, dilation)
    return _together(_slices(met, out_size(size, kernel, stride, padding, dilation)))


@functools.cache
def above(size, kernel, stride, padding, dilation=1):
    """The way back: (pixels, places of the mirrored kernel that met them, outputs of the first pixel, stride)."""
    met = _meetings(size, kernel, stride, padding, dilation)
    return _together(_slices(((x, kernel - 1 - k, o) for o, k, x in met), size))


def _together(found):
    """Put neighbours together that meet the same places."""
    blocks, first = [], 0
    for last in range(1, len(found) + 1):
        if last == len(found) or found[last][0] != found[first][0]:
            places, partners = found[first]
            stride = found[first + 1][1].start - partners.start if last - first > 1 else 1
            blocks.append((slice(first, last), places, partners, stride))
            first = last
    return blocks


def sums(rows):
    """The sum of each channel, (H, C, ...) -> (C,): a product with ones adds faster than ``sum`` does."""
    matrices = rows.reshape(*rows.shape[:2], -1)
    return (matrices @ np.ones(matrices.shape[2], rows.dtype)).sum(axis=0)


def windows(rows, first, outputs, stride):
    """(H, ...) -> (H', K, ...): the first K rows, those `stride` rows below them, and so on. A view."""
    (below, *inside), step = rows.strides, first.step or 1
    shape = outputs.stop - outputs.start, len(range(first.start, first.stop, step)), *rows.shape[1:]
    return np.ndarray(shape, rows.dtype, rows, first.start * below, (stride * below, step * below, *inside))


def together(rows, numbers):
    """How many of so many rows, of so many numbers each, are best worked on at a time."""
    return max(1, min(rows, CACHE // numbers))


def parts(rows, number):
    """Cut a slice into pieces: (piece, where it is in the slice)."""
    for start in range(rows.start, rows.stop, number):
        stop = min(start + number, rows.stop)
        yield slice(start, stop), slice(start - rows.start, stop - rows.start)


def _meetings(size, kernel, stride, padding, dilation):
    """All (output, place of the kernel, pixel of the image) that meet along an axis."""
    places = np.ndindex(out_size(size, kernel, stride, padding, dilation), kernel)
    found = [(output, place, output * stride - padding + place * dilation) for output, place in places]
    return [meeting for meeting in found if 0 <= meeting[2] < size]


def _slices(triples, count):
    """For each number below count: what stands beside it in the triples, which rises evenly, as two slices."""
    found = [[] for _ in range(count)]
    for number, *pair in triples:
        found[number].append(pair)
    nothing = slice(0, 0), slice(0, 0)
    return [tuple(map(_slice, *pairs)) if pairs else nothing for pairs in found]


def _slice(first, *others):
    """Numbers that rise evenly, as a slice."""
    step = others[0] - first if others else 1
    return slice(first, (others or (first,))[-1] + 1, step)


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
