"""The soft threshold of whole rows: the length of a row shrinks, or the row vanishes."""

import numpy as np

from course_lib.classroom import Case, Exercise, Misconception
from course_lib.regularizers import group_soft_threshold, soft_threshold


def group_soft_threshold_of_rows(w, t):
    return group_soft_threshold(w, t, axis=1)


def rows_and_thresholds(rng):
    directions = rng.normal(size=(5, 4))
    lengths = np.array([[0.2], [0.9], [1.5], [3.0], [4.0]])
    w = lengths * directions / np.linalg.norm(directions, axis=1, keepdims=True)
    yield Case("two rows are shorter than t", (w, 1.0))
    yield Case("more rows than columns, of float32", (rng.normal(size=(9, 2)).astype("float32"), 1.2))
    yield Case("one row is already zero", (np.vstack([w, np.zeros(4)]), 0.5))
    yield Case("threshold zero changes nothing", (w, 0.0))
    yield Case("threshold above every length leaves only zeros", (w, 9.0))


# Wrong answers that take more than a line


def length(w):
    return np.linalg.norm(w, axis=1, keepdims=True)


def divide_by_no_length(w, t):
    with np.errstate(invalid="ignore"):
        return w / length(w) * np.maximum(length(w) - t, 0)


def threshold_without_end(w, t):
    return w * (1 - t / np.maximum(length(w), 1e-12))


def threshold_on_the_square(w, t):
    return w * np.maximum(1 - t / np.maximum(length(w) ** 2, 1e-12), 0)


# A right answer, written differently


def row_by_row(w, t):
    result = np.zeros_like(w)
    for i, row in enumerate(w):
        size = np.sqrt(np.sum(row**2))
        if size > t:
            result[i] = row - t * row / size
    return result


EXERCISE = Exercise(
    id="02.group_soft_threshold",
    title="Whole rows at once",
    points=3,
    minutes=10,
    difficulty=3,
    reference=group_soft_threshold_of_rows,
    cases=rows_and_thresholds,
    misconceptions=[
        Misconception(
            lambda w, t: group_soft_threshold(w, t, axis=0),
            "You took the columns as groups. In a Dense kernel (inputs, units) a row is axis 0, so its length is a "
            "sum over axis 1.",
        ),
        Misconception(
            soft_threshold,
            "Each entry was thresholded by itself, so zeros are scattered and rows stay. "
            "Compare the length of the row with t, not its entries.",
        ),
        Misconception(
            lambda w, t: w * (length(w) > t),
            "Short rows vanish, but the long ones kept their length: a hard threshold. The penalty pulls on them, "
            "too: their length shrinks by t.",
        ),
        Misconception(
            threshold_without_end,
            "Rows shorter than t have turned round and point the other way. Stop at zero.",
        ),
        Misconception(
            threshold_on_the_square,
            "That is the squared length. The group lasso has the length itself: take the square root.",
        ),
        Misconception(
            divide_by_no_length,
            "A row of zeros has become NaN: its length is zero, and you divide by it. "
            "A pruned input would poison the network. Keep such a row zero.",
        ),
    ],
    hints=[
        "Begin with the rows' lengths: np.linalg.norm has an axis, and keepdims=True keeps the shape (rows, 1).",
        "Multiply each row by max(1 − t / length, 0); put something harmless in the place of a length that is 0.",
    ],
    also_right=[
        row_by_row,
        lambda w, t: w - w * np.minimum(1, t / np.maximum(length(w), 1e-30)),
    ],
)
