"""The training loss that data-driven scores differentiate, one batch at a time.

``data`` is a pair ``(x, y)`` of arrays, such as ``fashion.train`` (``x`` may be a list or a dictionary of arrays for
several inputs), or an iterable of such pairs that are batches already, such as a ``tf.data.Dataset``. The loss is the
one that the model was compiled with, its regularizers included, in inference mode: examples do not see each other.
"""

import keras
import tensorflow as tf

from course_lib.variables import prunable

__all__ = ["batches", "gradients", "loss", "mean_over", "needs_loss", "traced"]

BATCH = 256


def batches(data, size=BATCH):
    """Pairs of tensors (x, y) of up to ``size`` examples, in the order of the data."""
    if data is None:
        raise ValueError("data is None, but this score is measured on data; give (x, y), such as fashion.train.")
    if isinstance(data, tuple | list) and len(data) == 2:
        x, y = data
        n = len(y)
        for start in range(0, n, size):
            part = slice(start, start + size)
            yield keras.tree.map_structure(lambda a, part=part: tf.convert_to_tensor(a[part]), (x, y))
    else:
        yield from data


def needs_loss(model):
    """Refuse a model that has no loss."""
    if not getattr(model, "compiled", False) or getattr(model, "loss", None) is None:
        raise ValueError(f"model {model.name!r} has no loss; call model.compile(optimizer, loss) before this score.")


def traced(function):
    """``tf.function`` for a function that lives for one call of a score: TensorFlow need not warn that it is new."""
    graph = tf.function(function)
    graph._omit_frequent_tracing_warning = True
    return graph


def loss(model, x, y):
    """The model's mean loss on one batch, a scalar tensor."""
    return model.compute_loss(x=x, y=y, y_pred=model(x, training=False), training=False)


def gradients(model, data) -> dict:
    """{variable path: mean over all examples of ∂loss/∂w}, a float64 array of the variable's shape."""
    needs_loss(model)
    kernels = prunable(model)
    values = [kernel.value for kernel in kernels.values()]

    @traced
    def of_batch(x, y):
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(values)
            total = loss(model, x, y) * tf.cast(tf.shape(y)[0], "float32")
        return tape.gradient(total, values, unconnected_gradients="zero")

    return dict(zip(kernels, mean_over(data, of_batch), strict=True))


def mean_over(data, of_batch) -> list:
    """The mean over all examples of quantities that ``of_batch(x, y)`` sums over a batch, as float64 arrays."""
    sums, n = None, 0
    for x, y in batches(data):
        parts = [part.numpy().astype("float64") for part in of_batch(x, y)]
        sums = parts if sums is None else [total + part for total, part in zip(sums, parts, strict=True)]
        n += len(y)
    if n == 0:
        raise ValueError("data holds no example; give at least one batch.")
    return [total / n for total in sums]
