"""Which axis of which array loses an entry, in a graph with a depthwise convolution and a concatenation."""

from course_lib.classroom import Exercise, Misconception

RIGHT = {"conv_a": 3, "depthwise": 2, "conv_p": 2, "entry of conv_p": 13}

EXERCISE = Exercise(
    id="07.lost_axes",
    title="Follow the channel",
    points=2,
    minutes=6,
    difficulty=2,
    reference=RIGHT,
    misconceptions=[
        Misconception(
            wrong=RIGHT | {"entry of conv_p": 5},
            says="The axes are right. But in the concatenation the eight channels of the other branch come first: "
            "what was channel 5 is not channel 5 any more.",
        ),
        Misconception(
            wrong=RIGHT | {"entry of conv_p": 21},
            says="The axes are right. You put the 16 channels of conv_a first. Concatenate lists the other branch, "
            "with 8 channels, first.",
        ),
        Misconception(
            wrong=RIGHT | {"depthwise": 3},
            says="The last axis of a depthwise kernel is the number of outputs for each channel, here 1. The channels "
            "lie along the axis of the inputs.",
        ),
        Misconception(
            wrong=RIGHT | {"conv_p": 3},
            says="Axis 3 of conv_p are its own filters. It reads the channel that is gone, so it loses an input.",
        ),
        Misconception(
            wrong=RIGHT | {"conv_a": 2},
            says="Axis 2 of conv_a are its inputs, and nobody took an input away. A filter is an entry of the last "
            "axis.",
        ),
        Misconception(
            wrong={"conv_a": 4, "depthwise": 3, "conv_p": 3, "entry of conv_p": 13},
            says="Right, counted from 1. NumPy and Keras count axes from 0.",
        ),
    ],
    hints=[
        "For each array ask: does it make the channel, scale it, or read it? Then look for that size in its shape.",
        "Keras kernels are (height, width, inputs, outputs). In the concatenation add the channels that come before.",
    ],
)
