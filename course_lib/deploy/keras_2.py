"""A model of Keras 3 as one of Keras 2, which lives on as ``tf_keras``: the toolkit tfmot works on no other."""

import keras
import tf_keras

from course_lib.shrink.graph import graph_of

__all__ = ["in_keras_2"]

KINDS = {  # which the toolkit can quantize, and LiteRT run in integers
    "Activation", "Add", "AveragePooling2D", "BatchNormalization", "Concatenate", "Conv2D", "Cropping2D", "Dense",
    "DepthwiseConv2D", "Dropout", "Flatten", "GlobalAveragePooling2D", "GlobalMaxPooling2D", "MaxPooling2D", "Permute",
    "ReLU", "Reshape", "SeparableConv2D", "Softmax", "SpatialDropout2D", "ZeroPadding2D",
}  # fmt: skip
ACTIVATIONS = {"linear", "relu", "sigmoid", "softmax", "tanh"}
LEFT = ("_initializer", "_regularizer", "_constraint", "quantization_config", "trainable", "dtype")


def in_keras_2(model):
    """A ``tf_keras`` model of the same layers, names and weights, which computes the same, in float32.

    A SeparableConv2D crosses as the two convolutions that it is, named ``…_depthwise`` and ``…_pointwise``: the toolkit
    would split it too, but by names that may be taken, and then never ends. Regularizers, constraints, initializers
    and the compile state stay behind, and every layer can be trained.

    Raises
    ------
    TypeError, ValueError
        The model is not built, or has no graph that can be read. A layer or its activation cannot cross, or it is
        called twice: the message names the first.

    Examples
    --------
    >>> from course_lib import models
    >>> type(in_keras_2(models.lenet_300_100())).__module__.split(".")[0]
    'tf_keras'
    """
    functional, twins = graph_of(model), {}

    def call(layer, x, **options):
        if id(layer) in twins:
            raise ValueError(f"layer {layer.name!r} is called twice, which the toolkit cannot quantize; make it two.")
        twins[id(layer)] = (layer, _twins(layer))
        for twin in twins[id(layer)][1]:
            x = twin(x)
        return x

    inputs = [tf_keras.Input(x.shape[1:], name=x.name, dtype=x.dtype) for x in functional.inputs]
    outputs = keras.tree.flatten(functional._run_through_graph(inputs, call_fn=call))
    new = tf_keras.Model(inputs, outputs, name=model.name)
    for layer, copies in twins.values():
        weights = iter(layer.get_weights())
        for copy in copies:
            copy.set_weights([next(weights) for _ in copy.weights])
    return new


def _twins(layer):
    kind = type(layer).__name__
    if kind not in KINDS or type(layer) is not getattr(keras.layers, kind):
        raise ValueError(
            f"layer {layer.name!r} is a {kind}, which the toolkit cannot quantize; it can {', '.join(sorted(KINDS))}. "
            f"Without training, deploy.to_tflite(..., quantize='int8') can do more."
        )
    config = {key: value for key, value in layer.get_config().items() if not key.endswith(LEFT)}
    if config.get("activation", "linear") not in ACTIVATIONS:
        raise ValueError(
            f"layer {layer.name!r} has the activation {config['activation']!r}, which the toolkit cannot quantize; "
            f"it can {', '.join(sorted(ACTIVATIONS))}."
        )
    if kind == "Activation" and config["activation"] == "relu":
        kind, config = "ReLU", {"name": layer.name}  # the same, and its range is taken from the data
    if kind == "SeparableConv2D":
        return _two_convolutions(**config)
    return [getattr(tf_keras.layers, kind).from_config(config)]


def _two_convolutions(name, filters, activation, use_bias, data_format, **spread):
    return [
        tf_keras.layers.DepthwiseConv2D(**spread, data_format=data_format, use_bias=False, name=f"{name}_depthwise"),
        tf_keras.layers.Conv2D(
            filters, 1, data_format=data_format, activation=activation, use_bias=use_bias, name=f"{name}_pointwise"
        ),
    ]
