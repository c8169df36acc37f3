"""What layers say when they are used wrongly."""

import numpy as np

from shared.checks.values import floats

__all__ = []  # no lesson builds these


def rows(module, x, features, weight=None):
    """Refuse what is not (N, features) of the same dtype as the weight."""
    floats(module, "x", x)
    if weight is not None and x.dtype != weight.data.dtype:
        advice = f"try x.astype(np.{weight.data.dtype}), or model.to(np.{x.dtype})"
        raise TypeError(f"{module!r} expected {weight.data.dtype} like its weights, got {x.dtype}: {advice}")
    if x.ndim == 2 and x.shape[1] == features:
        return
    if x.ndim > 2:
        advice = "put nn.Flatten() before it"
    elif x.ndim < 2:
        advice = "one example is a batch of one: x[None]"
    elif x.shape[0] == features:
        advice = f"examples are rows: try x.T, or give the layer before it {features} outputs"
    elif x.size == features:
        advice = "one picture is a batch of one: x[None], before nn.Flatten()"
    else:
        advice = f"the layer before it should have {features} outputs"
    raise ValueError(f"{module!r} expected (N, {features}), got {x.shape}: {advice}")


def pair_of_sizes(who, name, value, at_least=1):
    """The setting as a pair, of the height and of the width; refuse what is no whole number, or too small."""
    pair = value if isinstance(value, (tuple, list)) else (value, value)
    whole = all(isinstance(part, (int, np.integer)) and not isinstance(part, bool) for part in pair)
    if len(pair) != 2 or not whole or min(pair) < at_least:
        expected = f"{name} as a whole number, {at_least} or more, or two of them"
        raise ValueError(f"{type(who).__name__} expected {expected}, got {value!r}: try {name}={at_least}")
    return tuple(map(int, pair))


def window(who, kernel_size, stride, padding):
    """The three settings of a pooling window as pairs; refuse padding in which a window would find nothing else."""
    kernel_size = pair_of_sizes(who, "kernel_size", kernel_size)
    stride = kernel_size if stride is None else pair_of_sizes(who, "stride", stride)
    padding = pair_of_sizes(who, "padding", padding, at_least=0)
    if any(2 * p > size for p, size in zip(padding, kernel_size, strict=True)):
        found = f"{padding} for windows of {kernel_size}"
        advice = "a window of padding alone has neither a largest nor a mean"
        raise ValueError(
            f"{type(who).__name__} expected padding of half a window at most, got {found}: {advice}"
        )
    return kernel_size, stride, padding


def channels(who, in_channels, out_channels, groups):
    """Refuse what are no numbers of channels, or can't be divided into groups."""
    for number in (in_channels, out_channels):
        sizes(who, number, "channels", "a grey image has 1, a colour image 3")
    sizes(who, groups, "groups", "1 connects every channel with every other")
    if in_channels % groups or out_channels % groups:
        found = f"{in_channels} and {out_channels} in {groups} groups"
        advice = "both numbers of channels have to be multiples of groups"
        raise ValueError(f"{type(who).__name__} expected channels for equal groups, got {found}: {advice}")


def images(module, x, channels=None, weight=None):
    """Refuse what is not (N, C, H, W) of the same dtype as the weight."""
    floats(module, "x", x)
    if weight is not None and x.dtype != weight.data.dtype:
        advice = f"try x.astype(np.{weight.data.dtype}), or model.to(np.{x.dtype})"
        raise TypeError(f"{module!r} expected {weight.data.dtype} like its weights, got {x.dtype}: {advice}")
    if x.ndim == 4 and channels in (None, x.shape[1]) and x.size:
        return
    if x.ndim == 3:
        advice = "grey images get their channel by x[:, None], one colour image its batch by x[None]"
    elif x.ndim == 2:
        advice = "one grey image is x[None, None]; rows of pixels become images by x.reshape(-1, 1, 28, 28)"
    elif x.ndim == 4 and channels == x.shape[3]:
        advice = "channels stand before height and width: try x.transpose(0, 3, 1, 2)"
    elif x.ndim == 4 and not x.size:
        advice = "there is nothing in it: look at the slice"
    else:
        advice = f"the layer before it should have {channels} channels"
    expected = f"(N, {channels or 'C'}, H, W)"
    raise ValueError(f"{module!r} expected {expected}, got {x.shape}: {advice}")


def covers(module, x, kernel_size, padding, dilation=(1, 1)):
    """Refuse images into which the kernel does not fit once."""
    reach = tuple(d * (size - 1) + 1 for d, size in zip(dilation, kernel_size, strict=True))
    padded = tuple(size + 2 * p for size, p in zip(x.shape[2:], padding, strict=True))
    if padded[0] < reach[0] or padded[1] < reach[1]:
        advice = "try padding, or fewer layers that make images smaller"
        raise ValueError(f"{module!r} expected images of {reach} pixels or more, got {padded}: {advice}")


def gradient(module, grad_y, shape, weight=None):
    """Refuse what is not the gradient of an output of this shape, of the same dtype as the weight."""
    if np.shape(grad_y) != shape:
        found = np.shape(grad_y) or f"one {type(grad_y).__name__}"
        advice = "pass what criterion.backward() returns for this batch, not the loss"
        raise ValueError(
            f"{type(module).__name__}.backward expected a gradient {shape}, got {found}: {advice}"
        )
    floats(module, "grad_y", grad_y)
    if weight is not None and grad_y.dtype != weight.data.dtype:
        found = f"{grad_y.dtype}: try grad_y.astype(np.{weight.data.dtype})"
        raise TypeError(f"{module!r}.backward expected {weight.data.dtype} like its weights, got {found}")


def sizes(who, number, what, advice):
    """Refuse what can't be a number of things."""
    if isinstance(number, bool) or not isinstance(number, (int, np.integer)) or number < 1:
        name = type(who).__name__
        raise ValueError(f"{name} expected a whole number of {what}, 1 or more, got {number!r}: {advice}")


def stack(module, kind, parts):
    """Refuse what is not a list of different modules."""
    for place, part in enumerate(parts):
        name = type(module).__name__
        if not isinstance(part, kind):
            advice = "brackets after a name make a module of it, and a list goes in as *layers"
            raise TypeError(f"{name} expected modules, got {part!r} at place {place}: {advice}")
        if (first := parts.index(part)) < place:
            advice = "it keeps one input for backward, so make a second one"
            raise ValueError(
                f"{name} expected different modules, got {part!r} at {first} and {place}: {advice}"
            )


def state(module, mine, state):
    """The arrays of a state; refuse other names or shapes than the module's own, and name each."""
    who, advice = (
        f"load_state_dict of {type(module).__name__}",
        "build the model as it was when the weights were saved",
    )
    if not hasattr(state, "keys"):
        advice = "open a file first, with np.load(path)"
        raise TypeError(f"{who} expected a dictionary of arrays, got {type(state).__name__}: {advice}")
    theirs = {name: np.asarray(array) for name, array in state.items()}
    wrong = [f"{name} is missing" for name in mine if name not in theirs]
    wrong += [f"{name} is unexpected" for name in theirs if name not in mine]
    for name in (name for name in mine if name in theirs):
        if theirs[name].shape != mine[name].shape:
            wrong.append(f"{name} should be {mine[name].shape}, came as {theirs[name].shape}")
        elif theirs[name].dtype.kind not in "fiu":
            wrong.append(f"{name} should hold numbers, came as {theirs[name].dtype}")
    if wrong:
        raise ValueError(f"{who} expected its own arrays, got others: {'; '.join(wrong)}: {advice}")
    return theirs


def missing(self, name):
    """Python asks here for an attribute that it has found nowhere else."""
    raise AttributeError(
        f"{type(self).__name__} expected to have {name!r}, got nothing of that name. If backward asked for it: "
        "call first, y = model(x) and loss = criterion(y, target), since backward goes over the last call"
    )
