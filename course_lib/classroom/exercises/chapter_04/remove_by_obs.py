"""Optimal Brain Surgeon: remove one weight, update the others, name the price."""

import numpy as np

from course_lib.classroom import Case, Exercise, Misconception
from course_lib.classroom.exercises.chapter_04.obd import curved


def remove_by_obs(w, H, q):
    inverse = np.linalg.inv(H)
    new = w - w[q] / inverse[q, q] * inverse[:, q]
    new[q] = 0.0
    return new, w[q] ** 2 / (2 * inverse[q, q])


def removals(rng):
    twins = np.array([[1.0, 0.9], [0.9, 1.0]])
    yield Case("twins: one takes over from the other", (np.array([1.0, 1.0]), twins, 0))
    for d in (3, 6):
        yield Case("weights that interact", (rng.normal(size=d) + 2, curved(rng, d), int(rng.integers(d))))
    yield Case("a negative weight, the last one", (np.array([0.5, 1.0, -1.5]), curved(rng, 3), 2))
    yield Case("weights that do not interact", (rng.normal(size=4) + 2, np.diag([1.0, 2.0, 0.5, 4.0]), 1))


# Wrong answers that take more than a line


def zero_it(w, H, q):
    new = w.copy()
    new[q] = 0.0
    return new, H[q, q] * w[q] ** 2 / 2


def zero_it_at_the_right_price(w, H, q):
    return zero_it(w, H, q)[0], remove_by_obs(w, H, q)[1]


def forget_to_invert(w, H, q):
    return w - w[q] / H[q, q] * H[:, q], w[q] ** 2 / (2 * H[q, q])


def push_the_wrong_way(w, H, q):
    inverse = np.linalg.inv(H)
    return w + w[q] / inverse[q, q] * inverse[:, q], w[q] ** 2 / (2 * inverse[q, q])


def price_of_obd(w, H, q):
    return remove_by_obs(w, H, q)[0], H[q, q] * w[q] ** 2 / 2


def return_the_change(w, H, q):
    new, price = remove_by_obs(w, H, q)
    return new - w, price


def forget_the_half(w, H, q):
    new, price = remove_by_obs(w, H, q)
    return new, 2 * price


# Right answers, written differently


def solve_for_those_that_stay(w, H, q):
    stay = np.arange(len(w)) != q
    change = np.full(len(w), -w[q], dtype=float)
    change[stay] = np.linalg.solve(H[np.ix_(stay, stay)], H[stay, q] * w[q])
    return w + change, change @ H @ change / 2


def solve_for_one_column(w, H, q):
    column = np.linalg.solve(H, np.eye(len(w))[q])
    return [w - column * (w[q] / column[q]), 0.5 * w[q] ** 2 / column[q]]


EXERCISE = Exercise(
    id="04.remove_by_obs",
    title="Optimal Brain Surgeon",
    points=4,
    minutes=15,
    difficulty=3,
    reference=remove_by_obs,
    cases=removals,
    misconceptions=[
        Misconception(
            wrong=zero_it,
            says="You zeroed the weight and left the others alone: that is Optimal Brain Damage. The surgeon moves "
            "all weights by a multiple of column q of the inverse.",
        ),
        Misconception(
            wrong=zero_it_at_the_right_price,
            says="The price is right, but it is the price *with* the update of the other weights, and you left them "
            "where they were.",
        ),
        Misconception(
            wrong=forget_to_invert,
            says="You used H where its inverse is needed. The formula asks for column q of the inverse, and for the "
            "diagonal entry of the inverse.",
        ),
        Misconception(
            wrong=push_the_wrong_way,
            says="The sign is wrong: weight q has doubled. It has to become zero, so subtract.",
        ),
        Misconception(
            wrong=price_of_obd,
            says="The weights are right, the price is that of OBD, without the update. With it the rise is smaller: "
            "divide w² by twice the diagonal entry of the inverse.",
        ),
        Misconception(
            wrong=return_the_change,
            says="You returned the change of the weights. What is asked for are the new weights, w plus the change.",
        ),
        Misconception(
            wrong=forget_the_half,
            says="The weights are right; the price lacks the ½ of the second-order term.",
        ),
    ],
    hints=[
        "Start with inverse = np.linalg.inv(H). Which column of it tells in which direction all weights move?",
        "new = w - w[q] / inverse[q, q] * inverse[:, q], and the price is w[q]**2 / (2 * inverse[q, q]).",
    ],
    also_right=[solve_for_those_that_stay, solve_for_one_column],
)
