"""A proximal step on both penalties at once."""

import numpy as np

from course_lib.classroom import Case, Exercise, Misconception
from course_lib.classroom.exercises.chapter_02.soft_threshold import case_by_case
from course_lib.regularizers import soft_threshold


def elastic_net_step(w, step, l1, l2):
    return soft_threshold(w, step * l1) / (1 + 2 * step * l2)


def elastic_nets(rng):
    w = 3 * rng.normal(size=8)
    yield Case("both penalties", (w, 0.5, 1.0, 0.7))
    yield Case("both penalties, on a matrix", (rng.normal(size=(4, 4)), 0.1, 2.0, 3.0))
    yield Case("L2 alone makes no zero", (w, 0.3, 0.0, 1.0))
    yield Case("L1 alone is the soft threshold", (w, 0.3, 2.0, 0.0))
    yield Case("a very strong L2 does not change a sign", (w, 1.0, 0.1, 20.0))


EXERCISE = Exercise(
    id="02.elastic_net_step",
    title="One step of the elastic net",
    points=3,
    minutes=10,
    difficulty=3,
    reference=elastic_net_step,
    cases=elastic_nets,
    misconceptions=[
        Misconception(
            lambda w, step, l1, l2: soft_threshold(w / (1 + 2 * step * l2), step * l1),
            "You scale first and take the L1 part off afterwards. Set the derivative to zero once more: "
            "(v − w) + s·l1 + 2·s·l2·v = 0 gives (w − s·l1) / (1 + 2·s·l2), the threshold inside the fraction.",
        ),
        Misconception(
            lambda w, step, l1, l2: soft_threshold(w, step * l1) / (1 + step * l2),
            "A factor 2 is lost: the derivative of s·l2·v² is 2·s·l2·v.",
        ),
        Misconception(
            lambda w, step, l1, l2: soft_threshold(w, l1) / (1 + 2 * l2),
            "The length of the step is missing. In this formula both penalties are multiplied by s.",
        ),
        Misconception(
            lambda w, step, l1, l2: soft_threshold(w, step * l1) * (1 - 2 * step * l2),
            "That is a gradient step on L2, w − s·2·l2·w. It is not the minimum, and if 2·s·l2 is more than 1 it "
            "flies across zero. The minimum divides.",
        ),
        Misconception(
            lambda w, step, l1, l2: (w - step * l1 * np.sign(w)) / (1 + 2 * step * l2),
            "Small weights have jumped across zero. The L1 part is a soft threshold: it stops at zero.",
        ),
    ],
    hints=[
        "Suppose that the answer v is positive. Differentiate, set to zero, solve. When is v positive at all?",
        "It is the soft threshold of w with one number, divided by another: 1 + 2 · step · l2.",
    ],
    also_right=[
        lambda w, step, l1, l2: np.sign(w) * np.maximum(np.abs(w) - step * l1, 0) / (2 * step * l2 + 1),
        lambda w, step, l1, l2: case_by_case(w / (1 + 2 * step * l2), step * l1 / (1 + 2 * step * l2)),
    ],
)
