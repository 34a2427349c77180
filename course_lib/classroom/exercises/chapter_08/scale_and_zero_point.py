"""Scale and zero point of int8 for an array, with real 0 kept exact."""

import numpy as np

from course_lib.classroom import Case, Exercise, Misconception


def scale_and_zero_point(r):
    low, high = min(r.min(), 0), max(r.max(), 0)
    if low == high:
        return 1.0, 0
    scale = (high - low) / 255
    return float(scale), int(np.rint(-128 - low / scale))


def but(wrong):
    """A wrong rule that nevertheless treats an array of zeros as the statement says."""
    return lambda r: wrong(r, min(r.min(), 0), max(r.max(), 0)) if r.any() else (1.0, 0)


def range_cases(rng):
    def between(low, high):
        return np.concatenate([rng.uniform(low, high, 10), [low, high]])[rng.permutation(12)]

    scale, zero_point = rng.uniform(0.01, 0.1), int(rng.integers(-90, 90))
    low = scale * (-128 - zero_point + rng.uniform(-0.3, 0.3))  # rounds to this zero point, with room to spare
    yield Case("numbers on both sides of zero, not evenly", (between(low, low + 255 * scale),))
    yield Case("after a ReLU: the smallest is 0", (between(0, rng.uniform(1, 9)),))
    yield Case("all positive, the smallest is not 0", (between(rng.uniform(1, 2), rng.uniform(4, 9)),))
    yield Case("all negative", (between(-rng.uniform(4, 9), -rng.uniform(1, 2)),))
    yield Case("a matrix", (between(low, low + 255 * scale).reshape(3, 4),))
    yield Case("everything has been pruned", (np.zeros(5),))


def interpolate_where_zero_lies(r):
    ends = [min(0.0, np.min(r)), max(0.0, np.max(r))]
    if ends == [0, 0]:
        return 1.0, 0
    return (ends[1] - ends[0]) / 255, int(np.interp(0.0, ends, [-128, 127]).round())


EXERCISE = Exercise(
    id="08.scale_and_zero_point",
    title="Scale and zero point, with zero kept exact",
    points=4,
    minutes=12,
    difficulty=3,
    reference=scale_and_zero_point,
    cases=range_cases,
    misconceptions=[
        Misconception(
            but(lambda r, low, high: ((np.ptp(r)) / 255, int(np.rint(-128 - r.min() / (np.ptp(r) / 255))))),
            "The range goes from the smallest to the largest entry, even where 0 is not between them. Then no "
            "integer from −128 to 127 stands for 0, and zeros (padding, ReLU, pruned weights) cannot be stored. "
            "Widen the range until it holds 0.",
        ),
        Misconception(
            but(lambda r, low, high: (np.abs(r).max() / 127, 0)),
            "This is the symmetric rule of weights, with zero point 0. For numbers that lie mostly on one side it "
            "wastes up to half of the integers. Use the range from low to high.",
        ),
        Misconception(
            but(lambda r, low, high: ((high - low) / 256, int(np.rint(-128 - low / ((high - low) / 256))))),
            "256 integers have 255 steps between them, as 11 fence posts have 10 gaps. With 256 the largest number "
            "falls outside and is clipped.",
        ),
        Misconception(
            but(lambda r, low, high: ((high - low) / 255, int(np.rint(-low / ((high - low) / 255))))),
            "That is the zero point for uint8, where low becomes 0. In int8 low becomes −128, so the zero point is "
            "smaller by 128.",
        ),
        Misconception(
            but(lambda r, low, high: ((high - low) / 255, int(np.rint(-128 + low / ((high - low) / 255))))),
            "The sign of low / scale is turned round. Put r = low into q = r / scale + Z and ask for q = −128: Z = "
            "−128 − low / scale.",
        ),
        Misconception(
            but(lambda r, low, high: ((high - low) / 255, float(-128 - low / ((high - low) / 255)))),
            "The zero point is not a whole number. Then no integer stands for exactly 0, and every pruned weight "
            "comes back as a small number. Round it.",
        ),
    ],
    hints=[
        "Which real number should become −128, and which 127? Make sure that 0 lies between the two.",
        "scale = (high − low) / 255; the zero point solves −128 = low / scale + Z, rounded. If everything is 0, "
        "return (1.0, 0).",
    ],
    also_right=[
        lambda r: (
            (1.0, 0)
            if not np.any(r)
            else (s := np.ptp(np.append(r, 0.0)) / 255, round(127 - np.append(r, 0.0).max() / s))
        ),
        interpolate_where_zero_lies,
    ],
)
