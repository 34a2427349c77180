"""The claims about a pruned network that follow from three seeds and two timings."""

from course_lib.classroom import Exercise, Misconception

EXERCISE = Exercise(
    id="07.claims",
    title="Which claims follow?",
    points=2,
    minutes=8,
    difficulty=2,
    reference="AD",
    misconceptions=[
        Misconception(
            wrong="ABD",
            says="B compares two means. Look at the seeds one by one: on one of them the lot was better than the norm, "
            "so by the rule there is no difference to claim.",
        ),
        Misconception(
            wrong="ACD",
            says="C does not follow: the same shape, trained from nothing, reaches about as much, and is ahead on one "
            "of the seeds.",
        ),
        Misconception(
            wrong="ADE",
            says="E does not follow, for time is not proportional to MACs. The times themselves are in the table: "
            "divide them.",
        ),
        Misconception(
            wrong="ABCD",
            says="B and C do not follow: neither difference has the same sign on all three seeds.",
        ),
        Misconception(
            wrong="ABCDE",
            says="Not all of them. For B and C hold the seeds against each other one by one; for E use the times.",
        ),
        Misconception(
            wrong="A",
            says="One more follows. Compare the slowest run of one network with the fastest run of the other.",
        ),
        Misconception(
            wrong="D",
            says="One more follows: without fine-tuning, too, there are three seeds to compare.",
        ),
    ],
    hints=[
        "Subtract the rows seed by seed. The rule counts signs; it does not look at means.",
        "A: all three differences are positive. B and C: not all are. For D and E divide the times.",
    ],
)
