"""Hyperparameter search: what to try, side by side on the cores there are, with every result on disk at once.

    trials = sample({"lr": log_uniform(1e-4, 1e-1), "hidden": [64, 128, 256]}, 20, rng=np.random.default_rng(0))
    results = search(objective, trials, file="search.jsonl", n_jobs=2)
    best = max(results, key=lambda result: result["value"])

What runs side by side is joblib's matter: inside ``with joblib.parallel_config(backend="dask"):`` the same line runs on
a cluster.
"""

import itertools
import json
import math
import os
from pathlib import Path

from joblib import Parallel, delayed
from tqdm.auto import tqdm

from shared import default_rng


def grid(space):
    """Every combination. space: name -> list of values. Returns a list of trials, dictionaries name -> value.

    Raises ValueError when there is nothing to combine.
    Source: Bergstra & Bengio (2012), section 1; sklearn.model_selection.ParameterGrid.
    Built in 04-image-data/05-mnist-project.ipynb.
    """
    _named(space, "grid")
    return [dict(zip(space, values, strict=True)) for values in itertools.product(*space.values())]


def sample(space, count, rng=None):
    """Random combinations. space: name -> list of values, or a function rng -> value such as log_uniform(1e-4, 1).

    Returns a list of `count` trials, dictionaries name -> value. Raises ValueError for an empty space or count.
    Source: Bergstra & Bengio (2012), section 2; sklearn.model_selection.ParameterSampler.
    Built in 04-image-data/05-mnist-project.ipynb.
    """
    _named(space, "sample")
    if count < 1:
        raise ValueError(f"sample expected a count of 1 or more, got {count}: try 20")
    rng = default_rng(rng)
    draws = {
        name: values if callable(values) else lambda rng, values=values: values[rng.integers(len(values))]
        for name, values in space.items()
    }
    return [{name: draw(rng) for name, draw in draws.items()} for _ in range(count)]


def log_uniform(low, high):
    """A function rng -> number between low and high, each order of magnitude equally likely: for rates and penalties.

    Raises ValueError unless 0 < low < high.
    Source: Bergstra & Bengio (2012), section 2.3; scipy.stats.loguniform.
    Built in 04-image-data/05-mnist-project.ipynb.
    """
    if not 0 < low < high:
        raise ValueError(f"log_uniform expected 0 < low < high, got {low} and {high}: try 1e-4 and 1e-1")
    return lambda rng: math.exp(rng.uniform(math.log(low), math.log(high)))


def search(objective, trials, file=None, n_jobs=1):
    """Run ``objective(**trial)`` for each trial, side by side. Returns the trials in order, each with its "value".

    objective: returns a number, the larger the better; its randomness should come from the trial (a seed in it).
    file: where each result is written as soon as it is there, a line of JSON each. What stands there already is not run
    again, so a search that was interrupted at any moment goes on when the same call is made again.
    Raises what the objective raises, at once; ValueError for a file that holds something else, or two equal trials.
    Source: Bergstra & Bengio (2012); joblib.Parallel.
    Built in 04-image-data/05-mnist-project.ipynb.
    """
    trials = [dict(trial) for trial in trials]
    if any("value" in trial for trial in trials):
        raise ValueError('search keeps its results under "value": give that setting another name')
    keys = [json.dumps(trial, sort_keys=True, default=_plain) for trial in trials]
    if len(set(keys)) < len(keys):
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"search expected each trial once, got {twice} twice: give each a seed of its own")
    values = _read(file)
    missing = [place for place, key in enumerate(keys) if key not in values]
    running = Parallel(n_jobs=n_jobs, return_as="generator_unordered")(
        delayed(_one)(objective, trials[place], place) for place in missing
    )
    off = os.environ.get("IMAGE_JOURNAL_PROGRESS") == "off"  # tests compare what notebooks print
    for place, value in tqdm(running, total=len(missing), desc="search", leave=False, disable=off):
        values[keys[place]] = value
        _append(file, trials[place] | {"value": value})
    return [trial | {"value": values[key]} for trial, key in zip(trials, keys, strict=True)]


def successive_halving(objective, trials, budgets=(1, 3, 9), factor=3, file=None, n_jobs=1):
    """Give all trials a small budget and only the best a larger one. Returns a list of results for each budget.

    objective(**trial, budget=…) returns a number, the larger the better. budgets: rising, such as epochs; after each
    but the last, one in `factor` goes on, at least one. Each result has its "budget" and its "value".
    Raises ValueError for budgets that don't rise or a factor below 2; else as search.
    Source: Jamieson & Talwalkar (2016), section 3.
    Built in 04-image-data/05-mnist-project.ipynb.
    """
    if list(budgets) != sorted(set(budgets)) or not budgets or factor < 2:
        found = f"{tuple(budgets)} and {factor}"
        raise ValueError(
            f"successive_halving expected rising budgets and a factor of 2 or more, got {found}: try (1, 3, 9) and 3"
        )
    rungs, left = [], list(trials)
    for budget in budgets:
        rungs.append(search(objective, [trial | {"budget": budget} for trial in left], file, n_jobs))
        order = sorted(range(len(left)), key=lambda place: -rungs[-1][place]["value"])
        left = [left[place] for place in order[: max(1, len(left) // factor)]]
    return rungs


def _one(objective, trial, place):
    value = float(objective(**trial))
    if math.isnan(value):
        raise ValueError(
            f"search expected a number for {trial}, got NaN: let a run that diverged return -math.inf"
        )
    return place, value


def _plain(number):
    """A NumPy number as Python's, for JSON."""
    return number.item()


def _read(file):
    """What a file of results holds: trial, as JSON -> value. A last line that was cut off in writing is taken away."""
    if file is None or not Path(file).exists():
        return {}
    content, values = Path(file).read_bytes(), {}
    whole = content[: content.rfind(b"\n") + 1]
    if not b'{"'.startswith(content[len(whole) :][:2]):
        whole = content  # no line of ours: refused below, and left as it is
    for number, line in enumerate(whole.splitlines(), 1):
        try:
            trial = json.loads(line)
            value = trial.pop("value")
        except (ValueError, TypeError, AttributeError, KeyError):
            advice = "name another file, or delete this one"
            raise ValueError(
                f'search expected lines of JSON with a "value", got {line[:40]!r} in line {number} of {file}: {advice}'
            ) from None
        values[json.dumps(trial, sort_keys=True)] = value
    if len(whole) < len(content):
        os.truncate(file, len(whole))
    return values


def _append(file, result):
    if file is not None:
        with open(file, "a", encoding="utf-8") as opened:
            opened.write(json.dumps(result, sort_keys=True, default=_plain) + "\n")
            opened.flush()
            os.fsync(opened.fileno())  # on the disk before the next result


def _named(space, who):
    if not space or not all(callable(values) or len(values) for values in space.values()):
        raise ValueError(
            f'{who} expected a name with values for each, got {space!r}: try {{"lr": [0.1, 0.01]}}'
        )
