"""How fast is it? Training steps of this package and of PyTorch, in turn, in one process, with as many threads each."""

import platform
import time
import tracemalloc

import numpy as np
from threadpoolctl import threadpool_limits

from shared import models, nn, optim


def mlp(hidden):
    """784-hidden-10, for both libraries: their parts have the same names."""
    return lambda parts: parts.Sequential(parts.Linear(784, hidden), parts.ReLU(), parts.Linear(hidden, 10))


def lenet(parts):
    """LeNet-5, as in models.LeNet5."""
    first = [parts.Conv2d(1, 6, 5, padding=2), parts.MaxPool2d(2), parts.ReLU(), parts.Conv2d(6, 16, 5)]
    last = [parts.Linear(400, 120), parts.ReLU(), parts.Linear(120, 84), parts.ReLU(), parts.Linear(84, 10)]
    return parts.Sequential(*first, parts.MaxPool2d(2), parts.ReLU(), parts.Flatten(), *last)


def two_convolutions(parts):
    """conv16-bn-relu-pool-conv32-bn-relu-pool-fc."""
    first = [parts.Conv2d(1, 16, 3, padding=1), parts.BatchNorm2d(16), parts.ReLU(), parts.MaxPool2d(2)]
    second = [parts.Conv2d(16, 32, 3, padding=1), parts.BatchNorm2d(32), parts.ReLU(), parts.MaxPool2d(2)]
    return parts.Sequential(*first, *second, parts.Flatten(), parts.Linear(32 * 49, 10))


def resnet20(parts):
    """ResNet-20, as in models.resnet20; PyTorch's is put together here, since torchvision has none."""
    if parts is nn:
        return models.resnet20()

    class Block(parts.Module):
        def __init__(self, inputs, outputs, stride):
            super().__init__()
            first = [parts.Conv2d(inputs, outputs, 3, stride, 1, bias=False), parts.BatchNorm2d(outputs)]
            second = [parts.Conv2d(outputs, outputs, 3, 1, 1, bias=False), parts.BatchNorm2d(outputs)]
            self.residual, self.shortcut = parts.Sequential(*first, parts.ReLU(), *second), parts.Identity()
            if inputs != outputs:
                convolution = parts.Conv2d(inputs, outputs, 1, stride, bias=False)
                self.shortcut = parts.Sequential(convolution, parts.BatchNorm2d(outputs))

        def forward(self, x):
            return (self.residual(x) + self.shortcut(x)).relu()

    blocks = [Block(16, 16, 1) for _ in range(3)]
    for width in (32, 64):
        blocks += [Block(width // 2, width, 2), Block(width, width, 1), Block(width, width, 1)]
    first = [parts.Conv2d(3, 16, 3, 1, 1, bias=False), parts.BatchNorm2d(16), parts.ReLU()]
    return parts.Sequential(
        *first, *blocks, parts.AdaptiveAvgPool2d(1), parts.Flatten(), parts.Linear(64, 10)
    )


DIGIT, PHOTO = (1, 28, 28), (3, 32, 32)
STEPS = {  # name: network, shape of an example, batch, optimizer, threads
    f"784-{hidden}-10, batch {batch}, {name}": (mlp(hidden), (784,), batch, name, 1)
    for hidden in (128, 10)
    for batch in (64, 128)
    for name in ("SGD", "Adam")
}
for batch in (64, 128):
    STEPS |= {
        f"LeNet-5, batch {batch}, Adam": (lenet, DIGIT, batch, "Adam", 1),
        f"conv16-conv32-fc, batch {batch}, Adam": (two_convolutions, DIGIT, batch, "Adam", 1),
    }
STEPS["ResNet-20, batch 64, SGD"] = (resnet20, PHOTO, 64, "SGD", 1)
STEPS["LeNet-5, batch 128, 2 threads"] = (lenet, DIGIT, 128, "Adam", 2)
CONVOLUTIONS = [
    (16, 16, 32),
    (16, 32, 14),
    (32, 32, 16),
    (64, 64, 8),
    (32, 64, 28),
]  # channels, channels, pixels


def numpy_step(network, shape, batch, name, threads):
    """A function that does one training step with this package."""
    x, y = _data(shape, batch)
    model = network(nn)
    if threads > 1:
        model = nn.DataParallel(model, threads)
    model.requires_input_grad_(False)  # PyTorch computes no gradient of data either
    optimizer, criterion = getattr(optim, name)(model.parameters(), lr=1e-3), nn.CrossEntropyLoss()

    def step():
        optimizer.zero_grad()
        criterion(model(x), y)
        model.backward(criterion.backward())
        optimizer.step()

    return step


def torch_step(network, shape, batch, name, threads):
    """The same step with PyTorch, eager, on the CPU."""
    import torch

    x, y = map(torch.from_numpy, _data(shape, batch))
    model = network(torch.nn)
    optimizer = getattr(torch.optim, name)(model.parameters(), lr=1e-3)
    criterion = torch.nn.CrossEntropyLoss()

    def step():
        torch.set_num_threads(threads)
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()

    return step


def _data(shape, batch):
    rng = np.random.default_rng(0)
    return rng.random((batch, *shape), dtype=np.float32), rng.integers(0, 10, batch)


def numpy_convolution(inputs, outputs, pixels, batch=64):
    """A function that goes forward and backward through one convolution of this package."""
    layer, images = nn.Conv2d(inputs, outputs, 3, padding=1), _images(batch, inputs, pixels)
    x, grad_y = (
        nn.layout.to_batch(nn.layout.to_rows(part)) for part in (images, _images(batch, outputs, pixels))
    )

    def step():
        layer.zero_grad()
        layer(x)
        layer.backward(grad_y)

    return step


def torch_convolution(inputs, outputs, pixels, batch=64):
    """The same with PyTorch."""
    import torch

    layer = torch.nn.Conv2d(inputs, outputs, 3, padding=1)
    x, grad_y = (torch.from_numpy(_images(batch, channels, pixels)) for channels in (inputs, outputs))
    x.requires_grad_()

    def step():
        torch.set_num_threads(1)
        layer.zero_grad()
        x.grad = None
        layer(x).backward(grad_y)

    return step


def textbook_convolution(inputs, outputs, pixels, batch=64):
    """The same by im2col, as textbooks have it: every window is copied into a row of one large matrix."""
    weight, x = _images(outputs, inputs, 3), _images(batch, inputs, pixels)
    grad_y = _images(batch, outputs, pixels)

    def step():
        padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
        columns = np.empty((batch, inputs, 3, 3, pixels, pixels), np.float32)
        for i, j in np.ndindex(3, 3):
            columns[:, :, i, j] = padded[:, :, i : i + pixels, j : j + pixels]
        columns = columns.transpose(0, 4, 5, 1, 2, 3).reshape(batch * pixels**2, -1)
        matrix = weight.reshape(outputs, -1)
        y = (columns @ matrix.T).reshape(batch, pixels, pixels, -1).transpose(0, 3, 1, 2)
        grad = grad_y.transpose(0, 2, 3, 1).reshape(-1, outputs)
        grad_weight = (grad.T @ columns).reshape(weight.shape)
        grad_columns = (
            (grad @ matrix).reshape(batch, pixels, pixels, inputs, 3, 3).transpose(0, 3, 4, 5, 1, 2)
        )
        grad_x = np.zeros_like(padded)
        for i, j in np.ndindex(3, 3):
            grad_x[:, :, i : i + pixels, j : j + pixels] += grad_columns[:, :, i, j]
        return y, grad_weight, grad_x[:, :, 1:-1, 1:-1]

    return step


def _images(*shape):
    return np.random.default_rng(0).standard_normal((*shape[:2], shape[2], shape[2])).astype(np.float32)


def interleaved(steps, rounds=30, seconds=0.02):
    """Seconds of one step of each, round by round: (rounds, len(steps)). In each round every side has its turn."""
    times = np.empty((rounds, len(steps)))
    for step in steps:
        step(), step()  # warm-up
    start = time.perf_counter()
    steps[0]()
    repeat = max(1, round(seconds / (time.perf_counter() - start)))
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


def line(name, here, there=None, rounds=30):
    """One line of the table: the ratio first, with the range of eight tenths of the rounds; the medians; the memory."""
    times = interleaved([here, there] if there else [here], rounds)
    ratio, other, middle = "", "", 1e3 * np.median(times, axis=0)
    if there:
        low, half, high = np.quantile(times[:, 0] / times[:, 1], [0.1, 0.5, 0.9])
        ratio, other = f"{half:.2f} ({low:.2f}–{high:.2f})", f"{middle[1]:.2f} ms"
    return f"{name:38} {ratio:>18} {middle[0]:>7.2f} ms {other:>12} {peak_memory(here) / 2**20:>9.2f} MiB"


def report():
    """The table, as text."""
    try:
        import torch
    except ImportError:
        torch = None
    versions = f"Python {platform.python_version()}, NumPy {np.__version__}, "
    versions += (
        f"PyTorch {torch.__version__}" if torch else "PyTorch is not installed: no ratio (pip install torch)"
    )
    head = f"{'ratio':>18} {'here':>10} {'other':>12} {'memory here':>13}"
    lines = [f"{versions}; {platform.machine()}, float32, medians of interleaved rounds, one thread each", ""]
    lines.append(f"{'training step, beside PyTorch':38} {head}")
    with threadpool_limits(1):
        for name, case in STEPS.items():
            lines.append(line(name, numpy_step(*case), torch_step(*case) if torch else None))
        lines += ["", f"{'convolution 3 x 3, beside PyTorch':38} {head}"]
        for case in CONVOLUTIONS:
            name = "{} to {} channels, {} x {}, batch 64".format(*case, case[2])
            lines.append(line(name, numpy_convolution(*case), torch_convolution(*case) if torch else None))
        lines += ["", f"{'… beside im2col of textbooks':38} {head} {'memory there':>14}"]
        for case in CONVOLUTIONS:
            name, other = (
                "{} to {} channels, {} x {}, batch 64".format(*case, case[2]),
                textbook_convolution(*case),
            )
            lines.append(
                f"{line(name, numpy_convolution(*case), other, 10)} {peak_memory(other) / 2**20:>10.2f} MiB"
            )
    return "\n".join(lines)
