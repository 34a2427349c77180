"""The neurons of a hidden layer that are kept, with their weights on both sides."""

import numpy as np

from course_lib.classroom import Case, Exercise, Misconception


def remove_neurons(w_in, b_in, w_out, keep):
    return w_in[:, keep], b_in[keep], w_out[keep]


def layers(rng):
    def layer(inputs, neurons, outputs):
        return rng.normal(size=(inputs, neurons)), rng.normal(size=neurons), rng.normal(size=(neurons, outputs))

    def some(neurons, kept):
        return sorted(int(j) for j in rng.permutation(neurons)[:kept])

    yield Case("four inputs, five neurons, three outputs", (*layer(4, 5, 3), some(5, 3)))
    yield Case("as many inputs as neurons and outputs", (*layer(6, 6, 6), some(6, 4)))
    yield Case("only one neuron is left", (*layer(7, 4, 5), some(4, 1)))
    yield Case("the neurons are asked for in another order", (*layer(8, 5, 6), some(5, 3)[::-1]))
    yield Case("all neurons stay", (*layer(6, 3, 4), [0, 1, 2]))


# Wrong answers that take more than a line


def set_to_zero(w_in, b_in, w_out, keep):
    mask = np.isin(np.arange(len(b_in)), keep)
    return w_in * mask, b_in * mask, w_out * mask[:, None]


def remove_what_should_stay(w_in, b_in, w_out, keep):
    return np.delete(w_in, keep, axis=1), np.delete(b_in, keep), np.delete(w_out, keep, axis=0)


# Right answers, written differently


def one_neuron_at_a_time(w_in, b_in, w_out, keep):
    columns = np.stack([w_in[:, j] for j in keep], axis=1)
    return columns, np.array([b_in[j] for j in keep]), np.stack([w_out[j] for j in keep])


EXERCISE = Exercise(
    id="06.remove_neurons",
    title="A neuron and all that belongs to it",
    points=3,
    minutes=8,
    difficulty=1,
    reference=remove_neurons,
    cases=layers,
    misconceptions=[
        Misconception(
            wrong=lambda w_in, b_in, w_out, keep: (w_in[:, keep], b_in[keep], w_out),
            says="The outgoing weights are all still there: w_out has a row for each neuron, and the next layer "
            "expects neurons that are gone. Keep the rows of w_out as well.",
        ),
        Misconception(
            wrong=lambda w_in, b_in, w_out, keep: (w_in[:, keep], b_in, w_out[keep]),
            says="The biases are all still there. A neuron is a column of w_in, a row of w_out *and* an entry of b_in.",
        ),
        Misconception(
            wrong=lambda w_in, b_in, w_out, keep: (w_in[keep], b_in[keep], w_out[:, keep]),
            says="Rows and columns are exchanged. With x @ w_in, a neuron is a column of w_in; a row would be an "
            "input. In w_out it is a row.",
        ),
        Misconception(
            wrong=set_to_zero,
            says="The neurons are silent, but they are still stored and computed: zeros have the size of what was "
            "there. Take them out, so that the arrays get smaller.",
        ),
        Misconception(
            wrong=remove_what_should_stay,
            says="You removed the neurons in keep and kept the others. It is the other way round.",
        ),
    ],
    hints=[
        "Which axis of each of the three arrays counts the neurons?",
        "Index that axis with keep: the columns of w_in, the entries of b_in, the rows of w_out.",
    ],
    also_right=[
        lambda w_in, b_in, w_out, keep: [
            np.take(w_in, keep, axis=1),
            np.take(b_in, keep),
            np.take(w_out, keep, axis=0),
        ],
        one_neuron_at_a_time,
    ],
)
