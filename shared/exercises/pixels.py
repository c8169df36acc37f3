"""The exercises of 04-image-data/01-pixels.ipynb."""

import numpy as np

from shared.exercises import Exercise

RASTER = bytes(range(1, 37))
ZERO = np.zeros((2, 2), np.uint8)
DARK, LIGHT = np.array([[3, 10], [0, 7]], np.uint8), np.array([[5, 250], [0, 9]], np.uint8)
GREY = np.array([[200, 100, 0, 0], [250, 250, 0, 4], [1, 2, 3, 4], [1, 2, 3, 5]], np.uint8)


def _planes(raster, height, width):
    return np.frombuffer(raster, np.uint8).reshape(height, width, 3).transpose(2, 0, 1)


def _from_afar(a, b, there=2.2, back=1 / 2.2):
    return 255 * (((a / 255) ** there + (b / 255) ** there) / 2) ** back


EXERCISES = {
    "04-01.1": Exercise(
        cases=[((), (1868, 78416))],
        mistakes={
            "The header comes first: 4 bytes, and 4 for each of the three axes.": lambda: (1852, 78400),
            "Rows and columns have changed places: a row is 28 bytes long.": lambda: (1706, 78416),
            "Counted from 0, two whole pictures and ten whole rows lie before it.": lambda: (1055, 78416),
            "The position is right; the header belongs to the file's length too.": lambda: (1868, 78400),
        },
        hint="16 bytes of header, then 784 for each picture before it, 28 for each row before it, 1 for each column.",
    ),
    "04-01.2": Exercise(
        cases=[
            ((RASTER[:12], 2, 2), _planes(RASTER[:12], 2, 2)),
            ((RASTER, 3, 4), _planes(RASTER, 3, 4)),
            ((RASTER[:18], 1, 6), _planes(RASTER[:18], 1, 6)),
        ],
        mistakes={
            "reshape moves nothing: the three colours of a pixel stay neighbours. Which axis has to move?": (
                lambda raster, height, width: np.frombuffer(raster, np.uint8).reshape(3, height, width)
            ),
            "The channels are in front, but rows and columns have changed places: transpose(2, 0, 1).": (
                lambda raster, height, width: np.frombuffer(raster, np.uint8).reshape(height, width, 3).T
            ),
            "The channels are still last: (H, W, 3) has to become (3, H, W).": (
                lambda raster, height, width: np.frombuffer(raster, np.uint8).reshape(height, width, 3)
            ),
        },
        hint="In the file the order is row, column, channel: reshape to that, then move the channels to the front.",
    ),
    "04-01.3": Exercise(
        cases=[((DARK, LIGHT), 61.0), ((LIGHT, DARK), 61.0), ((LIGHT, ZERO), 66.0)],
        mistakes={
            "3 - 5 is 254 in bytes, and abs can't know better. Make numbers of them that can be negative, first.": (
                lambda a, b: np.abs(a - b).mean()
            ),
            "astype came too late: the difference had wrapped around already.": lambda a, b: np.abs(
                (a - b).astype(np.int8).astype(float)
            ).mean(),
            "Without abs, differences up and down cancel.": lambda a, b: (
                a.astype(float) - b.astype(float)
            ).mean(),
        },
        hint="Turn both into floats (or ints), then subtract, then abs, then mean.",
    ),
    "04-01.4": Exercise(
        cases=[
            ((GREY,), np.array([[200.0, 1.0], [1.5, 3.75]])),
            ((GREY[:2],), np.array([[200.0, 1.0]])),
        ],
        mistakes={
            "That skips three of four pixels: nearest, not the mean.": lambda picture: picture[::2, ::2],
            "Bytes were added to bytes, and what was above 255 is lost: use mean, or floats first.": lambda picture: (
                (picture[::2, ::2] + picture[1::2, ::2] + picture[::2, 1::2] + picture[1::2, 1::2]) / 4
            ),
            "That averages the halves of the picture, not neighbours: the 2 belongs behind H // 2.": lambda picture: (
                picture.reshape(2, len(picture) // 2, 2, picture.shape[1] // 2).mean(axis=(0, 2))
            ),
        },
        hint="reshape to (H // 2, 2, W // 2, 2), and take the mean over the two axes of length 2.",
    ),
    "04-01.5": Exercise(
        cases=[((0, 255), _from_afar(0, 255)), ((100, 100), 100.0), ((30, 200), _from_afar(30, 200))],
        mistakes={
            "That averages the values. It is their light that melts.": lambda a, b: (a + b) / 2,
            "The wrong way round: light is the value to the power of 2.2, and the way back has 1 / 2.2.": (
                lambda a, b: _from_afar(a, b, 1 / 2.2, 2.2)
            ),
            "That is a share between 0 and 1; a value goes up to 255.": lambda a, b: _from_afar(a, b) / 255,
            "That is the light. It has to become a value again.": lambda a, b: _from_afar(a, b, back=1.0),
        },
        hint="light = (v / 255) ** 2.2, the mean of the two lights, then 255 * light ** (1 / 2.2).",
        tolerance=1e-6,
    ),
}
