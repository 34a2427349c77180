"""Find the units that do nothing: always the same, or read by nothing."""

from operator import attrgetter

import numpy as np

from course_lib.shrink.graph import Ways
from course_lib.shrink.rebuild import cut

__all__ = ["consumed", "idle_units"]


def idle_units(graph):
    """The units that could go without any change: always the same, or read by nothing that stays."""
    calls = [(call, [*consumed(call), *call.cut.watches]) for call in graph.calls]
    once = {}  # a layer that reads other constants in another call cannot have both
    for call, axes in calls:
        first = once.setdefault(id(call.layer), axes)
        for i, (one, other) in enumerate(zip(first, axes, strict=False)):
            agreed = np.where(one.values == other.values, one.values, np.nan)
            first[i], axes[i] = one.with_values(agreed), other.with_values(agreed)
    weighted = [a for call in graph.calls for axes in call.cut.weights.values() for a in axes if a is not None]
    gone = np.array([], int)
    while True:
        needed = [np.array(sorted(graph.fixed), int)]
        for call, axes in calls:
            varying = [graph.root(a)[np.isnan(a.values)] for a in axes]
            if any(map(len, varying)):
                unread = _unread(graph, call, gone)
                needed += [roots[~np.isin(roots, unread)] for roots in varying]
        idle = np.setdiff1d(graph.roots(), np.concatenate(needed))
        for axis in weighted:  # one unit of a layer stays in any case
            roots = graph.root(axis)
            if np.isin(roots, idle).all():
                idle = np.setdiff1d(idle, roots[:1])
        if np.array_equal(idle, gone):
            return gone
        gone = idle


def consumed(call):
    """The axes of units that go into a call and do not come out, and those that stay inside, as attention's heads."""
    ways = Ways(call)
    inside = [] if call.cut.units is None else [call.cut.units]
    return [a for a in [*ways.entering, *inside] if not ways.leaves(a)]


def _unread(graph, call, gone):
    """The units of which all weights in this call are zero, but for those that lead to what is gone."""
    known, read = [np.array([], int)], [np.array([], int)]
    for name, axes in call.cut.weights.items():
        weight = attrgetter(name)(call.layer).numpy() != 0
        stay = [None if a is None else np.flatnonzero(~np.isin(graph.root(a), gone)) for a in axes]
        for i, axis in enumerate(axes):
            if axis is not None:
                rest = cut(weight, [None if j == i else left for j, left in enumerate(stay)])
                used = rest.any(axis=tuple(j for j in range(rest.ndim) if j != i))
                known.append(graph.root(axis))
                read.append(graph.root(axis)[used])
    return np.setdiff1d(np.concatenate(known), np.concatenate(read))
