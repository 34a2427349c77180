# %% [markdown]
# # Structured pruning
#
# **The question.** Until now a pruned weight was a zero, and a zero takes as much room and as much time as any other number. Why
# not take it out? From the middle of a matrix you cannot. But you can take out a whole row or column, and with it a
# neuron, a filter, or a layer. What else has to go when filter 5 goes? What do you gain? And does it matter which
# filter it is?
#
# The article that this course follows calls it *structured pruning*: neurons, channels or layers are pruned (its section 2.3). And
# of pruning in general it says that it removes unimportant parts, makes models smaller and inference faster (2.1). You
# will test both halves of that sentence.
#
# **Afterwards you can**
# - remove filters, channels and layers, and name every array that loses an entry;
# - read a model's dependency groups: BatchNormalization, depthwise convolutions, additions, concatenations, Flatten;
# - check that the shrunk network gives the answers of the masked one, and recognise the mistakes that no error message reports;
# - score filters by norm, γ, Taylor and geometric median, or let the group lasso choose;
# - judge the result: bytes, MACs, time, random filters, and the same small network trained from nothing.
#
# 70 minutes · runs in about two minutes · needs chapters 02 and 03; chapter 06 helps

# %%
from course_lib import quiet

quiet.tensorflow()

import tempfile
import warnings
from pathlib import Path

import keras
import matplotlib.pyplot as plt
import numpy as np
from IPython.display import Markdown, display
from matplotlib.patches import Rectangle

from course_lib import data, deploy, models, plots, regularizers, report, scores, shrink, training

plots.style()

# %% [markdown]
# ## Before you run anything
#
# A small convolutional network is trained on Fashion-MNIST. Then half of its filters and half of its hidden neurons are
# removed, and what is left is trained on for two epochs. Guess:
#
# 1. How many percentage points of accuracy does that cost, against the whole network trained as long?
# 2. The filters are chosen by one of four scores, or by lot. How many points lie between the two in the end, on average?
# 3. How many times faster does the network answer with half of the filters and neurons?
# 4. And with three quarters of them?
#
# Write numbers in place of the dots. We come back to them.

# %%
prediction = {
    "half removed: points lost": "…",
    "scores minus lot: points": "…",
    "half removed: times faster": "…",
    "a quarter removed: times faster": "…",
}

# %% [markdown]
# ## Three filters
#
# First the words. A **filter** is a small block of weights that slides over the picture. At every place it gives one number,
# and all its numbers together are one **channel** of the output. A convolution with three filters has three channels. Its
# **kernel**, in Keras, is an array (height, width, inputs, filters): the last axis counts the filters.
#
# Here is the smallest network that has it all. A picture of 4 × 4 numbers; three filters of 3 × 3, which fit at 2 × 2 places;
# BatchNormalization and ReLU; `Flatten`; a dense layer with two outputs.


# %%
def tiny_network():
    x = image = keras.Input((4, 4, 1))
    x = keras.layers.Conv2D(3, 3, name="conv")(x)  # (2, 2, 3)
    x = keras.layers.BatchNormalization(name="bn")(x)
    x = keras.layers.ReLU()(x)
    x = keras.layers.Flatten()(x)  # (12,)
    return keras.Model(image, keras.layers.Dense(2, name="dense")(x))


tiny, rng = tiny_network(), np.random.default_rng(4)
for variable in tiny.weights:
    values = rng.normal(size=variable.shape).round(1)
    variable.assign(np.abs(values) + 0.5 if variable.name == "moving_variance" else values)

# %% [markdown]
# BatchNormalization keeps four numbers for each channel. It subtracts the **mean** $\mu$ and divides by the deviation
# $\sigma$, which it has averaged while training ($\epsilon$ keeps the root away from zero), then scales by $\gamma$ and shifts
# by $\beta$, which are trained:
#
# $$\mathrm{BN}(z) = \gamma\,\frac{z - \mu}{\sqrt{\sigma^2 + \epsilon}} + \beta$$
#
# Now remove filter 1, the middle one. Which numbers have no purpose any more? They are framed.

# %%
conv, bn, dense_layer = (tiny.get_layer(name) for name in ("conv", "bn", "dense"))
CHANNEL = {"bias": conv.bias, "γ": bn.gamma, "β": bn.beta, "μ": bn.moving_mean, "σ²": bn.moving_variance}


def removal(j):
    kernel, dense_kernel = conv.kernel.numpy().reshape(9, 3), dense_layer.kernel.numpy()
    vectors = np.stack([vector.numpy() for vector in CHANNEL.values()])
    rows = np.arange(12).reshape(2, 2, 3)[..., j].ravel()  # those that read channel j
    fig = plt.figure(figsize=(7, 5.2))
    grid = fig.add_gridspec(12, 3, width_ratios=[3, 3, 2])  # squares of one size in all three
    axes = [fig.add_subplot(grid[:height, column]) for column, height in enumerate((9, 5, 12))]
    plots.matrix(kernel, f"kernel, 9 × 3:\ncolumn {j}", axes[0])
    plots.matrix(vectors, f"five vectors:\nentry {j} of each", axes[1])
    plots.matrix(dense_kernel, f"dense kernel, 12 × 2:\nrows {', '.join(map(str, rows))}", axes[2])
    for row, name in enumerate(CHANNEL):
        axes[1].text(-0.65, row, name, ha="right", va="center")
    for row in range(12):
        axes[2].text(-0.65, row, row, ha="right", va="center", color=plots.GREY)
    frame = {"fill": False, "edgecolor": "black", "linewidth": 3, "clip_on": False, "zorder": 3}
    for ax, height in (axes[0], 9), (axes[1], 5):
        ax.add_patch(Rectangle((j - 0.5, -0.5), 1, height, **frame))
    for row in rows:
        axes[2].add_patch(Rectangle((-0.5, row - 0.5), 2, 1, **frame))
    gone = 9 + 5 + 2 * len(rows)
    fig.suptitle(f"Filter {j} goes, and with it {gone} numbers in seven arrays", x=0.01, ha="left", fontsize=11)
    plt.show()


removal(1)

# %% [markdown]
# *In words: three grids of numbers. In the kernel, one row for each of the nine positions and one column for each filter, the
# middle column is framed. In the middle grid, five rows for bias, γ, β, μ and σ², the middle entry of each. In the dense kernel,
# with twelve rows, four single rows are framed: 1, 4, 7 and 10.*
#
# Move the filter. In the first two grids the frame steps aside. In the dense kernel four frames move at once. (A page on
# the web shows one position, filter 0; run the notebook to move.)

# %%
import ipywidgets

ipywidgets.interactive(removal, j=ipywidgets.IntSlider(0, 0, 2, description="filter"))

# %% [markdown]
# *In words: the same three grids for filter 0. The first column, the first entries, and the rows 0, 3, 6 and 9 are framed.*
#
# Why rows 1, 4, 7 and 10 for the filter in the middle? `Flatten` writes the picture out place by place, and at every place all channels side by side. Place $p$,
# channel $c$ becomes row $p \cdot 3 + c$. When you are not sure, number the rows and look:

# %% tags=["nbval-check-output"]
numbered = np.arange(12).reshape(2, 2, 3)  # (height, width, channels)
for channel in range(3):
    print(f"channel {channel} is read by the rows {numbered[..., channel].ravel()}")

# %% [markdown]
# ## By hand
#
# In general, when filter $j$ goes, every array is asked three questions:
#
# | the array | what it does with channel $j$ | it loses |
# |---|---|---|
# | kernel and bias of the convolution | **makes** it | entry $j$ of the last axis |
# | γ, β, μ, σ² | **scale** it | entry $j$ |
# | kernel of a convolution behind it | **reads** it | entry $j$ of axis 2, the inputs |
# | kernel of a dense layer behind `Flatten` | **reads** it at every place | rows $p \cdot C + j$ of axis 0, $C$ the number of channels |
#
# A few lines, and the network is smaller. `shrink.remove_units` does it for any model; you tell it what stays. Are
# the two the same?

# %% tags=["nbval-check-output"]
by_hand = {variable.path: variable.numpy() for variable in tiny.weights}
by_hand["conv/kernel"] = np.delete(by_hand["conv/kernel"], 1, axis=3)
by_hand["conv/bias"] = np.delete(by_hand["conv/bias"], 1)
for name in ("gamma", "beta", "moving_mean", "moving_variance"):
    by_hand[f"bn/{name}"] = np.delete(by_hand[f"bn/{name}"], 1)
by_hand["dense/kernel"] = np.delete(by_hand["dense/kernel"], [1, 4, 7, 10], axis=0)

smaller = shrink.remove_units(tiny, {"conv": [0, 2]})
for before, after in zip(tiny.weights, smaller.weights, strict=True):
    same = np.array_equal(by_hand[before.path], after.numpy())
    print(f"{before.path:20} {tuple(before.shape)!s:14} → {tuple(after.shape)!s:14} as by hand: {same}")

# %% [markdown]
# ## A zero filter is not silent
#
# Chapter 03 set weights to zero with a mask. Do the same to filter 1: its nine weights to zero, nothing else. What does
# channel 1 say now, behind the ReLU? We look at two random images.

# %%
two_images = rng.normal(size=(2, 4, 4, 1)).astype("float32")
zero_kernel = tiny_network()
zero_kernel.set_weights(tiny.get_weights())
without_1 = np.broadcast_to([True, False, True], (3, 3, 1, 3))
training.hold(zero_kernel, {"conv/kernel": without_1})

behind_relu = keras.Model(zero_kernel.input, zero_kernel.layers[3].output)(two_images).numpy()
for number, (first, second, _) in enumerate(behind_relu.reshape(2, 4, 3).transpose(0, 2, 1).round(2)):
    print(f"image {number}: channel 0 says {first}, channel 1 says {second}")

# %% [markdown]
# Channel 0 depends on image and place. Channel 1 is a **constant**, but not zero: a convolution with zero weights still gives its
# bias, and BatchNormalization moves and scales that.
#
# $$c_j = \mathrm{ReLU}\Bigl(\gamma_j\,\frac{b_j - \mu_j}{\sqrt{\sigma_j^2 + \epsilon}} + \beta_j\Bigr)$$
#
# So a network with a zero kernel is *not* the network without the filter. There are two ways to make them the same:
#
# - **Silence it**: set γ and β to zero as well. Then nothing is left to say.
# - **Fold it**: a dense layer multiplies the constant by fixed weights and adds it up, always with the same result.
#   Add that to its bias, and then remove the filter.
#
# `shrink.remove_units` is the first. `shrink.shrink(model, masks)` looks at what your masks leave, and folds where a
# constant is left. Check both: the masked network against the shrunk one.

# %%
silence = {f"bn/{name}": without_1[0, 0, 0] for name in ("gamma", "beta")}
for name, mask in {"kernel": {}, "kernel, γ and β": silence}.items():
    masked = tiny_network()
    masked.set_weights(tiny.get_weights())
    training.hold(masked, {"conv/kernel": without_1} | mask)
    shrunk = shrink.shrink(tiny, {"conv/kernel": without_1} | mask)
    apart = np.abs(masked(two_images).numpy() - shrunk(two_images).numpy()).max()
    moved = np.abs(shrunk.get_layer("dense").bias - dense_layer.bias).max()
    print(f"zero in {name:16}: masked and shrunk differ by {apart:.1g}; bias of the dense layer moved by {moved:.2f}")

# %% [markdown]
# Both times the shrunk network gives the outputs of the masked one, up to rounding in the seventh digit. But they are
# two *different* networks: the first kept a constant, the second did not.
#
# ## A real network
#
# Now the small CNN of the course, with a BatchNormalization behind each convolution: 16 filters, 32 filters, 64 neurons, 10
# classes. (A convolution in front of a BatchNormalization needs no bias: β is one.) We train on 20,000 images for four
# epochs, three times from three random starts. The validation images are for choosing, the test images for the end.


# %%
def compile_for_speed(model, optimizer):
    """Ten optimizer steps in one call: the same training, with less waiting between the steps of so small a network."""
    model.compile(optimizer, "sparse_categorical_crossentropy", steps_per_execution=10)


def build(seed, width=1.0, norm=True, penalty=None, optimizer="adam"):
    keras.utils.set_random_seed(seed)
    units = [max(1, round(width * n)) for n in (16, 32, 64)]
    x = image = keras.Input((28, 28, 1), name="image")
    for i, filters in enumerate(units[:2], start=1):
        settings = {"use_bias": not norm, "kernel_regularizer": penalty, "name": f"conv_{i}"}
        x = keras.layers.Conv2D(filters, 3, strides=2, padding="same", **settings)(x)
        if norm:
            x = keras.layers.BatchNormalization(momentum=0.9, name=f"bn_{i}")(x)
        x = keras.layers.ReLU(name=f"relu_{i}")(x)
    x = keras.layers.Flatten(name="flatten")(x)
    x = keras.layers.Dense(units[2], activation="relu", name="dense_1")(x)
    model = keras.Model(image, keras.layers.Dense(10, activation="softmax", name="output")(x))
    compile_for_speed(model, optimizer)
    return model


# %%
fashion = data.fashion_mnist()
images, labels = fashion.train.x[:20_000], fashion.train.y[:20_000]
TRAIN, TUNE, SEEDS = 4, 2, range(3)  # epochs, epochs, random starts


def fit(model, epochs, *callbacks):
    model.fit(images, labels, batch_size=128, epochs=epochs, verbose=0, callbacks=callbacks)


def answers(model, split=fashion.validation):
    return model(split.x).numpy()


def accuracy(model, split=fashion.validation):
    return 100 * np.mean(answers(model, split).argmax(axis=1) == split.y)


def spread(values):
    """Mean ± standard deviation over the seeds, in percent."""
    return f"{np.mean(values):.1f} ± {np.std(values, ddof=1):.1f}"


dense = [build(seed) for seed in SEEDS]
for seed, model in enumerate(dense):
    fit(model, TRAIN, training.Progress(f"whole network, seed {seed}"))
print("validation accuracy in %:", spread([accuracy(model) for model in dense]))

# %% [markdown]
# A **unit** is a filter or a neuron. Layers that hold the same units, and so have to lose the same ones, are a **dependency group**.
# `shrink.groups` reads the model and lists its groups in our three words: made by, scaled by, read by.

# %%
shrink.groups(dense[0])

# %% [markdown]
# The columns are the questions of the table above. Now remove half of each group, those with the smallest norm (the sum of the
# absolute weights; more on scores below). Once by masks, once for real, and in two ways: zeros in the kernels only, or in
# everything that makes and scales the channel. **Do masked and shrunk agree?**


# %%
def channel_masks(model, keep, names):
    """Masks that zero the units that are not kept, in the arrays of these names."""
    found = {}
    for variable in model.weights:
        layer, name = variable.path.split("/")
        units = keep.get(layer.replace("bn", "conv"))  # bn_1 scales what conv_1 makes
        if units is not None and name in names:
            found[variable.path] = np.zeros(variable.shape, bool)
            found[variable.path][..., units] = True
    return found


def copy(model):
    twin = build(0)
    twin.set_weights(model.get_weights())
    return twin


half = shrink.keep_highest(dense[0], scores.unit_norm(dense[0]), 0.5)
rows, said = [], {}
for names in ["kernel"], ["kernel", "bias", "gamma", "beta"]:
    of_channels = channel_masks(dense[0], half, names)
    masked = copy(dense[0])
    training.hold(masked, of_channels)
    with warnings.catch_warnings(record=True) as said[len(names)]:
        warnings.simplefilter("always")
        shrunk = shrink.shrink(dense[0], of_channels)
    apart = np.abs(answers(masked) - answers(shrunk)).max()
    rows.append([", ".join(names), f"{accuracy(masked):.1f}", f"{accuracy(shrunk):.1f}", f"{apart:.1g}"])
report.Table(["zeros in", "masked: accuracy, %", "shrunk: accuracy, %", "largest difference of a probability"], rows)

# %%
print(*(warning.message for warning in said[1]))

# %% [markdown]
# Two findings.
#
# **Zeros in the kernels only: they do not agree, and the library says so.** `conv_2` pads its input with zeros at the borders.
# In the middle of the picture it reads the constant that `conv_1` left behind, at the border it reads padding. No single bias can
# be both. (The next layer of the tiny network was dense; there the fold was exact.)
#
# **Zeros in kernel, γ and β: the same answers, to rounding.** This is the network with the filters gone, and it can be cut.
#
# Look also at the accuracies. Neither network is good. We cut a half in one stroke, and nothing has been trained yet.
#
# ## Mistakes without an error message
#
# Forget one array, and Keras complains about shapes. The dangerous mistakes are those where the shapes are right. We remove
# a quarter of the units, once as it should be, and three times with a slip that happens to people who do it by hand:
#
# - **statistics forgotten**: the new BatchNormalization has the right γ and β, but starts with mean 0 and variance 1, as every
#   new layer does;
# - **first entries**: its four vectors are cut to the right length, but from the front, not at the filters kept;
# - **one block of rows**: in `dense_1`, behind `Flatten`, each filter is taken for 49 rows in one piece, as if channels came first.
#
# Which of the three is the worst? Which could be repaired without any training? Decide before you go on.


# %%
def statistics_forgotten(small, model, keep):
    for i in 1, 2:
        small.get_layer(f"bn_{i}").moving_mean.assign(np.zeros(len(keep[f"conv_{i}"])))
        small.get_layer(f"bn_{i}").moving_variance.assign(np.ones(len(keep[f"conv_{i}"])))


def first_entries(small, model, keep):
    for i in 1, 2:
        for now, before in zip(small.get_layer(f"bn_{i}").weights, model.get_layer(f"bn_{i}").weights, strict=True):
            now.assign(before[: len(keep[f"conv_{i}"])])


def one_block_of_rows(small, model, keep):
    kernel = model.get_layer("dense_1").kernel.numpy()[:, keep["dense_1"]]
    blocks = kernel.reshape(32, 49, -1)[keep["conv_2"]]  # right would be (49, 32, …)[:, kept]
    small.get_layer("dense_1").kernel.assign(blocks.reshape(-1, len(keep["dense_1"])))


slips = [lambda small, model, keep: None, statistics_forgotten, first_entries, one_block_of_rows]
names = ["as it should be", "statistics forgotten", "first entries", "one block of rows"]
slipped = {name: [] for name in names}
for name, slip in zip(names, slips, strict=True):
    for model in dense:
        keep = shrink.keep_highest(model, scores.unit_norm(model), 0.75)
        small = shrink.remove_units(model, keep)
        slip(small, model, keep)
        before = accuracy(small)
        training.reestimate(small, images, batches=4, batch_size=1000)
        slipped[name].append((before, accuracy(small)))

# %%
fig, ax = plt.subplots(figsize=(7.4, 3.4))
reached = np.array(list(slipped.values()))  # (slips, seeds, before and after)
for column, (label, marker) in enumerate([("as cut", "o"), ("statistics re-estimated", "s")]):
    place = np.arange(len(slipped)) + 0.3 * column - 0.15
    color = (plots.ORANGE, plots.BLUE)[column]
    ax.barh(place, reached[:, :, column].mean(axis=1), height=0.26, color=color, alpha=0.35, label=label)
    ax.plot(reached[:, :, column], place, marker, ls="", color=color, ms=5)
ax.axvline(10, color=plots.GREY, ls=":")
ax.set(yticks=range(len(slipped)), yticklabels=slipped, xlim=(0, 100))
ax.set(xlabel="validation accuracy, %; dotted: guessing")
ax.invert_yaxis()
means = reached.mean(axis=1)
ax.set_title(f"A wrong row order: {means[3, 0]:.0f}% right where it should be {means[0, 0]:.0f}%, and no error message")
ax.legend(loc="upper left", bbox_to_anchor=(1.01, 1))
plt.show()

# %%
words = "In words: two bars for each way, and a mark for each of three seeds. Mean accuracy as cut, then re-estimated: "
words += "; ".join(f"{name} {a:.0f}% and {b:.0f}%" for name, (a, b) in zip(slipped, means, strict=True))
display(Markdown(f"*{words}.*"))

# %% [markdown]
# All four networks load, run, and give ten probabilities that add up to one. Only the accuracy tells them apart. So **compare
# the shrunk network with the masked one before you do anything else**; it takes one line.
#
# The second bars come from `training.reestimate`: it sends a few thousand training images through the network and sets μ and σ² to
# what it sees there. No weight is trained. Two things follow.
#
# - Forgotten statistics are repaired completely. They are measurements, and can be made again. The rows behind `Flatten` are
#   knowledge: taken from the wrong place they are gone. (γ and β are knowledge, too. The less they have moved from 1 and 0, where
#   they started, the less a wrong one hurts. Do not count on that.)
# - Even where nothing was forgotten it helps. The statistics of `bn_2` were measured while `conv_2` had all of its inputs. With a
#   quarter of them missing its sums are different, and μ and σ² are **stale**. After a cut, re-estimate or fine-tune.
#
# ## Groups
#
# In a chain each layer's filters are read by the next. Real networks are not chains. Here is one that has everything: a depthwise
# convolution, a concatenation, a residual addition.


# %%
def everything():
    x = image = keras.Input((8, 8, 3), name="image")
    a = keras.layers.ReLU()(keras.layers.BatchNormalization(name="bn_a")(keras.layers.Conv2D(8, 3, name="conv_a")(x)))
    d = keras.layers.DepthwiseConv2D(3, padding="same", name="depthwise")(a)
    s = keras.layers.Conv2D(4, 3, name="conv_s")(x)
    c = keras.layers.Concatenate(name="concat")([s, d])  # 4 + 8 channels
    p = keras.layers.Conv2D(5, 1, name="conv_p")(c)
    r = keras.layers.Conv2D(5, 1, name="conv_r")(p)
    y = keras.layers.Flatten(name="flatten")(keras.layers.Add(name="add")([p, r]))
    return keras.Model(image, keras.layers.Dense(2, name="dense")(y))


graph = everything()
shrink.groups(graph)

# %% [markdown]
# Three groups that can lose filters; the fourth are the outputs. The filters of `conv_p` and `conv_r` are *one* group: their channels are added, so channel 3 of the one and
# channel 3 of the other are the same channel. And `conv_r` is in it twice: it makes these channels and reads them.
#
# Remove one filter of each group in turn and look which arrays shrink, along which axis.


# %%
def axes_lost(model, layer, j):
    units = next(group.units for group in shrink.groups(model) if group.name == layer)
    smaller = shrink.remove_units(model, {layer: [i for i in range(units) if i != j]})
    lost = {}
    for before, after in zip(model.weights, smaller.weights, strict=True):
        for axis, (n, left) in enumerate(zip(before.shape, after.shape, strict=True)):
            if n > left:
                lost.setdefault(before.path, []).append(f"axis {axis}: {n} → {left}")
    return {path: ", ".join(changes) for path, changes in lost.items()}


gone = {group.name: axes_lost(graph, group.name, 2) for group in shrink.groups(graph)}
rows = [[v.path, str(tuple(v.shape)), *(gone[name].get(v.path, "–") for name in gone)] for v in graph.weights]
report.Table(["array", "shape", *(f"without filter 2 of {name}" for name in gone)], rows)

# %% [markdown]
# Read the columns.
#
# - **BatchNormalization**: four vectors, one entry each.
# - **Depthwise**: its kernel (3, 3, channels, 1) has one small filter for each *channel*, so axis 2 goes, and the channel runs on.
# - **Concatenation**: `conv_p` reads both branches and loses one input, whichever branch it came from.
# - **Addition**: both convolutions lose the same filter, and `conv_r` an input too: two axes of one kernel.
# - **Flatten**: a channel at 36 places takes 36 rows of the dense kernel with it.
#
# *Which* input does `conv_p` lose? A trick: write its number into each row, remove, and read what is left.

# %% tags=["nbval-check-output"]
reader = graph.get_layer("conv_p")
reader.kernel.assign(np.broadcast_to(np.arange(12)[:, None], (1, 1, 12, 5)))
for layer, units in {"conv_s": 4, "conv_a": 8}.items():
    smaller = shrink.remove_units(graph, {layer: [i for i in range(units) if i != 2]})
    left = smaller.get_layer("conv_p").kernel.numpy()[0, 0, :, 0].astype(int).tolist()
    print(f"without filter 2 of {layer}, conv_p reads {left}, and no longer {set(range(12)) - set(left)}")

# %% [markdown]
# Filter 2 of `conv_a` was input 6 of `conv_p`, since the four channels of `conv_s` come first in the concatenation. Whoever forgets
# the offset removes another branch's channel, again without an error.
#
# And what if you ask the two sides of the addition to lose different filters?

# %% tags=["nbval-check-output"]
try:
    shrink.remove_units(graph, {"conv_p": [0, 1, 2], "conv_r": [1, 2, 3]})
except ValueError as error:
    print(error)

# %% [markdown]
# ### A residual network
#
# In a ResNet every block adds its result to what came in: $y = x + f(x)$. What does that do to the groups?

# %%
resnet = models.small_resnet()
found = shrink.groups(resnet)
widest = max(found, key=lambda group: len(group.makes))
title = f"The additions tie {len(widest.makes)} convolutions into one group of {widest.units} filters"
plots.groups(found, title)
plt.show()

# %% [markdown]
# *In words: a column for each group, a row for each layer. Circles mark the layers that make a group's filters, squares those that
# scale them, triangles those that read them. Six short columns have one circle each: the first convolution of a block, which
# is free. Three long columns run through a whole stage, with several circles: everything that is added to the same sum.*
#
# That is why people who prune ResNets often take filters only from the *inside* of the blocks: these are tied to nobody. The
# filters along the sum have to be chosen together. `shrink.keep_highest` adds up the scores of all layers that make
# a filter, each divided by its layer's mean, and then decides once.
#
# ## Layers
#
# The article's third kind are layers. Can you take out any layer? Try with the second convolution of our network, then
# with a whole block of the ResNet.

# %%
try:
    shrink.remove_layers(dense[0], ["conv_2", "bn_2", "relu_2"])
except ValueError as error:
    print(error)

block = [layer.name for layer in resnet.layers if "_1_2_" in layer.name]
shallower = shrink.remove_layers(resnet, block)
print("\nremoved:", *block)
print(f"layers {len(resnet.layers)} → {len(shallower.layers)}, MACs", end=" ")
print(f"{report.summary(resnet).macs:,} → {report.summary(shallower).macs:,}")

# %% [markdown]
# A layer that changes the shape of its input has to stay: what comes behind it waits for that shape. A residual block can
# go, as the sum $x + f(x)$ without $f$ is still an $x$ of the same shape. The addition then has nothing left to add, so the library
# takes it out as well: one layer more than the five that were named.
#
# When does it cost nothing? When $f(x)$ is zero. Set γ and β of the block's last BatchNormalization to zero and compare.

# %%
last = resnet.get_layer("bn_1_2_b")
some = fashion.validation.x[:200]
before_zero = np.abs(resnet(some) - shallower(some)).max()
last.gamma.assign(np.zeros(16))
last.beta.assign(np.zeros(16))
after_zero = np.abs(resnet(some) - shallower(some)).max()
print(f"with and without the block, probabilities differ by {before_zero:.1g}; once γ = β = 0, by {after_zero:.1g}")

# %% [markdown]
# So a γ that training drives to zero removes more than a channel; all of them together remove a block. (This ResNet is untrained: it
# shows *what can go*, not what that costs. The last lines of this page invite you to find out.)
#
# ## Which filters? Four scores
#
# A filter is $w_j$, all its weights as one vector; $a_j$ is what it says, $L$ the loss. High = keep.
#
# | score | formula | the idea |
# |---|---|---|
# | norm | $\sum_i \lvert w_{ij} \rvert$ | small weights, small effect |
# | γ | $\lvert \gamma_j \rvert$ | the BatchNormalization says how loud the channel is |
# | geometric median | $\sum_k \lVert w_j - w_k \rVert_2$ | what lies in the midst of the others can be replaced |
# | Taylor | mean over images of $\bigl\lvert \text{mean over places of } a_j\,\partial L / \partial a_j \bigr\rvert$ | how much the loss would change, to first order |
#
# The first three look at weights only, Taylor at data (1,000 training images here). `dense_1` has no BatchNormalization; there γ gives
# way to the norm. To see how the first and the third differ, take filters of only two
# weights: then a filter is a point, its norm is (about) the distance from zero.

# %%
rng = np.random.default_rng(3)
others = [[0.3, -0.5], [-0.6, 0.4], [-0.5, -0.9], [-3.0, 2.0], [2.0, -3.0]]
points = np.concatenate([rng.normal([2.2, 1.6], 0.25, (6, 2)), others])
norm = np.abs(points).sum(axis=1)
median = np.linalg.norm(points[:, None] - points[None], axis=2).sum(axis=1)

fig, axes = plt.subplots(1, 2, figsize=(8.4, 3.6), sharey=True)
for ax, (name, score) in zip(axes, {"norm": norm, "geometric median": median}.items(), strict=True):
    goes = np.isin(np.arange(len(points)), np.argsort(score)[:3])
    ax.plot(*points[~goes].T, "o", ls="", ms=8, label="stays")
    ax.plot(*points[goes].T, "X", ls="", ms=9, label="goes")
    ax.axhline(0, color=plots.GREY, lw=0.8, ls="-")
    ax.axvline(0, color=plots.GREY, lw=0.8, ls="-")
    crowd = np.sum(goes[:6])
    ax.set(title=f"{name}: {crowd} of the crowd go", xlabel="first weight", xlim=(-3.5, 3.5), ylim=(-3.5, 3.5))
axes[0].set(ylabel="second weight")
axes[1].legend(loc="lower left")
plt.show()

# %% [markdown]
# *In words: eleven points, six of them close together at the upper right, three near zero, two far out. Left, the norm lets the
# points near zero go. Right, the geometric median takes from the crowd, though its points are far from zero: each has
# neighbours that say nearly the same.*
#
# ### A trap: the norm in front of a BatchNormalization
#
# Take the filter of `conv_2` with the *smallest* norm and multiply its weights by ten. Correct the BatchNormalization behind it:
# the mean times ten, the variance times a hundred. What changes in the network's answers? And in the scores?

# %%
by_score = {
    "norm": scores.unit_norm,
    "γ": lambda model: scores.unit_norm(model) | scores.bn_gamma(model, layers=["conv_1", "conv_2"]),
    "geometric median": scores.geometric_median,
    "Taylor": lambda model: scores.unit_taylor(model, (images[:1000], labels[:1000])),
}


def places(model, j):
    """The rank of filter j of conv_2 under each score, 1 = highest."""
    ranks = {name: np.argsort(np.argsort(-score(model)["conv_2"])) for name, score in by_score.items()}
    return {name: int(rank[j]) + 1 for name, rank in ranks.items()}


smallest = int(np.argmin(scores.unit_norm(dense[0])["conv_2"]))
louder = copy(dense[0])
factor = np.where(np.arange(32) == smallest, 10.0, 1.0)
bn_2 = louder.get_layer("bn_2")
for variable, power in (louder.get_layer("conv_2").kernel, 1), (bn_2.moving_mean, 1), (bn_2.moving_variance, 2):
    variable.assign(variable * factor**power)

print(f"largest change of a probability: {np.abs(answers(louder) - answers(dense[0])).max():.1g}")
for name, rank in places(dense[0], smallest).items():
    print(f"{name:16}: rank {rank:2} of 32, then {places(louder, smallest)[name]:2}")

# %% [markdown]
# The answers are the same up to the small ε, and yet by norm and by median the filter has moved from the end of the list to its
# top. **In front of a BatchNormalization the length of a filter means nothing**: it is divided out. Training does not
# keep it at a fair length either; it depends on the start, the learning rate and the weight decay. γ and Taylor are not fooled by
# this. (γ is by another trick: γ and β times ten, and the weights that read the channel divided by ten. ReLU lets it through, and the
# answers stay. Taylor stays, too.)
#
# That argues against the norm. How much it matters in practice, only a race can tell. First, do the scores agree at
# all? Each row shows which half of the 32 filters of `conv_2` a score would remove.

# %%
removed = {}
for name, score in by_score.items():
    keep = shrink.keep_highest(dense[0], score(dense[0]), 0.5)["conv_2"]
    removed[name] = ~np.isin(np.arange(32), keep)
picture = np.array(list(removed.values()))
shared = int(np.sum(picture[0] & picture[3]))

fig, ax = plt.subplots(figsize=(8, 2.2))
ax.pcolormesh(picture, cmap="Greys", vmin=0, vmax=1.6, edgecolor="white", linewidth=2)
ax.set(yticks=np.arange(4) + 0.5, yticklabels=removed, xticks=np.arange(0, 32, 4) + 0.5, xticklabels=range(0, 32, 4))
ax.set(xlabel="filter of conv_2; dark: removed")
ax.invert_yaxis()
ax.set_title(f"Norm and Taylor agree on {shared} of the 16 filters that go; chance would give 8")
plt.show()

# %%
both = int(np.sum(picture[0] & picture[2]))
words = f"The norm shares {both} of its 16 with the geometric median and {shared} with Taylor."
display(Markdown(f"*In words: four rows of 32 squares, half of each row dark. {words}*"))

# %% [markdown]
# ## The race
#
# Four scores. They cannot all be right. Half of each group goes, by each score, on each of the three networks. We look at the accuracy as
# cut, and after two epochs of fine-tuning. Beside them:
#
# - **by lot**: random filters, fine-tuned as long;
# - **from nothing**: the same small shape, with a random start, trained for all six epochs;
# - **whole**: nothing removed, trained on for the same two epochs.
#
# All small networks have the same shape, so one Keras model is enough: we put each set of weights into it, with a fresh optimizer, and
# train.

# %%
LEFT = 0.5
shell = build(0, LEFT)
shell.optimizer.build(shell.trainable_variables)
fresh = [variable.numpy() for variable in shell.optimizer.variables]


def trained_from(weights, epochs, seed):
    """The weights after training the small network from these, with a fresh optimizer."""
    shell.set_weights(weights)
    for variable, value in zip(shell.optimizer.variables, fresh, strict=True):
        variable.assign(value)
    keras.utils.set_random_seed(seed)  # every way sees the images in the same order
    fit(shell, epochs)
    return shell.get_weights()


def by_lot(model, seed):
    rng = np.random.default_rng(seed)
    return {layer: rng.random(len(norms)) for layer, norms in scores.unit_norm(model).items()}


# %%
as_cut, tuned = {}, {}  # {way: accuracies of three seeds}, {way: three sets of weights}
for name in [*by_score, "by lot"]:
    as_cut[name], tuned[name] = [], []
    for seed, model in enumerate(dense):
        score = by_lot(model, seed) if name == "by lot" else by_score[name](model)
        small = shrink.remove_units(model, shrink.keep_highest(model, score, LEFT))
        as_cut[name].append(accuracy(small))
        tuned[name].append(trained_from(small.get_weights(), TUNE, seed))
    print(f"{name:16} as cut {spread(as_cut[name]):>11} %")

# %%
tuned["from nothing"] = [trained_from(build(seed, LEFT).get_weights(), TRAIN + TUNE, seed) for seed in SEEDS]
longer = [copy(model) for model in dense]
for seed, model in enumerate(longer):
    keras.utils.set_random_seed(seed)
    fit(model, TUNE, training.Progress(f"whole network, seed {seed}"))


def reached_by(weights, split=fashion.validation):
    reached = []
    for values in weights:
        shell.set_weights(values)
        reached.append(accuracy(shell, split))
    return np.array(reached)


after = {name: reached_by(weights) for name, weights in tuned.items()}
after["whole"] = np.array([accuracy(model) for model in longer])

# %%
fig, axes = plt.subplots(1, 2, figsize=(9.6, 3.8))
for ax, (reached, what) in zip(axes, [(as_cut, "as cut"), (after, "fine-tuned")], strict=True):
    for place, (name, values) in enumerate(reached.items()):
        color = plots.BLUE if name in by_score else plots.ORANGE
        ax.plot(values, [place] * 3, "o" if name in by_score else "s", color=color, alpha=0.7, ms=7)
        ax.text(np.mean(values), place - 0.24, f"{np.mean(values):.1f}", ha="center", fontsize=9)
    ax.set(yticks=range(len(reached)), yticklabels=reached, xlabel=f"validation accuracy {what}, %")
    ax.set(ylim=(len(reached) - 0.5, -0.7))
apart = [np.ptp([np.mean(reached[name]) for name in as_cut]) for reached in (as_cut, after)]
axes[0].set_title(f"As cut, the five lie {apart[0]:.0f} points apart")
axes[1].set_title(f"Fine-tuned, the five lie {apart[1]:.1f} points apart")
plt.show()


# %%
def listed(values):
    return ", ".join(f"{round(value, 1) + 0:+.1f}" for value in values)  # + 0: no "-0.0"


words = "*In words: a row is a way to the small network, a mark one seed, squares are baselines. Seed by seed, in points:*\n"
for name in by_score:
    words += f"\n- *{name}: {listed(after[name] - after['by lot'])} over the lot; "
    words += f"{listed(after[name] - after['from nothing'])} over a start from nothing*"
display(Markdown(words))

# %% [markdown]
# Read it in this order.
#
# - **As cut** the ways are far apart, and all of them are far below the whole network. Whoever cannot fine-tune should choose well, and
#   cut less.
# - **Fine-tuned** they lie close together. The four scores differ from each other by no more than three seeds of one score do. **The lot
#   comes last here**, and by little: look at the lists of leads over it, and at the signs, before you believe one.
# - **From nothing** the same shape does about as well as the scores. The filters that were kept so carefully are worth no more
#   here than a fresh start with the same number of epochs.
#
# That is what Liu et al. (2019) found for large networks: in structured pruning it is the *shape* that counts, seldom the weights
# in it. The conditions here: half of the units, which is about a quarter of the MACs, a small network, twenty thousand images, two
# epochs of fine-tuning. (`benchmarks/units.py` in the repository asks the same on all training
# images, for two other networks.) Where training from nothing is too dear, pruning keeps its point: the small network is there after two epochs.

# %% [markdown]
# ## Let training choose: the group lasso
#
# Instead of scoring filters afterwards, make training decide. Chapter 02 had a penalty whose groups vanish as a whole. With a
# filter as the group:
#
# $$\Omega(W) = \lambda \sum_j \lVert w_j \rVert_2$$
#
# The pull on a filter is of constant length λ, in the direction of zero, as long as it is not zero. For a kernel (height, width, inputs,
# filters) the axes inside a group are 0, 1 and 2.
#
# Not with a BatchNormalization behind it, though. You have just seen why: it divides the length out, so training can make every
# filter short without changing a single answer, and the penalty is satisfied. We take the network without BatchNormalization
# (`models.small_cnn`), where length means something. (With it, put an L1 penalty on γ: `regularizers.BatchNormGamma`.)
#
# From chapter 02 you also know the difference between a penalty in the loss and a proximal step. We try both, with SGD. (A momentum of
# 0.9 repeats a pull in the loss 1 / (1 − 0.9), that is ten times; so λ in the loss is a tenth.) Which of the two gives filters that
# *are* zero?

# %%
STRENGTH, KERNELS = 0.05, ["conv_1/kernel", "conv_2/kernel"]


def sgd():
    return keras.optimizers.SGD(0.05, momentum=0.9)


def norms(model, layer):
    return np.linalg.norm(model.get_layer(layer).kernel.numpy().reshape(-1, model.get_layer(layer).filters), axis=0)


plain = build(0, norm=False, optimizer=sgd())
fit(plain, TRAIN + TUNE, training.Progress("no penalty"))

lasso = regularizers.GroupLasso(STRENGTH / 10, axis=(0, 1, 2))
penalised = build(0, norm=False, penalty=lasso, optimizer=sgd())
fit(penalised, TRAIN + TUNE, training.Progress("penalty in the loss"))

proximal = [build(seed, norm=False, optimizer=sgd()) for seed in SEEDS]
for seed, model in enumerate(proximal):
    step = training.Proximal(STRENGTH, axis=(0, 1, 2), paths=KERNELS)
    fit(model, TRAIN + TUNE, step, training.Progress(f"proximal step, seed {seed}"))

# %%
three = {"no penalty": plain, "penalty in the loss": penalised, "proximal step": proximal[0]}
zero = {name: np.sum(norms(model, "conv_2") == 0) for name, model in three.items()}

fig, ax = plt.subplots(figsize=(7, 3.4))
for (name, model), marker in zip(three.items(), "os^", strict=True):
    lengths = np.sort(norms(model, "conv_2"))
    ax.plot(range(1, 33), np.maximum(lengths, 1e-6), marker=marker, ms=5, label=f"{name}: {zero[name]} exactly 0")
ax.set(yscale="log", ylim=(5e-7, 5), xlabel="filters of conv_2, shortest first", ylabel="length of the filter")
ax.set_yticks([1e-6, 1e-4, 1e-2, 1], ["0", "0.0001", "0.01", "1"])
ax.set_title(f"Only the proximal step makes filters zero: {zero['proximal step']} of 32")
ax.legend(loc="upper left", bbox_to_anchor=(1.01, 1))
plt.show()

# %% [markdown]
# *In words: the lengths of 32 filters, sorted, on a logarithmic scale whose lowest line stands for exactly 0. Without a penalty all
# lengths are near one. With the penalty in the loss a part of them lies below a thousandth, none of them exactly zero. With the
# proximal step a larger part lies on the lowest line.*
#
# And what do they look like? The 16 filters of `conv_1` are 3 × 3 pictures.

# %%
fig, axes = plt.subplots(2, 16, figsize=(9.6, 1.9))
for row, (name, model) in zip(axes, {"no penalty": plain, "proximal": proximal[0]}.items(), strict=True):
    kernel = model.get_layer("conv_1").kernel.numpy()
    for j, ax in enumerate(row):
        values = kernel[:, :, 0, j]
        ax.imshow(np.where(values == 0, np.nan, values), cmap="PuOr", vmin=-0.8, vmax=0.8)
        ax.set(xticks=[], yticks=[])
    row[0].set_ylabel(name, rotation=0, ha="right", va="center")
gone = np.sum(norms(proximal[0], "conv_1") == 0)
fig.suptitle(f"Whole filters vanish: {gone} of 16 in conv_1 are empty", x=0.01, ha="left", fontsize=11)
plt.show()

# %% [markdown]
# *In words: two rows of 16 small squares. Above, without a penalty, every square is coloured. Below, most squares are blank, and the few
# that are left are strongly coloured.*
#
# No score, no fraction: how many filters stay in which layer is an outcome. Now `shrink.shrink`, without masks: it looks for
# the zeros that are there. (It warns again: a vanished filter of `conv_1` still has a bias, and `conv_2` pads.) The baseline is
# the *same shape*, trained from nothing, as long and with the same optimizer.

# %%
found, rows = [], []
for seed, model in enumerate(proximal):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the constant at the borders; the difference is in the table
        small = shrink.shrink(model)
    keras.utils.set_random_seed(seed)
    twin = keras.models.clone_model(small)  # a new start of the same shape
    compile_for_speed(twin, sgd())
    fit(twin, TRAIN + TUNE, training.Progress(f"same shape from nothing, seed {seed}"))
    found.append((small, twin))
    shape = " and ".join(str(small.get_layer(name).filters) for name in ("conv_1", "conv_2"))
    apart = np.abs(answers(model) - answers(small)).max()
    rows.append([f"seed {seed}", shape, f"{apart:.1g}", f"{accuracy(small):.1f}", f"{accuracy(twin):.1f}"])
report.Table(["", "filters left", "shrunk against unshrunk", "group lasso, %", "same shape from nothing, %"], rows)

# %% [markdown]
# Of 16 and 32 filters only a part is left, and the network still works. Hold the last two columns against each other, row by row. Where
# the signs differ, three seeds do not tell who is better; the test images at the end are a second look. One thing is sure
# either way: the lasso gave the **shape**, layer by layer. It gave another one for each seed, and how narrow it is depends on λ. So
# you search for one number instead of one for each layer. (It also pulls on the filters that stay; a few epochs without the penalty would give some of that back.)
#
# ## What was gained
#
# Now the other half of the article's sentence: smaller and faster. One network each with a quarter, a half and three quarters of the units
# removed, that of the lasso, and a control: half of the units as zeros *in place*. All are written as `.tflite` files (chapter 08 says
# more about these) and take turns on the clock, in five rounds.

# %%
kept = {f"{share:.0%} of the units": share for share in (0.75, 0.5, 0.25)}
candidates = {"whole": longer[0], "zeros in place of half": copy(longer[0])}
training.hold(candidates["zeros in place of half"], channel_masks(longer[0], half, ["kernel", "bias", "gamma", "beta"]))
for name, share in kept.items():
    keep = shrink.keep_highest(longer[0], scores.unit_norm(longer[0]), share)
    candidates[name] = shrink.remove_units(longer[0], keep)
candidates["group lasso"] = found[0][0]

with tempfile.TemporaryDirectory() as folder:
    files = [deploy.to_tflite(model, Path(folder) / f"{i}.tflite") for i, model in enumerate(candidates.values())]
    file_bytes = [file.stat().st_size for file in files]
    rounds = [[taken.median for taken in deploy.latency(files, runs=500)] for _ in range(5)]
times = 1000 * np.array(rounds)  # (rounds, networks), microseconds

# %%
rows = []
for (name, model), size, taken in zip(candidates.items(), file_bytes, times.T, strict=True):
    cost = report.summary(model)
    numbers = [f"{cost.parameters:,}", f"{cost.zeros:,}", f"{cost.macs:,}", f"{size:,}"]
    rows.append([name, *numbers, f"{np.median(taken):.2f}", f"{taken.min():.2f}–{taken.max():.2f}"])
report.Table(["network", "parameters", "zeros", "MACs", "file, bytes", "time, µs, median", "five rounds"], rows)

# %%
macs = np.array([report.summary(model).macs for model in candidates.values()])
share_macs, share_time = 100 * macs / macs[0], 100 * np.median(times, axis=0) / np.median(times[:, 0])
faster = {name: 100 / share for name, share in zip(candidates, share_time, strict=True)}

fig, ax = plt.subplots(figsize=(6.4, 3.8))
ax.plot([0, 100], [0, 100], color=plots.GREY, ls=":", label="time as the MACs promise")
ax.plot(share_macs, share_time, "o", ls="", ms=8)
for name, x, y in zip(candidates, share_macs, share_time, strict=True):
    offset = (10, -4) if x < 50 else (6, -16) if name == "whole" else (6, 8)
    ax.annotate(name, (x, y), offset, textcoords="offset points", ha="left" if x < 50 else "right", fontsize=9)
ax.set(xlabel="MACs left, %", ylabel="time of one image, %", xlim=(0, 108), ylim=(0, 125))
some, most = faster["50% of the units"], faster["75% of the units"]
ax.set_title(f"Half of the units left: {some:.1f}× faster; three quarters left: {most:.1f}×")
ax.legend(loc="lower right")
plt.show()

# %%
words = "In words: a point for each network, MACs to the right, time upwards, both in percent of the whole network. "
pairs = zip(candidates, share_macs, share_time, strict=True)
words += "; ".join(f"{name}: {x:.0f}% and {y:.0f}%" for name, x, y in pairs)
display(Markdown(f"*{words}.*"))

# %% [markdown]
# - **Zeros in place** save no parameter, no MAC, no byte and no time. The arithmetic is the same.
# - **Bytes** follow the parameters closely. What is removed is gone, also without gzip.
# - **Time** follows the MACs from afar. Points above the dotted line save less time than work: some of the time is needed whatever
#   the number of filters.
# - **And a quarter fewer units may save nothing at all.** Look at that point: far fewer MACs, about the same time, if your
#   processor is like ours. A likely reason: its instructions take 8 or 16 channels at once, and then twelve filters cost what
#   sixteen cost. Chapter 12 looks into it. Remove filters in sizes that your hardware likes, and measure.
#
# ## Open the box: the test split, once
#
# Nothing more will be chosen. The four scores are reported all, not only the winner on validation.

# %%
test = {name: reached_by(weights, fashion.test) for name, weights in tuned.items()}
test["whole"] = np.array([accuracy(model, fashion.test) for model in longer])
test["group lasso"] = np.array([accuracy(small, fashion.test) for small, _ in found])
test["lasso's shape from nothing"] = np.array([accuracy(twin, fashion.test) for _, twin in found])

opponents = dict.fromkeys([*by_score, "from nothing", "whole"], "by lot") | {
    "group lasso": "lasso's shape from nothing"
}
rows = []
for name, values in test.items():
    lead = listed(values - test[opponents[name]]) if name in opponents else "–"
    rows.append([name, spread(values), opponents.get(name, "–"), lead])
report.Table(["network", "test accuracy, %", "baseline", "lead, seed by seed"], rows)

# %% [markdown]
# ## Were you right?

# %%
by_scores = np.mean([test[name] for name in by_score], axis=0)  # of the four scores, for each seed
lost, won = test["whole"] - by_scores, by_scores - test["by lot"]
measured = {
    "half removed: points lost": f"{lost.mean():.1f} ({listed(lost)})",
    "scores minus lot: points": f"{won.mean():.1f} ({listed(won)})",
    "half removed: times faster": f"{faster['50% of the units']:.1f}",
    "a quarter removed: times faster": f"{faster['75% of the units']:.1f}",
}
report.Table(["", "you wrote", "measured"], [[name, str(prediction[name]), value] for name, value in measured.items()])

# %% [markdown]
# (Accuracies on the test images, the mean of the four scores; in brackets the three seeds.)
#
# **The article's claims, tested**
#
# - *"Neurons, channels or layers are pruned"* (2.3): yes, with what belongs to them. A channel is a column here, a vector entry
#   there, and rows somewhere else; an addition ties channels of several layers together; a layer can go only where the shapes
#   allow it.
# - *"Makes the model smaller and inference faster"* (2.1): smaller, yes, in bytes as in parameters. Faster, yes for the half, far less
#   than the MACs say, and for a quarter not on every machine. With zeros in place, no.
# - *"Removes unimportant parts"* (2.1): without fine-tuning it matters which. With fine-tuning a score was worth a little more than the
#   lot, no score more than another, and none more than the same shape from nothing. That the filters kept are the important ones, and
#   worth keeping, we could not confirm here. The one place where it may have paid to start large is the narrow shape of the lasso:
#   see its lead in the last table.
#
# **Take with you**
# - Ask every array: do you make the channel, scale it, or read it?
# - Behind `Flatten` a filter is many rows, one for each place, not one block.
# - A zero kernel is not a silent filter. Bias, γ, β and μ go as well.
# - Compare masked with shrunk. The worst mistakes have the right shapes.
# - The lot and a fresh start are the baselines. Shape first, then weights.
#
# ## Five questions
#
# Answer in your head, then open the answer.
#
# **1.** A convolution with 64 filters gives 8 × 8 places and is read by `Flatten` and a dense layer with 100 units. You remove one
# filter. How many weights of the dense layer go?
#
# <details><summary>Answer</summary>
#
# 64 places, so 64 rows of 100 weights: 6,400. The filter itself may have had no more than nine.
#
# </details>
#
# **2.** Somebody shrinks a network and finds 10% accuracy on ten classes. Which two suspects do you look at first?
#
# <details><summary>Answer</summary>
#
# The rows behind `Flatten`, and the entries of BatchNormalization: both can be wrong with the right shapes. Compare with the
# masked network; if the masked one is as bad, it was the cut itself, not a mistake.
#
# </details>
#
# **3.** In a residual block $x + f(x)$ you want to remove channel 7 of the last convolution in $f$. What else goes?
#
# <details><summary>Answer</summary>
#
# Channel 7 of everything that is added to the same sum: the convolution that made $x$, those of the other blocks of the stage, their
# BatchNormalizations, and input 7 of all that read the sum.
#
# </details>
#
# **4.** Why is it a bad idea to put a group lasso on a convolution with a BatchNormalization behind it?
#
# <details><summary>Answer</summary>
#
# The BatchNormalization divides the length out. Training can shorten all filters and change nothing, so the penalty no
# longer asks which filter is needed. Penalise γ.
#
# </details>
#
# **5.** A paper reports that its score beats the norm by 0.3 points after fine-tuning, with one seed. What do you ask for?
#
# <details><summary>Answer</summary>
#
# More seeds and their spread, random filters fine-tuned as long, and the same shape trained from nothing for as many epochs in all.
#
# </details>
#
# **Try it yourself.** Set `LEFT = 0.25` and run the race again: does choosing matter more when more has to go? Or train
# `models.small_resnet()` for a few epochs and remove one block at a time.
#
# **Graded next:** [the exercises of this chapter](../exercises/07_structured_pruning.ipynb). You remove a filter from every array by
# hand, follow a channel through a concatenation, and decide which claims three seeds allow.
#
# **Further reading**
# - H. Li, A. Kadav, I. Durdanovic, H. Samet, H. P. Graf, *Pruning Filters for Efficient ConvNets*, ICLR 2017, arXiv:1608.08710.
# - Z. Liu, J. Li, Z. Shen, G. Huang, S. Yan, C. Zhang, *Learning Efficient Convolutional Networks through Network Slimming*, ICCV
#   2017, arXiv:1708.06519: the γ score.
# - P. Molchanov, S. Tyree, T. Karras, T. Aila, J. Kautz, *Pruning Convolutional Neural Networks for Resource Efficient Inference*,
#   ICLR 2017, arXiv:1611.06440: the Taylor score.
# - Y. He, P. Liu, Z. Wang, Z. Hu, Y. Yang, *Filter Pruning via Geometric Median for Deep Convolutional Neural Networks
#   Acceleration*, CVPR 2019, arXiv:1811.00250.
# - W. Wen, C. Wu, Y. Wang, Y. Chen, H. Li, *Learning Structured Sparsity in Deep Neural Networks*, NIPS 2016, arXiv:1608.03665: the
#   group lasso on filters.
# - Z. Liu, M. Sun, T. Zhou, G. Huang, T. Darrell, *Rethinking the Value of Network Pruning*, ICLR 2019, arXiv:1810.05270.
# - G. Fang, X. Ma, M. Song, M. B. Mi, X. Wang, *DepGraph: Towards Any Structural Pruning*, CVPR 2023, arXiv:2301.12900:
#   dependency groups.

# %% tags=["nbval-check-output"]
from course_lib.classroom import finish

finish("07")
