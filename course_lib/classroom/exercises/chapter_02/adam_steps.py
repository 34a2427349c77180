"""The steps that Adam needs to bring a weight to zero under L1 alone."""

from functools import partial

from course_lib.classroom import Exercise, Misconception, close

EXERCISE = Exercise(
    id="02.adam_steps",
    title="How long does Adam need?",
    points=2,
    minutes=6,
    difficulty=2,
    reference=50.0,
    compare=partial(close, rtol=0.03),
    misconceptions=[
        Misconception(
            500_000,
            "That is plain gradient descent, which moves by η·λ a step. Adam divides the pull by its own size.",
        ),
        Misconception(500, "That is 0.05 / λ. Adam divides the pull by its own size, so λ cancels; η remains."),
        Misconception("never", "The pull of L1 does not fade, so the weight gets there. How long is one step?"),
    ],
    hints=[
        "The gradient is λ at every step. What is its mean, and the root of its mean square?",
        "Adam's step is η · λ / √(λ²). How many of them fit into 0.05?",
    ],
    also_right=[51],
)
