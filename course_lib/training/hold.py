"""Hold masks while a model trains: a pruned weight is exactly 0.0 after every optimizer step."""

from collections.abc import Mapping

import keras
import numpy as np

from course_lib.training.after_step import after_step, renew_step
from course_lib.variables import find, prunable

__all__ = ["held", "hold", "needs_keras_3", "release", "renamed"]


def hold(model, masks: Mapping) -> None:
    """Zero the weights that the masks prune, and keep them zero in every later optimizer step.

        w ← m ⊙ (w − step)

    The mask is the variable's constraint, which Keras's optimizers apply inside the compiled step, in ``fit`` and in
    a custom loop alike. A constraint that the variable has already is applied first. Called again it changes the
    masks without a new trace; variables that the masks do not name stay as they were.

    What is saved with the model are its zeros, not the masks: after loading or cloning,
    ``hold(model, Masks.of_zeros(model))`` goes on, and without it training fills the zeros again.
    Hold the model that you fit: an outer model that was fitted before does not see what is held on a model inside it.
    A step that you compiled yourself with ``tf.function`` before this call does not know the masks: compile it after.
    With a moving average of the weights (``use_ema``) the optimizer must be the one the model was compiled with.

    Parameters
    ----------
    model
        A built Keras model, compiled or not, fitted or not.
    masks
        {variable path: boolean array of the variable's shape}, True = kept.

    Raises
    ------
    TypeError, ValueError
        Arguments that are no Keras 3 model and no masks; a path that the model does not have, or a mask of another
        shape or type. Nothing is changed then.

    Examples
    --------
    >>> from course_lib import masks, models, scores
    >>> model = models.lenet_300_100()
    >>> hold(model, masks.from_scores(scores.magnitude(model), 0.9))
    >>> round(masks.Masks.of_zeros(model).sparsity, 3)
    0.9
    """
    needs_keras_3(model)
    if not isinstance(masks, Mapping):
        raise TypeError(f"masks is a {type(masks).__name__}; give {{variable path: boolean array}}, see from_scores.")
    found = find(model, masks)
    for path, variable in found.items():
        mask = np.asarray(masks[path])
        if mask.dtype != bool or mask.shape != tuple(variable.shape):
            raise ValueError(
                f"mask {path!r} is {mask.dtype} of shape {mask.shape}; "
                f"it must be bool of the variable's shape, {tuple(variable.shape)}."
            )
    known = True
    for path, variable in found.items():
        known &= after_step(model, variable).hold(masks[path])
        variable.assign(np.where(masks[path], variable.numpy(), 0))
    if not known:
        renew_step(model)


def release(model) -> None:
    """Let pruned weights grow again: take off the masks, and the clusters of :func:`course_lib.training.hold_clusters`.

    The weights stay as they are, and so do the variables' own constraints.

    Examples
    --------
    >>> from course_lib import masks, models, scores
    >>> model = models.lenet_300_100()
    >>> hold(model, masks.from_scores(scores.magnitude(model), 0.9))
    >>> release(model)
    >>> model.layers[-1].kernel.constraint is None
    True
    """
    needs_keras_3(model)
    for variable in model.weights:
        after = after_step(model, variable, create=False)
        if after is not None:
            after.mask = after.clusters = None
    renew_step(model, model.weights)


def held(model, paths) -> dict:
    """{path: mask} of those of the variables that are held by one now."""
    steps = {path: after_step(model, variable, create=False) for path, variable in find(model, paths).items()}
    return {path: after.mask.numpy() for path, after in steps.items() if after is not None and after.mask is not None}


def renamed(model, named: Mapping) -> dict:
    """What belongs to variables, by the names that these have now: loading a model changes some."""
    names = {id(kernel): path for path, kernel in prunable(model).items()}
    return {names.get(id(variable), path): named[path] for path, variable in find(model, named).items()}


def needs_keras_3(model):
    """Refuse what is not a model of Keras 3."""
    if not isinstance(model, keras.Model):
        kind = type(model)
        raise TypeError(f"model is a {kind.__module__}.{kind.__name__}; give a Keras 3 model (keras.Model).")
