# %% [markdown]
# # Exercises: why prune?
#
# Seven exercises, 16 points, about three quarters of an hour. All of them need NumPy only, so they start at once.
# They follow [the lesson](../notebooks/01_why_prune.ipynb): count, take units out, and read a table and a plot.
#
# Write your answer in place of the dots or of `raise NotImplementedError`, run the cell, then run the check below it.
# You may check as often as you like; it tells you what is wrong. You can also use in one answer what you wrote in an
# earlier one.

# %% tags=["setup"]
import math
from itertools import pairwise

import numpy as np

from course_lib.classroom import check, hint

# Used in the last exercise: {layer: its weights} and {layer: its MACs}, both in thousands, biases left out.
weights = {"conv_1": 2.4, "conv_2": 13.8, "conv_3": 27.6, "dense_1": 131.1, "output": 0.3}
macs = {"conv_1": 2458, "conv_2": 3539, "conv_3": 1769, "dense_1": 131, "output": 0.3}

# %% [markdown] exercise="01.network_parameters"
# A network of dense layers is given as a list: the number of inputs, then the units of each layer. A layer with $n$
# inputs and $m$ units has a weight for each input of each unit, and a bias for each unit. How many parameters has the
# network?
#
# Example: `network_parameters([2, 3, 1])` is 13: 2 · 3 + 3 in the first layer, 3 · 1 + 1 in the second.


# %% exercise="01.network_parameters"
def network_parameters(units):
    """How many weights and biases a network of dense layers has.

    units: list of at least two whole numbers, the inputs and the units of each layer.
    Returns a whole number.
    """
    ### BEGIN SOLUTION
    return sum(n * m + m for n, m in pairwise(units))
    ### END SOLUTION


# %%
check("01.network_parameters", network_parameters)

# %% [markdown]
# Stuck? Run `hint("01.network_parameters")` in a new cell; once more for the second hint.

# %% [markdown] tags=["solution"]
# **Why so.** Each neighbouring pair of the list is a layer, and $n\,m + m = (n + 1)\,m$: a bias is like a weight of
# one more input that is always 1. The inputs of the network have no bias, since nothing is computed there.
#
# The biases are few: LeNet-300-100 has 410, beside 266,200 weights. That is why pruning leaves them alone. Whoever
# counts has to say whether they are in.

# %% [markdown] exercise="01.conv_macs"
# A convolution is laid on a square image of `size` × `size` pixels with `channels` channels. It has `filters` filters
# with `kernel` × `kernel` kernels and moves `stride` pixels at a time. The image is padded at its edges, so there are
# $\lceil \text{size} / \text{stride} \rceil$ places in a row and as many rows.
#
# How many multiply-accumulates does it take for one image?
#
# Example: `conv_macs(4, 1, 2, 3, 2)` is 72: 3 · 3 · 1 · 2 weights at 2 · 2 places.


# %% exercise="01.conv_macs"
def conv_macs(size, channels, filters, kernel, stride):
    """The multiply-accumulates of a padded convolution, for one image.

    All arguments are whole numbers from 1. Returns a whole number.
    """
    ### BEGIN SOLUTION
    places = math.ceil(size / stride) ** 2
    return kernel**2 * channels * filters * places
    ### END SOLUTION


# %%
check("01.conv_macs", conv_macs)

# %% [markdown]
# Stuck? Run `hint("01.conv_macs")` in a new cell.

# %% [markdown] tags=["solution"]
# **Why so.** The weights of a convolution are used again at each place. That is why it can have few parameters and
# much work. At stride 2 there are about a quarter of the places, so the stride saves work without removing a single
# parameter.
#
# Half a place does not exist: with 7 pixels and stride 2 the kernel is laid at 0, 2, 4 and 6, four times. Hence the
# rounding up. The bias is added, not multiplied, so it is in the parameters and not in the MACs.

# %% [markdown] exercise="01.int8_bytes"
# LeNet-300-100 is a network of dense layers: 784 inputs, then 300, 100 and 10 units. It is quantized to int8. In such
# a file **a weight takes one byte and a bias four** (biases are added to sums of many products, which need more
# room).
#
# How many bytes do its weights and biases take together? Set `int8_bytes` to a whole number.

# %% exercise="01.int8_bytes"
### BEGIN SOLUTION
all_weights = 784 * 300 + 300 * 100 + 100 * 10
all_biases = 300 + 100 + 10
int8_bytes = all_weights * 1 + all_biases * 4
### END SOLUTION

# %%
check("01.int8_bytes", int8_bytes)

# %% [markdown]
# Stuck? Run `hint("01.int8_bytes")` in a new cell.

# %% [markdown] tags=["solution"]
# **Why so.** In float32 they take four bytes each, 1,066,440 in all. The file gets a little less than four times
# smaller, for the biases keep their four bytes. A real `.tflite` file also holds the scales, the names of the tensors
# and the list of operations, some kilobytes more; `deploy.size(file)` tells them apart. Chapter 08 looks at every
# byte.

# %% [markdown] exercise="01.remove_units"
# Structured pruning by hand. A dense layer with weights `w` and biases `b` is followed by another with weights
# `w_next`:
#
# $$h = \operatorname{relu}(x\,w + b), \qquad y = h\,w_\text{next}$$
#
# Only the units of $h$ whose numbers are in `keep` shall stay. Return the three smaller arrays, so that the network
# is what it was without the other units.
#
# Example: with `w` of shape (7, 5), `b` (5,), `w_next` (5, 4) and `keep` = [0, 2, 3], the results have the shapes (7,
# 3), (3,) and (3, 4).


# %% exercise="01.remove_units"
def remove_units(w, b, w_next, keep):
    """Keep some units of a dense layer and remove the others.

    w: (inputs, units); b: (units,); w_next: (units, outputs).
    keep: array of the numbers of the units that stay, ascending, at least one.
    Returns the new w, b and w_next. The arguments are not changed.
    """
    ### BEGIN SOLUTION
    return w[:, keep], b[keep], w_next[keep]
    ### END SOLUTION


# %%
check("01.remove_units", remove_units)

# %% [markdown]
# Stuck? Run `hint("01.remove_units")` in a new cell.

# %% [markdown] tags=["solution"]
# **Why so.** A unit shows up three times: as a column of its own layer, as an entry of the bias, and as a row of the
# next layer, which reads it. Forget one of them and the shapes no longer fit together. The bias of the *next* layer
# stays.
#
# The result is a network of ordinary, smaller matrices; no program has to know about pruning to be faster. With
# convolutions, BatchNormalization or additions a unit shows up in more places. `shrink.remove_units` finds them
# (chapter 07).

# %% [markdown] exercise="01.macs_left"
# LeNet-300-100 again: 784 inputs, hidden layers of 300 and 100 units, 10 outputs. **Half of the units of both hidden
# layers** are removed. Which fraction of its multiply-accumulates is left?
#
# First guess, then compute. Set `macs_left` to a number between 0 and 1, with at least four decimals.

# %% exercise="01.macs_left"
### BEGIN SOLUTION
macs_before = 784 * 300 + 300 * 100 + 100 * 10
macs_after = 784 * 150 + 150 * 50 + 50 * 10
macs_left = macs_after / macs_before
### END SOLUTION

# %%
check("01.macs_left", macs_left)

# %% [markdown]
# Stuck? Run `hint("01.macs_left")` in a new cell.

# %% [markdown] tags=["solution"]
# **Why so.** The middle layer keeps a quarter, the first and the last keep half. In this network the first layer does
# nearly nine tenths of the work, and its inputs are pixels that stay. So a little less than half is left. In the
# lesson's network, with most of its work in the middle, it was nearer to a quarter.
#
# The rule to take along: *a layer's share is what stays of its inputs times what stays of its outputs.*

# %% [markdown] exercise="01.which_row"
# LeNet-300-100 was trained, made smaller in several ways, and measured. Then somebody lost the names of the rows.
# Sizes are in kilobytes:
#
# | row | MACs | file | file after gzip |
# |---|---|---|---|
# | A | 125,600 | 507 | 466 |
# | B | 266,200 | 281 | 56 |
# | C | 266,200 | 1,070 | 985 |
# | D | 266,200 | 281 | 260 |
# | E | 266,200 | 1,070 | 136 |
#
# They are: `dense`, in float32; `unstructured`, with 90% of the weights at zero; `structured`, with half of the units of
# both hidden layers removed; `int8`, the dense network quantized; and `unstructured + int8`, which is both. Which is
# which? Set `which_row` to a dictionary, a letter for each of the five names:
#
# `{"dense": "…", "unstructured": "…", "structured": "…", "int8": "…", "unstructured + int8": "…"}`

# %% exercise="01.which_row"
### BEGIN SOLUTION
which_row = {
    "dense": "C",
    "unstructured": "E",
    "structured": "A",
    "int8": "D",
    "unstructured + int8": "B",
}
### END SOLUTION

# %%
check("01.which_row", which_row)

# %% [markdown]
# Stuck? Run `hint("01.which_row")` in a new cell.

# %% [markdown] tags=["solution"]
# **Why so.** Each method leaves a trace. Fewer MACs: units were removed (A). A quarter of the bytes: one byte a
# number (B and D). The same bytes, but gzip finds much to pack: zeros (E, and B among the int8 ones). Nothing of it:
# C.
#
# Neither the zeros nor the integers change the MACs: those count products, whatever is multiplied. Whether a product
# of integers is faster, and whether one by zero can be skipped, the processor decides.

# %% [markdown] exercise="01.halve_one"
# A network of three convolutions and two dense layers, in the order of the plot. You may remove half of the units (in
# a convolution: of the filters) of **one** layer; not of `output`, whose units are the answers.
#
# In which layer does that save the most MACs, and in which the most weights? Set `halve_one` to `{"MACs": "…",
# "weights": "…"}` with the names of the layers.

# %%
import matplotlib.pyplot as plt

from course_lib import plots

plots.style()
fig, axes = plt.subplots(1, 2, figsize=(9, 3), sharey=True)
for ax, (what, costs) in zip(axes, {"weights": weights, "MACs": macs}.items(), strict=True):
    bars = ax.barh(list(costs), list(costs.values()), color=plots.SKY)
    ax.bar_label(bars, [f"{cost:g}" for cost in costs.values()], padding=3)
    ax.set(xlabel=f"{what}, thousands", xlim=(0, 1.2 * max(costs.values())))
axes[0].set_title("Most weights are in dense_1")
axes[1].set_title("Most MACs are in conv_2")
axes[0].invert_yaxis()
plt.show()

# %% [markdown]
# *In words: two groups of bars, one bar for each layer. Weights, in thousands: conv_1 2.4, conv_2 13.8, conv_3 27.6,
# dense_1 131.1, output 0.3. MACs, in thousands: conv_1 2458, conv_2 3539, conv_3 1769, dense_1 131, output 0.3.*

# %% exercise="01.halve_one"
### BEGIN SOLUTION
pairs = list(pairwise(weights))  # (layer, the layer that reads it)
saved_weights = {layer: (weights[layer] + weights[reader]) / 2 for layer, reader in pairs}
saved_macs = {layer: (macs[layer] + macs[reader]) / 2 for layer, reader in pairs}
halve_one = {"MACs": max(saved_macs, key=saved_macs.get), "weights": max(saved_weights, key=saved_weights.get)}
### END SOLUTION

# %%
check("01.halve_one", halve_one)

# %% [markdown]
# Stuck? Run `hint("01.halve_one")` in a new cell.

# %% [markdown] tags=["solution"]
# **Why so.** Removing units from a layer makes two layers smaller: its own outputs, and the inputs of the layer that
# reads them. So add up neighbouring bars. For the MACs, conv_1 and conv_2 together are the largest pair; for the
# weights, conv_3 and dense_1. Neither answer is the longest bar.
#
# What it does to the accuracy is not in the plot. Chapter 10 weighs one against the other.
