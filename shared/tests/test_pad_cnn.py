"""What is live in the notebook on image classification, in a real browser: the pad, and the window for photographs."""

import io
import re

import numpy as np
import pytest
from PIL import Image

from shared import datasets, notebooks, recipes
from shared.tests.test_pad_browser import DRAWINGS, HANDS, TIME, answer, draw

expect = pytest.importorskip("playwright.sync_api").expect

NOTEBOOK = notebooks.ROOT / "05-cnn" / "07-image-classification.ipynb"
STRIPES = np.repeat([[[255, 0, 0], [0, 128, 0], [0, 0, 255]]], 20, axis=1).repeat(20, axis=0)  # (20, 60, 3)


@pytest.fixture
def page(lab):
    """The notebook in JupyterLab, its kernel running only what its two live parts need."""
    lab.open(NOTEBOOK)
    wanted = {"imports", "helpers", "pad-net", "pad", "own", "window"}
    lab.page.evaluate(
        """async (places) => {
            const { content } = window.jupyterapp.shell.currentWidget;
            for (const place of places) {
                content.activeCellIndex = place;
                await window.jupyterapp.commands.execute('notebook:run-cell');
            }
        }""",
        [place for place, cell in enumerate(notebooks.read(NOTEBOOK).cells) if cell.id in wanted],
    )
    lab.page.locator(".digit-pad canvas.board").wait_for()
    lab.wait_for_kernel()
    return lab.page


def test_ten_digits_by_mouse_and_a_photograph(page):
    ten_digits(page.locator(".digit-pad"))
    photographs(page)


def ten_digits(board):
    said = []
    for digit in range(10):  # each by another hand than the one before, none chosen for its answer
        draw(board, *DRAWINGS[f"{HANDS[digit % 4]} {digit}"])
        said.append(answer(board))
    assert all(words.startswith(f"Read as {digit} ") for digit, words in enumerate(said)), said


def photographs(page):
    shown = page.locator(".jp-OutputArea .widget-html-content", has_text="the first three")
    expect(shown).to_have_count(1, timeout=TIME)
    before = shown.inner_text()
    file = io.BytesIO()
    Image.fromarray(STRIPES.astype(np.uint8)).save(file, "PNG")
    upload(page, file.getvalue())
    expect(shown).to_contain_text(green_in_words(), timeout=TIME)
    assert shown.inner_text() != before
    upload(page, b"no picture")
    expect(page.locator(".widget-html-content", has_text="expected a PNG, JPEG")).to_have_count(
        1, timeout=TIME
    )


def green_in_words():
    """What the network says of the square in the middle of the stripes, which is all green."""
    green = np.broadcast_to(np.array([0, 128 / 255, 0])[:, None, None], (3, 32, 32))
    logits = recipes.trained("resnet").to(np.float64)(green[None].copy())[0]
    likely = np.exp(logits) / np.exp(logits).sum()
    first = np.argsort(-likely)[:3]
    return "the first three: " + ", ".join(
        f"{datasets.CLASSES[place]} {likely[place]:.0%}" for place in first
    )


def upload(page, content):
    with page.expect_file_chooser() as chosen:  # the widget's own input is not on the page
        page.get_by_role(
            "button", name=re.compile(r"photograph \(")
        ).click()  # with the number of files behind
    chosen.value.set_files({"name": "photograph.png", "mimeType": "image/png", "buffer": content})
