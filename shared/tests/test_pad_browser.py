"""The drawing pad in JupyterLab, in a real browser: drawn on with the mouse and the keyboard, and sent photographs."""

import io

import numpy as np
import pytest
from PIL import Image

from shared import notebooks, pad

expect = pytest.importorskip("playwright.sync_api").expect

DRAW = notebooks.ROOT / "04-image-data" / "06-draw-a-digit.ipynb"
DRAWINGS = pad.stored_drawings()
HANDS = ["upright", "slanted", "continental", "backward"]
TIME = 30_000  # milliseconds, for a busy machine


@pytest.fixture
def board(lab):
    """The notebook's pad, with its kernel running only what the pad needs."""
    lab.open(DRAW)
    cells = notebooks.read(DRAW).cells
    wanted = {"imports", "load", "net", "pad"}
    lab.page.evaluate(
        """async (places) => {
            const { content, context } = window.jupyterapp.shell.currentWidget;
            for (const place of places) {
                content.activeCellIndex = place;
                await window.jupyterapp.commands.execute('notebook:run-cell');
            }
        }""",
        [place for place, cell in enumerate(cells) if cell.id in wanted],
    )
    lab.page.locator(".digit-pad canvas.board").wait_for()
    lab.wait_for_kernel()
    return lab.page.locator(".digit-pad")


def draw(board, strokes, pen):
    """Draw strokes with the mouse: its button goes down, moves along, and up."""
    canvas, mouse = board.locator("canvas.board"), board.page.mouse
    board.get_by_role("button", name="Clear").click()
    board.get_by_role("slider").fill(str(pen))
    canvas.scroll_into_view_if_needed()
    frame = canvas.bounding_box()
    for points in strokes:
        places = [(frame["x"] + 1 + x, frame["y"] + 1 + y) for x, y in points]
        mouse.move(*places[0])
        mouse.down()
        for place in places[1:]:
            mouse.move(*place)
        mouse.up()


def answer(board):
    """What the page says, once it is about the drawing as it stands."""
    board.page.wait_for_function(
        """() => {
            const [pad, said] = ['canvas.board', '.said'].map((name) => document.querySelector(`.digit-pad ${name}`));
            return Number(pad.dataset.points) > 0 && said.dataset.points === pad.dataset.points;
        }"""
    )
    return board.locator(".said").inner_text()


def test_digits_by_mouse_by_keyboard_and_on_a_photograph(board, lab):
    by_mouse(board)
    by_keyboard(board, lab)
    from_the_menu_and_from_photographs(board)


def by_mouse(board):
    said = []
    for digit in range(10):  # each by another hand than the one before, none chosen for its answer
        strokes, pen = DRAWINGS[f"{HANDS[digit % 4]} {digit}"]
        draw(board, strokes, pen)
        said.append(answer(board))
    right = sum(words.startswith(f"Read as {digit} ") for digit, words in enumerate(said))
    assert right >= 9, said
    assert board.locator(".bar").count() == 10 and board.locator("canvas.step").count() == 2
    assert board.locator(".said").get_attribute("aria-live") == "polite"


def by_keyboard(board, lab):
    canvas, page, cells = board.locator("canvas.board"), board.page, len(lab.notebook()["cells"])
    canvas.focus()
    expect(canvas).to_be_focused()
    page.keyboard.press("Escape")
    expect(board.locator(".said")).to_have_text("Nothing is drawn yet.", timeout=TIME)
    for key in ["ArrowUp"] * 8 + ["Space"] + ["ArrowDown"] * 16 + ["Space"]:
        page.keyboard.press(key)
    assert answer(board).startswith("Read as 1 ")
    expect(board.locator(".help")).to_have_text("Pen up at 140 from the left, 220 from the top.")
    assert (
        canvas.evaluate("pad => getComputedStyle(pad).outlineStyle") == "solid"
    )  # one sees where the focus is
    assert len(lab.notebook()["cells"]) == cells  # no key reached the notebook around it


def from_the_menu_and_from_photographs(board):
    said = board.locator(".said")
    board.get_by_label("Choose a stored drawing").select_option("backward 4")
    expect(said).to_contain_text("Read as 4 ", timeout=TIME)
    board.locator("canvas.board").press("Delete")
    expect(said).to_have_text("Nothing is drawn yet.", timeout=TIME)
    file, shot = io.BytesIO(), pad.photograph(*DRAWINGS["upright 3"], np.random.default_rng(3))
    Image.fromarray(shot).save(file, "PNG")
    upload(board, file.getvalue())
    expect(said).to_contain_text("Read as 3 ", timeout=TIME)
    assert board.locator("canvas.step").count() == 3
    upload(board, b"no picture")
    expect(said).to_contain_text("expected a PNG, JPEG", timeout=TIME)


def upload(board, content):
    with board.page.expect_file_chooser() as chosen:  # the widget's own input is not on the page
        board.page.locator(".jupyter-widgets.widget-upload").click()
    chosen.value.set_files({"name": "digit.png", "mimeType": "image/png", "buffer": content})
