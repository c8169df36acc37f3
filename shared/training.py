"""The training loop: history, early stopping, and a checkpoint from which it goes on bit for bit."""

import math
import os
from pathlib import Path

import numpy as np
from tqdm.auto import tqdm

from shared import default_rng, optim
from shared.data import DataLoader, _count, _examples
from shared.nn import clip_grad_norm_
from shared.questions import evaluating
from shared.runs import Run, load, save

__all__ = ["evaluate", "fit", "load", "minibatches", "save"]


def minibatches(x, y, batch_size, rng=None):
    """Go once through the examples in random order, a few at a time; the last batch may be smaller.

    Shapes: x (N, …), y (N, …) -> pairs (x (B, …), y (B, …)). Every example comes exactly once.
    Raises ValueError when x and y differ in length, or batch_size is not a whole number above 0.
    Source: Bottou (2010), Large-scale machine learning with stochastic gradient descent.
    Built in 03-backpropagation/03-backprop-by-hand.ipynb.
    """
    _examples("minibatches", (x, y))
    _count("minibatches", "batch_size", batch_size)
    order = default_rng(rng).permutation(len(x))
    for start in range(0, len(x), batch_size):
        rows = order[start : start + batch_size]
        yield x[rows], y[rows]


def evaluate(model, criterion, x, y=None, batch_size=1000):
    """The mean loss, and for class numbers as y the accuracy (else NaN), of a model in evaluation mode.

    Shapes: x (N, …), y (N, …) -> (loss, accuracy from 0 to 1). A DataLoader can stand for x, y and batch_size:
    evaluate(model, criterion, loader). The mode of the model is put back afterwards.
    Raises ValueError when x and y differ in length, or for a criterion that sums or doesn't reduce.
    Source: torch has no such function; its tutorials write this loop anew each time.
    Built in 03-backpropagation/04-layers.ipynb.
    """
    _averaging("evaluate", criterion)
    loader = _loader(x if y is None else (x, y), batch_size=batch_size)
    loss, right, seen = 0.0, 0, 0
    with evaluating(model):
        for x, target in loader:
            output = model(x)
            loss += float(criterion(output, target)) * len(target)
            right += np.sum(output.argmax(axis=1) == target) if target.dtype.kind in "iu" else math.nan
            seen += len(target)
    return loss / seen, float(right) / seen


def fit(
    model,
    criterion,
    optimizer,
    train,
    validation=None,
    epochs=10,
    batch_size=None,
    *,
    scheduler=None,
    patience=None,
    max_norm=None,
    checkpoint=None,
    rng=None,
    quiet=False,
):
    """Train a model. Returns the history: a list with a dictionary for each epoch.

    train, validation: DataLoaders, or pairs (x, y). From a pair, fit makes a loader: train is shuffled by rng into
    batches of batch_size, 64 unless said; a loader brings its own of both. scheduler: a schedule of shared.optim;
    OneCycleLR steps after each batch, the others after each epoch (ReduceLROnPlateau sees the validation loss, or
    without one that of training).
    patience: stop when the validation loss has not got better for so many epochs, and put the best weights back.
    max_norm: clip the gradients. quiet: no progress bar, no lines.
    checkpoint: a file to which everything is written after each epoch, and from which the same call goes on, to the
    same weights as if it had never stopped; with more epochs than before it trains on. The generators of loaders,
    transforms and layers are part of it, where they are called rng.
    Raises FloatingPointError when a loss is not a finite number, with what can be seen; ValueError for patience without
    validation, a setting below 1, batch_size or rng beside a loader, or the checkpoint of another run.
    Source: Goodfellow, Bengio & Courville, Deep Learning, algorithms 8.1 (descent) and 7.1 (early stopping).
    Built in 03-backpropagation/04-layers.ipynb.
    """
    for name, number in {"epochs": epochs, "patience": patience}.items():
        if name == "epochs" or number is not None:
            _count("fit", name, number)
    if patience is not None and validation is None:
        raise ValueError(
            "fit with patience expected validation=(x, y), got None: it watches the validation loss"
        )
    if isinstance(train, DataLoader) and (batch_size, rng) != (None, None):
        advice = "give them to the DataLoader"
        raise ValueError(
            f"fit with a DataLoader expected neither batch_size nor rng, got one of them: {advice}"
        )
    _averaging("fit", criterion)
    train = _loader(train, batch_size=64 if batch_size is None else batch_size, shuffle=True, rng=rng)
    validation = None if validation is None else _loader(validation, batch_size=1000)
    run = Run(model, criterion, optimizer, scheduler, train, validation, max_norm)
    if checkpoint and Path(checkpoint).exists():
        run.restore(load(checkpoint), checkpoint)
    wanted = model.input_grad
    model.requires_input_grad_(False)  # nobody asks for the gradient of the data: a fifth of the time
    try:
        while len(run.history) < epochs and not (patience and len(run.history) - run.best_epoch >= patience):
            facts = {"epoch": len(run.history) + 1, "lr": optimizer.lr}
            facts["loss"] = _epoch(run, criterion, train, max_norm, quiet)
            if validation is not None:
                loss, accuracy = evaluate(model, criterion, validation)
                facts |= {"validation_loss": loss, "validation_accuracy": accuracy}
                if not math.isfinite(loss):
                    what = f"the validation loss is {loss} after epoch {facts['epoch']}"
                    raise FloatingPointError(_diagnosis(model, optimizer, np.zeros(1), what))
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


def _averaging(who, criterion):
    """Refuse a criterion whose loss is no mean over the batch."""
    if getattr(criterion, "reduction", "mean") not in ("mean", "batchmean"):
        found = f"reduction={criterion.reduction!r}: the size of the batches would change the loss"
        raise ValueError(f"{who} expected a criterion with reduction='mean', got {found}")


def _loader(data, **options):
    """A DataLoader as it is; a pair (x, y) as one with these options."""
    return data if isinstance(data, DataLoader) else DataLoader(data, **options)


def _epoch(run, criterion, train, max_norm, quiet):
    """One time through the examples; the mean loss on the way."""
    model, optimizer, total, seen = run.model.train(), run.optimizer, 0.0, 0
    number = len(run.history) + 1
    off = quiet or os.environ.get("IMAGE_JOURNAL_PROGRESS") == "off"  # tests compare what notebooks print
    with tqdm(train, desc=f"epoch {number}", leave=False, disable=off) as batches:
        for step, (x, y) in enumerate(batches, start=1):
            optimizer.zero_grad()
            loss = float(criterion(model(x), y))
            if not math.isfinite(loss):
                what = f"the loss is {loss} in epoch {number}, step {step}"
                raise FloatingPointError(_diagnosis(model, optimizer, x, what))
            model.backward(criterion.backward())
            if max_norm is not None:
                clip_grad_norm_(model.parameters(), max_norm)
            optimizer.step()
            if isinstance(run.scheduler, optim.OneCycleLR):
                run.scheduler.step()
            total, seen = total + loss * len(x), seen + len(x)
    return total / seen


def _diagnosis(model, optimizer, x, what):
    """What can be seen when a loss is not a number: the largest weight, and the likely causes, likeliest first."""
    largest = {name: float(np.abs(p.data).max()) for name, p in model.named_parameters()}
    name = max(largest, key=lambda name: (not math.isfinite(largest[name]), largest[name]), default=None)
    weights = f"; the largest weight is {largest[name]:.3g}, in {name}" if largest else ""
    causes = [
        f"the learning rate, {optimizer.lr:g}, is too high: try a tenth",
        "the inputs are not scaled: pixels belong between 0 and 1",
        "a logarithm or division of 0 in a loss or layer of your own: try gradcheck on it",
    ]
    if not np.isfinite(x).all():
        causes.insert(0, "the inputs of this batch hold NaN or infinity: look at np.isfinite(x)")
    elif np.abs(x).max() > 20:
        causes.insert(0, f"the inputs are not scaled: they reach {np.abs(x).max():g}, divide pixels by 255")
        del causes[2]
    told = "; ".join(f"({place}) {cause}" for place, cause in enumerate(causes[:3], start=1))
    return f"{what}{weights}. Likely causes: {told}. Nothing was saved."


def _line(facts):
    parts = [f"epoch {facts['epoch']}", f"loss ≈ {facts['loss']:.4f}"]
    if not math.isnan(facts.get("validation_accuracy", math.nan)):
        parts.append(f"validation accuracy ≈ {facts['validation_accuracy']:.4f}")
    elif "validation_loss" in facts:
        parts.append(f"validation loss ≈ {facts['validation_loss']:.4f}")
    return " | ".join(parts)
