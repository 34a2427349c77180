"""How much of each tensor to prune, so that the whole model has the sparsity asked for.

Sources: ERK, Mocanu et al., "Scalable training of artificial neural networks with adaptive sparse connectivity inspired
by network science", Nature Communications (2018), for kernels as in Evci et al., "Rigging the Lottery", ICML (2020);
LAMP, Lee et al., "Layer-adaptive Sparsity for the Magnitude-based Pruning", ICLR (2021).
"""

import math

import numpy as np

from course_lib import scores
from course_lib.masks import from_scores
from course_lib.variables import prunable

__all__ = ["allocate"]

HOW = ("uniform", "erk", "lamp", "sensitivity")


def allocate(model, sparsity, how="uniform", sensitivity=None) -> dict:
    """{variable path: sparsity}, to be given as ``scope`` to ``masks.from_scores`` or ``training.Prune``.

    ``"uniform"``
        Every tensor the same.
    ``"erk"``
        The density of a tensor in proportion to Σ dims / Π dims, at most 1: small tensors are kept denser, and the
        connections of a unit are as many in a wide layer as in a narrow one.
    ``"lamp"``
        What global pruning by the LAMP score gives each tensor.
    ``"sensitivity"``
        Every tensor as far as the same loss allows: the largest common loss in a scan by ``search.sensitivity`` at
        which the model reaches its sparsity, read off between the scanned points.

    Parameters
    ----------
    model
        A built Keras model.
    sparsity
        Fraction of all prunable weights to prune, 0 to 1.
    how
        One of the above.
    sensitivity
        For ``"sensitivity"``: the result of ``search.sensitivity(model, validation)``.

    Raises
    ------
    ValueError
        A sparsity outside [0, 1], an unknown ``how``, a scan that is missing or was made of another model, or one whose
        highest sparsities do not add up to the one asked for.

    Examples
    --------
    >>> from course_lib import models
    >>> {path: round(s, 3) for path, s in allocate(models.lenet_300_100(), 0.9, "erk").items()}
    {'dense_1/kernel': 0.92, 'dense_2/kernel': 0.77, 'output/kernel': 0.0}
    """
    if not 0 <= sparsity <= 1:
        raise ValueError(f"sparsity is {sparsity}; a sparsity is a fraction of zeros, from 0 to 1.")
    if how not in HOW:
        raise ValueError(f"how is {how!r}; choose one of {', '.join(map(repr, HOW))}.")
    sizes = {path: math.prod(kernel.shape) for path, kernel in prunable(model).items()}
    if how == "uniform":
        return dict.fromkeys(sizes, sparsity)
    if how == "lamp":
        return from_scores(scores.lamp(model), sparsity).per_tensor()
    if how == "sensitivity":
        return _equal_loss(sizes, sparsity, sensitivity)
    shapes = {path: tuple(kernel.shape) for path, kernel in prunable(model).items()}
    return _erdos_renyi(shapes, sparsity)


def _erdos_renyi(shapes, sparsity) -> dict:
    """Densities ε · Σ dims / Π dims; a tensor that would be more than dense is dense, and ε is found for the others."""
    sizes = {path: math.prod(shape) for path, shape in shapes.items()}
    raw = {path: sum(shape) / sizes[path] for path, shape in shapes.items()}
    dense = set()
    while True:
        wanted = (1 - sparsity) * sum(sizes.values()) - sum(sizes[path] for path in dense)
        rest = [path for path in shapes if path not in dense]
        if not rest:
            return dict.fromkeys(shapes, 0.0)
        epsilon = wanted / sum(raw[path] * sizes[path] for path in rest)
        over = {path for path in rest if epsilon * raw[path] > 1}
        if not over:
            return {path: 0.0 if path in dense else 1 - epsilon * raw[path] for path in shapes}
        dense |= over


def _equal_loss(sizes, sparsity, sensitivity) -> dict:
    if sensitivity is None or set(sensitivity.losses) != set(sizes):
        raise ValueError(
            "sensitivity is not a scan of this model; give the result of search.sensitivity(model, validation)."
        )
    total = sum(sizes.values())

    def at(level):  # the sparsity that each tensor bears at a loss, and the model's
        each = {path: sensitivity.bearable(path, level) for path in sizes}
        return each, sum(each[path] * size for path, size in sizes.items()) / total

    losses = [loss for curve in sensitivity.losses.values() for loss in curve]
    low, high = min(losses), max(losses)
    if at(high)[1] < sparsity:
        raise ValueError(
            f"sparsity is {sparsity}, but the scan goes only as far as {at(high)[1]:.3f}; scan higher sparsities."
        )
    for _ in range(60):  # bisection: the loss at which the sparsities add up
        middle = (low + high) / 2
        low, high = (middle, high) if at(middle)[1] < sparsity else (low, middle)
    each, reached = at(high)
    return {path: float(np.clip(s * sparsity / reached if reached else s, 0, 1)) for path, s in each.items()}
