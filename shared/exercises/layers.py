"""The exercises of 03-backpropagation/04-layers.ipynb."""

import numpy as np

from shared.exercises import Exercise

GRAD_Y = np.array([[1.0, -2.0], [0.5, 3.0], [-1.5, 2.0]])
X = np.array([[2.0, 1.0], [-1.0, 4.0], [3.0, -2.0]])
SCALE = np.array([3.0, -0.5])
WEIGHT = np.array([[1.0, 2.0], [-3.0, 0.5]])

EXERCISES = {
    "03-04.1": Exercise(
        cases=[
            ((GRAD_Y, X, SCALE), np.array([[3, 1], [1.5, -1.5], [-4.5, -1], [-3, 6]])),
            ((GRAD_Y[:1], X[:1], SCALE), np.array([[3, 1], [2, -2]])),
        ],
        mistakes={
            "The scale is used by every picture, so its blames are added up, not averaged.": lambda grad_y, x, scale: (
                np.vstack([grad_y * scale, (grad_y * x).mean(axis=0)])
            ),
            "Each gradient needs the other factor: the slope of x * scale by x is scale.": lambda grad_y, x, scale: (
                np.vstack([grad_y * x, (grad_y * scale).sum(axis=0)])
            ),
            "The slope by the scale is x. Here it was left out, as for a bias.": lambda grad_y, x, scale: (
                np.vstack([grad_y * scale, grad_y.sum(axis=0)])
            ),
        },
        hint="grad_x is grad_y times what x was multiplied by; scale was used once in each row, and blames add up.",
    ),
    "03-04.2": Exercise(
        cases=[((), (64 * 784, 64 * 100, 64 * 100, 64 * 10))],
        mistakes={
            "That is what each puts out. Which array stands in the formula of grad_weight?": lambda: (
                64 * 100,
                64 * 100,
                64 * 10,
                64 * 10,
            ),
            "That is for one picture; the batch has 64.": lambda: (784, 100, 100, 10),
            "Those are the weights, which are there anyway. What did the batch bring?": lambda: (
                784 * 100,
                64 * 100,
                100 * 10,
                64 * 10,
            ),
            "The loss sends back p - y: it has to keep a probability for each class.": lambda: (
                64 * 784,
                64 * 100,
                64 * 100,
                64,
            ),
        },
        hint="A Linear keeps its input, ReLU its mask, the loss the probabilities; each for 64 pictures.",
    ),
    "03-04.3": Exercise(
        cases=[
            (
                (GRAD_Y, X),
                np.array([[-3.0, 6, 0], [-1, 6, 3]]),
            ),
            ((GRAD_Y, X[:, :1]), np.array([[-3.0, 0], [-1, 3]])),
        ],
        mistakes={
            "The weight is (out, in), and so is its gradient. The bias has the second bug.": lambda grad_y, x: (
                np.column_stack([grad_y.T @ x, grad_y.mean(axis=0)])
            ),
            "x.T @ grad_y is (in, out): it fits only where both are alike. And in that case it is wrong.": (
                lambda grad_y, x: np.column_stack([x.T @ grad_y, grad_y.sum(axis=0)])
            ),
            "Both bugs are still there: the transposed product, and the mean.": lambda grad_y, x: (
                np.column_stack([x.T @ grad_y, grad_y.mean(axis=0)])
            ),
        },
        hint="Look at shapes with in different from out, and ask how often the bias was used.",
    ),
    "03-04.4": Exercise(
        cases=[
            ((np.array([[1.0, 0]]), WEIGHT), np.array([[2.0, 2]])),
            ((np.array([[1.0, 2], [0, 1]]), WEIGHT), np.array([[-4.0, 5], [-3, 1.5]])),
        ],
        mistakes={
            "x was used twice; the way along the short cut is missing.": lambda grad_y, weight: (
                grad_y @ weight
            ),
            "Forward multiplies by weight.T, so the way back multiplies by weight.": lambda grad_y, weight: (
                grad_y @ weight.T + grad_y
            ),
            "The short cut multiplies x by 1, so its slope is 1 times grad_y, not 1.": lambda grad_y, weight: (
                grad_y @ weight + 1
            ),
        },
        hint="One blame comes back through the weights, one along the short cut: add them.",
    ),
}
