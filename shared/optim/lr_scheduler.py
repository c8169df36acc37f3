"""Schedules change the learning rate of an optimizer on the way: ``scheduler.step()`` goes on by one."""

import math

from shared import checks
from shared.optim.optimizer import Optimizer


class Schedule:
    """The part that schedules share: ``step()`` counts on and sets the optimizer's learning rate to ``rate(count)``.

    Raises TypeError when it is not given an optimizer.
    Source: torch.optim.lr_scheduler.LRScheduler.
    Built in 03-backpropagation/05-optimizers.ipynb.
    """

    def __init__(self, optimizer):
        checks.kind(self, optimizer, Optimizer)
        self.optimizer, self.base_lr, self.last_epoch = optimizer, optimizer.lr, 0
        optimizer.lr = self.rate(0)

    def rate(self, count):
        raise NotImplementedError(f"{type(self).__name__} defines no rate(count)")

    def step(self):
        self.last_epoch += 1
        self.optimizer.lr = self.rate(self.last_epoch)

    def get_last_lr(self):
        """The learning rate in force, in a list as in PyTorch."""
        return [self.optimizer.lr]

    def state_dict(self):
        """The numbers that must be kept to go on later."""
        return {name: value for name, value in vars(self).items() if name != "optimizer"}

    def load_state_dict(self, state):
        """Go on where `state` was taken; the optimizer gets the learning rate of that moment."""
        if set(state) != set(self.state_dict()):
            name, advice = type(self).__name__, "build the schedule as it was"
            raise ValueError(f"{name} expected the state of a {name}, got {sorted(state)}: {advice}")
        vars(self).update(state)
        self.optimizer.lr = self.rate(self.last_epoch)


class StepLR(Schedule):
    """Multiply the learning rate by gamma every step_size epochs.

    Source: torch.optim.lr_scheduler.StepLR.
    Built in 03-backpropagation/05-optimizers.ipynb.
    """

    def __init__(self, optimizer, step_size, gamma=0.1):
        checks.sizes(self, step_size, "epochs", "step_size=1 is each epoch")
        self.step_size, self.gamma = step_size, gamma
        super().__init__(optimizer)

    def rate(self, count):
        return self.base_lr * self.gamma ** (count // self.step_size)


class CosineAnnealingLR(Schedule):
    """Half a wave of the cosine, from the learning rate down to eta_min in T_max epochs.

    Source: Loshchilov & Hutter (2017), eq. 5, without restarts; torch.optim.lr_scheduler.CosineAnnealingLR.
    Built in 03-backpropagation/05-optimizers.ipynb.
    """

    def __init__(self, optimizer, T_max, eta_min=0.0):
        checks.sizes(self, T_max, "epochs", "T_max is how many there will be")
        self.T_max, self.eta_min = T_max, eta_min
        super().__init__(optimizer)

    def rate(self, count):
        return self.eta_min + (self.base_lr - self.eta_min) * (1 + math.cos(math.pi * count / self.T_max)) / 2


class OneCycleLR(Schedule):
    """Up to max_lr and down again, to far below the start, in total_steps batches; the momentum the other way round.

    Give total_steps, or epochs and steps_per_epoch. Raises ValueError without them, and when stepped past the end.
    Source: Smith & Topin (2018); torch.optim.lr_scheduler.OneCycleLR.
    Built in 03-backpropagation/05-optimizers.ipynb.
    """

    def __init__(
        self, optimizer, max_lr, total_steps=None, epochs=None, steps_per_epoch=None, pct_start=0.3,
        anneal_strategy="cos", cycle_momentum=True, base_momentum=0.85, max_momentum=0.95, div_factor=25.0,
        final_div_factor=1e4,
    ):  # fmt: skip
        self.total_steps = checks.total_steps(total_steps, epochs, steps_per_epoch)
        checks.choice(self, "anneal_strategy", anneal_strategy, ("cos", "linear"))
        if not 0 <= pct_start <= 1:
            raise ValueError(
                f"OneCycleLR expected pct_start from 0 to 1, got {pct_start}: it is the share of the rise"
            )
        self.peak = pct_start * self.total_steps - 1
        self.linear, self.cycle_momentum = anneal_strategy == "linear", cycle_momentum
        self.rates = max_lr / div_factor, max_lr, max_lr / div_factor / final_div_factor
        self.momenta = max_momentum, base_momentum, max_momentum
        super().__init__(optimizer)

    def rate(self, count):
        checks.within(self, count, self.total_steps)
        if self.cycle_momentum:
            self.optimizer.momentum = self.between(self.momenta, count)
        return self.between(self.rates, count)

    def between(self, values, count):
        """The value at `count`, on the way from the first of three values to the second, or on to the third."""
        start, peak, end = values
        if count <= self.peak:
            low, high, share = start, peak, count / self.peak if self.peak else 1.0
        else:
            low, high, share = peak, end, (count - self.peak) / ((self.total_steps - 1 - self.peak) or 1.0)
        return low + (high - low) * (share if self.linear else (1 - math.cos(math.pi * share)) / 2)


class ReduceLROnPlateau(Schedule):
    """Multiply the learning rate by factor when a measure has not got better for more than `patience` epochs.

    step(metrics) takes the measure of the epoch. mode: "min" or "max"; better means by more than threshold, relative
    ("rel") or absolute ("abs"). After a reduction, `cooldown` epochs do not count.
    Raises ValueError for another mode or threshold_mode, and for a factor of 1 or more.
    Source: torch.optim.lr_scheduler.ReduceLROnPlateau.
    Built in 03-backpropagation/05-optimizers.ipynb.
    """

    def __init__(
        self, optimizer, mode="min", factor=0.1, patience=10, threshold=1e-4, threshold_mode="rel", cooldown=0,
        min_lr=0.0, eps=1e-8,
    ):  # fmt: skip
        checks.choice(self, "mode", mode, ("min", "max"))
        checks.choice(self, "threshold_mode", threshold_mode, ("rel", "abs"))
        checks.factor(self, factor)
        self.sign, self.relative = (1 if mode == "min" else -1), threshold_mode == "rel"
        self.factor, self.min_lr, self.eps = factor, min_lr, eps
        self.threshold, self.patience, self.cooldown = threshold, patience, cooldown
        self.best, self.num_bad_epochs, self.cooldown_counter = math.inf, 0, 0
        super().__init__(optimizer)

    def rate(self, count):
        return self.optimizer.lr

    def step(self, metrics):
        self.last_epoch += 1
        value = self.sign * float(metrics)  # smaller is better now
        bound = self.best * (1 - self.sign * self.threshold) if self.relative else self.best - self.threshold
        self.num_bad_epochs += 1
        if value < bound:
            self.best, self.num_bad_epochs = value, 0
        if self.cooldown_counter > 0:
            self.cooldown_counter, self.num_bad_epochs = self.cooldown_counter - 1, 0
        if self.num_bad_epochs > self.patience:
            lr = max(self.optimizer.lr * self.factor, self.min_lr)
            if self.optimizer.lr - lr > self.eps:
                self.optimizer.lr = lr
            self.cooldown_counter, self.num_bad_epochs = self.cooldown, 0
