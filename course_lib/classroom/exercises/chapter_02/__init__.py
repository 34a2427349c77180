"""The exercises of chapter 02, L1 and L2."""

from course_lib.classroom.exercises.chapter_02 import (
    adam_steps,
    elastic_net_step,
    group_soft_threshold,
    lambda_max,
    path_order,
    penalty_gradients,
    soft_threshold,
)

EXERCISES = [
    penalty_gradients.EXERCISE,
    soft_threshold.EXERCISE,
    elastic_net_step.EXERCISE,
    group_soft_threshold.EXERCISE,
    lambda_max.EXERCISE,
    path_order.EXERCISE,
    adam_steps.EXERCISE,
]
