"""Gradient clipping: one bad batch must not throw the weights far away."""

import numpy as np

from shared import checks


def clip_grad_norm_(parameters, max_norm, norm_type=2.0, error_if_nonfinite=False):
    """Scale all gradients down together when their joint length exceeds max_norm. Returns the length before.

    norm_type: 2 for the length, 1 for the sum of the sizes, np.inf for the largest.
    Raises ValueError when max_norm is negative, and, with error_if_nonfinite, when the length is NaN or infinite.
    Source: Pascanu, Mikolov & Bengio (2013), algorithm 1; torch.nn.utils.clip_grad_norm_.
    Built in 03-backpropagation/06-initialisation.ipynb.
    """
    max_norm = checks.not_negative(clip_grad_norm_, "max_norm", max_norm)
    grads = [parameter.grad for parameter in parameters if parameter.grad is not None]
    norms = [np.linalg.norm(grad.ravel(), norm_type) for grad in grads]
    total = float(np.linalg.norm(norms, norm_type)) if norms else 0.0
    if error_if_nonfinite and not np.isfinite(total):
        raise ValueError(
            f"clip_grad_norm_ expected finite gradients, got a length of {total}: look for NaN in the input "
            "with np.isnan(x).any(), then try a smaller learning rate"
        )
    scale = float(np.minimum(1.0, max_norm / (total + 1e-6)))  # NaN stays NaN
    for grad in grads:
        grad *= scale
    return total


def clip_grad_value_(parameters, clip_value):
    """Cut every number of every gradient off at ±clip_value. Raises ValueError when that is negative.

    Source: torch.nn.utils.clip_grad_value_.
    Built in 03-backpropagation/06-initialisation.ipynb.
    """
    clip_value = checks.not_negative(clip_grad_value_, "clip_value", clip_value)
    for parameter in parameters:
        if parameter.grad is not None:
            np.clip(parameter.grad, -clip_value, clip_value, out=parameter.grad)
