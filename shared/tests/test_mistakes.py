"""What a beginner gets to read: each typical mistake names who complains, what was expected, what came, what to try."""

import numpy as np
import pytest

from shared import nn, optim
from shared.gradcheck import gradcheck

F32 = np.float32
X = np.zeros((4, 6), F32)
LOGITS, CLASSES = np.zeros((4, 3), F32), np.array([0, 2, 1, 1])


def linear():
    return nn.Linear(6, 3, rng=np.random.default_rng(0))


def sgd(**options):
    return optim.SGD(linear().parameters(), **options)


def called(criterion, *arrays):
    criterion(*arrays)
    return criterion


def forward(model, x=X):
    model(x)
    return model


def spoilt():
    """A network that has learned from a picture with a NaN in it."""
    model, x = linear(), X.copy()
    x[1, 2] = np.nan
    forward(model, x).backward(np.ones((4, 3), F32))
    return model


def steps(schedule, number):
    for _ in range(number):
        schedule.step()


cross = nn.CrossEntropyLoss

# The mistake, and words of the message: who, expected, found, what to try.
MISTAKES = {
    # what goes into a layer
    "pictures into Linear": (
        lambda: nn.Linear(784, 9)(np.zeros((64, 28, 28), F32)),
        "Linear(784, 9)|(N, 784)|(64, 28, 28)|nn.Flatten()",
    ),
    "one picture": (
        lambda: nn.Sequential(nn.Flatten(), nn.Linear(784, 9))(np.zeros((28, 28), F32)),
        "Linear(784, 9)|(N, 784)|(28, 28)|x[None], before nn.Flatten()",
    ),
    "one picture in colour": (
        lambda: nn.Sequential(nn.Flatten(), nn.Linear(48, 9))(np.zeros((3, 4, 4), F32)),
        "Linear(48, 9)|(N, 48)|(3, 16)|x[None], before nn.Flatten()",
    ),
    "one example as a column": (lambda: linear()(X[0][:, None]), "Linear(6, 3)|(N, 6)|(6, 1)|x.T"),
    "one example": (lambda: linear()(X[0]), "Linear(6, 3)|(N, 6)|(6,)|x[None]"),
    "examples as columns": (lambda: linear()(np.zeros((6, 4), F32)), "Linear(6, 3)|(N, 6)|(6, 4)|x.T"),
    "layers in the wrong order": (
        lambda: nn.Sequential(nn.Linear(6, 5), nn.Linear(4, 3))(X),
        "Linear(4, 3)|(N, 4)|(4, 5)|give the layer before it 4 outputs",
    ),
    "pixels as they are stored": (
        lambda: linear()(X.astype(np.uint8)),
        "Linear(6, 3)|floating-point|uint8|/ 255",
    ),
    "whole numbers": (lambda: nn.ReLU()(np.arange(3)), "ReLU()|floating-point|int64|astype(np.float32)"),
    "a list": (lambda: nn.Sequential(linear())([[1.0] * 6]), "Sequential|array|list|np.array(x, np.float32)"),
    "float64 into a float32 model": (
        lambda: linear()(X.astype(float)),
        "Linear(6, 3)|float32|float64|x.astype(np.float32)",
    ),
    "float32 into a float64 model": (
        lambda: linear().to(np.float64)(X),
        "Linear(6, 3)|float64|float32|model.to(np.float32)",
    ),
    "eval() forgotten": (lambda: nn.BatchNorm1d(6)(X[:1]), "BatchNorm1d(6|two rows|1|model.eval()"),
    "maps into BatchNorm1d": (
        lambda: nn.BatchNorm1d(6)(np.zeros((4, 6, 5, 5), F32)),
        "BatchNorm1d(6|(N, 6)|(4, 6, 5, 5)|nn.Flatten()",
    ),
    # how a network is built
    "a size with a fraction": (
        lambda: nn.Linear(28 * 28 / 4, 3),
        "Linear|whole number of features|196.0|784",
    ),
    "the shape of a picture as a size": (
        lambda: nn.Linear((28, 28), 3),
        "Linear|whole number of features|(28, 28)|784",
    ),
    "no features": (lambda: nn.BatchNorm1d(0), "BatchNorm1d|whole number of features|0|the layer before"),
    "per cent into Dropout": (lambda: nn.Dropout(50), "Dropout|from 0 to 1|50|share"),
    "brackets forgotten": (
        lambda: nn.Sequential(linear(), nn.ReLU),
        "Sequential|modules|nn.activation.ReLU|brackets",
    ),
    "a list into Sequential": (
        lambda: nn.Sequential([linear(), nn.ReLU()]),
        "Sequential|modules|[Linear(6, 3)|*layers",
    ),
    "one module in two places": (
        lambda: nn.Sequential(*[nn.Tanh()] * 2),
        "Sequential|different modules|Tanh() at 0 and 1|make a second one",
    ),
    "an unknown approximation": (
        lambda: nn.GELU(approximate=True),
        "GELU|'none' or 'tanh'|True|approximate='none'",
    ),
    "a seed as generator": (lambda: nn.Linear(6, 3, rng=0), "rng|numpy.random.Generator|int|default_rng(0)"),
    "a bias started like a weight": (
        lambda: nn.init.xavier_uniform_(linear().bias),
        "fans|(out, in)|(3,)|layer.bias.data[:] = 0",
    ),
    "a nonlinearity by its class name": (
        lambda: nn.init.kaiming_normal_(linear().weight, nonlinearity="ReLU"),
        "calculate_gain|relu|'ReLU'|nonlinearity=",
    ),
    "a mode that is none": (
        lambda: nn.init.kaiming_uniform_(linear().weight, mode="in"),
        "kaiming|fan_in|'in'|mode=",
    ),
    "another device": (
        lambda: linear().to("cuda"),
        "Linear.to|np.float32 or np.float64|'cuda'|no other device",
    ),
    # going backward
    "backward before forward": (lambda: linear().backward(LOGITS), "Linear|to have 'x'|nothing|y = model(x)"),
    "backward of a network before forward": (
        lambda: nn.Sequential(linear()).backward(LOGITS),
        "Sequential|'y_shape'|nothing|y = model(x)",
    ),
    "backward of a loss before its call": (
        lambda: cross().backward(),
        "CrossEntropyLoss|'probs'|nothing|loss = criterion(y, target)",
    ),
    "the gradient of another batch": (
        lambda: forward(linear()).backward(LOGITS[:2]),
        "Linear.backward|(4, 3)|(2, 3)|this batch",
    ),
    "the loss in place of its gradient": (
        lambda: forward(nn.Sequential(linear())).backward(2.3),
        "Sequential.backward|(4, 3)|float|criterion.backward()",
    ),
    # labels and losses
    "one-hot labels": (
        lambda: cross()(LOGITS, np.eye(3)[CLASSES]),
        "CrossEntropyLoss|numbers of the classes|(4, 3)|argmax(axis=1)",
    ),
    "labels counted from 1": (
        lambda: cross()(LOGITS, CLASSES + 1),
        "CrossEntropyLoss|classes from 0 to 2|1 to 3|counted from 0",
    ),
    "labels of -1": (
        lambda: nn.MultiMarginLoss()(LOGITS, CLASSES - 1),
        "MultiMarginLoss|classes from 0 to 2|-1 to 1|counted from 0",
    ),
    "labels as floats": (
        lambda: cross()(LOGITS, CLASSES.astype(F32)),
        "CrossEntropyLoss|whole numbers|float32|astype(int)",
    ),
    "labels in a column": (
        lambda: cross()(LOGITS, CLASSES[:, None]),
        "CrossEntropyLoss|one class per row|(4, 1)|target[:, 0]",
    ),
    "labels of another batch": (
        lambda: cross()(LOGITS, CLASSES[:3]),
        "CrossEntropyLoss|(4,)|(3,)|same batch",
    ),
    "target and prediction swapped": (
        lambda: cross()(CLASSES, LOGITS),
        "CrossEntropyLoss|floating-point|int64|the prediction comes first",
    ),
    "scores of one example": (
        lambda: cross()(LOGITS[0], CLASSES[:1]),
        "CrossEntropyLoss|(N, C)|(3,)|x[None]",
    ),
    "an empty batch": (
        lambda: cross()(LOGITS[:0], CLASSES[:0]),
        "CrossEntropyLoss|at least one row|(0, 3)|slice",
    ),
    "an empty batch of numbers": (
        lambda: nn.MSELoss()(X[:0], X[:0]),
        "MSELoss|at least one row|(0, 6)|slice",
    ),
    "a column against a row": (
        lambda: nn.MSELoss()(X[:, :1], X[:, 0]),
        "MSELoss|(4, 1)|(4,)|target[:, None]",
    ),
    "whole numbers as target": (
        lambda: nn.MSELoss()(X, X.astype(int)),
        "MSELoss|floating-point|int64|astype(np.float32)",
    ),
    "a float64 target": (
        lambda: nn.MSELoss()(X, X.astype(float)),
        "MSELoss|float32|float64|astype(np.float32)",
    ),
    "classes as answers to yes or no": (
        lambda: nn.BCEWithLogitsLoss()(LOGITS, LOGITS + 7),
        "BCEWithLogitsLoss|0 to 1|7 to 7|CrossEntropyLoss",
    ),
    "an unknown reduction": (
        lambda: cross(reduction="average"),
        "CrossEntropyLoss|'mean'|'average'|reduction='mean'",
    ),
    "smoothing in per cent": (lambda: cross(label_smoothing=10), "CrossEntropyLoss|from 0 to 1|10|0.1"),
    "a hinge to the power of 3": (lambda: nn.MultiMarginLoss(p=3), "MultiMarginLoss|1 or 2|3|p=1"),
    # optimizers and schedules
    "parameters without brackets": (
        lambda: optim.SGD(linear().parameters),
        "SGD|parameters|method|model.parameters()",
    ),
    "the model as parameters": (
        lambda: optim.Adam(nn.Sequential(linear())),
        "Adam|Parameters|Linear|model.parameters()",
    ),
    "arrays as parameters": (lambda: optim.Adam([X]), "Adam|Parameters|ndarray|model.parameters()"),
    "parameters used up, or in a list": (
        lambda: optim.RMSprop(iter([])),
        "RMSprop|parameters|none|nn.Sequential",
    ),
    "a negative learning rate": (
        lambda: sgd(lr=-0.1),
        "SGD|lr as a number, 0 or more|-0.1|subtracted already",
    ),
    "a learning rate of NaN": (lambda: sgd(lr=float("nan")), "SGD|lr as a number, 0 or more|nan|subtracted"),
    "momentum as a string": (lambda: sgd(momentum="0.9"), "SGD|momentum as a number|'0.9'|0 switches it off"),
    "one beta": (lambda: optim.Adam(linear().parameters(), betas=0.9), "Adam|two numbers|0.9|(0.9, 0.999)"),
    "nesterov without momentum": (lambda: sgd(nesterov=True), "SGD|momentum above 0|momentum 0|0.9"),
    "a model in place of the optimizer": (
        lambda: optim.StepLR(linear(), 3),
        "StepLR|Optimizer|Linear|optim.SGD(model.parameters()",
    ),
    "an optimizer's class": (
        lambda: optim.CosineAnnealingLR(optim.SGD, 3),
        "CosineAnnealingLR|Optimizer|SGD|make it first",
    ),
    "steps of half an epoch": (
        lambda: optim.StepLR(sgd(), 0.5),
        "StepLR|whole number of epochs|0.5|step_size=1",
    ),
    "one cycle of unknown length": (
        lambda: optim.OneCycleLR(sgd(), 0.1, epochs=3),
        "OneCycleLR|total_steps|3 and None|len(batches)",
    ),
    "past the end of the cycle": (
        lambda: steps(optim.OneCycleLR(sgd(), 0.1, 4), 5),
        "OneCycleLR|at most 4|step 5|epochs * batches",
    ),
    "a rate that would grow": (
        lambda: optim.ReduceLROnPlateau(sgd(), factor=10),
        "ReduceLROnPlateau|below 1|10|smaller",
    ),
    "a mode in full": (
        lambda: optim.ReduceLROnPlateau(sgd(), mode="maximum"),
        "ReduceLROnPlateau|'min' or 'max'|'maximum'|mode=",
    ),
    # weights and checks
    "weights of another network": (
        lambda: linear().load_state_dict(nn.Linear(6, 2).state_dict()),
        "Linear|its own arrays|weight should be (3, 6), came as (2, 6)|build the model as it was",
    ),
    "a file name as weights": (
        lambda: linear().load_state_dict("w.npz"),
        "load_state_dict|dictionary|str|np.load(path)",
    ),
    "weights into an optimizer": (
        lambda: sgd().load_state_dict(linear().state_dict()),
        "SGD|'memory'|'weight'|as they were",
    ),
    "the state of another network": (
        lambda: sgd().load_state_dict(optim.SGD([linear().bias]).state_dict()),
        "SGD|2 parameters|1|as they were",
    ),
    "a check in float32": (lambda: gradcheck(linear(), X), "gradcheck|float64|float32|model.to(np.float64)"),
    "a check of float32 weights": (
        lambda: gradcheck(linear(), X.astype(float)),
        "gradcheck|float64|float32 in weight, bias|module.to(np.float64)",
    ),
    "NaN in the input": (
        lambda: nn.clip_grad_norm_(spoilt().parameters(), 1, error_if_nonfinite=True),
        "clip_grad_norm_|finite|nan|np.isnan(x).any()",
    ),
}


@pytest.mark.parametrize(("mistake", "words"), MISTAKES.values(), ids=MISTAKES)
def test_the_message_helps(mistake, words):
    with pytest.raises((ValueError, TypeError, AttributeError)) as caught:
        mistake()
    message = str(caught.value)
    who, expected, found, remedy = words.split("|")
    assert (
        message.startswith(who) or message.split()[0].endswith(who) or who in message.split(" expected")[0]
    ), message
    before, _, after = message.partition(", got ")
    assert "expected" in before and expected in before, message
    assert found in after and remedy in after, message
    assert len(message) < 400


def test_the_table_is_as_long_as_promised():
    assert len(MISTAKES) >= 40


def test_a_module_that_defines_nothing_says_what_is_missing():
    class Mine(nn.Module):
        pass

    with pytest.raises(NotImplementedError, match=r"Mine defines no forward\(x\)"):
        Mine()(X)
    with pytest.raises(NotImplementedError, match=r"Mine defines no backward\(grad_y\)"):
        Mine().backward(X)
    with pytest.raises(NotImplementedError, match=r"Schedule defines no rate"):
        optim.Schedule(sgd())
