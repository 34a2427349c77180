"""Scores: how much each weight matters. A score is a function ``score(model, data) -> {variable path: array}``.

High = keep. The arrays have the shapes of the variables; ``data`` is ignored by the scores that do not need any.
"""

from course_lib.scores.gradients import fisher, taylor
from course_lib.scores.weights import magnitude, random

__all__ = ["fisher", "magnitude", "random", "taylor"]
