"""The exercises of chapter 05, Gradual pruning and the TensorFlow toolkit."""

from course_lib.classroom.exercises.chapter_05 import (
    first_clear_lead,
    four_traces,
    half_pruned_step,
    next_mask,
    optimizer_steps,
    polynomial,
    reached_sparsity,
)

EXERCISES = [
    polynomial.EXERCISE,
    half_pruned_step.EXERCISE,
    optimizer_steps.EXERCISE,
    reached_sparsity.EXERCISE,
    next_mask.EXERCISE,
    four_traces.EXERCISE,
    first_clear_lead.EXERCISE,
]
