"""Training runs that take longer than a notebook may: ``python -m shared train NAME``, seeded and resumable.

What they leave behind, the weights, is stored beside the chapter; its notebooks evaluate them again on every run.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from shared import augmentation, data, datasets, models, nn, optim, training
from shared.progress import ROOT


@dataclass(frozen=True)
class Recipe:
    """Everything that decides a training run, but for its seed.

    about: what comes out, in a line. folder: the chapter beside which the weights are stored. model: rng -> Module.
    dataset: () -> (train, test), pairs (x, y). optimizer: parameters -> Optimizer; its learning rate is the highest
    one of a one-cycle schedule. transform: (x, rng) -> x for the batches of training.
    """

    about: str
    folder: str
    model: Callable
    dataset: Callable
    optimizer: Callable
    epochs: int
    batch_size: int = 128
    label_smoothing: float = 0.0
    warm_up: float = 0.25
    transform: Callable | None = None

    def run(self, name, seed=0, validate=False, quiet=False, processes=1):
        """Train with one seed, store the weights and beside them the history of `fit`. Returns the path, the history.

        A run that was interrupted goes on where it was. validate: keep the last 10,000 examples of training back,
        measure on them after each epoch and store the history only: this is how a recipe is chosen. The test data
        are not touched. processes: how many share each batch; an interrupted run must go on with as many. Dropout and
        batch normalisation then give other weights, other layers the same but for rounding.
        """
        path = weights(name, seed)
        path.parent.mkdir(exist_ok=True)
        checkpoint = path.with_suffix(".validation.checkpoint" if validate else ".checkpoint")
        rng = np.random.default_rng(seed)
        model, (x, y) = self.model(rng), self.dataset()[0]
        kept = len(x) - 10_000 if validate else len(x)
        loader = data.DataLoader(
            (x[:kept], y[:kept]), self.batch_size, shuffle=True, transform=self.transform, rng=rng
        )
        optimizer = self.optimizer(model.parameters())
        total_steps = self.epochs * len(loader)
        scheduler = optim.OneCycleLR(optimizer, optimizer.lr, total_steps, pct_start=self.warm_up)
        history = training.fit(
            model if processes == 1 else nn.DataParallel(model, processes),
            nn.CrossEntropyLoss(label_smoothing=self.label_smoothing),
            optimizer,
            loader,
            validation=data.DataLoader((x[kept:], y[kept:]), 1000) if validate else None,
            epochs=self.epochs,
            scheduler=scheduler,
            checkpoint=checkpoint,
            quiet=quiet,
        )
        if not validate:
            training.save(_halved(model.state_dict()), path)
        history_path(name, seed, validate).write_text(json.dumps(history, indent=1) + "\n", encoding="utf-8")
        checkpoint.unlink(missing_ok=True)
        return path, history


def weights(name, seed=0):
    """Where the weights of a recipe are stored."""
    return ROOT / RECIPES[name].folder / "weights" / f"{name}-{seed}.npz"


def history_path(name, seed=0, validate=False):
    """Where the history of a recipe's run is stored: what `fit` returned, as JSON."""
    return weights(name, seed).with_suffix(".validation.json" if validate else ".json")


def trained(name, seed=0):
    """The model of a recipe with its stored weights, in evaluation mode.

    Raises ValueError for an unknown name, FileNotFoundError where nothing was trained with this seed.
    """
    if name not in RECIPES:
        raise ValueError(
            f"trained expected one of {', '.join(RECIPES)}, got {name!r}: look at recipes.RECIPES"
        )
    path = weights(name, seed)
    if not path.exists():
        raise FileNotFoundError(
            f"{path.name} is not there: make it with python -m shared train {name} --seed {seed}"
        )
    model = RECIPES[name].model(np.random.default_rng(seed))
    state = training.load(path).items()
    model.load_state_dict(
        {key: array.astype(np.float32) if array.dtype == np.float16 else array for key, array in state}
    )
    return model.eval()


def _halved(state):
    """Matrices and kernels in 16 bits, at half the size: three significant digits are enough for a weight."""
    return {name: array.astype(np.float16) if array.ndim > 1 else array for name, array in state.items()}


def mnist_images():
    """MNIST for networks that read pictures: (x uint8 (N, 1, 28, 28), y) to learn from, and the same to test."""
    mnist = datasets.load_mnist()
    return (mnist.train_images[:, None], mnist.train_labels), (mnist.test_images[:, None], mnist.test_labels)


def _mlp(rng):
    """784-256-128-10 for pictures (N, 1, 28, 28) with pixels from 0 to 1."""
    return nn.Sequential(
        nn.Flatten(),
        nn.Linear(784, 256, rng=rng),
        nn.ReLU(),
        nn.Linear(256, 128, rng=rng),
        nn.ReLU(),
        nn.Linear(128, 10, rng=rng),
    )


def cifar10():
    """CIFAR-10: (x uint8 (N, 3, 32, 32), y) to learn from, and the same to be tested on."""
    found = datasets.load_cifar10()
    return (found.train_images, found.train_labels), (found.test_images, found.test_labels)


RECIPES = {
    "mlp": Recipe(
        about="MNIST with 784-256-128-10, shifted by up to a pixel: 20 seconds",
        folder="04-image-data",
        model=_mlp,
        dataset=mnist_images,
        optimizer=lambda parameters: optim.Adam(parameters, lr=4e-3),
        epochs=15,
        label_smoothing=0.05,
        transform=augmentation.RandomCrop(28, padding=1),
    ),
    "lenet5": Recipe(
        about="LeNet-5 on MNIST, shifted by up to two pixels: 45 seconds",
        folder="05-cnn",
        model=lambda rng: models.LeNet5(rng=rng),
        dataset=mnist_images,
        optimizer=lambda parameters: optim.Adam(parameters, lr=4e-3),
        epochs=10,
        batch_size=64,
        transform=augmentation.RandomCrop(28, padding=2),
    ),
    "cnn": Recipe(
        about="five convolutions with batch normalisation on MNIST, the best network here: ten minutes",
        folder="05-cnn",
        model=lambda rng: models.SmallCNN(rng=rng),
        dataset=mnist_images,
        optimizer=lambda parameters: optim.AdamW(parameters, lr=6e-3, weight_decay=5e-3),
        epochs=15,
        label_smoothing=0.05,
        transform=augmentation.RandomAffine(10, translate=(0.07, 0.07), scale=(0.9, 1.1), shear=5),
    ),
    "resnet": Recipe(
        about="a residual network on the colour pictures of CIFAR-10: an hour and a half",
        folder="05-cnn",
        model=lambda rng: models.ResNet((1, 1, 1), 32, 10, small=True, rng=rng),
        dataset=cifar10,
        optimizer=lambda parameters: optim.SGD(
            parameters, lr=0.2, momentum=0.9, weight_decay=5e-4, nesterov=True
        ),
        epochs=20,
        label_smoothing=0.05,
        transform=augmentation.Compose(
            [augmentation.RandomCrop(32, padding=4), augmentation.RandomHorizontalFlip()]
        ),
    ),
}
