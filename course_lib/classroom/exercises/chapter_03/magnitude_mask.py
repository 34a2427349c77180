"""The mask of one array by magnitude, with ties."""

import numpy as np

from course_lib.classroom import Case, Exercise, Misconception
from course_lib.classroom.exercises.chapter_03.weights_kept import weights_kept
from course_lib.masks import from_scores


def magnitude_mask(w, sparsity):
    return from_scores({"w": np.abs(w)}, sparsity)["w"]


def arrays(rng):
    for shape in [(20,), (5, 5), (3, 3, 2, 4)]:
        w = rng.normal(size=shape).astype("float32")
        yield Case("weights of both signs, no ties", (w, round(float(rng.uniform(0.3, 0.8)), 2)))
    tied = rng.permutation(np.repeat([-1.0, 1.0, -2.0, 2.0, 0.0], 4)).reshape(4, 5)
    yield Case("many ties, the cut runs through one", (tied, 0.5))
    yield Case("all weights are equal", (np.full((3, 4), rng.normal()), 0.75))
    yield Case("all weights are zero", (np.zeros(8), 0.25))
    yield Case("sparsity 0 keeps everything", (rng.normal(size=(3, 3)), 0.0))
    yield Case("sparsity 1 keeps one weight", (rng.normal(size=(3, 3)), 1.0))


# Wrong answers that take more than a line


def keep_all_ties(w, sparsity):
    size = np.sort(np.abs(w), axis=None)[::-1]
    return np.abs(w) >= size[weights_kept(w.size, sparsity) - 1]


def prune_in_ascending_order(w, sparsity):
    mask = np.ones(w.size, bool)
    mask[np.argsort(np.abs(w), axis=None, kind="stable")[: w.size - weights_kept(w.size, sparsity)]] = False
    return mask.reshape(w.shape)


# Right answers, written differently


def true_at_the_largest(w, sparsity):
    mask = np.zeros(w.shape, bool)
    mask.ravel()[np.argsort(-np.abs(w).ravel(), kind="stable")[: weights_kept(w.size, sparsity)]] = True
    return mask


def sort_by_size_then_index(w, sparsity):
    order = sorted(range(w.size), key=lambda i: (-abs(w.flat[i]), i))
    kept = set(order[: weights_kept(w.size, sparsity)])
    return np.array([i in kept for i in range(w.size)]).reshape(w.shape)


EXERCISE = Exercise(
    id="03.magnitude_mask",
    title="A mask by magnitude",
    points=3,
    minutes=10,
    difficulty=2,
    reference=magnitude_mask,
    cases=arrays,
    misconceptions=[
        Misconception(
            wrong=lambda w, s: from_scores({"w": w}, s)["w"],
            says="You ranked by w instead of |w|: large negative weights are thrown away first.",
        ),
        Misconception(
            wrong=lambda w, s: from_scores({"w": -np.abs(w)}, s)["w"],
            says="You kept the smallest weights and pruned the largest. Sort the other way round.",
        ),
        Misconception(
            wrong=lambda w, s: ~magnitude_mask(w, s),
            says="Your mask is True where a weight is pruned. True means kept, so that w · mask is the pruned w.",
        ),
        Misconception(
            wrong=keep_all_ties,
            says="'At least as large as the last one kept' keeps every weight of that size, and so too many where "
            "there are ties. Of equals, only those with the lower flat index stay.",
        ),
        Misconception(
            wrong=prune_in_ascending_order,
            says="The number is right, but of equal weights you kept those with the higher flat index. Pruning "
            "from the front of an ascending sort takes the lower index first. Sort −|w| and keep from the front.",
        ),
        Misconception(
            wrong=lambda w, s: np.abs(w) > np.quantile(np.abs(w), s),
            says="A quantile is a value between weights, not a number of weights: it can be one off, it drops all "
            "ties at once, and at sparsity 0 it still prunes the smallest. Count instead.",
        ),
    ],
    hints=[
        "How many weights stay, you know from the exercise before. Which ones: sort the flat indices by −|w|.",
        'np.argsort(-np.abs(w), axis=None, kind="stable") gives the flat indices, largest first, equals in order. '
        "Set the first of them to True in an array of False.",
    ],
    also_right=[sort_by_size_then_index, true_at_the_largest],
)
