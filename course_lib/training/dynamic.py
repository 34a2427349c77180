"""Pruning that depends on the input: channels that are gated, examples that leave early.

Sources: gates, Gao et al., "Dynamic Channel Pruning: Feature Boosting and Suppression", ICLR (2019); exits,
Teerapittayanon, McDanel, Kung, "BranchyNet: Fast Inference via Early Exiting from Deep Neural Networks", ICPR (2016).

Both say what need not be computed. They save time only where the runtime skips it: Keras and TensorFlow compute a gated
channel and multiply it by zero, and run a model with several heads to its end.
"""

import math
from typing import NamedTuple

import keras
import numpy as np
from keras import ops

from course_lib.calls import watching
from course_lib.report import summary

__all__ = ["ChannelGate", "Exits", "add_exits", "early_exit", "gate_rates"]


@keras.saving.register_keras_serializable("course_lib")
class ChannelGate(keras.layers.Layer):
    """Let each example run only the channels that matter to it.

        g = relu(mean |x| · φ + ρ),     y ← y ⊙ (g where it is among the k highest, else 0)

    ``gate([x, y])`` looks at the input x of a layer and gates the layer's output y, so that the channels that lose
    need not be computed. What wins is scaled by its g: the gradient reaches φ and ρ through it. Works for Dense layers
    and for convolutions, channels last. The gate may stand before or after a relu. φ and ρ are a Dense layer of the
    gate's, counted in the MACs and pruned like any other; ρ starts at 1.

    Parameters
    ----------
    rate
        Target: the fraction of channels that run, above 0 and up to 1: k = ⌊rate · channels + ½⌋, at least 1. A channel
        whose g is 0 does not run either, so the rate reached may be lower: see :func:`gate_rates`.
    strength
        λ of the penalty λ · mean over the batch of Σ g, which is added to the loss; 1e-8 in the paper.

    Raises
    ------
    ValueError
        A rate or a strength out of range; an input that is not [x, y] with at least a batch and a channel axis.

    Examples
    --------
    >>> x = keras.Input((8, 8, 3))
    >>> y = keras.layers.Conv2D(16, 3, padding="same")(x)
    >>> model = keras.Model(x, ChannelGate(rate=0.25, name="gate")([x, y]))
    >>> output = model(np.random.default_rng(0).random((5, 8, 8, 3), "float32")).numpy()
    >>> (output != 0).any(axis=(1, 2)).sum(axis=1).tolist()
    [4, 4, 4, 4, 4]
    """

    def __init__(self, rate, strength=1e-8, **options):
        super().__init__(**options)
        if not 0 < rate <= 1:
            raise ValueError(f"rate is {rate}; it is the fraction of channels that run, above 0 and up to 1.")
        if not 0 <= strength < math.inf:
            raise ValueError(f"strength is {strength}; it must be a finite number, at least 0.")
        self.rate, self.strength = rate, strength

    def build(self, shapes):
        if len(shapes) != 2 or not all(isinstance(shape, list | tuple) and len(shape) >= 2 for shape in shapes):
            raise ValueError(f"ChannelGate got shapes {shapes}; call it on [x, y], a layer's input and output.")
        of_x, of_y = shapes
        self.saliency = keras.layers.Dense(
            of_y[-1], "relu", bias_initializer="ones", kernel_initializer="he_normal", dtype=self.dtype_policy
        )
        self.saliency.build((None, of_x[-1]))

    def gates(self, x):
        """g of all channels, and g of those that run with 0 for the others: two tensors (batch, channels)."""
        pooled = ops.mean(ops.abs(x), axis=tuple(range(1, len(x.shape) - 1)))  # (batch, channels of x)
        saliency = self.saliency(pooled)
        channels = saliency.shape[-1]
        _, winners = ops.top_k(saliency, max(1, math.floor(self.rate * channels + 0.5)))  # (batch, k)
        return saliency, saliency * ops.sum(ops.one_hot(winners, channels, dtype=saliency.dtype), axis=1)

    def call(self, inputs):
        x, y = inputs
        saliency, gates = self.gates(x)
        self.add_loss(self.strength * ops.mean(ops.sum(ops.cast(saliency, "float32"), axis=-1)))
        return y * ops.reshape(gates, (-1, *[1] * (len(y.shape) - 2), gates.shape[-1]))

    def compute_output_shape(self, shapes):
        return shapes[1]

    def get_config(self):
        return {**super().get_config(), "rate": self.rate, "strength": self.strength}


def gate_rates(model, x) -> dict:
    """{name of a gate: mean fraction of its channels that run} on a batch x of inputs.

    Examples
    --------
    >>> x = keras.Input((3,))
    >>> model = keras.Model(x, ChannelGate(rate=0.5, name="gate")([x, keras.layers.Dense(10)(x)]))
    >>> gate_rates(model, np.ones((4, 3)))
    {'gate': 0.5}
    """
    rates = {}

    def on_call(layer, inputs, output):
        if isinstance(layer, ChannelGate):
            _, gates = layer.gates(inputs[0])
            rates[layer.name] = float(np.mean(ops.convert_to_numpy(gates) > 0))

    with watching(on_call):
        model(x, training=False)
    return rates


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
