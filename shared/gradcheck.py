"""Is the gradient right? Every backward in this journal has to agree with the slope that is measured from outside."""

from dataclasses import dataclass

import numpy as np

from shared import default_rng


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

    Shapes: a and b alike -> a number.
    Source: the gradient check of CS231n, for whole arrays.
    Built in 03-backpropagation/01-gradients.ipynb.
    """
    scale = max(np.linalg.norm(a), np.linalg.norm(b))
    return float(np.linalg.norm(np.subtract(a, b)) / scale) if scale else 0.0


@dataclass(frozen=True)
class Finding:
    """Where a gradient is furthest from the measured one: which array, which number of it, both values.

    Built in 03-backpropagation/04-layers.ipynb.
    """

    name: str
    error: float
    place: tuple
    analytic: float
    numeric: float
    cause: str

    def __str__(self):
        return (
            f"{self.name}: relative error {self.error:.1e}; worst at {self.place}: backward says {self.analytic:.6g}, "
            f"the measured slope is {self.numeric:.6g}. {self.cause}"
        )


def gradcheck(module, inputs, tolerance=1e-7, rng=None):
    """Prove a ``backward``: compare it with central differences in float64. Returns the largest relative error.

    module: a Module (its parameters are checked too), or a loss (then inputs is (prediction, target)), or a pair of functions
    (f, gradient of f). inputs: x, float64, or a tuple whose first entry is checked.
    A module's output is turned into one number by a random weight for each of its numbers.
    Raises AssertionError that names the array and the number which differ most, by how much, and a likely cause; TypeError
    when something is not float64; ValueError when backward returns another shape or changes its argument.
    Source: the gradient check of CS231n; Griewank & Walther (2008), section 3.1.
    Built in 03-backpropagation/04-layers.ipynb.
    """
    x, *rest = inputs if isinstance(inputs, tuple) else (inputs,)
    if isinstance(module, tuple):
        function, gradient = module
        pairs = [("the input", x, lambda z: function(z, *rest), np.asarray(gradient(x, *rest)))]
    elif rest:
        module(x, *rest)
        pairs = [("the input", x, lambda z: module(z, *rest), module.backward())]
    else:
        pairs = _of_module(module, x, default_rng(rng))
    findings = [_compare(name, array, function, analytic) for name, array, function, analytic in pairs]
    worst = max(findings, key=lambda finding: finding.error)
    if not worst.error < tolerance:
        raise AssertionError(f"{module!r}: " + "; ".join(str(f) for f in findings if not f.error < tolerance))
    return worst.error


def _of_module(module, x, rng):
    """(name, array, number of it, gradient) of the input and of every parameter of a module."""
    parameters = dict(module.named_parameters())
    if wrong := [name for name, p in parameters.items() if p.data.dtype != np.float64]:
        raise TypeError(
            f"gradcheck expected float64 parameters, {', '.join(wrong)} are not: use module.to(np.float64)"
        )
    module.zero_grad()
    y = module(x)
    weights = rng.normal(size=y.shape)
    given = weights.copy()
    grad_x = module.backward(given)
    if not np.array_equal(given, weights):
        raise ValueError(f"{module!r}.backward changed the gradient it was given: work on a copy")
    arrays = {"the input": (x, grad_x)} | {name: (p.data, p.grad) for name, p in parameters.items()}
    for name, (array, grad) in arrays.items():
        if np.shape(grad) != array.shape:
            raise ValueError(
                f"{module!r}: the gradient of {name} has shape {np.shape(grad)}, {name} has {array.shape}"
            )
    return [
        (name, array, lambda _: np.sum(module(x) * weights), grad) for name, (array, grad) in arrays.items()
    ]


def _compare(name, array, function, analytic):
    numeric = numerical_gradient(function, array)
    place = np.unravel_index(np.argmax(np.abs(analytic - numeric)), numeric.shape)
    error = relative_error(analytic, numeric)
    found, measured = float(analytic[place]), float(numeric[place])
    return Finding(name, error, tuple(map(int, place)), found, measured, _cause(analytic, numeric))


def _cause(analytic, numeric):
    """The likeliest reason for the difference, from the shape that it has."""
    length = float(np.sum(numeric * numeric))
    factor = float(np.sum(analytic * numeric)) / length if length else 0.0
    if not np.isfinite(analytic).all():
        return "There is NaN or infinity in it: a division by 0, or exp of something large."
    if not analytic.any():
        return "It is 0 everywhere: was it ever added?"
    if relative_error(analytic, factor * numeric) < 1e-4:
        if abs(factor + 1) < 1e-4:
            return "The sign is turned round."
        return f"It is right but for a factor of {factor:.4g}: a mean in place of a sum, or a step that was added twice?"
    if (
        analytic.ndim == 2
        and analytic.shape[0] == analytic.shape[1]
        and relative_error(analytic.T, numeric) < 1e-4
    ):
        return "It is right but transposed."
    if np.mean(np.isclose(analytic, numeric, rtol=1e-4, atol=1e-9)) > 0.8:
        return "Most numbers agree: look at borders and ties, or at a kink such as that of ReLU at 0."
    return "Print both for a batch of one, and work that case by hand."
