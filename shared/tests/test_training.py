"""training.py from outside: the loop against one written by hand, and what it says when something is wrong."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from shared import nn, optim, training
from shared.data import DataLoader


def blobs(n=300, classes=3, seed=0):
    """Points around the corners of a triangle, with the numbers of the corners."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, classes, n)
    return rng.normal(size=(n, 2)) + 3 * np.array([[0, 0], [1, 0], [0, 1]])[y], y


def network(seed=0, hidden=5):
    rng = np.random.default_rng(seed)
    layers = nn.Linear(2, hidden, rng=rng), nn.ReLU(), nn.Linear(hidden, 3, rng=rng)
    return nn.Sequential(*layers).to(np.float64)


def trained(model=None, data=None, lr=0.1, make=optim.SGD, schedule=None, **options):
    """(the model, its history) after a quiet fit."""
    model = model or network()
    optimizer = make(model.parameters(), lr)
    options = {"epochs": 3, "quiet": True, "rng": np.random.default_rng(0)} | options
    scheduler = schedule and schedule(optimizer)
    criterion = nn.CrossEntropyLoss()
    return model, training.fit(model, criterion, optimizer, data or blobs(), scheduler=scheduler, **options)


def noisy(x, rng):
    return x + rng.normal(0, 0.1, x.shape)


def assert_same(one, other):
    assert list(one) == list(other)
    for name in one:
        assert one[name].dtype == other[name].dtype
        assert_array_equal(one[name], other[name])


@settings(deadline=None, max_examples=50, derandomize=True)
@given(st.integers(1, 50), st.integers(1, 60), st.integers(0, 9))
def test_each_example_comes_once_with_its_own_target(n, batch_size, seed):
    batches = [
        *training.minibatches(np.arange(n)[:, None], -np.arange(n), batch_size, np.random.default_rng(seed))
    ]
    x, y = (np.concatenate(parts) for parts in zip(*batches, strict=True))
    assert sorted(x[:, 0]) == list(range(n)) and (x[:, 0] == -y).all()
    assert [len(part) for part, _ in batches[:-1]] == [batch_size] * (len(batches) - 1)


def test_fit_is_the_loop_written_by_hand():
    (x, y), other, losses = blobs(), network(), []
    model, history = trained(batch_size=32)
    rng, criterion = np.random.default_rng(0), nn.CrossEntropyLoss()
    for _ in range(3):
        order, total = rng.permutation(300), 0.0
        for start in range(0, 300, 32):
            rows = order[start : start + 32]
            loss = criterion(other(x[rows]), y[rows])
            other.backward(criterion.backward())
            for parameter in other.parameters():
                parameter.data -= 0.1 * parameter.grad
            other.zero_grad()
            total += float(loss) * len(rows)
        losses.append(total / 300)
    assert_same(model.state_dict(), other.state_dict())
    assert [facts["loss"] for facts in history] == losses
    assert [(facts["epoch"], facts["lr"]) for facts in history] == [(1, 0.1), (2, 0.1), (3, 0.1)]


def loader(data, seed=0, **options):
    return DataLoader(data, 32, shuffle=True, rng=np.random.default_rng(seed), **options)


def test_a_pair_is_trained_on_as_its_loader_is():
    of_pair, history = trained(batch_size=32, validation=blobs(50, seed=1))
    of_loader, again = trained(data=loader(blobs()), validation=DataLoader(blobs(50, seed=1), 1000), rng=None)
    assert_same(of_pair.state_dict(), of_loader.state_dict())
    assert history == again


def test_evaluate_takes_a_loader():
    model, (x, y), criterion = network(), blobs(7), nn.CrossEntropyLoss()
    whole = training.evaluate(model, criterion, x, y)
    for options in ({"batch_size": 7}, {"batch_size": 3, "shuffle": True}):
        assert training.evaluate(model, criterion, DataLoader((x, y), **options)) == pytest.approx(whole)
    six = training.evaluate(model, criterion, DataLoader((x, y), 3, drop_last=True))
    assert six == pytest.approx(training.evaluate(model, criterion, x[:6], y[:6]), rel=1e-12)
    with pytest.raises(TypeError, match="DataLoader expected a pair of arrays, got a ndarray"):
        training.evaluate(model, criterion, x)


def test_the_loss_of_an_epoch_is_the_mean_over_those_who_came():
    losses = []

    class Noted(nn.CrossEntropyLoss):
        def __call__(self, scores, target):
            losses.append((super().__call__(scores, target), len(target)))
            return losses[-1][0]

    for drop_last, batches in ((False, 10), (True, 9)):
        losses.clear()
        model, data = network(), loader(blobs(), drop_last=drop_last)
        (facts,) = training.fit(
            model, Noted(), optim.SGD(model.parameters(), 0.1), data, epochs=1, quiet=True
        )
        values, counts = zip(*losses, strict=True)
        assert len(losses) == batches and facts["loss"] == pytest.approx(np.average(values, weights=counts))


def test_the_gradient_of_the_input_is_there_again_afterwards():
    for mode in (True, False):
        model, (x, y) = network().requires_input_grad_(mode), blobs()
        trained(model)
        criterion = nn.CrossEntropyLoss()
        criterion(model(x), y)
        assert (model.backward(criterion.backward()) is not None) == mode


def test_evaluate_counts_in_evaluation_mode_and_puts_the_mode_back():
    model, (x, y) = nn.Sequential(nn.Dropout(0.9), *network()), blobs(7)
    loss, accuracy = training.evaluate(model, nn.CrossEntropyLoss(), x, y, batch_size=3)
    scores = model.eval()(x)
    assert accuracy == np.mean(scores.argmax(axis=1) == y)
    assert loss == pytest.approx(nn.CrossEntropyLoss()(scores, y), rel=1e-12)
    training.evaluate(model, nn.CrossEntropyLoss(), x, y)
    assert not model.training
    training.evaluate(model.train(), nn.CrossEntropyLoss(), x, y)
    assert all(module.training for module in model.modules())
    numbers = np.ones((7, 3))
    loss, accuracy = training.evaluate(model.eval(), nn.MSELoss(), x, numbers)
    assert np.isnan(accuracy) and loss == pytest.approx(nn.MSELoss()(scores, numbers), rel=1e-12)


def test_early_stopping_puts_the_best_weights_back():
    data, validation = blobs(20), blobs(200, seed=1)
    options = {"lr": 0.5, "make": optim.Adam, "validation": validation}
    model, history = trained(data=data, epochs=200, patience=4, **options)
    losses = [facts["validation_loss"] for facts in history]
    best = int(np.argmin(losses))
    assert len(history) == best + 1 + 4 < 200
    assert training.evaluate(model, nn.CrossEntropyLoss(), *validation)[0] == losses[best]
    again, _ = trained(data=data, epochs=best + 1, **options)
    assert_same(model.state_dict(), again.state_dict())


def test_the_lines_it_prints(capsys):
    trained(quiet=False, epochs=1, validation=blobs(50))
    assert capsys.readouterr().out.startswith("epoch 1 | loss ≈ 0.")
    trained(quiet=False, epochs=2, validation=blobs(50))
    last = capsys.readouterr().out.splitlines()[-1]
    assert [part.split(" ≈ ")[0] for part in last.split(" | ")] == ["epoch 2", "loss", "validation accuracy"]
    trained(quiet=True, validation=blobs(50))
    assert capsys.readouterr() == ("", "")


def test_schedules_step_when_they_should():
    _, history = trained(schedule=lambda o: optim.StepLR(o, 1, gamma=0.5))
    assert [facts["lr"] for facts in history] == [0.1, 0.05, 0.025]
    kept = []
    trained(
        schedule=lambda o: kept.append(optim.OneCycleLR(o, 1.0, total_steps=30)) or kept[0], batch_size=30
    )
    assert kept[0].last_epoch == 30  # once a batch
    data = blobs(10)[0], np.zeros(10, int)
    wrong = data[0], np.ones(10, int)  # gets worse as training succeeds
    plateau = {"schedule": lambda o: optim.ReduceLROnPlateau(o, patience=0), "validation": wrong}
    assert [facts["lr"] for facts in trained(data=data, **plateau)[1]] == pytest.approx([0.1, 0.1, 0.01])


def test_gradients_are_clipped():
    (x, y), model = blobs(), network()
    before = model.state_dict()
    trained(model, (100 * x, y), lr=1.0, epochs=1, batch_size=300, max_norm=0.01)
    moved = [model.state_dict()[name] - before[name] for name in before]
    assert np.sqrt(sum((change**2).sum() for change in moved)) == pytest.approx(0.01, rel=1e-3)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_nan_stops_with_a_diagnosis():
    (x, y), model = blobs(), network()
    with pytest.raises(FloatingPointError) as told:
        trained(model, (x * 1e150, y), lr=1e150, epochs=9, batch_size=300)
    assert "the loss is nan in epoch 2, step 1; the largest weight is" in str(told.value)
    assert "(1) the inputs are not scaled: they reach" in str(told.value) and "(3) " in str(told.value)
    x[50, 1] = np.nan
    with pytest.raises(FloatingPointError, match=r"step \d; .*\(1\) the inputs of this batch hold NaN"):
        trained(network(), (x, y))
    model = network()
    model[2].weight.data[0, 0] = np.inf
    with pytest.raises(
        FloatingPointError, match=r"the largest weight is inf, in 2.weight. .*learning rate, 0.1,"
    ):
        trained(model)


def test_a_validation_loss_that_is_no_number_stops_it_too(tmp_path):
    x, y = blobs(50)
    x[3] = np.nan
    with pytest.raises(
        FloatingPointError, match="the validation loss is nan after epoch 1; the largest weight"
    ):
        trained(validation=(x, y), checkpoint=tmp_path / "run.npz")
    assert not (tmp_path / "run.npz").exists()


@pytest.mark.parametrize(
    "options, told",
    [
        ({"patience": 2}, "fit with patience expected validation"),
        ({"patience": 0, "validation": blobs(9)}, "patience as a whole number"),
        ({"epochs": 0}, "fit expected epochs"),
        ({"batch_size": 0}, "DataLoader expected batch_size"),
        ({"batch_size": 6.4}, "DataLoader expected batch_size"),
        ({"data": (blobs()[0], blobs()[1][:9])}, r"one target for each example, got \(300, 2\) and \(9,\)"),
        ({"data": (np.zeros((0, 2)), np.zeros(0, int))}, r"got \(0, 2\) and \(0,\)"),
        ({"data": DataLoader(blobs(9), 3)}, "DataLoader expected neither batch_size nor rng"),
        ({"data": DataLoader(blobs(9), 3), "rng": None, "batch_size": 3}, "neither batch_size nor rng"),
    ],
)
def test_what_makes_no_sense_is_refused(options, told):
    with pytest.raises(ValueError, match=told):
        trained(**options)


def test_evaluation_leaves_each_layer_in_its_own_mode():
    model = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3).eval()).to(np.float64)
    training.evaluate(model, nn.CrossEntropyLoss(), *blobs())
    assert [module.training for module in model] == [True, False]


def test_weights_of_any_name_are_saved(tmp_path):
    state = {name: np.arange(3) for name in ("file", "allow_pickle", "args", "0.weight")}
    training.save(state, tmp_path / "w.npz")
    assert [*training.load(tmp_path / "w.npz")] == [*state] and not (tmp_path / "w.npz.new").exists()


@pytest.mark.parametrize("reduction", ["sum", "none"])
def test_a_criterion_that_is_no_mean_is_refused(reduction):
    criterion, model = nn.CrossEntropyLoss(reduction=reduction), network()
    told = f"expected a criterion with reduction='mean', got reduction='{reduction}'"
    with pytest.raises(ValueError, match=f"evaluate {told}"):
        training.evaluate(model, criterion, *blobs())
    with pytest.raises(ValueError, match=f"fit {told}"):
        training.fit(model, criterion, optim.SGD(model.parameters()), blobs(), epochs=1)
