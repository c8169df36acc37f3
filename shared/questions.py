"""Asking a network about an answer, and leaving no trace: its modes, gradients and methods are put back."""

from contextlib import contextmanager

__all__ = []  # no lesson builds these: others are made with them


@contextmanager
def evaluating(model):
    """The model in evaluation mode; then each of its modules in its own again."""
    modes = [(module, module.training) for module in model.modules()]
    try:
        yield model.eval()
    finally:
        for module, training in modes:
            module.training = training


def in_one_process(who, model):
    """Refuse a DataParallel, of which a listener would hear one part."""
    if any(hasattr(module, "processes") for module in model.modules()):
        advice = "pass model.module"
        raise ValueError(f"{who.__name__} expected a model in one process, got DataParallel: {advice}")


@contextmanager
def asked(model):
    """The model in evaluation mode, ready for gradients of its input; then modes and gradients as they were."""
    if not hasattr(model, "named_parameters"):
        raise TypeError(f"expected a module, got {type(model).__name__}: build the model first")
    modes = [(module, module.training, module.input_grad) for module in model.modules()]
    grads = [(parameter, parameter.grad) for parameter in model.parameters()]
    model.zero_grad()
    try:
        for module, _, _ in modes:
            module.training, module.input_grad = False, True
        yield
    finally:
        for module, training, input_grad in modes:
            module.training, module.input_grad = training, input_grad
        for parameter, grad in grads:
            parameter.grad = grad


@contextmanager
def overheard(who, model, layer):
    """A dictionary that fills with what comes out of a layer on the way forward, and what arrives on the way back."""
    in_one_process(who, model)
    modules = {"": model}
    for path in str(layer).split("."):
        modules = dict(modules.popitem()[1].named_children())
        if path not in modules:
            advice = f"try one of {', '.join(modules)}" if modules else "it has no parts: try its own name"
            raise ValueError(f"{who.__name__} expected the name of a layer, got {layer!r}: {advice}")
        modules = {path: modules[path]}
    module, notes = modules[path], {}
    forward, backward = module.forward, module.backward

    def heard_forward(x):
        notes["forward"] = forward(x)
        return notes["forward"]

    def heard_backward(grad_y):
        notes["backward"] = grad_y
        return backward(grad_y)

    module.forward, module.backward = heard_forward, heard_backward
    try:
        yield notes
    finally:
        del module.forward, module.backward
