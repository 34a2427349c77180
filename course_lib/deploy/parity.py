"""Does the file still answer as the model does?"""

from dataclasses import dataclass

import keras
import numpy as np

from course_lib.deploy.arrays import named_arrays
from course_lib.deploy.convert import model_inputs
from course_lib.deploy.interpreter import predict
from course_lib.variables import built

__all__ = ["Parity", "parity"]


@dataclass(frozen=True, eq=False)
class Parity:
    """What differs between a model and its file.

    Attributes
    ----------
    largest_difference : float
        ``max |output of the model − output of the file|``, over all inputs and classes.
    same_class : float
        Share of the inputs whose class, the argmax of the output, is the same.
    changed : numpy.ndarray
        Indices of the inputs whose class changed, ascending.
    answers : numpy.ndarray
        For each of those the class that the model gives and the class that the file gives, (changed, 2).
    """

    largest_difference: float
    same_class: float
    changed: np.ndarray
    answers: np.ndarray

    def __str__(self):
        return (
            f"outputs differ by at most {self.largest_difference:.2g}; "
            f"{self.same_class:.2%} of the classes are the same, {len(self.changed)} changed"
        )


def parity(model, path, x, delegate=True) -> Parity:
    """Compare a classifier with its ``.tflite`` file on the inputs ``x``; ``plots.changed`` draws what changed.

    Parameters
    ----------
    model
        A built Keras model with one output (n, classes).
    path
        The file made from it.
    x
        Array (n, …) of inputs; for several inputs a tuple or list of arrays in the order of ``model.inputs``.
    delegate
        As for :func:`predict`.

    Raises
    ------
    TypeError
        model is no Keras 3 model.
    FileNotFoundError
        There is no such file.
    ValueError
        x is empty or has another shape than the model's inputs; the outputs of model and file differ in shape, or are
        not classes: :func:`predict` gives you the outputs to compare as you see fit.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from course_lib import deploy, models
    >>> model = models.small_cnn()
    >>> x = np.random.default_rng(0).random((50, 28, 28, 1))
    >>> file = deploy.to_tflite(model, Path(tempfile.mkdtemp()) / "cnn.tflite", quantize="float16")
    >>> parity(model, file, x).largest_difference < 0.001
    True
    """
    arrays = named_arrays("x", x, {name: spec.shape[1:] for name, spec in model_inputs(built(model)).items()})
    if len(arrays) == 1:
        (arrays,) = arrays.values()  # a single input needs no name, and Keras's automatic ones differ between copies
    outputs = keras.tree.flatten(model.predict(arrays, verbose=0))
    if len(outputs) > 1:
        raise ValueError(
            f"model {model.name!r} has {len(outputs)} outputs, and classes belong to one; use predict on each."
        )
    here, there = outputs[0], predict(path, arrays, delegate)
    if isinstance(there, list):
        raise ValueError(f"{path} has {len(there)} outputs, the model {model.name!r} one: is it its file?")
    if here.shape != there.shape:
        raise ValueError(f"the model's output has shape {here.shape}, that of {path} {there.shape}: is it its file?")
    if here.ndim != 2 or here.shape[1] < 2:
        raise ValueError(f"the output has shape {here.shape}; classes need (n, at least 2). Use predict and compare.")
    answers = np.stack([here.argmax(axis=1), there.argmax(axis=1)], axis=1)
    changed = np.flatnonzero(answers[:, 0] != answers[:, 1])
    return Parity(
        largest_difference=float(np.abs(here - there).max()),
        same_class=1 - len(changed) / len(here),
        changed=changed,
        answers=answers[changed],
    )
