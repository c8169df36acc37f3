"""Why won't it train? A checklist that looks at a run from outside: each test tries something out on a copy."""

import math
from typing import NamedTuple

import numpy as np

from shared import default_rng, instruments
from shared.gradcheck import relative_error
from shared.instruments import aside, gradients, held, losses_of, still

CAUSES = {  # cause: (what is healthy, what to try)
    "start": ("about what equal scores cost", "Bring the inputs to about 1, or begin with smaller weights."),
    "softmax twice": ("any numbers", "Leave nn.Softmax out of the model: the loss brings its own."),
    "axis": ("classes along axis 1, each example for itself", "Look at every axis= in model, loss and step."),
    "gradient": ("1", "Run gradcheck.gradcheck on this layer, on those after it, and on the loss."),
    "sign": ("against the gradient", "Look for a minus too many or too few, in backward and in the update."),
    "zero_grad": ("0", "Call optimizer.zero_grad() in each step, before backward."),
    "no step": ("a thousandth of its length", "Call optimizer.step(); its parameters must be this model's."),
    "dead units": ("few", "Try a smaller rate, biases that begin at 0, or LeakyReLU."),
    "learning rate": (
        "full steps do best",
        "Bring the inputs to about 1, then use instruments.lr_range_test.",
    ),
    "labels": ("far above 0", "Look at examples beside their labels: were x and y shuffled alike?"),
    "step": ("as far", "Compare it with the usual four lines: do x and y still belong together there?"),
    "stuck": ("it falls", "None of the causes known here: look at instruments.record, layer by layer."),
}


class Finding(NamedTuple):
    """Something that is not as it should be: the cause, what was measured, what is healthy, what to try."""

    cause: str
    saw: str
    healthy: str
    advice: str

    def __str__(self):
        return f"{self.cause}: {self.saw} (healthy: {self.healthy}). {self.advice}"


def diagnose(model, criterion, optimizer, data, step=None, *, rng=None):
    """Go through the checklist. Returns a list of Findings, which is empty when nothing is wrong.

    Mend what is found, and ask again: rate, labels and one batch are judged in a run that is right otherwise.
    data: (x, y), training examples; from fewer than 500 it says nothing about the labels.
    step: the learner's own step(model, criterion, optimizer, x, y), None for the usual four lines.
    Nothing is changed: model, optimizer, running statistics and generators stay as they are.
    Raises ValueError when x and y differ in length, hold fewer than 8 examples, or x holds NaN or infinity.
    Source: Karpathy (2019), A Recipe for Training Neural Networks; CS231n, Neural Networks Part 3.
    Built in 03-backpropagation/09-debugging.ipynb.
    """
    x, y = data
    if not (len(x) == len(y) >= 8 and np.isfinite(x).all()):
        found = f"{len(x)} and {len(y)}, with {np.sum(~np.isfinite(x))} numbers of x not finite"
        raise ValueError(f"diagnose expected 8 examples or more and their targets, got {found}: look at both")
    run, found = _Run(model, criterion, optimizer, x, y, step, default_rng(rng)), {}
    for test in (_loss, _company, _gradient, _step, _dead_units, _learning_rate, _labels, _one_batch):
        if not (found and test in (_learning_rate, _labels, _one_batch)):
            for cause, saw in test(run):
                found.setdefault(cause, Finding(cause, saw, *CAUSES[cause]))
    return list(found.values())


class _Run:
    """What was given, with the examples in random order, and the scores of 64 of them as things stand."""

    def __init__(self, model, criterion, optimizer, x, y, step, rng):
        self.parts, self.step = (model, criterion, optimizer), step or instruments.usual_step
        with aside(model, criterion, rng) as (model, self.criterion, self.rng):
            rows = self.rng.permutation(len(x))
            self.x, self.y = x[rows], y[rows]
            self.scores = still(model)(self.x[:64])
            self.loss, self.equal = self.price(self.scores), self.price(np.zeros_like(self.scores))
        self.classes = y.ndim == 1 and y.dtype.kind in "iu" and self.scores.ndim == 2 and self.scores.shape[1]
        self.learned = self.loss < 0.5 * self.equal  # near a minimum, decay and noise outweigh the gradient

    def price(self, scores):
        return float(self.criterion(scores, np.resize(self.y, (len(scores), *self.y.shape[1:]))))


def _loss(run):
    """What the loss makes of scores: the model's, equal ones, and some that were probabilities already."""
    if C := run.classes:
        if not run.loss < 5 * max(run.equal, math.log(C)):
            yield "start", f"the loss is {run.loss:.3g}, equal scores cost {run.equal:.3g}"
        probabilities = run.scores.min() >= 0 and np.allclose(run.scores.sum(axis=1), 1, atol=1e-3)
        if probabilities and math.isclose(run.loss, run.price(run.scores + 1), rel_tol=1e-4):
            yield "softmax twice", "the scores of each example add up to 1, and the loss takes softmax again"
        equal = run.price(np.zeros((2 * C, C), run.x.dtype))
        for value, words in [(math.log(2 * C), f"ln {2 * C}"), (math.log(C) / C, f"(ln {C}) / {C}")]:
            if math.isclose(equal, value, rel_tol=1e-4):
                yield "axis", f"equal scores for {2 * C} examples and {C} classes cost {words} = {value:.4g}"


def _company(run):
    with aside(run.parts[0]) as (model,):
        together, alone = model.eval()(run.x[:8])[:1], model(run.x[:1])
    if not np.allclose(together, alone, 1e-3, 1e-3 * np.abs(together).max(), equal_nan=True):
        yield "axis", "the model answers an example differently when others stand beside it"


def _gradient(run):
    ratios = instruments.slope_ratios(*run.parts[:2], (run.x[:16], run.y[:16]), rng=run.rng)
    wrong = [(name, ratio) for name, ratio in ratios.items() if abs(ratio - 1) > 1e-3]
    for name, ratio in wrong[-1:]:  # the one next to the loss: those before it get their blame through it
        cause = "sign" if abs(ratio + 1) < 1e-3 else "gradient"
        yield cause, f"along {name}, the loss rises {ratio:.3g} times as fast as backward says"


def _step(run):
    """Two steps from the same weights; between them, once, the gradients are emptied by hand."""
    halves, after = [(run.x[i:64:2], run.y[i:64:2]) for i in (0, 1)], []
    for emptied in (True, False):
        with aside(*run.parts) as (model, criterion, optimizer):
            for memory in getattr(optimizer, "memory", []):
                memory.clear()
            model.train().zero_grad()
            start = model.state_dict()
            run.step(model, criterion, optimizer, *halves[0])
            left, moves = held(model), [p.data - start[name] for name, p in model.named_parameters()]
            model.load_state_dict(start)
            if emptied:
                model.zero_grad()
            run.step(model, criterion, optimizer, *halves[1])
            after.append(held(model))
    with aside(*run.parts[:2]) as (model, criterion):
        grads = gradients(model.train(), criterion, *halves[0])
    moving, norm = [place for place, move in enumerate(moves) if move.any()], np.linalg.norm
    if not moving:
        if any(grad.any() for grad in grads) and not run.learned:
            yield "no step", "a step has moved no weight"
        return
    arrays = (left, moves, grads, *after)
    left, move, grad, fresh, stale = (np.concatenate([a[i].ravel() for i in moving]) for a in arrays)
    if (kept := norm(stale - fresh) / (norm(left) or 1)) > 0.01:
        yield "zero_grad", f"{kept:.2f} of the gradient of one batch is still there after the next"
    if (cosine := move @ grad / (norm(move) * norm(grad) or 1)) > 0.05 and not run.learned:
        yield "sign", f"a step goes with the gradient: the cosine between them is {cosine:.2f}"
    for words, wrong in _wrong_axes(run, *halves[0]):
        if left.any() and relative_error(left, np.concatenate([wrong[i].ravel() for i in moving])) < 1e-3:
            yield "axis", f"the step leaves the gradient of {words}"


def _wrong_axes(run, x, y):
    """Gradients as they come out when the softmax or the mean of cross-entropy takes the wrong axis in a step."""
    if run.classes:
        with aside(run.parts[0]) as (model,):
            scores, truth = model.train()(x), np.eye(run.classes, dtype=x.dtype)[y]
            ways = {(0, len(y)): "softmax over the examples", (1, truth.size): "a mean over all numbers"}
            ways |= {} if run.classes == len(y) else {(1, run.classes): "a mean over the classes"}
            for (axis, count), words in ways.items():
                exp = np.exp(scores - scores.max(axis=axis, keepdims=True))
                model.zero_grad()
                model.backward((exp / exp.sum(axis=axis, keepdims=True) - truth) / x.dtype.type(count))
                yield words, held(model)


def _dead_units(run):
    if not run.learned and len(run.x) >= 64:
        for layer in instruments.record(*run.parts[:2], (run.x[:256], run.y[:256])):
            if (share := instruments.closed_units(layer) or 0) > 0.75:
                yield (
                    "dead units",
                    f"{share:.0%} of the units of {layer.name}, {layer.module}, pass nothing back",
                )
                return  # the layers behind it see a constant, and are not to blame


def _learning_rate(run):
    batches = list(instruments.batches(run.x, run.y, 64, 30, run.rng))
    full, *cut = (losses_of(*run.parts, batches, run.step, scale) for scale in (1, 0.1, 0.01))
    learns = min(curve[-10:].mean() for curve in cut) < 0.98 * min(run.loss, run.equal)
    size = f"the inputs are about {math.sqrt(np.mean(np.square(run.x, dtype=float))):.2g} in size"
    for part, floor in [(slice(30), 0.75), (slice(20, 30), 0.25)]:  # on the way, and at the end
        mean, best = full[part].mean(), min(curve[part].mean() for curve in cut)
        if learns and not (mean < 1.7 * best or mean < floor * run.equal):  # or NaN
            yield "learning rate", f"30 steps cost {mean:.3g} on average, shorter ones {best:.3g}; {size}"


def _labels(run):
    if run.classes and len(run.x) >= 500:
        known, new, error = instruments.by_heart(*run.parts[:2], (run.x, run.y), rng=run.rng)
        if known > 0.2 and new < 4 * error < 0.2:
            yield "labels", f"what is learned by heart scores {known:.2f} above chance, what is new {new:.2f}"


def _one_batch(run):
    def falls(step, scale):
        curve = losses_of(*run.parts, [(run.x[:32], run.y[:32])] * 50, step, scale)
        return (curve[0] - curve[-5:].mean()) / (curve[0] or 1)

    own, *longer, usual = (falls(*way) for way in [(run.step, 1), (run.step, 10), (run.step, 100), (None, 1)])
    if not run.learned and usual > 0.2 and max(own, *longer) < 0.4 * usual:
        yield "step", f"50 steps on one batch take {own:.0%} off its loss, the usual ones {usual:.0%}"
    elif not run.learned and own < 0.001:
        cause, said = "learning rate" if max(longer) > 0.001 else "stuck", f"longer ones {max(longer):.1%}"
        yield cause, f"50 steps on one batch take {own:.1%} off its loss, {said}"
