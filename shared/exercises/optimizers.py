"""The exercises of 03-backpropagation/05-optimizers.ipynb."""

import math

import numpy as np

from shared.exercises import Exercise


def rolled(params, history, lr, beta, fade=1.0, scale=1.0):
    """Momentum with a velocity for each parameter; `fade` and `scale` are for what may go wrong."""
    velocities = [0.0] * len(params)
    for grads in history:
        velocities = [beta * v + fade * g for v, g in zip(velocities, grads, strict=True)]
        params = [w - lr * scale * v for w, v in zip(params, velocities, strict=True)]
    return params


def rolled_together(params, history, lr, beta):
    velocity = 0.0
    for grads in history:
        for k, grad in enumerate(grads):
            velocity = beta * velocity + grad
            params[k] = params[k] - lr * velocity
    return params


def wave(t, top, begin, end):
    return top * (1 + math.cos(math.pi * (t - begin) / (end - begin))) / 2


WEIGHTS = [np.array([1.0, 2.0]), np.array([-1.0, 0.5])]
HISTORY = [
    [np.array([1.0, 0.0]), np.array([0.5, -2.0])],
    [np.array([0.0, 2.0]), np.array([1.0, 1.0])],
    [np.array([-1.0, 1.0]), np.array([0.0, 4.0])],
]

EXERCISES = {
    "03-05.1": Exercise(
        cases=[((), (0.4, 0.4, 0.76, 1.0, 0.1))],
        mistakes={
            "Downhill: the gradient is negative, so the weight grows.": lambda: (
                -0.4,
                -0.4,
                -0.76,
                -1.0,
                -0.1,
            ),
            "Nesterov adds beta times the velocity to the gradient, already in the first step.": lambda: (
                0.4,
                0.4,
                0.4,
                1.0,
                0.1,
            ),
            "RMSprop has no correction: after one step its mean of squares holds a hundredth of the square.": lambda: (
                0.4,
                0.4,
                0.76,
                0.1,
                0.1,
            ),
            "Adam is corrected: its first step is the learning rate times the sign.": lambda: (
                0.4,
                0.4,
                0.76,
                1.0,
                0.1 * math.sqrt(10),
            ),
            "The first velocity is the whole gradient; it is not multiplied by 1 − beta here.": lambda: (
                0.4,
                0.04,
                0.436,
                1.0,
                0.1,
            ),
        },
        hint="The velocity begins as the gradient, -4; RMSprop's square as 0.01 times 16; Adam's are corrected.",
    ),
    "03-05.2": Exercise(
        cases=[
            ((np.array([1.0, 50.0]),), (2 / 50, 2 / 51, 49 / 51)),
            ((np.array([8.0, 0.5, 2.0]),), (2 / 8, 2 / 8.5, 7.5 / 8.5)),
        ],
        mistakes={
            "The steepest direction is the first that runs away: the limit is 2 / largest, not 2 / smallest.": (
                lambda c: (2 / c.min(), 2 / (c.min() + c.max()), (c.max() - c.min()) / (c.max() + c.min()))
            ),
            "1 / largest is safe but slow: the steep direction may overshoot as long as its factor is above −1.": (
                lambda c: (1 / c.max(), 2 / (c.min() + c.max()), (c.max() - c.min()) / (c.max() + c.min()))
            ),
            "At 1 / largest the steep direction is done at once, and the flat one waits. Let both factors be equal.": (
                lambda c: (2 / c.max(), 1 / c.max(), 1 - c.min() / c.max())
            ),
            "Not the first and the last: the smallest and the largest curvature, in whatever order they come.": (
                lambda c: (2 / c[-1], 2 / (c[0] + c[-1]), (c[-1] - c[0]) / (c[0] + c[-1]))
            ),
            "That is the factor of momentum at its best, with roots. Plain descent has the curvatures themselves.": (
                lambda c: (
                    2 / c.max(),
                    2 / (c.min() + c.max()),
                    (np.sqrt(c.max()) - np.sqrt(c.min())) / (np.sqrt(c.max()) + np.sqrt(c.min())),
                )
            ),
        },
        hint="With a the smallest and b the largest: |1 − lr·b| = 1 at the limit, 1 − lr·a = lr·b − 1 at the best.",
    ),
    "03-05.3": Exercise(
        cases=[
            ((WEIGHTS, HISTORY, 0.1, 0.5), [np.array([0.925, 1.6]), np.array([-1.2375, 0.3])]),
            ((WEIGHTS, HISTORY[:2], 1.0, 0.0), [np.array([0.0, 0.0]), np.array([-2.5, 1.5])]),
        ],
        mistakes={
            "One velocity for all: the second parameter goes on with what the first has rolled.": rolled_together,
            "The velocity has to survive from one step to the next; it is made anew each time here.": (
                lambda params, history, lr, beta: rolled(params, history, lr, 0.0)
            ),
            "velocity = beta * velocity + grad: here the gradient counts whole, without a factor 1 − beta.": (
                lambda params, history, lr, beta: rolled(params, history, lr, beta, fade=1 - beta)
            ),
            "The learning rate comes in once, not in the velocity and again in the step.": (
                lambda params, history, lr, beta: rolled(params, history, lr, beta, scale=lr)
            ),
        },
        hint="Keep a list with one velocity for each parameter, and update velocities[k] with grads[k].",
    ),
    "03-05.4": Exercise(
        cases=[
            ((0, 0.8, 4, 12), 0.2),
            ((3, 0.8, 4, 12), 0.8),
            ((4, 0.8, 4, 12), 0.8),
            ((6, 0.8, 4, 12), wave(6, 0.8, 4, 12)),
            ((8, 0.8, 4, 12), 0.4),
            ((12, 0.8, 4, 12), 0.0),
        ],
        mistakes={
            "At t = 0 the rate is 0, and the first step is wasted: count t + 1.": lambda t, top, warm, total: (
                top * t / warm if t < warm else wave(t, top, warm, total)
            ),
            "The wave has begun while the rate was climbing: it starts at t = warm.": lambda t, top, warm, total: (
                top * (t + 1) / warm if t < warm else wave(t, top, 0, total)
            ),
            "Half a wave is too slow by the length of the warm-up: it has total − warm steps.": (
                lambda t, top, warm, total: (
                    top * (t + 1) / warm if t < warm else wave(t - warm, top, 0, total)
                )
            ),
            "A whole wave comes up again at the end: the angle goes from 0 to pi, not to 2 pi.": (
                lambda t, top, warm, total: (
                    top * (t + 1) / warm if t < warm else wave(warm + 2 * (t - warm), top, warm, total)
                )
            ),
        },
        hint="Below warm: top * (t + 1) / warm. After it: the cosine of pi * (t - warm) / (total - warm).",
    ),
}
