# %% [markdown]
# # Exercises: neuron importance
#
# Seven exercises, 18 points, about an hour. All of them need NumPy only, so they start at once. They follow [the
# lesson](../notebooks/06_neuron_importance.ipynb): take neurons out, score them, ask the loss, and let a bias stand
# in.
#
# Write your answer in place of the dots or of `raise NotImplementedError`, run the cell, then run the check below it.
# You may check as often as you like, and use in one answer what you wrote in an earlier one.

# %% tags=["setup"]
import numpy as np

from course_lib.classroom import check, hint


def cross_entropy(z, y):
    """Mean loss of the outputs z (examples, classes) before the softmax, for the labels y (examples,)."""
    z = z - z.max(axis=1, keepdims=True)  # the softmax stays the same, and exp does not overflow
    return float(np.mean(np.log(np.exp(z).sum(axis=1)) - z[np.arange(len(y)), y]))


# Used by two of the exercises: invented numbers.
activation = np.array([3.1, 0.4, 2.0, 1.2, 0.7])
rise = np.array([0.02, 0.15, 0.30, 0.01, 0.05])
neurons = {  # mean activation, rise of the loss when silenced, rise with the mean in the next bias
    "A": (0.3, 0.010, 0.008),
    "B": (0.6, 0.160, 0.140),
    "C": (3.2, 0.240, 0.200),
    "D": (2.6, 0.002, 0.002),
    "E": (1.6, 0.090, 0.040),
    "F": (2.9, 0.200, 0.012),
}

# %% [markdown] exercise="06.remove_neurons"
# A hidden layer computes $h = \operatorname{relu}(x\,W + b)$, and the next layer reads $h\,V + c$. Keep some of its
# neurons and remove the others, with everything that belongs to them.
#
# `keep` is a list of the neurons that stay; the result has them in the order of `keep`.
#
# Example: with `w_in` of shape (4, 5), `b_in` (5,), `w_out` (5, 3) and `keep = [0, 3]` the results have the shapes
# (4, 2), (2,) and (2, 3).


# %% exercise="06.remove_neurons"
def remove_neurons(w_in, b_in, w_out, keep):
    """The layer with the neurons in keep only.

    w_in: (inputs, neurons); b_in: (neurons,); w_out: (neurons, outputs); keep: list of indices.
    None of them is changed.
    Returns the new w_in, b_in and w_out.
    """
    ### BEGIN SOLUTION
    return w_in[:, keep], b_in[keep], w_out[keep]
    ### END SOLUTION


# %%
check("06.remove_neurons", remove_neurons)

# %% [markdown]
# Stuck? Run `hint("06.remove_neurons")` in a new cell; once more for the second hint.

# %% [markdown] tags=["solution"]
# **Why so.** With $x\,W$ a neuron is a *column* of $W$, and for the next layer the same neuron is an input, a *row*
# of $V$. The bias is the part that is forgotten most. In a matrix product a forgotten row shows at once, because the
# shapes no longer fit. A bias that stays behind does not, if the weights were only set to zero: the neuron then says
# relu(b) to every input.
#
# Indexing with a list makes copies. So the arrays that were handed over are not changed, and what is left is really
# smaller. Multiplying by a mask would keep every byte and every multiplication.

# %% [markdown] exercise="06.parameters_left"
# LeNet-300-100 has 784 inputs, hidden layers of 300 and 100 neurons, and 10 outputs, each layer with biases: 266,610
# parameters. You keep half of the neurons of the first hidden layer and a quarter of those of the second.
#
# How many parameters are left? First guess, then compute. Set `parameters_left` to a whole number.

# %% exercise="06.parameters_left"
### BEGIN SOLUTION
first, second, last = 784 * 150 + 150, 150 * 25 + 25, 25 * 10 + 10  # weights and biases of each layer
parameters_left = first + second + last
### END SOLUTION

# %%
check("06.parameters_left", parameters_left)

# %% [markdown]
# Stuck? Run `hint("06.parameters_left")` in a new cell.

# %% [markdown] tags=["solution"]
# **Why so.** A kernel between two pruned layers loses rows *and* columns: of 300 · 100 weights there are 150 · 25
# left, an eighth. The first kernel loses only columns, the last only rows, and the outputs are as many as before. The
# first kernel is so much larger than the rest that the total is still close to a half.
#
# In general, keep the fraction $p$ of the neurons everywhere, and the kernels inside shrink to $p^2$. That is why
# removing neurons makes deep, wide nets small so fast.

# %% [markdown] exercise="06.activation_score"
# Two scores need nothing but a layer's activations `h`, one row for each example, one column for each neuron:
#
# - `"mean"`: the mean activation, over all examples;
# - `"apoz"`: one minus the average percentage of zeros, as a fraction. High = keep, for both.
#
# Example: `h = np.array([[0.0, 2.0], [0.0, 4.0], [3.0, 0.0]])` has the mean activations `[1, 2]`, and for `"apoz"` the
# scores `[1/3, 2/3]`.


# %% exercise="06.activation_score"
def activation_score(h, kind):
    """One number for each neuron, high = keep.

    h: activations (examples, neurons); kind: "mean" or "apoz".
    Returns an array (neurons,).
    """
    ### BEGIN SOLUTION
    if kind == "mean":
        return h.mean(axis=0)
    return 1 - np.mean(h == 0, axis=0)
    ### END SOLUTION


# %%
check("06.activation_score", activation_score)

# %% [markdown]
# Stuck? Run `hint("06.activation_score")` in a new cell.

# %% [markdown] tags=["solution"]
# **Why so.** Both are means over the examples, the rows. APoZ counts *zeros*, so its high values mark the neurons
# that can go. Every score of this course means keep when it is high, and so we take it from one. Whoever forgets that
# removes the most active neurons.
#
# Note what neither of them sees: the labels, the loss, and the outgoing weights. A neuron that nobody listens to can
# have the highest score of all.

# %% [markdown] exercise="06.contribution"
# Now ask the loss. `h` (examples, neurons) are the activations of the last hidden layer, and the outputs before the
# softmax are $z = h\,V + c$. The contribution of neuron $j$ is the rise of the loss when it alone is silenced:
#
# $$\text{contribution}_j = L(h_j = 0) - L$$
#
# `cross_entropy(z, y)` of the setup cell is the loss $L$.
#
# Example: a neuron whose outgoing weights are all zero has the contribution 0.


# %% exercise="06.contribution"
def contribution(h, w_out, b_out, y):
    """The rise of the loss without each neuron, one neuron at a time.

    h: (examples, neurons); w_out: (neurons, classes); b_out: (classes,); y: labels (examples,).
    None of them is changed.
    Returns an array (neurons,); negative where the loss is lower without the neuron.
    """
    ### BEGIN SOLUTION
    z = h @ w_out + b_out
    without = [z - h[:, [j]] * w_out[j] for j in range(h.shape[1])]  # each (examples, classes)
    return np.array([cross_entropy(rest, y) for rest in without]) - cross_entropy(z, y)
    ### END SOLUTION


# %%
check("06.contribution", contribution)

# %% [markdown]
# Stuck? Run `hint("06.contribution")` in a new cell.

# %% [markdown] tags=["solution"]
# **Why so.** What neuron $j$ adds to the outputs is $h_j V_j$, so take that away from $z$ and nothing needs to be
# computed again. Setting a column of a copy of `h` to zero gives the same, more slowly. Without the copy, the neuron
# stays silent when its neighbour's turn comes: you would measure how the loss rises as the layer is taken down from
# left to right.
#
# Keep the sign: a negative contribution says that the net does better without. And use the loss, not the accuracy. One
# neuron seldom changes the class of many examples, so most accuracies would not move at all.
#
# Note the case of the twins: each has only a small contribution, because the other is still there.

# %% [markdown] exercise="06.rank_agreement"
# Five neurons have a mean activation and a rise of the loss when they are removed, one at a time:
#
# | neuron | 1 | 2 | 3 | 4 | 5 |
# |---|---|---|---|---|---|
# | mean activation | 3.1 | 0.4 | 2.0 | 1.2 | 0.7 |
# | rise of the loss | 0.02 | 0.15 | 0.30 | 0.01 | 0.05 |
#
# The numbers are also in the setup cell, as `activation` and `rise`. What is Spearman's rank correlation of the two?
# Without ties it is
#
# $$\rho = 1 - \frac{6 \sum_j d_j^2}{n\,(n^2 - 1)}, \qquad d_j = \text{the difference of the two ranks of neuron } j$$
#
# Set `rank_agreement` to a number between −1 and 1.

# %% exercise="06.rank_agreement"
### BEGIN SOLUTION
d = activation.argsort().argsort() - rise.argsort().argsort()
rank_agreement = 1 - 6 * np.sum(d**2) / (5 * (5**2 - 1))
### END SOLUTION

# %%
check("06.rank_agreement", rank_agreement)

# %% [markdown]
# Stuck? Run `hint("06.rank_agreement")` in a new cell.

# %% [markdown] tags=["solution"]
# **Why so.** By activation the ranks are 5, 1, 4, 3, 2; by rise 2, 4, 5, 1, 3. Their differences are 3, −3, −1, 2,
# −1, their squares add up to 24, and $\rho = 1 - 6 \cdot 24 / 120 = -0.2$. The order by activation says next to
# nothing about the order by rise: it even points a little the wrong way.
#
# `argsort` once gives *which neuron is at each place*; twice gives *the place of each neuron*, the rank. The
# correlation of the values themselves would let single large values decide. For pruning only the order counts.

# %% [markdown] exercise="06.mean_into_bias"
# Remove the neurons in `gone`, and let the next layer's bias say what they said on average. With $\bar h_j$ the mean
# activation of neuron $j$ over the examples:
#
# $$c' = c + \sum_{j \text{ gone}} \bar h_j\, V_j$$
#
# Example: a neuron that says 2 to every example, with the outgoing weights `[0.5, -1]`, adds `[1, -2]` to the bias,
# and then the outputs without it are exactly those with it.


# %% exercise="06.mean_into_bias"
def mean_into_bias(h, w_out, b_out, gone):
    """Remove neurons and put their mean into the bias of the layer that reads them.

    h: activations (examples, neurons); w_out: (neurons, outputs); b_out: (outputs,); gone: list of indices.
    None of them is changed.
    Returns w_out without the rows of gone, (neurons - len(gone), outputs), and the new b_out.
    """
    ### BEGIN SOLUTION
    said = h[:, gone].mean(axis=0) @ w_out[gone]  # (outputs,)
    return np.delete(w_out, gone, axis=0), b_out + said
    ### END SOLUTION


# %%
check("06.mean_into_bias", mean_into_bias)

# %% [markdown]
# Stuck? Run `hint("06.mean_into_bias")` in a new cell.

# %% [markdown] tags=["solution"]
# **Why so.** A neuron's activation is its mean plus what varies around the mean. The mean is the same for every
# example, and so a bias can say it; the rest is lost. For a constant neuron the rest is zero, and nothing is lost at
# all.
#
# Be careful with one thing: the mean of the activations, not the activation of the mean. relu is not a straight
# line, and a neuron that is on for half of the examples has a mean activation although its mean input may be zero.

# %% [markdown] exercise="06.read_the_plot"
# Six neurons, A to F, in the plot below (the numbers are in the setup cell, invented). From left to right: the mean
# activation. Height: the rise of the loss, filled when the neuron is silenced, hollow when its mean goes into the
# next layer's bias.
#
# 1. Which **one** neuron do you remove, if you may change nothing else?
# 2. Which neuron do you remove **only** if you may change the next bias: it gains most by it?
# 3. Which neuron do you keep, though its activation is among the three lowest?
#
# Set `read_the_plot` to a dictionary with the keys `"remove it"`, `"move it into a bias"` and `"keep it, though
# activation says no"`, and a letter for each.

# %%
import matplotlib.pyplot as plt

from course_lib import plots

plots.style()
fig, ax = plt.subplots()
for name, (mean, silenced, with_bias) in neurons.items():
    ax.plot([mean, mean], [silenced, with_bias], color=plots.GREY, lw=1, ls="-")
    ax.plot(mean, silenced, "o", color=plots.ORANGE, label="silenced" if name == "A" else None)
    ax.plot(mean, with_bias, "o", color=plots.BLUE, mfc="white", label="mean in the bias" if name == "A" else None)
    ax.text(mean + 0.07, silenced + 0.004, name, fontweight="bold")
ax.set(xlabel="mean activation", ylabel="rise of the loss", xlim=(0, 3.6), ylim=(-0.01, 0.28))
ax.set_title("Height and place from left to right do not always agree")
ax.legend(loc="upper left")
plt.show()

# %%
from course_lib import report

heading = ["neuron", "mean activation", "rise, silenced", "rise, mean in the bias"]
report.Table(heading, [[name, *(f"{value:g}" for value in values)] for name, values in neurons.items()])

# %% [markdown]
# *In words: six pairs of marks, a filled and a hollow one, each pair joined by a line. The heights and places are the
# numbers of the table.*

# %% exercise="06.read_the_plot"
### BEGIN SOLUTION
rises = {name: values[1:] for name, values in neurons.items()}
quietest = sorted(neurons, key=lambda name: neurons[name][0])[:3]
read_the_plot = {
    "remove it": min(rises, key=lambda name: rises[name][0]),
    "move it into a bias": max(rises, key=lambda name: rises[name][0] - rises[name][1]),
    "keep it, though activation says no": max(quietest, key=lambda name: rises[name][1]),
}
### END SOLUTION

# %%
check("06.read_the_plot", read_the_plot)

# %% [markdown]
# Stuck? Run `hint("06.read_the_plot")` in a new cell.

# %% [markdown] tags=["solution"]
# **Why so.** D is loud and not missed: high activation, no rise. F is missed when silenced, but a bias does nearly
# all of its work, so it varies little, or nobody listens to how it varies. B is quiet and needed, and a bias
# hardly helps: what it says differs from example to example, and somebody listens. The order by activation would have
# kept D and F and removed B.
#
# What the plot does not tell: whether two of them can go *together*. Each mark is for one neuron, with all the others
# in place.
