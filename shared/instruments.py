"""Instruments for a training run: what goes through each layer, how far steps go, what a batch or a rate can do.

All work on copies: model, optimizer, running statistics and generators stay as they are. ``step`` is the learner's own
step(model, criterion, optimizer, x, y), one update of what it is given; None stands for the usual four lines.
"""

import copy
import math
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np

from shared import default_rng, optim
from shared.gradcheck import numerical_gradient
from shared.questions import in_one_process
from shared.training import minibatches

__all__ = ["by_heart", "closed_units", "lr_range_test", "overfit_batch", "record", "slope_ratios"]
__all__ += ["update_ratios"]  # the others serve diagnosis.py


class Layer(NamedTuple):
    """What a batch leaves at a layer: its output, and the gradients of the loss at its output and at its input."""

    name: str
    module: object
    output: np.ndarray
    grad_output: np.ndarray
    grad_input: np.ndarray


def record(model, criterion, batch):
    """Send a batch (x, y) forward and back, with dropout switched off. Returns a Layer for each innermost module.

    Shapes: output and grad_output are alike; grad_input is as the input of the layer.
    Raises ValueError for a DataParallel, of which it would hear one part.
    Source: Glorot & Bengio (2010), figures 2 to 4 and 7: activations and gradients, layer by layer.
    Built in 03-backpropagation/09-debugging.ipynb.
    """
    in_one_process(record, model)
    with aside(model, criterion) as (model, criterion):
        notes = [{"name": name, "module": module} for name, module in innermost(still(model))]
        for note in notes:
            overhear(note, "forward", ["input", "output"])
            overhear(note, "backward", ["grad_output", "grad_input"])
        gradients(model, criterion, *batch)
    return [Layer(*(note[field] for field in Layer._fields)) for note in notes if "grad_output" in note]


def closed_units(layer):
    """The share of a Layer's units (or channels) that pass no gradient on, such as ReLUs that are off for all examples.

    Less than a thousandth is nothing. None for a layer with weights, or with another number of units than before it.
    Source: CS231n, Neural Networks Part 1, on dead ReLUs.
    Built in 03-backpropagation/09-debugging.ipynb.
    """
    into, out = layer.grad_input, layer.grad_output
    if any(True for _ in layer.module.parameters()) or into is None or into.shape[1:2] != out.shape[1:2]:
        return None
    into, out = (np.abs(grad).sum(axis=(0, *range(2, grad.ndim))) for grad in (into, out))
    return (
        float(np.mean((into < 1e-3 * out)[out > 0])) if out.any() else None
    )  # of others the loss wants nothing


def update_ratios(before, after):
    """How far a step has moved each weight, |after - before| / |before|; without biases, which may start at 0.

    before, after: two state_dict() -> {name: ratio}. About 1e-3 is healthy once the training has settled.
    Source: CS231n, Neural Networks Part 3, "Ratio of weights:updates".
    Built in 03-backpropagation/09-debugging.ipynb.
    """
    norm, weights = np.linalg.norm, [name for name, array in before.items() if array.ndim > 1 and array.any()]
    return {name: float(norm(after[name] - before[name]) / norm(before[name])) for name in weights}


def slope_ratios(model, criterion, batch, *, rng=None):
    """How steep the loss is along each parameter, divided by what backward says: 1 when it is right, -1 for a sign.

    -> {name: ratio}, from one measured slope for each, in float64, along the gradient with something random added, and
    a little beside the weights, where no ReLU stands at 0 exactly. gradcheck asks each number; this is for whole nets.
    Source: Griewank & Walther (2008), section 3.1, directional derivatives.
    Built in 03-backpropagation/09-debugging.ipynb.
    """
    with aside(model, criterion, default_rng(rng)) as (model, criterion, rng):
        x, y = (part.astype(float) if part.dtype.kind == "f" else part for part in batch)
        still(model.to(np.float64))
        for parameter in model.parameters():
            parameter.data += 0.01 * rng.standard_normal(parameter.shape)
        ratios, grads = {}, gradients(model, criterion, x, y)
        for (name, parameter), grad in zip(model.named_parameters(), grads, strict=True):
            aslant = rng.standard_normal(grad.shape) / math.sqrt(4 * grad.size)
            way = grad / (np.linalg.norm(grad) or 1) + aslant
            measured, said = slope(lambda: criterion(model(x), y), parameter, way), float(np.sum(way * grad))
            noise = 1e-5 * max(1.0, abs(criterion(model(x), y)))
            ratios[name] = 1.0 if abs(measured - said) < noise else measured / said if said else math.inf
    return ratios


def overfit_batch(model, criterion, optimizer, batch, steps=50, step=None):
    """The loss of one batch before each of so many steps on it: whatever can learn at all brings it down. -> (steps,)

    Source: Karpathy (2019), A Recipe for Training Neural Networks, step 2.
    Built in 03-backpropagation/09-debugging.ipynb.
    """
    return losses_of(model, criterion, optimizer, [batch] * steps, step)


def lr_range_test(
    model, criterion, optimizer, data, low=1e-5, high=10.0, steps=100, batch_size=64, *, step=None, rng=None
):
    """Train with a learning rate that grows by the same factor each step, until the loss is four times its least.

    data: (x, y) -> (rates, losses), up to (steps,) each. A good rate lies where the loss falls, well before it rises.
    Source: Smith (2017), Cyclical Learning Rates, section 3.3; there the rate grows along a straight line.
    Built in 03-backpropagation/09-debugging.ipynb.
    """
    rates, losses = np.geomspace(low, high, steps), []
    with aside(model, criterion, optimizer, default_rng(rng)) as (model, criterion, optimizer, rng):
        for rate, batch in zip(rates, batches(*data, batch_size, steps, rng), strict=True):
            losses.append(loss_of(model, criterion, *batch))
            if not losses[-1] <= 4 * min(losses):  # or NaN
                break
            optimizer.lr = float(rate)
            (step or usual_step)(model.train(), criterion, optimizer, *batch)
    return rates[: len(losses)], np.array(losses)


def by_heart(model, criterion, data, *, rng=None):
    """Let the model learn half of the examples by heart. -> (score on them, score on new ones, error of the latter)

    data: (x, y), y class numbers; at most 500 are learned. A score is 0 for guessing, 1 for all right (Cohen's kappa).
    Source: Zhang et al. (2017), Understanding deep learning requires rethinking generalization, on random labels.
    Built in 03-backpropagation/09-debugging.ipynb.
    """
    with aside(model, criterion, default_rng(rng)) as (model, criterion, rng):
        rows, half = rng.permutation(len(data[0])), min(500, len(data[0]) // 2)
        known, new = ([part[chosen] for part in data] for chosen in (rows[:half], rows[half : half + 1000]))
        optimizer, epoch, score = optim.Adam(still(model).parameters(), lr=3e-3), 0, 0.0
        while score < 0.5 and epoch < 60:
            for batch in minibatches(*known, 32, rng):
                usual_step(model, criterion, optimizer, *batch)
            epoch, (score, _) = epoch + 1, kappa(model(known[0]).argmax(axis=1), known[1])
        return score, *kappa(model(new[0]).argmax(axis=1), new[1])


def kappa(said, true):
    """How far answers are above chance, 1 being perfect, and the standard error of that for somebody who guesses."""
    chance = float(sum(np.mean(said == label) * np.mean(true == label) for label in np.unique(true)))
    if chance == 1:
        return 0.0, math.inf  # one class, and the same answer always: no way to be better than chance
    error = math.sqrt(chance / (1 - chance) / len(true))
    return (float(np.mean(said == true)) - chance) / (1 - chance), error


@contextmanager
def aside(*things):
    """Copies of these things, to try something out. The package's generator is put back afterwards."""
    generator = default_rng().bit_generator
    state = generator.state
    try:
        with np.errstate(all="ignore"):  # what is tried out may well explode
            yield copy.deepcopy(things)
    finally:
        generator.state = state


def still(model):
    """Training mode, in which batch normalisation measures, but without chance: dropout drops nothing."""
    for module in model.modules():
        module.training = not hasattr(module, "rng")
    return model


def usual_step(model, criterion, optimizer, x, y):
    optimizer.zero_grad()
    criterion(model(x), y)
    model.backward(criterion.backward())
    optimizer.step()


def loss_of(model, criterion, x, y):
    return float(criterion(still(copy.deepcopy(model))(x), y))


def losses_of(model, criterion, optimizer, batches, step=None, scale=1.0):
    """The loss of each batch just before its step; steps are cut to `scale` of their length, as by a smaller rate."""
    losses = []
    with aside(model, criterion, optimizer) as (model, criterion, optimizer):
        for batch in batches:
            losses.append(loss_of(model, criterion, *batch))
            before = [parameter.data.copy() for parameter in model.parameters()]
            (step or usual_step)(model.train(), criterion, optimizer, *batch)
            for parameter, old in zip(model.parameters(), before, strict=True):
                parameter.data = old + parameter.data.dtype.type(scale) * (parameter.data - old)
    return np.array(losses)


def gradients(model, criterion, x, y):
    model.zero_grad()
    criterion(model(x), y)
    model.backward(criterion.backward())
    return held(model)


def held(model):
    """The gradients that the parameters hold; zeros where there are none."""
    return [np.zeros_like(p.data) if p.grad is None else p.grad.copy() for p in model.parameters()]


def slope(function, parameter, way):
    """How fast function() changes while a parameter moves along `way`: a central difference, float64."""
    start = parameter.data

    def moved(t):
        parameter.data = start + t * way
        return float(function())

    rise = float(
        numerical_gradient(moved, np.zeros(()), h=1e-7)
    )  # so short that hardly a ReLU switches on the way
    parameter.data = start
    return rise


def batches(x, y, batch_size, count, rng):
    """So many mini-batches, beginning anew as often as it takes."""
    while count > 0:
        for batch in list(minibatches(x, y, batch_size, rng))[:count]:
            yield batch
            count -= 1


def innermost(model):
    """Pairs (name, module) of the modules that hold no others."""
    return [(name, module) for name, module in model.named_modules() if not module.named_children()]


def overhear(note, method, names):
    """Let a method of the module write down what it was given and what it returned."""
    function = getattr(note["module"], method)

    def overheard(array):
        result = function(array)
        note.update(zip(names, [array, result], strict=True))
        return result

    setattr(note["module"], method, overheard)
