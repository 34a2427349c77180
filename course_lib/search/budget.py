"""The widths that fit a budget of bytes, multiply-accumulates or milliseconds.

    for each group of units: the loss when a fraction of it, the lowest scores, is gone, and nothing else
    for a level L:           of every group as much goes as keeps that loss at or below L
    search L:                the lowest at which the model, as measured, is within the budget

Source of the measured costs in the loop: Yang et al., "NetAdapt: Platform-Aware Neural Network Adaptation for Mobile
Applications", ECCV (2018), which goes greedily, layer by layer, and trains between; one level for all groups is the
choice of ``search.allocate`` too.
"""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from course_lib import scores
from course_lib.deploy import latency, to_tflite
from course_lib.report import summary
from course_lib.scores.loss import needs_loss
from course_lib.search.sensitivity import Sensitivity, mean_loss
from course_lib.shrink import keep_highest, remove_units

__all__ = ["Budget", "Point", "fit_budget"]

GONE = (0.25, 0.5, 0.75, 0.9)  # fractions of a group that the scan takes away
HALVINGS = 6


class Point(NamedTuple):
    """One model that was tried. ``kept`` is {group: fraction of its units}; a cost that no budget asks for is None."""

    kept: dict
    loss: float
    macs: int
    bytes: int | None
    milliseconds: float | None


@dataclass(frozen=True)
class Budget:
    """Result of :func:`fit_budget`: the model that fits, its :class:`Point`, and the Pareto front of all tried.

    The front goes from the dearest to the cheapest; no other model is as good in loss and costs and better in one.
    """

    model: object
    point: Point
    front: tuple


def fit_budget(
    model, data, *, bytes=None, macs=None, milliseconds=None, score=scores.unit_norm, score_data=None, tune=None
) -> Budget:
    """A smaller model within a budget, by removing the units that it misses least.

    Parameters
    ----------
    model
        A built and compiled functional or Sequential Keras model. It is not changed.
    data
        What the loss is measured on, a pair (x, y) of arrays or batches of them. Choices belong on the validation
        split: give that.
    bytes
        Size of its float32 ``.tflite`` file, at most.
    macs
        Multiply-accumulates of one example, at most.
    milliseconds
        Median time of one example in LiteRT on this machine, at most. Measured on a file of each model that is tried.
    score, score_data
        Which units of a group go first, and the data for a score that needs some.
    tune
        ``tune(model)``, if given, trains each model that is tried, in place, before its loss is measured. Without it
        losses are those right after the cut, and the result wants training.

    Returns
    -------
    Budget

    Raises
    ------
    ValueError
        No budget; a budget that is not positive, or that the smallest model of the search, a tenth of every group, does
        not reach; the model has no loss, or no group of units that can go.

    Examples
    --------
    >>> from course_lib import models
    >>> model = models.lenet_300_100()
    >>> model.compile(loss="sparse_categorical_crossentropy")
    >>> found = fit_budget(model, (np.ones((8, 28, 28, 1)), np.zeros(8)), macs=100_000)
    >>> found.point.macs <= 100_000
    True
    """
    budget = {"macs": macs, "bytes": bytes, "milliseconds": milliseconds}
    budget = {name: limit for name, limit in budget.items() if limit is not None}
    if not budget or not all(limit > 0 for limit in budget.values()):
        raise ValueError(f"the budget is {budget}; give bytes, macs or milliseconds, above 0.")
    needs_loss(model)
    ranked = score(model, score_data)
    scan = _scan(model, data, ranked)
    levels = np.unique([scan.loss, *(loss for curve in scan.losses.values() for loss in curve)])

    tried = {}

    def fits(share):
        """Try the level at this share of all the losses seen; remember it; say whether it is within the budget."""
        level = float(np.interp(share * (len(levels) - 1), np.arange(len(levels)), levels))
        kept = {name: 1 - scan.bearable(name, level) for name in scan.losses}
        small = remove_units(model, keep_highest(model, ranked, kept))
        if tune is not None:
            tune(small)
        point = Point(kept, mean_loss(small, data), summary(small).macs, *_file_costs(small, budget))
        within = all(getattr(point, name) <= limit for name, limit in budget.items())
        tried[share] = (point, small if within else None)
        return within

    if not fits(0.0) and not fits(1.0):
        smallest = {name: getattr(tried[1.0][0], name) for name in budget}
        raise ValueError(f"the budget is {budget}, but the smallest model of the search has {smallest}.")
    low, high = 0.0, 1.0  # low does not fit, high does
    for _ in range(HALVINGS if len(tried) > 1 else 0):
        middle = (low + high) / 2
        low, high = (low, middle) if fits(middle) else (middle, high)
    point, small = min((found for found in tried.values() if found[1] is not None), key=lambda found: found[0].loss)
    return Budget(small, point, _front([point for point, _ in tried.values()], list(budget)))


def _scan(model, data, ranked) -> Sensitivity:
    losses = {}
    for name in keep_highest(model, ranked, 1.0):
        smaller = [remove_units(model, keep_highest(model, ranked, {name: 1 - gone})) for gone in GONE]
        losses[name] = tuple(mean_loss(small, data) for small in smaller)
    if not losses:
        raise ValueError(f"model {model.name!r} has no group of units that the score ranks; see shrink.groups(model).")
    return Sensitivity(GONE, losses, mean_loss(model, data))


def _file_costs(model, budget):
    if not {"bytes", "milliseconds"} & set(budget):
        return None, None
    with tempfile.TemporaryDirectory() as folder:
        file = to_tflite(model, Path(folder) / "model.tflite")
        return file.stat().st_size, latency(file).median if "milliseconds" in budget else None


def _front(points, costs):
    """The points that no other beats, from the dearest to the cheapest."""

    def values(point):
        return np.array([point.loss, *(getattr(point, cost) for cost in costs)])

    def beaten(point):
        return any((values(other) <= values(point)).all() and (values(other) < values(point)).any() for other in points)

    return tuple(sorted((p for p in points if not beaten(p)), key=lambda p: getattr(p, costs[0]), reverse=True))
