"""Lottery tickets: put a pruned network back to the weights that it once had, and train it again.

    w ← m ⊙ w(k),   m the masks of the trained network, w(k) its weights at step k

Sources: to the initial weights, k = 0, Frankle and Carbin, "The Lottery Ticket Hypothesis", ICLR (2019); to an early
step, Frankle et al., "Linear Mode Connectivity and the Lottery Ticket Hypothesis", ICML (2020).
"""

import numpy as np

from course_lib.checks import whole
from course_lib.training.hold import hold
from course_lib.training.optimizer import StepCallback, restart

__all__ = ["Snapshot", "rewind"]


class Snapshot(StepCallback):
    """Keep the weights of one optimizer step, and the optimizer's own variables, for :func:`rewind`.

    Parameters
    ----------
    at
        The step, counted as by ``Prune``; 0 for the weights before training.
    fits
        Calls of ``fit`` that lead to the step, as for ``Prune``.

    Attributes
    ----------
    weights : list or None
        ``model.get_weights()`` at that step.
    optimizer : list or None
        The values of ``model.optimizer.variables`` at that step: step count, momentum; None if there were none yet.

    Raises
    ------
    ValueError
        ``at`` is not a whole number; when training begins: ``fit`` is not going to make so many steps, the model is
        not built, or another than before.
    RuntimeError
        Training ended before the step, or passed over it (``steps_per_execution``).

    Examples
    --------
    >>> import numpy as np
    >>> from course_lib import models
    >>> model = models.lenet_300_100()
    >>> model.compile("sgd", "sparse_categorical_crossentropy")
    >>> early = Snapshot(at=3)
    >>> _ = model.fit(np.zeros((64, 28, 28, 1)), np.zeros(64), batch_size=8, verbose=0, callbacks=[early])
    >>> len(early.weights)
    6
    """

    def __init__(self, at=0, fits=1):
        super().__init__(fits)
        whole(0, at=at)
        self.end = self.at = at
        self.weights = self.optimizer = None

    def begin(self):
        if not self.model.built:
            raise ValueError(f"model {self.model.name!r} is not built; call it on a batch before training.")

    def on_train_batch_begin(self, batch, logs=None):
        super().on_train_batch_begin(batch)
        self._look()

    def on_train_end(self, logs=None):
        super().on_train_end(logs)
        self._look()
        if self.weights is None and self.fits < 1:
            raise RuntimeError(
                f"at is {self.at}, but training ended after step {self.step}; train on with the same callback."
            )

    def _look(self):
        if self.weights is None:
            if self.step == self.at:
                self.weights = self.model.get_weights()
                if self.model.optimizer.built:
                    self.optimizer = [v.numpy() for v in self.model.optimizer.variables]
            elif self.step > self.at:
                raise RuntimeError(
                    f"at is {self.at}, but training was only seen at step {self.step}; "
                    f"with steps_per_execution, give a multiple of it."
                )


def rewind(model, weights, masks, optimizer=None) -> None:
    """Put earlier weights back, hold the masks, and start the optimizer anew or from the step of these weights.

    The weights that the masks keep, and everything that is not masked, are the earlier ones exactly; the others are
    zero and stay zero. A compiled step needs no new trace.

    Parameters
    ----------
    model
        A built Keras model.
    weights
        A list of arrays: ``model.get_weights()`` of an earlier time, or ``Snapshot.weights``.
    masks
        As for :func:`course_lib.training.hold`.
    optimizer
        ``Snapshot.optimizer``: the optimizer goes on from that step, of a learning rate schedule too, with the momentum
        of then, as Frankle et al. (2020) train on from step k. None: it is as if just made, step 0 and no momentum; a
        learning rate that was changed while training is not changed back.

    Raises
    ------
    ValueError
        Weights, or variables of the optimizer, that are missing or of other shapes than the model's; masks that do not
        fit. Nothing is changed then.

    Examples
    --------
    >>> from course_lib import masks, models, scores
    >>> model = models.lenet_300_100()
    >>> initial = model.get_weights()
    >>> rewind(model, initial, masks.from_scores(scores.random(model), 0.8))
    >>> round(masks.Masks.of_zeros(model).sparsity, 3)
    0.8
    """
    own = getattr(model, "optimizer", None)
    _check("weights have", weights, model.weights, "as get_weights gives them")
    if optimizer is not None:
        if own is not None and not own.built:
            own.build(model.trainable_variables)
        _check("optimizer has", optimizer, getattr(own, "variables", []), "as Snapshot keeps them")
    hold(model, masks)  # refuses bad masks before anything is changed
    model.set_weights(weights)
    hold(model, masks)
    if optimizer is not None:
        for variable, value in zip(own.variables, optimizer, strict=True):
            variable.assign(value)
    elif own is not None:
        restart(own)


def _check(what, given, variables, kept):
    wanted = [tuple(v.shape) for v in variables]
    shapes = None if given is None else [np.shape(array) for array in given]
    if shapes != wanted:
        raise ValueError(f"{what} the shapes {shapes}; the model's, {kept}, are {wanted}.")
