"""Second-order scores: what the curvature of the loss says a weight's removal would cost.

At a minimum the gradient is zero, and a step δw changes the loss by ½ δwᵀ H δw, H the Hessian. Optimal Brain Damage
looks at the diagonal of H alone.

Sources: LeCun, Denker, Solla, "Optimal Brain Damage", NIPS (1990); the estimate of the diagonal, Bekas, Kokiopoulou,
Saad, "An estimator for the diagonal of a matrix", Applied Numerical Mathematics (2007), after Hutchinson (1990).
"""

import numpy as np
import tensorflow as tf

from course_lib.scores.loss import loss, mean_over, needs_loss, traced
from course_lib.variables import prunable

__all__ = ["EXACT", "flat_weights", "hessian", "hessian_times", "obd", "split"]

EXACT = 2_000  # up to so many weights the Hessian is computed entry by entry


def obd(model, data, *, exact=None, samples=100, seed=0) -> dict:
    """Optimal Brain Damage: the second-order rise of the loss when a weight becomes zero, the others fixed.

        score(w_k) = ½ h_kk w_k²,     h_kk = ∂²L/∂w_k²

    The diagonal is exact, one Hessian-vector product a weight, for nets of up to 2,000 prunable weights. For larger
    ones it is Hutchinson's estimate from random signs z, whose error falls with the root of their number m:

        h ≈ (1/m) Σ z ⊙ H z,     z_k = ±1

    That error comes from the rest of row k, (1/m) Σ_j≠k h_kj², which a net of many weights has much of: for
    LeNet-300-100 two estimates of 100 samples have next to nothing in common. There take :func:`fisher`, or many more
    samples and see whether two seeds agree.

    A direction in which the loss curves down has a negative score, and goes first.

    Parameters
    ----------
    model
        A built and compiled Keras model: its loss is differentiated twice, in inference mode.
    data
        A pair (x, y) of arrays, or an iterable of batches (x, y).
    exact
        True: the exact diagonal; False: the estimate; None: by the number of weights, as above.
    samples, seed
        Number m of vectors z, the same for all batches, and what they are drawn from; for the estimate only.

    Returns
    -------
    dict
        {variable path: float64 array of the variable's shape}, in units of the loss.

    Raises
    ------
    ValueError
        The model is not built or has no loss; there are no data; ``samples`` is below 1.

    Examples
    --------
    >>> import keras
    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, use_bias=False)])
    >>> _ = model.layers[0].kernel.assign([[1.0], [0.2]])
    >>> model.compile(loss="mse")
    >>> x = np.array([[1.0, 0.0], [0.0, 10.0]])  # L = ½ (w₁ − 1)² + ½ (10 w₂ − 2)², so H = diag(1, 100)
    >>> [array.ravel().round(3).tolist() for array in obd(model, (x, x @ [[1.0], [0.2]])).values()]
    [[0.5, 2.0]]
    """
    needs_loss(model)
    w = flat_weights(model)
    if samples < 1:
        raise ValueError(f"samples is {samples}; the estimate needs at least 1.")
    if exact is None:
        exact = w.size <= EXACT
    count = w.size if exact else samples

    def probe(k):
        if exact:
            return tf.one_hot(k, w.size)
        return 2 * tf.cast(tf.random.stateless_uniform([w.size], (seed, k), 0, 2, tf.int32), "float32") - 1

    @traced
    def of_batch(x, y):
        times, total = hessian_times(model, x, y), tf.zeros(w.size)
        for k in tf.range(count):
            v = probe(k)
            total += v * times(v)
        return [total]

    (total,) = mean_over(data, of_batch)
    return split(model, 0.5 * w**2 * (total if exact else total / samples))


def hessian_times(model, x, y):
    """The function v -> H v of flat vectors, H the Hessian of one batch's summed loss by all prunable weights."""
    values = [kernel.value for kernel in prunable(model).values()]
    with tf.GradientTape(persistent=True, watch_accessed_variables=False) as second:
        second.watch(values)
        with tf.GradientTape(watch_accessed_variables=False) as first:
            first.watch(values)
            total = loss(model, x, y) * tf.cast(tf.shape(y)[0], "float32")
        gradient = _flat(first.gradient(total, values, unconnected_gradients="zero"))

    def times(v):
        return _flat(second.gradient(gradient, values, output_gradients=v, unconnected_gradients="zero"))

    return times


def hessian(model, data) -> np.ndarray:
    """The Hessian (n, n) of the mean loss by all n prunable weights, a row for each Hessian-vector product."""
    needs_loss(model)
    n = flat_weights(model).size

    @traced
    def of_batch(x, y):
        times = hessian_times(model, x, y)
        return [tf.map_fn(lambda k: times(tf.one_hot(k, n)), tf.range(n), fn_output_signature="float32")]

    return mean_over(data, of_batch)[0]


def _flat(tensors):
    return tf.concat([tf.reshape(tensor, [-1]) for tensor in tensors], axis=0)


def flat_weights(model) -> np.ndarray:
    """All prunable weights as one float64 vector."""
    return np.concatenate([kernel.numpy().astype("float64").reshape(-1) for kernel in prunable(model).values()])


def split(model, flat) -> dict:
    """{path: the part of a flat vector that is its, in its shape}."""
    kernels = prunable(model)
    ends = np.cumsum([kernel.numpy().size for kernel in kernels.values()])
    parts = np.split(flat, ends[:-1])
    return {path: part.reshape(v.shape) for (path, v), part in zip(kernels.items(), parts, strict=True)}
