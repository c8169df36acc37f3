"""runs.py from outside: killed processes, damaged files, and a run that goes on where it stopped."""

import subprocess
import sys
import time

import numpy as np
import pytest

from shared import default_rng, manual_seed, optim, training
from shared.data import DataLoader
from shared.tests.test_training import assert_same, blobs, loader, network, noisy, trained

RUN = """
import sys
import numpy as np
from shared import manual_seed, nn, optim, training
from shared.data import DataLoader

path, optimizer, schedule, kind, data = sys.argv[1:]
manual_seed(0)
rng = np.random.default_rng(1)
x, y = rng.normal(size=(600, 6)), rng.integers(0, 3, 600)
layers = [nn.Linear(6, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.3), nn.Linear(8, 8), nn.Tanh()]
layers += [nn.Dropout(0.1, rng=np.random.Generator(np.random.MT19937(5))), nn.Linear(8, 3)]
model = nn.Sequential(*layers).to(np.float64)
optimizer = eval(f"optim.{optimizer}", {"optim": optim, "w": model.parameters()})
schedule = eval(f"optim.{schedule}", {"optim": optim, "o": optimizer})
order = eval(f"np.random.{kind}")

class Distort:
    rng = np.random.Generator(np.random.Philox(8))

    def __call__(self, x, rng):
        return x + rng.normal(0, 0.1, x.shape) * self.rng.random(len(x))[:, None]

if data == "pairs":
    options = {"train": (x[:500], y[:500]), "validation": (x[500:], y[500:]), "batch_size": 32, "rng": order}
    options |= {"epochs": 200, "patience": 200}
else:
    x = rng.integers(0, 256, (600, 6), dtype=np.uint8)
    y = x[:, :3].argmax(axis=1)
    train = DataLoader((x[:500], y[:500]), 32, shuffle=True, drop_last=True, transform=Distort(), rng=order)
    seen = np.random.default_rng(9)
    validation = DataLoader((x[500:], y[500:]), 50, shuffle=True, transform=Distort(), rng=seen)
    options = {"train": train, "validation": validation, "epochs": 2000, "patience": 60}

history = training.fit(
    model, nn.CrossEntropyLoss(), optimizer, scheduler=schedule, max_norm=1.0, checkpoint=path, quiet=True, **options
)
losses = [facts["loss"] for facts in history]
training.save(model.state_dict() | {"losses": losses, "lr": optimizer.lr}, path + ".end")
"""
RUNS = [
    ("SGD(w, 0.1, momentum=0.9)", "OneCycleLR(o, 0.2, total_steps=3200)", "default_rng(2)", "pairs"),
    ("AdamW(w, 0.01)", "OneCycleLR(o, 0.02, total_steps=3200)", "Generator(np.random.Philox(2))", "pairs"),
    ("RMSprop(w, 0.01)", "ReduceLROnPlateau(o, patience=1)", "Generator(np.random.SFC64(2))", "pairs"),
    ("Adam(w, 0.01)", "CosineAnnealingLR(o, 200)", "default_rng(2)", "pairs"),
    ("Adam(w, 0.0003)", "StepLR(o, 200)", "default_rng(2)", "loaders that stop early"),
]


def test_each_example_comes_once_an_epoch_through_early_stop_and_resume(tmp_path):
    (x, y), epochs, seen = blobs(50), [], []

    def noted(x, rng):
        seen.extend(x[:, 2])
        if len(seen) == 50:
            epochs.append(seen.copy())
            seen.clear()
        return x[:, :2] + rng.normal(0, 0.1, (len(x), 2))

    def run(epochs, seed):
        data = loader((np.column_stack([x, np.arange(50)]), y), seed, transform=noted)
        options = {"validation": blobs(100, seed=1), "patience": 5, "rng": None, "lr": 0.3}
        return trained(network(seed), data, epochs=epochs, checkpoint=tmp_path / "run.npz", **options)

    whole, history = run(300, seed=0)
    (tmp_path / "run.npz").unlink()
    in_one_go, epochs = epochs, []
    for stop, seed in [(2, 0), (9, 1), (300, 2)]:  # others than the first are put back to where it was
        resumed, again = run(stop, seed)
    assert 10 < len(epochs) == len(history) < 300 and not seen
    assert all(sorted(epoch) == list(range(50)) for epoch in epochs)
    assert epochs == in_one_go and len({tuple(epoch) for epoch in epochs}) == len(epochs)
    assert_same(resumed.state_dict(), whole.state_dict())
    assert again == history


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
    assert all(early < late for early, late in zip(done, done[1:], strict=False)) and done[-1] < len(
        training.load(f"{whole}.end")["losses"]
    )
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
        "train 300 x 2 float64 in batches of 64 shuffled": {"batch_size": 32},
        "train 300 x 2 float64 in .*": {"data": blobs(200)},
        "train 300 .* shuffled": {"data": DataLoader(blobs(), 64), "rng": None},
        "train .* 64 shuffled": {"data": DataLoader(blobs(), 64, True, drop_last=True), "rng": None},
        "train .* of 64 shuffled": {"data": DataLoader(blobs(), 64, True, transform=noisy), "rng": None},
        "scheduler NoneType": {"schedule": lambda o: optim.StepLR(o, 1)},
        "validation None": {"validation": blobs(50)},
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
    with pytest.raises(ValueError, match="train None, validation None|criterion None"):
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

    def full(file, *arguments, **options):
        file.write(b"half")
        raise OSError("no space left on device")

    monkeypatch.setattr(np.lib.format, "write_array", full)
    with pytest.raises(OSError, match="no space"):
        training.save({"a": np.zeros(3)}, path)
    monkeypatch.undo()
    assert training.load(path)["a"].tolist() == [1, 1, 1]


def of_the_package(x, rng):
    return x + default_rng().normal(0, 0.1, x.shape)  # not from the generator that it was handed


@pytest.mark.parametrize("transform", [None, of_the_package])
def test_the_package_generator_is_restored(transform, tmp_path):
    def run(epochs, seed, path=None):
        manual_seed(seed)
        data = loader(blobs(), transform=transform) if transform else blobs()
        return trained(network(seed), data, epochs=epochs, rng=None, checkpoint=path)[0]

    whole = run(4, seed=3)
    run(2, 3, tmp_path / "run.npz")
    assert_same(run(4, 99, tmp_path / "run.npz").state_dict(), whole.state_dict())
