"""SynFlow: prune a fresh net without data, and without cutting it in two.

Source: Tanaka, Kunin, Yamins, Ganguli, "Pruning neural networks without any data by iteratively conserving synaptic
flow", NeurIPS (2020).
"""

from contextlib import ExitStack, contextmanager
from unittest import mock

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from course_lib.calls import watching
from course_lib.masks import from_scores
from course_lib.scores.loss import traced
from course_lib.variables import prunable

__all__ = ["synflow", "synflow_masks"]

PASSED_THROUGH = (layers.BatchNormalization, layers.ReLU, layers.LeakyReLU, layers.PReLU, layers.ELU, layers.Softmax)


def synflow(model, data=None, *, input_shape=None) -> dict:
    """Synaptic saliency: the weight's share of what flows from the inputs to the outputs.

        R = 1ᵀ |W_L| … |W_2| |W_1| 1,     score(w) = |w| · ∂R/∂|w|

    That is the model on an input of ones, with absolute weights and in linear mode: activations and BatchNormalization
    pass their input through, biases are 0; the model itself is not changed. In a chain of layers every layer's scores
    add up to R, and so do the scores into a hidden unit to those out of it (the paper's conservation laws). That is
    why pruning in many small steps, :func:`synflow_masks`, never empties a layer; pruning in one step may.

    Parameters
    ----------
    model
        A built Keras model, usually fresh; it needs no loss.
    data
        Not used.
    input_shape
        Shape of one example without the batch axis; needed where the model does not know it (subclassed models) or
        leaves an axis open.

    Returns
    -------
    dict
        {variable path: float64 array of the variable's shape}, in units of R.

    Raises
    ------
    ValueError
        The model is not built, or the shape of its input is not known; a layer is not linear in linear mode, such as
        attention, layer normalisation or a gate (it is named); R is too large for the model's number format.

    Examples
    --------
    >>> model = keras.Sequential([keras.Input((2,)), layers.Dense(2, activation="relu"), layers.Dense(1)])
    >>> model.set_weights([np.array([[1, -2], [3, 0]]), np.zeros(2), np.array([[-1], [5]]), np.zeros(1)])
    >>> [array.tolist() for array in synflow(model).values()]  # R = (1 + 3) · 1 + 2 · 5
    [[[1.0, 10.0], [3.0, 0.0]], [[4.0], [10.0]]]
    """
    with _flow(model, input_shape) as scores:
        return scores({})


def synflow_masks(model, sparsity, *, rounds=100, input_shape=None):
    """Iterative SynFlow: score, prune a little, score again.

    After round k of n the fraction (1 − sparsity)^(k/n) of the weights is kept: each round prunes the same share of
    those that are left. The weights are not changed; ``hold(model, masks)`` does that.

    Parameters
    ----------
    model, input_shape
        As for :func:`synflow`.
    sparsity
        Fraction to prune of all prunable weights together.
    rounds
        n, at least 1; the paper takes 100.

    Returns
    -------
    Masks

    Raises
    ------
    ValueError
        As for :func:`synflow`; ``sparsity`` is not from 0 to 1; ``rounds`` is below 1.

    Examples
    --------
    >>> from course_lib import models
    >>> round(synflow_masks(models.lenet_300_100(), 0.99, rounds=5).sparsity, 4)
    0.99
    """
    if rounds < 1:
        raise ValueError(f"rounds is {rounds}; it is a whole number of at least 1, 100 in the paper.")
    masks = from_scores({}, sparsity)  # refuses a bad sparsity before the work begins
    with _flow(model, input_shape) as scores:
        for k in range(1, rounds + 1):
            kept = {path: np.where(masks.get(path, True), array, -np.inf) for path, array in scores(masks).items()}
            masks = from_scores(kept, 1 - (1 - sparsity) ** (k / rounds))
    return masks


@contextmanager
def _flow(model, input_shape):
    """Inside the block the model is linear, and the function masks -> scores is given."""
    kernels, ones = prunable(model), _ones(model, input_shape)
    biases = [(v, tf.zeros(v.shape, v.dtype)) for v in model.weights if v.name == "bias"]

    def outputs(x, values):
        with keras.StatelessScope([*zip(kernels.values(), values, strict=True), *biases]):
            return [tf.cast(y, "float32") for y in keras.tree.flatten(model(x, training=False))]

    @traced
    def gradients(values):
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(values)
            flow = tf.add_n([tf.reduce_sum(y) for y in outputs(ones, values)])
        return flow, tape.gradient(flow, values, unconnected_gradients="zero")

    def scores(masks):
        values = [tf.abs(v.value) * masks.get(path, np.ones(v.shape, bool)) for path, v in kernels.items()]
        flow, found = gradients(values)
        if not np.isfinite(flow):
            raise ValueError(f"model {model.name!r} gives a flow of {flow:g}, too large for its number format.")
        return {
            path: w.numpy().astype("float64") * g.numpy() for path, w, g in zip(kernels, values, found, strict=True)
        }

    with _linear(model):
        _check_linear(model, ones, lambda x: outputs(x, [tf.abs(v.value) for v in kernels.values()]))
        yield scores


@contextmanager
def _linear(model):
    with ExitStack() as stack:
        for layer in model._flatten_layers():
            if "activation" in vars(layer):
                stack.enter_context(mock.patch.object(layer, "activation", keras.activations.linear))
        for kind in PASSED_THROUGH:
            stack.enter_context(mock.patch.object(kind, "call", lambda self, x, *args, **kwargs: x))
        yield


def _check_linear(model, ones, outputs):
    """What is linear gives twice as much for twice the input. The first and innermost layer that does not is named."""
    seen = []

    def see(layer, inputs, output):
        seen.append((layer, [part.numpy() for part in keras.tree.flatten([inputs, output])]))

    rng = np.random.default_rng(0)
    x = keras.tree.map_structure(lambda one: one * rng.uniform(1, 2, one.shape).astype("float32"), ones)
    with watching(see):
        outputs(x)
        once, seen = seen, []
        outputs(keras.tree.map_structure(lambda part: 2 * part, x))
    for (layer, before), (_, after) in zip(once, seen, strict=True):
        *inputs, output = [np.allclose(b, 2 * a, rtol=1e-3, atol=0) for a, b in zip(before, after, strict=True)]
        if all(inputs) and not output:
            raise ValueError(
                f"layer {layer.name!r} ({type(layer).__name__}) of model {model.name!r} is not linear without its "
                f"activation, so flow is not conserved; use another score, or give SynFlow the part without it."
            )


def _ones(model, input_shape):
    shapes = [tuple(x.shape[1:]) for x in getattr(model, "inputs", None) or []]
    if input_shape is not None:
        shapes = [tuple(input_shape)]
    if not shapes or None in sum(shapes, ()):
        raise ValueError(
            f"input_shape is {input_shape}, and model {model.name!r} does not know its own, or not all of it; "
            f"give it, without the batch axis."
        )
    ones = [tf.ones((1, *shape)) for shape in shapes]
    return ones[0] if len(ones) == 1 else ones
