# %% [markdown]
# # Exercises: Deploy with TFLite
#
# Eight exercises: seven with NumPy alone, and at the end a file of your own to ship. Each is checked by the cell below it, which also says what went wrong; ask for
# a hint with `hint("…")` in a new cell. Read [the lesson](../notebooks/08_deploy_with_tflite.ipynb) first.

# %% tags=["setup"]
import numpy as np

from course_lib import report
from course_lib.classroom import check, hint

# %% [markdown] exercise="08.quantise"
# A file in int8 stores a real number $r$ as an integer $q$ of one byte, by a scale $S$ and a zero point $Z$:
#
# $$q = \operatorname{clip}\bigl(\operatorname{round}(r / S) + Z,\; -128,\; 127\bigr)$$
#
# Write it. With `scale=0.5` and `zero_point=10`, the array `[-1.0, 0.0, 0.4, 900.0]` becomes `[8, 10, 11, 127]`. (No
# test has a number halfway between two integers: there, both roundings are accepted.)


# %% exercise="08.quantise"
def quantise(r, scale, zero_point):
    """The integers that stand for r, a float array of any shape: an int8 array of the same shape."""
    ### BEGIN SOLUTION
    return np.clip(np.rint(r / scale) + zero_point, -128, 127).astype("int8")
    ### END SOLUTION


# %%
check("08.quantise", quantise)

# %% [markdown]
# Stuck? Run `hint("08.quantise")` in a new cell, and once more for a second hint.

# %% [markdown] tags=["solution"]
# **Why.** Each step guards against one error. Rounding keeps the error within half a step; cutting the decimals off, as
# a conversion to int does, doubles that and pulls every weight towards zero. The zero point comes before the clip,
# because it is the *integer* that has to fit. The clip comes before the conversion, because a number that does not fit
# into int8 starts again from the other end: 130 would be stored as −126, and a large positive weight would become a
# large negative one.

# %% [markdown] exercise="08.scale_and_zero_point"
# Where do $S$ and $Z$ come from? From the range of the numbers, and from a promise: **0.0 must be stored exactly**.
# Padding is 0, a ReLU gives 0, and a pruned weight is 0. So:
#
# - the range goes from the smallest to the largest entry, **widened, if need be, until 0 lies in it**;
# - the low end of the range becomes −128 and the high end 127: 255 steps;
# - the zero point is an integer.
#
# Solve $-128 = \text{low} / S + Z$ for $Z$ and round it. If every entry is 0 there is no range: return `(1.0, 0)`.
#
# Entries from −1 to 4.1 give the scale 0.02 and the zero point −78. Check: $-1 / 0.02 - 78 = -128$ and $4.1 / 0.02 - 78
# = 127$.


# %% exercise="08.scale_and_zero_point"
def scale_and_zero_point(r):
    """Scale, a positive float, and zero point, an integer from -128 to 127, for an array r of any shape."""
    ### BEGIN SOLUTION
    low, high = min(r.min(), 0), max(r.max(), 0)
    if low == high:
        return 1.0, 0
    scale = (high - low) / 255
    return float(scale), int(np.rint(-128 - low / scale))
    ### END SOLUTION


# %%
check("08.scale_and_zero_point", scale_and_zero_point)

# %% [markdown]
# Stuck? Run `hint("08.scale_and_zero_point")` in a new cell.

# %% [markdown] tags=["solution"]
# **Why.** Take numbers from 2 to 6. The tempting range is 2 … 6, with steps of 4/255. But then the integer for 0 would
# be about −255, which int8 does not have, and every 0 would be clipped to −128 and come back as 2. Widened to 0 … 6 the
# steps are coarser, and 0 is exact. The same for the rounding of $Z$: with $Z = -78.4$ real 0 would lie between two
# integers and come back as 0.4 steps, a little more than nothing in every place that you pruned. That is why frameworks
# pay for an exact zero with a slightly shifted range.

# %% [markdown] exercise="08.break_even"
# A pruned matrix of **int8** weights has the sparsity $s$. There are three ways to write it to a file:
#
# - **dense**: one byte for each weight, zeros included;
# - **index**: for each survivor its one byte, and two bytes for its place;
# - **bitmask**: one *bit* for each weight (is it zero?), and one byte for each survivor.
#
# (What an index needs at the beginning of each row is small, and left out.) Set `break_even` to a dictionary of three
# sparsities, right to one per cent:
#
# - `"index"`: above which sparsity does the index take fewer bytes than dense?
# - `"bitmask"`: above which does the bitmask take fewer than dense?
# - `"index beats bitmask"`: above which does the index take fewer than the bitmask?

# %% exercise="08.break_even"
### BEGIN SOLUTION
break_even = {"index": 2 / 3, "bitmask": 1 / 8, "index beats bitmask": 15 / 16}
### END SOLUTION

# %%
check("08.break_even", break_even)

# %% [markdown]
# Stuck? Run `hint("08.break_even")` in a new cell.

# %% [markdown] tags=["solution"]
# **Why.** Let $d = 1 - s$ be the fraction that is kept. Bytes for one weight, on average: dense 1, index $3d$, bitmask
# $\tfrac18 + d$.
#
# - $3d < 1$ when $d < \tfrac13$: **s > 2/3**.
# - $\tfrac18 + d < 1$ when $d < \tfrac78$: **s > 1/8**.
# - $3d < \tfrac18 + d$ when $d < \tfrac1{16}$: **s > 15/16**.
#
# At the usual 90% the bitmask is the smallest of the three, and an index at 50% makes an int8 file *larger*. For
# float32 the index would pay from 1/3 on: the bigger the value, the less its address matters. The cell below draws it.

# %% tags=["solution"]
import matplotlib.pyplot as plt

from course_lib import plots

plots.style()
s = np.linspace(0, 1, 201)
plt.plot(s, np.ones_like(s), label="dense")
plt.plot(s, 3 * (1 - s), label="index")
plt.plot(s, 1 / 8 + (1 - s), label="bitmask")
plt.title("int8: an index pays from 2/3, a bitmask from 1/8")
plt.gca().set(xlabel="sparsity s", ylabel="bytes a weight")
plt.legend()
plt.show()

# %% [markdown] tags=["solution"]
# *In words: bytes a weight against sparsity. Dense is level at 1. The bitmask falls from 1.125 to 0.125 and crosses it
# at 1/8; the index falls from 3 to 0, crosses dense at 2/3, and goes below the bitmask only at 15/16.*

# %% [markdown] exercise="08.pruning_factor"
# An advertisement for a pruning tool says: *"Our pruning makes your model 24× smaller!"* In the small print there are
# four sizes of the same net, in kilobytes (invented, but of a kind that you will meet):
#
# | file | kilobytes |
# |---|---|
# | dense float32 | 1200 |
# | dense float32, gzipped | 1100 |
# | dense int8, gzipped | 275 |
# | pruned int8, gzipped | 50 |
#
# (1200 / 50 = 24.) The file that is shipped is int8 and gzipped. How many times smaller does *pruning* make it? Set
# `pruning_factor` to the number.

# %% exercise="08.pruning_factor"
### BEGIN SOLUTION
pruning_factor = 275 / 50
### END SOLUTION

# %%
check("08.pruning_factor", pruning_factor)

# %% [markdown]
# Stuck? Run `hint("08.pruning_factor")` in a new cell.

# %% [markdown] tags=["solution"]
# **Why.** 275 / 50 = 5.5: these two files differ in nothing but pruning. The advertised 24 is a product of three
# factors: gzip on a dense file (1200 / 1100 = 1.09), 8 bits (1100 / 275 = 4) and pruning (5.5). The first two are free
# for everybody. Factors multiply, so they are taken out by division; 24 − 4.4 would mean nothing.

# %% [markdown] exercise="08.median_and_p90"
# `times` are the milliseconds of every run of a file, in the order in which they were measured. The first `warmup` of
# them do not count. Return the median and the 90th percentile of the others, as `np.percentile` gives them (with its
# linear interpolation).
#
# For `times = [90, 80, 3, 1, 2]` and `warmup = 2` that is `(2.0, 2.8)`.


# %% exercise="08.median_and_p90"
def median_and_p90(times, warmup):
    """Median and p90, two floats, of an array of n times without its first warmup < n entries."""
    ### BEGIN SOLUTION
    median, p90 = np.percentile(times[warmup:], [50, 90])
    return float(median), float(p90)
    ### END SOLUTION


# %%
check("08.median_and_p90", median_and_p90)

# %% [markdown]
# Stuck? Run `hint("08.median_and_p90")` in a new cell.

# %% [markdown] tags=["solution"]
# **Why.** A latency is not symmetric: nothing is faster than the machine allows, but anything can hold it up. One
# interruption of 30 times the usual moves the mean of 50 runs by more than half; the median does not notice. p90 tells
# what the slow runs are like without depending on the single worst one, which only grows with every run you add. And
# the warm-up is a matter of *time*, not of size: to drop the slowest runs wherever they occurred would be to throw away
# what p90 is there to show.

# %% [markdown] exercise="08.agreement"
# A file may be as accurate as its model and still answer differently. `before` holds the outputs of the Keras model and
# `after` those of the file, both (n, classes); `y` holds the n true classes. The class of an answer is the position of
# its largest output; among equal ones, the first. Return a dictionary:
#
# - `"same class"`: the share of the n images to which both give the same class;
# - `"lost"`: how many were right before and are wrong after;
# - `"won"`: how many were wrong before and are right after.


# %% exercise="08.agreement"
def agreement(before, after, y):
    """How two arrays of outputs (n, classes) agree, for true classes y (n,); a dictionary of three."""
    ### BEGIN SOLUTION
    a, b = before.argmax(axis=1), after.argmax(axis=1)
    return {
        "same class": float(np.mean(a == b)),
        "lost": int(np.sum((a == y) & (b != y))),
        "won": int(np.sum((a != y) & (b == y))),
    }
    ### END SOLUTION


# %%
check("08.agreement", agreement)

# %% [markdown]
# Stuck? Run `hint("08.agreement")` in a new cell.

# %% [markdown] tags=["solution"]
# **Why.** The change in accuracy is (won − lost) / n. If 20 are lost and 20 won, it is 0, and yet 40 answers are not
# the ones that you tested. The share of the same class shows them. It also shows an image that goes from one wrong
# class to another, which is neither lost nor won. And it must compare classes, not probabilities: after 8 bits hardly a
# probability is the same to the last digit, and hardly a class is different.

# %% [markdown] exercise="08.claims"
# Somebody measured five files (invented numbers): one machine, batch 1, one thread, files taking turns, five rounds of
# 200 runs. For each file the table has the median, and the fastest and slowest round.

# %%
rows = [
    ["1  dense float32", "20.0", "19.4", "21.0"],
    ["2  dense float32, the same file again", "20.5", "19.7", "21.4"],
    ["3  pruned 90% float32", "19.6", "19.2", "20.9"],
    ["4  half the width, float32", "8.1", "7.9", "8.6"],
    ["5  pruned 90% int8", "3.9", "3.7", "4.2"],
]
report.Table(["file", "median, µs", "fastest round", "slowest round"], rows)

# %% [markdown]
# Which of these claims follow from the table?
#
# - **A.** Pruning made inference 2% faster.
# - **B.** The net of half the width is more than twice as fast as the dense one.
# - **C.** In int8, pruning makes inference about five times as fast.
# - **D.** The pruned int8 file is more than four times as fast as the dense float32 file.
# - **E.** On a phone, too, the net of half the width will be more than twice as fast.
#
# Set `claims` to the letters in alphabetical order, such as `"AC"`.

# %% exercise="08.claims"
### BEGIN SOLUTION
claims = "BD"
### END SOLUTION

# %%
check("08.claims", claims)

# %% [markdown]
# Stuck? Run `hint("08.claims")` in a new cell.

# %% [markdown] tags=["solution"]
# **Why.** **A** does not follow: rows 1 and 2 are the same file and differ by 0.5 µs; row 3 differs from row 1 by 0.4.
# **B** does: even the fastest round of the dense file against the slowest of the narrow one gives 19.4 / 8.6, more than
# 2. **C** does not: the dense int8 file is missing, and the 8 bits alone may account for all of it (the lesson measures
#    that file). **D** does: 19.4 / 4.2 is more than 4. It says nothing about *why*, and that is all right. **E** does
#    not: it may well be true, but no phone was measured.

# %% [markdown] exercise="08.ship_it"
# Now put it together. Make a file `ship_it.tflite` that sorts the images of Fashion-MNIST and is small, right and fast
# at once. There is a point for each of these:
#
# - **at most 150,000 bytes** (LeNet-300-100 in float32 has about 1,070,000);
# - **at most 60,000 bytes after gzip**, as it would travel to a phone;
# - **at least 84% of the images right**: the check takes 2,000 of the validation split, the grader 2,000 of the test
#   split, so choose nothing on that one;
# - **at most 0.3 of the time** of LeNet-300-100 in float32, measured in turns on the same machine.
#
# Which of the steps that you know serve which goal? The training takes a few seconds an epoch. Hand the file in beside
# this notebook; a file that is right on less than half of the images gets no point for being small.

# %% exercise="08.ship_it"
from course_lib import quiet

quiet.tensorflow()

import keras

from course_lib import data, deploy, models, scores, shrink, training
from course_lib.schedules import Polynomial

fashion = data.fashion_mnist()
### BEGIN SOLUTION
keras.utils.set_random_seed(8)
epoch = {"epochs": 1, "batch_size": 128, "verbose": 0}
dense = models.lenet_300_100()
dense.compile("adam", "sparse_categorical_crossentropy")
dense.fit(*fashion.train, **epoch)

small = shrink.remove_units(dense, shrink.keep_highest(dense, scores.unit_norm(dense), 0.5))
small.fit(*fashion.train, **epoch)

prune = training.Prune(scores.magnitude, Polynomial(final=0.8, begin=0, end=300))
small.fit(*fashion.train, **epoch, callbacks=[prune])
ship_it = deploy.to_tflite(small, "ship_it.tflite", quantize="int8", calibration=fashion.train.x[:500])
### END SOLUTION

# %%
check("08.ship_it", ship_it)

# %% [markdown]
# Stuck? Run `hint("08.ship_it")` in a new cell.

# %% [markdown] tags=["solution"]
# **Why this order.** Removing units serves two goals at once, bytes and time, so it comes first, and the epoch after it
# brings back what it cost. Zeros serve one goal only, gzip, and cost the least when they come bit by bit while the
# network trains. Int8 comes last: it divides bytes by four and makes the arithmetic faster, and a conversion is not
# something that you train through. The other way round, an unpruned file in int8 that keeps all units is too large, and
# a float32 network with 80% zeros is as slow as ever (the lesson measured that).
#
# The cell below leaves steps out. Only the last row reaches all four goals.


# %% tags=["solution"]
def file_of(model, name, **options):
    path = deploy.to_tflite(model, f"{name}.tflite", **options)
    right = (deploy.predict(path, fashion.validation.x).argmax(axis=1) == fashion.validation.y).mean()
    return [name, path, f"{deploy.size(path).bytes:,}", f"{deploy.size(path).gzip:,}", f"{right:.1%}"]


int8 = {"quantize": "int8", "calibration": fashion.train.x[:500]}
made = [
    file_of(dense, "dense"),
    file_of(dense, "int8 alone", **int8),
    file_of(small, "fewer units and zeros"),
    file_of(small, "all of it", **int8),
]
times = deploy.latency([path for _name, path, *_rest in made], runs=500)
rows = [[name, *rest, f"{t.median / times[0].median:.2f}"] for (name, _path, *rest), t in zip(made, times, strict=True)]
for _name, path, *_rest in made:
    path.unlink()
report.Table(["file", "bytes", "after gzip", "right", "share of the dense time"], rows)
