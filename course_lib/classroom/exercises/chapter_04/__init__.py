"""The exercises of chapter 04, Effect on the loss."""

from course_lib.classroom.exercises.chapter_04 import (
    constant_input,
    obd,
    remove_by_obs,
    rise_of_set,
    taylor_and_fisher,
    unit_change,
    which_panel,
)

EXERCISES = [
    taylor_and_fisher.EXERCISE,
    obd.EXERCISE,
    unit_change.EXERCISE,
    remove_by_obs.EXERCISE,
    which_panel.EXERCISE,
    rise_of_set.EXERCISE,
    constant_input.EXERCISE,
]
