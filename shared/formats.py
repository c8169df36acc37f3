"""Image files and arrays: IDX and PGM/PPM by hand, since reading a format is the lesson; PNG and JPEG through Pillow.

A reader takes a path or the bytes of a file. Whatever the bytes are, it gives an array or a ValueError that says what
is wrong and where, and it compares what a header claims with how much file there is before it takes memory for it.
"""

import io
import math
import os
import re
import warnings
from contextlib import contextmanager
from pathlib import Path

import numpy as np

_IDX_TYPES = {8: ">u1", 9: ">i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}

_GAP = rb"(?:\s|#[^\r\n]*+[\r\n])"  # between the words of a PNM header: blanks, line ends, comments
_NUMBER = re.compile(_GAP + rb"++([0-9]{1,9})(?![0-9])")

_MAX_PIXELS = 2**26  # of a PNG or JPEG: 67 megapixels, 201 MB in colour
# How a file begins, and how many pixels a byte of it can hold at most. A byte of a PNG unpacks to 1032 bytes at most,
# each with up to 8 pixels; JPEG spends a bit or more on 8 x 8 pixels.
_SIGNATURES = {b"\x89PNG\r\n\x1a\n": ("PNG", 8 * 1032), b"\xff\xd8\xff": ("JPEG", 8 * 64)}


def read_idx(file):
    """The array in an IDX file, the format of MNIST: 0, 0, type, number of axes, each axis in 4 bytes, the numbers.

    file: a path or bytes. Shapes: whatever the header says, 1 to 64 axes of length 1 or more; uint8, int8, int16,
    int32, float32 or float64 in the byte order of this machine (in the file, the large end comes first).
    Raises ValueError when the bytes are anything else, one byte too few or too many included; OSError without a file.
    Source: LeCun, Cortes & Burges, The MNIST database of handwritten digits, "File formats".
    Built in 04-image-data/01-pixels.ipynb.
    """
    content, who = _content("read_idx", file)
    if content.startswith(b"\x1f\x8b"):
        raise ValueError(f"{who} expected an IDX file, got a gzip file (1f 8b at byte 0): unpack it first")
    known = len(content) >= 4 and content[:2] == b"\0\0" and content[2] in _IDX_TYPES
    if not known or not 1 <= content[3] <= 64:  # NumPy's most
        types = ", ".join(f"{code:02x}" for code in _IDX_TYPES)
        raise ValueError(
            f"{who} expected 00 00, a type ({types}) and 1 to 64 axes at byte 0, got "
            f"{content[:4].hex(' ') or 'nothing'}: is it an IDX file?"
        )
    start = 4 + 4 * content[3]
    shape = [int.from_bytes(content[at : at + 4], "big") for at in range(4, start, 4)]
    dtype = np.dtype(_IDX_TYPES[content[2]])
    expected = start + math.prod(shape) * dtype.itemsize
    if 0 in shape or expected != len(content):
        raise ValueError(
            f"{who} expected {expected} bytes, by the shape {tuple(shape)} in bytes 4 to {start - 1}, and no axis of "
            f"length 0, got {len(content)} bytes: is the file whole?"
        )
    return np.frombuffer(content, dtype, offset=start).reshape(shape).astype(dtype.newbyteorder("="))


def write_idx(file, array):
    """Write an array as an IDX file; read_idx gives back the same array.

    file: a path, or an open binary file such as io.BytesIO(). Shapes: array of 1 to 64 axes of length 1 or more;
    uint8, int8, int16, int32, float32 or float64.
    Raises ValueError for another shape, TypeError for another dtype.
    Source: LeCun, Cortes & Burges, The MNIST database of handwritten digits, "File formats".
    Built in 04-image-data/01-pixels.ipynb.
    """
    array = np.asarray(array)
    stored = array.dtype.newbyteorder(">")
    code = {np.dtype(dtype): code for code, dtype in _IDX_TYPES.items()}.get(stored)
    if code is None:
        raise TypeError(
            f"write_idx expected uint8, int8, int16, int32, float32 or float64, got {array.dtype}: "
            "labels and pixels fit into .astype(np.uint8)"
        )
    if not 1 <= array.ndim <= 64 or not all(0 < length < 2**32 for length in array.shape):
        raise ValueError(f"write_idx expected 1 to 64 axes of length 1 or more, got shape {array.shape}")
    lengths = b"".join(length.to_bytes(4, "big") for length in array.shape)
    _put(file, bytes([0, 0, code, array.ndim]) + lengths + array.astype(stored).tobytes())


def read_pnm(file):
    """The picture in a PGM (grey) or PPM (colour) file, its pixels as text (P2, P3) or as bytes (P5, P6).

    file: a path or bytes. Shapes: (H, W) or (H, W, 3); uint8, or uint16 where the file's largest value is above 255.
    0 is black; white is the file's largest value, and comes out as 255 or 65535. Comments are skipped.
    Raises ValueError when the bytes are anything else, a number too few or too many included; OSError without a file.
    Source: the manual pages pgm(5) and ppm(5) of Netpbm.
    Built in 04-image-data/01-pixels.ipynb.
    """
    content, who = _content("read_pnm", file)
    kind, at, header = content[:2], 2, []
    if kind not in (b"P2", b"P3", b"P5", b"P6"):
        raise ValueError(f"{who} expected P2, P3, P5 or P6 at byte 0, got {kind!r}: is it a PGM or PPM file?")
    for what, most in ("the width", 10**9 - 1), ("the height", 10**9 - 1), ("the largest value", 65535):
        number = _NUMBER.match(content, at)
        if number is None or not 1 <= int(number[1]) <= most:
            raise ValueError(
                f"{who} expected a blank and {what}, 1 to {most}, at byte {at}, got {content[at : at + 16]!r}: "
                "look at the first lines of the file"
            )
        header.append(int(number[1]))
        at = number.end()
    if not (gap := re.compile(_GAP).match(content, at)):
        raise ValueError(f"{who} expected a line end at byte {at}, got {content[at : at + 9]!r}: try b'\\n'")
    (width, height, white), start = header, gap.end()
    shape = (height, width) if kind in (b"P2", b"P5") else (height, width, 3)
    stored = np.dtype("u1" if white < 256 else ">u2")
    if plain := kind in (b"P2", b"P3"):
        values, expected = _plain_numbers(content, start, who), math.prod(shape)
    else:
        values, expected = np.frombuffer(content[start:], "u1"), math.prod(shape) * stored.itemsize
    if len(values) != expected:
        raise ValueError(
            f"{who} expected {expected} {'numbers' if plain else 'bytes'} from byte {start} on, for a picture {shape}, "
            f"got {len(values)}: is the file whole, one picture, and were its line ends left alone?"
        )
    values = values if plain else values.view(stored)
    if values[place := int(values.argmax())] > white:
        raise ValueError(f"{who} expected numbers up to {white}, got {values[place]} as number {place + 1}")
    if white < (top := 255 if white < 256 else 65535):
        values = np.rint(values / white * top)
    return values.astype(np.uint8 if top == 255 else np.uint16).reshape(shape)


def _plain_numbers(content, start, who):
    text = re.sub(rb"#[^\r\n]*", lambda comment: b" " * len(comment[0]), content[start:])
    if odd := re.search(rb"[^\s0-9]", text):
        raise ValueError(f"{who} expected digits and blanks, got {odd[0]!r} at byte {start + odd.start()}")
    return np.fromstring(text.strip(), np.int64, sep=" ")  # of blanks alone, fromstring would make a 0


def write_pnm(file, image, plain=False):
    """Write a picture as a PGM (grey) or PPM (colour) file; read_pnm gives back the same picture.

    file: a path, or an open binary file such as io.BytesIO(). Shapes: image (H, W) or (H, W, 3); uint8 or uint16, 0 is
    black, 255 or 65535 white. plain=True writes the numbers as text.
    Raises ValueError for another shape, TypeError for another dtype.
    Source: the manual pages pgm(5) and ppm(5) of Netpbm.
    Built in 04-image-data/01-pixels.ipynb.
    """
    image = np.asarray(image)
    if image.dtype.kind != "u" or image.dtype.itemsize > 2:
        raise TypeError(
            f"write_pnm expected uint8 or uint16, got {image.dtype}: "
            "numbers from 0 to 1 become pixels by np.rint(255 * x).astype(np.uint8)"
        )
    if not image.size or image.ndim != 2 and image.shape[2:] != (3,):
        raise ValueError(
            f"write_pnm expected (H, W) or (H, W, 3), got {image.shape}: (3, H, W) becomes (H, W, 3) by "
            "x.transpose(1, 2, 0)"
        )
    kind = (2 if plain else 5) + (image.ndim == 3)
    height, width = image.shape[:2]
    header = f"P{kind}\n{width} {height}\n{np.iinfo(image.dtype).max}\n".encode()
    if plain:  # no line of a plain file is longer than 70 letters: 11 numbers of up to 5 digits
        numbers = image.ravel().tolist()
        lines = (" ".join(map(str, numbers[at : at + 11])) for at in range(0, len(numbers), 11))
        _put(file, header + "\n".join(lines).encode() + b"\n")
    else:
        _put(file, header + image.astype(image.dtype.newbyteorder(">")).tobytes())


def read_image(file):
    """The picture in a PNG, JPEG, PGM or PPM file; the first bytes tell which it is.

    file: a path or bytes. Shapes: (H, W) for grey files, else (H, W, 3), red, green, blue; uint8, or uint16 for PGM,
    PPM and grey PNG files of 16 bits. A photograph that its camera marked as turned (EXIF) is turned upright, what is
    transparent is laid on white, a palette becomes colours; colour profiles are not applied.
    What claims over 2**26 pixels, or more than a file of its size can hold, is refused before memory is taken.
    Raises ValueError when the bytes are anything else; OSError without a file.
    Source: Pillow unpacks PNG and JPEG; Exif 2.32, section 4.6.4, on the orientation.
    Built in 04-image-data/01-pixels.ipynb.
    """
    content, who = _content("read_image", file)
    if content[:2] in (b"P2", b"P3", b"P5", b"P6"):
        return read_pnm(file)
    kind, density = next(
        (told for start, told in _SIGNATURES.items() if content.startswith(start)), (None, 0)
    )
    if kind is None:
        raise ValueError(
            f"{who} expected a PNG, JPEG, PGM or PPM file, got {content[:12]!r} at byte 0: save it "
            "as PNG or JPEG (an IDX file is read by read_idx)"
        )
    from PIL import Image  # here, so that the readers written by hand need no Pillow

    with _pillow(who, kind):
        image = Image.open(io.BytesIO(content), formats=[kind])  # reads the header only
    most = min(_MAX_PIXELS, density * len(content))
    if image.width * image.height > most:
        raise ValueError(
            f"{who} expected at most {most} pixels from {len(content)} bytes of {kind}, got a header that claims "
            f"{image.width} x {image.height}: if you trust it, make it smaller first"
        )
    with _pillow(who, kind):
        orientation = image.getexif().get(0x0112)
        return _upright(_pixels(image), orientation)


@contextmanager
def _pillow(who, kind):
    """Turn whatever Pillow raises about a damaged file, from OSError to SyntaxError, into a ValueError."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except Exception as error:
        raise ValueError(
            f"{who} expected a whole {kind} file, got one that Pillow can't read ({type(error).__name__}: {error}): "
            "save or download it again"
        ) from error


def _pixels(image):
    if image.mode == "I;16":
        return np.array(image)
    grey = image.mode in ("1", "L", "LA")
    if not image.has_transparency_data:
        return np.array(image.convert("L" if grey else "RGB"))
    colour, alpha = np.split(np.array(image.convert("RGBA"), np.uint16), [3], axis=2)
    on_white = ((colour * alpha + 255 * (255 - alpha) + 127) // 255).astype(np.uint8)
    return on_white[..., 0] if grey else on_white


def _upright(pixels, orientation):
    """Undo what EXIF calls orientation 2 to 8: rows and columns changed places (5 to 8), then mirrored."""
    if orientation in (5, 6, 7, 8):
        pixels = pixels.swapaxes(0, 1)
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return np.ascontiguousarray(pixels)


def _content(reader, file):
    """The bytes of a file, and who speaks of it in an error."""
    if isinstance(file, (bytes, bytearray, memoryview)):
        return bytes(file), f"{reader}({memoryview(file).nbytes} bytes)"
    if isinstance(file, (str, os.PathLike)):
        return Path(file).read_bytes(), f"{reader}({Path(file).name!r})"
    raise TypeError(f"{reader} expected a path or bytes, got {type(file).__name__}: try file.read()")


def _put(file, content):
    if hasattr(file, "write"):
        file.write(content)
    else:
        Path(file).write_bytes(content)
