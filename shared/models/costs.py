"""What a network costs, layer by layer: shapes, parameters, operations, memory."""

from typing import NamedTuple

import numpy as np

from shared import nn
from shared.questions import evaluating


class LayerSummary(NamedTuple):
    """One layer: its name and what it is, the shape of its output for one example, and what it costs."""

    name: str
    layer: str
    shape: tuple
    parameters: int
    flops: int
    memory: int


class Summary(NamedTuple):
    """All layers, and the sums of what they cost. Printed, it is a table."""

    layers: tuple
    parameters: int
    flops: int
    memory: int

    def __str__(self):
        lines = [f"{'name':24} {'layer':20} {'output':>16} {'parameters':>12} {'MFLOP':>10} {'KiB':>10}"]
        for name, layer, shape, parameters, flops, memory in self.layers:
            costs = f"{parameters:>12,} {flops / 1e6:>10,.2f} {memory / 1024:>10,.1f}"
            lines.append(f"{name:24} {layer:20} {' x '.join(map(str, shape)):>16} {costs}")
        costs = f"{self.parameters:>12,} {self.flops / 1e6:>10,.2f} {self.memory / 1024:>10,.1f}"
        return "\n".join([*lines, f"{'sum':24} {'':20} {'':>16} {costs}"])


def summary(model, shape):
    """What each layer of a network makes of one example, and what it costs.

    shape: of one example, such as (1, 28, 28). -> a Summary: for each layer the shape of its output, the number of
    parameters, flops (additions and multiplications of the matrix products of a forward pass; what is done to each
    number on its own is left out), memory (bytes of the output). The model is run once in evaluation mode, on zeros.
    Raises TypeError for what is no module, ValueError when the shape does not fit.
    Source: torchinfo and keras have such a function; PyTorch has none.
    Built in 05-cnn/05-lenet.ipynb.
    """
    if not isinstance(model, nn.Module):
        raise TypeError(f"summary expected a module, got {model!r}: build it first, as in models.LeNet5()")
    layers = []
    dtype = next((parameter.data.dtype for parameter in model.parameters()), np.float32)
    leaves = [(name, module) for name, module in model.named_modules() if not module.named_children()]
    for name, module in leaves:
        module.forward = _watched(module, name, layers)
    try:
        with evaluating(model):
            model(np.zeros((1, *shape), dtype))
    finally:
        for _, module in leaves:
            del module.forward
    return Summary(tuple(layers), *(sum(column) for column in list(zip(*layers, strict=True))[3:]))


def _watched(module, name, layers):
    """The forward of a module, which writes down what it has seen."""
    forward = module.forward

    def watched(x):
        y = forward(x)
        parameters = [parameter.data for parameter in module.parameters()]
        places = y[0, 0].size  # each weight of a convolution is used once at each of them
        flops = sum(2 * array.size * places for array in parameters if array.ndim > 1)
        counts = sum(array.size for array in parameters), flops, y.nbytes
        layers.append(LayerSummary(name, type(module).__name__, y.shape[1:], *counts))
        return y

    return watched
