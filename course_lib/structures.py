"""Structures: which entries of a tensor are kept or pruned together.

A structure turns an array of scores into one score a group, and a decision a group back into a mask:
``pool(scores) -> groups`` and ``spread(kept, shape) -> mask``.
"""

from dataclasses import dataclass

import numpy as np

__all__ = ["Element"]


@dataclass(frozen=True)
class Element:
    """Every entry by itself: unstructured pruning."""

    def pool(self, scores: np.ndarray) -> np.ndarray:
        return scores

    def spread(self, kept: np.ndarray, shape: tuple) -> np.ndarray:
        return kept.reshape(shape)
