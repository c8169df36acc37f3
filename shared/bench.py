"""How fast is it? Training steps of this package and of PyTorch, in turn, in one process, with one thread each."""

import platform
import time
import tracemalloc

import numpy as np
from threadpoolctl import threadpool_limits

from shared import nn, optim

CASES = [
    (sizes, batch, name)
    for sizes in ((784, 128, 10), (784, 10, 10))
    for batch in (64, 128)
    for name in ("SGD", "Adam")
]


def numpy_step(sizes, batch, name):
    """A function that does one training step with this package."""
    x, y = _data(sizes, batch)
    model = nn.Sequential(nn.Linear(*sizes[:2]), nn.ReLU(), nn.Linear(*sizes[1:]))
    model.requires_input_grad_(False)  # PyTorch computes no gradient of data either
    optimizer, criterion = getattr(optim, name)(model.parameters(), lr=1e-3), nn.CrossEntropyLoss()

    def step():
        optimizer.zero_grad()
        criterion(model(x), y)
        model.backward(criterion.backward())
        optimizer.step()

    return step


def torch_step(sizes, batch, name):
    """The same step with PyTorch, eager, on the CPU."""
    import torch

    torch.set_num_threads(1)
    x, y = map(torch.from_numpy, _data(sizes, batch))
    model = torch.nn.Sequential(torch.nn.Linear(*sizes[:2]), torch.nn.ReLU(), torch.nn.Linear(*sizes[1:]))
    optimizer = getattr(torch.optim, name)(model.parameters(), lr=1e-3)
    criterion = torch.nn.CrossEntropyLoss()

    def step():
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()

    return step


def _data(sizes, batch):
    rng = np.random.default_rng(0)
    return rng.random((batch, sizes[0]), dtype=np.float32), rng.integers(0, sizes[-1], batch)


def interleaved(steps, rounds=30, repeat=20):
    """Seconds of one step of each, round by round: (rounds, len(steps)). In each round every side has its turn."""
    times = np.empty((rounds, len(steps)))
    for step in steps:
        for _ in range(repeat):
            step()  # warm-up
    for row in times:
        for column, step in enumerate(steps):
            start = time.perf_counter()
            for _ in range(repeat):
                step()
            row[column] = (time.perf_counter() - start) / repeat
    return times


def peak_memory(step):
    """The most bytes of new arrays that one step holds at a time (NumPy tells tracemalloc; PyTorch does not)."""
    step()
    tracemalloc.start()
    step()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak


def report():
    """The table, as text: the ratio first, then the medians with their spread, and the memory."""
    try:
        import torch
    except ImportError:
        torch = None
    versions = f"Python {platform.python_version()}, NumPy {np.__version__}, "
    versions += (
        f"PyTorch {torch.__version__}" if torch else "PyTorch is not installed: no ratio (pip install torch)"
    )
    lines = [
        f"{versions}; {platform.machine()}, one thread each, float32, medians of 30 interleaved rounds",
        "",
    ]
    lines.append(f"{'training step':34} {'ratio':>18} {'here':>10} {'PyTorch':>10} {'memory here':>12}")
    with threadpool_limits(1):
        for sizes, batch, name in CASES:
            steps = [numpy_step(sizes, batch, name)] + ([torch_step(sizes, batch, name)] if torch else [])
            times = interleaved(steps)
            here, *there = np.median(times, axis=0)
            case = f"{'-'.join(map(str, sizes))}, batch {batch}, {name}"
            if torch:
                low, middle, high = np.quantile(times[:, 0] / times[:, 1], [0.1, 0.5, 0.9])
                ratio, other = f"{middle:.2f} ({low:.2f}–{high:.2f})", f"{1e6 * there[0]:.0f} µs"
            else:
                ratio, other = "", ""
            memory = f"{peak_memory(steps[0]) / 2**20:.2f} MiB"
            lines.append(f"{case:34} {ratio:>18} {1e6 * here:>7.0f} µs {other:>10} {memory:>12}")
    return "\n".join(lines)
