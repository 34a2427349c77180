# %% [markdown]
# # Exercises: structured pruning
#
# Seven exercises, 17 points, about an hour. All of them need NumPy only, so they start at once. They follow
# [the lesson](../notebooks/07_structured_pruning.ipynb): find every array that knows a filter, remove it there, and judge
# what was gained.
#
# Write your answer in place of the dots or of `raise NotImplementedError`, run the cell, then run the check below it. You may
# check as often as you like, and use in one answer what you wrote in an earlier one.
#
# Shapes are Keras's: a convolution's kernel is (height, width, inputs, filters), a dense kernel (inputs, units), a picture
# (height, width, channels). Axes and entries are counted from 0.

# %% tags=["setup"]
import numpy as np

from course_lib.classroom import check, hint

# Used in the last exercise: accuracies in % of three seeds. Invented numbers, so that there is something to decide.
before = {"norm": [41.0, 52.3, 38.8], "lot": [22.4, 30.1, 19.7]}
after = {"norm": [87.4, 86.3, 87.6], "lot": [86.6, 86.7, 86.1], "small, from nothing": [87.2, 86.9, 87.5]}

# %% [markdown] exercise="07.rows_of_filter"
# A convolution with `filters` filters gives a picture of the shape (height, width, filters). `Flatten` lays it out as one long
# vector, row by row, and all channels of a place side by side. A dense layer reads it. Its kernel has one row for each entry
# of that vector.
#
# Filter `j` is removed. **Which rows of the dense kernel go?** Return their numbers, in rising order, as a list or
# an array of whole numbers.
#
# Example: with 3 filters at 2 · 2 places, filter 1 is in the rows `[1, 4, 7, 10]`.


# %% exercise="07.rows_of_filter"
def rows_of_filter(j, height, width, filters):
    """The rows of a dense kernel (height · width · filters, units) that read filter j, in rising order."""
    ### BEGIN SOLUTION
    return np.arange(height * width) * filters + j
    ### END SOLUTION


# %%
check("07.rows_of_filter", rows_of_filter)

# %% [markdown]
# Stuck? Run `hint("07.rows_of_filter")` in a new cell; once more for the second hint.

# %% [markdown] tags=["solution"]
# **Why so.** Place $p$ of the picture begins at row $p \cdot \text{filters}$, and filter $j$ is the $j$-th entry there. If you
# are ever unsure of an order, do not think, number: `np.arange(n).reshape(height, width, filters)[..., j]` shows it.
#
# One block of rows is right for a framework that keeps channels first. A block has the same *number* of rows, so that
# the smaller network builds, loads and runs. Only its answers are wrong. That is the worst kind of mistake.

# %% [markdown] exercise="07.remove_filter"
# Now remove the filter everywhere. `weights` is a dictionary of arrays of a small part of a network: a convolution with bias, its
# BatchNormalization, and the next layer.
#
# | name | shape |
# |---|---|
# | `kernel` | (height, width, inputs, filters) |
# | `bias`, `gamma`, `beta`, `mean`, `variance` | (filters,) each |
# | `next_kernel` | (height, width, filters, outputs) of a convolution, **or** (places · filters, outputs) of a dense layer behind `Flatten` |
# | `next_bias` | (outputs,) |
#
# Return a dictionary with the same names, without filter `j`. The two kinds of next layer count half of the points each.


# %% exercise="07.remove_filter"
def remove_filter(weights, j):
    """The arrays without filter j.

    weights: {name: array} with the names and shapes of the table; not changed.
    j: a whole number from 0, below the number of filters, which is at least 2.
    Returns a dictionary with the same names.
    """
    ### BEGIN SOLUTION
    filters = len(weights["gamma"])
    smaller = {name: np.delete(w, j, axis=-1) for name, w in weights.items() if not name.startswith("next")}
    read = weights["next_kernel"]
    if read.ndim == 4:  # a convolution
        read = np.delete(read, j, axis=2)
    else:  # a dense layer
        read = np.delete(read, rows_of_filter(j, 1, len(read) // filters, filters), axis=0)
    return smaller | {"next_kernel": read, "next_bias": weights["next_bias"]}
    ### END SOLUTION


# %%
check("07.remove_filter", remove_filter)

# %% [markdown]
# Stuck? Run `hint("07.remove_filter")` in a new cell.

# %% [markdown] tags=["solution"]
# **Why so.** Ask three questions of every array. Does it *make* the channel (kernel and bias: last axis)? Does it *scale* it
# (the four vectors of the BatchNormalization)? Does it *read* it (the next kernel: the axis of its inputs)? What does
# none of the three, such as the bias of the next layer, stays as it is.
#
# The mean and the variance are the easiest to forget, as no optimizer touches them. Behind `Flatten` an input of the dense layer
# is a channel *at a place*, so there are as many rows as places.

# %% [markdown] exercise="07.left_behind"
# A mask has set the **kernel** of some filters to zero, and nothing else. Behind the convolution come BatchNormalization (in
# inference) and ReLU:
#
# $$\mathrm{BN}(z) = \gamma\,\frac{z - \text{mean}}{\sqrt{\text{variance} + \varepsilon}} + \beta, \qquad
# \mathrm{ReLU}(a) = \max(a, 0)$$
#
# What comes out of the ReLU, for each of these filters, whatever the image? The arguments are arrays with an entry for
# each filter.


# %% exercise="07.left_behind"
def left_behind(bias, gamma, beta, mean, variance, epsilon):
    """The constant outputs of filters whose kernels are zero.

    bias, gamma, beta, mean, variance: arrays (filters,); epsilon: a number above 0.
    Returns an array (filters,).
    """
    ### BEGIN SOLUTION
    return np.maximum(gamma * (bias - mean) / np.sqrt(variance + epsilon) + beta, 0)
    ### END SOLUTION


# %%
check("07.left_behind", left_behind)

# %% [markdown]
# Stuck? Run `hint("07.left_behind")` in a new cell.

# %% [markdown] tags=["solution"]
# **Why so.** A convolution with a kernel of zeros gives its bias, everywhere. The rest is the formula. Where the result is zero
# the filter is really silent. Where it is not, the next layer still reads a constant, and a network with zeros in the kernel is
# *not* the network without the filter.
#
# Two ways out: zero γ and β as well, or add the constant times its weights to the bias of the next layer before you remove the
# filter. `shrink.shrink` does the second for you. At the borders of a padded convolution even that is not exact: there
# the next filter reads zeros of the padding, not the constant.

# %% [markdown] exercise="07.lost_axes"
# A part of a network, kernels in Keras's order:
#
# | layer | reads | kernel |
# |---|---|---|
# | `conv_a` | the image | (3, 3, 3, 16) |
# | `bn_a`, ReLU | `conv_a` | 16 entries in each vector |
# | `depthwise` | ReLU of `bn_a` | (3, 3, 16, 1) |
# | `conv_s` | the image | (3, 3, 3, 8) |
# | `Concatenate` | `conv_s`, then `depthwise` | none; 24 channels |
# | `conv_p` | the concatenation | (1, 1, 24, 32) |
#
# **Filter 5 of `conv_a` is removed.** Along which axis do the three kernels lose an entry? And which entry of that
# axis is it in `conv_p`? Set `lost_axes` to a dictionary of four whole numbers, with the keys `"conv_a"`, `"depthwise"`,
# `"conv_p"` and `"entry of conv_p"`.

# %% exercise="07.lost_axes"
### BEGIN SOLUTION
lost_axes = {"conv_a": 3, "depthwise": 2, "conv_p": 2, "entry of conv_p": 8 + 5}
### END SOLUTION

# %%
check("07.lost_axes", lost_axes)

# %% [markdown]
# Stuck? Run `hint("07.lost_axes")` in a new cell.

# %% [markdown] tags=["solution"]
# **Why so.** `conv_a` makes the channel: last axis. The depthwise convolution has one small filter for each channel, so the channel
# lies along its axis of inputs and goes on to the output: whoever loses channel 5 before it loses channel 5 behind it. `conv_p`
# reads: axis of inputs. There the eight channels of `conv_s` come first, and channel 5 has become entry 13.
#
# A concatenation moves channels and does not mix them. An addition does the opposite: it ties channel 5 of both branches
# together, and they can only go as one.

# %% [markdown] exercise="07.macs_left"
# The small CNN of the course:
#
# | layer | kernel | places |
# |---|---|---|
# | `conv_1` | 3 · 3 · 1 · 16 | 14 · 14 |
# | `conv_2` | 3 · 3 · 16 · 32 | 7 · 7 |
# | `dense_1` | 1,568 · 64 (1,568 = 7 · 7 · 32) | 1 |
# | `output` | 64 · 10 | 1 |
#
# You remove **half of the filters of `conv_2`**, 16 of 32, and nothing else. What share of the network's multiply-accumulates
# is left? First guess, then compute. Set `macs_left` to a fraction between 0 and 1, with at least three decimals.

# %% exercise="07.macs_left"
### BEGIN SOLUTION
made = np.array([9 * 16 * 14 * 14, 9 * 16 * 32 * 7 * 7, 1568 * 64, 64 * 10])
macs_left = np.sum(made * [1, 1 / 2, 1 / 2, 1]) / made.sum()
### END SOLUTION

# %%
check("07.macs_left", macs_left)

# %% [markdown]
# Stuck? Run `hint("07.macs_left")` in a new cell.

# %% [markdown] tags=["solution"]
# **Why so.** The layer that makes the filters is halved and so is the layer that reads them. The others do not know these
# filters. Were *every* hidden layer halved, those between two of them would shrink to a quarter, and the first and last to a
# half. The single savings do not add up to that: a layer between two halved ones is counted by both, and can be saved only once.

# %% [markdown] exercise="07.median_scores"
# A filter that is close to the others can be replaced by them, however large it is. The score of filter $j$ is the sum of its
# distances to all filters of the layer, high = keep:
#
# $$s_j = \sum_k \lVert w_j - w_k \rVert_2$$
#
# where $w_j$ is the filter as one vector of height · width · inputs numbers. Return the scores of all filters of a kernel.
#
# Example: three 1 × 1 filters on one channel with the weights 0, 4 and 5 have the scores 9, 5 and 6. The filter in the middle
# goes first.


# %% exercise="07.median_scores"
def median_scores(kernel):
    """The geometric-median scores of a kernel (height, width, inputs, filters): an array (filters,)."""
    ### BEGIN SOLUTION
    rows = kernel.reshape(-1, kernel.shape[-1]).T  # (filters, weights of one)
    return np.linalg.norm(rows[:, None] - rows[None], axis=2).sum(axis=1)
    ### END SOLUTION


# %%
check("07.median_scores", median_scores)

# %% [markdown]
# Stuck? Run `hint("07.median_scores")` in a new cell.

# %% [markdown] tags=["solution"]
# **Why so.** The point with the smallest sum of distances to all others is the geometric median. The filters next to it are in the
# midst of the layer. Squares in place of distances would give the neighbours of the *mean* instead, which a single
# far-off filter can drag along.
#
# The array of differences has filters² · weights numbers. For 512 filters of 4,608 weights that is over a billion: there, take one
# filter at a time, as the library does.

# %% [markdown] exercise="07.claims"
# Somebody removed half of the filters of a CNN: those with the smallest norm, or some drawn by lot. Then both were fine-tuned. The
# same small shape was also trained from nothing, for as many epochs in all. The accuracies (invented) are in the table and
# the picture below. One image takes the whole network 7.1 to 7.4 µs, the shrunk one 3.3 to 3.6 µs (fastest and slowest of five
# runs).
#
# The rule, written down beforehand: *a difference between two ways counts if it has the same sign on all three seeds; a
# difference in time counts if the slowest run of the one is faster than the fastest run of the other.*
#
# Which of these claims follow?
#
# - **A** Before fine-tuning, filters chosen by norm are better than filters drawn by lot.
# - **B** After fine-tuning, filters chosen by norm are better than filters drawn by lot.
# - **C** The filters that the norm chose are worth more than a fresh start of the same shape.
# - **D** The shrunk network answers faster than the whole one.
# - **E** The shrunk network has 27% of the MACs, so it answers 3.7 times as fast.
#
# Set `claims` to the letters of those that follow, in alphabetical order, for example `"BCE"`.

# %%
from course_lib import report

rows = [[f"{way}, before", *(f"{a:.1f}" for a in reached)] for way, reached in before.items()]
rows += [[f"{way}, after", *(f"{a:.1f}" for a in reached)] for way, reached in after.items()]
report.Table(["accuracy, %", "seed 0", "seed 1", "seed 2"], rows)

# %%
import matplotlib.pyplot as plt

from course_lib import plots

plots.style()
fig, ax = plt.subplots()
for seed, marker in enumerate("os^"):
    reached = [values[seed] for values in after.values()]
    ax.plot(reached, range(len(after)), marker, ms=9, ls="", label=f"seed {seed}")
ax.set(yticks=range(len(after)), yticklabels=after, xlabel="accuracy after fine-tuning, %", ylim=(2.5, -0.5))
ax.set_title("Three ways to the same small shape, three seeds each")
ax.legend(loc="upper left", bbox_to_anchor=(1.01, 1))
plt.show()

# %% [markdown]
# *In words: three rows with three markers each, between 86 and 88 percent, which overlap from row to row. The numbers are
# those of the table.*

# %% exercise="07.claims"
### BEGIN SOLUTION
claims = "AD"
### END SOLUTION

# %%
check("07.claims", claims)

# %% [markdown]
# Stuck? Run `hint("07.claims")` in a new cell.

# %% [markdown] tags=["solution"]
# **Why so.** A: +18.6, +22.2 and +19.1 points, all positive. B: +0.8, −0.4, +1.5. The means differ, the seeds disagree; three
# seeds more might settle it, in either direction. C: +0.2, −0.6, +0.1, the same. D: 3.6 is less than 7.1. E is a
# prediction from MACs where a measurement is at hand: the shrunk network is about twice as fast.
#
# The numbers are invented, but not their drift. In the lesson, too, choosing well mattered most before fine-tuning and little
# afterwards, and Liu et al. (2019) found the fresh start as good for large networks.
