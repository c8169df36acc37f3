"""Two cores, half a batch each: processes that compute with one set of weights, which lies in a file.

Threads would have to take turns: Python serves one of them at a time, and a training step is hundreds of short calls.
A process has an interpreter of its own. What is large (weights, gradients, images) goes through a file that all of them
map into their memory; what is to be done, and what came out, through pipes.
"""

import contextlib
import functools
import itertools
import math
import os
import pickle
import signal
import subprocess
import sys
import tempfile
import time
import weakref
from types import SimpleNamespace

import numpy as np

from shared import checks, default_rng
from shared.nn.module import Module

ONE_THREAD = "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"
START = "import pickle, sys; sys.path[:] = pickle.load(sys.stdin.buffer); from shared.nn.parallel import _work; _work()"
OURS, THEIRS = False, True  # whose turn it is, in the file
ENDED = "DataParallel expected an answer, but a process has ended: see the terminal; was there enough memory?"
NO_FORWARD = (
    "DataParallel.backward expected a forward pass through these layers before it: call y = model(x) first"
)


class DataParallel(Module):
    """Share each batch among processes; outputs and gradients are those of the module alone.

    Shapes: those of the module. The other processes start with the first batch, which takes a moment. Each has a copy
    of the module; weights and modes are passed on with each batch, other changes (the p of a dropout layer) are not.
    The gradients of all are added. Batch normalisation measures each part on its own, and remembers the first.
    Take it with one thread for matrix products (OPENBLAS_NUM_THREADS=1, for Apple's library VECLIB_MAXIMUM_THREADS=1),
    or they compete for the same cores.
    Raises TypeError for what is no module, and for one that is defined in a notebook, which other processes can't
    import; ValueError when processes is not a whole number above 0, RuntimeError when one of them has ended.
    Source: torch.nn.DataParallel, with processes in place of graphics cards.
    Built in 05-cnn/05-lenet.ipynb.
    """

    def __init__(self, module, processes=2):
        checks.stack(self, Module, (module,))
        checks.sizes(self, processes, "processes", "as many as the computer has cores")
        self.module, self.processes, self.team = module, processes, None

    def forward(self, x):
        parts = np.array_split(x, max(1, min(self.processes, len(x))))
        self.ends = np.cumsum([len(part) for part in parts])[:-1]
        y = np.concatenate(self._at_once("forward", parts))
        self.y_shape = y.shape
        return y

    def backward(self, grad_y):
        checks.gradient(self, grad_y, self.y_shape)
        grad_x, *others = self._at_once("backward", np.split(grad_y, self.ends))
        for place, (_, given) in enumerate(others):
            grads = self.team.file.grads[place]
            for parameter, grad, is_given in zip(self.module.parameters(), grads, given, strict=True):
                if is_given:
                    parameter.add_grad(grad if parameter.grad is not None else grad.copy())
        return None if grad_x is None else np.concatenate([grad_x, *(of_part for of_part, _ in others)])

    def _at_once(self, name, parts):
        """What forward or backward says to each part: to the first in this process, to the others in theirs."""
        compute, (first, *others) = getattr(self.module, name), parts
        if not others:
            return [compute(first)]
        if self.team is None or self.team.inside != _inside(self.module):
            if name == "backward":
                raise RuntimeError(NO_FORWARD)
            self.team = _Team(self.module, self.processes - 1)
        try:
            getattr(self.team, name)(others)
            return [compute(first), *self.team.answers(len(others))]
        except BaseException:
            self.team = None  # or it would answer this question when the next one is asked
            raise

    def check(self, x):
        self.module.check(x)

    def requires_input_grad_(self, mode=True):
        self.module.requires_input_grad_(mode)
        return super().requires_input_grad_(mode)

    def __getstate__(self):
        return vars(self) | {"team": None}  # a copy has a team of its own


class _Team:
    """The other processes, and the file that they share with this one."""

    def __init__(self, module, number):
        self.inside, self.parameters = _inside(module), [*module.parameters()]
        try:
            pickled = pickle.dumps(module)
        except Exception as error:
            raise _unknown(module, error) from error
        how = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        how["env"] = os.environ | dict.fromkeys(ONE_THREAD, "1")
        how["creationflags"] = getattr(subprocess, "CREATE_NO_WINDOW", 0)  # Windows would open one for each
        self.folder = tempfile.TemporaryDirectory(prefix="image-journal-", ignore_cleanup_errors=True)
        self.file = SimpleNamespace(
            path=None, kinds=None, capacity=0, arrays=(), turns=(), images=(), grads=()
        )
        self.workers = [subprocess.Popen([sys.executable, "-c", START], **how) for _ in range(number)]
        weakref.finalize(self, _end, os.getpid(), self.workers, self.folder, self.file)
        for place, worker in enumerate(self.workers):
            _say(worker, sys.path)
            _say(worker, (place, pickled))
        for worker in self.workers:
            if (error := _hear(worker)) is not None:
                raise _unknown(module, error)

    def forward(self, parts):
        modules, numbers = self.inside
        arrays = [getattr(*number) for number in numbers]
        self._fit(arrays, parts[0])
        for shared, array in zip(self.file.arrays, arrays, strict=True):
            shared[...] = array
        for worker, turn, images, part in zip(
            self.workers, self.file.turns, self.file.images, parts, strict=False
        ):
            images[: len(part)], turn[0] = part, THEIRS
            _say(worker, ("forward", len(part), [_mode(module) for module in modules]))

    def backward(self, grads):
        for worker, turn, grad in zip(self.workers, self.file.turns, grads, strict=False):
            turn[0] = THEIRS
            _say(worker, ("backward", grad))

    def answers(self, number):
        answers = [_hear(*pair) for pair in zip(self.workers[:number], self.file.turns, strict=False)]
        for answer in answers:
            if isinstance(answer, Exception):
                raise answer
        return answers

    def _fit(self, arrays, part):
        """Share a new file, unless the arrays and the images have room in the one that is there."""
        file, kinds = self.file, [_kind(array) for array in (*arrays, part[:1])]
        if kinds == file.kinds and len(part) <= file.capacity:
            return
        for turn in file.turns:
            turn[0] = THEIRS  # to read what follows
        if file.path:
            with contextlib.suppress(OSError):  # Windows keeps what is in use, until the end
                os.unlink(file.path)
        file.kinds, file.capacity = kinds, len(part)
        flag, learned = _kind(np.array([OURS])), [_kind(parameter.data) for parameter in self.parameters]
        kinds = [*kinds[:-1], *[flag, _kind(part), *learned] * len(self.workers)]
        handle, file.path = tempfile.mkstemp(dir=self.folder.name)
        os.close(handle)
        shared = _map(file.path, kinds, "w+")
        file.arrays, others = shared[: len(arrays)], _cut(shared[len(arrays) :], 2 + len(learned))
        file.turns, file.images = ([other[place] for other in others] for place in (0, 1))
        file.grads = [other[2:] for other in others]
        for worker in self.workers:
            _say(worker, ("fit", file.path, kinds))


class _Worker:
    """What answers in another process."""

    def __init__(self, place, module):
        self.place, self.module = place, pickle.loads(module)
        self.parameters, (self.modules, self.numbers) = [*self.module.parameters()], _inside(self.module)

    def fit(self, path, kinds):
        shared, first = _map(path, kinds), len(self.numbers)
        self.arrays, others = shared[:first], _cut(shared[first:], 2 + len(self.parameters))
        self.turn, self.images, *self.grads = others[self.place]

    def forward(self, number, modes):
        for (owner, attribute), array in zip(self.numbers, self.arrays, strict=True):
            setattr(owner, attribute, array)
        for module, (training, input_grad, seed) in zip(self.modules, modes, strict=True):
            module.training, module.input_grad = training, input_grad
            if seed is not None:
                module.rng = np.random.default_rng(seed)
        return self.module(self.images[:number])

    def backward(self, grad_y):
        self.module.zero_grad()
        grad_x = self.module.backward(grad_y)
        given = [parameter.grad is not None for parameter in self.parameters]
        for parameter, grad, is_given in zip(self.parameters, self.grads, given, strict=True):
            if is_given:
                grad[...] = parameter.grad
        return grad_x, given


def _work():
    """Be such a process: answer, until nobody is there who asks."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # to interrupt is up to those who wait
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a module prints goes elsewhere
    tell = functools.partial(_tell, answers)
    try:
        place, module = pickle.load(sys.stdin.buffer)
        try:
            worker = _Worker(place, module)
        except Exception as error:
            return tell(error)
        tell(None)
        while True:
            name, *arguments = pickle.load(sys.stdin.buffer)
            try:
                answer = getattr(worker, name)(*arguments)
            except Exception as error:
                answer = error
            if name != "fit":
                worker.turn[0] = OURS  # before the answer, which may need a reader to get through the pipe
                tell(answer)
                _watch(worker.turn, THEIRS)
    except (EOFError, OSError):
        pass


def _tell(answers, answer):
    """Answer; an error in words, where it can't be sent as it is."""
    if isinstance(answer, Exception):
        try:
            pickle.loads(pickle.dumps(answer))
        except Exception:
            answer = RuntimeError(f"{type(answer).__name__}: {answer}")
    pickle.dump(answer, answers)
    answers.flush()


def _unknown(module, error):
    advice = "define its layers in a .py file, not in a notebook, and import them from there"
    found = f"{type(module).__name__} ({error})"
    return TypeError(f"DataParallel expected a module that other processes can import, got {found}: {advice}")


def _inside(module):
    """The modules in a module, and (owner, attribute) of their arrays."""
    return [*module.modules()], [pair for _, *pair in module._arrays()]


def _mode(module):
    """(training, input_grad, and a seed if it draws): a generator shared by two would be asked in random order."""
    draws = module.training and "rng" in vars(module)
    return module.training, module.input_grad, int(default_rng(module.rng).integers(2**63)) if draws else None


def _kind(array):
    """(shape, dtype, order in memory): Linear keeps its weights in the order in which it multiplies fastest."""
    return array.shape, array.dtype, "F" if array.flags.fnc else "C"


def _map(path, kinds, mode="r+"):
    """Arrays of such kinds in a file that is mapped into memory."""
    sizes = [-(-math.prod(shape) * dtype.itemsize // 64) * 64 for shape, dtype, _ in kinds]
    places = [0, *itertools.accumulate(sizes)]
    memory = np.memmap(path, np.uint8, mode, shape=places.pop())
    return [
        np.ndarray(shape, dtype, memory, place, order=order)
        for (shape, dtype, order), place in zip(kinds, places, strict=True)
    ]


def _cut(arrays, number):
    return [arrays[start : start + number] for start in range(0, len(arrays), number)]


def _say(worker, message):
    try:
        pickle.dump(message, worker.stdin)
        worker.stdin.flush()
    except OSError as error:
        raise RuntimeError(ENDED) from error


def _hear(worker, turn=None):
    if turn is not None:
        _watch(turn, OURS)
    try:
        return pickle.load(worker.stdout)
    except EOFError as error:
        raise RuntimeError(ENDED) from error


def _watch(turn, whose):
    """Wait for a turn, for a second at most: who sleeps on a pipe is woken late, and on the core of who woke it.

    It is a hint only. What is said, and that it has been said, the pipe tells.
    """
    start = time.perf_counter()
    while turn[0] != whose and (waited := time.perf_counter() - start) < 1:
        if waited > 0.001:
            time.sleep(0.001)


def _end(process, workers, folder, file):
    if process != os.getpid():
        return  # a fork of the one that started them
    for worker in workers:
        worker.kill()
        worker.communicate()
    vars(file).clear()  # Windows deletes no file that is mapped
    folder.cleanup()
