"""What a channel still says when the kernel of its filter is zero."""

import numpy as np

from course_lib.classroom import Case, Exercise, Misconception


def left_behind(bias, gamma, beta, mean, variance, epsilon):
    return np.maximum(gamma * (bias - mean) / np.sqrt(variance + epsilon) + beta, 0.0)


def channels(rng):
    def drawn(n, scale=1.0):
        bias, gamma, beta, mean = rng.normal(size=(4, n))
        return bias, gamma, beta, mean, scale * rng.uniform(0.2, 2.0, n)

    def with_some_positive(n, scale=1.0):
        while True:
            arrays = drawn(n, scale)
            if 0 < np.count_nonzero(left_behind(*arrays, 1e-3)) < n:
                return arrays

    yield Case("eight channels", (*with_some_positive(8), 1e-3))
    yield Case("a variance as small as ε", (*with_some_positive(8, scale=1e-3), 1e-3))
    _, gamma, beta, mean, variance = with_some_positive(6)
    yield Case("a convolution without bias", (np.zeros(6), gamma, beta, mean, variance, 1e-3))
    bias, _, beta, mean, variance = with_some_positive(6)
    yield Case("γ is zero as well", (bias, np.zeros(6), np.abs(beta), mean, variance, 1e-3))


# Right answers, written differently


def channel_by_channel(bias, gamma, beta, mean, variance, epsilon):
    said = []
    for b, g, shift, m, v in zip(bias, gamma, beta, mean, variance, strict=True):
        z = g * (b - m) / (v + epsilon) ** 0.5 + shift
        said.append(z if z > 0 else 0.0)
    return np.array(said)


def as_scale_and_shift(bias, gamma, beta, mean, variance, epsilon):
    scale = gamma * (variance + epsilon) ** -0.5
    return np.clip(scale * bias + (beta - scale * mean), 0, None)


EXERCISE = Exercise(
    id="07.left_behind",
    title="What a zero filter still says",
    points=2,
    minutes=8,
    difficulty=2,
    reference=left_behind,
    cases=channels,
    misconceptions=[
        Misconception(
            wrong=lambda bias, gamma, beta, mean, variance, epsilon: np.zeros(len(beta)),
            says="The kernel is zero, the channel is not: bias, mean, γ and β are still there. Follow a zero through "
            "the formula.",
        ),
        Misconception(
            wrong=lambda bias, gamma, beta, mean, variance, epsilon: np.maximum(bias, 0),
            says="That is what comes out of a convolution and ReLU. In between there is a BatchNormalization.",
        ),
        Misconception(
            wrong=lambda bias, gamma, beta, mean, variance, epsilon: np.maximum(beta, 0),
            says="β alone comes out only where the bias equals the mean. BatchNormalization subtracts the stored mean "
            "from what it gets, also from a constant.",
        ),
        Misconception(
            wrong=lambda bias, gamma, beta, mean, variance, epsilon: (
                gamma * (bias - mean) / np.sqrt(variance + epsilon) + beta
            ),
            says="Negative numbers do not come through the ReLU. Some of your channels are negative.",
        ),
        Misconception(
            wrong=lambda bias, gamma, beta, mean, variance, epsilon: np.maximum(
                gamma * (bias - mean) / (variance + epsilon) + beta, 0
            ),
            says="You divided by the variance. BatchNormalization divides by the deviation, its square root.",
        ),
        Misconception(
            wrong=lambda bias, gamma, beta, mean, variance, epsilon: np.maximum(
                gamma * (bias - mean) / np.sqrt(variance) + beta, 0
            ),
            says="ε is missing below the root. Where the variance is small it matters.",
        ),
    ],
    hints=[
        "With a kernel of zeros the convolution gives the bias, for every image and at every place. Go on from there.",
        "BN(z) = γ (z − mean) / √(variance + ε) + β with z = bias, then the larger of that and 0.",
    ],
    also_right=[channel_by_channel, as_scale_and_shift],
)
