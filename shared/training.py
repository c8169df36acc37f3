"""The training loop: mini-batches, history, early stopping, and a checkpoint from which it goes on bit for bit."""

import json
import math
import os
from pathlib import Path

import numpy as np
from tqdm.auto import tqdm

from shared import default_rng


def minibatches(x, y, batch_size, rng=None):
    """Go once through the examples in random order, a few at a time; the last batch may be smaller.

    Shapes: x (N, …), y (N, …) -> pairs (x (B, …), y (B, …)). Every example comes exactly once.
    Raises ValueError when x and y differ in length.
    Source: Bottou (2010), Large-scale machine learning with stochastic gradient descent.
    Built in 03-backpropagation/03-backprop-by-hand.ipynb.
    """
    if len(x) != len(y):
        raise ValueError(f"minibatches expected one target for each example, got {len(x)} and {len(y)}")
    order = default_rng(rng).permutation(len(x))
    for start in range(0, len(x), batch_size):
        rows = order[start : start + batch_size]
        yield x[rows], y[rows]


def evaluate(model, criterion, x, y, batch_size=1000):
    """The mean loss, and for class numbers as y the accuracy (else NaN), of a model in evaluation mode.

    The mode of the model is put back afterwards. -> (loss, accuracy)
    Built in 03-backpropagation/04-layers.ipynb.
    """
    was_training, loss, right = model.training, 0.0, 0
    model.eval()
    for start in range(0, len(x), batch_size):
        target = y[start : start + batch_size]
        output = model(x[start : start + batch_size])
        loss += float(criterion(output, target)) * len(target)
        right += np.sum(output.argmax(axis=1) == target) if target.dtype.kind in "iu" else math.nan
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

    train, validation: pairs (x, y). scheduler: a schedule of shared.optim; those with ``per_batch`` step after each batch, the
    others after each epoch (ReduceLROnPlateau sees the validation loss). patience: stop when the validation loss has not
    got better for so many epochs, and put the best weights back. max_norm: clip the gradients.
    checkpoint: a file to which everything is written after each epoch, and from which the same call goes on, to the same
    weights as if it had never stopped. rng decides the order of the examples.
    Raises FloatingPointError when the loss is not a number, with what can be seen; ValueError for patience without
    validation, or a checkpoint of another model.
    Source: Goodfellow, Bengio & Courville, Deep Learning, algorithms 8.1 and 7.2 (early stopping).
    Built in 03-backpropagation/04-layers.ipynb.
    """
    if patience is not None and validation is None:
        raise ValueError("fit with patience needs validation data: what should get no better, and when?")
    run = _Run(model, optimizer, scheduler, default_rng(rng))
    if checkpoint and Path(checkpoint).exists():
        run.load(checkpoint)
    while len(run.history) < epochs and not run.patience_is_over(patience):
        loss = _epoch(run, criterion, train, batch_size, max_norm, len(run.history) + 1, quiet)
        facts = {"epoch": len(run.history) + 1, "loss": loss, "lr": optimizer.lr}
        if validation is not None:
            facts["validation_loss"], facts["validation_accuracy"] = evaluate(model, criterion, *validation)
        if scheduler is not None and not scheduler.per_batch:
            metric = facts.get("validation_loss", loss)
            scheduler.step(metric) if hasattr(scheduler, "patience") else scheduler.step()
        run.finish_epoch(facts)
        if checkpoint:
            run.save(checkpoint)
        if not quiet:
            print(_line(facts))
    if patience is not None:
        model.load_state_dict(run.best)
    return run.history


def _epoch(run, criterion, train, batch_size, max_norm, number, quiet):
    """One time through the examples; the mean loss on the way."""
    model, optimizer, total = run.model.train(), run.optimizer, 0.0
    x, y = train
    with tqdm(total=len(x), desc=f"epoch {number}", leave=False, disable=quiet) as bar:
        for step, (inputs, targets) in enumerate(minibatches(x, y, batch_size, run.rng), 1):
            optimizer.zero_grad()
            loss = float(criterion(model(inputs), targets))
            if not math.isfinite(loss):
                raise FloatingPointError(_diagnosis(model, optimizer, inputs, loss, number, step))
            model.backward(criterion.backward())
            if max_norm is not None:
                from shared import nn

                nn.clip_grad_norm_(model.parameters(), max_norm)
            optimizer.step()
            if run.scheduler is not None and run.scheduler.per_batch:
                run.scheduler.step()
            total += loss * len(inputs)
            bar.update(len(inputs))
    return total / len(x)


def _diagnosis(model, optimizer, inputs, loss, epoch, step):
    largest = {name: float(np.abs(p.data).max()) for name, p in model.named_parameters()}
    name = max(largest, key=lambda key: (not math.isfinite(largest[key]), largest[key]))
    if not np.isfinite(inputs).all():
        first = "the inputs of this batch hold NaN or infinity: look at how they were prepared"
    else:
        first = f"the learning rate {optimizer.lr:g} is too high: try a tenth"
    return (
        f"the loss is {loss} in epoch {epoch}, step {step}; the largest weight is {largest[name]:.3g}, in {name}. "
        f"Likely causes: (1) {first}; (2) the inputs are not scaled: pixels belong between 0 and 1; (3) log or division of 0 in a "
        "loss of your own: use CrossEntropyLoss on logits. The weights are as they were before this step."
    )


def _line(facts):
    parts = [f"epoch {facts['epoch']}", f"loss ≈ {facts['loss']:.4f}"]
    if "validation_loss" in facts:
        parts.append(f"validation loss ≈ {facts['validation_loss']:.4f}")
        if not math.isnan(facts["validation_accuracy"]):
            parts.append(f"validation accuracy ≈ {facts['validation_accuracy']:.4f}")
    return " | ".join(parts)


class _Run:
    """Everything that a training run is made of, so that it can be written down and taken up again."""

    def __init__(self, model, optimizer, scheduler, rng):
        self.model, self.optimizer, self.scheduler, self.rng = model, optimizer, scheduler, rng
        self.history, self.best, self.best_loss, self.best_epoch = [], model.state_dict(), math.inf, 0

    def finish_epoch(self, facts):
        self.history.append(facts)
        if facts.get("validation_loss", math.inf) < self.best_loss:
            self.best_loss, self.best_epoch = facts["validation_loss"], facts["epoch"]
            self.best = self.model.state_dict()

    def patience_is_over(self, patience):
        return patience is not None and len(self.history) - self.best_epoch > patience

    def generators(self):
        """Every source of chance in the run, each once."""
        own = [getattr(module, "rng", None) for module in self.model.modules()]
        found = [default_rng(), self.rng, *(rng for rng in own if rng is not None)]
        return list({id(rng): rng for rng in found}.values())

    def save(self, path):
        optimizer = self.optimizer.state_dict()
        facts = {
            "history": self.history,
            "best": [self.best_loss, self.best_epoch],
            "lr": optimizer["lr"],
            "scheduler": self.scheduler.state_dict() if self.scheduler else None,
            "settings": {
                name: getattr(self.optimizer, name)
                for name in ("betas", "momentum")
                if hasattr(self.optimizer, name)
            },
            "generators": [rng.bit_generator.state for rng in self.generators()],
        }
        arrays = {f"model/{name}": array for name, array in self.model.state_dict().items()}
        arrays |= {f"best/{name}": array for name, array in self.best.items()}
        for index, memory in enumerate(optimizer["memory"]):
            arrays |= {f"optimizer/{index}/{name}": np.asarray(value) for name, value in memory.items()}
        save(arrays | {"facts": np.array(json.dumps(facts))}, path)

    def load(self, path):
        arrays = load(path)
        facts = json.loads(str(arrays.pop("facts")))
        self.model.load_state_dict(_below("model/", arrays))
        self.best, (self.best_loss, self.best_epoch) = _below("best/", arrays), facts["best"]
        memory = [_below(f"optimizer/{index}/", arrays) for index in range(len(self.optimizer.params))]
        self.optimizer.load_state_dict({"lr": facts["lr"], "memory": memory})
        for name, value in facts["settings"].items():
            setattr(self.optimizer, name, tuple(value) if isinstance(value, list) else value)
        if self.scheduler:
            self.scheduler.load_state_dict(facts["scheduler"])
        for rng, state in zip(self.generators(), facts["generators"], strict=True):
            rng.bit_generator.state = state
        self.history = facts["history"]


def _below(prefix, arrays):
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}


def save(state, path):
    """Write a dictionary of arrays (a ``state_dict()``) as .npz; a crash leaves the old file or the new one, never half.

    Source: torch.save, for arrays only and without pickle.
    Built in 03-backpropagation/04-layers.ipynb.
    """
    new = Path(f"{path}.new")
    with new.open("wb") as file:
        np.savez(file, **state)
    os.replace(new, path)


def load(path):
    """Read a dictionary of arrays that ``save`` has written. Nothing in the file is executed.

    Raises ValueError when the file is not such a file or is damaged.
    Built in 03-backpropagation/04-layers.ipynb.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            return dict(file)
    except FileNotFoundError:
        raise
    except Exception as error:
        raise ValueError(
            f"{path} is not a file of weights, or it is damaged ({error}): write it anew with save"
        ) from error
