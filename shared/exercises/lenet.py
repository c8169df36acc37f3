"""The exercises of 05-cnn/05-lenet.ipynb."""

import numpy as np

from shared.exercises import Exercise

KERNELS = np.arange(1.0, 13).reshape(2, 1, 2, 3)
GAMMA, VAR = np.array([2.0, -1.0]), np.array([3.0, 8.0])
SQUARE = np.arange(1.0, 9).reshape(2, 2, 2, 1)
# Channel 0 tells the two images apart, channel 1 the two pixels.
BATCH = np.array([[[[0.0, 0]], [[1, 9]]], [[[4, 4]], [[1, 9]]]])
RAMP = np.arange(24.0).reshape(2, 3, 2, 2) ** 2


def _folded(weight, factor):
    return weight * np.reshape(factor, (-1, 1, 1, 1))


def _normalised(x, eps, axis=(0, 2, 3), outside=False):
    mean, var = x.mean(axis=axis, keepdims=True), x.var(axis=axis, keepdims=True)
    return (x - mean) / (np.sqrt(var) + eps if outside else np.sqrt(var + eps))


EXERCISES = {
    "05-05.1": Exercise(
        cases=[((), (44_426, 62_006))],
        mistakes={
            "C1 sees three channels: 75 weights in each of six kernels instead of 25.": lambda: (
                44_426,
                61_706,
            ),
            "28, 24, 12, 8, 4: what arrives at C5 is 16 maps of 4 by 4, not of 5 by 5.": lambda: (
                61_706,
                62_006,
            ),
            "There is one bias for each kernel, not one for each channel of it.": lambda: (44_426, 62_018),
        },
        hint="Follow the side: a convolution takes 4 away, pooling halves. One layer changes in each case.",
    ),
    "05-05.2": Exercise(
        cases=[
            ((KERNELS, GAMMA, VAR, 1.0), _folded(KERNELS, (1.0, -1 / 3))),
            ((SQUARE, GAMMA, VAR, 1.0), _folded(SQUARE, (1.0, -1 / 3))),
        ],
        mistakes={
            "Divide by the standard deviation: the root of var + eps.": lambda weight, gamma, var, eps: (
                _folded(weight, gamma / (var + eps))
            ),
            "Gamma, the learned scale, belongs to it too.": lambda weight, gamma, var, eps: _folded(
                weight, 1 / np.sqrt(var + eps)
            ),
            "The factor belongs to axis 0, the output channel: (F, 1, 1, 1).": lambda weight, gamma, var, eps: (
                weight * (gamma / np.sqrt(var + eps))[None, :, None, None]
            ),
        },
        hint="y = gamma (conv(x) - mean) / sqrt(var + eps) + beta, and conv is linear in its kernels.",
    ),
    "05-05.3": Exercise(
        cases=[((BATCH, 0.25), _normalised(BATCH, 0.25)), ((RAMP, 0.5), _normalised(RAMP, 0.5))],
        mistakes={
            "That gives each place of the image a mean of its own. A channel has one for all of them.": lambda x, eps: (
                _normalised(x, eps, axis=0)
            ),
            "That is picture by picture: how bright a picture is gets lost. Include axis 0.": lambda x, eps: (
                _normalised(x, eps, axis=(2, 3))
            ),
            "That is one mean for all channels.": lambda x, eps: _normalised(x, eps, axis=(0, 1, 2, 3)),
            "eps stands under the root.": lambda x, eps: _normalised(x, eps, outside=True),
        },
        hint="One mean and one variance for each channel: over axes 0, 2 and 3, with keepdims=True.",
    ),
    "05-05.4": Exercise(
        cases=[((1, 6, 5, 32), 122_304), ((6, 16, 5, 14), 241_600), ((3, 2, 3, 5), 504)],
        mistakes={
            "These are the parameters. Each is used at many places.": lambda inputs, outputs, kernel, size: (
                outputs * (inputs * kernel**2 + 1)
            ),
            "The biases are used at each place as well.": lambda inputs, outputs, kernel, size: (
                outputs * inputs * kernel**2 * (size - kernel + 1) ** 2
            ),
            "Without padding the map is smaller than the picture.": lambda inputs, outputs, kernel, size: (
                outputs * (inputs * kernel**2 + 1) * size**2
            ),
        },
        hint="outputs * (inputs * kernel² + 1) parameters, at (size - kernel + 1)² places.",
    ),
}
