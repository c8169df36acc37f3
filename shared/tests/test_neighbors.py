"""neighbors.py against loops, scikit-learn and hand-made ties."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import neighbors as reference

from shared import neighbors
from shared.neighbors import KNeighborsClassifier, NearestCentroid, majority_vote

some = settings(deadline=None, max_examples=50, derandomize=True)
MODELS = [NearestCentroid, KNeighborsClassifier]


def blobs(seed, n=60, size=4, classes=3):
    """Examples around class means, with their labels."""
    rng = np.random.default_rng(seed)
    y = rng.permutation(np.arange(n) % classes)
    return rng.standard_normal((n, size)) + 2 * rng.standard_normal((classes, size))[y], y


def nearest_by_loops(examples, queries, k):
    order = [
        sorted(range(len(examples)), key=lambda i: (((q - examples[i]) ** 2).sum(), i))[:k] for q in queries
    ]
    return np.array(order)


@pytest.mark.parametrize("seed", range(3))
def test_nearest_centroid_is_scikit_learns(seed):
    (x, y), (new, _) = blobs(seed), blobs(seed + 10, n=200)
    ours, theirs = NearestCentroid().fit(x, y), reference.NearestCentroid().fit(x, y)
    assert_allclose(ours.centroids_, theirs.centroids_, rtol=1e-13)
    assert_array_equal(ours.predict(new), theirs.predict(new))


def test_nearest_centroid_by_hand():
    model = NearestCentroid().fit([[0, 0], [0, 2], [6, 1]], ["left", "left", "right"])
    assert_array_equal(model.classes_, ["left", "right"])
    assert_array_equal(model.centroids_, [[0, 1], [6, 1]])
    assert_array_equal(model.predict([[2.9, 9], [3.1, 9], [3, 1]]), ["left", "right", "left"])


@some
@given(st.integers(1, 30), st.integers(1, 8), st.integers(1, 4), st.data())
def test_kneighbors_is_the_loop_with_ties_to_the_earlier_example(n, queries, size, data):
    k = data.draw(st.integers(1, n))
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    x, new = rng.integers(0, 4, (n, size)), rng.integers(0, 4, (queries, size))  # few values: many ties
    distances, indices = KNeighborsClassifier(k).fit(x, np.zeros(n)).kneighbors(new)
    assert_array_equal(indices, nearest_by_loops(x, new, k))
    exact = np.sqrt(((new[:, None] - x[indices]) ** 2).sum(axis=2))
    assert_array_equal(distances, exact)


@pytest.mark.parametrize("k", [1, 3, 9])
def test_kneighbors_and_predict_are_scikit_learns(k):
    (x, y), (new, _) = blobs(0, classes=2), blobs(1, n=200, classes=2)
    ours, theirs = KNeighborsClassifier(k).fit(x, y), reference.KNeighborsClassifier(k).fit(x, y)
    for mine, other in zip(ours.kneighbors(new), theirs.kneighbors(new), strict=True):
        assert_allclose(mine, other, rtol=1e-12)
    assert_array_equal(ours.predict(new), theirs.predict(new))  # two classes, odd k: no ties


@pytest.mark.parametrize("at_once", [1, 130, 2**25])
def test_chunks_do_not_show(monkeypatch, at_once):
    (x, y), (new, _) = blobs(2), blobs(3, n=37)
    monkeypatch.setattr(neighbors, "_DISTANCES_AT_ONCE", at_once)
    distances, indices = KNeighborsClassifier(4).fit(x, y).kneighbors(new)
    assert_array_equal(indices, nearest_by_loops(x, new, 4))
    assert distances.shape == indices.shape == (37, 4)


def test_chunks_keep_the_memory_down(monkeypatch):

    x = np.zeros((20_000, 1), np.float32)
    monkeypatch.setattr(neighbors, "_DISTANCES_AT_ONCE", 1_000_000)
    model = KNeighborsClassifier(1).fit(x, np.zeros(len(x)))
    tracemalloc.start()
    model.kneighbors(x[:2000])
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 20e6  # all 40 million distances at once would be 160 MB


def test_majority_vote_and_its_ties():
    votes = [
        [3, 1, 1],  # the majority wins
        [3, 1, 2],  # all tied: the nearest
        [5, 1, 1],
        [9, 9, 1],
    ]
    assert_array_equal(majority_vote(votes), [1, 3, 1, 9])
    assert_array_equal(
        majority_vote([[4, 2, 2, 7, 7]]), [2]
    )  # 2 and 7 are tied, 4 has fewer: the nearer of the two
    assert_array_equal(majority_vote([["b", "a", "a", "b"]]), ["b"])


@some
@given(st.lists(st.lists(st.integers(-3, 3), min_size=5, max_size=5), min_size=1, max_size=6))
def test_majority_vote_is_the_count(labels):
    for row, winner in zip(labels, majority_vote(labels), strict=True):
        counts = {label: row.count(label) for label in row}
        assert winner == next(label for label in row if counts[label] == max(counts.values()))


@pytest.mark.parametrize("dtype, expected", [("f4", "f4"), ("f8", "f8"), ("u1", "f8")])
def test_dtypes(dtype, expected):
    x = np.array([[250, 0], [0, 250], [200, 10]], dtype)
    assert NearestCentroid().fit(x, [0, 1, 0]).centroids_.dtype == np.dtype(expected)
    distances, indices = KNeighborsClassifier(2).fit(x, [0, 1, 0]).kneighbors(x)
    assert distances.dtype == np.dtype(expected) and indices.dtype == np.int64
    assert_array_equal(indices, [[0, 2], [1, 2], [2, 0]])


@pytest.mark.parametrize("model", MODELS)
def test_arguments_are_never_changed_and_labels_keep_their_kind(model):
    (x, y), (new, _) = blobs(4), blobs(5)
    for array in (x, y, new):
        array.setflags(write=False)
    assert model().fit(x, y).predict(new).dtype == y.dtype
    names = np.array(["cat", "dog", "owl"])[y]
    assert set(model().fit(x, names).predict(new)) <= {"cat", "dog", "owl"}


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(
    "misuse, words",
    [
        (lambda m: m.predict([[1, 2]]), ["call fit first"]),
        (lambda m: m.fit([[1, 2]] * 6, [1]), [".fit", "one label", "(6, 2)", "(1,)"]),
        (lambda m: m.fit([1, 2], [1, 2]), [".fit", "matrix", "(2,)"]),
        (lambda m: m.fit(np.ones((0, 2)), []), [".fit", "(0, 2)"]),
        (lambda m: m.fit([[1, np.nan]], [1]), [".fit", "NaN"]),
        (lambda m: m.fit(*blobs(0)).predict(np.ones((3, 2))), ["(N, 4)", "(3, 2)"]),
        (lambda m: m.fit(*blobs(0)).predict(np.full((3, 4), np.inf)), ["infinity"]),
    ],
)
def test_errors_say_what_was_expected_and_what_came(model, misuse, words):
    with pytest.raises(ValueError) as caught:
        misuse(model())
    for word in [model.__name__, *words]:
        assert word in str(caught.value)


@pytest.mark.parametrize("k", [0, -1, 2.5, True, "3"])
def test_n_neighbors_is_a_whole_number_of_1_or_more(k):
    with pytest.raises(ValueError, match="n_neighbors of 1 or more"):
        KNeighborsClassifier(k)


def test_more_neighbours_than_examples_and_votes_of_the_wrong_shape():
    with pytest.raises(ValueError, match="2 examples, fewer than n_neighbors=3"):
        KNeighborsClassifier(3).fit([[1], [2]], [0, 1]).predict([[1]])
    for votes in ([1, 2, 3], np.ones((2, 0))):
        with pytest.raises(ValueError, match=r"majority_vote .*\(N, K\)"):
            majority_vote(votes)
