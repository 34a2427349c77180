"""Train with a proximal operator after each step, so that weights arrive at exactly zero."""

import keras

from course_lib.regularizers import group_soft_threshold, soft_threshold
from course_lib.training.after_step import after_step, renew_step
from course_lib.variables import find, prunable

__all__ = ["Proximal"]


class Proximal(keras.callbacks.Callback):
    """L1 or the group lasso by proximal steps: the optimizer follows the data, then the operator shrinks the weight.

        w ← prox_{η λ}(w − step),   η the learning rate

    With plain SGD this is the proximal gradient method (ISTA), whose limit is the penalised minimum. With Adam and
    its relatives the pull is decoupled from the gradient's scaling, as weight decay is in AdamW: the same λ pulls
    differently than a penalty in the loss. Weights reach 0.0 exactly; a penalty in the loss alone only makes them
    small. The operator is taken off when training ends.

    Source: Parikh and Boyd, "Proximal Algorithms" (2014), section 4.2; decoupling, Loshchilov and Hutter, "Decoupled
    Weight Decay Regularization", ICLR (2019).

    Parameters
    ----------
    strength
        λ ≥ 0.
    axis
        None for L1; for the group lasso the axes inside a group, as in ``regularizers.group_soft_threshold``. A tuple
        counts from the last axis if negative: ``axis=-1`` groups each input's weights.
    paths
        The variables to shrink; all prunable ones if None.

    Raises
    ------
    ValueError
        ``strength`` is negative; at the start of training, a path that the model does not have.

    Examples
    --------
    >>> from course_lib import models
    >>> model = models.lenet_300_100()
    >>> model.compile("sgd", "sparse_categorical_crossentropy")
    >>> import numpy as np
    >>> _ = model.fit(np.zeros((8, 28, 28, 1)), np.zeros(8), verbose=0, callbacks=[Proximal(strength=10.0)])
    >>> float(np.mean(model.layers[-1].kernel.numpy() == 0)) > 0.3
    True
    """

    def __init__(self, strength, axis=None, paths=None):
        super().__init__()
        if not 0 <= strength < float("inf"):
            raise ValueError(f"strength is {strength}; it must be a finite number, at least 0.")
        self.strength, self.axis, self.paths = strength, axis, paths

    def on_train_begin(self, logs=None):
        named = prunable(self.model) if self.paths is None else find(self.model, self.paths)
        self._variables = list(named.values())
        for variable in self._variables:
            after_step(self.model, variable).proximal = self._shrunk
        renew_step(self.model)

    def on_train_end(self, logs=None):
        for variable in self._variables:
            after_step(self.model, variable).proximal = None
        renew_step(self.model, self._variables)

    def _shrunk(self, w):
        threshold = keras.ops.cast(self.model.optimizer.learning_rate, w.dtype) * self.strength
        return soft_threshold(w, threshold) if self.axis is None else group_soft_threshold(w, threshold, self.axis)
