"""Penalties on large weights: ``loss += nn.l2_penalty(model.parameters(), 1e-4)``, after model.backward."""

import numpy as np


def l1_penalty(parameters, strength):
    """strength * sum of |weight|: pulls each weight to 0 with the same force, so that many arrive there.

    Adds the gradient to every parameter, and returns the penalty, to be added to the loss.
    Source: Tibshirani (1996); Goodfellow, Bengio & Courville, Deep Learning, section 7.1.2.
    Built in 03-backpropagation/07-regularisation.ipynb.
    """
    total = 0.0
    for parameter in parameters:
        parameter.add_grad(float(strength) * np.sign(parameter.data))
        total += float(np.abs(parameter.data).sum())
    return strength * total


def l2_penalty(parameters, strength):
    """strength / 2 * sum of weight²: pulls each weight to 0 in proportion to its size.

    Adds the gradient, strength * weight, which is what weight_decay=strength adds in SGD; returns the penalty.
    Source: Goodfellow, Bengio & Courville, Deep Learning, section 7.1.1.
    Built in 03-backpropagation/07-regularisation.ipynb.
    """
    total = 0.0
    for parameter in parameters:
        parameter.add_grad(float(strength) * parameter.data)
        total += float(np.square(parameter.data).sum())
    return strength / 2 * total
