"""Four pictures of prediction against truth, and the four methods that they belong to."""

from course_lib.classroom import Exercise, Misconception

EXERCISE = Exercise(
    id="04.which_panel",
    title="Which picture is which?",
    points=2,
    minutes=8,
    difficulty=2,
    reference="CADB",
    misconceptions=[
        Misconception(
            "CABD",
            "OBD and OBS are swapped. The truth on the vertical axis leaves the other weights alone. OBD predicts just "
            "that; OBS lets them help and so predicts less, never more.",
        ),
        Misconception(
            "BADC",
            "Magnitude and OBS are swapped. In panel C some weights with a small prediction have a large rise, and "
            "others the other way round, on both sides of the diagonal. A price with the help of the others is never "
            "above the truth without it.",
        ),
        Misconception(
            "ACDB",
            "In panel A all predictions are the same, and zero. Could that be the sizes of twelve weights? Which "
            "method has nothing to say at a minimum?",
        ),
        Misconception(
            "DACB",
            "Panel D predicts every single rise. Magnitude does not even have the unit of a loss. Which method is "
            "exact when the loss is quadratic and the other weights stay?",
        ),
        Misconception(
            "BDAC",
            "You went through the panels and wrote down the place of each one's method. Go through the methods, in the "
            "order given, and write the letter of each one's panel.",
        ),
    ],
    hints=[
        "One method says zero for every weight at a minimum. One is exact for a quadratic loss with the others fixed.",
        "Of the two that are left, one can only predict too little, since it lets the other weights help. The other "
        "one does not know the loss at all.",
    ],
)
