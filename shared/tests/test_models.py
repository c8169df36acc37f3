"""shared.models: published counts and names, PyTorch's numbers, and whether they learn."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from shared import models, nn, optim
from shared.gradcheck import gradcheck, relative_error
from shared.training import fit

TOLERANCE = {np.float32: 1e-5, np.float64: 1e-12}
COUNTS = {  # published, but those of SmallCNN, which is a network of this journal, and of ResNet-8
    "LeNet5": (models.LeNet5, (1, 28, 28), 61_706),
    "LeNet5 for 32 x 32": (lambda rng: models.LeNet5(padding=0, rng=rng), (1, 32, 32), 61_706),
    "SmallCNN": (models.SmallCNN, (1, 28, 28), 144_826),
    "resnet8": (lambda rng: models.resnet8(rng=rng), (3, 32, 32), 78_042),
    "resnet20": (lambda rng: models.resnet20(rng=rng), (3, 32, 32), 272_474),
    "resnet18": (lambda rng: models.resnet18(rng=rng), (3, 64, 64), 11_689_512),
    "AlexNet": (models.AlexNet, (3, 64, 64), 61_100_840),
}
each_model = pytest.mark.parametrize(("make", "shape", "count"), COUNTS.values(), ids=COUNTS)


@each_model
def test_parameters_outputs_and_summary(make, shape, count):
    model = make(rng=np.random.default_rng(0))
    assert sum(parameter.data.size for parameter in model.parameters()) == count
    table = models.summary(model, shape)
    assert table.parameters == count and model.training
    assert table.layers[-1].shape == ((10,) if count < 1e6 else (1000,))
    assert table.memory == sum(layer.memory for layer in table.layers) and f"{count:,}" in str(table)
    x = np.random.default_rng(1).standard_normal((2, *shape)).astype(np.float32)
    assert model.eval()(x).shape == (2, *table.layers[-1].shape)
    assert [layer.name for layer in table.layers if layer.parameters] == list(
        dict.fromkeys(name.rpartition(".")[0] for name, _ in model.named_parameters())
    )


def test_flops_are_those_of_the_papers():
    """He et al. count multiplications: 1.8 billion for ResNet-18 (table 1); by hand for the first layer of LeNet."""
    assert round(models.summary(models.resnet18(), (3, 224, 224)).flops / 2e9, 1) == 1.8
    first = models.summary(models.LeNet5(), (1, 28, 28)).layers[0]
    assert first == ("0", "Conv2d", (6, 28, 28), 156, 2 * 25 * 6 * 28 * 28, 4 * 6 * 28 * 28)
    grouped = models.summary(nn.Conv2d(8, 4, 3, stride=2, groups=2), (8, 9, 7))
    assert grouped.flops == 2 * 4 * 9 * 4 * 4 * 3


def test_summary_leaves_the_model_as_it_was():
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Sequential(nn.ReLU(), nn.Flatten())).to(
        np.float64
    )
    before = model.state_dict()
    table = models.summary(model.train(), (1, 4, 5))
    assert model.training and [layer.name for layer in table.layers] == ["0", "1", "2.0", "2.1"]
    assert table.layers[0].memory == 2 * 2 * 3 * 8
    assert all("forward" not in vars(module) for module in model.modules())
    for name, array in model.state_dict().items():
        assert_array_equal(array, before[name])
    with pytest.raises(ValueError, match="expected \\(N, 1, H, W\\)"):
        models.summary(model, (3, 4, 5))
    assert all("forward" not in vars(module) for module in model.modules())
    with pytest.raises(TypeError, match="summary expected a module"):
        models.summary(models.LeNet5, (1, 28, 28))


def test_alexnet_has_the_names_and_shapes_of_torchvision():
    sizes = {"features.0": (64, 3, 11, 11), "features.3": (192, 64, 5, 5), "features.6": (384, 192, 3, 3)}
    sizes |= {"features.8": (256, 384, 3, 3), "features.10": (256, 256, 3, 3)}
    sizes |= {"classifier.1": (4096, 9216), "classifier.4": (4096, 4096), "classifier.6": (1000, 4096)}
    expected = {f"{name}.weight": shape for name, shape in sizes.items()}
    expected |= {f"{name}.bias": shape[:1] for name, shape in sizes.items()}
    found = {name: parameter.shape for name, parameter in models.AlexNet().named_parameters()}
    assert found == expected


def torch_resnet(blocks, width, classes, small):
    """The network of He et al. in PyTorch, with the names of torchvision, which is no dependency of this journal."""
    torch = pytest.importorskip("torch")

    class Block(torch.nn.Module):
        def __init__(self, inputs, outputs, stride):
            super().__init__()
            self.conv1 = torch.nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
            self.bn1 = torch.nn.BatchNorm2d(outputs)
            self.conv2 = torch.nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
            self.bn2 = torch.nn.BatchNorm2d(outputs)
            self.downsample = None
            if stride > 1 or inputs != outputs:
                convolution = torch.nn.Conv2d(inputs, outputs, 1, stride, bias=False)
                self.downsample = torch.nn.Sequential(convolution, torch.nn.BatchNorm2d(outputs))

        def forward(self, x):
            y = self.bn2(self.conv2(self.bn1(self.conv1(x)).relu()))
            return (y + (x if self.downsample is None else self.downsample(x))).relu()

    parts = {"conv1": torch.nn.Conv2d(3, width, *((3, 1, 1) if small else (7, 2, 3)), bias=False)}
    parts |= {"bn1": torch.nn.BatchNorm2d(width), "relu": torch.nn.ReLU()}
    if not small:
        parts["maxpool"] = torch.nn.MaxPool2d(3, 2, 1)
    inputs = width
    for stage, number in enumerate(blocks):
        outputs = width * 2**stage
        rest = [Block(outputs, outputs, 1) for _ in range(number - 1)]
        parts[f"layer{stage + 1}"] = torch.nn.Sequential(Block(inputs, outputs, 2 if stage else 1), *rest)
        inputs = outputs
    parts |= {"avgpool": torch.nn.AdaptiveAvgPool2d(1), "flatten": torch.nn.Flatten()}
    model = torch.nn.Sequential()
    for name, part in (parts | {"fc": torch.nn.Linear(inputs, classes)}).items():
        model.add_module(name, part)
    return model


def torch_lenet():
    torch = pytest.importorskip("torch")
    T = torch.nn
    first = [
        T.Conv2d(1, 6, 5, padding=2),
        T.MaxPool2d(2),
        T.ReLU(),
        T.Conv2d(6, 16, 5),
        T.MaxPool2d(2),
        T.ReLU(),
    ]
    last = [T.Flatten(), T.Linear(400, 120), T.ReLU(), T.Linear(120, 84), T.ReLU(), T.Linear(84, 10)]
    return T.Sequential(*first, *last)


TWINS = {
    "LeNet5": (models.LeNet5, torch_lenet, (4, 1, 28, 28)),
    "resnet8": (models.resnet8, lambda: torch_resnet((1, 1, 1), 16, 10, True), (4, 3, 32, 32)),
    "resnet20": (models.resnet20, lambda: torch_resnet((3, 3, 3), 16, 10, True), (3, 3, 19, 21)),
    "resnet18": (models.resnet18, lambda: torch_resnet((2, 2, 2, 2), 64, 1000, False), (2, 3, 67, 64)),
}


@pytest.mark.parametrize(("ours", "theirs", "shape"), TWINS.values(), ids=TWINS)
@pytest.mark.parametrize("dtype", TOLERANCE)
def test_weights_outputs_and_gradients_go_both_ways(ours, theirs, shape, dtype):
    torch = pytest.importorskip("torch")
    torch.manual_seed(
        0
    )  # of 30 starts of ResNet-18, two had a number so near a kink of ReLU that rounding decided
    theirs = theirs()
    theirs, ours = theirs.to(getattr(torch, np.dtype(dtype).name)), ours().to(dtype)
    ours.load_state_dict({name: array.numpy() for name, array in theirs.state_dict().items()})
    assert [*ours.state_dict()] == [*theirs.state_dict()]
    rng = np.random.default_rng(0)
    x = rng.standard_normal(shape).astype(dtype)
    x_theirs = torch.tensor(x, requires_grad=True)
    y, y_theirs = ours(x), theirs(x_theirs)
    tolerance = 100 * TOLERANCE[dtype]  # rounding adds up over the layers
    assert relative_error(y, y_theirs.detach().numpy()) < tolerance
    grad_y = rng.standard_normal(y.shape).astype(dtype)
    y_theirs.backward(torch.tensor(grad_y))
    assert relative_error(ours.backward(grad_y), x_theirs.grad.numpy()) < tolerance
    parameters = dict(theirs.named_parameters())
    for name, parameter in ours.named_parameters():
        assert relative_error(parameter.grad, parameters[name].grad.numpy()) < tolerance, name
    theirs.load_state_dict({name: torch.tensor(array) for name, array in ours.state_dict().items()})
    with torch.no_grad():
        assert relative_error(ours.eval()(x), theirs.eval()(torch.tensor(x)).numpy()) < tolerance


@pytest.mark.parametrize("options", [(2, 2), (2, 3), (2, 2, 2)], ids=["identity", "wider", "smaller"])
def test_gradient_of_a_residual_block(options):
    block, rng = models.BasicBlock(*options).to(np.float64), np.random.default_rng(0)
    for parameter in block.parameters():
        parameter.data = rng.uniform(0.3, 1, parameter.shape) * rng.choice([-1, 1], parameter.shape)
    gradcheck(block, rng.standard_normal((3, options[0], 4, 5)), tolerance=1e-6, rng=rng)


def test_a_residual_block_that_has_learned_nothing_is_the_identity():
    block = models.BasicBlock(3, 3)
    block.bn2.weight.data[...] = 0
    x = np.random.default_rng(0).random((2, 3, 5, 4), dtype=np.float32)
    assert_array_equal(block(x), x)
    assert_array_equal(block.backward(x), x * (x > 0))


def test_a_slope_through_all_of_lenet():
    """Too many weights to measure each: the slope along a random direction through all of them is one number."""
    rng = np.random.default_rng(0)
    model, criterion = models.LeNet5(rng=rng).to(np.float64), nn.CrossEntropyLoss()
    x, y, h = rng.random((5, 1, 28, 28)), rng.integers(0, 10, 5), 1e-6
    criterion(model(x), y)
    model.backward(criterion.backward())
    direction = [rng.standard_normal(parameter.shape) for parameter in model.parameters()]
    slope = sum(np.sum(p.grad * step) for p, step in zip(model.parameters(), direction, strict=True))
    losses = []
    for sign in (1, -2):
        for parameter, step in zip(model.parameters(), direction, strict=True):
            parameter.data += sign * h * step
        losses.append(criterion(model(x), y))
    assert_allclose((losses[0] - losses[1]) / (2 * h), slope, rtol=1e-5)


@pytest.mark.parametrize(
    "make", [models.LeNet5, models.SmallCNN, lambda rng: models.resnet8(in_channels=1, rng=rng)]
)
def test_a_network_learns_a_batch_by_heart(make):
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((32, 1, 28, 28), np.float32), rng.integers(0, 10, 32)
    model = make(rng=rng)
    optimizer = optim.Adam(model.parameters(), lr=3e-3)
    history = fit(
        model, nn.CrossEntropyLoss(), optimizer, (x, y), epochs=40, batch_size=32, rng=rng, quiet=True
    )
    assert history[0]["loss"] > 2 and history[-1]["loss"] < 0.5


def test_a_layer_that_rests_goes_on_resting_after_the_summary():
    model = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4).eval())
    models.summary(model, (4,))
    assert [module.training for module in model] == [True, False]
