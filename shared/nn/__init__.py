"""Neural networks, with PyTorch's names and shapes, and a ``backward`` in every module that can be read."""

# ruff: noqa: F401 (these names are here to be found)

from shared.nn import init
from shared.nn.activation import ELU, GELU, LeakyReLU, ReLU, Sigmoid, SiLU, Softmax, Tanh
from shared.nn.clipping import clip_grad_norm_, clip_grad_value_
from shared.nn.conv import Conv2d
from shared.nn.dropout import Dropout, Dropout2d
from shared.nn.linear import Flatten, Linear
from shared.nn.loss import BCEWithLogitsLoss, CrossEntropyLoss, KLDivLoss, MSELoss, MultiMarginLoss
from shared.nn.module import Module, Parameter, Sequential
from shared.nn.normalization import BatchNorm1d, BatchNorm2d
from shared.nn.parallel import DataParallel
from shared.nn.penalty import l1_penalty, l2_penalty
from shared.nn.pooling import AdaptiveAvgPool2d, AvgPool2d, MaxPool2d
