"""Warping: pictures read between their pixels, and with that turned, scaled, sheared and moved; and blurred.

Pictures are floats, (H, W), (N, H, W) or (N, C, H, W); float32 stays float32. x points right and y down.
"""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from shared import checks

# Output pixels sampled at a time: what is computed for them stays in the cache, and so takes a third of the time.
_BLOCK = 2**15


def bilinear_sample(images, x, y, padding_mode="zeros"):
    """Read pictures between their pixels: output pixel (i, j) is what stands at column x[i, j] and row y[i, j].

    Shapes: images (H, W), (N, H, W) or (N, C, H, W); x and y (H', W') for all pictures, or (N, H', W') with a map for
    each -> (H', W'), (N, H', W') or (N, C, H', W'). Units: pixels, counted from 0 at the middle of the first one.
    padding_mode: beyond the edge everything is 0 ("zeros"), or as the nearest pixel ("border").
    Raises TypeError for pictures that are no floats, ValueError for shapes that don't fit and for NaN in x or y.
    Source: Szeliski, Computer Vision (2nd ed.), section 3.6.1. torch.nn.functional.grid_sample reads the same, but
    counts from -1 at one edge to 1 at the other: its x is (2 x + 1) / W - 1, with align_corners=False.
    Built in 04-image-data/03-augmentation.ipynb.
    """
    checks.choice(bilinear_sample, "padding_mode", padding_mode, ("zeros", "border"))
    batch = _pictures("bilinear_sample", images, single=True)
    x, y = _maps(batch, x, y)
    count, channels, height, width = batch.shape
    frame = ((0, 0), (0, 0), (1, 2), (1, 2))  # so that every place has four neighbours
    padded = np.pad(batch, frame, mode="edge" if padding_mode == "border" else "constant")
    sampled = np.empty((count, channels, *x.shape[1:]), batch.dtype)
    step = 1 + _BLOCK // (1 + x.shape[1] * x.shape[2])  # pictures
    for start in range(0, count, step):
        block = slice(start, start + step)
        columns, rows = (x, y) if len(x) == 1 else (x[block], y[block])
        columns, rows = np.clip(columns + 1, 0, width + 1), np.clip(rows + 1, 0, height + 1)
        _interpolate(padded[block], columns, rows, sampled[block])
    return sampled.reshape(images.shape[:-2] + x.shape[1:])


def _interpolate(padded, x, y, out):
    """Fill out (N, C, H', W') with the weighted means of the four neighbours, which are all inside."""
    count, channels, height, width = padded.shape
    left, top = x.astype(np.intp), y.astype(np.intp)  # nothing is negative here, so this rounds down
    across, down = x - np.floor(x), y - np.floor(y)
    first_pixels = np.arange(count)[:, None, None] * (channels * height * width)
    place = first_pixels + (top * width + left)  # of the upper left neighbour: found once, for all channels
    flat = padded.reshape(-1)
    for channel in range(channels):
        here = flat[channel * height * width :]
        a, b = here[place], here[1:][place]
        c, d = here[width:][place], here[width + 1 :][place]
        upper, lower = a + across * (b - a), c + across * (d - c)
        out[:, channel] = upper + down * (lower - upper)


def affine_matrix(angle=0.0, translate=(0.0, 0.0), scale=1.0, shear=(0.0, 0.0)):
    """Where the points of a picture go that is sheared, scaled, turned and moved, in this order: 3 x 3, homogeneous.

    Shapes: angle and scale numbers or (N,), translate and shear (2,) or (N, 2) -> (3, 3) or (N, 3, 3) float64, to be
    multiplied by columns (x, y, 1) that count from the middle of the picture, x to the right and y down.
    Units: angle (clockwise) and shear (along x, along y) in degrees, translate (right, down) in pixels.
    Raises ValueError for other shapes, NaN or infinity, scale not above 0, shear not between -90 and 90.
    Source: Szeliski, Computer Vision (2nd ed.), section 2.1.1; order and signs as in torchvision's affine.
    Built in 04-image-data/03-augmentation.ipynb.
    """
    angle, scale = np.radians(_setting("angle", angle)), _setting("scale", scale, low=0)
    right, down = _setting("translate", translate, last=(2,))
    lean_x, lean_y = np.tan(np.radians(_setting("shear", shear, last=(2,), low=-90, high=90)))
    cos, sin = np.cos(angle), np.sin(angle)
    moved = _matrix([1, 0, right], [0, 1, down])
    turned = _matrix([cos, -sin, 0], [sin, cos, 0])
    scaled = _matrix([scale, 0, 0], [0, scale, 0])
    sheared_y, sheared_x = _matrix([1, 0, 0], [-lean_y, 1, 0]), _matrix([1, -lean_x, 0], [0, 1, 0])
    return moved @ turned @ scaled @ sheared_y @ sheared_x


def affine(images, angle=0.0, translate=(0.0, 0.0), scale=1.0, shear=(0.0, 0.0), padding_mode="zeros"):
    """Shear, scale, turn and move pictures about their middle, all alike or each in its own way.

    Shapes: images (H, W), (N, H, W) or (N, C, H, W) -> the same; angle and scale numbers or (N,), translate and shear
    (2,) or (N, 2), in the units of affine_matrix. The angle counts clockwise, as in torchvision's affine (its rotate
    turns the other way). padding_mode as in bilinear_sample.
    Raises TypeError for pictures that are no floats, ValueError as affine_matrix does, and for another N.
    Source: Szeliski, Computer Vision (2nd ed.), section 3.6.1; torchvision.transforms.functional.affine.
    Built in 04-image-data/03-augmentation.ipynb.
    """
    batch = _pictures("affine", images, single=True)
    back = np.linalg.inv(affine_matrix(angle, translate, scale, shear)).reshape(-1, 3, 3)
    if len(back) not in (1, len(batch)):
        advice = "give one setting for all pictures, or one for each"
        raise ValueError(f"affine expected settings for {len(batch)} pictures, got {len(back)}: {advice}")
    rows, columns = (np.arange(size) - (size - 1) / 2 for size in batch.shape[2:])  # from the middle
    back[:, 0, 2] -= columns[0]  # where from, counted from the first pixel again
    back[:, 1, 2] -= rows[0]
    by_column = (back[:, :2, :1] * columns).astype(batch.dtype)  # (N, 2, W)
    by_row = (back[:, :2, 1:2] * rows + back[:, :2, 2:]).astype(batch.dtype)  # (N, 2, H)
    places = by_column[:, :, None, :] + by_row[..., None]  # (N, 2, H, W): the x and y to read
    return bilinear_sample(images, places[:, 0], places[:, 1], padding_mode)


def gaussian_filter(images, sigma):
    """Replace each pixel by a mean of its surroundings, weighted by a bell of standard deviation sigma.

    Shapes: images (H, W), (N, H, W) or (N, C, H, W) -> the same. sigma: pixels, above 0. The bell ends at 4 sigma;
    beyond its edges the picture goes on as its mirror image. A bell in two dimensions is the product of two, so rows
    and columns are blurred one after the other, each by a product with a matrix.
    Raises TypeError for pictures that are no floats, ValueError for a sigma not above 0.
    Source: Szeliski, Computer Vision (2nd ed.), section 3.2. As scipy.ndimage.gaussian_filter over the last two axes.
    Built in 04-image-data/03-augmentation.ipynb.
    """
    batch = _pictures("gaussian_filter", images, single=True)
    if not 0 < sigma < np.inf:
        raise ValueError(f"gaussian_filter expected sigma as a number above 0, got {sigma!r}: try sigma=1")
    by_rows, by_columns = (_bells(size, sigma).astype(batch.dtype) for size in batch.shape[2:])
    return (by_rows @ (batch @ by_columns.T)).reshape(images.shape)


def _bells(size, sigma):
    """The matrix (size, size) that blurs a line: row i holds the bell around pixel i, mirrored at the edges."""
    radius = int(4 * sigma + 0.5)
    bell = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
    seen = sliding_window_view(np.pad(np.arange(size), radius, mode="symmetric"), len(bell))
    matrix = np.zeros((size, size))
    np.add.at(matrix, (np.arange(size)[:, None], seen), bell / bell.sum())  # seen: (size, len(bell)) places
    return matrix


def _pictures(who, images, floats=True, single=False):
    """The pictures as (N, C, H, W); refuse what are none."""
    if not isinstance(images, np.ndarray) or floats and images.dtype not in (np.float32, np.float64):
        found = getattr(images, "dtype", type(images).__name__)
        advice = "try images.astype(np.float32) / 255 for pixels"
        raise TypeError(f"{who} expected pictures of float32 or float64, got {found}: {advice}")
    if images.ndim == 2 and single:
        return images[None, None]
    if images.ndim not in (3, 4) or 0 in images.shape[-2:]:
        expected = "(H, W), (N, H, W) or (N, C, H, W)" if single else "(N, H, W) or (N, C, H, W)"
        advice = "one picture is a batch of one, x[None]; flat ones get a shape by x.reshape(-1, 28, 28)"
        raise ValueError(f"{who} expected {expected}, got {images.shape}: {advice}")
    return images if images.ndim == 4 else images[:, None]


def _maps(batch, x, y):
    """Both maps as (1, H', W') or (N, H', W') of the pictures' dtype; refuse others."""
    x, y = np.asarray(x, batch.dtype), np.asarray(y, batch.dtype)
    if x.shape != y.shape or x.ndim not in (2, 3) or len(x) not in (1, len(batch)) and x.ndim == 3:
        expected = f"x and y of one shape, (H', W') or ({len(batch)}, H', W')"
        advice = "start with y, x = np.indices((28, 28))"
        raise ValueError(f"bilinear_sample expected {expected}, got {x.shape} and {y.shape}: {advice}")
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        advice = "was something divided by 0?"
        raise ValueError(f"bilinear_sample expected finite x and y, got NaN or infinity: {advice}")
    return (x, y) if x.ndim == 3 else (x[None], y[None])


def _setting(name, value, last=(), low=-np.inf, high=np.inf):
    """A setting of affine_matrix as float64, its last axis first; refuse another shape and what lies outside."""
    array = np.asarray(value, np.float64)
    shape = array.shape[array.ndim - len(last) :]
    if array.ndim - len(last) not in (0, 1) or shape != last or not ((low < array) & (array < high)).all():
        shapes, advice = ("(2,) or (N, 2)", "(0, 0)") if last else ("a number or (N,)", 1)
        expected = f"{name} as {shapes}, above {low} and below {high}"
        raise ValueError(f"affine expected {expected}, got {value!r}: try {name}={advice}")
    return np.moveaxis(array, -1, 0) if last else array


def _matrix(*rows):
    """The matrix (…, 3, 3) with these rows, of numbers or arrays (N,), and 0 0 1 below them."""
    numbers = np.broadcast_arrays(*rows[0], *rows[1], 0.0, 0.0, 1.0)
    return np.stack(numbers, axis=-1).reshape(*numbers[0].shape, 3, 3)
