"""Two cores, half a batch each: NumPy lets go of the interpreter's lock while it computes, so threads are enough."""

import copy
import functools
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from shared import checks, default_rng
from shared.nn.module import Module, Parameter


class DataParallel(Module):
    """Share each batch among threads; outputs and gradients are those of the module alone.

    Shapes: those of the module. Each thread works with a copy of the module that shares its weights; the gradients of
    all copies are added. Batch normalisation measures each part on its own and remembers what the first part had.
    Take it with one thread for matrix products (OPENBLAS_NUM_THREADS=1), or they compete for the same cores.
    Raises TypeError for what is no module, ValueError when threads is not a whole number above 0.
    Source: torch.nn.DataParallel, with threads in place of graphics cards.
    Built in 05-cnn/05-lenet.ipynb.
    """

    def __init__(self, module, threads=2):
        checks.stack(self, Module, (module,))
        checks.sizes(self, threads, "threads", "as many as the computer has cores")
        self.module, self.threads = module, threads

    def forward(self, x):
        parts = np.array_split(x, max(1, min(self.threads, len(x))))
        self.copies = [self.module, *(_copy(self.module, {}) for _ in parts[1:])]
        self.ends = np.cumsum([len(part) for part in parts])[:-1]
        y = np.concatenate(_at_once(self.copies, parts))
        self.y_shape = y.shape
        return y

    def backward(self, grad_y):
        checks.gradient(self, grad_y, self.y_shape)
        grads = _at_once([part.backward for part in self.copies], np.split(grad_y, self.ends))
        for part in self.copies[1:]:
            for parameter, of_copy in zip(self.module.parameters(), part.parameters(), strict=True):
                if of_copy.grad is not None:
                    parameter.add_grad(of_copy.grad)
                    of_copy.grad = None
        return None if grads[0] is None else np.concatenate(grads)

    def check(self, x):
        self.module.check(x)

    def requires_input_grad_(self, mode=True):
        self.module.requires_input_grad_(mode)
        return super().requires_input_grad_(mode)


def _at_once(functions, arguments):
    """What each function says to its argument: the first in this thread, the others in threads of their own."""
    pool = _pool(len(functions))
    others = [pool.submit(*pair) for pair in zip(functions[1:], arguments[1:], strict=True)]
    return [functions[0](arguments[0]), *(other.result() for other in others)]


@functools.cache
def _pool(threads):
    """Threads are started once, and wait for the next batch."""
    return ThreadPoolExecutor(threads)


def _copy(part, made):
    """A module that shares the weights, but neither gradients nor what forward keeps, nor the source of chance.

    made: what was copied already, so that what occurs twice in a module occurs twice in its copy.
    """
    if part in made:
        return made[part]
    twin = made[part] = copy.copy(part)
    for name, value in vars(part).items():
        if isinstance(value, (Module, Parameter)):
            vars(twin)[name] = _copy(value, made)
        elif name == "grad":
            twin.grad = None
        elif (
            name == "rng" and part.training
        ):  # two threads that draw from one generator would draw in random order
            twin.rng = np.random.default_rng(default_rng(value).integers(2**63))
    return twin
