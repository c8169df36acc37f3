"""What every layer is made of: Parameter, Module, and Sequential, which is a list of layers."""

import numpy as np


class Parameter:
    """An array that is learned: ``data``, and ``grad``, the gradient of the loss with respect to it.

    ``data`` is float32 until ``Module.to`` says otherwise. ``grad`` is None until the first backward pass, as in PyTorch.
    Built in 02-neural-net-basics/04-forward-pass.ipynb.
    """

    def __init__(self, data):
        self.data = np.array(data, dtype=np.float32)
        self.grad = None

    @property
    def shape(self):
        return self.data.shape

    def add_grad(self, grad):
        """Add to the gradient. The first time, `grad` itself is kept, so it must be a fresh array."""
        if self.grad is None:
            self.grad = grad
        else:
            self.grad += grad

    def __repr__(self):
        return f"Parameter{self.shape}"


class Module:
    """A piece of a network that turns an input into an output, and a gradient back into a gradient.

    A layer defines ``forward(x)``, which keeps on self what ``backward`` needs, and ``backward(grad_y)``, which adds to the
    gradients of its parameters and returns the gradient of its input. What is assigned to an attribute is found again:
    parameters, modules, and the arrays named in ``buffers`` (state that is kept, but not learned).
    Source: torch.nn.Module. Different here: there is no autograd, ``backward`` is written out and can be read.
    Built in 02-neural-net-basics/04-forward-pass.ipynb.
    """

    training = True
    buffers = ()

    def __call__(self, x):
        return self.forward(x)

    def forward(self, x):
        raise NotImplementedError(f"{type(self).__name__} defines no forward(x)")

    def backward(self, grad_y):
        raise NotImplementedError(f"{type(self).__name__} defines no backward(grad_y)")

    def named_children(self):
        """Pairs (name, module) of the modules directly inside this one."""
        return [(name, value) for name, value in vars(self).items() if isinstance(value, Module)]

    def modules(self):
        """This module and all modules inside it."""
        yield self
        for _, child in self.named_children():
            yield from child.modules()

    def named_parameters(self, prefix=""):
        """Pairs (name, Parameter); the name is the path to it, such as "0.weight"."""
        for name, value in vars(self).items():
            if isinstance(value, Parameter):
                yield prefix + name, value
        for name, child in self.named_children():
            yield from child.named_parameters(f"{prefix}{name}.")

    def parameters(self):
        """The parameters of this module and of all inside it."""
        for _, parameter in self.named_parameters():
            yield parameter

    def zero_grad(self):
        """Forget the gradients: each becomes None."""
        for parameter in self.parameters():
            parameter.grad = None

    def train(self, mode=True):
        """Switch to training, where dropout drops and batch normalisation measures. Returns self."""
        for module in self.modules():
            module.training = mode
        return self

    def eval(self):
        """Switch to evaluation. Returns self."""
        return self.train(False)

    def to(self, dtype):
        """Turn parameters and floating-point buffers into `dtype` (float32 or float64). Returns self."""
        for module in self.modules():
            for name, value in vars(module).items():
                if isinstance(value, Parameter):
                    value.data, value.grad = value.data.astype(dtype), None
                elif name in module.buffers and value.dtype.kind == "f":
                    setattr(module, name, value.astype(dtype))
        return self

    def state_dict(self, prefix=""):
        """Name -> a copy of each array that makes this module what it is: parameters and buffers, named as in PyTorch."""
        state = {}
        for name, value in vars(self).items():
            if isinstance(value, Parameter):
                state[prefix + name] = value.data.copy()
        for name in self.buffers:
            state[prefix + name] = np.array(getattr(self, name))
        for name, child in self.named_children():
            state |= child.state_dict(f"{prefix}{name}.")
        return state

    def load_state_dict(self, state):
        """Take over the arrays of `state`. Nothing is changed unless every name and every shape fits.

        Raises ValueError that lists, key by key, what is missing, unexpected, or of another shape.
        """
        mine = self.state_dict()
        wrong = [f"{name} is missing" for name in mine if name not in state]
        wrong += [f"{name} is unexpected" for name in state if name not in mine]
        wrong += [
            f"{name} should be {mine[name].shape}, came as {np.shape(state[name])}"
            for name in mine
            if name in state and mine[name].shape != np.shape(state[name])
        ]
        if wrong:
            raise ValueError(
                f"load_state_dict: this {type(self).__name__} is built otherwise: {'; '.join(wrong)}"
            )
        self._take(state, "")

    def _take(self, state, prefix):
        for name, value in vars(self).items():
            if isinstance(value, Parameter):
                value.data = np.array(state[prefix + name], dtype=value.data.dtype)
            elif name in self.buffers:
                setattr(self, name, np.array(state[prefix + name], dtype=np.asarray(value).dtype))
        for name, child in self.named_children():
            child._take(state, f"{prefix}{name}.")

    def extra_repr(self):
        """What stands between the brackets when the module is printed."""
        return ""

    def __repr__(self):
        children = [f"  ({name}): {child!r}".replace("\n", "\n  ") for name, child in self.named_children()]
        inside = "\n" + "\n".join(children) + "\n" if children else self.extra_repr()
        return f"{type(self).__name__}({inside})"


class Sequential(Module):
    """Modules one behind the other: forward from the first to the last, backward from the last to the first.

    Shapes: each module must take what the one before it gives.
    Source: torch.nn.Sequential, with its names "0", "1", … in ``state_dict``.
    Built in 02-neural-net-basics/04-forward-pass.ipynb.
    """

    def __init__(self, *modules):
        for index, module in enumerate(modules):
            if not isinstance(module, Module):
                raise TypeError(
                    f"Sequential expected modules, got {module!r} at place {index}: did you forget the brackets?"
                )
            setattr(self, str(index), module)

    def forward(self, x):
        for _, module in self.named_children():
            x = module(x)
        return x

    def backward(self, grad_y):
        for _, module in reversed(self.named_children()):
            grad_y = module.backward(grad_y)
        return grad_y

    def __len__(self):
        return len(self.named_children())

    def __getitem__(self, index):
        modules = [module for _, module in self.named_children()]
        return Sequential(*modules[index]) if isinstance(index, slice) else modules[index]
