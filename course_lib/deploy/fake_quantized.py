"""The model that is trained in place of one that will be quantized, by the toolkit tfmot, and how its zeros stay."""

import tensorflow_model_optimization as tfmot
import tf_keras
from tensorflow_model_optimization.quantization.keras import quantizers

from course_lib.deploy.keras_2 import in_keras_2

__all__ = ["ZerosStay", "fake_quantized"]


def fake_quantized(model, keep_zeros):
    """A ``tf_keras`` model with the weights of a Keras 3 model that rounds weights and activations as int8 will.

    Raises
    ------
    ValueError
        A layer cannot cross, or the toolkit refuses it where it stands.
    """
    combine, plain = tfmot.experimental.combine, tfmot.quantization.keras.default_8bit
    base = combine.Default8BitPrunePreserveQuantizeScheme if keep_zeros else plain.Default8BitQuantizeScheme

    class Scheme(base):
        def get_quantize_registry(self):
            return _RangesOfData(super().get_quantize_registry())

    student = in_keras_2(model)
    with tfmot.quantization.keras.quantize_scope():
        annotated = tfmot.quantization.keras.quantize_annotate_model(student)
        try:
            return tfmot.quantization.keras.quantize_apply(annotated, Scheme())
        except (RuntimeError, ValueError) as error:
            raise ValueError(
                f"model {model.name!r} cannot be trained quantization-aware; the toolkit says: {error}"
            ) from error


class _RangesOfData:
    """The toolkit's choice for each layer, but that activations range from the least to the largest value seen.

    Its own ranges begin at ±6 and follow the data in steps of 1/1000: after one epoch of 150 steps a net whose
    activations are larger is still clipped, and had lost 9 points of accuracy.
    """

    def __init__(self, registry):
        self.registry, self.supports = registry, registry.supports

    def get_quantize_config(self, layer):
        config = self.registry.get_quantize_config(layer)
        if hasattr(config, "activation_quantizer"):
            config.activation_quantizer = quantizers.AllValuesQuantizer(
                num_bits=8, per_axis=False, symmetric=False, narrow_range=False
            )
        return config


class ZerosStay(tf_keras.callbacks.Callback):
    """Set weights that are zero when training begins back to zero after each step.

    The scheme rounds them to zero in Dense and Conv2D layers, but not in depthwise kernels, nor where a ReLU follows
    as a layer of its own.
    """

    def on_train_begin(self, logs=None):
        kernels = [v for v in self.model.trainable_weights if len(v.shape) > 1]
        self._masks = [(v, v.numpy() != 0) for v in kernels]

    def on_train_batch_end(self, batch, logs=None):
        for variable, mask in self._masks:
            variable.assign(variable * mask)
