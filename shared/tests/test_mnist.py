"""The whole package on real digits: a plain network learns to read them, in seconds, wherever its weights begin."""

import numpy as np
import pytest

from shared import datasets, nn, optim, training


@pytest.fixture(scope="module")
def digits():
    """(images, labels) to learn from and to be tested on; pixels are brought to mean 0 and deviation 1."""
    mnist = datasets.load_mnist()
    learn, test = (
        part.reshape(-1, 784).astype(np.float32) for part in (mnist.train_images, mnist.test_images)
    )
    mean, std = learn.mean(dtype=float), learn.std(dtype=float)
    scaled = [(part - np.float32(mean)) / np.float32(std) for part in (learn, test)]
    return (scaled[0], mnist.train_labels), (scaled[1], mnist.test_labels)


@pytest.mark.parametrize("seed", [0, 1])
def test_a_plain_network_reads_98_of_100_digits_after_four_epochs(digits, seed):
    """Rate, batch, smoothing and scaling were chosen on the last 10,000 training digits (98.2 to 98.4 %)."""
    (x, y), test = digits
    rng = np.random.default_rng(seed)
    model = nn.Sequential(nn.Linear(784, 256, rng=rng), nn.ReLU(), nn.Linear(256, 10, rng=rng))
    optimizer = optim.Adam(model.parameters())
    scheduler = optim.OneCycleLR(optimizer, max_lr=4e-3, epochs=4, steps_per_epoch=-(-len(x) // 128))
    criterion = nn.CrossEntropyLoss(label_smoothing=0.1)
    training.fit(model, criterion, optimizer, (x, y), None, 4, 128, scheduler=scheduler, rng=rng, quiet=True)
    assert training.evaluate(model, criterion, *test)[1] >= 0.98
