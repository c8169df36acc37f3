"""The checklist finds each planted bug by its own cause, is silent on healthy runs, and leaves everything as it was."""

import numpy as np
import pytest

from shared import datasets, default_rng, diagnosis, instruments, manual_seed, nn, optim

BUGS = ["zero_grad", "axis", "sign", "learning rate", "labels", "dead units"]
KINDS = ["ReLU", "tanh", "batch norm", "dropout"]
OPTIMIZERS = {
    "SGD": lambda params: optim.SGD(params, lr=0.1),
    "momentum": lambda params: optim.SGD(params, lr=0.02, momentum=0.9, nesterov=True),
    "RMSprop": lambda params: optim.RMSprop(params, lr=1e-3),
    "Adam": lambda params: optim.Adam(params, lr=2e-3),
    "AdamW": lambda params: optim.AdamW(params, lr=2e-3),
}


@pytest.fixture(scope="module")
def digits():
    mnist = datasets.load_mnist()
    return mnist.train_images[:2000, None] / np.float32(255), mnist.train_labels[:2000]  # (N, 1, 28, 28)


def network(kind, seed):
    rng, layers = np.random.default_rng(seed), [nn.Flatten()]
    for before, after in [(784, 64), (64, 48)]:
        layers.append(nn.Linear(before, after, rng=rng))
        layers += [nn.BatchNorm1d(after)] if kind == "batch norm" else []
        layers.append(nn.Tanh() if kind == "tanh" else nn.ReLU())
        layers += [nn.Dropout(0.2, rng=np.random.default_rng(seed))] if kind == "dropout" else []
    return nn.Sequential(*layers, nn.Linear(48, 10, rng=rng))


class OverTheBatch:
    """Cross-entropy whose softmax goes over the examples instead of the classes."""

    def __call__(self, scores, target):
        exp = np.exp(scores - scores.max(axis=0))
        self.probs, self.truth = exp / exp.sum(axis=0), np.eye(scores.shape[1], dtype=scores.dtype)[target]
        return -np.log(self.probs[self.truth == 1]).mean()

    def backward(self):
        return (self.probs * self.truth.sum(axis=0) - self.truth) / np.float32(len(self.truth))


def forgetful(model, criterion, optimizer, x, y):
    criterion(model(x), y)
    model.backward(criterion.backward())
    optimizer.step()


def uphill(model, criterion, optimizer, x, y):
    optimizer.zero_grad()
    criterion(model(x), y)
    model.backward(-criterion.backward())
    optimizer.step()


def patient(bug, kind, seed, digits, optimizer="SGD"):
    (x, y), model, step = digits, network(kind, seed), None
    moves = OPTIMIZERS[optimizer](model.parameters())
    if bug == "labels":
        y = np.random.default_rng(seed).permutation(y)
    if bug == "learning rate":
        moves.lr *= 100
    if bug == "dead units":
        [*_, last, _] = [layer for layer in model if isinstance(layer, nn.Linear | nn.BatchNorm1d)]
        last.bias.data[:] = -20
    if bug in ("zero_grad", "sign"):
        step = {"zero_grad": forgetful, "sign": uphill}[bug]
    return model, OverTheBatch() if bug == "axis" else nn.CrossEntropyLoss(), moves, (x, y), step


def causes(run, seed=0):
    return [finding.cause for finding in diagnosis.diagnose(*run, rng=np.random.default_rng(seed))]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("bug", BUGS)
def test_each_bug_is_found_by_its_own_cause(bug, kind, digits):
    for seed in (10, 11):
        assert causes(patient(bug, kind, seed, digits), seed) == [bug]


@pytest.mark.parametrize("optimizer", ["momentum", "Adam"])
@pytest.mark.parametrize("bug", BUGS)
def test_whatever_the_optimizer(bug, optimizer, digits):
    assert causes(patient(bug, "ReLU", 12, digits, optimizer)) == [bug]


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_said_of_a_healthy_run(kind, optimizer, digits):
    run = patient(None, kind, 13, digits, optimizer)
    assert causes(run) == []
    for start in range(0, 2000, 50):  # and after an epoch
        instruments.usual_step(*run[:3], *(part[start : start + 50] for part in digits))
    assert causes(run) == []


def test_a_finding_says_what_was_seen_what_is_healthy_and_what_to_try(digits):
    [finding] = diagnosis.diagnose(*patient("zero_grad", "ReLU", 14, digits))
    said = str(finding)
    assert said.startswith("zero_grad: ") and finding.healthy in said and "optimizer.zero_grad()" in said
    assert any(character.isdigit() for character in finding.saw)


def test_everything_is_left_as_it_was(digits):
    manual_seed(0)
    run = patient(None, "batch norm", 15, digits, "Adam")
    instruments.usual_step(*run[:3], *digits)
    model, _, optimizer = run[:3]
    before, memory = model.state_dict(), optimizer.state_dict()
    grads = [parameter.grad.copy() for parameter in model.parameters()]
    state, modes = default_rng().bit_generator.state, [module.training for module in model.modules()]
    diagnosis.diagnose(*run)
    diagnosis.diagnose(*patient(None, "dropout", 15, digits))
    assert all(np.array_equal(array, before[name]) for name, array in model.state_dict().items())
    assert all(np.array_equal(p.grad, grad) for p, grad in zip(model.parameters(), grads, strict=True))
    assert optimizer.lr == memory["lr"] and modes == [module.training for module in model.modules()]
    for mine, old in zip(optimizer.memory, memory["memory"], strict=True):
        assert all(np.array_equal(mine[name], old[name]) for name in old)
    assert default_rng().bit_generator.state == state


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (lambda x, y: (x[:20], y[:19]), "got 20 and 19"),
        (lambda x, y: (x[:3], y[:3]), "got 3 and 3"),
        (lambda x, y: (np.where(x[:20] > 0.5, np.nan, x[:20]), y[:20]), "numbers of x not finite"),
    ],
)
def test_data_that_cannot_be_judged_are_refused(data, found, digits):
    model, criterion, optimizer, (x, y), _ = patient(None, "ReLU", 16, digits)
    with pytest.raises(ValueError, match=found):
        diagnosis.diagnose(model, criterion, optimizer, data(x, y))


def test_the_range_test_rises_to_where_the_loss_explodes(digits):
    model, criterion, optimizer, data, _ = patient(None, "ReLU", 17, digits)
    rates, losses = instruments.lr_range_test(model, criterion, optimizer, data, rng=np.random.default_rng(0))
    assert len(rates) == len(losses) < 100 and np.all(np.diff(np.log(rates)) > 0)
    np.testing.assert_allclose(rates[1:] / rates[:-1], (10 / 1e-5) ** (1 / 99))
    best = rates[losses.argmin()]
    assert 0.01 < best < 3 and losses[-1] > 4 * losses[:-1].min() and optimizer.lr == 0.1


def test_slope_ratios_name_the_layer_whose_backward_is_wrong(digits):
    class Halved(nn.Linear):
        def backward(self, grad_y):
            grad = super().backward(grad_y)
            self.weight.grad = self.weight.grad / 2
            return grad

    model = nn.Sequential(nn.Flatten(), nn.Linear(784, 20), nn.Tanh(), Halved(20, 10))
    ratios = instruments.slope_ratios(model, nn.CrossEntropyLoss(), (digits[0][:16], digits[1][:16]))
    assert {name: round(ratio, 3) for name, ratio in ratios.items()} == {
        "1.weight": 1,
        "1.bias": 1,
        "3.weight": 2,
        "3.bias": 1,
    }
