"""Layers that make new units from old ones: dense, convolution, embedding."""

import numpy as np
from keras import layers

from course_lib.shrink.channels import Axis, Channels, Cut, rule
from course_lib.shrink.rules.elementwise import activated

__all__ = ["channel_axis"]


def channel_axis(layer) -> int:
    """The axis that counts the channels of a layer's input and output."""
    return 1 if getattr(layer, "data_format", None) == "channels_first" else -1


def values_of(axis, n) -> np.ndarray:
    return np.full(n, np.nan) if axis is None else axis.values


def _constant(kernel, entering, bias):
    """The constant outputs of Σ_i x_i · kernel[i, j] + bias[j]: those whose kernel reads constants alone, else NaN.

    ``kernel`` is (inputs, units, places): the places are summed, for they all see the same constant.
    """
    known = np.isfinite(entering)
    reads_more = np.any(kernel[~known] != 0, axis=(0, 2))
    sums = np.tensordot(np.where(known, entering, 0), kernel.sum(axis=2), 1)
    return np.where(reads_more, np.nan, sums + (0 if bias is None else bias))


def _bias(layer):
    return layer.bias.numpy() if layer.use_bias else None


def _with_bias(layer, weights, units):
    return {**weights, "bias": [units]} if layer.use_bias else weights


def _pads(layer):
    return getattr(layer, "padding", "valid") != "valid" and max(layer.kernel_size) > 1


@rule(layers.Dense)
def dense(layer, x):
    kernel = layer.kernel.numpy()  # (inputs, units)
    made = Axis.new(kernel.shape[1])
    made = made.with_values(_constant(kernel[:, :, None], values_of(x[-1], len(kernel)), _bias(layer)))
    biased = layer.use_bias and np.any(layer.bias.numpy())
    output, fixed = x.replace(-1, made), []
    for i, axis in enumerate(output.axes):
        if axis is not None:
            if axis is not made:  # units along another axis: what is zero stays so, where no bias is added
                output = output.replace(i, axis.where(lambda value: (value == 0) & (not biased)))
            output, why = activated(layer.activation, output, i)
            fixed += why
    return Cut(
        output,
        weights=_with_bias(layer, {"kernel": [x[-1], made]}, made),
        config={"units": made},
        fixed=fixed,
        fold=lambda values: values @ kernel,
    )


@rule(layers.Conv1D, layers.Conv2D, layers.Conv3D)
def conv(layer, x):
    if layer.groups > 1:
        return _grouped(layer, x)
    i, shape = channel_axis(layer), layer.compute_output_shape(x.shape)
    kernel = layer.kernel.numpy()  # (…places, inputs, filters)
    flat = np.moveaxis(kernel.reshape(-1, *kernel.shape[-2:]), 0, -1)  # (inputs, filters, places)
    made = Axis.new(layer.filters)
    made = made.with_values(_constant(flat, values_of(x[i], len(flat)), _bias(layer)))
    output, fixed = activated(layer.activation, Channels.plain(shape).replace(i, made), i)
    return Cut(
        output,
        weights=_with_bias(layer, {"kernel": [None] * layer.rank + [x[i], made]}, made),
        config={"filters": made},
        fixed=fixed,
        fold=lambda values: values @ flat.sum(axis=2),
        pads=_pads(layer),
    )


def _grouped(layer, x):
    """Groups of channels, each with filters of its own: what goes from one group goes from all.

    A group of a single input channel, as in a depthwise convolution, goes whole.
    """
    i, shape = channel_axis(layer), layer.compute_output_shape(x.shape)
    kernel = layer.kernel.numpy()  # (…places, inputs of one group, filters)
    inputs, filters, groups = kernel.shape[-2] * layer.groups, layer.filters, layer.groups
    places = tuple(range(layer.rank))
    made = Axis.new(filters)
    of_filter = np.arange(filters) // (filters // groups)  # the group that a filter belongs to
    entering = values_of(x[i], inputs).reshape(groups, -1)  # (groups, inputs of one group)
    known = np.isfinite(entering)[of_filter].T  # (inputs of one group, filters)
    summed = kernel.sum(axis=places)
    constant = (np.where(known, np.nan_to_num(entering)[of_filter].T, 0) * summed).sum(axis=0)
    constant = constant + (layer.bias.numpy() if layer.use_bias else 0)
    reads_more = (np.any(kernel != 0, axis=places) & ~known).any(axis=0)
    made = made.with_values(np.where(reads_more, np.nan, constant))
    output, fixed = activated(layer.activation, Channels.plain(shape).replace(i, made), i)

    def fold(values):
        return (values.reshape(groups, -1)[of_filter].T * summed).sum(axis=0)

    if x[i] is None:
        return Cut(
            output,
            weights=_with_bias(layer, {"kernel": [None] * layer.rank + [None, made]}, made),
            config={"filters": made},
            tied=[(made[of_filter == 0], made[of_filter == group]) for group in range(1, groups)],
            fixed=fixed,
        )
    if inputs == groups:
        return Cut(
            output,
            weights=_with_bias(layer, {"kernel": [None] * layer.rank + [None, made]}, made),
            config={"filters": made, "groups": x[i]},
            tied=[(x[i][of_filter], made)],
            fixed=fixed,
            pads=_pads(layer),
        )
    one = inputs // groups
    return Cut(
        output,
        weights=_with_bias(layer, {"kernel": [None] * layer.rank + [x[i][:one], made]}, made),
        config={"filters": made},
        tied=[
            pair
            for group in range(1, groups)
            for pair in (
                (made[of_filter == 0], made[of_filter == group]),
                (x[i][:one], x[i][group * one : (group + 1) * one]),
            )
        ],
        fixed=fixed,
        fold=fold,
        pads=_pads(layer),
    )


@rule(layers.Conv1DTranspose, layers.Conv2DTranspose, layers.Conv3DTranspose)
def conv_transposed(layer, x):
    i, shape = channel_axis(layer), layer.compute_output_shape(x.shape)
    kernel = layer.kernel.numpy()  # (…places, filters, inputs)
    flat = np.moveaxis(kernel.reshape(-1, *kernel.shape[-2:]), 0, -1).swapaxes(0, 1)  # (inputs, filters, places)
    entering = values_of(x[i], len(flat))
    entering = np.where(entering == 0, 0, np.nan)  # the places see different parts of the kernel: only zero is constant
    made = Axis.new(layer.filters)
    made = made.with_values(_constant(flat, entering, _bias(layer)))
    output, fixed = activated(layer.activation, Channels.plain(shape).replace(i, made), i)
    return Cut(
        output,
        weights=_with_bias(layer, {"kernel": [None] * layer.rank + [made, x[i]]}, made),
        config={"filters": made},
        fixed=fixed,
    )


def _depthwise(kernel, x, i, multiplier, bias=0):
    """The channels behind a depthwise kernel (…places, inputs, multiplier): each input channel has its own."""
    summed = kernel.reshape(-1, kernel.shape[-2] * multiplier).sum(axis=0)
    zero = ~np.any(kernel.reshape(-1, kernel.shape[-2] * multiplier), axis=0)
    repeated = x[i][np.repeat(np.arange(len(x[i])), multiplier)]
    return repeated.with_values(np.where(zero, 0, repeated.values * summed) + bias, 0)


@rule(layers.DepthwiseConv1D, layers.DepthwiseConv2D)
def conv_depthwise(layer, x):
    i, shape = channel_axis(layer), layer.compute_output_shape(x.shape)
    if x[i] is None:
        return Cut(Channels.plain(shape))
    bias = layer.bias.numpy() if layer.use_bias else 0
    behind = _depthwise(layer.kernel.numpy(), x, i, layer.depth_multiplier, bias)
    output, fixed = activated(layer.activation, Channels.plain(shape).replace(i, behind), i)
    weights = {"kernel": [None] * layer.rank + [x[i], None]}
    return Cut(output, weights=_with_bias(layer, weights, behind), fixed=fixed, pads=_pads(layer))


@rule(layers.SeparableConv1D, layers.SeparableConv2D)
def conv_separable(layer, x):
    i, shape = channel_axis(layer), layer.compute_output_shape(x.shape)
    depthwise, pointwise = layer.depthwise_kernel.numpy(), layer.pointwise_kernel.numpy()
    pointwise = pointwise.reshape(pointwise.shape[-2:])  # (inputs · multiplier, filters)
    made = Axis.new(layer.filters)
    if x[i] is None:
        between, entering = None, np.full(len(pointwise), np.nan)
    else:
        between = _depthwise(depthwise, x, i, layer.depth_multiplier)
        entering = between.values
    made = made.with_values(_constant(pointwise[:, :, None], entering, _bias(layer)))
    output, fixed = activated(layer.activation, Channels.plain(shape).replace(i, made), i)
    rank, summed = layer.rank, depthwise.reshape(-1, len(pointwise)).sum(axis=0)
    weights = {
        "depthwise_kernel": [None] * rank + [x[i], None],
        "pointwise_kernel": [None] * rank + [between, made],
    }
    return Cut(
        output,
        weights=_with_bias(layer, weights, made),
        config={"filters": made},
        fixed=fixed,
        fold=lambda values: (np.repeat(values, layer.depth_multiplier) * summed) @ pointwise,
        pads=_pads(layer),
    )


@rule(layers.Embedding)
def embedding(layer, x):
    table = layer.embeddings.numpy()  # (words, units)
    made = Axis.new(layer.output_dim)
    made = made.with_values(np.where((table == table[0]).all(axis=0), table[0], np.nan))
    return Cut(
        Channels((*x.shape, len(made)), (*x.axes, made)),
        weights={"embeddings": [None, made]},
        config={"output_dim": made},
    )
