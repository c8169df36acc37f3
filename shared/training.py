"""The training loop: mini-batches, history, early stopping, and a checkpoint from which it goes on bit for bit."""

import json
import math
import os
from pathlib import Path

import numpy as np
from tqdm.auto import tqdm

from shared import default_rng, optim
from shared.nn import clip_grad_norm_


def minibatches(x, y, batch_size, rng=None):
    """Go once through the examples in random order, a few at a time; the last batch may be smaller.

    Shapes: x (N, …), y (N, …) -> pairs (x (B, …), y (B, …)). Every example comes exactly once.
    Raises ValueError when x and y differ in length, or batch_size is not a whole number above 0.
    Source: Bottou (2010), Large-scale machine learning with stochastic gradient descent.
    Built in 03-backpropagation/03-backprop-by-hand.ipynb.
    """
    _pairs("minibatches", x, y)
    _count("minibatches", "batch_size", batch_size)
    order = default_rng(rng).permutation(len(x))
    for start in range(0, len(x), batch_size):
        rows = order[start : start + batch_size]
        yield x[rows], y[rows]


def evaluate(model, criterion, x, y, batch_size=1000):
    """The mean loss, and for class numbers as y the accuracy (else NaN), of a model in evaluation mode.

    Shapes: x (N, …), y (N, …) -> (loss, accuracy from 0 to 1). The mode of the model is put back afterwards.
    Raises ValueError when x and y differ in length.
    Source: torch has no such function; its tutorials write this loop anew each time.
    Built in 03-backpropagation/04-layers.ipynb.
    """
    _pairs("evaluate", x, y)
    was_training, loss, right = model.training, 0.0, 0
    model.eval()
    try:
        for start in range(0, len(x), batch_size):
            target = y[start : start + batch_size]
            output = model(x[start : start + batch_size])
            loss += float(criterion(output, target)) * len(target)
            right += np.sum(output.argmax(axis=1) == target) if target.dtype.kind in "iu" else math.nan
    finally:
        model.train(was_training)
    return loss / len(x), float(right) / len(x)


def fit(
    model,
    criterion,
    optimizer,
    train,
    validation=None,
    epochs=10,
    batch_size=64,
    *,
    scheduler=None,
    patience=None,
    max_norm=None,
    checkpoint=None,
    rng=None,
    quiet=False,
):
    """Train a model. Returns the history: a list with a dictionary for each epoch.

    train, validation: pairs (x, y). scheduler: a schedule of shared.optim; OneCycleLR steps after each batch, the
    others after each epoch (ReduceLROnPlateau sees the validation loss, or without one that of training).
    patience: stop when the validation loss has not got better for so many epochs, and put the best weights back.
    max_norm: clip the gradients. rng decides the order of the examples. quiet: no progress bar, no lines.
    checkpoint: a file to which everything is written after each epoch, and from which the same call goes on, to the
    same weights as if it had never stopped; with more epochs than before it trains on.
    Raises FloatingPointError when a loss is not a finite number, with what can be seen; ValueError for patience without
    validation, a setting below 1, or the checkpoint of another run.
    Source: Goodfellow, Bengio & Courville, Deep Learning, algorithms 8.1 (descent) and 7.1 (early stopping).
    Built in 03-backpropagation/04-layers.ipynb.
    """
    for name, number in {"epochs": epochs, "batch_size": batch_size, "patience": patience}.items():
        if name != "patience" or patience is not None:
            _count("fit", name, number)
    if patience is not None and validation is None:
        raise ValueError(
            "fit with patience expected validation=(x, y), got None: it watches the validation loss"
        )
    kind = {
        "criterion": type(criterion).__name__,
        "batch_size": batch_size,
        "max_norm": max_norm,
        "validation": validation is not None,
        "examples": len(train[0]),
    }
    run = _Run(model, optimizer, scheduler, default_rng(rng), kind)
    if checkpoint and Path(checkpoint).exists():
        run.restore(load(checkpoint), checkpoint)
    wanted = model.input_grad
    model.requires_input_grad_(False)  # nobody asks for the gradient of the data: a fifth of the time
    try:
        while len(run.history) < epochs and not (patience and len(run.history) - run.best_epoch >= patience):
            facts = {"epoch": len(run.history) + 1, "lr": optimizer.lr}
            facts["loss"] = _epoch(run, criterion, train, batch_size, max_norm, quiet)
            if validation is not None:
                loss, accuracy = evaluate(model, criterion, *validation)
                facts |= {"validation_loss": loss, "validation_accuracy": accuracy}
            run.finish_epoch(facts)
            if checkpoint:
                save(run.state(), checkpoint)
            if not quiet:
                print(_line(facts))
    finally:
        model.requires_input_grad_(wanted)
    if patience is not None:
        model.load_state_dict(run.best)
    return run.history


def _epoch(run, criterion, train, batch_size, max_norm, quiet):
    """One time through the examples; the mean loss on the way."""
    model, optimizer, total, number = run.model.train(), run.optimizer, 0.0, len(run.history) + 1
    off = quiet or os.environ.get("IMAGE_JOURNAL_PROGRESS") == "off"  # tests compare what notebooks print
    with tqdm(total=len(train[0]), desc=f"epoch {number}", leave=False, disable=off) as bar:
        for step, (x, y) in enumerate(minibatches(*train, batch_size, run.rng), start=1):
            optimizer.zero_grad()
            loss = float(criterion(model(x), y))
            if not math.isfinite(loss):
                raise FloatingPointError(
                    _diagnosis(run, x, f"the loss is {loss} in epoch {number}, step {step}")
                )
            model.backward(criterion.backward())
            if max_norm is not None:
                clip_grad_norm_(model.parameters(), max_norm)
            optimizer.step()
            if isinstance(run.scheduler, optim.OneCycleLR):
                run.scheduler.step()
            total += loss * len(x)
            bar.update(len(x))
    return total / len(train[0])


def _diagnosis(run, x, what):
    """What can be seen when a loss is not a number: the largest weight, and the likely causes, likeliest first."""
    largest = {name: float(np.abs(p.data).max()) for name, p in run.model.named_parameters()}
    name = max(largest, key=lambda name: (not math.isfinite(largest[name]), largest[name]))
    causes = [
        f"the learning rate, {run.optimizer.lr:g}, is too high: try a tenth",
        "the inputs are not scaled: pixels belong between 0 and 1",
        "a logarithm or division of 0 in a loss or layer of your own: try gradcheck on it",
    ]
    if not np.isfinite(x).all():
        causes.insert(0, "the inputs of this batch hold NaN or infinity: look at np.isfinite(x)")
    elif np.abs(x).max() > 20:
        causes.insert(0, f"the inputs are not scaled: they reach {np.abs(x).max():g}, divide pixels by 255")
        del causes[2]
    told = "; ".join(f"({place}) {cause}" for place, cause in enumerate(causes[:3], start=1))
    return f"{what}; the largest weight is {largest[name]:.3g}, in {name}. Likely causes: {told}. Nothing was saved."


def _line(facts):
    parts = [f"epoch {facts['epoch']}", f"loss ≈ {facts['loss']:.4f}"]
    if not math.isnan(facts.get("validation_accuracy", math.nan)):
        parts.append(f"validation accuracy ≈ {facts['validation_accuracy']:.4f}")
    elif "validation_loss" in facts:
        parts.append(f"validation loss ≈ {facts['validation_loss']:.4f}")
    return " | ".join(parts)


class _Run:
    """Everything that a training run is made of, so that it can be written down and taken up again."""

    def __init__(self, model, optimizer, scheduler, rng, kind):
        self.model, self.optimizer, self.scheduler, self.rng = model, optimizer, scheduler, rng
        self.kind = kind | {"optimizer": type(optimizer).__name__, "scheduler": type(scheduler).__name__}
        self.history, self.best, self.best_loss, self.best_epoch = [], {}, math.inf, 0

    def finish_epoch(self, facts):
        """Write the epoch into the history, keep the best weights, let the schedule step."""
        loss = facts.get("validation_loss", facts["loss"])
        if not math.isfinite(loss):
            what = f"the validation loss is {loss} after epoch {facts['epoch']}"
            raise FloatingPointError(_diagnosis(self, np.zeros(1), what))
        if "validation_loss" in facts and loss < self.best_loss:
            self.best, self.best_loss, self.best_epoch = self.model.state_dict(), loss, facts["epoch"]
        if isinstance(self.scheduler, optim.ReduceLROnPlateau):
            self.scheduler.step(loss)
        elif self.scheduler is not None and not isinstance(self.scheduler, optim.OneCycleLR):
            self.scheduler.step()
        self.history.append(facts)

    def generators(self):
        """Every source of chance in the run, each once."""
        own = [default_rng(module.rng) for module in self.model.modules() if hasattr(module, "rng")]
        return list({id(rng): rng for rng in [default_rng(), self.rng, *own]}.values())

    def state(self):
        """All of it as one dictionary of arrays, for ``save``; the numbers that are no arrays as text."""
        arrays = {f"model/{name}": array for name, array in self.model.state_dict().items()}
        arrays |= {f"best/{name}": array for name, array in self.best.items()}
        settings = self.optimizer.state_dict()
        for place, memory in enumerate(settings.pop("memory")):
            arrays |= {f"optimizer/{place}/{name}": np.asarray(value) for name, value in memory.items()}
        facts = {name: getattr(self, name) for name in ("kind", "history", "best_loss", "best_epoch")}
        facts |= {"settings": settings, "scheduler": self.scheduler and self.scheduler.state_dict()}
        facts |= {"generators": [rng.bit_generator.state for rng in self.generators()]}
        return arrays | {"facts": np.array(json.dumps(facts, default=lambda value: value.tolist()))}

    def restore(self, arrays, path):
        """Take up the run that ``state`` has written down. Raises ValueError when it was another one."""
        facts = json.loads(str(arrays.pop("facts", "{}")))
        theirs = facts.get("kind", {})
        if wrong := [
            f"{name} {theirs.get(name)}" for name in self.kind if theirs.get(name) != self.kind[name]
        ]:
            mine = ", ".join(f"{name} {value}" for name, value in self.kind.items())
            advice = "take another file for another run, or delete this one"
            raise ValueError(
                f"fit expected a checkpoint with {mine}; {path} has {', '.join(wrong)}: {advice}"
            )
        self.model.load_state_dict(_below("model/", arrays))
        memory = [_below(f"optimizer/{place}/", arrays) for place in range(len(self.optimizer.params))]
        memory = [
            {name: array if array.ndim else array.item() for name, array in one.items()} for one in memory
        ]
        settings = {name: tuple(v) if isinstance(v, list) else v for name, v in facts["settings"].items()}
        if self.scheduler is not None:
            self.scheduler.load_state_dict(facts["scheduler"])
        self.optimizer.load_state_dict(settings | {"memory": memory})
        for rng, state in zip(self.generators(), facts["generators"], strict=True):
            rng.bit_generator.state = state
        self.best, self.history = _below("best/", arrays), facts["history"]
        self.best_loss, self.best_epoch = facts["best_loss"], facts["best_epoch"]


def _below(prefix, arrays):
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}


def save(state, path):
    """Write a dictionary of arrays (a ``state_dict()``) as .npz; a crash leaves the old file or the new one.

    Raises TypeError for what is no array of numbers or text, an OSError when the file can't be written.
    Source: torch.save, for arrays only and without pickle.
    Built in 03-backpropagation/04-layers.ipynb.
    """
    arrays = {name: np.asarray(value) for name, value in state.items()}
    if wrong := [name for name, array in arrays.items() if array.dtype.hasobject]:
        raise TypeError(f"save expected arrays, got objects in {', '.join(wrong)}: pass model.state_dict()")
    new = Path(f"{path}.new")
    with new.open("wb") as file:
        np.savez(file, **arrays)
        file.flush()
        os.fsync(file.fileno())  # on the disk before the name changes, should the power fail
    os.replace(new, path)


def load(path):
    """Read a dictionary of arrays that ``save`` has written. Nothing in the file is executed.

    Raises FileNotFoundError when there is none, ValueError when the file is not such a file or is damaged.
    Source: torch.load with weights_only=True.
    Built in 03-backpropagation/04-layers.ipynb.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            return dict(file)
    except (FileNotFoundError, IsADirectoryError, PermissionError):
        raise
    except Exception as error:
        advice = "write it anew with training.save(model.state_dict(), path)"
        raise ValueError(
            f"load expected a file of weights, got {path}, damaged or of another kind: {advice}"
        ) from error


def _pairs(who, x, y):
    """Refuse examples without targets, and none at all."""
    if len(x) != len(y) or not len(x):
        raise ValueError(
            f"{who} expected one target for each example, got {len(x)} and {len(y)}: look at the slices"
        )


def _count(who, name, number):
    """Refuse what is not a whole number above 0."""
    if isinstance(number, bool) or not isinstance(number, (int, np.integer)) or number < 1:
        raise ValueError(f"{who} expected {name} as a whole number, 1 or more, got {number!r}: try {name}=10")
