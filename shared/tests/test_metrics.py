"""metrics.py, calibration.py and significance.py against hand values, scikit-learn and SciPy, ties and all."""

import math
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats
from sklearn import calibration as their_calibration
from sklearn import metrics as theirs

from shared import calibration, manual_seed, metrics, notebooks, significance

some = settings(deadline=None, max_examples=60, derandomize=True)
few = settings(deadline=None, max_examples=25, derandomize=True)

SEEDS = st.integers(0, 2**32 - 1)
SIZES = st.integers(2, 60)
LEVELS = st.sampled_from(
    [1, 2, 3, 10, 10**6]
)  # how many different scores there are: 1 means nothing but ties
AVERAGES = ["macro", "micro", "weighted", None]

TRUTH = np.array([1, 1, 0, 1, 0, 0, 1, 0])
SCORE = np.array([0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.4, 0.2])  # one tie, of a yes and a no
CALLED = (SCORE >= 0.5).astype(int)


def labels(seed, size, classes):
    rng = np.random.default_rng(seed)
    return rng.integers(classes, size=size), rng.integers(classes, size=size)


def ranked(seed, size, levels):
    """Truth, with both classes in it, and scores with many ties."""
    rng = np.random.default_rng(seed)
    y = rng.integers(2, size=size)
    y[:2] = 0, 1
    return y, rng.integers(levels, size=size) / levels


# Labels


def test_hand_values():
    assert metrics.accuracy_score(TRUTH, CALLED) == 5 / 8
    assert_array_equal(metrics.confusion_matrix(TRUTH, CALLED), [[2, 2], [1, 3]])
    assert metrics.precision_score(TRUTH, CALLED) == 3 / 5
    assert metrics.recall_score(TRUTH, CALLED) == 3 / 4
    assert metrics.f1_score(TRUTH, CALLED) == pytest.approx(2 / 3, rel=1e-15)
    assert metrics.precision_score(TRUTH, CALLED, average="macro") == pytest.approx((2 / 3 + 3 / 5) / 2)
    assert metrics.confusion_matrix(["cat", "dog", "cat"], ["dog", "dog", "cat"]).tolist() == [[1, 1], [0, 1]]


@pytest.mark.filterwarnings("ignore:A single label was found")  # scikit-learn, about one class only
@some
@given(SEEDS, SIZES, st.integers(1, 6))
def test_labels_as_scikit_learn_counts_them(seed, size, classes):
    y, p = labels(seed, size, classes)
    assert metrics.accuracy_score(y, p) == theirs.accuracy_score(y, p)
    assert_array_equal(metrics.confusion_matrix(y, p), theirs.confusion_matrix(y, p))
    order = np.random.default_rng(seed).permutation(classes + 2)  # two classes that never occur
    assert_array_equal(
        metrics.confusion_matrix(y, p, labels=order), theirs.confusion_matrix(y, p, labels=order)
    )
    for name in ("precision_score", "recall_score", "f1_score"):
        for average in AVERAGES + (["binary"] if classes <= 2 else []):
            ours = getattr(metrics, name)(y, p, average=average)
            their = getattr(theirs, name)(y, p, average=average, zero_division=0)
            assert_allclose(ours, their, rtol=1e-13)
            assert average is None or type(ours) is float


@some
@given(SEEDS, SIZES, st.integers(1, 6))
def test_what_micro_is_and_that_f1_lies_between(seed, size, classes):
    y, p = labels(seed, size, classes)
    micro = metrics.precision_score(y, p, average="micro")
    assert micro == metrics.recall_score(y, p, average="micro") == metrics.accuracy_score(y, p)
    precision, recall, f1 = (
        getattr(metrics, name)(y, p, average=None) for name in ("precision_score", "recall_score", "f1_score")
    )
    assert np.all(f1 >= np.minimum(precision, recall) - 1e-15)
    assert np.all(f1 <= np.maximum(precision, recall) + 1e-15)
    assert_allclose(metrics.recall_score(y, p, average="weighted"), micro, rtol=1e-13)


def test_booleans_text_and_whole_numbers_are_labels_alike():
    expected = metrics.f1_score(TRUTH, CALLED)
    assert metrics.f1_score(TRUTH == 1, CALLED == 1) == expected
    assert metrics.f1_score(TRUTH.astype(np.uint8), CALLED == 1) == expected
    words = np.array(["no", "yes"])
    assert metrics.f1_score(words[TRUTH], words[CALLED], average=None)[1] == expected
    assert metrics.f1_score(TRUTH.tolist(), CALLED.tolist()) == expected


@pytest.mark.parametrize("y, p", [([0, 0, 0], [0, 0, 0]), ([0, 0, 0], [1, 1, 1]), ([1, 1], [0, 0])])
def test_what_is_divided_by_nothing_counts_as_0(y, p):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ours = [f(y, p) for f in (metrics.precision_score, metrics.recall_score, metrics.f1_score)]
    assert ours == [0, 0, 0]
    assert ours == [
        f(y, p, zero_division=0) for f in (theirs.precision_score, theirs.recall_score, theirs.f1_score)
    ]


# Rankings


def test_hand_values_of_the_ranking():
    fpr, tpr, thresholds = metrics.roc_curve(TRUTH, SCORE)
    assert_array_equal(fpr, [0, 0, 0, 0.25, 0.25, 0.5, 0.75, 1])
    assert_array_equal(tpr, [0, 0.25, 0.5, 0.5, 0.75, 0.75, 1, 1])
    assert_array_equal(thresholds, [np.inf, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.2])
    assert metrics.roc_auc_score(TRUTH, SCORE) == 12.5 / 16 == metrics.auc(fpr, tpr)
    precision, recall, thresholds = metrics.precision_recall_curve(TRUTH, SCORE)
    assert_array_equal(precision, [1 / 2, 4 / 7, 3 / 5, 3 / 4, 2 / 3, 1, 1, 1])
    assert_array_equal(recall, [1, 1, 0.75, 0.75, 0.5, 0.5, 0.25, 0])
    assert_array_equal(thresholds, [0.2, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9])
    assert metrics.average_precision_score(TRUTH, SCORE) == pytest.approx((1 + 1 + 3 / 4 + 4 / 7) / 4)
    assert metrics.auc([0, 1, 3], [2, 4, 0]) == metrics.auc([3, 1, 0], [0, 4, 2]) == 7


@some
@given(SEEDS, SIZES, LEVELS)
def test_rankings_as_scikit_learn_has_them(seed, size, levels):
    y, score = ranked(seed, size, levels)
    for ours, their in zip(
        metrics.roc_curve(y, score), theirs.roc_curve(y, score, drop_intermediate=False), strict=True
    ):
        assert_allclose(ours, their, rtol=1e-14)
    for ours, their in zip(
        metrics.precision_recall_curve(y, score), theirs.precision_recall_curve(y, score), strict=True
    ):
        assert_allclose(ours, their, rtol=1e-14)
    assert_allclose(metrics.roc_auc_score(y, score), theirs.roc_auc_score(y, score), atol=1e-14)
    assert_allclose(
        metrics.average_precision_score(y, score), theirs.average_precision_score(y, score), rtol=1e-13
    )
    fpr, tpr, _ = metrics.roc_curve(y, score)
    assert_allclose(metrics.auc(fpr, tpr), theirs.auc(fpr, tpr), rtol=1e-14)


@some
@given(SEEDS, SIZES, LEVELS)
def test_auc_is_the_share_of_pairs_in_order_to_the_last_bit(seed, size, levels):
    y, score = ranked(seed, size, levels)
    positive, negative = score[y == 1, None], score[y == 0]
    pairs = np.sum(positive > negative) + np.sum(positive == negative) / 2
    assert metrics.roc_auc_score(y, score) == pairs / (positive.size * negative.size)
    u = stats.mannwhitneyu(score[y == 1], score[y == 0]).statistic
    assert metrics.roc_auc_score(y, score) == u / (positive.size * negative.size)
    assert metrics.roc_auc_score(y, -score) == pytest.approx(1 - metrics.roc_auc_score(y, score), abs=1e-15)


@some
@given(SEEDS, SIZES, LEVELS)
def test_every_threshold_gives_the_point_that_it_promises(seed, size, levels):
    y, score = ranked(seed, size, levels)
    for fpr, tpr, threshold in zip(*metrics.roc_curve(y, score), strict=True):
        assert fpr == np.mean(score[y == 0] >= threshold) and tpr == np.mean(score[y == 1] >= threshold)
    precision, recall, thresholds = metrics.precision_recall_curve(y, score)
    for p, r, threshold in zip(precision, recall, thresholds, strict=False):
        assert p == metrics.precision_score(y, score >= threshold) and r == metrics.recall_score(
            y, score >= threshold
        )
    assert precision[-1] == 1 and recall[-1] == 0 and len(thresholds) == len(precision) - 1


@pytest.mark.parametrize("dtype", [np.uint8, np.int64, np.float32, np.float64, bool])
def test_scores_of_any_kind_are_ordered_as_numbers(dtype):
    y, score = np.array([0, 1, 1, 0]), np.array([0, 1, 255, 200]).astype(dtype)  # -uint8 would wrap around
    assert metrics.roc_auc_score(y, score) == theirs.roc_auc_score(y, score.astype(float))
    assert metrics.roc_curve(y, score)[2].dtype == (np.float32 if dtype is np.float32 else np.float64)


def test_scores_far_apart_and_close_together():
    y, score = np.array([0, 1, 0, 1]), np.array([-1e308, 1e308, 1.0, np.nextafter(1, 2)])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert metrics.roc_auc_score(y, score) == 1


def test_average_precision_without_negatives_is_1_as_in_scikit_learn():
    assert metrics.average_precision_score([1, 1, 1], [0.3, 0.1, 0.3]) == 1
    assert theirs.average_precision_score([1, 1, 1], [0.3, 0.1, 0.3]) == 1


@some
@given(SEEDS, SIZES, st.integers(3, 8), LEVELS)
def test_top_k_as_scikit_learn_has_it(seed, size, classes, levels):
    rng = np.random.default_rng(seed)
    y, score = rng.integers(classes, size=size), rng.integers(levels, size=(size, classes)) / levels
    shares = [metrics.top_k_accuracy_score(y, score, k=k) for k in range(1, classes + 1)]
    assert shares == sorted(shares) and shares[-1] == 1
    for k in range(1, classes):
        their = theirs.top_k_accuracy_score(y, score, k=k, labels=range(classes))
        assert shares[k - 1] == pytest.approx(their, rel=1e-14)


def test_top_1_is_the_accuracy_where_nothing_ties():
    score = np.random.default_rng(0).normal(size=(50, 4))
    y = np.random.default_rng(1).integers(4, size=50)
    assert metrics.top_k_accuracy_score(y, score, k=1) == metrics.accuracy_score(y, score.argmax(axis=1))
    assert metrics.top_k_accuracy_score(y, 0 * score, k=1) == np.mean(y == 3)  # all scores equal: no gift


# Probabilities


@some
@given(SEEDS, SIZES, LEVELS, st.integers(1, 20))
def test_calibration_as_scikit_learn_has_it(seed, size, levels, n_bins):
    y, prob = ranked(seed, size, levels)
    ours = calibration.calibration_curve(y, prob, n_bins=n_bins)
    for mine, their in zip(ours, their_calibration.calibration_curve(y, prob, n_bins=n_bins), strict=True):
        assert_allclose(mine, their, rtol=1e-12)


@some
@given(SEEDS, SIZES, LEVELS, st.integers(1, 20))
def test_calibration_error_by_its_definition(seed, size, levels, n_bins):
    y, prob = ranked(seed, size, levels)
    expected, edges = 0.0, np.linspace(0, 1, n_bins + 1)
    for low, high in zip(edges[:-1], edges[1:], strict=True):
        inside = (prob > low) & (prob <= high) | ((low == 0) & (prob == 0))
        if inside.any():
            expected += inside.mean() * abs(y[inside].mean() - prob[inside].mean())
    ours = calibration.expected_calibration_error(y, prob, n_bins=n_bins)
    assert ours == pytest.approx(expected, abs=1e-13)
    assert abs(y.mean() - prob.mean()) - 1e-13 <= ours <= 1  # one bin is the least that can be


def test_calibration_by_hand():
    right = [True, True, True, False, True]
    sure = [0.9, 0.8, 0.7, 0.6, 0.3]
    assert_allclose(calibration.calibration_curve(right, sure, n_bins=2), [[1, 3 / 4], [0.3, 0.75]])
    ours = calibration.expected_calibration_error(right, sure, n_bins=2)
    assert ours == pytest.approx((0.7 + 4 * 0) / 5)
    assert calibration.expected_calibration_error(right, np.array(right, float)) == 0
    coin = np.random.default_rng(0).random(20_000)
    honest = np.random.default_rng(1).random(20_000) < coin
    assert calibration.expected_calibration_error(honest, coin) < 0.02
    assert 0.22 < calibration.expected_calibration_error(honest, np.round(coin)) < 0.28


# Luck


@some
@given(SEEDS, st.integers(1, 400), st.floats(0, 1), st.floats(0, 1))
def test_mcnemar_is_the_exact_binomial_test(seed, size, share_a, share_b):
    rng = np.random.default_rng(seed)
    a, b = rng.random(size) < share_a, rng.random(size) < share_b
    result = significance.mcnemar(a, b)
    assert result[:2] == (np.sum(a > b), np.sum(b > a))
    their = stats.binomtest(result.only_a, sum(result[:2]), 0.5).pvalue if sum(result[:2]) else 1
    assert result.pvalue == pytest.approx(their, rel=1e-9)
    assert significance.mcnemar(b, a).pvalue == result.pvalue


def test_mcnemar_by_hand_and_at_its_ends():
    right = np.array([True, False] * 4)
    assert significance.mcnemar(right, right) == (0, 0, 1.0)
    assert significance.mcnemar(right, ~right) == (4, 4, 1.0)
    a = np.arange(10) < 9
    assert significance.mcnemar(a, ~a).pvalue == 2 * (1 + 10) / 2**10
    many = np.arange(30_000) < 16_000
    assert significance.mcnemar(many, ~many).pvalue == pytest.approx(
        stats.binomtest(16_000, 30_000).pvalue, rel=1e-9
    )
    assert significance.mcnemar(np.ones(5000, bool), np.zeros(5000, bool)).pvalue == 0  # 2**-4999 is no float


@some
@given(st.integers(1, 10_000), st.floats(0, 1), st.sampled_from([0.5, 0.9, 0.95, 0.99]))
def test_wilson_is_scipys(trials, share, level):
    successes = round(share * trials)
    low, high = significance.wilson_interval(successes, trials, confidence_level=level)
    their = stats.binomtest(successes, trials).proportion_ci(level, method="wilson")
    assert_allclose([low, high], [their.low, their.high], atol=1e-12)
    assert 0 <= low <= successes / trials <= high <= 1


def test_wilson_of_arrays_and_at_the_ends():
    low, high = significance.wilson_interval([0, 5, 10], 10)
    assert low[0] == 0 and high[2] == 1 and low[1] == pytest.approx(1 - high[1])
    many = np.arange(1, 1000)
    assert np.all(significance.wilson_interval(0, many)[0] == 0)  # not 1e-19, nor -1e-19
    assert np.all(significance.wilson_interval(many, many)[1] == 1)
    z = stats.norm.ppf(0.975)
    assert high[0] == pytest.approx(z**2 / (10 + z**2))  # Brown, Cai & DasGupta: never of no width


@few
@given(SEEDS, st.integers(20, 60))
def test_the_bootstrap_is_scipys_percentile(seed, size):
    x = np.random.default_rng(seed).normal(size=size)
    ours = significance.bootstrap_interval(np.mean, x, n_resamples=4000, rng=np.random.default_rng(1))
    their = stats.bootstrap((x,), np.mean, n_resamples=4000, method="percentile", rng=2).confidence_interval
    assert_allclose(ours, their, atol=0.12 * x.std() / math.sqrt(size) * 2)


def test_what_belongs_together_is_drawn_together():
    rng = np.random.default_rng(0)
    a = rng.random(2000) < 0.9
    b = a ^ (rng.random(2000) < 0.02)  # nearly the same answers: the difference hardly moves
    low, high = significance.bootstrap_interval(lambda a, b: a.mean() - b.mean(), a, b, rng=rng)
    assert 0 < high - low < 0.016  # drawn apart, it would be 0.037
    error = math.sqrt(np.var(a.astype(float) - b) / 2000)
    assert high - low == pytest.approx(2 * 1.96 * error, rel=0.1)


def test_the_level_decides_the_width_and_a_seed_repeats_it():
    x = np.random.default_rng(0).normal(size=100)
    narrow, wide = (
        significance.bootstrap_interval(np.mean, x, confidence_level=level, rng=np.random.default_rng(0))
        for level in (0.5, 0.99)
    )
    assert wide[0] < narrow[0] < x.mean() < narrow[1] < wide[1]
    assert (wide[1] - wide[0]) / (narrow[1] - narrow[0]) == pytest.approx(2.576 / 0.674, rel=0.1)
    manual_seed(3)
    once = significance.bootstrap_interval(np.median, x, n_resamples=50)
    manual_seed(3)
    assert significance.bootstrap_interval(np.median, x, n_resamples=50) == once
    assert significance.bootstrap_interval(np.mean, np.ones(30)) == (1, 1)


def test_the_bootstrap_covers_what_it_promises():
    """Of 300 intervals of 90 %, so many hold the truth as chance allows: 270 give or take three standard errors."""
    rng, held = np.random.default_rng(0), 0
    for _ in range(300):
        low, high = significance.bootstrap_interval(
            np.mean, rng.random(200) < 0.8, confidence_level=0.9, n_resamples=400, rng=rng
        )
        held += low <= 0.8 <= high
    assert 270 - 17 < held < 270 + 17


# What is not changed, and what is refused

CALLS = [
    lambda: metrics.confusion_matrix(TRUTH, CALLED),
    lambda: metrics.f1_score(TRUTH, CALLED),
    lambda: metrics.roc_curve(TRUTH, SCORE),
    lambda: metrics.average_precision_score(TRUTH, SCORE),
    lambda: metrics.auc(SCORE[::-1].copy(), SCORE),
    lambda: metrics.top_k_accuracy_score(TRUTH, np.stack([SCORE, 1 - SCORE], axis=1)),
    lambda: calibration.expected_calibration_error(TRUTH, SCORE),
    lambda: significance.mcnemar(TRUTH == 1, CALLED == 1),
    lambda: significance.bootstrap_interval(np.mean, SCORE, n_resamples=5),
]


@pytest.mark.parametrize("call", CALLS)
def test_arguments_are_never_changed(call):
    before = TRUTH.copy(), SCORE.copy(), CALLED.copy()
    call()
    for now, then in zip((TRUTH, SCORE, CALLED), before, strict=True):
        assert_array_equal(now, then)


NAN = np.where(SCORE == 0.5, np.nan, SCORE)
DIGITS = np.array([3, 9, 9, 0])
TABLE = np.ones((8, 3))
VALUE_ERRORS = [  # what is called, and what the message has to say
    (lambda: metrics.accuracy_score(TRUTH, CALLED[:3]), "accuracy_score|(8,) and (3,)"),
    (lambda: metrics.accuracy_score(TRUTH, TABLE), "accuracy_score|(8, 3)|.argmax(axis=1)"),
    (lambda: metrics.accuracy_score([], []), "accuracy_score|(0,) and (0,)"),
    (
        lambda: metrics.confusion_matrix(DIGITS, DIGITS, labels=[0, 3]),
        "confusion_matrix|[0, 3]|[0, 3, 9]|leave",
    ),
    (lambda: metrics.confusion_matrix(DIGITS, DIGITS, labels=[0, 3, 9, 9]), "confusion_matrix|[0, 3, 9, 9]"),
    (lambda: metrics.precision_score(DIGITS, DIGITS), 'precision_score|[0, 3, 9]|try average="macro"|== 9'),
    (lambda: metrics.recall_score(DIGITS, DIGITS, average="mean"), "recall_score|'macro'|got 'mean'|try"),
    (
        lambda: metrics.roc_auc_score([1, 1, 1], [1, 2, 3]),
        "roc_auc_score|both classes|3 examples, all 1|together",
    ),
    (lambda: metrics.roc_curve([0, 0], [1, 2]), "roc_curve|both classes|2 examples, all 0"),
    (lambda: metrics.average_precision_score([0, 0], [1, 2]), "average_precision_score|a positive|all 0"),
    (lambda: metrics.precision_recall_curve([0, 0], [1, 2]), "precision_recall_curve|a positive|all 0"),
    (lambda: metrics.roc_curve(DIGITS, DIGITS), "roc_curve|0 and 1|got 3|y_true == 9"),
    (lambda: metrics.roc_curve([-1, 1], [0, 1]), "roc_curve|got -1"),
    (lambda: metrics.roc_curve(["a", "b"], [0, 1]), "roc_curve|got 'a'"),
    (lambda: metrics.roc_curve(TRUTH, TABLE), "roc_curve|(8,)|(8, 3)|y_score[:, 9]"),
    (lambda: metrics.roc_curve(TABLE, TABLE), "roc_curve|y_true|(8, 3)"),
    (lambda: metrics.roc_curve(TRUTH, NAN), "roc_curve|NaN|argwhere"),
    (lambda: metrics.roc_curve([], []), "roc_curve|(0,)"),
    (lambda: metrics.auc([0, 2, 1], [1, 1, 1]), "auc|does both|order x, y"),
    (lambda: metrics.auc([0, np.nan], [1, 1]), "auc|does both"),
    (lambda: metrics.auc([0], [1]), "auc|(1,) and (1,)"),
    (lambda: metrics.auc([0, 1], [1, 1, 1]), "auc|(2,) and (3,)"),
    (lambda: metrics.top_k_accuracy_score(TRUTH, SCORE), "top_k_accuracy_score|(N, C)|(8,), (8,)|each class"),
    (lambda: metrics.top_k_accuracy_score(DIGITS, np.ones((4, 9))), "top_k_accuracy_score|0 to 8|0 to 9"),
    (lambda: metrics.top_k_accuracy_score(SCORE, TABLE), "top_k_accuracy_score|0 to 2|0.2 to 0.9"),
    (lambda: metrics.top_k_accuracy_score(TRUTH, TABLE, k=4), "top_k_accuracy_score|1 to 3|got 4"),
    (lambda: metrics.top_k_accuracy_score(TRUTH, TABLE, k=0), "top_k_accuracy_score|got 0"),
    (lambda: metrics.top_k_accuracy_score(TRUTH, np.full((8, 3), np.inf)), "top_k_accuracy_score|infinity"),
    (lambda: calibration.calibration_curve(TRUTH, 10 * SCORE), "calibration_curve|0 to 1|2 to 9|nn.Softmax"),
    (lambda: calibration.expected_calibration_error(TRUTH, SCORE, n_bins=0), "expected_calibration|got 0"),
    (lambda: calibration.expected_calibration_error(DIGITS, SCORE[:4]), "expected_calibration|0 and 1|got 3"),
    (lambda: significance.mcnemar(TRUTH == 1, TRUTH[:3] == 1), "mcnemar|(8,) and (3,)|same examples"),
    (lambda: significance.wilson_interval(5, 4), "wilson_interval|5 of 4"),
    (lambda: significance.wilson_interval(-1, 4), "wilson_interval|-1 of 4"),
    (lambda: significance.wilson_interval(0, 0), "wilson_interval|0 of 0"),
    (lambda: significance.wilson_interval(1, 4, confidence_level=95), "wilson_interval|got 95|0.95"),
    (lambda: significance.bootstrap_interval(np.mean, SCORE, TRUTH[:3]), "bootstrap_interval|(8,), (3,)"),
    (lambda: significance.bootstrap_interval(np.mean), "bootstrap_interval|got none"),
    (lambda: significance.bootstrap_interval(np.mean, []), "bootstrap_interval|(0,)"),
    (lambda: significance.bootstrap_interval(np.mean, 3.0), "bootstrap_interval|()"),
    (lambda: significance.bootstrap_interval(np.mean, SCORE, n_resamples=0), "bootstrap_interval|got 0"),
]
TYPE_ERRORS = [
    (lambda: metrics.accuracy_score(TRUTH, SCORE), "accuracy_score|float64|>= threshold"),
    (lambda: metrics.accuracy_score(["a", "b"], [0, 1]), "accuracy_score|<U1|int64"),
    (lambda: metrics.roc_auc_score([0, 1], ["a", "b"]), "roc_auc_score|<U1|scores"),
    (lambda: significance.mcnemar(TRUTH, CALLED), "mcnemar|int64|y_pred == y_true"),
    (lambda: significance.bootstrap_interval(np.mean, SCORE, rng=0), "rng|default_rng(0)"),
]
CASES = [(ValueError, *case) for case in VALUE_ERRORS] + [(TypeError, *case) for case in TYPE_ERRORS]


@pytest.mark.parametrize("error, call, words", CASES, ids=[words for *_, words in CASES])
def test_errors_name_the_function_what_it_expected_and_what_came(error, call, words):
    with pytest.raises(error) as caught:
        call()
    for word in words.split("|"):
        assert word in str(caught.value)


def test_scikit_learn_warns_where_there_is_an_error_here():
    with pytest.warns(Warning, match="one class"):
        assert math.isnan(theirs.roc_auc_score([1, 1, 1], [1, 2, 3]))


def test_the_figures_that_the_notebook_stores_are_scikit_learns():
    """The notebook proves itself against constants; here they are computed anew, by whoever has scikit-learn."""
    book = notebooks.read(notebooks.ROOT / "04-image-data/04-metrics.ipynb")
    [cell] = [cell for cell in book.cells if cell.id == "stored-figures"]
    exec(cell.source, names := {"np": np})
    yes, marks, classes, guesses = (names[name] for name in ("yes", "marks", "classes", "guesses"))
    called, alone = marks >= 0.5, names["first_right"] != names["second_right"]
    expected = {
        "accuracy": theirs.accuracy_score(classes, guesses),
        "precision": theirs.precision_score(yes, called),
        "recall": theirs.recall_score(yes, called),
        "f1": theirs.f1_score(yes, called),
        "precision, macro": theirs.precision_score(classes, guesses, average="macro"),
        "recall, weighted": theirs.recall_score(classes, guesses, average="weighted"),
        "f1, macro": theirs.f1_score(classes, guesses, average="macro"),
        "f1, weighted": theirs.f1_score(classes, guesses, average="weighted"),
        "ROC AUC": theirs.roc_auc_score(yes, marks),
        "average precision": theirs.average_precision_score(yes, marks),
        "top 2": theirs.top_k_accuracy_score(classes, names["table"], k=2),
        "McNemar": stats.binomtest(int(names["first_right"][alone].sum()), int(alone.sum())).pvalue,
        "Wilson, low end": stats.binomtest(287, 300).proportion_ci(method="wilson").low,
    }
    assert names["stored"].keys() == expected.keys()
    for name, figure in expected.items():
        assert names["stored"][name] == pytest.approx(figure, rel=1e-12), name
    assert len(set(marks)) < len(marks) / 4  # many ties
