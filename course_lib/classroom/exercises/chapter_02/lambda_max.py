"""The λ from which on all weights of a lasso are zero."""

from course_lib.classroom import Exercise, Misconception

EXERCISE = Exercise(
    id="02.lambda_max",
    title="The strength at which everything is silent",
    points=2,
    minutes=8,
    difficulty=2,
    reference=1.2,  # max |Xᵀy| / n of the notebook's five examples: Xᵀy = (0, −6, 1)
    misconceptions=[
        Misconception(6.0, "You left out 1/n. The loss is a mean over the examples, and so is its slope."),
        Misconception(2.4, "Twice too much: the ½ in front of the squares cancels the 2 that differentiating gives."),
        Misconception(
            0.2,
            "That is the largest entry of Xᵀy / n with its sign. A strong negative pull has to be held as well: "
            "compare magnitudes.",
        ),
        Misconception(0.0, "At this strength only the feature with the weakest pull is silent. All of them must be."),
    ],
    hints=[
        "At w = 0, what is the slope of the data term with respect to each weight? L1 can hold a slope of up to λ.",
        "The slopes at zero are −Xᵀy / n. Which λ is as large as the largest of them in magnitude?",
    ],
)
