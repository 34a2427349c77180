"""What the tests of shrink are held to: the old model with weights at zero, run by Keras. Nothing here is shrink's."""

import warnings

import keras
import numpy as np

from course_lib import shrink

GONE = [1, 2]  # units, in the tests of constants


def randomised(model, kept=1.0, seed=0):
    """The model with weights that keep signals at their size, if this share of units is kept; nothing is 0 or 1."""
    rng = np.random.default_rng(seed)
    for v in model.weights:
        shape, name = tuple(v.shape), v.path.split("/")[-1]
        if "variance" in name or "gamma" in name:
            v.assign(rng.uniform(0.5, 1.5, shape))
        elif "kernel" in name or "embeddings" in name:
            fan_in = np.prod(shape[:-2] if "depthwise" in v.path else shape[:-1])
            v.assign(rng.normal(0, 1.4 / np.sqrt(max(fan_in * kept, 1)), shape))
        elif not v.dtype.startswith(("int", "uint", "bool")):
            v.assign(rng.normal(0, 0.1, shape))
    return model


def normalised(model, x):
    """The model with the batch's own statistics in every BatchNormalization, so that no signal fades or grows."""
    norms = [layer for layer in model._flatten_layers() if isinstance(layer, keras.layers.BatchNormalization)]
    for norm in norms:
        norm.momentum = 0.0
    model(x, training=True)
    for norm in norms:  # no channel so still that rounding is made large
        norm.moving_variance.assign(norm.moving_variance + 0.3 * keras.ops.mean(norm.moving_variance))
    return model


def examples(model, n=4, seed=1):
    """Inputs of the model's structure; whole numbers below 5 where it wants integers, 6 where a size is not known."""
    rng = np.random.default_rng(seed)

    def some(x):
        shape = [n, *(6 if size is None else size for size in x.shape[1:])]
        return rng.integers(0, 5, shape) if x.dtype.startswith("int") else rng.normal(size=shape).astype("float32")

    return keras.tree.map_structure(some, model.inputs[0] if isinstance(model, keras.Sequential) else model.input)


def answers(model, x):
    return [np.asarray(y, "float64") for y in keras.tree.flatten(model(x, training=False))]


def difference(model, other, x):
    """The largest difference of two models' answers, for each output as a share of how far its answers differ."""
    shares = []
    for a, b in zip(answers(model, x), answers(other, x), strict=True):
        spread = np.ptp(a, axis=0).max()
        assert spread > 0.01 * np.abs(a).max(), "the examples are answered all alike: nothing is shown"
        shares.append(np.abs(a - b).max() / spread)
    return max(shares)


def masked(model, zeros):
    """A copy with weights at zero.

    ``zeros`` is {layer: indices along the last axis of all its weights}, a variance apart, or, for one weight,
    {"layer/weight": indices, or (axis, indices)}.
    """
    copy = keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    for name, where in zeros.items():
        axis, indices = where if isinstance(where, tuple) else (-1, where)
        found = [v for v in copy.weights if f"/{name}/" in f"/{v.path}/" and "variance" not in v.path]
        assert found, f"no weight called {name} among {[v.path for v in copy.weights]}"
        for v in found:
            value = np.moveaxis(v.numpy(), axis, 0).copy()
            value[indices] = 0
            v.assign(np.moveaxis(value, 0, axis))
    return copy


def assert_removed(model, keep, zeros, found=True, tolerance=2e-5):
    """Without the units that ``keep`` leaves out the model answers as with their weights, ``zeros``, at zero.

    So it does whether the units are named or are to be found by their zeros, all of them if ``found``. The smaller
    model is returned.
    """
    randomised(model)
    x, expected = examples(model), masked(model, zeros)
    assert difference(expected, model, x) > 0.01, "what is to be removed does nothing in this model"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        small, by_zeros = shrink.remove_units(model, keep), shrink.shrink(expected)
    assert difference(expected, small, x) < tolerance
    assert difference(expected, by_zeros, x) < tolerance
    assert small.count_params() < model.count_params()
    assert by_zeros.count_params() == small.count_params() or not found
    assert {layer.name for layer in model.layers} <= {layer.name for layer in small.layers}
    return small


def without_kernels(model, *names):
    """Masks of the kernels of these layers that prune the units 1 and 2, and leave their biases."""
    masks = {}
    for name in names:
        kernel = model.get_layer(name).kernel
        mask = np.ones(kernel.shape, bool)
        mask[..., GONE] = False
        masks[kernel.path] = mask
    return masks
