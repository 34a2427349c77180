"""The work that is left when half of the hidden units are gone."""

from functools import partial

from course_lib.classroom import Exercise, Misconception, close

DENSE = 784 * 300 + 300 * 100 + 100 * 10
HALF = 784 * 150 + 150 * 50 + 50 * 10

EXERCISE = Exercise(
    id="01.macs_left",
    title="Half of the units",
    points=2,
    minutes=6,
    difficulty=2,
    reference=HALF / DENSE,
    misconceptions=[
        Misconception(
            wrong=0.5,
            says="Half of the units is not half of the work. A layer between two pruned ones loses inputs and outputs.",
        ),
        Misconception(
            wrong=0.25,
            says="Only a layer that loses half of its inputs and half of its units keeps a quarter. Look at the first "
            "layer and the last.",
        ),
        Misconception(
            wrong=(392 * 150 + 150 * 50 + 50 * 10) / DENSE,
            says="You halved the 784 inputs as well. They are the pixels of the image; nobody removes those.",
        ),
        Misconception(
            wrong=(784 * 150 + 150 * 50 + 50 * 5) / DENSE,
            says="You halved the ten outputs as well. They are the answers, and all ten stay.",
        ),
        Misconception(
            wrong=(784 * 150 + 300 * 50 + 100 * 10) / DENSE,
            says="You halved the units of each layer, but the next layer still reads all the old ones. What is gone "
            "need not be read.",
        ),
        Misconception(
            wrong=1 - HALF / DENSE,
            says="This is the part that is saved. The question is what is left.",
        ),
        Misconception(
            wrong=DENSE / HALF,
            says="This says how many times fewer. Give the fraction that is left: the inverse.",
        ),
    ],
    hints=[
        "Write the network down twice, as units of its layers, before and after. Which numbers stay as they are?",
        "784-300-100-10 becomes 784-150-50-10. MACs are products of neighbours.",
    ],
    compare=partial(close, rtol=4e-4),
)
