"""The price of a weight whose input hardly varies, without and with the help of the bias."""

from functools import partial

from course_lib.classroom import Exercise, Misconception, close

FIXED, HELPED = 0.5 * (5**2 + 0.1**2) * 2**2, 0.5 * 0.1**2 * 2**2

EXERCISE = Exercise(
    id="04.constant_input",
    title="An input that hardly changes",
    points=2,
    minutes=8,
    difficulty=2,
    reference={"bias fixed": FIXED, "bias fitted again": HELPED},
    misconceptions=[
        Misconception(
            wrong={"bias fixed": FIXED, "bias fitted again": FIXED},
            says="The bias can help a great deal: it can add what the weight contributed on average, w times the mean "
            "of the input. Only what varies around that mean is lost.",
        ),
        Misconception(
            wrong={"bias fixed": HELPED, "bias fitted again": HELPED},
            says="With the bias fixed nothing replaces the mean contribution, w times 5. The curvature is the mean of "
            "the squared input, and that is not its variance: the mean squared comes on top.",
        ),
        Misconception(
            wrong={"bias fixed": FIXED, "bias fitted again": 0.0},
            says="Not quite free. The bias replaces a constant, but the input varies by 0.1 around its mean, and that "
            "part is lost.",
        ),
        Misconception(
            wrong={"bias fixed": 0.5 * 5**2 * 2**2, "bias fitted again": HELPED},
            says="Nearly. The mean of the squares is the squared mean plus the variance, 25 and 0.01.",
        ),
        Misconception(
            wrong={"bias fixed": 2 * FIXED, "bias fitted again": 2 * HELPED},
            says="The ½ is missing, in both: the loss is half the mean squared error.",
        ),
        Misconception(
            wrong={"bias fixed": HELPED, "bias fitted again": FIXED},
            says="The two are swapped. Help can only lower the price.",
        ),
        Misconception(
            wrong={"bias fixed": 0.5 * (5**2 + 0.1**2) * 2, "bias fitted again": 0.5 * 0.1**2 * 2},
            says="The weight enters squared: w² is 4.",
        ),
    ],
    hints=[
        "Bias fixed: h is the mean of x². Which formula connects it with the mean and the standard deviation?",
        "Bias fitted again: the best bias takes over w times the mean. What is left is w·(x − mean), of which you need "
        "half the mean square.",
    ],
    compare=partial(close, rtol=1e-4),
)
