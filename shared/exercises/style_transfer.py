"""The exercises of 05-cnn/09-style-transfer.ipynb."""

import numpy as np

from shared.exercises import Exercise

GRAM = np.array([[4.0, 3.0, 0.0], [3.0, 9.0, 1.5], [0.0, 1.5, 1.0]])
MAPS = np.array([[[1.0, 2.0, 0.0], [1.0, 0.0, 0.0]], [[3.0, 0.0, 1.0], [0.0, 0.0, 2.0]]])  # (2, 2, 3)


def _gram(maps):
    flat = maps.reshape(len(maps), -1)
    return flat @ flat.T / flat.shape[1]


def _rows(gram):
    return gram / np.diagonal(gram)[:, None]


EXERCISES = {
    "05-09.1": Exercise(
        cases=[((), (True, False))],
        mistakes={
            "The filter isn't mirrored with the picture: what was a step up is a step down, and ReLU drops it.": (
                lambda: (True, True)
            ),
            "Mirroring moves pixels, each with its three colours: a sum over all places doesn't see that.": (
                lambda: (False, False)
            ),
            "The other way round: single pixels only change places, but an edge changes its direction.": (
                lambda: (False, True)
            ),
        },
        hint="Which features of the mirrored picture are those of the picture, at other places?",
    ),
    "05-09.2": Exercise(
        cases=[
            ((GRAM,), np.array([[1.0, 0.5, 0.0], [0.5, 1.0, 0.5], [0.0, 0.5, 1.0]])),
            ((np.diag([1.0, 100.0]),), np.eye(2)),
        ],
        mistakes={
            "The roots of the diagonal: 4 comes from a map of size 2.": lambda gram: (
                gram / np.outer(np.diagonal(gram), np.diagonal(gram))
            ),
            "That divides each row by its own strength; the other map's strength counts as well.": _rows,
            "The roots of the diagonal, not of the whole matrix.": lambda gram: np.sqrt(
                gram / np.outer(np.diagonal(gram), np.diagonal(gram))
            ),
        },
        hint="Entry (i, j) is divided by the roots of (i, i) and (j, j): an outer product of roots.",
    ),
    "05-09.3": Exercise(
        cases=[((MAPS,), _gram(MAPS)), ((MAPS[:, :1],), _gram(MAPS[:, :1]))],
        mistakes={
            "reshape doesn't turn axes round: a row of flat now holds neighbours of one map, not one place.": (
                lambda maps: (
                    maps.reshape(-1, len(maps)).T
                    @ maps.reshape(-1, len(maps))
                    / len(maps.reshape(-1, len(maps)))
                )
            ),
            "Divide by the number of pixels, H times W.": lambda maps: _gram(maps) * maps[0].size,
            "Divide by the number of pixels alone, not by that of the maps too.": lambda maps: (
                _gram(maps) / len(maps)
            ),
            "That is places by places: what is summed over has to be the place.": lambda maps: (
                maps.reshape(len(maps), -1).T @ maps.reshape(len(maps), -1) / maps[0].size
            ),
        },
        hint="One row for each map, all its pixels in it: reshape(len(maps), -1).",
    ),
}
