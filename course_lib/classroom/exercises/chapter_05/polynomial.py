"""The polynomial schedule of Zhu and Gupta."""

import numpy as np

from course_lib.classroom import Case, Exercise, Misconception
from course_lib.schedules import Polynomial


def polynomial(step, begin, end, initial, final):
    return Polynomial(final=final, begin=begin, end=end, initial=initial)(step)


def moments(rng):
    begin = int(rng.integers(50, 500))
    end = begin + 8 * int(rng.integers(20, 200))
    initial, final = (round(float(s), 2) for s in (rng.uniform(0.1, 0.3), rng.uniform(0.7, 0.99)))
    while_it_climbs = [("a quarter of the way", 2), ("half of the way", 4), ("three quarters of the way", 6)]
    for says, eighths in while_it_climbs:
        yield Case(says, (begin + eighths * (end - begin) // 8, begin, end, initial, final), "while it climbs")
    yield Case("from step 0, from nothing", (300, 0, 1000, 0.0, final), "while it climbs")
    yield Case("the first step", (begin, begin, end, initial, final), "at its ends and beyond")
    yield Case("the last step", (end, begin, end, initial, final), "at its ends and beyond")
    yield Case("before it begins", (begin // 2, begin, end, initial, final), "at its ends and beyond")
    yield Case("long after its end", (3 * end, begin, end, initial, final), "at its ends and beyond")


def without_ends(step, begin, end, initial, final):
    return final + (initial - final) * (1 - (step - begin) / (end - begin)) ** 3


# Wrong answers that take more than a line


def share_of_the_way(step, begin, end):
    return min(max((step - begin) / (end - begin), 0), 1)


def begin_forgotten(step, begin, end, initial, final):
    return final + (initial - final) * (1 - min(step / (end - begin), 1)) ** 3


def nothing_before(step, begin, end, initial, final):
    return polynomial(step, begin, end, initial, final) if step >= begin else 0.0


# Right answers, written differently


def weighted_mean(step, begin, end, initial, final):
    left = (np.clip(end - step, 0, end - begin) / (end - begin)) ** 3
    return left * initial + (1 - left) * final


def case_by_case(step, begin, end, initial, final):
    if step <= begin:
        return initial
    if step >= end:
        return final
    to_go = (end - step) / (end - begin)
    return final - (final - initial) * to_go * to_go * to_go


EXERCISE = Exercise(
    id="05.polynomial",
    title="The polynomial schedule",
    points=3,
    minutes=8,
    difficulty=1,
    reference=polynomial,
    cases=moments,
    misconceptions=[
        Misconception(
            wrong=without_ends,
            says="Between begin and end your formula is right. Outside it goes on: before begin the sparsity falls "
            "below the initial one, and after the end the bracket is negative. Limit the share of the way to 0 … 1.",
        ),
        Misconception(
            wrong=nothing_before,
            says="Before begin your schedule says 0. The formula's sparsity there is the initial one.",
        ),
        Misconception(
            wrong=lambda t, b, e, s_i, s_f: s_i + (s_f - s_i) * share_of_the_way(t, b, e) ** 3,
            says="You raised the share of the way that is behind to the third power: slow first, then fast. The "
            "formula raises the share that is still to go, 1 − (t − t₀)/(nΔt): fast first, then slow.",
        ),
        Misconception(
            wrong=lambda t, b, e, s_i, s_f: s_i + (s_f - s_i) * share_of_the_way(t, b, e),
            says="This is the straight line, power 1. The power is 3.",
        ),
        Misconception(
            wrong=lambda t, b, e, s_i, s_f: polynomial(t, b, e, 0.0, s_f - s_i) + s_f,
            says="At begin you are at the final sparsity and climb on from there. The difference is initial − final, "
            "which is negative, and it is added to final.",
        ),
        Misconception(
            wrong=begin_forgotten,
            says="You count the steps from 0. The way begins at begin: the share that is behind is "
            "(step − begin) / (end − begin).",
        ),
    ],
    hints=[
        "First the share of the way that is behind, from 0 at begin to 1 at end. Then keep it within 0 and 1.",
        "share = min(max((step - begin) / (end - begin), 0), 1); then final + (initial - final) * (1 - share) ** 3.",
    ],
    also_right=[weighted_mean, case_by_case],
)
