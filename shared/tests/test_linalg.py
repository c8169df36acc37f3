"""linalg against hand values, NumPy, SciPy and scikit-learn, and what it says when it is called wrongly."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.spatial import distance
from sklearn import decomposition

from shared import linalg, manual_seed

some = settings(deadline=None, max_examples=40, derandomize=True)

SIZES = st.integers(1, 9)
SEEDS = st.integers(0, 2**32 - 1)

# Every public function with arguments that suit it, made from matrices a (4, 4) and b (4, 4).
CALLS = {
    "dot": lambda a, b: linalg.dot(a[0], b[0]),
    "norm": lambda a, b: linalg.norm(a[0]),
    "cosine_similarity": lambda a, b: linalg.cosine_similarity(a, b),
    "projection": lambda a, b: linalg.projection(a[0], b[0]),
    "angle": lambda a, b: linalg.angle(a[0], b[0]),
    "matmul": linalg.matmul,
    "cdist": linalg.cdist,
    "power_iteration": lambda a, b: linalg.power_iteration(a.T / 2 + a / 2),
    "svd": lambda a, b: linalg.svd(a),
    "PCA": lambda a, b: linalg.PCA(2).fit(a).transform(b),
    "PCA back": lambda a, b: linalg.PCA(2).fit(a).inverse_transform(b[:, :2]),
}


def normal(seed, *shape):
    return np.random.default_rng(seed).standard_normal(shape)


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize(
    "given_dtype, expected", [("f4", "f4"), ("f8", "f8"), ("u1", "f8"), ("i8", "f8"), ("?", "f8")]
)
def test_float32_stays_and_whole_numbers_become_float64(name, given_dtype, expected):
    pixels = np.array([[9, 1, 0, 2], [1, 7, 2, 0], [3, 1, 5, 1], [0, 2, 1, 3]])
    a, b = (pixels.astype(given_dtype), pixels[::-1].astype(given_dtype))
    results = CALLS[name](a, b)
    for result in results if isinstance(results, tuple) else [results]:
        assert result.dtype == np.dtype(expected)


@pytest.mark.parametrize("name", CALLS)
def test_arguments_are_never_changed(name):
    a, b = normal(0, 4, 4), normal(1, 4, 4)
    a.setflags(write=False)
    b.setflags(write=False)
    CALLS[name](a, b)


def test_hand_values():
    assert linalg.dot([1, 2, 3], [4, 5, 6]) == 32
    assert linalg.norm([3, 4]) == 5
    assert linalg.cosine_similarity([1, 0], [3, 3]) == pytest.approx(np.sqrt(0.5), rel=1e-15)
    assert linalg.angle([1, 0], [1, 1]) == pytest.approx(45, rel=1e-15)
    assert linalg.angle([0, 2], [0, -5]) == 180
    assert linalg.angle([5, 0], [0, 0.1]) == 90
    assert_array_equal(linalg.projection([2, 3], [4, 0]), [2, 0])
    assert_array_equal(
        linalg.matmul([[1, 2], [3, 4], [5, 6]], [[1, 0, 2], [0, 1, 3]]), [[1, 2, 8], [3, 4, 18], [5, 6, 28]]
    )
    assert_array_equal(linalg.one_hot([2, 0]), [[0, 0, 1], [1, 0, 0]])
    assert_array_equal(linalg.cdist([[0, 0], [3, 0]], [[3, 4]]), [[5], [4]])
    eigenvalue, eigenvector = linalg.power_iteration([[2, -1], [-1, 2]])
    assert eigenvalue == pytest.approx(3, rel=1e-14)
    assert_allclose(eigenvector, np.array([1, -1]) / np.sqrt(2), rtol=1e-12)


def test_pixels_do_not_overflow():
    white = np.full(784, 255, dtype=np.uint8)
    assert linalg.dot(white, white) == 784 * 255**2
    assert linalg.norm(white) == 28 * 255
    assert linalg.cdist(white[None], 0 * white[None])[0, 0] == 28 * 255
    assert linalg.matmul(white[None], white[:, None])[0, 0] == 784 * 255**2


@some
@given(SIZES, SEEDS)
def test_a_vector_is_its_projection_and_a_perpendicular_rest(size, seed):
    a, b = normal(seed, 2, size)
    along = linalg.projection(a, b)
    assert abs(linalg.dot(a - along, b)) <= 1e-13 * linalg.norm(a) * linalg.norm(b)
    assert_allclose(linalg.projection(along, b), along, rtol=1e-12)
    assert linalg.norm(along) == pytest.approx(
        abs(linalg.cosine_similarity(a, b)) * linalg.norm(a), rel=1e-12
    )
    assert np.cos(np.radians(linalg.angle(a, b))) == pytest.approx(linalg.cosine_similarity(a, b), abs=1e-13)


@pytest.mark.parametrize("radians", [1e-3, 1e-8, 1e-12])
def test_angle_keeps_its_digits_near_0_and_180(radians):
    turned = [np.cos(radians), np.sin(radians)]
    assert linalg.angle([1, 0], turned) == pytest.approx(np.degrees(radians), rel=1e-12)
    assert 180 - linalg.angle([-1, 0], turned) == pytest.approx(np.degrees(radians), abs=1e-13)


def test_cosine_similarity_broadcasts_and_forgives_black_pictures():
    a, b = normal(0, 3, 5), normal(1, 4, 5)
    every_pair = linalg.cosine_similarity(a[:, None], b[None])
    assert_allclose(every_pair, 1 - distance.cdist(a, b, "cosine"), atol=1e-14)
    assert_allclose(linalg.cosine_similarity(a, b[0]), every_pair[:, 0], rtol=1e-14)
    assert_allclose(linalg.cosine_similarity(a.T, b[:3].T, dim=0), np.diag(every_pair), rtol=1e-13)
    assert linalg.cosine_similarity([0, 0], [1, 2]) == 0


def test_same_as_torch():
    torch = pytest.importorskip("torch", reason="PyTorch is an extra for maintainers")
    a, b = normal(0, 3, 5), normal(1, 3, 5)
    ours, theirs = linalg.cosine_similarity(a, b), torch.nn.functional.cosine_similarity
    assert_allclose(ours, theirs(torch.tensor(a), torch.tensor(b)).numpy(), rtol=1e-13)
    assert_allclose(linalg.cdist(a, b), torch.cdist(torch.tensor(a), torch.tensor(b)).numpy(), rtol=1e-12)
    labels = np.array([[2, 0], [1, 1]])
    assert_array_equal(
        linalg.one_hot(labels, 4), torch.nn.functional.one_hot(torch.tensor(labels), 4).numpy()
    )


@some
@given(st.integers(0, 9), st.integers(0, 9), st.integers(0, 9), SEEDS)
def test_matmul_is_the_matrix_product(rows, inner, columns, seed):
    a, b = normal(seed, rows, inner), normal(seed + 1, inner, columns)
    assert_allclose(linalg.matmul(a, b), a @ b, rtol=1e-13, atol=1e-13)
    assert_array_equal(linalg.matmul(a, b).T, linalg.matmul(b.T, a.T))


@some
@given(st.lists(SIZES, max_size=3), SEEDS)
def test_one_hot_has_one_1_in_its_place(shape, seed):
    labels = np.random.default_rng(seed).integers(0, 7, shape).astype(np.uint8)
    vectors = linalg.one_hot(labels, 7)
    assert vectors.shape == (*shape, 7) and vectors.dtype == np.int64
    assert_array_equal(vectors, np.eye(7)[labels])
    assert linalg.one_hot(labels).shape == (*shape, labels.max() + 1)


@some
@given(SIZES, SIZES, SIZES, SEEDS)
def test_cdist_is_the_distance(n, m, size, seed):
    a, b = normal(seed, n, size), normal(seed + 1, m, size)
    assert_allclose(linalg.cdist(a, b), distance.cdist(a, b), rtol=1e-9, atol=1e-7)
    assert_allclose(linalg.cdist(a, b, squared=True), distance.cdist(a, b, "sqeuclidean"), atol=1e-13)
    assert_array_equal(linalg.cdist(a, b), np.sqrt(linalg.cdist(a, b, squared=True)))


@pytest.mark.parametrize("dtype, slack", [(np.float32, 1e-3), (np.float64, 1e-7)])
def test_cdist_of_equal_rows_stays_within_the_documented_error(dtype, slack):
    rows = (1000 + normal(0, 50, 784)).astype(dtype)
    lengths = np.sqrt((rows.astype(float) ** 2).sum(axis=1))
    found = np.diag(linalg.cdist(rows, rows))
    assert np.all(found >= 0) and np.all(found <= slack * lengths)


def test_cdist_counts_by_ones_beyond_2_to_the_24():
    bright = np.random.default_rng(0).integers(150, 256, (40, 784))
    exact = (bright**2).sum(axis=1)  # about 3e7, where float32 has only every second whole number
    black, bright = np.zeros((1, 784), np.float32), bright.astype(np.float32)
    assert_array_equal(linalg.cdist(black, bright, squared=True)[0], exact.astype(np.float32))
    assert_array_equal(linalg.cdist(bright, black, squared=True)[:, 0], exact.astype(np.float32))


def test_cdist_of_pixels_is_exact_in_float32():
    pixels = np.random.default_rng(0).integers(0, 256, (40, 100))
    exact = ((pixels[:, None] - pixels[None]) ** 2).sum(axis=2)
    assert_array_equal(
        linalg.cdist(pixels.astype(np.float32), pixels.astype(np.float32), squared=True), exact
    )


@some
@given(SIZES, SEEDS, st.floats(-3, 3))
def test_power_iteration_finds_the_largest_eigenvalue(size, seed, largest):
    rng = np.random.default_rng(seed)
    axes, _ = np.linalg.qr(rng.standard_normal((size, size)))
    values = np.r_[largest, largest * rng.uniform(-0.9, 0.9, size - 1)]
    eigenvalue, eigenvector = linalg.power_iteration(axes * values @ axes.T, rng=rng)
    assert eigenvalue == pytest.approx(largest, rel=1e-11)
    assert linalg.norm(eigenvector) == pytest.approx(1, rel=1e-14)
    if abs(largest) > 1e-100:
        assert abs(eigenvector @ axes[:, 0]) == pytest.approx(1, abs=1e-11)
        assert eigenvector.max() > 0.999 * abs(eigenvector).max()


def test_power_iteration_of_a_matrix_that_is_not_symmetric():
    eigenvalue, eigenvector = linalg.power_iteration([[0, 2], [1, 1]])
    assert eigenvalue == pytest.approx(2, rel=1e-12)
    assert_allclose(eigenvector, np.sqrt([0.5, 0.5]), rtol=1e-12)
    assert linalg.power_iteration(np.zeros((3, 3)))[0] == 0


def test_the_sign_of_an_eigenvector_does_not_hang_on_a_rounding():
    for seed in range(20):
        _, eigenvector = linalg.power_iteration([[2, -1], [-1, 2]], rng=np.random.default_rng(seed))
        assert_allclose(eigenvector, [np.sqrt(0.5), -np.sqrt(0.5)], rtol=1e-9)


def test_columns_that_nearly_depend_on_each_other_become_perpendicular():
    nearly_one = np.vstack(
        [np.ones(6), 1e-8 * np.eye(6)]
    )  # Läuchli's matrix, which ruins Gram–Schmidt done once
    perpendicular = linalg.decomposition._orthonormal(
        nearly_one, np.random.default_rng(0)
    )  # svd itself hides what goes wrong here
    assert_allclose(perpendicular.T @ perpendicular, np.eye(6), atol=1e-14)


@some
@given(st.integers(1, 14), st.integers(1, 14), st.integers(0, 14), SEEDS, st.sampled_from([1, 1e-200, 1e200]))
def test_svd_is_numpys_svd(rows, columns, rank, seed, scale):
    a = scale * (normal(seed, rows, rank) @ normal(seed + 1, rank, columns))
    u, s, vh = linalg.svd(a, rng=np.random.default_rng(seed))
    size = min(rows, columns)
    assert u.shape == (rows, size) and s.shape == (size,) and vh.shape == (size, columns)
    assert_allclose(s, np.linalg.svd(a, compute_uv=False), atol=1e-13 * (s[0] or 1))
    assert np.all(s >= 0) and np.all(np.diff(s) <= 0)
    assert_allclose(u.T @ u, np.eye(size), atol=1e-12)
    assert_allclose(vh @ vh.T, np.eye(size), atol=1e-12)
    assert_allclose((u * s) @ vh, a, atol=1e-13 * (s[0] or 1))
    assert np.all(vh.max(axis=1) > 0.999 * abs(vh).max(axis=1))


@pytest.mark.parametrize("shape", [(200, 60), (60, 200)])
def test_svd_of_the_first_few_is_the_front_of_the_whole(shape):
    a = normal(0, *shape) * 0.9 ** np.arange(shape[1])
    u, s, vh = linalg.svd(a, 5)
    whole_u, whole_s, whole_vh = np.linalg.svd(a, full_matrices=False)
    assert_allclose(s, whole_s[:5], rtol=1e-12)
    assert_allclose(abs(np.sum(u * whole_u[:, :5], axis=0)), 1, atol=1e-11)
    assert_allclose(abs(np.sum(vh * whole_vh[:5], axis=1)), 1, atol=1e-11)


@pytest.mark.parametrize(
    "a",
    [
        np.eye(7),
        np.ones((5, 8)),
        1 / (np.arange(1, 11)[:, None] + np.arange(10)),
        np.diag([1, 1 - 1e-9, 1e-12]),
    ],
)
def test_svd_of_equal_close_and_tiny_singular_values(a):
    u, s, vh = linalg.svd(a)
    assert_allclose(s, np.linalg.svd(a, compute_uv=False), atol=1e-14 * s[0])
    assert np.all(np.diff(s) <= 0)
    assert_allclose((u * s) @ vh, a, atol=1e-13)
    assert_allclose(u.T @ u, np.eye(len(s)), atol=1e-13)
    assert_allclose(vh @ vh.T, np.eye(len(s)), atol=1e-13)


def test_svd_settles_when_nothing_stands_out():
    a = normal(0, 60, 40)
    left, _, right = np.linalg.svd(a, full_matrices=False)
    spread = 1 - 1e-4 * np.arange(40)
    _, s, vh = linalg.svd((left * spread) @ right, 2)
    assert_allclose(s, spread[:2], rtol=1e-13)
    assert_allclose(abs(np.sum(vh * right[:2], axis=1)), 1, atol=1e-11)


def test_svd_does_not_depend_on_its_random_start():
    a = normal(0, 30, 20)
    first, second = (linalg.svd(a, 3, rng=np.random.default_rng(seed)) for seed in (1, 2))
    for left, right in zip(first, second, strict=True):
        assert_allclose(left, right, atol=1e-11)
    manual_seed(7)
    once = linalg.svd(a, 3)
    manual_seed(7)
    for left, right in zip(once, linalg.svd(a, 3), strict=True):
        assert_array_equal(left, right)


@pytest.mark.parametrize("shape", [(200, 12), (9000, 7), (12, 40), (20, 20)])
def test_pca_is_scikit_learns(shape):
    x = 100 + normal(0, *shape) @ np.diag(1.3 ** np.arange(shape[1]))
    ours, theirs = linalg.PCA(5).fit(x), decomposition.PCA(5, svd_solver="full").fit(x)
    assert_allclose(ours.mean_, theirs.mean_, rtol=1e-12)
    assert_allclose(ours.explained_variance_, theirs.explained_variance_, rtol=1e-10)
    assert_allclose(ours.explained_variance_ratio_, theirs.explained_variance_ratio_, rtol=1e-10)
    signs = np.sign(np.sum(ours.components_ * theirs.components_, axis=1))
    assert_allclose(ours.components_ * signs[:, None], theirs.components_, atol=1e-8)
    assert_allclose(ours.transform(x) * signs, theirs.transform(x), atol=1e-6)
    assert_allclose(
        ours.inverse_transform(ours.transform(x)), theirs.inverse_transform(theirs.transform(x)), atol=1e-6
    )


def test_pca_finds_what_svd_finds():
    x = normal(0, 50, 8) * 1.5 ** np.arange(8)
    _, lengths, directions = linalg.svd(x - x.mean(axis=0), 3)
    pca = linalg.PCA(3).fit(x)
    assert_allclose(pca.components_, directions, atol=1e-12)
    assert_allclose(pca.explained_variance_, lengths**2 / 49, rtol=1e-12)


@some
@given(st.integers(2, 12), st.integers(1, 12), SEEDS, st.floats(0.01, 0.99))
def test_pca_by_share_keeps_that_share_and_no_component_more(n, size, seed, share):
    x = normal(seed, n, size)
    pca = linalg.PCA(share).fit(x)
    kept = pca.explained_variance_ratio_
    assert kept.sum() >= share - 1e-12
    assert kept[:-1].sum() < share
    assert_allclose(pca.components_ @ pca.components_.T, np.eye(len(kept)), atol=1e-12)
    lost = ((x - pca.inverse_transform(pca.transform(x))) ** 2).sum() / ((x - x.mean(axis=0)) ** 2).sum()
    assert lost == pytest.approx(1 - kept.sum(), abs=1e-12)


def test_pca_with_all_components_loses_nothing():
    x = np.random.default_rng(0).integers(0, 256, (30, 6)).astype(np.uint8)
    pca = linalg.PCA(6).fit(x)
    assert_allclose(pca.inverse_transform(pca.transform(x)), x, atol=1e-11)
    assert_allclose(np.cov(pca.transform(x).T), np.diag(pca.explained_variance_), atol=1e-9)


def test_pca_of_examples_that_are_all_equal():
    pca = linalg.PCA(2).fit(np.full((5, 3), 7.0))
    assert_array_equal(pca.explained_variance_ratio_, [0, 0])
    assert_array_equal(pca.transform(np.full((1, 3), 7.0)), [[0, 0]])


DATA = normal(0, 5, 2)
EMPTY = np.array([], int)
SHORT, LONG = np.ones((2, 3)), np.ones((2, 4))
VALUE_ERRORS = [  # what is called, and what the message has to say
    (lambda: linalg.dot(np.ones((2, 2)), [1, 2]), "dot|a|(2, 2)|.reshape(-1)"),
    (lambda: linalg.dot([1, 2], [1, 2, 3]), "dot|one length|2 and 3"),
    (lambda: linalg.cosine_similarity([1, 2], [1, 2, 3]), "cosine_similarity|(2,)|(3,)|.reshape"),
    (lambda: linalg.cosine_similarity([1, 2], [1, 2], dim=1), "cosine_similarity|dim|try dim=-1"),
    (lambda: linalg.projection([1, 2], [0, 0]), "projection|length 0|another b"),
    (lambda: linalg.angle([0, 0], [1, 2]), "angle|length 0"),
    (lambda: linalg.matmul(SHORT, SHORT), "matmul|(2, 3) and (2, 3)|.T"),
    (lambda: linalg.matmul(np.ones(3), SHORT), "matmul|a|matrix|(3,)"),
    (lambda: linalg.one_hot([3, 10], 10), "one_hot|0 to 9|3 to 10|num_classes"),
    (lambda: linalg.one_hot([-1, 2]), "one_hot|-1 to 2"),
    (lambda: linalg.one_hot(EMPTY), "one_hot|pass num_classes"),
    (lambda: linalg.cdist(SHORT, LONG), "cdist|(2, 3)|(2, 4)"),
    (lambda: linalg.cdist(np.ones(3), SHORT), "cdist|x1|(3,)|[None]"),
    (lambda: linalg.power_iteration(SHORT), "power_iteration|square|(2, 3)|svd"),
    (lambda: linalg.power_iteration([[0, -1], [1, 0]]), "power_iteration|settles|10000|complex"),
    (lambda: linalg.power_iteration(np.diag([1, -1])), "power_iteration|opposite in sign"),
    (lambda: linalg.power_iteration([[np.nan]]), "power_iteration|NaN"),
    (lambda: linalg.svd(SHORT, 3), "svd|1 to 2|(2, 3)|got 3"),
    (lambda: linalg.svd(SHORT, 0.5), "svd|got 0.5"),
    (lambda: linalg.svd(np.ones((0, 3))), "svd|(0, 3)"),
    (lambda: linalg.PCA(1).fit([[1, 2]]), "PCA.fit|2 rows"),
    (lambda: linalg.PCA(1).fit([[1, np.inf], [1, 2]]), "PCA.fit|infinity"),
    (lambda: linalg.PCA(3).fit(DATA), "PCA.fit|1 to 2|got 3"),
    (lambda: linalg.PCA(1.0).fit(DATA), "PCA.fit|between|got 1.0"),
    (lambda: linalg.PCA(True).fit(DATA), "PCA.fit|got True"),
    (lambda: linalg.PCA(1).transform(DATA), "PCA|call fit first"),
    (lambda: linalg.PCA(1).inverse_transform(DATA), "PCA|call fit first"),
    (lambda: linalg.PCA(1).fit(DATA).transform([[1]]), "PCA.transform|(N, 2)|(1, 1)"),
    (lambda: linalg.PCA(1).fit(DATA).inverse_transform(DATA), "PCA.inverse_transform|(N, 1)|(5, 2)"),
]
TYPE_ERRORS = [
    (lambda: linalg.norm(["a"]), "norm|a|real numbers|dtype"),
    (lambda: linalg.norm([1j]), "norm|complex128"),
    (lambda: linalg.one_hot([0.0, 1.0]), "one_hot|float64|astype(int)"),
    (lambda: linalg.svd(SHORT, rng=0), "rng|int|default_rng(0)"),
]
CASES = [(ValueError, *case) for case in VALUE_ERRORS] + [(TypeError, *case) for case in TYPE_ERRORS]


@pytest.mark.parametrize("error, call, words", CASES, ids=[words for *_, words in CASES])
def test_errors_name_the_function_what_it_expected_and_what_came(error, call, words):
    with pytest.raises(error) as caught:
        call()
    for word in words.split("|"):
        assert word in str(caught.value)


@pytest.mark.parametrize("size", [1e200, 1e-170])
def test_huge_and_tiny_numbers_keep_their_directions(size):
    eigenvalue, eigenvector = linalg.power_iteration(np.diag([3 * size, size]))
    assert_allclose(eigenvalue, 3 * size)
    assert_allclose(eigenvector, [1, 0], atol=1e-9)
    assert_allclose(linalg.angle([size, 0], [size, size]), 45)


def test_half_precision_is_computed_in_double():
    assert linalg.dot(np.full(10, 200, np.float16), np.full(10, 200, np.float16)) == 400_000
