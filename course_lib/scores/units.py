"""Unit scores that look at the weights alone: one number a unit, a filter, a channel.

A unit score is a function ``score(model, data=None) -> {layer name: array (units,)}``, high = keep, for hidden Dense,
convolution, transposed and separable convolution layers. The model's output layers are left out: removing units never
touches its own outputs. In nested models a name is ``"inner/dense"``. Raw numbers; compare layers with care.

Sources: norms, Li et al., "Pruning Filters for Efficient ConvNets", ICLR (2017); γ, Liu et al., "Learning Efficient
Convolutional Networks through Network Slimming", ICCV (2017); geometric median, He et al., "Filter Pruning via
Geometric Median for Deep Convolutional Neural Networks Acceleration", CVPR (2019).
"""

import numpy as np

from course_lib.scores.hidden import hidden_units

__all__ = ["bn_gamma", "geometric_median", "unit_norm"]


def unit_norm(model, data=None, *, order=1) -> dict:
    """A unit matters as much as its incoming weights are large.

        score_j = Σ_i |w_ij|  (order 1)     or     √ Σ_i w_ij²  (order 2)

    Biases do not count. Of a separable convolution it is the pointwise kernel that makes the unit.

    Parameters
    ----------
    model
        A built Keras model.
    data
        Not used, except that a subclassed model sees the shape of its inputs from it: a pair (x, y), or batches.
    order
        1 or 2; ``functools.partial(unit_norm, order=2)`` is the second score.

    Returns
    -------
    dict
        {layer name: float array (units,)}.

    Raises
    ------
    ValueError
        Another order; the model is not built, has no hidden units, or they cannot be found (see ``scores.hidden``).

    Examples
    --------
    >>> from course_lib import models
    >>> {name: score.shape for name, score in unit_norm(models.small_cnn()).items()}
    {'conv_1': (16,), 'conv_2': (32,), 'dense_1': (64,)}
    """
    if order not in (1, 2):
        raise ValueError(f"order is {order}; it is 1 for the sum of |w| or 2 for the root of the sum of w².")
    return {name: np.linalg.norm(units.weights, order, axis=1) for name, units in hidden_units(model, data).items()}


def geometric_median(model, data=None) -> dict:
    """A filter matters as much as it is far from the others of its layer: what lies in their midst can be replaced.

        score_j = Σ_k ‖w_j − w_k‖₂

    The point with the least sum of distances is the geometric median; filters near it go first, however large they are.
    Layers of more units have more terms: prune each layer by itself.

    Parameters, result and errors as for :func:`unit_norm`.

    Examples
    --------
    >>> import keras
    >>> hidden = keras.layers.Dense(3, use_bias=False, name="hidden")
    >>> model = keras.Sequential([keras.Input((1,)), hidden, keras.layers.Dense(1)])
    >>> hidden.set_weights([np.array([[0.0, 4.0, 5.0]])])
    >>> geometric_median(model)["hidden"].tolist()
    [9.0, 5.0, 6.0]
    """
    return {
        name: np.array([np.linalg.norm(units.weights - w, axis=1).sum() for w in units.weights])
        for name, units in hidden_units(model, data).items()
    }


def bn_gamma(model, data=None, *, layers=None) -> dict:
    """A channel matters as much as the BatchNormalization behind it lets through.

        score_j = |γ_j|,     BN(z) = γ (z − μ) / σ + β

    Meant for networks trained with L1 on γ. The BatchNormalization must follow its layer, with nothing but an
    activation layer in between, and belong to it alone.

    Parameters
    ----------
    model, data
        As for :func:`unit_norm`.
    layers
        Names of the layers to score; all hidden ones if None.

    Raises
    ------
    ValueError
        As for :func:`unit_norm`; a layer is not in the model, or has no BatchNormalization with a γ behind it.

    Examples
    --------
    >>> import keras
    >>> dense, norm = keras.layers.Dense(2, name="hidden"), keras.layers.BatchNormalization()
    >>> model = keras.Sequential([keras.Input((1,)), dense, norm, keras.layers.ReLU(), keras.layers.Dense(1)])
    >>> norm.set_weights([np.array([0.5, -2.0]), np.zeros(2), np.zeros(2), np.ones(2)])  # γ, β, μ, σ²
    >>> bn_gamma(model)["hidden"].tolist()
    [0.5, 2.0]
    """
    found = hidden_units(model, data)
    scores = {}
    for name in found if layers is None else layers:
        if name not in found:
            raise ValueError(
                f"layers names {name!r}, which is no hidden layer with units; there are {', '.join(found)}."
            )
        norms = found[name].norms
        if len(norms) != 1 or next(iter(norms)).gamma is None:
            raise ValueError(
                f"layer {name!r} is not followed by one BatchNormalization with scale=True; "
                f"name in layers those that are, or use another score."
            )
        scores[name] = np.abs(next(iter(norms)).gamma.numpy())
    return scores
