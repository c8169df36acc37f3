"""Optimizers, which move parameters against their gradients, and schedules, which change the learning rate on the way.

    optimizer = optim.Adam(model.parameters(), lr=1e-3)
    scheduler = optim.CosineAnnealingLR(optimizer, T_max=10)
    optimizer.zero_grad(); loss = criterion(model(x), y); model.backward(criterion.backward()); optimizer.step()
    scheduler.step()  # once an epoch; OneCycleLR once a batch

Arguments, defaults and numbers are those of torch.optim.
"""

# ruff: noqa: F401 (these names are here to be found)

from shared.optim.lr_scheduler import CosineAnnealingLR, OneCycleLR, ReduceLROnPlateau, Schedule, StepLR
from shared.optim.optimizer import SGD, Adam, AdamW, Optimizer, RMSprop
