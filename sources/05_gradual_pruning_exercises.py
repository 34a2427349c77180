# %% [markdown]
# # Exercises: gradual pruning and the TensorFlow toolkit
#
# Seven exercises, 17 points, about an hour. All of them need NumPy only, so they start at once. They follow
# [the lesson](../notebooks/05_gradual_pruning.ipynb): write a schedule, know what a program will do before you run it, keep
# what is pruned pruned, and judge a lead.
#
# Write your answer in place of the dots or of `raise NotImplementedError`, run the cell, then run the check below it. You may
# check as often as you like, and use in one answer what you wrote in an earlier one.

# %% tags=["setup"]
import numpy as np

from course_lib.classroom import check, hint

# Used in the last exercise: {sparsity: accuracies in % of seeds 0, 1 and 2}. Invented numbers.
one_shot = {
    0.5: [88.4, 88.1, 88.6],
    0.9: [87.0, 87.2, 86.6],
    0.95: [85.1, 85.9, 85.0],
    0.97: [82.9, 83.4, 82.5],
    0.99: [75.2, 77.4, 71.9],
}
gradual = {
    0.5: [88.7, 88.0, 88.8],
    0.9: [87.1, 87.4, 87.5],
    0.95: [86.3, 85.7, 86.0],
    0.97: [84.1, 84.2, 84.0],
    0.99: [79.3, 80.7, 78.8],
}

# %% [markdown] exercise="05.polynomial"
# The schedule of Zhu and Gupta goes from the sparsity $s_i$ to $s_f$ between the steps `begin` and `end`:
#
# $$s(t) = s_f + (s_i - s_f)\left(1 - \frac{t - \text{begin}}{\text{end} - \text{begin}}\right)^{3}$$
#
# Before `begin` it is $s_i$, after `end` it is $s_f$.
#
# Example: from 0.2 to 0.8 between the steps 100 and 110, `polynomial(105, 100, 110, 0.2, 0.8)` is 0.725.


# %% exercise="05.polynomial"
def polynomial(step, begin, end, initial, final):
    """The sparsity at a step >= 0: a number. begin < end are steps, initial <= final are sparsities."""
    ### BEGIN SOLUTION
    share = min(max((step - begin) / (end - begin), 0), 1)
    return final + (initial - final) * (1 - share) ** 3
    ### END SOLUTION


# %%
check("05.polynomial", polynomial)

# %% [markdown]
# Stuck? Run `hint("05.polynomial")` in a new cell; once more for the second hint.

# %% [markdown] tags=["solution"]
# **Why so.** Everything depends on the share of the way, so it is computed first and held between 0 and 1. With that the
# formula gives $s_i$ before `begin` and $s_f$ after `end` by itself: $1^3$ and $0^3$ are the two ends. Without it the formula runs
# on. Ten steps after the end the bracket is negative, and so is its third power, so the sparsity climbs above the target.
#
# It is the share *still to go* that is raised to the third power. Raising the share behind gives the mirror image: slow at
# first, with the hardest cuts at the end.

# %% [markdown] exercise="05.half_pruned_step"
# A polynomial schedule (power 3) rises from 0 to 0.9 between step 0 and step 2,000. At which step has it done **half** of
# its pruning? First guess: after a quarter of the time, a half, three quarters?
#
# Set `half_pruned_step` to the step; rounded to a whole step is exact enough.

# %% exercise="05.half_pruned_step"
### BEGIN SOLUTION
half_pruned_step = 2000 * (1 - 0.5 ** (1 / 3))
### END SOLUTION

# %%
check("05.half_pruned_step", half_pruned_step)

# %% [markdown]
# Stuck? Run `hint("05.half_pruned_step")` in a new cell.

# %% [markdown] tags=["solution"]
# **Why so.** Half of the pruning is done when half is still to do: $(1 - t/2000)^3 = \frac12$. So the share still to go is the cube
# root of one half, about 0.79, and the time that has passed is about a fifth. The target, 0.9, does not enter: it scales
# the curve and leaves its shape alone.
#
# In practice: half of the zeros are there after a fifth of the time. It is not the half that hurts most. Measured against
# what is left, the deep cuts come later, as the lesson's second picture of schedules shows.

# %% [markdown] exercise="05.optimizer_steps"
# A schedule counts optimizer steps. You train on 18,000 images in batches of 128, for ten epochs. The last batch of an
# epoch may be smaller than the others. How many steps does the optimizer make?
#
# Set `optimizer_steps` to a whole number.

# %% exercise="05.optimizer_steps"
### BEGIN SOLUTION
optimizer_steps = 10 * int(np.ceil(18_000 / 128))
### END SOLUTION

# %%
check("05.optimizer_steps", optimizer_steps)

# %% [markdown]
# Stuck? Run `hint("05.optimizer_steps")` in a new cell.

# %% [markdown] tags=["solution"]
# **Why so.** 18,000 / 128 is 140.6: 140 full batches and one of 80 images, which makes a step like any other. So an epoch has 141
# steps and ten have 1,410. Rounding down loses one step an epoch. That sounds like nothing, but a schedule whose end was set
# to the last step by a wrong count may end after the training does.
#
# With the article's `begin_step=1000, end_step=2000` this training begins to prune and does not finish.

# %% [markdown] exercise="05.reached_sparsity"
# What will a program with the toolkit have pruned in the end? It says
#
# ```python
# PolynomialDecay(initial_sparsity=0.0, final_sparsity=final, begin_step=begin, end_step=end, frequency=frequency)
# ```
#
# with power 3, and trains for `steps` steps with the callback in place. The toolkit counts the steps 1, 2, 3, … and makes a
# mask at `begin`, `begin + frequency`, `begin + 2·frequency`, and so on: those of them that are not after `end`. Between two
# masks, and after the last one, the sparsity stays as it is. If there was no mask at all it is 0.
#
# Example: `reached_sparsity(0.5, 1000, 2000, 100, 1550)` is the formula's value at step 1,500, which is 0.4375.


# %% exercise="05.reached_sparsity"
def reached_sparsity(final, begin, end, frequency, steps):
    """The sparsity after so many steps: a number. 1 <= begin < end, frequency >= 1 and steps are whole numbers."""
    ### BEGIN SOLUTION
    turns = [t for t in range(begin, end + 1, frequency) if t <= steps]
    if not turns:
        return 0.0
    return polynomial(turns[-1], begin, end, 0.0, final)
    ### END SOLUTION


# %%
check("05.reached_sparsity", reached_sparsity)

# %% [markdown]
# Stuck? Run `hint("05.reached_sparsity")` in a new cell.

# %% [markdown] tags=["solution"]
# **Why so.** Write down the turns, keep those that training reaches, take the last one: that is what the program does. The
# formula is asked at the turn, not at the last step. Three things can go wrong without a word, and each has its group of cases
# here:
#
# - training ends before `begin`: no turn, no zeros;
# - training ends between `begin` and `end`: the last turn's sparsity, below the target;
# - `end − begin` is no multiple of `frequency`: the turns step over the end, and the toolkit never catches up.
#
# Because the curve is flat near its end, the last fault often costs little, and so nobody notices it. With few turns it
# costs a lot.

# %% [markdown] exercise="05.next_mask"
# A net is on its way. `mask` says what is pruned so far, and the schedule wants a higher `sparsity` now. Make the next
# mask, so that **no pruned weight comes back**: not even if an optimizer has just moved it far away from zero.
#
# - The sparsity is the share of *all* weights that are pruned, those before and those now. Of $n$ weights
#   $\lfloor s\,n + \frac12 \rfloor$ go.
# - Of the kept weights the smallest $|w|$ go first. Of equals, the lower flat index stays.
# - If more is pruned already than the sparsity asks for, nothing changes.
#
# Example: with `w = [3.0, -1.0, 9.0, 2.0]` and `mask = [True, True, False, True]` (as arrays) a sparsity of 0.5 gives
# `[True, False, False, True]`. The 9 is pruned and stays so.


# %% exercise="05.next_mask"
def next_mask(w, mask, sparsity):
    """The mask at a sparsity from 0 to below 1 that prunes more of w: booleans of its shape, True = kept.

    w: an array of any shape; mask: booleans of that shape. Neither is changed.
    """
    ### BEGIN SOLUTION
    kept = w.size - int(np.floor(sparsity * w.size + 0.5))
    size = np.where(mask, np.abs(w), -np.inf)  # what is pruned comes last
    order = np.argsort(-size, axis=None, kind="stable")
    new = np.zeros(w.shape, bool)
    new.flat[order[:kept]] = True
    return new & mask
    ### END SOLUTION


# %%
check("05.next_mask", next_mask)

# %% [markdown]
# Stuck? Run `hint("05.next_mask")` in a new cell.

# %% [markdown] tags=["solution"]
# **Why so.** Giving the pruned weights the score $-\infty$ puts them at the end of the ranking, wherever the optimizer has
# carried them. The number to keep is counted over all weights, as the schedule means it. The last `& mask` is for the case that the
# target has already been passed: then more places are free than there are kept weights, and without it pruned ones would
# fill them.
#
# Ranking everything and then taking `& mask` looks almost the same and is not: a revived weight takes a place in the ranking,
# and is then thrown out, so one kept weight too many is gone. `training.Prune` works as your function does. The toolkit
# ranks all weights as it finds them, so that there a revived weight can return; one step of Adam rarely carries it that far.

# %% [markdown] exercise="05.four_traces"
# Four trainings with the toolkit, each asked for 50% and with `UpdatePruningStep` in its (first) `fit`. A thin line counts the
# zeros **of the weights right after each step**, a dot those at the end of each epoch. The pictures are drawn after the
# behaviour that you saw in the lesson.
#
# Give each cause the letter of its picture:
#
# 1. `begin_step` lies beyond the last step of the training.
# 2. `end_step` lies beyond the last step of the training.
# 3. After a good pruning somebody called `fit` again, without `UpdatePruningStep`.
# 4. Nothing is wrong.
#
# Set `four_traces` to the four letters in the order of the causes, for example `"ABCD"`.

# %%
import matplotlib.pyplot as plt

from course_lib import plots

plots.style()
step = np.arange(1, 3001)
ends = np.arange(300, 3001, 300)  # the ends of ten epochs


def climb(begin, end):
    to_go = 1 - np.clip((step - begin) / (end - begin), 0, 1)
    return 50 * (1 - to_go**3)


masked = {"A": climb(1500, 4500), "B": climb(600, 1500), "C": climb(3500, 4500), "D": climb(600, 1500)}
fig, axes = plt.subplots(2, 2, figsize=(8.4, 4.6), sharex=True, sharey=True)
for ax, (letter, sparsity) in zip(axes.flat, masked.items(), strict=True):
    held = np.where((letter == "D") & (ends > 2100), 0.06 * sparsity[ends - 1], sparsity[ends - 1])
    ax.plot(step, 0.06 * sparsity, color=plots.ORANGE, lw=1)
    ax.vlines(ends, 0.06 * sparsity[ends - 1], held, color=plots.ORANGE, lw=1)
    ax.plot(ends, held, "o", color=plots.ORANGE, ms=5)
    ax.set(title=f"{letter}: {held[-1]:.0f}% zeros at the end", ylim=(-3, 60))
fig.supxlabel("optimizer step")
fig.supylabel("zeros of the weights, %")
plt.show()

# %% [markdown]
# *The pictures in words. In all four the thin line stays below 4%. A: the dots are at 0 for the first half, then rise more slowly
# each time, and have not come to rest when the picture ends. B: the dots rise quickly and stay at 50%. C: line and dots are at 0 all
# the way. D: the dots rise to 50% as in B, stay for a while, and lie on the thin line in the last three epochs.*

# %% exercise="05.four_traces"
### BEGIN SOLUTION
four_traces = "CADB"
### END SOLUTION

# %%
check("05.four_traces", four_traces)

# %% [markdown]
# Stuck? Run `hint("05.four_traces")` in a new cell.

# %% [markdown] tags=["solution"]
# **Why so.** The thin line is low in all four, so it tells nothing: right after a step Adam has revived what is pruned. The dots
# tell. They are what the callback leaves behind at the end of an epoch, and the last one is what you would ship.
#
# - C never had a mask: the schedule begins after the training ends (cause 1).
# - A has masks, and its dots are still rising when the training stops (cause 2).
# - D was as good as B until somebody trained on without the callback (cause 3). The masks are still there, the zeros are
#   not.
# - B reaches 50% and stays there (cause 4).

# %% [markdown] exercise="05.first_clear_lead"
# Somebody pruned nets in one shot and gradually, from the same three starts (invented numbers, in the setup cell and
# below). Before the run this rule was written down:
#
# > *Gradual is better at a sparsity where it leads in all three seeds and its mean lead is at least half a point.*
#
# The lead of a seed is its gradual accuracy minus its one-shot accuracy. What is the **lowest** sparsity at which gradual
# is better? Set `first_clear_lead` to it, as a fraction.

# %%
from course_lib import report

rows = [[f"{s:g}", *(f"{v:.1f}" for v in one_shot[s]), *(f"{v:.1f}" for v in gradual[s])] for s in one_shot]
seeds = ["seed 0", "seed 1", "seed 2"]
report.Table(["sparsity", *(f"one shot, {s}" for s in seeds), *(f"gradual, {s}" for s in seeds)], rows)

# %% exercise="05.first_clear_lead"
### BEGIN SOLUTION
leads = {s: np.subtract(gradual[s], one_shot[s]) for s in one_shot}
first_clear_lead = min(s for s, lead in leads.items() if lead.min() > 0 and lead.mean() >= 0.5)
### END SOLUTION

# %%
check("05.first_clear_lead", first_clear_lead)

# %% [markdown]
# Stuck? Run `hint("05.first_clear_lead")` in a new cell.

# %% [markdown] tags=["solution"]
# **Why so.** At 0.5 and at 0.95 the mean lead is positive, but seed 1 disagrees; at 0.95 the mean is even above half a point.
# At 0.9 all seeds agree, but the mean is below half a point and comes mostly from one seed. At 0.97 both halves of the rule are met.
#
# Subtracting **seed by seed** matters: two nets from one start share their luck, and the difference of the pair is freer of
# it than either accuracy. And both halves of the rule are needed. Three seeds agree by chance one time in four, and a mean may hang
# on a single seed.
