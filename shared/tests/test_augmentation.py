"""augmentation.py: what each transform may do to a picture, and how its draws are distributed."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from shared import augmentation, manual_seed, warp

some = settings(deadline=None, max_examples=40, derandomize=True)
SEEDS = st.integers(0, 2**32 - 1)
SHAPES = st.one_of(
    st.tuples(st.integers(0, 5), st.integers(1, 9), st.integers(1, 9)),
    st.tuples(st.integers(0, 5), st.integers(1, 3), st.integers(1, 9), st.integers(1, 9)),
)
FLOATS = {
    "RandomAffine": lambda: augmentation.RandomAffine(20, (0.2, 0.1), (0.8, 1.3), 15),
    "ElasticTransform": lambda: augmentation.ElasticTransform(8.0, 2.0),
    "GaussianNoise": lambda: augmentation.GaussianNoise(sigma=0.2),
}
ANY = {
    "RandomCrop": lambda: augmentation.RandomCrop((5, 4), padding=2),
    "RandomHorizontalFlip": lambda: augmentation.RandomHorizontalFlip(),
}
ALL = FLOATS | ANY


def seeded(seed=0):
    return np.random.default_rng(seed)


@pytest.mark.parametrize("name", ALL)
def test_every_picture_draws_for_itself(name):
    same = np.repeat(seeded().random((1, 6, 5)), 50, axis=0)
    results = ALL[name]()(same, seeded(1))
    assert len(np.unique(results, axis=0)) > (1 if name == "RandomHorizontalFlip" else 10)


@pytest.mark.parametrize("name", ALL)
def test_channels_of_a_picture_go_the_same_way(name):
    grey = seeded().random((20, 1, 6, 5))
    colour = np.concatenate([grey, 0.5 * grey], axis=1)
    results = ALL[name]()(colour, seeded(1))
    if name == "GaussianNoise":  # noise has no way to go
        assert not np.allclose(results[:, 1], 0.5 * results[:, 0], atol=0.01)
    else:
        assert_allclose(results[:, 1], 0.5 * results[:, 0], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", ALL)
def test_the_generator_decides(name):
    x = seeded().random((30, 6, 5))
    assert_array_equal(ALL[name]()(x, seeded(3)), ALL[name]()(x, seeded(3)))
    assert not np.array_equal(ALL[name]()(x, seeded(3)), ALL[name]()(x, seeded(4)))
    manual_seed(0)
    first = ALL[name]()(x)
    assert not np.array_equal(first, ALL[name]()(x))
    manual_seed(0)
    assert_array_equal(first, ALL[name]()(x))


@pytest.mark.parametrize("name", ALL)
@some
@given(seed=SEEDS, shape=SHAPES)
def test_shapes_and_dtypes(name, seed, shape):
    x = seeded(seed).random(shape)
    x.setflags(write=False)
    expected = (*shape[:-2], 5, 4) if name == "RandomCrop" else shape
    if name == "RandomCrop" and (shape[-2] < 1 or shape[-1] < 1):
        return
    for dtype in (np.float32, np.float64):
        result = ALL[name]()(x.astype(dtype), seeded(seed))
        assert result.shape == expected and result.dtype == dtype and result.flags.c_contiguous


@pytest.mark.parametrize("name", ALL)
def test_memory_order_changes_nothing(name):
    x = seeded().random((6, 3, 7, 5))
    batch_last = np.ascontiguousarray(x.transpose(2, 3, 1, 0)).transpose(3, 2, 0, 1)
    result = ALL[name]()(batch_last, seeded(1))
    assert_allclose(result, ALL[name]()(x, seeded(1)), rtol=1e-12, atol=1e-12)
    assert result.flags.c_contiguous


@pytest.mark.parametrize("name", ALL)
def test_what_are_no_pictures_is_refused(name):
    with pytest.raises(ValueError, match=rf"^{name} expected \(N, H, W\) or \(N, C, H, W\), got \(784,\): "):
        ALL[name]()(np.zeros(784))
    with pytest.raises(ValueError, match=r"got \(28, 28\): one picture is a batch of one, x\[None\]"):
        ALL[name]()(np.zeros((28, 28)))
    with pytest.raises(TypeError, match=f"^{name} expected pictures .*got list"):
        ALL[name]()([[[0.0]]])
    with pytest.raises(TypeError, match="rng expected a numpy.random.Generator"):
        ALL[name]()(np.zeros((2, 6, 6)), 0)


@pytest.mark.parametrize("name", FLOATS)
def test_new_pixels_need_floats(name):
    with pytest.raises(TypeError, match=rf"^{name} expected pictures of float32 or float64, got uint8: try "):
        FLOATS[name]()(np.zeros((2, 6, 6), np.uint8))


@pytest.mark.parametrize("name", ANY)
@pytest.mark.parametrize("dtype", [np.uint8, np.int64, bool, np.float16])
def test_moved_pixels_may_be_anything(name, dtype):
    x = seeded().integers(0, 2, (20, 6, 6)).astype(dtype)
    result = ANY[name]()(x, seeded())
    assert result.dtype == dtype
    assert_array_equal(result, ANY[name]()(x.astype(float), seeded()))


# ------------------------------------------------------------------------------------------------ one by one


def test_random_affine_with_nothing_to_draw_is_affine():
    x = seeded().random((4, 2, 9, 7))
    transform = augmentation.RandomAffine((30, 30), scale=(1.2, 1.2), shear=(10, 10))
    assert_allclose(transform(x), warp.affine(x, 30, (0, 0), 1.2, (10, 0)), rtol=1e-12, atol=1e-12)
    assert_array_equal(augmentation.RandomAffine(0)(x), x)


def test_random_affine_draws_evenly_within_its_limits():
    """A bright dot, off the middle, tells by its centre of mass where it went."""
    x = np.zeros((4000, 1, 41, 61))
    x[:, :, 20, 40] = 1  # 10 to the right of the middle
    rows, columns = np.indices((41, 61)) - np.array([20, 30])[:, None, None]

    def went(**settings):
        moved = augmentation.RandomAffine(**({"degrees": 0} | settings))(x, seeded())[:, 0]
        mass = moved.sum(axis=(1, 2))
        return (moved * columns).sum(axis=(1, 2)) / mass, (moved * rows).sum(axis=(1, 2)) / mass

    def even(values, low, high):
        assert (
            low <= values.min() < low + 0.01 * (high - low)
            and high - 0.01 * (high - low) < values.max() <= high
        )
        assert_allclose(
            np.quantile(values, [0.25, 0.5, 0.75]), np.linspace(low, high, 5)[1:4], atol=0.05 * (high - low)
        )

    right, down = went(translate=(0.1, 0.2))
    even(right, 10 - 6.1, 10 + 6.1)
    even(down, -8.2, 8.2)
    assert abs(np.corrcoef(right, down)[0, 1]) < 0.05
    right, down = went(degrees=60)
    assert_allclose(np.hypot(right, down), 10, atol=0.6)
    assert (down > 8).any() and (down < -8).any() and (right > 4.5).all()
    right, _ = went(scale=(0.5, 1.5))
    assert 4.8 < right.min() < 5.3 and 14.7 < right.max() < 15.2
    right, down = went(degrees=(90, 90), shear=(40, 45))
    assert_allclose(right, 0, atol=1e-9)  # on the x axis, a shear along x moves nothing
    assert_allclose(down, 10, atol=1e-9)


def test_random_affine_leans_along_x():
    x = np.zeros((500, 41, 41))
    x[:, 10, 20] = 1  # 10 above the middle
    leant = augmentation.RandomAffine(0, shear=45)(x, seeded())
    assert_allclose(leant[:, 10].sum(axis=1), 1, atol=1e-9)  # each dot is still in its row
    right = leant[:, 10] @ (np.arange(41) - 20)
    assert -10 <= right.min() < -9.8 and 9.8 < right.max() <= 10
    only_right = augmentation.RandomAffine(0, shear=(20, 20))(x)[:, 10] @ (np.arange(41) - 20)
    assert_allclose(only_right, 10 * math.tan(math.radians(20)), atol=1e-9)


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"degrees": "ten"}, "degrees as .*got 'ten': try degrees=10"),
        ({"degrees": -10}, "degrees as .*got -10"),
        ({"degrees": (10, -10)}, r"degrees as \(low, high\), got \(10, -10\)"),
        ({"degrees": math.nan}, "degrees as .*got nan"),
        ({"degrees": math.inf}, "angle as "),
        ({"degrees": 0, "scale": 1.1}, "scale as "),
        ({"degrees": 0, "scale": (0, 1)}, "scale as .*above 0"),
        ({"degrees": 0, "scale": (0.9, 1, 1.1)}, r"scale as .*got \(0.9, 1, 1.1\): try scale=\(0.9, 1.1\)"),
        ({"degrees": 0, "shear": 90}, "shear as .*below 90"),
        ({"degrees": 0, "translate": 0.1}, r"translate as shares .*got 0.1: try \(0.1, 0.1\)"),
        ({"degrees": 0, "translate": (2, 2)}, r"from 0 to 1, got \(2, 2\)"),
        ({"degrees": 0, "translate": (-0.1, 0.1)}, "from 0 to 1, got"),
        ({"degrees": 0, "translate": (math.nan, 0)}, "from 0 to 1, got"),
    ],
)
def test_random_affine_refuses_impossible_settings(settings, message):
    with pytest.raises(ValueError, match=f"expected .*{message}"):
        augmentation.RandomAffine(**settings)


@pytest.mark.parametrize("alpha, sigma", [(34.0, 4.0), (10.0, 2.0), (60.0, 5.0)])
def test_elastic_moves_have_the_size_and_the_width_they_should(alpha, sigma):
    """A slope that is read elsewhere tells how far away that was."""
    size, middle = 61, slice(22, 39)  # a margin of 4 sigma and of the largest move
    rows, columns = np.indices((size, size), np.float64)
    x = np.repeat(np.stack([columns, rows])[None], 200, axis=0)
    moves = (augmentation.ElasticTransform(alpha, sigma)(x, seeded()) - x)[:, :, middle, middle]
    assert_allclose(moves.std(axis=(0, 2, 3)), alpha / (2 * math.sqrt(3 * math.pi) * sigma), rtol=0.05)
    assert abs(moves.mean()) < 0.1 * moves.std()
    assert abs(np.corrcoef(moves[:, 0].ravel(), moves[:, 1].ravel())[0, 1]) < 0.1
    for away in (1, 3, 6):  # noise blurred by a bell: alike as far as a bell sqrt(2) times as wide reaches
        alike = (moves[..., away:] * moves[..., :-away]).mean() / (moves**2).mean()
        assert_allclose(alike, math.exp(-(away**2) / (4 * sigma**2)), atol=0.06)


def test_elastic_without_strength_is_the_identity():
    x = seeded().random((3, 8, 6), np.float32)
    assert_array_equal(augmentation.ElasticTransform(0, 4.0)(x), x)


@some
@given(SEEDS, st.integers(1, 6), st.integers(1, 6), st.integers(0, 3))
def test_a_crop_is_a_window_of_the_padded_picture(seed, height, width, padding):
    x = seeded(seed).random((7, 2, 6, 6))
    padded = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    crops = augmentation.RandomCrop((height, width), padding)(x, seeded(seed))
    places = np.ndindex(7 + 2 * padding - height, 7 + 2 * padding - width)
    windows = [padded[:, :, top : top + height, left : left + width] for top, left in places]
    for number, crop in enumerate(crops):
        assert any(np.array_equal(crop, window[number]) for window in windows)


def test_each_shift_is_as_likely_as_any_other():
    x = np.zeros((25_000, 9, 9), np.uint8)
    x[:, 4, 4] = 1
    _, rows, columns = np.nonzero(augmentation.RandomCrop(9, padding=2)(x, seeded()))
    counts = np.histogram2d(rows, columns, bins=[range(2, 8)] * 2)[0]
    assert (
        counts.sum() == 25_000 and ((counts - 1000) ** 2 / 1000).sum() < 52
    )  # chi-square, 24 degrees: 0.1 %


def test_crop_without_room_is_the_identity():
    x = seeded().random((3, 5, 4))
    assert_array_equal(augmentation.RandomCrop((5, 4))(x), x)


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: augmentation.RandomCrop(0), "a whole number of pixels, 1 or more, got 0"),
        (lambda: augmentation.RandomCrop(2.5), "got 2.5"),
        (lambda: augmentation.RandomCrop((5, 5, 5)), r"size as a side or \(height, width\), got \(5, 5, 5\)"),
        (lambda: augmentation.RandomCrop(5, -1), "got -1: padding=0 puts none"),
        (
            lambda: augmentation.RandomCrop(5, padding=1)(np.zeros((2, 2, 9))),
            r"at least \(5, 5\), got \(2, 9\) and",
        ),
        (lambda: augmentation.RandomHorizontalFlip(1.5), "p between 0 and 1, got 1.5: try p=0.5"),
        (lambda: augmentation.RandomHorizontalFlip(math.nan), "p between 0 and 1"),
        (lambda: augmentation.GaussianNoise(sigma=-1), "sigma as a number, 0 or more, got -1"),
        (lambda: augmentation.ElasticTransform(-1), "alpha as a number, 0 or more, got -1"),
        (lambda: augmentation.ElasticTransform(1, 0), "sigma as a number above 0, got 0"),
    ],
)
def test_settings_that_make_no_sense_are_refused(call, message):
    with pytest.raises(ValueError, match=f"expected .*{message}"):
        call()


def test_flips_mirror_left_and_right():
    x = seeded().random((1000, 2, 3, 4))
    assert_array_equal(augmentation.RandomHorizontalFlip(0)(x), x)
    assert_array_equal(augmentation.RandomHorizontalFlip(1)(x), x[..., ::-1])
    flipped = augmentation.RandomHorizontalFlip(0.3)(x, seeded())
    mirrored = (flipped == x[..., ::-1]).all(axis=(1, 2, 3))
    assert ((flipped == x).all(axis=(1, 2, 3)) ^ mirrored).all()
    assert abs(mirrored.mean() - 0.3) < 4 * math.sqrt(0.3 * 0.7 / 1000)


def test_noise_has_its_size_and_stays_in_range():
    grey = np.full((50, 40, 40), 0.5)
    noise = augmentation.GaussianNoise(sigma=0.1, clip=False)(grey, seeded()) - 0.5
    assert abs(noise.mean()) < 0.002 and abs(noise.std() - 0.1) < 0.002
    assert abs(np.mean(np.abs(noise) < 0.1) - 0.6827) < 0.006
    far = augmentation.GaussianNoise(sigma=1.0, clip=False)(grey, seeded())
    assert far.min() < -2 and far.max() > 3
    clipped = augmentation.GaussianNoise(sigma=1.0)(grey, seeded())
    assert clipped.min() == 0 and clipped.max() == 1 and 0.2 < np.mean(clipped == 0) < 0.4
    assert_array_equal(augmentation.GaussianNoise(sigma=0)(grey), grey)


def test_compose_applies_one_after_the_other_with_one_generator():
    x = seeded().random((5, 8, 8))
    crop, noise = augmentation.RandomCrop(8, padding=2), augmentation.GaussianNoise(sigma=0.1)
    rng = seeded(7)
    expected = noise(crop(x, rng), rng)
    assert_array_equal(augmentation.Compose([crop, noise])(x, seeded(7)), expected)
    assert_array_equal(augmentation.Compose([])(x), x)
    with pytest.raises(TypeError, match="^Compose expected transforms, got 3: try Compose"):
        augmentation.Compose([crop, 3])
