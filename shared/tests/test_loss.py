"""The losses: gradients, hand values, dtypes, and numbers as large as they come."""

import math
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from shared import nn
from shared.gradcheck import gradcheck

some = settings(deadline=None, max_examples=15, derandomize=True)
SEEDS = st.integers(0, 2**32 - 1)


def numbers(rng, shape):
    return rng.standard_normal(shape)


def yes_or_no(rng, shape):
    return rng.random(shape)


def classes(rng, shape):
    return rng.integers(0, shape[1], shape[0])


def probabilities(rng, shape):
    p = rng.random(shape) * (rng.random(shape) > 0.2) + 1e-9  # nearly 0 in places
    return p / p.sum(axis=1, keepdims=True)


def log_probabilities(rng, shape):
    return np.log(probabilities(rng, shape))


LOSSES = {  # the loss, and what its target is drawn from
    "MSELoss": (nn.MSELoss, {}, numbers),
    "CrossEntropyLoss": (nn.CrossEntropyLoss, {}, classes),
    "CrossEntropyLoss smooth": (nn.CrossEntropyLoss, {"label_smoothing": np.float64(0.1)}, classes),
    "CrossEntropyLoss of smoothing only": (nn.CrossEntropyLoss, {"label_smoothing": 1}, classes),
    "BCEWithLogitsLoss": (nn.BCEWithLogitsLoss, {}, yes_or_no),
    "MultiMarginLoss": (nn.MultiMarginLoss, {}, classes),
    "MultiMarginLoss squared": (nn.MultiMarginLoss, {"p": 2, "margin": np.float64(0.7)}, classes),
    "KLDivLoss": (nn.KLDivLoss, {}, probabilities),
    "KLDivLoss of logs": (nn.KLDivLoss, {"log_target": True}, log_probabilities),
}
each_loss = pytest.mark.parametrize(("loss", "options", "draw"), LOSSES.values(), ids=LOSSES)
each_dtype = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def as_dtype(target, dtype):
    return target if target.dtype.kind == "i" else target.astype(dtype)


@each_loss
@some
@given(rows=st.integers(1, 5), columns=st.integers(1, 6), seed=SEEDS, data=st.data())
def test_gradient(loss, options, draw, rows, columns, seed, data):
    rng = np.random.default_rng(seed)
    reduction = data.draw(st.sampled_from(loss.reductions))
    target = draw(rng, (rows, columns))
    gradcheck(loss(**options, reduction=reduction), (rng.standard_normal((rows, columns)), target))


@each_loss
@each_dtype
def test_dtype_and_arguments_are_kept(loss, options, draw, dtype):
    rng = np.random.default_rng(0)
    x, target = rng.standard_normal((4, 3)).astype(dtype), as_dtype(draw(rng, (4, 3)), dtype)
    kept = x.copy(), target.copy()
    for reduction in loss.reductions:
        criterion = loss(**options, reduction=reduction)
        value, grad = criterion(x, target), criterion.backward()
        assert value.dtype == grad.dtype == dtype and grad.shape == x.shape
        assert value.shape == (
            (4, 3) if reduction == "none" and target.ndim == 2 else (4,) * (reduction == "none")
        )
        assert_array_equal(criterion.backward(), grad)
    assert_array_equal(x, kept[0])
    assert_array_equal(target, kept[1])


@each_loss
@each_dtype
@pytest.mark.parametrize("size", [0, 1000])
def test_nothing_overflows(loss, options, draw, dtype, size):
    rng = np.random.default_rng(0)
    x = np.array([[-size, 0, size], [size, size, size], [-size, -size, -size]], dtype)
    criterion, target = loss(**options), as_dtype(draw(rng, (3, 3)), dtype)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        value = criterion(x, target)
        grad = criterion.backward()
    assert np.isfinite(value) and np.isfinite(grad).all()


def test_hand_values():
    zeros, target = np.zeros((2, 10)), np.array([3, 7])
    assert_allclose(nn.CrossEntropyLoss()(zeros, target), math.log(10))
    assert_allclose(nn.CrossEntropyLoss(label_smoothing=0.3)(zeros, target), math.log(10))
    assert_allclose(nn.CrossEntropyLoss(reduction="sum")(zeros, [3, 7]), 2 * math.log(10))
    assert_allclose(nn.MultiMarginLoss()(zeros, target), 9 / 10)
    assert_allclose(nn.BCEWithLogitsLoss()(zeros, np.ones((2, 10))), math.log(2))
    assert_allclose(nn.MSELoss()(zeros, np.full((2, 10), 3.0)), 9)
    half = np.full((2, 2), 0.5)
    assert_allclose(nn.KLDivLoss(reduction="batchmean")(np.log(half), np.eye(2)), math.log(2))
    assert_allclose(nn.KLDivLoss()(np.log(half), half), 0, atol=1e-12)


def test_a_probability_of_0_costs_nothing():
    criterion = nn.KLDivLoss(reduction="sum")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert criterion(np.log(np.array([[0.25, 0.75]])), np.array([[0.0, 1.0]])) == -math.log(0.75)


@each_loss
def test_nan_is_never_averaged_away(loss, options, draw):
    rng = np.random.default_rng(0)
    x, target = rng.standard_normal((4, 3)), draw(rng, (4, 3))
    x[2, 1] = np.nan
    assert np.isnan(loss(**options)(x, target))
