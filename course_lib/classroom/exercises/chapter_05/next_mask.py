"""A mask with more zeros, in which no pruned weight comes back."""

import numpy as np

from course_lib.classroom import Case, Exercise, Misconception
from course_lib.masks import from_scores


def next_mask(w, mask, sparsity):
    size = np.where(mask, np.abs(w), -np.inf)
    return from_scores({"w": size}, sparsity)["w"] & mask


def moments(rng):
    for shape in [(20,), (5, 6)]:
        w = rng.normal(size=shape)
        mask = rng.permutation(np.arange(w.size) >= w.size * 0.4).reshape(shape)
        yield Case("pruned weights that an optimizer step has moved far", (np.where(mask, w, 3 * w), mask, 0.7))
    w = rng.normal(size=(4, 5))
    mask = rng.permutation(np.arange(20) >= 10).reshape(4, 5)
    yield Case("pruned weights are zero", (w * mask, mask, 0.75))
    yield Case("nothing was pruned before", (w, np.ones((4, 5), bool), 0.6))
    yield Case("the same sparsity as before", (w, mask, 0.5))
    yield Case("a lower sparsity than before: nothing grows", (w, mask, 0.2))


# Wrong answers that take more than a line


def rank_all(w, mask, sparsity):
    return from_scores({"w": np.abs(w)}, sparsity)["w"]


def share_of_the_survivors(w, mask, sparsity):
    kept = mask.sum() - int(np.floor(sparsity * mask.sum() + 0.5))
    order = np.argsort(-np.where(mask, np.abs(w), -np.inf), axis=None, kind="stable")
    new = np.zeros(w.size, bool)
    new[order[:kept]] = True
    return new.reshape(w.shape)


def revived_fill_up(w, mask, sparsity):
    return from_scores({"w": np.where(mask, np.abs(w), -np.inf)}, sparsity)["w"]


# Right answers, written differently


def prune_the_smallest_survivors(w, mask, sparsity):
    new = mask.copy()
    more = int(np.floor(sparsity * w.size + 0.5)) - int((~mask).sum())
    alive = np.flatnonzero(mask)
    alive = alive[np.lexsort((-alive, np.abs(w).ravel()[alive]))]  # smallest first; of equals, the higher index
    new.flat[alive[: max(more, 0)]] = False
    return new


def sort_the_survivors(w, mask, sparsity):
    kept = w.size - int(sparsity * w.size + 0.5)
    alive = sorted((i for i in range(w.size) if mask.flat[i]), key=lambda i: -abs(w.flat[i]))
    chosen = set(alive[:kept])
    return np.array([i in chosen for i in range(w.size)]).reshape(w.shape)


EXERCISE = Exercise(
    id="05.next_mask",
    title="The next mask",
    points=3,
    minutes=12,
    difficulty=2,
    reference=next_mask,
    cases=moments,
    misconceptions=[
        Misconception(
            wrong=rank_all,
            says="You ranked all weights. A pruned weight that the optimizer has moved may then come back. Among the "
            "kept ones only, choose who goes next.",
        ),
        Misconception(
            wrong=lambda w, mask, s: rank_all(w, mask, s) & mask,
            says="You ranked all weights and then took the old mask away. Nothing comes back, but a revived weight has "
            "taken the place of a kept one, so too few stay. Rank without the pruned ones.",
        ),
        Misconception(
            wrong=share_of_the_survivors,
            says="You pruned this share of the weights that are left. The sparsity is a share of all weights, those "
            "that are pruned already included.",
        ),
        Misconception(
            wrong=revived_fill_up,
            says="When the target is below what is pruned already, your mask lets weights grow again. Pruned stays "
            "pruned: then the old mask stays as it is.",
        ),
        Misconception(
            wrong=lambda w, mask, s: ~next_mask(w, mask, s),
            says="Your mask is True where a weight is pruned. True means kept.",
        ),
    ],
    hints=[
        "How many weights shall stay, of all? Those are the largest among the ones that the old mask keeps.",
        "np.where(mask, np.abs(w), -np.inf) puts the pruned ones last. Keep the largest, then & mask.",
    ],
    also_right=[prune_the_smallest_survivors, sort_the_survivors],
)
