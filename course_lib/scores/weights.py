"""Scores that look at the weights alone.

Source: magnitude, Han et al., "Learning both Weights and Connections for Efficient Neural Networks", NIPS (2015).
Random is the baseline that every score has to beat (Blalock et al., "What is the State of Neural Network Pruning?",
MLSys (2020)).
"""

import numpy as np

from course_lib.variables import prunable

__all__ = ["magnitude", "random"]


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
