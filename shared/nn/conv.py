"""Convolution as matrix products. (H, C, W, N) is the order of the numbers in memory, explained in ``layout``."""

import math

import numpy as np

from shared import checks
from shared.nn import init
from shared.nn.layout import out_size, shifts, stack, to_batch, to_rows
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
        bound = 1 / math.sqrt(init.fans(self.weight.shape)[0])
        for parameter in self.parameters():
            init.uniform_(parameter, -bound, bound, rng=rng)

    def forward(self, x):
        self.x_shape = x.shape
        self.lowered = self._lower(to_rows(x))
        y = self._weight(2, 3, 1) @ self._windows()  # (G, H', F/G, W' N)
        y = y.swapaxes(0, 1).reshape(y.shape[1], self.out_channels, -1, len(x))  # (H', F, W', N)
        if self.bias is not None:
            y += self.bias.data[:, None, None]
        self.y_shape = to_batch(y).shape
        return to_batch(y)

    def backward(self, grad_y):
        checks.gradient(self, grad_y, self.y_shape)
        rows = to_rows(grad_y)  # (H', F, W', N)
        matrices = rows.reshape(len(rows), self.groups, -1, rows.shape[2] * rows.shape[3]).swapaxes(0, 1)
        if self.bias is not None:
            self.bias.add_grad(rows.sum(axis=(0, 2, 3)))
        windows, grad_weight = self._windows(), 0
        for h in range(len(rows)):  # every row of pixels is another meeting of kernel and image
            grad_weight = grad_weight + windows[:, h] @ matrices[:, h].swapaxes(1, 2)  # (G, K K C/G, F/G)
        K, L = self.kernel_size
        grad_weight = grad_weight.reshape(self.groups, K, L, -1, self.out_channels // self.groups)
        self.weight.add_grad(grad_weight.transpose(0, 4, 3, 1, 2).reshape(self.weight.shape))
        return to_batch(self._grad_x(matrices)) if self.input_grad else None

    def _lower(self, rows):
        """Copy each row K times, shifted by one pixel more each time: (H, C, W, N) -> (G, H + 2p, K, C/G, W', N)."""
        (H, C, W, N), (K, L), G = rows.shape, self.kernel_size, self.groups
        across = self._across(W)
        width = out_size(W, *across)
        lowered = np.zeros((G, H + 2 * self.padding[0], L, C // G, width, N), rows.dtype)
        inner = lowered[:, self.padding[0] : self.padding[0] + H]
        for place, outputs, pixels in shifts(W, *across):
            inner[:, :, place, :, outputs] = rows.reshape(H, G, C // G, W, N).swapaxes(0, 1)[..., pixels, :]
        return lowered

    def _windows(self):
        """The image as the kernel meets it, one matrix for each row of the output: (G, H', K K C/G, W' N)."""
        H = out_size(self.x_shape[2], self.kernel_size[0], self.stride[0], self.padding[0], self.dilation[0])
        return stack(self.lowered, self.kernel_size[0], H, self.stride[0], self.dilation[0])

    def _weight(self, *axes):
        """The kernels as one matrix for each group: (G, 1, F/G, …), `axes` of (F, C, K, K) multiplied out."""
        weight = self.weight.data.reshape(self.groups, -1, *self.weight.shape[1:])
        return weight.transpose(0, 1, *(axis + 1 for axis in axes)).reshape(
            self.groups, 1, weight.shape[1], -1
        )

    def _across(self, W):
        return self.kernel_size[1], self.stride[1], self.padding[1], self.dilation[1]

    def _grad_x(self, matrices):
        """Each pixel gets the gradients of the outputs that it went into, through the same weights."""
        (N, C, H, W), (K, L), G = self.x_shape, self.kernel_size, self.groups
        reach, p = self.dilation[0] * (K - 1), self.padding[0]
        across = self._across(W)
        width = out_size(W, *across)
        spread = np.zeros((G, H + 2 * p + reach, *matrices.shape[2:3], width, N), matrices.dtype)
        spread[:, reach : reach + self.stride[0] * matrices.shape[1] : self.stride[0]] = matrices.reshape(
            G, -1, *spread.shape[2:]
        )
        below = stack(spread[:, p:], K, H, 1, self.dilation[0])  # (G, H, K F/G, W' N)
        weight = self.weight.data.reshape(G, -1, *self.weight.shape[1:])[:, :, :, ::-1]
        weight = weight.transpose(0, 4, 2, 3, 1).reshape(G, L * C // G, -1)  # (G, L C/G, K F/G)
        grad_x = np.zeros((H, G, C // G, W, N), matrices.dtype)
        for h in range(H):
            shifted = (weight @ below[:, h]).reshape(G, L, C // G, width, N)
            for place, outputs, pixels in shifts(W, *across):
                grad_x[h][:, :, pixels] += shifted[:, place, :, outputs]
        return grad_x.reshape(H, C, W, N)

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
