"""training.py from outside: the loop against one written by hand, killed processes, damaged files."""

import subprocess
import sys
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from shared import manual_seed, nn, optim, training

RUN = """
import sys
import numpy as np
from shared import manual_seed, nn, optim, training

path, optimizer, schedule, kind, epochs = sys.argv[1:]
manual_seed(0)
rng = np.random.default_rng(1)
x, y = rng.normal(size=(600, 6)), rng.integers(0, 3, 600)
layers = [nn.Linear(6, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.3), nn.Linear(8, 8), nn.Tanh()]
layers += [nn.Dropout(0.1, rng=np.random.Generator(np.random.MT19937(5))), nn.Linear(8, 3)]
model = nn.Sequential(*layers).to(np.float64)
optimizer = eval(f"optim.{optimizer}", {"optim": optim, "w": model.parameters()})
schedule = eval(f"optim.{schedule}", {"optim": optim, "o": optimizer})
history = training.fit(
    model, nn.CrossEntropyLoss(), optimizer, (x[:500], y[:500]), (x[500:], y[500:]), int(epochs), 32, quiet=True,
    scheduler=schedule, max_norm=1.0, checkpoint=path, rng=eval(f"np.random.{kind}"), patience=200,
)
losses = [facts["loss"] for facts in history]
training.save(model.state_dict() | {"losses": losses, "lr": optimizer.lr}, path + ".end")
"""
RUNS = [
    ("SGD(w, 0.1, momentum=0.9)", "OneCycleLR(o, 0.2, total_steps=3200)", "default_rng(2)", "200"),
    ("AdamW(w, 0.01)", "OneCycleLR(o, 0.02, total_steps=3200)", "Generator(np.random.Philox(2))", "200"),
    ("RMSprop(w, 0.01)", "ReduceLROnPlateau(o, patience=1)", "Generator(np.random.SFC64(2))", "200"),
    ("Adam(w, 0.01)", "CosineAnnealingLR(o, 200)", "default_rng(2)", "200"),
]


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


@pytest.mark.parametrize("number", range(len(RUNS)))
def test_a_killed_run_comes_to_the_same_weights(number, tmp_path):
    whole, path, rng = tmp_path / "whole.npz", tmp_path / "run.npz", np.random.default_rng(number)
    subprocess.run([sys.executable, "-c", RUN, str(whole), *RUNS[number]], check=True)
    done = [0]
    for _ in range(3):
        before = path.stat().st_mtime_ns if path.exists() else 0
        process = subprocess.Popen([sys.executable, "-c", RUN, str(path), *RUNS[number]])
        while not (path.exists() and path.stat().st_mtime_ns > before) and process.poll() is None:
            time.sleep(0.005)  # until it has written an epoch of its own; then any moment will do
        time.sleep(rng.uniform(0, 0.1))
        process.kill()  # SIGKILL, TerminateProcess: no chance to tidy up
        process.wait()
        done.append(str(training.load(path)["facts"]).count('"epoch"'))  # a whole file, whenever that was
    assert all(early < late for early, late in zip(done, done[1:], strict=False)) and done[-1] < 200
    subprocess.run([sys.executable, "-c", RUN, str(path), *RUNS[number]], check=True)
    assert_same(training.load(f"{path}.end"), training.load(f"{whole}.end"))


@pytest.mark.parametrize("stop", [1, 3])
@pytest.mark.parametrize("schedule", [None, lambda o: optim.OneCycleLR(o, 0.1, total_steps=35)])
def test_resuming_in_the_same_process_and_beyond(stop, schedule, tmp_path):
    options = {"make": optim.Adam, "schedule": schedule, "validation": blobs(50), "patience": 9}
    whole, history = trained(epochs=7, **options)
    trained(epochs=stop, checkpoint=tmp_path / "run.npz", **options)
    resumed, again = trained(network(seed=8), epochs=7, checkpoint=tmp_path / "run.npz", **options)
    assert_same(resumed.state_dict(), whole.state_dict())
    assert again == history
    finished, third = trained(network(seed=9), epochs=7, checkpoint=tmp_path / "run.npz", **options)
    assert_same(finished.state_dict(), whole.state_dict())
    assert third == history


def test_the_checkpoint_of_another_run_is_refused(tmp_path):
    path = tmp_path / "run.npz"
    trained(checkpoint=path)
    model = network(seed=4)
    before = model.state_dict()
    cases = {
        "optimizer SGD": {"make": optim.Adam},
        "batch_size 64": {"batch_size": 32},
        "examples 300": {"data": blobs(200)},
        "scheduler NoneType": {"schedule": lambda o: optim.StepLR(o, 1)},
        "validation False": {"validation": blobs(50)},
    }
    for found, options in cases.items():
        with pytest.raises(ValueError, match=f"fit expected a checkpoint with .*run.npz has {found}: "):
            trained(model, checkpoint=path, **options)
        assert_same(model.state_dict(), before)
    with pytest.raises(
        ValueError, match=r"0.weight should be \(6, 2\), came as \(5, 2\); 0.bias .*; 2.weight"
    ):
        trained(network(hidden=6), checkpoint=path)
    training.save(model.state_dict(), path)
    with pytest.raises(ValueError, match="batch_size None"):
        trained(checkpoint=path)


@pytest.mark.parametrize("size", [0, 1, 100, 2000, -1])
def test_half_a_file_is_refused(size, tmp_path):
    path = tmp_path / "run.npz"
    trained(checkpoint=path)
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(ValueError, match="load expected a file of weights, got .*run.npz, damaged"):
        trained(checkpoint=path)


def test_a_changed_byte_is_refused(tmp_path):
    path = tmp_path / "weights.npz"
    training.save({"a": np.arange(1000.0)}, path)
    content = bytearray(path.read_bytes())
    content[4000] ^= 1
    path.write_bytes(content)
    with pytest.raises(ValueError, match="damaged"):
        training.load(path)


def test_save_and_load(tmp_path):
    path, model = tmp_path / "weights.npz", network()
    training.save(model.state_dict(), path)
    assert_same(training.load(path), model.state_dict())
    assert [file.name for file in tmp_path.iterdir()] == ["weights.npz"]
    before = path.read_bytes()
    with pytest.raises(TypeError, match="save expected arrays, got objects in model"):
        training.save({"model": model}, path)
    assert path.read_bytes() == before
    with pytest.raises(FileNotFoundError):
        training.load(tmp_path / "none.npz")


def test_nothing_in_a_file_is_executed(tmp_path):
    class Trap:
        def __reduce__(self):
            return open, (str(tmp_path / "sprung"), "w")

    np.savez(tmp_path / "evil.npz", weight=np.array([Trap()], dtype=object))
    (tmp_path / "evil.npy").write_bytes(__import__("pickle").dumps(Trap()))
    for path in (tmp_path / "evil.npz", tmp_path / "evil.npy"):
        with pytest.raises(ValueError, match="load expected a file of weights"):
            training.load(path)
    assert not (tmp_path / "sprung").exists()


def test_a_write_that_fails_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "weights.npz"
    training.save({"a": np.ones(3)}, path)

    def full(file, **arrays):
        file.write(b"half")
        raise OSError("no space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(OSError, match="no space"):
        training.save({"a": np.zeros(3)}, path)
    monkeypatch.undo()
    assert training.load(path)["a"].tolist() == [1, 1, 1]


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
        ({"batch_size": 0}, "fit expected batch_size"),
        ({"batch_size": 6.4}, "fit expected batch_size"),
        ({"data": (blobs()[0], blobs()[1][:9])}, "one target for each example, got 300 and 9"),
        ({"data": (np.zeros((0, 2)), np.zeros(0, int))}, "got 0 and 0"),
    ],
)
def test_what_makes_no_sense_is_refused(options, told):
    with pytest.raises(ValueError, match=told):
        trained(**options)


def test_the_package_generator_is_restored(tmp_path):
    manual_seed(3)
    whole, _ = trained(epochs=4, rng=None)
    manual_seed(3)
    trained(epochs=2, rng=None, checkpoint=tmp_path / "run.npz")
    manual_seed(99)
    resumed, _ = trained(network(seed=5), epochs=4, rng=None, checkpoint=tmp_path / "run.npz")
    assert_same(resumed.state_dict(), whole.state_dict())
