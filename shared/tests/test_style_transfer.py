"""shared.style and shared.paintings: Gram matrices by hand, gradients against slopes and PyTorch, what comes out."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from shared import images, nn, paintings, style
from shared.gradcheck import gradcheck

RNG = np.random.default_rng


def filters(levels=2, channels=6, dtype=np.float64):
    return style.random_filters(levels, channels, 3, rng=RNG(1)).to(dtype)


def test_gram_of_two_small_maps():
    maps = np.array([[1.0, 2, 0, 1], [3, 0, 1, 0]]).reshape(1, 2, 2, 2)
    assert_array_equal(style.gram(maps), [[[1.5, 0.75], [0.75, 2.5]]])


@given(seed=st.integers(0, 99), size=st.tuples(*[st.integers(1, 5)] * 4))
def test_gram_is_that_of_einsum_and_forgets_places(seed, size):
    maps = RNG(seed).normal(size=size)
    expected = np.einsum("nihw,njhw->nij", maps, maps) / (size[2] * size[3])
    assert_allclose(style.gram(maps), expected, rtol=1e-9, atol=1e-12)
    assert_allclose(style.gram(maps[:, :, ::-1, ::-1]), expected, rtol=1e-9, atol=1e-12)
    assert_allclose(style.gram(np.tile(maps, (1, 1, 2, 3))), expected, rtol=1e-9, atol=1e-12)  # any size


def test_gram_keeps_float32_and_refuses_what_is_no_image():
    assert style.gram(np.ones((1, 2, 3, 3), np.float32)).dtype == np.float32
    with pytest.raises(ValueError, match=r"expected \(N, C, H, W\), got \(2, 3, 3\)"):
        style.gram(np.ones((2, 3, 3)))
    with pytest.raises(TypeError, match="floating-point"):
        style.gram(np.ones((1, 2, 3, 3), int))


def test_features_are_those_of_the_chain_and_gradients_of_all_branches_add_up():
    rng = RNG(0)
    first, second = nn.Conv2d(3, 4, 3, rng=rng).to(np.float64), nn.AvgPool2d(2)
    branch = nn.Conv2d(4, 2, 1, rng=rng).to(np.float64)
    features = style.Features([first, second], [branch, nn.Sequential()])
    x = rng.normal(size=(2, 3, 6, 8))
    maps = features(x)
    assert_array_equal(maps[0], branch(first(x)))
    assert_array_equal(maps[1], second(first(x)))
    weights = [rng.normal(size=F.shape) for F in maps]

    def value(x):
        return sum(np.sum(F * weight) for F, weight in zip(features(x), weights, strict=True))

    def gradient(x):
        features(x)
        return features.backward(weights)

    assert gradcheck((value, gradient), x) < 1e-7
    both = gradient(x)
    features(x)
    one = features.backward([weights[0], None])
    features(x)
    assert_allclose(one + features.backward([None, weights[1]]), both, rtol=1e-9, atol=1e-12)


def test_features_refuse_stages_without_branches():
    with pytest.raises(ValueError, match="a branch for each stage, got 0 for 1"):
        style.Features([nn.ReLU()], [])


def test_random_filters_do_not_see_even_areas_and_are_repeatable():
    features = filters()
    maps = features(np.full((1, 3, 20, 14), 0.7))
    assert [F.shape for F in maps] == [(1, 3, 20, 14), (1, 6, 18, 12), (1, 3, 9, 6), (1, 6, 7, 4)]
    assert max(np.abs(maps[1]).max(), np.abs(maps[3]).max()) < 1e-6
    assert_array_equal(features.branches[1][0].weight.data, filters().branches[1][0].weight.data)
    assert style.filters_for(128)(np.zeros((1, 3, 128, 128)))[-1].shape[2] > 1
    assert len(style.filters_for(24)(np.zeros((1, 3, 24, 24)))) == 4


@pytest.mark.parametrize("loss", [style.StyleLoss(), style.ContentLoss()], ids=["style", "content"])
def test_losses_of_maps(loss):
    rng = RNG(0)
    maps = [rng.normal(size=(1, 3, 4, 5)), rng.normal(size=(1, 2, 3, 2))]
    other = [rng.normal(size=F.shape) for F in maps]
    target = [style.gram(F) for F in other] if isinstance(loss, style.StyleLoss) else other
    own = [style.gram(F) for F in maps] if isinstance(loss, style.StyleLoss) else maps
    assert loss(maps, own) == 0
    for place in (0, 1):

        def value(F, place=place):
            return loss([F if number == place else maps[number] for number in (0, 1)], target)

        def gradient(F, value=value, place=place):
            value(F)
            return loss.backward()[place]

        assert gradcheck((value, gradient), maps[place]) < 1e-7
    assert np.isclose(loss([0 * F for F in maps], target), 1)


def test_total_variation():
    assert style.TotalVariation()(np.array([[[[1.0, 2], [0, 1]]]])) == (1 + 1 + 1 + 1) / 4
    assert gradcheck(style.TotalVariation(), (RNG(0).normal(size=(2, 3, 4, 5)),)) < 1e-7


def test_the_gradient_of_pixels_is_that_of_pytorch():
    torch = pytest.importorskip("torch")
    features, x, other = filters(), *RNG(3).uniform(size=(2, 1, 3, 18, 14))
    grams = [style.gram(F) for F in features(other)]
    loss = style.StyleLoss()
    value = loss(features(x), grams)
    grad = features.backward(loss.backward())
    pixels, functional = torch.tensor(x, requires_grad=True), torch.nn.functional
    image, theirs = pixels, 0
    for level in range(2):
        if level:
            image = functional.avg_pool2d(functional.avg_pool2d(functional.avg_pool2d(image, 2, 1), 2, 1), 2)
        for number in (2 * level, 2 * level + 1):
            kernel = features.branches[number][0]
            bias = None if kernel.bias is None else torch.tensor(kernel.bias.data)
            flat = functional.conv2d(image, torch.tensor(kernel.weight.data), bias).relu().flatten(2)
            A = torch.tensor(grams[number])
            theirs = theirs + ((flat @ flat.mT / flat.shape[2] - A) ** 2).sum() / (A**2).sum() / 4
    theirs.backward()
    assert np.isclose(value, theirs.item(), rtol=1e-9)
    assert_allclose(grad, pixels.grad.numpy(), rtol=1e-8, atol=1e-12)


def test_colors_are_matched():
    picture, other = RNG(0).uniform(0.4, 0.6, (3, 9, 8)), RNG(1).uniform(0.4, 0.6, (3, 7, 5))
    other[0] += 0.5 * (other[1] - 0.5)
    matched = style.match_colors(picture, other)
    assert_allclose(matched.mean(axis=(1, 2)), other.mean(axis=(1, 2)), rtol=1e-9)
    assert_allclose(np.cov(matched.reshape(3, -1)), np.cov(other.reshape(3, -1)), atol=1e-9)
    assert_allclose(style.match_colors(picture, picture), picture, atol=1e-6)
    assert style.match_colors(picture.astype(np.float32), other).dtype == np.float32


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_transfer_comes_nearer_and_changes_no_argument(dtype):
    features = filters(dtype=dtype)
    content, model = RNG(0).uniform(size=(2, 3, 20, 20)).astype(dtype)
    model[:, ::4] = 0
    arguments = content.copy(), model.copy()
    picture, history = style.transfer(features, content, model, content_weight=0.2, steps=30)
    assert picture.dtype == dtype and picture.shape == (3, 20, 20) and history.shape == (31,)
    assert picture.min() >= 0 and picture.max() <= 1 and history[-1] < history[0] / 2
    assert_array_equal(content, arguments[0])
    assert_array_equal(model, arguments[1])
    again, _ = style.transfer(features, content, model, content_weight=0.2, steps=30, start=content)
    assert_array_equal(again, picture)


def test_the_content_weight_decides():
    features, (content, model) = filters(), RNG(0).uniform(size=(2, 3, 20, 20))
    model[:, ::4] = 0
    far = []
    for weight in (0.0, 1.0, 100.0):
        picture, _ = style.transfer(features, content, model, weight, steps=30, content_from=0)
        far.append(np.mean((picture - content) ** 2))
    assert far[0] > far[1] > far[2]


def test_a_texture_needs_a_start():
    with pytest.raises(ValueError, match="expected start where content is None"):
        style.transfer(filters(), None, np.zeros((3, 20, 20)))


def test_coarse_to_fine():
    model = paintings.glass_window(48)
    picture, histories = style.coarse_to_fine(style.filters_for, None, model, (24, 48), steps=15, rng=RNG(0))
    assert picture.shape == (3, 48, 48) and [len(history) for history in histories] == [16, 16]
    assert histories[0][-1] < histories[0][0] / 5
    small, history = style.coarse_to_fine(style.filters_for, None, model, (24,), steps=15, rng=RNG(0))
    assert_array_equal(history[0], histories[0])
    start = images.resize(small, (48, 48))
    again, _ = style.transfer(style.filters_for(48), None, model, start=start, steps=15)
    assert_array_equal(again, picture)


def test_stained_glass():
    points, colors = np.array([[0.25, 0.5], [0.75, 0.5]]), np.array([[0.8, 0.2, 0.2], [0.2, 0.2, 0.8]])
    glass = paintings.stained_glass(40, points, colors, lead=0.05)
    assert (glass[0, :, :15] > glass[2, :, :15]).all() and (glass[0, :, 25:] < glass[2, :, 25:]).all()
    assert_allclose(glass[:, :, 19:21], 0.06)  # the lead, half way


def test_a_brush_stroke_follows_the_flow_and_later_ones_cover():
    plain = np.full((3, 20, 40), 0.5)

    def down(place):
        return np.broadcast_to([0.0, 2.0], place.shape)  # the length of a direction doesn't count

    stroke = paintings.brush_strokes(plain, down, 1, length=6, width=1, rng=RNG(2))
    rows, columns = np.nonzero((stroke != plain).any(axis=0))
    assert np.ptp(rows) <= 6 and np.ptp(columns) <= 1 and len(rows) > 4
    assert_array_equal(plain, np.full((3, 20, 40), 0.5))


@pytest.mark.parametrize("paint", [paintings.glass_window, paintings.starry_sky])
def test_the_styles_are_pictures_and_always_the_same(paint):
    picture = paint(64)
    assert picture.shape == (3, 64, 64) and picture.min() >= 0 and picture.max() <= 1 and picture.std() > 0.15
    assert_array_equal(picture, paint(64))
