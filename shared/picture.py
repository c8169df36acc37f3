"""The picture at the head of README.md: the same hundred test digits, read by each recogniser of the journal so far."""

import matplotlib.pyplot as plt
import numpy as np

from shared import datasets, linalg, neighbors, plots
from shared.notebooks import ROOT


def readings():
    """Name of each recogniser -> what it reads in the first hundred test digits of MNIST, set up as in its notebook."""
    train_images, train_labels, test_images, _ = datasets.load_mnist()
    train, test = (images.reshape(-1, 784).astype(np.float32) for images in (train_images, test_images[:100]))
    pca = linalg.PCA(40).fit(train)
    neighbours = neighbors.KNeighborsClassifier(5).fit(pca.transform(train), train_labels)
    return {
        "Ten average digits": neighbors.NearestCentroid().fit(train, train_labels).predict(test),
        "Nearest neighbours": neighbours.predict(pca.transform(test)),
    }


def draw():
    """Write `road-light.png` and `road-dark.png` beside this file; returns their paths."""
    _, _, test_images, test_labels = datasets.load_mnist()
    read, paths = readings(), []
    for theme in ("light", "dark"):
        plots.use_theme(theme)
        figure, axes = plt.subplots(1, len(read), figsize=(plots.WIDTH, plots.WIDTH / len(read) + 0.2))
        figure.get_layout_engine().set(wspace=0.06)
        for axis, (name, predicted) in zip(axes, read.items(), strict=True):
            sheet = test_images[:100].reshape(10, 10, 28, 28).swapaxes(1, 2).reshape(280, 280)
            axis.imshow(sheet, vmin=0, vmax=255)
            wrong = np.flatnonzero(predicted != test_labels[:100])
            for row, column in zip(*np.divmod(wrong, 10), strict=True):
                box = (28 * column, 28 * row), 27, 27
                axis.add_patch(plt.Rectangle(*box, fill=False, color=plots.ORANGE, linewidth=2))
            axis.set(title=f"{name}: {100 - len(wrong)} of 100", xticks=[], yticks=[])
            axis.spines[:].set_visible(False)
        paths.append(ROOT / "shared" / f"road-{theme}.png")
        paths[-1].write_bytes(
            plots.png("A hundred handwritten digits, read by each recogniser; errors are framed.")
        )
    plots.use_theme("light")
    return paths
