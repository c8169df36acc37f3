"""Any bytes give a picture or a ValueError that says what is wrong, and take no more memory than the file justifies.

IMAGE_JOURNAL_FUZZ=1000000 sets how many cases are tried; 30,000 are the default.
"""

import io
import os
import re
import sys
import tracemalloc
import zlib

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from shared.formats import read_idx, read_image, read_pnm, write_idx, write_pnm

CASES = int(os.environ.get("IMAGE_JOURNAL_FUZZ", "30000"))
READERS = {
    read_idx: ("uint8", "int8", "int16", "int32", "float32", "float64"),
    read_pnm: ("uint8", "uint16"),
    read_image: ("uint8", "uint16"),
}
SIGNATURES = [b"\0\0\x08\x02", b"\0\0\x0d\x01", b"P2\n", b"P3 ", b"P5\n", b"P6 ", b"\x89PNG\r\n\x1a\n"]
SIGNATURES += [b"\xff\xd8\xff\xe0", b"GIF89a", b"\x1f\x8b", b""]
NUMBERS = [
    b"0",
    b"1",
    b"-1",
    b"255",
    b"256",
    b"65535",
    b"65536",
    b"999999999",
    b"4294967296",
    b"9" * 30,
    b"1e9",
    b"#",
]
EXTREMES = [0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF]


def written(write, *arguments):
    file = io.BytesIO()
    write(file, *arguments)
    return file.getvalue()


def saved(image, kind, **options):
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def files():
    """A small whole file of each format and kind that the readers know."""
    rng = np.random.default_rng(0)
    whole = [written(write_idx, rng.integers(0, 99, (2, 3, 4)).astype(t)) for t in READERS[read_idx]]
    for shape in [(5, 7), (5, 7, 3)]:
        for dtype in (np.uint8, np.uint16):
            image = rng.integers(0, np.iinfo(dtype).max + 1, shape).astype(dtype)
            whole += [written(write_pnm, image), written(write_pnm, image, True)]
    whole += [b"P2 # by hand\n2 2 # wide\n7\n0 7 # row\n3 4\n", b"P5#\r\n2\t1#\n15\r\x07\x0f"]
    colour = Image.fromarray(rng.integers(0, 256, (9, 11, 3)).astype(np.uint8))
    grey = colour.convert("L")
    alpha = [colour.convert("RGBA"), grey.convert("LA")]
    alpha[0].putalpha(grey)
    sixteen = Image.fromarray(rng.integers(0, 65536, (9, 11)).astype(np.uint16))
    palette = colour.convert("P")
    exif = Image.Exif()
    exif[0x0112] = 6
    for image in [colour, grey, palette, colour.convert("1"), sixteen, *alpha]:
        whole.append(saved(image, "PNG", exif=exif))
    whole += [
        saved(palette, "PNG", transparency=3),
        saved(colour, "PNG", transparency=(1, 2, 3), dpi=(72, 72)),
    ]
    for image in [colour, grey, colour.convert("CMYK")]:
        whole += [saved(image, "JPEG", exif=exif), saved(image, "JPEG", progressive=True, subsampling=2)]
    return whole


FILES = files()


def damaged(rng):
    """A file after one to three accidents, or with bad intent."""
    content = bytearray(FILES[rng.integers(len(FILES))])
    for _ in range(rng.integers(1, 4)):
        size = len(content)
        at, end = sorted(rng.integers(0, size + 1, 2).tolist())
        match rng.integers(11):
            case 0:  # bits flip
                for place in rng.integers(0, size, rng.integers(1, 9)) if size else []:
                    content[place] ^= 1 << rng.integers(8)
            case 1:  # near the beginning, where the header is
                for place in rng.integers(0, min(size, 40), rng.integers(1, 4)) if size else []:
                    content[place] = rng.integers(256)
            case 2:
                del content[end:]
            case 3:
                del content[at:end]
            case 4:
                content[at:at] = content[at:end]
            case 5:
                content[at:at] = rng.bytes(rng.integers(1, 20))
            case 6:  # the rest of another file
                content[at:] = FILES[rng.integers(len(FILES))][rng.integers(0, size + 1) :]
            case 7:  # another number in the text of a header
                numbers = [*re.finditer(rb"\d+", bytes(content[:60]))]
                if numbers:
                    number = numbers[rng.integers(len(numbers))]
                    content[number.start() : number.end()] = NUMBERS[rng.integers(len(NUMBERS))]
            case 8:  # a size of another size, in either byte order
                length, order = int(rng.choice([1, 2, 4])), str(rng.choice(["big", "little"]))
                value = EXTREMES[rng.integers(len(EXTREMES))] & (256**length - 1)
                place = int(rng.integers(0, min(size, 64) + 1))
                content[place : place + length] = value.to_bytes(length, order)
            case 9:
                start = SIGNATURES[rng.integers(len(SIGNATURES))]
                content[: len(start)] = start
            case 10:
                content = bytearray(SIGNATURES[rng.integers(len(SIGNATURES))] + rng.bytes(rng.integers(60)))
    return with_checksums(bytes(content)) if rng.integers(4) else bytes(content)


def with_checksums(content):
    """A PNG with the checksums that its chunks should have: without them, hardly any damage would be looked at."""
    if not content.startswith(b"\x89PNG\r\n\x1a\n"):
        return content
    chunks, at = [content[:8]], 8
    while at + 12 <= len(content):
        end = at + 8 + int.from_bytes(content[at : at + 4], "big")
        if end + 4 > len(content):
            break
        chunks += [content[at:end], zlib.crc32(content[at + 4 : end]).to_bytes(4, "big")]
        at = end + 4
    return b"".join([*chunks, content[at:]])


def survives(reader, content):
    """Whether the reader makes a picture of the content; anything but a picture or a ValueError fails the test."""
    tracemalloc.reset_peak()
    before = tracemalloc.get_traced_memory()[0]
    try:
        image = reader(content)
    except ValueError as error:
        assert re.match(r"read_\w+\(\d+ bytes\) expected .*got .*", str(error), re.DOTALL), error
        image = None
    except Exception as error:
        raise AssertionError(
            f"{reader.__name__}({content!r}) raised {type(error).__name__}: {error}"
        ) from error
    taken = tracemalloc.get_traced_memory()[1] - before
    pixels = 0 if image is None else image.size
    # a number takes up to 8 bytes, some copies of it included; a traceback and what Pillow keeps, the rest
    assert taken <= 40 * len(content) + 40 * pixels + 100_000, (
        f"{reader.__name__}({content!r}): {taken} bytes"
    )
    if image is None:
        return False
    assert type(image) is np.ndarray and image.dtype.name in READERS[reader] and 0 not in image.shape
    assert image.flags.writeable and image.flags.c_contiguous
    assert image.size <= 8256 * 3 * len(content)
    assert reader is read_idx or image.ndim == 2 or image.shape[2:] == (3,)
    return True


@pytest.fixture
def memory():
    """What Pillow takes shows in the peak of the process; what NumPy and Python take is traced, in some cases."""
    resource = pytest.importorskip("resource") if os.name == "posix" else None
    unit = 1 if sys.platform == "darwin" else 1024  # of the peak, in bytes
    peak = resource and resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    yield
    tracemalloc.stop()
    if resource:
        taken = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak) * unit
        assert taken < 300e6, f"the readers took {taken} bytes for files of 2 kB"


def test_each_whole_file_is_read():
    for content in FILES:
        assert any(survives(reader, content) for reader in READERS)


def test_damaged_files(memory):
    readers, counts = [*READERS], {True: 0, False: 0}
    test_each_whole_file_is_read()  # loads what Pillow loads when it first needs it
    for case in range(CASES // 2):
        content = damaged(np.random.default_rng([0, case]))
        tracemalloc.start() if case % 8 == 0 else tracemalloc.stop()
        for reader in (readers[case % 2], read_image):  # which hands PGM and PPM on
            counts[survives(reader, content)] += 1
    assert min(counts.values()) > CASES / 100  # some accidents leave a picture, most do not


beginnings = st.sampled_from(SIGNATURES)
words = st.lists(st.sampled_from([*NUMBERS, b"2", b"3", b" ", b"\n", b"# x\n", b"\xff"]), max_size=12).map(
    b" ".join
)


@settings(deadline=None, max_examples=CASES // 20, suppress_health_check=list(HealthCheck))
@given(st.builds(bytes.__add__, beginnings, st.binary(max_size=80) | words), st.sampled_from([*READERS]))
def test_any_bytes(content, reader):
    survives(reader, content)
