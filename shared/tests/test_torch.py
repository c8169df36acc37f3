"""The same numbers as PyTorch: outputs, gradients, steps, schedules, weights in both directions, first weights.

PyTorch is the extra `torch` for maintainers; learners never need it, and without it these tests are skipped.
"""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from shared import nn, optim
from shared.tests.test_loss import LOSSES, as_dtype

torch = pytest.importorskip(
    "torch", reason='PyTorch is not installed: pip install -e ".[torch]" compares with it'
)
TOLERANCE = {np.float32: 1e-5, np.float64: 1e-12}
each_dtype = pytest.mark.parametrize("dtype", TOLERANCE)

MODULES = {  # name, arguments, shape of the input; the same on both sides
    "Linear": ("Linear", (5, 3), {}, (4, 5)),
    "Linear without bias": ("Linear", (5, 3), {"bias": False}, (1, 5)),
    "Flatten": ("Flatten", (), {}, (4, 2, 3, 2)),
    "Sigmoid": ("Sigmoid", (), {}, (4, 5)),
    "Tanh": ("Tanh", (), {}, (2, 3, 4)),
    "ReLU": ("ReLU", (), {}, (2, 3, 4)),
    "LeakyReLU": ("LeakyReLU", (), {}, (4, 5)),
    "LeakyReLU 0.3": ("LeakyReLU", (0.3,), {}, (4, 5)),
    "ELU": ("ELU", (), {}, (4, 5)),
    "ELU 2.5": ("ELU", (2.5,), {}, (4, 5)),
    "GELU": ("GELU", (), {}, (4, 5)),
    "GELU tanh": ("GELU", (), {"approximate": "tanh"}, (4, 5)),
    "SiLU": ("SiLU", (), {}, (4, 5)),
    "Softmax": ("Softmax", (), {"dim": -1}, (2, 3, 4)),
    "Softmax 1": ("Softmax", (1,), {}, (2, 3, 4)),
    "Dropout 0": ("Dropout", (0,), {}, (4, 5)),
    "Dropout 1": ("Dropout", (1,), {}, (4, 5)),
    "BatchNorm1d": ("BatchNorm1d", (5,), {}, (4, 5)),
    "BatchNorm1d eps": ("BatchNorm1d", (5,), {"eps": 0.1, "momentum": 0.4}, (2, 5)),
    "BatchNorm1d momentum=None": ("BatchNorm1d", (5,), {"momentum": None}, (4, 5)),
    "BatchNorm1d affine=False": ("BatchNorm1d", (5,), {"affine": False}, (4, 5)),
    "BatchNorm1d forgetful": ("BatchNorm1d", (5,), {"track_running_stats": False}, (4, 5)),
}
each_module = pytest.mark.parametrize(("name", "args", "options", "shape"), MODULES.values(), ids=MODULES)


def close(ours, theirs, tolerance):
    assert_allclose(ours, theirs.detach().numpy(), rtol=tolerance, atol=tolerance)


def both(name, args, options, dtype):
    """The module of both libraries with the same numbers in it, none of them special."""
    ours = getattr(nn, name)(*args, **options).to(dtype)
    theirs = getattr(torch.nn, name)(*args, **options).to(getattr(torch, np.dtype(dtype).name))
    rng = np.random.default_rng(1)
    state = {
        key: rng.uniform(0.5, 2, array.shape).astype(array.dtype) for key, array in ours.state_dict().items()
    }
    ours.load_state_dict(state)
    theirs.load_state_dict({key: torch.tensor(array) for key, array in state.items()})
    return ours, theirs


def same_state(ours, theirs, tolerance):
    state = theirs.state_dict()
    assert [*ours.state_dict()] == [*state]
    for key, array in ours.state_dict().items():
        assert array.shape == tuple(state[key].shape) and array.dtype == state[key].numpy().dtype
        close(array, state[key], tolerance)


@each_module
@each_dtype
def test_outputs_gradients_and_states(name, args, options, shape, dtype):
    ours, theirs = both(name, args, options, dtype)
    rng = np.random.default_rng(0)
    for training in (True, True, False):
        ours.train(training), theirs.train(training)
        x, grad_y = rng.standard_normal(shape).astype(dtype) * 3, None
        x_theirs = torch.tensor(x, requires_grad=True)
        y, y_theirs = ours(x), theirs(x_theirs)
        close(y, y_theirs, TOLERANCE[dtype])
        grad_y = rng.standard_normal(y.shape).astype(dtype)
        y_theirs.backward(torch.tensor(grad_y))
        close(ours.backward(grad_y), x_theirs.grad, TOLERANCE[dtype])
        parameters = dict(theirs.named_parameters())
        for key, parameter in ours.named_parameters():  # gradients add up over the three passes
            close(parameter.grad, parameters[key].grad, 3 * TOLERANCE[dtype])
        same_state(ours, theirs, TOLERANCE[dtype])


@pytest.mark.parametrize(("loss", "options", "draw"), LOSSES.values(), ids=LOSSES)
@each_dtype
@pytest.mark.filterwarnings("ignore:reduction:UserWarning")  # PyTorch warns of the mean of KLDivLoss
def test_losses(loss, options, draw, dtype):
    rng = np.random.default_rng(0)
    for shape in [(5, 4), (1, 3), (3, 1)]:
        x, target = rng.standard_normal(shape).astype(dtype) * 3, as_dtype(draw(rng, shape), dtype)
        for reduction in loss.reductions:
            ours = loss(**options, reduction=reduction)
            theirs = getattr(torch.nn, loss.__name__)(**options, reduction=reduction)
            x_theirs = torch.tensor(x, requires_grad=True)
            value = theirs(x_theirs, torch.tensor(target))
            close(ours(x, target), value, TOLERANCE[dtype])
            value.sum().backward()
            close(ours.backward(), x_theirs.grad, TOLERANCE[dtype])


OPTIMIZERS = {
    "SGD": ("SGD", {"lr": 0.1}),
    "SGD by default": ("SGD", {}),
    "SGD momentum": ("SGD", {"lr": 0.1, "momentum": 0.9, "dampening": 0.3, "weight_decay": 0.05}),
    "SGD nesterov": ("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.05}),
    "RMSprop": ("RMSprop", {}),
    "RMSprop all": (
        "RMSprop",
        {"alpha": 0.9, "momentum": 0.8, "centered": True, "weight_decay": 0.05, "eps": 1e-3},
    ),
    "Adam": ("Adam", {}),
    "Adam all": ("Adam", {"lr": 0.05, "betas": (0.8, 0.9), "eps": 0.1, "weight_decay": 0.05}),
    "AdamW": ("AdamW", {}),
    "AdamW all": ("AdamW", {"lr": 0.05, "betas": (0.8, 0.9), "eps": 0.1, "weight_decay": 0.5}),
}
SCHEDULES = {
    "none": None,
    "StepLR": ("StepLR", {"step_size": 3, "gamma": 0.5}),
    "CosineAnnealingLR": ("CosineAnnealingLR", {"T_max": 6, "eta_min": 1e-3}),  # 10 steps: beyond the turn
    "OneCycleLR": ("OneCycleLR", {"max_lr": 0.2, "total_steps": 10}),
    "OneCycleLR linear": (
        "OneCycleLR",
        {"max_lr": 0.2, "epochs": 2, "steps_per_epoch": 6, "anneal_strategy": "linear", "pct_start": 0.4},
    ),
    "OneCycleLR all": (
        "OneCycleLR",
        {
            **{"max_lr": 0.1, "total_steps": 11, "base_momentum": 0.5, "max_momentum": 0.7},
            **{"div_factor": 5.0, "final_div_factor": 10.0},
        },
    ),
    "OneCycleLR lr only": (
        "OneCycleLR",
        {"max_lr": 0.1, "total_steps": 15, "cycle_momentum": False, "pct_start": 0.0},
    ),
    "ReduceLROnPlateau": ("ReduceLROnPlateau", {"patience": 1, "factor": 0.5, "cooldown": 1}),
    "ReduceLROnPlateau max": (
        "ReduceLROnPlateau",
        {"mode": "max", "patience": 0, "threshold": 0.3, "threshold_mode": "abs", "min_lr": 0.01},
    ),
    "ReduceLROnPlateau rel": (
        "ReduceLROnPlateau",
        {"mode": "max", "patience": 0, "threshold": 0.2, "eps": 1e-4},
    ),
}
METRICS = [1.0, 0.5, 0.51, 0.52, 0.8, 0.9, -1.0, -1.05, -2.0, -1.9, -1.9]


@pytest.mark.parametrize("schedule", SCHEDULES.values(), ids=SCHEDULES)
@pytest.mark.parametrize(("name", "options"), OPTIMIZERS.values(), ids=OPTIMIZERS)
@each_dtype
def test_ten_steps_of_every_optimizer_with_every_schedule(name, options, schedule, dtype):
    ours, theirs = both("Linear", (4, 3), {}, dtype)
    one = getattr(optim, name)(ours.parameters(), **options)
    other = getattr(torch.optim, name)(theirs.parameters(), **options)
    if schedule:
        one_schedule = getattr(optim, schedule[0])(one, **schedule[1])
        other_schedule = getattr(torch.optim.lr_scheduler, schedule[0])(other, **schedule[1])
    rng = np.random.default_rng(2)
    for step in range(10):
        for parameter, theirs_parameter in zip(ours.parameters(), theirs.parameters(), strict=True):
            parameter.grad = rng.standard_normal(parameter.shape).astype(dtype)
            theirs_parameter.grad = torch.tensor(parameter.grad)
        one.step(), other.step()
        if schedule:
            metric = METRICS[step : step + 1] if schedule[0] == "ReduceLROnPlateau" else []
            one_schedule.step(*metric), other_schedule.step(*metric)
        group = other.param_groups[0]
        assert_allclose(one.lr, group["lr"], rtol=1e-12, atol=1e-17)
        momentum = group["betas"][0] if "betas" in group else group["momentum"]
        assert_allclose(one.momentum, momentum, rtol=1e-12)
        same_state(ours, theirs, TOLERANCE[dtype])


@each_dtype
@pytest.mark.parametrize("name", ["SGD", "Adam"])
def test_a_network_is_trained_alike(name, dtype):
    def network(library):
        parts = [
            library.Flatten(),
            library.Linear(12, 7),
            library.BatchNorm1d(7),
            library.GELU(),
            library.Linear(7, 3),
        ]
        return library.Sequential(*parts)

    theirs = network(torch.nn).to(getattr(torch, np.dtype(dtype).name))
    ours = network(nn).to(dtype)
    ours.load_state_dict({key: value.numpy() for key, value in theirs.state_dict().items()})
    one, other = (
        getattr(library, name)(model.parameters(), lr=0.01)
        for library, model in ((optim, ours), (torch.optim, theirs))
    )
    criterion, their_criterion = nn.CrossEntropyLoss(), torch.nn.CrossEntropyLoss()
    rng = np.random.default_rng(0)
    for _ in range(10):
        x, y = rng.standard_normal((8, 3, 4)).astype(dtype), rng.integers(0, 3, 8)
        one.zero_grad()
        loss = criterion(ours(x), y)
        ours.backward(criterion.backward())
        nn.clip_grad_norm_(ours.parameters(), 0.5)
        one.step()
        other.zero_grad()
        their_loss = their_criterion(theirs(torch.tensor(x)), torch.tensor(y))
        their_loss.backward()
        torch.nn.utils.clip_grad_norm_(theirs.parameters(), 0.5)
        other.step()
        close(loss, their_loss, 10 * TOLERANCE[dtype])
    if (
        name == "SGD"
    ):  # Adam divides by gradients near 0, the bias before batch norm, and makes rounding large
        same_state(ours, theirs, 10 * TOLERANCE[dtype])
    theirs.load_state_dict({key: torch.tensor(value) for key, value in ours.state_dict().items()})
    same_state(ours, theirs, 0)


@each_dtype
@pytest.mark.parametrize("norm_type", [2.0, 1.0, np.inf])
@pytest.mark.parametrize("max_norm", [0.1, 100.0])
def test_clipping(dtype, norm_type, max_norm):
    ours, theirs = both("Linear", (4, 3), {}, dtype)
    rng = np.random.default_rng(3)
    for parameter, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        parameter.grad = rng.standard_normal(parameter.shape).astype(dtype)
        other.grad = torch.tensor(parameter.grad)
    total = nn.clip_grad_norm_(ours.parameters(), max_norm, norm_type)
    close(total, torch.nn.utils.clip_grad_norm_(theirs.parameters(), max_norm, norm_type), TOLERANCE[dtype])
    for limit in (None, 0.05):
        if limit:
            nn.clip_grad_value_(ours.parameters(), limit)
            torch.nn.utils.clip_grad_value_(theirs.parameters(), limit)
        for parameter, other in zip(ours.parameters(), theirs.parameters(), strict=True):
            assert parameter.grad.dtype == dtype
            close(parameter.grad, other.grad, TOLERANCE[dtype])


FILLS = {
    "uniform_": {"a": -1, "b": 3},
    "normal_": {"mean": 1, "std": 2},
    "xavier_uniform_": {"gain": 2},
    "xavier_normal_": {"gain": 2},
    "kaiming_uniform_": {"a": 1, "mode": "fan_out"},
    "kaiming_normal_": {"nonlinearity": "relu"},
}


def same_distribution(ours, theirs):
    """Mean, spread and both ends of two large samples."""
    spread = theirs.std()
    assert_allclose(ours.mean(), theirs.mean(), atol=0.02 * spread)
    assert_allclose(ours.std(), spread, rtol=0.01)
    quantiles = [0.001, 0.01, 0.25, 0.75, 0.99, 0.999]
    assert_allclose(np.quantile(ours, quantiles), np.quantile(theirs, quantiles), atol=0.1 * spread)


@pytest.mark.parametrize(("name", "options"), [*FILLS.items(), *((name, {}) for name in FILLS)])
def test_initial_distributions(name, options):
    torch.manual_seed(0)
    ours = getattr(nn.init, name)(np.zeros((500, 300)), **options, rng=np.random.default_rng(0))
    same_distribution(ours, getattr(torch.nn.init, name)(torch.zeros(500, 300), **options).numpy())


def test_a_linear_layer_begins_alike():
    torch.manual_seed(0)
    ours, theirs = nn.Linear(3, 60_000, rng=np.random.default_rng(0)), torch.nn.Linear(3, 60_000)
    for parameter, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        same_distribution(parameter.data, other.detach().numpy())
        assert np.abs(parameter.data).max() <= np.float32(1 / np.sqrt(3))


@pytest.mark.parametrize("name", ["linear", "sigmoid", "tanh", "relu", "leaky_relu"])
def test_gains(name):
    assert nn.init.calculate_gain(name) == torch.nn.init.calculate_gain(name)
    assert_array_equal(
        nn.init.calculate_gain("leaky_relu", 0.3), torch.nn.init.calculate_gain("leaky_relu", 0.3)
    )
