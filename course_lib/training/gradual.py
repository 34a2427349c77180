"""Prune while training: a callback that follows a schedule."""

from collections.abc import Mapping

import numpy as np

from course_lib.checks import whole
from course_lib.masks import Masks, from_scores
from course_lib.scores import per_weight
from course_lib.structures import Element
from course_lib.training.hold import held, hold, renamed
from course_lib.training.optimizer import StepCallback
from course_lib.variables import prunable

__all__ = ["Prune"]


class Prune(StepCallback):
    """Prune to ``schedule(t)`` at optimizer step t, by any score, and hold the masks in between and afterwards.

    Steps are counted from 0 at the start of the first ``fit`` that the callback sees, and go on in the next. New masks
    are made when the schedule has moved: for a schedule with plateaus (constant, one-shot, iterative) at once, while
    it climbs every ``frequency`` steps, and at its end in any case. List it after
    ``EarlyStopping(restore_best_weights=True)``: when training ends it masks what that has put back.

    A weight that is pruned stays pruned, whoever held it: what is held already counts, and a lower target changes
    nothing. A model from a file holds no masks: with ``hold(model, Masks.of_zeros(model))`` first, pruning goes on from
    its zeros. A callback is for one model, which may be saved and loaded between two fits. A loop of your own has no
    callbacks: every so many steps, ``hold`` what ``from_scores`` gives.

    Source: Zhu and Gupta, "To prune, or not to prune", arXiv:1710.01878 (2017).

    Parameters
    ----------
    score
        A function ``score(model, data) -> {variable path: array}``, high = keep; a unit score, by layer name, counts
        for all the weights that lead to a unit, and wants ``structure=Unit()``.
    schedule
        ``schedule(step) -> sparsity`` with ``begin``, ``end`` and ``final``; one from ``course_lib.schedules``.
    structure, scope
        As for :func:`course_lib.masks.from_scores`. With a dictionary {path: sparsity} as scope the schedule says how
        far on the way the model is: a tensor is pruned to its own sparsity times schedule(t) / schedule.final.
    frequency
        Optimizer steps between two masks while the schedule climbs.
    data
        Passed to the score.
    fits
        Calls of ``fit`` that share the schedule, 20 if a loop calls ``fit(epochs=1)`` 20 times; the last must reach its
        end.

    Attributes
    ----------
    masks : Masks or None
        The masks that it holds now; None before the first.

    Raises
    ------
    ValueError
        Bad arguments; when training begins: ``fit`` is not going to reach the schedule's end; scope or structure do not
        suit the model; the callback has pruned another model.
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

    def __init__(self, score, schedule, structure=Element(), scope="global", frequency=100, data=None, fits=1):
        super().__init__(fits)
        if not callable(score) or not callable(schedule):
            raise ValueError(f"score is {score!r} and schedule {schedule!r}; both must be functions, in this order.")
        if not all(hasattr(schedule, name) for name in ("begin", "end", "final")):
            raise ValueError(f"schedule is {schedule!r}; it needs begin, end and final: see course_lib.schedules.")
        if isinstance(structure, type) or not hasattr(structure, "spread"):
            raise ValueError(f"structure is {structure!r}; make one from course_lib.structures, such as Element().")
        whole(1, frequency=frequency)
        self.score, self.schedule, self.frequency, self.data = score, schedule, frequency, data
        self.structure, self.scope = structure, scope
        self.end = schedule.end
        self._sparsity = 0.0
        self._next = schedule.begin

    def begin(self):
        if not self.model.built:
            return  # the first batch will build it: nothing is held yet, and nothing known
        if isinstance(self.scope, Mapping):
            self.scope = renamed(self.model, self.scope)
        self._try()
        if self.masks is not None:  # a model from a file holds none; others may have pruned more meanwhile
            mine = renamed(self.model, self.masks)
            now = held(self.model, mine)
            self.masks = Masks({path: mask & now.get(path, True) for path, mask in mine.items()})
            hold(self.model, self.masks)

    def on_train_batch_begin(self, batch, logs=None):
        super().on_train_batch_begin(batch)
        self._advance()

    def on_train_end(self, logs=None):
        super().on_train_end(logs)
        self._advance()
        if self.masks is not None:
            hold(self.model, self.masks)  # another callback may have put back weights from before
        if self.step < self.end and self._sparsity < self.schedule.final and self.fits < 1:
            raise RuntimeError(
                f"Training ended after optimizer step {self.step}, before the schedule's end at {self.end}: "
                f"it pruned to a sparsity of {self._sparsity}, not {self.schedule.final}. "
                f"Call fit again with the same callback, or let the schedule end earlier."
            )

    def _try(self):
        """Meet what is wrong with scope and structure now, not at the first pruning step, without a costly score."""
        try:
            zeros = {path: np.zeros(kernel.shape, "float32") for path, kernel in prunable(self.model).items()}
            self._make(zeros, self.schedule.final)
        except ValueError:  # they may suit a score that ranks other variables
            self._make(self._scored(), self.schedule.final)

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
        self.masks = self._make(self._scored(), sparsity)
        self._sparsity = sparsity
        hold(self.model, self.masks)

    def _scored(self):
        return per_weight(self.model, self.score(self.model, self.data))

    def _make(self, scores, sparsity):
        """Masks in which nothing grows: of all groups those that are pruned already go first."""
        scope, old, ranked = self.scope, self._allowed(scores), dict(scores)
        if isinstance(scope, Mapping) and sparsity < self.schedule.final:
            scope = {path: target * sparsity / self.schedule.final for path, target in scope.items()}
        for path, mask in old.items():
            alive = self.structure.spread(self.structure.pool(mask.astype("float32")) > 0, mask.shape)
            ranked[path] = np.where(alive, scores[path], -np.inf)
        new = from_scores(ranked, sparsity, self.structure, scope)
        return Masks({path: mask & old.get(path, True) for path, mask in new.items()})

    def _allowed(self, paths):
        """{path: mask} of the weights that may be kept, where it is not all."""
        return held(self.model, paths)
