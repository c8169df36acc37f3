"""Gradient clipping, and penalties on large weights."""

import numpy as np


def clip_grad_norm_(parameters, max_norm):
    """Scale all gradients down together when their joint length exceeds max_norm. Returns the length before.

    Source: Pascanu, Mikolov & Bengio (2013), algorithm 1; torch.nn.utils.clip_grad_norm_.
    Built in 03-backpropagation/06-initialisation.ipynb.
    """
    grads = [parameter.grad for parameter in parameters if parameter.grad is not None]
    total = np.sqrt(sum(float(np.vdot(grad, grad)) for grad in grads))
    scale = min(1.0, max_norm / (total + 1e-6))
    for grad in grads:
        grad *= grad.dtype.type(scale)
    return total


def clip_grad_value_(parameters, clip_value):
    """Cut every number of every gradient off at ±clip_value.

    Source: torch.nn.utils.clip_grad_value_.
    Built in 03-backpropagation/06-initialisation.ipynb.
    """
    for parameter in parameters:
        if parameter.grad is not None:
            np.clip(parameter.grad, -clip_value, clip_value, out=parameter.grad)
