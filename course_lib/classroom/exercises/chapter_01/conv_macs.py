"""The multiply-accumulates of a convolution."""

import math

from course_lib.classroom import Case, Exercise, Misconception


def conv_macs(size, channels, filters, kernel, stride):
    return kernel**2 * channels * filters * math.ceil(size / stride) ** 2


def convolutions(rng):
    def draw():
        return (int(rng.integers(2, 6)), int(rng.integers(6, 20)), int(rng.choice([3, 5])))

    one, several = "stride 1", "stride 2 and more"
    yield Case("stride 1: a place for every pixel", (int(rng.integers(10, 30)), *draw(), 1), one)
    yield Case("stride 1, a kernel of one pixel", (int(rng.integers(10, 30)), *draw()[:2], 1, 1), one)
    yield Case("stride 2, an even size", (2 * int(rng.integers(5, 15)), *draw(), 2), several)
    yield Case("stride 2, an odd size", (2 * int(rng.integers(5, 15)) + 1, *draw(), 2), several)
    yield Case("stride 3, one pixel left over", (3 * int(rng.integers(4, 10)) + 1, *draw(), 3), several)


# Right answers, written differently


def count_places(size, channels, filters, kernel, stride):
    places = [(row, column) for row in range(0, size, stride) for column in range(0, size, stride)]
    return len(places) * filters * kernel * kernel * channels


EXERCISE = Exercise(
    id="01.conv_macs",
    title="The work of a convolution",
    points=2,
    minutes=8,
    difficulty=2,
    reference=conv_macs,
    cases=convolutions,
    misconceptions=[
        Misconception(
            wrong=lambda size, channels, filters, kernel, stride: kernel**2 * channels * filters,
            says="This is the number of weights. Each of them is used once at every place where the kernel is laid.",
        ),
        Misconception(
            wrong=lambda size, channels, filters, kernel, stride: kernel**2 * channels * filters * size**2,
            says="You count a place for every pixel, whatever the stride. With stride s the kernel moves s pixels at "
            "a time.",
        ),
        Misconception(
            wrong=lambda size, channels, filters, kernel, stride: (
                kernel**2 * channels * filters * (size // stride) ** 2
            ),
            says="Where the size is no multiple of the stride, a place at the edge is missing. Round size / stride up.",
        ),
        Misconception(
            wrong=lambda size, channels, filters, kernel, stride: (
                kernel**2 * channels * filters * math.ceil(size / stride)
            ),
            says="You count the places in one row only. There are as many rows of places: square it.",
        ),
        Misconception(
            wrong=lambda size, channels, filters, kernel, stride: kernel**2 * filters * math.ceil(size / stride) ** 2,
            says="The input channels are missing: a filter has a k × k kernel for each of them.",
        ),
        Misconception(
            wrong=lambda size, channels, filters, kernel, stride: (
                (kernel**2 * channels * filters + filters) * math.ceil(size / stride) ** 2
            ),
            says="You counted the biases. Adding a bias is no product, so it is not a MAC.",
        ),
    ],
    hints=[
        "MACs are weights times places. How many weights are in the kernels, and how many places are there?",
        "k²·c·f weights; math.ceil(size / stride) places in a row, and as many rows.",
    ],
    also_right=[
        lambda size, channels, filters, kernel, stride: (-(-size // stride) * kernel) ** 2 * channels * filters,
        count_places,
    ],
)
