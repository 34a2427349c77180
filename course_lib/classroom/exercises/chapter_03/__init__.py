"""The exercises of chapter 03, Magnitude pruning."""

from course_lib.classroom.exercises.chapter_03 import (
    chosen_sparsity,
    fraction_per_round,
    global_masks,
    magnitude_mask,
    masked_step,
    model_sparsity,
    weights_kept,
)

EXERCISES = [
    weights_kept.EXERCISE,
    magnitude_mask.EXERCISE,
    global_masks.EXERCISE,
    model_sparsity.EXERCISE,
    fraction_per_round.EXERCISE,
    masked_step.EXERCISE,
    chosen_sparsity.EXERCISE,
]
