"""From scores of units to those that are kept, group by group."""

import math
from collections.abc import Mapping

import numpy as np

from course_lib.shrink.groups import groups

__all__ = ["keep_highest"]


def keep_highest(model, scores, kept) -> dict:
    """The units with the highest scores of each group, as :func:`course_lib.shrink.remove_units` takes them.

        score of unit j of a group = Σ_l s_l,j / mean_k s_l,k,   over the layers l that make the group's units

    keep ⌊kept · n + ½⌋ of n, at least one; of equal scores the first. The division makes layers of one group count
    alike; where it is not defined (a mean that is not positive) raw scores are added. Groups that no scored layer makes
    whole stay as they are. Of units with several places the scores are added.

    Parameters
    ----------
    model
        A built functional or Sequential Keras model.
    scores
        {layer name: array (units,)}, high = keep: the result of a unit score such as ``scores.unit_norm``.
    kept
        Fraction of units to keep, 0 to 1: of every group, or {group's name: fraction}, groups not in it whole.

    Returns
    -------
    dict
        {group's name: indices kept}.

    Raises
    ------
    ValueError
        A fraction outside [0, 1], a name that is no group with scores, scores that are NaN.

    Examples
    --------
    >>> from course_lib import models, scores
    >>> model = models.small_cnn()
    >>> keep = keep_highest(model, scores.unit_norm(model), 0.25)
    >>> {name: len(units) for name, units in keep.items()}
    {'conv_1': 4, 'conv_2': 8, 'dense_1': 16}
    """
    found = {group.name: group for group in groups(model)}
    ranked = {name: _group_scores(group, scores) for name, group in found.items()}
    ranked = {name: values for name, values in ranked.items() if values is not None}
    fractions = kept if isinstance(kept, Mapping) else dict.fromkeys(ranked, kept)
    keep = {}
    for name, fraction in fractions.items():
        if name not in ranked:
            raise ValueError(f"kept names {name!r}, which is no group with scores; there are {', '.join(ranked)}.")
        if not 0 <= fraction <= 1:
            raise ValueError(f"kept is {fraction} for {name!r}; it is a fraction of units, from 0 to 1.")
        n = max(1, math.floor(fraction * len(ranked[name]) + 0.5))
        keep |= found[name].keep(np.argsort(-ranked[name], kind="stable")[:n])
    return keep


def _group_scores(group, scores):
    """One score a unit of a group; None if no layer that makes all of them has scores."""
    n = sum(map(len, group.places))
    made = [np.asarray(scores[name], float) for name in group.makes if len(scores.get(name, ())) == n]
    if not made:
        return None
    if any(np.isnan(values).any() for values in made):
        raise ValueError(f"the scores of group {group.name!r} hold NaN and cannot be ranked.")
    divide = all(values.mean() > 0 for values in made)
    total = sum(values / values.mean() if divide else values for values in made)
    return np.array([total[list(places)].sum() for places in group.places])
