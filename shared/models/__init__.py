"""The networks that made history, at their sizes then and at sizes that learn on a laptop; and what they cost."""

# ruff: noqa: F401 (these names are here to be found)

from shared.models.costs import LayerSummary, Summary, summary
from shared.models.networks import AlexNet, BasicBlock, LeNet5, ResNet, SmallCNN, resnet8, resnet18, resnet20
