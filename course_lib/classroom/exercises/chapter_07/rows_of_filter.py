"""The rows of a Dense kernel that read one filter, behind Flatten."""

import numpy as np

from course_lib.classroom import Case, Exercise, Misconception


def rows_of_filter(j, height, width, filters):
    return (np.arange(height * width) * filters + j).tolist()  # a list: an array will do, too


def feature_maps(rng):
    for says, height, width, filters in [
        ("a square map of channels", 7, 7, 32),
        ("a map that is wider than high", 2, 5, 4),
        ("more places than filters", 6, 6, 3),
    ]:
        yield Case(says, (int(rng.integers(1, filters - 1)), height, width, filters))
    yield Case("the first filter", (0, 3, 2, 5))
    yield Case("the last filter", (4, 3, 2, 5))
    yield Case("one place only", (int(rng.integers(1, 6)), 1, 1, 8))


# Right answers, written differently


def read_from_numbered_rows(j, height, width, filters):
    return np.arange(height * width * filters).reshape(height, width, filters)[..., j].ravel()


def loop_over_places(j, height, width, filters):
    return [(y * width + x) * filters + j for y in range(height) for x in range(width)]


EXERCISE = Exercise(
    id="07.rows_of_filter",
    title="Which rows read filter j?",
    points=2,
    minutes=8,
    difficulty=2,
    reference=rows_of_filter,
    cases=feature_maps,
    misconceptions=[
        Misconception(
            wrong=lambda j, height, width, filters: j * height * width + np.arange(height * width),
            says="You took one block of rows. That is the order of channels first. In Keras the channel is the last "
            "axis: all channels of one place stand side by side, and filter j comes again after as many rows as "
            "there are filters.",
        ),
        Misconception(
            wrong=lambda j, height, width, filters: np.array([j]),
            says="One row is one place. The filter is applied at height · width places, and the dense layer has a row "
            "for each of them.",
        ),
        Misconception(
            wrong=lambda j, height, width, filters: np.arange(j, height * width * filters, height * width),
            says="Your step is the number of places. From one place to the next there are as many rows as there are "
            "filters.",
        ),
        Misconception(
            wrong=lambda j, height, width, filters: np.arange(height * width) + j * filters,
            says="You exchanged place and filter: place p, filter j is row p · filters + j.",
        ),
        Misconception(
            wrong=lambda j, height, width, filters: np.setdiff1d(
                np.arange(height * width * filters), rows_of_filter(j, height, width, filters)
            ),
            says="These are the rows that stay. The question is which ones read filter j.",
        ),
    ],
    hints=[
        "Number the rows, np.arange(height * width * filters), and put them back into the shape before Flatten.",
        "In that array of shape (height, width, filters) the filter is the last axis: [..., j], then ravel.",
    ],
    also_right=[read_from_numbered_rows, loop_over_places],
)
