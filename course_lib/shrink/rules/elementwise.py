"""Layers and operations that treat every unit by itself, and those that join tensors unit by unit."""

from functools import cache
from types import FunctionType

import keras
import numpy as np
from keras import layers

from course_lib.shrink.channels import Axis, Channels, Cut, rule

__all__ = ["activated", "pointwise"]


POINTWISE = layers.Activation, layers.ReLU, layers.LeakyReLU, layers.ELU, layers.Rescaling


def pointwise(function, rank=2) -> bool:
    """Whether a function does the same to each entry of a tensor and looks at no other: tried out, for any."""
    if isinstance(function, keras.Layer) and type(function) not in POINTWISE:
        return False  # it may have weights for the units; trying it would build them
    return _tried(function, rank) if isinstance(function, FunctionType) else _tried.__wrapped__(function, rank)


@cache
def _tried(function, rank):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2, *[3] * (rank - 1))).astype("float32")
    order = rng.permutation(x.size)
    changed = x.copy()
    changed.flat[x.size // 2] += 1
    try:
        y, moved, other = (_call(function, v) for v in (x, x.flat[order].reshape(x.shape), changed))
    except Exception:  # whatever a function of unknown origin raises: it cannot be tried out
        return False
    if y.shape != x.shape:
        return False
    pairs = [(moved.flat, y.flat[order]), (np.delete(other, x.size // 2), np.delete(y, x.size // 2))]
    return all(np.allclose(a, b, rtol=1e-5, atol=1e-6) for a, b in pairs)  # vectorised code differs in the last bit


def _call(function, x):
    return keras.ops.convert_to_numpy(function(keras.ops.convert_to_tensor(x, "float32")))


def activated(function, x: Channels, i=-1) -> tuple:
    """(x behind an activation, [(axis, why it cannot be cut)])."""
    if function is None or x[i] is None:
        return x, []
    if not pointwise(function, len(x.shape)):
        name = getattr(function, "__name__", type(function).__name__)
        return x.replace(i, x[i].with_values(np.nan, np.nan)), [
            (x[i], f"its activation {name} looks at all units together")
        ]
    return x.replace(i, x[i].with_values(*(_apply(function, v, len(x.shape)) for v in (x[i].values, x[i].rests)))), []


def _apply(function, values, rank):
    known = np.isfinite(values)
    if known.any():
        values = values.copy()
        values[known] = _call(function, values[known].reshape(-1, *[1] * (rank - 1))).ravel()
    return values


def _through(function, x):
    """Every labelled axis through a function that must be pointwise."""
    fixed = []
    for i, axis in enumerate(x.axes):
        if axis is not None:
            x, why = activated(function, x, i)
            fixed += why
    return Cut(x, fixed=fixed)


@rule(*POINTWISE)
def activation(layer, x, **options):
    per_channel = isinstance(layer, layers.Rescaling) and (np.size(layer.scale) > 1 or np.size(layer.offset) > 1)
    if per_channel:
        return Cut(Channels.plain(x.shape), fixed=[(a, "each has a scale of its own") for a in x.axes if a is not None])
    return _through(getattr(layer, "activation", layer.call), x)


@rule(layers.Softmax)
def softmax(layer, x, *mask, **options):
    axes = [layer.axis] if isinstance(layer.axis, int) else layer.axis
    return Cut(x.mixed(), fixed=[(x[i], "a softmax looks at all of them together") for i in axes if x[i] is not None])


@rule(
    *(layers.Identity, layers.Dropout, layers.SpatialDropout1D, layers.SpatialDropout2D, layers.SpatialDropout3D),
    *(layers.GaussianNoise, layers.GaussianDropout, layers.AlphaDropout, layers.ActivityRegularization),
    keras.src.applications.convnext.StochasticDepth,
)
def unchanged(layer, x, **options):
    return Cut(x)


@rule(layers.Add, layers.Subtract, layers.Multiply, layers.Average, layers.Maximum, layers.Minimum)
def merge(layer, inputs):
    return joined(inputs, type(layer).__name__)


@rule(keras.src.ops.numpy.Add, keras.src.ops.numpy.Subtract, keras.src.ops.numpy.Multiply, keras.src.ops.numpy.Divide)
@rule(
    keras.src.ops.numpy.TrueDivide, keras.src.ops.numpy.Maximum, keras.src.ops.numpy.Minimum, keras.src.ops.numpy.Power
)
def operator(op, *inputs):
    tensors = [x if isinstance(x, Channels) else Channels.plain(np.shape(x)) for x in inputs]
    numbers = [None if isinstance(x, Channels) else x for x in inputs]
    return joined(tensors, type(op).__name__, numbers)


def joined(inputs, how, numbers=None) -> Cut:
    """Tensors combined entry by entry, with broadcasting; ``numbers`` are those inputs that are constants."""
    rank = max(len(x.shape) for x in inputs)
    padded = [Channels.plain((1,) * (rank - len(x.shape))) for x in inputs]
    inputs = [Channels(p.shape + x.shape, p.axes + x.axes) for p, x in zip(padded, inputs, strict=True)]
    shape, axes, tied, fixed = [], [], [], []
    for i in range(rank):
        sizes = [x.shape[i] for x in inputs]
        wide = [x for x in inputs if x.shape[i] != 1]
        shape.append(wide[0].shape[i] if wide else 1)
        labelled = [x[i] for x in wide if x[i] is not None]
        axes.append(labelled[0] if labelled else None)
        if len(labelled) < len(wide):
            fixed += [(axis, "they are joined with a tensor of which nothing can be removed") for axis in labelled]
        tied += [(labelled[0], other) for other in labelled[1:]]
        if labelled and len(set(sizes) - {1}) == 1:
            n = len(labelled[0])
            axes[-1] = labelled[0].with_values(*(_combined(how, inputs, i, n, numbers, v) for v in ("values", "rests")))
    return Cut(Channels(tuple(shape), tuple(axes)), tied=tied, fixed=fixed)


def _combined(how, inputs, i, n, numbers, which):
    """The constant value, or rest, of each unit along axis i; NaN where it has none."""
    values = []
    for x, number in zip(inputs, numbers or [None] * len(inputs), strict=True):
        if number is not None and np.size(number) == 1:
            values.append(np.full(n, float(np.asarray(number).reshape(()))))
        else:
            values.append(getattr(x[i], which) if x[i] is not None and x.shape[i] == n else np.full(n, np.nan))
    if how == "Multiply":
        zero = np.any([v == 0 for v in values], axis=0)  # whatever the other factor is
        return np.where(zero, 0, np.prod(values, axis=0))
    combine = {
        "Add": sum,
        "Average": lambda v: np.mean(v, axis=0),
        "Subtract": lambda v: v[0] - v[1],
        "Divide": lambda v: v[0] / v[1],
        "TrueDivide": lambda v: v[0] / v[1],
        "Power": lambda v: v[0] ** v[1],
        "Maximum": lambda v: np.max(v, axis=0),
        "Minimum": lambda v: np.min(v, axis=0),
    }
    with np.errstate(all="ignore"):
        return combine[how](values)


def untaught(op, *inputs, **options):
    """An operation without a rule: entry by entry, if trying it out shows that, and otherwise the end of its units."""
    tensors = [x for x in keras.tree.flatten((inputs, options)) if isinstance(x, Channels)]
    alone = len(inputs) == 1 and tensors == [inputs[0]] and not options
    if alone and not isinstance(op, keras.Layer) and pointwise(op, len(inputs[0].shape)):
        return _through(op, inputs[0])
    fixed = [(a, "it has no rule: see shrink.rule") for x in tensors for a in x.axes if isinstance(a, Axis)]
    return Cut(None, fixed=fixed)
