"""The claims about latency that follow from a table, and those that do not."""

from course_lib.classroom import Exercise, Misconception

EXERCISE = Exercise(
    id="08.claims",
    title="Which claims follow from the table?",
    points=2,
    minutes=6,
    difficulty=2,
    reference="BD",
    misconceptions=[
        Misconception(
            "ABD",
            "A does not follow: the dense file differs from *itself* by more. Below the noise there is no "
            "difference to explain.",
        ),
        Misconception(
            "BCD",
            "C does not follow: nobody measured a dense int8 file. The 8 bits alone may give all of that factor; "
            "pruning has not been separated.",
        ),
        Misconception(
            "BDE",
            "E does not follow: a table speaks for the machine it was measured on. Another processor has other "
            "kernels and another memory.",
        ),
        Misconception(
            "ABCDE",
            "Not all of them. Ask of each: is it above the noise, are all the files there, is it the same machine?",
        ),
        Misconception(
            "B", "One more follows. Take the worst case for it: fastest dense run, slowest run of the other."
        ),
        Misconception(
            "D", "One more follows. Take the worst case for it: fastest dense run, slowest run of the other."
        ),
    ],
    hints=[
        "Rows 1 and 2 are the same file. What does their difference tell you about claim A?",
        "For each claim name the two rows that differ in nothing but what is claimed. If one of them is missing, it "
        "does not follow.",
    ],
)
