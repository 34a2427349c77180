"""Five exercises for the tests of the engine: three functions and two values."""

import numpy as np

from course_lib.classroom import Case, Exercise, Misconception


def soft_threshold(w, t):
    return np.sign(w) * np.maximum(np.abs(w) - t, 0)


def threshold_cases(rng):
    for shape in [(7,), (5, 5), (3, 3, 2, 4)]:
        w = rng.normal(size=shape).astype("float32")
        w.flat[:2] = 0.5, -0.5
        yield Case("entries on both sides of the threshold", args=(w, 0.5))
    yield Case("threshold zero changes nothing", args=(rng.normal(size=4), 0.0))
    yield Case("threshold above every entry leaves only zeros", args=(rng.normal(size=4), 99.0))


def weight_cases(rng):
    yield Case("a row of weights", args=(rng.normal(size=6),))
    yield Case("a matrix of weights", args=(rng.normal(size=(3, 4)),))


def declare(name, **options):
    defaults = {"title": name, "points": 1, "minutes": 5, "difficulty": 1, "hints": ["Begin here.", "Nearly there."]}
    return Exercise(id=f"91.{name}", **defaults | options)


EXERCISES = [
    declare(
        "soft_threshold",
        title="The soft threshold",
        points=3,
        reference=soft_threshold,
        cases=threshold_cases,
        misconceptions=[
            Misconception(lambda w, t: np.where(np.abs(w) <= t, 0, w), "That is the hard threshold."),
            Misconception(lambda w, t: np.maximum(w - t, 0), "Negative weights have vanished."),
            Misconception(lambda w, t: w - t * np.sign(w), "Entries have jumped across zero."),
        ],
        also_right=[lambda w, t: w - np.clip(w, -t, t), lambda w, t: np.maximum(w - t, 0) + np.minimum(w + t, 0)],
    ),
    declare(
        "kept",
        points=2,
        reference=lambda w: np.abs(w) > 0.5,
        cases=weight_cases,
        misconceptions=[
            Misconception(lambda w: w > 0.5, "Rank by |w|, not by w."),
            Misconception(lambda w: (np.abs(w) > 0.5).astype(float), "A mask is boolean."),
        ],
        also_right=[lambda w: w**2 > 0.25, lambda w: (w > 0.5) | (w < -0.5)],
    ),
    declare(
        "penalty",
        points=2,
        reference=lambda w: np.abs(w).sum(),
        cases=weight_cases,
        misconceptions=[
            Misconception(lambda w: (w**2).sum(), "That is the L2 penalty."),
            Misconception(lambda w: abs(w.sum()), "Take the magnitude before the sum."),
        ],
        also_right=[lambda w: np.linalg.norm(w.ravel(), 1), lambda w: sum(abs(x) for x in w.flat)],
    ),
    declare("parameters", reference=266_610, misconceptions=[Misconception(266_200, "The biases are missing.")]),
    declare("letter", reference="B", misconceptions=[Misconception("A", "The pull of L1 is constant.")]),
]
