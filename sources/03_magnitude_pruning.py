# %% [markdown]
# # Magnitude pruning
#
# **The question.** A trained net has hundreds of thousands of weights. Throw away the small ones. How many can go before
# anybody notices, and is "small" really the right reason to go?
#
# The article that this course follows has a recipe of four steps (its section 3.1): train a model that is larger than it
# needs to be; rank its weights, by size or by what they do to the loss; zero the lowest; fine-tune what is left.
#
# You will take each step by hand, see where the recipe says too little, and then ask what it is worth.
#
# **Afterwards you can**
# - rank, mask, zero and fine-tune, by hand and with the library;
# - choose between a ranking of the whole model and one for each layer;
# - prune at once or in rounds;
# - judge a pruned net against a randomly pruned one and against a small dense one.
#
# 60 minutes · runs in about a minute and a half · needs chapter 02

# %%
from course_lib import quiet

quiet.tensorflow()

from functools import partial

import keras
import matplotlib.pyplot as plt
import numpy as np
from IPython.display import Markdown, display

from course_lib import data, masks, models, plots, report, scores, training, variables
from course_lib.schedules import Iterative, OneShot, Polynomial

plots.style()

# %% [markdown]
# ## Before you run anything
#
# LeNet-300-100 has 266,200 weights and 410 biases. You train it on Fashion-MNIST and set the smallest weights to zero.
# **Sparsity** is the fraction of weights that are zero. How far can it rise before the accuracy falls by more than one
# percentage point? Once if you only zero, and once if you train on for a little afterwards.
#
# Write two percentages in place of the dots. We come back to them.

# %%
prediction = {"zero only": "…", "zero, then fine-tune": "…"}

# %% [markdown]
# ## Twenty-five weights
#
# Rank by absolute value: the largest gets rank 1. The sign does not matter, −2 pulls as hard as 2.
# Then keep ranks 1 to 10 and zero the other fifteen weights. That is a sparsity of 60%.

# %% tags=["nbval-check-output"]
w = np.random.default_rng(19).normal(size=(5, 5)).round(1)
order = np.argsort(-np.abs(w), axis=None, kind="stable")  # flat indices, largest magnitude first
rank = np.empty(w.size, int)
rank[order] = np.arange(1, w.size + 1)

print(rank.reshape(w.shape))

# %%
mask = rank.reshape(w.shape) <= 10

fig, axes = plt.subplots(1, 2, figsize=(7, 3.6))
plots.matrix(w, "25 weights", axes[0])
plots.matrix(w * mask, f"the {mask.sum()} largest, {np.mean(~mask):.0%} zeros", axes[1], limit=2)
plt.show()

# %% [markdown]
# *In words: two 5 × 5 grids. On the left all entries are coloured by size and sign. On the right only the ten darkest
# are left, of either sign; the other fifteen squares are empty and show 0.*
#
# The array of True and False is the **mask**. It is worth having as a thing of its own: you can count it, compare it
# with another, and above all apply it again. You will see why.
#
# ### A tie
#
# Which weights have ranks 10 and 11?

# %% tags=["nbval-check-output"]
for place in order[9:11]:
    row, column = divmod(place, 5)
    print(f"rank {rank[place]}: weight {w[row, column]:+.1f} at row {row}, column {column}, index {place}")

# %% [markdown]
# They have the same magnitude, and the cut runs between them. A **tie**. "Keep everything above a threshold"
# cannot cut there: it keeps both or drops both, and the sparsity is not what you asked for. This course decides:
# **of equals, the lower flat index stays.** (The flat index counts entries row by row, from 0.)
# In float32 a tie is rare. In 8 bits, or where many weights are already zero, it is the rule.
#
# ## Two layers of different size
#
# A model has more than one matrix. Are the weights of all layers ranked together, or each layer by itself? Below, the
# entries of B are on the whole smaller than those of A. Half of all weights shall go.

# %%
rng = np.random.default_rng(190)
layers = {"A": rng.normal(size=(4, 4)).round(1), "B": (0.35 * rng.normal(size=(4, 4))).round(1)}
magnitudes = {name: np.abs(m) for name, m in layers.items()}

fig, axes = plt.subplots(2, 3, figsize=(7.5, 5.2))
for column, scope in enumerate([None, "tensor", "global"]):
    kept = masks.from_scores(magnitudes, 0.5, scope=scope) if scope else None
    for ax, (name, m) in zip(axes[:, column], layers.items(), strict=True):
        title = f"{scope}: {kept.per_tensor()[name]:.0%} of {name} pruned" if scope else f"layer {name}"
        plots.matrix(m * kept[name] if scope else m, title, ax, limit=np.abs(layers["A"]).max())
plt.show()

# %% [markdown]
# *In words: three pairs of 4 × 4 grids, A above B. On the left all weights. In the middle, ranked layer by layer, A and B
# lose eight entries each. On the right, ranked together, the pale layer B loses most of its entries and A few.*
#
# - Scope **tensor**: every layer gets the same sparsity. Weights are compared only with their neighbours.
# - Scope **global**: one ranking and one threshold for the whole model. Each layer's sparsity is an *outcome*.
#
# Global compares apples with pears when layers differ in scale for reasons that have nothing to do with importance.
# Tensor takes the same share from a layer of 1,000 weights as from one of 235,200. Neither is right by definition. We will
# measure.
#
# ## The formula
#
# Of $n$ weights, at sparsity $s$, keep those with the highest $|w|$. How many? Round half up, and never keep none:
#
# $$k = \max\bigl(n - \lfloor s\,n + \tfrac12 \rfloor,\; 1\bigr), \qquad
# m_i = 1 \text{ if } |w_i| \text{ is among the } k \text{ largest, else } 0$$
#
# Two lines are the formula, how many and which. The rest turns "which" into an array.


# %%
def magnitude_mask(w, sparsity):
    kept = max(w.size - int(np.floor(sparsity * w.size + 0.5)), 1)
    order = np.argsort(-np.abs(w), axis=None, kind="stable")  # stable: equals stay in order
    mask = np.zeros(w.shape, bool)
    mask.flat[order[:kept]] = True
    return mask


# %% [markdown]
# The library has the same rule in `masks.from_scores`. It ranks *any* score, not just $|w|$, and takes a dictionary of
# arrays, one for each layer. Do the two agree, on our matrix with its ties?

# %% tags=["nbval-check-output"]
for sparsity in [0.0, 0.5, 0.6, 0.9, 0.99, 1.0]:
    by_library = masks.from_scores({"w": np.abs(w)}, sparsity)["w"]
    same = np.array_equal(magnitude_mask(w, sparsity), by_library)
    print(f"sparsity {sparsity:4.0%}: {by_library.sum():2} of 25 kept, the same mask: {same}")

# %% [markdown]
# Note the last two rows. There the rounding alone would keep none of 25, and the maximum in the formula keeps
# one. A model without any weight would be no model.
#
# ## Step 1: train
#
# Now the real net. To be quick we train on 20,000 of the 55,000 training images, in batches of 256, for six epochs. Expect
# a little less accuracy than on all of them. We do it **three times**, from three random starts, because every
# comparison below has to be larger than the difference between two lucky seeds. The 5,000 validation images
# are there for choosing. The test images stay in their box until the end.

# %%
fashion = data.fashion_mnist()
images, labels = fashion.train.x[:20_000], fashion.train.y[:20_000]
TRAIN, FINE_TUNE = 6, 3  # epochs


def build(seed, width=1.0, optimizer="adam"):
    keras.utils.set_random_seed(seed)
    model = models.lenet_300_100(width=width)
    model.compile(optimizer, "sparse_categorical_crossentropy")
    return model


def fit(model, epochs, *callbacks):
    model.fit(images, labels, batch_size=256, epochs=epochs, verbose=0, callbacks=callbacks)


def accuracy(model, split=fashion.validation):
    return np.mean(model(split.x).numpy().argmax(-1) == split.y)


# %%
dense = [build(seed) for seed in range(3)]
for seed, model in enumerate(dense):
    fit(model, TRAIN, training.Progress(f"dense, seed {seed}"))

# %% [markdown]
# Every experiment below starts from these three nets. So keep what training left behind, to go back to it: the weights,
# and the optimizer's own variables too (Adam remembers an average of past gradients for every weight).


# %%
def snapshot(model):
    return [v.numpy() for v in (*model.weights, *model.optimizer.variables)]


def go_back(model, trained):
    for variable, value in zip((*model.weights, *model.optimizer.variables), trained, strict=True):
        variable.assign(value)


def spread(values):
    """Mean ± standard deviation over the seeds, in percent."""
    return f"{100 * np.mean(values):.1f} ± {100 * np.std(values, ddof=1):.1f}"


trained = [snapshot(model) for model in dense]
print("dense, validation accuracy in %:", spread([accuracy(model) for model in dense]))

# %% [markdown]
# ## Steps 2 and 3: rank and zero
#
# A **score** is a function that gives every prunable weight a number, high = keep. `scores.magnitude` is $|w|$. Beside it we
# put the baseline that every score has to beat: `scores.random`, a throw of the dice. Zeroing by hand is one
# multiplication for each kernel. The biases stay: they are few.
#
# There is no training here, only evaluation, so we can afford a fine grid: twelve sparsities, three rankings, three nets.


# %%
def zero(model, pruned):
    for path, kernel in variables.prunable(model).items():
        kernel.assign(kernel.numpy() * pruned[path])


rankings = {
    "magnitude, global": (lambda model, seed: scores.magnitude(model), "global"),
    "magnitude, per layer": (lambda model, seed: scores.magnitude(model), "tensor"),
    "random": (lambda model, seed: scores.random(model, seed=seed), "tensor"),
}
sparsities = np.array([0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98])
zeroed = {name: np.zeros((len(sparsities), len(dense))) for name in rankings}
for name, (score, scope) in rankings.items():
    for row, sparsity in enumerate(sparsities):
        for seed, model in enumerate(dense):
            zero(model, masks.from_scores(score(model, seed), sparsity, scope=scope))
            zeroed[name][row, seed] = accuracy(model)
            go_back(model, trained[seed])


# %%
def highest_within_a_point(sparsities, accuracies, reference):
    """The highest sparsity whose mean accuracy is at most one point below the reference."""
    return max(s for s, a in zip(sparsities, accuracies, strict=True) if np.mean(a) >= reference - 0.01)


by_magnitude = zeroed["magnitude, global"]
zero_only = highest_within_a_point(sparsities, by_magnitude, by_magnitude[0].mean())

fig, ax = plt.subplots()
for name, reached in zeroed.items():
    ax.plot(100 * sparsities, 100 * reached.mean(axis=1), marker="o", ms=4, label=name)
    ax.fill_between(100 * sparsities, 100 * reached.min(axis=1), 100 * reached.max(axis=1), alpha=0.15)
ax.set(xlabel="sparsity, %", ylabel="validation accuracy, %", ylim=(0, 100))
ax.set_title(f"Only zeroed: within a point of dense up to {zero_only:.0%}")
ax.legend(loc="lower left")
plt.show()

# %% [markdown]
# *In words: three lines fall from the dense accuracy to about 10%, which is guessing among ten classes. The random
# line falls at once. The two magnitude lines stay level first. The per-layer line then falls step by step; the global one
# holds longer and falls steeply at the end. The shaded bands, from the worst to the best of three seeds, are wide on the slope.*
#
# Small weights matter less than random ones; that much is clear, and it took no training to see. One global
# ranking beats the same sparsity for each layer here. Let us see what it took from where.
#
# ## Where the zeros are
#
# Three masks of one net (seed 0), under global scope. Read along the rows.


# %%
def magnitude_masks(model, sparsity):
    return masks.from_scores(scores.magnitude(model), sparsity)


shown = [0.5, 0.9, 0.98]
of_model = {s: magnitude_masks(dense[0], s) for s in shown}
rows = [
    [path, f"{kernel.size:,}", *(f"{of_model[s].per_tensor()[path]:.1%}" for s in shown)]
    for path, kernel in of_model[0.9].items()
]
total = sum(kernel.size for kernel in of_model[0.9].values())
rows.append(["whole model", f"{total:,}", *(f"{of_model[s].sparsity:.1%}" for s in shown)])
report.Table(["kernel", "weights", *(f"pruned at {s:.0%}" for s in shown)], rows)

# %% [markdown]
# **The sparsity of a layer is not the sparsity of the model.** The large first layer pays for almost everything.
# The small output layer, with its larger weights, keeps the largest share. The model's sparsity is the mean of the layers'
# *weighted by their sizes*; the plain mean of the three is a different number. When a paper says 90%, ask: of what?
#
# ### What is left of each pixel
#
# Each pixel of the image feeds 300 weights of the first layer. Count how many survive and put the counts where the pixels
# are. Before you look: images of clothes have a dark border in which hardly anything ever happens. What will
# the picture look like?
#
# Beside our three nets, three more to compare with: the same starts, the same images, but plain SGD with momentum in
# place of Adam.

# %%
by_sgd = [build(seed, optimizer=keras.optimizers.SGD(0.1, momentum=0.9)) for seed in range(3)]
for seed, model in enumerate(by_sgd):
    fit(model, TRAIN, training.Progress(f"SGD, seed {seed}"))

varies = images.std(axis=0)[..., 0]  # (28, 28): how much each pixel differs between images
dim = varies <= np.quantile(varies, 0.1)  # the tenth of the pixels in which least happens

survivors = {}  # {optimizer: (28, 28)}, of 300 weights a pixel, mean over three seeds
for name, nets in {"Adam": dense, "SGD": by_sgd}.items():
    firsts = [magnitude_masks(model, 0.9)["dense_1/kernel"] for model in nets]  # each (784, 300)
    survivors[name] = np.mean([first.sum(axis=1) for first in firsts], axis=0).reshape(28, 28)
in_dim = {name: kept[dim].mean() for name, kept in survivors.items()}
in_rest = {name: kept[~dim].mean() for name, kept in survivors.items()}

# %%
fig, axes = plt.subplots(1, 3, figsize=(9.6, 3.4))
panels = {"standard deviation of each pixel": varies}
panels |= {f"weights kept, {name}": kept for name, kept in survivors.items()}
for ax, (name, picture) in zip(axes, panels.items(), strict=True):
    top = None if picture is varies else max(kept.max() for kept in survivors.values())
    drawn = ax.imshow(picture, cmap="cividis", vmin=0, vmax=top)
    ax.set(title=name, xticks=[], yticks=[])
    fig.colorbar(drawn, ax=ax, shrink=0.75)
counts = " and ".join(f"{kept:.0f} under {name}" for name, kept in in_dim.items())
fig.suptitle(f"Of 300 weights on a dim pixel, {counts} survive", x=0.01, ha="left", fontsize=11)
plt.show()

# %%
words = "In words: three 28 × 28 pictures. Left, how much each pixel varies: dark at the edges, a bright middle."
for place, name in {"Centre": "Adam", "Right": "SGD"}.items():
    words += (
        f" {place}, the weights that survive under {name} when 90% of the model is pruned: on average "
        f"{in_dim[name]:.0f} in the dimmest tenth of the pixels, {in_rest[name]:.0f} in the others."
    )
display(Markdown(f"*{words}*"))

# %% [markdown]
# Surprised? So were we. "The useless border goes" is what one expects, and what SGD does. Under Adam the border *stays*, and
# the middle is thinned out.
#
# Why? The gradient of a first-layer weight is proportional to its pixel. Where the pixel is nearly always zero,
# SGD hardly moves the weight from its small random start. Adam divides each gradient by its own usual size, so that even a
# rare, faint gradient makes a full step. We can check: `build(seed)` gives the random start again.


# %%
def first_layer(model):
    return model.get_layer("dense_1").kernel


starts = [first_layer(build(seed)).numpy() for seed in range(3)]
print("mean distance of first-layer weights from their start")
for name, nets in {"Adam": dense, "SGD": by_sgd}.items():
    moved = [np.abs(first_layer(model).numpy() - start) for model, start in zip(nets, starts, strict=True)]
    moved = np.mean(moved, axis=(0, 2)).reshape(28, 28)  # over seeds and each pixel's 300 weights
    print(f"{name:4}  dim pixels: {moved[dim].mean():.3f}   others: {moved[~dim].mean():.3f}")

# %% [markdown]
# **Under Adam, weights on pixels that say little grow large all the same, and magnitude takes them for important.** Are they?
# Ask the nets: zero all weights on the dim pixels and look at the accuracy. For scale, do the same to as many pixels
# drawn by lot.


# %%
def accuracy_without(pixels, model):
    kernel = first_layer(model)
    whole = kernel.numpy()
    kernel.assign(whole * ~pixels.reshape(-1, 1))
    reached = accuracy(model)
    kernel.assign(whole)
    return reached


drawn = np.random.default_rng(0).permutation(dim.ravel())
lost = {"none": np.zeros_like(dim), "dim": dim, "by lot": drawn}
for name, pixels in lost.items():
    reached = [accuracy_without(pixels, model) for model in dense]
    print(f"pixels taken away, {name:6}: {pixels.sum():2}, validation accuracy {spread(reached)} %")

# %% [markdown]
# Move the sparsity yourself. On the left, all weights of the net by size, with the threshold that the ranking puts between
# kept and zeroed; on the right, how many of its 300 weights each pixel keeps. (A page on the web shows one position.)

# %%
import ipywidgets

sizes_of_all = np.concatenate([np.abs(kernel.numpy()).ravel() for kernel in variables.prunable(dense[0]).values()])


def threshold_at(sparsity):
    of_kernel = magnitude_masks(dense[0], sparsity)
    _, axes = plt.subplots(1, 2, figsize=(9, 3.2), width_ratios=[2, 1])
    smallest_kept = np.quantile(sizes_of_all, sparsity)
    axes[0].hist(sizes_of_all, bins=np.linspace(0, 0.3, 61), color=plots.SKY)
    axes[0].axvline(smallest_kept, color=plots.ORANGE)
    axes[0].set(xlabel="|w|", ylabel="weights", title=f"{sparsity:.0%} lie left of {smallest_kept:.3f}")
    left = next(iter(of_kernel.values())).sum(axis=1).reshape(28, 28)
    axes[1].imshow(left, cmap="cividis", vmin=0, vmax=300)
    axes[1].set(xticks=[], yticks=[], title=f"weights left at a pixel: {left.min()} to {left.max()}")
    plt.show()


ipywidgets.interactive(threshold_at, sparsity=ipywidgets.FloatSlider(0.9, min=0.0, max=0.99, step=0.01))

# %% [markdown]
# *In words: on the left, a hill of weights by their size, highest close to zero, and a vertical line, the threshold. On the
# right, the 28 × 28 pixels of an image, brighter where more weights are left: that is along the border. The middle is
# darkest.*
#
# The dim pixels can go nearly for free, however large their weights. Large is not the same as important. Magnitude is
# a guess, cheap and often good. Chapter 04 asks the loss instead.
#
# ## Step 4: fine-tune, and a trap
#
# Zero 90% of one net and train on for a single epoch. Just as the recipe says.


# %%
def share_of_zeros(model):
    return masks.Masks.of_zeros(model).sparsity


zero(dense[0], magnitude_masks(dense[0], 0.9))
print(f"after zeroing:  {share_of_zeros(dense[0]):6.1%} zeros, accuracy {accuracy(dense[0]):.1%}")
fit(dense[0], 1)
print(f"one epoch more: {share_of_zeros(dense[0]):6.1%} zeros, accuracy {accuracy(dense[0]):.1%}")

# %% [markdown]
# The accuracy is back. And nearly all zeros are gone: nothing told the optimizer to leave them alone. A zero weight
# has a gradient like any other, and Adam's momentum besides. You have trained a dense net, with a detour. Whoever looks only
# at the accuracy will never know.
#
# The article's step 4 leaves out the one thing that matters: **the mask has to be applied after every optimizer step.**
#
# $$w \leftarrow m \odot (w - \text{step})$$
#
# `training.hold(model, masks)` does that inside Keras's own training step. The mask comes *after* the step, not before it, and
# on the weight, not on the gradient: momentum alone would move the weight even if its gradient were zero.

# %%
go_back(dense[0], trained[0])
training.hold(dense[0], magnitude_masks(dense[0], 0.9))
print(f"held:           {share_of_zeros(dense[0]):6.1%} zeros, accuracy {accuracy(dense[0]):.1%}")
fit(dense[0], 1)
print(f"one epoch more: {share_of_zeros(dense[0]):6.1%} zeros, accuracy {accuracy(dense[0]):.1%}")

# %% [markdown]
# Now the zeros stay, and the accuracy returns without them. The weights that are left have learned to do the work.
#
# ## How far can it go?
#
# Fine-tune at several sparsities, three seeds each, three epochs each. And a control: sparsity 0, that is the dense
# nets trained on for the same three epochs. Without it we would credit pruning with what more training did.
#
# We shall have to choose one sparsity, so **the rule is written down before the run**: *the highest sparsity whose mean
# validation accuracy is at most one point below that of the dense nets that were trained as long.*


# %%
def fine_tune(masks_for):
    """Prune each dense net with masks_for(model, seed) and fine-tune it; the three sets of weights."""
    tuned = []
    for seed, model in enumerate(dense):
        go_back(model, trained[seed])
        training.hold(model, masks_for(model, seed))
        keras.utils.set_random_seed(seed)  # every method sees the images in the same order
        fit(model, FINE_TUNE)
        tuned.append(model.get_weights())
    return tuned


def accuracies(weights, split=fashion.validation):
    reached = []
    for model, values in zip(dense, weights, strict=True):
        model.set_weights(values)
        reached.append(accuracy(model, split))
    return np.array(reached)


# %%
def by_size(model, seed, sparsity):
    return magnitude_masks(model, sparsity)


tuned_at = [0.0, 0.5, 0.8, 0.9, 0.95, 0.98]
magnitude, validation = {}, {}
for sparsity in tuned_at:
    magnitude[sparsity] = fine_tune(partial(by_size, sparsity=sparsity))
    validation[sparsity] = accuracies(magnitude[sparsity])
    print(f"sparsity {sparsity:4.0%}: validation accuracy {spread(validation[sparsity])} %")

# %% tags=["cover"]
chosen = highest_within_a_point(tuned_at, validation.values(), validation[0.0].mean())

fig, ax = plt.subplots()
reached = 100 * np.array(list(validation.values()))  # (sparsities, seeds)
kept = 100 * (1 - np.array(tuned_at))
style = {"marker": "o", "capsize": 3, "label": "fine-tuned"}
ax.errorbar(kept, reached.mean(axis=1), reached.std(axis=1, ddof=1), **style)
ax.plot(100 * (1 - sparsities), 100 * by_magnitude.mean(axis=1), marker="s", ms=4, label="only zeroed")
ax.axhline(reached[0].mean() - 1, color=plots.GREY, ls=":", label="one point below dense")
ax.set(xlabel="weights kept, % (logarithmic)", ylabel="validation accuracy, %", ylim=(60, 92))
ax.set(xscale="log", xlim=(110, 1.8), xticks=kept, xticklabels=[f"{k:.0f}" for k in kept])
ax.minorticks_off()
ax.set_title(f"Fine-tuned, {1 - chosen:.0%} of the weights are within a point of dense")
ax.legend(loc="lower left")
plt.show()

# %%
words = (
    "In words: from left to right fewer weights are kept; bars, hardly visible, are the standard deviation "
    "of three seeds. The line of the nets that were only zeroed soon falls out of the picture. The line of "
    f"the fine-tuned nets runs level for long. Its last point above the dotted line is that of {chosen:.0%} "
    f"sparsity; at 98% it has come down to {100 * validation[0.98].mean():.1f}%."
)
display(Markdown(f"*{words}*"))

# %% [markdown]
# The rule has chosen. Where the line is level, pruned nets may even lie a little above the dense ones. That gap is
# small next to the fall on the right, and three seeds do not settle whether it is real.
#
# Note also what a sparsity is: the fraction of *weights* that are zero. **It is not a fraction of bytes,** since a zero
# takes as much room as any other number until something stores it otherwise; chapter 08 counts the bytes.
#
# ## Compared with what?
#
# "It still works" is not yet a reason to rank by magnitude. Four opponents, all with about as many weights:
#
# 1. **Random, evenly**: every layer loses the same share, by lot. Fine-tuned as long.
# 2. **Random, with magnitude's layers**: each layer keeps *as many* weights as under magnitude, but which ones
#    is decided by lot. It tells how much of the success is "how many from each layer" and how much is "which".
# 3. **A small dense net**: LeNet-300-100 made narrower, until it has about as many parameters as the pruned one keeps.
#    It is trained from scratch for all nine epochs, as many as the pruned nets had in total.
# 4. At 98%, **one hidden layer** as well, because a LeNet that small has a problem of its own, as you will see.


# %%
def random_evenly(model, seed, sparsity):
    return masks.from_scores(scores.random(model, seed=seed), sparsity, scope="tensor")


def random_same_layers(model, seed, sparsity):
    layer_sparsities = magnitude_masks(model, sparsity).per_tensor()
    return masks.from_scores(scores.random(model, seed=seed), None, scope=layer_sparsities)


compared_at = [chosen, 0.98]
at_random = {"random, evenly": random_evenly, "random, magnitude's layers": random_same_layers}
random = {sparsity: {} for sparsity in compared_at}  # {sparsity: {name: three sets of weights}}
for sparsity in compared_at:
    for name, masks_for in at_random.items():
        random[sparsity][name] = fine_tune(partial(masks_for, sparsity=sparsity))
        print(f"{sparsity:.0%} {name:27} {spread(accuracies(random[sparsity][name]))} %")

# %% [markdown]
# Now the small dense nets. What width gives as many parameters? With $a$ and $b$ hidden units, counting biases, the net has
# $784a + a + ab + b + 10b + 10$ of them. The pruned net keeps its unpruned weights and all 410 biases.


# %%
def parameters(width):
    a, b = max(1, round(300 * width)), max(1, round(100 * width))
    return 784 * a + a + a * b + b + 10 * b + 10


def units(model):
    return "-".join(str(layer.units) for layer in model.layers if hasattr(layer, "units"))


widths = np.arange(0.01, 1, 0.001)
small = {}  # {sparsity: three nets}
for sparsity in compared_at:
    budget = total - int(np.floor(sparsity * total + 0.5)) + 410
    width = widths[np.argmin([abs(parameters(width) - budget) for width in widths])]
    small[sparsity] = [build(seed, width) for seed in range(3)]
    print(f"{sparsity:.0%} pruned keeps {budget:,}; dense {units(small[sparsity][0])} has {parameters(width):,}")

# %% [markdown]
# Look at the net for 98%. Its second hidden layer has so few units that ten classes have to squeeze through them. That is a
# handicap of shape, not of size. So we give that budget a second chance: a single hidden layer, the same parameters.


# %%
def one_hidden_layer(seed):
    keras.utils.set_random_seed(seed)
    hidden, output = keras.layers.Dense(7, "relu"), keras.layers.Dense(10, "softmax")
    model = keras.Sequential([keras.Input((28, 28, 1)), keras.layers.Flatten(), hidden, output])
    model.compile("adam", "sparse_categorical_crossentropy")
    return model


one_layer = [one_hidden_layer(seed) for seed in range(3)]
for nets in [*small.values(), one_layer]:
    for model in nets:
        fit(model, TRAIN + FINE_TUNE)
    reached = spread([accuracy(model) for model in nets])
    print(f"dense {units(nets[0]):8} {nets[0].count_params():6,} parameters: {reached} %")

# %%
opponents = {}  # {sparsity: {name: accuracies of three seeds}}
for sparsity in compared_at:
    opponents[sparsity] = {"magnitude": validation[sparsity]}
    opponents[sparsity] |= {name: accuracies(weights) for name, weights in random[sparsity].items()}
    opponents[sparsity]["small dense"] = np.array([accuracy(model) for model in small[sparsity]])
opponents[0.98]["one hidden layer"] = np.array([accuracy(model) for model in one_layer])

fig, axes = plt.subplots(1, 2, figsize=(9.6, 3.4))
for ax, (sparsity, reached) in zip(axes, opponents.items(), strict=True):
    for place, (name, values) in enumerate(reached.items()):
        color = plots.BLUE if name == "magnitude" else plots.ORANGE
        ax.plot(100 * values, [place] * 3, "o", color=color, alpha=0.7)
        ax.text(100 * values.mean(), place - 0.22, f"{100 * values.mean():.1f}", ha="center", fontsize=9)
    best = max(reached, key=lambda name: reached[name].mean())
    ax.set(yticks=range(len(reached)), yticklabels=reached, xlabel="validation accuracy, %")
    ax.set(title=f"{sparsity:.0%} pruned: best mean, {best}", ylim=(len(reached) - 0.5, -0.6))
plt.show()


# %%
def listed(values):
    return ", ".join(f"{round(100 * value, 1) + 0:+.1f}" for value in values)  # + 0: no "-0.0"


words = "*In words: a row of dots is one net, a dot one seed. Magnitude's lead in points, seed by seed:*\n"
for sparsity, reached in opponents.items():
    for name in list(reached)[1:]:
        words += f"\n- *{sparsity:.0%}, over {name}: {listed(reached['magnitude'] - reached[name])}*"
display(Markdown(words))

# %% [markdown]
# Read it in this order.
#
# - **Against random, evenly**: a long way ahead, and further ahead the less is left.
# - **Against random with magnitude's layers**: the gap shrinks, most of all at 98%. So a good part of what
#   magnitude does is to decide *how many* weights each layer keeps. Remember the table: evenly, the small output layer keeps 2%
#   of its weights, under magnitude many times that. What remains of the lead is the choice of *which*.
# - **Against small dense nets**: at the chosen sparsity the pruned net wins against a net of its own number of
#   parameters. At 98% it depends on whom you invite. The narrow LeNet chokes on its own shape. Against the net with one
#   hidden layer, magnitude has no lead to show. Beware of a comparison in which the opponent was built to lose.
#
# Zhu and Gupta (2017) found that "large-sparse" beats "small-dense". For this net and this short training: yes at the chosen
# sparsity; at 98% not once the small net has a sensible shape.
#
# ## At once, or in rounds?
#
# So far we pruned in **one shot**, then fine-tuned. At high sparsity that is a brutal cut. The alternative: prune a little,
# train a little, rank again. `training.Prune` does this during `fit`, following a **schedule**: a function from the
# optimizer step to the sparsity. All three below have the same number of steps and the same end, 98%.

# %%
steps = FINE_TUNE * int(np.ceil(len(images) / 256))
schedules = {
    "one shot": OneShot(0.98),
    "iterative, 5 rounds": Iterative(0.98, rounds=5, every=steps // 8),
    "polynomial": Polynomial(0.98, begin=0, end=steps // 2),
}

fig, ax = plt.subplots(figsize=(6.4, 2.8))
for name, schedule in schedules.items():
    ax.step(range(steps), [100 * schedule(t) for t in range(steps)], where="post", label=name)
ax.set(xlabel="optimizer step", ylabel="sparsity, %", ylim=(-5, 105))
ax.set_title("Three ways to 98%, the same number of steps")
ax.legend(loc="lower right")
plt.show()

# %% [markdown]
# *In words: one shot is flat at 98% from step 0. Iterative climbs in five stairs, each lower than the one before. Polynomial
# is a smooth curve, steep at first. Both arrive half-way and leave the second half for recovery.*
#
# Each round of Iterative removes the same fraction of the weights that are *left*, so the stairs get lower. A weight that
# is pruned stays pruned. Which of the three will win, and by how much? Make a guess.

# %%
scheduled = {}
for name, schedule in schedules.items():
    reached = []
    for seed, model in enumerate(dense):
        go_back(model, trained[seed])
        training.hold(model, magnitude_masks(model, 0.0))  # keep everything: no earlier masks
        keras.utils.set_random_seed(seed)
        fit(model, FINE_TUNE, training.Prune(scores.magnitude, schedule, frequency=10))
        reached.append(accuracy(model))
    scheduled[name] = np.array(reached)
    print(f"{name:20} {spread(reached)} %, zeros {share_of_zeros(model):.1%}")

print("lead over one shot in points, seed by seed")
for name in list(schedules)[1:]:
    print(f"{name:20} {listed(scheduled[name] - scheduled['one shot'])}")

# %% [markdown]
# One often reads that gradual pruning is far better. Here the schedules lie close together, compared with what separates
# magnitude from random, and no lead is worth much unless all three seeds agree on its sign.
#
# Two things pull against each other. Rounds let the net adapt before the next cut. But the steps are shared out: whoever
# arrives late has less time to recover at the final sparsity, and here the whole time is three epochs, a few hundred steps.
# Zhu and Gupta prune over many thousands. *Their claim is about long training; this was a short one.* Chapter 05 looks
# at schedules properly.
#
# ## Open the box: the test split, once
#
# The sparsity was chosen on validation by the rule above. Accuracy on the data that made a choice is flattering, so the number
# that we report comes from images nothing has been chosen on.

# %%
reported = {
    "dense, trained as long": (0.0, magnitude[0.0]),
    "magnitude, fine-tuned": (chosen, magnitude[chosen]),
    "random, magnitude's layers": (chosen, random[chosen]["random, magnitude's layers"]),
    "random, evenly": (chosen, random[chosen]["random, evenly"]),
}
test = {name: accuracies(weights, fashion.test) for name, (_, weights) in reported.items()}
test["small dense"] = np.array([accuracy(model, fashion.test) for model in small[chosen]])
pruned = {name: f"{sparsity:.0%}" for name, (sparsity, _) in reported.items()}
report.Table(
    ["net", "weights pruned", "test accuracy, %"],
    [[name, pruned.get(name, "narrower"), spread(values)] for name, values in test.items()],
)

# %% [markdown]
# ## Were you right?

# %%
measured = {"zero only": zero_only, "zero, then fine-tune": chosen}
report.Table(
    ["within one point of dense", "you wrote", "measured"],
    [[name, str(prediction[name]), f"{value:.0%}"] for name, value in measured.items()],
)

# %% [markdown]
# The measured numbers are the highest of the sparsities that we tried, on validation, for this net, these images and this
# little training; each is compared with dense nets that were trained as long. Why the two are so far apart: the net has far
# more weights than its task needs, so the survivors can take over, but only if somebody gives them the time to do so.
#
# **Does the article's sequence work?** Yes, under conditions that it does not name:
#
# - **Step 1.** The optimizer has a say in what ends up large. Under Adam the border of the image survived; under SGD it went.
# - **Step 2.** Say what is ranked together. Before any fine-tuning, global beat per layer here; for another net, measure.
# - **Step 3.** Without step 4 it is good for a moderate sparsity only.
# - **Step 4.** Hold the masks. Otherwise fine-tuning undoes step 3, silently: the accuracy looks fine.
# - **And judge.** Against the dense net *trained as long*, random masks, and a small dense net with a fair shape.
#
# For comparison, from the literature: Han et al. (2015) kept one weight in twelve of LeNet-300-100 on MNIST with an error of
# 1.59% against 1.64% before. MNIST is an easier task, so do not hold our number against theirs.
#

# %% [markdown]
# ## Five questions
#
# Answer each aloud, or in a new cell, before you open it.
#
# **1.** A layer has 1,000 weights and shall have 90% sparsity. How many are kept, and which?
#
# <details><summary>Answer</summary>
#
# 1,000 − 900 = 100: those with the largest |w|. Not the largest w: a weight of −2 pulls as hard as one of 2.
#
# </details>
#
# **2.** You zero the small weights and train one more epoch without holding the masks. What do you find?
#
# <details><summary>Answer</summary>
#
# The accuracy is fine and the zeros are gone: every optimizer step moves every weight with a gradient. The zeros have
# to be held.
#
# </details>
#
# **3.** Two layers have 100 and 10,000 weights and are 10% and 90% sparse. How sparse is the model?
#
# <details><summary>Answer</summary>
#
# (10 + 9,000) / 10,100, about 89%: the layers count by their sizes. The plain mean, 50%, is the sparsity of nothing.
#
# </details>
#
# **4.** Your pruned net, fine-tuned for five epochs, beats the dense net. What do you have to try before you say that
# pruning helps?
#
# <details><summary>Answer</summary>
#
# Train the dense net for five more epochs as well, and both with several seeds.
#
# </details>
#
# **5.** Why do random masks belong in the table, if nobody would use them?
#
# <details><summary>Answer</summary>
#
# They tell what a ranking is worth. If they do as well after fine-tuning, the gain came from the training or from the
# sparsities of the layers, not from the choice of weights.
#
# </details>

# %% [markdown]
# **Take with you**
# - Rank by $|w|$, keep $n - \lfloor sn + \frac12 \rfloor$, break ties by a rule, and keep the mask.
# - A zero that nobody holds does not stay zero.
# - A layer's sparsity is not the model's; parameters kept are not bytes.
# - Magnitude's success is partly *how many from which layer*, and large is not always important.
# - More seeds before more decimals.
#
# **Graded next:** [the exercises of this chapter](../exercises/03_magnitude_pruning.ipynb). You write the mask, the global
# ranking and the optimizer step that keeps its zeros, and read a sweep without peeking at the test column.
#
# **Further reading**
# - S. Han, J. Pool, J. Tran, W. J. Dally, *Learning both Weights and Connections for Efficient Neural Networks*, NIPS 2015.
# - M. Zhu, S. Gupta, *To Prune, or Not to Prune: Exploring the Efficacy of Pruning for Model Compression*,
#   arXiv:1710.01878, 2017.
# - Z. Liu, M. Sun, T. Zhou, G. Huang, T. Darrell, *Rethinking the Value of Network Pruning*, ICLR 2019.
# - D. Blalock, J. J. Gonzalez Ortiz, J. Frankle, J. Guttag, *What is the State of Neural Network Pruning?*, MLSys 2020.
# - J. Su, Y. Chen, T. Cai, T. Wu, R. Gao, L. Wang, J. D. Lee, *Sanity-Checking Pruning Methods: Random Tickets Can Win the
#   Jackpot*, NeurIPS 2020: random masks with chosen layer sparsities, taken further.

# %% tags=["nbval-check-output"]
from course_lib.classroom import finish

finish("03")
