"""Real data as NumPy arrays: digits, faces, small colour pictures, photographs. Where they come from: records.py."""

from typing import NamedTuple

import numpy as np

from shared import formats, records
from shared.fetch import fetch


class MNIST(NamedTuple):
    """Handwritten digits: images uint8 (N, 28, 28) from 0, paper, to 255, ink; labels int64 (N,), the digits."""

    train_images: np.ndarray
    train_labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray


class ORLFaces(NamedTuple):
    """Faces: images uint8 (400, 112, 92) from 0, black, to 255, white; people int64 (400,), who it is, from 0 to 39."""

    images: np.ndarray
    people: np.ndarray


class CIFAR10(NamedTuple):
    """Small colour pictures: images uint8 (N, 3, 32, 32), red, green, blue; labels int64 (N,), places in CLASSES."""

    train_images: np.ndarray
    train_labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray


CLASSES = (
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
)  # of CIFAR-10


class Photographs(NamedTuple):
    """Photographs: uint8 (H, W, 3), red, green, blue, or (H, W) in grey, from 0, black, to 255."""

    astronaut: np.ndarray
    camera: np.ndarray
    chelsea: np.ndarray
    coffee: np.ndarray
    rocket: np.ndarray


def load_mnist() -> MNIST:
    """The handwritten digits of MNIST: 60,000 to learn from and 10,000 to be tested on.

    Shapes: train_images uint8 (60000, 28, 28), train_labels int64 (60000,), test_images uint8 (10000, 28, 28),
    test_labels int64 (10000,). Pixels go from 0, paper, to 255, ink. The first call downloads 12 MB.
    Raises an OSError that says what to do when the data can be neither downloaded nor stored.
    Source: LeCun, Bottou, Bengio & Haffner (1998), section III.A. Licence: CC BY-SA 3.0.
    Built in 01-linear-algebra/01-vectors.ipynb.
    """
    arrays = [formats.read_idx(content) for content in fetch(records.MNIST).values()]
    return MNIST(arrays[0], arrays[1].astype(np.int64), arrays[2], arrays[3].astype(np.int64))


def load_orl_faces() -> ORLFaces:
    """The ORL database of faces: 10 photographs of each of 40 people, one person after the other.

    Shapes: images uint8 (400, 112, 92), people int64 (400,) from 0 to 39. Pixels go from 0, black, to 255, white.
    The first call downloads 5 MB.
    Raises an OSError that says what to do when the data can be neither downloaded nor stored.
    Source: Samaria & Harter (1994). Credit: AT&T Laboratories Cambridge.
    Built in 01-linear-algebra/04-eigenvectors-and-pca.ipynb.
    """
    images = np.stack([formats.read_pnm(content) for content in fetch(records.ORL_FACES).values()])
    return ORLFaces(images, np.repeat(np.arange(40, dtype=np.int64), 10))


def load_cifar10() -> CIFAR10:
    """The colour pictures of CIFAR-10 in ten classes: 50,000 to learn from and 10,000 to be tested on.

    Shapes: train_images uint8 (50000, 3, 32, 32), train_labels int64 (50000,), test_images uint8 (10000, 3, 32, 32),
    test_labels int64 (10000,). The first call downloads 170 MB.
    Raises an OSError that says what to do when the data can be neither downloaded nor stored.
    Source: Krizhevsky (2009), Learning multiple layers of features from tiny images, section 3.
    Built in 05-cnn/06-alexnet-and-resnet.ipynb.
    """
    batches = [np.frombuffer(content, np.uint8) for content in fetch(records.CIFAR10).values()]
    rows = np.concatenate(batches).reshape(
        60_000, 1 + 3 * 32 * 32
    )  # a label, then the planes of the three colours
    images, labels = rows[:, 1:].reshape(-1, 3, 32, 32), rows[:, 0].astype(np.int64)
    return CIFAR10(images[:50_000], labels[:50_000], images[50_000:], labels[50_000:])


def load_photographs() -> Photographs:
    """Five photographs: an astronaut, a photographer with a camera (grey), the cat Chelsea, a cup of coffee, a rocket.

    Shapes: astronaut uint8 (512, 512, 3), camera (512, 512), chelsea (300, 451, 3), coffee (400, 600, 3),
    rocket (427, 640, 3). The first call downloads 14 MB.
    Raises an OSError that says what to do when the data can be neither downloaded nor stored.
    Source: scikit-image's sample pictures: NASA (astronaut), Lav Varshney (camera), Stefan van der Walt (Chelsea),
    Rachel Michetti (coffee), SpaceX (rocket).
    Built in 04-image-data/01-pixels.ipynb.
    """
    return Photographs(*(formats.read_image(content) for content in fetch(records.PHOTOGRAPHS).values()))
