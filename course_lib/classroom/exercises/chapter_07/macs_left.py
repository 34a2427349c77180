"""The share of the multiply-accumulates that is left when one layer loses half of its filters."""

from functools import partial

from course_lib.classroom import Exercise, Misconception, close

CONV_1, CONV_2, DENSE, OUTPUT = 9 * 16 * 14 * 14, 9 * 16 * 32 * 7 * 7, 1568 * 64, 64 * 10
TOTAL = CONV_1 + CONV_2 + DENSE + OUTPUT
LEFT = CONV_1 + CONV_2 / 2 + DENSE / 2 + OUTPUT

EXERCISE = Exercise(
    id="07.macs_left",
    title="Half the filters of one layer",
    points=2,
    minutes=8,
    difficulty=2,
    reference=LEFT / TOTAL,
    compare=partial(close, rtol=5e-3),
    misconceptions=[
        Misconception(
            wrong=(TOTAL - CONV_2 / 2) / TOTAL,
            says="You halved conv_2 only. Its 32 channels are the inputs of dense_1, which loses half of its rows.",
        ),
        Misconception(
            wrong=(CONV_1 + CONV_2 / 4 + DENSE / 2 + OUTPUT) / TOTAL,
            says="A quarter of conv_2 is left only if its inputs are halved too. conv_1 keeps all of its filters.",
        ),
        Misconception(
            wrong=(CONV_1 + CONV_2 / 4 + DENSE / 4 + OUTPUT) / TOTAL,
            says="A quarter is what is left between two layers that are both halved. Here one layer loses filters: "
            "halve what makes them and what reads them.",
        ),
        Misconception(
            wrong=(9 * 16 + 9 * 16 * 16 + 784 * 64 + 640) / (9 * 16 + 9 * 16 * 32 + 1568 * 64 + 640),
            says="This is the share of the weights. A weight of a convolution is used at every place: multiply by the "
            "number of places.",
        ),
        Misconception(
            wrong=1 - LEFT / TOTAL,
            says="This is the share that is saved. The question is what is left.",
        ),
        Misconception(
            wrong=0.5,
            says="Half would be left if every layer made or read these filters. conv_1 and output do neither.",
        ),
        Misconception(
            wrong=100 * LEFT / TOTAL,
            says="The right number, in percent. Write a fraction between 0 and 1.",
        ),
    ],
    hints=[
        "Write down the MACs of the four layers: entries of the kernel times places. Which layers make or read the "
        "filters that go?",
        "conv_2 and dense_1 are halved, conv_1 and output stay. Places: 14 · 14, 7 · 7, and 1 for a dense layer.",
    ],
)
