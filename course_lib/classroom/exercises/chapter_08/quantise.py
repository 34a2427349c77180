"""Real numbers as int8: rounded, shifted, clipped."""

import numpy as np

from course_lib.classroom import Case, Exercise, Misconception
from course_lib.classroom.compare import close_and_same_type


def quantise(r, scale, zero_point):
    return np.clip(np.rint(r / scale) + zero_point, -128, 127).astype("int8")


def wrapped(q):
    """What int8 keeps of a number that does not fit: it starts again from the other end."""
    return q.astype("int64").astype("int8")


def quantise_cases(rng):
    """Real numbers off the integers by less than a half: how halves are rounded is not the question."""

    def reals(q, scale, zero_point):
        return (scale * (q - zero_point + rng.uniform(-0.4, 0.4, q.shape))).astype("float32")

    inside = rng.integers(-120, 120, (4, 5))
    outside = rng.choice([-1, 1], 12) * rng.integers(180, 250, 12)
    pruned = reals(inside, 0.02, 0) * (rng.random((4, 5)) < 0.5)
    pruned[0, 0] = 0
    yield Case("weights, zero point 0, inside the range", (reals(inside, 0.02, 0), 0.02, 0))
    yield Case("pruned weights: zeros stay zero", (pruned, 0.02, 0))
    yield Case("a zero point that is not 0", (reals(inside, 0.1, -37), 0.1, -37))
    yield Case("numbers outside the range on both sides", (reals(outside, 0.5, 0), 0.5, 0))
    yield Case("outside the range, with a zero point", (reals(outside, 0.5, 21), 0.5, 21))


EXERCISE = Exercise(
    id="08.quantise",
    title="From real numbers to bytes",
    points=2,
    minutes=6,
    difficulty=1,
    reference=quantise,
    cases=quantise_cases,
    compare=close_and_same_type,  # one byte an entry is the point of the exercise
    misconceptions=[
        Misconception(
            lambda r, scale, zero_point: np.clip(r / scale + zero_point, -128, 127).astype("int8"),
            "The decimals are cut off, not rounded: 2.9 became 2. A conversion to an integer type does that. The "
            "error is then up to a whole step, and always towards zero; round first, with np.rint.",
        ),
        Misconception(
            lambda r, scale, zero_point: wrapped(np.trunc(r / scale + zero_point)),
            "The conversion to int8 alone does two kinds of harm: it cuts the decimals off, and a number that does "
            "not fit starts again from the other end, 130 as −126. Round and clip before you convert.",
        ),
        Misconception(
            lambda r, scale, zero_point: wrapped(np.rint(r / scale) + zero_point),
            "Numbers outside the range have changed sign: 130 does not fit into int8 and becomes −126. "
            "Clip to −128 … 127 before you convert.",
        ),
        Misconception(
            lambda r, scale, zero_point: np.clip(np.rint(r / scale), -128, 127).astype("int8"),
            "The zero point is not used. Real 0 has to become the integer zero_point, so add it before you clip.",
        ),
        Misconception(
            lambda r, scale, zero_point: np.clip(np.rint(r / scale) + zero_point, 0, 255).astype("uint8"),
            "This is uint8, from 0 to 255: everything below the zero point is lost. The file stores int8, from −128 "
            "to 127.",
        ),
        Misconception(
            lambda r, scale, zero_point: wrapped(np.clip(np.rint(r / scale), -128, 127) + zero_point),
            "You clip and then add the zero point, which pushes numbers out of the range again. Add first, clip last.",
        ),
        Misconception(
            lambda r, scale, zero_point: np.clip(np.rint(r / scale) + zero_point, -128, 127),
            "The numbers are right, but they are still floating point and save nothing. Convert to int8 at the end.",
        ),
    ],
    hints=[
        "Four steps in this order: divide, round, shift, clip. Then change the type.",
        'np.clip(np.rint(…) + …, -128, 127).astype("int8")',
    ],
    also_right=[
        lambda r, scale, zero_point: np.maximum(-128, np.minimum(127, np.floor(r / scale + 0.5) + zero_point)).astype(
            "i1"
        ),
        lambda r, scale, zero_point: np.vectorize(
            lambda x: sorted((-128, round(float(x) / scale) + zero_point, 127))[1], otypes=["int8"]
        )(r),
    ],
)
