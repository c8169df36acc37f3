"""How fast is it? Steps of this package and of others, in turn, with as many cores each.

``python -m shared bench`` prints what this computer says; with ``--store`` it also goes into a file, which the last
notebook of chapter 05 reads. Ratios below 1: this package is faster.
"""

import json
import os
import platform
import time
import tracemalloc
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from shared import progress, rivals

FILE = progress.ROOT / "05-cnn" / "timings.json"
DIGIT, PHOTO = (1, 28, 28), (3, 32, 32)
SIZES = [(16, 16, 32), (16, 32, 14), (32, 32, 16), (64, 64, 8), (32, 64, 28)]  # channels, channels, pixels


class Case(NamedTuple):
    """Two functions that each make a step, what their ratio is hoped to be at most, and where it belongs."""

    group: str
    name: str
    aim: float | None
    here: Callable
    there: Callable


def cases():
    """Everything that is measured: training steps, two cores beside one, convolutions beside PyTorch and im2col."""
    networks = [(rivals.mlp(128), "784-128-10", (784,), 0.65), (rivals.mlp(10), "784-10-10", (784,), None)]
    steps = [
        (*network, batch, name) for network in networks for batch in (64, 128) for name in ("SGD", "Adam")
    ]
    for batch in (64, 128):
        steps.append((rivals.lenet, "LeNet-5", DIGIT, 0.6, batch, "Adam"))
        steps.append((rivals.two_convolutions, "conv16-conv32-fc", DIGIT, 0.75, batch, "Adam"))
    steps.append((rivals.resnet20, "ResNet-20", PHOTO, 1.2, 64, "SGD"))
    for network, name, shape, aim, batch, optimizer in steps:
        yield _case(
            "training step", f"{name}, batch {batch}, {optimizer}", aim, (network, shape, batch, optimizer)
        )
    for name, aim, *step in (
        ("LeNet-5, batch 128", 0.6, rivals.lenet, DIGIT, 128, "Adam"),
        ("ResNet-20, batch 64", None, rivals.resnet20, PHOTO, 64, "SGD"),
    ):
        two, one = (partial(rivals.numpy_step, *step, processes) for processes in (2, 1))
        others = [partial(rivals.torch_step, *step, threads) for threads in (2, 1)]
        yield Case("two cores", f"{name}: both with two", aim, two, others[0])
        yield Case("two cores", f"{name}: two beside one", None, two, one)
        yield Case("two cores", f"{name}: the same in PyTorch", None, *others)
    for size in SIZES:
        name = "{} to {} channels, {} x {}".format(*size, size[2])
        here = partial(rivals.numpy_convolution, *size)
        yield Case("convolution", name, 1.2, here, partial(rivals.torch_convolution, *size))
        yield Case("im2col", name, 1 / 6, here, partial(rivals.textbook_convolution, *size))


def _case(group, name, aim, arguments):
    return Case(
        group, name, aim, partial(rivals.numpy_step, *arguments), partial(rivals.torch_step, *arguments)
    )


def interleaved(steps, rounds=30, seconds=0.02, pause=0.0):
    """Seconds of one step of each, round by round: (rounds, len(steps)) by the clock, and the same of the CPU time
    of this process.

    In each round every side has its turn, of about so many `seconds`, after a pause in which the threads of the side
    before come to rest.
    """
    for step in steps:
        step(), step()  # warm-up
    start = time.perf_counter()
    steps[0]()
    repeat = max(1, round(seconds / max(time.perf_counter() - start, 1e-9)))
    wall, cpu = np.empty((2, rounds, len(steps)))
    for place in np.ndindex(rounds, len(steps)):
        time.sleep(pause)
        start = time.perf_counter(), time.process_time()
        for _ in range(repeat):
            steps[place[1]]()
        wall[place], cpu[place] = time.perf_counter() - start[0], time.process_time() - start[1]
    return wall / repeat, cpu / repeat


def peak_memory(step):
    """The most bytes of new arrays that one step holds at a time (NumPy tells tracemalloc; PyTorch does not)."""
    step()
    tracemalloc.start()
    step()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak


def peak_flops(size=512, rounds=50):
    """Operations per second of a product of two square matrices, float32: the best of some calls, which are short."""
    a, b, y = np.random.default_rng(0).random((3, size, size), dtype=np.float32)
    wall, _ = interleaved([lambda: np.matmul(a, b, out=y)], rounds, seconds=0)
    return 2 * size**3 / wall.min()


def bandwidth(size=2**26, rounds=20):
    """Bytes per second that a copy of `size` bytes reads and writes: the best of some calls."""
    x, y = np.ones((2, size // 8))
    wall, _ = interleaved([lambda: np.copyto(y, x)], rounds, seconds=0)
    return 2 * size / wall.min()


def compare(case, rounds=30):
    """One line of the table, as a dictionary: milliseconds and ratios are [low, median, high], low to high 80 %."""
    here, there = case.here(), case.there()
    # PyTorch's threads go on spinning for 4 to 8 ms after their work: the pause is longer
    wall, cpu = interleaved([here, there], rounds, seconds=0.06, pause=0.02)
    low_to_high = [_spread(times) for times in (wall[:, 0] / wall[:, 1], *(1e3 * wall.T), *(1e3 * cpu.T))]
    line = {"group": case.group, "name": case.name, "aim": case.aim and round(case.aim, 3)}
    line |= dict(zip(["ratio", "here", "there", "cpu_here", "cpu_there"], low_to_high, strict=True))
    if case.group != "two cores":
        line["memory_here"] = peak_memory(here)
    if case.group == "im2col":
        line["memory_there"] = peak_memory(there)
    return line


def _spread(values):
    return [float(f"{value:.4g}") for value in np.quantile(values, [0.1, 0.5, 0.9])]


def machine():
    """The processor (its name, not the computer's), and how fast one thread of it multiplies and copies."""
    from threadpoolctl import threadpool_info

    kernels = [pool["architecture"] for pool in threadpool_info() if pool["internal_api"] == "openblas"]
    flops, copies = (float(f"{measured() / 1e9:.3g}") for measured in (peak_flops, bandwidth))
    name, cores = _processor(), os.cpu_count()
    return {"processor": name, "cores": cores, "kernels": kernels[:1], "GFLOP/s": flops, "GB/s": copies}


def _processor():
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()  # platform.processor() is empty on Linux
        return next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def measure(chosen=None, rounds=30):
    """Measure the cases, or some of them: a dictionary that JSON can hold. Raises ImportError without PyTorch."""
    import torch
    from threadpoolctl import threadpool_limits

    versions = {"Python": platform.python_version(), "NumPy": np.__version__, "PyTorch": torch.__version__}
    with threadpool_limits(1):
        lines = [compare(case, rounds) for case in (cases() if chosen is None else chosen)]
        about = {"measured": progress.today(), "machine": machine(), "versions": versions, "rounds": rounds}
    return about | {"granted": granted(lines), "figures": lines}


def granted(lines):
    """The share of a core that one thread had while it was measured, CPU time by time: 1 on an idle computer."""
    alone = [line for line in lines if line["group"] != "two cores"]
    return round(float(np.median([line["cpu_here"][1] / line["here"][1] for line in alone])), 2)


def store(figures):
    """Keep them for the notebook that tells of them. Returns the path."""
    FILE.write_text(json.dumps(figures, indent=1, ensure_ascii=False) + "\n", encoding="utf-8", newline="\n")
    return FILE


def load():
    """What was stored."""
    return json.loads(FILE.read_text(encoding="utf-8"))


def report(figures):
    """The table, as text: the ratio first, with the range of eight tenths of the rounds; then the medians."""
    versions = ", ".join(f"{name} {version}" for name, version in figures["versions"].items())
    about = "{processor}, {cores} cores, {GFLOP/s} GFLOP/s and {GB/s} GB/s with one thread".format(
        **figures["machine"]
    )
    lines = [about, f"{versions}; float32, medians of {figures['rounds']} interleaved rounds"]
    if figures["granted"] < 0.9:
        lines.append(f"The computer was busy: one thread had {figures['granted']} of a core. Measure again.")
    head = f"{'ratio':>18} {'aim':>5} {'here':>11} {'beside it':>12}   memory (of both, beside im2col)"
    for group in dict.fromkeys(line["group"] for line in figures["figures"]):
        lines += ["", f"{group:40} {head}"]
        lines += [_row(line) for line in figures["figures"] if line["group"] == group]
    return "\n".join(lines)


def _row(line):
    (low, ratio, high), aim = line["ratio"], f"{line['aim']:.2f}" if line["aim"] else ""
    times = f"{line['here'][1]:>8.2f} ms {line['there'][1]:>9.2f} ms"
    memory = [line[side] / 2**20 for side in ("memory_here", "memory_there") if side in line]
    memory = ", ".join(f"{mebibytes:.2f} MiB" for mebibytes in memory)
    return f"{line['name']:40} {ratio:>5.2f} ({low:.2f}–{high:.2f}) {aim:>5} {times}   {memory}".rstrip()
