"""The sparsity of a model from those of its layers."""

from functools import partial

from course_lib.classroom import Exercise, Misconception, close

EXERCISE = Exercise(
    id="03.model_sparsity",
    title="From layers to the model",
    points=2,
    minutes=5,
    difficulty=1,
    reference=(0.95 * 235_200 + 0.8 * 30_000 + 0.2 * 1_000) / 266_200,
    misconceptions=[
        Misconception(
            wrong=(0.95 + 0.8 + 0.2) / 3,
            says="This is the plain mean of the three layers. It lets the 1,000 weights of the output layer count "
            "as much as the 235,200 of the first. Count zeros, then divide by all weights.",
        ),
        Misconception(
            wrong=1 - (0.95 * 235_200 + 0.8 * 30_000 + 0.2 * 1_000) / 266_200,
            says="This is the density, the fraction of weights that are kept. Sparsity is the rest.",
        ),
        Misconception(
            wrong=(0.95 * 300 + 0.8 * 100 + 0.2 * 10) / 410,
            says="You weighted the layers by their units. A unit of the first layer has 784 weights, one of the "
            "output layer 100. Weight by the number of weights.",
        ),
        Misconception(
            wrong=100 * (0.95 * 235_200 + 0.8 * 30_000 + 0.2 * 1_000) / 266_200,
            says="The right number, in percent. Write a fraction between 0 and 1.",
        ),
    ],
    hints=[
        "How many weights has each layer, and how many of them are zero?",
        "The sizes are 784·300, 300·100 and 100·10. Add up the zeros and divide by the sum of the sizes.",
    ],
    compare=partial(close, rtol=1e-3),
)
