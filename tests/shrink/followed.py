"""Which channels of a model are the same, found a second time and by other means than shrink's.

Each channel gets a number when a layer makes it; the numbers are sent through the layers, and channels that are added
or multiplied become one. Only for layers that work along the last axis, as those of Keras's applications.
"""

from contextlib import contextmanager

import keras
import numpy as np
from keras import layers

CONVOLUTIONS = (layers.Conv2D, layers.SeparableConv2D, layers.Conv2DTranspose, layers.Dense)
UNIT_AXIS = {layers.Conv2DTranspose: -2, layers.DepthwiseConv2D: -2}  # of the kernel


class Followed:
    """``of_layer`` is {layer: the number of each channel that it makes}."""

    def __init__(self, model):
        self.of_layer, self._weights, self._parent = {}, [], []
        entrance = self._new(model.input.shape[-1])
        output = self._send(model, entrance, "")
        self._fixed = {self.same(number) for number in [*entrance, *output]}

    def same(self, number):
        """The same for two channels that go together."""
        while self._parent[number] != number:
            number = self._parent[number]
        return number

    def groups(self):
        """The sets of layers that make the same channels, but for those of the model's output."""
        found = []  # (layers, channels)
        for layer, numbers in self.of_layer.items():
            made, channels = {layer}, {self.same(number) for number in numbers}
            for other in [other for other in found if other[1] & channels]:
                found.remove(other)
                made, channels = made | other[0], channels | other[1]
            found.append((made, channels))
        return {frozenset(made) for made, channels in found if not channels & self._fixed}

    @contextmanager
    def without(self, keep):
        """The model with weights at zero: all that make, scale or shift a channel that ``keep`` leaves out."""
        gone = {
            self.same(number)
            for layer, kept in keep.items()
            for i, number in enumerate(self.of_layer[layer])
            if i not in set(kept)
        }
        before = []
        for v, axis, numbers in self._weights:
            before.append((v, v.numpy(), np.array([self.same(number) in gone for number in numbers]), axis))
            put(*before[-1], 0)
        yield
        for v, value, where, axis in before:  # a statistic may be new by now where the channel is left
            put(v, v.numpy(), where, axis, np.moveaxis(value, axis, -1))

    def _new(self, n):
        start = len(self._parent)
        self._parent.extend(range(start, start + n))
        return list(range(start, start + n))

    def _join(self, *lines):
        for numbers in zip(*lines, strict=True):
            for number in numbers[1:]:
                self._parent[self.same(numbers[0])] = self.same(number)

    def _send(self, model, entrance, prefix):
        known = {id(model.inputs[0]): entrance}
        for depth in sorted(model._nodes_by_depth, reverse=True):
            for node in model._nodes_by_depth[depth]:
                if node.input_tensors:
                    inputs = [known[id(x)] for x in node.input_tensors]
                    known[id(node.outputs[0])] = self._behind(node.operation, inputs, prefix)
        return known[id(model.outputs[0])]

    def _behind(self, layer, inputs, prefix):
        (x, *others), name = inputs, prefix + layer.name
        if isinstance(layer, keras.Sequential):
            return self._send(layer._functional, x, f"{name}/")
        if isinstance(layer, layers.DepthwiseConv2D):
            self._note(layer, x, "kernel")
            y = [number for number in x for _ in range(layer.depth_multiplier)]
            self._note(layer, y, "bias")
            return y
        if isinstance(layer, layers.Conv2D) and layer.groups == len(x):  # a depthwise convolution, in ConvNeXt
            y = [number for number in x for _ in range(layer.filters // len(x))]
            self._note(layer, y, "kernel", "bias")
            return y
        if isinstance(layer, CONVOLUTIONS):
            return self._made(layer, x, name)
        if isinstance(layer, layers.Concatenate):
            return [number for part in inputs for number in part]
        if isinstance(layer, layers.Flatten):
            return x * (layer.output.shape[-1] // len(x))
        self._join(x, *others)  # Add and Multiply, layers and operations
        self._note(layer, x, "gamma", "beta", "moving_mean", "moving_variance")
        return x

    def _made(self, layer, x, name):
        y = self.of_layer.get(name) or self._new(layer.output.shape[-1])
        self.of_layer[name] = y
        separable = isinstance(layer, layers.SeparableConv2D)
        self._note(layer, y, "pointwise_kernel" if separable else "kernel", "bias")
        groups = getattr(layer, "groups", 1)
        if groups > 1:
            for line in (x, y):
                self._join(*np.split(np.array(line), groups))
        return y

    def _note(self, layer, numbers, *names):
        for v in (v for v in getattr(layer, "weights", ()) if v.name in names):
            self._weights.append((v, UNIT_AXIS.get(type(layer), -1) if "kernel" in v.name else -1, numbers))


def put(v, value, where, axis, new):
    """``value`` into the variable, with something new where this holds along an axis."""
    v.assign(np.moveaxis(np.where(where, new, np.moveaxis(value, axis, -1)), -1, axis))
