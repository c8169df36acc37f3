"""Augmentation: the same pictures moved, turned, bent and disturbed at random, so that no batch comes twice.

A transform is called as ``transform(x, rng)`` with a batch, (N, H, W) or (N, C, H, W), and draws anew for each picture.
What only moves pixels takes any dtype. What computes new ones takes floats, and float32 stays float32.
"""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from shared import checks, default_rng
from shared.warp import _pictures, affine, affine_matrix, bilinear_sample, gaussian_filter


class RandomAffine:
    """Turn, move, scale and shear each picture by amounts of its own, all drawn evenly.

    degrees, shear (along x): a number d for -d to d, or (low, high). translate: the largest moves as shares of the
    width and height, such as (0.1, 0.1). scale: (low, high), such as (0.9, 1.1).
    transform(x, rng): x (N, H, W) or (N, C, H, W), floats -> the same shape.
    Raises ValueError for settings that make no sense, TypeError for pictures that are no floats.
    Source: torchvision.transforms.RandomAffine, but bilinear, and with moves that are not rounded to pixels.
    Built in 04-image-data/03-augmentation.ipynb.
    """

    def __init__(self, degrees, translate=None, scale=None, shear=None):
        self.degrees = _range("degrees", degrees)
        self.translate = (0, 0) if translate is None else translate
        self.scale = (1, 1) if scale is None else _range("scale", scale)
        self.shear = (0, 0) if shear is None else _range("shear", shear)
        if np.shape(self.translate) != (2,) or not 0 <= min(self.translate) <= max(self.translate) <= 1:
            expected = "translate as shares of width and height, from 0 to 1"
            raise ValueError(f"RandomAffine expected {expected}, got {translate!r}: try (0.1, 0.1)")
        leans = [(lean, 0) for lean in self.shear]
        affine_matrix(self.degrees, scale=self.scale, shear=leans)  # refuses the impossible now, not later

    def __call__(self, x, rng=None):
        rng, count = default_rng(rng), len(_pictures("RandomAffine", x))
        farthest = np.multiply(self.translate, (x.shape[-1], x.shape[-2]))
        return affine(
            x,
            angle=rng.uniform(*self.degrees, count),
            translate=rng.uniform(-farthest, farthest, (count, 2)),
            scale=rng.uniform(*self.scale, count),
            shear=np.stack([rng.uniform(*self.shear, count), np.zeros(count)], axis=1),
        )


class ElasticTransform:
    """Bend each picture as if drawn on rubber: every pixel moves at random, and neighbours move alike.

    alpha: strength in pixels, as in the paper (torchvision's moves half as far). sigma: width in pixels of the bell
    that smooths the moves, which are drawn evenly between -1 and 1. Along each axis a pixel typically moves by
    alpha / (2 sqrt(3 pi) sigma) pixels, by 1.4 with the defaults; near the edges by more.
    transform(x, rng): x (N, H, W) or (N, C, H, W), floats -> the same shape.
    Raises ValueError for a negative alpha or a sigma not above 0, TypeError for pictures that are no floats.
    Source: Simard, Steinkraus & Platt (2003), section 2; the defaults are theirs, for digits.
    Built in 04-image-data/03-augmentation.ipynb.
    """

    def __init__(self, alpha=34.0, sigma=4.0):
        self.alpha, self.sigma = checks.not_negative(self, "alpha", alpha), sigma
        gaussian_filter(np.zeros((1, 1)), sigma)  # refuses an impossible sigma now, not later

    def __call__(self, x, rng=None):
        count, _, height, width = _pictures("ElasticTransform", x).shape
        noise = default_rng(rng).random((2, count, height, width), x.dtype) - 0.5
        maps = gaussian_filter(noise, self.sigma)
        maps *= 2 * self.alpha
        maps += np.indices((height, width), x.dtype)[:, None]  # (2, N, H, W): the row and the column to read
        return bilinear_sample(x, maps[1], maps[0])


class RandomCrop:
    """Cut a window out of each picture at a place of its own; with padding, that is a random shift.

    size: a side or (height, width). padding: pixels of 0 that are put around the picture first, so that RandomCrop(28,
    padding=2) moves digits of 28 x 28 by up to 2 pixels each way. All windows are one gather, without a loop.
    transform(x, rng): x (N, H, W) or (N, C, H, W) of any dtype -> the same with the new size.
    Raises ValueError for a size below 1, a negative padding, and pictures that are smaller than the window.
    Source: torchvision.transforms.RandomCrop.
    Built in 04-image-data/03-augmentation.ipynb.
    """

    def __init__(self, size, padding=0):
        self.size, self.padding = (tuple(size) if np.ndim(size) else (size, size)), padding
        if len(self.size) != 2:
            raise ValueError(f"RandomCrop expected size as a side or (height, width), got {size!r}: try 28")
        for side in self.size:
            checks.sizes(self, side, "pixels", "try RandomCrop(28, padding=2)")
        if padding != 0:
            checks.sizes(self, padding, "pixels around", "padding=0 puts none")

    def __call__(self, x, rng=None):
        rng, batch = default_rng(rng), _pictures("RandomCrop", x, floats=False)
        around = (self.padding, self.padding)
        padded = np.pad(batch, ((0, 0), (0, 0), around, around))
        rooms = np.subtract(padded.shape[2:], self.size)
        if min(rooms) < 0:
            found = f"{x.shape[-2:]} and padding {self.padding}"
            raise ValueError(f"RandomCrop expected at least {self.size}, got {found}: try a larger padding")
        top, left = (rng.integers(0, room + 1, len(batch)) for room in rooms)
        windows = sliding_window_view(padded, self.size, axis=(2, 3))  # (N, C, tops, lefts, H, W): a view
        return windows[np.arange(len(batch)), :, top, left].reshape(x.shape[:-2] + self.size)


class RandomHorizontalFlip:
    """Mirror each picture, left to right, with probability p. Good for cats, not for digits: a mirrored 2 is none.

    transform(x, rng): x (N, H, W) or (N, C, H, W) of any dtype -> the same shape.
    Raises ValueError for a p that is not between 0 and 1.
    Source: torchvision.transforms.RandomHorizontalFlip.
    Built in 04-image-data/03-augmentation.ipynb.
    """

    def __init__(self, p=0.5):
        self.p = _probability("RandomHorizontalFlip", p)

    def __call__(self, x, rng=None):
        chosen = default_rng(rng).random(len(_pictures("RandomHorizontalFlip", x, floats=False))) < self.p
        flipped = x.copy()
        flipped[chosen] = x[chosen][..., ::-1]
        return flipped


class GaussianNoise:
    """Add normal noise of standard deviation sigma to every pixel.

    clip: cut what comes out off at 0 and 1; False for pictures that are standardised.
    transform(x, rng): x (N, H, W) or (N, C, H, W), floats -> the same shape.
    Raises ValueError for a negative sigma, TypeError for pictures that are no floats.
    Source: torchvision.transforms.v2.GaussianNoise, with mean 0.
    Built in 04-image-data/03-augmentation.ipynb.
    """

    def __init__(self, *, sigma=0.1, clip=True):
        self.sigma, self.clip = checks.not_negative(self, "sigma", sigma), clip

    def __call__(self, x, rng=None):
        _pictures("GaussianNoise", x)
        noisy = x + self.sigma * default_rng(rng).standard_normal(x.shape, x.dtype)
        return np.clip(noisy, 0, 1) if self.clip else noisy


class Compose:
    """Apply transforms one after the other, all with the same generator.

    transform(x, rng): what the first one takes -> what the last one gives.
    Raises TypeError for what can't be called.
    Source: torchvision.transforms.Compose.
    Built in 04-image-data/03-augmentation.ipynb.
    """

    def __init__(self, transforms):
        self.transforms = list(transforms)
        if wrong := [thing for thing in self.transforms if not callable(thing)]:
            advice = "try Compose([RandomCrop(28, padding=2), GaussianNoise()])"
            raise TypeError(f"Compose expected transforms, got {wrong[0]!r}: {advice}")

    def __call__(self, x, rng=None):
        for transform in self.transforms:
            x = transform(x, rng)
        return x


def _range(name, value):
    """A setting of RandomAffine as (low, high); a number d stands for (-d, d)."""
    pair = (-value, value) if isinstance(value, (int, float, np.number)) else value
    if np.shape(pair) != (2,) or not pair[0] <= pair[1]:
        advice = f"try {name}={'(0.9, 1.1)' if name == 'scale' else 10}"
        raise ValueError(f"RandomAffine expected {name} as (low, high), got {value!r}: {advice}")
    return tuple(pair)


def _probability(who, p):
    """p itself; refuse what is no probability."""
    if not 0 <= p <= 1:
        raise ValueError(f"{who} expected p between 0 and 1, got {p!r}: try p=0.5")
    return p
