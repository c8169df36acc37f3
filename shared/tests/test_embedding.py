"""embedding.py against hand values, finite differences and scikit-learn."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from shared import embedding, models, nn
from shared.gradcheck import numerical_gradient, relative_error


def blobs(count=30, dimensions=5, seed=0):
    """Three heaps of points, and the heap of each."""
    rng = np.random.default_rng(seed)
    which = np.repeat([0, 1, 2], count)
    return rng.normal(size=(3 * count, dimensions)) + 12 * np.eye(dimensions)[which], which


def test_features_are_the_output_of_the_layer():
    net = models.resnet8(rng=np.random.default_rng(0)).train()
    x = np.random.default_rng(1).random((5, 3, 8, 12), np.float32)
    found = embedding.features(net, "layer2", x, batch_size=2)
    assert net.training and "forward" not in vars(net.layer2)
    net.eval()
    expected = net.layer2(net.layer1(net.relu(net.bn1(net.conv1(x)))))
    assert found.shape == (5, 32, 4, 6) and found.dtype == np.float32
    assert_allclose(found, expected, atol=1e-5)


def test_what_features_says():
    net = nn.Sequential(nn.Linear(3, 2, rng=np.random.default_rng(0)))
    with pytest.raises(ValueError, match=r"features expected the name of a layer, got '1': try one of 0"):
        embedding.features(net, "1", np.zeros((4, 3), np.float32))
    with pytest.raises(ValueError, match=r"at least one image, got \(0, 3\)"):
        embedding.features(net, "0", np.zeros((0, 3), np.float32))
    with pytest.raises(ValueError, match="expected batch_size"):
        embedding.features(net, "0", np.zeros((4, 3), np.float32), batch_size=0)


def test_probabilities_of_equal_distances():
    p = embedding.joint_probabilities(np.eye(5) * 3, perplexity=3.999)
    assert_allclose(p[~np.eye(5, dtype=bool)], 1 / 20, rtol=1e-9)  # whatever the bell
    assert_array_equal(np.diag(p), 0)


@pytest.mark.parametrize("perplexity", [2, 7.5, 30])
def test_every_row_has_the_perplexity(perplexity):
    x, _ = blobs()
    squared = ((x[:, None] - x) ** 2).sum(axis=2)
    np.fill_diagonal(squared, np.inf)
    rows = embedding._conditional(squared, np.log(perplexity))
    entropy = -np.sum(rows * np.log2(np.maximum(rows, 1e-300)), axis=1)
    assert_allclose(2**entropy, perplexity, rtol=1e-8)
    p = embedding.joint_probabilities(x, perplexity)
    assert_allclose(p, (rows + rows.T) / 180, rtol=1e-6, atol=1e-15)
    assert_allclose(p.sum(), 1)


@pytest.mark.parametrize("perplexity", [5, 30])
def test_probabilities_equal_scikit_learn(perplexity):
    t_sne = pytest.importorskip("sklearn.manifold._t_sne")
    distance = pytest.importorskip("scipy.spatial.distance")
    x, _ = blobs()
    squared = distance.squareform(distance.pdist(x, "sqeuclidean"))
    theirs = distance.squareform(t_sne._joint_probabilities(squared, perplexity, 0))
    ours = embedding.joint_probabilities(x, perplexity)
    assert_allclose(ours, theirs, atol=1e-6)  # theirs stops at 1e-5, in float32
    assert_allclose(ours, theirs, rtol=1e-3, atol=1e-9)


def test_far_and_equal_points_have_probabilities():
    x = np.array([[0.0], [0], [0], [0], [1e6], [1e6], [1e6], [1e6 + 1]])
    p = embedding.joint_probabilities(x, 2)
    assert np.isfinite(p).all() and np.isclose(p.sum(), 1)


@pytest.mark.parametrize("dimensions", [1, 2, 3])
def test_gradient_of_the_divergence(dimensions):
    rng = np.random.default_rng(dimensions)
    p = embedding.joint_probabilities(rng.normal(size=(15, 4)), 5)
    y = rng.normal(size=(15, dimensions))
    measured = numerical_gradient(lambda y: embedding.kl_divergence(p, y)[0], y.copy())
    assert relative_error(embedding.kl_divergence(p, y)[1], measured) < 1e-7


def test_gradient_in_blocks_is_that_of_the_whole(monkeypatch):
    x, _ = blobs()
    p, y = embedding.joint_probabilities(x, 10), x[:, :2]
    value, whole = embedding.kl_divergence(p, y)
    monkeypatch.setattr(embedding, "_BLOCK", 7 * len(x))  # 90 rows: the last block is smaller
    assert_allclose(embedding.kl_divergence(p, y)[1], whole, rtol=1e-9, atol=1e-15)
    assert_allclose(embedding.joint_probabilities(x, 10), p, rtol=1e-9, atol=1e-18)
    assert np.isclose(embedding.kl_divergence(p, y)[0], value)


def test_divergence_by_hand():
    p = np.array([[0, 0.4, 0.1], [0.4, 0, 0], [0.1, 0, 0]])
    y = np.array([[0.0, 0], [1, 0], [0, 2]])
    w = np.array([1 / 2, 1 / 5, 1 / 6])  # of the pairs 01, 02, 12
    q = w / (2 * w.sum())
    expected = 2 * (0.4 * np.log(0.4 / q[0]) + 0.1 * np.log(0.1 / q[1]))
    assert np.isclose(embedding.kl_divergence(p, y)[0], expected)


def test_map_is_as_good_as_scikit_learns():
    manifold = pytest.importorskip("sklearn.manifold")
    x, _ = blobs(40, 20, 1)
    theirs = manifold.TSNE(method="exact", init="pca", perplexity=15)
    their_map = theirs.fit_transform(x)
    ours = embedding.TSNE(perplexity=15)
    our_map = ours.fit_transform(x)
    assert ours.kl_divergence_ < 1.05 * theirs.kl_divergence_
    trust = [manifold.trustworthiness(x, found, n_neighbors=10) for found in (our_map, their_map)]
    assert trust[0] > trust[1] - 0.02 and trust[0] > 0.85


def test_heaps_stay_heaps():
    x, which = blobs()
    y = embedding.TSNE(perplexity=10, max_iter=500).fit_transform(x)
    distances = ((y[:, None] - y) ** 2).sum(axis=2) + np.diag(np.full(len(y), np.inf))
    assert_array_equal(which[distances.argmin(axis=1)], which)


def test_the_last_digits_of_the_data_make_no_other_map():
    x, _ = blobs()
    noise = 1e-15 * np.random.default_rng(0).standard_normal(x.shape)
    one, other = (embedding.TSNE(perplexity=10, max_iter=400).fit_transform(x * (1 + n)) for n in (0, noise))
    assert_array_equal(one, other)


def test_start_and_what_is_kept():
    x, _ = blobs()
    start = np.random.default_rng(0).normal(size=(90, 3)) * 1e-4
    before = start.copy()
    model = embedding.TSNE(n_components=3, perplexity=10, max_iter=300, init=start)
    y = model.fit_transform(x)
    assert y.shape == (90, 3) and y is model.embedding_
    assert_array_equal(start, before)
    p = embedding.joint_probabilities(x, 10)
    assert np.isclose(model.kl_divergence_, embedding.kl_divergence(p, y)[0])
    assert model.kl_divergence_ < embedding.kl_divergence(p, start)[0]


def test_float32_gives_float64():
    x, _ = blobs(10)
    y = embedding.TSNE(perplexity=5, max_iter=10).fit_transform(x.astype(np.float32))
    assert y.dtype == np.float64 and y.shape == (30, 2)


@pytest.mark.parametrize(
    "call, told",
    [
        (lambda x: embedding.joint_probabilities(x, 29), r"between 1 and 29 for 30 points, got 29: try 30"),
        (lambda x: embedding.joint_probabilities(x, 1), "got 1"),
        (lambda x: embedding.joint_probabilities(x[0], 5), r"matrix, shape \(N, D\)"),
        (lambda x: embedding.joint_probabilities(x * np.nan, 5), "finite"),
        (
            lambda x: embedding.kl_divergence(np.ones((3, 3)), x),
            r"expected p \(30, 30\), got \(3, 3\): one row",
        ),
        (lambda x: embedding.TSNE(max_iter=0).fit_transform(x), "expected max_iter"),
        (lambda x: embedding.TSNE(perplexity=5, init="random").fit_transform(x), "expected init 'pca'"),
        (
            lambda x: embedding.TSNE(perplexity=5, init=x[:3, :2]).fit_transform(x),
            r"init \(30, 2\), got \(3, 2\)",
        ),
        (lambda x: embedding.TSNE(perplexity=5, n_components=9).fit_transform(x), "n_components from 1 to 5"),
    ],
)
def test_what_it_says(call, told):
    with pytest.raises(ValueError, match=told):
        call(blobs(10)[0])
