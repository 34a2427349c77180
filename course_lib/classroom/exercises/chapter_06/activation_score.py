"""Two scores that look at a neuron's activations alone: mean activation and APoZ."""

import numpy as np

from course_lib.classroom import Case, Exercise, Misconception


def activation_score(h, kind):
    return h.mean(axis=0) if kind == "mean" else 1 - np.mean(h == 0, axis=0)


def layers(rng):
    def relu_layer(examples, neurons):
        return np.maximum(rng.normal(size=(examples, neurons)) + rng.uniform(-1, 1, neurons), 0)

    with_dead = relu_layer(30, 5)
    with_dead[:, 1], with_dead[0, 0] = 0, 0.5
    always_on = relu_layer(24, 4) + 0.5
    always_on[:, 2] = np.maximum(rng.normal(size=24), 0)
    leaky = rng.normal(size=(20, 6)) * (rng.random((20, 6)) < 0.6)
    for kind, group in (("mean", "mean activation"), ("apoz", "APoZ")):
        yield Case("after a ReLU", (relu_layer(40, 6), kind), group)
        yield Case("a neuron that is never on", (with_dead, kind), group)
        yield Case("neurons that are never off", (always_on, kind), group)
        yield Case("an activation function with negative values, and some zeros", (leaky, kind), group)


# Wrong answers that take more than a line


def mean_where_on(h, kind):
    on = h != 0
    return h.sum(axis=0) / np.maximum(on.sum(axis=0), 1) if kind == "mean" else on.mean(axis=0)


def one_score_an_example(h, kind):
    return h.mean(axis=1) if kind == "mean" else np.mean(h != 0, axis=1)


# Right answers, written differently


def neuron_by_neuron(h, kind):
    score = []
    for neuron in h.T:
        score.append(sum(neuron) / len(neuron) if kind == "mean" else sum(a != 0 for a in neuron) / len(neuron))
    return np.array(score)


EXERCISE = Exercise(
    id="06.activation_score",
    title="How active is a neuron?",
    points=2,
    minutes=8,
    difficulty=1,
    reference=activation_score,
    cases=layers,
    misconceptions=[
        Misconception(
            wrong=lambda h, kind: h.mean(axis=0) if kind == "mean" else np.mean(h == 0, axis=0),
            says='For "apoz" you return the share of zeros. Its highest value belongs to the neuron that is never on, '
            "and high means keep: return one minus it.",
        ),
        Misconception(
            wrong=mean_where_on,
            says="Your mean is over the examples for which the neuron is on. A specialist that is on once in a "
            "thousand examples would look as active as one that is always on. Take the mean over all examples.",
        ),
        Misconception(
            wrong=one_score_an_example,
            says="You have one number for each example. Rows of h are examples, columns are neurons; take the mean "
            "over the rows.",
        ),
        Misconception(
            wrong=lambda h, kind: h.mean(axis=0) if kind == "mean" else np.mean(h > 0, axis=0),
            says='For "apoz" you count what is above zero, so a negative activation counts as silence. APoZ counts '
            "zeros.",
        ),
        Misconception(
            wrong=lambda h, kind: h.sum(axis=0) if kind == "mean" else np.sum(h != 0, axis=0).astype(float),
            says="These are sums over the examples. They grow with the number of examples; a mean does not.",
        ),
    ],
    hints=[
        "One number for each neuron: over which axis of h do you average?",
        'For "mean": h.mean(axis=0). For "apoz" average h == 0 in the same way, and take it from 1.',
    ],
    also_right=[
        lambda h, kind: np.sum(h if kind == "mean" else h != 0, axis=0) / len(h),
        neuron_by_neuron,
    ],
)
