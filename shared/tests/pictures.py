"""Pictures of notebooks as the tests see them: decoded, judged for emptiness, compared."""

import base64
import io

import numpy as np
from PIL import Image
from PIL.ImageFilter import MaxFilter, MinFilter

NEAR_EMPTY = 0.005  # share of pixels that differ from the paper; bare axes without words have twice as many
# Share of pixels that find nothing alike near their place in the other picture. Measured: Matplotlib 3.10 against 3.11
# up to 0.0004, where it labels other ticks 0.003; an arrow that vanished from its axes 0.008, a bar that shrank 0.02.
SAME = 0.005


def stored(cell):
    """The PNG files among the outputs of a cell, as bytes."""
    outputs = [output.get("data", {}) for output in cell.get("outputs", [])]
    return [base64.b64decode(data["image/png"]) for data in outputs if "image/png" in data]


def decode(png):
    """The picture, and the description that it carries. Raises OSError or ValueError when it is no whole PNG."""
    image = Image.open(io.BytesIO(png), formats=["PNG"])
    image.load()
    return image.convert("RGB"), image.info.get("Description")


def ink(image):
    """The share of pixels, 0 to 1, that differ visibly from the picture's first corner."""
    pixels = np.asarray(image, np.int16)
    return np.mean((np.abs(pixels - pixels[0, 0]) > 24).any(axis=2))


def difference(png, other):
    """The share of the pixels, 0 to 1, that have nothing alike near their place in the other picture.

    Near is 1.5 % of the width: words and axes may move a little, as they do from one Matplotlib to the next.
    """
    images = [decode(png)[0], decode(other)[0]]
    shapes = [image.height / image.width for image in images]
    if not 0.95 < shapes[0] / shapes[1] < 1.05:
        return 1.0
    small = [image.resize((200, round(200 * shapes[0])), Image.Resampling.BOX) for image in images]
    return max(_unmatched(*small), _unmatched(*small[::-1]))


def _unmatched(image, other):
    darkest, brightest = (np.asarray(other.filter(kind(7)), int) for kind in (MinFilter, MaxFilter))
    pixels = np.asarray(image, int)
    return np.mean(((pixels < darkest - 40) | (pixels > brightest + 40)).any(axis=2))
