"""Pruning that depends on the input: examples that leave early.

An exit says what need not be computed. It saves time only where the runtime skips it: Keras runs a model with several
heads to its end.

Source: Teerapittayanon, McDanel, Kung, "BranchyNet: Fast Inference via Early Exiting from Deep Neural Networks",
ICPR (2016).
"""

from typing import NamedTuple

import keras
import numpy as np
from keras import ops

from course_lib.report import summary

__all__ = ["Exits", "add_exits", "early_exit"]


def add_exits(model, layers, classes):
    """The model with a head behind each of these layers, its own output last: trained together, for :func:`early_exit`.

        p = softmax(W · mean of h over space + b),     h the layer's output, channels last

    Parameters
    ----------
    model
        A functional or Sequential Keras model with one output, a softmax. Its layers are shared, not copied.
    layers
        Names of layers; the heads, ``<name>_exit``, come in the model's order.
    classes
        Number of classes.

    Raises
    ------
    ValueError
        A model that is subclassed or has several outputs; no layers, or one that the model does not have.

    Examples
    --------
    >>> from course_lib import models
    >>> add_exits(models.small_cnn(), ["conv_1", "conv_2"], classes=10).output_names
    ['conv_1_exit', 'conv_2_exit', 'output']
    """
    heads, names = list(getattr(model, "outputs", None) or []), [layer.name for layer in model.layers]
    if len(heads) != 1:
        raise ValueError(f"model {model.name!r} has {len(heads)} outputs; give one with one output, not subclassed.")
    if isinstance(layers, str) or not layers or set(layers) - set(names):
        raise ValueError(f"layers is {layers!r}; give a list of names of layers, of {', '.join(names)}.")
    for name in sorted(layers, key=names.index, reverse=True):
        h = model.get_layer(name).output
        h = ops.mean(h, axis=tuple(range(1, len(h.shape) - 1))) if len(h.shape) > 2 else h  # (batch, channels)
        heads.insert(0, keras.layers.Dense(classes, "softmax", name=f"{name}_exit")(h))
    return keras.Model(model.inputs if isinstance(model, keras.Sequential) else model.input, heads)


class Exits(NamedTuple):
    """Result of :func:`early_exit`: for each example its class and the number of the head it left at, 0 for the first;
    and the mean share of the model's MACs that the examples need."""

    classes: np.ndarray
    exits: np.ndarray
    macs_share: float


def early_exit(model, x, threshold) -> Exits:
    """Every example leaves at the first softmax head that is confident of it.

        exit = min {i : max_c p_i(c) ≥ threshold},   the last head if there is none

    (BranchyNet takes a low entropy for confidence; here it is the highest probability.) The heads are trained together,
    by the weighted sum of their losses: ``model.compile(optimizer, [loss] * heads, loss_weights=[…])`` and
    ``model.fit(x, [y] * heads)``. An example that leaves at head i needs the MACs of everything that heads 0 to i need.

    Parameters
    ----------
    model
        A functional Keras model with two or more softmax outputs of shape (n, classes), in the order of their depth.
    x
        Inputs, n examples.
    threshold
        0 to 1: at 0 everything leaves at the first head.

    Raises
    ------
    ValueError
        A model that is not functional or has one output, a head that does not give probabilities, a threshold out of
        range.

    Examples
    --------
    >>> x = keras.Input((4,))
    >>> h = keras.layers.Dense(90, "relu")(x)
    >>> early = keras.layers.Dense(3, "softmax")(x)
    >>> model = keras.Model(x, [early, keras.layers.Dense(3, "softmax")(h)])
    >>> left = early_exit(model, np.ones((2, 4)), threshold=0.0)
    >>> left.exits.tolist(), round(left.macs_share, 4)  # 4 · 3 of 4 · 3 + 4 · 90 + 90 · 3 MACs
    ([0, 0], 0.0187)
    """
    heads = getattr(model, "outputs", None) or []
    if len(heads) < 2:
        raise ValueError(f"model {model.name!r} has {len(heads)} outputs; give a functional one with two or more.")
    if not 0 <= threshold <= 1:
        raise ValueError(f"threshold is {threshold}; it is a probability, from 0 to 1.")
    probabilities = np.stack(keras.tree.flatten(model.predict(x, verbose=0))).astype("float32")  # (heads, n, classes)
    if probabilities.ndim != 3 or np.any(probabilities < 0) or np.any(np.abs(probabilities.sum(axis=-1) - 1) > 0.01):
        raise ValueError(f"The outputs of model {model.name!r} are not probabilities; let each head end in a softmax.")
    confident = probabilities.max(axis=-1) >= threshold
    confident[-1] = True
    exits = confident.argmax(axis=0)
    classes = probabilities.argmax(axis=-1)[exits, np.arange(len(exits))]
    macs = np.array([summary(keras.Model(model.input, heads[: i + 1])).macs for i in range(len(heads))])
    return Exits(classes, exits, float(np.mean(macs[exits] / macs[-1])))
