"""Figures and live parts from outside: nothing is shown without words, nothing empty, nothing that only moves."""

import base64
import io

import ipywidgets
import matplotlib
import numpy as np
import pytest
from ipywidgets.widgets.widget import _instances
from PIL import Image

from shared import plots, widgets

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
