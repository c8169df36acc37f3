"""Optimizers move each parameter against its gradient; they differ in how far."""

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

    keeps = None  # the names in the memory of a parameter; None: any
    momentum = 0.0  # how much of the last step is kept; OneCycleLR moves it beside the learning rate

    def __init__(self, params, lr, **settings):
        self.params, self.lr = checks.parameters(self, params), checks.not_negative(self, "lr", lr)
        self.memory, self.steps = [{} for _ in self.params], 0
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
        self.steps += 1
        if self.steps % 100 == 0:
            self._forget_traces()

    def _forget_traces(self):
        """Make 0 of what is remembered of a weight, once it is smaller than any ordinary number.

        That is so when it gets no gradients for long. Processors take forty times as long over such "subnormal"
        numbers, and rounding keeps them from reaching 0.
        """
        for memory in self.memory:
            for kept in memory.values():
                if isinstance(kept, np.ndarray) and kept.dtype.kind == "f":
                    kept[np.abs(kept) < np.finfo(kept.dtype).tiny] = 0

    def state_dict(self):
        """A copy of what changes on the way: the learning rate, the momentum, the memory of each parameter."""
        return copy.deepcopy({name: getattr(self, name) for name in ("lr", "momentum", "memory")})

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

    keeps = {"momentum_buffer"}

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

    keeps = {"square_avg", "grad_avg", "momentum_buffer"}

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

    betas: how much of the mean, which is the momentum, and of the mean square is kept each step. weight_decay is added
    to the gradient (L2); see AdamW for the other way.
    Source: Kingma & Ba (2015), algorithm 1; torch.optim.Adam.
    Built in 03-backpropagation/05-optimizers.ipynb.
    """

    keeps = {"step", "exp_avg", "exp_avg_sq"}
    decoupled = False  # whether weight decay shrinks the weights themselves

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
        super().__init__(params, lr, eps=eps, weight_decay=weight_decay)
        self.momentum, self.beta2 = checks.betas(self, betas)

    def update(self, data, grad, memory):
        if not memory:
            memory |= {"step": 0, "exp_avg": np.zeros_like(data), "exp_avg_sq": np.zeros_like(data)}
        memory["step"] += 1
        if self.weight_decay and self.decoupled:
            data *= 1 - self.lr * self.weight_decay
        elif self.weight_decay:
            grad = grad + self.weight_decay * data
        mean, square = memory["exp_avg"], memory["exp_avg_sq"]
        room = grad - mean  # one array for all that follows: it stays in the processor's cache
        room *= 1 - self.momentum
        mean += room
        np.multiply(grad, grad, out=room)
        room *= 1 - self.beta2
        square *= self.beta2
        square += room
        np.sqrt(square, out=room)
        correction = math.sqrt(1 - self.beta2 ** memory["step"])
        room += self.eps * correction
        np.divide(mean, room, out=room)
        room *= self.lr * correction / (1 - self.momentum ** memory["step"])
        data -= room


class AdamW(Adam):
    """Adam whose weight decay shrinks the weights themselves, not by way of the gradient.

    Source: Loshchilov & Hutter (2019), algorithm 2; torch.optim.AdamW.
    Built in 03-backpropagation/05-optimizers.ipynb.
    """

    decoupled = True

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2):
        super().__init__(params, lr, betas, eps, weight_decay)
