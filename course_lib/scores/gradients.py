"""First-order scores: what the gradient says a weight's removal would cost.

Sources: Molchanov et al., "Pruning Convolutional Neural Networks for Resource Efficient Inference", ICLR (2017);
Theis et al., "Faster gaze prediction with dense networks and Fisher pruning", arXiv:1801.05787 (2018).
"""

import keras
import numpy as np
import tensorflow as tf

from course_lib.scores.loss import gradients, loss, mean_over, needs_loss, traced
from course_lib.variables import prunable

__all__ = ["fisher", "taylor"]


def taylor(model, data) -> dict:
    """The first-order change of the loss when a weight becomes zero.

        L(w = 0) − L(w) ≈ −w · ∂L/∂w,     score = |w · ∂L/∂w|

    Parameters
    ----------
    model
        A built and compiled Keras model: its loss is differentiated, in inference mode.
    data
        A pair (x, y) of arrays, or an iterable of batches (x, y). The gradient is the mean over all examples.

    Returns
    -------
    dict
        {variable path: float array of the variable's shape}, in units of the loss.

    Raises
    ------
    ValueError
        The model is not built or has no loss; there are no data.

    Examples
    --------
    >>> import keras
    >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False, kernel_initializer="ones")])
    >>> model.compile(loss="mse")
    >>> score = taylor(model, (np.array([[1.0]]), np.array([[3.0]])))  # L = (w − 3)², so |w · L'| = |1 · (−4)|
    >>> [array.tolist() for array in score.values()]
    [[[4.0]]]
    """
    return {path: np.abs(prunable(model)[path].numpy() * g) for path, g in gradients(model, data).items()}


def fisher(model, data) -> dict:
    """The expected rise of the loss when a weight becomes zero, with the empirical Fisher information as curvature.

        score = ½ w² · (1/n) Σ_i (∂L_i/∂w)²,     L_i the loss of example i

    This is the mean of the squared gradients of single examples, not the square of their mean: at the end of training
    the mean is nearly zero and the squares are not. One backward pass an example; a thousand examples are plenty.

    Parameters, result and errors as for :func:`taylor`.

    Examples
    --------
    >>> import keras
    >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False, kernel_initializer="ones")])
    >>> model.compile(loss="mse")
    >>> score = fisher(model, (np.array([[1.0], [1.0]]), np.array([[3.0], [-1.0]])))  # gradients −4 and 4
    >>> [array.tolist() for array in score.values()]
    [[[8.0]]]
    """
    needs_loss(model)
    kernels = prunable(model)
    values = [kernel.value for kernel in kernels.values()]

    @traced
    def of_batch(x, y):
        sums = [tf.zeros_like(value) for value in values]
        for i in tf.range(tf.shape(y)[0]):
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                tape.watch(values)
                of_example = loss(model, *keras.tree.map_structure(lambda a: a[i : i + 1], (x, y)))  # noqa: B023
            gradients = tape.gradient(of_example, values, unconnected_gradients="zero")
            sums = [total + tf.square(gradient) for total, gradient in zip(sums, gradients, strict=True)]
        return sums

    mean = mean_over(data, of_batch)
    return {path: 0.5 * kernel.numpy() ** 2 * m for (path, kernel), m in zip(kernels.items(), mean, strict=True)}
