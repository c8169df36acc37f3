"""Convolution without im2col: some rows of an image are a matrix as they lie in memory, and the kernel is another.

Images are (H, C, W, N) in memory (see ``layout``). The K rows of an image that a kernel covers lie one behind the
other: a matrix, K C deep and W N wide. The kernel's K columns, one below the other, are a matrix too, (K F, K C). The
product is what each column of the kernel sees at each pixel, and K shifted additions make a row of the output of it:

    y[h, :, w] = sum over j of (weight[j] @ rows[h : h + K])[:, w + j]

Backward, the image gets the same product, of grad_y and the mirrored kernel. Nothing is copied, whatever K is; an image
is padded nowhere, since what hangs over its edge is left out of the sums.
"""

import math

import numpy as np

from shared import checks
from shared.nn import init
from shared.nn.layout import (
    above,
    below,
    beside,
    out_size,
    parts,
    sums,
    to_batch,
    to_rows,
    together,
    unbuffered,
    windows,
)
from shared.nn.module import Module, Parameter


class Conv2d(Module):
    """Slide kernels over the image: each output pixel is a weighted sum of the pixels that a kernel covers there.

    Shapes: x (N, in_channels, H, W) -> y (N, out_channels, H', W'), H' = (H + 2p - d(K - 1) - 1) // s + 1 for padding
    p, dilation d, stride s; weight (out_channels, in_channels / groups, K, K), bias (out_channels,). What has an H and
    a W may be a pair (of H, of W).
    Raises ValueError when x is not (N, in_channels, H, W), is smaller than the kernel, or an option makes no sense;
    TypeError when its dtype is not that of the weights.
    Source: LeCun et al. (1989); torch.nn.Conv2d, parameters and start too. "Convolution" is cross-correlation here.
    Built in 05-cnn/04-im2col.ipynb.
    """

    def __init__(
        self,
        in_channels,
        out_channels,
        kernel_size,
        stride=1,
        padding=0,
        dilation=1,
        groups=1,
        bias=True,
        *,
        rng=None,
    ):
        checks.channels(self, in_channels, out_channels, groups)
        self.in_channels, self.out_channels, self.groups = in_channels, out_channels, groups
        self.kernel_size = checks.pair_of_sizes(self, "kernel_size", kernel_size)
        self.stride = checks.pair_of_sizes(self, "stride", stride)
        self.padding = checks.pair_of_sizes(self, "padding", padding, at_least=0)
        self.dilation = checks.pair_of_sizes(self, "dilation", dilation)
        self.weight = Parameter(np.zeros((out_channels, in_channels // groups, *self.kernel_size)))
        self.bias = Parameter(np.zeros(out_channels)) if bias else None
        few = in_channels // groups < 8 or self.stride[1] > 1
        self.lowers = few and max(self.kernel_size[1], self.stride[1]) > 1
        bound = 1 / math.sqrt(init.fans(self.weight.shape)[0])
        for parameter in self.parameters():
            init.uniform_(parameter, -bound, bound, rng=rng)

    @unbuffered
    def forward(self, x):
        self.x_shape, rows = x.shape, self._in_groups(to_rows(x))
        self.rows = self._lower(rows) if self.lowers else rows  # (H, G, C, W, N)
        H, W = self._out_size()
        y = np.empty((H, self.out_channels, W, len(x)), x.dtype)
        bias = None if self.bias is None else self.bias.data.reshape(self.groups, -1, 1, 1)
        _correlate(self.rows, self._kernel(), bias, self._in_groups(y), *self._meetings())
        return to_batch(y)

    @unbuffered
    def backward(self, grad_y):
        N, C, H, W = self.x_shape
        checks.gradient(self, grad_y, (N, self.out_channels, *self._out_size()), self.weight)
        grad_y, kernel = to_rows(grad_y), self._kernel()
        if self.bias is not None:
            self.bias.add_grad(sums(grad_y))
        grad_y, (down, across) = self._in_groups(grad_y), self._meetings()
        self.weight.add_grad(self._weight(_kernel_gradient(self.rows, kernel.shape, grad_y, down, across)))
        if self.input_grad:  # what a pixel gave to its surroundings comes back to it: the kernel mirrored
            grad_rows, mirrored = np.empty_like(self.rows), kernel[..., ::-1, :].transpose(0, 1, 4, 3, 2)
            up, back = above(H, *self._options(0)), [(column, x, y) for column, y, x in across]
            _correlate(grad_y, np.ascontiguousarray(mirrored), None, grad_rows, up, back)
            return to_batch((self._raise(grad_rows) if self.lowers else grad_rows).reshape(H, C, W, N))

    def _in_groups(self, rows):
        return rows.reshape(len(rows), self.groups, -1, *rows.shape[2:])

    def _kernel(self):
        """The weight as (G, columns, F/G, rows, C/G); with lowered rows (G, 1, F/G, rows, columns * C/G)."""
        weight = self.weight.data.reshape(self.groups, -1, *self.weight.shape[1:])
        kernel = np.ascontiguousarray(weight.transpose(0, *((1, 3, 4, 2) if self.lowers else (4, 1, 3, 2))))
        return kernel.reshape(self.groups, 1, *kernel.shape[1:3], -1) if self.lowers else kernel

    def _weight(self, kernel):
        """The way back from _kernel."""
        F, C, rows, columns = self.weight.shape
        if self.lowers:
            kernel = kernel.reshape(self.groups, -1, rows, columns, C).transpose(0, 1, 4, 2, 3)
        else:
            kernel = kernel.transpose(0, 2, 4, 3, 1)
        return kernel.reshape(F, C, rows, columns)

    def _lower(self, rows):
        """Make the columns of the kernel channels, by a copy for each: (H, G, C, W, N) -> (H, G, columns * C, W', N).

        A kernel of one column is left. Worth it where few channels make flat matrices, or a stride skips pixels.
        """
        H, G, C, W, N = rows.shape
        lowered = np.zeros((H, G, self.kernel_size[1], C, self._out_size()[1], N), rows.dtype)
        for column, outputs, pixels in beside(W, *self._options(1)):
            lowered[:, :, column, :, outputs] = rows[..., pixels, :]
        return lowered.reshape(H, G, -1, *lowered.shape[4:])

    def _raise(self, grad_rows):
        """The way back: each pixel gets the sum of the gradients of its copies."""
        N, C, H, W = self.x_shape
        raised = np.zeros((H, self.groups, C // self.groups, W, N), grad_rows.dtype)
        grad_rows = grad_rows.reshape(H, self.groups, self.kernel_size[1], -1, *grad_rows.shape[3:])
        for column, outputs, pixels in beside(W, *self._options(1)):
            raised[..., pixels, :] += grad_rows[:, :, column, :, outputs]
        return raised

    def _meetings(self):
        """Where kernel rows meet image rows, for some rows of the output at a time; and the same for columns."""
        H, W = self.x_shape[2:]
        across = ((0, slice(None), slice(None)),) if self.lowers else beside(W, *self._options(1))
        return below(H, *self._options(0)), across

    def _options(self, axis):
        return self.kernel_size[axis], self.stride[axis], self.padding[axis], self.dilation[axis]

    def _out_size(self):
        return tuple(out_size(self.x_shape[2 + axis], *self._options(axis)) for axis in (0, 1))

    def check(self, x):
        checks.images(self, x, self.in_channels, self.weight)
        checks.covers(self, x, self.kernel_size, self.padding, self.dilation)

    def extra_repr(self):
        told = (
            f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"
        )
        for name, usual in {"padding": (0, 0), "dilation": (1, 1), "groups": 1}.items():
            if getattr(self, name) != usual:
                told += f", {name}={getattr(self, name)}"
        return told + ("" if self.bias is not None else ", bias=False")


def _correlate(rows, kernel, bias, y, down, across):
    """Fill y (H', G, F, W', N) with bias, plus what kernel (G, J, F, K, C) sees of rows (H, G, C, W, N)."""
    (G, J, F, _, _), (W, N) = kernel.shape, rows.shape[3:]
    at_once = J == 1 and y.shape[3] == W  # one column that sees each pixel once: the product is the output
    number, start = together(len(y), J * F * W * N), 0 if bias is None else bias
    everywhere = slice(0, y.shape[3], 1)
    whole = [met for met in across if met[1] == everywhere][:1]  # it reaches every place: no zeros first
    others = [met for met in across if met not in whole]
    room = None if at_once else np.empty((number, G, J, F, W, N), rows.dtype)
    for outputs, kernel_rows, image_rows, stride in down:
        matrix, image = _matrix(kernel[:, :, :, kernel_rows]), windows(rows, image_rows, outputs, stride)
        for some, those in parts(outputs, number):
            y_rows = y[some]
            seen = y_rows[:, :, None] if at_once else room[: len(y_rows)]  # by each column of the kernel
            np.matmul(matrix, _stacks(image[those]), out=seen.reshape(len(seen), G, J * F, W * N))
            if not at_once:
                for column, _, pixels in whole:
                    np.add(seen[:, :, column, :, pixels], start, out=y_rows)
                if not whole:
                    y_rows[...] = start
                for column, places, pixels in others:
                    y_rows[..., places, :] += seen[:, :, column, :, pixels]
            elif bias is not None:
                y_rows += bias


def _kernel_gradient(rows, shape, grad_y, down, across):
    """The gradient of the kernel (G, J, F, K, C): for each of its numbers, the pixels it met times grad_y there."""
    (G, J, F, K, C), (W, N) = shape, rows.shape[3:]
    grad_kernel = np.zeros((G, K, C, J * F), rows.dtype)
    at_once = J == 1 and grad_y.shape[3] == W
    number = together(len(grad_y), J * F * W * N)
    room = None if at_once else np.zeros((number, G, J, F, W, N), rows.dtype)  # stays 0 beyond the edge
    for outputs, kernel_rows, image_rows, stride in down:
        image = windows(rows, image_rows, outputs, stride)
        for some, those in parts(outputs, number):
            seen = grad_y[some] if at_once else room[: some.stop - some.start]
            for column, places, pixels in [] if at_once else across:
                seen[:, :, column, :, pixels] = grad_y[some][..., places, :]
            seen = seen.reshape(len(seen), G, J * F, W * N)
            pixels = _stacks(image[those])
            if pixels.shape[2] < J * F:  # the same product, taller than wide: BLAS multiplies that faster
                products = (seen @ pixels.swapaxes(2, 3)).swapaxes(2, 3)
            else:
                products = pixels @ seen.swapaxes(2, 3)
            for product in products:
                grad_kernel[:, kernel_rows] += product.reshape(G, -1, C, J * F)
    return grad_kernel.reshape(G, K, C, J, F).transpose(0, 3, 4, 1, 2)


def _matrix(kernel):
    """(G, J, F, K, C) -> (G, J F, K C)."""
    G, J, F, K, C = kernel.shape
    return kernel.reshape(G, J * F, K * C)


def _stacks(windows):
    """(H', K, G, C, W, N) -> (H', G, K C, W N): a view, unless there are several groups, or dilation skips rows."""
    count, K, G, C, W, N = windows.shape
    return windows.swapaxes(1, 2).reshape(count, G, K * C, W * N)
