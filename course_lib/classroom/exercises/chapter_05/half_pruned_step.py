"""The step at which a polynomial schedule has done half of its pruning."""

from functools import partial

from course_lib.classroom import Exercise, Misconception, close

EXERCISE = Exercise(
    id="05.half_pruned_step",
    title="Half of it is done",
    points=2,
    minutes=6,
    difficulty=2,
    reference=2000 * (1 - 0.5 ** (1 / 3)),
    misconceptions=[
        Misconception(
            wrong=1000.0,
            says="At step 1000 half of the time is over. On a straight line half of the pruning would be done; this "
            "schedule is fast first, and has done seven eighths by then.",
        ),
        Misconception(
            wrong=2000 * 0.5 ** (1 / 3),
            says="You solved for the share of the way that is still to go. The step is the rest: one minus that share, "
            "times 2000.",
        ),
        Misconception(
            wrong=2000 * 0.5**3,
            says="You raised one half to the third power. It is the other way round: what is still to go, to the third "
            "power, is one half. Take the cube root.",
        ),
        Misconception(
            wrong=2000 * (1 - 0.5**3),
            says="0.875 is how much has been pruned after half of the time. Asked is the time after which half has "
            "been pruned: take the cube root of one half, not its third power.",
        ),
        Misconception(
            wrong=2000 * (1 - (0.4 / 0.9) ** (1 / 3)),
            says="You looked for a sparsity of 0.5. Half of the pruning on the way to 0.9 is 0.45.",
        ),
    ],
    hints=[
        "Half-way up means s(t) = 0.45. What does that say about (1 − t/2000)³?",
        "(1 − t/2000)³ = 1/2, so 1 − t/2000 is the cube root of 1/2.",
    ],
    compare=partial(close, rtol=2e-3),
)
