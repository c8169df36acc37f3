"""The exercises of 02-neural-net-basics/01-neurons-and-history.ipynb."""

from functools import partial

import numpy as np

from shared.exercises import Exercise

RATES = np.array([40.0, 20.0, 60.0])


def _current(f, needed=15.0, resistance=10.0, tau=10.0, pause=2.0, *, pauses=1, second=1000, sign=-1):
    """The current for `f` spikes a second, with the bugs that a learner may build in."""
    return needed / (resistance * (1 - np.exp(sign * (second / f - pauses * pause) / tau)))


def _charge(current, steps, dt, resistance=10.0, tau=10.0, leak=1.0, late=False, start=False):
    """The voltage after each step, with the bugs that a learner may build in."""
    v, path = 0.0, []
    for _ in range(steps):
        push = dt / tau * resistance * current
        path.append(v)
        v += push - dt / tau * leak * (v + push if late else v)
    return np.array(path if start else path[1:] + [v])


EXERCISES = {
    "02-01.1": Exercise(
        cases=[((), (0.5, 250, 0.5))],
        mistakes={
            "What has to be climbed is the way from rest to threshold, 20 mV, not the threshold itself.": (
                lambda: (-1.25, 250, -1.25)
            ),
            "tau decides how soon the voltage gets there, not where it ends: that is R times I.": lambda: (
                (0.5, 250, 1.0)
            ),
            "The pause is in milliseconds, and a second has 1000 of them.": lambda: (0.5, 0.25, 0.5),
            "The rate that it never reaches is set by the pause alone: 1000 ms over 4 ms.": lambda: (
                (0.5, 1000 / 24, 0.5)
            ),
        },
        hint="It fires when R · I is more than threshold minus rest. It never fires twice within the pause.",
    ),
    "02-01.2": Exercise(
        cases=[
            ((50.0,), _current(50.0)),
            ((200.0,), _current(200.0)),
            ((20.0, 20.0, 40.0, 20.0, 4.0), _current(20.0, 20.0, 40.0, 20.0, 4.0)),
        ],
        mistakes={
            "The pause is part of every interval: take it away before you solve for the current.": (
                partial(_current, pauses=0)
            ),
            "f is per second, the times are in ms: the interval is 1000 / f.": partial(_current, second=1),
            "A sign: the exponential has to fall with time, exp(-t / tau).": partial(_current, sign=1),
        },
        hint="The time t from rest to threshold is 1000 / f - pause. Then needed = R · I · (1 - exp(-t / tau)).",
    ),
    "02-01.3": Exercise(
        cases=[
            ((RATES, np.array([30.0, 20.0, 10.0])), 7.0),
            ((RATES, np.array([30.0, 20.0, -10.0])), 0.0),
            ((RATES, np.array([60.0, -10.0, 5.0]), 10.0, 20.0), 40.0),
        ],
        mistakes={
            "tau is in milliseconds and the rates are per second: divide by 1000.": (
                lambda rates, weights, needed=15.0, tau=10.0: max(0.0, tau * (weights @ rates) - needed)
            ),
            "The threshold is missing: the ReLU starts at `needed`.": (
                lambda rates, weights, needed=15.0, tau=10.0: max(0.0, tau / 1000 * (weights @ rates))
            ),
            "A rate can't be negative: below `needed` the answer is 0.": (
                lambda rates, weights, needed=15.0, tau=10.0: tau / 1000 * (weights @ rates) - needed
            ),
            "Add first, bend afterwards: an inhibitory input has to be able to take something away.": (
                lambda rates, weights, needed=15.0, tau=10.0: max(
                    0.0, tau / 1000 * np.maximum(0, weights * rates).sum() - needed
                )
            ),
        },
        hint="tau / 1000 times the dot product, minus needed, and nothing below 0.",
    ),
    "02-01.4": Exercise(
        cases=[((1.0, 5, 1.0), _charge(1.0, 5, 1.0)), ((2.0, 40, 0.5), _charge(2.0, 40, 0.5))],
        mistakes={
            "Still the bug: the leak acts on a voltage that already holds this step's push.": (
                partial(_charge, late=True)
            ),
            "The leak should pull down: current pushes with a plus, v pulls with a minus.": (
                partial(_charge, leak=-1.0)
            ),
            "The path starts one step too early: append v after the step.": (partial(_charge, start=True)),
        },
        hint="Compute the whole slope, push and leak, from the old v; change v once.",
    ),
}
