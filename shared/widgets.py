"""Live parts of the notebooks. Each leaves a picture behind for readers without a running kernel."""

import base64
import html
import inspect

import ipywidgets
from IPython.display import display

from shared import plots


def explore(draw, alt, **controls):
    """Show a figure that is drawn anew whenever a control moves. Returns None.

    `draw(**values)` draws with Matplotlib and returns a sentence that reads the figure, shown beneath it. Its default
    arguments are the starting values. `alt` says what the figure shows. Each control is what ipywidgets' `interact`
    takes: `(low, high, step)` for a slider, a list for a menu, True or False for a box, or a widget.

    What is stored is one output with three faces: the live widget, the picture at the starting values, and the words.
    """
    widgets = {}
    for name, control in controls.items():
        default = inspect.signature(draw).parameters[name].default
        widget = ipywidgets.interactive.widget_from_abbrev(control, default)
        if widget is None:
            raise ValueError(
                f"explore can't make a control of {name}={control!r}: give (low, high, step) or a list"
            )
        widget.description = name.replace("_", " ")
        widget.style.description_width = "initial"
        widgets[name] = widget

    def redraw():
        sentence = draw(**{name: widget.value for name, widget in widgets.items()})
        if not isinstance(sentence, str):
            raise TypeError(
                f"{draw.__name__} should return a sentence that reads its figure, got {sentence!r}"
            )
        return plots.png(alt), sentence

    def page(image, sentence):
        source, width = base64.b64encode(image).decode(), plots.bundle(image, alt)["image/png"]["width"]
        style = f"width: {width}px; max-width: 100%; display: block"
        words = html.escape(alt), html.escape(sentence)
        return f'<img style="{style}" src="data:image/png;base64,{source}" alt="{words[0]}"><span>{words[1]}</span>'

    image, sentence = redraw()
    figure = ipywidgets.HTML(page(image, sentence))

    def update(change):
        try:
            figure.value = page(*redraw())
        except Exception as error:  # a widget's callback has nowhere else to say it
            plots.plt.close("all")  # what was begun must not show in the next figure
            figure.value = html.escape(f"{type(error).__name__}: {error}")

    for widget in widgets.values():
        widget.observe(update, "value")
    box = ipywidgets.VBox([*widgets.values(), figure])
    show_live(box, image, alt, sentence)


def show_live(box, image, alt, sentence):
    """Show a widget; where none can run, the picture (PNG bytes) stands in its place, with its words."""
    data = {
        "application/vnd.jupyter.widget-view+json": {
            "version_major": 2,
            "version_minor": 0,
            "model_id": box.model_id,
        },
        "image/png": base64.b64encode(image).decode(),
        "text/plain": f"Live figure: {alt}\n{sentence}",
    }
    display(data, raw=True, metadata=plots.bundle(image, alt))
