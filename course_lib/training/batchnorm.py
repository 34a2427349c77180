"""Re-estimate what BatchNormalization knows of its inputs: after pruning many weights at once it is out of date.

    μ ← Σ_b n_b μ_b / n,     σ² ← Σ_b n_b (σ_b² + (μ_b − μ)²) / n

over batches b of n_b values with mean μ_b and variance σ_b²: the exact mean and variance of all values together, not a
moving average with decay. While the batches pass, every BatchNormalization normalises by the batch's own statistics, so
that a later one sees what it will see when the earlier ones are set right.

Source: Wu and Johnson, "Rethinking 'Batch' in BatchNorm", arXiv:2105.07576 (2021), section 3, "PreciseBN"; for pruned
networks, Li et al., "EagleEye: Fast Sub-net Evaluation for Efficient Neural Network Pruning", ECCV (2020).
"""

from collections import defaultdict
from contextlib import ExitStack
from unittest import mock

import keras
import numpy as np
import tensorflow as tf

from course_lib.scores.loss import traced

__all__ = ["reestimate"]


def reestimate(model, x, batches=60, batch_size=128) -> None:
    """Set the moving statistics of every BatchNormalization to those of ``x``; nothing else changes.

    Everything but BatchNormalization runs in inference mode: Dropout is off, and no random number is drawn. Layers
    whose ``trainable`` is False are frozen on purpose and keep their statistics.

    Parameters
    ----------
    model
        A built Keras model, compiled or not.
    x
        Inputs of the training split, such as ``fashion.train.x``; a list or dictionary of arrays for several inputs.
        The first ``batches * batch_size`` examples are used, or all if there are fewer: shuffle what is sorted.
    batches, batch_size
        How many batches of how many examples. Large batches are best where BatchNormalization layers follow each other.

    Raises
    ------
    ValueError
        The model is not built or has no BatchNormalization that can be trained or is called; ``x`` has no example;
        ``batches`` or ``batch_size`` is below 1. The model is left as it was then, as after any other error.

    Examples
    --------
    >>> norm = keras.layers.BatchNormalization()
    >>> model = keras.Sequential([keras.Input((1,)), norm])
    >>> reestimate(model, np.array([[1.0], [2.0], [6.0]]))
    >>> float(norm.moving_mean[0]), round(float(norm.moving_variance[0]), 3)
    (3.0, 4.667)
    """
    if batches < 1 or batch_size < 1:
        raise ValueError(f"batches is {batches} and batch_size {batch_size}; both must be at least 1.")
    if not model.built:
        raise ValueError(f"model {model.name!r} is not built; call it on a batch, or model.build(input_shape), first.")
    norms = [layer for layer in model._flatten_layers() if _is_live(layer)]
    if not norms:
        raise ValueError(
            f"model {model.name!r} has no BatchNormalization with trainable=True; there is nothing to re-estimate."
        )
    n = min(len(keras.tree.flatten(x)[0]), batches * batch_size)
    if n == 0:
        raise ValueError("x holds no example; give inputs of the training split.")
    statistics = [v for norm in norms for v in (norm.moving_mean, norm.moving_variance)]
    before = [v.numpy() for v in statistics]
    try:
        moments = _moments(model, norms, x, n, batch_size)
    finally:
        for variable, value in zip(statistics, before, strict=True):
            variable.assign(value)
    for norm, rows in moments.items():
        sizes, means, variances = map(np.array, zip(*rows, strict=True))
        mean = np.average(means, axis=0, weights=sizes)
        norm.moving_mean.assign(mean)
        norm.moving_variance.assign(np.average(variances + (means - mean) ** 2, axis=0, weights=sizes))


def _is_live(layer):
    return isinstance(layer, keras.layers.BatchNormalization) and layer.trainable


def _moments(model, norms, x, n, batch_size) -> dict:
    """{layer: [(examples, mean, variance), …]}: one for each batch, and for each time the layer is called on it."""
    called = []

    @traced
    def of_batch(part):
        seen = []

        def in_training(norm):
            call = norm.call

            def noted_call(inputs, training=None, mask=None):
                output = call(inputs, training=True, mask=mask)
                seen.append((norm, norm.moving_mean + 0.0, norm.moving_variance + 0.0))  # read now
                return output

            return noted_call

        with ExitStack() as stack:
            for norm in norms:
                stack.enter_context(mock.patch.object(norm, "momentum", 0.0))  # the last batch is all it remembers
                stack.enter_context(mock.patch.object(norm, "call", in_training(norm)))
            model(part, training=False)
        called[:] = [norm for norm, *_ in seen]
        return [moments for _, *moments in seen]

    found = defaultdict(list)
    for start in range(0, n, batch_size):
        part = slice(start, min(start + batch_size, n))
        moments = of_batch(keras.tree.map_structure(lambda a, part=part: tf.convert_to_tensor(a[part]), x))
        for norm, (mean, variance) in zip(called, moments, strict=True):
            found[norm].append((part.stop - part.start, mean.numpy().astype("float64"), variance.numpy()))
    return found
