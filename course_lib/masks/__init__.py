"""Masks: for each pruned variable an array of booleans, True where the weight is kept.

    keep the n − ⌊s·n + ½⌋ entries with the highest scores

Ties go to the entry with the lower flat index. At least one entry is kept in every group that is compared.
"""

from course_lib.masks.held import Masks
from course_lib.masks.ranking import from_scores

__all__ = ["Masks", "from_scores"]
