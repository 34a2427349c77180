"""Median and p90 of a latency, without the warm-up."""

import numpy as np

from course_lib.classroom import Case, Exercise, Misconception


def median_and_p90(times, warmup):
    median, p90 = np.percentile(times[warmup:], [50, 90])
    return float(median), float(p90)


def timing_cases(rng):
    def runs(n, warmup):
        times = rng.gamma(20, 0.01, n)
        times[rng.integers(warmup, n, 2)] *= 30  # the system was busy with something else
        times[:warmup] *= rng.uniform(2, 8)
        return times

    yield Case("slow first runs, and two interruptions", (runs(60, 10), 10))
    yield Case("no warm-up to drop", (runs(30, 0), 0))
    yield Case("an even number of runs", (runs(25, 5), 5))
    yield Case("a fast run among the warm-up", (np.append(0.01, runs(40, 6)), 7))


def drop_slowest(times, warmup):
    fastest = np.sort(times)[: len(times) - warmup]
    return np.median(fastest), np.percentile(fastest, 90)


EXERCISE = Exercise(
    id="08.median_and_p90",
    title="Median and p90 of a latency",
    points=2,
    minutes=6,
    difficulty=1,
    reference=median_and_p90,
    cases=timing_cases,
    misconceptions=[
        Misconception(
            lambda times, warmup: (np.mean(times[warmup:]), np.percentile(times[warmup:], 90)),
            "The first number is the mean. Two interruptions are enough to move it away from every ordinary run; the "
            "median stays.",
        ),
        Misconception(
            lambda times, warmup: (np.median(times), np.percentile(times, 90)),
            "The warm-up is still in. Leave out the first `warmup` runs: nobody will ever see them again.",
        ),
        Misconception(
            lambda times, warmup: (np.median(times[warmup:]), np.percentile(times[warmup:], 10)),
            "Your p90 is below the median: it is the 10th percentile, counted from the slow end. "
            "Nine runs in ten are at least as fast as p90.",
        ),
        Misconception(
            drop_slowest,
            "You sorted before you dropped, so the slowest runs are gone, wherever they stood. That makes any "
            "machine look calm. The warm-up is the *first* runs in time.",
        ),
        Misconception(
            lambda times, warmup: (np.median(times[warmup:]), np.max(times[warmup:])),
            "The second number is the worst run of all, which grows with every run you add. p90 does not.",
        ),
    ],
    hints=[
        "First slice the warm-up away, in the order of time. Sort nothing.",
        "np.percentile(times[warmup:], [50, 90])",
    ],
    also_right=[
        lambda times, warmup: tuple(np.quantile(np.sort(times[warmup:]), q) for q in (0.5, 0.9)),
        lambda times, warmup: [np.median(times[warmup:]), np.percentile(times[warmup:], 90)],
    ],
)
