"""Scores that look at the weights alone.

Sources: magnitude, Han et al., "Learning both Weights and Connections for Efficient Neural Networks", NIPS (2015);
LAMP, Lee et al., "Layer-adaptive Sparsity for the Magnitude-based Pruning", ICLR (2021). Random is the baseline that
every score has to beat (Blalock et al., "What is the State of Neural Network Pruning?", MLSys (2020)).
"""

import numpy as np

from course_lib.variables import prunable

__all__ = ["lamp", "magnitude", "random"]


def magnitude(model, data=None) -> dict:
    """A weight matters as much as it is large.

        score(w) = |w|

    Raw magnitudes are compared across tensors when masks are made with the global scope.

    Parameters
    ----------
    model
        A built Keras model.
    data
        Not used.

    Returns
    -------
    dict
        {variable path: float array of the variable's shape}.

    Examples
    --------
    >>> from course_lib import models
    >>> model = models.lenet_300_100()
    >>> {path: score.shape for path, score in magnitude(model).items()}
    {'dense_1/kernel': (784, 300), 'dense_2/kernel': (300, 100), 'output/kernel': (100, 10)}
    """
    return {path: np.abs(kernel.numpy()) for path, kernel in prunable(model).items()}


def random(model, data=None, *, seed=0) -> dict:
    """No weight matters more than another: uniform numbers in [0, 1).

    Parameters
    ----------
    model, data
        As for :func:`magnitude`.
    seed
        The same seed gives the same scores; ``functools.partial(random, seed=1)`` is another random score.

    Examples
    --------
    >>> from course_lib import models
    >>> model = models.lenet_300_100()
    >>> bool((random(model)["output/kernel"] == random(model)["output/kernel"]).all())
    True
    """
    rng = np.random.default_rng(seed)
    return {path: rng.random(kernel.shape, dtype="float32") for path, kernel in prunable(model).items()}


def lamp(model, data=None) -> dict:
    """Magnitude that adapts to the layer: a weight's share of what would be left if all smaller ones were gone.

        score(w_k) = w_k² / Σ_{|w_j| ≥ |w_k|} w_j²,     the sum over the same tensor

    Of equal weights the one with the lower flat index counts as the larger, as when masks are made. The largest weight
    of every tensor scores 1, the most there is: the global scope, which this score is for, never empties a tensor
    before all are down to one weight. Within a tensor the order is that of magnitude. Weights that are 0 score 0.

    Parameters, result and errors as for :func:`magnitude`; float64, without a unit.

    Examples
    --------
    >>> import keras
    >>> model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    >>> _ = model.layers[0].kernel.assign([[1.0], [-2.0], [2.0]])  # 1 / (4 + 4 + 1), 4 / 4, 4 / (4 + 4)
    >>> [array.ravel().round(3).tolist() for array in lamp(model).values()]
    [[0.111, 1.0, 0.5]]
    """
    return {path: _lamp(kernel.numpy().astype("float64")) for path, kernel in prunable(model).items()}


def _lamp(w):
    squares = np.square(w).reshape(-1)
    order = np.argsort(-squares, kind="stable")  # the largest first
    sorted_squares = squares[order]
    still_there = np.cumsum(sorted_squares)
    scores = np.zeros_like(squares)
    scores[order] = np.divide(sorted_squares, still_there, out=np.zeros_like(squares), where=still_there != 0)
    return scores.reshape(w.shape)
