"""A training run that outlives its process: all that it is made of, in a file that is always whole."""

import json
import math
import os
import zipfile
from pathlib import Path

import numpy as np

from shared import default_rng, files, optim

__all__ = ["load", "save"]  # Run is a part of training.fit


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
        with zipfile.ZipFile(file, "w") as archive:  # np.savez takes some names, such as "file", for its own
            for name, array in arrays.items():
                with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                    np.lib.format.write_array(member, array, allow_pickle=False)
        file.flush()
        os.fsync(file.fileno())  # on the disk before the name changes, should the power fail
    files.replace(new, path)


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


class Run:
    """Everything that a training run is made of, so that it can be written down and taken up again."""

    def __init__(self, model, criterion, optimizer, scheduler, train, validation, max_norm):
        self.model, self.optimizer, self.scheduler = model, optimizer, scheduler
        self.history, self.best, self.best_loss, self.best_epoch = [], {}, math.inf, 0
        self.loaders = [loader for loader in (train, validation) if loader is not None]
        parts = {"criterion": criterion, "optimizer": optimizer, "scheduler": scheduler}
        self.kind = {name: type(part).__name__ for name, part in parts.items()} | {"max_norm": max_norm}
        self.kind |= {"train": _told(train), "validation": validation and _told(validation)}

    def finish_epoch(self, facts):
        """Write the epoch into the history, keep the best weights, let the schedule step."""
        loss = facts.get("validation_loss", facts["loss"])
        if "validation_loss" in facts and loss < self.best_loss:
            self.best, self.best_loss, self.best_epoch = self.model.state_dict(), loss, facts["epoch"]
        if isinstance(self.scheduler, optim.ReduceLROnPlateau):
            self.scheduler.step(loss)
        elif self.scheduler is not None and not isinstance(self.scheduler, optim.OneCycleLR):
            self.scheduler.step()
        self.history.append(facts)

    def generators(self):
        """Every source of chance in the run, each once."""
        parts = [*self.loaders, *(loader.transform for loader in self.loaders), *self.model.modules()]
        own = [default_rng(part.rng) for part in parts if hasattr(part, "rng")]
        return list({id(rng): rng for rng in [default_rng(), *own]}.values())

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
        self._refuse_another(facts.get("kind", {}), path)
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

    def _refuse_another(self, theirs, path):
        if wrong := [
            f"{name} {theirs.get(name)}" for name in self.kind if theirs.get(name) != self.kind[name]
        ]:
            mine = ", ".join(f"{name} {value}" for name, value in self.kind.items())
            advice = "take another file for another run, or delete this one"
            raise ValueError(
                f"fit expected a checkpoint with {mine}; {path} has {', '.join(wrong)}: {advice}"
            )


def _told(loader):
    """A DataLoader in words, such as: 300 x 2 float64 in batches of 64, shuffled."""
    x, transform = loader.dataset[0], loader.transform
    words = [f"{' x '.join(map(str, x.shape))} {x.dtype} in batches of {loader.batch_size}"]
    words += [word for word, said in {"shuffled": loader.shuffle, "whole": loader.drop_last}.items() if said]
    if transform is not None:
        words.append(f"through {getattr(transform, '__name__', type(transform).__name__)}")
    return " ".join(words)


def _below(prefix, arrays):
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}
