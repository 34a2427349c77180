"""The number of weights that stay at a sparsity."""

import math

from course_lib.classroom import Case, Exercise, Misconception


def weights_kept(n, sparsity):
    return max(1, n - math.floor(sparsity * n + 0.5))


def numbers(rng):
    yield Case("LeNet-300-100 at 90%", (266_200, 0.9))
    yield Case("a number that divides evenly", (4 * int(rng.integers(5, 50)), 0.75))
    yield Case("exactly half a weight is left over", (4 * int(rng.integers(1, 20)) + 1, 0.5))
    yield Case("less than half a weight is left over", (10 * int(rng.integers(1, 20)) + 1, 0.3))
    yield Case("more than half a weight is left over", (10 * int(rng.integers(1, 20)) + 1, 0.7))
    yield Case("so sparse that rounding would leave nothing", (100, 0.9999))
    yield Case("sparsity 1", (int(rng.integers(2, 100)), 1.0))
    yield Case("sparsity 0", (int(rng.integers(2, 100)), 0.0))


EXERCISE = Exercise(
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
    also_right=[
        lambda n, s: max(math.ceil(n - s * n - 0.5), 1),
        lambda n, s: n - pruned if (pruned := int(s * n + 0.5)) < n else 1,
    ],
)
