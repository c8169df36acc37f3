"""The readers of the two file formats, the records, and the two datasets themselves."""

import math
import re
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared import datasets, records
from shared.datasets import load_cifar10, load_mnist, load_orl_faces, load_photographs

IDX = b"\0\0\x08\x02" + b"\0\0\0\x02" + b"\0\0\0\x03" + bytes(range(6))
PGM = b"P5\n# by hand\n3 2\n255\n" + bytes(range(6))


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


def test_readers_on_files_written_by_hand():
    assert datasets._read_idx(IDX, "numbers").tolist() == [[0, 1, 2], [3, 4, 5]]
    assert datasets._read_pgm(PGM, "picture").tolist() == [[0, 1, 2], [3, 4, 5]]
    newline = datasets._read_pgm(b"P5 1 1 255\n\n", "picture")  # the one pixel is the code of a line end
    assert newline.tolist() == [[10]]


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", "found b''"),
        (b"\x1f\x8b\x08\x00" + IDX, "found b'\\\\x1f\\\\x8b"),  # still compressed
        (IDX.replace(b"\x08", b"\x0d"), "an IDX file"),  # floats
        (b"\0\0\x08\0", "1 to 4 axes"),
        (b"\0\0\x08\xff" + IDX[4:], "1 to 4 axes"),
        (IDX[:-1], " 18 bytes, for an array of shape \\[2, 3\\]; found 17"),
        (IDX + b"1", " 18 bytes, for an array of shape \\[2, 3\\]; found 19"),
        (IDX[:4] + b"\xff" * 8, " 18446744065119617037 bytes.*found 12"),
        (IDX[:4] + b"\0" * 4 + b"\xff" * 4, "shape \\[0, 4294967295\\]"),
        (IDX[:6], "found 6"),
    ],
)
def test_what_is_not_an_idx_file_is_refused_by_name(content, found):
    with pytest.raises(ValueError, match=f"^numbers: expected.*{found}"):
        datasets._read_idx(content, "numbers")


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", "found b''"),
        (b"P2\n3 2\n255\n0 1 2 3 4 5", "found b'P2"),  # pixels as text
        (PGM.replace(b"P5\n# by hand\n", b"P5"), "found b'P53 2"),
        (PGM.replace(b"255", b"65535"), "1 to 255"),
        (PGM.replace(b"3 2", b"0 2"), "a PGM file"),
        (PGM.replace(b"3 2", b"-3 -2"), "a PGM file"),
        (PGM.replace(b"3 2", b"999999999 999999999"), "for 999999999 x 999999999 pixels; found 43"),
        (PGM.replace(b"3 2", b"9" * 4000 + b" 2"), "a PGM file"),
        (PGM[:-1], " 27 bytes, for 3 x 2 pixels; found 26"),
        (PGM + b"1", " 27 bytes, for 3 x 2 pixels; found 28"),
        (b"P5" + b" " * 100_000, "a PGM file"),
        (b"P5" + b"\n#" * 100_000, "a PGM file"),
    ],
)
def test_what_is_not_a_pgm_file_is_refused_by_name(content, found):
    with pytest.raises(ValueError, match=f"^picture: expected.*{found}"):
        datasets._read_pgm(content, "picture")


def answer(reader, content):
    """What a reader makes of any bytes: an array with a place for each of its values in the file, or a ValueError."""
    try:
        array = reader(content, "anything")
    except ValueError as error:
        assert str(error).startswith("anything: expected ")
        return None
    assert array.dtype == np.uint8 and array.tobytes() == content[len(content) - array.size :]
    return array


@settings(deadline=None)
@given(st.binary() | st.binary().map(lambda rest: b"\0\0\x08" + rest))
def test_any_bytes_give_an_array_or_a_value_error_as_idx(content):
    answer(datasets._read_idx, content)


@settings(deadline=None)
@given(
    st.binary()
    | st.from_regex(rb"P5(\s|#\w*\n)+\d{1,3} \d{1,3}\n\d{1,3}\s").flatmap(
        lambda h: st.binary().map(h.__add__)
    )
)
def test_any_bytes_give_an_array_or_a_value_error_as_pgm(content):
    answer(datasets._read_pgm, content)


@settings(deadline=None)
@given(st.lists(st.integers(1, 4), min_size=1, max_size=4), st.data())
def test_what_was_written_as_idx_is_read_as_it_was(shape, data):
    pixels = data.draw(st.binary(min_size=math.prod(shape), max_size=math.prod(shape)))
    header = bytes([0, 0, 8, len(shape)]) + b"".join(length.to_bytes(4, "big") for length in shape)
    array = answer(datasets._read_idx, header + pixels)
    assert list(array.shape) == shape and array.tobytes() == pixels


@settings(deadline=None)
@given(
    st.integers(1, 5),
    st.integers(1, 5),
    st.sampled_from([b" ", b"\n", b"\r\n", b"\n# a comment\n"]),
    st.data(),
)
def test_what_was_written_as_pgm_is_read_as_it_was(width, height, gap, data):
    pixels = data.draw(st.binary(min_size=width * height, max_size=width * height))
    header = gap.join([b"P5", str(width).encode(), str(height).encode(), b"255"])
    array = answer(datasets._read_pgm, header + b"\n" + pixels)
    assert array.shape == (height, width) and array.tobytes() == pixels
