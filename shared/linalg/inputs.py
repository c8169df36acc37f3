"""What the functions of linear algebra ask of the arrays they are given."""

import numpy as np

__all__ = []  # no lesson builds these


def real(function, name, value, ndim=None, columns=None, finite=False):
    """The value as an array of floating-point numbers, after checking what the function asks of it."""
    array = np.asarray(value)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{function} expected {name} to hold real numbers, got dtype {array.dtype}")
    if ndim == 1 and array.ndim != 1:
        raise ValueError(
            f"{function} expected {name} to be a vector, shape (D,), got shape {array.shape}: "
            "flatten one picture with .reshape(-1)"
        )
    if ndim == 2 and array.ndim != 2:
        raise ValueError(
            f"{function} expected {name} to be a matrix, shape (N, D), got shape {array.shape}: "
            "flatten pictures with .reshape(len(pictures), -1), or make one row with [None]"
        )
    if columns is not None and array.shape[1] != columns:
        raise ValueError(f"{function} expected {name} of shape (N, {columns}) as in fit, got {array.shape}")
    if finite and not (array.size and np.isfinite(array).all()):
        raise ValueError(
            f"{function} expected {name} to hold finite numbers, got NaN, infinity or nothing, shape {array.shape}: "
            "find them with np.argwhere(~np.isfinite(…))"
        )
    return array if array.dtype in (np.float32, np.float64) else array.astype(np.float64)


def scaled(array):
    """The array by a power of two, so that its squares neither overflow nor vanish, and the exponent that was taken."""
    exponent = np.frexp(np.abs(array).max(initial=0))[1]
    return np.ldexp(array, -exponent), exponent


def fitted(model, attribute):
    """What the model has learned, or an error when it has not learned anything yet."""
    if not hasattr(model, attribute):
        raise ValueError(f"{type(model).__name__} has seen no examples yet: call fit first")
    return getattr(model, attribute)
