"""Optimal Brain Damage from a given Hessian."""

import numpy as np

from course_lib.classroom import Case, Exercise, Misconception


def obd(w, H):
    return np.diag(H) * w**2 / 2


def curved(rng, d):
    """A Hessian with ties between the weights, positive definite."""
    a = rng.normal(size=(2 * d, d))
    return a.T @ a / d


def bowls(rng):
    yield Case("two weights, one on a steep axis", (np.array([1.0, 0.2]), np.diag([1.0, 100.0])))
    for d in (3, 6):
        yield Case("weights that interact, of both signs", (rng.normal(size=d), curved(rng, d)))
    saddle = curved(rng, 4)
    saddle[1, 1] = -2.0
    yield Case("not at a minimum: one direction curves down", (rng.normal(size=4), saddle))
    yield Case("a weight that is zero already", (np.array([0.0, 1.5, -2.0]), curved(rng, 3)))


EXERCISE = Exercise(
    id="04.obd",
    title="Optimal Brain Damage",
    points=2,
    minutes=6,
    difficulty=1,
    reference=obd,
    cases=bowls,
    misconceptions=[
        Misconception(
            wrong=lambda w, H: np.diag(H) * w**2,
            says="The ½ is missing. It belongs to the second term of the Taylor series, and without it the price is "
            "twice the rise of the loss.",
        ),
        Misconception(
            wrong=lambda w, H: np.diag(H) * np.abs(w) / 2,
            says="The weight enters squared: the step to zero has the length |w|, and the second-order term grows "
            "with its square.",
        ),
        Misconception(
            wrong=lambda w, H: w * (H @ w) / 2,
            says="w·(Hw) mixes in the other weights, as if all were removed together. When one weight is removed, "
            "only its own curvature, the diagonal entry, counts.",
        ),
        Misconception(
            wrong=lambda w, H: w**2 / (2 * np.diag(np.linalg.inv(H))),
            says="This is Optimal Brain Surgeon, which lets the other weights make up for the one that goes. OBD "
            "leaves them where they are.",
        ),
        Misconception(
            wrong=lambda w, H: np.abs(np.diag(H)) * w**2 / 2,
            says="You took the size of the curvature. Where the loss curves down, removing the weight lowers it, and "
            "the price is negative. Leave the sign.",
        ),
    ],
    hints=[
        "To remove weight q, every change but the one in place q is zero. What is left of the double sum in δᵀHδ?",
        "np.diag(H) is the diagonal. One product with w**2, one half.",
    ],
    also_right=[
        lambda w, H: np.array([0.5 * H[q, q] * w[q] * w[q] for q in range(len(w))]),
        lambda w, H: 0.5 * np.einsum("q,qq,q->q", w, H, w),
    ],
)
