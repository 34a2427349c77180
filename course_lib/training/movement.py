"""Movement pruning: keep the weights that move away from zero.

    W' = W ⊙ M,   M keeps the highest scores,   S(T) = −Σ_{t<T} ∂L/∂W'(t) ⊙ W(t)

The score is learned by gradient descent, the mask taken as the identity on the way back (straight through): then
∂L/∂S = ∂L/∂W' ⊙ W. A score rises while a weight's steps enlarge |w|, and falls while they shrink it, so that large
weights on their way to zero go before small ones on their way up.

Source: Sanh, Wolf, Rush, "Movement Pruning: Adaptive Sparsity by Fine-Tuning", NeurIPS (2020).
"""

import keras
import numpy as np
from keras import ops

from course_lib.structures import Element
from course_lib.training.after_step import renew_step
from course_lib.training.gradual import Prune
from course_lib.training.hold import held, renamed
from course_lib.training.optimizer import parts, reset_slots
from course_lib.variables import prunable

__all__ = ["Movement"]


class Movement(Prune):
    """Prune by scores that are learned while training, following a schedule; hold the masks.

    This is the paper's hard version: M keeps as many weights as the schedule says. The soft one, which is not here,
    keeps those whose σ(S) is above a fixed threshold, and adds λ Σ σ(S) to the loss. How sparse it gets is an outcome
    of λ and of the score's learning rate: there is no target for a schedule to follow and for this callback to reach.

    The gradients are those of the training step itself, after clipping and accumulation. As in the paper a pruned
    weight sleeps: it keeps its value, its score is learned on, and when masks are made it may come back, without
    momentum. What differs: masks are made anew every ``frequency`` steps and not in each, and no more after the
    schedule's end; the score's learning rate is a constant, and so has no part in the order.

    The sleeping values and the scores live in the callback, not in the saved model. What others have pruned does not
    come back.

    Parameters
    ----------
    schedule, structure, frequency, fits
        As for :class:`course_lib.training.Prune`. The schedule must leave the first steps unpruned.
    scope
        As for ``Prune``; the paper compares within each tensor.

    Attributes
    ----------
    masks : Masks or None
        The masks that it holds now; None before the first.
    scores : dict
        {variable path: S}, arrays in units of the loss.

    Raises
    ------
    ValueError, RuntimeError
        As for ``Prune``; the schedule prunes at step 0, when no score has been learned; a tensor to be pruned is not
        trained.

    Examples
    --------
    >>> from course_lib import models
    >>> from course_lib.schedules import Polynomial
    >>> model = models.lenet_300_100()
    >>> model.compile("adam", "sparse_categorical_crossentropy")
    >>> movement = Movement(Polynomial(final=0.9, begin=2, end=6), frequency=2)
    >>> _ = model.fit(np.ones((64, 28, 28, 1)), np.zeros(64), batch_size=8, verbose=0, callbacks=[movement])
    >>> round(movement.masks.sparsity, 3)
    0.9
    """

    def __init__(self, schedule, structure=Element(), scope="tensor", frequency=100, fits=1):
        super().__init__(lambda model, data: self.scores, schedule, structure, scope, frequency, fits=fits)
        if schedule(0) > 0:
            raise ValueError(f"schedule is {schedule}, which prunes before a score is learned; let it begin later.")
        self._score, self._asleep = {}, {}

    @property
    def scores(self) -> dict:
        return {path: score.numpy() for path, score in self._score.items()}

    def begin(self):
        kernels = prunable(self.model)
        self._score, self._asleep = renamed(self.model, self._score), renamed(self.model, self._asleep)
        for path, kernel in kernels.items():
            if path not in self._score:
                self._score[path] = keras.Variable(np.zeros(kernel.shape, "float32"), trainable=False)
                self._asleep[path] = keras.Variable(np.zeros(kernel.shape), dtype=kernel.dtype, trainable=False)
        super().begin()
        for path, kernel in kernels.items():
            if not kernel.trainable and (isinstance(self.scope, str) or path in self.scope):
                raise ValueError(f"{path!r} is not trained, so it has no movement; name the tensors to prune in scope.")
        if not self.model.optimizer.built:
            self.model.optimizer.build(self.model.trainable_variables)
        for part in parts(self.model.optimizer):
            learned = {part._var_key(v): (self._score[path], self._asleep[path]) for path, v in kernels.items()}
            part.update_step = _learning(part, learned)
        renew_step(self.model)

    def on_train_end(self, logs=None):
        for part in parts(self.model.optimizer):
            vars(part).pop("update_step", None)
        renew_step(self.model)
        super().on_train_end(logs)

    def _allowed(self, paths):
        return {path: mask | (self._asleep[path].numpy() != 0) for path, mask in held(self.model, paths).items()}

    def _prune(self, sparsity):
        kernels, before = prunable(self.model), self.masks
        dense = {path: kernel.numpy() + self._asleep[path].numpy() for path, kernel in kernels.items()}
        super()._prune(sparsity)
        for path, mask in self.masks.items():
            kernels[path].assign(np.where(mask, dense[path], 0))
            self._asleep[path].assign(np.where(mask, 0, dense[path]))
            if before is not None:
                reset_slots(self.model.optimizer, kernels[path], mask & ~before.get(path, True))


def _learning(optimizer, learned):
    """The optimizer's ``update_step``, which Keras calls inside the compiled step, with S ← S − ∂L/∂W ⊙ W before it."""

    def update_step(gradient, variable, learning_rate):
        if optimizer._var_key(variable) in learned:
            score, asleep = learned[optimizer._var_key(variable)]
            score.assign_sub(ops.cast(gradient * (variable + asleep), score.dtype))
        type(optimizer).update_step(optimizer, gradient, variable, learning_rate)

    return update_step
