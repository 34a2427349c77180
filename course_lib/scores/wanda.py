"""Wanda: magnitude times what the weight is multiplied by.

Source: Sun et al., "A Simple and Effective Pruning Approach for Large Language Models", ICLR (2024).
"""

import numpy as np

from course_lib.scores.inputs import as_matrix, squared_norms
from course_lib.variables import prunable

__all__ = ["wanda"]


def wanda(model, data) -> dict:
    """A weight matters as much as it moves its output: its size times the norm of its input.

        score(w_ij) = |w_ij| · ‖x_i‖₂,     x_i the i-th input of the layer, over all calibration data

    Meant to be compared within each output unit: make masks with ``scope="output"``. A convolution's inputs are the
    entries of the patches that its kernel sees, so each of its weights has a norm of its own.

    Parameters
    ----------
    model
        A built Keras model; it needs no loss.
    data
        A pair (x, y) of arrays, or an iterable of batches (x, y); y is not used. A hundred examples are plenty.

    Returns
    -------
    dict
        {variable path: float64 array of the variable's shape}, in units of the layer's output.

    Raises
    ------
    ValueError
        The model is not built; there are no data; a layer is not Dense, Conv, DepthwiseConv or a plain EinsumDense.

    Examples
    --------
    >>> import keras
    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, kernel_initializer="ones")])
    >>> x = np.array([[3.0, 1.0], [4.0, 0.0]])  # the columns have norms 5 and 1
    >>> [array.tolist() for array in wanda(model, (x, np.zeros(2))).values()]
    [[[5.0], [1.0]]]
    """
    scores, kernels = {}, prunable(model)
    for path, squares in squared_norms(model, data).items():
        w = kernels[path].numpy()
        scores[path] = (np.abs(as_matrix(w, squares.size)) * np.sqrt(squares)[:, None]).reshape(w.shape)
    return scores
