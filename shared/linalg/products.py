"""Vectors and matrices: products, lengths, angles, distances."""

import numpy as np

from shared.linalg.inputs import real, scaled


def _two_vectors(function, a, b):
    a, b = real(function, "a", a, 1), real(function, "b", b, 1)
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
    a = real("norm", "a", a, 1)
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
    x1, x2 = real("cosine_similarity", "x1", x1), real("cosine_similarity", "x2", x2)
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
    (a, _), (b, _) = scaled(a), scaled(b)  # the angle stays
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
    a, b = real("matmul", "a", a, 2), real("matmul", "b", b, 2)
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
    x1, x2 = real("cdist", "x1", x1, 2), real("cdist", "x2", x2, 2)
    if x1.shape[1] != x2.shape[1]:
        raise ValueError(f"cdist expected rows of one length, got shapes {x1.shape} and {x2.shape}")
    distances = (-2 * x1) @ x2.T
    # The lengths are added up in float64: sums of squared pixels reach 2**24, where float32 stops counting by ones.
    distances += np.einsum("nd,nd->n", x1, x1, dtype=np.float64)[:, None]
    distances += np.einsum("md,md->m", x2, x2, dtype=np.float64)
    np.maximum(distances, 0, out=distances)
    return distances if squared else np.sqrt(distances, out=distances)
