"""The exercises of chapter 03, Magnitude pruning."""

import math
from functools import partial

import numpy as np

from course_lib.classroom import Case, Exercise, Misconception, close
from course_lib.masks import from_scores


def magnitude_mask(w, sparsity):
    return from_scores({"w": np.abs(w)}, sparsity)["w"]


def global_masks(weights, sparsity):
    return dict(from_scores({path: np.abs(w) for path, w in weights.items()}, sparsity))


def masked_step(w, velocity, gradient, mask, learning_rate, momentum):
    velocity = momentum * velocity - learning_rate * gradient
    return np.where(mask, w + velocity, 0.0), velocity


# Cases


def numbers(rng):
    yield Case("LeNet-300-100 at 90%", (266_200, 0.9))
    yield Case("a number that divides evenly", (4 * int(rng.integers(5, 50)), 0.75))
    yield Case("exactly half a weight is left over", (4 * int(rng.integers(1, 20)) + 1, 0.5))
    yield Case("less than half a weight is left over", (10 * int(rng.integers(1, 20)) + 1, 0.3))
    yield Case("more than half a weight is left over", (10 * int(rng.integers(1, 20)) + 1, 0.7))
    yield Case("so sparse that rounding would leave nothing", (100, 0.9999))
    yield Case("sparsity 1", (int(rng.integers(2, 100)), 1.0))
    yield Case("sparsity 0", (int(rng.integers(2, 100)), 0.0))


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


def dictionaries(rng):
    wide, narrow = rng.normal(size=(6, 4)), 0.3 * rng.normal(size=(4, 5))
    yield Case("layers of different scale", ({"dense_1": wide, "dense_2": narrow}, 0.5))
    yield Case("a layer so small that it loses everything", ({"tiny": 1e-3 * narrow, "large": wide + 5.0}, 0.6))
    yield Case("a convolution and a dense layer", ({"conv": rng.normal(size=(3, 3, 1, 4)), "dense": 0.5 * wide}, 0.8))
    ones = {"a": np.ones((2, 3)), "b": -np.ones((2, 2)), "c": np.full(5, 3.0)}
    yield Case("ties that run across layers", (ones, 0.6))
    yield Case("one layer is a model as well", ({"dense": rng.normal(size=(5, 4))}, 0.7))
    yield Case("sparsity 1 keeps one weight in the model", ({"dense_1": wide, "dense_2": narrow}, 1.0))


def steps(rng):
    for says, share, pruned_weight, momentum in [
        ("pruned weights at zero, in full motion", 0.5, 0.0, 0.9),
        ("the first step: pruned weights are not zero yet", 0.5, 1.0, 0.9),
        ("no momentum", 0.5, 1.0, 0.0),
        ("nothing is pruned", 0.0, 1.0, 0.9),
    ]:
        w, velocity, gradient = rng.normal(size=(3, 4, 5))
        mask = rng.permutation(np.arange(20) >= 20 * share).reshape(4, 5)
        yield Case(says, (np.where(mask, w, pruned_weight * w), velocity, gradient, mask, 0.1, momentum))


# Wrong answers that take more than a line


def keep_all_ties(w, sparsity):
    size = np.sort(np.abs(w), axis=None)[::-1]
    return np.abs(w) >= size[weights_kept(w.size, sparsity) - 1]


def keep_all_ties_of_the_model(weights, sparsity):
    size = np.sort(np.concatenate([np.abs(w).ravel() for w in weights.values()]))[::-1]
    threshold = size[weights_kept(size.size, sparsity) - 1]
    return {path: np.abs(w) >= threshold for path, w in weights.items()}


def prune_in_ascending_order(w, sparsity):
    mask = np.ones(w.size, bool)
    mask[np.argsort(np.abs(w), axis=None, kind="stable")[: w.size - weights_kept(w.size, sparsity)]] = False
    return mask.reshape(w.shape)


def keep_one_a_layer(weights, sparsity):
    masks = {path: mask.copy() for path, mask in global_masks(weights, sparsity).items()}
    for path, mask in masks.items():
        mask.flat[np.abs(weights[path]).argmax()] = True
    return masks


def mask_the_gradient(w, velocity, gradient, mask, learning_rate, momentum):
    velocity = momentum * velocity - learning_rate * gradient * mask
    return w + velocity, velocity


def mask_the_velocity(w, velocity, gradient, mask, learning_rate, momentum):
    velocity = (momentum * velocity - learning_rate * gradient) * mask
    return w + velocity, velocity


def mask_before_the_step(w, velocity, gradient, mask, learning_rate, momentum):
    velocity = momentum * velocity - learning_rate * gradient
    return w * mask + velocity, velocity


def mask_weight_and_velocity(w, velocity, gradient, mask, learning_rate, momentum):
    velocity = (momentum * velocity - learning_rate * gradient) * mask
    return (w + velocity) * mask, velocity


def leave_the_step_as_it_was(w, velocity, gradient, mask, learning_rate, momentum):
    velocity = momentum * velocity - learning_rate * gradient
    return w + velocity, velocity


# Right answers, written differently


def weights_kept(n, sparsity):
    return max(1, n - math.floor(sparsity * n + 0.5))


def sort_by_size_then_index(w, sparsity):
    order = sorted(range(w.size), key=lambda i: (-abs(w.flat[i]), i))
    kept = set(order[: weights_kept(w.size, sparsity)])
    return np.array([i in kept for i in range(w.size)]).reshape(w.shape)


def concatenate_and_split(weights, sparsity):
    mask = sort_by_size_then_index(np.concatenate([w.ravel() for w in weights.values()]), sparsity)
    masks, start = {}, 0
    for path, w in weights.items():
        masks[path] = mask[start : start + w.size].reshape(w.shape)
        start += w.size
    return masks


EXERCISES = [
    Exercise(
        id="03.weights_kept",
        title="How many stay?",
        points=1,
        minutes=5,
        difficulty=1,
        reference=weights_kept,
        cases=numbers,
        misconceptions=[
            Misconception(
                wrong=lambda n, s: math.floor(s * n + 0.5),
                says="This is the number of weights that go. Sparsity is the fraction of zeros; count the others.",
            ),
            Misconception(
                wrong=lambda n, s: n - math.floor(s * n + 0.5),
                says="At a very high sparsity nothing is left, and a model without weights computes nothing. "
                "At least one stays.",
            ),
            Misconception(
                wrong=lambda n, s: max(1, n - round(s * n)),
                says="Python's round() takes a half to the even neighbour: round(2.5) is 2, round(3.5) is 4. "
                "The formula takes every half up.",
            ),
            Misconception(
                wrong=lambda n, s: max(1, int((1 - s) * n)),
                says="You cut off the decimals of (1 − s)·n. The number that is pruned is rounded to the nearest, "
                "then taken from n.",
            ),
            Misconception(
                wrong=lambda n, s: max(1, n - int(s * n)),
                says="You cut off the decimals of s·n, so up to one weight too few is pruned. Round to the nearest.",
            ),
        ],
        hints=[
            "First how many go: s·n, rounded to the nearest whole number, a half upwards.",
            "math.floor(x + 0.5) rounds a half upwards. Take that from n, and do not go below 1.",
        ],
        also_right=[lambda n, s: max(math.ceil(n - s * n - 0.5), 1)],
    ),
    Exercise(
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
        also_right=[sort_by_size_then_index],
    ),
    Exercise(
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
        also_right=[concatenate_and_split],
    ),
    Exercise(
        id="03.model_sparsity",
        title="From layers to the model",
        points=2,
        minutes=5,
        difficulty=1,
        reference=(0.95 * 235_200 + 0.8 * 30_000 + 0.2 * 1_000) / 266_200,
        misconceptions=[
            Misconception(
                wrong=(0.95 + 0.8 + 0.2) / 3,
                says="This is the plain mean of the three layers. It lets the 1,000 weights of the output layer count "
                "as much as the 235,200 of the first. Count zeros, then divide by all weights.",
            ),
            Misconception(
                wrong=1 - (0.95 * 235_200 + 0.8 * 30_000 + 0.2 * 1_000) / 266_200,
                says="This is the density, the fraction of weights that are kept. Sparsity is the rest.",
            ),
            Misconception(
                wrong=(0.95 * 300 + 0.8 * 100 + 0.2 * 10) / 410,
                says="You weighted the layers by their units. A unit of the first layer has 784 weights, one of the "
                "output layer 100. Weight by the number of weights.",
            ),
            Misconception(
                wrong=100 * (0.95 * 235_200 + 0.8 * 30_000 + 0.2 * 1_000) / 266_200,
                says="The right number, in percent. Write a fraction between 0 and 1.",
            ),
        ],
        hints=[
            "How many weights has each layer, and how many of them are zero?",
            "The sizes are 784·300, 300·100 and 100·10. Add up the zeros and divide by the sum of the sizes.",
        ],
        compare=partial(close, rtol=1e-3),
    ),
    Exercise(
        id="03.fraction_per_round",
        title="Five rounds to 90%",
        points=2,
        minutes=6,
        difficulty=2,
        reference=1 - 0.1 ** (1 / 5),
        misconceptions=[
            Misconception(
                wrong=0.9 / 5,
                says="0.18 in every round would be right if it were 18% of the weights at the start. A round takes its "
                "share of the weights that are left, and five times 18% of what is left leaves 37% of them.",
            ),
            Misconception(
                wrong=0.1 ** (1 / 5),
                says="This is the fraction that a round keeps. The question is what it prunes.",
            ),
            Misconception(
                wrong=0.9 ** (1 / 5),
                says="You took the fifth root of the sparsity. What multiplies from round to round is what is kept: "
                "start from the density.",
            ),
            Misconception(
                wrong=1 - 0.9 ** (1 / 5),
                says="With this share, 90% of the weights would be left after five rounds. 10% shall be.",
            ),
        ],
        hints=[
            "If a round prunes the fraction p of what is left, what fraction of all weights is left after two rounds?",
            "(1 − p)⁵ = 0.1. Solve for p.",
        ],
        compare=partial(close, rtol=5e-3),
    ),
    Exercise(
        id="03.masked_step",
        title="A step that keeps its zeros",
        points=4,
        minutes=12,
        difficulty=3,
        reference=masked_step,
        cases=steps,
        misconceptions=[
            Misconception(
                wrong=mask_the_gradient,
                says="You masked the gradient. The velocity still holds what it gathered before the pruning, and "
                "carries the pruned weight away from zero. Mask the weight itself, last.",
            ),
            Misconception(
                wrong=mask_before_the_step,
                says="You masked the weight and then made the step, which moves it off zero again. First the step, "
                "then the mask.",
            ),
            Misconception(
                wrong=mask_the_velocity,
                says="With the velocity masked a pruned weight no longer moves, but it stays where it was: in the "
                "first step after pruning that is not zero. Mask the weight itself.",
            ),
            Misconception(
                wrong=mask_weight_and_velocity,
                says="The weights are right, but the velocity is masked as well. The formula masks the weight only; "
                "the velocity goes on, as it does in Keras.",
            ),
            Misconception(
                wrong=leave_the_step_as_it_was,
                says="This is the step without a mask: the pruned weights come back to life.",
            ),
        ],
        hints=[
            "Write the two lines of SGD with momentum first, without a mask. Which of the results must be zero?",
            "The mask comes last, and on the weight: np.where(mask, w + velocity, 0). Return the velocity unmasked.",
        ],
        also_right=[
            lambda w, v, g, mask, rate, momentum: [mask * (w + (momentum * v - rate * g)), momentum * v - rate * g]
        ],
    ),
    Exercise(
        id="03.chosen_sparsity",
        title="Choose by the rule",
        points=2,
        minutes=5,
        difficulty=2,
        reference=0.9,
        misconceptions=[
            Misconception(
                wrong=0.7,
                says="You applied the rule to the test column. Whoever chooses on the test split has no honest number "
                "left to report. Choose on validation.",
            ),
            Misconception(
                wrong=0.5,
                says="This sparsity has the best validation accuracy. The rule asks for something else: the highest "
                "sparsity that is still good enough.",
            ),
            Misconception(
                wrong=0.8,
                says="You measured the half point from the best net in the column. The rule measures it from the dense "
                "net.",
            ),
            Misconception(
                wrong=0.95,
                says="You held validation accuracies against the dense net's test accuracy. Both sides of a comparison "
                "come from the same split.",
            ),
        ],
        hints=[
            "Which column may you look at? And what is the lowest accuracy in it that the rule allows?",
            "Dense has 88.6 on validation, so everything from 88.1 on is allowed. Take the highest sparsity of these.",
        ],
    ),
]
