"""Sparse from the first step to the last: drop the weakest weights, grow as many others.

    every ΔT steps until T_end, in every tensor with n kept weights:
        k = ⌊f(t) · n + ½⌋,   f(t) = α/2 · (1 + cos(π t / T_end))
        drop   the k kept weights with the smallest |w|
        grow   k of all the others: SET at random, RigL those with the largest |∂L/∂w|

Sources: SET, Mocanu et al., "Scalable training of artificial neural networks with adaptive sparse connectivity inspired
by network science", Nature Communications (2018); RigL, Evci et al., "Rigging the Lottery: Making All Tickets Winners",
ICML (2020), whose schedule and |w| are used for both (Mocanu et al. drop a constant fraction, of positive and of
negative weights apart).
"""

import math
from collections.abc import Mapping
from numbers import Real

import numpy as np

from course_lib import scores
from course_lib.checks import whole
from course_lib.masks import Masks, from_scores
from course_lib.scores.loss import batches, gradients, needs_loss
from course_lib.training.hold import hold, renamed
from course_lib.training.optimizer import StepCallback, reset_slots
from course_lib.variables import find, prunable

__all__ = ["SET", "RigL"]


class SET(StepCallback):
    """Train with random masks that are rewired on the way; the number of kept weights in a tensor never changes.

    A weight that is grown starts at zero, with nothing of it left in the optimizer's momentum and the like. As in the
    authors' code a weight that was dropped a moment ago may be grown at once: then it was never gone, and keeps its
    value. Steps are counted as by ``Prune``; the first rewiring comes after ``frequency`` steps.

    To go on with a saved model, save ``masks`` too and give them back: a weight that has just grown is still zero, and
    ``Masks.of_zeros`` would take it for pruned. What is held when training begins is replaced.

    Parameters
    ----------
    sparsity
        Fraction of zeros of every tensor, or {variable path: sparsity} as from ``search.allocate(…, "erk")``, tensors
        not in it dense.
    end
        T_end, the optimizer step from which the masks stay as they are: about three quarters of the training.
    fraction
        α, the fraction of kept weights that is dropped at first.
    frequency
        ΔT, the optimizer steps between two rewirings.
    seed
        Of the random masks and the random growth.
    masks
        The masks to start from, instead of random ones.
    fits
        Calls of ``fit`` that lead to ``end``, as for ``Prune``.

    Attributes
    ----------
    masks : Masks or None
        The masks that are held now.

    Raises
    ------
    ValueError
        A bad argument; when training begins: a path that the model does not have, a tensor that is not trained,
        ``end`` comes after the steps that ``fit`` is going to make, or the model is another than before; while it
        runs: weights or gradients are NaN.

    Examples
    --------
    >>> from course_lib import models
    >>> model = models.lenet_300_100()
    >>> model.compile("adam", "sparse_categorical_crossentropy")
    >>> sparse = SET(0.9, end=6, frequency=2)
    >>> _ = model.fit(np.ones((64, 28, 28, 1)), np.zeros(64), batch_size=8, verbose=0, callbacks=[sparse])
    >>> {path: round(s, 3) for path, s in sparse.masks.per_tensor().items()}
    {'dense_1/kernel': 0.9, 'dense_2/kernel': 0.9, 'output/kernel': 0.9}
    """

    def __init__(self, sparsity, end, fraction=0.3, frequency=100, seed=0, masks=None, fits=1):
        super().__init__(fits)
        for value in sparsity.values() if isinstance(sparsity, Mapping) else [sparsity]:
            if not (isinstance(value, Real) and 0 <= value <= 1):
                raise ValueError(f"sparsity is {sparsity!r}; a sparsity is a fraction of zeros, from 0 to 1.")
        if not (isinstance(fraction, Real) and 0 < fraction <= 1):
            raise ValueError(f"fraction is {fraction!r}; it is the part of the kept weights that is dropped, up to 1.")
        whole(1, frequency=frequency, end=end)
        if frequency >= end:
            raise ValueError(f"frequency is {frequency} and end {end}; the first rewiring comes before the end.")
        self.sparsity, self.end, self.fraction, self.frequency, self.seed = sparsity, end, fraction, frequency, seed
        self.masks = masks
        self._random = np.random.default_rng(seed)
        self._next = frequency

    def growth(self) -> dict:
        """{variable path: array}: the highest among the pruned weights are grown."""
        return {path: self._random.random(mask.shape) for path, mask in self.masks.items()}

    def begin(self):
        masks = self._random_masks() if self.masks is None else self._renamed(self.masks)
        for path, kernel in find(self.model, masks).items():
            if not kernel.trainable and not masks[path].all():
                raise ValueError(f"{path!r} is not trained: nothing grows in it; name the other tensors in sparsity.")
        self.masks = masks
        hold(self.model, self.masks)

    def on_train_batch_begin(self, batch, logs=None):
        super().on_train_batch_begin(batch)
        t = self.step
        if self._next <= t < self.end:
            self._next = t - t % self.frequency + self.frequency
            self._rewire(self.fraction / 2 * (1 + math.cos(math.pi * t / self.end)))

    def _rewire(self, fraction):
        kernels, growth, masks = find(self.model, self.masks), self.growth(), {}
        for path, mask in self.masks.items():
            kept = int(mask.sum())
            dropped = math.floor(fraction * kept + 0.5)
            left = _top(np.where(mask, np.abs(kernels[path].numpy()), -np.inf), kept - dropped)
            masks[path] = left | _top(np.where(left, -np.inf, growth[path]), dropped)
        for path, mask in masks.items():
            reset_slots(self.model.optimizer, kernels[path], mask & ~self.masks[path])
        self.masks = Masks(masks)
        hold(self.model, self.masks)

    def _random_masks(self):
        ranked = scores.random(self.model, seed=self.seed)
        if isinstance(self.sparsity, Mapping):
            return from_scores(ranked, None, scope=self.sparsity)
        return from_scores(ranked, self.sparsity, scope="tensor")

    def _renamed(self, masks):
        """The same masks under the names that the model's kernels have now."""
        masks, kernels = renamed(self.model, masks), prunable(self.model)
        for path in masks:
            if path not in kernels:
                raise ValueError(f"masks name {path!r}, which is no kernel; rewired are {', '.join(kernels)}.")
        return Masks(masks)


class RigL(SET):
    """SET that grows where the loss asks for a weight: where the gradient of the dense loss is largest.

    The gradient is that of one batch of ``data``, in inference mode; the paper takes the training batch of that step.

    The other parameters, the attribute and the errors are those of :class:`SET`; the model must have a loss.

    Parameters
    ----------
    data
        A pair (x, y) of arrays, in no order of classes, or an iterable of batches (x, y) that can be gone through
        again. Every rewiring takes the next batch, 256 examples of a pair.

    Examples
    --------
    >>> from course_lib import models
    >>> model = models.lenet_300_100()
    >>> model.compile("adam", "sparse_categorical_crossentropy")
    >>> x, y = np.ones((64, 28, 28, 1)), np.zeros(64)
    >>> sparse = RigL({"dense_1/kernel": 0.9}, end=6, data=(x, y), frequency=2)
    >>> _ = model.fit(x, y, batch_size=8, verbose=0, callbacks=[sparse])
    >>> round(sparse.masks.per_tensor()["dense_1/kernel"], 3)
    0.9
    """

    def __init__(self, sparsity, end, data, fraction=0.3, frequency=100, seed=0, masks=None, fits=1):
        super().__init__(sparsity, end, fraction, frequency, seed, masks, fits)
        if data is None:
            raise ValueError("data is None, but growth is by the gradient on data; give (x, y), such as fashion.train.")
        self.data = data
        self._batches = iter(())

    def growth(self):
        return {path: np.abs(gradient) for path, gradient in gradients(self.model, [self._batch()]).items()}

    def begin(self):
        needs_loss(self.model)
        super().begin()

    def _batch(self):
        batch = next(self._batches, None)
        if batch is None:
            self._batches = iter(batches(self.data))
            batch = next(self._batches, None)
        if batch is None:
            raise ValueError("data has no batch left; give arrays, or an iterable that can be gone through again.")
        return batch


def _top(ranks, n):
    """The n highest entries as a mask; of equal ones those that come first."""
    if np.isnan(ranks).any():
        raise ValueError("Weights or gradients are NaN: training has diverged; try a lower learning rate.")
    mask = np.zeros(ranks.size, bool)
    mask[np.argsort(-ranks, axis=None, kind="stable")[:n]] = True
    return mask.reshape(ranks.shape)
