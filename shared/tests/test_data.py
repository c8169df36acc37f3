"""data.py from outside: who comes when, in which dtype and memory, and who ends up in which part."""

import itertools
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from shared import manual_seed
from shared.data import DataLoader, Normalize, channel_statistics, random_split

some = settings(deadline=None, max_examples=60, derandomize=True)


def numbered(n, dtype=np.int64):
    """n examples that bear their numbers, with the negative ones as targets."""
    return np.arange(n, dtype=dtype)[:, None] * np.ones((1, 3), dtype), -np.arange(n)


def batches(n=10, **options):
    return [*DataLoader(numbered(n), **options)]


def order(loader):
    return [number for x, _ in loader for number in x[:, 0].tolist()]


@some
@given(st.integers(1, 50), st.integers(1, 60), st.booleans(), st.integers(0, 9))
def test_each_example_comes_once_an_epoch_with_its_own_target(n, batch_size, shuffle, seed):
    loader = DataLoader(numbered(n), batch_size, shuffle, rng=np.random.default_rng(seed))
    for _ in range(2):
        epoch = [*loader]
        x, y = (np.concatenate(parts) for parts in zip(*epoch, strict=True))
        assert sorted(x[:, 0]) == list(range(n)) and (x[:, 0] == -y).all()
        assert shuffle or x[:, 0].tolist() == list(range(n))
        assert [len(part) for part, _ in epoch[:-1]] == [batch_size] * (len(loader) - 1)
        assert 1 <= len(epoch[-1][0]) <= batch_size and len(epoch) == len(loader)


@some
@given(st.integers(1, 50), st.integers(1, 60), st.booleans())
def test_the_batches_are_those_of_torch(n, batch_size, drop_last):
    torch = pytest.importorskip("torch")
    data = torch.utils.data
    dataset = data.TensorDataset(*map(torch.from_numpy, numbered(n)))
    theirs = data.DataLoader(dataset, batch_size, drop_last=drop_last)
    if drop_last and n < batch_size:  # where torch gives an epoch of nothing
        with pytest.raises(ValueError, match=f"expected {batch_size} examples or more, got {n} examples"):
            DataLoader(numbered(n), batch_size, drop_last=True)
        return
    ours = DataLoader(numbered(n), batch_size, drop_last=drop_last)
    assert len(ours) == len(theirs)
    for one, other in zip(ours, theirs, strict=True):
        for mine, torchs in zip(one, other, strict=True):
            assert_array_equal(mine, torchs.numpy())


def test_every_epoch_has_an_order_of_its_own_that_the_generator_decides():
    loader, same, other = (DataLoader(numbered(40), 7, True, rng=np.random.default_rng(s)) for s in (1, 1, 2))
    epochs = [order(loader) for _ in range(3)]
    assert [order(same) for _ in range(3)] == epochs and order(other) != epochs[0]
    assert len({tuple(epoch) for epoch in epochs}) == 3
    manual_seed(5)
    first = order(DataLoader(numbered(40), 7, shuffle=True))
    manual_seed(5)
    assert order(DataLoader(numbered(40), 9, shuffle=True)) == first


def test_who_leaves_early_finds_the_next_epoch_whole():
    loader = DataLoader(numbered(20), 3, shuffle=True, rng=np.random.default_rng(0))
    assert len([*itertools.islice(loader, 2)]) == 2
    assert sorted(order(loader)) == list(range(20))
    pairs = [*zip(loader, loader, strict=True)]  # two epochs side by side
    for side in range(2):
        assert sorted(n for pair in pairs for n in pair[side][0][:, 0]) == list(range(20))


def test_bytes_become_float32_from_0_to_1_and_nothing_else_changes():
    x = np.arange(256, dtype=np.uint8).reshape(256, 1)
    ((scaled, y),) = DataLoader((x, x[:, 0]), 256)
    assert scaled.dtype == np.float32 and y.dtype == np.uint8
    assert_array_equal(scaled, x.astype(np.float32) / np.float32(255))
    assert scaled[0] == 0 and scaled[51] == np.float32(0.2) and scaled[255] == 1
    for dtype in (np.float16, np.float32, np.float64, np.int64, np.int8, np.uint16, bool):
        for shuffle in (False, True):
            ((same, _),) = DataLoader((x.astype(dtype), x[:, 0]), 256, shuffle)
            assert same.dtype == dtype
            assert_array_equal(np.sort(same, axis=0), np.sort(x.astype(dtype), axis=0))


def test_batches_in_order_are_the_dataset_itself_and_can_not_be_written_to():
    x, y = numbered(10, np.float32)
    for part, target in DataLoader((x, y), 4):
        assert np.shares_memory(part, x) and np.shares_memory(target, y)
        for view in (part, target):
            with pytest.raises(ValueError, match="read-only"):
                view += 1
    assert x.flags.writeable and y.flags.writeable
    for part, target in DataLoader((x, y), 4, shuffle=True):
        part += 1
        target += 1
    for part, _ in DataLoader((x.astype(np.uint8), y), 4):
        part += 1
    assert_array_equal(x, numbered(10, np.float32)[0])
    assert_array_equal(y, numbered(10)[1])


@pytest.mark.parametrize("shuffle", [False, True])
def test_pictures_never_exist_as_floats_all_at_once(shuffle):
    x, y = np.zeros((20_000, 784), np.uint8), np.zeros(20_000, np.int64)
    loader = DataLoader((x, y), 100, shuffle, transform=Normalize(0.1, 0.3))
    tracemalloc.start()
    for _ in loader:
        pass
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    one_batch = 100 * 784 * 4
    assert peak < 8 * one_batch < x.size / 4  # what it needs for a batch or two, and the order


def test_the_transform_gets_each_batch_scaled_and_the_loaders_generator():
    rng, seen = np.random.default_rng(3), []

    def transform(x, generator):
        seen.append((x.copy(), generator))
        return x + generator.random(x.shape)

    x, y = np.arange(10, dtype=np.uint8)[:, None], np.arange(10)
    came = [*DataLoader((x, y), 4, shuffle=True, transform=transform, rng=rng)]
    again = np.random.default_rng(3)
    rows = again.permutation(10)
    assert len(seen) == 3 and all(generator is rng for _, generator in seen)
    for (part, target), (got, _), place in zip(came, seen, (0, 4, 8), strict=True):
        expected = x[rows[place : place + 4]] / np.float32(255)
        assert_array_equal(got, expected)
        assert_array_equal(part, expected + again.random(expected.shape))
        assert_array_equal(target, rows[place : place + 4])


@pytest.mark.parametrize(
    "wrong, found",
    [(lambda x, rng: None, "None"), (lambda x, rng: x[1:], r"\(3, 3\)"), (lambda x, rng: 1.0, r"\(\)")],
)
def test_a_transform_that_loses_examples_is_refused(wrong, found):
    with pytest.raises(ValueError, match=f"expected 4 examples from its transform, got {found}: .* return x"):
        batches(transform=wrong, batch_size=4)


@pytest.mark.parametrize(
    "dataset, error, told",
    [
        (np.zeros((3, 2)), TypeError, r"a pair of arrays, got a ndarray: try DataLoader\(\(x, y\), …\)"),
        (([1, 2], np.zeros(2)), TypeError, "got a tuple of list, ndarray"),
        ((np.zeros(2), None), TypeError, "got a tuple of ndarray, NoneType"),
        ((np.zeros(2), np.zeros(2), np.zeros(2)), TypeError, "got a tuple of ndarray, ndarray, ndarray"),
        ((np.zeros((3, 2)), np.zeros(2)), ValueError, r"got \(3, 2\) and \(2,\): look at the slices"),
        ((np.zeros((0, 2)), np.zeros(0)), ValueError, r"got \(0, 2\) and \(0,\)"),
        ((np.zeros(()), np.zeros(())), ValueError, r"got \(\) and \(\)"),
    ],
)
def test_what_is_no_dataset_is_refused(dataset, error, told):
    with pytest.raises(error, match=f"^DataLoader expected .*{told}"):
        DataLoader(dataset)
    with pytest.raises(error, match=f"^random_split expected .*{told.replace('DataLoader', 'random_split')}"):
        random_split(dataset, [0.5, 0.5])


@pytest.mark.parametrize("size", [0, -1, 2.0, True, None])
def test_a_batch_has_a_whole_number_of_examples(size):
    with pytest.raises(ValueError, match="DataLoader expected batch_size as a whole number, 1 or more"):
        batches(batch_size=size)


@some
@given(st.integers(1, 20), st.integers(1, 4), st.booleans(), st.integers(0, 5))
def test_normalized_training_data_have_mean_0_and_std_1(n, channels, images, seed):
    rng = np.random.default_rng(seed)
    shape = (n, channels, 5, 3) if images else (n + 1, channels)
    x = rng.normal(rng.normal(0, 9, (1, channels, *[1] * (len(shape) - 2))), 4, shape)
    before, axes = x.copy(), (0, *range(2, len(shape)))
    mean, std = channel_statistics(x)
    assert_allclose(mean, x.mean(axis=axes), rtol=1e-12)
    assert_allclose(std, x.std(axis=axes), rtol=1e-12)
    y = Normalize(mean, std)(x)
    assert y.dtype == np.float64 and y.shape == shape
    assert_allclose(y.mean(axis=axes), 0, atol=1e-12)
    assert_allclose(y.std(axis=axes), 1, rtol=1e-12)
    assert_array_equal(x, before)
    single = Normalize(mean, std)(x.astype(np.float32))
    assert single.dtype == np.float32
    assert_allclose(single, y, rtol=1e-3, atol=1e-4)


def test_statistics_are_those_of_torch_and_scikit_learn():
    preprocessing, torch = pytest.importorskip("sklearn.preprocessing"), pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    x, new = rng.normal(3, 2, (2500, 3)), rng.normal(3, 2, (40, 3))
    scaler = preprocessing.StandardScaler().fit(x)
    assert_allclose(Normalize(*channel_statistics(x))(new), scaler.transform(new), rtol=1e-9)
    images = rng.random((2100, 3, 4, 5))
    std, mean = torch.std_mean(torch.from_numpy(images), dim=(0, 2, 3), correction=0)
    assert_allclose(channel_statistics(images), (mean.numpy(), std.numpy()), rtol=1e-12)


def test_statistics_of_bytes_are_exact_and_need_little_memory():
    x = np.random.default_rng(0).integers(0, 256, (30_000, 1, 14, 14), dtype=np.uint8)
    count, total = x.size, int(x.sum(dtype=np.int64))
    squares = int((x.astype(np.int64) ** 2).sum())
    tracemalloc.start()
    (mean,), (std,) = channel_statistics(x)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert mean == pytest.approx(total / (255 * count), rel=1e-13)
    assert std == pytest.approx((count * squares - total**2) ** 0.5 / (255 * count), rel=1e-13)
    assert peak < x.nbytes  # as float64 it would be eight times as many


def test_a_small_spread_around_a_large_mean_is_not_lost():
    x = 1e8 + np.tile([[0.0], [1.0]], (1500, 1))
    assert channel_statistics(x)[1] == pytest.approx(0.5, rel=1e-6)
    assert channel_statistics(np.full((10, 1), 0.1))[1] == pytest.approx(0, abs=1e-15)


def test_normalize_by_hand():
    x = np.array([[[[0.0, 1.0]], [[2.0, 4.0]]]], np.float32)  # one picture, two channels of 1 x 2
    assert Normalize([0.5, 2], [0.5, 4])(x).tolist() == [[[[-1, 1]], [[0, 0.5]]]]
    assert Normalize(1, 2)(x).tolist() == [[[[-0.5, 0]], [[0.5, 1.5]]]]
    assert Normalize([1.0, 2.0], [1, 2])(np.array([[3.0, 4.0]])).tolist() == [[2, 1]]
    ((batch, _),) = DataLoader((np.array([[0], [255]], np.uint8), np.arange(2)), 2, transform=Normalize(1, 2))
    assert batch.tolist() == [[-0.5], [0]] and batch.dtype == np.float32


@pytest.mark.parametrize(
    "call, error, told",
    [
        (lambda: Normalize([0, 0], [1, 0]), ValueError, r"every std above 0, got .* smallest 0: .*np.where"),
        (lambda: Normalize(0, -1), ValueError, "smallest -1"),
        (lambda: Normalize(0, np.nan), ValueError, "smallest nan"),
        (lambda: Normalize([0, 1], [1]), ValueError, r"mean \(2,\) and std \(1,\)"),
        (lambda: Normalize(0, 1)(np.zeros((2, 2), np.uint8)), TypeError, "got uint8: .*DataLoader"),
        (
            lambda: Normalize([0, 1], 1 + np.ones(2))(np.zeros((4, 3))),
            ValueError,
            r"\(N, 2, …\), got \(4, 3\)",
        ),
        (lambda: Normalize(0, 1)(np.zeros(4)), ValueError, r"got \(4,\): .*x\[None\]"),
        (lambda: channel_statistics(np.zeros((5, 28, 28))), ValueError, r"got \(5, 28, 28\): .*x\[:, None\]"),
        (lambda: channel_statistics(np.zeros((0, 3))), ValueError, r"got \(0, 3\)"),
        (lambda: channel_statistics([[1.0]]), TypeError, "an array of numbers, got list"),
        (lambda: channel_statistics(np.array([["a"]])), TypeError, "got <U1"),
    ],
)
def test_what_can_not_be_normalized_is_refused(call, error, told):
    with pytest.raises(error, match=told):
        call()


@some
@given(st.lists(st.integers(1, 30), min_size=1, max_size=4), st.booleans(), st.integers(0, 9))
def test_each_example_goes_into_exactly_one_part(lengths, stratify, seed):
    n = sum(lengths)
    x, y = numbered(n)
    parts = random_split((x, y % 3), lengths, stratify, np.random.default_rng(seed))
    assert [len(part) for part, _ in parts] == lengths
    assert sorted(number for part, _ in parts for number in part[:, 0]) == list(range(n))
    for part, target in parts:
        assert_array_equal(target, -part[:, 0] % 3)
        part += 1  # a copy: the dataset stays as it was
    assert_array_equal(x, numbered(n)[0])


@some
@given(st.lists(st.integers(0, 9), min_size=8, max_size=60), st.data())
def test_stratified_parts_have_their_share_of_each_class(y, data):
    y = np.array(y)
    first = data.draw(st.integers(1, len(y) - 2))
    second = data.draw(st.integers(1, len(y) - first - 1))
    for lengths, off in (([first, len(y) - first], 1), ([first, second, len(y) - first - second], 2)):
        for (_, part), length in zip(random_split((y, y), lengths, True), lengths, strict=True):
            assert len(part) == length
            for label in range(10):
                assert abs(np.sum(part == label) - np.sum(y == label) * length / len(y)) < off


def test_stratified_shares_are_those_of_scikit_learn():
    selection = pytest.importorskip("sklearn.model_selection")
    y = np.repeat([0, 1, 2], [50, 30, 20])
    train, test = selection.train_test_split(y, test_size=0.2, stratify=y, random_state=0)
    (_, ours), (_, rest) = random_split((y, y), [0.8, 0.2], stratify=True)
    assert np.bincount(ours).tolist() == np.bincount(train).tolist() == [40, 24, 16]
    assert np.bincount(rest).tolist() == np.bincount(test).tolist() == [10, 6, 4]


@some
@given(st.integers(3, 200), st.lists(st.integers(1, 9), min_size=1, max_size=3))
def test_shares_become_the_lengths_of_torch(n, weights):
    torch = pytest.importorskip("torch")
    shares = [weight / sum(weights) for weight in weights]
    theirs = (
        [len(part) for part in torch.utils.data.random_split(range(n), shares)] if sum(shares) <= 1 else None
    )
    if theirs is None or 0 in theirs:
        return
    assert [len(part) for part, _ in random_split(numbered(n), shares)] == theirs


@pytest.mark.parametrize("stratify", [False, True])
def test_everybody_has_the_same_chance_and_parts_are_in_random_order(stratify):
    y, rng = np.repeat([0, 1, 2], [3, 6, 3]), np.random.default_rng(0)
    taken, first = np.zeros(12), np.zeros(12)
    for _ in range(3000):
        (x, _), _ = random_split((np.arange(12), y), [4, 8], stratify, rng)
        taken[x] += 1
        first[x[0]] += 1
    assert_allclose(taken / 3000, 1 / 3, atol=0.04)
    assert_allclose(first / 3000, 1 / 12, atol=0.025)


def test_the_generator_decides_the_split():
    parts = [
        random_split(numbered(30), [20, 10], rng=np.random.default_rng(seed))[0][1] for seed in (1, 1, 2)
    ]
    assert_array_equal(parts[0], parts[1])
    assert not np.array_equal(parts[0], parts[2])


@pytest.mark.parametrize("lengths", [[5, 6], [0.5, 0.6], [10, 0], [11, -1], [0.95, 0.05], [], [5.5, 4.5]])
def test_lengths_that_do_not_add_up_are_refused(lengths):
    with pytest.raises(ValueError, match=r"random_split expected lengths that add up to 10, got \["):
        random_split(numbered(10), lengths)


def test_stratify_needs_classes():
    with pytest.raises(ValueError, match=r"stratify expected .* \(N,\) as y, got \(10, 2\): .*argmax"):
        random_split((np.zeros(10), np.zeros((10, 2))), [5, 5], stratify=True)
