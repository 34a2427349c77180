"""Lottery tickets: put a pruned network back to the weights that it once had, and train it again.

    w ← m ⊙ w(k),   m the masks of the trained network, w(k) its weights at step k

Sources: to the initial weights, k = 0, Frankle and Carbin, "The Lottery Ticket Hypothesis", ICLR (2019); to an early
step, Frankle et al., "Linear Mode Connectivity and the Lottery Ticket Hypothesis", ICML (2020).
"""

from course_lib.training.hold import hold
from course_lib.training.optimizer import StepCallback, restart

__all__ = ["Snapshot", "rewind"]


class Snapshot(StepCallback):
    """Keep the weights of one optimizer step, for :func:`rewind`.

    Parameters
    ----------
    at
        The step, counted as by ``Prune``; 0 for the weights before training.

    Attributes
    ----------
    weights : list or None
        ``model.get_weights()`` at that step.

    Raises
    ------
    ValueError
        ``at`` is not a whole number; when training begins: ``fit`` is not going to make so many steps, or the model is
        not built.
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

    def __init__(self, at=0):
        super().__init__()
        if isinstance(at, bool) or at != int(at) or at < 0:
            raise ValueError(f"at is {at}; it is a whole number of optimizer steps, 0 for the initial weights.")
        self.end = self.at = at
        self.weights = None

    def on_train_begin(self, logs=None):
        if not self.model.built:
            raise ValueError(f"model {self.model.name!r} is not built; call it on a batch before training.")
        super().on_train_begin(logs)

    def on_train_batch_begin(self, batch, logs=None):
        super().on_train_batch_begin(batch)
        self._look()

    def on_train_end(self, logs=None):
        self._look()
        if self.weights is None:
            raise RuntimeError(
                f"at is {self.at}, but training stopped after step {self.step}; train on with the same callback."
            )

    def _look(self):
        if self.weights is None:
            if self.step == self.at:
                self.weights = self.model.get_weights()
            elif self.step > self.at:
                raise RuntimeError(
                    f"at is {self.at}, but training was only seen at step {self.step}; "
                    f"with steps_per_execution, give a multiple of it."
                )


def rewind(model, weights, masks) -> None:
    """Put earlier weights back, hold the masks, and start the optimizer anew.

    The weights that the masks keep, and everything that is not masked, are the earlier ones exactly; the others are
    zero and stay zero. The optimizer is as if just made: step 0 (of a learning rate schedule too), no momentum. A
    learning rate that was changed while training is not changed back. A compiled step needs no new trace.

    Parameters
    ----------
    model
        A built Keras model.
    weights
        A list of arrays: ``model.get_weights()`` of an earlier time, or ``Snapshot.weights``.
    masks
        As for :func:`course_lib.training.hold`.

    Raises
    ------
    ValueError
        Weights that are missing or of other shapes than the model's; masks that do not fit. Nothing is changed then.

    Examples
    --------
    >>> from course_lib import masks, models, scores
    >>> model = models.lenet_300_100()
    >>> initial = model.get_weights()
    >>> rewind(model, initial, masks.from_scores(scores.random(model), 0.8))
    >>> round(masks.Masks.of_zeros(model).sparsity, 3)
    0.8
    """
    wanted = [tuple(v.shape) for v in model.weights]
    given = None if weights is None else [w.shape for w in weights]
    if given != wanted:
        raise ValueError(f"weights have the shapes {given}; the model's, as get_weights gives them, are {wanted}.")
    hold(model, masks)  # refuses bad masks before anything is changed
    model.set_weights(weights)
    hold(model, masks)
    if getattr(model, "optimizer", None) is not None:
        restart(model.optimizer)
