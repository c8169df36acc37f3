"""The exercises of 03-backpropagation/02-chain-rule.ipynb."""

from shared.exercises import Exercise

NAPKIN = [[], [], [(0, 2.0), (1, 3.0)], [(0, 1.0), (2, 1.0)], [(2, 9.0), (3, 6.0)]]
SQUARED = [[], [(0, 3.0), (0, 3.0)], [(1, -1.0), (0, 0.5)], [], [(2, 2.0), (1, 4.0), (3, 7.0)]]
DOUBLED = [[], [(0, 2.0)], [(1, 3.0), (1, 3.0)]]


def _blames(graph, add=True, back=True):
    """The blame of each number, with the bugs that a learner may leave in."""
    grads = [0.0] * len(graph)
    grads[-1] = 1.0
    for k in reversed(range(len(graph))) if back else range(len(graph)):
        for parent, slope in graph[k]:
            grads[parent] = slope * grads[k] + (grads[parent] if add else 0.0)
    return grads


def _rates(graph, start, others=0.0, gather=sum):
    """The rate of each number; `others` is the rate of the inputs that stand still."""
    rates = []
    for k, parents in enumerate(graph):
        arrived = [slope * rates[parent] for parent, slope in parents] or [others]
        rates.append(1.0 if k == start else gather(arrived))
    return rates


EXERCISES = {
    "03-02.1": Exercise(
        cases=[((), (5, -8))],
        mistakes={
            "c goes into c · c twice, and both blames add up: the slope of c · c is 2c.": lambda: (3, -4),
            "a has a second path: it is added to L directly, with the slope 1.": lambda: (4, -8),
            "The two paths of a add up; the direct one does not replace the other.": lambda: (1, -8),
            "The slope of a · b in a is b, and in b it is a: the other factor.": lambda: (-7, 4),
        },
        hint="Forward: c = −2. Then from the back: the blame of c first, then times b for a, and times a for b.",
    ),
    "03-02.2": Exercise(
        cases=[((3.0, 2.0), (0.5, -0.75)), ((-1.0, 4.0), (0.25, 0.0625)), ((0.0, -0.5), (-2.0, 0.0))],
        mistakes={
            "When v grows, u / v gets smaller (for positive u and v): a sign is missing.": lambda u, v: (
                1 / v,
                u / v**2,
            ),
            "First the slope in u, then the one in v.": lambda u, v: (-u / v**2, 1 / v),
            "The slope in v has v squared below: u / v is u · v**-1, and the power goes down by one.": (
                lambda u, v: (1 / v, -u / v)
            ),
            "In v the slope depends on u as well: u stands before v**-1 as a factor.": lambda u, v: (
                1 / v,
                -1 / v**2,
            ),
        },
        hint="Write u / v as u · v**-1. One factor stands still while the other moves.",
    ),
    "03-02.3": Exercise(
        cases=[((NAPKIN,), _blames(NAPKIN)), ((SQUARED,), _blames(SQUARED)), ((DOUBLED,), _blames(DOUBLED))],
        mistakes={
            "The order is right. Where two paths meet, their blames still replace each other: add them.": (
                lambda graph: _blames(graph, add=False)
            ),
            "It adds now, but still begins at the inputs, where no blame has arrived yet: go from the back.": (
                lambda graph: _blames(graph, back=False)
            ),
            "Both bugs are still there: it begins at the inputs, and = replaces where += would add.": (
                lambda graph: _blames(graph, add=False, back=False)
            ),
        },
        hint="The last number has the blame 1. Go through the list from its end, and add up what arrives.",
    ),
    "03-02.4": Exercise(
        cases=[
            ((NAPKIN, 0), _rates(NAPKIN, 0)),
            ((NAPKIN, 1), _rates(NAPKIN, 1)),
            ((NAPKIN, 2), _rates(NAPKIN, 2)),
            ((SQUARED, 0), _rates(SQUARED, 0)),
        ],
        mistakes={
            "Those are the blames: how the last number grows with each. Asked is how each grows with start.": (
                lambda graph, start: _blames(graph)
            ),
            "Only start moves. The other inputs stand still: their rate is 0, not 1.": lambda graph, start: (
                _rates(graph, start, others=1.0)
            ),
            "All parents count: add up slope times rate over all of them, not only the last.": (
                lambda graph, start: _rates(graph, start, gather=lambda arrived: arrived[-1])
            ),
        },
        hint="From the front: start has 1, an input without parents 0, any other the sum of slope times rate.",
    ),
}
