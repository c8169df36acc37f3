"""Pictures as points: what a network makes of them before its answer, and maps of such points on paper."""

import math

import numpy as np

from shared import checks
from shared.linalg import PCA, cdist
from shared.linalg.inputs import real
from shared.questions import asked, overheard

_BLOCK = 2**17  # numbers: what is computed with them at once stays in the processor's cache


def features(model, layer, x, batch_size=500):
    """What a layer makes of images: its activations, in evaluation mode.

    layer: the name of a module in the model, such as "layer3" or "10", as in state_dict.
    Shapes: x (N, …) -> (N, …), as the layer gives it. The model's mode is put back.
    Raises ValueError when there is no such layer or no x, and what the model raises.
    Source: torchvision.models.feature_extraction has the same purpose.
    Built in 05-cnn/08-looking-inside.ipynb.
    """
    [batch_size] = checks.numbers("features", "batch_size", batch_size, 1, least=1)
    if not len(x):
        raise ValueError(f"features expected at least one image, got {np.shape(x)}: look at the slice")
    found = []
    with asked(model), overheard(features, model, layer) as notes:
        for start in range(0, len(x), batch_size):
            model(x[start : start + batch_size])
            found.append(notes["forward"])
    return np.concatenate(found)


def joint_probabilities(x, perplexity=30.0):
    """How likely each pair of points are neighbours: bells around the points, each as wide as `perplexity` asks.

    Row i of the conditional probabilities is exp(-b_i |x_i - x_j|²), 0 for j = i, made to add up to 1. b_i is found by
    bisection so that 2 to the power of the row's entropy in bits is `perplexity`, the number of neighbours that count.
    Shapes: x (N, D) -> (N, N), float64, symmetric, adding up to 1.
    Raises ValueError for a wrong shape, NaN or infinity, or a perplexity not between 1 and N - 1.
    Source: van der Maaten & Hinton (2008), Visualizing data using t-SNE, section 2 and equation for p_ij in 3.1.
    Built in 05-cnn/08-looking-inside.ipynb.
    """
    x = real("joint_probabilities", "x", x, 2, finite=True)
    if not 1 < perplexity < len(x) - 1:
        raise ValueError(
            f"joint_probabilities expected perplexity between 1 and {len(x) - 1} for {len(x)} points, "
            f"got {perplexity!r}: try 30, or fewer than a third of the points"
        )
    p = cdist(x.astype(np.float64), x, squared=True)
    np.fill_diagonal(p, np.inf)
    rows = max(1, _BLOCK // len(x))
    for start in range(0, len(x), rows):
        p[start : start + rows] = _conditional(p[start : start + rows], math.log(perplexity))
    return (p + p.T) / (2 * len(x))


def _conditional(distances, entropy):
    """Rows of probabilities with this entropy in nats, from squared distances (B, N)."""
    distances = distances - distances.min(axis=1, keepdims=True)  # no row of zeros, the same probabilities
    low, high = np.zeros((len(distances), 1)), np.full((len(distances), 1), np.inf)
    finite = np.where(np.isfinite(distances), distances, 0)
    mean = finite.mean(axis=1, keepdims=True)
    beta = 1 / np.where(mean > 0, mean, 1)
    for _ in range(100):
        p = np.exp(-beta * distances)
        total = p.sum(axis=1, keepdims=True)
        excess = np.log(total) + beta * np.vecdot(p, finite)[:, None] / total - entropy
        if np.abs(excess).max() < 1e-10:
            break
        flat = excess > 0  # then a narrower bell
        low, high = np.where(flat, beta, low), np.where(flat, high, beta)
        beta = np.where(np.isinf(high), 2 * beta, (low + high) / 2)
    return p / total


def kl_divergence(p, y):
    """How badly a map y tells the neighbours p, and the direction in which that grows fastest.

    On the map, neighbours are as likely as 1 / (1 + |y_i - y_j|²), divided by the sum over all pairs (Student's t).
    Shapes: p (N, N) from joint_probabilities, y (N, K) -> the divergence KL(P | Q) in nats, and its gradient (N, K).
    Raises ValueError when the shapes don't fit.
    Source: van der Maaten & Hinton (2008), equations 2 and 5 for t-SNE.
    Built in 05-cnn/08-looking-inside.ipynb.
    """
    y = real("kl_divergence", "y", y, 2, finite=True)
    if np.shape(p) != (len(y), len(y)):
        raise ValueError(
            f"kl_divergence expected p {(len(y), len(y))}, got {np.shape(p)}: one row and column for each point of y"
        )
    gradient, total = _gradient(p, y, 1.0)
    distances = cdist(y, y, squared=True)
    q = 1 / (1 + distances) / total
    pairs = p > 0
    return float((p[pairs] * np.log(p[pairs] / q[pairs])).sum()), gradient


def _gradient(p, y, exaggeration):
    """The gradient (N, K) of the divergence, and the sum of 1 / (1 + d²) over all pairs of different points.

    4 sum_j (p_ij - q_ij) w_ij (y_i - y_j), with w = 1 / (1 + d²): two matrix products, of p w and of w². A block of
    rows at a time: five passes over numbers that are in the cache.
    """
    N, K = y.shape
    squares, ones = np.vecdot(y, y)[:, None], np.ones((N, 1))
    left = np.hstack([-2 * y, ones, squares + 1])
    right = np.hstack([y, squares, ones]).T  # left @ right is 1 + d²
    points, rows = np.hstack([y, ones]), max(1, _BLOCK // N)
    pull, push, total = np.empty((N, K + 1)), np.empty((N, K + 1)), -float(N)  # the pairs (i, i) don't count
    weight, product = np.empty((rows, N)), np.empty((rows, N))
    for start in range(0, N, rows):
        part = slice(start, min(start + rows, N))
        w, room = weight[: part.stop - start], product[: part.stop - start]
        np.matmul(left[part], right, out=w)
        np.reciprocal(w, out=w)
        total += w.sum()
        pull[part] = np.multiply(p[part], w, out=room) @ points
        push[part] = np.multiply(w, w, out=room) @ points
    force = exaggeration * pull - push / total
    return 4 * (force[:, K:] * y - force[:, :K]), total


def _rounded(y):
    """To 16 bits. One processor rounds the last of 53 otherwise than the next, and a hundred steps make it visible."""
    mantissa, exponent = np.frexp(y)
    return np.ldexp(np.rint(mantissa * 2**16), exponent - 16)


class TSNE:
    """t-SNE: put points on paper so that neighbours stay neighbours. Distances between groups mean little.

    perplexity: how many neighbours count. init: "pca", the first principal components at a ten-thousandth of unit
    size, or positions (N, n_components). The method is exact, all N² pairs: good for some thousand points.
    fit_transform(x): x (N, D) -> (N, n_components), float64. Nothing in it is random, and every machine gets the same.
    Learned: embedding_, kl_divergence_ in nats.
    Raises ValueError for a wrong shape of x or init, NaN or infinity, or settings out of range.
    Source: van der Maaten & Hinton (2008), algorithm 1; gains of Jacobs (1988); names and settings of
    sklearn.manifold.TSNE(method="exact"): early exaggeration for 250 steps with momentum 0.5, then 0.8.
    Built in 05-cnn/08-looking-inside.ipynb.
    """

    def __init__(self, n_components=2, perplexity=30.0, early_exaggeration=12.0, max_iter=1000, init="pca"):
        self.n_components, self.perplexity, self.init = n_components, perplexity, init
        self.early_exaggeration, self.max_iter = early_exaggeration, max_iter

    def fit_transform(self, x):
        [steps] = checks.numbers("TSNE", "max_iter", self.max_iter, 1, least=1)
        if not self.early_exaggeration >= 1:
            found = f"got {self.early_exaggeration!r}: try 12"
            raise ValueError(f"TSNE expected early_exaggeration as a number, 1 or more, {found}")
        p, y = joint_probabilities(x, self.perplexity), self._start(x)
        rate = max(len(p) / self.early_exaggeration / 4, 50)
        velocity, gains = np.zeros_like(y), np.ones_like(y)
        for step in range(steps):
            early = step < 250
            gradient, _ = _gradient(p, y, self.early_exaggeration if early else 1.0)
            straight = velocity * gradient < 0  # the last step went downhill, and still would
            gains = np.maximum(np.where(straight, gains + 0.2, gains * 0.8), 0.01)
            velocity = (0.5 if early else 0.8) * velocity - rate * gains * gradient
            y = _rounded(y + velocity)
        self.embedding_, self.kl_divergence_ = y, kl_divergence(p, y)[0]
        return y

    def _start(self, x):
        if not isinstance(self.init, str):
            y = real("TSNE", "init", self.init, 2, finite=True).astype(np.float64)
            if y.shape != (len(x), self.n_components):
                raise ValueError(
                    f"TSNE expected init {(len(x), self.n_components)}, got {y.shape}: one row a point"
                )
            return y
        checks.choice(self, "init", self.init, ("pca",))
        y = PCA(self.n_components).fit(x).transform(x).astype(np.float64)
        return y / (y[:, 0].std() or 1) * 1e-4
