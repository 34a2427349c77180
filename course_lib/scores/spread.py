"""A score a unit as a score a weight: all the weights that lead to a unit have its score."""

import numpy as np

from course_lib.scores.hidden import SEPARABLE, TRANSPOSED, named_layers
from course_lib.variables import prunable

__all__ = ["per_weight"]


def per_weight(model, scores) -> dict:
    """Scores by variable path, from scores by layer name; those that are by path already stay.

        score of w_ij = score of unit j

    With ``structures.Unit()`` masks of whole units follow: each unit by the mean over its weights, which is its score.

    Parameters
    ----------
    model
        The Keras model that was scored.
    scores
        {layer name: array (units,)} from a unit score, or {variable path: array}.

    Returns
    -------
    dict
        {variable path: array of the variable's shape}.

    Raises
    ------
    ValueError
        A name that is neither a layer with units nor a variable's path, or a score for another number of units.

    Examples
    --------
    >>> from course_lib import models
    >>> from course_lib.scores import unit_norm
    >>> model = models.lenet_300_100()
    >>> {path: score.shape for path, score in per_weight(model, unit_norm(model)).items()}
    {'dense_1/kernel': (784, 300), 'dense_2/kernel': (300, 100)}
    """
    paths = {id(kernel): path for path, kernel in prunable(model).items()}
    layers = dict(named_layers(model))
    spread = {}
    for name, score in scores.items():
        if name not in layers:
            spread[name] = score
            continue
        kernel = layers[name].pointwise_kernel if isinstance(layers[name], SEPARABLE) else layers[name].kernel
        axis = -2 if isinstance(layers[name], TRANSPOSED) else -1
        if np.shape(score) != (kernel.shape[axis],):
            raise ValueError(
                f"scores[{name!r}] has shape {np.shape(score)}; the layer has {kernel.shape[axis]} units, a score each."
            )
        along = [1] * len(kernel.shape)
        along[axis] = -1
        spread[paths[id(kernel)]] = np.broadcast_to(np.reshape(score, along), tuple(kernel.shape))
    return spread
