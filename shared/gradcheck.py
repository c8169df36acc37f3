"""Is the gradient right? Every backward in this journal has to agree with the slope that is measured from outside."""

import numpy as np

from shared import default_rng
from shared.nn.module import Module


def numerical_gradient(function, x, h=None):
    """The gradient of a function by central differences: (f(x + h) - f(x - h)) / 2h for each number of x in turn.

    function takes x, float64 of any shape, and returns a number; -> an array of x's shape. h is by default
    6e-6 * max(1, |x|): the cube root of the precision, where rounding and curvature err about equally.
    x is changed in place and put back, so that the function may hold on to it.
    Raises TypeError when x is not float64: in float32 the difference drowns in rounding.
    Source: Press et al., Numerical Recipes, section 5.7.
    Built in 03-backpropagation/01-gradients.ipynb.
    """
    if not isinstance(x, np.ndarray) or x.dtype != np.float64:
        raise TypeError(
            f"numerical_gradient expected float64, got {getattr(x, 'dtype', type(x).__name__)}: "
            "use .astype(float), and model.to(np.float64)"
        )
    gradient = np.zeros_like(x)
    for place in np.ndindex(x.shape):
        old = x[place]
        step = 6e-6 * max(1.0, abs(old)) if h is None else h
        x[place] = old + step
        up, above = function(x), x[place]
        x[place] = old - step
        down, below = function(x), x[place]
        x[place] = old
        gradient[place] = (up - down) / (above - below)  # the step that really was taken, after rounding
    return gradient


def relative_error(a, b):
    """How far two gradients are apart, measured by their own length: |a - b| / max(|a|, |b|); 0 when both are 0.

    Shapes: a and b alike -> a number. Raises ValueError when their shapes differ.
    Source: the gradient check of CS231n, for whole arrays.
    Built in 03-backpropagation/01-gradients.ipynb.
    """
    if np.shape(a) != np.shape(b):
        raise ValueError(
            f"relative_error expected two arrays of one shape, got {np.shape(a)} and {np.shape(b)}"
        )
    scale = max(np.linalg.norm(a), np.linalg.norm(b))
    return float(np.linalg.norm(np.subtract(a, b)) / scale) if scale else 0.0


def gradcheck(module, inputs, tolerance=1e-7, rng=None):
    """Prove a ``backward``: compare it with central differences in float64. Returns the largest relative error.

    module: a Module (its parameters are checked too), a loss, or a pair of functions (f, gradient of f).
    inputs: x, float64; or a tuple such as (prediction, target), whose first entry is checked.
    A module's output is turned into one number by a random weight for each of its numbers. What a module draws, such as
    the mask of Dropout, is drawn alike in every call; afterwards its running statistics are as before.
    Raises AssertionError that names the array and the number which differ most, by how much, and a likely cause;
    TypeError when something is not float64; ValueError when a gradient has another shape, or an argument was changed.
    Source: the gradient check of CS231n; Griewank & Walther (2008), section 3.1.
    Built in 03-backpropagation/04-layers.ipynb.
    """
    x, *rest = inputs if isinstance(inputs, tuple) else (inputs,)
    if getattr(x, "dtype", None) != np.float64:
        kind = getattr(x, "dtype", type(x).__name__)
        raise TypeError(
            f"gradcheck expected float64, got {kind}: use x.astype(float), and model.to(np.float64)"
        )
    if isinstance(module, tuple):
        function, gradient = module
        arrays, value = {"the input": (x, np.asarray(gradient(x, *rest)))}, lambda: function(x, *rest)
    elif isinstance(module, Module):
        arrays, value = _of_module(module, x, default_rng(rng))
    else:
        arrays, value = _of_loss(module, x, rest)
    name = getattr(module[0] if isinstance(module, tuple) else type(module), "__name__", "the function")
    errors, causes = {}, {}
    for part, (array, grad) in arrays.items():
        if np.shape(grad) != array.shape:
            found = "None" if grad is None else np.shape(grad)
            advice = "transposed?" if np.shape(grad) == array.T.shape else "a sum over the wrong axis?"
            raise ValueError(f"{name}: the gradient of {part} should be {array.shape}, got {found}: {advice}")
        numeric = numerical_gradient(lambda _: value(), array)
        rounding = 1e-9 * max(1.0, abs(value()))  # a slope of 0 is measured no better than this
        errors[part] = 0.0 if np.linalg.norm(grad - numeric) < rounding else relative_error(grad, numeric)
        if not errors[part] < tolerance:
            causes[part] = _difference(part, grad, numeric, errors[part])
    if causes:
        raise AssertionError("; ".join(f"{name}: {cause}" for cause in causes.values()))
    return max(errors.values())


def _of_module(module, x, rng):
    """{name: (array, its gradient)} of the input and of all parameters, and the number whose gradients they are."""
    parameters = dict(module.named_parameters())
    if wrong := [name for name, parameter in parameters.items() if parameter.data.dtype != np.float64]:
        told = ", ".join(wrong)
        raise TypeError(
            f"gradcheck expected float64 parameters, got float32 in {told}: use module.to(np.float64)"
        )
    buffers = [(part, name, getattr(part, name)) for part in module.modules() for name in part.buffers]
    generators = [default_rng(part.rng).bit_generator for part in module.modules() if hasattr(part, "rng")]
    states = [generator.state for generator in generators]

    def call():
        for generator, state in zip(generators, states, strict=True):
            generator.state = state
        y = module(x)
        for part, name, array in buffers:
            setattr(part, name, array)
        return y

    module.zero_grad()
    before = x.copy()
    y = call()
    weights = rng.normal(size=y.shape)
    given = weights.copy()
    grad_x = module.backward(given)
    _unchanged(f"{type(module).__name__}.forward", "its input", before, x)
    _unchanged(f"{type(module).__name__}.backward", "the gradient that it was given", weights, given)
    arrays = {"the input": (x, grad_x)} | {name: (part.data, part.grad) for name, part in parameters.items()}
    module.zero_grad()
    return arrays, lambda: np.sum(call() * weights)


def _of_loss(criterion, x, rest):
    before = x.copy()
    criterion(x, *rest)
    arrays = {"the input": (x, criterion.backward())}
    _unchanged(f"{type(criterion).__name__}", "its input", before, x)
    return arrays, lambda: np.sum(criterion(x, *rest))


def _unchanged(who, what, before, after):
    if not np.array_equal(before, after, equal_nan=True):
        raise ValueError(f"{who} expected to leave {what} as it was, got it changed in place: work on a copy")


def _difference(part, analytic, numeric, error):
    """Which number is furthest off, by how much, and why that may be."""
    place = np.unravel_index(np.argmax(np.abs(analytic - numeric)), numeric.shape)
    return (
        f"the gradient of {part} has a relative error of {error:.1e}. Furthest off is [{', '.join(map(str, place))}]: "
        f"backward says {analytic[place]:.6g}, the measured slope is {numeric[place]:.6g}. {_cause(analytic, numeric)}"
    )


def _cause(analytic, numeric):
    """The likeliest reason for the difference, from the shape that it has."""
    length = float(np.sum(numeric * numeric))
    factor = float(np.sum(analytic * numeric)) / length if length else 0.0
    if not np.isfinite(analytic).all():
        return "There is NaN or infinity in it: in the input, by a division by 0, or from exp of something large."
    if not analytic.any():
        return "It is 0 everywhere: was it ever added?"
    if relative_error(analytic, factor * numeric) < 1e-4:
        if abs(factor + 1) < 1e-4:
            return "The sign is turned round."
        return (
            f"It is right but for a factor of {factor:.4g}: is that a mean in place of a sum, a constant that was "
            "forgotten, or a term that was added twice?"
        )
    if numeric.T.shape == analytic.shape and relative_error(analytic.T, numeric) < 1e-4:
        return "It is right but transposed."
    if np.mean(np.isclose(analytic, numeric, rtol=1e-4, atol=1e-9)) > 0.8:
        return "Most numbers agree: look at borders and ties, or at a kink such as that of ReLU at 0."
    return "Is a term missing, or one too many? Add up one term for each place where it enters the formula."
