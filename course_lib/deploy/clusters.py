"""Weight sharing: the kept weights of a tensor take a few values, so that each is a number of a few bits.

    min over c, a of  Σ_i (w_i − c_{a(i)})²        k-means on a line, zeros left out

Source: Han, Mao, Dally, "Deep Compression", ICLR (2016), section 3, whose linear initialisation this is, but for the
gap around zero.
"""

import numpy as np

from course_lib.checks import whole
from course_lib.variables import find, prunable

__all__ = ["cluster"]

ROUNDS = 100


def cluster(model, clusters=32, paths=None) -> dict:
    """Give the non-zero weights of each tensor the nearest of a few common values; zeros stay zeros.

    Parameters
    ----------
    model
        A built Keras model; it is changed.
    clusters
        Values a tensor, besides zero: 32 are numbers of 5 bits. Fewer if it has fewer different weights.
    paths
        Variables to cluster, by path; all kernels if None.

    Returns
    -------
    dict
        {variable path: array of its values, ascending}.

    Raises
    ------
    TypeError, ValueError
        Not a built Keras 3 model; clusters is not a whole number of at least 1; an unknown path; weights are not
        finite. Nothing is changed then.

    Examples
    --------
    >>> from course_lib import models
    >>> model = models.lenet_300_100()
    >>> {path: len(values) for path, values in cluster(model, 8).items()}
    {'dense_1/kernel': 8, 'dense_2/kernel': 8, 'output/kernel': 8}
    >>> len(np.unique(model.get_layer("output").kernel))
    8
    """
    whole(1, clusters=clusters)
    kernels = prunable(model) if paths is None else find(model, paths)
    shared = {path: _shared(path, kernel.numpy(), int(clusters)) for path, kernel in kernels.items()}
    for path, (weights, _) in shared.items():
        kernels[path].assign(weights)
    return {path: values for path, (_, values) in shared.items()}


def _shared(path, weights, clusters):
    """The weights with values shared, and these values."""
    kept = weights != 0
    w = np.sort(weights[kept].astype("float64"))
    if not np.isfinite(w).all():
        raise ValueError(f"the weights of {path!r} are not all finite and cannot be clustered.")
    distinct = np.unique(w)
    if len(distinct) <= clusters:
        return weights, distinct.astype(weights.dtype)
    sums, centres = np.concatenate([[0], np.cumsum(w)]), _evenly(w[w < 0], w[w > 0], clusters)
    for _ in range(ROUNDS):
        edges = np.searchsorted(w, (centres[1:] + centres[:-1]) / 2)  # sorted weights fall into runs
        begin, end = np.concatenate([[0], edges]), np.concatenate([edges, [len(w)]])
        n = end - begin
        new = np.where(n > 0, (sums[end] - sums[begin]) / np.maximum(n, 1), centres)
        if np.array_equal(new, centres):
            break
        centres = new
    values = np.unique(centres[n > 0].astype(weights.dtype))
    values = values[values != 0]  # a zero is a pruned weight, and only that
    nearest = np.searchsorted((values[1:] + values[:-1]) / 2, weights)
    return np.where(kept, values[nearest], 0).astype(weights.dtype), values


def _evenly(negative, positive, n):
    """n values, evenly from the least weight to the largest, but none in the gap that pruning has left around zero."""
    spans = [np.ptp(side) if len(side) else 0.0 for side in (negative, positive)]
    share = spans[0] / sum(spans) if sum(spans) else len(negative) / (len(negative) + len(positive))
    below = min(max(round(n * share), bool(len(negative))), n - bool(len(positive)) if n > 1 else n)
    sides = [(negative, below), (positive, n - below)]
    return np.concatenate([np.linspace(side[0], side[-1], k) for side, k in sides if k and len(side)])
