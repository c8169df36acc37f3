"""What any function says to a value of the wrong kind: who expected what, what came, and what to try."""

import numpy as np

__all__ = []  # no lesson builds these


def floats(who, name, array, advice=""):
    """Refuse what is not an array of floating-point numbers."""
    if isinstance(array, np.ndarray) and array.dtype.kind == "f":
        return
    who = who if isinstance(who, str) else repr(who)
    if not isinstance(array, np.ndarray):
        advice = advice or f"try np.array({name}, np.float32)"
        raise TypeError(f"{who} expected {name} as an array, got {type(array).__name__}: {advice}")
    advice = advice or f"try {name}.astype(np.float32), and / 255 for pixels"
    raise TypeError(f"{who} expected floating-point numbers as {name}, got {array.dtype}: {advice}")


def choice(who, name, value, choices):
    """Refuse what is not one of the choices."""
    if value not in choices:
        who = getattr(who, "__name__", type(who).__name__)  # a function has a name of its own
        told = " or ".join(map(repr, choices))
        raise ValueError(f"{who} expected {name} {told}, got {value!r}: try {name}={choices[0]!r}")


def numbers(who, name, values, count, least):
    """The values as a tuple; refuse what are not so many whole numbers, each at least so large."""
    values = tuple(np.atleast_1d(np.asarray(values, object)).tolist())
    whole = all(isinstance(value, (int, np.integer)) for value in values)
    if len(values) != count or not whole or min(values) < least:
        expected = f"{count} whole numbers, {least} or more"
        raise ValueError(f"{who} expected {name} as {expected}, got {values}: round with int()")
    return values


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
