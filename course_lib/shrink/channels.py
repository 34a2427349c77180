"""What is known of a tensor while a model's graph is read: which units lie along its axes.

Every unit has a label, a number. Where two layers hold the same label, they hold the same unit: to remove it is to
remove it in both. A rule says, for one call of one layer, which labels come out, and along which axes of which weights
they lie.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from itertools import count

import numpy as np

__all__ = ["RULES", "Axis", "Channels", "Cut", "rule"]

_fresh = count()


@dataclass(frozen=True, eq=False)
class Axis:
    """The units along one axis of a tensor or of a weight.

    Attributes
    ----------
    labels
        (n,) integers, one for each entry along the axis; an entry for each place, if a unit has several.
    values
        (n,) floats: what the unit always is, at every place and for every input, or NaN where that depends.
    rests
        (n,) floats: what it would always be if all weights of the unit were zero; NaN if that depends even so.
    """

    labels: np.ndarray
    values: np.ndarray
    rests: np.ndarray

    @classmethod
    def new(cls, n: int) -> "Axis":
        """n units that no other layer has yet."""
        labels = np.fromiter((next(_fresh) for _ in range(n)), np.int64, n)
        return cls(labels, np.full(n, np.nan), np.zeros(n))

    @classmethod
    def joined(cls, axes) -> "Axis":
        """One after the other."""
        return cls(*(np.concatenate([getattr(a, f.name) for a in axes]) for f in fields(cls)))

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, index) -> "Axis":
        return Axis(self.labels[index], self.values[index], self.rests[index])

    @property
    def left(self) -> np.ndarray:
        """What a unit leaves behind when it goes: what it always is, or else what it is without weights."""
        return np.where(np.isnan(self.values), self.rests, self.values)

    def with_values(self, values, rests=None) -> "Axis":
        new = [np.broadcast_to(np.asarray(v, float), self.labels.shape) for v in (values, rests) if v is not None]
        return Axis(self.labels, new[0], self.rests if rests is None else new[1])

    def where(self, condition) -> "Axis":
        """The same, with values and rests unknown but where they meet a condition."""
        return self.with_values(*(np.where(condition(v), v, np.nan) for v in (self.values, self.rests)))


@dataclass(frozen=True, eq=False)
class Channels:
    """A tensor's shape, with the batch axis, and for each axis an :class:`Axis`, or None where nothing can go."""

    shape: tuple
    axes: tuple

    def __getitem__(self, i) -> Axis | None:
        return self.axes[i]

    def replace(self, i, axis) -> "Channels":
        """The same with another axis i; its length is the axis's."""
        axes, shape = list(self.axes), list(self.shape)
        axes[i], shape[i] = axis, shape[i] if axis is None else len(axis)
        return Channels(tuple(shape), tuple(axes))

    def mixed(self, i=None) -> "Channels":
        """The same, where of all axes but axis i nothing is constant any more."""
        spared = None if i is None else i % len(self.axes)
        axes = [a if a is None or j == spared else a.with_values(np.nan, np.nan) for j, a in enumerate(self.axes)]
        return Channels(self.shape, tuple(axes))

    @classmethod
    def plain(cls, shape) -> "Channels":
        """A tensor of which nothing can be removed."""
        return cls(tuple(shape), (None,) * len(shape))


@dataclass(frozen=True)
class Cut:
    """What one call of a layer means for the units: the answer of a rule.

    Attributes
    ----------
    output
        The :class:`Channels` of the layer's output, or a list of them.
    weights
        {attribute of the layer, dots allowed: one Axis or None for each axis of that weight}.
    config
        {entry of ``get_config()``: an Axis, whose number of kept units is the new entry, or a function of ``kept``}.
    units
        The Axis that ``remove_units(model, {layer's name: …})`` speaks of; None for that of the output.
    named
        {name behind a slash: Axis}, further units of the layer that can be named, as in "attention/attention_output".
    tied
        Pairs of axes whose units are the same, entry by entry.
    fixed
        Pairs (Axis, why): units that cannot be removed.
    watches
        Axes of which every unit matters to the outputs of all, as in a mean over channels.
    fold
        ``fold(values) -> array``: what an input that always has these values adds to the weight ``"bias"``.
    pads
        The layer puts zeros around its input, so that at the borders a constant is not seen as one.
    whole
        The weights are along these axes, but keep their size.
    call
        ``call(layer, kept, *args)``: how the new layer is called, if not simply on the same arguments.

    ``kept(axis)`` gives the indices that are left of an axis.
    """

    output: Channels | list
    weights: dict = field(default_factory=dict)
    config: dict = field(default_factory=dict)
    units: Axis | None = None
    named: dict = field(default_factory=dict)
    tied: list = field(default_factory=list)
    fixed: list = field(default_factory=list)
    watches: list = field(default_factory=list)
    fold: Callable | None = None
    pads: bool = False
    whole: bool = False
    call: Callable | None = None


RULES = {}  # {class of a layer or operation: rule}


def rule(*kinds):
    """Teach ``shrink`` a layer: a decorator for a function ``rule(layer, *inputs) -> Cut``.

    ``inputs`` are what the layer is called on, with :class:`Channels` in place of tensors. The rule is for these
    classes alone and not for theirs below, which may compute something else.

    Examples
    --------
    A layer of your own that scales each channel by a weight:

    >>> import keras
    >>> class Scale(keras.layers.Layer):
    ...     def build(self, shape):
    ...         self.scale = self.add_weight(shape=shape[-1:], name="scale")
    ...     def call(self, x):
    ...         return x * self.scale
    >>> @rule(Scale)
    ... def scale(layer, x):
    ...     return Cut(x, weights={"scale": [x[-1]]})
    >>> hidden = keras.layers.Dense(8, name="hidden")
    >>> model = keras.Sequential([keras.Input((3,)), hidden, Scale(), keras.layers.Dense(2)])
    >>> from course_lib import shrink
    >>> shrink.remove_units(model, {"hidden": [0, 1, 5]}).layers[1].scale.shape
    TensorShape([3])
    """

    def register(function):
        RULES.update(dict.fromkeys(kinds, function))
        return function

    return register
