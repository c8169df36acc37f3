"""Directions that matter: eigenvectors, singular values, principal components."""

import numpy as np

from shared import default_rng
from shared.linalg.inputs import fitted, real, scaled
from shared.linalg.products import norm


def _signs(vectors):
    """+1 or -1 for each row, shape (K, 1), by which its largest component in size becomes positive.

    An eigenvector times -1 is an eigenvector as well; this choice makes the answer the same on every machine. Among
    components equal up to rounding, as in (1, -1), the first one decides.
    """
    sizes = np.abs(vectors)
    first = (sizes >= (1 - 1e-4) * sizes.max(axis=1, keepdims=True)).argmax(axis=1)
    return np.where(np.take_along_axis(vectors, first[:, None], axis=1) < 0, -1, 1).astype(vectors.dtype)


def power_iteration(matrix, *, max_iterations=10_000, tolerance=None, rng=None):
    """Largest eigenvalue (in size) and its eigenvector: multiply a random vector by the matrix until it only stretches.

    Shapes: matrix (D, D) -> eigenvalue, a number, and eigenvector (D,) of length 1 whose largest component is positive.
    Done when |matrix @ v - eigenvalue * v| <= tolerance * |eigenvalue|; None means 1000 roundings of the dtype, which
    is 2e-13 in float64. The error shrinks by |second eigenvalue / first| each time.
    Raises ValueError when the matrix is not square, holds NaN or infinity, or when no direction settles.
    Source: Golub & Van Loan, Matrix Computations, 4th ed., section 7.3.1.
    Built in 01-linear-algebra/04-eigenvectors-and-pca.ipynb.
    """
    matrix = real("power_iteration", "matrix", matrix, 2, finite=True)
    if matrix.shape[0] != matrix.shape[1]:
        raise ValueError(
            f"power_iteration expected a square matrix, got shape {matrix.shape}: try svd, or matrix.T @ matrix"
        )
    if tolerance is None:
        tolerance = 1000 * np.finfo(matrix.dtype).eps
    matrix, exponent = scaled(matrix)
    vector = default_rng(rng).standard_normal(len(matrix)).astype(matrix.dtype)
    vector /= norm(vector)
    for _ in range(max_iterations):
        stretched = matrix @ vector
        eigenvalue = vector @ stretched
        if norm(stretched - eigenvalue * vector) <= tolerance * abs(eigenvalue):
            return np.ldexp(eigenvalue, exponent), vector * _signs(vector[None])[0]
        vector = stretched / norm(stretched)
    raise ValueError(
        f"power_iteration found no direction that settles in {max_iterations} rounds: the two largest eigenvalues are "
        "(nearly) of one size, opposite in sign, or complex; try a larger tolerance, or a symmetric matrix"
    )


def _orthonormal(columns, rng):
    """Make the columns (M, B), B <= M, perpendicular and of length 1, one after the other (Gram–Schmidt).

    A column that lies in the span of those before it, up to rounding, is replaced by a random one.
    """
    columns = columns / (np.sqrt((columns**2).sum(axis=0).max()) or 1)
    negligible = max(columns.shape) * np.finfo(columns.dtype).eps
    for j in range(columns.shape[1]):
        before, column = columns[:, :j], columns[:, j]
        column -= before @ (before.T @ column)
        while norm(column) <= negligible:
            column[:] = rng.standard_normal(len(column))
            column -= before @ (before.T @ column)
        column /= norm(column)
        column -= before @ (before.T @ column)  # once more: where little was left, much of it was rounding
        column /= norm(column)
    return columns


def _pairs(n):
    """All pairs out of 0 … n - 1 (n even) in n - 1 rounds of separate pairs, like the rounds of a chess tournament."""
    players = np.arange(n)
    for _ in range(n - 1):
        table = np.sort([players[: n // 2], players[n // 2 :][::-1]], axis=0)
        yield table[0], table[1]
        players[1:] = np.roll(players[1:], 1)


def _rotate_columns(a):
    """Turn pairs of columns of a (M, B) until all are perpendicular: returns a @ v, longest column first, and v (B, B).

    Turning two columns in their plane by half of atan2(2 x·y, x·x - y·y) makes them perpendicular, the first one the
    longer, and disturbs the other pairs less than it mends. Pairs without a common column are turned at once.
    Source: one-sided Jacobi, Golub & Van Loan, Matrix Computations, section 8.6.
    """
    rows, size = a.shape
    eps = np.finfo(a.dtype).eps
    # What turns the columns of a turns those of the identity below it into v. An odd size gets a zero column more.
    work = np.zeros((rows + size, size + size % 2), dtype=a.dtype)
    work[:rows, :size] = a
    work[rows:, :size] = np.eye(size)
    for _ in range(60):  # sweeps over all pairs: 6 to 10 are usual, and the end doubles its digits in each
        still_turning = False
        for left, right in _pairs(work.shape[1]):
            x, y = work[:, left], work[:, right]
            xx, yy = (x[:rows] ** 2).sum(axis=0), (y[:rows] ** 2).sum(axis=0)
            xy = (x[:rows] * y[:rows]).sum(axis=0)
            if np.all((np.abs(xy) <= rows * eps * np.sqrt(xx * yy)) & (xx >= yy)):
                continue
            still_turning = True
            half_angle = np.arctan2(2 * xy, xx - yy) / 2
            cos, sin = np.cos(half_angle), np.sin(half_angle)
            work[:, left], work[:, right] = cos * x + sin * y, cos * y - sin * x
        if not still_turning:
            break
    return work[:rows, :size], work[rows:, :size]


def svd(a, k=None, *, rng=None):
    """The k largest singular values with their directions: ``a ≈ u @ np.diag(s) @ vh``, exact when k is all of them.

    Shapes: a (M, N), k from 1 to min(M, N), None for all -> u (M, k), s (k,) largest first, vh (k, N). The largest
    component of each row of vh is positive. Same order as torch.linalg.svd(a, full_matrices=False).
    A block of somewhat more than k directions goes through a and back, as in power_iteration, and is kept
    perpendicular on the way; then rotations find the best directions inside the block. While these do not settle, the
    block grows. Good for up to about 100 directions: what needs hundreds should use np.linalg.svd.
    Raises ValueError when a is not a matrix of finite numbers or k is out of range.
    Source: Halko, Martinsson & Tropp (2011), Finding structure with randomness, algorithm 4.4.
    Built in 01-linear-algebra/04-eigenvectors-and-pca.ipynb.
    """
    a = real("svd", "a", a, 2, finite=True)
    k = min(a.shape) if k is None else k
    if not isinstance(k, (int, np.integer)) or not 1 <= k <= min(a.shape):
        raise ValueError(
            f"svd expected k from 1 to {min(a.shape)} for a matrix of shape {a.shape}, got {k!r}"
        )
    rng, (tall, exponent) = default_rng(rng), scaled(a if a.shape[0] >= a.shape[1] else a.T)
    tolerance = 10 * np.sqrt(max(a.shape) * k) * np.finfo(a.dtype).eps
    v = np.empty((tall.shape[1], 0), dtype=a.dtype)
    while True:
        more = min(2 * k + 10 if v.size == 0 else 1 + v.shape[1] // 20, tall.shape[1] - v.shape[1])
        v = np.hstack([v, rng.standard_normal((len(v), more)).astype(a.dtype)])
        for _ in range(5):
            u = _orthonormal(tall @ v, rng)
            v = _orthonormal(tall.T @ u, rng)
        stretched = tall @ v
        u = _orthonormal(stretched, rng)
        turned, turn = _rotate_columns(u.T @ stretched)  # both (block, block)
        s = np.sqrt((turned**2).sum(axis=0))
        u, v = u @ _orthonormal(turned, rng), v @ turn
        error = norm((tall.T @ u[:, :k] - v[:, :k] * s[:k]).reshape(-1))
        if error <= tolerance * s[0] or v.shape[1] == tall.shape[1]:  # a block of all directions is exact
            break
    left, right = (u, v) if a.shape[0] >= a.shape[1] else (v, u)
    signs = _signs(right[:, :k].T)  # (k, 1)
    return left[:, :k] * signs[:, 0], np.ldexp(s[:k], exponent), right[:, :k].T * signs


def _principal_directions(x):
    """Mean (D,) of x, the variances along all its principal directions, largest first, and these as rows; float64."""
    mean = x.mean(axis=0, dtype=np.float64)
    if len(x) < x.shape[1]:
        _, lengths, directions = np.linalg.svd(x - mean, full_matrices=False)
        return mean, lengths**2 / (len(x) - 1), directions
    covariance = np.zeros((x.shape[1], x.shape[1]))
    for start in range(0, len(x), 4096):  # in parts, so that no second copy of all examples is needed
        centred = x[start : start + 4096] - mean
        covariance += centred.T @ centred / (len(x) - 1)
    variances, directions = np.linalg.eigh(covariance)  # smallest first, directions in columns
    return mean, np.maximum(variances[::-1], 0), directions.T[::-1]  # rounding makes some zeros -1e-17


def _component_count(n_components, ratios):
    """The number of components meant by a number (7) or by a share of the variance (0.9)."""
    if isinstance(n_components, (float, np.floating)) and 0 < n_components < 1:
        return min(int(np.searchsorted(np.cumsum(ratios), n_components)) + 1, len(ratios))
    whole = isinstance(n_components, (int, np.integer)) and not isinstance(n_components, bool)
    if not whole or not 1 <= n_components <= len(ratios):
        raise ValueError(
            f"PCA.fit expected n_components from 1 to {len(ratios)} for this x, or a share of the variance between "
            f"0 and 1, got {n_components!r}: try PCA(0.9)"
        )
    return int(n_components)


class PCA:
    """Principal components: the perpendicular directions along which the examples differ most.

    n_components: how many, 1 to min(N, D), or the share of the variance to keep, between 0 and 1.
    fit(x) (N, D) -> the model itself; transform(x) (M, D) -> (M, K), the coordinates along the components;
    inverse_transform(z) (M, K) -> (M, D), the points with these coordinates.
    Learned: mean_ (D,), components_ (K, D), rows of length 1 whose largest component is positive, explained_variance_
    (K,), largest first, divided by N - 1, explained_variance_ratio_ (K,). Found in float64; float32 if x is float32.
    The engine is NumPy's eigh of the covariance (svd where N < D): all 784 directions of MNIST at once would take
    this journal's own svd, which finds the same ones, minutes instead of a fraction of a second.
    Raises ValueError for a wrong shape, NaN or infinity, a wrong n_components, fewer than 2 rows, use before fit.
    Source: Jolliffe, Principal Component Analysis, chapters 1 and 2; names as in scikit-learn.
    Built in 01-linear-algebra/04-eigenvectors-and-pca.ipynb.
    """

    def __init__(self, n_components):
        self.n_components = n_components

    def fit(self, x):
        x = real("PCA.fit", "x", x, 2, finite=True)
        if len(x) < 2:
            raise ValueError("PCA.fit expected 2 rows or more, got 1: one example has no variance")
        mean, variances, directions = _principal_directions(x)
        ratios = variances / (variances.sum() or 1)
        k = _component_count(self.n_components, ratios)
        self.mean_ = mean.astype(x.dtype)
        self.components_ = (directions[:k] * _signs(directions[:k])).astype(x.dtype)
        self.explained_variance_ = variances[:k].astype(x.dtype)
        self.explained_variance_ratio_ = ratios[:k].astype(x.dtype)
        return self

    def transform(self, x):
        mean = fitted(self, "mean_")
        return (real("PCA.transform", "x", x, 2, columns=len(mean)) - mean) @ self.components_.T

    def inverse_transform(self, z):
        components = fitted(self, "components_")
        return real("PCA.inverse_transform", "z", z, 2, columns=len(components)) @ components + self.mean_
