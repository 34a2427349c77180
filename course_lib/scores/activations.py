"""Unit scores that look at what the units put out, on data.

As in ``scores.units``, a score is ``{layer name: array (units,)}``, high = keep, for the hidden layers. The activation
a of a unit is its layer's output after the activation function, that of an Activation or ReLU layer behind it included,
also behind a BatchNormalization; a convolution has one at every position. A unit is silenced by setting its output to
zero behind the BatchNormalization and activation layers that follow it, as if it were removed together with them.

Sources: the mean activation, and unit Taylor, Molchanov et al., "Pruning Convolutional Neural Networks for Resource
Efficient Inference", ICLR (2017); APoZ, Hu et al., "Network Trimming", arXiv:1607.03250 (2016); contribution, the
oracle of Molchanov et al., leave-one-out.
"""

from collections import defaultdict
from contextlib import ExitStack, contextmanager
from itertools import count
from unittest import mock

import tensorflow as tf

from course_lib.scores.hidden import pass_through
from course_lib.scores.loss import loss, mean_over, needs_loss, traced

__all__ = ["activation_mean", "apoz", "contribution", "unit_taylor"]


def activation_mean(model, data) -> dict:
    """The mean activation of a unit.

        score_j = mean over examples and positions of a_j

    With ReLU it is never negative. With tanh, say, signs cancel: a unit that swings around zero scores low.

    Parameters
    ----------
    model
        A built Keras model, compiled or not; used in inference mode.
    data
        A pair (x, y) of arrays, or an iterable of batches (x, y).

    Returns
    -------
    dict
        {layer name: float64 array (units,)}.

    Raises
    ------
    ValueError
        There are no data; the model is not built, has no hidden units, or they cannot be found (``scores.hidden``).

    Examples
    --------
    >>> import keras, numpy as np
    >>> hidden = keras.layers.Dense(2, activation="relu", name="hidden")
    >>> model = keras.Sequential([keras.Input((1,)), hidden, keras.layers.Dense(1)])
    >>> hidden.set_weights([np.array([[1.0, -2.0]]), np.zeros(2)])
    >>> activation_mean(model, (np.array([[1.0], [3.0]]), np.zeros(2)))["hidden"].tolist()
    [2.0, 0.0]
    """
    return _mean_of_activations(model, data, lambda a: a)


def apoz(model, data) -> dict:
    """How often a unit is not zero: 1 − APoZ, the average percentage of zeros, so that high = keep here too.

        score_j = 1 − mean over examples and positions of [a_j = 0]

    Meant for ReLU; an activation function that is never exactly zero gives 1 to every unit.

    Parameters, result and errors as for :func:`activation_mean`.

    Examples
    --------
    >>> import keras, numpy as np
    >>> hidden = keras.layers.Dense(2, activation="relu", name="hidden")
    >>> model = keras.Sequential([keras.Input((1,)), hidden, keras.layers.Dense(1)])
    >>> hidden.set_weights([np.array([[1.0, -2.0]]), np.zeros(2)])
    >>> apoz(model, (np.array([[1.0], [3.0], [-1.0], [0.0]]), np.zeros(4)))["hidden"].tolist()
    [0.5, 0.25]
    """
    return _mean_of_activations(model, data, lambda a: tf.cast(a != 0, "float32"))


def contribution(model, data) -> dict:
    """The rise of the loss when a unit is silenced, by brute force.

        score_j = L(a_j = 0) − L

    Negative where the model does better without the unit. One forward pass over the data for every unit: use some
    hundreds or thousands of examples.

    Parameters, result and errors as for :func:`activation_mean`, in units of the loss; the model must be compiled.

    Examples
    --------
    >>> import keras, numpy as np
    >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(2, name="hidden"), keras.layers.Dense(1)])
    >>> model.set_weights([np.array([[1.0, 2.0]]), np.zeros(2), np.ones((2, 1)), np.zeros(1)])  # 1 x + 2 x = 3 x
    >>> model.compile(loss="mse")
    >>> contribution(model, (np.array([[1.0]]), np.array([[3.0]])))["hidden"].tolist()  # (2 − 3)² and (1 − 3)²
    [1.0, 4.0]
    """
    needs_loss(model)

    def of_batch(x, y):
        n = tf.cast(tf.shape(y)[0], "float32")
        whole, found = pass_through(model, lambda: loss(model, x, y))

        def rises(units):
            def rise(gate):
                with _multiplied(units, gate):
                    return n * (loss(model, x, y) - whole)

            size = units.ends[0].output.shape[units.axis]
            return tf.map_fn(rise, 1 - tf.eye(size))  # (units,)

        return {name: rises(units) for name, units in found.items()}

    return _mean(data, of_batch)


def unit_taylor(model, data) -> dict:
    """The first-order change of the loss when a unit is silenced.

        score_j = mean over examples i of | mean over positions p of a_jp · ∂L_i/∂a_jp |

    with L_i the loss of example i. Of a Dense unit the inner mean has one term, and a · ∂L/∂a is the whole first-order
    change; of a filter it is that change divided by the number of positions, as published. The paper's division by each
    layer's norm is left out.

    Parameters, result and errors as for :func:`contribution`. The loss must be a mean of the losses of examples.

    Examples
    --------
    >>> import keras, numpy as np
    >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(2, name="hidden"), keras.layers.Dense(1)])
    >>> model.set_weights([np.array([[1.0, 2.0]]), np.zeros(2), np.ones((2, 1)), np.zeros(1)])  # 1 x + 2 x = 3 x
    >>> model.compile(loss="mse")
    >>> unit_taylor(model, (np.array([[1.0]]), np.array([[2.0]])))["hidden"].tolist()  # |a · 2 (3 − 2)|
    [2.0, 4.0]
    """
    needs_loss(model)

    def of_batch(x, y):
        total, found = pass_through(model, lambda: loss(model, x, y) * tf.cast(tf.shape(y)[0], "float32"))

        def of_units(units):
            outputs = [end.output for end in units.ends]
            slopes = tf.gradients(total, outputs, unconnected_gradients="zero")  # rows: ∂L_i/∂a, no other example's
            terms = [_over_positions(a * g, units.axis) for a, g in zip(outputs, slopes, strict=True)]
            return tf.reduce_sum(tf.abs(tf.add_n(terms) / len(terms)), axis=0)

        return {name: of_units(units) for name, units in found.items()}

    return _mean(data, of_batch)


def _mean_of_activations(model, data, function):
    def of_batch(x, y):
        _, found = pass_through(model, lambda: model(x, training=False))

        def of_units(units):
            terms = [_over_positions(function(a), units.axis) for a in units.activations]
            return tf.reduce_sum(tf.add_n(terms) / len(terms), axis=0)

        return {name: of_units(units) for name, units in found.items()}

    return _mean(data, of_batch)


def _over_positions(a, axis):
    """Mean over all axes but the first and that of the units: (examples, units)."""
    positions = [i for i in range(1, len(a.shape)) if i != axis % len(a.shape)]
    return tf.reduce_mean(tf.cast(a, "float32"), positions)


def _mean(data, of_batch) -> dict:
    """{layer name: mean over all examples of what ``of_batch(x, y)`` sums over a batch}."""
    names = []

    @traced
    def listed(x, y):
        sums = of_batch(x, y)
        names[:] = sums
        return list(sums.values())

    means = mean_over(data, listed)
    return dict(zip(names, means, strict=True))


@contextmanager
def _multiplied(units, gate):
    """In the block, which calls the model once, the units' outputs are multiplied by ``gate``, shape (units,)."""
    numbers = defaultdict(set)
    for end in units.ends:
        numbers[end.layer].add(end.number)
    with ExitStack() as stack:
        for layer, which in numbers.items():
            stack.enter_context(mock.patch.object(layer, "call", _gated(layer.call, which, gate, units.axis)))
        yield


def _gated(call, which, gate, axis):
    number = count()

    def gated_call(*args, **kwargs):
        output = call(*args, **kwargs)
        if next(number) not in which:
            return output
        along = [-1 if i == axis % len(output.shape) else 1 for i in range(len(output.shape))]
        return output * tf.reshape(tf.cast(gate, output.dtype), along)

    return gated_call
