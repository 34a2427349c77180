"""The exercises of chapter 08, Deploy with TFLite."""

from course_lib.classroom.exercises.chapter_08 import (
    agreement,
    break_even,
    claims,
    median_and_p90,
    pruning_factor,
    quantise,
    scale_and_zero_point,
    ship_it,
)

EXERCISES = [
    quantise.EXERCISE,
    scale_and_zero_point.EXERCISE,
    break_even.EXERCISE,
    pruning_factor.EXERCISE,
    median_and_p90.EXERCISE,
    agreement.EXERCISE,
    claims.EXERCISE,
    ship_it.EXERCISE,
]
