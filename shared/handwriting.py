"""From the strokes of a hand to the 28 x 28 pixels that MNIST's networks know. (Photographs of paper: photo.py.)

Ink is a float64 picture (H, W) from 0, paper, to 1, ink.
"""

import numpy as np

from shared import checks, images

BOX, SIDE = 20, 28  # pixels: a digit fits into the box, and the box into the picture
PEN = 2.4  # pixels: how thick MNIST's pens are in the box, the median of 50,000 digits


def render(strokes, size, pen):
    """Draw strokes as ink, as a round pen would.

    Shapes: strokes is a list of (points, 2) lists of x, to the right, and y, down, in pixels; a single point makes a
    dot -> (*size,) float64. size: rows, columns. pen: the pen's width in pixels, above 0.
    A pixel whose middle is nearer to the line than half the pen is ink; at the edge, over one pixel, it is partly so.
    Raises ValueError for no strokes, points that are no finite pairs, a size or a pen that make no sense.
    Source: signed distance of a segment, as in Szeliski, Computer Vision (2nd ed.), section 2.1.1.
    Built in 04-image-data/06-draw-a-digit.ipynb.
    """
    size = checks.numbers("render", "size", size, 2, least=1)
    _pen("render", pen)
    ink, radius = np.zeros(size), pen / 2
    for points in _strokes(strokes):
        for a, b in zip(points, points[1:] if len(points) > 1 else points, strict=False):
            low = np.clip(np.floor(np.minimum(a, b) - radius - 1), 0, size[::-1]).astype(int)
            high = np.clip(np.ceil(np.maximum(a, b) + radius + 2), low, size[::-1]).astype(int)
            x, y = np.arange(low[0], high[0]), np.arange(low[1], high[1])[:, None]
            dark = np.clip(radius + 0.5 - _distance(x, y, a, b), 0, 1)
            part = ink[low[1] : high[1], low[0] : high[0]]
            np.maximum(part, dark, out=part)
    return ink


def _distance(x, y, a, b):
    """How far the points (x, y) are from the segment between a and b."""
    way = b - a
    along = ((x - a[0]) * way[0] + (y - a[1]) * way[1]) / max(way @ way, 1e-12)
    along = np.clip(along, 0, 1)
    return np.hypot(x - a[0] - along * way[0], y - a[1] - along * way[1])


def _strokes(strokes):
    arrays = [np.asarray(points, np.float64) for points in strokes]
    if not arrays or any(not points.size for points in arrays):
        raise ValueError("handwriting expected strokes, got none: no digit found, draw one first")
    for points in arrays:
        if points.ndim != 2 or points.shape[1] != 2 or not np.isfinite(points).all():
            raise ValueError(
                f"handwriting expected each stroke as finite points (points, 2), got {points.shape}: "
                "a stroke is a list such as [[10, 20], [15, 40]], and a digit is a list of strokes"
            )
    return arrays


def bounding_box(ink, least=0.5):
    """The smallest rectangle with all ink in it: top, left, height, width, as images.crop takes them.

    Shapes: ink (H, W) -> four whole numbers. least: what counts as ink, as a share of the darkest pixel.
    Raises ValueError where there is no ink, TypeError for a wrong dtype.
    Source: torchvision.ops.masks_to_boxes (which gives corners).
    Built in 04-image-data/06-draw-a-digit.ipynb.
    """
    inked = _ink("bounding_box", ink) >= least * ink.max()
    rows, columns = np.flatnonzero(inked.any(axis=1)), np.flatnonzero(inked.any(axis=0))
    return rows[0], columns[0], int(np.ptp(rows)) + 1, int(np.ptp(columns)) + 1


def fit(ink):
    """Cut a digit out and fit it into 20 x 20 pixels: the longer side becomes 20, the other keeps the proportions.

    Shapes: ink (H, W), floats, 0 for paper -> (20, W') or (H', 20). Shrinking averages, so edges become grey.
    Raises ValueError where there is no ink, TypeError for a wrong dtype.
    Source: LeCun, Bottou, Bengio & Haffner (1998), section III.A.
    Built in 04-image-data/06-draw-a-digit.ipynb.
    """
    digit = images.crop(ink, *bounding_box(ink))
    scale = BOX / max(digit.shape)
    return images.resize(digit, [max(1, round(side * scale)) for side in digit.shape])


def _pen(who, pen):
    if not isinstance(pen, (int, float, np.number)) or not 0 < pen < np.inf:
        raise ValueError(f"{who} expected a pen width in pixels, above 0, got {pen!r}: try 20 for 280 pixels")


def normalize(ink):
    """Make a digit what MNIST's are: fitted into 20 x 20 pixels, its centre of mass in the middle of 28 x 28.

    Shapes: ink (H, W), floats, 0 for paper -> (28, 28). It is moved by whole pixels, as images.center_by_mass does.
    Raises ValueError where there is no ink, TypeError for a wrong dtype.
    Source: LeCun, Bottou, Bengio & Haffner (1998), section III.A.
    Built in 04-image-data/06-draw-a-digit.ipynb.
    """
    return images.center_by_mass(fit(ink), (SIDE, SIDE))


def from_strokes(strokes, pen):
    """The 28 x 28 picture of strokes, which may stand anywhere and be of any size.

    Shapes: as in render, pen in the same unit -> (28, 28) float64, from 0, paper, to 1.
    Raises ValueError for no strokes or impossible ones.
    Source: LeCun, Bottou, Bengio & Haffner (1998), section III.A.
    Built in 04-image-data/06-draw-a-digit.ipynb.
    """
    _pen("from_strokes", pen)
    arrays = _strokes(strokes)
    points = np.concatenate(arrays)
    low, extent = points.min(axis=0), np.ptp(points, axis=0).max() + pen
    scale = 10 * BOX / extent  # ten pixels for each of the 20, wherever and however large it was drawn
    margin = scale * pen / 2 + 1
    moved = [(array - low) * scale + margin for array in arrays]
    columns, rows = np.ceil(np.ptp(points, axis=0) * scale + 2 * margin + 1).astype(int)
    return normalize(render(moved, (rows, columns), float(scale * pen)))


def pen_width(ink):
    """How thick the pen was, in pixels: twice the area of the ink over the length of its edge.

    Shapes: ink (H, W), or (N, H, W) -> a number for each picture. A line of width w has two edges, so area / edge is
    w / 2; the edge is the sum of all slopes, which also holds where it is grey. Nearly exact for long lines, up to
    a fifth too thin for those that fall at 45 degrees; ends and crossings disturb it a little.
    Raises TypeError for a wrong dtype, ValueError for a wrong shape or no ink.
    Source: the coarea formula; Serra, Image Analysis and Mathematical Morphology (1982), chapter V, for area and edge.
    Built in 04-image-data/06-draw-a-digit.ipynb.
    """
    _ink("pen_width", ink)
    padded = np.pad(ink, [(0, 0)] * (ink.ndim - 2) + [(1, 1), (1, 1)])
    down, right = np.diff(padded, axis=-2)[..., :-1], np.diff(padded, axis=-1)[..., :-1, :]
    return 2 * ink.sum(axis=(-2, -1)) / np.hypot(down, right).sum(axis=(-2, -1))


def _ink(who, ink):
    """The picture of ink; refuse what is none."""
    checks.pixels(who, ink)
    if ink.dtype.kind != "f":
        raise TypeError(f"{who} expected floats from 0, paper, to 1, ink, got {ink.dtype}: try img / 255")
    if not (np.isfinite(ink).all() and ink.min() >= 0 and ink.max(axis=(-2, -1)).all()):
        raise ValueError(f"{who} expected ink from 0 to 1, got an empty picture or NaN: no digit found in it")
    return ink
