"""The exercises of chapter 01, Why prune?"""

from course_lib.classroom.exercises.chapter_01 import (
    conv_macs,
    halve_one,
    int8_bytes,
    macs_left,
    network_parameters,
    remove_units,
    which_row,
)

EXERCISES = [
    network_parameters.EXERCISE,
    conv_macs.EXERCISE,
    int8_bytes.EXERCISE,
    remove_units.EXERCISE,
    macs_left.EXERCISE,
    which_row.EXERCISE,
    halve_one.EXERCISE,
]
