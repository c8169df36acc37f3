"""Linear algebra for pictures: vectors, matrices, distances, eigenvectors and principal components.

One rule for numbers holds in the whole file. float32 stays float32 and float64 stays float64; whole numbers, such as
the uint8 pixels of a picture, are computed in float64, because 200 * 200 does not fit into a uint8.
"""

import numpy as np

from shared import default_rng


def _real(function, name, value, ndim=None, columns=None, finite=False):
    """The value as an array of floating-point numbers, after checking what the function asks of it."""
    array = np.asarray(value)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{function} expected {name} to hold real numbers, got dtype {array.dtype}")
    if ndim == 1 and array.ndim != 1:
        raise ValueError(
            f"{function} expected {name} to be a vector, shape (D,), got shape {array.shape}: "
            "flatten one picture with .reshape(-1)"
        )
    if ndim == 2 and array.ndim != 2:
        raise ValueError(
            f"{function} expected {name} to be a matrix, shape (N, D), got shape {array.shape}: "
            "flatten pictures with .reshape(len(pictures), -1), or make one row with [None]"
        )
    if columns is not None and array.shape[1] != columns:
        raise ValueError(f"{function} expected {name} of shape (N, {columns}) as in fit, got {array.shape}")
    if finite and not (array.size and np.isfinite(array).all()):
        raise ValueError(
            f"{function} expected {name} to hold finite numbers, got NaN, infinity or nothing, shape {array.shape}: "
            "find them with np.argwhere(~np.isfinite(…))"
        )
    return array if array.dtype.kind == "f" else array.astype(np.float64)


def _fitted(model, attribute):
    """What the model has learned, or an error when it has not learned anything yet."""
    if not hasattr(model, attribute):
        raise ValueError(f"{type(model).__name__} has seen no examples yet: call fit first")
    return getattr(model, attribute)


def _two_vectors(function, a, b):
    a, b = _real(function, "a", a, 1), _real(function, "b", b, 1)
    if len(a) != len(b):
        raise ValueError(f"{function} expected two vectors of one length, got {len(a)} and {len(b)} numbers")
    return a, b


def dot(a, b):
    """Multiply the numbers of two vectors in pairs and add the products: how far they point the same way.

    Shapes: a (D,), b (D,) -> a number. Whole numbers are computed in float64, float32 stays float32.
    Raises ValueError when the two are not vectors of one length.
    Source: Strang, Introduction to Linear Algebra, section 1.2.
    Built in 01-linear-algebra/01-vectors.ipynb.
    """
    a, b = _two_vectors("dot", a, b)
    return a @ b


def norm(a):
    """Length of a vector: the square root of its dot product with itself.

    Shapes: a (D,) -> a number, 0 or greater. Whole numbers are computed in float64, float32 stays float32.
    Raises ValueError when a is not a vector.
    Source: Strang, Introduction to Linear Algebra, section 1.2.
    Built in 01-linear-algebra/01-vectors.ipynb.
    """
    a = _real("norm", "a", a, 1)
    return np.sqrt(a @ a)


def cosine_similarity(x1, x2, dim=-1, eps=1e-8):
    """Cosine of the angle between vectors: 1 for one direction, 0 for perpendicular, -1 for opposite directions.

    Shapes: x1 and x2 broadcast against each other, such as (D,) with (D,) -> a number, (N, D) with (D,) -> (N,),
    or (N, 1, D) with (1, M, D) -> (N, M). The vectors lie along the axis ``dim``: here the last one, which for (N, D)
    is the same as torch.nn.functional.cosine_similarity's 1. A vector shorter than ``eps`` counts as one of length eps,
    so that a black picture is similar to nothing (0) and never divides by zero.
    Raises ValueError when the shapes do not broadcast or when there is no axis ``dim``.
    Source: Strang, Introduction to Linear Algebra, section 1.2.
    Built in 01-linear-algebra/01-vectors.ipynb.
    """
    x1, x2 = _real("cosine_similarity", "x1", x1), _real("cosine_similarity", "x2", x2)
    try:
        x1, x2 = np.broadcast_arrays(x1, x2)
    except ValueError:
        raise ValueError(
            f"cosine_similarity expected vectors of one length, got shapes {x1.shape} and {x2.shape}: "
            "flatten pictures with .reshape(len(pictures), -1)"
        ) from None
    if not -x1.ndim <= dim < x1.ndim:
        raise ValueError(
            f"cosine_similarity expected an axis of shape {x1.shape} as dim, got {dim}: try dim=-1"
        )
    lengths1 = np.maximum(np.sqrt((x1 * x1).sum(axis=dim)), eps)
    lengths2 = np.maximum(np.sqrt((x2 * x2).sum(axis=dim)), eps)
    return (x1 * x2).sum(axis=dim) / (lengths1 * lengths2)


def projection(a, b):
    """The part of a that lies along b: the multiple of b that comes closest to a.

    Shapes: a (D,), b (D,) -> (D,). What is left, ``a - projection(a, b)``, is perpendicular to b.
    Raises ValueError when the two are not vectors of one length or when b is zero.
    Source: Strang, Introduction to Linear Algebra, section 4.2.
    Built in 01-linear-algebra/01-vectors.ipynb.
    """
    a, b = _two_vectors("projection", a, b)
    squared_length = b @ b
    if squared_length == 0:
        raise ValueError(
            "projection expected b to have a direction, got a vector of length 0: choose another b"
        )
    return (a @ b) / squared_length * b


def angle(a, b):
    """Angle between two vectors in degrees, 0 to 180.

    Shapes: a (D,), b (D,) -> a number. It is the arctangent of the part of a across b over the part along b, which
    keeps all digits near 0 and 180 degrees, where the arccosine of the cosine loses half of them.
    Raises ValueError when the two are not vectors of one length or when one of them is zero.
    Source: Strang, Introduction to Linear Algebra, section 1.2; Kahan (2006), How futile are mindless assessments of
    roundoff, section 12, on the arccosine.
    Built in 01-linear-algebra/01-vectors.ipynb.
    """
    a, b = _two_vectors("angle", a, b)
    if not a.any() or not b.any():
        raise ValueError(
            "angle expected two vectors with a direction, got one of length 0 (an all-black picture?)"
        )
    along = (a @ b) / norm(b)
    across = norm(a - projection(a, b))
    return np.degrees(np.arctan2(across, along))


def matmul(a, b):
    """Matrix product as a sum of outer products: each column of a meets the row of b of the same number.

    Shapes: a (N, K), b (K, M) -> (N, M). The same as ``a @ b``, which the other functions use for its speed.
    Raises ValueError when a or b is not a matrix or when the inner sizes differ.
    Source: Strang, Introduction to Linear Algebra, section 2.4.
    Built in 01-linear-algebra/02-matrices.ipynb.
    """
    a, b = _real("matmul", "a", a, 2), _real("matmul", "b", b, 2)
    if a.shape[1] != b.shape[0]:
        raise ValueError(
            f"matmul expected as many columns in a as rows in b, got {a.shape} and {b.shape}: "
            "try transposing one of them with .T"
        )
    product = np.zeros((a.shape[0], b.shape[1]), dtype=np.result_type(a, b))
    for column, row in zip(a.T, b, strict=True):
        product += column[:, None] * row
    return product


def one_hot(labels, num_classes=-1):
    """Write each class number as a vector of zeros with a single 1 in its place: a row of the identity matrix.

    Shapes: labels (…) of whole numbers 0 … num_classes - 1 -> (…, num_classes), int64, as in
    torch.nn.functional.one_hot; num_classes=-1 takes the largest label plus one.
    Raises TypeError when the labels are not whole numbers, ValueError when one is negative or too large.
    Source: Bishop, Pattern Recognition and Machine Learning, section 2.2 (1-of-K coding).
    Built in 01-linear-algebra/03-broadcasting.ipynb.
    """
    labels = np.asarray(labels)
    if labels.dtype.kind not in "iu":
        raise TypeError(
            f"one_hot expected whole numbers as labels, got dtype {labels.dtype}: try labels.astype(int)"
        )
    if num_classes == -1:
        if labels.size == 0:
            raise ValueError("one_hot cannot count the classes of no labels: pass num_classes")
        num_classes = int(labels.max()) + 1
    if labels.size and not (labels.min() >= 0 and labels.max() < num_classes):
        raise ValueError(
            f"one_hot expected labels from 0 to {num_classes - 1}, got {labels.min()} to {labels.max()}: "
            "check num_classes, or number the classes with np.unique(labels, return_inverse=True)[1]"
        )
    return (labels[..., None] == np.arange(num_classes)).astype(np.int64)


def cdist(x1, x2, *, squared=False):
    """Euclidean distance from each row of x1 to each row of x2, by one matrix product: |a|² + |b|² - 2 a·b.

    Shapes: x1 (N, D), x2 (M, D) -> (N, M). float32 stays float32; whole numbers are computed in float64, so pass
    ``pixels.astype(np.float32)`` to halve time and memory. ``squared=True`` leaves out the square root, which changes
    no order; torch.cdist, whose p=2 this is, has no such option.
    The subtraction cancels digits: a squared distance may be wrong by some units in the last place of |a|² + |b|², so
    equal rows can come out as far apart as 1e-7 times their length (float32: 1e-3 times). It is never negative.
    Raises ValueError when x1 or x2 is not a matrix or when their rows differ in length.
    Source: Bishop, Pattern Recognition and Machine Learning, section 2.5.2 (the use of the distances).
    Built in 01-linear-algebra/05-first-recogniser.ipynb.
    """
    x1, x2 = _real("cdist", "x1", x1, 2), _real("cdist", "x2", x2, 2)
    if x1.shape[1] != x2.shape[1]:
        raise ValueError(f"cdist expected rows of one length, got shapes {x1.shape} and {x2.shape}")
    distances = (-2 * x1) @ x2.T
    # The lengths are added up in float64: sums of squared pixels reach 2**24, where float32 stops counting by ones.
    distances += np.einsum("nd,nd->n", x1, x1, dtype=np.float64)[:, None]
    distances += np.einsum("md,md->m", x2, x2, dtype=np.float64)
    np.maximum(distances, 0, out=distances)
    return distances if squared else np.sqrt(distances, out=distances)


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
    matrix = _real("power_iteration", "matrix", matrix, 2, finite=True)
    if matrix.shape[0] != matrix.shape[1]:
        raise ValueError(
            f"power_iteration expected a square matrix, got shape {matrix.shape}: try svd, or matrix.T @ matrix"
        )
    if tolerance is None:
        tolerance = 1000 * np.finfo(matrix.dtype).eps
    vector = default_rng(rng).standard_normal(len(matrix)).astype(matrix.dtype)
    vector /= norm(vector)
    for _ in range(max_iterations):
        stretched = matrix @ vector
        eigenvalue = vector @ stretched
        if norm(stretched - eigenvalue * vector) <= tolerance * abs(eigenvalue):
            return eigenvalue, vector * _signs(vector[None])[0]
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
    a = _real("svd", "a", a, 2, finite=True)
    k = min(a.shape) if k is None else k
    if not isinstance(k, (int, np.integer)) or not 1 <= k <= min(a.shape):
        raise ValueError(
            f"svd expected k from 1 to {min(a.shape)} for a matrix of shape {a.shape}, got {k!r}"
        )
    rng, scale = default_rng(rng), np.abs(a).max() or 1  # squares of scaled numbers cannot overflow
    tall = (a if a.shape[0] >= a.shape[1] else a.T) / scale
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
    return left[:, :k] * signs[:, 0], s[:k] * scale, right[:, :k].T * signs


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
        x = _real("PCA.fit", "x", x, 2, finite=True)
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
        mean = _fitted(self, "mean_")
        return (_real("PCA.transform", "x", x, 2, columns=len(mean)) - mean) @ self.components_.T

    def inverse_transform(self, z):
        components = _fitted(self, "components_")
        return _real("PCA.inverse_transform", "z", z, 2, columns=len(components)) @ components + self.mean_
