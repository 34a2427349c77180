"""Spearman's rank correlation of two scores, for five neurons."""

from functools import partial

import numpy as np

from course_lib.classroom import Exercise, Misconception, close

ACTIVATION = np.array([3.1, 0.4, 2.0, 1.2, 0.7])
RISE = np.array([0.02, 0.15, 0.30, 0.01, 0.05])


def correlation(a, b):
    return float(np.corrcoef(a, b)[0, 1])


EXERCISE = Exercise(
    id="06.rank_agreement",
    title="Do the two orders agree?",
    points=2,
    minutes=8,
    difficulty=2,
    reference=-0.2,
    misconceptions=[
        Misconception(
            wrong=correlation(ACTIVATION, RISE),
            says="This is the correlation of the values. Replace each value by its rank first; only the order counts.",
        ),
        Misconception(
            wrong=correlation(np.argsort(ACTIVATION), np.argsort(RISE)),
            says="np.argsort gives the neuron at each place, not the place of each neuron. Sort the result once "
            "more, or write the ranks down by hand.",
        ),
        Misconception(
            wrong=0.2,
            says="One of the two is ranked from the top and the other from the bottom. Rank both in the same "
            "direction.",
        ),
        Misconception(
            wrong=1 - 24 / (5 * 24),
            says="The factor 6 in front of the sum of squared differences is missing.",
        ),
    ],
    hints=[
        "Write under each neuron its rank by activation and its rank by rise, 1 for the smallest.",
        "The differences of the ranks are 3, −3, −1, 2, −1. Square, add up, and put the sum into the formula.",
    ],
    compare=partial(close, rtol=5e-3),
)
