"""The order in which weights leave, read from the picture of a λ path."""

from course_lib.classroom import Exercise, Misconception

EXERCISE = Exercise(
    id="02.path_order",
    title="Read a λ path",
    points=2,
    minutes=6,
    difficulty=2,
    reference="BDAC",
    misconceptions=[
        Misconception("CADB", "That is the order from the last to the first. Follow the picture from left to right."),
        Misconception(
            "DCBA",
            "You ordered the weights by their size at the left end. But size without a penalty does not tell "
            "who leaves first: look where each line meets zero.",
        ),
        Misconception(
            "BDCA",
            "You ordered the weights from the lowest line to the highest. Leaving means arriving at zero, "
            "from above or from below.",
        ),
    ],
    hints=[
        "Follow each line to the place where it meets zero and stays there.",
        "The first to arrive is one of the two long lines at the left end, not one of the short ones.",
    ],
)
