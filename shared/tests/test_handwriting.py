"""From a hand to 28 x 28 pixels: ink, box and centre, photographs, against hand values, SciPy and MNIST itself."""

import io
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from shared import handwriting, images, pad, photo, recipes, widgets

DRAWINGS = pad.stored_drawings()
TRUTH = np.tile(np.arange(10), 4)
SEVEN = DRAWINGS["continental 7"]


def reads(pictures):
    return np.argmax(recipes.trained("mlp")(np.asarray(pictures, np.float32)[:, None]), axis=1)


def taken(strokes, pen, seed, **how):
    return pad.photograph(strokes, pen, np.random.default_rng(seed), **how)


def test_ink_by_hand():
    ink = handwriting.render([[[2, 3], [8, 3]]], (7, 12), 3.0)
    np.testing.assert_allclose(
        ink[:, 5], [0, 0, 1, 1, 1, 0, 0]
    )  # distances 3 2 1 0 1 2 3 from the line, radius 1.5
    np.testing.assert_allclose(ink[3, [0, 1, 8, 9, 10]], [0, 1, 1, 1, 0])
    dot = handwriting.render([[[4, 4]]], (9, 9), 5.0)
    np.testing.assert_allclose(dot[4], [0, 0, 1, 1, 1, 1, 1, 0, 0])
    assert (
        np.isclose(dot[2, 2], 3 - 8**0.5)
        and handwriting.render([[[50, 50], [60, 50]]], (9, 9), 5.0).max() == 0
    )


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.tuples(st.integers(-5, 30), st.integers(-5, 30)), min_size=1, max_size=5), st.floats(0.5, 9)
)
def test_ink_is_what_is_near_the_line(points, pen):
    ink = handwriting.render([points], (18, 23), pen)
    y, x = np.indices(ink.shape)
    far = np.full(ink.shape, np.inf)
    for a, b in zip(points, points[1:] or points, strict=False):
        for t in np.linspace(0, 1, 400):
            far = np.minimum(far, np.hypot(x - a[0] - t * (b[0] - a[0]), y - a[1] - t * (b[1] - a[1])))
    np.testing.assert_allclose(ink, np.clip(pen / 2 + 0.5 - far, 0, 1), atol=0.06)


@pytest.mark.parametrize("move", [0, 40, 300])
@pytest.mark.parametrize("scale", [0.1, 1, 3])
def test_where_and_how_large_makes_no_difference(move, scale):
    strokes, pen = SEVEN
    moved = [(scale * np.array(points) + move).tolist() for points in strokes]
    picture = handwriting.from_strokes(moved, scale * pen)
    np.testing.assert_allclose(picture, handwriting.from_strokes(strokes, pen), atol=1e-9)


def test_each_drawing_becomes_what_mnist_pictures_are():
    for strokes, pen in DRAWINGS.values():
        picture = handwriting.from_strokes(strokes, pen)
        assert picture.shape == (28, 28) and picture.dtype == np.float64
        assert picture.min() >= 0 and 0.3 < picture.max() < 1 + 1e-9
        assert np.abs(images.center_of_mass(picture) - 14).max() <= 0.5 + 1e-9
        assert max(np.ptp(np.argwhere(picture > 0), axis=0) + 1) == 20


@pytest.mark.parametrize(("shape", "size"), [((80, 40), (20, 10)), ((10, 33), (6, 20)), ((1, 90), (1, 20))])
def test_a_block_is_fitted_in_proportion(shape, size):
    ink = np.zeros((120, 130))
    ink[7 : 7 + shape[0], 30 : 30 + shape[1]] = 0.8
    assert handwriting.bounding_box(ink) == (7, 30, *shape)
    np.testing.assert_allclose(handwriting.fit(ink), np.full(size, 0.8))
    assert handwriting.normalize(ink).sum() == pytest.approx(0.8 * size[0] * size[1])


def test_the_centre_of_mass_comes_to_the_middle_pixel():
    rng = np.random.default_rng(0)
    for dtype in (np.uint8, np.float32, np.float64):
        img = (255 * rng.random((2, 3, 20, 13))).astype(dtype)
        done = images.center_by_mass(img, (29, 40))
        assert done.shape == (2, 3, 29, 40) and done.dtype == dtype
        assert np.abs(images.center_of_mass(done) - [14, 20]).max() <= 0.5 + 1e-5
        assert (np.sort(done[done > 0]) == np.sort(img[img > 0])).all()  # moved, and nothing else
    one = np.zeros((4, 4))
    one[0, 3] = 1
    assert images.center_by_mass(one, (2, 5)).tolist() == [[0, 0, 0, 0, 0], [0, 0, 1, 0, 0]]
    column = np.array([[1.0], [0], [0], [1]])  # its centre 1.5 is half-way: a half goes on, to 2
    assert images.center_by_mass(column, (3, 1)).ravel().tolist() == [1, 0, 0]
    assert images.center_by_mass(column, (5, 1)).ravel().tolist() == [0, 1, 0, 0, 1]


@pytest.mark.parametrize("width", [3.0, 6.0, 11.0])
@pytest.mark.parametrize("end", [(280, 40), (250, 250), (40, 280)])
def test_the_width_of_a_pen_is_found_again(width, end):
    line = handwriting.render([[[40, 40], end]], (320, 320), width)
    assert handwriting.pen_width(line) == pytest.approx(width, rel=0.22 if end == (250, 250) else 0.1)
    assert handwriting.pen_width(np.stack([line, line / 2])) == pytest.approx(handwriting.pen_width(line))


def test_local_mean_and_label_are_scipys():
    ndimage = pytest.importorskip("scipy.ndimage")
    rng = np.random.default_rng(0)
    for shape in [(40, 31), (7, 60), (1, 1)]:
        img = rng.random(shape)
        counts = ndimage.uniform_filter(np.ones(shape), 9, mode="constant")
        expected = ndimage.uniform_filter(img, 9, mode="constant") / counts
        np.testing.assert_allclose(photo.local_mean(img, 9), expected, atol=1e-12)
        for share in (0, 0.1, 0.3, 0.45, 0.6, 1):
            mask = rng.random(shape) < share
            expected, count = ndimage.label(mask, np.ones((3, 3)))
            labels, found = photo.label(mask)
            _, first = np.unique(
                expected[mask], return_index=True
            )  # SciPy's numbers, in order of the first pixel
            order = np.zeros(count + 1, int)
            order[expected[mask][np.sort(first)]] = np.arange(1, count + 1)
            assert found == count
            np.testing.assert_array_equal(labels, order[expected])


def test_thicken_is_scipys_dilation():
    ndimage = pytest.importorskip("scipy.ndimage")
    ink = np.random.default_rng(0).random((17, 26)) * (np.random.default_rng(1).random((17, 26)) < 0.1)
    for radius in (0.5, 1, 1.5, 3.2):
        reach = int(radius)
        disc = np.hypot(*(np.indices((2 * reach + 1, 2 * reach + 1)) - reach)) <= radius
        expected = ndimage.grey_dilation(ink, footprint=disc, mode="constant")
        np.testing.assert_array_equal(photo.thicken(ink, radius), expected)


def test_a_photograph_in_any_form_gives_the_same_digit():
    shot = taken(*SEVEN, 0, shadow=0.5)
    picture = photo.from_photo(shot)
    np.testing.assert_array_equal(photo.from_photo(shot / 255), picture)
    np.testing.assert_allclose(photo.from_photo(257 * shot.astype(np.uint16)), picture, atol=0.05)
    dimmed = photo.from_photo(
        (shot * 0.5).astype(np.uint8)
    )  # light multiplies, and a quotient does not see it
    assert np.abs(dimmed - picture).mean() < 0.02
    grey = images.rgb_to_grayscale(shot.transpose(2, 0, 1))[0]
    assert np.abs(photo.from_photo(grey) - picture).mean() < 0.01


def test_ink_is_found_and_nothing_else():
    paper = np.full((200, 240), 0.9)
    paper[60:140, 100:112] = paper[60:72, 60:112] = 0.2  # a 7
    alone = photo.find_ink(paper)
    paper[20:23, 20:23] = 0.2  # a speck
    paper[:, :6] = 0.1  # the edge of the table
    paper[::40] *= 0.85  # pale lines
    found = photo.find_ink(paper)
    assert found.shape == (200, 240) and set(np.unique(found)) == {0, 1}
    assert np.mean(found != alone) < 0.002 and alone[62, 62] == alone[138, 105] == 1
    assert alone.sum() == pytest.approx(80 * 12 + 12 * 40, rel=0.05)
    chalk = np.full((200, 240), 0.2)
    chalk[60:140, 100:112] = chalk[60:72, 60:112] = 0.9
    np.testing.assert_array_equal(photo.find_ink(chalk), alone)


def test_a_five_keeps_its_bar_but_not_the_next_digit():
    paper = np.full((200, 300), 0.95)
    paper[60:120, 60:70] = paper[110:120, 60:110] = 0.1
    paper[60:68, 78:110] = 0.1  # a bar that does not touch
    paper[60:120, 220:230] = 0.1  # another digit, far away
    found = photo.find_ink(paper)
    assert found[64, 100] == 1 and found[90, 65] == 1 and found[90, 225] == 0


def test_a_thin_pen_is_grown_to_mnists():
    paper = np.full((300, 300), 0.95)
    paper[30:270, 149:151] = 0.1  # a pen of 2 in 240
    picture = photo.from_photo(paper)
    assert picture.max() > 0.9 and 1.5 < handwriting.pen_width(picture) < 3


def test_the_stored_drawings_are_read_and_photographed():
    strokes = reads([handwriting.from_strokes(*drawing) for drawing in DRAWINGS.values()]) == TRUTH
    assert len(DRAWINGS) == 40 and strokes.reshape(4, 10).sum(axis=1).min() >= 9
    shots = [photo.from_photo(taken(*drawing, seed)) for seed, drawing in enumerate(DRAWINGS.values())]
    assert (reads(shots) == TRUTH).sum() >= 36


def test_the_photograph_of_a_drawing_has_shadow_and_noise():
    shot = taken(*SEVEN, 1)
    assert shot.shape == (240, 320, 3) and shot.dtype == np.uint8
    assert (shot == taken(*SEVEN, 1)).all() and (shot != taken(*SEVEN, 2)).any()
    assert np.quantile(shot, 0.1) < 0.6 * np.quantile(shot, 0.9)  # in the shadow, and in the light
    assert taken(*SEVEN, 1, chalk=True, shadow=0).mean() < 100 < taken(*SEVEN, 1, shadow=0).mean()


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: handwriting.from_strokes([], 20), "expected strokes, got none: no digit found"),
        (lambda: handwriting.from_strokes([[]], 20), "expected strokes, got none"),
        (lambda: handwriting.render([[1, 2]], (9, 9), 2), r"finite points \(points, 2\), got \(2,\)"),
        (lambda: handwriting.render([[[1, np.nan]]], (9, 9), 2), "finite points"),
        (lambda: handwriting.render([[[1, 2]]], (9, 9), 0), "pen width in pixels, above 0, got 0"),
        (lambda: handwriting.render([[[1, 2]]], 9, 2), "size as 2 whole numbers"),
        (lambda: handwriting.normalize(np.zeros((9, 9))), "no digit found"),
        (lambda: handwriting.pen_width(np.zeros((2, 9, 9))), "no digit found"),
        (lambda: handwriting.normalize(np.full((9, 9), np.nan)), "NaN"),
        (lambda: images.center_by_mass(np.zeros((4, 4)), (28, 28)), "sum other than 0"),
        (lambda: images.center_by_mass(np.ones((4, 4)), 28), "output_size as 2 whole numbers"),
        (lambda: photo.local_mean(np.ones((4, 4)), 2), "an odd size"),
        (
            lambda: photo.find_ink(np.full((50, 60), 200, np.uint8)),
            "15% darker than the paper.*no digit found",
        ),
        (lambda: photo.find_ink(np.ones((3, 50, 60))), r"photograph \(H, W\) or \(H, W, 3\)"),
        (lambda: photo.thicken(np.ones((4, 4)), -1), "radius"),
    ],
)
def test_what_makes_no_sense_is_refused(call, words):
    with pytest.raises(ValueError, match=words):
        call()


@pytest.mark.parametrize(
    "call",
    [
        lambda: handwriting.normalize(np.ones((9, 9), np.uint8)),
        lambda: handwriting.normalize([[1.0]]),
        lambda: photo.label(np.ones((3, 3))),
        lambda: photo.find_ink(np.ones((50, 50), int)),
    ],
)
def test_another_type_is_refused(call):
    with pytest.raises(TypeError, match="try"):
        call()


class TestDigitPad:
    @staticmethod
    def board():
        return pad.DigitPad(recipes.trained("mlp"), DRAWINGS)

    def test_it_reads_what_is_drawn_chosen_and_cleared(self):
        board = self.board()
        assert (
            board.answer["words"] == "Nothing is drawn yet."
            and repr(board) == "DigitPad: Nothing is drawn yet."
        )
        board.chosen = "continental 7"
        assert board.answer["words"].startswith("Read as 7 (") and board.pen == 26
        assert sum(board.answer["probs"]) == pytest.approx(1) and np.argmax(board.answer["probs"]) == 7
        titles = [(step["title"], step["height"]) for step in board.answer["steps"]]
        assert titles == [("fitted into 20 × 20", 20), ("centred in 28 × 28", 28)]
        json.dumps(board.get_state())  # all of it can be sent to a browser
        board.strokes = []
        assert board.answer["words"] == "Nothing is drawn yet." and board.answer["probs"] == []

    def test_any_classifier_will_do_and_gets_one_picture(self):
        seen = []

        def nines(x):
            seen.append((x.shape, x.dtype, float(x.max())))
            return np.eye(10)[9:] * 1000

        board = pad.DigitPad(nines)
        board.strokes = SEVEN[0]
        assert board.answer["words"] == "Read as 9 (100%), else as 0 (0%)."
        assert seen[-1][:2] == ((1, 1, 28, 28), np.float32) and seen[-1][2] <= 1

    def test_a_photograph_is_read_and_a_wrong_file_explained(self):
        board, file = self.board(), io.BytesIO()
        Image.fromarray(taken(*DRAWINGS["upright 3"], 3)).save(file, "PNG")
        board.read_photo(file.getvalue())
        assert board.answer["words"].startswith("Read as 3") and len(board.answer["steps"]) == 3
        board.read_photo(b"hello")
        assert "expected a PNG, JPEG" in board.answer["words"] and board.answer["probs"] == []

    def test_what_is_shown_has_a_picture_and_words(self, monkeypatch):
        shown = []
        monkeypatch.setattr(widgets, "display", lambda data, raw, metadata: shown.append((data, metadata)))
        alt = "A pad with a 7 on it, and ten bars for the probabilities."
        pad.show(recipes.trained("mlp"), DRAWINGS, "upright 7", alt)
        [(data, metadata)] = shown
        assert data["text/plain"].startswith(f"Live figure: {alt}\nRead as 7 (")
        assert (
            metadata["image/png"]["alt"] == alt
            and data["application/vnd.jupyter.widget-view+json"]["model_id"]
        )


def test_a_black_photograph_holds_no_digit():
    with pytest.raises(ValueError, match="no digit found"):
        photo.find_ink(np.zeros((60, 60), np.uint8))


@pytest.mark.parametrize("pen", [-10, 0, np.nan, "a"])
def test_an_impossible_pen_is_refused(pen):
    with pytest.raises(ValueError, match="from_strokes expected a pen width in pixels, above 0"):
        handwriting.from_strokes([[[5, 5], [9, 9]]], pen)
