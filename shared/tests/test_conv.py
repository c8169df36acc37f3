"""Convolution, pooling and batch normalisation of images: hand values, loops, measured slopes, PyTorch's numbers."""

import copy

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from shared import nn
from shared.gradcheck import gradcheck

some = settings(deadline=None, max_examples=25, derandomize=True)
SEEDS = st.integers(0, 2**32 - 1)
TOLERANCE = {np.float32: 1e-5, np.float64: 1e-12}
each_dtype = pytest.mark.parametrize("dtype", TOLERANCE)

LAYERS = {  # name, arguments, options, shape of the input; the same in PyTorch
    "Conv2d": ("Conv2d", (3, 4, 3), {}, (2, 3, 7, 8)),
    "Conv2d one pixel": ("Conv2d", (8, 4, 1), {}, (2, 8, 4, 5)),
    "Conv2d one image": ("Conv2d", (9, 4, 3), {"padding": 1}, (1, 9, 5, 5)),
    "Conv2d without bias": ("Conv2d", (9, 2, 3), {"bias": False}, (3, 9, 4, 6)),
    "Conv2d as large as the image": ("Conv2d", (2, 3, (4, 5)), {}, (2, 2, 4, 5)),
    "Conv2d stride": ("Conv2d", (9, 4, 3), {"stride": 2, "padding": 1}, (2, 9, 7, 8)),
    "Conv2d stride beyond the kernel": ("Conv2d", (9, 4, 2), {"stride": 3, "padding": 1}, (2, 9, 8, 9)),
    "Conv2d one pixel, stride": ("Conv2d", (9, 4, 1), {"stride": 2}, (2, 9, 5, 6)),
    "Conv2d one pixel, padding": ("Conv2d", (9, 4, 1), {"padding": 2}, (2, 9, 3, 4)),
    "Conv2d dilation": ("Conv2d", (9, 4, 3), {"dilation": 2, "padding": 3}, (2, 9, 6, 7)),
    "Conv2d dilation beyond the image": ("Conv2d", (8, 2, 3), {"dilation": 4, "padding": 4}, (2, 8, 3, 2)),
    "Conv2d padding beyond the kernel": ("Conv2d", (8, 3, 2), {"padding": 4}, (2, 8, 3, 3)),
    "Conv2d groups": ("Conv2d", (16, 6, 3), {"groups": 2, "padding": 1}, (2, 16, 5, 4)),
    "Conv2d depthwise": ("Conv2d", (4, 8, 3), {"groups": 4, "padding": 1, "stride": 2}, (2, 4, 5, 6)),
    "Conv2d pairs": (
        "Conv2d",
        (9, 6, (3, 2)),
        {"stride": (1, 2), "padding": (2, 0), "dilation": (1, 3), "groups": 3},
        (2, 9, 6, 9),
    ),
    "Conv2d pairs, the other way": (
        "Conv2d",
        (8, 6, (2, 5)),
        {"stride": (3, 1), "padding": (1, 3), "dilation": (2, 1)},
        (2, 8, 9, 7),
    ),
    "Conv2d few channels, all": (
        "Conv2d",
        (4, 6, (2, 3)),
        {"stride": (2, 1), "padding": (1, 2), "dilation": (2, 3), "groups": 2},
        (3, 4, 9, 8),
    ),
    "MaxPool2d": ("MaxPool2d", (2,), {}, (2, 3, 6, 8)),
    "MaxPool2d with a rest": ("MaxPool2d", (2,), {}, (2, 3, 7, 9)),
    "MaxPool2d overlapping": ("MaxPool2d", (3, 2), {"padding": 1}, (2, 3, 7, 9)),
    "MaxPool2d pairs": ("MaxPool2d", ((3, 2), (1, 3)), {"padding": (1, 0)}, (1, 3, 5, 8)),
    "MaxPool2d one pixel": ("MaxPool2d", (1,), {"stride": 2}, (2, 3, 5, 4)),
    "AvgPool2d": ("AvgPool2d", (2,), {}, (2, 3, 7, 8)),
    "AvgPool2d overlapping": ("AvgPool2d", (3, 2), {"padding": 1}, (2, 3, 7, 9)),
    "AvgPool2d pairs": ("AvgPool2d", ((3, 2), (1, 3)), {"padding": (1, 0)}, (1, 3, 5, 8)),
    "AdaptiveAvgPool2d 1": ("AdaptiveAvgPool2d", (1,), {}, (2, 3, 7, 5)),
    "AdaptiveAvgPool2d uneven": ("AdaptiveAvgPool2d", ((3, 2),), {}, (2, 3, 7, 5)),
    "AdaptiveAvgPool2d larger": ("AdaptiveAvgPool2d", ((6, 9),), {}, (2, 3, 4, 9)),
    "BatchNorm2d": ("BatchNorm2d", (3,), {}, (2, 3, 5, 4)),
    "BatchNorm2d one image": ("BatchNorm2d", (3,), {"eps": 0.1, "momentum": 0.4}, (1, 3, 5, 4)),
    "BatchNorm2d momentum=None": ("BatchNorm2d", (3,), {"momentum": None}, (2, 3, 1, 2)),
    "BatchNorm2d affine=False": ("BatchNorm2d", (3,), {"affine": False}, (2, 3, 5, 4)),
    "BatchNorm2d forgetful": ("BatchNorm2d", (3,), {"track_running_stats": False}, (2, 3, 5, 4)),
    "Dropout2d 0": ("Dropout2d", (0,), {}, (2, 3, 5, 4)),
    "Dropout2d 1": ("Dropout2d", (1,), {}, (2, 3, 5, 4)),
}
each_layer = pytest.mark.parametrize(("name", "args", "options", "shape"), LAYERS.values(), ids=LAYERS)


def made(name, args, options, dtype, seed=1):
    """A layer in which no number is special."""
    layer, rng = getattr(nn, name)(*args, **options).to(dtype), np.random.default_rng(seed)
    state = {key: rng.uniform(0.5, 2, array.shape) for key, array in layer.state_dict().items()}
    layer.load_state_dict(state)
    for key, parameter in layer.named_parameters():
        if name == "Conv2d" and key == "weight":
            parameter.data = rng.standard_normal(parameter.shape).astype(dtype)
    return layer


@each_layer
@each_dtype
def test_the_same_numbers_as_pytorch(name, args, options, shape, dtype):
    torch = pytest.importorskip("torch")
    ours, tolerance = made(name, args, options, dtype), TOLERANCE[dtype]
    theirs = getattr(torch.nn, name)(*args, **options).to(getattr(torch, np.dtype(dtype).name))
    theirs.load_state_dict({key: torch.tensor(array) for key, array in ours.state_dict().items()})
    rng = np.random.default_rng(0)
    for training in (True, True, False):
        ours.train(training), theirs.train(training)
        x = rng.standard_normal(shape).astype(dtype)
        x_theirs = torch.tensor(x, requires_grad=True)
        y, y_theirs = ours(x), theirs(x_theirs)
        assert y.shape == tuple(y_theirs.shape) and y.dtype == dtype
        grad_y = rng.standard_normal(y.shape).astype(dtype)
        y_theirs.backward(torch.tensor(grad_y))
        pairs = [(y, y_theirs), (ours.backward(grad_y), x_theirs.grad)]
        parameters = dict(theirs.named_parameters())
        pairs += [(parameter.grad, parameters[key].grad) for key, parameter in ours.named_parameters()]
        state = theirs.state_dict()
        assert [*ours.state_dict()] == [*state]
        pairs += [(array, state[key]) for key, array in ours.state_dict().items()]
        for mine, other in pairs:
            other = other.detach().numpy()
            assert mine.shape == other.shape and mine.dtype == other.dtype
            assert_allclose(mine, other, rtol=tolerance, atol=tolerance * max(1, np.abs(other).max()))


SIZES = st.integers(1, 3)


@st.composite
def convolutions(draw):
    """Any options, with an image into which the kernel fits."""
    pair, groups = st.tuples(SIZES, SIZES), draw(st.sampled_from([1, 1, 2]))
    kernel, stride, dilation = draw(pair), draw(pair), draw(pair)
    padding = draw(st.tuples(st.integers(0, 3), st.integers(0, 3)))
    channels = draw(st.sampled_from([1, 2, 8])) * groups
    layer = nn.Conv2d(
        channels, groups * draw(SIZES), kernel, stride, padding, dilation, groups, bias=draw(st.booleans())
    )
    extra = draw(pair)
    size = [
        max(1, d * (k - 1) + 1 - 2 * p) + more
        for d, k, p, more in zip(dilation, kernel, padding, extra, strict=True)
    ]
    return layer, (draw(st.integers(1, 2)), channels, *size)


def by_loops(x, layer):
    """The definition of a convolution, pixel by pixel."""
    (K, L), (s, t), (p, q), (d, e) = layer.kernel_size, layer.stride, layer.padding, layer.dilation
    padded = np.pad(x, ((0, 0), (0, 0), (p, p), (q, q)))
    weight = layer.weight.data
    height = (padded.shape[2] - d * (K - 1) - 1) // s + 1
    width = (padded.shape[3] - e * (L - 1) - 1) // t + 1
    y = np.zeros((len(x), len(weight), height, width))
    inputs, outputs = weight.shape[1], len(weight) // layer.groups
    for n, f, h, w in np.ndindex(*y.shape):
        first = f // outputs * inputs
        patch = padded[n, first : first + inputs, h * s : h * s + d * K : d, w * t : w * t + e * L : e]
        y[n, f, h, w] = np.sum(patch[:, :K, :L] * weight[f])
    return y + (0 if layer.bias is None else layer.bias.data[:, None, None])


@some
@given(drawn=convolutions(), seed=SEEDS)
def test_convolution_is_its_definition_with_any_options(drawn, seed):
    (layer, shape), rng = drawn, np.random.default_rng(seed)
    x = rng.standard_normal(shape)
    layer.to(np.float64)
    assert_allclose(layer(x), by_loops(x, layer), rtol=1e-12, atol=1e-12)
    if x.size < 200:
        gradcheck(layer, x, rng=rng)


@pytest.mark.parametrize("name", [name for name in LAYERS if not name.startswith(("Conv2d", "Dropout"))])
@settings(some, max_examples=6)
@given(number=st.integers(1, 3), height=st.integers(4, 6), width=st.integers(4, 6), seed=SEEDS)
def test_gradients(name, number, height, width, seed):
    kind, args, options, (_, channels, *_) = LAYERS[name]
    rng = np.random.default_rng(seed)
    x = rng.permutation(
        float(number * channels * height * width) * 1.0 + np.arange(number * channels * height * width)
    )
    gradcheck(
        made(kind, args, options, np.float64), 0.1 * x.reshape(number, channels, height, width), rng=rng
    )


def test_convolution_by_hand():
    """A 3 x 3 image and a 2 x 2 kernel: small enough for paper."""
    layer = nn.Conv2d(1, 1, 2)
    layer.weight.data[...], layer.bias.data[...] = [[[[1, 2], [3, 4]]]], 10
    x = np.arange(9, dtype=np.float32).reshape(1, 1, 3, 3)
    assert_array_equal(layer(x), [[[[37, 47], [67, 77]]]])  # 0*1 + 1*2 + 3*3 + 4*4 + 10 = 37
    grad_y = np.array([[[[1, 0], [0, 2]]]], np.float32)
    assert_array_equal(layer.backward(grad_y), [[[[1, 2, 0], [3, 6, 4], [0, 6, 8]]]])
    assert_array_equal(layer.weight.grad, [[[[8, 11], [17, 20]]]])  # 1*0 + 2*4, 1*1 + 2*5, …
    assert_array_equal(layer.bias.grad, [3])


@pytest.mark.parametrize("options", [(2,), (3, 2, 1), (3, 1)])
def test_of_equal_pixels_the_first_gets_the_gradient_as_in_pytorch(options):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    x = rng.integers(0, 3, (2, 3, 9, 8)).astype(np.float32)
    ours, theirs, x_theirs = (
        nn.MaxPool2d(*options),
        torch.nn.MaxPool2d(*options),
        torch.tensor(x, requires_grad=True),
    )
    y = theirs(x_theirs)
    assert_array_equal(ours(x), y.detach().numpy())
    grad_y = rng.integers(-9, 9, y.shape).astype(np.float32)
    y.backward(torch.tensor(grad_y))
    assert_array_equal(ours.backward(grad_y), x_theirs.grad.numpy())


@pytest.mark.parametrize("kernel", [1, 2, 3])
def test_max_pooling_passes_every_gradient_on(kernel):
    x = np.random.default_rng(0).standard_normal((2, 3, 6, 6))
    layer = nn.MaxPool2d(kernel)
    grad_y = np.random.default_rng(1).standard_normal(layer(x).shape)
    assert_allclose(layer.backward(grad_y).sum(), grad_y.sum())


@each_layer
@each_dtype
def test_arguments_stay_as_they_are_and_gradients_add_up(name, args, options, shape, dtype):
    layer, rng = made(name, args, options, dtype), np.random.default_rng(0)
    x = rng.standard_normal(shape).astype(dtype)
    x_before = x.copy()
    y = layer(x)
    y_before, grad_y = y.copy(), rng.standard_normal(y.shape).astype(dtype)
    grad_before = grad_y.copy()
    grad_x = layer.backward(grad_y)
    grads = {key: parameter.grad.copy() for key, parameter in layer.named_parameters()}
    again = layer.backward(grad_y)
    assert_array_equal(again, grad_x)
    for key, parameter in layer.named_parameters():
        assert_allclose(parameter.grad, 2 * grads[key], rtol=1e-6)
    assert_array_equal(x, x_before), assert_array_equal(y, y_before), assert_array_equal(grad_y, grad_before)
    assert grad_x.dtype == dtype and all(grad.dtype == dtype for grad in grads.values())


@each_layer
def test_memory_order_makes_no_difference(name, args, options, shape):
    """(N, C, H, W) as NumPy makes it, batch last, or every second image of another array: the same result."""
    x, results = np.random.default_rng(0).standard_normal((2 * shape[0], *shape[1:]))[::2], []
    for view in (x.copy(), np.ascontiguousarray(x.transpose(2, 1, 3, 0)).transpose(3, 1, 0, 2), x):
        layer = made(name, args, options, np.float64)
        y = layer(view)
        grad_y = np.random.default_rng(1).standard_normal(y.shape)
        results.append([y, layer.backward(np.asfortranarray(grad_y)), *(p.grad for p in layer.parameters())])
    for result in results[1:]:
        for one, other in zip(results[0], result, strict=True):
            assert_allclose(one, other, rtol=1e-13, atol=1e-13)


def test_batch_last_survives_a_network_until_flatten():
    """The shape is everybody's; the memory is (H, C, W, N) from the first layer on, and no layer has to copy it."""
    layers = [nn.Conv2d(1, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2), nn.AvgPool2d(2)]
    x = np.random.default_rng(0).standard_normal((4, 1, 8, 8)).astype(np.float32)
    for layer in [*layers, nn.Conv2d(8, 9, 1), nn.Dropout2d(), nn.AdaptiveAvgPool2d(1)]:
        x = layer(x)
        assert x.transpose(2, 1, 3, 0).flags.c_contiguous, layer
    flat = nn.Flatten()
    assert flat(x).T.flags.c_contiguous and flat.backward(flat(x)).transpose(1, 2, 3, 0).flags.c_contiguous


def test_flatten_orders_by_channel_row_and_column_as_pytorch():
    x = np.arange(48.0).reshape(2, 3, 4, 2)
    for view in (x, np.ascontiguousarray(x.transpose(2, 1, 3, 0)).transpose(3, 1, 0, 2)):
        assert_array_equal(nn.Flatten()(view), x.reshape(2, -1))


def test_dropout2d_drops_whole_channels_of_single_images():
    layer = nn.Dropout2d(0.25, rng=np.random.default_rng(0))
    y = layer(np.ones((100, 20, 3, 2), np.float32))
    kept = y[:, :, 0, 0] > 0
    assert_array_equal(y, np.broadcast_to((kept / np.float32(0.75))[:, :, None, None], y.shape))
    assert abs(kept.mean() - 0.75) < 0.03 and 0 < kept[0].mean() < 1 and 0 < kept[:, 0].mean() < 1
    assert_array_equal(layer.backward(np.ones_like(y)), y)
    assert_array_equal(layer.eval()(y), y)


def test_a_convolution_begins_as_in_pytorch():
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    ours, theirs = (
        nn.Conv2d(16, 400, 3, groups=2, rng=np.random.default_rng(0)),
        torch.nn.Conv2d(16, 400, 3, groups=2),
    )
    for mine, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        other = other.detach().numpy()
        assert mine.shape == other.shape and np.abs(mine.data).max() <= 1 / np.sqrt(8 * 9)
        assert_allclose(mine.data.std(), other.std(), rtol=0.1)


def test_nobody_needs_the_gradient_of_data():
    layer = nn.Conv2d(1, 2, 3).requires_input_grad_(False)
    y = layer(np.ones((1, 1, 4, 4), np.float32))
    assert layer.backward(y) is None and layer.weight.grad is not None


def test_a_copy_of_a_layer_works_alone():
    layer = made(*LAYERS["Conv2d"][:3], np.float64)
    other = copy.deepcopy(layer)
    x = np.random.default_rng(0).standard_normal((2, 3, 7, 8))
    assert_array_equal(other(x), layer(x))
    assert_array_equal(other.backward(other(x)), layer.backward(layer(x)))


X = np.zeros((2, 3, 4, 5), np.float32)
MISTAKES = {
    "grey without channel": (
        lambda: nn.Conv2d(1, 2, 3)(X[:, 0]),
        ValueError,
        r"expected \(N, 1, H, W\), got.*x\[:, None\]",
    ),
    "rows": (lambda: nn.Conv2d(1, 2, 3)(X[0, 0]), ValueError, r"x\[None, None\].*reshape\(-1, 1, 28, 28\)"),
    "channels last": (lambda: nn.Conv2d(5, 2, 3)(X), ValueError, r"x\.transpose\(0, 3, 1, 2\)"),
    "other channels": (
        lambda: nn.Conv2d(2, 2, 3)(X),
        ValueError,
        "the layer before it should have 2 channels",
    ),
    "empty batch": (lambda: nn.Conv2d(3, 2, 3)(X[:0]), ValueError, "nothing in it"),
    "too small": (
        lambda: nn.Conv2d(3, 2, 5)(X),
        ValueError,
        r"\(5, 5\) pixels or more, got \(4, 5\): try padding",
    ),
    "too small for dilation": (lambda: nn.Conv2d(3, 2, 3, dilation=2)(X), ValueError, "try padding"),
    "too small for pooling": (lambda: nn.MaxPool2d(5)(X), ValueError, "try padding"),
    "integers": (lambda: nn.Conv2d(3, 2, 3)(X.astype(np.uint8)), TypeError, "got uint8: try x.astype"),
    "another dtype": (
        lambda: nn.Conv2d(3, 2, 3)(X.astype(float)),
        TypeError,
        "expected float32 like its weights",
    ),
    "kernel of 0": (
        lambda: nn.Conv2d(3, 2, 0),
        ValueError,
        "kernel_size as a whole number, 1 or more, or two",
    ),
    "kernel of three": (lambda: nn.Conv2d(3, 2, (1, 2, 3)), ValueError, "kernel_size"),
    "stride of a half": (lambda: nn.Conv2d(3, 2, 3, stride=0.5), ValueError, "stride"),
    "padding below 0": (
        lambda: nn.Conv2d(3, 2, 3, padding=-1),
        ValueError,
        "padding as a whole number, 0 or more",
    ),
    "padding by name": (lambda: nn.Conv2d(3, 2, 3, padding="same"), ValueError, "got 'same'"),
    "no channels": (lambda: nn.Conv2d(0, 2, 3), ValueError, "whole number of channels"),
    "groups": (lambda: nn.Conv2d(3, 2, 3, groups=2), ValueError, "3 and 2 in 2 groups"),
    "pooling padding": (lambda: nn.MaxPool2d(2, padding=2), ValueError, "half a window at most"),
    "output size": (lambda: nn.AdaptiveAvgPool2d(0), ValueError, "output_size"),
    "batch norm of rows": (lambda: nn.BatchNorm2d(3)(X[:, :, 0, 0]), ValueError, r"expected \(N, 3, H, W\)"),
    "batch norm of one pixel": (
        lambda: nn.BatchNorm2d(3)(X[:1, :, :1, :1]),
        ValueError,
        "two pixels or more",
    ),
    "dropout of rows": (lambda: nn.Dropout2d()(X[0, 0]), ValueError, r"expected \(N, C, H, W\)"),
    "loss for gradient": (
        lambda: _after(nn.Conv2d(3, 2, 3)).backward(0.5),
        ValueError,
        r"Conv2d.backward expected",
    ),
    "backward first": (lambda: nn.Conv2d(3, 2, 3).backward(X), AttributeError, "call first"),
}


def _after(layer):
    layer(X)
    return layer


@pytest.mark.parametrize(("call", "error", "message"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_told_with_what_to_try(call, error, message):
    with pytest.raises(error, match=message):
        call()
