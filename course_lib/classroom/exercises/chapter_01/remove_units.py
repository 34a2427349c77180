"""Take units out of a dense layer, and out of the layer that reads them."""

import numpy as np

from course_lib.classroom import Case, Exercise, Misconception


def remove_units(w, b, w_next, keep):
    return w[:, keep], b[keep], w_next[keep]


def layers(rng):
    def layer(inputs, units, outputs, kept):
        keep = np.sort(rng.permutation(units)[:kept])
        return rng.normal(size=(inputs, units)), rng.normal(size=units), rng.normal(size=(units, outputs)), keep

    yield Case("three of five units stay", layer(7, 5, 4, 3))
    yield Case("as many inputs as units, so that rows and columns are easily mixed up", layer(6, 6, 6, 4))
    yield Case("a single unit stays", layer(8, 5, 3, 1))
    yield Case("all units stay", layer(6, 4, 4, 4))


# Wrong answers that take more than a line


def set_to_zero(w, b, w_next, keep):
    kept = np.isin(np.arange(b.size), keep)
    return w * kept, b * kept, w_next * kept[:, None]


def remove_the_kept(w, b, w_next, keep):
    return tuple(np.delete(array, keep, axis) for array, axis in [(w, 1), (b, 0), (w_next, 0)])


# Right answers, written differently


def delete_the_others(w, b, w_next, keep):
    gone = [unit for unit in range(b.size) if unit not in keep]
    return [np.delete(w, gone, axis=1), np.delete(b, gone), np.delete(w_next, gone, axis=0)]


EXERCISE = Exercise(
    id="01.remove_units",
    title="Take units out",
    points=3,
    minutes=10,
    difficulty=2,
    reference=remove_units,
    cases=layers,
    misconceptions=[
        Misconception(
            wrong=lambda w, b, w_next, keep: (w[:, keep], b, w_next[keep]),
            says="A unit that goes takes its bias along. Your b is still as long as before.",
        ),
        Misconception(
            wrong=lambda w, b, w_next, keep: (w[:, keep], b[keep], w_next),
            says="The next layer still has weights for units that are gone. Take out the rows that read them.",
        ),
        Misconception(
            wrong=lambda w, b, w_next, keep: (w[keep], b[keep], w_next[keep]),
            says="You cut rows of w. A row belongs to an input and a column to a unit: units are columns of w, and "
            "rows of w_next.",
        ),
        Misconception(
            wrong=lambda w, b, w_next, keep: (w[:, keep], b[keep], w_next[:, keep[keep < w_next.shape[1]]]),
            says="You cut columns of w_next. Those are the units of the next layer, which stay. It reads our units in "
            "its rows.",
        ),
        Misconception(
            wrong=set_to_zero,
            says="The units are zero, but still there: the arrays have their old shapes. That is unstructured pruning "
            "of whole columns; nothing is smaller yet.",
        ),
        Misconception(
            wrong=remove_the_kept,
            says="You removed the units that shall stay. keep holds those that are kept.",
        ),
    ],
    hints=[
        "A unit shows up in three places: its weights, its bias, and the weights with which the next layer reads it.",
        "w[:, keep] are the columns that stay. The bias has one entry for each unit; w_next has one row for each.",
    ],
    also_right=[
        delete_the_others,
        lambda w, b, w_next, keep: (np.take(w, keep, 1), np.take(b, keep), np.take(w_next, keep, 0)),
    ],
)
