"""The geometric-median score of the filters of one kernel."""

import numpy as np

from course_lib.classroom import Case, Exercise, Misconception


def median_scores(kernel):
    filters = kernel.reshape(-1, kernel.shape[-1]).T  # (filters, weights of one)
    return np.linalg.norm(filters[:, None] - filters[None], axis=2).sum(axis=1)


def kernels(rng):
    yield Case("3 × 3 filters on one channel", (rng.normal(size=(3, 3, 1, 6)),))
    yield Case("3 × 3 filters on several channels", (rng.normal(size=(3, 3, 4, 5)).astype("float32"),))
    yield Case("1 × 1 filters", (rng.normal(size=(1, 1, 8, 4)),))
    twins = rng.normal(size=(3, 3, 2, 5))
    twins[..., 3] = twins[..., 1]
    yield Case("two filters are the same", (twins,))
    yield Case("all filters are large and nearly the same", (5.0 + 0.1 * rng.normal(size=(3, 3, 1, 4)),))


def flat(kernel):
    return kernel.reshape(-1, kernel.shape[-1]).T


# Right answers, written differently


def pair_by_pair(kernel):
    n = kernel.shape[-1]
    score = np.zeros(n)
    for j in range(n):
        for k in range(n):
            score[j] += np.sqrt(np.sum((kernel[..., j] - kernel[..., k]) ** 2))
    return score


def one_against_all(kernel):
    return np.array(
        [np.sqrt(((kernel - kernel[..., [j]]) ** 2).sum(axis=(0, 1, 2))).sum() for j in range(kernel.shape[-1])]
    )


EXERCISE = Exercise(
    id="07.median_scores",
    title="Who can be replaced?",
    points=3,
    minutes=12,
    difficulty=3,
    reference=median_scores,
    cases=kernels,
    misconceptions=[
        Misconception(
            wrong=lambda kernel: np.linalg.norm(flat(kernel), axis=1),
            says="This is the length of each filter. The score asks how far a filter is from the others, however long "
            "it is.",
        ),
        Misconception(
            wrong=lambda kernel: np.linalg.norm(flat(kernel) - flat(kernel).mean(axis=0), axis=1),
            says="You measured the distance to the mean filter. The score adds up the distances to every other filter.",
        ),
        Misconception(
            wrong=lambda kernel: np.linalg.norm(flat(kernel) - np.median(flat(kernel), axis=0), axis=1),
            says="You measured the distance to the median, entry by entry. The geometric median is the point with "
            "the smallest sum of distances; the score is that sum, taken at the filter itself.",
        ),
        Misconception(
            wrong=lambda kernel: ((flat(kernel)[:, None] - flat(kernel)[None]) ** 2).sum(axis=(1, 2)),
            says="You added squared distances: far filters count too much. Take the root of each distance before the "
            "sum.",
        ),
        Misconception(
            wrong=lambda kernel: median_scores(kernel) / (kernel.shape[-1] - 1),
            says="This is the mean distance. It ranks the filters in the same way, but the formula is a sum.",
        ),
        Misconception(
            wrong=lambda kernel: np.abs(flat(kernel)[:, None] - flat(kernel)[None]).sum(axis=(1, 2)),
            says="You added absolute differences of the entries. The distance of two filters is the root of the sum of "
            "the squares.",
        ),
        Misconception(
            wrong=lambda kernel: median_scores(np.moveaxis(kernel, 2, 3)),
            says="You compared the input channels. A filter is an entry of the last axis: (height, width, inputs, "
            "filters).",
        ),
        Misconception(
            wrong=lambda kernel: -median_scores(kernel),
            says="The sign is turned round. High means keep: a filter far from the others cannot be replaced.",
        ),
    ],
    hints=[
        "Make each filter a vector: kernel.reshape(-1, filters).T has a row for each filter. Then distances of rows.",
        "rows[:, None] - rows[None] has the shape (filters, filters, weights): np.linalg.norm over the last axis, "
        "then a sum.",
    ],
    also_right=[pair_by_pair, one_against_all],
)
