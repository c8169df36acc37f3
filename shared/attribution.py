"""Which pixels does an answer rest on? Maps that say so, and the tests that a map has to pass to be believed.

A model here is any module that turns images (N, C, H, W) into logits (N, classes). It is asked in evaluation mode;
afterwards its modes, gradients and weights are as they were. ``target`` is a class for each image, or one for all.
"""

import copy

import numpy as np

from shared import checks, default_rng
from shared.images import resize
from shared.instruments import innermost
from shared.questions import asked, overheard


def saliency(model, x, target):
    """The input gradient: how fast the logit of the target grows with each number of the image.

    Shapes: x (N, C, H, W) -> (N, C, H, W), with its sign. Simonyan's map, one number for each pixel, is
    np.abs(saliency(…)).max(axis=1).
    Raises ValueError or TypeError when the target is no class of the model, or x is no batch of images.
    Source: Simonyan, Vedaldi & Zisserman (2014), Deep inside convolutional networks, section 3.
    Built in 05-cnn/08-looking-inside.ipynb.
    """
    with asked(model):
        return _input_gradient(model, *_question(saliency, model, x, target))


def smooth_grad(model, x, target, samples=25, sigma=0.15, rng=None):
    """The mean of the input gradients of noisy copies of the image.

    sigma: the standard deviation of the noise, in units of x. Shapes: x (N, C, H, W) -> (N, C, H, W), with its sign.
    Raises ValueError for fewer samples than 1 or a negative sigma, and what saliency raises.
    Source: Smilkov et al. (2017), SmoothGrad, section 2.1: 10 to 20 % of the range of x as sigma.
    Built in 05-cnn/08-looking-inside.ipynb.
    """
    [samples] = checks.numbers("smooth_grad", "samples", samples, 1, least=1)
    if not sigma >= 0:
        raise ValueError(f"smooth_grad expected sigma as a number, 0 or more, got {sigma!r}: try 0.15")
    rng, total = default_rng(rng), 0
    with asked(model):
        x, target = _question(smooth_grad, model, x, target)
        for _ in range(samples):
            noise = (sigma * rng.standard_normal(x.shape)).astype(x.dtype)
            total = total + _input_gradient(model, x + noise, target)
    return total / samples


def grad_cam(model, layer, x, target):
    """Which places of a layer's maps speak for the target: its channels, added up with their mean gradients as weights.

    layer: the name of a module in the model, such as "layer3" or "features.4", that gives maps (N, K, h, w).
    Shapes: x (N, C, H, W) -> (N, H, W), 0 or more, drawn anew at the size of x by bilinear interpolation.
    Raises ValueError when there is no such layer or its output is not (N, K, h, w), and what saliency raises.
    Source: Selvaraju et al. (2017), Grad-CAM, equations 1 and 2.
    Built in 05-cnn/08-looking-inside.ipynb.
    """
    with asked(model), overheard(grad_cam, model, layer) as notes:
        x, target = _question(grad_cam, model, x, target)
        _input_gradient(model, x, target)
    maps, gradient = notes["forward"], notes["backward"]
    if maps.ndim != 4:
        advice = "take a convolution, or what follows it before Flatten"
        raise ValueError(f"grad_cam expected maps (N, K, h, w) from {layer!r}, got {maps.shape}: {advice}")
    weights = gradient.mean(axis=(2, 3))  # (N, K)
    cam = np.maximum(np.einsum("nk,nkhw->nhw", weights, maps), 0)
    return resize(cam, x.shape[2:])


def occlusion(model, x, target, size, stride=1, fill=0.0):
    """How much of the target's logit is lost when a square of the image is covered; the mean over squares on a pixel.

    size, stride: of the square and of its steps, in pixels; at the lower and right edge it may hang over. fill: a
    number, or an array that fits (C, 1, 1). Shapes: x (N, C, H, W) -> (N, H, W), positive where the answer rests.
    Raises ValueError for a stride longer than the square, which would leave gaps, and what saliency raises.
    Source: Zeiler & Fergus (2014), Visualizing and understanding convolutional networks, section 4.2.
    Built in 05-cnn/08-looking-inside.ipynb.
    """
    size, stride = checks.numbers("occlusion", "size and stride", (size, stride), 2, least=1)
    if stride > size:
        raise ValueError(
            f"occlusion expected a stride of {size} or less, got {stride}: between the squares would be gaps"
        )
    with asked(model):
        x, target = _question(occlusion, model, x, target)
        (height, width), rows = x.shape[2:], np.arange(len(x))
        lost, times = np.zeros((len(x), height, width), x.dtype), np.zeros((height, width), x.dtype)
        before = model(x)[rows, target]
        lefts = range(0, max(width - size, 0) + stride, stride)
        for top in range(0, max(height - size, 0) + stride, stride):
            covered = np.repeat(x[None], len(lefts), axis=0)  # (places in this row, N, C, H, W)
            for left, images in zip(lefts, covered, strict=True):
                images[..., top : top + size, left : left + size] = fill
            logits = model(covered.reshape(-1, *x.shape[1:])).reshape(len(lefts), len(x), -1)
            for left, after in zip(lefts, logits, strict=True):
                square = slice(top, top + size), slice(left, left + size)
                lost[:, *square] += (before - after[rows, target])[:, None, None]
                times[square] += 1
    return lost / times


def deletion(model, x, target, maps, steps=28, fill=0.0):
    """The probability of the target while pixels are removed, those first that are largest on a map.

    Shapes: x (N, C, H, W), maps (N, H, W) -> (N, steps + 1): before, and after each step, the last one with all pixels
    set to fill. Its mean is the area under the curve, from 0 to 1: the smaller, the better the map. Pixels with equal
    numbers go in the order of reading. An order to compare with is that of random maps.
    Raises ValueError when maps is not (N, H, W), for steps below 1, and what saliency raises.
    Source: Petsiuk, Das & Saenko (2018), RISE, section 4.1.
    Built in 05-cnn/08-looking-inside.ipynb.
    """
    [steps] = checks.numbers("deletion", "steps", steps, 1, least=1)
    with asked(model):
        x, target = _question(deletion, model, x, target)
        if np.shape(maps) != (len(x), *x.shape[2:]):
            advice = "one number for each pixel, as in np.abs(gradient).max(axis=1)"
            raise ValueError(
                f"deletion expected maps {(len(x), *x.shape[2:])}, got {np.shape(maps)}: {advice}"
            )
        order = np.argsort(-np.reshape(maps, (len(x), -1)), axis=1, kind="stable")
        place = np.argsort(order, axis=1).reshape(np.shape(maps))[:, None]  # when each pixel goes: 0 is first
        pixels, curve = order.shape[1], []
        for step in range(steps + 1):
            logits = model(np.where(place < step * pixels / steps, np.asarray(fill, x.dtype), x))
            scores = np.exp(logits - logits.max(axis=1, keepdims=True))
            curve.append(scores[np.arange(len(x)), target] / scores.sum(axis=1))
    return np.stack(curve, axis=1)


def randomise(model, rng=None):
    """Copies of a model that forget: first its last layer, then its last two, … until all are random.

    The numbers of each weight and bias are shuffled: what was learned is gone, their size and spread are not.
    -> pairs (name of the layer that was shuffled last, model); layers without matrices or kernels are left alone.
    Raises TypeError for what is no module.
    Source: Adebayo et al. (2018), Sanity checks for saliency maps, section 3: cascading randomization. There the
    weights are drawn anew, as before training.
    Built in 05-cnn/08-looking-inside.ipynb.
    """
    with asked(model):
        copied = copy.deepcopy(model)
    return _shuffled(copied, default_rng(rng))


def _shuffled(copied, rng):
    for name, layer in reversed(innermost(copied)):
        parameters = [*layer.parameters()]
        if any(parameter.data.ndim > 1 for parameter in parameters):
            for parameter in parameters:
                parameter.data[...] = rng.permutation(parameter.data.ravel()).reshape(parameter.shape)
            yield name, copy.deepcopy(copied)


def rank_correlation(a, b):
    """How far two maps put their pixels in the same order, from -1 to 1: the correlation of their ranks (Spearman).

    Shapes: a, b (N, …) -> (N,). Equal numbers share their mean rank. A map that is the same everywhere has no order:
    0. Raises ValueError when the shapes differ.
    Source: Spearman (1904); for maps Adebayo et al. (2018), section 4.
    Built in 05-cnn/08-looking-inside.ipynb.
    """
    if np.shape(a) != np.shape(b) or np.ndim(a) < 2:
        raise ValueError(
            f"rank_correlation expected maps of one shape (N, …), got {np.shape(a)} and {np.shape(b)}: "
            "one map is a[None]"
        )
    a, b = (np.array([_ranks(np.ravel(one)) for one in maps]) for maps in (a, b))  # (N, pixels), mean 0
    length = np.sqrt((a**2).sum(axis=1) * (b**2).sum(axis=1))
    return (a * b).sum(axis=1) / np.where(length > 0, length, 1)


def _ranks(values):
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[place]
    return ranks - ranks.mean()


def _question(who, model, x, target):
    """x, and the target as an array (N,); refuse what can't be asked."""
    checks.images(model, x)
    target, classes = np.asarray(target), model(x[:1]).shape
    if len(classes) != 2:
        raise ValueError(
            f"{who.__name__} expected logits (N, classes) from its model, got (N, …): end it in Linear"
        )
    if target.dtype.kind not in "iu" or target.shape not in ((), x.shape[:1]):
        found = f"{target.dtype} {target.shape}"
        raise ValueError(
            f"{who.__name__} expected target as one class, or {x.shape[:1]} whole numbers, got {found}: "
            "try model(x).argmax(axis=1)"
        )
    if target.size and not 0 <= target.min() <= target.max() < classes[1]:
        found = f"{target.min()} to {target.max()}"
        raise ValueError(
            f"{who.__name__} expected classes from 0 to {classes[1] - 1} as target, got {found}: count from 0"
        )
    return x, np.broadcast_to(target, x.shape[:1])


def _input_gradient(model, x, target):
    grad = np.zeros_like(model(x))
    grad[np.arange(len(x)), target] = 1  # images don't meet in evaluation mode: each has its own gradient
    return np.ascontiguousarray(model.backward(grad))
