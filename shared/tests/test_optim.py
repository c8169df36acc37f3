"""The optimizers and schedules by their own formulas: one step by hand, dtypes, states that go on from there."""

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from shared import nn, optim

OPTIMIZERS = {
    "SGD": (optim.SGD, {}),
    "momentum": (optim.SGD, {"momentum": 0.9, "weight_decay": 0.1}),
    "nesterov": (optim.SGD, {"momentum": 0.9, "nesterov": True}),
    "RMSprop": (optim.RMSprop, {"momentum": 0.5, "centered": True}),
    "Adam": (optim.Adam, {"weight_decay": 0.1}),
    "AdamW": (optim.AdamW, {}),
}
SCHEDULES = {
    "StepLR": lambda o: optim.StepLR(o, 2, gamma=0.5),
    "CosineAnnealingLR": lambda o: optim.CosineAnnealingLR(o, 8),
    "OneCycleLR": lambda o: optim.OneCycleLR(o, 0.1, total_steps=10),
    "ReduceLROnPlateau": lambda o: optim.ReduceLROnPlateau(o, patience=1),
}
each_optimizer = pytest.mark.parametrize(("make", "options"), OPTIMIZERS.values(), ids=OPTIMIZERS)


def parameter(*values, dtype=np.float64):
    made = nn.Parameter(values)
    made.data = made.data.astype(dtype)
    return made


def run(steps, params, optimizer, schedule=None):
    """Steps down the bowl (w - 3)^2 from wherever the weights are."""
    for _ in range(steps):
        for p in params:
            p.grad = 2 * (p.data - 3)
        optimizer.step()
        if isinstance(schedule, optim.ReduceLROnPlateau):
            schedule.step(1.0)
        elif schedule:
            schedule.step()


@pytest.mark.parametrize(
    ("make", "options", "after"),
    [
        (optim.SGD, {"lr": 0.1}, 1 - 0.1 * 2),
        (optim.SGD, {"lr": 0.1, "weight_decay": 0.5}, 1 - 0.1 * 2.5),
        (optim.SGD, {"lr": 0.1, "momentum": 0.9, "nesterov": True}, 1 - 0.1 * 2 * 1.9),
        (optim.RMSprop, {"lr": 0.1, "alpha": 0.75, "eps": 0}, 1 - 0.1 * 2 / (0.5 * 2)),
        (optim.Adam, {"lr": 0.1, "eps": 0}, 1 - 0.1),
        (optim.AdamW, {"lr": 0.1, "eps": 0, "weight_decay": 0.5}, 1 * (1 - 0.05) - 0.1),
    ],
)
def test_one_step_by_hand(make, options, after):
    w = parameter(1.0)
    w.grad = np.array([2.0])
    make([w], **options).step()
    assert_allclose(w.data, [after], rtol=1e-14)
    assert_array_equal(w.grad, [2.0])


@each_optimizer
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("lr", [0.1, np.float64(0.1)], ids=["Python", "NumPy"])
def test_dtype_is_kept(make, options, dtype, lr):
    w = parameter(1.0, -2.0, dtype=dtype)
    optimizer = make([w], lr=lr, **options)
    run(3, [w], optimizer)
    arrays = [value for value in optimizer.memory[0].values() if isinstance(value, np.ndarray)]
    assert all(array.dtype == dtype for array in [w.data, *arrays])


@each_optimizer
def test_it_goes_down_and_leaves_alone_what_has_no_gradient(make, options):
    w, idle = parameter(1.0, -2.0), parameter(5.0)
    optimizer = make([w, idle], lr=0.05, **(options | {"weight_decay": 0}))
    run(400, [w], optimizer)
    assert_allclose(w.data, 3, atol=0.2)
    assert idle.data == 5 and optimizer.memory[1] == {}
    optimizer.zero_grad()
    assert w.grad is None


@each_optimizer
def test_no_memory_fades_into_subnormal_numbers(make, options):
    w, tiny = parameter(1.0, -2.0, dtype=np.float32), np.finfo(np.float32).tiny
    optimizer = make([w], lr=1e-3, **(options | {"weight_decay": 0}))
    run(1, [w], optimizer)
    w.grad = np.zeros(2, np.float32)  # a dead unit
    for _ in range(10_000):
        optimizer.step()
    for kept in optimizer.memory[0].values():
        assert np.all((np.asarray(kept) == 0) | (np.abs(kept) >= tiny))


def test_an_optimizer_may_remember_whole_numbers():
    class Counts(optim.Optimizer):
        def update(self, data, grad, memory):
            memory.setdefault("times", np.zeros(2, int))
            memory["times"] += 1

    w = parameter(1.0, 2.0)
    optimizer = Counts([w], lr=1)
    run(300, [w], optimizer)
    assert_array_equal(optimizer.memory[0]["times"], [300, 300])


@pytest.mark.parametrize("schedule", SCHEDULES.values(), ids=SCHEDULES)
@each_optimizer
def test_a_state_goes_on_where_it_stopped(make, options, schedule):
    def begin():
        w = parameter(1.0, -2.0, 7.0)
        optimizer = make([w], lr=0.05, **options)
        return w, optimizer, schedule(optimizer)

    w, optimizer, scheduler = begin()
    run(4, [w], optimizer, scheduler)
    state, scheduler_state, data = optimizer.state_dict(), scheduler.state_dict(), w.data.copy()
    run(5, [w], optimizer, scheduler)
    for first in (0, 1):  # in either order
        other_w, other, other_scheduler = begin()
        loads = [
            lambda o=other: o.load_state_dict(state),
            lambda s=other_scheduler: s.load_state_dict(scheduler_state),
        ]
        loads[first]()
        loads[1 - first]()
        other_w.data = data.copy()
        run(5, [other_w], other, other_scheduler)
        assert_array_equal(other_w.data, w.data)


def test_a_parameter_given_twice_is_moved_once():
    w = parameter(1.0)
    w.grad = np.array([2.0])
    optim.SGD([w, w], lr=0.1).step()
    assert_allclose(w.data, 0.8)


def rates(make, steps, *metrics, lr=0.1):
    optimizer = optim.SGD([parameter(1.0)], lr=lr, momentum=0.5)
    schedule, seen = make(optimizer), [optimizer.lr]
    for step in range(steps):
        schedule.step(*metrics[step : step + 1])
        seen.append(optimizer.lr)
        assert schedule.get_last_lr() == [optimizer.lr]
    return seen


def test_schedules_by_hand():
    assert_allclose(rates(lambda o: optim.StepLR(o, 2), 4), [0.1, 0.1, 0.01, 0.01, 0.001])
    half = rates(lambda o: optim.CosineAnnealingLR(o, 4, eta_min=0.02), 4)
    assert_allclose(half, [0.06 + 0.04 * math.cos(math.pi * k / 4) for k in range(5)])
    cycle = rates(
        lambda o: optim.OneCycleLR(o, 1.0, total_steps=11, pct_start=6 / 11, anneal_strategy="linear"), 10
    )
    assert_allclose(cycle[:6], np.linspace(0.04, 1, 6))
    assert_allclose(cycle[5:], np.linspace(1, 4e-6, 6))
    plateau = rates(lambda o: optim.ReduceLROnPlateau(o, patience=1), 5, 5.0, 6.0, 6.0, 4.0, 3.0)
    assert_allclose(plateau, [0.1, 0.1, 0.1, 0.01, 0.01, 0.01])


def test_one_cycle_lets_every_batch_of_a_loop_step():
    """A loop steps after each batch, so also after the last; one more is a mistake."""
    optimizer = optim.SGD([parameter(1.0)])
    schedule = optim.OneCycleLR(optimizer, 0.1, epochs=2, steps_per_epoch=3)
    for _ in range(6):
        schedule.step()
    with pytest.raises(ValueError, match="at most 6 steps, got step 7"):
        schedule.step()


def test_the_memory_of_another_optimizer_is_refused():
    first, second = parameter(1.0), parameter(1.0)
    first.grad = second.grad = np.ones(())
    sgd, adam = optim.SGD([first], 0.1, momentum=0.9), optim.Adam([second])
    sgd.step(), adam.step()
    with pytest.raises(ValueError, match=r"Adam expected a memory of .* got \['momentum_buffer'\]"):
        adam.load_state_dict(adam.state_dict() | {"memory": sgd.state_dict()["memory"]})


def test_schedules_refuse_what_is_not_theirs():
    step = optim.StepLR(optim.SGD([parameter(1.0)]), 3)
    with pytest.raises(ValueError, match="StepLR expected the state of a StepLR, got"):
        step.load_state_dict({"nonsense": 3})
    for share in (-0.1, 2, math.nan):
        with pytest.raises(ValueError, match="OneCycleLR expected pct_start from 0 to 1"):
            optim.OneCycleLR(optim.SGD([parameter(1.0)]), 0.1, 10, pct_start=share)
    whole = optim.OneCycleLR(optim.SGD([parameter(1.0)]), 0.1, 4, pct_start=1.0)
    for _ in range(4):  # a rise to the end, and no division by nothing behind it
        whole.step()
