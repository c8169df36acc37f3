"""What losses, optimizers and schedules say when they are used wrongly."""

import numpy as np

from shared.checks.values import floats

__all__ = []  # no lesson builds these


def pair(loss, input, target):
    """Refuse what are not two arrays of one shape and dtype, with something in them."""
    floats(loss, "input", input, "the prediction comes first, then the target")
    floats(loss, "target", target, f"try target.astype(np.{input.dtype})")
    name = type(loss).__name__
    if input.shape != target.shape:
        advice = "(N,) and (N, 1) are made alike by target[:, None]"
        raise ValueError(f"{name} expected a target of shape {input.shape}, got {target.shape}: {advice}")
    if input.dtype != target.dtype:
        advice = f"try target.astype(np.{input.dtype})"
        raise TypeError(f"{name} expected a target of {input.dtype}, got {target.dtype}: {advice}")
    if not input.size:
        raise ValueError(
            f"{name} expected at least one row, got an empty batch {input.shape}: look at the slice"
        )


def classes(loss, scores, target):
    """Refuse what are not scores (N, C) and the numbers of N classes."""
    floats(loss, "scores", scores, "the prediction comes first, then the target")
    name, found = type(loss).__name__, target.shape
    if scores.ndim != 2:
        raise ValueError(
            f"{name} expected scores (N, C), got {scores.shape}: one example is a batch of one: x[None]"
        )
    if not scores.size:
        raise ValueError(
            f"{name} expected at least one row, got an empty batch {scores.shape}: look at the slice"
        )
    if found == scores.shape and scores.shape[1] > 1:
        advice = "one-hot rows become numbers by target.argmax(axis=1)"
        raise ValueError(
            f"{name} expected the numbers of the classes, ({len(scores)},), got {found}: {advice}"
        )
    if found != scores.shape[:1]:
        advice = (
            "a column becomes a row by target[:, 0]" if len(found) == 2 else "are x and y of the same batch?"
        )
        raise ValueError(f"{name} expected one class per row, ({len(scores)},), got {found}: {advice}")
    if target.dtype.kind not in "iu":
        raise TypeError(
            f"{name} expected whole numbers as target, got {target.dtype}: try target.astype(int)"
        )
    if target.min() < 0 or target.max() >= scores.shape[1]:
        expected, found = f"classes from 0 to {scores.shape[1] - 1}", f"{target.min()} to {target.max()}"
        raise ValueError(
            f"{name} expected {expected}, got {found}: as many outputs as classes, counted from 0"
        )


def parameters(optimizer, params):
    """The parameters in a list, each once; refuse what is none."""
    name, advice = type(optimizer).__name__, "pass model.parameters(), with the brackets"
    if not hasattr(params, "__iter__"):
        raise TypeError(f"{name} expected parameters, got a {type(params).__name__}: {advice}")
    params = list(params)
    if not params:
        advice += "; modules are not found inside a list, but inside nn.Sequential"
        raise ValueError(f"{name} expected parameters, got none: {advice}")
    if wrong := [part for part in params if not hasattr(part, "add_grad")]:
        raise TypeError(f"{name} expected Parameters, got {type(wrong[0]).__name__}: {advice}")
    return list(dict.fromkeys(params))


def not_negative(who, name, value):
    """The setting as a Python number; refuse what is none, or below 0."""
    if not isinstance(value, (int, float, np.number)) or not value >= 0:
        kind = ValueError if isinstance(value, (int, float, np.number)) else TypeError
        advice = "a step against the gradient is subtracted already" if name == "lr" else "0 switches it off"
        who = getattr(who, "__name__", type(who).__name__)  # a function has a name of its own
        raise kind(f"{who} expected {name} as a number, 0 or more, got {value!r}: {advice}")
    return float(value)


def betas(optimizer, betas):
    """Adam's two settings as Python numbers; refuse what is anything else."""
    if np.shape(betas) != (2,) or not all(0 <= beta < 1 for beta in betas):
        name, advice = type(optimizer).__name__, "try (0.9, 0.999)"
        raise ValueError(f"{name} expected betas, two numbers from 0 to below 1, got {betas}: {advice}")
    return tuple(map(float, betas))


def memory(optimizer, state):
    """Refuse what is not the state of such an optimizer with as many parameters of the same shapes."""
    name, advice = type(optimizer).__name__, "build the model and the optimizer as they were"
    expected, found = {"lr", "momentum", "memory"}, set(state)
    if found != expected:
        raise ValueError(f"{name} expected a state with {sorted(expected)}, got {sorted(found)}: {advice}")
    if len(state["memory"]) != len(optimizer.params):
        found = f"{len(state['memory'])}"
        raise ValueError(
            f"{name} expected the state of {len(optimizer.params)} parameters, got {found}: {advice}"
        )
    for place, (parameter, arrays) in enumerate(zip(optimizer.params, state["memory"], strict=True)):
        if optimizer.keeps is not None and (odd := sorted(set(arrays) - optimizer.keeps)):
            raise ValueError(f"{name} expected a memory of {sorted(optimizer.keeps)}, got {odd}: {advice}")
        if odd := {np.shape(array) for array in arrays.values()} - {(), parameter.shape}:
            found = ", ".join(map(str, odd))
            raise ValueError(
                f"{name} expected {parameter.shape} for parameter {place}, got {found}: {advice}"
            )


def kind(who, thing, expected):
    """Refuse what is not of this kind."""
    if not isinstance(thing, expected):
        found, name = thing if isinstance(thing, type) else type(thing), type(who).__name__
        advice = (
            f"make it first: optimizer = optim.SGD(model.parameters(), lr=0.1); optim.{name}(optimizer, …)"
        )
        raise TypeError(f"{name} expected an {expected.__name__}, got {found.__name__}: {advice}")


def total_steps(total_steps, epochs, steps_per_epoch):
    """The number of batches that a schedule is made for."""
    if total_steps is None and None not in (epochs, steps_per_epoch):
        total_steps = epochs * steps_per_epoch
    if not isinstance(total_steps, (int, np.integer)) or total_steps < 1:
        found = f"{total_steps}, {epochs} and {steps_per_epoch}"
        advice = "try total_steps=epochs * len(batches)"
        raise ValueError(
            f"OneCycleLR expected total_steps, or epochs and steps_per_epoch, got {found}: {advice}"
        )
    return int(total_steps)


def factor(schedule, factor):
    """Refuse what would not make the learning rate smaller."""
    if not factor < 1:
        name = type(schedule).__name__
        raise ValueError(f"{name} expected a factor below 1, got {factor}: it makes the rate smaller")


def within(schedule, count, total):
    """Refuse a step past the end."""
    if count > total:
        name, advice = (
            type(schedule).__name__,
            "step once a batch, and give it epochs * batches as total_steps",
        )
        raise ValueError(f"{name} expected at most {total} steps, got step {count}: {advice}")
