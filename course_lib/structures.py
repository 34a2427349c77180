"""Structures: which entries of a tensor are kept or pruned together.

A structure turns an array of scores into one score a group, and a decision a group back into a mask:
``pool(scores) -> groups`` and ``spread(kept, shape) -> mask``. A score of +∞ ranks above all others, and a group with
one such entry ranks there too, whatever its other entries are. ``most`` is the highest sparsity that the structure can
reach.

Sources: N:M, Mishra et al., "Accelerating Sparse Deep Neural Networks", arXiv:2104.08378 (2021); blocks, Narang,
Undersander, Diamos, "Block-Sparse Recurrent Neural Networks", arXiv:1711.02782 (2017); units, Li et al., "Pruning
Filters for Efficient ConvNets", ICLR (2017).
"""

from dataclasses import dataclass
from numbers import Integral

import numpy as np

__all__ = ["Block", "Element", "NofM", "Unit"]


@dataclass(frozen=True)
class Element:
    """Every entry by itself: unstructured pruning.

    Examples
    --------
    >>> Element().pool(np.array([3.0, 1.0])).tolist()
    [3.0, 1.0]
    """

    most = 1.0

    def pool(self, scores: np.ndarray) -> np.ndarray:
        return scores

    def spread(self, kept: np.ndarray, shape: tuple) -> np.ndarray:
        return kept


@dataclass(frozen=True)
class NofM:
    """Of every M consecutive entries along an axis, the N with the highest scores are never pruned.

    At the sparsity 1 − N/M exactly N of every M are left, the pattern that sparse tensor cores run: 2 of 4. On the way
    there, at a lower sparsity, the entries that go first are those with the lowest scores of all that may go.
    (The TensorFlow toolkit counts the zeros in "m by n" sparsity; here N counts what is kept.)

    Parameters
    ----------
    n, m
        N kept of M.
    axis
        The axis that M entries are consecutive along; −2 is the input axis of Dense and Conv kernels.

    Raises
    ------
    ValueError
        N is not from 1 to M; when masks are made, the axis of a tensor is missing or not divisible by M.

    Examples
    --------
    >>> from course_lib import masks
    >>> scores = {"kernel": np.array([[4.0], [1.0], [3.0], [2.0]])}
    >>> masks.from_scores(scores, 0.5, NofM(2, 4))["kernel"].ravel().tolist()
    [True, False, True, False]
    """

    n: int
    m: int
    axis: int = -2

    def __post_init__(self):
        if not (_whole(self.n) and _whole(self.m) and 1 <= self.n <= self.m):
            raise ValueError(f"n is {self.n} and m is {self.m}; N of M entries are kept, with whole N from 1 to M.")
        _check_axis(self.axis)

    @property
    def most(self):
        return 1 - self.n / self.m

    def pool(self, scores: np.ndarray) -> np.ndarray:
        shape = scores.shape
        if not -scores.ndim <= self.axis < scores.ndim or shape[self.axis] % self.m:
            raise ValueError(
                f"m is {self.m}, but a tensor of shape {shape} does not divide by it along axis {self.axis}."
            )
        runs = np.moveaxis(scores, self.axis, -1)
        runs = runs if runs.dtype.kind == "f" else runs.astype("float64")  # −runs of unsigned numbers would wrap around
        runs = runs.reshape(*runs.shape[:-1], -1, self.m)  # (…, runs, M)
        best = np.argsort(-runs, axis=-1, kind="stable")[..., : self.n]  # of equal scores the first
        safe = np.array(runs)
        np.put_along_axis(safe, best, np.inf, axis=-1)
        return np.moveaxis(safe.reshape(*safe.shape[:-2], -1), -1, self.axis)

    def spread(self, kept: np.ndarray, shape: tuple) -> np.ndarray:
        return kept


@dataclass(frozen=True)
class Block:
    """Rectangular blocks live or die as one, by the mean score of their entries.

    Parameters
    ----------
    shape
        Size of a block along the last axes of a tensor: ``(16, 1)`` of a Dense kernel is 16 inputs of one unit.

    Raises
    ------
    ValueError
        A size is below 1; when masks are made, a tensor has too few axes or does not divide into blocks.

    Examples
    --------
    >>> from course_lib import masks
    >>> scores = {"kernel": np.array([[1.0, 1.0, 9.0, 0.0], [1.0, 1.0, 0.0, 0.0]])}
    >>> masks.from_scores(scores, 0.5, Block((2, 2)))["kernel"].tolist()
    [[False, False, True, True], [False, False, True, True]]
    """

    shape: tuple

    most = 1.0

    def __post_init__(self):
        sizes = tuple(self.shape) if isinstance(self.shape, list | tuple) else ()
        if not sizes or not all(_whole(size) and size >= 1 for size in sizes):
            raise ValueError(f"shape is {self.shape!r}; a block is a tuple of whole numbers, at least 1, as in (4, 1).")
        object.__setattr__(self, "shape", sizes)

    def pool(self, scores: np.ndarray) -> np.ndarray:
        k = len(self.shape)
        if k > scores.ndim or any(size % block for size, block in zip(scores.shape[-k:], self.shape, strict=True)):
            raise ValueError(
                f"shape is {self.shape}, but a tensor of shape {scores.shape} does not divide into such blocks."
            )
        split = [
            part for size, block in zip(scores.shape[-k:], self.shape, strict=True) for part in (size // block, block)
        ]
        lead = scores.ndim - k
        blocks = scores.reshape(*scores.shape[:lead], *split)  # (…, blocks, block, blocks, block)
        return _mean(blocks, axis=tuple(range(lead + 1, blocks.ndim, 2)))

    def spread(self, kept: np.ndarray, shape: tuple) -> np.ndarray:
        for axis, size in enumerate(self.shape, start=len(shape) - len(self.shape)):
            kept = kept.repeat(size, axis=axis)
        return kept


@dataclass(frozen=True)
class Unit:
    """All the weights of a unit, filter or channel live or die as one, by their mean score.

    Parameters
    ----------
    axis
        The axis that counts units: −1 is the output axis of Dense and Conv kernels, −2 the input axis.

    Raises
    ------
    ValueError
        When masks are made, a tensor does not have this axis.

    Examples
    --------
    >>> from course_lib import masks
    >>> masks.from_scores({"kernel": np.array([[1.0, 5.0], [2.0, 0.0]])}, 0.5, Unit())["kernel"].tolist()
    [[False, True], [False, True]]
    """

    axis: int = -1

    most = 1.0

    def __post_init__(self):
        _check_axis(self.axis)

    def pool(self, scores: np.ndarray) -> np.ndarray:
        if not -scores.ndim <= self.axis < scores.ndim:
            raise ValueError(f"axis is {self.axis}, but a tensor of shape {scores.shape} does not have it.")
        return _mean(np.moveaxis(scores, self.axis, 0).reshape(scores.shape[self.axis], -1), axis=1)

    def spread(self, kept: np.ndarray, shape: tuple) -> np.ndarray:
        along = [1] * len(shape)
        along[self.axis] = -1
        return np.broadcast_to(kept.reshape(along), shape)


def _mean(scores, axis):
    with np.errstate(invalid="ignore"):  # ∞ − ∞
        return np.where(np.isposinf(scores).any(axis=axis), np.inf, scores.mean(axis=axis))


def _check_axis(axis):
    if not _whole(axis):
        raise ValueError(f"axis is {axis!r}; it must be a whole number, such as -1 for the output axis.")


def _whole(number):
    return isinstance(number, Integral) and not isinstance(number, bool)
