"""Data on its way to a network: divided, normalised, and handed out in batches."""

import math

import numpy as np

from shared import default_rng


class DataLoader:
    """A dataset in batches. Once through is an epoch: each example comes exactly once, with its own target.

    dataset: a pair of arrays (x, y). shuffle: a new random order every time. drop_last: leave out the last batch when
    it is smaller than the others. transform: a function (x, rng) -> x for each batch of x, such as an augmentation or
    Normalize. rng decides the order, and is what the transform draws from.
    Shapes: x (N, …), y (N, …) -> batches x (B, …), y (B, …); ``len(loader)`` is the number of batches.
    Bytes (uint8, 0 to 255) come out as float32 from 0 to 1, a batch at a time; any other dtype stays. Batches of an
    unshuffled loader are views of the arrays where nothing is computed; they can't be written to.
    Raises ValueError when x and y differ in length or no batch would come, TypeError for what is no pair of arrays.
    Source: torch.utils.data.DataLoader, where (x, y) stands for a TensorDataset and rng for the generator.
    Built in 04-image-data/02-preparing-data.ipynb.
    """

    def __init__(self, dataset, batch_size=1, shuffle=False, drop_last=False, transform=None, rng=None):
        self.dataset = x, _ = _examples("DataLoader", dataset)
        self.batch_size, self.shuffle, self.drop_last = batch_size, shuffle, drop_last
        self.transform, self.rng = transform, default_rng(rng)
        _count("DataLoader", "batch_size", batch_size)
        if not len(self):
            found = f"{len(x)} examples: lower batch_size, or leave drop_last out"
            raise ValueError(f"DataLoader with drop_last expected {batch_size} examples or more, got {found}")

    def __len__(self):
        whole, rest = divmod(len(self.dataset[0]), self.batch_size)
        return whole + (rest > 0 and not self.drop_last)

    def __iter__(self):
        order = self.rng.permutation(len(self.dataset[0])) if self.shuffle else None
        for number in range(len(self)):
            rows = slice(number * self.batch_size, (number + 1) * self.batch_size)
            x, y = (array[rows] if order is None else array[order[rows]] for array in self.dataset)
            if order is None:
                x.flags.writeable = y.flags.writeable = False  # they are the dataset itself
            if x.dtype == np.uint8:
                x = x / np.float32(255)
            yield x if self.transform is None else _transformed(self.transform, x, self.rng), y


class Normalize:
    """Take the mean of each channel away and divide by its standard deviation: a transform, ``normalize(x)``.

    mean, std: a number for each channel, or one for all. They come from the training data, and from nothing else.
    Shapes: x (N, C, H, W) or (N, D) -> the same, in the same dtype; the channel, or feature, is axis 1.
    Raises ValueError for a std that is not above 0 and for other channels, TypeError for x that is not floating-point.
    Source: LeCun, Bottou, Orr & Müller (1998), Efficient BackProp, section 4.3; torchvision.transforms.Normalize.
    Built in 04-image-data/02-preparing-data.ipynb.
    """

    def __init__(self, mean, std):
        self.mean, self.std = (np.atleast_1d(np.asarray(part, np.float64)) for part in (mean, std))
        if not (self.mean.shape == self.std.shape == (self.mean.size,) and (self.std > 0).all()):
            found = f"mean {self.mean.shape} and std {self.std.shape}, the smallest {self.std.min():g}"
            advice = "a feature that never changes can keep its scale: np.where(std > 0, std, 1)"
            raise ValueError(
                f"Normalize expected mean (C,) and std (C,) with every std above 0, got {found}: {advice}"
            )

    def __call__(self, x, rng=None):
        if np.asarray(x).dtype.kind != "f":
            advice = "pixels come from a DataLoader, or by x / np.float32(255)"
            raise TypeError(f"Normalize expected floating-point numbers, got {np.asarray(x).dtype}: {advice}")
        if x.ndim < 2 or self.mean.size not in (1, x.shape[1]):
            advice = "the channel, or feature, is axis 1; one picture is a batch of one: x[None]"
            raise ValueError(f"Normalize expected (N, {self.mean.size}, …), got {x.shape}: {advice}")
        shape = (-1, *[1] * (x.ndim - 2))  # (C, 1, 1) for images
        return (x - self.mean.astype(x.dtype).reshape(shape)) / self.std.astype(x.dtype).reshape(shape)


def channel_statistics(x):
    """The mean and the standard deviation of each channel, over all examples and places: what Normalize needs.

    Shapes: x (N, C, H, W) or (N, D) -> mean (C,), std (C,), float64. Bytes count from 0 to 1, as they
    leave a DataLoader. The std divides by the number of values, as np.std does; a channel that never changes has 0.
    Raises ValueError for another shape, TypeError for what is no array of numbers.
    Source: LeCun, Bottou, Orr & Müller (1998), Efficient BackProp, section 4.3.
    Built in 04-image-data/02-preparing-data.ipynb.
    """
    if not isinstance(x, np.ndarray) or x.dtype.kind not in "fiu":
        found = x.dtype if isinstance(x, np.ndarray) else type(x).__name__
        raise TypeError(
            f"channel_statistics expected an array of numbers, got {found}: try np.array(x, float)"
        )
    if x.ndim not in (2, 4) or not x.size:
        advice = "grey pictures have one channel, x[:, None]"
        raise ValueError(f"channel_statistics expected (N, C, H, W) or (N, D), got {x.shape}: {advice}")
    scale = np.float64(255 if x.dtype == np.uint8 else 1)
    axes, shape = (0, *range(2, x.ndim)), (-1, *[1] * (x.ndim - 2))
    values = x.size / x.shape[1]
    # Float64 for a thousand examples at a time, never for all.
    chunks = [slice(start, start + 1000) for start in range(0, len(x), 1000)]
    mean = sum((x[rows] / scale).sum(axis=axes) for rows in chunks) / values
    squares = sum(((x[rows] / scale - mean.reshape(shape)) ** 2).sum(axis=axes) for rows in chunks)
    return mean, np.sqrt(squares / values)


def random_split(dataset, lengths, stratify=False, rng=None):
    """Divide a dataset at random into parts: each example goes into exactly one of them.

    dataset: a pair of arrays (x, y). lengths: how many examples each part gets, or shares that add up to 1; what
    rounding down leaves over goes to the first parts, one each. stratify: every part gets its share of each class of y,
    to within one example, with more than two parts two.
    Returns a list of pairs (x, y), copies, each in random order.
    Raises ValueError when the lengths do not add up or a part would be empty, TypeError for what is no pair of arrays.
    Source: torch.utils.data.random_split; stratified: Kohavi (1995), A study of cross-validation, section 2.2.
    Built in 04-image-data/02-preparing-data.ipynb.
    """
    x, y = _examples("random_split", dataset)
    if stratify and y.ndim != 1:
        advice = "one-hot rows become numbers by y.argmax(axis=1)"
        raise ValueError(f"random_split with stratify expected classes (N,) as y, got {y.shape}: {advice}")
    rng, parts = default_rng(rng), []
    left = rng.permutation(len(x))
    if stratify:
        left = left[np.argsort(y[left], kind="stable")]  # class after class, each in random order
    for length in _whole_lengths(lengths, len(x)):
        # A staircase from 0 to length, as even as it can be: whoever stands at the edge of a step is taken.
        steps = np.arange(len(left) + 1) * length // len(left)
        taken = np.diff(steps) > 0
        rows, left = rng.permutation(left[taken]), left[~taken]
        parts.append((x[rows], y[rows]))
    return parts


def _whole_lengths(lengths, examples):
    """How many examples each part gets, where lengths may be shares."""
    whole = lengths = list(lengths)
    if math.isclose(sum(lengths), 1):
        whole = [math.floor(examples * share) for share in lengths]
        rest = examples - sum(whole)
        whole = [length + (place < rest) for place, length in enumerate(whole)]
    if sum(whole) != examples or any(length != int(length) or length < 1 for length in whole):
        advice = "give numbers of examples or shares, 1 example or more for each part, as in [0.8, 0.2]"
        raise ValueError(f"random_split expected lengths that add up to {examples}, got {lengths}: {advice}")
    return [int(length) for length in whole]


def _transformed(transform, x, rng):
    """What a transform makes of a batch; refuse what is not a batch of as many examples."""
    new = transform(x, rng)
    if np.shape(new)[:1] != x.shape[:1]:
        found = "None" if new is None else f"{np.shape(new)}"
        advice = "does the transform end in return x?"
        raise ValueError(f"DataLoader expected {len(x)} examples from its transform, got {found}: {advice}")
    return new


def _examples(who, dataset):
    """The pair (x, y); refuse other things, examples without targets, and none at all."""
    if not isinstance(dataset, (tuple, list)) or [isinstance(a, np.ndarray) for a in dataset] != [True, True]:
        found = type(dataset).__name__
        if isinstance(dataset, (tuple, list)):
            found += f" of {', '.join(type(part).__name__ for part in dataset)}"
        raise TypeError(f"{who} expected a pair of arrays, got a {found}: try {who}((x, y), …)")
    x, y = dataset
    if not (x.ndim and y.ndim and 0 < len(x) == len(y)):
        found = f"{x.shape} and {y.shape}: look at the slices"
        raise ValueError(f"{who} expected one target for each example, got {found}")
    return x, y


def _count(who, name, number):
    """Refuse what is not a whole number above 0."""
    if isinstance(number, bool) or not isinstance(number, (int, np.integer)) or number < 1:
        raise ValueError(f"{who} expected {name} as a whole number, 1 or more, got {number!r}: try {name}=10")
