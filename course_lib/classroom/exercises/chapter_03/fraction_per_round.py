"""The fraction of what is left that each of five rounds prunes on the way to 90%."""

from functools import partial

from course_lib.classroom import Exercise, Misconception, close

EXERCISE = Exercise(
    id="03.fraction_per_round",
    title="Five rounds to 90%",
    points=2,
    minutes=6,
    difficulty=2,
    reference=1 - 0.1 ** (1 / 5),
    misconceptions=[
        Misconception(
            wrong=0.9 / 5,
            says="0.18 in every round would be right if it were 18% of the weights at the start. A round takes its "
            "share of the weights that are left, and five times 18% of what is left leaves 37% of them.",
        ),
        Misconception(
            wrong=0.1 ** (1 / 5),
            says="This is the fraction that a round keeps. The question is what it prunes.",
        ),
        Misconception(
            wrong=0.9 ** (1 / 5),
            says="You took the fifth root of the sparsity. What multiplies from round to round is what is kept: "
            "start from the density.",
        ),
        Misconception(
            wrong=1 - 0.9 ** (1 / 5),
            says="With this share, 90% of the weights would be left after five rounds. 10% shall be.",
        ),
    ],
    hints=[
        "If a round prunes the fraction p of what is left, what fraction of all weights is left after two rounds?",
        "(1 − p)⁵ = 0.1. Solve for p.",
    ],
    compare=partial(close, rtol=5e-3),
)
