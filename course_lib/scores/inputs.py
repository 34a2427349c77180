"""What a layer multiplies its kernel by, on calibration data: the inputs of :func:`wanda`, OBS and SparseGPT.

A kernel is looked at as the matrix W (d, m) that its first axes, those that are summed over, make of it. The layer's
inputs are then rows x of d numbers, and its outputs, before bias and activation, y = x W:

    Dense            one row for each vector that enters; d = inputs, m = units
    EinsumDense      the same, where the equation is of the form "…x,xy->…y"; x and y may be several axes
    Conv             one row for each position of the kernel, the patch under it; d = height · width · channels
    DepthwiseConv    the same; but an output is made from its own channel's entries of the patch alone
"""

import math
import re

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops

from course_lib.calls import watching
from course_lib.scores.loss import batches
from course_lib.variables import prunable

__all__ = ["as_matrix", "second_moments", "squared_norms"]

BATCH = 32  # patches of a convolution are many times larger than its input
DEPTHWISE = (layers.DepthwiseConv1D, layers.DepthwiseConv2D)
CONVOLUTIONS = (layers.Conv1D, layers.Conv2D, layers.Conv3D, *DEPTHWISE)


def squared_norms(model, data) -> dict:
    """{path: Σ x_j² over all rows, an array (d,)}."""
    sums, _ = _sums_over_inputs(model, data, lambda layer, rows: tf.reduce_sum(tf.square(rows), axis=0))
    return sums


def second_moments(model, data) -> dict:
    """{path: Σ x xᵀ over all rows / number of examples, an array (d, d)}: the Hessian of ½ ‖Δy‖², the same for each y.

    That is summed over the positions of one example and averaged over the examples.
    """

    def of_rows(layer, rows):
        moments = tf.matmul(rows, rows, transpose_a=True)
        if isinstance(layer, DEPTHWISE):  # entries of different channels meet in no output
            channel = np.arange(rows.shape[1]) % layer.kernel.shape[-2]
            moments *= np.equal.outer(channel, channel).astype("float32")
        return moments

    sums, examples = _sums_over_inputs(model, data, of_rows)
    return {path: total / examples for path, total in sums.items()}


def as_matrix(kernel: np.ndarray, d: int) -> np.ndarray:
    """The kernel as the float64 matrix (d, m) that multiplies the rows; a copy."""
    return kernel.astype("float64").reshape(d, -1)


def _sums_over_inputs(model, data, of_rows):
    paths = _supported(model)
    sums, examples = {}, 0

    def see(layer, inputs, output):
        if layer in paths:
            path = paths[layer]
            sums[path] = sums.get(path, 0.0) + of_rows(layer, _rows(layer, inputs)).numpy().astype("float64")

    for x, _ in batches(data, BATCH):
        with watching(see):
            model(x, training=False)
        examples += len(keras.tree.flatten(x)[0])
    if examples == 0:
        raise ValueError("data holds no example; give at least one batch.")
    unseen = [path for path in paths.values() if path not in sums]
    if unseen:
        raise ValueError(f"the layer of {unseen[0]!r} was not called when the model was: it has no inputs to look at.")
    return {path: sums[path] for path in paths.values()}, examples


def _supported(model) -> dict:
    """{layer: path of its kernel} of all prunable kernels, or an error that names one whose inputs are not rows."""
    owners = {
        id(layer.kernel): layer for layer in model._flatten_layers() if layer.built and _summed_axes(layer) is not None
    }
    for path, kernel in prunable(model).items():
        if id(kernel) not in owners:
            raise ValueError(
                f"the inputs of {path!r} cannot be looked at as rows; that is so for Dense, Conv and DepthwiseConv "
                f'(channels last, no groups, not causal) and EinsumDense of the form "…x,xy->…y". Use another score.'
            )
    return {owners[id(kernel)]: path for path, kernel in prunable(model).items()}


def _summed_axes(layer):
    """How many of the kernel's axes, the first ones, are summed over; None where it is not that simple."""
    if isinstance(layer, layers.Dense):
        return 1
    if isinstance(layer, layers.EinsumDense):
        form = re.fullmatch(r"(.*?)(\w+),\2(\w+)->\1\3", layer.equation.replace(" ", ""))
        return form and len(form[2])
    if isinstance(layer, CONVOLUTIONS) and layer.padding != "causal" and layer.data_format == "channels_last":
        return None if getattr(layer, "groups", 1) > 1 else len(layer.kernel.shape) - 1
    return None


def _rows(layer, x):
    x = ops.cast(x, "float32")
    d = math.prod(layer.kernel.shape[: _summed_axes(layer)])
    if isinstance(layer, CONVOLUTIONS):  # a convolution with the d unit kernels reads out the patch
        units = ops.reshape(ops.eye(d), (*layer.kernel.shape[:-1], d))
        x = ops.conv(x, units, layer.strides, layer.padding, "channels_last", layer.dilation_rate)
    return ops.reshape(x, (-1, d))
