"""Choose how much to prune where: scan sensitivity, allocate a sparsity to each tensor, fit a budget."""

from course_lib.search.allocate import allocate
from course_lib.search.budget import Budget, Point, fit_budget
from course_lib.search.sensitivity import Sensitivity, sensitivity

__all__ = ["Budget", "Point", "Sensitivity", "allocate", "fit_budget", "sensitivity"]
