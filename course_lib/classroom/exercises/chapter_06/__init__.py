"""The exercises of chapter 06, Neuron importance."""

from course_lib.classroom.exercises.chapter_06 import (
    activation_score,
    contribution,
    mean_into_bias,
    parameters_left,
    rank_agreement,
    read_the_plot,
    remove_neurons,
)

EXERCISES = [
    remove_neurons.EXERCISE,
    parameters_left.EXERCISE,
    activation_score.EXERCISE,
    contribution.EXERCISE,
    rank_agreement.EXERCISE,
    mean_into_bias.EXERCISE,
    read_the_plot.EXERCISE,
]
