"""What the training callbacks ask of Keras's optimizer: at which step it is, and what it remembers of a weight."""

import keras
import numpy as np

__all__ = ["StepCallback", "parts", "reset_slots", "restart"]


class StepCallback(keras.callbacks.Callback):
    """A callback that counts optimizer steps, from 0 at the start of the first ``fit`` that it sees, on in the next."""

    step = 0
    end = 0  # the step that training must reach

    def on_train_begin(self, logs=None):
        batches, epochs = self.params.get("steps"), self.params.get("epochs")
        if batches and epochs:
            steps = self.step + batches * epochs // _accumulation(self.model.optimizer)
            if steps < self.end:
                raise ValueError(
                    f"{type(self).__name__} ends at step {self.end}, but fit makes only {steps} steps; "
                    f"train longer or let it end earlier."
                )

    def on_train_batch_begin(self, batch, logs=None):
        self._before = int(self.model.optimizer.iterations)

    def on_train_batch_end(self, batch, logs=None):  # not called for the step that finds the data at its end
        self.step += int(self.model.optimizer.iterations) - self._before


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


def _accumulation(optimizer):
    return getattr(parts(optimizer)[0], "gradient_accumulation_steps", None) or 1
