"""shared.nn: every backward against measured slopes, and what holds for every module whatever its shape or dtype."""

import copy
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

import shared
from shared import nn
from shared.gradcheck import gradcheck

some = settings(deadline=None, max_examples=12, derandomize=True)
SEEDS = st.integers(0, 2**32 - 1)
ROWS, FEATURES = st.integers(1, 5), st.integers(1, 7)

ACTIVATIONS = {
    "Sigmoid": nn.Sigmoid,
    "Tanh": nn.Tanh,
    "ReLU": nn.ReLU,
    "LeakyReLU": nn.LeakyReLU,
    "LeakyReLU steep": lambda: nn.LeakyReLU(np.float64(1.5)),
    "ELU": nn.ELU,
    "ELU deep": lambda: nn.ELU(alpha=np.float64(2.5)),
    "GELU": nn.GELU,
    "GELU tanh": lambda: nn.GELU(approximate="tanh"),
    "SiLU": nn.SiLU,
    "Softmax": nn.Softmax,
    "Softmax over rows": lambda: nn.Softmax(dim=0),
    "Dropout": lambda: nn.Dropout(0.3),
    "Dropout of all": lambda: nn.Dropout(1),
    "Dropout of none": lambda: nn.Dropout(0),
    "Dropout in evaluation": lambda: nn.Dropout().eval(),
}
LAYERS = {  # made for this many features
    "Linear": lambda d: nn.Linear(d, 3),
    "Linear without bias": lambda d: nn.Linear(d, 3, bias=False),
    "Flatten": lambda d: nn.Flatten(),
    "BatchNorm1d": nn.BatchNorm1d,
    "BatchNorm1d plain": lambda d: nn.BatchNorm1d(d, affine=False),
    "BatchNorm1d forgetful": lambda d: nn.BatchNorm1d(d, track_running_stats=False, eps=1e-3),
    "BatchNorm1d in evaluation": lambda d: nn.BatchNorm1d(d).eval(),
    "Sequential": lambda d: nn.Sequential(
        nn.Linear(d, 2), nn.BatchNorm1d(2), nn.Tanh(), nn.Sequential(nn.Linear(2, 2))
    ),
}
each_activation = pytest.mark.parametrize("make", ACTIVATIONS.values(), ids=ACTIVATIONS)
each_layer = pytest.mark.parametrize("make", LAYERS.values(), ids=LAYERS)
each_dtype = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def normal(seed, *shape):
    """Normal numbers, none so near 0 that a step of the central difference crosses the kink of ReLU."""
    x = np.random.default_rng(seed).standard_normal(shape)
    return x + np.copysign(0.01, x)


@each_activation
@some
@given(shape=st.lists(st.integers(1, 4), min_size=1, max_size=4), seed=SEEDS)
def test_gradient_of_an_activation(make, shape, seed):
    gradcheck(make(), normal(seed, *shape), rng=np.random.default_rng(seed))


@each_layer
@some
@given(number=ROWS, features=FEATURES, seed=SEEDS)
def test_gradient_of_a_layer(make, number, features, seed):
    module = make(features).to(np.float64)
    for place, parameter in enumerate(module.parameters()):
        parameter.data = 1 + normal(seed + place, *parameter.shape)  # no bias of 0, no scale of 1
    number += 3 * ("BatchNorm" in repr(module))  # of two rows it makes ±1 whatever they were
    x = normal(seed, number, features) + 2 * np.arange(number)[:, None]  # no variance near 0
    gradcheck(module, x, rng=np.random.default_rng(seed))


@some
@given(shape=st.lists(st.integers(1, 4), min_size=1, max_size=4), seed=SEEDS)
def test_flatten_takes_any_number_of_axes(shape, seed):
    x = normal(seed, *shape)
    gradcheck(nn.Flatten(), x)
    assert nn.Flatten()(x).shape == (shape[0], int(np.prod(shape[1:])))


@each_activation
@each_dtype
def test_an_activation_keeps_dtype_and_stays_finite(make, dtype):
    x, module = np.array([[-1000, -100, -1, 0, 1, 100, 1000]], dtype), make()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        y = module(x)
        grad_x = module.backward(np.ones_like(y))
    assert y.dtype == grad_x.dtype == dtype and y.shape == grad_x.shape == x.shape
    assert np.isfinite(y).all() and np.isfinite(grad_x).all()


@each_layer
@each_dtype
def test_a_layer_keeps_dtype_and_stays_finite(make, dtype):
    module, x = make(3).to(dtype), np.array([[-1000, 0, 1000]] * 3 + [[1000, 1, -1]], dtype)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        y = module(x)
        grad_x = module.backward(np.ones_like(y))
    arrays = [y, grad_x, *(p.data for p in module.parameters()), *(p.grad for p in module.parameters())]
    arrays += [array for array in module.state_dict().values() if array.dtype.kind == "f"]
    assert all(array.dtype == dtype and np.isfinite(array).all() for array in arrays)


@each_layer
def test_backward_adds_and_leaves_its_arguments_alone(make):
    module, x = make(3), normal(0, 4, 3).astype(np.float32)
    kept = x.copy()
    y = module(x)
    grad_y = normal(1, *y.shape).astype(np.float32)
    given_grad = grad_y.copy()
    assert all(parameter.grad is None for parameter in module.parameters())
    first = module.backward(grad_y)
    once = [parameter.grad.copy() for parameter in module.parameters()]
    assert_array_equal(module.backward(grad_y), first)
    for parameter, grad in zip(module.parameters(), once, strict=True):
        assert_array_equal(parameter.grad, 2 * grad)
    assert_array_equal(grad_y, given_grad)
    assert_array_equal(x, kept)
    module.zero_grad()
    assert all(parameter.grad is None for parameter in module.parameters())


def network(rng=None):
    return nn.Sequential(
        nn.Flatten(),
        nn.Linear(6, 4, rng=rng),
        nn.BatchNorm1d(4),
        nn.ReLU(),
        nn.Dropout(),
        nn.Linear(4, 2, rng=rng),
    )


def test_state_dict_makes_the_round_trip():
    one, other = network(), network()
    one(normal(0, 5, 2, 3).astype(np.float32))
    state = one.state_dict()
    other.load_state_dict(state)
    assert [*state] == [
        *("1.weight", "1.bias", "2.weight", "2.bias", "2.running_mean", "2.running_var"),
        *("2.num_batches_tracked", "5.weight", "5.bias"),
    ]
    assert state["2.num_batches_tracked"].dtype == np.int64 and state["2.num_batches_tracked"].shape == ()
    x = normal(1, 5, 2, 3).astype(np.float32)
    assert_array_equal(one.eval()(x), other.eval()(x))
    state["1.weight"][:] = 0  # a copy
    assert one[1].weight.data.any() and other[1].weight.data.any()


def test_load_state_dict_names_what_does_not_fit_and_changes_nothing():
    model = network()
    state = network().state_dict()
    del state["1.bias"]
    state |= {"9.weight": np.zeros(2), "5.weight": np.zeros((4, 2)), "5.bias": np.array(["a", "b"])}
    before = model.state_dict()
    with pytest.raises(ValueError) as caught:
        model.load_state_dict(state)
    for words in (
        "1.bias is missing",
        "9.weight is unexpected",
        "5.weight should be (2, 4), came as (4, 2)",
        "5.bias",
    ):
        assert words in str(caught.value)
    for name, array in model.state_dict().items():
        assert_array_equal(array, before[name])


@pytest.mark.parametrize("order", ["C", "F"])
def test_a_loaded_model_answers_and_learns_alike_to_the_last_bit(order):
    """However the file had laid out the weights: another order of the sums would round differently."""
    one, other = (nn.Linear(784, 100, rng=np.random.default_rng(seed)) for seed in range(2))
    other.load_state_dict({name: np.array(array, order=order) for name, array in one.state_dict().items()})
    x, grad_y = normal(0, 1, 784).astype(np.float32), normal(1, 1, 100).astype(np.float32)
    assert_array_equal(one(x), other(x))
    assert_array_equal(one.backward(grad_y), other.backward(grad_y))
    assert_array_equal(one.weight.grad, other.weight.grad)


def test_loading_keeps_the_dtype_of_the_model():
    model = nn.Linear(3, 2)
    model.load_state_dict({name: array.astype(float) for name, array in model.state_dict().items()})
    assert model.weight.data.dtype == np.float32


def test_parameters_are_found_in_attributes_and_modules():
    class Two(nn.Module):
        def __init__(self):
            self.first, self.scale = nn.Linear(3, 2), nn.Parameter([2.0])

        def forward(self, x):
            return self.first(x) * self.scale.data

    two = Two()
    assert [name for name, _ in two.named_parameters()] == ["scale", "first.weight", "first.bias"]
    assert [*two.state_dict()] == ["scale", "first.weight", "first.bias"]
    assert [type(module).__name__ for module in two.modules()] == ["Two", "Linear"]
    assert "(first): Linear(3, 2)" in repr(two)
    copied = copy.deepcopy(two)
    copied.first.weight.data[:] = 0
    assert two.first.weight.data.any()


def test_train_and_eval_reach_every_module():
    model = network()
    assert all(not module.training for module in model.eval().modules())
    assert all(module.training for module in model.train().modules())


def test_sequential_is_a_list_of_modules():
    model = network()
    assert len(model) == 6 and [*model][1] is model[1] and model[-1].out_features == 2
    assert [type(module).__name__ for module in model[1:3]] == ["Linear", "BatchNorm1d"]
    assert_array_equal(nn.Sequential()(np.ones((2, 2))), np.ones((2, 2)))


@pytest.mark.parametrize(
    "first", [nn.Flatten, nn.Sequential, lambda: nn.Sequential(nn.Flatten(), nn.Linear(6, 6))]
)
def test_the_gradient_of_data_can_be_left_out(first):
    model = nn.Sequential(first(), nn.Linear(6, 4), nn.ReLU(), nn.Linear(4, 2)).to(np.float64)
    x, grad_y = normal(0, 5, 6), normal(1, 5, 2)
    model(x)
    assert model.backward(grad_y).shape == x.shape
    full = [parameter.grad for parameter in model.parameters()]
    model.zero_grad()
    model.requires_input_grad_(False)(x)
    assert model.backward(grad_y) is None
    for parameter, grad in zip(model.parameters(), full, strict=True):
        assert_array_equal(parameter.grad, grad)
    model.requires_input_grad_()(x)
    assert model.backward(grad_y) is not None


def test_dropout_keeps_the_mean_and_its_share():
    x = np.ones((400, 400), np.float32)
    for p in (0.2, 0.5, 0.9):
        y = nn.Dropout(p, rng=np.random.default_rng(0))(x)
        assert_allclose(y.mean(), 1, atol=0.02)
        assert_allclose((y == 0).mean(), p, atol=0.005)
        assert_allclose(np.unique(y), [0, 1 / (1 - p)], rtol=1e-6)


def test_randomness_is_the_packages_or_ones_own():
    shared.manual_seed(3)
    first = network()
    shared.manual_seed(3)
    assert_array_equal(first[1].weight.data, network()[1].weight.data)
    one, other = (nn.Linear(3, 2, rng=np.random.default_rng(5)) for _ in range(2))
    assert_array_equal(one.weight.data, other.weight.data)
    assert not np.array_equal(one.weight.data, first[1].weight.data[:2, :3])


@some
@given(number=st.integers(2, 6), features=FEATURES, seed=SEEDS)
def test_batch_norm_brings_each_feature_to_mean_0_and_variance_1(number, features, seed):
    x = 100 + 10 * normal(seed, number, features)
    y = nn.BatchNorm1d(features, eps=1e-12).to(np.float64)(x)
    assert_allclose(y.mean(axis=0), 0, atol=1e-9)
    assert_allclose(y.var(axis=0), 1, rtol=1e-6)


def test_batch_norm_remembers_the_mean_of_all_batches_without_momentum():
    layer = nn.BatchNorm1d(2, momentum=None).to(np.float64)
    batches = [normal(seed, 4, 2) for seed in range(3)]
    for batch in batches:
        layer(batch)
    assert_allclose(layer.running_mean, np.mean(batches, axis=(0, 1)), rtol=1e-12)
    assert_allclose(
        layer.running_var, np.mean([batch.var(axis=0, ddof=1) for batch in batches], axis=0), rtol=1e-12
    )


@pytest.mark.parametrize(
    ("fill", "std"),
    [
        (lambda w: nn.init.uniform_(w, -1, 2), np.sqrt(9 / 12)),
        (lambda w: nn.init.normal_(w, mean=0.5, std=2), 2),
        (nn.init.xavier_uniform_, np.sqrt(2 / 600)),
        (lambda w: nn.init.xavier_normal_(w, gain=3), 3 * np.sqrt(2 / 600)),
        (nn.init.kaiming_uniform_, np.sqrt(2 / 200)),
        (lambda w: nn.init.kaiming_normal_(w, mode="fan_out", nonlinearity="relu"), np.sqrt(2 / 400)),
    ],
)
@pytest.mark.parametrize(
    "thing", [nn.Parameter(np.zeros((400, 200))), np.zeros((400, 200))], ids=["Parameter", "array"]
)
def test_weights_begin_as_wide_as_they_should(fill, std, thing):
    assert fill(thing) is thing
    array, dtype = (thing.data, np.float32) if isinstance(thing, nn.Parameter) else (thing, np.float64)
    assert_allclose(array.std(), std, rtol=0.01)
    assert array.dtype == dtype


def test_fans_of_a_convolution_count_the_pixels_of_its_kernel():
    assert nn.init.fans((16, 3, 5, 5)) == (75, 400)


def test_penalties_equal_their_formulas_and_add_to_the_gradients():
    layer = nn.Linear(4, 3).to(np.float64)
    weights = np.concatenate([parameter.data.ravel() for parameter in layer.parameters()])
    layer.weight.add_grad(np.ones((3, 4)))
    assert_allclose(nn.l1_penalty(layer.parameters(), 0.1), 0.1 * np.abs(weights).sum())
    assert_allclose(nn.l2_penalty(layer.parameters(), 0.2), 0.1 * (weights**2).sum())
    weight = layer.weight
    assert_allclose(weight.grad, 1 + 0.1 * np.sign(weight.data) + 0.2 * weight.data)


class Tied(nn.Sequential):
    """Two layers with one weight between them."""

    def __init__(self):
        super().__init__(nn.Linear(3, 3), nn.Linear(3, 3))
        second = self.named_children()[1][1]
        second.weight = self.named_children()[0][1].weight


def test_what_occurs_twice_is_found_once():
    names = [name for name, _ in Tied().named_parameters("net")]
    assert names == ["net.0.weight", "net.0.bias", "net.1.bias"]  # as PyTorch has it
    assert len(Tied().state_dict()) == 4


def test_a_slice_keeps_the_names():
    part = nn.Sequential(nn.ReLU(), nn.Linear(2, 2), nn.Linear(2, 1))[1:]
    assert [*part.state_dict()] == ["1.weight", "1.bias", "2.weight", "2.bias"]


@pytest.mark.parametrize("layer", [nn.Linear(2, 2), nn.BatchNorm1d(2)], ids=repr)
def test_a_gradient_of_another_dtype_is_refused(layer):
    layer(np.zeros((3, 2), np.float32))
    with pytest.raises(TypeError, match=r"backward expected float32 like its weights, got float64"):
        layer.backward(np.ones((3, 2)))


@pytest.mark.parametrize(
    "layer", [nn.ReLU(), nn.Tanh(), nn.GELU(), nn.Softmax(dim=1), nn.Dropout()], ids=repr
)
def test_a_loss_is_no_gradient(layer):
    layer(np.ones((2, 3), np.float32))
    with pytest.raises(ValueError, match="backward expected a gradient"):
        layer.backward(np.float32(1))


def test_settings_of_numpy_do_not_upcast():
    layer = nn.BatchNorm1d(2, eps=np.float64(1e-5), momentum=np.float64(0.1))
    assert layer(np.ones((3, 2), np.float32)).dtype == layer.running_mean.dtype == np.float32
    nn.l2_penalty(layer.parameters(), np.float64(0.1))
    assert layer.weight.grad.dtype == np.float32
    with pytest.raises(ValueError, match="BatchNorm1d expected eps as a number, 0 or more, got -1"):
        nn.BatchNorm1d(2, eps=-1)
    with pytest.raises(ValueError, match="clip_grad_norm_ expected max_norm as a number, 0 or more, got -1"):
        nn.clip_grad_norm_(layer.parameters(), -1)


def test_one_row_has_no_variance_in_evaluation_either():
    layer = nn.BatchNorm1d(2, track_running_stats=False).eval()
    with pytest.raises(ValueError, match="expected two rows or more"):
        layer(np.zeros((1, 2), np.float32))
