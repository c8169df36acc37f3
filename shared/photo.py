"""A digit on a photograph of paper: found in spite of shadows, ruled lines and specks, and made one of MNIST's.

A photograph is grey, (H, W), or colour, (H, W, 3), as formats.read_image gives it, on a scale from 0, black, up.
"""

import numpy as np

from shared import checks, handwriting, images

_WORKING = (
    300  # pixels along the longer side: enough for a digit, and the noise of single pixels is averaged away
)
_LEAST = 0.15  # how much darker than its surroundings ink is at least, as a share of them
_SPECK = 0.1  # of the largest patch: what is smaller is no part of a digit


def local_mean(img, size):
    """The mean of the square around each pixel; at the border, of the part of it that is there.

    Shapes: img (H, W) -> (H, W) float64. size: the square's side in pixels, odd.
    With the sums of all rectangles that begin in the first corner, any rectangle is four numbers, added and subtracted:
    a large square costs no more than a small one.
    Raises ValueError for a wrong shape or an even size, TypeError for a wrong dtype.
    Source: Crow (1984), summed-area tables; scipy.ndimage.uniform_filter in the inside.
    Built in 04-image-data/06-draw-a-digit.ipynb.
    """
    img = checks.pixels("local_mean", img)
    (size,) = checks.numbers("local_mean", "size", size, 1, least=1)
    if img.ndim != 2 or size % 2 == 0:
        raise ValueError(
            f"local_mean expected (H, W) and an odd size, got {img.shape} and {size}: an odd square has a middle"
        )
    sums = np.pad(img.astype(np.float64).cumsum(axis=0).cumsum(axis=1), ((1, 0), (1, 0)))
    height, width = img.shape
    top, bottom = _reach(height, size)
    left, right = _reach(width, size)
    total = sums[bottom][:, right] - sums[top][:, right] - sums[bottom][:, left] + sums[top][:, left]
    return total / ((bottom - top)[:, None] * (right - left))


def _reach(length, size):
    """Where the squares around all places of a line begin, and where they end."""
    places = np.arange(length)
    return np.maximum(places - size // 2, 0), np.minimum(places + size // 2 + 1, length)


def label(mask):
    """Number the connected patches of a mask: pixels that touch, at a side or at a corner, get the same number.

    Shapes: mask (H, W) booleans -> int64 (H, W), 0 outside the mask, and how many patches there are. Numbers go by the
    patch's first pixel, row after row.
    Raises TypeError for anything but booleans (H, W).
    Source: Rosenfeld & Pfaltz (1966), on runs of pixels; scipy.ndimage.label with a structure of ones((3, 3)).
    Built in 04-image-data/06-draw-a-digit.ipynb.
    """
    if not isinstance(mask, np.ndarray) or mask.dtype != bool or mask.ndim != 2:
        found = f"{getattr(mask, 'dtype', type(mask).__name__)} {np.shape(mask)}"
        raise TypeError(f"label expected a mask of booleans (H, W), got {found}: try ink > 0.5")
    edges = np.diff(np.pad(mask, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    rows, starts = np.nonzero(edges == 1)
    ends = np.nonzero(edges == -1)[1]  # exclusive
    first = np.searchsorted(rows, np.arange(len(mask) + 1))  # where the runs of a row begin
    parent = list(range(len(rows)))

    def root(run):
        while parent[run] != run:
            parent[run] = run = parent[parent[run]]  # the way gets shorter each time
        return run

    for row in range(1, len(mask)):
        above, below = first[row - 1], first[row]
        while above < first[row] and below < first[row + 1]:
            if (
                starts[above] <= ends[below] and starts[below] <= ends[above]
            ):  # they touch, at a corner at least
                one, other = sorted((root(above), root(below)))
                parent[other] = one
            if ends[above] < ends[below]:
                above += 1
            else:
                below += 1
    roots, numbers = np.unique([root(run) for run in range(len(rows))], return_inverse=True)
    labels = np.zeros(mask.shape, np.int64)
    labels[mask] = np.repeat(numbers + 1, ends - starts)
    return labels, len(roots)


def find_ink(photo):
    """The ink on a photograph of paper, dark on light or light on dark, without what does not belong to the digit.

    Shapes: photo (H, W) or (H, W, 3), uint8, uint16 or floats from 0 to 1 -> (H', W') float64 of zeros and ones,
    the longer side at most 300 pixels. What is darker than the mean of its surroundings by 15 % and by half of what the
    darkest pixels are is ink; of its patches the largest counts, and those near it that are not much smaller.
    Raises ValueError for a wrong shape or where no ink is found, TypeError for a wrong dtype.
    Source: Bradley & Roth (2007), Adaptive thresholding using the integral image.
    Built in 04-image-data/06-draw-a-digit.ipynb.
    """
    grey = _grey(photo)
    around = local_mean(grey, min(grey.shape) // 4 * 2 + 1)
    darker = 1 - np.maximum(grey, 1e-6) / np.maximum(around, 1e-6)
    if (darker**3).mean() < 0:  # the few pixels that stand out are the light ones: chalk on a blackboard
        darker = -darker
    ink = darker > max(_LEAST, np.quantile(darker, 0.995) / 2)
    if not ink.any():
        raise ValueError(
            f"find_ink expected ink that is {_LEAST:.0%} darker than the paper, got at most {darker.max():.0%}: "
            "no digit found, so use a darker pen or come nearer"
        )
    return _digit(ink).astype(np.float64)


def _grey(photo):
    """A photograph as floats from 0 to 1, grey, its longer side at most _WORKING pixels."""
    checks.pixels("find_ink", photo)
    if photo.ndim not in (2, 3) or (photo.ndim == 3 and photo.shape[2] != 3) or min(photo.shape[:2]) < 20:
        raise ValueError(
            f"find_ink expected a photograph (H, W) or (H, W, 3) of 20 pixels or more, got {photo.shape}: "
            "formats.read_image reads one"
        )
    grey = photo / (1 if photo.dtype.kind == "f" else np.iinfo(photo.dtype).max)
    if grey.ndim == 3:
        grey = images.rgb_to_grayscale(grey.transpose(2, 0, 1))[0]
    scale = min(1, _WORKING / max(grey.shape))
    return images.resize(grey, [max(1, round(side * scale)) for side in grey.shape])


def _digit(ink):
    """Of the patches of ink, the digit: the largest one and its neighbours; what the edge cuts, only in need."""
    labels, count = label(ink)
    area = np.bincount(labels.ravel(), minlength=count + 1)
    area[0] = 0
    cut = np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))
    inside = area.copy()
    inside[cut] = 0
    if inside.max() >= _SPECK * area.max():
        area = inside
    main = area.argmax()
    top, left, height, width = handwriting.bounding_box((labels == main).astype(float))
    margin = max(height, width) // 4
    near = np.zeros(count + 1, bool)
    near[
        labels[max(top - margin, 0) : top + height + margin, max(left - margin, 0) : left + width + margin]
    ] = True
    return (near & (area >= _SPECK * area[main]))[labels]


def thicken(ink, radius):
    """Make lines thicker: each pixel becomes the darkest one within a disc.

    Shapes: ink (H, W) -> (H, W), the same dtype. radius: pixels; a line gets wider by about twice as much.
    Raises ValueError for a negative radius or no ink, TypeError for a wrong dtype.
    Source: dilation, Serra, Image Analysis and Mathematical Morphology (1982), chapter II.
    Built in 04-image-data/06-draw-a-digit.ipynb.
    """
    handwriting._ink("thicken", ink)
    if not 0 <= radius < np.inf:
        raise ValueError(f"thicken expected a radius in pixels, 0 or more, got {radius!r}: try 1")
    reach = int(radius)
    padded = np.pad(ink, reach)
    height, width = ink.shape
    thick = np.zeros_like(ink)
    for down, right in np.argwhere(np.hypot(*(np.indices((2 * reach + 1, 2 * reach + 1)) - reach)) <= radius):
        np.maximum(thick, padded[down : down + height, right : right + width], out=thick)
    return thick


def from_photo(photo):
    """The 28 x 28 picture of a digit on a photograph of paper.

    Shapes: as in find_ink -> (28, 28) float64, from 0, paper, to 1.
    A pen that is thinner than MNIST's, for the digit's size, is made as thick: else its lines would turn pale.
    Raises as find_ink does.
    Source: LeCun, Bottou, Bengio & Haffner (1998), section III.A, after find_ink.
    Built in 04-image-data/06-draw-a-digit.ipynb.
    """
    ink = find_ink(photo)
    top, left, height, width = handwriting.bounding_box(ink)
    digit = images.crop(ink, top, left, height, width)
    missing = handwriting.PEN / handwriting.BOX * max(digit.shape) - handwriting.pen_width(digit)
    if missing > 1:
        digit = thicken(images.pad(digit, int(missing / 2) + 1), missing / 2)
    return handwriting.normalize(digit)
