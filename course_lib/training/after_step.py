"""What happens to a weight after each optimizer step.

Keras's optimizers call ``variable.constraint`` after every update, inside the compiled step, and assign the result.
One constraint a variable does all that this library needs there: the constraint the variable had before, a proximal
operator, clusters that share a value, a mask. No wrapper layers, and nothing to strip before saving.
"""

import keras
from keras import ops

__all__ = ["after_step", "renew_step"]


class AfterStep:
    """mask · clusters · proximal operator · the variable's own constraint, from the last to the first."""

    def __init__(self, model, constraint):
        self.model = model
        self.constraint = constraint
        self.proximal = None  # a function of the weight
        self.clusters = None  # a function of the weight and of the mask
        self.mask = None  # a boolean variable: new masks need no new trace

    def __call__(self, w):
        for average in _averages(getattr(self.model, "optimizer", None), w):
            average.assign(self._held(average))
        if self.constraint is None and self.proximal is None:
            return self._held(w)
        w = self._masked(w)
        if self.constraint is not None:
            w = self.constraint(w)
        if self.proximal is not None:
            w = self.proximal(w)
        return self._held(w)

    def _held(self, w):
        w = self._masked(w)
        return w if self.clusters is None else self.clusters(w, self.mask)

    def _masked(self, w):
        return w if self.mask is None else ops.where(self.mask, w, ops.zeros((), w.dtype))

    def hold(self, mask):
        """Use this boolean array as the mask; True when a mask was there already, so that the trace still serves."""
        if self.mask is None:
            self.mask = keras.Variable(mask, dtype="bool", trainable=False, name="mask")
            return False
        self.mask.assign(mask)
        return True


def after_step(model, variable, create=True):
    """The variable's :class:`AfterStep`, put there if there is none yet."""
    if isinstance(variable.constraint, AfterStep):
        variable.constraint.model = model
    elif create:
        variable.constraint = AfterStep(model, variable.constraint)
    else:
        return None
    return variable.constraint


def renew_step(model, variables=()):
    """Make Keras trace the training step again: the old trace does not know what has changed. Clear what is unused."""
    for variable in variables:
        after = after_step(model, variable, create=False)
        if after is not None and after.mask is after.proximal is after.clusters is None:
            variable.constraint = after.constraint
    if getattr(model, "train_function", None) is not None:
        model.make_train_function(force=True)


def _averages(optimizer, w):
    """The moving averages of w, which Keras takes before the constraint and writes over w at the end."""
    parts = [optimizer, getattr(optimizer, "inner_optimizer", None), *getattr(optimizer, "optimizers", ())]
    for part in parts:
        if getattr(part, "use_ema", False) and part.built:
            pairs = zip(part._trainable_variables, part._model_variables_moving_average, strict=True)
            yield from (average for variable, average in pairs if variable is w and average is not None)
