"""Recognisers that only measure distances: the nearest mean, and the nearest examples."""

import numpy as np

from shared.linalg import cdist, one_hot
from shared.linalg.inputs import fitted, real

_DISTANCES_AT_ONCE = 2**25  # 128 MB in float32; all of MNIST at once would need 2.4 GB


def _labelled(function, x, y):
    x, y = real(function, "x", x, 2, finite=True), np.asarray(y)
    if y.shape != (len(x),):
        raise ValueError(f"{function} expected one label for each row of x, got x {x.shape} and y {y.shape}")
    return x, y


class NearestCentroid:
    """Remember the mean of each class; a new example belongs to the class whose mean is nearest (Euclidean).

    fit(x, y): x (N, D), y (N,) labels of any kind -> the model itself. predict(x): (N, D) -> (N,) labels; of means
    equally near, the one that comes first in ``classes_`` wins.
    Learned: ``classes_`` (C,) sorted, ``centroids_`` (C, D). Whole numbers are computed in float64.
    Raises ValueError for wrong shapes, for NaN or infinity, and for predict before fit.
    Source: Hastie, Tibshirani & Friedman, The Elements of Statistical Learning, section 4.3 (equal spherical classes).
    Built in 01-linear-algebra/01-vectors.ipynb.
    """

    def fit(self, x, y):
        x, y = _labelled("NearestCentroid.fit", x, y)
        self.classes_ = np.unique(y)
        means = [x[y == label].mean(axis=0, dtype=np.float64) for label in self.classes_]
        self.centroids_ = np.array(means, dtype=x.dtype)  # (C, D)
        return self

    def predict(self, x):
        centroids = fitted(self, "centroids_")
        x = real("NearestCentroid.predict", "x", x, 2, columns=centroids.shape[1], finite=True)
        return self.classes_[cdist(x, centroids, squared=True).argmin(axis=1)]


def majority_vote(labels):
    """The label that most of the neighbours carry; of labels with equally many votes, that of the nearest neighbour.

    Shapes: labels (N, K), each row the labels of one example's neighbours, nearest first -> (N,). Taking
    ``labels[:, :3]`` gives the vote of the three nearest. (scikit-learn breaks ties by the smaller label instead.)
    Raises ValueError when labels is not (N, K) with at least one neighbour.
    Source: Cover & Hart (1967), Nearest neighbor pattern classification.
    Built in 01-linear-algebra/05-first-recogniser.ipynb.
    """
    labels = np.asarray(labels)
    if labels.ndim != 2 or labels.shape[1] == 0:
        raise ValueError(
            f"majority_vote expected labels of shape (N, K) with K of 1 or more, got {labels.shape}"
        )
    classes, codes = np.unique(labels, return_inverse=True)
    codes = codes.reshape(labels.shape)
    votes = one_hot(codes, len(classes)).sum(axis=1)  # (N, C)
    support = np.take_along_axis(votes, codes, axis=1)  # (N, K): the votes for each neighbour's own class
    winner = support.argmax(axis=1)  # the first of the largest: the nearest neighbour among tied classes
    return labels[np.arange(len(labels)), winner]


class KNeighborsClassifier:
    """Remember every example; a new one gets the label that most of its nearest examples carry.

    n_neighbors: how many examples vote, 1 or more. Ties in the vote: see majority_vote.
    fit(x, y): x (N, D), y (N,) labels of any kind -> the model itself. predict(x): (M, D) -> (M,) labels.
    kneighbors(x): (M, D) -> Euclidean distances (M, n_neighbors), smallest first, and the row numbers of the examples
    (M, n_neighbors); of examples equally far, the earlier row comes first.
    Whole numbers are computed in float64: pass ``pixels.astype(np.float32)``, which is twice as fast and, for unscaled
    8-bit pixels of small pictures, equally exact.
    Raises ValueError for wrong shapes, for NaN or infinity, for predict before fit, for more neighbours than examples.
    Source: Cover & Hart (1967), Nearest neighbor pattern classification; Hastie et al., section 13.3.
    Built in 01-linear-algebra/05-first-recogniser.ipynb.
    """

    def __init__(self, n_neighbors=5):
        if isinstance(n_neighbors, bool) or not isinstance(n_neighbors, (int, np.integer)) or n_neighbors < 1:
            raise ValueError(f"KNeighborsClassifier expected n_neighbors of 1 or more, got {n_neighbors!r}")
        self.n_neighbors = n_neighbors

    def fit(self, x, y):
        self.x, self.y = _labelled("KNeighborsClassifier.fit", x, y)
        return self

    def kneighbors(self, x):
        examples, k = fitted(self, "x"), self.n_neighbors
        if k > len(examples):
            raise ValueError(
                f"KNeighborsClassifier has {len(examples)} examples, fewer than n_neighbors={k}: "
                "fit more examples, or ask for fewer neighbours"
            )
        x = real("KNeighborsClassifier.kneighbors", "x", x, 2, columns=examples.shape[1], finite=True)
        distances = np.empty((len(x), k), dtype=np.result_type(x, examples))
        indices = np.empty((len(x), k), dtype=np.int64)
        step = max(1, _DISTANCES_AT_ONCE // len(examples))
        for start in range(0, len(x), step):
            chunk = slice(start, start + step)
            squared = cdist(x[chunk], examples, squared=True)
            rows = np.arange(len(squared))
            # Taking the smallest k times is faster than np.argpartition up to some 70 neighbours, and comes out sorted.
            for neighbor in range(k):
                nearest = squared.argmin(axis=1)
                indices[chunk, neighbor] = nearest
                distances[chunk, neighbor] = squared[rows, nearest]
                squared[rows, nearest] = np.inf
        return np.sqrt(distances, out=distances), indices

    def predict(self, x):
        _, indices = self.kneighbors(x)
        return majority_vote(self.y[indices])
