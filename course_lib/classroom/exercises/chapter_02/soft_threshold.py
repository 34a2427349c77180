"""The soft threshold of every entry: what L1 leaves of a weight."""

import numpy as np

from course_lib.classroom import Case, Exercise, Misconception
from course_lib.regularizers import soft_threshold


def weights_and_thresholds(rng):
    for shape in [(7,), (5, 5), (3, 3, 2, 4)]:
        w = rng.normal(size=shape).astype("float32")
        w.flat[:3] = 0.5, -0.5, 0.0
        yield Case("entries on both sides of the threshold, on it, and zero", (w, 0.5))
    yield Case("all weights are negative", (-1 - rng.random(4), 0.25))
    yield Case("threshold zero changes nothing", (rng.normal(size=4), 0.0))
    yield Case("threshold above every entry leaves only zeros", (rng.normal(size=4), 99.0))


# A right answer, written differently


def case_by_case(w, t):
    return np.where(w > t, w - t, np.where(w < -t, w + t, 0))


EXERCISE = Exercise(
    id="02.soft_threshold",
    title="The soft threshold",
    points=3,
    minutes=8,
    difficulty=2,
    reference=soft_threshold,
    cases=weights_and_thresholds,
    misconceptions=[
        Misconception(
            lambda w, t: np.where(np.abs(w) <= t, 0, w),
            "The small entries are zero, but the large ones kept their size: that is the hard threshold. "
            "L1 pulls on every weight, so those that survive move by t as well.",
        ),
        Misconception(
            lambda w, t: np.maximum(w - t, 0),
            "All negative weights have vanished. Shrink the magnitude, then give it its sign back.",
        ),
        Misconception(
            lambda w, t: w / (1 + 2 * t),
            "Every entry is scaled, and none has become zero: that is what L2 does.",
        ),
        Misconception(
            lambda w, t: w - t * np.sign(w),
            "Entries smaller than t have jumped across zero and changed their sign. Stop at zero.",
        ),
        Misconception(
            lambda w, t: np.where(np.abs(w) <= t, 0, w - t),
            "Negative weights have moved by t away from zero. Towards zero means: plus t for them.",
        ),
    ],
    hints=[
        "Write the answer for one positive weight first: what is left after a pull of t, and where does it stop?",
        "The magnitude becomes max(|w| − t, 0). Then give it back its sign.",
    ],
    also_right=[case_by_case, lambda w, t: np.maximum(w - t, 0) + np.minimum(w + t, 0)],
)
