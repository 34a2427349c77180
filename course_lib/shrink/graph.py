"""Read a model's graph: every call of every layer in order, with the units that go through it."""

from dataclasses import dataclass, field
from typing import NamedTuple

import keras
import numpy as np

from course_lib.shrink import rules
from course_lib.shrink.channels import RULES, Axis, Channels, Cut
from course_lib.variables import built

__all__ = ["Call", "Graph", "Ways", "graph_of", "inner", "main_axis", "nodes", "read"]


class Call(NamedTuple):
    """One call of a layer: its name behind those of the models around it, its inputs, and its rule's answer."""

    name: str
    layer: object
    inputs: list
    cut: Cut


@dataclass
class Graph:
    """What :func:`read` has seen.

    Attributes
    ----------
    calls
        In the order in which the model makes them.
    units
        {layer's name: Axis}, what can be named.
    fixed
        {label: why its unit cannot be removed}.
    root
        ``root(axis)``: the labels of an axis, the same number wherever the unit is the same.
    """

    calls: list = field(default_factory=list)
    units: dict = field(default_factory=dict)
    fixed: dict = field(default_factory=dict)
    entrances: dict = field(default_factory=dict)  # {id of an inner model's input: Channels}
    cuts: dict = field(default_factory=dict)  # {id of a layer: its first Cut}
    _tied: list = field(default_factory=list)

    def tie(self, first, second):
        self._tied.append((first.labels, second.labels))

    def fix(self, axis, why):
        for label in axis.labels:
            self.fixed.setdefault(int(label), why)

    def close(self):
        """Find which labels are the same unit, and fix what is tied to a fixed unit."""
        known = [a.labels for call in self.calls for a in axes_of(call)] or [np.empty(0, np.int64)]
        self._names = np.unique(np.concatenate(known))
        pairs = [np.searchsorted(self._names, np.stack(pair)) for pair in self._tied]
        self._roots = _same(len(self._names), pairs)
        self.fixed = {int(self.root_of(label)): why for label, why in reversed(self.fixed.items())}

    def root_of(self, labels):
        return self._roots[np.searchsorted(self._names, labels)]

    def root(self, axis):
        return self.root_of(axis.labels)

    def roots(self):
        """All of them, each once."""
        return np.unique(self._roots)

    def together(self, axes):
        """A function like ``root``, by which all units of one of these axes are the same."""
        lines = [self.root(axis) for axis in axes]
        part = _same(len(self._names), [np.stack([line[:-1], line[1:]]) for line in lines])
        return lambda axis: part[self.root(axis)]


class Ways:
    """Of one call: which axes of units enter it, leave it, or both. What the rule ties is the same here."""

    def __init__(self, call):
        self._known = np.unique(np.concatenate([a.labels for a in axes_of(call)] or [np.empty(0, np.int64)]))
        pairs = [np.searchsorted(self._known, np.stack([a.labels, b.labels])) for a, b in call.cut.tied]
        self._same = _same(len(self._known), pairs)
        self.entering = [a for x in call.inputs for a in x.axes if a is not None]
        self.leaving = [a for x in call.cut.output for a in x.axes if a is not None]
        self._in, self._out = (self._labels(axes) for axes in (self.entering, self.leaving))

    def enters(self, axis) -> bool:
        return bool(np.isin(self._labels([axis]), self._in).any())

    def leaves(self, axis) -> bool:
        return bool(np.isin(self._labels([axis]), self._out).any())

    def _labels(self, axes):
        labels = [self._same[np.searchsorted(self._known, a.labels)] for a in axes]
        return np.concatenate(labels) if labels else np.empty(0, int)


def axes_of(call):
    """Every Axis that a call has to do with."""
    cut = call.cut
    tensors = [x for x in [*call.inputs, *keras.tree.flatten(cut.output)] if isinstance(x, Channels)]
    found = [*(a for x in tensors for a in x.axes), *(a for axes in cut.weights.values() for a in axes)]
    found += [
        *cut.watches,
        cut.units,
        *cut.named.values(),
        *(a for pair in cut.tied for a in pair),
        *(a for a, _ in cut.fixed),
    ]
    return [a for a in found if a is not None]


def graph_of(model):
    """The functional model inside of a model.

    Raises
    ------
    TypeError
        It is not a Keras model, or a subclassed one, whose graph cannot be read.
    ValueError
        It is not built.
    """
    if not isinstance(model, keras.Model):
        raise TypeError(f"model is {type(model).__name__}; give a Keras 3 model, functional or Sequential.")
    functional = inner(built(model))
    if functional is None:
        raise TypeError(
            f"model {model.name!r} is subclassed: its graph is in the code of its call and cannot be read; "
            f"write it with the functional API, keras.Model(inputs, outputs)."
        )
    for layer in model._flatten_layers():
        if getattr(layer, "lora_enabled", False) or getattr(layer, "quantization_mode", None):
            raise ValueError(
                f"layer {layer.name!r} is quantized or has LoRA weights, and cannot be cut; cut the model before that."
            )
    return functional


def inner(layer):
    """The functional model that a layer is, or None if it is none."""
    if isinstance(layer, keras.Sequential):
        return layer._functional
    return layer if isinstance(layer, keras.Model) and hasattr(layer, "_nodes_by_depth") else None


def nodes(functional):
    """The calls of a functional model in order, without its inputs."""
    for depth in sorted(functional._nodes_by_depth, reverse=True):
        yield from (node for node in functional._nodes_by_depth[depth] if node.operation and not node.is_input)


def read(model) -> Graph:
    """The calls of a functional or Sequential model, from its inputs to its outputs."""
    functional, graph = graph_of(model), Graph()
    outputs = _walk(functional, [Channels.plain(x.shape) for x in functional.inputs], graph, "")
    for x in outputs:
        for axis in (a for a in x.axes if a is not None):
            graph.fixed |= dict.fromkeys(axis.labels.tolist(), "they are the model's outputs")
    graph.close()
    return graph


def _walk(functional, inputs, graph, prefix):
    known = dict(zip(map(id, functional.inputs), inputs, strict=True))
    for key, x in list(known.items()):
        for before, now in zip(graph.entrances.setdefault(key, x).axes, x.axes, strict=True):
            _tie_or_fix(graph, before, now)
    for node in nodes(functional):
        args, options = node.arguments.fill_in(known)
        tensors = [x for x in keras.tree.flatten((args, options)) if isinstance(x, Channels)]
        layer, name = node.operation, prefix + node.operation.name
        if inner(layer) is not None:
            outputs = _walk(inner(layer), tensors, graph, f"{name}/")
            if main_axis(outputs) is not None:
                graph.units.setdefault(name, main_axis(outputs))
        else:
            outputs = _visit(graph, name, layer, args, options, tensors, node)
        known.update(zip(map(id, node.outputs), outputs, strict=True))
    return [known[id(x)] for x in functional.outputs]


def _visit(graph, name, layer, args, options, tensors, node):
    options = {key: value for key, value in options.items() if value is not None and key != "training"}
    cut = RULES.get(type(layer), rules.elementwise.untaught)(layer, *args, **options)
    plain = [Channels.plain(x.shape) for x in node.outputs]
    outputs = plain if cut.output is None else keras.tree.flatten(cut.output)
    outputs = [Channels(p.shape, x.axes) for p, x in zip(plain, outputs, strict=True)]
    cut.fixed.extend(_lost(cut, tensors, outputs))
    call = Call(name, layer, tensors, Cut(**{**vars(cut), "output": outputs}))
    graph.calls.append(call)
    for pair in cut.tied:
        graph.tie(*pair)
    for axis, why in cut.fixed:
        graph.fix(axis, f"in layer {name!r} {why}")
    first = graph.cuts.setdefault(id(layer), call.cut)
    for key, axes in first.weights.items():  # a shared layer has its weights once
        for before, now in zip(axes, cut.weights[key], strict=True):
            _tie_or_fix(graph, before, now)
    units = cut.units if cut.units is not None else main_axis(outputs)
    if units is not None:
        graph.units.setdefault(name, units)
    graph.units.update({f"{name}/{key}": axis for key, axis in cut.named.items()})
    return outputs


def _lost(cut, inputs, outputs):
    """Units that go in, and of which the rule says nothing more."""
    said = [*(a for x in outputs for a in x.axes), *(a for axes in cut.weights.values() for a in axes), *cut.watches]
    said += [a for pair in cut.tied for a in pair] + [a for a, _ in cut.fixed]
    labels = np.concatenate([a.labels for a in said if a is not None] or [np.empty(0, np.int64)])
    entering = [a for x in inputs for a in x.axes if a is not None]
    return [(a, "it works across them") for a in entering if not np.isin(a.labels, labels).any()]


def _tie_or_fix(graph, before, now):
    if before is now:
        return
    if before is not None and now is not None:
        graph.tie(before, now)
    else:
        graph.fix(now if before is None else before, "their layer is also called where nothing can be removed")


def main_axis(outputs):
    """The axis that a layer's name speaks of: the last that has units."""
    return next((a for x in outputs for a in reversed(x.axes) if isinstance(a, Axis)), None)


def _same(n, pairs):
    """For each of n labels the least of all that it is tied to, directly or through others; pairs are (2, ties)."""
    pairs = np.concatenate([np.empty((2, 0), int), *pairs], axis=1)
    root = np.arange(n)
    while True:
        a, b = root[pairs]
        new = root.copy()
        np.minimum.at(new, a, np.minimum(a, b))
        np.minimum.at(new, b, np.minimum(a, b))
        new = new[new]
        if np.array_equal(new, root):
            return root
        root = new
