"""What modules and losses say when they are used wrongly: who expected what, what came, and what to try."""

import numpy as np

__all__ = []  # no lesson builds these


def floats(who, name, array, advice=""):
    """Refuse what is not an array of floating-point numbers."""
    if not isinstance(array, np.ndarray):
        advice = advice or f"try np.array({name}, np.float32)"
        raise TypeError(f"{who!r} expected {name} as an array, got {type(array).__name__}: {advice}")
    if array.dtype.kind != "f":
        advice = advice or f"try {name}.astype(np.float32), and / 255 for pixels"
        raise TypeError(f"{who!r} expected floating-point numbers as {name}, got {array.dtype}: {advice}")


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


def gradient(module, grad_y, shape):
    """Refuse what is not the gradient of an output of this shape."""
    if np.shape(grad_y) != shape:
        found = np.shape(grad_y) or f"one {type(grad_y).__name__}"
        advice = "pass what criterion.backward() returns for this batch, not the loss"
        raise ValueError(
            f"{type(module).__name__}.backward expected a gradient {shape}, got {found}: {advice}"
        )


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
        raise kind(f"{type(who).__name__} expected {name} as a number, 0 or more, got {value!r}: {advice}")
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


def choice(who, name, value, choices):
    """Refuse what is not one of the choices."""
    if value not in choices:
        who = getattr(who, "__name__", type(who).__name__)  # a function has a name of its own
        told = " or ".join(map(repr, choices))
        raise ValueError(f"{who} expected {name} {told}, got {value!r}: try {name}={choices[0]!r}")


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


def missing(self, name):
    """Python asks here for an attribute that it has found nowhere else."""
    raise AttributeError(
        f"{type(self).__name__} expected to have {name!r}, got nothing of that name. If backward asked for it: "
        "call first, y = model(x) and loss = criterion(y, target), since backward goes over the last call"
    )


def pixels(who, img, whole=False):
    """The picture itself; refuse what is no array (..., H, W) of pixels (whole: of uint8)."""
    if not isinstance(img, np.ndarray):
        raise TypeError(f"{who} expected an array of pixels, got {type(img).__name__}: try np.array(img)")
    if img.dtype != np.uint8 and (whole or (img.dtype != np.uint16 and img.dtype.kind != "f")):
        expected = "uint8" if whole else "uint8, uint16 or floating-point"
        advice = "np.rint(255 * img).astype(np.uint8)" if img.dtype.kind == "f" else "img.astype(np.uint8)"
        raise TypeError(f"{who} expected {expected} pixels, got {img.dtype}: try {advice}")
    if img.ndim < 2 or not img.size:
        advice = "a flat digit becomes a picture by img.reshape(28, 28)"
        raise ValueError(f"{who} expected pictures (..., H, W), got {img.shape}: {advice}")
    return img


def numbers(who, name, values, count, least):
    """The values as a tuple; refuse what are not so many whole numbers, each at least so large."""
    values = tuple(np.atleast_1d(np.asarray(values, object)).tolist())
    whole = all(isinstance(value, (int, np.integer)) for value in values)
    if len(values) != count or not whole or min(values) < least:
        expected = f"{count} whole numbers, {least} or more"
        raise ValueError(f"{who} expected {name} as {expected}, got {values}: round with int()")
    return values
