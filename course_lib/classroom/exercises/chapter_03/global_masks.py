"""The masks of a whole model, by one ranking of all its weights."""

import numpy as np

from course_lib.classroom import Case, Exercise, Misconception
from course_lib.classroom.exercises.chapter_03.magnitude_mask import magnitude_mask, sort_by_size_then_index
from course_lib.classroom.exercises.chapter_03.weights_kept import weights_kept
from course_lib.masks import from_scores


def global_masks(weights, sparsity):
    return dict(from_scores({path: np.abs(w) for path, w in weights.items()}, sparsity))


def dictionaries(rng):
    wide, narrow = rng.normal(size=(6, 4)), 0.3 * rng.normal(size=(4, 5))
    yield Case("layers of different scale", ({"dense_1": wide, "dense_2": narrow}, 0.5))
    yield Case("a layer so small that it loses everything", ({"tiny": 1e-3 * narrow, "large": wide + 5.0}, 0.6))
    yield Case("a convolution and a dense layer", ({"conv": rng.normal(size=(3, 3, 1, 4)), "dense": 0.5 * wide}, 0.8))
    ones = {"a": np.ones((2, 3)), "b": -np.ones((2, 2)), "c": np.full(5, 3.0)}
    yield Case("ties that run across layers", (ones, 0.6))
    yield Case("one layer is a model as well", ({"dense": rng.normal(size=(5, 4))}, 0.7))
    yield Case("sparsity 1 keeps one weight in the model", ({"dense_1": wide, "dense_2": narrow}, 1.0))


# Wrong answers that take more than a line


def keep_all_ties_of_the_model(weights, sparsity):
    size = np.sort(np.concatenate([np.abs(w).ravel() for w in weights.values()]))[::-1]
    threshold = size[weights_kept(size.size, sparsity) - 1]
    return {path: np.abs(w) >= threshold for path, w in weights.items()}


def keep_one_a_layer(weights, sparsity):
    masks = {path: mask.copy() for path, mask in global_masks(weights, sparsity).items()}
    for path, mask in masks.items():
        mask.flat[np.abs(weights[path]).argmax()] = True
    return masks


# Right answers, written differently


def rank_triples(weights, sparsity):
    triples = [(path, i, abs(x)) for path, w in weights.items() for i, x in enumerate(w.flat)]
    masks = {path: np.zeros(w.shape, bool) for path, w in weights.items()}
    for path, i, _size in sorted(triples, key=lambda triple: -triple[2])[: weights_kept(len(triples), sparsity)]:
        masks[path].flat[i] = True
    return masks


def concatenate_and_split(weights, sparsity):
    mask = sort_by_size_then_index(np.concatenate([w.ravel() for w in weights.values()]), sparsity)
    masks, start = {}, 0
    for path, w in weights.items():
        masks[path] = mask[start : start + w.size].reshape(w.shape)
        start += w.size
    return masks


EXERCISE = Exercise(
    id="03.global_masks",
    title="One ranking for the whole model",
    points=3,
    minutes=12,
    difficulty=2,
    reference=global_masks,
    cases=dictionaries,
    misconceptions=[
        Misconception(
            wrong=lambda weights, s: {path: magnitude_mask(w, s) for path, w in weights.items()},
            says="Every layer has the same sparsity: you ranked each by itself, which is the scope 'tensor'. "
            "Global means one ranking of all weights together.",
        ),
        Misconception(
            wrong=lambda weights, s: global_masks({p: w / np.abs(w).max() for p, w in weights.items()}, s),
            says="You divided each layer by its largest weight before ranking. That is a score of its own; "
            "magnitude compares the weights as they are.",
        ),
        Misconception(
            wrong=keep_one_a_layer,
            says="You protected one weight in every layer. Under the global scope the model keeps at least one; "
            "a layer may lose everything. That is a danger of this scope, and worth seeing.",
        ),
        Misconception(
            wrong=keep_all_ties_of_the_model,
            says="One threshold for the model is the right idea, but all weights that equal it stay, and that is "
            "too many where there are ties. The layer that comes first in the dictionary goes first.",
        ),
    ],
    hints=[
        "Lay all weights end to end in one long array. You have already written what comes then.",
        "np.concatenate of each w.ravel(), one magnitude_mask, then cut it up again: w.size entries a layer, "
        "reshaped to w.shape.",
    ],
    also_right=[concatenate_and_split, rank_triples],
)
