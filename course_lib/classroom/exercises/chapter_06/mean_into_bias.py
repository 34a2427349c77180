"""Remove neurons and let the next layer's bias say what they said on average."""

import numpy as np

from course_lib.classroom import Case, Exercise, Misconception


def mean_into_bias(h, w_out, b_out, gone):
    return np.delete(w_out, gone, axis=0), b_out + h[:, gone].mean(axis=0) @ w_out[gone]


def layers(rng):
    def layer(examples, neurons, outputs):
        h = np.maximum(rng.normal(size=(examples, neurons)) + rng.uniform(-1, 2, neurons), 0)
        return h, rng.normal(size=(neurons, outputs)), rng.normal(size=outputs)

    def some(neurons, gone):
        return sorted(int(j) for j in rng.permutation(neurons)[:gone])

    yield Case("one neuron goes", (*layer(20, 5, 3), some(5, 1)))
    yield Case("three neurons go", (*layer(30, 7, 4), some(7, 3)))
    h, w_out, b_out = layer(25, 4, 3)
    h[:, 1] = 2.0
    yield Case("a neuron that always says 2", (h, w_out, b_out, [1]))
    h, w_out, b_out = layer(25, 4, 3)
    h[:, 2] = 0.0
    yield Case("a neuron that is never on, and another", (h, w_out, b_out, [0, 2]))


def instead(of_mean):
    """The right rows, and another vector in the place of the mean activations of what is gone."""
    return lambda h, w_out, b_out, gone: (
        np.delete(w_out, gone, axis=0),
        b_out + of_mean(h[:, gone]) @ w_out[gone],
    )


def mean_of_those_kept(h, w_out, b_out, gone):
    kept = np.setdiff1d(np.arange(len(w_out)), gone)
    return w_out[kept], b_out + h[:, kept].mean(axis=0) @ w_out[kept]


# Right answers, written differently


def average_what_they_said(h, w_out, b_out, gone):
    said = h[:, gone] @ w_out[gone]  # (examples, outputs)
    return w_out[~np.isin(np.arange(len(w_out)), gone)], said.mean(axis=0) + b_out


def one_at_a_time(h, w_out, b_out, gone):
    bias = b_out.copy()
    for j in gone:
        bias += np.mean(h[:, j]) * w_out[j]
    return np.array([row for j, row in enumerate(w_out) if j not in gone]), bias


EXERCISE = Exercise(
    id="06.mean_into_bias",
    title="A bias in the place of a neuron",
    points=3,
    minutes=10,
    difficulty=2,
    reference=mean_into_bias,
    cases=layers,
    misconceptions=[
        Misconception(
            wrong=lambda h, w_out, b_out, gone: (np.delete(w_out, gone, axis=0), b_out),
            says="The neurons are gone, and their mean with them: the bias is as it was. Every output is now off by "
            "what they used to say on average.",
        ),
        Misconception(
            wrong=instead(lambda h: np.ones(h.shape[1])),
            says="You added the outgoing weights themselves, as if every neuron said 1. Multiply each row by the "
            "neuron's mean activation.",
        ),
        Misconception(
            wrong=instead(lambda h: h.sum(axis=0)),
            says="You added up what the neurons said to all examples. A bias is added for every single example, so it "
            "needs the mean.",
        ),
        Misconception(
            wrong=instead(lambda h: -h.mean(axis=0)),
            says="The sign is turned round. The neurons used to *add* this to the outputs; the bias has to do it now.",
        ),
        Misconception(
            wrong=mean_of_those_kept,
            says="You put the mean of the neurons that stay into the bias. They still speak for themselves; it is the "
            "neurons in gone that need a stand-in.",
        ),
        Misconception(
            wrong=lambda h, w_out, b_out, gone: (w_out, b_out + h[:, gone].mean(axis=0) @ w_out[gone]),
            says="The bias is right, but the rows of the neurons that are gone are still in w_out.",
        ),
    ],
    hints=[
        "Neuron j adds h[:, j] times the row w_out[j] to the outputs. What does it add on average?",
        "b_out + h[:, gone].mean(axis=0) @ w_out[gone]; and np.delete takes the rows out of w_out.",
    ],
    also_right=[average_what_they_said, one_at_a_time],
)
