"""Proximal operators: the exact minimiser of a penalty plus the distance moved.

    prox_t(w) = argmin_v  ½‖v − w‖² + t Ω(v)

Source: Parikh, Boyd, "Proximal Algorithms", Foundations and Trends in Optimization (2014), sections 6.5.1 and 6.5.2.
"""

import math

import numpy as np

__all__ = ["group_soft_threshold", "soft_threshold"]


def soft_threshold(w, t):
    """The proximal operator of L1: every entry moves towards zero by ``t`` and stops at zero.

        S_t(w) = sign(w) · max(|w| − t, 0) = w − clip(w, −t, t)

    The second form is the code: it has no negative zeros, which would cost bytes in a compressed file.

    Parameters
    ----------
    w
        NumPy array (or anything it understands), TensorFlow tensor or Keras variable, any shape.
    t
        Threshold ≥ 0, a number or an array that broadcasts against ``w``, in the units of ``w``.

    Returns
    -------
    The kind and the shape of ``w``.

    Raises
    ------
    ValueError
        ``t`` is negative or NaN: the weights would grow.

    Examples
    --------
    >>> soft_threshold([3.0, -0.5, -2.0], 1.0)
    array([ 2.,  0., -1.])
    """
    ops = _ops_for(w, t)
    return w - ops.clip(w, -t, t)


def group_soft_threshold(w, t, axis):
    """The proximal operator of the group lasso: a group shrinks as one, and vanishes as one.

        S_t(w_g) = w_g · max(1 − t / ‖w_g‖₂, 0)

    Parameters
    ----------
    w
        As for :func:`soft_threshold`.
    t
        Threshold ≥ 0, in the units of a group's norm.
    axis
        The axis or axes inside a group, over which its norm is taken. A Dense kernel (inputs, units) has the columns
        as groups with ``axis=0`` (one per unit) and the rows with ``axis=1`` (one per input); a Conv2D kernel
        (height, width, inputs, filters) has the filters with ``axis=(0, 1, 2)``.

    Returns
    -------
    The kind and the shape of ``w``.

    Raises
    ------
    ValueError
        ``t`` is negative or NaN.

    Examples
    --------
    >>> group_soft_threshold([[3.0, 0.1], [4.0, 0.1]], 1.0, axis=0)
    array([[2.4, 0. ],
           [3.2, 0. ]])
    """
    ops = _ops_for(w, t)
    axis = tuple(axis) if isinstance(axis, list) else axis
    largest = ops.max(ops.abs(w), axis=axis, keepdims=True)
    unit = ops.where(largest > 0, largest, 1)
    size = math.prod(np.shape(w)) / math.prod(np.shape(largest))
    mean = ops.mean(ops.square(w / unit), axis=axis, keepdims=True)  # at most 1: no square or sum overflows, or is lost
    norm = unit * (ops.sqrt(mean) * math.sqrt(size))
    gone = norm <= t
    return ops.where(gone, 0, w * ((norm - t) / ops.where(gone, 1, norm)))  # without negative zeros, as above


def _ops_for(w, t):
    """NumPy for arrays, Keras's operations for tensors; and the threshold checked where it can be read."""
    if not hasattr(t, "graph") and not np.all(np.asarray(t) >= 0):  # a tensor of a graph has no value yet
        raise ValueError(f"t is {t}; a threshold is at least 0.")
    if isinstance(w, np.ndarray | np.generic | list | tuple | float | int):
        return np
    from keras import ops

    return ops
