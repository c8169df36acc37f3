"""The classroom from outside: figures with words, live parts, exercises that answer, checkpoints that can fail."""

import base64
import io

import ipywidgets
import matplotlib
import numpy as np
import pytest
from ipywidgets.widgets.widget import _instances
from PIL import Image

from shared import exercises, plots, progress, widgets
from shared.checkpoints import checkpoint
from shared.exercises import Exercise

matplotlib.use("agg")
plt = plots.plt
ALT = "Three bars of different heights."


@pytest.fixture(autouse=True)
def no_figure_is_left_over():
    plt.close("all")
    yield
    plots.use_theme("light")
    plt.close("all")


@pytest.fixture
def shown(monkeypatch):
    """What was displayed: (data, metadata) of each output."""
    outputs = []

    def display(data, raw, metadata):
        assert raw
        outputs.append((data, metadata))

    monkeypatch.setattr(plots, "display", display)
    monkeypatch.setattr(widgets, "display", display)
    return outputs


def image(data):
    png = data["image/png"]
    return Image.open(io.BytesIO(png if isinstance(png, bytes) else base64.b64decode(png)))


# Figures


def test_a_figure_is_one_output_with_the_same_words_everywhere(shown):
    plt.bar([0, 1, 2], [3, 1, 2])
    assert plots.show(ALT) is None
    [(data, metadata)] = shown
    assert data.keys() == {"image/png", "text/plain"}
    assert data["text/plain"] == f"Figure: {ALT}"
    assert metadata == {"image/png": {"width": 720, "alt": ALT}}
    assert image(data).info["Description"] == ALT
    assert image(data).width == 720 * 150 / 96  # fine enough for screens of double density
    assert not plt.get_fignums()


def test_words_may_be_in_any_language(shown):
    plt.plot([0, 1])
    plots.show("Größer als π: 日本語, ein Bild mit Wörtern.")
    assert image(shown[0][0]).info["Description"].startswith("Größer als π: 日本語")


def test_the_same_figure_gives_the_same_bytes():
    pictures = []
    for _ in range(2):
        plt.imshow(np.eye(3))
        pictures.append(plots.png(ALT))
    assert pictures[0] == pictures[1]


@pytest.mark.parametrize("alt", ["", "a figure", " " * 30])
def test_a_figure_without_words_is_refused(alt):
    plt.plot([0, 1])
    with pytest.raises(ValueError, match="sentence of at least 20 characters"):
        plots.show(alt)


def half_empty():
    _, axes = plt.subplots(1, 2)
    axes[0].plot([0, 1])


@pytest.mark.parametrize(
    ("draw", "words"),
    [
        (lambda: None, "there is no figure to show"),
        (lambda: plt.figure(), "0 of 0 axes"),
        (lambda: plt.subplots(), "1 of 1 axes"),
        (half_empty, "1 of 2 axes"),
    ],
)
def test_an_empty_figure_is_refused(draw, words):
    draw()
    with pytest.raises(ValueError, match=words):
        plots.show(ALT)
    assert not plt.get_fignums()  # else it would turn up under the next cell


def test_two_themes(shown):
    corners = []
    for theme in ("light", "dark"):
        plots.use_theme(theme)
        plots.images(np.full((1, 4, 4), 255))  # ink
        plots.show(ALT)
        corners.append([image(shown[-1][0]).convert("L").getpixel(place) for place in [(2, 2), (60, 60)]])
    assert corners[0][0] > 200 > 100 > corners[0][1]  # dark ink on light paper
    assert corners[1][0] < 100 < 200 < corners[1][1]
    with pytest.raises(ValueError, match="light, dark, got 'pink'"):
        plots.use_theme("pink")


def test_pictures_side_by_side():
    axes = plots.images(np.zeros((12, 28, 28)), titles=range(12))
    assert axes.shape == (2, 10) and [axis.get_visible() for axis in axes.flat].count(True) == 12
    assert axes[0, 0].images[0].get_clim() == axes[1, 1].images[0].get_clim() == (0, 255)
    [[axis]] = plots.images(np.array([[[-1.0, 3.0]]]), signed=True)
    assert axis.images[0].get_clim() == (-3, 3)  # zero in the middle
    with pytest.raises(ValueError, match=r"got \(28, 28\): for one picture use x\[None\]"):
        plots.images(np.zeros((28, 28)))


# Live parts


def bars(height=2, color="C0", grid=True):
    if height == 4:
        raise ValueError("too <high>")
    plt.bar([0, 1], [1, height], color=color)
    plt.grid(visible=grid)
    return f"the second bar is {height} high"


def test_a_live_figure_is_one_output_with_a_picture_for_those_who_only_read(shown):
    assert widgets.explore(bars, alt=ALT, height=(1, 4, 1), color=["C0", "C1"], grid=True) is None
    [(data, metadata)] = shown
    view = data["application/vnd.jupyter.widget-view+json"]
    *controls, figure = _instances[view["model_id"]].children
    assert [type(control) for control in controls] == [
        ipywidgets.IntSlider,
        ipywidgets.Dropdown,
        ipywidgets.Checkbox,
    ]
    assert [control.value for control in controls] == [2, "C0", True]  # the defaults of the function
    assert data["text/plain"] == f"Live figure: {ALT}\nthe second bar is 2 high"
    assert metadata == {"image/png": {"width": 720, "alt": ALT}}
    assert image(data).info["Description"] == ALT
    assert data["image/png"] in figure.value and "the second bar is 2 high" in figure.value

    before = figure.value
    controls[0].value = 3
    assert figure.value != before and "the second bar is 3 high" in figure.value
    controls[0].value = 4
    assert figure.value == "ValueError: too &lt;high&gt;"  # said, not lost
    controls[0].value = 2
    assert figure.value == before


def test_a_live_figure_needs_a_sentence_and_controls():
    with pytest.raises(TypeError, match="should return a sentence that reads its figure, got None"):
        widgets.explore(lambda height=2: plt.plot([height, 1]) and None, alt=ALT, height=(1, 4, 1))
    with pytest.raises(ValueError, match=r"can't make a control of height=\(1, 2, 3, 4, 5\)"):
        widgets.explore(bars, alt=ALT, height=(1, 2, 3, 4, 5))


# Exercises


@pytest.fixture
def exercise(monkeypatch):
    """01-01.1 is for now: double the numbers."""
    doubled = Exercise(
        cases=[((np.array([1.0, 2.0]),), np.array([2.0, 4.0])), ((np.array([0.5]),), np.array([1.0]))],
        mistakes={"That is the square.": lambda x: x**2, "That is the same.": lambda x: x},
        hint="Think of x + x.",
    )
    monkeypatch.setattr(exercises, "load", lambda: {"01-01.1": doubled})
    return "01-01.1"


def double_in_place(x):
    x *= 2
    return x


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (lambda x: x + x, "01-01.1 passed"),
        (lambda x: [2 * value for value in x], "01-01.1 passed"),
        (double_in_place, "01-01.1 passed"),  # and the cases stay what they are
        (lambda x: x**2, "<lambda>([1., 2.]): expected [2., 4.], came [1., 4.]\nHint: That is the square."),
        (lambda x: x * 1.0, "Hint: That is the same."),
        (lambda x: x * 3, "Hint: Think of x + x."),
        (lambda x: x[None] * 2, "expected the shape (2,), came the shape (1, 2)"),
        (lambda x: 2 * x[:1], "expected the shape (2,), came the shape (1,)"),
        (lambda x: "four", "expected [2., 4.], came 'four'"),
        (lambda x: x[7], "it raised IndexError: index 7 is out of bounds"),
        (lambda x: None, "it returned None. Does it end in a return?"),
        (lambda: 2, "it raised TypeError"),
    ],
)
def test_the_answer_of_an_exercise(exercise, capsys, function, words):
    for _ in range(2):
        exercises.check(exercise, function)
        assert words in capsys.readouterr().out


def test_an_exercise_that_is_asked_for_wrongly(exercise):
    with pytest.raises(ValueError, match="there is no exercise '1.1'; did you mean one of 01-01.1"):
        exercises.check("1.1", len)
    with pytest.raises(TypeError, match="expected your function itself, without brackets; got 3"):
        exercises.check(exercise, 3)


def test_what_is_solved_is_kept_and_the_solution_does_not_count(exercise, tmp_path, monkeypatch):
    monkeypatch.setenv("IMAGE_JOURNAL_PROGRESS", str(tmp_path / "mine.json"))

    def double(x):
        return 2 * x

    def double_solution(x):
        return 2 * x

    exercises.check(exercise, lambda x: x)
    exercises.check(exercise, double_solution)
    assert progress.read()["exercises"] == {}
    exercises.check(exercise, double)
    assert progress.read()["exercises"] == {exercise: progress.today()}


# Checkpoints


@pytest.mark.parametrize(
    ("value", "bar", "line"),
    [
        (0.82031, {"at_least": 0.81}, "= 0.8203 | at least 0.81"),
        (np.float32(0.99123), {"at_least": 0.985, "value_is": "float32"}, "≈ 0.9912 | at least 0.985"),
        (61_706, {"exactly": 61_706}, "= 61,706 | exactly 61,706"),
        (np.int64(7), {"exactly": 7}, "= 7 | exactly 7"),
        (3e-8, {"at_most": 1e-7}, "= 3e-08 | at most 1e-07"),
        (212.5, {"at_least": 50, "unit": "×", "value_is": "timing"}, "over 50×"),
        (0.81, {"at_least": 0.81}, "= 0.81 | at least 0.81"),
        (0, {"at_most": 0}, "= 0 | at most 0"),
    ],
)
def test_the_line_of_a_checkpoint(capsys, value, bar, line):
    checkpoint("05-05", "LeNet-5 on MNIST", value, **bar)
    assert capsys.readouterr().out == f"checkpoint 05-05 | LeNet-5 on MNIST | {line}\n"


@pytest.mark.parametrize(
    ("value", "bar"),
    [
        (0.8099, {"at_least": 0.81}),
        (np.float64(1.1), {"at_most": 1}),
        (6, {"exactly": 7}),
        (float("nan"), {"at_least": 0.5}),
        (float("nan"), {"at_most": 0.5}),
        (49.9, {"at_least": 50, "value_is": "timing"}),
    ],
)
def test_a_checkpoint_that_is_not_reached_fails(capsys, value, bar):
    with pytest.raises(
        AssertionError, match="checkpoint 05-05: a claim: measured .*, needed (at least|at most|exactly)"
    ):
        checkpoint("05-05", "a claim", value, **bar)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("claim", "options", "words"),
    [
        ("a claim", {}, "got 0 of them"),
        ("a claim", {"at_least": 0, "at_most": 2}, "got 2 of them"),
        ("a claim", {"at_least": 0, "value_is": "float16"}, "got 'float16'"),
        ("a claim", {"at_most": 2, "value_is": "timing"}, "got 'timing'"),
        ("one | two", {"at_least": 0}, "can't hold a |"),
    ],
)
def test_a_checkpoint_that_can_not_fail_is_refused(claim, options, words):
    with pytest.raises(ValueError, match=words.replace("|", r"\|")):
        checkpoint("05-05", claim, 1, **options)


def test_a_checkpoint_reached_is_kept(tmp_path, monkeypatch):
    monkeypatch.setenv("IMAGE_JOURNAL_PROGRESS", str(tmp_path / "mine.json"))
    checkpoint("01-01", "a claim", 0.82, at_least=0.81)
    assert progress.read()["checkpoints"] == {
        "01-01": {"claim": "a claim", "value": "= 0.82", "date": progress.today()}
    }
