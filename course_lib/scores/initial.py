"""Scores for a net that has not been trained: which connections are worth training.

Sources: SNIP, Lee, Ajanthan, Torr, "SNIP: Single-shot Network Pruning based on Connection Sensitivity", ICLR (2019);
GraSP, Wang, Zhang, Grosse, "Picking Winning Tickets Before Training by Preserving Gradient Flow", ICLR (2020).
"""

import tensorflow as tf

from course_lib.scores.gradients import taylor
from course_lib.scores.hessian import flat_weights, hessian_times, split
from course_lib.scores.loss import gradients, mean_over, traced

__all__ = ["grasp", "snip"]


def snip(model, data) -> dict:
    """Connection sensitivity: how much the loss feels a switch c_k at the weight, with c_k = 1.

        score(w_k) = |∂L/∂c_k| / Σ_j |∂L/∂c_j|,     ∂L/∂c_k = w_k · ∂L/∂w_k

    This is :func:`taylor`, before training and as a share of the whole model: the scores add up to 1. All are 0 if no
    gradient reaches any weight.

    Parameters
    ----------
    model
        A built and compiled Keras model, usually fresh: its loss is differentiated, in inference mode.
    data
        A pair (x, y) of arrays, or an iterable of batches (x, y); a few examples of each class are plenty.

    Returns
    -------
    dict
        {variable path: float64 array of the variable's shape}, without a unit.

    Raises
    ------
    ValueError
        The model is not built or has no loss; there are no data.

    Examples
    --------
    >>> import keras, numpy as np
    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, use_bias=False, kernel_initializer="ones")])
    >>> model.compile(loss="mse")
    >>> [array.tolist() for array in snip(model, (np.array([[1.0, 3.0]]), np.zeros((1, 1)))).values()]
    [[[0.25], [0.75]]]
    """
    sensitivity = taylor(model, data)
    total = sum(array.sum() for array in sensitivity.values())
    return {path: array / (total or 1.0) for path, array in sensitivity.items()}


def grasp(model, data) -> dict:
    """Gradient flow: how much smaller the gradient's norm gets when the weight is removed.

        score(w) = w ⊙ H g,     H the Hessian, g the gradient

    A step δ changes gᵀg, the rate at which training lowers the loss, by S(δ) = 2 δᵀ H g to first order. Removing a
    weight is δ = −w_k, so S = −2 w_k (H g)_k. The paper prunes the weights with the highest S, and so its importance
    −w ⊙ H g has the opposite sign here, where high = keep: a positive score says that removal would cost gradient
    flow, a negative one that it would even add some.

    Parameters, result and errors as for :func:`snip`; the unit is that of gᵀg, and not every score is positive.

    Examples
    --------
    >>> import keras, numpy as np
    >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False, kernel_initializer="ones")])
    >>> model.compile(loss="mse")
    >>> data = (np.array([[1.0]]), np.array([[3.0]]))  # L = (w − 3)², g = −4, H = 2
    >>> [array.tolist() for array in grasp(model, data).values()]
    [[[-8.0]]]
    """
    g = tf.concat([tf.reshape(tf.constant(part, "float32"), [-1]) for part in gradients(model, data).values()], axis=0)
    (hg,) = mean_over(data, traced(lambda x, y: [hessian_times(model, x, y)(g)]))
    return split(model, flat_weights(model) * hg)
