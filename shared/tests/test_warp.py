"""warp.py against hand values, SciPy, Pillow and PyTorch, and what it says when it is called wrongly."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from PIL import Image
from scipy import ndimage

from shared import warp

some = settings(deadline=None, max_examples=60, derandomize=True)
SEEDS = st.integers(0, 2**32 - 1)
SHAPES = st.tuples(st.integers(1, 4), st.integers(1, 3), st.integers(1, 9), st.integers(1, 9))
TORCHVISION = [
    [7.016360319293, 5.517471346251, 3.402015059354, 1.530849667059],
    [4.202740087665, 8.314784600445, 6.199328313549, 4.083872026652],
    [0, 5.804230445809, 8.996641567743, 6.881185280847],
]


def drawn(seed, shape, dtype=np.float64):
    """Random pictures, and maps of other sizes than theirs that reach beyond the edges."""
    rng = np.random.default_rng(seed)
    count, _, height, width = shape
    x, y = (rng.uniform(-2.5, size + 1.5, (count, 5, 7)) for size in (width, height))
    return rng.standard_normal(shape).astype(dtype), x, y


def test_hand_values_between_four_pixels():
    square = np.array([[10.0, 20], [30, 40]])
    x, y = np.array([[0.25, 0.5, 1, 0]]), np.array([[0.5, 0, 1, 0]])
    assert_allclose(warp.bilinear_sample(square, x, y), [[22.5, 15, 40, 10]], rtol=1e-15)


def test_hand_values_beyond_the_edge():
    square = np.array([[10.0, 20], [30, 40]])
    x, y = np.array([[-0.25, 1.5, -1, 1e30, 0.5]]), np.array([[0.0, 1, 0, 0, 1.75]])
    assert_allclose(warp.bilinear_sample(square, x, y), [[7.5, 20, 0, 0, 8.75]], rtol=1e-12)
    assert_allclose(warp.bilinear_sample(square, x, y, "border"), [[10, 40, 10, 20, 35]], rtol=1e-12)


@some
@given(SEEDS, SHAPES, st.sampled_from(["zeros", "border"]))
def test_sampling_equals_scipy(seed, shape, padding_mode):
    images, x, y = drawn(seed, shape)
    mode = {"zeros": "grid-constant", "border": "nearest"}[padding_mode]
    expected = [
        [ndimage.map_coordinates(channel, (rows, columns), order=1, mode=mode) for channel in image]
        for image, columns, rows in zip(images, x, y, strict=True)
    ]
    assert_allclose(warp.bilinear_sample(images, x, y, padding_mode), expected, rtol=1e-9, atol=1e-12)


@some
@given(SEEDS, SHAPES, st.sampled_from(["zeros", "border"]), st.sampled_from([np.float32, np.float64]))
def test_sampling_equals_grid_sample_of_pytorch(seed, shape, padding_mode, dtype):
    torch = pytest.importorskip("torch")
    images, x, y = drawn(seed, shape, dtype)
    grid = np.stack([(2 * x + 1) / shape[3] - 1, (2 * y + 1) / shape[2] - 1], axis=-1).astype(dtype)
    expected = torch.nn.functional.grid_sample(
        torch.from_numpy(images), torch.from_numpy(grid), padding_mode=padding_mode, align_corners=False
    )
    tolerance = 1e-4 if dtype == np.float32 else 1e-9
    assert_allclose(warp.bilinear_sample(images, x, y, padding_mode), expected, rtol=0, atol=tolerance)


@some
@given(SEEDS, st.floats(-180, 180), st.floats(0.5, 2))
def test_inside_the_picture_affine_equals_pillow(seed, angle, scale):
    image = np.random.default_rng(seed).random((17, 22), np.float32)
    a, b, c, d, e, f = np.linalg.inv(warp.affine_matrix(angle, (1.5, -2), scale, (10, -5)))[:2].ravel()
    x, y = 11, 8.5  # Pillow counts from the corner of the first pixel, and so does its middle
    numbers = (a, b, c + x - a * x - b * y, d, e, f + y - d * x - e * y)
    theirs = Image.fromarray(image).transform(
        (22, 17), Image.Transform.AFFINE, numbers, Image.Resampling.BILINEAR
    )
    rows, columns = np.indices((17, 22))
    from_x = a * (columns - 10.5) + b * (rows - 8) + c + 10.5
    from_y = d * (columns - 10.5) + e * (rows - 8) + f + 8
    inside = (from_x > 0.01) & (from_x < 20.99) & (from_y > 0.01) & (from_y < 15.99)
    ours = warp.affine(image, angle, (1.5, -2), scale, (10, -5))
    assert inside.sum() > 30
    assert_allclose(ours[inside], np.asarray(theirs)[inside], rtol=0, atol=1e-4)


@some
@given(SEEDS, st.integers(2, 9), st.integers(2, 9))
def test_a_slope_is_read_exactly(seed, height, width):
    rng = np.random.default_rng(seed)
    rows, columns = np.indices((height, width))
    x, y = rng.uniform(0, width - 1, (4, 6)), rng.uniform(0, height - 1, (4, 6))
    assert_allclose(warp.bilinear_sample(2.0 * columns - 3.0 * rows + 5, x, y), 2 * x - 3 * y + 5, atol=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@some
@given(seed=SEEDS, shape=SHAPES)
def test_identity_is_exact(dtype, seed, shape):
    images = np.random.default_rng(seed).standard_normal(shape).astype(dtype)
    for batch in (images, images[:, 0], images[0, 0]):
        assert_array_equal(warp.affine(batch), batch)


@some
@given(SEEDS, SHAPES)
def test_turns_and_moves_that_meet_the_pixels_are_exact(seed, shape):
    images = np.random.default_rng(seed).standard_normal(shape).astype(np.float32)
    assert_array_equal(warp.affine(images, 360), images)
    assert_array_equal(warp.affine(images, 180), images[..., ::-1, ::-1])
    assert_array_equal(warp.affine(images, translate=(1, 0))[..., 1:], images[..., :-1])
    assert_array_equal(warp.affine(images, translate=(0, -1))[..., :-1, :], images[..., 1:, :])
    square = images[..., : min(shape[2:]), : min(shape[2:])]
    assert_array_equal(warp.affine(square, 90), np.rot90(square, -1, (-2, -1)))  # clockwise


def test_hand_values_of_the_matrix():
    assert_allclose(warp.affine_matrix(90), [[0, -1, 0], [1, 0, 0], [0, 0, 1]], atol=1e-15)  # right goes down
    assert_allclose(warp.affine_matrix(0, (3, -4), 2), [[2, 0, 3], [0, 2, -4], [0, 0, 1]], atol=1e-15)
    assert_allclose(warp.affine_matrix(shear=(45, 0)), [[1, -1, 0], [0, 1, 0], [0, 0, 1]], atol=1e-15)
    assert_allclose(warp.affine_matrix(shear=(0, 45)), [[1, 0, 0], [-1, 1, 0], [0, 0, 1]], atol=1e-15)
    turned_first = warp.affine_matrix(90, (5, 0)) @ [1, 0, 1]
    assert_allclose(turned_first, [5, 1, 1], atol=1e-15)  # to (0, 1), and only then to the right


@some
@given(st.floats(-180, 180), st.floats(0.2, 4), st.floats(-60, 60), st.floats(-60, 60))
def test_the_matrix_equals_the_closed_form_of_torchvision(angle, scale, shear_x, shear_y):
    a, x, y = (math.radians(degrees) for degrees in (angle, shear_x, shear_y))
    expected = [
        [math.cos(a - y) / math.cos(y), -math.cos(a - y) * math.tan(x) / math.cos(y) - math.sin(a)],
        [math.sin(a - y) / math.cos(y), -math.sin(a - y) * math.tan(x) / math.cos(y) + math.cos(a)],
    ]
    matrix = warp.affine_matrix(angle, (7, -2), scale, (shear_x, shear_y))
    assert_allclose(matrix[:2, :2], scale * np.array(expected), rtol=1e-9, atol=1e-12)
    assert_allclose(matrix[:, 2], [7, -2, 1])


def test_affine_equals_figures_of_torchvision():
    """torchvision 0.28: affine(x, 30, (0.5, -0.25), 1.2, (10, -20), BILINEAR)."""
    image = np.arange(12.0).reshape(3, 4)
    assert_allclose(warp.affine(image, 30, (0.5, -0.25), 1.2, (10, -20)), TORCHVISION, rtol=0, atol=1e-11)


def test_each_picture_has_settings_of_its_own():
    images = np.random.default_rng(0).random((6, 2, 9, 7))
    angle, scale = np.linspace(-40, 60, 6), np.linspace(0.7, 1.4, 6)
    translate, shear = np.linspace([-1, 2], [2, -2], 6), np.linspace([-20, 10], [20, 0], 6)
    one_by_one = [warp.affine(*each) for each in zip(images, angle, translate, scale, shear, strict=True)]
    assert_allclose(warp.affine(images, angle, translate, scale, shear), one_by_one, rtol=1e-12, atol=1e-12)
    assert_allclose(warp.affine(images, 25), [warp.affine(image, 25) for image in images], rtol=1e-12)


def test_a_batch_of_many_blocks_equals_its_pictures():
    images, x, y = drawn(0, (1200, 1, 6, 6))
    assert images.shape[0] * 35 > warp._BLOCK
    one_by_one = [warp.bilinear_sample(*each) for each in zip(images[:, 0], x, y, strict=True)]
    assert_array_equal(warp.bilinear_sample(images, x, y)[:, 0], one_by_one)


def test_turning_there_and_back_returns_a_smooth_picture():
    rows, columns = np.indices((31, 31)) - 15.0
    bell = np.exp(-(rows**2 + (columns - 2) ** 2) / 32)
    assert_allclose(warp.affine(warp.affine(bell, 33, scale=1.2), -33, scale=1 / 1.2), bell, atol=0.02)


@some
@given(SEEDS, SHAPES, st.floats(0.1, 6))
def test_gaussian_filter_equals_scipy(seed, shape, sigma):
    images = np.random.default_rng(seed).standard_normal(shape)
    expected = ndimage.gaussian_filter(images, (0, 0, sigma, sigma))
    assert_allclose(warp.gaussian_filter(images, sigma), expected, rtol=1e-9, atol=1e-12)


def test_gaussian_filter_by_hand():
    dot = np.zeros((9, 9))
    dot[4, 4] = 1
    weight = math.exp(-0.5)  # one pixel away with sigma = 1; two: its fourth power
    total = 1 + 2 * (weight + weight**4 + weight**9 + weight**16)
    blurred = warp.gaussian_filter(dot, 1.0)
    assert_allclose(blurred[4, 3:6] * total**2, [weight, 1, weight], rtol=1e-12)
    assert_allclose(blurred[3, 6] * total**2, weight * weight**4, rtol=1e-12)
    assert_allclose(blurred.sum(), 1, rtol=1e-12)


CALLS = {
    "bilinear_sample": lambda images: warp.bilinear_sample(
        images, *np.indices(images.shape[-2:])[::-1] + 0.3
    ),
    "affine": lambda images: warp.affine(images, 20, (1, 0.5), 1.1, (5, -5)),
    "gaussian_filter": lambda images: warp.gaussian_filter(images, 1.5),
}


@pytest.mark.parametrize("name", CALLS)
def test_dtypes_shapes_and_memory_order(name):
    images = np.random.default_rng(0).random((3, 2, 6, 5))
    images.setflags(write=False)
    expected = CALLS[name](images)
    assert expected.dtype == np.float64 and expected.flags.c_contiguous
    assert CALLS[name](images.astype(np.float32)).dtype == np.float32
    assert_allclose(CALLS[name](images.astype(np.float32)), expected, atol=1e-5)
    assert_array_equal(CALLS[name](images[:, 1]), expected[:, 1])
    assert_array_equal(CALLS[name](images[2, 1]), expected[2, 1])
    batch_last = np.ascontiguousarray(images.transpose(2, 3, 1, 0)).transpose(3, 2, 0, 1)
    assert_allclose(CALLS[name](batch_last), expected, rtol=1e-12, atol=1e-12)
    assert CALLS[name](images[:0]).shape == (0, 2, 6, 5)


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize(
    "images, error, message",
    [
        (np.zeros((2, 5, 5), np.uint8), TypeError, r"got uint8: try images.astype\(np.float32\) / 255"),
        (np.zeros((2, 5, 5), np.float16), TypeError, "float32 or float64, got float16"),
        ([[1.0]], TypeError, "got list"),
        (np.zeros(784), ValueError, r"\(H, W\), \(N, H, W\) or \(N, C, H, W\), got \(784,\)"),
        (np.zeros((1, 1, 1, 2, 2)), ValueError, r"got \(1, 1, 1, 2, 2\)"),
        (np.zeros((3, 0, 4)), ValueError, r"got \(3, 0, 4\)"),
    ],
)
def test_what_are_no_pictures_is_refused(name, images, error, message):
    call = {
        "bilinear_sample": lambda images: warp.bilinear_sample(images, np.zeros((2, 2)), np.zeros((2, 2))),
        "affine": warp.affine,
        "gaussian_filter": lambda images: warp.gaussian_filter(images, 1),
    }[name]
    with pytest.raises(error, match=f"^{name} expected .*{message}"):
        call(images)


IMAGES = np.zeros((3, 4, 5))


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: warp.affine(IMAGES, scale=0), "scale as a number or .*above 0 and below inf, got 0"),
        (lambda: warp.affine(IMAGES, angle=math.nan), "angle as a number or .*got nan"),
        (lambda: warp.affine(IMAGES, translate=2), r"translate as \(2,\) or \(N, 2\).*got 2"),
        (lambda: warp.affine(IMAGES, shear=(0, 90)), "shear .*above -90 and below 90"),
        (lambda: warp.affine(IMAGES, angle=[[1]]), "angle as a number"),
        (lambda: warp.affine(IMAGES, angle=[1, 2]), "settings for 3 pictures, got 2"),
        (
            lambda: warp.affine(IMAGES, padding_mode="reflect"),
            "padding_mode 'zeros' or 'border', got 'reflect'",
        ),
        (lambda: warp.gaussian_filter(IMAGES, 0), "sigma as a number above 0, got 0"),
        (
            lambda: warp.bilinear_sample(IMAGES, np.zeros((2, 2)), np.zeros((2, 3))),
            r"got \(2, 2\) and \(2, 3\)",
        ),
        (
            lambda: warp.bilinear_sample(IMAGES, *np.zeros((2, 2, 4, 5))),
            r"one shape, \(H', W'\) or \(3, H', W'\)",
        ),
        (lambda: warp.bilinear_sample(IMAGES, *np.full((2, 4, 5), np.nan)), "finite x and y, got NaN"),
    ],
)
def test_settings_that_make_no_sense_are_refused(call, message):
    with pytest.raises(ValueError, match=f"expected .*{message}.*: "):
        call()
