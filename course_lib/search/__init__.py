"""Choose how much to prune where: scan the tensors' sensitivity, allocate a sparsity to each."""

from course_lib.search.allocate import allocate
from course_lib.search.sensitivity import Sensitivity, sensitivity

__all__ = ["Sensitivity", "allocate", "sensitivity"]
