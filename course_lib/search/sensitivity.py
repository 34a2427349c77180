"""Which tensors bear pruning: prune one at a time, look at the loss.

Source: Han et al., "Learning both Weights and Connections for Efficient Neural Networks", NIPS (2015), section 4.2.
"""

from dataclasses import dataclass

import numpy as np

from course_lib import scores
from course_lib.masks import from_scores
from course_lib.scores.loss import batches, loss, needs_loss
from course_lib.variables import prunable

__all__ = ["Sensitivity", "mean_loss", "sensitivity"]


@dataclass(frozen=True)
class Sensitivity:
    """Losses of a model with one tensor pruned: ``losses[path][i]`` at ``sparsities[i]``.

    ``loss`` is that of the model as it is.
    """

    sparsities: tuple
    losses: dict
    loss: float

    def bearable(self, path, level) -> float:
        """The highest sparsity of this tensor up to which the loss stays at or below ``level``, between the points.

        Examples
        --------
        >>> Sensitivity((0.5, 0.9), {"kernel": (1.0, 3.0)}, loss=1.0).bearable("kernel", 2.0)
        0.7
        """
        xs, ys = (0.0, *self.sparsities), np.maximum.accumulate([self.loss, *self.losses[path]])
        if level < ys[0]:
            return 0.0
        if level >= ys[-1]:
            return xs[-1]
        i = int(np.searchsorted(ys, level, side="right"))  # ys[i − 1] <= level < ys[i]
        return round(xs[i - 1] + (xs[i] - xs[i - 1]) * float((level - ys[i - 1]) / (ys[i] - ys[i - 1])), 12)


def sensitivity(
    model, data, sparsities=(0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99), score=scores.magnitude, score_data=None
) -> Sensitivity:
    """Prune each tensor by itself to each sparsity, without training, and measure the loss.

    Choices belong on the validation split: give that. The model is put back as it was, also after an error.

    Parameters
    ----------
    model
        A built and compiled Keras model.
    data
        As for the scores: a pair (x, y) of arrays, or batches of them.
    sparsities
        What to try, ascending, in (0, 1].
    score, score_data
        Which weights go first, and the data for a score that needs some.

    Returns
    -------
    Sensitivity

    Raises
    ------
    ValueError
        The model has no loss; no data; sparsities that do not rise within (0, 1].

    Examples
    --------
    >>> from course_lib import models
    >>> model = models.lenet_300_100()
    >>> model.compile(loss="sparse_categorical_crossentropy")
    >>> scan = sensitivity(model, (np.zeros((8, 28, 28, 1)), np.zeros(8)), sparsities=[0.5, 0.9])
    >>> {path: len(losses) for path, losses in scan.losses.items()}
    {'dense_1/kernel': 2, 'dense_2/kernel': 2, 'output/kernel': 2}
    """
    sparsities = tuple(float(s) for s in sparsities)
    if not sparsities or not all(a < b for a, b in zip((0.0, *sparsities), (*sparsities, 1.0001), strict=True)):
        raise ValueError(f"sparsities is {sparsities}; they must rise, above 0 and up to 1.")
    needs_loss(model)
    base = mean_loss(model, data)
    ranked = score(model, score_data)
    losses = {}
    for path, kernel in prunable(model).items():
        weights = kernel.numpy()
        try:
            losses[path] = []
            for sparsity in sparsities:
                mask = from_scores({path: ranked[path]}, sparsity)[path]
                kernel.assign(np.where(mask, weights, 0))
                losses[path].append(mean_loss(model, data))
        finally:
            kernel.assign(weights)
    return Sensitivity(sparsities, {path: tuple(curve) for path, curve in losses.items()}, base)


def mean_loss(model, data) -> float:
    total, n = 0.0, 0
    for x, y in batches(data, size=1024):
        total += float(loss(model, x, y)) * len(y)
        n += len(y)
    if n == 0:
        raise ValueError("data holds no example; give at least one batch.")
    return total / n
