# %% [markdown]
# # Exercises: magnitude pruning
#
# Seven exercises, 17 points, about an hour. All of them need NumPy only, so they start at once. They follow
# [the lesson](../notebooks/03_magnitude_pruning.ipynb): count, rank, compare, and keep what is zero at zero.
#
# Write your answer in place of the dots or of `raise NotImplementedError`, run the cell, then run the check below it. You may
# check as often as you like, and use in one answer what you wrote in an earlier one.

# %% tags=["setup"]
import math

import numpy as np

from course_lib.classroom import check, hint

# Used in the last exercise: {sparsity: accuracy in %} of a net that was pruned and fine-tuned.
# Invented numbers, so that the rule has something to decide.
validation = {0.0: 88.6, 0.5: 88.9, 0.7: 88.7, 0.8: 88.5, 0.9: 88.2, 0.95: 87.7, 0.98: 84.1}
test = {0.0: 88.1, 0.5: 88.4, 0.7: 88.0, 0.8: 87.5, 0.9: 87.4, 0.95: 87.0, 0.98: 83.8}

# %% [markdown] exercise="03.weights_kept"
# A tensor has $n$ weights and is to be pruned to the sparsity $s$. Then $s\,n$ weights go, rounded to the nearest whole number,
# a half upwards; but at least one weight stays:
#
# $$k = \max\bigl(n - \lfloor s\,n + \tfrac12 \rfloor,\; 1\bigr)$$
#
# It looks like a detail. It decides whether two people who both say "90%" have the same mask.
#
# Example: `weights_kept(25, 0.6)` is 10.


# %% exercise="03.weights_kept"
def weights_kept(n, sparsity):
    """How many of n >= 1 weights stay at a sparsity from 0 to 1: a whole number, at least 1."""
    ### BEGIN SOLUTION
    return max(n - math.floor(sparsity * n + 0.5), 1)
    ### END SOLUTION


# %%
check("03.weights_kept", weights_kept)

# %% [markdown]
# Stuck? Run `hint("03.weights_kept")` in a new cell; once more for the second hint.

# %% [markdown] tags=["solution"]
# **Why so.** $\lfloor x + \frac12 \rfloor$ takes every half upwards. Python's `round` takes it to the even neighbour,
# `round(2.5) == 2` but `round(3.5) == 4`, so that its answer would depend on whether the number happens to be odd.
# Cutting off decimals, of $s\,n$ or of $(1 - s)\,n$, is wrong by up to one weight, always in the same direction. And the
# maximum is for the end of the scale: 100 weights at $s = 0.9999$ round to none.

# %% [markdown] exercise="03.magnitude_mask"
# Now choose the weights. Keep the $k$ entries with the largest $|w|$, with $k$ from the exercise before. Of entries with
# equal magnitude, those with the lower **flat index** stay (the index in `w.ravel()`).
#
# The mask is an array of True and False with the shape of `w`, True = kept, so that `w * mask` is the pruned array.
#
# Example: `magnitude_mask(np.array([0.5, -2.0, 2.0, -0.1]), 0.75)` is `[False, True, False, False]`. The weights −2 and 2
# are tied; one may stay, and −2 comes first.


# %% exercise="03.magnitude_mask"
def magnitude_mask(w, sparsity):
    """The mask that prunes w, an array of any shape, to a sparsity from 0 to 1; same shape."""
    ### BEGIN SOLUTION
    order = np.argsort(-np.abs(w), axis=None, kind="stable")
    mask = np.zeros(w.shape, bool)
    mask.flat[order[: weights_kept(w.size, sparsity)]] = True
    return mask
    ### END SOLUTION


# %%
check("03.magnitude_mask", magnitude_mask)

# %% [markdown]
# Stuck? Run `hint("03.magnitude_mask")` in a new cell.

# %% [markdown] tags=["solution"]
# **Why so.** We *count* the weights to keep; we do not look for a threshold. A threshold cannot separate equal weights: with
# `>=` all of them stay, with `>` all of them go, and the sparsity is not the one that was asked for. A quantile
# has the same fault, and being interpolated between two weights it can be one off besides.
#
# A stable sort leaves equals in their order. Sorting $-|w|$ puts the largest first and, among equals, the lower index first:
# just what we keep. Sorting $|w|$ upwards and pruning from the front also has the right number, but throws the *lower*
# indices away. And ranking by $w$ would prune −2 before 0.1.

# %% [markdown] exercise="03.global_masks"
# A model is a dictionary of arrays, `{path: weights}`. Rank **all its weights together** by magnitude, keep
# $k$ of the total number $n$, and return a dictionary of masks with the same paths and shapes.
#
# Ties: the layer that comes first in the dictionary stays first, and within a layer the lower flat index. At least one
# weight of the *model* stays. A single layer may lose everything.
#
# Example: with `{"a": [4.0, 1.0, 3.0], "b": [2.0, -9.0, 8.0]}` (as arrays) at sparsity 0.5 the three largest are 4, −9 and 8, so
# the masks are `{"a": [True, False, False], "b": [False, True, True]}`.


# %% exercise="03.global_masks"
def global_masks(weights, sparsity):
    """Masks for {path: array of any shape} that prune the whole model to one sparsity: {path: booleans}."""
    ### BEGIN SOLUTION
    everything = np.concatenate([w.ravel() for w in weights.values()])
    mask = magnitude_mask(everything, sparsity)
    masks, start = {}, 0
    for path, w in weights.items():
        masks[path] = mask[start : start + w.size].reshape(w.shape)
        start += w.size
    return masks
    ### END SOLUTION


# %%
check("03.global_masks", global_masks)

# %% [markdown]
# Stuck? Run `hint("03.global_masks")` in a new cell.

# %% [markdown] tags=["solution"]
# **Why so.** Laid end to end, the model is one long array, and that problem is solved. The order of the dictionary becomes the
# order of the flat index, and so the rule for ties carries over without a word.
#
# One mask for each layer by itself is the scope "tensor": all layers get the same sparsity, which is exactly
# what global does not do. Dividing by the largest weight first is a different score. It may even be a good one, but it is not
# magnitude. And no layer is protected: at high sparsity a layer may be emptied, and then the net is cut in two. Look at
# `masks.per_tensor()` before you train on.

# %% [markdown] exercise="03.model_sparsity"
# LeNet-300-100 was pruned. Its kernels and their sparsities:
#
# | kernel | shape | sparsity |
# |---|---|---|
# | dense_1 | 784 × 300 | 0.95 |
# | dense_2 | 300 × 100 | 0.80 |
# | output | 100 × 10 | 0.20 |
#
# What is the sparsity of the model, all three kernels together (the biases do not count)? First guess, then compute. Set
# `model_sparsity` to a fraction between 0 and 1, with at least three decimals.

# %% exercise="03.model_sparsity"
### BEGIN SOLUTION
sizes = np.array([784 * 300, 300 * 100, 100 * 10])
zeros = sizes * [0.95, 0.80, 0.20]
model_sparsity = zeros.sum() / sizes.sum()
### END SOLUTION

# %%
check("03.model_sparsity", model_sparsity)

# %% [markdown]
# Stuck? Run `hint("03.model_sparsity")` in a new cell.

# %% [markdown] tags=["solution"]
# **Why so.** Zeros can be added, sparsities cannot. The first layer holds nearly nine tenths of all weights, and so the
# model's sparsity lies close to the first layer's. The plain mean of the three would be 0.65: it counts a thousand output weights as
# much as a quarter of a million others.
#
# It works the other way round too. Leaving the output layer dense costs next to nothing in sparsity. Whether it saves
# accuracy, measure.

# %% [markdown] exercise="03.fraction_per_round"
# Iterative pruning: prune, fine-tune, prune again. Every round removes **the same fraction $p$ of the weights that are
# left**. After five rounds 90% of all weights shall be gone.
#
# What is $p$? Set `fraction_per_round` to a number between 0 and 1, with at least three decimals.

# %% exercise="03.fraction_per_round"
### BEGIN SOLUTION
fraction_per_round = 1 - (1 - 0.9) ** (1 / 5)
### END SOLUTION

# %%
check("03.fraction_per_round", fraction_per_round)

# %% [markdown]
# Stuck? Run `hint("03.fraction_per_round")` in a new cell.

# %% [markdown] tags=["solution"]
# **Why so.** A round keeps the fraction $1 - p$ of what it finds. What is kept multiplies: after five rounds
# $(1 - p)^5$ of the weights are left, and that shall be $1 - 0.9$. So $p = 1 - 0.1^{1/5}$. More than a third goes in every
# round, and still the last rounds take few weights in number, because few are left.
#
# Dividing 0.9 by five treats the rounds as if each took its share of the *original* weights. What is pruned does not
# multiply, so the fifth root of 0.9 has no meaning here.

# %% [markdown] exercise="03.masked_step"
# A net was pruned in the middle of its training. Fine-tune it with SGD with momentum so that **a pruned weight is exactly zero
# after every step**. For weights $w$, velocity $v$, gradient $g$, mask $m$, learning rate $\eta$ and momentum $\mu$:
#
# $$v \leftarrow \mu\,v - \eta\,g, \qquad w \leftarrow m \odot (w + v)$$
#
# The velocity is *not* masked; Keras leaves it alone too. Note that when the function is first called, pruned weights may
# not be zero yet, and their velocity certainly is not.
#
# Example: one pruned weight with `w = 0.0`, `v = 1.0`, `g = 0.0`, learning rate 0.1 and momentum 0.9: the new velocity is 0.9, the
# new weight 0.


# %% exercise="03.masked_step"
def masked_step(w, velocity, gradient, mask, learning_rate, momentum):
    """One step of SGD with momentum that holds a mask.

    w, velocity, gradient: arrays of one shape; mask: booleans of that shape, True = kept.
    None of them is changed.
    Returns the new w and the new velocity.
    """
    ### BEGIN SOLUTION
    velocity = momentum * velocity - learning_rate * gradient
    w = np.where(mask, w + velocity, 0.0)
    return w, velocity
    ### END SOLUTION


# %%
check("03.masked_step", masked_step)

# %% [markdown]
# Stuck? Run `hint("03.masked_step")` in a new cell.

# %% [markdown] tags=["solution"]
# **Why so.** The promise is about the weight *after* the step, so the mask comes last and on the weight. Everything else leaves
# a door open:
#
# - mask the gradient, and the old velocity still moves the weight. (With Adam it is the averaged gradient, with weight decay
#   the decay; each optimizer has its own way in.)
# - mask the weight before the step, and the step moves it off zero again;
# - mask the velocity, and a weight that was not zero yet stays where it is.
#
# `training.hold` does the same as your last line, for every optimizer, through Keras's own `variable.constraint`.
# Masking the velocity *as well* would keep the zeros too. It matters only to methods that let pruned weights grow again; they
# reset it themselves (chapter 11).

# %% [markdown] exercise="03.chosen_sparsity"
# A net was pruned and fine-tuned at several sparsities. The setup cell holds its accuracies in `validation` and `test`
# (invented numbers); the cells below show them. Before the run this rule was written down:
#
# > *Take the highest sparsity whose accuracy is at most 0.5 points below that of the dense net.*
#
# Which sparsity does an honest person choose? Set `chosen_sparsity` to it, as a fraction.

# %%
from course_lib import report

report.Table(
    ["sparsity", "validation accuracy, %", "test accuracy, %"],
    [[f"{s:g}", f"{validation[s]:.1f}", f"{test[s]:.1f}"] for s in validation],
)

# %%
import matplotlib.pyplot as plt

from course_lib import plots

plots.style()
fig, ax = plt.subplots()
for name, split in {"validation": validation, "test": test}.items():
    ax.plot(range(len(split)), split.values(), marker="o", label=name)
ax.set(xlabel="sparsity", ylabel="accuracy, %", title="Level for long, then a fall", ylim=(83, 90))
ax.set_xticks(range(len(validation)), validation)
ax.legend(loc="lower left")
plt.show()

# %% [markdown]
# *In words: two lines, validation above test, both nearly level from 0 to 0.8, falling slowly to 0.95 and steeply to 0.98.
# The numbers are those of the table.*

# %% exercise="03.chosen_sparsity"
### BEGIN SOLUTION
chosen_sparsity = max(s for s, accuracy in validation.items() if accuracy >= validation[0.0] - 0.5)
### END SOLUTION

# %%
check("03.chosen_sparsity", chosen_sparsity)

# %% [markdown]
# Stuck? Run `hint("03.chosen_sparsity")` in a new cell.

# %% [markdown] tags=["solution"]
# **Why so.** Choosing is done on validation. Dense has 88.6 there, so 88.1 is enough; 0.9 has it and 0.95 has not.
#
# Applied to the test column, the rule would say 0.7. It may look like the more careful choice. But a test split that has made a choice
# can no longer judge it: the number you report would be the one that you picked for looking good. Here the honest
# choice loses 0.7 points on test, more than the rule allowed on validation. That happens. Report it.
