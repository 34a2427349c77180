"""What becomes of weight, slope, curvature and price when an input is written in another unit."""

from functools import partial

from course_lib.classroom import Exercise, Misconception, close

EXERCISE = Exercise(
    id="04.unit_change",
    title="From 0–1 to 0–255",
    points=2,
    minutes=8,
    difficulty=2,
    reference={"w": 1 / 255, "w·g": 1.0, "h": 255.0**2, "OBD": 1.0},
    misconceptions=[
        Misconception(
            wrong={"w": 255.0, "w·g": 1.0, "h": 1 / 255**2, "OBD": 1.0},
            says="The other way round. The pixels have become larger, so the weight has to become smaller for the "
            "net to say the same.",
        ),
        Misconception(
            wrong={"w": 1 / 255, "w·g": 1.0, "h": 255.0, "OBD": 1 / 255},
            says="The curvature differentiates twice by the weight, and each time the pixel comes out as a factor: "
            "255². Times the squared weight, that gives the factor of the price.",
        ),
        Misconception(
            wrong={"w": 1 / 255, "w·g": 1 / 255, "h": 1.0, "OBD": 1 / 255**2},
            says="You let the slope and the curvature stay as they were. But the derivative by a weight is "
            "proportional to its pixel, and the pixel is 255 times as large.",
        ),
        Misconception(
            wrong={"w": 1 / 255, "w·g": 255.0, "h": 255.0**2, "OBD": 255.0**2},
            says="The slope and the curvature are right, but in the two prices they meet the weight, which became "
            "smaller: multiply by its factor, once for w·g and twice for OBD.",
        ),
        Misconception(
            wrong={"w": 1.0, "w·g": 1.0, "h": 1.0, "OBD": 1.0},
            says="The net says the same, but not all of its numbers stay the same: 255 times larger pixels need "
            "smaller weights.",
        ),
    ],
    hints=[
        "The product of weight and pixel has to stay the same. And the loss is a function of that product.",
        "Say p = w·x. Then ∂L/∂w = x · ∂L/∂p and ∂²L/∂w² = x² · ∂²L/∂p². What happens when x grows by 255?",
    ],
    compare=partial(close, rtol=5e-3, atol=1e-9),
)
