"""The records, and the datasets themselves."""

import re
import subprocess
import sys

import numpy as np
import pytest

from shared import datasets, records
from shared.datasets import load_cifar10, load_mnist, load_orl_faces, load_photographs


@pytest.fixture(scope="module")
def mnist():
    return load_mnist()


@pytest.fixture(scope="module")
def faces():
    return load_orl_faces()


def test_mnist_is_whole(mnist):
    shapes = {name: (array.shape, array.dtype.name) for name, array in mnist._asdict().items()}
    assert shapes == {
        "train_images": ((60000, 28, 28), "uint8"),
        "train_labels": ((60000,), "int64"),
        "test_images": ((10000, 28, 28), "uint8"),
        "test_labels": ((10000,), "int64"),
    }
    assert mnist.train_labels[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    assert np.bincount(mnist.test_labels).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert mnist.train_images.max() == 255
    assert mnist.train_images[:, 0].mean() < 1  # paper is 0: the first row is empty


def test_the_faces_are_whole(faces):
    assert (faces.images.shape, faces.images.dtype) == ((400, 112, 92), np.uint8)
    assert faces.people.dtype == np.int64
    assert faces.people.tolist() == [person for person in range(40) for _ in range(10)]


def test_cifar10_is_whole():
    cifar10 = load_cifar10()
    shapes = {name: (array.shape, array.dtype.name) for name, array in cifar10._asdict().items()}
    assert shapes == {
        "train_images": ((50000, 3, 32, 32), "uint8"),
        "train_labels": ((50000,), "int64"),
        "test_images": ((10000, 3, 32, 32), "uint8"),
        "test_labels": ((10000,), "int64"),
    }
    assert np.bincount(cifar10.train_labels).tolist() == (5 * np.bincount(cifar10.test_labels)).tolist()
    names = [datasets.CLASSES[label] for label in cifar10.train_labels[:5]]
    assert names == ["frog", "truck", "truck", "deer", "automobile"]
    red, green, blue = (
        cifar10.train_images.mean(axis=(0, 2, 3)) / 255
    )  # the means that everybody normalizes with
    assert (round(red, 4), round(green, 4), round(blue, 4)) == (0.4914, 0.4822, 0.4465)


def test_the_photographs_are_whole():
    shapes = {name: picture.shape for name, picture in load_photographs()._asdict().items()}
    assert shapes == {
        "astronaut": (512, 512, 3),
        "camera": (512, 512),
        "chelsea": (300, 451, 3),
        "coffee": (400, 600, 3),
        "rocket": (427, 640, 3),
    }
    assert all(picture.dtype == np.uint8 and picture.flags.writeable for picture in load_photographs())


def test_the_face_most_like_a_face_is_nearly_always_the_same_person(faces):
    pixels = faces.images.reshape(400, -1).astype(np.float64)
    squares = (pixels**2).sum(axis=1)
    distances = squares[:, None] + squares - 2 * pixels @ pixels.T
    np.fill_diagonal(distances, np.inf)
    assert (faces.people[distances.argmin(axis=1)] == faces.people).mean() > 0.95


@pytest.mark.parametrize("picture", [79, 87])  # s8/10.pgm and s9/8.pgm
def test_where_an_image_keeps_a_13_of_its_own_its_rows_fit_together_best(faces, picture):
    pixels = faces.images[picture].ravel().astype(int)
    (own,) = np.flatnonzero((pixels[:-1] == 13) & (pixels[1:] == 10))
    rest = np.delete(pixels, own)
    places = np.flatnonzero(rest == 10)
    steps = [np.abs(np.diff(np.insert(rest, place, 13).reshape(112, 92), axis=0)).sum() for place in places]
    assert len(places) >= 10 and places[np.argmin(steps)] == own


def test_arrays_are_the_readers_own(mnist, faces):
    assert all(array.flags.writeable for array in (*mnist, *faces))
    again = load_orl_faces()
    again.images[:] = 0
    assert faces.images.any()


def test_importing_the_loaders_is_light():
    heavy = "pooch requests tqdm filelock pip matplotlib"
    program = f"import sys, shared.datasets; print([m for m in '{heavy}'.split() if m in sys.modules])"
    assert subprocess.check_output([sys.executable, "-c", program], text=True).strip() == "[]"


@pytest.mark.parametrize(
    "record",
    [records.MNIST, records.ORL_FACES, records.CIFAR10, records.PHOTOGRAPHS],
    ids=lambda record: record.name,
)
def test_every_record_is_pinned(record):
    assert record.title and record.credit and record.sources
    files = {name for group in record.checksums for name in group}
    for source in record.sources:
        assert re.fullmatch(r"https://.+/|pip:[\w-]+==[\d.]+|npm:[\w-]+@[\d.]+", source.address)
        assert set(source.members) in (set(), files) or source.convert is not dict
        assert all(re.fullmatch("[0-9a-f]{64}", checksum) for checksum in source.downloads.values())
        if not source.members:
            assert set(source.downloads) == {f"{name}.gz" for name in files}
    assert all(re.fullmatch("[0-9a-f]{64}", checksum) for checksum in record.checksums.values())


def test_line_ends_are_undone_but_for_the_images_own():
    own = 7201 * b"." + b"\r\n.\r\n"  # of s8/10.pgm, whose byte 7201 is a 13 of its own
    undone = records._undo_line_ends(
        {"s1/1.pgm": b"P5\r\n1 1\r\n255\r\n\r\n", "s2/1.pgm": b"P5\n\r\n", "s8/10.pgm": b"P5\r\n" + own[4:]}
    )
    assert undone["s1/1.pgm"] == b"P5\n1 1\n255\n\n"
    assert undone["s2/1.pgm"] == b"P5\n\r\n"
    assert undone["s8/10.pgm"] == b"P5\n" + own[4:7201] + b"\r\n.\n"
