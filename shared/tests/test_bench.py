"""shared.bench and shared.rivals: turns, clocks and bytes are right, both sides do the same, the file is whole."""

import copy
import json
import math
import time

import numpy as np
import pytest
from numpy.testing import assert_allclose

from shared import __main__ as command
from shared import bench, nn, rivals

NETWORKS = [(rivals.mlp(16), (784,)), (rivals.lenet, (1, 28, 28)), (rivals.two_convolutions, (1, 28, 28))]
NETWORKS.append((rivals.resnet20, (3, 32, 32)))


class Clock:
    """A clock that only moves when somebody works or sleeps; a worker of two threads uses CPU time twice as fast."""

    def __init__(self, monkeypatch):
        self.wall = self.cpu = 0.0
        monkeypatch.setattr(time, "perf_counter", lambda: self.wall)
        monkeypatch.setattr(time, "process_time", lambda: self.cpu)
        monkeypatch.setattr(time, "sleep", lambda seconds: self.work(seconds, threads=0))

    def work(self, seconds, threads=1):
        self.wall, self.cpu = self.wall + seconds, self.cpu + seconds * threads


def test_both_clocks_are_read_for_one_step_however_often_it_is_repeated(monkeypatch):
    clock = Clock(monkeypatch)
    steps = [lambda: clock.work(0.002), lambda: clock.work(0.005, threads=2)]
    wall, cpu = bench.interleaved(steps, rounds=7, seconds=0.02, pause=1.0)
    assert_allclose(wall, np.tile([0.002, 0.005], (7, 1)), rtol=1e-9)
    assert_allclose(cpu, np.tile([0.002, 0.010], (7, 1)), rtol=1e-9)


def test_sides_take_turns_after_a_warm_up_that_is_not_counted(monkeypatch):
    clock, heard = Clock(monkeypatch), []

    def step(name):
        heard.append(name)
        clock.work(9.0 if heard.count(name) == 1 else 1.0)  # the first call is slow

    wall, _ = bench.interleaved([lambda: step("a"), lambda: step("b")], rounds=3, seconds=2)
    assert "".join(heard) == "aabb" + "a" + "aabb" * 3  # the fifth call asks how often to repeat: twice here
    assert (wall == 1).all()


def test_the_ratio_is_the_median_of_the_rounds_and_drift_does_not_move_it(monkeypatch):
    clock, rounds = Clock(monkeypatch), iter(range(1, 1000))
    steps = [lambda: clock.work(2.0 * next(rounds)), lambda: clock.work(4.0 * next(rounds))]
    case = bench.Case("training step", "a drift", 0.5, lambda: steps[0], lambda: steps[1])
    line = bench.compare(case, rounds=51)
    assert 0.45 < line["ratio"][0] <= line["ratio"][1] <= line["ratio"][2] <= 0.5
    assert line["here"][1] < line["there"][1] and line["aim"] == 0.5


def test_a_line_holds_milliseconds_and_low_median_high(monkeypatch):
    clock, costs = Clock(monkeypatch), iter([1.0, 1.0, 1.0, *range(1, 100)])  # warm-up, one to count, rounds
    case = bench.Case(
        "im2col", "x", 1 / 6, lambda: lambda: clock.work(next(costs)), lambda: lambda: clock.work(10.0, 2)
    )
    line = bench.compare(case, rounds=11)
    assert_allclose(line["here"], [2000, 6000, 10000])
    assert_allclose(line["ratio"], [0.2, 0.6, 1.0])
    assert_allclose([line["there"][1], line["cpu_there"][1], line["aim"]], [10_000, 20_000, 0.167])
    assert bench.granted([line]) == 1 and bench.granted([line | {"cpu_here": [0, 1500, 0]}]) == 0.25


def test_peak_memory_counts_bytes_that_are_held_at_once():
    mebibyte = 2**20

    def two_then_one():
        first = np.empty(mebibyte, np.uint8), np.empty(mebibyte, np.uint8)
        del first
        np.empty(mebibyte, np.uint8)

    assert 2 * mebibyte <= bench.peak_memory(two_then_one) < 2.01 * mebibyte


def test_roofs_are_operations_and_bytes_per_second(monkeypatch):
    clock, product, copyto = Clock(monkeypatch), np.matmul, np.copyto
    monkeypatch.setattr(np, "matmul", lambda *a, **o: (clock.work(0.5), product(*a, **o)))
    monkeypatch.setattr(np, "copyto", lambda *a: (clock.work(0.25), copyto(*a)))
    assert_allclose(bench.peak_flops(size=10), 2 * 10**3 / 0.5)
    assert_allclose(bench.bandwidth(size=800), 2 * 800 / 0.25)


@pytest.mark.parametrize("network, shape", NETWORKS, ids=["mlp", "lenet", "two convolutions", "resnet20"])
def test_both_sides_train_the_same_network(network, shape):
    torch = pytest.importorskip("torch")
    mine, theirs = network(nn), network(torch.nn)
    parameters = [list(model.parameters()) for model in (mine, theirs)]
    assert [tuple(p.shape) for p in parameters[0]] == [tuple(p.shape) for p in parameters[1]]
    for own, other in zip(*parameters, strict=True):
        other.data = torch.from_numpy(own.data.copy())
    x = np.random.default_rng(0).random((3, *shape), dtype=np.float32)
    assert_allclose(mine(x), theirs(torch.from_numpy(x)).detach().numpy(), rtol=1e-3, atol=1e-3)


def test_both_sides_make_the_same_step(monkeypatch):
    """With the weights of one side given to the other, a step of SGD ends in the same weights."""
    torch = pytest.importorskip("torch")
    mine, theirs = rivals.two_convolutions(nn), rivals.two_convolutions(torch.nn)
    for own, other in zip(mine.parameters(), theirs.parameters(), strict=True):
        other.data = torch.from_numpy(own.data.copy())
    before = [p.data.copy() for p in mine.parameters()]
    arguments = (lambda parts: mine if parts is nn else theirs), (1, 28, 28), 5, "SGD"
    rivals.numpy_step(*arguments, lr=1e-3)()
    rivals.torch_step(*arguments, lr=1e-3)()
    moved = [abs(p.data - old).max() for p, old in zip(mine.parameters(), before, strict=True)]
    assert max(moved) > 1e-5
    for own, other in zip(mine.parameters(), theirs.parameters(), strict=True):
        assert_allclose(own.data, other.detach().numpy(), rtol=1e-4, atol=1e-6)


class Watched(nn.Linear):
    seen = []

    def forward(self, x):
        self.seen.append(len(x))
        return super().forward(x)


def test_two_processes_share_the_batch():
    rivals.numpy_step(lambda parts: Watched(4, 10), (4,), 6, "SGD", processes=2)()
    assert Watched.seen == [3]  # here; the other process keeps a list of its own


def test_the_textbook_convolution_is_a_convolution():
    y, grad_weight, grad_x = rivals.textbook_convolution(3, 4, 7, batch=2)()
    layer = nn.Conv2d(3, 4, 3, padding=1, bias=False)
    layer.weight.data = rivals._images(4, 3, 3)
    assert_allclose(y, layer(rivals._images(2, 3, 7)), rtol=1e-4, atol=1e-5)
    assert_allclose(grad_x, layer.backward(rivals._images(2, 4, 7)), rtol=1e-4, atol=1e-5)
    assert_allclose(grad_weight, layer.weight.grad, rtol=1e-4, atol=1e-4)


def test_each_case_has_a_name_of_its_own_and_its_line_in_the_file():
    cases, figures = list(bench.cases()), bench.load()
    assert len({(case.group, case.name) for case in cases}) == len(cases)
    stored = [(line["group"], line["name"], line["aim"]) for line in figures["figures"]]
    assert stored == [(case.group, case.name, case.aim and round(case.aim, 3)) for case in cases]
    for line in figures["figures"]:
        for field in ("ratio", "here", "there", "cpu_here", "cpu_there"):
            low, middle, high = line[field]
            assert 0 <= low <= middle <= high and math.isfinite(high), line["name"]
        assert ("memory_there" in line) == (line["group"] == "im2col")
        assert abs(line["ratio"][1] / (line["here"][1] / line["there"][1]) - 1) < 0.5, line["name"]
    assert figures["rounds"] >= 10 and 0 < figures["granted"] < 1.1
    assert set(figures["versions"]) == {"Python", "NumPy", "PyTorch"}


FIGURES = {"machine": {"processor": "a slide rule", "cores": 1, "GFLOP/s": 2.0, "GB/s": 3.0}, "granted": 1.0}
FIGURES |= {"versions": {"NumPy": "2"}, "rounds": 5, "figures": []}
LINE = {"group": "im2col", "name": "a case", "aim": 0.5, "ratio": [0.2, 0.25, 0.3], "here": [1, 2, 3]}
LINE |= {"there": [4, 8, 12], "memory_here": 2**20, "memory_there": 2**22}


def test_the_table_says_the_ratio_its_range_the_aim_and_the_bytes():
    table = bench.report(FIGURES | {"figures": [LINE]})
    assert "0.25 (0.20–0.30)  0.50     2.00 ms      8.00 ms   1.00 MiB, 4.00 MiB" in table
    assert "a slide rule" in table and "busy" not in table
    assert "busy" in bench.report(FIGURES | {"granted": 0.2})


def test_the_command_prints_and_stores_only_when_asked(monkeypatch, capsys):
    monkeypatch.setattr(bench, "FILE", command.notebooks.ROOT / "05-cnn" / "no-such.json")
    monkeypatch.setattr(bench, "measure", lambda: copy.deepcopy(FIGURES | {"figures": [LINE]}))
    stored = []
    monkeypatch.setattr(bench, "store", lambda figures: stored.append(figures) or bench.FILE)
    assert command.main(["bench"]) == 0 and not stored
    assert command.main(["bench", "--store"]) == 0 and stored[0]["figures"] == [LINE]
    assert "a case" in capsys.readouterr().out


def test_what_is_stored_comes_back(monkeypatch, tmp_path):
    monkeypatch.setattr(bench, "FILE", tmp_path / "timings.json")
    path = bench.store(FIGURES)
    assert bench.load() == FIGURES == json.loads(path.read_text(encoding="utf-8"))
    assert path.read_bytes().endswith(b"}\n")


def test_without_pytorch_the_command_says_what_to_install(monkeypatch, capsys):
    def measure():
        raise ImportError("No module named 'torch'")

    monkeypatch.setattr(bench, "measure", measure)
    assert command.main(["bench"]) == 2
    assert "pip install -e '.[test,torch]'" in capsys.readouterr().err


def test_measuring_a_case_gives_what_the_file_holds():
    pytest.importorskip("torch")
    case = bench.Case(
        "convolution", "tiny", 1.2, lambda: lambda: np.ones(9).sum(), lambda: lambda: np.ones(9).sum()
    )
    figures = bench.measure([case], rounds=2)
    assert list(figures) == ["measured", "machine", "versions", "rounds", "granted", "figures"]
    assert figures["machine"]["processor"] and figures["machine"]["GFLOP/s"] > 0 < figures["machine"]["GB/s"]
    json.dumps(figures)
