"""A step of SGD with momentum that keeps pruned weights at zero."""

import numpy as np

from course_lib.classroom import Case, Exercise, Misconception


def masked_step(w, velocity, gradient, mask, learning_rate, momentum):
    velocity = momentum * velocity - learning_rate * gradient
    return np.where(mask, w + velocity, 0.0), velocity


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


EXERCISE = Exercise(
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
        lambda w, v, g, mask, rate, momentum: [mask * (w + (momentum * v - rate * g)), momentum * v - rate * g],
        lambda w, v, g, mask, rate, momentum: (
            np.multiply(w - rate * g + v * momentum, mask.astype(w.dtype)),
            -(rate * g - momentum * v),
        ),
    ],
)
