# %% [markdown]
# # Exercises: effect on the loss
#
# Seven exercises, 18 points, a little over an hour. All of them need NumPy only, so they start at once. They follow
# [the lesson](../notebooks/04_effect_on_the_loss.ipynb): write the prices of a weight, remove one with the surgeon's
# update, and say what a price knows and what it does not.
#
# Write your answer in place of the dots or of `raise NotImplementedError`, run the cell, then run the check below it.
# You may check as often as you like, and use in one answer what you wrote in an earlier one.

# %% tags=["setup"]
import numpy as np

from course_lib.classroom import check, hint

# Used in the fifth exercise: ten weights of a least-squares fit, at its minimum, in the same order everywhere.
rise = [0.08, 0.16, 0.50, 0.47, 0.04, 0.55, 0.74, 1.14, 0.66, 0.22]  # measured: one weight zeroed, the others fixed
predictions = {
    "A": [0.00, 0.00, 0.00, 0.00, 0.00, 0.00, 0.00, 0.00, 0.00, 0.00],
    "B": [0.02, 0.04, 0.13, 0.12, 0.01, 0.16, 0.72, 1.11, 0.64, 0.21],
    "C": [0.31, 0.81, 1.80, 0.72, 0.36, 1.41, 0.75, 0.62, 1.33, 1.00],
    "D": [0.08, 0.16, 0.50, 0.47, 0.04, 0.55, 0.74, 1.14, 0.66, 0.22],
}

# %% [markdown] exercise="04.taylor_and_fisher"
# You have the gradient of the loss of each single example, a row for each. The loss of the data is the mean over the
# examples. From these numbers come two prices for each weight $w_q$. With $g_{iq}$ the gradient of example $i$:
#
# $$\text{Taylor}_q = \Bigl|\,w_q\,\frac1n\sum_i g_{iq}\Bigr| \qquad\qquad
# \text{Fisher}_q = \frac12\, w_q^2\;\frac1n\sum_i g_{iq}^2$$
#
# Example: one weight `w = [2.0]` and two examples with gradients `[[3.0], [-3.0]]`. Taylor is 0, Fisher is 18.


# %% exercise="04.taylor_and_fisher"
def taylor_and_fisher(w, gradients):
    """Two prices for each weight.

    w: array (d,); gradients: array (n, d), a row for each example.
    Returns Taylor (d,) and Fisher (d,).
    """
    ### BEGIN SOLUTION
    taylor = np.abs(w * gradients.mean(axis=0))
    fisher = w**2 / 2 * np.mean(gradients**2, axis=0)
    return taylor, fisher
    ### END SOLUTION


# %%
check("04.taylor_and_fisher", taylor_and_fisher)

# %% [markdown]
# Stuck? Run `hint("04.taylor_and_fisher")` in a new cell; once more for the second hint.

# %% [markdown] tags=["solution"]
# **Why so.** The two differ in the order of two operations. Taylor takes the mean first: gradients of opposite sign
# cancel, as they do in the loss itself, and at a minimum nothing is left. Fisher squares first, and squares do not
# cancel. That is why Fisher has something to say at a minimum: it measures how much the examples *disagree* about a
# weight. Near a minimum of the cross-entropy this is close to the curvature.
#
# The absolute value of Taylor comes last. Without it a weight whose removal seems to lower the loss a lot would count
# as the least important, though a large change by a crude formula is a warning rather than a gift.

# %% [markdown] exercise="04.obd"
# Optimal Brain Damage: at a minimum the loss rises by $\frac12 h_{qq} w_q^2$ when weight $q$ becomes zero and the
# others stay. $H$ is the Hessian, $h_{qq}$ its diagonal.
#
# Do not change signs: where the loss curves down, the price is negative.
#
# Example: with `w = [1.0, 0.2]` and `H = [[1, 0], [0, 100]]` the prices are 0.5 and 2. The smaller weight is the
# dearer.


# %% exercise="04.obd"
def obd(w, H):
    """The price of each weight. w: array (d,); H: symmetric array (d, d). Returns an array (d,)."""
    ### BEGIN SOLUTION
    return np.diag(H) * w**2 / 2
    ### END SOLUTION


# %%
check("04.obd", obd)

# %% [markdown]
# Stuck? Run `hint("04.obd")` in a new cell.

# %% [markdown] tags=["solution"]
# **Why so.** The change is $\delta = -w_q e_q$, with one entry that is not zero. Of the double sum
# $\frac12 \sum_{rs} \delta_r h_{rs} \delta_s$ one term is left, and there the sign of $w_q$ is squared away.
#
# `w * (H @ w) / 2` looks similar, and its sum is the price of removing *all* weights at once. It is not the price of
# each.

# %% [markdown] exercise="04.unit_change"
# A net was trained on pixels from 0 to 1. Somebody wants to feed it pixels from 0 to 255 and changes the weights of the
# first layer so that the net computes exactly what it did before. Nothing is trained again.
#
# Take one first-layer weight $w$. By which factor does each of these four change?
#
# - `"w"`: the weight;
# - `"w·g"`: its first-order term, $g = \partial L/\partial w$;
# - `"h"`: its curvature $\partial^2 L/\partial w^2$;
# - `"OBD"`: its price $\frac12 h w^2$.
#
# Set `unit_change` to a dictionary of four numbers, such as `255`, `1` or `1 / 255`:
# `{"w": …, "w·g": …, "h": …, "OBD": …}`.

# %% exercise="04.unit_change"
### BEGIN SOLUTION
unit_change = {"w": 1 / 255, "w·g": 1, "h": 255**2, "OBD": 1}
### END SOLUTION

# %%
check("04.unit_change", unit_change)

# %% [markdown]
# Stuck? Run `hint("04.unit_change")` in a new cell.

# %% [markdown] tags=["solution"]
# **Why so.** The unit sees $w x$ only. When $x$ grows by 255, $w$ has to shrink by 255. Each derivative by $w$ brings
# down one factor $x$: the slope grows by 255, the curvature by $255^2$. In the prices they meet $w$ once and twice, and
# all factors cancel.
#
# It could not be otherwise. The net computes the same, so the removal of a weight does the same. A price that changed
# would be wrong at least once. Magnitude does change: in a global ranking the whole first layer would now go first,
# because of a decision about the format of images.

# %% [markdown] exercise="04.remove_by_obs"
# Optimal Brain Surgeon. Remove weight $q$ and move all other weights so that the loss rises as little as possible:
#
# $$w \leftarrow w - \frac{w_q}{[H^{-1}]_{qq}}\, H^{-1} e_q, \qquad \text{price} = \frac{w_q^2}{2\,[H^{-1}]_{qq}}$$
#
# $H^{-1} e_q$ is column $q$ of the inverse. `H` can be inverted as it is; no damping.
#
# Example: `w = [1.0, 1.0]`, `H = [[1.0, 0.5], [0.5, 1.0]]`, `q = 0`. The new weights are `[0, 1.5]`, the price is
# 0.375. (OBD says 0.5.)


# %% exercise="04.remove_by_obs"
def remove_by_obs(w, H, q):
    """Remove weight q and let the others make up for it.

    w: array (d,), which is not changed; H: symmetric array (d, d), positive definite; q: an index from 0.
    Returns the new weights (d,), with zero in place q, and the price, a number.
    """
    ### BEGIN SOLUTION
    inverse = np.linalg.inv(H)
    new = w - w[q] / inverse[q, q] * inverse[:, q]
    return new, w[q] ** 2 / (2 * inverse[q, q])
    ### END SOLUTION


# %%
check("04.remove_by_obs", remove_by_obs)

# %% [markdown]
# Stuck? Run `hint("04.remove_by_obs")` in a new cell.

# %% [markdown] tags=["solution"]
# **Why so.** The change is a multiple of column $q$ of the inverse, scaled so that its entry $q$ is $-w_q$. In place
# $q$ the new weight is $w_q - w_q = 0$ (up to rounding).
#
# There is a second way to the same numbers: fix $\delta_q = -w_q$ and solve the linear system
# $H_{KK}\,\delta_K = H_{Kq}\,w_q$ for the weights $K$ that are kept. For removing *many* weights it is the better one,
# because few are kept, and `scores.obs_update` goes it.
#
# The price is never above OBD's. To leave the others where they are is one of the changes that the surgeon may choose.

# %% [markdown] exercise="04.which_panel"
# Four methods predict the rise of the loss for ten weights of a least-squares fit at its minimum. The cell below draws
# each prediction against the **measured** rise, where one weight was set to zero and the others were left alone. The
# grey line is a perfect prediction.
#
# Which panel belongs to which method? Write the letters of the panels in this order: magnitude, first-order Taylor,
# OBD, OBS. A text of four letters, such as `"ABCD"`.

# %%
import matplotlib.pyplot as plt

from course_lib import plots

plots.style()
fig, axes = plt.subplots(1, 4, figsize=(11, 3), sharey=True)
for ax, (letter, predicted) in zip(axes, predictions.items(), strict=True):
    ax.plot([0, 1.9], [0, 1.9], color=plots.GREY, ls="-", lw=1)
    ax.plot(predicted, rise, "o", color=plots.BLUE)
    ax.set(title=f"panel {letter}", xlabel="predicted", xlim=(-0.1, 1.95), ylim=(-0.1, 1.4))
axes[0].set(ylabel="measured rise of the loss")
plt.show()

# %% [markdown]
# *In words: in A all dots stand above 0. In B some dots lie on the line and others well to the left of it, none to the
# right. In C the dots are scattered, most of them to the right of the line. In D all dots lie on the line. The numbers are in the
# setup cell.*

# %% exercise="04.which_panel"
### BEGIN SOLUTION
which_panel = "CADB"
### END SOLUTION

# %%
check("04.which_panel", which_panel)

# %% [markdown]
# Stuck? Run `hint("04.which_panel")` in a new cell.

# %% [markdown] tags=["solution"]
# **Why so.** *A* is first-order Taylor: at a minimum every gradient is zero. *D* is OBD: least squares is exactly
# quadratic, and what was measured, one weight to zero and the others fixed, is exactly what OBD predicts. *B* is OBS:
# it lets the others help, so it promises a lower rise. For four weights the promise equals the measurement nearly: they
# have no relatives that could help. *C* is magnitude. It is not even in units of the loss, so the line means nothing
# for it.
#
# Is B a bad prediction? Of this measurement, yes. Measured *after* its update all its dots would lie on the line. A
# prediction can only be judged by the experiment that it is about.

# %% [markdown] exercise="04.rise_of_set"
# Several weights become zero at once, the others stay where they are. The loss is quadratic, and we are at its
# minimum. By how much does it rise?
#
# Example: `w = [1.0, 1.0]`, `H = [[1.0, 0.9], [0.9, 1.0]]`, both removed. Each alone costs 0.5. Together they cost 1.9.


# %% exercise="04.rise_of_set"
def rise_of_set(w, H, removed):
    """The rise of the loss when several weights become zero.

    w: array (d,); H: symmetric array (d, d); removed: booleans (d,), True = becomes zero. Returns a number.
    """
    ### BEGIN SOLUTION
    gone = np.where(removed, w, 0.0)
    return gone @ H @ gone / 2
    ### END SOLUTION


# %%
check("04.rise_of_set", rise_of_set)

# %% [markdown]
# Stuck? Run `hint("04.rise_of_set")` in a new cell.

# %% [markdown] tags=["solution"]
# **Why so.** The change is $-w$ on the removed weights and 0 elsewhere, and the rise is $\frac12\delta^\top H\delta$.
# Written out, it is the sum of the single prices plus $h_{qr}\,w_q w_r$ for each removed pair. Each pair stands in $H$
# twice, which takes the ½ away.
#
# With $h_{qr} w_q w_r > 0$ two weights do the same work, and removing both costs more than the sum. With a negative
# sign they cancel each other, and the pair is cheaper. Adding up OBD's prices assumes that no two weights have anything
# to do with each other. That is rarely true within a layer.

# %% [markdown] exercise="04.constant_input"
# A model predicts $\hat y = w x + b + \dots$ by least squares, with half the mean squared error as its loss. The weight
# is $w = 2$. Its input hardly changes: it has the mean 5 and the standard deviation 0.1, and it is not related to any
# other input.
#
# You set $w$ to zero. By how much does the loss rise,
#
# - `"bias fixed"`: if everything else stays as it is;
# - `"bias fitted again"`: if the bias $b$ may take its best new value?
#
# Set `constant_input` to `{"bias fixed": …, "bias fitted again": …}`, with at least four digits.

# %% exercise="04.constant_input"
### BEGIN SOLUTION
constant_input = {
    "bias fixed": 0.5 * (5**2 + 0.1**2) * 2**2,
    "bias fitted again": 0.5 * 0.1**2 * 2**2,
}
### END SOLUTION

# %%
check("04.constant_input", constant_input)

# %% [markdown]
# Stuck? Run `hint("04.constant_input")` in a new cell.

# %% [markdown] tags=["solution"]
# **Why so.** With everything fixed the price is OBD's: $\frac12 h w^2$ with $h$ the mean of $x^2$, which is the squared
# mean plus the variance, 25.01. If the bias may move, it takes over what the weight contributed on average,
# $2 \cdot 5 = 10$. Only the variation around it is lost, and $h$ shrinks to the variance, 0.01. A factor of 2,501 lies
# between the two answers.
#
# So "the input is nearly constant" can mean very dear or nearly free. A constant that is zero (a dark pixel) is free in
# either case. Any other constant is free if the bias may help. OBS sees that if the biases are among its weights.
# `scores.obs` ranks kernels only, so it does not; training on after pruning does.
