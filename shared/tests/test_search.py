"""Searches: what is tried, that it survives being interrupted anywhere, and that a lost worker loses nothing."""

import json
import math
import os
import signal
import subprocess
import sys
import time
from multiprocessing.pool import ThreadPool

import joblib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.search import grid, log_uniform, sample, search, successive_halving


def near(lr, hidden=64, budget=9):
    """The larger, the nearer lr is to 0.01; a small budget sees it through a haze."""
    return -abs(math.log10(lr) + 2) - 1 / hidden - 0.1 / budget


def test_a_grid_holds_every_combination_once():
    trials = grid({"lr": [0.1, 0.01], "hidden": [10, 20, 30]})
    assert trials[:2] == [{"lr": 0.1, "hidden": 10}, {"lr": 0.1, "hidden": 20}]
    assert len({json.dumps(trial) for trial in trials}) == len(trials) == 6


def test_samples_come_from_the_space_and_from_the_seed():
    space = {"lr": log_uniform(1e-4, 1e-1), "hidden": [10, 20, 30]}
    trials = sample(space, 600, rng=np.random.default_rng(0))
    assert (
        trials
        == sample(space, 600, rng=np.random.default_rng(0))
        != sample(space, 600, rng=np.random.default_rng(1))
    )
    magnitudes = np.histogram(np.log10([trial["lr"] for trial in trials]), bins=[-4, -3, -2, -1])[0]
    assert magnitudes.sum() == 600 and magnitudes.min() > 150  # 200 expected, standard deviation 12
    assert np.bincount([trial["hidden"] // 10 for trial in trials])[1:].min() > 150
    json.dumps(trials)  # plain numbers, that can be written down


def test_results_keep_the_order_of_the_trials():
    trials = sample({"lr": log_uniform(1e-4, 1e-1)}, 20, rng=np.random.default_rng(0))
    results = search(near, trials, n_jobs=2)
    assert results == [trial | {"value": near(**trial)} for trial in trials]


def test_what_is_on_file_is_not_run_again(tmp_path):
    file, trials = tmp_path / "search.jsonl", grid({"lr": [0.1, 0.01, 0.001]})
    first = search(near, trials[:2], file)

    def only_the_new_one(lr):
        assert lr == 0.001, f"{lr} was run again"
        return near(lr)

    again = search(only_the_new_one, trials, file)
    assert again[:2] == first and len(file.read_text().splitlines()) == 3
    assert search(None, trials, file) == again


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 200))
def test_a_file_that_was_cut_off_anywhere_goes_on(tmp_path_factory, length):
    file, trials = tmp_path_factory.mktemp("cut") / "search.jsonl", grid({"lr": [0.1, 0.01, 0.001]})
    whole = search(near, trials, file)
    content = file.read_bytes()
    file.write_bytes(content[:length])
    assert search(near, trials, file) == whole
    assert sorted(file.read_bytes().splitlines()) == sorted(content.splitlines())


KILLED = """
import os, signal, sys
from shared.search import grid, search
def objective(lr):
    if lr == 4:
        os.kill(os.getpid(), signal.SIGKILL)
    return lr
search(objective, grid({"lr": [1, 2, 3, 4, 5]}), sys.argv[1])
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no kill -9")
def test_a_killed_search_keeps_what_was_finished(tmp_path):
    file = tmp_path / "search.jsonl"
    assert subprocess.run([sys.executable, "-c", KILLED, file]).returncode == -signal.SIGKILL
    assert [json.loads(line)["lr"] for line in file.read_text().splitlines()] == [1, 2, 3]
    run = []
    search(lambda lr: run.append(lr) or lr, grid({"lr": [1, 2, 3, 4, 5]}), file)
    assert run == [4, 5]


def test_halving_spends_its_budget_on_the_best():
    trials = sample({"lr": log_uniform(1e-4, 1e-1)}, 27, rng=np.random.default_rng(0))
    rungs = successive_halving(near, trials, budgets=(1, 3, 9))
    assert [len(rung) for rung in rungs] == [27, 9, 3]
    assert [{result["budget"] for result in rung} for rung in rungs] == [{1}, {3}, {9}]
    best = sorted(trials, key=lambda trial: -near(**trial))[:3]
    assert [result["lr"] for result in rungs[-1]] == [trial["lr"] for trial in best]
    assert len(successive_halving(near, trials[:2], budgets=(1, 2))[-1]) == 1  # never none


def test_an_error_in_a_trial_is_told_and_the_others_are_kept(tmp_path):
    def breaks(lr):
        return 1 / (lr - 0.01)

    with pytest.raises(ZeroDivisionError):
        search(breaks, grid({"lr": [0.1, 0.01]}), tmp_path / "search.jsonl")
    assert len((tmp_path / "search.jsonl").read_text().splitlines()) == 1


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: grid({}), "grid expected a name with values"),
        (lambda: grid({"lr": []}), "grid expected a name with values"),
        (lambda: sample({"lr": [1]}, 0), "count of 1 or more, got 0"),
        (lambda: log_uniform(0, 1), "0 < low < high, got 0 and 1"),
        (lambda: search(near, [{"lr": 1}, {"lr": 1}]), r"each trial once, got \{\"lr\": 1\} twice"),
        (lambda: search(lambda lr: math.nan, [{"lr": 1}]), "got NaN: let a run that diverged"),
        (lambda: successive_halving(near, [{"lr": 1}], (3, 1)), r"rising budgets .* got \(3, 1\) and 3"),
        (
            lambda: successive_halving(near, [{"lr": 1}], (1, 3), 1),
            r"a factor of 2 or more, got \(1, 3\) and 1",
        ),
    ],
)
def test_wrong_use_is_explained(wrong, message):
    with pytest.raises(ValueError, match=message):
        wrong()


def test_a_file_of_something_else_is_left_alone(tmp_path):
    file = tmp_path / "notes.txt"
    file.write_text('{"lr": 1, "value": 1}\nmilk, bread\n')
    with pytest.raises(ValueError, match=r"lines of JSON .* got b'milk, bread' in line 2"):
        search(near, [{"lr": 0.1}], file)
    assert file.read_text().endswith("milk, bread\n")


def slow(lr, marks):
    """Leaves a mark when it starts, so that the test knows whom to kill."""
    with open(os.path.join(marks, f"{lr}-{os.getpid()}-{time.time_ns()}"), "w"):
        time.sleep(0.3)
    return lr


def test_a_killed_worker_of_a_cluster_loses_nothing(tmp_path):
    distributed = pytest.importorskip("distributed")
    marks, file = tmp_path / "marks", tmp_path / "search.jsonl"
    marks.mkdir()
    trials = grid({"lr": [*range(12)], "marks": [str(marks)]})
    killed = []

    def kill_one():
        while len(started := os.listdir(marks)) < 3:
            time.sleep(0.01)
        killed.append(int(started[-1].split("-")[1]))
        os.kill(killed[0], signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)

    quiet = {"silence_logs": 50, "dashboard_address": None}
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=True, **quiet) as cluster,
        distributed.Client(cluster),
        joblib.parallel_config(backend="dask"),
        ThreadPool(1) as thread,
    ):
        assassin = thread.apply_async(kill_one)
        results = search(slow, trials, file, n_jobs=-1)
        assassin.get(60)
    workers = {int(name.split("-")[1]) for name in os.listdir(marks)}
    assert killed[0] in workers and len(workers) >= 2 and os.getpid() not in workers
    assert [result["value"] for result in results] == [*range(12)]
    assert sorted(json.loads(line)["lr"] for line in file.read_text().splitlines()) == [*range(12)]


@pytest.mark.parametrize("text", ["my notes", "line one\nline two without end"])
def test_a_file_of_something_else_is_left_as_it_is(tmp_path, text):
    file = tmp_path / "notes.txt"
    file.write_bytes(text.encode())
    with pytest.raises(ValueError, match="search expected lines of JSON"):
        search(near, [{"lr": 0.1}], file=file)
    assert file.read_bytes() == text.encode()


def test_trials_of_numpy_numbers(tmp_path):
    trials = grid({"lr": [0.1], "hidden": np.array([64, 128])})
    first = search(near, trials, tmp_path / "results")
    assert search(near, trials, tmp_path / "results") == first
    with pytest.raises(ValueError, match='search keeps its results under "value"'):
        search(near, [{"value": 1.0}])
