"""Optimizers, which move parameters against their gradients, and schedules, which change the learning rate on the way.

    optimizer = optim.Adam(model.parameters(), lr=1e-3)
    scheduler = optim.CosineAnnealingLR(optimizer, T_max=10)
    optimizer.zero_grad(); loss = criterion(model(x), y); model.backward(criterion.backward()); optimizer.step()
    scheduler.step()  # once an epoch; OneCycleLR once a batch

Arguments, defaults and numbers are those of torch.optim.
"""

import copy
import math

import numpy as np

from shared import checks


class Optimizer:
    """The part that optimizers share: the parameters, the learning rate, and the memory of each parameter.

    A subclass defines ``update(data, grad, memory)``, which changes ``data`` in place; ``memory`` is a dictionary of
    its own for each parameter. Parameters whose gradient is None are left alone.
    Raises ValueError when there are no parameters or a setting is negative, TypeError for what is not a Parameter.
    Source: torch.optim.Optimizer.
    Built in 03-backpropagation/04-layers.ipynb.
    """

    cycled = "momentum"  # what OneCycleLR moves beside the learning rate

    def __init__(self, params, lr, **settings):
        self.params, self.lr = checks.parameters(self, params), checks.not_negative(self, "lr", lr)
        self.memory = [{} for _ in self.params]
        for name, value in settings.items():
            setattr(self, name, checks.not_negative(self, name, value))

    def zero_grad(self):
        """Forget the gradients: each becomes None."""
        for parameter in self.params:
            parameter.grad = None

    def step(self):
        """Move every parameter that has a gradient."""
        for parameter, memory in zip(self.params, self.memory, strict=True):
            if parameter.grad is not None:
                self.update(parameter.data, parameter.grad, memory)

    def state_dict(self):
        """A copy of what changes on the way: the learning rate, momentum or betas, the memory of each parameter."""
        return copy.deepcopy({name: getattr(self, name) for name in ("lr", self.cycled, "memory")})

    def load_state_dict(self, state):
        """Go on where `state` was taken. Raises ValueError when it belongs to another optimizer or another model."""
        checks.memory(self, state)
        for name, value in copy.deepcopy(state).items():
            setattr(self, name, value)


class SGD(Optimizer):
    """Stochastic gradient descent, with momentum: a ball that rolls; with nesterov: one that looks ahead.

    velocity = momentum * velocity + grad; data -= lr * velocity. weight_decay adds weight_decay * data to the gradient
    (L2).
    Source: Robbins & Monro (1951); Polyak (1964); Sutskever et al. (2013), section 2; torch.optim.SGD.
    Built in 03-backpropagation/04-layers.ipynb.
    """

    def __init__(self, params, lr=1e-3, momentum=0.0, dampening=0.0, weight_decay=0.0, nesterov=False):
        super().__init__(params, lr, momentum=momentum, weight_decay=weight_decay)
        if nesterov and (momentum == 0 or dampening != 0):
            found = f"momentum {momentum} and dampening {dampening}"
            raise ValueError(
                f"SGD with nesterov expected momentum above 0 and dampening 0, got {found}: try 0.9 and 0"
            )
        self.dampening, self.nesterov = float(dampening), nesterov

    def update(self, data, grad, memory):
        if self.weight_decay:
            grad = grad + self.weight_decay * data
        if self.momentum:
            if "momentum_buffer" in memory:
                velocity = memory["momentum_buffer"]
                velocity *= self.momentum
                velocity += (1 - self.dampening) * grad
            else:
                velocity = memory["momentum_buffer"] = grad.copy()
            grad = grad + self.momentum * velocity if self.nesterov else velocity
        data -= self.lr * grad


class RMSprop(Optimizer):
    """Divide each gradient by the root of its recent mean square, so that every weight moves about as fast.

    Source: Tieleman & Hinton (2012), lecture 6.5; torch.optim.RMSprop.
    Built in 03-backpropagation/05-optimizers.ipynb.
    """

    def __init__(self, params, lr=1e-2, alpha=0.99, eps=1e-8, weight_decay=0.0, momentum=0.0, centered=False):
        super().__init__(params, lr, alpha=alpha, eps=eps, weight_decay=weight_decay, momentum=momentum)
        self.centered = centered

    def update(self, data, grad, memory):
        if self.weight_decay:
            grad = grad + self.weight_decay * data
        square = memory.setdefault("square_avg", np.zeros_like(data))
        square *= self.alpha
        square += (1 - self.alpha) * grad * grad
        spread = square
        if self.centered:
            mean = memory.setdefault("grad_avg", np.zeros_like(data))
            mean += (1 - self.alpha) * (grad - mean)
            spread = square - mean * mean
        step = grad / (np.sqrt(spread) + self.eps)
        if self.momentum:
            velocity = memory.setdefault("momentum_buffer", np.zeros_like(data))
            velocity *= self.momentum
            velocity += step
            step = velocity
        data -= self.lr * step


class Adam(Optimizer):
    """Momentum, divided by the root of the recent mean square, both corrected for having started at 0.

    betas: how much of the mean and of the mean square is kept each step. weight_decay is added to the gradient (L2);
    see AdamW for the other way.
    Source: Kingma & Ba (2015), algorithm 1; torch.optim.Adam.
    Built in 03-backpropagation/05-optimizers.ipynb.
    """

    cycled, decoupled = "betas", False

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
        super().__init__(params, lr, eps=eps, weight_decay=weight_decay)
        if np.shape(betas) != (2,) or not all(0 <= beta < 1 for beta in betas):
            name = type(self).__name__
            raise ValueError(
                f"{name} expected betas, two numbers from 0 to below 1, got {betas}: try (0.9, 0.999)"
            )
        self.betas = tuple(map(float, betas))

    def update(self, data, grad, memory):
        if not memory:
            memory |= {"step": 0, "exp_avg": np.zeros_like(data), "exp_avg_sq": np.zeros_like(data)}
        memory["step"] += 1
        if self.weight_decay and self.decoupled:
            data *= 1 - self.lr * self.weight_decay
        elif self.weight_decay:
            grad = grad + self.weight_decay * data
        (beta1, beta2), mean, square = self.betas, memory["exp_avg"], memory["exp_avg_sq"]
        room = grad - mean  # one array for all that follows: it stays in the processor's cache
        room *= 1 - beta1
        mean += room
        np.multiply(grad, grad, out=room)
        room *= 1 - beta2
        square *= beta2
        square += room
        np.sqrt(square, out=room)
        correction = math.sqrt(1 - beta2 ** memory["step"])
        room += self.eps * correction
        np.divide(mean, room, out=room)
        room *= self.lr * correction / (1 - beta1 ** memory["step"])
        data -= room


class AdamW(Adam):
    """Adam whose weight decay shrinks the weights themselves, not by way of the gradient.

    Source: Loshchilov & Hutter (2019), algorithm 2; torch.optim.AdamW.
    Built in 03-backpropagation/05-optimizers.ipynb.
    """

    decoupled = True

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2):
        super().__init__(params, lr, betas, eps, weight_decay)


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
        self,
        optimizer,
        max_lr,
        total_steps=None,
        epochs=None,
        steps_per_epoch=None,
        pct_start=0.3,
        anneal_strategy="cos",
        cycle_momentum=True,
        base_momentum=0.85,
        max_momentum=0.95,
        div_factor=25.0,
        final_div_factor=1e4,
    ):
        self.total_steps = checks.total_steps(total_steps, epochs, steps_per_epoch)
        checks.choice(self, "anneal_strategy", anneal_strategy, ("cos", "linear"))
        self.peak = pct_start * self.total_steps - 1
        self.linear, self.cycle_momentum = anneal_strategy == "linear", cycle_momentum
        self.rates = max_lr / div_factor, max_lr, max_lr / div_factor / final_div_factor
        self.momenta = max_momentum, base_momentum, max_momentum
        super().__init__(optimizer)

    def rate(self, count):
        checks.within(self, count, self.total_steps)
        if self.cycle_momentum:
            momentum, optimizer = self.between(self.momenta, count), self.optimizer
            betas = optimizer.cycled == "betas"
            setattr(optimizer, optimizer.cycled, (momentum, optimizer.betas[1]) if betas else momentum)
        return self.between(self.rates, count)

    def between(self, values, count):
        """The value at `count`, on the way from the first of three values to the second, or on to the third."""
        start, peak, end = values
        if count <= self.peak:
            low, high, share = start, peak, count / self.peak if self.peak else 1.0
        else:
            low, high, share = peak, end, (count - self.peak) / (self.total_steps - 1 - self.peak)
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
        self,
        optimizer,
        mode="min",
        factor=0.1,
        patience=10,
        threshold=1e-4,
        threshold_mode="rel",
        cooldown=0,
        min_lr=0.0,
        eps=1e-8,
    ):
        checks.choice(self, "mode", mode, ("min", "max"))
        checks.choice(self, "threshold_mode", threshold_mode, ("rel", "abs"))
        if not factor < 1:
            raise ValueError(
                f"ReduceLROnPlateau expected a factor below 1, got {factor}: it makes the rate smaller"
            )
        self.sign, self.factor, self.patience, self.eps = (1 if mode == "min" else -1), factor, patience, eps
        self.threshold, self.threshold_mode = threshold, threshold_mode
        self.cooldown, self.min_lr = cooldown, min_lr
        self.best, self.num_bad_epochs, self.cooldown_counter = math.inf, 0, 0
        super().__init__(optimizer)

    def rate(self, count):
        return self.optimizer.lr

    def step(self, metrics):
        self.last_epoch += 1
        value = self.sign * float(metrics)  # smaller is better now
        relative = self.threshold_mode == "rel"
        bound = self.best * (1 - self.sign * self.threshold) if relative else self.best - self.threshold
        self.num_bad_epochs = 0 if value < bound else self.num_bad_epochs + 1
        self.best = value if value < bound else self.best
        if self.cooldown_counter > 0:
            self.cooldown_counter, self.num_bad_epochs = self.cooldown_counter - 1, 0
        if self.num_bad_epochs > self.patience:
            lr = max(self.optimizer.lr * self.factor, self.min_lr)
            if self.optimizer.lr - lr > self.eps:
                self.optimizer.lr = lr
            self.cooldown_counter, self.num_bad_epochs = self.cooldown, 0
