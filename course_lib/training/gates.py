"""Pruning that depends on the input: channels that each example runs or not.

A gate says what need not be computed. It saves time only where the runtime skips it: Keras and TensorFlow compute a
gated channel and multiply it by zero.

Source: Gao et al., "Dynamic Channel Pruning: Feature Boosting and Suppression", ICLR (2019).
"""

import math

import keras
import numpy as np
from keras import ops

from course_lib.calls import watching

__all__ = ["ChannelGate", "gate_rates"]


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
    >>> gate_rates(model, np.zeros((4, 3)))  # all saliencies are ρ = 1
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
