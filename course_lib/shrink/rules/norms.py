"""Layers with a weight for each channel, and those that normalise over the channels."""

import keras
import numpy as np
from keras import layers

from course_lib.shrink.channels import Axis, Channels, Cut, rule

__all__ = []


@rule(layers.BatchNormalization)
def batch_normalization(layer, x, **options):
    i = layer.axis
    if x[i] is None:
        return Cut(x.mixed())
    mean, variance = layer.moving_mean.numpy(), layer.moving_variance.numpy()
    gamma = layer.gamma.numpy() if layer.scale else 1
    beta = layer.beta.numpy() if layer.center else 0
    deviation = np.sqrt(variance + layer.epsilon)
    values = np.where(gamma == 0, 0, (x[i].values - mean) * gamma / deviation) + beta
    rests = 0 if layer.scale else x[i].rests / deviation
    names = ["gamma"] * layer.scale + ["beta"] * layer.center + ["moving_mean", "moving_variance"]
    return Cut(x.mixed(i).replace(i, x[i].with_values(values, rests)), weights={name: [x[i]] for name in names})


@rule(keras.src.applications.convnext.LayerScale)
def layer_scale(layer, x):
    gamma = layer.gamma.numpy()
    values = np.where(gamma == 0, 0, x[-1].values * gamma) if x[-1] is not None else None
    output = x.mixed() if x[-1] is None else x.mixed(-1).replace(-1, x[-1].with_values(values, 0))
    return Cut(output, weights={"gamma": [x[-1]]}, config={"projection_dim": x[-1]} if x[-1] is not None else {})


@rule(layers.PReLU)
def prelu(layer, x):
    axes = [x[i + 1] if size > 1 else None for i, size in enumerate(layer.alpha.shape)]
    alpha = layer.alpha.numpy()
    still = []
    for i, axis in enumerate(x.axes):
        if axis is not None:
            slope = alpha.ravel() if alpha.size in (1, alpha.shape[i - 1]) else np.nan  # along this axis alone
            values = np.where(axis.values >= 0, axis.values, axis.values * slope)
            axis = axis.with_values(values, np.maximum(axis.rests, 0))
        still.append(axis)
    return Cut(Channels(x.shape, tuple(still)), weights={"alpha": axes})


@rule(layers.LayerNormalization, layers.RMSNormalization, layers.GroupNormalization)
def normalization_over_channels(layer, x):
    """Mean and variance are over all the channels, also those that are gone: they are put back, constant, for it.

        y = take(norm(take(x, with the constants of what is gone)), what is left)

    So the weights of the layer stay whole, and the outputs are the same to the last channel.
    """
    axes = [layer.axis] if isinstance(layer.axis, int) else list(layer.axis)
    i = axes[0]
    if isinstance(layer, layers.GroupNormalization):
        axes += [j for j in range(1, len(x.shape)) if j != i % len(x.shape)]  # it takes the mean over the places too
    over = [x[j] for j in axes if x[j] is not None]
    if not over:
        return Cut(x.mixed())
    if len(over) > 1 or x[i] is None or (len(axes) > 1 and not isinstance(layer, layers.GroupNormalization)):
        return Cut(x.mixed(), fixed=[(axis, "it normalises over several axes") for axis in over])
    weights = {n: getattr(layer, n, None) for n in ("gamma", "scale", "beta")}  # RMSNormalization calls its γ scale
    weights = {n: w.numpy().ravel() for n, w in weights.items() if isinstance(w, keras.Variable)}
    gamma = weights.get("gamma", weights.get("scale", np.ones(len(x[i]))))
    constant = np.where(gamma == 0, weights.get("beta", 0), np.nan)

    def call(layer, kept, inputs):
        left = kept(x[i])
        if len(left) == len(x[i]):
            return layer(inputs)
        axis = i % len(x.shape)
        where = np.full(len(x[i]), len(left))  # what is gone is taken from a channel of zeros behind the others
        where[left] = np.arange(len(left))
        padding = [(0, int(j == axis)) for j in range(len(x.shape))]
        whole = keras.ops.take(keras.ops.pad(inputs, padding), where.tolist(), axis=axis)
        gone = np.nan_to_num(x[i].left)
        gone[left] = 0
        if gone.any():
            along = [1] * len(x.shape)
            along[axis] = -1
            constants = gone.reshape(along).astype(layer.compute_dtype)
            whole = keras.ops.where(constants != 0, constants, whole)
        return keras.ops.take(layer(whole), left.tolist(), axis=axis)

    rest = 0 if len(weights) > ("beta" in weights) else np.nan
    output = x.mixed(i).replace(i, x[i].with_values(constant, rest))
    return Cut(output, weights={n: [x[i]] for n in weights}, watches=[x[i]], whole=True, call=call)


@rule(keras.src.ops.numpy.Pad)
def pad(op, x, **options):
    """Channels of zeros behind the others, as above; elsewhere a padding ends what is known."""
    (i, behind), *others = [(i, n) for i, (before, n) in enumerate(op.pad_width) if before or n] or [(0, 0)]
    if others or options or op.mode != "constant" or op.pad_width[i][0] or x[i] is None:
        fixed = [(axis, "a padding surrounds them") for axis in x.axes if axis is not None]
        return Cut(Channels.plain(x.shape), fixed=fixed)
    zeros = Axis.new(behind).with_values(0)
    return Cut(x.replace(i, Axis.joined([x[i], zeros])), fixed=[(zeros, "they are the zeros of a padding")])


@rule(keras.src.ops.numpy.Take)
def take(op, x, indices):
    i = op.axis
    if i is None or x[i] is None or isinstance(indices, Channels) or np.ndim(indices) != 1:
        fixed = [(axis, "they are taken by an index") for axis in x.axes if axis is not None]
        return Cut(Channels.plain((None,) * len(x.shape)), fixed=fixed)
    taken = x[i][np.asarray(indices)]

    def call(op, kept, inputs, indices):
        left = np.asarray(indices)[kept(taken)]
        return keras.ops.take(inputs, np.searchsorted(kept(x[i]), left).tolist(), axis=i)

    return Cut(x.replace(i, taken), call=call)
