"""The sparsity that a rule written down before the run chooses from a table."""

from course_lib.classroom import Exercise, Misconception

EXERCISE = Exercise(
    id="03.chosen_sparsity",
    title="Choose by the rule",
    points=2,
    minutes=5,
    difficulty=2,
    reference=0.9,
    misconceptions=[
        Misconception(
            wrong=0.7,
            says="You applied the rule to the test column. Whoever chooses on the test split has no honest number "
            "left to report. Choose on validation.",
        ),
        Misconception(
            wrong=0.5,
            says="This sparsity has the best validation accuracy. The rule asks for something else: the highest "
            "sparsity that is still good enough.",
        ),
        Misconception(
            wrong=0.8,
            says="You measured the half point from the best net in the column. The rule measures it from the dense "
            "net.",
        ),
        Misconception(
            wrong=0.95,
            says="You held validation accuracies against the dense net's test accuracy. Both sides of a comparison "
            "come from the same split.",
        ),
    ],
    hints=[
        "Which column may you look at? And what is the lowest accuracy in it that the rule allows?",
        "Dense has 88.6 on validation, so everything from 88.1 on is allowed. Take the highest sparsity of these.",
    ],
)
