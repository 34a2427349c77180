"""The rise of the loss when a neuron is silenced, for each neuron by brute force."""

import numpy as np

from course_lib.classroom import Case, Exercise, Misconception


def cross_entropy(z, y):
    z = z - z.max(axis=1, keepdims=True)
    return float(np.mean(np.log(np.exp(z).sum(axis=1)) - z[np.arange(len(y)), y]))


def contribution(h, w_out, b_out, y):
    z = h @ w_out + b_out
    whole = cross_entropy(z, y)
    return np.array([cross_entropy(z - h[:, [j]] * w_out[j], y) - whole for j in range(h.shape[1])])


def layers(rng):
    def layer(examples, neurons, classes):
        h = np.maximum(rng.normal(size=(examples, neurons)) + 0.5, 0)
        w_out, b_out = rng.normal(size=(neurons, classes)), rng.normal(size=classes)
        y = (h @ w_out + b_out + 2 * rng.normal(size=(examples, classes))).argmax(axis=1)
        return h, w_out, b_out, y

    yield Case("six neurons, three classes", layer(60, 6, 3))
    yield Case("ten classes", layer(80, 4, 10))
    h, w_out, b_out, y = layer(50, 5, 4)
    w_out[2] = 0
    yield Case("a neuron that nobody listens to", (h, w_out, b_out, y))
    h, w_out, b_out, y = layer(50, 5, 4)
    h[:, 4], w_out[4] = h[:, 3], w_out[3]
    yield Case("twins", (h, w_out, b_out, y))
    h, w_out, b_out, y = layer(40, 3, 3)
    yield Case("a neuron that does harm", (h, w_out, b_out, (h @ w_out).argmin(axis=1)))


# Wrong answers that take more than a line


def never_put_back(h, w_out, b_out, y):
    whole, h, rises = cross_entropy(h @ w_out + b_out, y), h.copy(), []
    for j in range(h.shape[1]):
        h[:, j] = 0
        rises.append(cross_entropy(h @ w_out + b_out, y) - whole)
    return np.array(rises)


def lost_accuracy(h, w_out, b_out, y):
    def accuracy(z):
        return np.mean(z.argmax(axis=1) == y)

    z = h @ w_out + b_out
    return np.array([accuracy(z) - accuracy(z - h[:, [j]] * w_out[j]) for j in range(h.shape[1])])


def loss_alone(h, w_out, b_out, y):
    return contribution(h, w_out, b_out, y) + cross_entropy(h @ w_out + b_out, y)


def all_others_silenced(h, w_out, b_out, y):
    whole = cross_entropy(h @ w_out + b_out, y)
    return np.array([cross_entropy(h[:, [j]] * w_out[j] + b_out, y) - whole for j in range(h.shape[1])])


# Right answers, written differently


def silence_and_put_back(h, w_out, b_out, y):
    def loss(h):
        share = np.exp(h @ w_out + b_out)
        share /= share.sum(axis=1, keepdims=True)
        return -np.mean(np.log(share[np.arange(len(y)), y]))

    rises = []
    for j in range(h.shape[1]):
        without = h.copy()
        without[:, j] = 0
        rises.append(loss(without) - loss(h))
    return np.array(rises)


def delete_the_row(h, w_out, b_out, y):
    whole = cross_entropy(h @ w_out + b_out, y)
    gone = (cross_entropy(np.delete(h, j, 1) @ np.delete(w_out, j, 0) + b_out, y) for j in range(len(w_out)))
    return np.array(list(gone)) - whole


EXERCISE = Exercise(
    id="06.contribution",
    title="Contribution, by brute force",
    points=4,
    minutes=12,
    difficulty=2,
    reference=contribution,
    cases=layers,
    misconceptions=[
        Misconception(
            wrong=never_put_back,
            says="You never put a neuron back: the second is silenced while the first is still gone, and at the end "
            "all are. Start from the whole layer each time.",
        ),
        Misconception(
            wrong=lambda h, w_out, b_out, y: -contribution(h, w_out, b_out, y),
            says="The sign is turned round. A neuron is needed if the loss is higher without it: loss without minus "
            "loss with.",
        ),
        Misconception(
            wrong=lambda h, w_out, b_out, y: np.abs(contribution(h, w_out, b_out, y)),
            says="You took the absolute value. A negative contribution says something: without that neuron the loss is "
            "lower. Keep the sign.",
        ),
        Misconception(
            wrong=lost_accuracy,
            says="This is the lost accuracy. It moves in steps of one example and is zero for many neurons, so it "
            "cannot rank them. Use the loss.",
        ),
        Misconception(
            wrong=loss_alone,
            says="This is the loss without the neuron. The contribution is how much it has risen: take the loss of the "
            "whole layer away.",
        ),
        Misconception(
            wrong=all_others_silenced,
            says="You silenced all the other neurons and kept one. Silence one and keep the others.",
        ),
    ],
    hints=[
        "Write it for one neuron: the outputs z without it, then the difference of two losses. Then a loop.",
        "Without neuron j the outputs are z − h[:, [j]] * w_out[j]. Take cross_entropy of that, minus cross_entropy "
        "of z.",
    ],
    also_right=[silence_and_put_back, delete_the_row],
)
