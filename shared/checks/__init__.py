"""What is said when something is used wrongly: who expected what, what came, and what to try."""

# ruff: noqa: F401 (these names are here to be found)

from shared.checks.layers import (
    channels,
    covers,
    gradient,
    images,
    missing,
    pair_of_sizes,
    rows,
    sizes,
    stack,
    state,
    window,
)
from shared.checks.learning import (
    betas,
    classes,
    factor,
    kind,
    memory,
    not_negative,
    pair,
    parameters,
    total_steps,
    within,
)
from shared.checks.values import choice, floats, numbers, pixels

__all__ = []  # no lesson builds these
