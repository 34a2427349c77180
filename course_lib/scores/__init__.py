"""Scores: how much each weight matters. A score is a function ``score(model, data) -> {variable path: array}``.

High = keep. The arrays have the shapes of the variables; ``data`` is ignored by the scores that do not need any.
"""

from course_lib.scores.activations import activation_mean, apoz, contribution, unit_taylor
from course_lib.scores.gradients import fisher, taylor
from course_lib.scores.hessian import obd
from course_lib.scores.initial import grasp, snip
from course_lib.scores.sparsegpt import sparsegpt
from course_lib.scores.spread import per_weight
from course_lib.scores.surgeon import obs, obs_update
from course_lib.scores.synflow import synflow, synflow_masks
from course_lib.scores.units import bn_gamma, geometric_median, unit_norm
from course_lib.scores.wanda import wanda
from course_lib.scores.weights import lamp, magnitude, random

__all__ = [
    "activation_mean",
    "apoz",
    "bn_gamma",
    "contribution",
    "fisher",
    "geometric_median",
    "grasp",
    "lamp",
    "magnitude",
    "obd",
    "obs",
    "obs_update",
    "per_weight",
    "random",
    "snip",
    "sparsegpt",
    "synflow",
    "synflow_masks",
    "taylor",
    "unit_norm",
    "unit_taylor",
    "wanda",
]
