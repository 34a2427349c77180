"""Which units of a model must go together.

A unit is the same unit wherever its label is: the filter that makes a channel, the BatchNormalization that scales it,
the layers that read it, and, where tensors are added, the filters that make the channels it is added to. Layers that
share units are a group: naming one of them in ``remove_units`` removes the same units in all.

Source: Fang et al., "DepGraph: Towards Any Structural Pruning", CVPR (2023), whose dependency graph this is, found
here from labels that run through the model.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from course_lib.report import Table
from course_lib.shrink.graph import Graph, Ways, read

__all__ = ["Group", "Groups", "groups"]


@dataclass(frozen=True)
class Group:
    """Layers that share units.

    Attributes
    ----------
    name
        The layer to name in ``remove_units``, of which it has most units.
    units
        How many units it makes that can go one without another.
    places
        For each of them the indices of the layer ``name``: one, or several that must go together, as in a grouped
        convolution or where a Dense layer's outputs are folded into an image.
    makes, passes, reads
        Names of the layers that have weights for these units: that make them, that change each by itself, that read
        them.
    fixed
        None, or why they cannot be removed.
    """

    name: str
    units: int
    places: tuple
    makes: tuple
    passes: tuple
    reads: tuple
    fixed: str | None = None

    @property
    def layers(self) -> tuple:
        """All its layers."""
        return tuple(dict.fromkeys([*self.makes, *self.passes, *self.reads]))

    def keep(self, units) -> dict:
        """``{name: indices}``, as ``remove_units`` takes it, for the numbers of the units kept, from 0.

        Examples
        --------
        >>> Group("conv", 2, ((0, 2), (1, 3)), ("conv",), (), ()).keep([1])
        {'conv': [1, 3]}
        """
        return {self.name: sorted(place for unit in units for place in self.places[unit])}


class Groups(Sequence):
    """The groups whose units can be removed, in the model's order; ``fixed`` has the others. Prints as a table.

    ``layers`` are the names of all layers that the model calls, in that order.
    """

    def __init__(self, found, layers):
        found, self.layers = tuple(found), tuple(layers)
        self._removable = tuple(group for group in found if group.fixed is None)
        self.fixed = tuple(group for group in found if group.fixed is not None)

    def __getitem__(self, i):
        return self._removable[i]

    def __len__(self):
        return len(self._removable)

    @property
    def table(self) -> Table:
        rows = [[g.name, f"{g.units:,}", *map(_some, (g.makes, g.passes, g.reads)), ""] for g in self]
        rows += [[g.name, f"{g.units:,}", *map(_some, (g.makes, g.passes, g.reads)), g.fixed] for g in self.fixed]
        return Table(["group", "units", "made by", "scaled by", "read by", "cannot go because"], rows)

    def __str__(self):
        return str(self.table)

    __repr__ = __str__

    def _repr_html_(self):
        return self.table._repr_html_()


def groups(model) -> Groups:
    """The groups of units of a functional or Sequential model.

    Parameters
    ----------
    model
        A built Keras model; models inside of it are looked into, their layers are called "inner/dense".

    Returns
    -------
    Groups
        A sequence of :class:`Group`, and in ``.fixed`` those that cannot be removed, with the reason.

    Raises
    ------
    TypeError, ValueError
        Not a Keras model, a subclassed one, or one that is not built.

    Examples
    --------
    >>> from course_lib import models
    >>> [(group.name, group.units, group.reads) for group in groups(models.small_cnn())]
    [('conv_1', 16, ('conv_2',)), ('conv_2', 32, ('dense_1',)), ('dense_1', 64, ('output',))]
    """
    graph = read(model)
    return Groups(_groups(graph), dict.fromkeys(call.name for call in graph.calls))


def _groups(graph: Graph):
    seen = []  # (axis of a weight, role of its layer, the layer's name)
    for call in graph.calls:
        ways = Ways(call)
        for axis in {id(a): a for axes in call.cut.weights.values() for a in axes if a is not None}.values():
            role = "reads" if not ways.leaves(axis) else "passes" if ways.enters(axis) else "makes"
            if role == "reads" and not ways.enters(axis):  # units that stay inside, such as heads
                role = "makes"
            seen.append((axis, role, call.name))
    part = graph.together([axis for axis, role, _ in seen if role == "makes"])
    layers = {}  # {group: {role: {layer's name: True}}}: dictionaries, for their order
    for axis, role, name in seen:
        for p in np.unique(part(axis)).tolist():
            layers.setdefault(p, {"makes": {}, "passes": {}, "reads": {}})[role][name] = True
    names = {}  # {group: that of its names which speaks of most units}
    for name, axis in graph.units.items():
        p, *others = np.unique(part(axis)).tolist()
        makes = layers.get(p, {}).get("makes", {})
        known = name in makes or name.rpartition("/")[0] in makes
        if known and not others and (p not in names or len(axis) > len(graph.units[names[p]])):
            names[p] = name
    for p, roles in layers.items():
        if p in names:
            axis = graph.units[names[p]]
            why = next((graph.fixed[root] for root in graph.root(axis).tolist() if root in graph.fixed), None)
            places = {}
            for place, root in enumerate(graph.root(axis).tolist()):
                places.setdefault(root, []).append(place)
            places = tuple(map(tuple, places.values()))
            yield Group(names[p], len(places), places, *map(tuple, roles.values()), why)


def _some(names, most=3):
    return ", ".join(names) if len(names) <= most else f"{', '.join(names[:most])} and {len(names) - most} more"
