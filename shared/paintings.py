"""Pictures painted by a program, to take styles from: stained glass and brush strokes.

`python -m shared.paintings` makes the pictures of 05-cnn/style anew: about three minutes of one processor.
"""

import time

import numpy as np
from PIL import Image

from shared import datasets, default_rng, images, style
from shared.progress import ROOT

FOLDER = ROOT / "05-cnn" / "style"
JEWELS = "0b3c8c 1565c0 0f7d6b b3122a d9480f f2a900 f7d774 5b2a86 0a1f5c e8e4d0 2a9df4"
NIGHT = "0a1a4a 123a86 2a67b8 6aa5d8 cfe0e4 f5d76e f0a818"  # from dark to light
__all__ = ["brush_strokes", "glass_window", "starry_sky", "stained_glass"]


def _colors(codes):
    return (
        np.array([[int(code[place : place + 2], 16) for place in (0, 2, 4)] for code in codes.split()]) / 255
    )


def stained_glass(size, points, colors, lead=0.006):
    """Panes of coloured glass: each pixel has the colour of the nearest point, and lead runs where two are as near.

    size: of the square, in pixels; points (N, 2), x and y from 0 to 1; colors (N, 3); lead: half its width, as a share
    of the square. A pane is a little lighter in its middle. -> float64 (3, size, size).
    Source: Voronoi (1908); Aurenhammer (1991), Voronoi diagrams.
    Built in 05-cnn/09-style-transfer.ipynb.
    """
    y, x = (np.mgrid[:size, :size] + 0.5) / size
    distance = np.hypot(x - points[:, 0, None, None], y - points[:, 1, None, None])
    first, second = np.argsort(distance, axis=0)[:2]
    near, far = np.sort(distance, axis=0)[:2]
    apart = np.hypot(*(points[first] - points[second]).transpose(2, 0, 1))
    border = (far**2 - near**2) / (2 * apart)  # the distance to the line half way between the two points
    light = 0.85 + 0.3 * np.clip(border * 1.2 * np.sqrt(len(points)), 0, 1)
    glass = np.clip((border - lead) / 0.004, 0, 1)
    return np.clip(colors[first].transpose(2, 0, 1) * light * glass + 0.06 * (1 - glass), 0, 1)


def brush_strokes(img, flow, number, length=14, width=4.4, *, rng=None):
    """Paint a picture anew by strokes, each with the colour that stands where it begins, and along the flow.

    img (3, H, W), from 0 to 1; flow: points (..., 2), x and y in pixels -> directions (..., 2); length and width of a
    stroke in pixels. Later strokes cover earlier ones. Shapes: -> (3, H, W).
    Source: Haeberli (1990), Paint by numbers; Litwinowicz (1997).
    Built in 05-cnn/09-style-transfer.ipynb.
    """
    rng, (H, W) = default_rng(rng), img.shape[1:]
    place = rng.uniform(0, 1, (number, 2)) * [W, H]
    colors = img[:, place[:, 1].astype(int), place[:, 0].astype(int)].T
    across = np.arange(-width / 2, width / 2 + 0.01, 0.5)  # the hairs of the brush, half a pixel apart
    hairs = 1 + 0.16 * np.sin(2.3 * across + rng.uniform(0, 6.3, (number, 1)))
    dots = []
    for _ in range(length + 1):
        direction = flow(place)
        direction = direction / np.linalg.norm(direction, axis=1, keepdims=True)
        aside = direction[:, None, ::-1] * [1, -1]
        dots.append(place[:, None] + across[:, None] * aside)
        place = place + direction
    pixels = np.floor(np.stack(dots, axis=1)).astype(int)  # (number, length + 1, hairs, 2)
    column, row = np.moveaxis(pixels, -1, 0)
    inside = (row >= 0) & (row < H) & (column >= 0) & (column < W)
    paint = np.broadcast_to((colors[:, None] * hairs[:, :, None])[:, None], (*row.shape, 3))
    painted = img.copy()
    painted[:, row[inside], column[inside]] = np.clip(paint[inside].T, 0, 1)  # the last of several stays
    return painted


def glass_window(size=288):
    """A window of about a hundred panes, always the same one. Shapes: -> (3, size, size).

    Source: stained_glass.
    Built in 05-cnn/09-style-transfer.ipynb.
    """
    rng, points = np.random.default_rng(3), []
    for point in rng.uniform(0, 1, (300, 2)):
        if all(np.hypot(*(point - other)) > 0.07 for other in points):  # no slivers
            points.append(point)
    jewels = _colors(JEWELS)
    colors = jewels[rng.integers(0, len(jewels), len(points))] * rng.uniform(0.8, 1.1, (len(points), 1))
    return stained_glass(size, np.array(points), colors)


def starry_sky(size=288):
    """Ten lights in a night of whirls, in brush strokes, always the same. Shapes: -> (3, size, size).

    Source: brush_strokes; after Vincent van Gogh, The Starry Night (1889).
    Built in 05-cnn/09-style-transfer.ipynb.
    """
    rng = np.random.default_rng(1)
    centers, radii = rng.uniform(0, size, (10, 2)), rng.uniform(0.1, 0.22, 10) * size
    turns = rng.choice([-1.6, 1.6], 10)

    def flow(place):
        direction = np.stack([np.full(place.shape[:-1], 0.35), 0.25 * np.sin(place[..., 0] * 9 / size)], -1)
        for center, radius, turn in zip(centers, radii, turns, strict=True):
            away = (place - center) / radius
            direction += (
                turn * np.exp(-np.sum(away**2, axis=-1, keepdims=True) / 2) * away[..., ::-1] * [-1, 1]
            )
        return direction

    y, x = np.mgrid[:size, :size] + 0.5
    away = [np.hypot(x - a, y - b) / r for (a, b), r in zip(centers, radii, strict=True)]
    light = np.max([np.exp(-1.2 * d**2) for d in away], axis=0)
    light += sum(0.12 * np.cos(7 * d) * np.exp(-(d**2) / 3) for d in away) + rng.normal(0, 0.13, (size, size))
    night = _colors(NIGHT)
    sky = np.stack([np.interp(light, np.linspace(-0.1, 1, len(night)), color) for color in night.T])
    return brush_strokes(sky, flow, 5 * size * size // 64, rng=rng)


def main():
    """Paint the two styles, and three photographs in them, as PNG files of 256 x 256 pixels."""
    FOLDER.mkdir(exist_ok=True)
    photographs, styles = datasets.load_photographs(), {"glass": glass_window(), "sky": starry_sky()}
    _save("glass", styles["glass"])
    _save("sky", styles["sky"])
    for name, side, left, model, weight in (
        ("chelsea", 300, 90, "glass", 0.1),
        ("astronaut", 320, 60, "sky", 0.06),
        ("coffee", 400, 110, "glass", 0.1),
    ):
        photograph = getattr(photographs, name).transpose(2, 0, 1) / np.float32(255)
        content = images.resize(images.crop(photograph, 0, left, side, side), (288, 288))
        painting = styles[model].astype(np.float32)
        picture, _ = style.coarse_to_fine(
            lambda size: style.filters_for(size).to(
                np.float32
            ),  # twice as fast, and nobody repeats every bit
            style.match_colors(content, painting),
            painting,
            (36, 72, 144, 288),
            content_weight=weight,
            tv_weight=0.02,
            steps=40,
        )
        _save(f"{name}-{model}", picture)


def _save(name, picture):
    pixels = np.rint(255 * images.center_crop(picture, 256)).astype(np.uint8)
    Image.fromarray(pixels.transpose(1, 2, 0)).quantize(256).save(FOLDER / f"{name}.png", optimize=True)
    print(f"{name}: {time.process_time():.0f} s of the processor so far", flush=True)


if __name__ == "__main__":
    main()
