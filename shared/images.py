"""Operations on pictures, on the last two axes: they work on (H, W), (C, H, W) and (N, C, H, W) alike.

One rule for numbers: whole pixels (uint8, uint16) are computed in float64, then rounded and clipped back to what they
were; float32 stays float32 and float64 stays float64. Each function returns a new array.
"""

import numpy as np

from shared import checks


def resize(img, size, interpolation="bilinear", antialias=True):
    """Draw a picture anew with another number of rows and columns.

    Shapes: img (..., H, W) -> (..., *size); a single number as size is the shorter side, and the longer one keeps the
    proportions. Pixels are small squares: the new pixel i stands at (i + 0.5) * H / H' of the old rows, as in PyTorch
    with align_corners=False. "nearest-exact" takes the pixel that this point lies in (Pillow's NEAREST, but for
    what that rounds wrongly at exact borders; torch's "nearest" counts from the corner and shifts the picture).
    "bilinear" weights the pixels around it with a triangle. When shrinking, the triangle has to grow with the step
    between the new pixels, or most pixels are skipped and fine patterns turn into false coarse ones: that is
    antialias=True, the default here as in torchvision. Without it, torch.nn.functional.interpolate's default, four
    neighbours count, whatever the step.
    Raises ValueError for a wrong shape, size or interpolation, TypeError for a wrong dtype.
    Source: torchvision.transforms.functional.resize; Gonzalez & Woods, Digital Image Processing, section 2.4.
    Built in 04-image-data/01-pixels.ipynb.
    """
    img = checks.pixels("resize", img)
    checks.choice(resize, "interpolation", interpolation, ("bilinear", "nearest-exact"))
    height, width = _new_size(img.shape[-2:], size)
    if interpolation == "nearest-exact":
        rows, columns = _nearest(img.shape[-2], height), _nearest(img.shape[-1], width)
        return img[..., rows[:, None], columns]
    dtype = img.dtype if img.dtype.kind == "f" else np.float64
    rows = _triangles(img.shape[-2], height, antialias).astype(dtype)
    columns = _triangles(img.shape[-1], width, antialias).astype(dtype)
    return _back(rows @ img @ columns.T, img.dtype)


def _new_size(old, size):
    if isinstance(size, (int, np.integer)) and size > 0:
        return [int(size * side / min(old)) for side in old]
    checks.numbers("resize", "size", size, 2, least=1)
    return size


def _nearest(old, new):
    return (2 * np.arange(new) + 1) * old // (2 * new)  # (i + 0.5) * old / new, without rounding errors


def _triangles(old, new, antialias):
    """How much of each old pixel goes into each new one: (new, old), each row adding up to 1."""
    step = old / new
    reach = max(step, 1) if antialias else 1
    place = (np.arange(new) + 0.5) * step
    weight = np.maximum(0, 1 - np.abs(np.arange(old) + 0.5 - place[:, None]) / reach)
    return weight / weight.sum(axis=1, keepdims=True)


def _back(values, dtype):
    """Round whole pixels, a half up, and clip them to their range; leave others."""
    if dtype.kind == "f":
        return values
    # the small number: a half stays a half where rounding errors made it 127.49999999999999
    rounded = np.floor(values + (0.5 + 1e-9))
    return np.clip(rounded, 0, np.iinfo(dtype).max).astype(dtype)


def crop(img, top, left, height, width):
    """Cut a rectangle out of a picture.

    Shapes: img (..., H, W) -> (..., height, width), from row top and column left on. What would lie outside is refused
    (torchvision fills it with 0: use pad for that).
    Raises ValueError for a wrong shape or a rectangle that leaves the picture, TypeError for a wrong dtype.
    Source: torchvision.transforms.functional.crop.
    Built in 04-image-data/01-pixels.ipynb.
    """
    img = checks.pixels("crop", img)
    checks.numbers("crop", "top, left", (top, left), 2, least=0)
    checks.numbers("crop", "height, width", (height, width), 2, least=1)
    if top + height > img.shape[-2] or left + width > img.shape[-1]:
        raise ValueError(
            f"crop expected rows up to {img.shape[-2]} and columns up to {img.shape[-1]}, got rows {top} to "
            f"{top + height} and columns {left} to {left + width}: make room with pad first"
        )
    return img[..., top : top + height, left : left + width].copy()


def center_crop(img, output_size):
    """Cut the middle out of a picture.

    Shapes: img (..., H, W) -> (..., *output_size); a single number makes a square. It begins at half of the margin,
    by Python's round (1.5 to 2, but 0.5 to 0), as in torchvision.
    Raises ValueError for a wrong shape or more rows or columns than there are, TypeError for a wrong dtype.
    Source: torchvision.transforms.functional.center_crop.
    Built in 04-image-data/01-pixels.ipynb.
    """
    img = checks.pixels("center_crop", img)
    size = (output_size, output_size) if np.ndim(output_size) == 0 else output_size
    height, width = checks.numbers("center_crop", "output_size", size, 2, least=1)
    if height > img.shape[-2] or width > img.shape[-1]:
        raise ValueError(
            f"center_crop expected at most {img.shape[-2:]}, got {(height, width)}: make room with pad first"
        )
    return crop(img, round((img.shape[-2] - height) / 2), round((img.shape[-1] - width) / 2), height, width)


def pad(img, padding, fill=0, padding_mode="constant"):
    """Put a margin around a picture.

    Shapes: img (..., H, W) -> (..., top + H + bottom, left + W + right). padding: one number for all four sides, two
    for left and right, top and bottom, or four for left, top, right, bottom. padding_mode: "constant" (of the value
    fill), "edge" (the last pixel repeated), "reflect" (mirrored at the last pixel), "symmetric" (it included).
    Raises ValueError for a wrong shape, padding, fill or mode, TypeError for a wrong dtype.
    Source: torchvision.transforms.functional.pad.
    Built in 04-image-data/01-pixels.ipynb.
    """
    img = checks.pixels("pad", img)
    checks.choice(pad, "padding_mode", padding_mode, ("constant", "edge", "reflect", "symmetric"))
    sides = np.atleast_1d(padding).tolist()
    sides = sides * (4 // len(sides)) if len(sides) in (1, 2) else sides
    left, top, right, bottom = checks.numbers("pad", "padding", sides, 4, least=0)
    if img.dtype.kind == "u" and not (fill == int(fill) and 0 <= fill <= np.iinfo(img.dtype).max):
        raise ValueError(
            f"pad expected a fill that is a pixel of {img.dtype}, got {fill!r}: try 0 or {np.iinfo(img.dtype).max}"
        )
    margins = [(0, 0)] * (img.ndim - 2) + [(top, bottom), (left, right)]
    values = {"constant_values": fill} if padding_mode == "constant" else {}
    return np.pad(img, margins, mode=padding_mode, **values)


def hflip(img):
    """Mirror a picture: left becomes right.

    Shapes: img (..., H, W) -> (..., H, W). Raises ValueError for a wrong shape, TypeError for a wrong dtype.
    Source: torchvision.transforms.functional.hflip.
    Built in 04-image-data/01-pixels.ipynb.
    """
    return checks.pixels("hflip", img)[..., ::-1].copy()


def vflip(img):
    """Turn a picture upside down, as a mirror on the floor does.

    Shapes: img (..., H, W) -> (..., H, W). Raises ValueError for a wrong shape, TypeError for a wrong dtype.
    Source: torchvision.transforms.functional.vflip.
    Built in 04-image-data/01-pixels.ipynb.
    """
    return checks.pixels("vflip", img)[..., ::-1, :].copy()


def rgb_to_grayscale(img):
    """One grey picture from red, green and blue, weighted as the eye weights their brightness: 0.299, 0.587, 0.114.

    Shapes: img (..., 3, H, W) -> (..., 1, H, W).
    Raises ValueError for a wrong shape, TypeError for a wrong dtype.
    Source: ITU-R Recommendation BT.601, section 2.5.1; torchvision.transforms.functional.rgb_to_grayscale (which cuts
    uint8 off where this rounds).
    Built in 04-image-data/01-pixels.ipynb.
    """
    img = checks.pixels("rgb_to_grayscale", img)
    if img.shape[-3:-2] != (3,):
        raise ValueError(
            f"rgb_to_grayscale expected (..., 3, H, W), got {img.shape}: (H, W, 3) becomes (3, H, W) by "
            "x.transpose(2, 0, 1)"
        )
    dtype = img.dtype if img.dtype.kind == "f" else np.float64
    red, green, blue = np.moveaxis(img, -3, 0).astype(dtype)
    return _back(0.299 * red + 0.587 * green + 0.114 * blue, img.dtype)[..., None, :, :]


def invert(img):
    """The negative of a picture: black becomes white, ink becomes paper.

    Shapes: img (..., H, W) -> (..., H, W). White is 255 for uint8, 65535 for uint16, 1 for floating-point numbers.
    Raises ValueError for a wrong shape, TypeError for a wrong dtype.
    Source: torchvision.transforms.functional.invert.
    Built in 04-image-data/01-pixels.ipynb.
    """
    img = checks.pixels("invert", img)
    white = img.dtype.type(1 if img.dtype.kind == "f" else np.iinfo(img.dtype).max)
    return white - img


def histogram(img):
    """How often each of the 256 values occurs in a picture.

    Shapes: img uint8 (..., H, W) -> int64 (..., 256): a histogram for each channel of each picture.
    Raises ValueError for a wrong shape, TypeError for another dtype.
    Source: Gonzalez & Woods, Digital Image Processing, section 3.3; PIL.Image.Image.histogram.
    Built in 04-image-data/01-pixels.ipynb.
    """
    img = checks.pixels("histogram", img, whole=True)
    counts = [np.bincount(img[place].ravel(), minlength=256) for place in np.ndindex(img.shape[:-2])]
    return np.array(counts, np.int64).reshape(*img.shape[:-2], 256)


def equalize(img):
    """Give pixels new values, in the old order, so that all parts of the range from 0 to 255 are used equally often.

    Shapes: img uint8 (..., H, W) -> (..., H, W), each channel of each picture by itself. A value becomes 255 times the
    share of the pixels below it, where those of the brightest value do not count, so that it becomes 255. Rounded as in
    Pillow: with fewer than 255 pixels that count, the picture stays as it is.
    Raises ValueError for a wrong shape, TypeError for another dtype.
    Source: Gonzalez & Woods, Digital Image Processing, section 3.3.1; torchvision.transforms.functional.equalize and
    PIL.ImageOps.equalize.
    Built in 04-image-data/01-pixels.ipynb.
    """
    checks.pixels("equalize", img, whole=True)
    equal = np.empty_like(img)
    for place in np.ndindex(img.shape[:-2]):
        count = np.bincount(img[place].ravel(), minlength=256)
        step = (count.sum() - count[img[place].max()]) // 255  # how many pixels move the new value on by 1
        new = (count.cumsum() - count + step // 2) // step if step else np.arange(256)
        equal[place] = np.minimum(new, 255).astype(np.uint8)[img[place]]
    return equal


def center_of_mass(img):
    """Where a picture would balance on a fingertip, if each pixel weighed as much as its value.

    Shapes: img (..., H, W) -> (..., 2), row and column, counted from the centre of the first pixel.
    Raises ValueError for a wrong shape or a picture that weighs nothing, TypeError for a wrong dtype.
    Source: LeCun, Bottou, Bengio & Haffner (1998), section III.A (the digits are centred by it);
    scipy.ndimage.center_of_mass.
    Built in 04-image-data/01-pixels.ipynb.
    """
    img = checks.pixels("center_of_mass", img)
    img = img if img.dtype.kind == "f" else img.astype(np.float64)
    rows, columns = img.sum(axis=-1), img.sum(axis=-2)
    mass = rows.sum(axis=-1)
    if not (good := np.isfinite(mass) & (mass != 0)).all():
        place = np.argwhere(~good)[0].tolist()
        found = f"{mass[tuple(place)]:g} at {place}: leave such pictures out"
        raise ValueError(f"center_of_mass expected pictures with a finite sum other than 0, got {found}")
    row = rows @ np.arange(img.shape[-2], dtype=img.dtype) / mass
    column = columns @ np.arange(img.shape[-1], dtype=img.dtype) / mass
    return np.stack([row, column], axis=-1)


def center_by_mass(img, output_size):
    """Lay a picture onto an empty one so that its centre of mass comes to the middle pixel.

    Shapes: img (..., H, W) -> (..., *output_size), moved by whole pixels. The middle of 28 is pixel 14, as in MNIST,
    where the centre of mass is never farther than half a pixel from it; what is moved out of the picture is lost.
    Raises ValueError for a wrong shape, size or a picture that weighs nothing, TypeError for a wrong dtype.
    Source: LeCun, Bottou, Bengio & Haffner (1998), section III.A.
    Built in 04-image-data/06-draw-a-digit.ipynb.
    """
    middle = np.array(checks.numbers("center_by_mass", "output_size", output_size, 2, least=1)) // 2
    moves = np.floor(middle - center_of_mass(img) + 0.5).astype(int)
    centered = np.zeros((*img.shape[:-2], *output_size), img.dtype)
    for place in np.ndindex(img.shape[:-2]):
        old, new = zip(*map(_overlap, moves[place], img.shape[-2:], output_size), strict=True)
        centered[place][new] = img[place][old]
    return centered


def _overlap(move, old, new):
    """Which part of a line of `old` pixels stays in one of `new` when it is moved, and where it comes to."""
    start, stop = max(0, -move), min(old, new - move)
    stop = max(start, stop)
    return slice(start, stop), slice(start + move, stop + move)
