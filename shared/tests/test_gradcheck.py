"""gradcheck.py: what is right passes, each planted bug is found and named, and nothing is left changed."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from shared import nn
from shared.gradcheck import gradcheck, numerical_gradient, relative_error

RNG = np.random.default_rng(0)
X = RNG.standard_normal((4, 3))
SQUARE = RNG.standard_normal((3, 3))


def test_numerical_gradient_of_a_polynomial():
    x = np.array([[1.0, -2.0, 0.0], [20.0, 1e-6, 3.0]])
    kept = x.copy()
    assert_allclose(numerical_gradient(lambda z: (z**3).sum(), x), 3 * x**2, rtol=1e-7, atol=1e-7)
    assert_array_equal(x, kept)
    assert_allclose(numerical_gradient(lambda z: (z**2).sum(), x, h=1e-3)[0], 2 * x[0], atol=1e-8)
    assert numerical_gradient(lambda z: float(z) ** 2, np.array(3.0)).shape == ()


@pytest.mark.parametrize("x", [np.ones(2, np.float32), np.arange(3), [1.0, 2.0]])
def test_a_measurement_needs_float64(x):
    with pytest.raises(TypeError, match="expected float64, got .*astype"):
        numerical_gradient(np.sum, x)
    with pytest.raises(TypeError, match="expected float64, got .*astype"):
        gradcheck(nn.ReLU(), x)


def test_relative_error():
    assert relative_error(np.zeros(3), np.zeros(3)) == 0
    assert relative_error(np.array([3.0, 4.0]), np.zeros(2)) == 1
    assert_allclose(relative_error(np.array([1.0, 0]), np.array([1.001, 0])), 0.001 / 1.001)
    with pytest.raises(ValueError, match="one shape"):
        relative_error(np.ones(3), np.ones((3, 1)))


def test_functions_losses_and_modules():
    assert gradcheck((lambda x: np.sum(x**3), lambda x: 3 * x**2), X) < 1e-8
    assert gradcheck((lambda x, y: np.sum(x * y), lambda x, y: y), (X, np.ones((4, 3)))) < 1e-8
    assert gradcheck(nn.CrossEntropyLoss(), (X, np.array([0, 2, 1, 1]))) < 1e-8
    assert gradcheck(nn.Linear(3, 2).to(np.float64), X) < 1e-8


def test_the_mask_of_dropout_stays_the_same_and_the_model_as_it_was():
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Dropout(0.4), nn.Dropout(0.2)).to(np.float64)
    before, x = model.state_dict(), X.copy()
    gradcheck(model, x)
    assert_array_equal(x, X)
    for name, array in model.state_dict().items():
        assert_array_equal(array, before[name])
    assert all(parameter.grad is None for parameter in model.parameters())


class Right(nn.Module):
    """y = x @ weight.T, of which each bug below spoils one line."""

    def __init__(self, size=3):
        self.weight = nn.Parameter(0)
        self.weight.data = np.random.default_rng(1).standard_normal((size, 3))

    def forward(self, x):
        self.x = x
        return x @ self.weight.data.T

    def backward(self, grad_y):
        self.weight.add_grad(self.grad_weight(grad_y))
        return self.grad_x(grad_y)

    def grad_weight(self, grad_y):
        return grad_y.T @ self.x

    def grad_x(self, grad_y):
        return grad_y @ self.weight.data


def clipped(grad):
    grad = grad.copy()
    grad[0, 0] += 0.1
    return grad


def without(grad):
    return grad - grad.mean(axis=0)


def broken(grad):
    return np.full_like(grad, np.nan)


# The bug: the method that is spoilt, what is done to its result, and what gradcheck has to say.
BUGS = {
    "sign": ("grad_x", lambda grad: -grad, ["the input", "The sign is turned round"]),
    "sign of the weight": ("grad_weight", lambda grad: -grad, ["weight", "The sign is turned round"]),
    "factor N": ("grad_weight", lambda grad: grad / 4, ["weight", "factor of 0.25", "mean"]),
    "twice": ("grad_weight", lambda grad: 2 * grad, ["weight", "factor of 2", "added twice"]),
    "transposed": ("grad_weight", lambda grad: grad.T, ["weight", "right but transposed"]),
    "zero": ("grad_x", np.zeros_like, ["the input", "0 everywhere"]),
    "missing term": ("grad_x", without, ["the input", "Is a term missing"]),
    "one number": ("grad_x", clipped, ["the input", "[0, 0]", "Most numbers agree"]),
    "NaN": ("grad_x", broken, ["the input", "NaN or infinity"]),
}


@pytest.mark.parametrize(("method", "bug", "words"), BUGS.values(), ids=BUGS)
def test_a_planted_bug_is_found(method, bug, words):
    module = Right()
    assert gradcheck(module, X.copy()) < 1e-8
    right = getattr(module, method)
    setattr(module, method, lambda grad_y: bug(right(grad_y)))
    with pytest.raises(AssertionError) as caught:
        gradcheck(module, X.copy())
    assert all(word in str(caught.value) for word in ["Right", "relative error", *words]), caught.value
    assert ("weight has" in str(caught.value)) == (method == "grad_weight")


def test_the_number_that_differs_most_is_named():
    def gradient(x):
        return clipped(2 * x)

    with pytest.raises(AssertionError) as caught:
        gradcheck((lambda x: np.sum(x**2), gradient), np.array([[1.0, 5.0], [3.0, 4.0]]))
    assert "[0, 0]: backward says 2.1, the measured slope is 2." in str(caught.value)


SHAPES = {
    "a sum over the wrong axis": ("grad_weight", lambda grad: grad.sum(axis=0), "should be (2, 3), got (3,)"),
    "transposed": ("grad_weight", lambda grad: grad.T, "transposed?"),
    "nothing returned": ("grad_x", lambda grad: None, "the input should be (4, 3), got None"),
}


@pytest.mark.parametrize(("method", "bug", "words"), SHAPES.values(), ids=SHAPES)
def test_another_shape_is_found(method, bug, words):
    module = Right(2)
    right = getattr(module, method)
    setattr(module, method, lambda grad_y: bug(right(grad_y)))
    with pytest.raises(ValueError) as caught:
        gradcheck(module, X.copy())
    assert words in str(caught.value)


def test_a_change_in_place_is_found():
    class Backward(nn.ReLU):
        def backward(self, grad_y):
            grad_y *= self.active
            return grad_y

    class Forward(nn.ReLU):
        def forward(self, x):
            self.active = x > 0
            return np.maximum(x, 0, out=x)

    class Criterion(nn.MSELoss):
        def __call__(self, input, target):
            input -= target
            return super().__call__(input, 0 * target)

    with pytest.raises(ValueError, match="Backward.backward .* the gradient that it was given"):
        gradcheck(Backward(), X.copy())
    with pytest.raises(ValueError, match="Forward.forward .* its input"):
        gradcheck(Forward(), X.copy())
    with pytest.raises(ValueError, match="Criterion .* its input"):
        gradcheck(Criterion(), (X.copy(), SQUARE[:1] + np.zeros((4, 1))))


def test_float32_parameters_are_named():
    with pytest.raises(TypeError, match="0.weight, 0.bias: use module.to"):
        gradcheck(nn.Sequential(nn.Linear(3, 2)), X)


def test_a_kink_is_told_from_a_bug():
    x = X.copy()
    x[1, 1] = 0  # the slope is 0 to the left and 1 to the right
    with pytest.raises(AssertionError, match=r"\[1, 1\].*kink"):
        gradcheck(nn.ReLU(), x)
