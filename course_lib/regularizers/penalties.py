"""Penalties for ``kernel_regularizer=``: what is added to the loss.

Sources: L1, Tibshirani, "Regression Shrinkage and Selection via the Lasso", JRSS B (1996); L1L2 is the elastic net
of Zou and Hastie, JRSS B (2005); group lasso, Yuan and Lin, JRSS B (2006); L1 on BatchNorm's γ, Liu et al., "Learning
Efficient Convolutional Networks through Network Slimming", ICCV (2017).
"""

import keras
from keras import ops
from keras.regularizers import L1, L1L2, L2

__all__ = ["L1", "L1L2", "L2", "BatchNormGamma", "GroupLasso"]

TINY = 1e-30  # below this a group counts as zero: the square root has no gradient there


@keras.saving.register_keras_serializable(package="course_lib")
class GroupLasso(keras.Regularizer):
    """The group lasso: the sum of the groups' norms, which has its kinks where whole groups are zero.

        Ω(W) = strength · Σ_g ‖w_g‖₂

    Every group has the same weight (Yuan and Lin multiply by √(group size); groups of one tensor are of equal size,
    so that is a matter of ``strength``).

    Parameters
    ----------
    strength
        λ ≥ 0, in loss per unit of weight.
    axis
        The axis or axes inside a group, as in :func:`~course_lib.regularizers.group_soft_threshold`: for one group
        a unit, ``0`` for Dense and ``(0, 1, 2)`` for Conv2D.

    Raises
    ------
    ValueError
        ``strength`` is negative or not finite.

    Examples
    --------
    >>> import numpy as np
    >>> round(float(GroupLasso(0.1, axis=0)(np.array([[3.0, 0.0], [4.0, 1.0]]))), 6)
    0.6
    """

    def __init__(self, strength, axis):
        self.strength = _checked(strength)
        self.axis = tuple(axis) if isinstance(axis, list | tuple) else axis

    def __call__(self, w):
        squared = ops.sum(ops.square(w), axis=self.axis)
        return self.strength * ops.sum(ops.where(squared > TINY, ops.sqrt(ops.maximum(squared, TINY)), 0.0))

    def get_config(self):
        return {"strength": self.strength, "axis": self.axis}


@keras.saving.register_keras_serializable(package="course_lib")
class BatchNormGamma(keras.Regularizer):
    """L1 on the scales of a BatchNormalization, one a channel: channels that the network can do without get a small γ.

        Ω(γ) = strength · Σ_j |γ_j|

    Given as ``layers.BatchNormalization(gamma_regularizer=BatchNormGamma(1e-4))``; ``scores.bn_gamma`` then ranks the
    channels. For exact zeros take ``training.Proximal(strength, paths=["bn/gamma"])`` instead.

    Parameters
    ----------
    strength
        λ ≥ 0, in loss per unit of γ.

    Raises
    ------
    ValueError
        ``strength`` is negative or not finite.

    Examples
    --------
    >>> import numpy as np
    >>> round(float(BatchNormGamma(0.1)(np.array([1.0, -2.0]))), 6)
    0.3
    """

    def __init__(self, strength):
        self.strength = _checked(strength)

    def __call__(self, gamma):
        return self.strength * ops.sum(ops.abs(gamma))

    def get_config(self):
        return {"strength": self.strength}


def _checked(strength) -> float:
    if not 0 <= strength < float("inf"):
        raise ValueError(f"strength is {strength}; a penalty's strength is a finite number, at least 0.")
    return float(strength)
