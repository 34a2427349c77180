"""Layers that move units to other places: pooling, padding, flattening, reshaping, concatenating."""

import math

import keras
import numpy as np
from keras import layers

from course_lib.shrink.channels import Axis, Channels, Cut, rule
from course_lib.shrink.rules.kernels import channel_axis

__all__ = []


@rule(
    *(layers.MaxPooling1D, layers.MaxPooling2D, layers.MaxPooling3D),
    *(layers.AveragePooling1D, layers.AveragePooling2D, layers.AveragePooling3D),
    *(layers.UpSampling1D, layers.UpSampling2D, layers.UpSampling3D),
    *(layers.Cropping1D, layers.Cropping2D, layers.Cropping3D),
    *(layers.ZeroPadding1D, layers.ZeroPadding2D, layers.ZeroPadding3D),
)
def spatial(layer, x):
    """The channels stay as they are, whatever happens to the places."""
    i, shape = channel_axis(layer), layer.compute_output_shape(x.shape)
    output = Channels.plain(shape) if x[i] is None else Channels.plain(shape).replace(i, x[i])
    return Cut(output, pads="ZeroPadding" in type(layer).__name__)


@rule(
    *(layers.GlobalAveragePooling1D, layers.GlobalAveragePooling2D, layers.GlobalAveragePooling3D),
    *(layers.GlobalMaxPooling1D, layers.GlobalMaxPooling2D, layers.GlobalMaxPooling3D),
)
def global_pooling(layer, x, **options):
    if layer.keepdims:
        return spatial(layer, x)
    return Cut(Channels(layer.compute_output_shape(x.shape), (None, x[channel_axis(layer)])))


@rule(layers.Permute)
def permute(layer, x):
    order = (0, *layer.dims)
    return Cut(Channels(tuple(x.shape[i] for i in order), tuple(x[i] for i in order)))


@rule(layers.RepeatVector)
def repeat(layer, x):
    return Cut(Channels((x.shape[0], layer.n, x.shape[1]), (None, None, x[1])))


@rule(layers.Concatenate)
def concatenate(layer, inputs):
    return _concatenated(inputs, layer.axis)


@rule(keras.src.ops.numpy.Concatenate)
def concatenate_op(op, inputs):
    return _concatenated(inputs, op.axis)


def _concatenated(inputs, axis):
    i = axis % len(inputs[0].shape)
    axes, tied, fixed = [], [], []
    for j in range(len(inputs[0].shape)):
        labelled = [x[j] for x in inputs if x[j] is not None]
        if not labelled:
            axes.append(None)
        elif j == i:
            parts = [x[j] if x[j] is not None else Axis.new(x.shape[j]) for x in inputs]
            new = [part for part, x in zip(parts, inputs, strict=True) if x[j] is None]
            fixed += [(part, "they come from where nothing can be removed") for part in new]
            axes.append(Axis.joined(parts))
        else:
            tied += [(labelled[0], other) for other in labelled[1:]]
            both = [_same(np.stack([getattr(a, v) for a in labelled])) for v in ("values", "rests")]
            axes.append(labelled[0].with_values(*both))
            if len(labelled) < len(inputs):
                fixed += [(a, "they are joined with a tensor of which nothing can be removed") for a in labelled]
    sizes = [x.shape[i] for x in inputs]
    shape = list(inputs[0].shape)
    shape[i] = None if None in sizes else sum(sizes)
    return Cut(Channels(tuple(shape), tuple(axes)), tied=tied, fixed=fixed)


@rule(keras.src.ops.numpy.Transpose)
def transpose(op, x):
    order = op.axes or tuple(reversed(range(len(x.shape))))
    if order[0] != 0:
        return Cut(Channels.plain(x.shape), fixed=[(a, "it moves the batch") for a in x.axes if a is not None])
    return Cut(Channels(tuple(x.shape[i] for i in order), tuple(x[i] for i in order)))


@rule(keras.src.ops.numpy.ExpandDims)
def expand_dims(op, x):
    new = [op.axis] if isinstance(op.axis, int) else list(op.axis)
    rank = len(x.shape) + len(new)
    new = {i % rank for i in new}
    rest = iter(range(len(x.shape)))
    old = [None if i in new else next(rest) for i in range(rank)]
    return Cut(
        Channels(tuple(1 if i is None else x.shape[i] for i in old), tuple(None if i is None else x[i] for i in old))
    )


@rule(keras.src.ops.numpy.Squeeze)
def squeeze(op, x):
    ones = [i for i, n in enumerate(x.shape) if n == 1] if op.axis is None else np.atleast_1d(op.axis)
    left = [i for i in range(len(x.shape)) if i not in {int(j) % len(x.shape) for j in ones}]
    return Cut(Channels(tuple(x.shape[i] for i in left), tuple(x[i] for i in left)))


@rule(keras.src.ops.numpy.Mean, keras.src.ops.numpy.Max, keras.src.ops.numpy.Min, keras.src.ops.numpy.Sum)
def reduce(op, x):
    if isinstance(op, keras.src.ops.numpy.Sum):  # of a constant it is another one, but of zeros
        x = Channels(x.shape, tuple(a if a is None else a.where(lambda value: value == 0) for a in x.axes))
    gone = range(len(x.shape)) if op.axis is None else [op.axis] if isinstance(op.axis, int) else op.axis
    gone = {i % len(x.shape) for i in gone}
    left = [i for i in range(len(x.shape)) if op.keepdims or i not in gone]
    axes = tuple(None if i in gone else x[i] for i in left)
    return Cut(Channels(tuple(1 if i in gone else x.shape[i] for i in left), axes))


@rule(keras.src.ops.numpy.GetItem)
def get_item(op, x, key):
    """Slices, of places and of units: those that are picked go on."""
    keys = list(key) if isinstance(key, tuple | list) else [key]
    if Ellipsis in keys:
        i = keys.index(Ellipsis)
        keys[i : i + 1] = [slice(None)] * (len(x.shape) - len(keys) + 1)
    keys += [slice(None)] * (len(x.shape) - len(keys))
    if not all(isinstance(k, slice | int) for k in keys) or len(keys) != len(x.shape):
        return Cut(None, fixed=[(a, "they are taken by an index") for a in x.axes if a is not None])
    picked = [a[k] if a is not None and isinstance(k, slice) else None for a, k in zip(x.axes, keys, strict=True)]
    of_units = [i for i, (a, k) in enumerate(zip(picked, keys, strict=True)) if a is not None and k != slice(None)]
    axes = [a for a, k in zip(picked, keys, strict=True) if isinstance(k, slice)]

    def call(op, kept, inputs, key):
        places = list(keys)
        for i in of_units:
            left = np.arange(len(x[i]))[keys[i]][kept(picked[i])]
            inputs = keras.ops.take(inputs, np.searchsorted(kept(x[i]), left).tolist(), axis=i)
            places[i] = slice(None)
        return inputs[tuple(places)]

    return Cut(Channels((None,) * len(axes), tuple(axes)), call=call if of_units else None)


@rule(layers.Flatten)
def flatten(layer, x):
    if layer.data_format == "channels_first" and len(x.shape) > 1:  # Keras moves the channels last before
        order = (0, *range(2, len(x.shape)), 1)
        x = Channels(tuple(x.shape[i] for i in order), tuple(x[i] for i in order))
    return _reshaped(x, layer.compute_output_shape(x.shape))


@rule(layers.Reshape)
def reshape(layer, x):
    cut = _reshaped(x, layer.compute_output_shape(x.shape))
    return Cut(cut.output, config={"target_shape": _new_shape(cut.output)}, tied=cut.tied, fixed=cut.fixed)


@rule(keras.src.ops.numpy.Reshape)
def reshape_op(op, x):
    cut = _reshaped(x, op.compute_output_spec(keras.KerasTensor(x.shape)).shape)
    new_shape = _new_shape(cut.output)

    def call(op, kept, inputs):
        return keras.ops.reshape(inputs, (-1, *new_shape(kept)))

    return Cut(cut.output, tied=cut.tied, fixed=cut.fixed, call=call)


def _new_shape(x):
    def new_shape(kept):
        sizes = [size if a is None else len(kept(a)) for size, a in zip(x.shape[1:], x.axes[1:], strict=True)]
        return tuple(-1 if size is None else size for size in sizes)

    return new_shape


def _reshaped(x, shape) -> Cut:
    """The units of x in another shape, in the same order; several places may become places of one unit.

    Where units of one axis come to lie along several, as when a Dense layer's are folded into an image, those at the
    same place of the last axis are tied. Where one axis gets different units at different places, none can go.
    """
    shape = tuple(shape)
    output, tied, fixed = Channels.plain(shape), [], []
    for i, axis in enumerate(x.axes):
        if axis is None:
            continue
        unknown = None in x.shape[1:] or None in shape[1:]
        if unknown or math.prod(x.shape[1:]) != math.prod(shape[1:]):  # places may become examples
            if i == len(x.shape) - 1 and shape[-1] == x.shape[-1]:
                output = output.replace(-1, axis)
            else:
                fixed.append((axis, "its sizes are not known" if unknown else "it mixes examples with units"))
            continue
        along = np.reshape(np.arange(len(axis)), [-1 if j == i else 1 for j in range(1, len(x.shape))])
        places = np.broadcast_to(along, x.shape[1:]).reshape(shape[1:])  # which unit lies where
        varies = [j for j in range(places.ndim) if np.any(places != places.take([0], axis=j))]
        if len(varies) == 1:
            j = varies[0]
            line = np.moveaxis(places, j, 0).reshape(places.shape[j], -1)[:, 0]
            output = output.replace(j + 1, axis[line]) if output[j + 1] is None else output
            if output[j + 1].labels[0] != axis.labels[line[0]]:
                fixed += [(axis, "it mixes two axes of units"), (output[j + 1], "it mixes two axes of units")]
            continue
        once = places[tuple(slice(None) if j in varies else 0 for j in range(places.ndim))]
        if varies and len(np.unique(once)) == once.size and varies[-1] == places.ndim - 1:
            table = once.reshape(-1, places.shape[-1])  # (places, units of the last axis)
            output = output.replace(-1, axis[table[0]].with_values(_same(axis.values[table]), _same(axis.rests[table])))
            tied += [(axis[table[0]], axis[row]) for row in table[1:]]
        elif varies:
            fixed.append((axis, "it mixes channels with places"))
    return Cut(output, tied=tied, fixed=fixed)


def _same(values):
    """(places, units) → (units,): the value that a unit has at all its places, else NaN."""
    return np.where((values == values[0]).all(axis=0), values[0], np.nan)
