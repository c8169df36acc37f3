"""What every layer is made of: Parameter, Module, and Sequential, which is a list of layers."""

import numpy as np

from shared import checks


class Parameter:
    """An array that is learned: ``data``, and ``grad``, the gradient of the loss with respect to it.

    ``data`` is float32 until ``Module.to`` says otherwise; ``grad`` is None until the first backward pass.
    Source: torch.nn.Parameter.
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


class _Tree:
    """Finding what is inside a module, by looking through its attributes."""

    def named_children(self):
        """Pairs (name, module) of the modules directly inside this one."""
        return [(name, value) for name, value in vars(self).items() if isinstance(value, Module)]

    def modules(self):
        """This module and all modules inside it."""
        return (module for _, module in self.named_modules())

    def named_modules(self, prefix="", seen=None):
        """Pairs (name, module), each once: this one, whose name is the prefix, and all inside it, as "layer1.0"."""
        seen = set() if seen is None else seen
        if self not in seen:
            seen.add(self)
            yield prefix, self
            for name, child in self.named_children():
                yield from child.named_modules(f"{prefix}.{name}".lstrip("."), seen)

    def named_parameters(self, prefix=""):
        """Pairs (name, Parameter), each once; the name is the path to it, such as "0.weight"."""
        seen = set()
        for path, module in self.named_modules(prefix):
            for name, value in [*vars(module).items()]:  # a copy: a forward on the way would add to it
                if isinstance(value, Parameter) and value not in seen:
                    seen.add(value)
                    yield f"{path}.{name}".lstrip("."), value

    def parameters(self):
        """The parameters of this module and of all inside it."""
        return (parameter for _, parameter in self.named_parameters())

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


class _State(_Tree):
    """Taking the arrays out of a module and putting them back."""

    buffers = ()

    def state_dict(self):
        """Name -> a copy of each array that makes this module what it is, named and ordered as in PyTorch."""
        return {name: np.array(getattr(owner, attribute)) for name, owner, attribute in self._arrays()}

    def load_state_dict(self, state):
        """Take over the numbers of `state`; nothing is changed unless every name and every shape fits.

        The arrays keep their dtype and their order in memory, which products are fast in.
        Raises ValueError that lists, key by key, what is missing, unexpected, or of another shape.
        """
        arrays = checks.state(self, self.state_dict(), state)
        for name, owner, attribute in self._arrays():
            setattr(owner, attribute, np.full_like(getattr(owner, attribute), arrays[name]))

    def to(self, dtype):
        """Turn parameters and floating-point buffers into `dtype`, np.float32 or np.float64. Returns self."""
        if dtype not in (np.float32, np.float64):
            who, advice = f"{type(self).__name__}.to", "there is no other device"
            raise TypeError(f"{who} expected np.float32 or np.float64, got {dtype!r}: {advice}")
        for _, owner, attribute in self._arrays():
            if (array := getattr(owner, attribute)).dtype.kind == "f":
                setattr(owner, attribute, array.astype(dtype))
        self.zero_grad()
        return self

    def _arrays(self, prefix=""):
        """(name, owner, attribute) of every array: a parameter owns its ``data``, a module its buffers."""
        for name, value in vars(self).items():
            if isinstance(value, Parameter):
                yield prefix + name, value, "data"
        for name in self.buffers:
            yield prefix + name, self, name
        for name, child in self.named_children():
            yield from child._arrays(f"{prefix}{name}.")


class Module(_State):
    """A piece of a network that turns an input into an output, and a gradient back into a gradient.

    A layer defines ``forward(x)``, which keeps on self what ``backward`` needs, and ``backward(grad_y)``, which adds
    to the gradients of its parameters and returns the gradient of its input. Parameters and modules are found in its
    attributes, and so are the arrays named in ``buffers``: state that is kept, but not learned.
    Source: torch.nn.Module. Different here: there is no autograd, ``backward`` is written out and can be read.
    Built in 02-neural-net-basics/04-forward-pass.ipynb.
    """

    training = input_grad = True
    __getattr__ = checks.missing

    def __call__(self, x):
        self.check(x)
        return self.forward(x)

    def forward(self, x):
        raise NotImplementedError(f"{type(self).__name__} defines no forward(x)")

    def backward(self, grad_y):
        raise NotImplementedError(f"{type(self).__name__} defines no backward(grad_y)")

    def check(self, x):
        """Raise TypeError or ValueError when this is no input for the module."""
        checks.floats(self, "x", x)

    def requires_input_grad_(self, mode=True):
        """With False, backward may return None: nobody needs the gradient of data, and it takes time. Returns self."""
        self.input_grad = mode
        return self

    def extra_repr(self):
        """What stands between the brackets when the module is printed."""
        return ""

    def __repr__(self):
        children = [f"  ({name}): {child!r}".replace("\n", "\n  ") for name, child in self.named_children()]
        inside = "\n" + "\n".join(children) + "\n" if children else self.extra_repr()
        return f"{type(self).__name__}({inside})"


class Sequential(Module):
    """Modules one behind the other: forward from the first to the last, backward from the last to the first.

    Shapes: each takes what the one before it gives. Raises TypeError for what is no module, ValueError for one twice.
    Source: torch.nn.Sequential, with its names "0", "1", … in ``state_dict``.
    Built in 02-neural-net-basics/04-forward-pass.ipynb.
    """

    def __init__(self, *modules):
        checks.stack(self, Module, modules)
        vars(self).update({str(index): module for index, module in enumerate(modules)})

    def forward(self, x):
        for module in self:
            x = module(x)
        self.y_shape = x.shape
        return x

    def backward(self, grad_y):
        checks.gradient(self, grad_y, self.y_shape)
        for _, module in reversed(self.named_children()):
            grad_y = None if grad_y is None else module.backward(grad_y)  # None: nobody needs it
        return grad_y

    def requires_input_grad_(self, mode=True):
        for module in self:  # up to the first that learns: behind it, gradients are needed
            module.requires_input_grad_(mode)
            if any(True for _ in module.parameters()):
                break
        return super().requires_input_grad_(mode)

    def __iter__(self):
        return (module for _, module in self.named_children())

    def __len__(self):
        return len(self.named_children())

    def __getitem__(self, index):
        found = self.named_children()[index]
        if not isinstance(found, list):
            return found[1]
        part = Sequential()
        vars(part).update(found)  # under their own names, as in PyTorch
        return part
