"""nn.DataParallel: the numbers of the module alone, whatever happens to the processes."""

import copy
import gc
import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import shared
from shared import models, nn, optim
from shared.training import fit

X = np.random.default_rng(0).standard_normal((6, 3)).astype(np.float32)


def parallel_twins(make, processes=2):
    one = make()
    return one, nn.DataParallel(copy.deepcopy(one), processes)


@pytest.mark.parametrize("processes", [1, 2, 3])
@pytest.mark.parametrize("number", [1, 2, 5, 8])
def test_processes_give_the_same_outputs_and_gradients(processes, number):
    one, many = parallel_twins(lambda: models.LeNet5(rng=np.random.default_rng(0)).to(np.float64), processes)
    x = np.random.default_rng(1).standard_normal((number, 1, 28, 28))
    for _ in range(2):  # gradients add up, over calls and over backwards of one call
        y = one(x)
        assert_allclose(many(x), y, rtol=1e-12)
        grad_y = np.random.default_rng(2).standard_normal(y.shape)
        for _ in range(2):
            assert_allclose(many.backward(grad_y), one.backward(grad_y), rtol=1e-10, atol=1e-14)
    for mine, other in zip(many.parameters(), one.parameters(), strict=True):
        assert_allclose(mine.grad, other.grad, rtol=1e-10, atol=1e-13)


def test_processes_share_the_weights_and_the_names_are_those_of_pytorch():
    _, many = parallel_twins(lambda: nn.Sequential(nn.Linear(3, 2)))
    assert [*many.state_dict()] == ["module.0.weight", "module.0.bias"]
    x = np.ones((4, 3), np.float32)
    many(x)
    many.load_state_dict({name: np.zeros_like(array) for name, array in many.state_dict().items()})
    assert_array_equal(many(x), np.zeros((4, 2)))


def test_batch_normalisation_measures_each_part_and_remembers_the_first():
    one, many = parallel_twins(lambda: nn.Sequential(nn.BatchNorm2d(2)))
    x = np.random.default_rng(0).standard_normal((6, 2, 3, 3)).astype(np.float32)
    halves = one(x[:3])
    remembered = one.state_dict()
    assert_array_equal(many(x), np.concatenate([halves, one(x[3:])]))
    for name, array in remembered.items():
        assert_array_equal(many.state_dict()[f"module.{name}"], array)


def test_what_processes_drop_can_be_repeated():
    def draw():
        shared.manual_seed(5)
        return nn.DataParallel(nn.Dropout(0.5))(np.ones((8, 100), np.float32))

    first = draw()
    assert_array_equal(draw(), first)
    assert not np.array_equal(first[:4], first[4:])
    assert_array_equal(nn.DataParallel(nn.Dropout(0.5)).eval()(first), first)


def test_a_network_in_processes_is_trained_evaluated_and_copied_like_any_other():
    rng = np.random.default_rng(0)
    x, y = rng.random((40, 1, 28, 28), dtype=np.float32), rng.integers(0, 10, 40)
    models_ = parallel_twins(lambda: models.LeNet5(rng=np.random.default_rng(0)).to(np.float64))
    histories = []
    for model in models_:
        optimizer = optim.SGD(model.parameters(), lr=0.1)
        options = {"epochs": 2, "batch_size": 16, "rng": np.random.default_rng(1), "quiet": True}
        data = (x.astype(float), y)
        histories.append(fit(model, nn.CrossEntropyLoss(), optimizer, data, data, **options))
        assert model.input_grad
    for one, other in zip(*histories, strict=True):
        assert_allclose([*one.values()], [*other.values()], rtol=1e-8)
    again = copy.deepcopy(models_[1])
    assert_array_equal(again(data[0]), models_[1](data[0]))


def test_mistakes_are_told():
    many = nn.DataParallel(nn.Sequential(nn.Linear(3, 2)))
    with pytest.raises(ValueError, match=r"expected \(N, 3\), got \(2, 2\)"):
        many(np.zeros((4, 2), np.float32))
    with pytest.raises(TypeError, match="DataParallel expected modules"):
        nn.DataParallel(nn.Linear)
    with pytest.raises(ValueError, match="DataParallel expected a whole number of processes"):
        nn.DataParallel(nn.ReLU(), 0)
    many(np.zeros((4, 3), np.float32))
    with pytest.raises(ValueError, match="DataParallel.backward expected a gradient"):
        many.backward(0.5)


def test_a_network_in_processes_draws_nothing_in_evaluation():
    many = nn.DataParallel(nn.Sequential(nn.Linear(3, 3), nn.Dropout())).eval()
    shared.manual_seed(0)
    before = shared.default_rng().bit_generator.state
    many(np.ones((4, 3), np.float32))
    assert shared.default_rng().bit_generator.state == before


def test_layers_kinds_and_sizes_may_change_between_batches():
    one, many = parallel_twins(lambda: nn.Sequential(nn.Linear(3, 4, rng=np.random.default_rng(0))))
    for module in (one, many.module):
        module(X)
    for images in (X, X[:3], np.concatenate([X, X])):
        assert_allclose(many(images), one(images), rtol=1e-6)
    for module in (one, many.module):
        vars(module)["1"] = nn.ReLU()
    assert_allclose(many(X), one(X), rtol=1e-6)
    one.to(np.float64), many.to(np.float64)
    assert_allclose(many(X.astype(float)), one(X.astype(float)), rtol=1e-12)
    many.requires_input_grad_(False)
    assert many.backward(np.ones((6, 4))) is None and one.backward(np.ones((6, 4))) is not None


def test_outputs_and_gradients_larger_than_a_pipe_come_through():
    one, many = parallel_twins(lambda: nn.Sequential(nn.Conv2d(1, 8, 3, padding=1)), processes=3)
    x = np.random.default_rng(0).standard_normal((12, 1, 64, 64)).astype(np.float32)
    y = one(x)  # half a megabyte for each process
    assert_allclose(many(x), y, rtol=1e-5, atol=1e-5)
    assert_allclose(many.backward(y), one.backward(y), rtol=1e-5, atol=1e-5)


def test_there_is_one_file_however_often_the_images_change():
    many = nn.DataParallel(nn.Sequential(nn.ReLU()))
    for width in (3, 4, 3, 5):
        x = np.random.default_rng(width).standard_normal((4, width))
        assert_array_equal(many(x), np.maximum(x, 0))
    assert len([*Path(many.team.folder.name).iterdir()]) == 1


def test_backward_needs_the_forward_of_the_same_layers():
    many = nn.DataParallel(nn.Sequential(nn.Linear(3, 2)))
    y = many(X)
    vars(many.module)["1"] = nn.ReLU()
    for module in (many, copy.deepcopy(many)):
        with pytest.raises(RuntimeError, match=r"expected a forward pass .* call y = model\(x\) first"):
            module.backward(y)


class Route(nn.Module):
    """Uses its weight where it sees a positive number only."""

    def __init__(self):
        self.w = nn.Parameter(np.array([2.0, 3.0]))

    def forward(self, x):
        self.x, self.used = x, bool((x > 0).any())
        return x * self.w.data if self.used else x

    def backward(self, grad_y):
        if self.used:
            self.w.add_grad((grad_y * self.x).sum(axis=0))
        return grad_y * self.w.data if self.used else grad_y


@pytest.mark.parametrize("x", [[[-1.0, -2], [4, 5]], [[4.0, 5], [-1, -2]], [[-1.0, -1], [-2, -2]]])
def test_a_gradient_that_one_part_gives_is_not_lost(x):
    many, x = nn.DataParallel(Route()), np.array(x, np.float32)
    many(x)
    for times in (1, 2):
        many.backward(np.ones_like(x))
        if (x > 0).any():
            assert_array_equal(many.module.w.grad, [4 * times, 5 * times])
        else:
            assert many.module.w.grad is None


class Locked(Exception):
    """Can't be sent to another process."""

    def __init__(self, reason):
        super().__init__(reason, threading.Lock())


class Odd(Exception):
    """Can be sent, and not be received."""

    def __init__(self, first, second):
        super().__init__(f"{first} {second}")


class Grumbler(nn.Module):
    """Writes on what it sees, and refuses negative numbers, each in a way of its own."""

    def forward(self, x):
        print("I saw", x.shape)
        if x.min() == -1:
            raise ValueError(f"{os.getpid()} expected no negative number")
        if x.min() < 0:
            raise {-2: Locked("the reason"), -3: Odd("the", "reason")}[int(x.min())]
        self.y_shape = x.shape
        return x + 1


def test_what_goes_wrong_in_another_process_is_told_here_and_the_next_batch_works():
    many = nn.DataParallel(Grumbler())
    x = np.ones((4, 2))
    assert_array_equal(many(x), x + 1)
    x[3, 0] = -1
    with pytest.raises(ValueError, match="expected no negative number") as caught:
        many(x)
    assert str(os.getpid()) not in str(caught.value)
    for number in (-2, -3):
        x[3, 0] = number
        with pytest.raises(RuntimeError, match=r"(Locked|Odd): .*the reason"):
            many(x)
    assert_array_equal(many(x[:3]), x[:3] + 1)


def test_a_process_that_has_ended_is_told_of_and_replaced():
    many = nn.DataParallel(nn.Sequential(nn.Linear(3, 2)))
    y = many(X)
    (worker,) = many.team.workers
    worker.kill(), worker.wait()
    with pytest.raises(RuntimeError, match="a process has ended"):
        many(X)
    assert_array_equal(many(X), y)


class Interrupted(nn.Module):
    def __init__(self):
        self.process = os.getpid()

    def forward(self, x):
        if x[0, 0] < 0 and os.getpid() == self.process:
            raise KeyboardInterrupt
        return 2 * x


def test_after_an_interruption_no_old_answer_is_taken_for_a_new_one():
    many = nn.DataParallel(Interrupted())
    with pytest.raises(KeyboardInterrupt):
        many(-np.ones((4, 1)))
    assert_array_equal(many(np.ones((4, 1))), np.full((4, 1), 2))


def test_the_processes_and_their_file_are_gone_when_the_module_is():
    many = nn.DataParallel(nn.Sequential(nn.Linear(3, 2)))
    many(X)
    (worker,), folder = many.team.workers, Path(many.team.folder.name)
    assert worker.poll() is None and any(folder.iterdir())
    del many
    gc.collect()
    assert worker.poll() is not None and not folder.exists()


SCRIPT = """
import numpy as np
from shared import nn
many = nn.DataParallel(nn.ReLU())  # without `if __name__ == "__main__"`
print(many(np.ones((4, 1))).ravel(), many.team.folder.name, flush=True)
{then}
"""


@pytest.mark.parametrize("then", ["", "import os; os._exit(1)"], ids=["ends", "dies"])
def test_a_script_needs_no_guard_and_leaves_no_process(then):
    program = SCRIPT.format(then=then)
    # `run` waits until nobody holds the pipe of stderr any more, and the other process holds it
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    numbers, _, folder = done.stdout.partition("] ")
    assert numbers == "[1. 1. 1. 1.", done.stderr
    assert then or not Path(folder.strip()).exists()


def test_what_other_processes_cannot_import_is_refused():
    class Local(nn.Module):
        pass

    here = type("Mine", (nn.Module,), {"__module__": "__main__"})
    sys.modules["__main__"].Mine = here  # as after a cell that defines it
    for module in (Local(), nn.Sequential(here())):
        with pytest.raises(
            TypeError, match="expected a module that other processes can import, got .*(Local|Mine)"
        ):
            nn.DataParallel(module)(X)
    del sys.modules["__main__"].Mine
