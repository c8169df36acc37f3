"""Readers and writers of image files: files written by hand, files that lie, and Pillow as the second opinion."""

import io
import re
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image, ImageOps

from shared import datasets, fetch, records
from shared.formats import read_idx, read_image, read_pnm, write_idx, write_pnm

IDX = b"\0\0\x08\x02" + b"\0\0\0\x02" + b"\0\0\0\x03" + bytes(range(6))
PGM = b"P5\n# by hand\n3 2\n255\n" + bytes(range(6))
PLAIN = b"P2 3 2 255\n0 1 2\n3 4 5\n"
rng = np.random.default_rng(0)
COLOUR = rng.integers(0, 256, (6, 9, 3)).astype(np.uint8)
GREY = COLOUR[..., 0].copy()


def written(write, *arguments):
    file = io.BytesIO()
    write(file, *arguments)
    return file.getvalue()


def saved(image, kind="PNG", **options):
    file = io.BytesIO()
    (Image.fromarray(image) if isinstance(image, np.ndarray) else image).save(file, kind, **options)
    return file.getvalue()


def same(a, b):
    np.testing.assert_array_equal(a, b, strict=True)


def test_idx_files_written_by_hand():
    same(read_idx(IDX), np.array([[0, 1, 2], [3, 4, 5]], np.uint8))
    same(read_idx(b"\0\0\x09\x01\0\0\0\x02\x7f\xff"), np.array([127, -1], np.int8))
    same(read_idx(b"\0\0\x0b\x01\0\0\0\x02\x01\x02\xff\xfe"), np.array([258, -2], np.int16))
    same(read_idx(b"\0\0\x0c\x01\0\0\0\x01\0\1\0\2"), np.array([65538], np.int32))
    same(read_idx(b"\0\0\x0d\x01\0\0\0\x01\x3f\xc0\0\0"), np.array([1.5], np.float32))
    same(read_idx(b"\0\0\x0e\x01\0\0\0\x01\xbf\xe0\0\0\0\0\0\0"), np.array([-0.5]))
    assert written(write_idx, np.array([[0, 1, 2], [3, 4, 5]], np.uint8)) == IDX


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", "got nothing: is it an IDX file"),
        (b"\0\0\x08", "got 00 00 08"),
        (b"\0\1" + IDX[2:], "00 00, a type .*got 00 01 08 02"),
        (b"\x1f\x8b\x08\x00" + IDX, "got a gzip file .*unpack it first"),
        (IDX.replace(b"\x08", b"\x0a"), "a type .08, 09, 0b, 0c, 0d, 0e. .*got 00 00 0a 02"),
        (b"\0\0\x08\0", "1 to 64 axes at byte 0, got 00 00 08 00"),
        (b"\0\0\x08\x41" + b"\0\0\0\1" * 65 + b"1", "got 00 00 08 41"),
        (IDX[:-1], r"18 bytes, by the shape \(2, 3\) in bytes 4 to 11, .*got 17 bytes: is the file whole"),
        (IDX + b"1", "18 bytes.*got 19 bytes"),
        (IDX[:4] + b"\xff" * 8, "18446744065119617037 bytes.*got 12"),
        (IDX[:4] + b"\0" * 4 + b"\xff" * 4, r"shape \(0, 4294967295\).* no axis of length 0"),
        (IDX[:6], "got 6 bytes"),
    ],
)
def test_what_is_not_an_idx_file_is_refused(content, found):
    with pytest.raises(ValueError, match=rf"^read_idx\({len(content)} bytes\) expected.*{found}"):
        read_idx(content)


@pytest.mark.parametrize(
    ("content", "pixels"),
    [
        (PGM, [[0, 1, 2], [3, 4, 5]]),
        (PLAIN, [[0, 1, 2], [3, 4, 5]]),
        (b"P5 1 1 255\n\n", [[10]]),  # the one pixel is the code of a line end
        (b"P5\r\n1\t1\x0b255\r\r", [[13]]),
        (b"P5 1 1 255#the gap itself\n#", [[35]]),
        (b"P5#a 9 9\n# b\n\n 0002 1#c\r255\n##", [[35, 35]]),
        (b"P2 2 1 255 0000000000000000000000255 # last\n 7#no line end", [[255, 7]]),
        (b"P2\n3 1\n2\n0 1 2", [[0, 128, 255]]),  # 2 is white
        (b"P5 2 1 7\n\x00\x07", [[0, 255]]),
        (b"P6 1 1 255\n\x01\x02\x03", [[[1, 2, 3]]]),
        (b"P3 1 2 255 1 2 3 4 5 6", [[[1, 2, 3]], [[4, 5, 6]]]),
    ],
)
def test_pnm_files_written_by_hand(content, pixels):
    same(read_pnm(content), np.array(pixels, np.uint8))
    same(read_image(content), np.array(pixels, np.uint8))


def test_pnm_files_of_16_bits_written_by_hand():
    same(read_pnm(b"P5 2 1 65535\n\x01\x02\xff\xff"), np.array([[258, 65535]], np.uint16))
    same(read_pnm(b"P2 2 1 256 0 256"), np.array([[0, 65535]], np.uint16))
    same(read_pnm(b"P6 1 1 65535\n\x00\x01\x00\x02\x00\x03"), np.array([[[1, 2, 3]]], np.uint16))


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", "P2, P3, P5 or P6 at byte 0, got b''"),
        (b"P4 1 1 \x80", "got b'P4'"),
        (PGM.replace(b"P5\n# by hand\n", b"P5"), "a blank and the width.*at byte 2, got b'3 2"),
        (PGM.replace(b"255", b"65536"), "the largest value, 1 to 65535, at byte 16, got .*65536"),
        (PGM.replace(b"3 2", b"0 2"), "the width, 1 to 999999999, at byte 2"),
        (PGM.replace(b"3 2", b"-3 -2"), "the width"),
        (PGM.replace(b"3 2", b"3 2.5"), "the largest value"),
        (PGM.replace(b"255\n", b"255"), r"a line end at byte 20, got b'\\x00"),
        (
            PGM.replace(b"3 2", b"999999999 999999999"),
            "999999998000000001 bytes from byte 37 on, .*got 6: is",
        ),
        (PGM.replace(b"3 2", b"9" * 4000 + b" 2"), "the width"),
        (PGM[:-1], r"6 bytes from byte 21 on, for a picture \(2, 3\), got 5: is the file whole"),
        (PGM + b"\n", "6 bytes from byte 21 on, .*got 7"),
        (b"P5 1 1 65535\n\x00", "2 bytes from byte 13 on, .*got 1"),
        (b"P5 1 2 65535\n\x00\x01\x02", "4 bytes from byte 13 on, .*got 3"),
        (b"P5 2 1 7\n\x00\x08", "up to 7, got 8 as number 2"),
        (b"P5 2 1 256\n\x00\x01\x01\x01", "up to 256, got 257 as number 2"),
        (b"P2 3 1 255\n0 256 999999999999999999999999999", "up to 255, got 9223372036854775807 as number 3"),
        (PLAIN[:-2], "6 numbers from byte 11 on, .*got 5"),
        (PLAIN + b"6", "6 numbers from byte 11 on, .*got 7"),
        (b"P2 1 1 255\n  \n", "1 numbers from byte 11 on, .*got 0"),  # NumPy reads blanks as one 0
        (b"P2 1 1 255 # 7\n-7", "digits and blanks, got b'-' at byte 15"),
        (b"P2 1 1 255\n1.5", "got b'.' at byte 12"),
        (b"P5" + b" " * 100_000, "the width"),
        (b"P5" + b"\n#" * 100_000, "the width"),
        (b"P2 1 1 255 " + b"#" * 100_000, "1 numbers"),
    ],
)
def test_what_is_not_a_pnm_file_is_refused(content, found):
    for reader in (read_pnm, read_image) if content[:2] in (b"P2", b"P5") else (read_pnm,):
        with pytest.raises(ValueError, match=rf"^read_pnm\({len(content)} bytes\) expected.*{found}"):
            reader(content)


@settings(deadline=None)
@given(st.data(), st.sampled_from(["u1", "i1", "<i2", ">i2", "i4", "<f4", ">f4", "f8"]))
def test_what_was_written_as_idx_is_read_as_it_was(data, dtype):
    array = data.draw(arrays.arrays(dtype, arrays.array_shapes(max_dims=5, max_side=4)))
    same(read_idx(written(write_idx, array)), array.astype(array.dtype.newbyteorder("=")))
    turned = array.T  # whatever its order in memory
    same(read_idx(written(write_idx, turned)), turned.astype(array.dtype.newbyteorder("=")))


@settings(deadline=None)
@given(st.data(), st.sampled_from(["u1", "<u2", ">u2"]), st.booleans())
def test_what_was_written_as_pnm_is_read_as_it_was_by_us_and_by_pillow(data, dtype, plain):
    shape = data.draw(st.tuples(st.integers(1, 6), st.integers(1, 25)))
    shape += data.draw(st.sampled_from([(), (3,)]))
    image = data.draw(arrays.arrays(dtype, shape))
    content = written(write_pnm, image, plain)
    same(read_pnm(content), image.astype(image.dtype.newbyteorder("=")))
    if dtype == "u1" or len(shape) == 2:  # Pillow has no colour of 16 bits
        np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(content))), image)
    if plain:
        assert max(map(len, content.split(b"\n"))) <= 70


@pytest.mark.parametrize("white", [1, 2, 3, 7, 10, 100, 254, 255])
def test_other_whites_are_spread_as_pillow_spreads_them(white):
    pixels = np.arange(white + 1, dtype=np.uint8)
    content = f"P5 {white + 1} 1 {white}\n".encode() + pixels.tobytes()
    image = read_pnm(content)
    assert image[0, 0] == 0 and image[0, -1] == 255
    same(image, np.asarray(Image.open(io.BytesIO(content))))


def test_the_datasets_are_written_as_the_files_they_were_read_from():
    for name, content in fetch.fetch(records.MNIST).items():
        assert written(write_idx, read_idx(content)) == content, name
    faces = fetch.fetch(records.ORL_FACES)
    assert all(read_pnm(written(write_pnm, read_pnm(c))).tobytes() == c[-112 * 92 :] for c in faces.values())


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "I;16"])
def test_png_files_are_read_as_pillow_reads_them(mode):
    image = Image.fromarray(COLOUR)
    image = Image.fromarray(GREY.astype(np.uint16) * 257) if mode == "I;16" else image.convert(mode)
    expected = np.asarray(
        image.convert("L") if mode == "1" else image.convert("RGB") if mode == "P" else image
    )
    read = read_image(saved(image))
    same(read, expected)
    assert read.flags.writeable and read.flags.c_contiguous


@pytest.mark.parametrize(("mode", "options"), [("RGB", {}), ("L", {"progressive": True}), ("CMYK", {})])
def test_jpeg_files_are_read_as_pillow_reads_them(mode, options):
    content = saved(Image.fromarray(COLOUR).convert(mode), "JPEG", **options)
    expected = Image.open(io.BytesIO(content)).convert("L" if mode == "L" else "RGB")
    same(read_image(content), np.asarray(expected))


def test_transparent_parts_are_laid_on_white():
    rgba = np.dstack([COLOUR, np.full((6, 9), 255, np.uint8)])
    rgba[0, :3] = [[10, 20, 30, 0], [1, 100, 200, 128], [0, 0, 0, 1]]
    read = read_image(saved(rgba))
    assert read[0, :3].tolist() == [[255, 255, 255], [128, 177, 227], [254, 254, 254]]
    same(read[1:], COLOUR[1:])
    white = Image.new("RGBA", (9, 6), "white")
    theirs = np.asarray(Image.alpha_composite(white, Image.fromarray(rgba)).convert("RGB"))
    assert np.abs(read.astype(int) - theirs).max() <= 1


def test_grey_files_stay_grey_even_where_they_are_transparent():
    grey_and_alpha = Image.fromarray(np.dstack([GREY, np.full_like(GREY, 255)]), "LA")
    same(read_image(saved(grey_and_alpha)), GREY)
    holes = read_image(saved(Image.fromarray(GREY), transparency=int(GREY[0, 0])))
    same(holes, np.where(GREY[0, 0] == GREY, 255, GREY).astype(np.uint8))


def test_palettes_become_colours_and_their_transparent_entry_white():
    image = Image.fromarray(np.array([[0, 1], [2, 1]], np.uint8), "P")
    image.putpalette([10, 20, 30, 40, 50, 60, 70, 80, 90])
    colours = np.array([[[10, 20, 30], [40, 50, 60]], [[70, 80, 90], [40, 50, 60]]], np.uint8)
    same(read_image(saved(image)), colours)
    colours[:, 1] = 255
    same(read_image(saved(image, transparency=1)), colours)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("image", [GREY, COLOUR], ids=["grey", "colour"])
def test_turned_photographs_are_turned_upright(orientation, image):
    exif = Image.Exif()
    exif[0x0112] = orientation
    for kind in ("PNG", "JPEG"):
        content = saved(image, kind, exif=exif)
        upright = np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(content))))
        same(read_image(content), upright)
    shape = image.shape if orientation < 5 else (9, 6, *image.shape[2:])
    assert read_image(content).shape == shape


def png(width, height, bits=8, color=2, raster=b""):
    """A PNG by hand, whose header says what it likes."""
    header = width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes([bits, color, 0, 0, 0])
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(raster, 9)), (b"IEND", b"")]
    parts = [len(d).to_bytes(4, "big") + n + d + zlib.crc32(n + d).to_bytes(4, "big") for n, d in chunks]
    return b"".join([b"\x89PNG\r\n\x1a\n", *parts])


def jpeg(width, height):
    """A JPEG of 9 x 6 pixels whose header says otherwise."""
    content = saved(COLOUR, "JPEG")
    return content.replace(
        b"\x00\x06\x00\x09\x03", height.to_bytes(2, "big") + width.to_bytes(2, "big") + b"\x03"
    )


@pytest.mark.parametrize(
    "content",
    [
        png(2**31 - 1, 2**31 - 1),
        png(50_000, 50_000),
        png(9000, 9000, 1, 0, bytes(9000 * 1126)),  # a real bomb of 10 kB: 81 million pixels
        png(4000, 4000, 8, 2, b"?"),
        jpeg(65500, 65500),
        jpeg(2000, 2000),
    ],
    ids=["PNG 2 ** 31", "PNG 50000", "PNG bomb", "PNG 4000", "JPEG 65500", "JPEG 2000"],
)
def test_bombs_are_refused_by_their_header(content, monkeypatch):
    taken = []
    monkeypatch.setattr(Image.Image, "load", lambda self: taken.append(self.size))
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", lambda self: taken.append(self.size))
    with pytest.raises(
        ValueError, match=r"expected (at most \d+ pixels .* claims \d+ x|.*DecompressionBomb)"
    ):
        read_image(content)
    assert not taken


def test_what_a_small_file_can_hold_is_read():
    blank = png(4000, 4000, 1, 0, bytes(4000 * 501))  # 2 kB of real white on black, 16 million pixels
    assert len(blank) < 4000 and read_image(blank).shape == (4000, 4000)
    flat = saved(np.full((2000, 2000, 3), 200, np.uint8), "JPEG", progressive=True, optimize=True)
    assert read_image(flat).shape == (2000, 2000, 3)


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", "a PNG, JPEG, PGM or PPM file, got b'' at byte 0"),
        (b"GIF89a", "got b'GIF89a' at byte 0: save it as PNG or JPEG"),
        (IDX, "read_idx"),
        (saved(COLOUR)[:60], "a whole PNG file, got one that Pillow can't read"),
        (
            saved(COLOUR, "JPEG")[:400],
            "a whole JPEG file, got one that Pillow can't read .OSError: .*runcated",
        ),
        (saved(COLOUR).replace(b"IHDR", b"IHDX"), "a whole PNG file"),
        (b"\xff\xd8\xff", "a whole JPEG file"),
    ],
)
def test_what_is_not_an_image_file_is_refused(content, found):
    with pytest.raises(ValueError, match=rf"^read_image\({len(content)} bytes\) expected.*{found}"):
        read_image(content)


def test_damage_gives_no_warning(recwarn):
    for content in (saved(COLOUR)[:-60], png(12_000, 12_000), saved(COLOUR, "JPEG")[:-40]):
        with pytest.raises(ValueError):
            read_image(content)
    assert not recwarn.list


def test_paths_and_all_kinds_of_bytes(tmp_path):
    path = tmp_path / "by hand.pgm"
    write_pnm(path, GREY)
    for file in (
        path,
        str(path),
        path.read_bytes(),
        bytearray(path.read_bytes()),
        memoryview(path.read_bytes()),
    ):
        same(read_pnm(file), GREY)
        same(read_image(file), GREY)
    write_idx(str(path), COLOUR)
    same(read_idx(path), COLOUR)
    with pytest.raises(ValueError, match=r"^read_image\('by hand.pgm'\) expected"):
        read_image(path)
    with pytest.raises(FileNotFoundError):
        read_idx(tmp_path / "nowhere")
    for reader in (read_idx, read_pnm, read_image):
        with pytest.raises(
            TypeError, match=f"{reader.__name__} expected a path or bytes, got BytesIO: try file.read"
        ):
            reader(io.BytesIO())


def test_what_can_not_be_written_is_refused():
    for array in (np.zeros(3, np.int64), np.zeros(3, np.uint16), np.zeros(3, bool), np.array(["a"])):
        with pytest.raises(TypeError, match=r"write_idx expected uint8.*got .*astype\(np.uint8\)"):
            write_idx(io.BytesIO(), array)
    for array in (np.uint8(3), np.zeros((2, 0), np.uint8)):
        with pytest.raises(ValueError, match=r"write_idx expected 1 to 64 axes .*got shape"):
            write_idx(io.BytesIO(), array)
    for image in (np.zeros((2, 2)), np.zeros((2, 2), bool), np.zeros((2, 2), np.uint32)):
        with pytest.raises(TypeError, match="write_pnm expected uint8 or uint16, got .*np.rint"):
            write_pnm(io.BytesIO(), image)
    for shape in ((3,), (3, 4, 4), (4, 4, 1), (4, 4, 4), (2, 3, 4, 3), (0, 4), (0, 4, 3)):
        with pytest.raises(ValueError, match=rf"write_pnm expected \(H, W\).*got {re.escape(str(shape))}"):
            write_pnm(io.BytesIO(), np.zeros(shape, np.uint8))


def test_the_photographs_are_read_as_pillow_reads_them():
    for name, content in fetch.fetch(records.PHOTOGRAPHS).items():
        photograph = getattr(datasets.load_photographs(), name.split(".")[0])
        same(photograph, np.asarray(Image.open(io.BytesIO(content))))
