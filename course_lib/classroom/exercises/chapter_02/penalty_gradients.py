"""The slopes of the L1 and the L2 penalty."""

import numpy as np

from course_lib.classroom import Case, Exercise, Misconception


def penalty_gradients(w, strength):
    return {"L1": strength * np.sign(w), "L2": 2 * strength * w}


def weights_and_strengths(rng):
    yield Case("weights of both signs", (rng.normal(size=6), 0.1))
    yield Case("a matrix of float32", (rng.normal(size=(4, 3)).astype("float32"), 0.5))
    yield Case("some weights are exactly zero", (np.append(rng.normal(size=3), [0.0, 0.0]), 2.0))
    yield Case("no penalty, no pull", (rng.normal(size=4), 0.0))


# A wrong answer that takes more than a line


def divide_by_the_weight(w, strength):
    with np.errstate(invalid="ignore"):
        return {"L1": strength * w / np.abs(w), "L2": 2 * strength * w}


EXERCISE = Exercise(
    id="02.penalty_gradients",
    title="Two pulls",
    points=2,
    minutes=5,
    difficulty=1,
    reference=penalty_gradients,
    cases=weights_and_strengths,
    misconceptions=[
        Misconception(
            lambda w, strength: {"L1": strength * np.sign(w), "L2": strength * w},
            "Your L2 is the slope of ½λw², the weight decay of many textbooks. The article and Keras write λw², "
            "without the ½, and its slope is 2λw.",
        ),
        Misconception(
            lambda w, strength: {"L1": strength * np.abs(w), "L2": strength * w**2},
            "These are the penalties themselves. The pull is their slope: differentiate with respect to w.",
        ),
        Misconception(
            lambda w, strength: {"L1": strength * np.ones_like(w), "L2": 2 * strength * w},
            "Your L1 slope has no sign: descending it would push negative weights away from zero. "
            "The slope of |w| is −1 on the left of zero.",
        ),
        Misconception(
            divide_by_the_weight,
            "w / |w| is the sign of w, except at zero, where it is 0 / 0. A weight that has arrived at zero would "
            "become NaN, and with it the network. NumPy's sign gives 0 there.",
        ),
        Misconception(
            lambda w, strength: {"L1": np.sign(w), "L2": 2 * w},
            "The strength λ is missing: it multiplies the penalty, so it multiplies its slope.",
        ),
    ],
    hints=[
        "Write down the slope of |w| for a positive and for a negative w, then the slope of w².",
        "np.sign gives −1, 0 and 1. Do not forget the 2 of w².",
    ],
    also_right=[
        lambda w, strength: {"L1": strength * ((w > 0) * 1.0 - (w < 0)), "L2": strength * (w + w)},
        lambda w, strength: {"L2": np.multiply(w, 2) * strength, "L1": np.copysign(strength, w) * (w != 0)},
    ],
)
