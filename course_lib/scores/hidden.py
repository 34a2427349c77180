"""Where a model's hidden units are, and which layers come right behind them.

Units are those of Dense, convolution, transposed and separable convolution layers. The model's own outputs are never
touched: a layer whose units reach them with no other kernel in between is left out. So are depthwise convolutions,
whose channels belong to the layer before.

A model is traced once, as a graph, and whatever kind it is: from its outputs back, operation by operation, to the
kernels that made them; and from each layer on, through the BatchNormalization and activation *layers* that alone take
its output. A bare operation such as ``keras.ops.relu(x)`` is not seen as an activation: use a layer for it.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from course_lib.calls import example_specs, watching
from course_lib.scores.loss import batches, traced

__all__ = ["Call", "Units", "hidden_units", "named_layers", "pass_through"]

TRANSPOSED = layers.Conv1DTranspose, layers.Conv2DTranspose, layers.Conv3DTranspose
SEPARABLE = layers.SeparableConv1D, layers.SeparableConv2D
WITH_UNITS = (layers.Dense, layers.Conv1D, layers.Conv2D, layers.Conv3D, *TRANSPOSED, *SEPARABLE)
MIXING = (*WITH_UNITS, layers.EinsumDense, layers.RNN, layers.Wrapper)  # their outputs are not their inputs' channels
ACTIVATIONS = layers.Activation, layers.ReLU, layers.LeakyReLU, layers.PReLU, layers.ELU


class Call(NamedTuple):
    """One call of a layer; ``number`` counts the calls of the same layer, from 0."""

    layer: keras.Layer
    number: int
    inputs: object
    output: object


@dataclass(frozen=True)
class Units:
    """The units of a layer, as seen in one pass through the model.

    ``chains`` has a list for each time that the layer is called: that call, then those of the BatchNormalization and
    activation layers that follow it.
    """

    layer: keras.Layer
    chains: list

    @property
    def axis(self) -> int:
        """The axis of the layer's output that counts its units."""
        return 1 if getattr(self.layer, "data_format", None) == "channels_first" else -1

    @property
    def weights(self) -> np.ndarray:
        """The incoming weights without biases, (units, weights of one); of a separable layer the pointwise ones."""
        kernel = self.layer.pointwise_kernel if isinstance(self.layer, SEPARABLE) else self.layer.kernel
        kernel = np.moveaxis(kernel.numpy(), -2 if isinstance(self.layer, TRANSPOSED) else -1, 0)
        return kernel.reshape(len(kernel), -1)

    @property
    def norms(self) -> set:
        """The BatchNormalization layers that follow."""
        return {
            call.layer for chain in self.chains for call in chain if isinstance(call.layer, layers.BatchNormalization)
        }

    @property
    def activations(self) -> list:
        """For each call, the output of the last activation layer that follows it; without one, the layer's own."""
        seen = [[call for call in chain if isinstance(call.layer, ACTIVATIONS)] for chain in self.chains]
        return [(behind or chain)[-1 if behind else 0].output for behind, chain in zip(seen, self.chains, strict=True)]

    @property
    def ends(self) -> list:
        """For each call, the last of its chain: a unit that is zero there is as good as removed."""
        return [chain[-1] for chain in self.chains]


def hidden_units(model, data=None) -> dict:
    """{layer name: Units} in the model's order; in nested models the name is ``"inner/dense"``.

    Raises
    ------
    ValueError
        The model is not built or has no such layer; it does not know the shape of its inputs (subclassed models) and
        there are no ``data`` to see it from; two layers have one name; a layer is not called, or only inside a loop.
    """
    like = example_specs(model)
    if like is None and data is None:
        raise ValueError(f"data is None, and model {model.name!r} does not know the shape of its inputs; give (x, y).")
    if like is None:
        like = keras.tree.map_structure(lambda x: tf.TensorSpec(x.shape, x.dtype), next(iter(batches(data)))[0])
    found = {}
    trace = traced(lambda x: found.update(pass_through(model, lambda: model(x, training=False))[1]))
    trace.get_concrete_function(like)
    return found


def pass_through(model, forward):
    """The result of ``forward()``, which calls the model once, and the {layer name: Units} that it went through.

    To be called inside of a ``tf.function``, where the tensors of the result are good for use.
    """
    if not model.built:
        raise ValueError(f"model {model.name!r} is not built; call it on a batch, or model.build(input_shape), first.")
    calls, times = [], Counter()
    graph = tf.compat.v1.get_default_graph()

    def note(layer, inputs, output):
        if tf.compat.v1.get_default_graph() is graph:  # and not in a loop, whose tensors stay inside
            calls.append(Call(layer, times[layer], inputs, output))
        times[layer] += 1

    with watching(note):
        result = forward()
    return result, _found(model, calls)


def _found(model, calls):
    outputs = _output_layers(model, calls)
    uses = _uses(calls)
    found = {}
    for name, layer in named_layers(model):
        if layer in outputs or any(layer is units.layer for units in found.values()):
            continue
        if name in found:
            raise ValueError(f"model {model.name!r} has two layers called {name!r}; give them different names.")
        found[name] = Units(layer, [_chain(call, uses) for call in calls if call.layer is layer])
        if not found[name].chains:
            raise ValueError(
                f"layer {name!r} is not called by model {model.name!r}, or only inside another layer's loop, "
                f"as in TimeDistributed; call it directly: Dense works on the last axis of any input."
            )
    if not found:
        raise ValueError(f"model {model.name!r} has no hidden units; the units of its output layers are not scored.")
    return found


def _output_layers(model, calls) -> set:
    """The layers that the model's outputs come from with no other kernel in between."""
    made = {id(x): c.layer for c in calls if isinstance(c.layer, MIXING) for x in keras.tree.flatten(c.output)}
    ahead = keras.tree.flatten(next(call.output for call in reversed(calls) if call.layer is model))
    found, seen = set(), set()
    while ahead:
        tensor = ahead.pop()
        if id(tensor) in made:
            found.add(made[id(tensor)])
        elif tensor.op.name not in seen:
            seen.add(tensor.op.name)
            ahead.extend(tensor.op.inputs)
    return found | {layer.layer for layer in found if isinstance(layer, layers.Wrapper)}


def _uses(calls) -> dict:
    """{id of a tensor: the calls that take it}; not those of layers around layers, nor of Dropout in inference."""
    uses = defaultdict(list)
    for call in calls:
        around = any(True for _ in call.layer._flatten_layers(include_self=False))
        if call.output is not call.inputs and (isinstance(call.layer, WITH_UNITS) or not around):
            for tensor in keras.tree.flatten(call.inputs):
                uses[id(tensor)].append(call)
    return uses


def _chain(call, uses) -> list:
    chain, after = [call], uses[id(call.output)]
    while len(after) == 1 and isinstance(after[0].layer, (*ACTIVATIONS, layers.BatchNormalization)):
        chain.append(after[0])
        after = uses[id(after[0].output)]
    return chain


def named_layers(parent, prefix=""):
    """Pairs (name, layer) of all layers with units; the name leads through the layers around them."""
    for layer in parent._flatten_layers(include_self=False, recursive=False):
        if isinstance(layer, WITH_UNITS):
            yield prefix + layer.name, layer
        else:
            yield from named_layers(layer, f"{prefix}{layer.name}/")
