"""Figures: one palette, two themes, and one way to show a picture, which never goes without words.

Importing this module sets the look of every Matplotlib figure. A notebook draws with Matplotlib as
usual and ends the cell with ``plots.show("what the picture shows")``.
"""

import io
import math

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from IPython.display import display

# Okabe & Ito (2008), "Color Universal Design": told apart by colour-blind readers, on white and on black.
BLUE, ORANGE, GREEN, PINK = "#0072B2", "#D55E00", "#009E73", "#CC79A7"
SKY, AMBER, GREY = "#56B4E9", "#E69F00", "#8A8A8A"
PALETTE = [BLUE, ORANGE, GREEN, PINK, SKY, AMBER, GREY]

THEMES = {
    "light": {"paper": "#FFFFFF", "ink": "#20242B", "faint": "#E3E5E8", "signed": "RdBu_r"},
    "dark": {"paper": "#111418", "ink": "#E6E8EB", "faint": "#343A42", "signed": "berlin"},
}
for _name, _colors in THEMES.items():
    _colors["images"] = f"ink on {_name}"
    _shades = [_colors["paper"], _colors["ink"]]
    mpl.colormaps.register(mpl.colors.LinearSegmentedColormap.from_list(_colors["images"], _shades))
_theme = dict(THEMES["light"])
WIDTH = 7.5  # inches of the widest figure: 720 CSS pixels, the text column of a notebook


def use_theme(name):
    """Draw everything from now on for a "light" or a "dark" page. Stored figures are light."""
    if name not in THEMES:
        raise ValueError(f"use_theme expected one of {', '.join(THEMES)}, got {name!r}")
    _theme.update(THEMES[name])
    paper, ink, faint = _theme["paper"], _theme["ink"], _theme["faint"]
    plt.rcdefaults()
    plt.rcParams.update(
        {
            "figure.facecolor": paper,
            "axes.facecolor": paper,
            "savefig.facecolor": paper,
            "text.color": ink,
            "axes.labelcolor": ink,
            "axes.titlecolor": ink,
            "xtick.color": ink,
            "ytick.color": ink,
            "axes.edgecolor": ink,
            "grid.color": faint,
            "legend.frameon": False,
            "axes.grid": True,
            "axes.axisbelow": True,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.titlelocation": "left",
            "axes.titlesize": 11,
            "axes.titleweight": "bold",
            "axes.titlepad": 8,
            "figure.titlesize": 12,
            "figure.titleweight": "bold",
            "font.size": 10,
            "lines.linewidth": 2,
            "image.cmap": _theme["images"],
            "image.interpolation": "nearest",
            "figure.figsize": (WIDTH, 3.6),
            "figure.constrained_layout.use": True,
            "figure.constrained_layout.wspace": 0.01,
            "figure.constrained_layout.hspace": 0.01,
            "image.aspect": "equal",
            "axes.prop_cycle": mpl.cycler(color=PALETTE),
        }
    )


def color(role):
    """The theme's colour for "paper", "ink" or "faint", or its colour map for "images" or "signed" numbers."""
    return _theme[role]


def images(pictures, titles=None, columns=None, low=0, high=255, size=0.9, signed=False, photo=False):
    """Draw pictures side by side on one common scale, ink dark on paper. Returns the array of axes.

    Shapes: pictures (N, H, W), or (N, H, W, 3) for colour. `low` and `high` are the values at the two ends of the
    scale; `signed=True` takes a scale with zero in the middle, `photo=True` one on which 0 is black in every theme.
    `size` is the width of one picture in inches.
    """
    pictures = np.asarray(pictures)
    if pictures.ndim not in (3, 4) or not len(pictures):
        raise ValueError(
            f"images expected (N, H, W) or (N, H, W, 3), got {pictures.shape}: for one picture use x[None]"
        )
    columns = columns or min(len(pictures), 10)
    rows = math.ceil(len(pictures) / columns)
    size = min(size, WIDTH / columns)
    tall = max(0.94 * size, size - 0.12) * pictures.shape[1] / pictures.shape[2]
    tall += 0.25 if titles is not None else 0.06
    _, axes = plt.subplots(rows, columns, figsize=(columns * size, rows * tall), squeeze=False)
    limit = np.abs(pictures.astype(float)).max() if signed else None
    scale = {"vmin": low, "vmax": high, "cmap": "gray" if photo else color("images")}
    if signed:
        scale = {"vmin": -limit, "vmax": limit, "cmap": color("signed")}
    for index, axis in enumerate(axes.flat):
        axis.set(xticks=[], yticks=[])
        axis.spines[:].set(visible=True, color=color("faint"))
        if index < len(pictures):
            axis.imshow(pictures[index], **scale)
            if titles is not None:
                axis.set_title(titles[index], loc="center", fontsize=9, weight="normal", pad=4)
        else:
            axis.set_visible(False)
    return axes


def arrow(axis, vector, start=(0, 0), color=BLUE, label=None):
    """Draw a two-dimensional vector as an arrow from `start`, with its name at the tip."""
    start, tip = np.asarray(start, float), np.add(start, vector)
    axis.annotate(
        "",
        tip,
        start,
        arrowprops={"arrowstyle": "-|>", "color": color, "lw": 2.2, "shrinkA": 0, "shrinkB": 0},
    )
    axis.plot(*tip, alpha=0)  # an annotation does not widen the axes by itself
    if label:
        axis.annotate(label, tip, xytext=(6, 6), textcoords="offset points", color=color, weight="bold")


def matrix(axis, values, left=0, top=0, colors=None, name=None):
    """Draw a matrix as a table of numbered boxes, one unit wide each, with its upper left corner at (left, top).

    Shapes: values (N, M); colors (N, M) of colour names, "" for a box that stays paper. Several matrices fit on one
    axis; y points down and the frame disappears. `name` stands above.
    """
    values = np.asarray(values)
    colors = np.full(values.shape, "") if colors is None else np.asarray(colors)
    for (row, column), value in np.ndenumerate(values):
        corner, tint = (left + column, top + row), str(colors[row, column])
        face = mpl.colors.to_rgba(tint, 0.4) if tint else "none"
        axis.add_patch(plt.Rectangle(corner, 1, 1, facecolor=face, edgecolor=color("ink"), linewidth=0.8))
        axis.text(corner[0] + 0.5, corner[1] + 0.53, f"{value:g}", ha="center", va="center")
    if name:
        axis.text(left + values.shape[1] / 2, top - 0.25, name, ha="center", va="bottom")
        axis.plot(left, top - 0.8, alpha=0)  # text does not widen the axes by itself
    axis.set(aspect="equal")
    axis.axis("off")
    axis.autoscale()
    axis.yaxis.set_inverted(True)


def regions(axis, says, x, y):
    """Colour the plane between the limits `x` and `y`, such as (0, 1), by the class that `says` gives to each point.

    says: (N, 2) -> (N,) whole numbers or booleans; class 0 gets the first colour of PALETTE, class 1 the second.
    """
    across, up = np.meshgrid(np.linspace(*x, 301), np.linspace(*y, 301))
    classes = np.asarray(says(np.stack([across.ravel(), up.ravel()], axis=1))).astype(int)
    tints = mpl.colors.to_rgba_array(PALETTE, 0.25)[classes].reshape(*across.shape, 4)
    axis.imshow(tints, extent=(*x, *y), origin="lower", aspect="auto")
    axis.grid(visible=False)


def amounts(axis, values, unit):
    """Draw what things cost, such as {"loop": 0.02}, as dots on a logarithmic axis in `unit`, the first one on top."""
    in_words = mpl.ticker.EngFormatter(unit, places=1)
    axis.scatter([*values.values()], [*values], s=70, zorder=3)
    for name, value in values.items():
        axis.annotate(in_words(value), (value, name), xytext=(0, 9), textcoords="offset points", ha="center")
    axis.set(xscale="log")
    axis.margins(0.18, 0.35)
    axis.xaxis.set_major_formatter(mpl.ticker.EngFormatter(unit))
    axis.minorticks_off()
    axis.yaxis.set_inverted(True)


def png(alt):
    """The current figure as PNG bytes that carry their own description; closes the figure.

    Raises ValueError where there is nothing to see, or no words for it.
    """
    if len(alt.strip()) < 20:
        raise ValueError(
            f"a figure needs a sentence of at least 20 characters for those who can't see it, got {alt!r}"
        )
    if not plt.get_fignums():
        raise ValueError("there is no figure to show: draw one first, in the same cell")
    figure = plt.gcf()
    axes = [axis for axis in figure.axes if axis.get_visible()]
    empty = [axis for axis in axes if not (axis.has_data() or axis.texts or axis.tables)]
    if not axes or empty:
        plt.close(figure)
        raise ValueError(f"the figure has {len(empty)} of {len(axes)} axes with nothing drawn on them")
    buffer = io.BytesIO()
    # No version of Matplotlib in the file: the same figure gives the same bytes.
    figure.savefig(buffer, format="png", dpi=150, metadata={"Software": None, "Description": alt})
    plt.close(figure)
    return buffer.getvalue()


def bundle(image, alt):
    """The metadata of an output that holds `image` (PNG bytes): its width on the page and its words."""
    width = int.from_bytes(image[16:20], "big")  # the PNG header
    return {"image/png": {"width": round(width * 96 / 150), "alt": alt}}


def show(alt):
    """Show the current figure; `alt` says in a sentence or two what it shows. Returns None."""
    image = png(alt)
    display({"image/png": image, "text/plain": f"Figure: {alt}"}, raw=True, metadata=bundle(image, alt))


use_theme("light")
