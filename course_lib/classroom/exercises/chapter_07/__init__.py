"""The exercises of chapter 07, Structured pruning."""

from course_lib.classroom.exercises.chapter_07 import (
    claims,
    left_behind,
    lost_axes,
    macs_left,
    median_scores,
    remove_filter,
    rows_of_filter,
)

EXERCISES = [
    rows_of_filter.EXERCISE,
    remove_filter.EXERCISE,
    left_behind.EXERCISE,
    lost_axes.EXERCISE,
    macs_left.EXERCISE,
    median_scores.EXERCISE,
    claims.EXERCISE,
]
