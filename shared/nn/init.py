"""How the weights of a layer begin: wide enough that the signal arrives, narrow enough that it does not explode.

Each function fills a Parameter or an array in place, keeps its dtype, and returns it, as in PyTorch:
``nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")``.
"""

import math

from shared import checks, default_rng
from shared.nn.module import Parameter


def uniform_(tensor, a=0.0, b=1.0, *, rng=None):
    """Fill with numbers from a to b, all equally likely.

    Source: torch.nn.init.uniform_.
    Built in 02-neural-net-basics/04-forward-pass.ipynb.
    """
    return _fill(tensor, default_rng(rng).uniform(a, b, tensor.shape))


def normal_(tensor, mean=0.0, std=1.0, *, rng=None):
    """Fill with numbers from a normal distribution.

    Source: torch.nn.init.normal_.
    Built in 03-backpropagation/06-initialisation.ipynb.
    """
    return _fill(tensor, default_rng(rng).normal(mean, std, tensor.shape))


def fans(shape):
    """How many inputs each output sees, and how many outputs each input feeds: (fan_in, fan_out).

    Shapes: (out, in) for Linear, (out, in, K, K) for a convolution, where each pixel of the kernel counts.
    Raises ValueError for fewer than two axes.
    Source: torch.nn.init, "fan in and fan out".
    Built in 03-backpropagation/06-initialisation.ipynb.
    """
    if len(shape) < 2:
        raise ValueError(
            f"fans expected the shape of a weight, (out, in) or (out, in, K, K), got {shape}: "
            "a bias is set by layer.bias.data[:] = 0"
        )
    field = math.prod(shape[2:])
    return shape[1] * field, shape[0] * field


def calculate_gain(nonlinearity, param=None):
    """By what factor the weights must grow to make up for what an activation takes away.

    nonlinearity: "linear", "sigmoid", "tanh", "relu", "leaky_relu" (param: its slope, 0.01 by default).
    Raises ValueError for another name.
    Source: torch.nn.init.calculate_gain; for relu He et al. (2015), section 2.2.
    Built in 03-backpropagation/06-initialisation.ipynb.
    """
    slope = 0.01 if param is None else param
    gains = {"linear": 1.0, "sigmoid": 1.0, "tanh": 5 / 3, "relu": math.sqrt(2)}
    gains["leaky_relu"] = math.sqrt(2 / (1 + slope**2))
    checks.choice(calculate_gain, "nonlinearity", nonlinearity, list(gains))
    return gains[nonlinearity]


def xavier_uniform_(tensor, gain=1.0, *, rng=None):
    """Uniform weights that keep the variance of signals, averaged over both directions.

    Source: Glorot & Bengio (2010), eq. 16; torch.nn.init.xavier_uniform_.
    Built in 03-backpropagation/06-initialisation.ipynb.
    """
    bound = gain * math.sqrt(6 / sum(fans(tensor.shape)))
    return uniform_(tensor, -bound, bound, rng=rng)


def xavier_normal_(tensor, gain=1.0, *, rng=None):
    """Normal weights of the same variance as xavier_uniform_.

    Source: Glorot & Bengio (2010), eq. 12; torch.nn.init.xavier_normal_.
    Built in 03-backpropagation/06-initialisation.ipynb.
    """
    return normal_(tensor, std=gain * math.sqrt(2 / sum(fans(tensor.shape))), rng=rng)


def kaiming_uniform_(tensor, a=0, mode="fan_in", nonlinearity="leaky_relu", *, rng=None):
    """Uniform weights that keep the variance of signals through rectifiers (He's initialisation).

    a: the slope of leaky_relu; mode: "fan_in" keeps it forward, "fan_out" backward.
    Source: He et al. (2015), section 2.2; torch.nn.init.kaiming_uniform_.
    Built in 03-backpropagation/06-initialisation.ipynb.
    """
    bound = math.sqrt(3) * _kaiming_std(tensor.shape, a, mode, nonlinearity)
    return uniform_(tensor, -bound, bound, rng=rng)


def kaiming_normal_(tensor, a=0, mode="fan_in", nonlinearity="leaky_relu", *, rng=None):
    """Normal weights of the same variance as kaiming_uniform_.

    Source: He et al. (2015), section 2.2; torch.nn.init.kaiming_normal_.
    Built in 03-backpropagation/06-initialisation.ipynb.
    """
    return normal_(tensor, std=_kaiming_std(tensor.shape, a, mode, nonlinearity), rng=rng)


def _kaiming_std(shape, a, mode, nonlinearity):
    checks.choice(kaiming_normal_, "mode", mode, ("fan_in", "fan_out"))
    return calculate_gain(nonlinearity, a) / math.sqrt(fans(shape)[mode == "fan_out"])


def _fill(tensor, values):
    array = tensor.data if isinstance(tensor, Parameter) else tensor
    array[...] = values
    return tensor
