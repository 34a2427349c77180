"""Train shared weights: the weights of a cluster keep one value, and that value is trained.

    w ← P(w − step),     P(w)_i = mean of w_j over the cluster of i

P is the projection on the weights that are equal within each cluster: of these, the mean is the nearest. So this is
the projected gradient method, and under plain SGD of step η a cluster of n weights moves by η times the mean of its
gradients, which is η/n times the gradient of the shared value, Σ_j g_j.

Source: Han, Mao, Dally, "Deep Compression", ICLR (2016), section 3, which moves a value by η Σ_j g_j instead: the same
direction, in steps that grow with the cluster; Parikh and Boyd, "Proximal Algorithms" (2014), for the projection.
"""

from collections.abc import Mapping

import keras
import numpy as np
from keras import ops

from course_lib.training.after_step import after_step, renew_step
from course_lib.training.hold import needs_keras_3
from course_lib.variables import find

__all__ = ["hold_clusters"]


def hold_clusters(model, values: Mapping) -> None:
    """Let weights that are equal now stay equal in every later optimizer step; zeros stay zeros.

    The clusters are those of the variable as it stands: ``deploy.cluster`` makes them, and what it returns is what
    this takes. They live in the variable's constraint, as the masks of ``hold`` do, which may be held before or after:
    a cluster is then the mean of the weights that the mask keeps. ``release`` takes both off. Called again it takes
    the clusters that are there now.

    What is saved with the model are its values and not the clusters: after loading or cloning, call it again, with
    the same values of ``deploy.cluster`` on the loaded model, which finds them all there and changes nothing.

    Parameters
    ----------
    model
        A built Keras model, compiled or not, fitted or not.
    values
        {variable path: array of its values other than zero}. Variables that it does not name stay as they were.

    Raises
    ------
    TypeError, ValueError
        Arguments that are no Keras 3 model and no mapping; a path that the model does not have; a variable with a
        weight that is neither zero nor one of its values. Nothing is changed then.

    Examples
    --------
    >>> from course_lib import deploy, models
    >>> model = models.lenet_300_100()
    >>> hold_clusters(model, deploy.cluster(model, 8))
    >>> model.compile("adam", "sparse_categorical_crossentropy")
    >>> _ = model.fit(np.ones((8, 28, 28, 1)), np.zeros(8), epochs=3, verbose=0)
    >>> len(np.unique(model.get_layer("dense_1").kernel))
    8
    """
    needs_keras_3(model)
    if not isinstance(values, Mapping):
        raise TypeError(f"values is a {type(values).__name__}; give {{variable path: its values}}, see deploy.cluster.")
    found = find(model, values)
    clusters = {path: _Clusters(path, variable.numpy(), values[path]) for path, variable in found.items()}
    for path, variable in found.items():
        after_step(model, variable).clusters = clusters[path]
    renew_step(model)


class _Clusters:
    """The projection P for one variable; the weights that are zero are a cluster too, whose value stays zero."""

    def __init__(self, path, weights, values):
        weights = weights.reshape(-1)
        values = np.unique(np.append(np.asarray(values, weights.dtype), 0))
        labels = np.searchsorted(values, weights).clip(max=len(values) - 1)
        stray = weights[values[labels] != weights]
        if len(stray):
            raise ValueError(
                f"{len(stray)} weights of {path!r}, such as {stray[0]}, are neither zero nor one of its values; "
                f"cluster the model first, and give what deploy.cluster returns."
            )
        self.number, self.zero = len(values), np.searchsorted(values, 0)
        self.labels = keras.Variable(labels, dtype="int32", trainable=False, name="clusters")

    def __call__(self, w, mask):
        labels = self.labels.value if mask is None else ops.where(ops.reshape(mask, (-1,)), self.labels, self.zero)
        flat = ops.cast(ops.reshape(w, (-1,)), "float64")  # in which a sum of equal weights is exact: none drifts
        sums = ops.segment_sum(flat, labels, self.number)
        sizes = ops.segment_sum(ops.ones_like(flat), labels, self.number)
        means = ops.where(ops.arange(self.number) == self.zero, 0.0, sums / ops.maximum(sizes, 1))
        return ops.cast(ops.reshape(ops.take(means, labels), w.shape), w.dtype)
