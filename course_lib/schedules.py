"""Schedules: how much of a model is pruned at which optimizer step.

A schedule is called with a step t = 0, 1, 2, … and returns a sparsity, the fraction of weights that are zero.
``begin`` is the first step that may prune, ``end`` the step from which the final sparsity holds.
"""

import math
from dataclasses import dataclass
from numbers import Real

from course_lib.checks import whole

__all__ = ["Constant", "Iterative", "OneShot", "Polynomial"]


@dataclass(frozen=True)
class Constant:
    """Nothing before step ``begin``, then ``sparsity``: for training sparse from early on.

    Examples
    --------
    >>> Constant(0.5, begin=100)(99), Constant(0.5, begin=100)(100)
    (0.0, 0.5)
    """

    sparsity: float
    begin: int = 0

    def __post_init__(self):
        _check_sparsity(sparsity=self.sparsity)
        whole(0, begin=self.begin)

    @property
    def final(self):
        return self.sparsity

    @property
    def end(self):
        return self.begin

    def __call__(self, step: int) -> float:
        return self.sparsity if step >= self.begin else 0.0


@dataclass(frozen=True)
class OneShot:
    """Everything at once, at one step: train, prune, fine-tune. The numbers are those of ``Constant(sparsity, at)``.

    Examples
    --------
    >>> OneShot(0.8, at=500)(499), OneShot(0.8, at=500)(500)
    (0.0, 0.8)
    """

    sparsity: float
    at: int = 0

    def __post_init__(self):
        _check_sparsity(sparsity=self.sparsity)
        whole(0, at=self.at)

    @property
    def final(self):
        return self.sparsity

    @property
    def begin(self):
        return self.at

    @property
    def end(self):
        return self.at

    def __call__(self, step: int) -> float:
        return self.sparsity if step >= self.at else 0.0


@dataclass(frozen=True)
class Polynomial:
    """Fast while there is much to spare, slow towards the end.

        s(t) = s_f + (s_i − s_f) (1 − (t − b) / (e − b))^p     for b ≤ t ≤ e,  s_i before, s_f after

    Source: Zhu and Gupta, "To prune, or not to prune", arXiv:1710.01878 (2017), equation 1, with p = 3.

    Examples
    --------
    >>> [round(Polynomial(final=0.8, begin=100, end=110, initial=0.2)(t), 4) for t in (100, 102, 105, 110)]
    [0.2, 0.4928, 0.725, 0.8]
    """

    final: float
    begin: int
    end: int
    initial: float = 0.0
    power: float = 3

    def __post_init__(self):
        _check_sparsity(initial=self.initial, final=self.final)
        whole(0, begin=self.begin)
        whole(self.begin, end=self.end)
        if not 0 < self.power < math.inf:
            raise ValueError(f"power is {self.power}; it must be positive, 3 in the paper, 1 for a straight line.")

    def __call__(self, step: int) -> float:
        if step < self.begin:
            return self.initial
        if step >= self.end:
            return self.final
        left = 1 - (step - self.begin) / (self.end - self.begin)
        return self.final + (self.initial - self.final) * left**self.power


@dataclass(frozen=True)
class Iterative:
    """Equal rounds of prune and retrain: each removes the same fraction of the weights that are left.

        s(t) = 1 − (1 − s_i) · ((1 − s_f) / (1 − s_i))^(k / rounds),   k = rounds begun by step t

    The first round prunes at step ``begin``, the next ``every`` steps later, the last at ``end``.

    Source: Han et al., "Learning both Weights and Connections", NIPS (2015); the constant fraction of what is left
    as in Frankle and Carbin, "The Lottery Ticket Hypothesis", ICLR (2019).

    Examples
    --------
    >>> schedule = Iterative(final=0.875, rounds=3, every=100)
    >>> [round(schedule(t), 3) for t in (0, 99, 100, 200, 1000)]
    [0.5, 0.5, 0.75, 0.875, 0.875]
    """

    final: float
    rounds: int
    every: int
    begin: int = 0
    initial: float = 0.0

    def __post_init__(self):
        _check_sparsity(initial=self.initial, final=self.final)
        whole(1, rounds=self.rounds)
        whole(1, every=self.every)
        whole(0, begin=self.begin)

    @property
    def end(self):
        return self.begin + (self.rounds - 1) * self.every

    def __call__(self, step: int) -> float:
        if step < self.begin or self.initial == 1:
            return self.initial
        if step >= self.end:
            return self.final
        begun = (step - self.begin) // self.every + 1
        return 1 - (1 - self.initial) * ((1 - self.final) / (1 - self.initial)) ** (begun / self.rounds)


def _check_sparsity(**named):
    for name, value in named.items():
        if not (isinstance(value, Real) and 0 <= value <= 1):
            raise ValueError(f"{name} is {value!r}; a sparsity is a fraction of zeros, from 0 to 1.")
    if named.get("initial", 0) > named.get("final", 1):
        raise ValueError(f"initial is {named['initial']}, above final, {named['final']}; pruned weights stay pruned.")
