"""attribution.py against finite differences, hand values, PyTorch and SciPy, and what it leaves behind."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from shared import attribution, instruments, models, nn
from shared.gradcheck import numerical_gradient

TARGET = np.array([2, 0])


def small_net(seed=0):
    rng = np.random.default_rng(seed)
    norm = nn.BatchNorm2d(4)
    norm.running_mean, norm.running_var = rng.normal(size=4), rng.uniform(0.5, 2, 4)
    layers = nn.Conv2d(2, 4, 3, padding=1, rng=rng), norm, nn.ReLU(), nn.MaxPool2d(2)
    return nn.Sequential(*layers, nn.Flatten(), nn.Dropout(0.5, rng=rng), nn.Linear(48, 3, rng=rng)).to(
        np.float64
    )


@pytest.fixture
def net():
    return small_net()


@pytest.fixture
def x():
    return np.random.default_rng(1).normal(size=(2, 2, 6, 8))


def linear_net(weights):
    """One logit for each row of weights, over images (1, H, W): every map of it is known."""
    weights = np.array(weights, float)
    net = nn.Sequential(
        nn.Flatten(), nn.Linear(weights[0].size, len(weights), rng=np.random.default_rng(0))
    ).to(np.float64)
    net[1].weight.data[...], net[1].bias.data[...] = weights.reshape(len(weights), -1), 0.5
    return net


def test_saliency_is_the_slope_that_is_measured(net, x):
    def logits(images):
        return net.eval()(images)[[0, 1], TARGET].sum()

    measured = numerical_gradient(logits, x.copy())
    assert_allclose(attribution.saliency(net, x, TARGET), measured, atol=1e-8)


def test_saliency_equals_pytorch():
    torch = pytest.importorskip("torch")
    ours = models.LeNet5(rng=np.random.default_rng(0))
    layers = torch.nn.Conv2d(1, 6, 5, padding=2), torch.nn.MaxPool2d(2), torch.nn.ReLU()
    layers += torch.nn.Conv2d(6, 16, 5), torch.nn.MaxPool2d(2), torch.nn.ReLU(), torch.nn.Flatten()
    layers += torch.nn.Linear(400, 120), torch.nn.ReLU(), torch.nn.Linear(120, 84), torch.nn.ReLU()
    theirs = torch.nn.Sequential(*layers, torch.nn.Linear(84, 10))
    theirs.load_state_dict({name: torch.from_numpy(array) for name, array in ours.state_dict().items()})
    images = np.random.default_rng(1).random((3, 1, 28, 28), np.float32)
    leaf = torch.from_numpy(images).requires_grad_()
    theirs(leaf)[[0, 1, 2], [4, 4, 9]].sum().backward()
    found = attribution.saliency(ours, images, np.array([4, 4, 9]))
    assert found.dtype == np.float32
    assert_allclose(found, leaf.grad, atol=1e-6)


def test_one_target_serves_all_images(net, x):
    assert_array_equal(attribution.saliency(net, x, 1), attribution.saliency(net, x, np.array([1, 1])))


def test_smooth_grad_is_the_mean_over_noise(net, x):
    rng = np.random.default_rng(3)
    noisy = [x + 0.3 * rng.standard_normal(x.shape) for _ in range(4)]
    expected = np.mean([attribution.saliency(net, images, TARGET) for images in noisy], axis=0)
    assert_allclose(attribution.smooth_grad(net, x, TARGET, 4, 0.3, np.random.default_rng(3)), expected)
    plain = attribution.saliency(net, x, TARGET)
    assert_allclose(attribution.smooth_grad(net, x, TARGET, 3, 0.0), plain)


def test_smooth_grad_keeps_float32(net, x):
    found = attribution.smooth_grad(net.to(np.float32), x.astype(np.float32), TARGET, 2)
    assert found.dtype == np.float32


def test_grad_cam_by_the_formula(net, x):
    maps = net[1](net.eval()[0](x))
    rest = nn.Sequential(*[net[place] for place in (2, 3, 4, 5, 6)])
    slopes = numerical_gradient(lambda y: rest(y)[[0, 1], TARGET].sum(), maps.copy())
    expected = np.zeros((2, 6, 8))
    for n in range(2):
        for k in range(4):
            expected[n] += slopes[n, k].mean() * maps[n, k]
    assert_allclose(attribution.grad_cam(net, "1", x, TARGET), np.maximum(expected, 0), atol=1e-8)


def test_grad_cam_grows_to_the_size_of_the_image(net, x):
    found = attribution.grad_cam(net, "3", x, TARGET)
    assert found.shape == (2, 6, 8) and found.min() >= 0


def test_grad_cam_inside_a_block():
    net = models.resnet8(rng=np.random.default_rng(0))
    images = np.random.default_rng(1).random((2, 3, 16, 24), np.float32)
    assert attribution.grad_cam(net, "layer3.0.conv1", images, 5).shape == (2, 16, 24)
    assert not [name for module in net.modules() for name in ("forward", "backward") if name in vars(module)]


def test_occlusion_by_hand():
    net = linear_net([np.arange(12).reshape(3, 4)])
    x = np.ones((1, 1, 3, 4))
    assert_allclose(attribution.occlusion(net, x, 0, 1)[0], np.arange(12).reshape(3, 4))
    # squares of 2 by 2 in steps of 2; the lower ones hang over
    expected = [[10, 10, 18, 18], [10, 10, 18, 18], [17, 17, 21, 21]]
    assert_allclose(attribution.occlusion(net, x, 0, 2, 2)[0], expected)
    assert_allclose(attribution.occlusion(net, x, 0, 1, fill=1.0), 0)
    row = attribution.occlusion(linear_net([[[1.0, 10, 100]]]), np.ones((1, 1, 1, 3)), 0, 2)
    assert_allclose(row, [[[11, 60.5, 110]]])  # the middle is under two squares


def test_occlusion_of_a_batch_is_that_of_each(net, x):
    found = attribution.occlusion(net, x, TARGET, 3, 2)
    for n in (0, 1):
        assert_allclose(attribution.occlusion(net, x[[n]], TARGET[n], 3, 2)[0], found[n], atol=1e-12)


def test_occlusion_larger_than_the_image(net, x):
    lost = net.eval()(x)[[0, 1], TARGET] - net(np.zeros_like(x))[[0, 1], TARGET]
    found = attribution.occlusion(net, x, TARGET, 20)
    assert_allclose(found, np.broadcast_to(lost[:, None, None], found.shape), atol=1e-12)


def test_deletion_by_hand():
    net = linear_net([[[1.0, 2, 4, 0]], [[0, 0, 0, 0]]])
    x = np.ones((1, 1, 1, 4))
    scores = np.array([7.0, 3, 1, 0, 0])  # 4 goes first, then 2, then 1
    found = attribution.deletion(net, x, 0, np.array([[[1.0, 2, 3, 0]]]), steps=4)
    assert_allclose(found, [1 / (1 + np.exp(-scores))])
    equal = attribution.deletion(net, x, 0, np.zeros((1, 1, 4)), steps=2)  # in the order of reading
    assert_allclose(equal, [1 / (1 + np.exp(-np.array([7.0, 4, 0])))])
    filled = attribution.deletion(net, x, 0, np.zeros((1, 1, 4)), steps=1, fill=2.0)
    assert_allclose(filled, [1 / (1 + np.exp(-np.array([7.0, 14])))])


def test_deletion_in_the_right_order_falls_fastest():
    rng = np.random.default_rng(0)
    weights = rng.uniform(0, 1, (1, 5, 5))
    net, x = linear_net([*weights, np.zeros((5, 5))]), np.ones((1, 1, 5, 5))
    best = attribution.deletion(net, x, 0, weights, steps=25)
    for _ in range(20):
        assert (best <= attribution.deletion(net, x, 0, rng.random((1, 5, 5)), steps=25) + 1e-12).all()


def test_randomise_cascades_from_the_end(net):
    before, found = net.state_dict(), [*attribution.randomise(net, np.random.default_rng(0))]
    assert [name for name, _ in found] == ["6", "0"]
    for (_, model), changed in zip(found, [{"6"}, {"6", "0"}], strict=True):
        for name, array in model.state_dict().items():
            assert np.array_equal(array, before[name]) == (name.split(".")[0] not in changed)
            assert_array_equal(np.sort(array.ravel()), np.sort(before[name].ravel()))
    for name, array in net.state_dict().items():
        assert_array_equal(array, before[name])


def test_randomise_repeats_with_its_seed(net):
    one, other = ([*attribution.randomise(net, np.random.default_rng(5))][-1][1] for _ in range(2))
    assert_array_equal(one[0].weight.data, other[0].weight.data)


@pytest.mark.parametrize("levels", [2, 5, 1000])
def test_rank_correlation_equals_scipy(levels):
    stats = pytest.importorskip("scipy.stats")
    a, b = np.random.default_rng(levels).integers(0, levels, (2, 3, 7, 5))
    expected = [
        stats.spearmanr(one.ravel(), other.ravel()).statistic for one, other in zip(a, b, strict=True)
    ]
    assert_allclose(attribution.rank_correlation(a, b), expected, atol=1e-12)


def test_rank_correlation_by_hand():
    a = np.array([[1.0, 2, 3], [1, 2, 3], [1, 1, 1]])
    b = np.array([[10.0, 11, 900], [3, 2, 1], [1, 2, 3]])
    assert_allclose(attribution.rank_correlation(a, b), [1, -1, 0])


CALLS = {
    "saliency": lambda net, x: attribution.saliency(net, x, TARGET),
    "smooth_grad": lambda net, x: attribution.smooth_grad(net, x, TARGET, 2),
    "grad_cam": lambda net, x: attribution.grad_cam(net, "2", x, TARGET),
    "occlusion": lambda net, x: attribution.occlusion(net, x, TARGET, 3, 2),
    "deletion": lambda net, x: attribution.deletion(net, x, TARGET, x[:, 0], 3),
    "randomise": lambda net, x: [*attribution.randomise(net)],
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_everything_is_put_back(call, net, x):
    net.train()
    net[1].training = False
    net.requires_input_grad_(False)
    grads = [np.full(parameter.shape, 7.0) for parameter in net.parameters()]
    for parameter, grad in zip(net.parameters(), grads, strict=True):
        parameter.grad = grad
    modes, before = [(m.training, m.input_grad) for m in net.modules()], net.state_dict()
    images = x.copy()
    call(net, x)
    assert [(m.training, m.input_grad) for m in net.modules()] == modes
    assert_array_equal(x, images)
    for parameter, grad in zip(net.parameters(), grads, strict=True):
        assert parameter.grad is grad
        assert_array_equal(grad, 7)
    for name, array in net.state_dict().items():
        assert_array_equal(array, before[name])
    assert not [name for module in net.modules() for name in ("forward", "backward") if name in vars(module)]


def test_everything_is_put_back_after_an_error(net, x):
    net.train()
    with pytest.raises(ValueError):
        attribution.grad_cam(net, "2", x, np.array([0, 9]))
    assert net.training and "forward" not in vars(net[2])


def test_dropout_is_off(net, x):
    net.train()
    assert_array_equal(attribution.saliency(net, x, TARGET), attribution.saliency(net, x, TARGET))


@pytest.mark.parametrize(
    "call, told",
    [
        (lambda net, x: attribution.saliency(net, x, 3), r"classes from 0 to 2 as target, got 3 to 3: count"),
        (lambda net, x: attribution.saliency(net, x, [0, -1]), "got -1 to 0"),
        (
            lambda net, x: attribution.saliency(net, x, [0, 1, 2]),
            r"\(2,\) whole numbers, got int64 \(3,\): try",
        ),
        (lambda net, x: attribution.saliency(net, x, 0.5), "got float64"),
        (lambda net, x: attribution.saliency(net, x[0], 0), r"\(N, C, H, W\), got \(2, 6, 8\)"),
        (lambda net, x: attribution.saliency(net[0], x, 0), "expected logits .* end it in Linear"),
        (
            lambda net, x: attribution.smooth_grad(net, x, 0, 0),
            "expected samples as 1 whole numbers, 1 or more",
        ),
        (lambda net, x: attribution.smooth_grad(net, x, 0, sigma=-1), "expected sigma .* got -1: try 0.15"),
        (lambda net, x: attribution.grad_cam(net, "9", x, 0), "got '9': try one of 0, 1, 2"),
        (
            lambda net, x: attribution.grad_cam(net, "0.weight", x, 0),
            "got '0.weight': it has no parts: try its own name",
        ),
        (lambda net, x: attribution.grad_cam(net, "6", x, 0), r"expected maps .* got \(2, 3\): take a conv"),
        (lambda net, x: attribution.occlusion(net, x, 0, 2, 3), "stride of 2 or less, got 3: between"),
        (lambda net, x: attribution.occlusion(net, x, 0, 2.5), "expected size and stride as 2 whole numbers"),
        (
            lambda net, x: attribution.deletion(net, x, 0, x),
            r"maps \(2, 6, 8\), got \(2, 2, 6, 8\): one number",
        ),
        (lambda net, x: attribution.deletion(net, x, 0, x[:, 0], 0), "expected steps"),
        (lambda net, x: attribution.rank_correlation(x, x[:1]), "maps of one shape"),
        (lambda net, x: attribution.rank_correlation(x[0, 0, 0], x[0, 0, 0]), r"one map is a\[None\]"),
    ],
)
def test_what_it_says(call, told, net, x):
    with pytest.raises(ValueError, match=told):
        call(net, x)


def test_no_module(x):
    with pytest.raises(TypeError, match="expected a module, got type: build the model first"):
        attribution.saliency(int, x, 0)


def test_half_a_batch_is_not_heard(net, x):
    many, told = nn.DataParallel(net), "expected a model in one process, got DataParallel"
    with pytest.raises(ValueError, match=f"grad_cam {told}"):
        attribution.grad_cam(many, "module.0", x, 0)
    with pytest.raises(ValueError, match=f"record {told}"):
        instruments.record(many, nn.CrossEntropyLoss(), (x, np.zeros(len(x), int)))
