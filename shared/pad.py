"""A pad to draw digits on, with a network that reads along; and photographs of paper, made up to test with."""

import base64
import json
from pathlib import Path

import anywidget
import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
import traitlets

from shared import formats, handwriting, images, photo, plots, warp
from shared.progress import ROOT
from shared.widgets import show_live

SIDE = 280  # pixels of the pad


def stored_drawings():
    """The drawings of this journal, by four hands: {"upright 0": (strokes, pen), …}, each hand from 0 to 9."""
    stored = json.loads((ROOT / "04-image-data" / "strokes.json").read_text(encoding="utf-8"))["hands"]
    return {
        f"{hand['hand']} {d}": (hand["digits"][str(d)], hand["pen"]) for hand in stored for d in range(10)
    }


def photograph(strokes, pen, rng, angle=15.0, shadow=0.6, chalk=False):
    """What a camera might see of strokes on ruled paper, or on a blackboard: uint8 (240, 320, 3).

    The paper is turned by up to `angle` degrees and tilted, so that its far end looks smaller; the light falls from one
    side, and a shadow with a soft edge takes away the share `shadow` of it; the camera adds noise.
    """
    height, width = 240, 320
    ink = handwriting.render(strokes, (SIDE, SIDE), pen)
    turn = np.radians(rng.uniform(-angle, angle))
    y, x = 1.5 * (np.indices((height, width)) - np.array([height, width])[:, None, None] / 2)
    depth = 1 + rng.uniform(0.0004, 0.001) * y  # farther away at the top, where more paper fits into a pixel
    x, y = x / depth, y / depth
    x, y = np.cos(turn) * x + np.sin(turn) * y, np.cos(turn) * y - np.sin(turn) * x
    dark = warp.bilinear_sample(ink, x + SIDE / 2, y + SIDE / 2)[..., None]
    ruled = (np.abs((y + 500) % 42 - 21) < 0.8)[..., None]
    ground, line = (
        ([0.2, 0.27, 0.24], [0.24, 0.31, 0.28]) if chalk else ([0.95, 0.93, 0.88], [0.78, 0.84, 0.92])
    )
    color = [0.93, 0.93, 0.9] if chalk else [0.14, 0.2, 0.48]
    paper = np.where(ruled, line, ground) * (1 - dark) + np.array(color) * dark
    side = rng.uniform(0, 2 * np.pi)
    along = np.cos(side) * x + np.sin(side) * y
    light = 0.85 + 0.15 * along / 300 - shadow / (1 + np.exp(-(along - rng.uniform(-60, 60)) / 12))
    seen = paper * np.clip(light, 0.1, 1)[..., None] + rng.normal(0, 0.02, (height, width, 3))
    return np.rint(255 * np.clip(seen, 0, 1)).astype(np.uint8)


class DigitPad(anywidget.AnyWidget):
    """A pad that is drawn on with mouse, finger, pen or keyboard, and that `classify` reads along.

    classify: pictures (1, 1, 28, 28) float32 from 0 to 1 -> ten logits (1, 10), such as a network. drawings: names and
    (strokes, pen), to choose from instead of drawing. `strokes`, `pen` and `chosen` may be set from Python too;
    `answer` holds what was read: the words, the ten probabilities, and the steps as pictures.
    """

    _esm = Path(__file__).with_suffix(".js")
    strokes, names = traitlets.List().tag(sync=True), traitlets.List().tag(sync=True)
    pen, chosen = traitlets.Float(20.0).tag(sync=True), traitlets.Unicode().tag(sync=True)
    answer = traitlets.Dict().tag(sync=True)

    def __init__(self, classify, drawings=None):
        self.classify, self.drawings = classify, drawings or {}
        super().__init__(names=[*self.drawings])
        self._read(None)

    def __repr__(self):
        return f"DigitPad: {self.answer['words']}"  # the default holds an address, another one each time

    @traitlets.observe("chosen")
    def _choose(self, change):
        if change.new in self.drawings:
            with self.hold_trait_notifications():
                self.strokes, self.pen = self.drawings[change.new]

    @traitlets.observe("strokes", "pen")
    def _read(self, change):
        if not self.strokes:
            self.answer = self._answer("Nothing is drawn yet.")
            return
        ink = handwriting.render(self.strokes, (SIDE, SIDE), self.pen)
        steps = {"fitted into 20 × 20": handwriting.fit(ink)} if ink.any() else {}
        self._say(lambda: (handwriting.from_strokes(self.strokes, self.pen), steps))

    def read_photo(self, content):
        """Read a photograph instead of strokes: the bytes of a PNG or JPEG file."""
        self.strokes, self.chosen = [], ""
        self._say(lambda: _photo_steps(formats.read_image(content)))

    def _say(self, prepare):
        try:
            picture, steps = prepare()
        except (TypeError, ValueError) as error:  # no digit, or no picture: the reader should hear why
            self.answer = self._answer(str(error))
            return
        probs = probabilities(self.classify, picture)
        self.answer = self._answer(in_words(probs), probs, {**steps, "centred in 28 × 28": picture})

    def _answer(self, words, probs=(), steps=None):
        """`points` says which state of the drawing this is the answer to."""
        packed = [_packed(title, picture) for title, picture in (steps or {}).items()]
        points = sum(map(len, self.strokes))
        return {"words": words, "probs": [*map(float, probs)], "steps": packed, "points": points}


def probabilities(classify, picture):
    """What a network thinks of one picture (28, 28): ten float64 that add up to 1."""
    logits = np.asarray(classify(picture[None, None].astype(np.float32)), np.float64).reshape(10)
    likely = np.exp(logits - logits.max())
    return likely / likely.sum()


def in_words(probs):
    """What was read, as a sentence: the two likeliest digits."""
    first, second = np.argsort(-probs, kind="stable")[:2]
    return f"Read as {first} ({probs[first]:.0%}), else as {second} ({probs[second]:.0%})."


def _photo_steps(image):
    ink = photo.find_ink(image)
    shown = image if image.ndim == 2 else image.mean(axis=2)
    small = images.resize(1 - shown / shown.max(), 56)
    return photo.from_photo(image), {"photograph": small, "ink found": images.resize(ink, 56)}


def _packed(title, picture):
    """A picture as the browser takes it: bytes from 0 to 255, in base64."""
    pixels = np.rint(255 * np.clip(picture, 0, 1)).astype(np.uint8)
    return {
        "title": title,
        "height": len(pixels),
        "width": pixels.shape[1],
        "pixels": base64.b64encode(pixels).decode(),
    }


def show(classify, drawings, start, alt):
    """Show a pad with the drawing named `start` on it, and a field to upload photographs. Returns None.

    What is stored is one output with three faces, as of widgets.explore: the live pad, a picture, and words.
    """
    board = DigitPad(classify, drawings)
    board.chosen = start
    upload = ipywidgets.FileUpload(
        accept=".png,.jpg,.jpeg", description="Photograph of a digit", layout={"width": "220px"}
    )
    upload.observe(lambda change: change.new and board.read_photo(bytes(change.new[0].content)), "value")
    box = ipywidgets.VBox([board, upload])
    strokes, pen = drawings[start]
    image = _twin(strokes, pen, probabilities(classify, handwriting.from_strokes(strokes, pen)), alt)
    show_live(box, image, alt, board.answer["words"])


def _twin(strokes, pen, probs, alt):
    _, (drawn, fitted, centred, bars) = plt.subplots(1, 4, figsize=(plots.WIDTH, 2.1))
    ink = handwriting.render(strokes, (SIDE, SIDE), pen)
    titles = ("drawn", "20 × 20", "28 × 28")
    for axis, picture, title in zip(
        (drawn, fitted, centred), (ink, handwriting.fit(ink), handwriting.normalize(ink)), titles, strict=True
    ):
        axis.imshow(picture, vmin=0, vmax=1)
        axis.set(xticks=[], yticks=[], title=title)
        axis.spines[:].set(visible=True, color=plots.color("faint"))
    bars.barh(range(10), probs)
    bars.set(yticks=range(10), ylim=(9.6, -0.6), xlim=(0, 1), title="probability")
    bars.grid(visible=False)
    return plots.png(alt)
