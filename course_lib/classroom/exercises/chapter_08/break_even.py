"""The sparsities from which on an index or a bitmask makes an int8 file smaller."""

from functools import partial

from course_lib.classroom import Exercise, Misconception, close

EXERCISE = Exercise(
    id="08.break_even",
    title="When does an index pay?",
    points=3,
    minutes=10,
    difficulty=2,
    reference={"index": 2 / 3, "bitmask": 1 / 8, "index beats bitmask": 15 / 16},
    compare=partial(close, rtol=0.01),
    misconceptions=[
        Misconception(
            {"index": 1 / 3, "bitmask": 7 / 8, "index beats bitmask": 1 / 16},
            "These are the fractions of weights that are *kept* at break-even. The sparsity is the fraction of "
            "zeros: one minus that.",
        ),
        Misconception(
            {"index": 1 / 3, "bitmask": 1 / 32, "index beats bitmask": 15 / 16},
            "That is right for float32, where a weight has four bytes. Here it has one, and an index of two bytes "
            "weighs more.",
        ),
        Misconception(
            {"index": 1 / 2, "bitmask": 1 / 8, "index beats bitmask": 7 / 8},
            "A survivor costs its index *and* its value: three bytes, not two.",
        ),
        Misconception(
            {"index": 2 / 3, "bitmask": 1.0, "index beats bitmask": 1 / 2},
            "The map has one *bit* for each weight, an eighth of a byte.",
        ),
    ],
    hints=[
        "Write the bytes of each way for one weight on average, with d = 1 − s for the fraction that is kept.",
        "Dense 1, index 3d, bitmask 1/8 + d. Set them equal in pairs, solve for d, and give s = 1 − d.",
    ],
)
