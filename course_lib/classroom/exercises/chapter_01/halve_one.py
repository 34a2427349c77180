"""The layer in which removing half of the units saves most."""

from course_lib.classroom import Exercise, Misconception

EXERCISE = Exercise(
    id="01.halve_one",
    title="One layer to halve",
    points=3,
    minutes=8,
    difficulty=3,
    reference={"MACs": "conv_1", "weights": "conv_3"},
    misconceptions=[
        Misconception(
            wrong={"MACs": "conv_2", "weights": "dense_1"},
            says="You took the longest bars. A layer that loses half of its units also leaves the next layer half of "
            "its inputs, and so saves half of two bars.",
        ),
        Misconception(
            wrong={"MACs": "conv_3", "weights": "conv_1"},
            says="You have the two pictures the wrong way round: left are the weights, right are the MACs.",
        ),
        Misconception(
            wrong={"MACs": "conv_1", "weights": "dense_1"},
            says="MACs are right. For the weights you took the longest bar: dense_1 also shrinks when the layer "
            "before it loses units.",
        ),
        Misconception(
            wrong={"MACs": "conv_2", "weights": "conv_3"},
            says="Weights are right. For the MACs you took the longest bar: conv_2 also shrinks when the layer before "
            "it loses units.",
        ),
        Misconception(
            wrong={"MACs": "conv_3", "weights": "conv_3"},
            says="Weights are right. But MACs are somewhere else: add up each bar of the right picture and the bar "
            "of the layer that reads it.",
        ),
        Misconception(
            wrong={"MACs": "conv_1", "weights": "conv_1"},
            says="MACs are right. But the first layers have few weights: add up each bar of the left picture and the "
            "bar of the layer that reads it.",
        ),
    ],
    hints=[
        "Halve the units of one layer. Which layers get smaller?",
        "It saves half of its own bar and half of the bar below it. Look for the largest sum of two neighbours.",
    ],
)
