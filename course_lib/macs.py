"""Count multiply-accumulates: how many entries a kernel has, times at how many places it is applied."""

import math
import re
from collections import defaultdict
from numbers import Integral

from course_lib.calls import example_specs, watching
from course_lib.variables import KERNELS, built

__all__ = ["macs_by_layer", "own_weights"]


def macs_by_layer(model, input_shape) -> dict:
    """{layer: MACs}, from the shapes that pass through the layers while the model is traced."""
    import tensorflow as tf

    if input_shape is not None and not _are_sizes(input_shape):
        raise ValueError(f"input_shape is {input_shape!r}; give the sizes of one example, such as (28, 28, 1).")
    examples = example_specs(built(model), input_shape)
    if examples is None:
        raise ValueError(
            f"input_shape is None, and model {model.name!r} does not know its own; give it, without the batch axis."
        )
    calls = []  # what is wrong with one of them is better said outside of TensorFlow's tracing

    def note(layer, inputs, output):
        shapes = [tuple(x.shape) if hasattr(x, "shape") else None for x in (inputs, output)]
        calls.append((layer, *shapes))

    try:
        with watching(note):
            tf.function(lambda x: model(x, training=False), autograph=False).get_concrete_function(examples)
    except Exception as error:  # whatever a layer raises that is given a shape it cannot take
        if input_shape is None:
            raise
        raise ValueError(
            f"input_shape is {input_shape}, but the model {model.name!r} is not for such examples: {error}"
        ) from error
    macs = defaultdict(int)
    for layer, entering, leaving in calls:
        for part, n in _products(layer, entering, leaving):
            macs[part] += n
    return macs


def _products(layer, entering, leaving):
    """Pairs (layer, MACs) of one call with a batch of 1: of the layer's own kernels, or those it runs inside."""
    from keras import layers

    if isinstance(layer, layers.TimeDistributed):  # runs its layer once a step, unseen
        steps = _known(layer, entering[1:2])
        for part, n in _products(layer.layer, (1, *entering[2:]), (1, *leaving[2:])):
            yield part, n * steps
    elif isinstance(layer, layers.RNN):
        if "Conv" in type(layer).__name__:
            raise ValueError(f"layer {layer.name!r} is a recurrent convolution, whose MACs are not counted here.")
        steps = _known(layer, entering[1:2])
        for cell in layer.cell._flatten_layers():
            yield cell, steps * _entries(cell)
    elif _entries(layer) and not hasattr(layer, "recurrent_kernel"):  # cells are counted with their layer
        yield layer, _entries(layer) * _positions(layer, entering, leaving)


def _entries(layer) -> int:
    return sum(math.prod(v.shape) for v in own_weights(layer) if v.name in KERNELS)


def _positions(layer, entering, leaving) -> int:
    """At how many places of one example (batch of 1) the layer applies its kernel."""
    from keras import layers

    if isinstance(layer, layers.EinsumDense):
        _, of_kernel, of_output = re.split("->|,", layer.equation)  # "abc,cd->abd": the kernel makes the axis d
        axes = zip(reversed(of_output.replace(".", "")), reversed(leaving), strict=False)
        made = {i for i, (letter, _) in enumerate(axes) if letter in of_kernel}
        return _known(layer, [size for i, size in enumerate(reversed(leaving)) if i not in made])
    places = entering if "Transpose" in type(layer).__name__ else leaving
    return _known(layer, places[2:] if getattr(layer, "data_format", None) == "channels_first" else places[1:-1])


def _are_sizes(shape) -> bool:
    return isinstance(shape, tuple | list) and all(isinstance(size, Integral) and size > 0 for size in shape)


def _known(layer, sizes) -> int:
    if None in sizes:
        raise ValueError(
            f"input_shape leaves an axis open, on which the MACs of layer {layer.name!r} depend; "
            f"give the shape of one example, all axes but the batch."
        )
    return math.prod(sizes)


def own_weights(layer) -> list:
    """A layer's weights without those of the layers inside of it."""
    deeper = {id(v) for child in layer._flatten_layers(include_self=False) for v in child.weights}
    return [v for v in layer.weights if id(v) not in deeper]
