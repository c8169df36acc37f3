"""The same work done twice, for `bench`: by this package, and by PyTorch or as textbooks have it.

Every function returns a step, a function without arguments that does the work once.
"""

import numpy as np

from shared import models, nn, optim

# Thousands of steps on one batch learn it by heart. Then Adam's means decay to numbers so near to 0 that processors
# take forty times as long over them. At this rate nothing moves, and each step is like the first.
LITTLE = 1e-9


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
    last = [parts.AdaptiveAvgPool2d(1), parts.Flatten(), parts.Linear(64, 10)]
    return parts.Sequential(*first, *blocks, *last)


def numpy_step(network, shape, batch, optimizer, processes=1, lr=LITTLE):
    """One training step of this package."""
    x, y = _data(shape, batch)
    model = network(nn) if processes == 1 else nn.DataParallel(network(nn), processes)
    model.requires_input_grad_(False)  # PyTorch computes no gradient of data either
    optimizer = getattr(optim, optimizer)(model.parameters(), lr=lr)
    criterion = nn.CrossEntropyLoss()

    def step():
        optimizer.zero_grad()
        criterion(model(x), y)
        model.backward(criterion.backward())
        optimizer.step()

    return step


def torch_step(network, shape, batch, optimizer, threads=1, lr=LITTLE):
    """The same step of PyTorch, eager, on the CPU."""
    import torch

    x, y = map(torch.from_numpy, _data(shape, batch))
    model = network(torch.nn)
    optimizer = getattr(torch.optim, optimizer)(model.parameters(), lr=lr)
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
    """Forward and backward through one convolution of this package, 3 x 3."""
    layer = nn.Conv2d(inputs, outputs, 3, padding=1)
    images = (_images(batch, channels, pixels) for channels in (inputs, outputs))
    # as a layer before leaves them:
    x, grad_y = (nn.layout.to_batch(nn.layout.to_rows(part)) for part in images)

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
    """The same by im2col, as textbooks have it: every window is copied into a row of one large matrix.

    The step returns y, the gradient of the weight and that of x.
    """
    weight, x = _images(outputs, inputs, 3), _images(batch, inputs, pixels)
    grad_y = _images(batch, outputs, pixels)
    sizes = batch, pixels, pixels

    def step():
        padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
        columns = np.empty((batch, inputs, 3, 3, pixels, pixels), np.float32)
        for i, j in np.ndindex(3, 3):
            columns[:, :, i, j] = padded[:, :, i : i + pixels, j : j + pixels]
        columns = columns.transpose(0, 4, 5, 1, 2, 3).reshape(batch * pixels**2, -1)
        matrix = weight.reshape(outputs, -1)
        y = (columns @ matrix.T).reshape(*sizes, -1).transpose(0, 3, 1, 2)
        grad = grad_y.transpose(0, 2, 3, 1).reshape(-1, outputs)
        grad_weight = (grad.T @ columns).reshape(weight.shape)
        grad_columns = (grad @ matrix).reshape(*sizes, inputs, 3, 3).transpose(0, 3, 4, 5, 1, 2)
        grad_x = np.zeros_like(padded)
        for i, j in np.ndindex(3, 3):
            grad_x[:, :, i : i + pixels, j : j + pixels] += grad_columns[:, :, i, j]
        return y, grad_weight, grad_x[:, :, 1:-1, 1:-1]

    return step


def _images(*shape):
    return np.random.default_rng(0).standard_normal((*shape[:2], shape[2], shape[2])).astype(np.float32)
