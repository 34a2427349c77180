"""Remove one filter by hand: from its own kernel, from the BatchNormalization, and from what reads it."""

import numpy as np

from course_lib.classroom import Case, Exercise, Misconception
from course_lib.classroom.exercises.chapter_07.rows_of_filter import rows_of_filter

CONVOLUTION, DENSE = "a convolution reads", "a dense layer reads, behind Flatten"


def remove_filter(weights, j):
    filters = len(weights["gamma"])
    smaller = {name: np.delete(w, j, axis=-1) for name, w in weights.items() if not name.startswith("next")}
    read = weights["next_kernel"]
    if read.ndim == 4:
        read = np.delete(read, j, axis=2)
    else:
        read = np.delete(read, rows_of_filter(j, 1, len(read) // filters, filters), axis=0)
    return smaller | {"next_kernel": read, "next_bias": weights["next_bias"]}


def blocks(rng):
    def block(inputs, filters, next_shape):
        weights = {"kernel": rng.normal(size=(3, 3, inputs, filters))}
        weights |= {name: rng.normal(size=filters) for name in ("bias", "gamma", "beta", "mean")}
        weights |= {"variance": rng.uniform(0.5, 2.0, filters), "next_kernel": rng.normal(size=next_shape)}
        return weights | {"next_bias": rng.normal(size=next_shape[-1])}

    for inputs, filters, following in [(1, 3, 4), (5, 6, 6)]:
        args = block(inputs, filters, (3, 3, filters, following)), int(rng.integers(1, filters))
        yield Case("a 3 × 3 convolution reads the filters", args, group=CONVOLUTION)
    yield Case("a 1 × 1 convolution reads them", (block(2, 4, (1, 1, 4, 5)), 0), group=CONVOLUTION)
    for places, filters in [(4, 3), (9, 5)]:
        args = block(2, filters, (places * filters, 4)), int(rng.integers(1, filters))
        yield Case(f"a dense layer reads them, at {places} places", args, group=DENSE)
    yield Case("a dense layer reads them, at one place", (block(3, 4, (4, 2)), 2), group=DENSE)


# Wrong answers that take more than a line


def with_entries(*names):
    """The right answer, but these arrays still have all of their entries."""

    def answer(weights, j):
        return remove_filter(weights, j) | {name: weights[name] for name in names}

    return answer


def one_block_of_rows(weights, j):
    read, filters = weights["next_kernel"], len(weights["gamma"])
    if read.ndim == 4:
        return remove_filter(weights, j)
    places = len(read) // filters
    return remove_filter(weights, j) | {"next_kernel": np.delete(read, slice(j * places, (j + 1) * places), axis=0)}


def one_row(weights, j):
    read = weights["next_kernel"]
    return remove_filter(weights, j) | {"next_kernel": np.delete(read, j, axis=read.ndim - 2)}


def a_filter_of_the_next(weights, j):
    read, j_there = weights["next_kernel"], min(j, weights["next_kernel"].shape[-1] - 1)
    return remove_filter(weights, j) | {"next_kernel": np.delete(read, j_there, axis=-1)}


def zeros_in_place(weights, j):
    silent = {name: w.copy() for name, w in weights.items()}
    for name in ("kernel", "bias", "gamma", "beta"):
        silent[name][..., j] = 0
    return silent


# Right answers, written differently


def keep_the_others(weights, j):
    filters = len(weights["gamma"])
    kept = [k for k in range(filters) if k != j]
    names = ("kernel", "bias", "gamma", "beta", "mean", "variance")
    smaller = {name: weights[name][..., kept] for name in names}
    read = weights["next_kernel"]
    places = read.reshape(*read.shape[:-2], -1, filters, read.shape[-1])
    smaller["next_kernel"] = places[..., kept, :].reshape(*read.shape[:-2], -1, read.shape[-1])
    return smaller | {"next_bias": weights["next_bias"]}


def with_a_mask(weights, j):
    stays = np.arange(len(weights["gamma"])) != j
    smaller = {name: np.compress(stays, w, axis=-1) for name, w in weights.items() if "next" not in name}
    read, axis = weights["next_kernel"], weights["next_kernel"].ndim - 2
    smaller["next_kernel"] = np.compress(np.tile(stays, read.shape[axis] // len(stays)), read, axis=axis)
    smaller["next_bias"] = weights["next_bias"].copy()
    return smaller


EXERCISE = Exercise(
    id="07.remove_filter",
    title="Remove a filter by hand",
    points=4,
    minutes=15,
    difficulty=3,
    reference=remove_filter,
    cases=blocks,
    misconceptions=[
        Misconception(
            wrong=with_entries("mean", "variance"),
            says="The moving mean and variance still have an entry for the filter that is gone. They are not trained, "
            "but they belong to its channel like γ and β.",
        ),
        Misconception(
            wrong=with_entries("gamma", "beta", "mean", "variance"),
            says="You forgot the BatchNormalization. It holds four numbers for each channel, and all four of filter j "
            "go.",
        ),
        Misconception(
            wrong=with_entries("bias"),
            says="The bias of the convolution still has an entry for the filter that is gone.",
        ),
        Misconception(
            wrong=with_entries("next_kernel"),
            says="The next layer still waits for the channel that is gone. Take it from the axis of its inputs, too.",
        ),
        Misconception(
            wrong=one_block_of_rows,
            says="The convolution is right. In the dense kernel you took one block of rows; behind Flatten the rows of "
            "filter j lie apart, one in each place: see the exercise before.",
        ),
        Misconception(
            wrong=one_row,
            says="The convolution is right. From the dense kernel you took a single row, but the filter has one for "
            "each place.",
        ),
        Misconception(
            wrong=a_filter_of_the_next,
            says="You removed an output of the next layer. It reads the filter that is gone, so it loses inputs: "
            "the axis before the last.",
        ),
        Misconception(
            wrong=zeros_in_place,
            says="You set the filter to zero, and the arrays are as large as before. Remove the entries: the arrays "
            "become smaller.",
        ),
    ],
    hints=[
        "Six arrays hold filter j in their last axis. What reads it holds it in the axis of inputs, the last but one.",
        "np.delete(w, j, axis=-1) for the six. next_kernel: np.delete(…, j, axis=2) if it has four axes, else delete "
        "the rows place · filters + j along axis 0.",
    ],
    also_right=[keep_the_others, with_a_mask],
)
