"""The bends: functions applied to each number on its own, without which a stack of layers would be one layer.

Shapes everywhere: x (…) -> y (…), the same shape and dtype.
"""

import math

import numpy as np

from shared import checks
from shared.nn.module import Module


class Sigmoid(Module):
    """1 / (1 + exp(-x)): any number becomes a probability. Stable at any size, by way of tanh.

    Source: Goodfellow, Bengio & Courville, Deep Learning, section 3.10; torch.nn.Sigmoid.
    Built in 02-neural-net-basics/03-activations.ipynb.
    """

    def forward(self, x):
        self.y = 0.5 + 0.5 * np.tanh(0.5 * x)
        return self.y

    def backward(self, grad_y):
        checks.gradient(self, grad_y, self.y.shape)
        return grad_y * self.y * (1 - self.y)


class Tanh(Module):
    """The hyperbolic tangent: between -1 and 1, centred on 0.

    Source: LeCun et al. (1998), Efficient BackProp, section 4.4; torch.nn.Tanh.
    Built in 02-neural-net-basics/03-activations.ipynb.
    """

    def forward(self, x):
        self.y = np.tanh(x)
        return self.y

    def backward(self, grad_y):
        checks.gradient(self, grad_y, self.y.shape)
        return grad_y * (1 - self.y**2)


class ReLU(Module):
    """max(x, 0): what is negative becomes 0, and gets no gradient; at 0 the gradient is 0, as in PyTorch.

    Source: Nair & Hinton (2010); torch.nn.ReLU.
    Built in 02-neural-net-basics/03-activations.ipynb.
    """

    def forward(self, x):
        self.active = x > 0
        return np.maximum(x, 0)

    def backward(self, grad_y):
        checks.gradient(self, grad_y, self.active.shape)
        return grad_y * self.active


class LeakyReLU(Module):
    """x where it is positive, negative_slope * x elsewhere: no unit is ever dead.

    Source: Maas, Hannun & Ng (2013); torch.nn.LeakyReLU.
    Built in 02-neural-net-basics/03-activations.ipynb.
    """

    def __init__(self, negative_slope=0.01):
        self.negative_slope = float(negative_slope)

    def forward(self, x):
        self.active = x > 0
        return np.where(self.active, x, self.negative_slope * x)

    def backward(self, grad_y):
        checks.gradient(self, grad_y, self.active.shape)
        return np.where(self.active, grad_y, self.negative_slope * grad_y)

    def extra_repr(self):
        return f"negative_slope={self.negative_slope}"


class ELU(Module):
    """x where it is positive, alpha * (exp(x) - 1) elsewhere: smooth, and down to -alpha.

    Source: Clevert, Unterthiner & Hochreiter (2016); torch.nn.ELU.
    Built in 02-neural-net-basics/03-activations.ipynb.
    """

    def __init__(self, alpha=1.0):
        self.alpha = float(alpha)

    def forward(self, x):
        self.active, self.below = x > 0, self.alpha * np.expm1(np.minimum(x, 0))
        return np.where(self.active, x, self.below)

    def backward(self, grad_y):
        checks.gradient(self, grad_y, self.active.shape)
        return np.where(self.active, grad_y, grad_y * (self.below + self.alpha))


class GELU(Module):
    """x * Phi(x): each number weighted by the chance that a standard normal one is smaller.

    approximate: "none" (the error function) or "tanh". Raises ValueError for another value.
    Source: Hendrycks & Gimpel (2016); torch.nn.GELU.
    Built in 02-neural-net-basics/03-activations.ipynb.
    """

    def __init__(self, approximate="none"):
        checks.choice(self, "approximate", approximate, ("none", "tanh"))
        self.approximate = approximate

    def forward(self, x):
        self.x = x
        if self.approximate == "tanh":
            self.t = np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x * x * x))
            return 0.5 * x * (1 + self.t)
        self.phi = 0.5 * (1 + _erf(x / math.sqrt(2)))
        return x * self.phi

    def backward(self, grad_y):
        checks.gradient(self, grad_y, self.x.shape)
        x = self.x
        if self.approximate == "tanh":
            inner = math.sqrt(2 / math.pi) * (1 + 3 * 0.044715 * x * x)
            return grad_y * (0.5 * (1 + self.t) + 0.5 * x * (1 - self.t**2) * inner)
        density = np.exp(-0.5 * x * x) / math.sqrt(2 * math.pi)
        return grad_y * (self.phi + x * density)


class SiLU(Module):
    """x * sigmoid(x), also called swish.

    Source: Elfwing, Uchibe & Doya (2018), eq. 5; torch.nn.SiLU.
    Built in 02-neural-net-basics/03-activations.ipynb.
    """

    def forward(self, x):
        self.x, self.s = x, 0.5 + 0.5 * np.tanh(0.5 * x)
        return x * self.s

    def backward(self, grad_y):
        checks.gradient(self, grad_y, self.x.shape)
        return grad_y * self.s * (1 + self.x * (1 - self.s))


class Softmax(Module):
    """Turn scores into probabilities that add up to 1 along `dim`, by default the last axis.

    The largest score is subtracted first, so that exp never overflows.
    Source: Bridle (1990); torch.nn.Softmax.
    Built in 02-neural-net-basics/03-activations.ipynb.
    """

    def __init__(self, dim=-1):
        self.dim = dim

    def forward(self, x):
        exp = np.exp(x - x.max(axis=self.dim, keepdims=True))
        self.y = exp / exp.sum(axis=self.dim, keepdims=True)
        return self.y

    def backward(self, grad_y):
        checks.gradient(self, grad_y, self.y.shape)
        shared = (grad_y * self.y).sum(axis=self.dim, keepdims=True)
        return self.y * (grad_y - shared)


def _erf(x):
    """The error function, number by number: NumPy has none. The float64 value, in the dtype of x."""
    return np.asarray(np.frompyfunc(math.erf, 1, 1)(x)).astype(x.dtype)
