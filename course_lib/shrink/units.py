"""Remove units, filters, channels and heads for real, and everything that belongs to them elsewhere in the model."""

import warnings
from collections.abc import Iterable, Mapping
from functools import partial
from numbers import Integral

import numpy as np

from course_lib.shrink.channels import Axis
from course_lib.shrink.graph import axes_of, graph_of, main_axis, read
from course_lib.shrink.idle import consumed, idle_units
from course_lib.shrink.rebuild import Plan, cut, rebuilt
from course_lib.variables import find

__all__ = ["remove_units", "shrink"]


def remove_units(model, keep):
    """A new, smaller model without the units that are not kept.

        y_k = Σ_{j kept} w_jk x_j + b_k + Σ_{j gone} w_jk c_j

    c_j is what unit j leaves behind: what it always is, where no weight leads to it and only its bias speaks; else what
    it is with all its own weights zero, the bias too, which for most activations is 0. It is folded into the bias of
    what reads it (a layer without one gets one). So the new model is the old one with those weights at zero.
    Layers that share units, as those whose outputs are added, lose the same ones: see :func:`course_lib.shrink.groups`.
    LayerNormalization and GroupNormalization keep their size, and go on to count what is gone.

    What is lost: where a convolution or pooling pads with zeros, a constant that is not zero is not the same at the
    borders, and what attention or a product with another tensor makes of it cannot be folded. A warning says so.

    Parameters
    ----------
    model
        A built functional or Sequential Keras model. It is not changed.
    keep
        {layer name: indices of the units kept}; layers of a model inside are called "inner/dense", the units of
        MultiHeadAttention are its heads.

    Returns
    -------
    keras.Model
        With the same names and the weights of what is left; compiled as the old one was, with its optimizer's step and
        what that remembers of each weight. Masks that were held are not: hold them again.

    Raises
    ------
    TypeError
        The model is subclassed, or ``keep`` is not such a dictionary.
    ValueError
        A layer that the model does not have; an index out of range or twice; nothing kept; two layers that share units
        disagree; units that cannot go: the model's outputs, those that pass through a layer that has no rule, a
        reshape that mixes them. The message names the layer and the reason; nothing has been built.

    Examples
    --------
    >>> from course_lib import models
    >>> small = remove_units(models.lenet_300_100(), {"dense_1": range(100), "dense_2": [0, 3, 5]})
    >>> [layer.units for layer in small.layers if hasattr(layer, "units")]
    [100, 3, 10]
    """
    graph = read(model)
    return _without(model, graph, _gone(graph, model, keep))


def shrink(model, masks=None):
    """A new model without the units that the masks leave nothing to do, and with the same outputs.

    A unit goes if it is the same for every input (no weight leads to it, or a γ of zero stands behind it) or if nothing
    reads it. One unit of a layer stays in any case. What is constant but not zero is folded as in :func:`remove_units`,
    with the same loss at the borders of padded convolutions.

    Parameters
    ----------
    model
        A built functional or Sequential Keras model. It is not changed.
    masks
        {variable path: boolean array}, True = kept; None to look only at the zeros that the model has already.

    Returns, and what it raises
        As for :func:`remove_units`; masks that do not fit raise a ValueError.

    Examples
    --------
    >>> from course_lib import models, scores
    >>> from course_lib.masks import from_scores
    >>> from course_lib.structures import Unit
    >>> model = models.lenet_300_100()
    >>> hidden = {"dense_1/kernel": 0.5, "dense_2/kernel": 0.9}
    >>> masks = from_scores(scores.magnitude(model), None, Unit(), scope=hidden)
    >>> [layer.units for layer in shrink(model, masks).layers if hasattr(layer, "units")]
    [150, 10, 10]
    """
    graph_of(model)
    if masks is not None:
        found = find(model, masks)
        for path, variable in found.items():
            if np.shape(masks[path]) != tuple(variable.shape):
                raise ValueError(
                    f"mask {path!r} has shape {np.shape(masks[path])}, the variable {tuple(variable.shape)}."
                )
        copy = rebuilt(model, Plan())
        twins = dict(zip(map(id, model.weights), copy.weights, strict=True))
        for path, variable in found.items():
            twins[id(variable)].assign(np.where(masks[path], variable.numpy(), 0))
        model = copy
    graph = read(model)
    return _without(model, graph, idle_units(graph))


def _gone(graph, model, keep):
    """The units, as roots, that a caller's ``keep`` leaves out."""
    if not isinstance(keep, Mapping):
        raise TypeError(f"keep is {type(keep).__name__}; it is a dictionary {{layer name: indices of the units kept}}.")
    kept, gone = {}, {}  # {root: layer that says so}
    for name, indices in keep.items():
        if name not in graph.units:
            known = ", ".join(graph.units)
            raise ValueError(f"keep names {name!r}, which has no units in model {model.name!r}; there are {known}.")
        roots = graph.root(graph.units[name])
        left = np.isin(np.arange(len(roots)), _indices(name, indices, len(roots)))
        gone |= dict.fromkeys(roots[~left].tolist(), name)
        kept |= dict.fromkeys(roots[left].tolist(), name)
    for root, name in gone.items():
        if root in graph.fixed:
            raise ValueError(f"keep[{name!r}] leaves out units that cannot be removed: {graph.fixed[root]}.")
        if kept.get(root) == name:
            places = np.flatnonzero(graph.root(graph.units[name]) == root).tolist()
            raise ValueError(f"keep[{name!r}] parts {places}, which go together: see Group.places in shrink.groups.")
        if root in kept:
            raise ValueError(
                f"keep[{name!r}] and keep[{kept[root]!r}] speak of the same units, and only one keeps them all; "
                f"name one of the two, or keep the same."
            )
    return np.array(sorted(gone), int)


def _indices(name, indices, n):
    indices = list(indices) if isinstance(indices, Iterable) and not isinstance(indices, str) else [indices]
    wrong = [i for i in indices if isinstance(i, bool | np.bool_) or not isinstance(i, Integral)]
    if wrong:
        raise ValueError(
            f"keep[{name!r}] holds {wrong[0]!r}; give the indices of the units kept, as np.flatnonzero(mask) does."
        )
    if not indices:
        raise ValueError(f"keep[{name!r}] is empty; keep at least one unit, or see remove_layers.")
    out = next((i for i in indices if not 0 <= i < n), None)
    if out is not None:
        raise ValueError(f"keep[{name!r}] holds {out}, but the layer has the units 0 to {n - 1}.")
    if len(set(indices)) < len(indices):
        raise ValueError(f"keep[{name!r}] holds an index twice; each unit is kept once.")
    return indices


def _without(model, graph, gone):
    """The model without these units."""

    def kept(axis):
        return np.flatnonzero(~np.isin(graph.root(axis), gone))

    def smaller(x):
        return tuple(n if a is None else len(kept(a)) for n, a in zip(x.shape, x.axes, strict=True))

    for call in graph.calls:
        for name, axes in call.cut.weights.items():
            if any(a is not None and not len(kept(a)) for a in axes):
                raise ValueError(f"keep leaves nothing of {name} in layer {call.name!r}; keep at least one unit.")
    plan = Plan(shapes={key: smaller(x) for key, x in graph.entrances.items()})
    for call in graph.calls:
        if all(len(kept(a)) == len(a) for a in axes_of(call)):
            continue
        key, own = id(call.layer), call.cut
        plan.config[key] = {k: len(kept(v)) if isinstance(v, Axis) else v(kept) for k, v in own.config.items()}
        if not own.whole:
            plan.indices[key] = {n: [None if a is None else kept(a) for a in axes] for n, axes in own.weights.items()}
        if own.call is not None:
            plan.calls.setdefault(key, partial(_call, own.call, kept))
    plan.biases, lost = _folded(graph, gone, kept)
    if lost:
        warnings.warn(
            f"removed units leave something behind that is not zero, and layer {', '.join(map(repr, lost))} cannot "
            f"have that exactly: outputs change a little; train the model on.",
            stacklevel=3,
        )
    return rebuilt(model, plan)


def _call(call, kept, layer, *args):
    return call(layer, kept, *args)


def _folded(graph, gone, kept):
    """{id of a layer: what the units that are gone leave to its bias}, and names of layers that cannot have it all."""
    added, watched, lost = {}, {}, {}
    for call in graph.calls:
        own, axes = call.cut, [a for x in call.inputs for a in x.axes if a is not None]
        left = {id(a): np.where(np.isin(graph.root(a), gone), a.left, 0) for a in axes}
        read = [a for a in consumed(call) if id(a) in left]
        leaves = {id(a): left[id(a)].any() for a in axes}  # NaN counts: something, but not always the same
        if own.pads and any(leaves.values()):
            lost[call.name] = True
        if any(leaves[id(a)] and (own.fold is None or np.isnan(left[id(a)]).any()) for a in read):
            lost[call.name] = True
        if read and own.fold is not None:
            units = own.weights.get("bias") or [main_axis(own.output)]
            more = cut(own.fold(np.nan_to_num(left[id(read[0])])), [None if a is None else kept(a) for a in units])
            if not np.allclose(more, added.setdefault(id(call.layer), more)):
                lost[call.name] = True  # a shared layer has one bias
        for a in own.watches:
            if not np.array_equal(left[id(a)], watched.setdefault(id(call.layer), left[id(a)])):  # nor with NaN in it
                lost[call.name] = True
    return {key: more for key, more in added.items() if more.any()}, list(lost)
