"""The number of parameters of a network of dense layers."""

from itertools import pairwise

from course_lib.classroom import Case, Exercise, Misconception


def network_parameters(units):
    return sum(n * m + m for n, m in pairwise(units))


def networks(rng):
    yield Case("LeNet-300-100, the network of the next lessons", ([784, 300, 100, 10],))
    yield Case("a single layer", (rng.integers(2, 50, size=2).tolist(),))
    yield Case("three hidden layers", (rng.integers(2, 50, size=5).tolist(),))


# Wrong answers that take more than a line


def count_weights(units):
    return sum(n * m for n, m in pairwise(units))


EXERCISE = Exercise(
    id="01.network_parameters",
    title="Count the parameters",
    points=2,
    minutes=5,
    difficulty=1,
    reference=network_parameters,
    cases=networks,
    misconceptions=[
        Misconception(
            wrong=count_weights,
            says="You counted the weights and forgot the biases. Every unit of a layer has one besides its weights.",
        ),
        Misconception(
            wrong=lambda units: count_weights(units) + sum(units),
            says="You gave the inputs of the network a bias too. They only come in; units have biases.",
        ),
        Misconception(
            wrong=lambda units: count_weights(units) + len(units) - 1,
            says="You counted one bias for each layer. It is one for each unit of the layer.",
        ),
        Misconception(
            wrong=lambda units: count_weights(units) + sum(units[:-1]),
            says="Your biases are as many as a layer's inputs. They belong to its units: m for a layer from n to m.",
        ),
        Misconception(
            wrong=lambda units: sum(units),
            says="You counted the units. Each unit has a weight for every one of its inputs, and a bias.",
        ),
    ],
    hints=[
        "Start with one layer, from n inputs to m units: how many weights, how many biases? Then add up the layers.",
        "Neighbours in the list make a layer: n·m weights and m biases. itertools.pairwise(units) gives the pairs.",
    ],
    also_right=[
        lambda units: sum((units[i] + 1) * units[i + 1] for i in range(len(units) - 1)),
        lambda units: count_weights(units) + sum(units[1:]),
    ],
)
