"""Where a schedule is better than another by a rule for three seeds."""

from course_lib.classroom import Exercise, Misconception

EXERCISE = Exercise(
    id="05.first_clear_lead",
    title="A lead that counts",
    points=2,
    minutes=6,
    difficulty=2,
    reference=0.97,
    misconceptions=[
        Misconception(
            wrong=0.5,
            says="The mean of the leads is above zero there, but one seed says the opposite. The rule wants all seeds "
            "to agree.",
        ),
        Misconception(
            wrong=0.9,
            says="All three leads are positive there, but their mean is below half a point. The rule's second half "
            "is not met.",
        ),
        Misconception(
            wrong=0.99,
            says="There the lead is largest. Asked is the lowest sparsity at which the rule is met.",
        ),
        Misconception(
            wrong=0.95,
            says="The mean lead is large there, and yet gradual is behind in seed 1. A mean hides that: "
            "subtract seed by seed.",
        ),
    ],
    hints=[
        "A row at a time: gradual minus one-shot for seed 0, for seed 1, for seed 2.",
        "At 0.9 the leads are 0.1, 0.2 and 0.9. All are positive; what is their mean?",
    ],
)
