"""What the training callbacks ask of Keras's optimizer: at which step it is, and what it remembers of a weight."""

import keras
import numpy as np
from keras.optimizers import LossScaleOptimizer

from course_lib.checks import whole
from course_lib.training.hold import needs_keras_3
from course_lib.variables import find

__all__ = ["StepCallback", "parts", "reset_slots", "restart"]


class StepCallback(keras.callbacks.Callback):
    """A callback that counts optimizer steps, from 0 at the start of the first ``fit`` that it sees, on in the next.

    It is for one model, which may be saved and loaded in between, and is to reach ``end`` within ``fits`` calls.
    """

    step = 0
    end = 0
    masks = None

    def __init__(self, fits):
        super().__init__()
        whole(1, fits=fits)
        self.fits = fits  # that are to come
        self._trained = None  # the model, once it has been trained

    def begin(self):
        """What is done when ``fit`` begins."""

    def set_model(self, model):
        needs_keras_3(model)
        super().set_model(model)

    def on_train_begin(self, logs=None):
        self._begun = False
        self._last = None  # the step at which this fit will end, if that is known

    def on_epoch_begin(self, epoch, logs=None):
        if not self._begun:  # only here does Keras tell the initial epoch
            self._begun = True
            self._check_model()
            self._check_reach(epoch)
            self.begin()

    def on_train_batch_begin(self, batch, logs=None):
        self._before = int(self.model.optimizer.iterations)

    def on_train_batch_end(self, batch, logs=None):  # not called for the step that finds the data at its end
        self._trained, self._after = self.model, int(self.model.optimizer.iterations)
        self.step += self._after - self._before

    def on_train_end(self, logs=None):
        self.fits -= 1
        if self._last and isinstance(self.model.optimizer, LossScaleOptimizer) and not self.model.stop_training:
            self.step = max(self.step, min(self._last, self.end))  # what it skipped, for infinite gradients, has passed

    def _check_model(self):
        if self._trained is None or self.model is self._trained:
            return
        if self.masks is not None and self.masks.sparsity > 0:
            same = _has_zeros(self.model, self.masks)
        else:
            same = int(self.model.optimizer.iterations) == self._after
        if not same:
            raise ValueError(
                f"This {type(self).__name__} has trained another model, up to step {self.step}; make a new one for "
                f"{self.model.name!r}. (A model from a file goes on if its zeros, or its optimizer, came along.)"
            )

    def _check_reach(self, epoch):
        params = self.params or {}
        if not params.get("steps") or not params.get("epochs"):
            return
        batches = params["steps"] * (params["epochs"] - epoch)
        counting = getattr(self.model.optimizer, "inner_optimizer", self.model.optimizer)
        every, seen = counting.gradient_accumulation_steps or 1, int(counting._iterations)
        self._last = self.step + (seen + batches) // every - seen // every
        if self._last < self.end and self.fits <= 1:
            raise ValueError(
                f"{type(self).__name__} ends at step {self.end}, but fit makes only {self._last} steps; train longer, "
                f"let it end earlier, or, where fit is called again and again, give the number of calls as fits."
            )


def parts(optimizer) -> list:
    """The optimizers that make the steps: what loss scaling or a MultiOptimizer wraps, or else the optimizer itself."""
    wrapped = getattr(optimizer, "optimizers", None) or [getattr(optimizer, "inner_optimizer", optimizer)]
    return list(wrapped)


def reset_slots(optimizer, variable, where):
    """Zero what the optimizer remembers of these entries of a variable: momentum, velocity, average, gradient sum.

    ``where`` is a boolean array of the variable's shape. Slots that whole rows share (Adafactor's) stay as they are.
    """
    for part in parts(optimizer):
        key = part._var_key(variable)
        if part.built and key in part._trainable_variables_indices:
            i, n = part._trainable_variables_indices[key], len(part._trainable_variables)
            for listed in vars(part).values():  # Keras keeps a list for each kind of slot, in the variables' order
                slot = listed[i] if isinstance(listed, list | tuple) and len(listed) == n else None
                if isinstance(slot, keras.Variable) and slot is not variable and slot.shape == variable.shape:
                    slot.assign(np.where(where, 0, slot.numpy()))


def restart(optimizer):
    """Put an optimizer back to its first step, as if it had just been made; its learning rate stays as it is."""
    several = getattr(optimizer, "optimizers", None)
    if several:
        for part in several:
            restart(part)
        optimizer.iterations.assign(0)
    elif optimizer.built:
        new = type(optimizer).from_config(optimizer.get_config())
        new.build(optimizer._trainable_variables)
        for old, fresh in zip(optimizer.variables, new.variables, strict=True):
            old.assign(fresh)


def _has_zeros(model, masks):
    """Whether the model has these variables, and zeros where they are pruned."""
    try:
        found = find(model, masks)
    except ValueError:
        return False
    return all(v.shape == masks[path].shape and not np.any(v.numpy()[~masks[path]]) for path, v in found.items())
