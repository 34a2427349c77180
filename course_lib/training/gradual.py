"""Prune while training: a callback that follows a schedule."""

from functools import partial
from numbers import Real

import numpy as np

from course_lib.masks import from_scores
from course_lib.structures import Element
from course_lib.training.hold import hold
from course_lib.training.optimizer import StepCallback

__all__ = ["Prune"]


class Prune(StepCallback):
    """Prune to ``schedule(t)`` at optimizer step t, by any score, and hold the masks in between and afterwards.

    Steps are counted from 0 at the start of the first ``fit`` that the callback sees, and go on in the next. A weight
    that is pruned stays pruned. New masks are made when the schedule has moved: for a schedule with plateaus
    (constant, one-shot, iterative) at once, while it climbs every ``frequency`` steps, and at its end in any case.
    List it after ``EarlyStopping(restore_best_weights=True)``: when training ends it masks what that has put back.

    Source: Zhu and Gupta, "To prune, or not to prune", arXiv:1710.01878 (2017).

    Parameters
    ----------
    score
        A function ``score(model, data) -> {variable path: array}``, high = keep.
    schedule
        ``schedule(step) -> sparsity`` with ``begin``, ``end`` and ``final``; one from ``course_lib.schedules``.
    structure, scope
        As for :func:`course_lib.masks.from_scores`. With a dictionary {path: sparsity} as scope the schedule says how
        far on the way the model is: a tensor is pruned to its own sparsity times schedule(t) / schedule.final.
    frequency
        Optimizer steps between two masks while the schedule climbs.
    data
        Passed to the score.

    Attributes
    ----------
    masks : Masks or None
        The masks that are held now.

    Raises
    ------
    ValueError
        When training begins: the schedule ends after the steps that ``fit`` is going to make, so the target could
        not be reached; or bad arguments.
    RuntimeError
        When training ends before the schedule does (``fit`` was stopped early, or could not tell its steps).

    Examples
    --------
    >>> import numpy as np
    >>> from course_lib import models, scores
    >>> from course_lib.schedules import Polynomial
    >>> model = models.lenet_300_100()
    >>> model.compile("adam", "sparse_categorical_crossentropy")
    >>> prune = Prune(scores.magnitude, Polynomial(final=0.9, begin=0, end=6), frequency=2)
    >>> _ = model.fit(np.ones((64, 28, 28, 1)), np.zeros(64), batch_size=8, verbose=0, callbacks=[prune])
    >>> round(prune.masks.sparsity, 3)
    0.9
    """

    def __init__(self, score, schedule, structure=Element(), scope="global", frequency=100, data=None):
        super().__init__()
        if not callable(score) or not callable(schedule):
            raise ValueError(f"score is {score!r} and schedule {schedule!r}; both must be functions, in this order.")
        if not all(hasattr(schedule, name) for name in ("begin", "end", "final")):
            raise ValueError(f"schedule is {schedule!r}; it needs begin, end and final: see course_lib.schedules.")
        if isinstance(frequency, bool) or not isinstance(frequency, Real) or frequency % 1 or frequency < 1:
            raise ValueError(f"frequency is {frequency!r}; it is a whole number of optimizer steps, at least 1.")
        self.score, self.schedule, self.frequency, self.data = score, schedule, frequency, data
        self.make_masks = partial(from_scores, structure=structure)
        self.scope = scope
        self.end = schedule.end
        self.masks = None
        self._sparsity = 0.0
        self._next = schedule.begin

    def on_train_begin(self, logs=None):
        super().on_train_begin(logs)
        if self.masks is not None:
            hold(self.model, self.masks)

    def on_train_batch_begin(self, batch, logs=None):
        super().on_train_batch_begin(batch)
        self._advance()

    def on_train_end(self, logs=None):
        self._advance()
        if self.masks is not None:
            hold(self.model, self.masks)  # another callback may have put back weights from before
        if self.step < self.end:
            raise RuntimeError(
                f"Training stopped after step {self.step}, before the schedule's end at {self.end}: "
                f"the model is pruned to {self._sparsity:.1%}, not {self.schedule.final:.1%}. "
                f"Call fit again with the same callback, or let the schedule end earlier."
            )

    def _advance(self):
        """Prune, if it is time, to what the schedule wants before optimizer step t."""
        t = self.step
        sparsity = self.schedule(t)
        resting = sparsity == self.schedule(t + 1)  # a plateau has been reached: do not wait for the next round
        if resting or t >= self._next:
            self._next = t - (t - self.schedule.begin) % self.frequency + self.frequency
            if sparsity > self._sparsity:
                self._prune(sparsity)

    def _prune(self, sparsity):
        scope = self.scope
        if not isinstance(scope, str):
            scope = {path: target * sparsity / self.schedule.final for path, target in scope.items()}
        self.masks = self.make_masks(self._scores(), sparsity, scope=scope)
        self._sparsity = sparsity
        hold(self.model, self.masks)

    def _scores(self):
        scores = self.score(self.model, self.data)
        if self.masks is None:
            return scores
        return {path: np.where(self.masks[path], array, -np.inf) for path, array in scores.items()}
