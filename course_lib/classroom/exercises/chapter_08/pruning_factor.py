"""The part of an advertised factor that is due to pruning."""

from functools import partial

from course_lib.classroom import Exercise, Misconception, close

EXERCISE = Exercise(
    id="08.pruning_factor",
    title="Whose factor is it?",
    points=2,
    minutes=5,
    difficulty=1,
    reference=5.5,
    compare=partial(close, rtol=0.01),
    misconceptions=[
        Misconception(
            24.0,
            "That is the advertisement's own number: it counts gzip and the 8 bits as pruning. "
            "Compare two files that differ in nothing but pruning.",
        ),
        Misconception(
            22.0,
            "gzip is now on both sides, but the 8 bits are not: one file is float32, the other int8. Compare like "
            "with like.",
        ),
        Misconception(1200 / 275, "That is what 8 bits and gzip give, without any pruning: the part to take out."),
        Misconception(4.0, "That is the factor of the 8 bits alone: neither of the two files is pruned."),
        Misconception(24 - 1200 / 275, "Factors multiply; they cannot be subtracted. Divide instead."),
    ],
    hints=[
        "Which two of the four files differ in nothing but pruning?",
        "Both are int8 and both are gzipped.",
    ],
)
