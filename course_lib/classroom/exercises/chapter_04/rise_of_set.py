"""The rise of a quadratic loss when several weights become zero together."""

import numpy as np

from course_lib.classroom import Case, Exercise, Misconception
from course_lib.classroom.exercises.chapter_04.obd import curved, obd


def rise_of_set(w, H, removed):
    gone = np.where(removed, w, 0.0)
    return gone @ H @ gone / 2


def sets(rng):
    pair, both = np.array([[1.0, 0.9], [0.9, 1.0]]), np.array([True, True])
    yield Case("twins that do the same work", (np.array([1.0, 1.0]), pair, both))
    yield Case("twins that cancel each other", (np.array([1.0, -1.0]), pair, both))
    for d in (5, 8):
        removed = rng.permutation(np.arange(d) < 3)
        yield Case("three of several weights that interact", (rng.normal(size=d), curved(rng, d), removed))
    yield Case("nothing is removed", (rng.normal(size=4), curved(rng, 4), np.zeros(4, bool)))
    yield Case("everything is removed", (rng.normal(size=4), curved(rng, 4), np.ones(4, bool)))


# Wrong answers that take more than a line


def add_the_pairs_once(w, H, removed):
    gone = np.where(removed, w, 0.0)
    products = np.outer(gone, gone) * H
    return (np.trace(products) + np.triu(products, 1).sum()) / 2


def sizes_only(w, H, removed):
    gone = np.where(removed, np.abs(w), 0.0)
    return gone @ H @ gone / 2


def those_that_stay(w, H, removed):
    return rise_of_set(w, H, ~removed)


# Right answers, written differently


def two_loops(w, H, removed):
    places = np.flatnonzero(removed)
    return sum(w[q] * H[q, r] * w[r] for q in places for r in places) / 2


def prices_and_pairs(w, H, removed):
    rise = float(obd(w, H)[removed].sum())
    places = np.flatnonzero(removed)
    for at, q in enumerate(places):
        for r in places[at + 1 :]:
            rise += H[q, r] * w[q] * w[r]
    return rise


EXERCISE = Exercise(
    id="04.rise_of_set",
    title="Several at once",
    points=3,
    minutes=10,
    difficulty=2,
    reference=rise_of_set,
    cases=sets,
    misconceptions=[
        Misconception(
            wrong=lambda w, H, removed: float(obd(w, H)[removed].sum()),
            says="You added up the single prices. The entries of H beside the diagonal are missing: weights that do "
            "the same work cost more together, weights that cancel each other cost less.",
        ),
        Misconception(
            wrong=add_the_pairs_once,
            says="Each pair stands in H twice, as (q, r) and as (r, q). Together with the ½ the interaction is "
            "h·w·w, not half of it.",
        ),
        Misconception(
            wrong=lambda w, H, removed: 2 * rise_of_set(w, H, removed),
            says="The ½ in front of the quadratic term is missing.",
        ),
        Misconception(
            wrong=sizes_only,
            says="You used |w|. In the interaction the signs matter: two weights that cancel each other can be "
            "removed cheaply together.",
        ),
        Misconception(
            wrong=those_that_stay,
            says="You computed the price of the weights that stay. True in `removed` means that the weight goes.",
        ),
    ],
    hints=[
        "Write down the change δ: −w where a weight goes, 0 elsewhere. At a minimum the rise is ½ δᵀHδ.",
        "gone = np.where(removed, w, 0) and then gone @ H @ gone / 2; the two minus signs cancel.",
    ],
    also_right=[
        two_loops,
        prices_and_pairs,
        lambda w, H, removed: w[removed] @ H[np.ix_(removed, removed)] @ w[removed] / 2,
    ],
)
