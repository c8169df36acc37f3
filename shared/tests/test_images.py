"""Operations on pictures: hand values, and Pillow, SciPy and PyTorch where they mean the same by definition."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image, ImageOps

from shared import images

RNG = np.random.default_rng(0)
BATCH = RNG.integers(0, 256, (2, 3, 5, 7)).astype(np.uint8)
DTYPES = [np.uint8, np.uint16, np.float32, np.float64]
pictures = arrays.arrays(np.uint8, st.tuples(st.integers(1, 24), st.integers(1, 24)))

OPERATIONS = {
    "resize": lambda x: images.resize(x, (4, 9)),
    "resize without antialias": lambda x: images.resize(x, (4, 3), antialias=False),
    "resize nearest": lambda x: images.resize(x, (4, 9), "nearest-exact"),
    "crop": lambda x: images.crop(x, 1, 2, 3, 4),
    "center_crop": lambda x: images.center_crop(x, (4, 3)),
    "pad": lambda x: images.pad(x, (1, 2, 3, 4), 1),
    "pad edge": lambda x: images.pad(x, 2, padding_mode="edge"),
    "hflip": images.hflip,
    "vflip": images.vflip,
    "invert": images.invert,
    "center_of_mass": images.center_of_mass,
}
WHOLE = {"histogram": images.histogram, "equalize": images.equalize}


def same(a, b):
    np.testing.assert_array_equal(a, b, strict=True)


def pillow(image):
    return Image.fromarray(image)


@pytest.mark.parametrize("name", [*OPERATIONS, *WHOLE])
def test_a_batch_is_its_pictures_and_a_picture_its_channels(name):
    operation = (OPERATIONS | WHOLE)[name]
    before = BATCH.copy()
    whole = operation(BATCH)
    for n in range(2):
        same(whole[n], operation(BATCH[n]))
        for c in range(3):
            same(whole[n, c], operation(BATCH[n, c]))
    same(BATCH, before)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", [*OPERATIONS, "rgb_to_grayscale"])
def test_the_dtype_stays_and_the_result_is_new(name, dtype):
    operation = OPERATIONS.get(name, images.rgb_to_grayscale)
    image = BATCH.astype(dtype)
    image.flags.writeable = False
    result = operation(image)
    if name == "center_of_mass":
        assert result.dtype == (np.float32 if dtype == np.float32 else np.float64)
    else:
        assert result.dtype == dtype
    assert not np.shares_memory(result, image) and result.flags.writeable and result.ndim in (3, 4)


def test_resize_by_hand():
    row = np.array([[0.0, 4.0]])
    assert images.resize(row, (1, 4)).tolist() == [[0, 1, 3, 4]]
    assert images.resize(row, (2, 4), "nearest-exact").tolist() == [[0, 0, 4, 4]] * 2
    # the new pixels stand at 0.75 and 2.25, the triangle reaches 1.5: weights 5/6, 3/6, 0, divided by 8/6
    assert images.resize(np.array([[0.0, 8.0, 16.0]]), (1, 2)) == pytest.approx(np.array([[3, 13]]))
    assert images.resize(np.array([[0.0, 6.0, 12.0]]), (1, 2), antialias=False).tolist() == [[1.5, 10.5]]
    assert images.resize(np.arange(9.0).reshape(3, 3), (1, 1)).tolist() == [[4]]
    stripes = np.tile([0.0, 255.0], (4, 8))  # each new pixel stands between a black and a white one
    assert images.resize(stripes, (2, 8), "nearest-exact").tolist() == [[255.0] * 8] * 2
    assert images.resize(stripes, (2, 8))[:, 2:-2] == pytest.approx(np.full((2, 4), 127.5))
    assert images.resize(stripes.astype(np.uint8), (2, 8))[:, 2:-2].tolist() == [[128] * 4] * 2
    assert images.resize(np.array([[1, 2]], np.uint8), (1, 1)).dtype == np.uint8


def test_resize_takes_the_shorter_side():
    assert images.resize(np.zeros((2, 3, 300, 451)), 100).shape == (2, 3, 100, 150)
    assert images.resize(np.zeros((40, 30)), 15).shape == (20, 15)
    assert images.resize(np.zeros((7, 7)), np.int64(3)).shape == (3, 3)


@settings(deadline=None)
@given(pictures, st.integers(1, 30), st.integers(1, 30))
def test_resize_is_pillows(image, height, width):
    theirs = pillow(image).resize((width, height), Image.Resampling.BILINEAR)
    ours = images.resize(image, (height, width))
    assert np.abs(ours.astype(int) - np.asarray(theirs)).max() <= 1  # Pillow rounds between rows and columns
    theirs = pillow(image.astype(np.float32)).resize((width, height), Image.Resampling.BILINEAR)
    ours = images.resize(image.astype(np.float32), (height, width))
    np.testing.assert_allclose(ours, np.asarray(theirs), atol=1e-3)


def undecided(old, new):
    """The new pixels that stand exactly between two old ones, where the rounding errors of others decide."""
    return [i for i in range(new) if (2 * i + 1) * old % (2 * new) == 0]


@settings(deadline=None)
@given(pictures, st.integers(1, 30), st.integers(1, 30))
def test_nearest_is_pillows_and_torchs(image, height, width):
    torch = pytest.importorskip("torch")
    batch = torch.from_numpy(image)[None, None].double()
    theirs = torch.nn.functional.interpolate(batch, (height, width), mode="nearest-exact")[0, 0].numpy()
    pillows = np.asarray(pillow(image).resize((width, height), Image.Resampling.NEAREST))
    for other in (theirs, pillows):
        ours = images.resize(image, (height, width), "nearest-exact")
        for result in (ours, other := other.copy()):
            result[undecided(len(image), height)] = 0
            result[:, undecided(image.shape[1], width)] = 0
        np.testing.assert_array_equal(ours, other)


def test_nearest_takes_the_pixel_behind_where_it_stands_between_two():
    for old in range(1, 60):
        for new in range(1, 60):
            row = images.resize(np.arange(old, dtype=np.uint8)[None], (1, new), "nearest-exact")[0]
            assert row.tolist() == [(2 * i + 1) * old // (2 * new) for i in range(new)]


@pytest.mark.parametrize("antialias", [True, False])
@pytest.mark.parametrize("size", [(5, 7), (3, 2), (11, 4), (1, 1), (2, 20)])
def test_resize_is_torchs(size, antialias):
    torch = pytest.importorskip("torch")
    for dtype, tolerance in ((np.float64, 1e-12), (np.float32, 1e-4)):
        x = BATCH.astype(dtype)
        theirs = torch.nn.functional.interpolate(
            torch.from_numpy(x), size, mode="bilinear", align_corners=False, antialias=antialias
        )
        np.testing.assert_allclose(
            images.resize(x, size, antialias=antialias), theirs.numpy(), atol=tolerance
        )


def test_whole_pixels_are_rounded_and_not_cut_off():
    image = np.array([[0, 255]], np.uint8)
    assert images.resize(image, (1, 4)).tolist() == [[0, 64, 191, 255]]
    wide = np.array([[0, 65535]], np.uint16)
    assert images.resize(wide, (1, 4)).tolist() == [[0, 16384, 49151, 65535]]
    assert images.resize(np.full((9, 9), 255, np.uint8), (4, 17)).min() == 255


def test_crops_by_hand():
    image = np.arange(20).reshape(4, 5).astype(np.uint8)
    same(images.crop(image, 1, 2, 2, 3), np.array([[7, 8, 9], [12, 13, 14]], np.uint8))
    same(images.center_crop(image, (2, 3)), np.array([[6, 7, 8], [11, 12, 13]], np.uint8))
    same(images.center_crop(image, 1), np.array([[12]], np.uint8))  # (4 - 1) / 2 = 1.5 is rounded to 2
    same(images.center_crop(image, (4, 4)), image[:, :4])  # 0.5 is rounded to 0
    same(images.crop(image, 0, 0, 4, 5), image)


def test_pads_by_hand():
    image = np.array([[1, 2, 3]], np.uint8)
    assert images.pad(image, 1, 9).tolist() == [[9] * 5, [9, 1, 2, 3, 9], [9] * 5]
    assert images.pad(image, (2, 0)).tolist() == [[0, 0, 1, 2, 3, 0, 0]]
    assert images.pad(image, (1, 0, 0, 2)).tolist() == [[0, 1, 2, 3], [0] * 4, [0] * 4]  # left … bottom
    assert images.pad(image, (2, 0), padding_mode="edge").tolist() == [[1, 1, 1, 2, 3, 3, 3]]
    assert images.pad(image, (2, 0), padding_mode="reflect").tolist() == [[3, 2, 1, 2, 3, 2, 1]]
    assert images.pad(image, (2, 0), padding_mode="symmetric").tolist() == [[2, 1, 1, 2, 3, 3, 2]]
    same(images.crop(images.pad(BATCH, (3, 1, 4, 2), 7), 1, 3, 5, 7), BATCH)


@pytest.mark.parametrize("padding", [2, (1, 2), (1, 2, 0, 3)])
def test_pads_are_pillows_and_torchs(padding):
    same(images.pad(BATCH[0, 0], padding, 9), np.asarray(ImageOps.expand(pillow(BATCH[0, 0]), padding, 9)))
    torch = pytest.importorskip("torch")
    left, top, right, bottom = {1: [2] * 4, 2: [1, 2, 1, 2], 4: [1, 2, 0, 3]}[np.size(padding)]
    for mode, theirs in (("edge", "replicate"), ("reflect", "reflect")):
        padded = torch.nn.functional.pad(
            torch.from_numpy(BATCH.astype(float)), (left, right, top, bottom), theirs
        )
        np.testing.assert_array_equal(images.pad(BATCH, padding, padding_mode=mode), padded.numpy())


def test_flips_and_negatives():
    image = np.array([[1, 2, 3], [4, 5, 6]], np.uint8)
    assert images.hflip(image).tolist() == [[3, 2, 1], [6, 5, 4]]
    assert images.vflip(image).tolist() == [[4, 5, 6], [1, 2, 3]]
    assert images.invert(image).tolist() == [[254, 253, 252], [251, 250, 249]]
    assert images.invert(np.array([[0.25]], np.float32)).tolist() == [[0.75]]
    assert images.invert(np.array([[5]], np.uint16)).tolist() == [[65530]]
    grey = BATCH[0, 0]
    same(images.hflip(grey), np.asarray(ImageOps.mirror(pillow(grey))))
    same(images.vflip(grey), np.asarray(ImageOps.flip(pillow(grey))))
    same(images.invert(grey), np.asarray(ImageOps.invert(pillow(grey))))


def test_grey_by_hand():
    colours = np.array([[255, 0, 0, 255, 10], [0, 255, 0, 255, 10], [0, 0, 255, 255, 10]], np.uint8)
    assert images.rgb_to_grayscale(colours[:, None]).tolist() == [[[76, 150, 29, 255, 10]]]
    assert images.rgb_to_grayscale(np.ones((3, 1, 1))).item() == pytest.approx(1)
    assert images.rgb_to_grayscale(BATCH).shape == (2, 1, 5, 7)


def test_grey_of_all_colours_is_pillows_but_for_the_rounding_of_its_whole_numbers():
    values = np.arange(256, dtype=np.uint8)
    differ = 0
    for red in range(0, 256, 5):
        image = np.stack(np.broadcast_arrays(np.uint8(red), values[:, None], values))
        theirs = np.asarray(pillow(np.ascontiguousarray(image.transpose(1, 2, 0))).convert("L")).astype(int)
        off = np.abs(images.rgb_to_grayscale(image)[0] - theirs)
        assert off.max() <= 1
        differ += off.sum()
    assert differ < 52 * 65536 / 1000


@settings(deadline=None)
@given(arrays.arrays(np.uint8, arrays.array_shapes(min_dims=2, max_dims=4, max_side=30)))
def test_histogram_and_equalize_are_pillows(image):
    counts, equal = images.histogram(image), images.equalize(image)
    assert counts.dtype == np.int64 and counts.shape == (*image.shape[:-2], 256)
    for place in np.ndindex(image.shape[:-2]):
        assert counts[place].tolist() == pillow(image[place]).histogram()
        same(equal[place], np.asarray(ImageOps.equalize(pillow(image[place]))))


@settings(deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 256), st.integers(16, 40), st.floats(0.1, 9))
def test_equalize_is_pillows_on_larger_pictures(seed, values, side, bend):
    rng = np.random.default_rng(seed)
    image = (rng.random((side, side + 3)) ** bend * values).astype(np.uint8)
    same(images.equalize(image), np.asarray(ImageOps.equalize(pillow(image))))


def test_equalize_by_hand():
    image = np.repeat(np.array([10, 11, 12, 13], np.uint8), 255).reshape(30, 34)
    # 765 of 1020 pixels count, so 3 of them move the new value on by 1
    assert np.unique(images.equalize(image)).tolist() == [0, 85, 170, 255]
    small = np.array([[1, 2], [3, 4]], np.uint8)
    same(images.equalize(small), small)
    flat = np.full((20, 20), 7, np.uint8)
    same(images.equalize(flat), flat)


def test_histogram_by_hand():
    counts = images.histogram(np.array([[0, 0, 3], [255, 3, 3]], np.uint8))
    assert counts.sum() == 6 and counts[[0, 3, 255]].tolist() == [2, 3, 1]


def test_center_of_mass():
    image = np.zeros((2, 3, 4))
    image[0, 1, 2] = image[1, 2, 3] = 5
    image[1, 0, 3] = 15
    assert images.center_of_mass(image).tolist() == [[1, 2], [0.5, 3]]
    scipy = pytest.importorskip("scipy.ndimage")
    theirs = [[scipy.center_of_mass(plane) for plane in picture] for picture in BATCH.astype(float)]
    np.testing.assert_allclose(images.center_of_mass(BATCH), theirs, rtol=1e-12)
    np.testing.assert_allclose(images.center_of_mass(BATCH.astype(np.float32)), theirs, rtol=1e-5)


@pytest.mark.parametrize("name", [*OPERATIONS, *WHOLE, "rgb_to_grayscale"])
def test_what_is_no_picture_is_refused(name):
    operation = (OPERATIONS | WHOLE | {"rgb_to_grayscale": images.rgb_to_grayscale})[name]
    who = name.split()[0]
    with pytest.raises(TypeError, match=f"^{who} expected an array of pixels, got list: try np.array"):
        operation([[1, 2], [3, 4]])
    for dtype in (np.int64, bool, complex):
        with pytest.raises(
            TypeError, match=rf"^{who} expected uint8.* pixels, got .*try img.astype\(np.uint8\)"
        ):
            operation(np.ones((3, 9, 9), dtype))
    for shape in ((784,), (3, 0, 9), (0, 3, 9, 9)):
        with pytest.raises(ValueError, match=rf"^{who} expected pictures \(\.\.\., H, W\), got \("):
            operation(np.ones(shape, np.uint8))
    if name in WHOLE:
        with pytest.raises(TypeError, match=rf"{who} expected uint8 pixels, got float32: try np\.rint\(255"):
            operation(np.ones((9, 9), np.float32))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda x: images.resize(x, (3,)),
            r"^resize expected size as 2 whole numbers, 1 or more, got \(3,\)",
        ),
        (lambda x: images.resize(x, 0), "^resize expected size"),
        (lambda x: images.resize(x, (3, 0)), "^resize expected size"),
        (lambda x: images.resize(x, (3.5, 2)), "^resize expected size.*round with int"),
        (
            lambda x: images.resize(x, (3, 3), "nearest"),
            "^resize expected interpolation 'bilinear' or 'nearest-exact'",
        ),
        (lambda x: images.crop(x, 0, 0, 6, 7), r"^crop expected rows up to 5 .*got rows 0 to 6 .*pad first"),
        (lambda x: images.crop(x, 3, 0, 3, 7), "^crop expected rows up to 5"),
        (lambda x: images.crop(x, 0, 1, 5, 7), "columns 1 to 8"),
        (lambda x: images.crop(x, -1, 0, 2, 2), "^crop expected top, left"),
        (lambda x: images.crop(x, 0, 0, 0, 2), "^crop expected height, width"),
        (
            lambda x: images.center_crop(x, 6),
            r"^center_crop expected at most \(5, 7\), got \(6, 6\): make room",
        ),
        (lambda x: images.center_crop(x, (1, 2, 3)), "^center_crop expected output_size"),
        (lambda x: images.pad(x, -1), "^pad expected padding as 4 whole numbers, 0 or more"),
        (lambda x: images.pad(x, (1, 2, 3)), r"^pad expected padding .*got \(1, 2, 3\)"),
        (lambda x: images.pad(x, 1.5), "^pad expected padding"),
        (lambda x: images.pad(x, 1, 256), "^pad expected a fill that is a pixel of uint8, got 256"),
        (lambda x: images.pad(x, 1, 0.5), "^pad expected a fill"),
        (lambda x: images.pad(x, 1, padding_mode="wrap"), "^pad expected padding_mode 'constant' or 'edge'"),
        (
            lambda x: images.rgb_to_grayscale(x[0, 0]),
            r"^rgb_to_grayscale expected \(\.\.\., 3, H, W\), got \(5, 7\)",
        ),
        (lambda x: images.rgb_to_grayscale(x.transpose(0, 2, 3, 1)), r"transpose\(2, 0, 1\)"),
        (lambda x: images.center_of_mass(x * 0), r"^center_of_mass expected .* got 0 at \[0, 0\]"),
        (lambda x: images.center_of_mass(x * (np.arange(3) != 1)[:, None, None]), r"got 0 at \[0, 1\]"),
    ],
)
def test_wrong_arguments_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call(BATCH)
