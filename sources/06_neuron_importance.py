# %% [markdown]
# # Neuron importance
#
# **The question.** Chapter 03 set single weights to zero, and the matrices kept their size. Take out a whole neuron,
# and they get smaller: less to store, less to compute, no special program needed. But which neurons can go?
#
# The article that this course follows has a recipe (its section 3.2): train with L1 or L2; measure each neuron's
# activation, or what it contributes to the output; remove the unimportant neurons with their connections; fine-tune.
# And it makes a claim (4.3): *the higher a neuron's activation, the more it contributes.*
#
# You will follow the recipe to its end, with neurons that are really gone. And you will hold the claim against the one
# judge that cannot be talked round: take the neuron out and see what the loss does.
#
# **Afterwards you can**
# - remove a neuron with everything that belongs to it, by hand and with the library;
# - score neurons by mean activation, APoZ, contribution, Taylor and norm;
# - hold a score against brute force, with a rank correlation;
# - say why a neuron can be loud and useless, or quiet and needed;
# - judge a smaller net against random removal and against a small net trained from scratch.
#
# 60 minutes · runs in about two minutes · needs chapters 02 and 03

# %%
from course_lib import quiet

quiet.tensorflow()

import ipywidgets
import keras
import matplotlib.pyplot as plt
import numpy as np
from IPython.display import Markdown, display
from matplotlib.patches import Rectangle

from course_lib import data, models, plots, regularizers, report, scores, shrink, training, variables

plots.style()

# %% [markdown]
# ## Before you run anything
#
# A neuron's **activation** is what it puts out for one input, here after the ReLU, so it is never negative. A net has
# 90 neurons in its first hidden layer. We take the ten with the highest mean activation. And we take the ten whose
# removal, one at a time, makes the loss rise most.
#
# 1. How many neurons are in both tens? By pure luck it would be about one.
# 2. Half of all hidden neurons go, those with the lower mean activation, and the rest is fine-tuned. By how many
#    percentage points of accuracy does it beat a net whose neurons were drawn by lot?
# 3. Which score will choose the half best: `"activation"`, `"APoZ"`, `"contribution"`, `"Taylor"` or `"norm"`? All are
#    explained below; guess by the name.

# %%
prediction = {"in both tens": "…", "lead of activation over the lot": "…", "best score": "…"}

# %% [markdown]
# ## Five neurons
#
# A hidden layer with four inputs, five neurons and three outputs. With $x$ a row of inputs,
#
# $$h = \operatorname{relu}(x\,W + b), \qquad z = h\,V + c$$
#
# **Neuron $j$ is three things: column $j$ of $W$ (its incoming weights), entry $j$ of $b$ (its bias), and row $j$ of
# $V$ (its outgoing weights).** We made up the numbers so that each neuron has a character of its own.

# %%
names = ["loud", "quiet", "constant", "twin", "twin's twin"]
W = np.array(
    [
        [1.2, 0.0, 0.0, 1.0, 1.0],
        [0.9, 0.0, 0.0, -1.0, -1.0],
        [0.0, 1.2, 0.1, 0.4, 0.4],
        [-0.6, 0.9, 0.0, 0.0, 0.0],
    ]
)
b = np.array([2.5, -0.8, 2.0, 0.0, 0.0])
V = np.array([[0.1, -0.1, 0.1], [2.4, -1.6, -1.2], [-0.6, 0.9, 0.2], [-0.8, 1.0, -0.6], [-0.8, 1.0, -0.6]])
c = np.array([0.2, -0.4, 0.3])


def relu(z):
    return np.maximum(z, 0)


# %%
j = 2
fig, axes = plt.subplot_mosaic([["W", "V"], ["b", "V"]], figsize=(6.6, 4.2), height_ratios=[4, 1.3])
plots.matrix(W, f"W: column {j} leads to neuron {j}", axes["W"], limit=2.5)
plots.matrix([b], f"b: entry {j} is its bias", axes["b"], limit=2.5)
plots.matrix(V, f"V: row {j} leads away from it", axes["V"], limit=2.5)
column, entry, row = ((j - 0.5, -0.5), 1, 4), ((j - 0.5, -0.5), 1, 1), ((-0.5, j - 0.5), 3, 1)
for name, place in {"W": column, "b": entry, "V": row}.items():
    axes[name].add_patch(Rectangle(*place, fill=False, edgecolor=plots.GREEN, lw=4, zorder=5, clip_on=False))
plt.show()

# %% [markdown]
# *In words: three grids. W has four rows and five columns, b below it five entries, V to the right five rows and three
# columns. A thick frame marks column 2 of W, entry 2 of b and row 2 of V: the three parts of neuron 2.*
#
# To remove the neuron, delete all three. Nothing else changes: the other neurons never saw it. Only the outputs did,
# and they lose exactly what it sent them, $h_j V_{j}$. So the smaller net is the old one with $h_j$ set to zero.


# %% tags=["nbval-check-output"]
def remove_neuron(W, b, V, j):
    return np.delete(W, j, axis=1), np.delete(b, j), np.delete(V, j, axis=0)


x = np.random.default_rng(6).normal(size=(2000, 4))  # 2,000 inputs
h = relu(x @ W + b)  # (2000, 5)
z = h @ V + c  # (2000, 3)

W_small, b_small, V_small = remove_neuron(W, b, V, j)
z_small = relu(x @ W_small + b_small) @ V_small + c
silenced = h * (np.arange(5) != j)
print("shapes:", W_small.shape, b_small.shape, V_small.shape)
print("the same as silenced:", np.allclose(z_small, silenced @ V + c))

# %% [markdown]
# ### Two ways to get it wrong
#
# **Forget the outgoing row.** That mistake is loud, the shapes no longer fit:

# %% tags=["nbval-check-output"]
try:
    relu(x @ W_small + b_small) @ V
except ValueError as error:
    print(type(error).__name__, "because h has", W_small.shape[1], "columns and V has", len(V), "rows")

# %% [markdown]
# **Zero the incoming weights and forget the bias.** That mistake is silent. It is what you get when you mask the
# *kernel* of a layer and believe that the neuron is gone:

# %% tags=["nbval-check-output"]
masked = W * (np.arange(5) != j)  # column j is zero, b is not
z_masked = relu(x @ masked + b) @ V + c
print("neuron", j, "still says", np.unique(relu(x @ masked + b)[:, j]), "to every input")
print("the same as removed:", np.allclose(z_masked, z_small))
print("the same as removed, with 2.0 · V[j] added to c:", np.allclose(z_masked, z_small + 2.0 * V[j]))

# %% [markdown]
# Look at the last line. A neuron that says the same to every input is **a bias in disguise**. It can go, if what it
# always said, times its outgoing weights, moves into the bias of the next layer. We shall need that.
#
# ## How important is a neuron?
#
# The article names two measures, activation and contribution. Here are five; in all of them high means keep.
#
# | score of neuron $j$ | formula | needs |
# |---|---|---|
# | mean activation | mean over examples of $h_j$ | inputs |
# | $1 -$ APoZ | share of examples with $h_j \neq 0$ | inputs |
# | contribution | $L(h_j = 0) - L$: remove it, look at the loss, put it back | inputs and labels |
# | Taylor | mean over examples $i$ of $\lvert h_j \cdot \partial L_i / \partial h_j \rvert$ | inputs and labels |
# | norm | $\sum_k \lvert W_{kj} \rvert$, over the inputs $k$ | nothing |
#
# **APoZ** is the *average percentage of zeros*: how often a neuron is silent. High APoZ means drop, so the library's
# `scores.apoz` gives one minus it. **Contribution** is also called *ablation*. It is the brute force itself: one run
# over the data for each neuron. **Taylor** is its cheap estimate: if the loss were a straight line in $h_j$, then
# going from $h_j$ to 0 would change it by $-h_j$ times the slope. One backward pass serves all neurons.
#
# Each is a line of code. The labels are drawn from the net's own probabilities, so this net is as good as a net can be.

# %%
noise = np.random.default_rng(7).gumbel(size=z.shape)
y = (z + noise).argmax(axis=1)  # with this noise, class k has exactly the probability softmax(z)[k]


def loss(z, y):
    """Mean cross-entropy of the softmax of z."""
    z = z - z.max(axis=1, keepdims=True)
    return np.mean(np.log(np.exp(z).sum(axis=1)) - z[np.arange(len(y)), y])


p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
slope = (p - np.eye(3)[y]) @ V.T  # ∂L_i/∂h_j, (2000, 5)
by_hand = {
    "activation_mean": h.mean(axis=0),
    "apoz": np.mean(h != 0, axis=0),
    "contribution": np.array([loss(z - h[:, [j]] * V[j], y) - loss(z, y) for j in range(5)]),
    "unit_taylor": np.mean(np.abs(h * slope), axis=0),
    "unit_norm": np.abs(W).sum(axis=0),
}

# %% [markdown]
# The library has the same five for any Keras model: `score(model, data)` gives an array for each hidden layer. Put our
# five neurons into a Keras model and compare. Then look at the columns of mean activation and contribution.

# %% tags=["nbval-check-output"]
hidden, output = keras.layers.Dense(5, "relu", name="hidden"), keras.layers.Dense(3, "softmax", name="output")
five = keras.Sequential([keras.Input((4,)), hidden, output])
five.set_weights([W, b, V, c])
five.compile(loss="sparse_categorical_crossentropy")

SCORES = ["activation_mean", "apoz", "contribution", "unit_taylor", "unit_norm"]
by_library = {name: getattr(scores, name)(five, (x, y))["hidden"] for name in SCORES}
for name in SCORES:
    print(f"{name:16} the same: {np.allclose(by_hand[name], by_library[name], atol=1e-5)}")

# %%
rows = [[name, *(f"{by_hand[score][i]:.2f}" for score in SCORES)] for i, name in enumerate(names)]
report.Table(["neuron", "mean activation", "1 − APoZ", "contribution", "Taylor", "norm"], rows)

# %%
activation, missed = by_hand["activation_mean"], by_hand["contribution"]
fig, ax = plt.subplots(figsize=(7, 3.2))
at = np.arange(5)
ax.bar(at - 0.2, 100 * activation / activation.max(), 0.4, color=plots.SKY, label="mean activation")
ax.bar(at + 0.2, 100 * missed / missed.max(), 0.4, color=plots.ORANGE, hatch="//", label="contribution")
ax.set_xticks(at, names)
ax.set(xlabel="neuron", ylabel="% of the largest", ylim=(0, 130))
place = np.argsort(np.argsort(-missed))[activation.argmax()] + 1
ax.set_title(f"The most active neuron is number {place} of 5 in contribution")
ax.legend(ncols=2, loc="upper right")
plt.show()

# %% [markdown]
# *In words: a pair of bars for each neuron. The loud neuron has the tallest bar of activation and hardly any
# contribution. The quiet one is the other way round. The constant one is tall in both, the twins are low in
# contribution.*
#
# Four characters, four lessons. Look at their weights again.
#
# - **Loud**: a large bias makes it active nearly all the time, but its outgoing weights are 0.1. *Nobody listens.*
#   What reaches the output is $h_j V_j$, and the activation is only one of the two factors.
# - **Quiet**: on for three inputs in ten, and then its outgoing weights of 2.4 decide.
# - **Constant**: contributes most of all. But it says nearly the same to everybody. Could a bias do its work?
# - **Twins**: each alone is hardly missed, because the other is still there. And both together?

# %% tags=["nbval-check-output"]
whole = loss(z, y)
print("neuron       rise when silenced   rise when its mean goes into c")
for i, name in enumerate(names):
    mean_in_bias = (h[:, [i]] - h[:, i].mean()) * V[i]
    print(f"{name:12} {missed[i]:18.3f}   {loss(z - mean_in_bias, y) - whole:18.3f}")
both = loss(z - h[:, 3:] @ V[3:], y) - whole
print(f"both twins at once: {both:.3f}, the sum of each: {missed[3:].sum():.3f}")

# %% [markdown]
# So "contribution" is not the last word either. It depends on **what stands in for the neuron**: a zero, or its mean
# in the next bias. With the bias the constant neuron is free. And it is measured **one at a time**: the twins
# together cost several times the sum of both. Keep these two in mind. They will decide the real case.
#
# ## Step 1: train with L1 or L2
#
# The real net is LeNet-300-100 at 0.3 of its width: 784 inputs, hidden layers of 90 and 30 neurons, 10 classes. As in
# chapters 02 and 03 we use 20,000 images of Fashion-MNIST. Three recipes, three seeds each. The penalty is in the
# loss, as the article has it. The strengths of the penalties, the width of the net, and the half that step 3 will
# remove were chosen beforehand on the validation images, with these seeds. So what follows describes this one setting;
# the test images, on which nothing was chosen, come at the end.

# %%
fashion = data.fashion_mnist()
images, labels = fashion.train.x[:20_000], fashion.train.y[:20_000]
TRAIN, FINE_TUNE, SEEDS = 10, 3, (0, 1, 2)  # epochs, epochs, seeds
penalties = {"no penalty": None, "L2": regularizers.L2(1e-3), "L1": regularizers.L1(1e-4)}


def build(seed, width, penalty=None):
    keras.utils.set_random_seed(seed)
    model = models.lenet_300_100(width=width)
    for kernel in variables.prunable(model).values():
        kernel.regularizer = penalty  # what kernel_regularizer= does when a layer is made
    model.compile("adam", "sparse_categorical_crossentropy")
    return model


def fit(model, epochs, *callbacks):
    model.fit(images, labels, batch_size=256, epochs=epochs, verbose=0, callbacks=callbacks)
    return model


def accuracy(model, split=fashion.validation):
    return np.mean(model(split.x).numpy().argmax(-1) == split.y)


# %%
nets = {}  # {recipe: three nets}
for recipe, penalty in penalties.items():
    shown = [training.Progress(f"{recipe}, seed {seed}") for seed in SEEDS]
    nets[recipe] = [fit(build(seed, 0.3, penalty), TRAIN, shown[seed]) for seed in SEEDS]

# %% [markdown]
# What did the penalties do to the *neurons*? A penalty on weights knows nothing of neurons. Still, look at the 90 of
# the first layer, in each of the three nets. Count those that are **weak**, with a norm below a fifth of the largest,
# and those that are **silent**, zero for all of 1,000 training images.


# %%
def spread(values, scale=100, digits=1):
    """Mean ± standard deviation over the seeds; a scale of 100 is for percent."""
    return f"{scale * np.mean(values):.{digits}f} ± {scale * np.std(values, ddof=1):.{digits}f}"


some = images[:1000], labels[:1000]  # what the scores may see
norms = {recipe: [scores.unit_norm(m)["dense_1"] for m in three] for recipe, three in nets.items()}
rows = []
for recipe, three in nets.items():
    silent = [np.sum(scores.apoz(model, some)["dense_1"] == 0) for model in three]
    weak = [np.sum(norm < norm.max() / 5) for norm in norms[recipe]]
    counts = [" ".join(map(str, numbers)) for numbers in (weak, silent)]
    rows.append([recipe, spread([accuracy(model) for model in three]), *counts])
report.Table(["recipe", "validation accuracy, %", "weak, of 90", "silent, of 90"], rows)

# %%
fig, ax = plt.subplots()
for recipe, three in norms.items():
    falling = np.mean([np.sort(norm / norm.max())[::-1] for norm in three], axis=0)
    ax.plot(np.arange(1, 91), falling, label=recipe)
least = {recipe: np.mean([norm.min() / norm.max() for norm in three]) for recipe, three in norms.items()}
ax.set(xlabel="neuron of dense_1, sorted by norm", ylabel="norm ÷ largest norm", ylim=(0, 1.05))
without, under_l1 = least["no penalty"], least["L1"]
ax.set_title(f"Smallest norm ÷ largest: {without:.2f} without a penalty, {under_l1:.2f} under L1")
ax.legend()
plt.show()

# %% [markdown]
# *In words: three falling lines, the norms of 90 neurons from the largest to the smallest, mean over three nets.
# Without a penalty the line stays high to its end. Under L2 and L1 it sinks far lower: some neurons have almost no
# incoming weights left.*
#
# The random start gives every neuron about the same norm, and without a penalty nothing takes it away again, used or
# not. A penalty does. So after L1 or L2 the norm *means* something. That is what step 1 is good for; remember it.
#
# ## Step 2: score, and hold the scores against brute force
#
# The scores see 1,000 training images. The judge is brute force on the 5,000 validation images: every neuron really
# taken out, one at a time. That is cheap if you note that a missing neuron takes $h_j V_j$ away from the next layer,
# and only what comes after has to be computed again.


# %%
def kernels_and_biases(model):
    weights = model.get_weights()
    return weights[0::2], weights[1::2]


def onward(z, kernels, biases):
    """The outputs before the softmax, from what enters a layer's ReLU and the layers behind it."""
    for kernel, bias in zip(kernels, biases, strict=True):
        z = relu(z) @ kernel + bias
    return z


def rises(model, mean_in_bias=False, split=fashion.validation):
    """{layer: the rise of the loss for each neuron, silenced or replaced by its mean}."""
    kernels, biases = kernels_and_biases(model)
    z, found = split.x.reshape(len(split.x), -1) @ kernels[0] + biases[0], {}
    whole = loss(onward(z, kernels[1:], biases[1:]), split.y)
    for i in (1, 2):
        h = relu(z)
        z = h @ kernels[i] + biases[i]
        lost = h - h.mean(axis=0) if mean_in_bias else h
        gone = (z - lost[:, [j]] * kernels[i][j] for j in range(h.shape[1]))
        losses = [loss(onward(rest, kernels[i + 1 :], biases[i + 1 :]), split.y) for rest in gone]
        found[f"dense_{i}"] = np.array(losses) - whole
    return found


# %%
missed = {recipe: [rises(model) for model in three] for recipe, three in nets.items()}
scored = {
    recipe: [{name: getattr(scores, name)(model, some) for name in SCORES} for model in three]
    for recipe, three in nets.items()
}

# %% [markdown]
# Is that shortcut the same as removal? Ask the library. `shrink.remove_units(model, {layer: neurons kept})` deletes
# columns, biases and rows wherever they are, and gives a new, smaller Keras model. The old one is left as it is.

# %% tags=["nbval-check-output"]
model, by_brute_force = nets["L1"][0], missed["L1"][0]["dense_1"]


def validation_loss(model):
    return loss(np.log(model(fashion.validation.x).numpy() + 1e-30), fashion.validation.y)


for j in (0, 17, 64):
    small = shrink.remove_units(model, {"dense_1": [i for i in range(90) if i != j]})
    rise = validation_loss(small) - validation_loss(model)
    fewer = model.count_params() - small.count_params()
    same = np.isclose(rise, by_brute_force[j], atol=1e-5)
    print(f"neuron {j:2}: {fewer} parameters fewer, the same rise: {same}")

# %% [markdown]
# 784 incoming weights, 1 bias, 30 outgoing weights: 815.
#
# ### A number for "the same order"
#
# To prune we only need the *order* of the neurons, so we compare orders. Replace each value by its rank, 1 for the
# smallest; equal values share the mean of their ranks. Then take the ordinary correlation of the ranks. This is
# **Spearman's rank correlation** ρ: 1 for the same order, 0 for no relation, −1 for the reverse.


# %%
def ranks(values):
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    return (count.cumsum() - (count - 1) / 2)[place]


def rank_correlation(a, b):
    return np.corrcoef(ranks(a), ranks(b))[0, 1]


# %% tags=["nbval-check-output"]
print("ranks of 7, 1, 1, 5:", ranks([7, 1, 1, 5]))
for name in SCORES:
    rho = rank_correlation(by_hand[name], by_hand["contribution"])
    print(f"five neurons, {name:16} against contribution: {rho:5.2f}")

# %% [markdown]
# Now the real nets: five scores, three recipes, three seeds, two layers.

# %%
looks = {"no penalty": (plots.GREY, "o"), "L2": (plots.BLUE, "s"), "L1": (plots.ORANGE, "^")}


def agreement(recipe, score, layer):
    """Rank correlation with brute force, one a seed."""
    return [rank_correlation(scored[recipe][s][score][layer], missed[recipe][s][layer]) for s in SEEDS]


fig, axes = plt.subplots(1, 2, figsize=(9.6, 3.6), sharey=True)
for ax, layer in zip(axes, ("dense_1", "dense_2"), strict=True):
    for shift, (recipe, (color, marker)) in zip((-0.22, 0, 0.22), looks.items(), strict=True):
        for place, score in enumerate(SCORES):
            label = recipe if place == 0 and layer == "dense_1" else None
            reached = agreement(recipe, score, layer)
            ax.plot(reached, [place + shift] * 3, marker, color=color, alpha=0.8, label=label)
    of_mean = np.mean([agreement(recipe, "activation_mean", layer) for recipe in nets])
    ax.set(title=f"{layer}: mean activation, ρ = {of_mean:.2f} on average", xlim=(-0.15, 1.05))
    ax.set(xlabel="rank correlation ρ with brute force", yticks=range(5), yticklabels=SCORES)
    ax.axvline(0, color=plots.GREY, lw=0.8, ls="-")
axes[0].invert_yaxis()
fig.legend(loc="outside lower center", ncols=3)
plt.show()

words = "In words: a row of marks for each score, a mark for each net. Means of three seeds under L1:"
for score in SCORES:
    both = [np.mean(agreement("L1", score, layer)) for layer in ("dense_1", "dense_2")]
    words += f" {score} {both[0]:.2f} in the first layer and {both[1]:.2f} in the second;"
norm = {recipe: np.mean([agreement(recipe, "unit_norm", layer) for layer in missed["L1"][0]]) for recipe in nets}
words += f" the norm, over both layers, has {norm['no penalty']:.2f} without a penalty and {norm['L1']:.2f} under L1."
display(Markdown(f"*{words}*"))

# %% [markdown]
# - **Contribution** on 1,000 training images nearly repeats the order on 5,000 validation images. It should: it is
#   the same measurement on another sample. It tells how good any score could get here.
# - **Taylor** comes next, for a small part of the work.
# - **Mean activation** is not bad. So far the article has a point. (APoZ, which only asks *whether* a
#   neuron is on, is weaker.)
# - **Norm** needs no data. Without a penalty it is a poor guide; after one it is about as good as APoZ.
#
# ## The exceptions
#
# A correlation leaves room. One net trained with L1, its first layer: a dot for each neuron. Two are marked: of the
# twenty most active the one that is missed least, and of the less active half the one that is missed most.

# %%
model, seen = nets["L1"][0], scored["L1"][0]["activation_mean"]["dense_1"]
felt = missed["L1"][0]["dense_1"]
order = np.argsort(-seen)  # most active first
loud, quiet_one = order[:20][np.abs(felt[order[:20]]).argmin()], order[45:][felt[order[45:]].argmax()]
marked = {loud: ("loud, not missed", plots.ORANGE, "s"), quiet_one: ("quiet, missed", plots.GREEN, "D")}

fig, ax = plt.subplots(figsize=(7, 3.8))
ax.plot(seen, felt, "o", color=plots.BLUE, alpha=0.6)
for j, (says, color, marker) in marked.items():
    ax.plot(seen[j], felt[j], marker, color=color, ms=10, label=f"neuron {j}: {says}")
ax.axhline(0, color=plots.GREY, lw=0.8, ls="-")
ax.set_yscale("symlog", linthresh=0.002)  # logarithmic, but straight between ±0.002: it can cross zero
ax.set(xlabel="mean activation", ylabel="rise of the loss when removed", ylim=(-0.01, 0.3))
in_both = len({*order[:10]} & {*np.argsort(-felt)[:10]})
ax.set_title(f"Of the ten most active neurons, {in_both} are among the ten most missed")
ax.legend(loc="lower right")
plt.show()

by_activation, by_rise = ranks(seen), ranks(felt)
words = "In words: dots rise from lower left to upper right, with much scatter."
words += f" {np.sum(felt < 0)} of 90 neurons lie below zero: the validation loss is lower without them."
for j, (says, *_) in marked.items():
    words += f" Neuron {j} ({says}) has rank {by_activation[j]:.0f} of 90 in activation"
    words += f" and {by_rise[j]:.0f} in the rise of the loss; 90 is the highest."
display(Markdown(f"*{words}*"))

# %% [markdown]
# Why? Draw all that a neuron is: what it looks for, what it says, and who listens.

# %%
kernels, biases = kernels_and_biases(model)
h1 = relu(fashion.validation.x.reshape(-1, 784) @ kernels[0] + biases[0])  # (5000, 90)
listeners = np.abs(kernels[1]).sum(axis=1)  # Σ_k |V_jk|
replaced = rises(model, mean_in_bias=True)["dense_1"]


def card(j, axes):
    limit = np.abs(kernels[0]).max() / 2
    axes[0].imshow(kernels[0][:, j].reshape(28, 28), cmap="PuOr", vmin=-limit, vmax=limit)
    axes[0].set(title=f"neuron {j}: incoming", xticks=[], yticks=[])
    on = h1[:, j] > 0
    axes[1].hist(h1[on, j], bins=np.linspace(0, 10, 41), color=plots.SKY)
    axes[1].set(title=f"on for {on.mean():.0%}, mean {h1[:, j].mean():.2f}")
    axes[1].set(xlabel="activation where it is on", ylabel="images")
    axes[2].bar(range(30), kernels[1][j], color=plots.BLUE)
    place = ranks(listeners)[j]
    axes[2].set(title=f"outgoing: Σ|V| = {listeners[j]:.1f}, rank {place:.0f} of 90", ylim=(-0.7, 0.7))
    axes[2].set(xlabel="neuron of dense_2", ylabel="outgoing weight")


def cards(*neurons):
    size, widths = (9.6, 2.8 * len(neurons)), [1, 1.4, 1.6]
    fig, axes = plt.subplots(len(neurons), 3, figsize=size, width_ratios=widths, squeeze=False)
    for j, row in zip(neurons, axes, strict=True):
        card(j, row)
    rise = "; ".join(f"{j}: {felt[j]:+.4f} silenced, {replaced[j]:+.4f} mean in the bias" for j in neurons)
    fig.suptitle(f"Rise of the loss without neuron {rise}", x=0.01, ha="left", fontsize=11)
    plt.show()


# %%
cards(loud, quiet_one)

words = "In words: a row for each neuron. Left, its incoming weights as a picture, purple where light makes it more"
words += " active and orange where less; middle, how often it takes which value; right, its 30 outgoing weights."
for j in marked:
    words += f" Neuron {j} is on for {np.mean(h1[:, j] > 0):.0%} of the images, and its outgoing weights add up to "
    words += f"{listeners[j]:.1f}, rank {ranks(listeners)[j]:.0f} of 90."
display(Markdown(f"*{words}*"))

# %% [markdown]
# Compare the two. Which has the larger outgoing weights? And the title: how much of each rise is left once its mean is
# in the bias? Are these two accidents, or is there a rule? Take the **gap** of each neuron: its rank by activation minus
# its rank by the rise. A large gap means overrated by its activation. Correlate the gap with the outgoing weights, and
# with how much a neuron varies, compared with its mean.

# %%
print("rank correlation of the gap with:   Σ|outgoing|   standard deviation ÷ mean")
for s, model_s in enumerate(nets["L1"]):
    of_kernels, of_biases = kernels_and_biases(model_s)
    h_s = relu(fashion.validation.x.reshape(-1, 784) @ of_kernels[0] + of_biases[0])
    gap = ranks(scored["L1"][s]["activation_mean"]["dense_1"]) - ranks(missed["L1"][s]["dense_1"])
    alive = h_s.mean(axis=0) > 0
    varies = h_s.std(axis=0)[alive] / h_s.mean(axis=0)[alive]
    heard = np.abs(of_kernels[1]).sum(axis=1)[alive]
    print(f"seed {s} {rank_correlation(gap[alive], heard):39.2f} {rank_correlation(gap[alive], varies):21.2f}")

# %% [markdown]
# Negative, every time. Activation overrates the neurons that few listen to, and the neurons that always say nearly
# the same. You have met both among the five: *loud* and *constant*.
#
# Move the slider through the layer. Look for silent neurons, for specialists that are on for few images, and for
# neurons that are never off. (A page on the web shows one position; run the notebook to move.)


# %%
def one_card(neuron):
    cards(neuron)


ipywidgets.interactive(one_card, neuron=ipywidgets.IntSlider(int(felt.argmax()), 0, 89))

# %% [markdown]
# *In words: the card of one neuron, here the one that is missed most, with the same three pictures as the two above.*
#
# ## What a bias can replace
#
# Among the most active neurons are some that are never off. The constant neuron of our five, again? Take the ten most
# active of each L1 net. Once silence each; once put its mean into the biases of the next layer instead.

# %%
loudest = [np.argsort(-scored["L1"][s]["activation_mean"]["dense_1"])[:10] for s in SEEDS]
with_mean = [rises(model, mean_in_bias=True) for model in nets["L1"]]
silence = np.array([missed["L1"][s]["dense_1"][loudest[s]] for s in SEEDS])  # (seeds, 10)
bias = np.array([with_mean[s]["dense_1"][loudest[s]] for s in SEEDS])

fig, ax = plt.subplots(figsize=(7, 3.2))
ax.bar(np.arange(1, 11) - 0.2, silence.mean(axis=0), 0.4, color=plots.ORANGE, hatch="//", label="silenced")
ax.bar(np.arange(1, 11) + 0.2, bias.mean(axis=0), 0.4, color=plots.SKY, label="its mean in the next bias")
ax.set(xlabel="the ten most active neurons, most active first", ylabel="rise of the loss", xticks=range(1, 11))
left = bias.sum() / silence.sum()
ax.set_title(f"With the mean in the bias, {left:.0%} of the rise is left (mean of three nets)")
ax.legend()
plt.show()

# %% [markdown]
# *In words: ten pairs of bars. In most of them the bar of the silenced neuron is several times as high as that of the
# neuron that a bias has replaced.*
#
# Most of what the loss misses of these neurons is their mean. A mean is no information about the image; a bias says it
# as well. What a bias cannot replace is how a neuron *varies*, and that counts as far as somebody listens. So here is
# a score of our own, made from what you have seen: standard deviation × Σ|outgoing weights|. Call it **swing**. Does
# it beat the mean activation?

# %%
layer_names, reader = ("dense_1", "dense_2"), {"dense_1": "dense_2", "dense_2": "output"}


def swing(model):
    inner = keras.Model(model.input, [model.get_layer(layer).output for layer in layer_names])
    outputs = dict(zip(layer_names, inner(some[0]), strict=True))
    outgoing = {layer: np.abs(model.get_layer(reader[layer]).kernel.numpy()).sum(axis=1) for layer in layer_names}
    return {layer: outputs[layer].numpy().std(axis=0) * outgoing[layer] for layer in layer_names}


for s, model in enumerate(nets["L1"]):
    scored["L1"][s]["swing"] = swing(model)
for says, judge in {"silenced": missed["L1"], "its mean in the bias": with_mean}.items():
    for score in ("activation_mean", "swing"):
        rho = [rank_correlation(scored["L1"][s][score]["dense_1"], judge[s]["dense_1"]) for s in SEEDS]
        print(f"against {says:20} {score:16} ρ = {', '.join(f'{r:.2f}' for r in rho)}")

# %% [markdown]
# Slightly better against silence, clearly better against what a bias cannot replace. "Important" has no meaning until
# you say *compared with what*.
#
# ## A condition: how many neurons there are
#
# So far each hidden neuron was one of few. The recipe is meant for nets that are *larger than they need to be*. Take
# LeNet-300-100 at its full width, trained with L1 in the same way, and ask again.

# %%
wide = []
for seed in SEEDS:
    shown = training.Progress(f"full width, seed {seed}")
    wide.append(fit(build(seed, 1.0, penalties["L1"]), TRAIN, shown))
wide_missed = [rises(model)["dense_1"] for model in wide]

# %%
rows = []
for name, group, judge in (
    ("90 of the narrow net", nets["L1"], [found["dense_1"] for found in missed["L1"]]),
    ("300 of the wide net", wide, wide_missed),
):
    row = [name]
    for score in (scores.activation_mean, scores.contribution):
        by_score = [score(model, some)["dense_1"] for model in group]
        row.append(" ".join(f"{rank_correlation(a, b):.2f}" for a, b in zip(by_score, judge, strict=True)))
    largest, below = np.mean([r.max() for r in judge]), np.mean([np.mean(r < 0) for r in judge])
    rows.append([*row, f"{largest:.3f}", f"{below:.0%}"])
heading = ["neurons of dense_1", "ρ of mean activation", "ρ of contribution", "largest rise", "better without"]
report.Table(heading, rows)

# %% [markdown]
# In the wide net mean activation has almost nothing to say about single removals. There are so many neurons that
# hardly any is missed alone (look at the largest rise), and for a large part of them the loss even falls without them.
# The order is still there to be measured, as the column of contribution shows. But activation does not know it.
#
# **The claim that a high activation means a large contribution needs a narrow net.** Pruning starts from a wide one.
#
# ## Step 3: remove half, for real
#
# Now half of the neurons of both hidden layers go, *together*. `shrink.keep_highest` turns scores into neurons to
# keep, a half of each layer; `shrink.remove_units` makes the smaller net. The last method draws lots.


# %%
def by_lot(model, seed):
    rng = np.random.default_rng(seed)
    return {layer: rng.random(model.get_layer(layer).units) for layer in layer_names}


for s, model in enumerate(nets["L1"]):
    scored["L1"][s]["by lot"] = by_lot(model, s)
METHODS = [*SCORES, "swing", "by lot"]
keep = {(m, s): shrink.keep_highest(nets["L1"][s], scored["L1"][s][m], 0.5) for m in METHODS for s in SEEDS}
halves = {(m, s): shrink.remove_units(nets["L1"][s], kept) for (m, s), kept in keep.items()}
cost, less = report.summary(nets["L1"][0]), report.summary(halves["activation_mean", 0])
rows = [
    [now.layer, f"{was.parameters:,}", f"{now.parameters:,}", f"{was.macs:,}", f"{now.macs:,}"]
    for was, now in zip(cost.layers, less.layers, strict=True)
]
total = [f"{cost.parameters:,}", f"{less.parameters:,}", f"{cost.macs:,}", f"{less.macs:,}"]
report.Table(["layer", "parameters", "after", "multiply-accumulates", "after"], [*rows, ["all", *total]])

# %% [markdown]
# No zeros, no masks: smaller matrices. Half of the neurons is half of the first kernel, but a *quarter* of the
# second: it loses rows **and** columns.
#
# Nothing has been trained on yet. How bad is it? Beside what happened, put what one would expect: the sum of the single
# rises of all that is gone. And in the last column, put the means of the removed neurons into the biases.


# %%
def with_means(model, keep):
    """The smaller net, with the mean of every removed neuron in the biases of the next layer."""
    small = shrink.remove_units(model, keep)
    kernels, biases = kernels_and_biases(model)
    h = some[0].reshape(len(some[0]), -1)
    for i, layer in enumerate(layer_names):
        h = relu(h @ kernels[i] + biases[i])
        gone = np.setdiff1d(range(h.shape[1]), keep[layer])
        said = h[:, gone].mean(axis=0) @ kernels[i + 1][gone]  # to each neuron of the next layer
        small.get_layer(reader[layer]).bias.assign_add(said[np.sort(keep.get(reader[layer], range(10)))])
    return small


rows = []
for m in METHODS:
    expected, happened, cut, with_bias = [], [], [], []  # one a seed
    for s, model in enumerate(nets["L1"]):
        gone = {layer: np.setdiff1d(range(len(rise)), keep[m, s][layer]) for layer, rise in missed["L1"][s].items()}
        expected.append(sum(rise[gone[layer]].sum() for layer, rise in missed["L1"][s].items()))
        happened.append(validation_loss(halves[m, s]) - validation_loss(model))
        cut.append(accuracy(halves[m, s]))
        with_bias.append(accuracy(with_means(model, keep[m, s])))
    rows.append([m, spread(expected, 1, 2), spread(happened, 1, 2), spread(cut), spread(with_bias)])
heading = ["half kept by", "sum of single rises", "rise together", "accuracy, %", "with means in biases, %"]
report.Table(heading, rows)

# %% [markdown]
# Read it slowly; there are three surprises in it.
#
# - **The sum of the single rises is a poor forecast.** Choose by contribution, the brute force itself, and the sum is
#   the lowest of all, almost by construction. The rise together is several times that. It is the twins again: where
#   neurons stand in for each other, single rises do not add up.
# - **The norm, behind contribution, Taylor and activation one at a time, does least harm**, with swing close behind. Its sum is twice that of mean
#   activation, and yet its rise together is lower. Being best at single removals and being best at removing many are
#   two different things.
# - **Means in the biases help all methods that look at activations**: part of the damage was only a shift. They
#   hardly help lots, and with the norm the mean accuracy even falls. A bias is the right stand-in for one neuron while all others stay; for half a
#   net nothing guarantees it.
#
# ## Step 4: fine-tune
#
# Three epochs for every half. The smaller nets are ordinary models, so there is no mask to hold; the penalty stays
# behind. Opponents as in chapter 03: halves by lot; **a small dense net** of the same 45-15 shape, trained from
# scratch for all 13 epochs; and as a control the whole net, trained on for as long.

# %%
tuned = {}
for m in METHODS:
    keras.utils.set_random_seed(0)  # every method sees the images in the same order
    tuned[m] = [fit(halves[m, s], FINE_TUNE) for s in SEEDS]
    print(f"{m:16} half kept, fine-tuned: {spread([accuracy(model) for model in tuned[m]])} %")

# %%
everything = [shrink.remove_units(model, {}) for model in nets["L1"]]  # copies
keras.utils.set_random_seed(0)
tuned["whole net, trained on"] = [fit(model, FINE_TUNE) for model in everything]
tuned["small net, from scratch"] = [fit(build(seed, 0.15), TRAIN + FINE_TUNE) for seed in SEEDS]


def listed(values):
    return ", ".join(f"{round(100 * value, 1) + 0:+.1f}" for value in values)  # + 0: no "-0.0"


reached = {name: np.array([accuracy(model) for model in three]) for name, three in tuned.items()}
fig, ax = plt.subplots(figsize=(7.5, 3.9))
for place, (name, values) in enumerate(reached.items()):
    color = plots.ORANGE if name in METHODS else plots.BLUE
    ax.plot(100 * values, [place] * 3, "o", color=color, alpha=0.7)
    ax.text(100 * values.mean(), place - 0.25, f"{100 * values.mean():.1f}", ha="center", fontsize=9)
best = max(METHODS, key=lambda name: reached[name].mean())
ax.set(yticks=range(len(reached)), yticklabels=reached, xlabel="validation accuracy, %")
ax.set(ylim=(len(reached) - 0.5, -0.7), title=f"Half of the neurons, fine-tuned: best chosen by {best}")
plt.show()

words = "*In words: a row of dots is one method, a dot one seed. Lead over halves by lot in points, seed by seed:*\n"
for name in [name for name in reached if name != "by lot"]:
    words += f"\n- *{name}: {listed(reached[name] - reached['by lot'])}*"
display(Markdown(words))

# %% [markdown]
# - **Mean activation and APoZ**: no lead over lots that three seeds could show. That is the answer to the second prediction, and it
#   does not speak for the article's choice.
# - **Contribution, Taylor, swing**: look at the loss, or at who listens, and you gain a little.
# - **The norm** does best of those that we tried, in a net that was trained with L1. The simplest score, and no data.
# - **The small net from scratch** is as good as the best half. Whoever knows beforehand that 45-15 is enough
#   need not prune. Liu et al. (2019) found the same for whole filters in much larger nets.
#
# ### What was step 1 good for?
#
# Cut the nets of all three recipes in half, by activation and by norm. Look at them before fine-tuning, and, for the
# norm, after.

# %%
rows = []
for recipe, three in nets.items():
    cut = {}
    for m in ("activation_mean", "unit_norm"):
        kept = [shrink.keep_highest(model, scored[recipe][s][m], 0.5) for s, model in enumerate(three)]
        cut[m] = [shrink.remove_units(model, units) for model, units in zip(three, kept, strict=True)]
    row = [recipe, *(spread([accuracy(model) for model in small]) for small in cut.values())]
    keras.utils.set_random_seed(0)
    rows.append([*row, spread([accuracy(fit(model, FINE_TUNE)) for model in cut["unit_norm"]])])
heading = [
    "trained with",
    "cut by activation: accuracy, %",
    "cut by norm: accuracy, %",
    "by norm, fine-tuned: accuracy, %",
]
report.Table(heading, rows)

# %% [markdown]
# Before fine-tuning step 1 pays: after a penalty small norms mark neurons that the net no longer uses, and cutting by
# norm costs much less. By activation little changes. After fine-tuning no difference is left that three seeds
# could show. So where there is time to fine-tune, the penalty was not needed here; where there is none (no data, no
# machine), it is worth a lot.
#
# ## Open the box: the test split, once
#
# The best score was chosen on validation, so the number to report comes from images nothing has been chosen on.

# %%
rows = []
for name in ("whole net, trained on", best, "activation_mean", "by lot", "small net, from scratch"):
    three = tuned[name]
    units = "-".join(str(layer.units) for layer in three[0].layers if hasattr(layer, "units"))
    test = [accuracy(model, fashion.test) for model in three]
    rows.append([name, units, f"{three[0].count_params():,}", spread(test)])
report.Table(["net", "units", "parameters", "test accuracy, %"], rows)

# %% [markdown]
# ## Were you right?

# %%
most_missed = [np.argsort(-missed["L1"][s]["dense_1"])[:10] for s in SEEDS]
tens = [len({*active} & {*needed}) for active, needed in zip(loudest, most_missed, strict=True)]
lead = reached["activation_mean"] - reached["by lot"]
measured = [" ".join(map(str, tens)), f"{100 * lead.mean():+.1f} ({listed(lead)})", best]
rows = [[what, str(guess), result] for (what, guess), result in zip(prediction.items(), measured, strict=True)]
report.Table(["", "you wrote", "measured"], rows)

# %% [markdown]
# Why can the first number be high and the second near zero? The most active neurons are missed, one by one, much of
# it for their mean. But pruning does not take away the top ten. It takes the lower half, where the order is loose,
# and takes it all at once, where neurons stand in for each other; and then fine-tuning repairs what was only a shift.
#
# **The article's claim, tested.** *The higher the activation, the larger the contribution*:
#
# | condition | verdict |
# |---|---|
# | one neuron at a time, a narrow net | true on the whole, with clear exceptions |
# | one neuron at a time, a wide net | hardly any relation |
# | compared with a bias instead of with nothing | weaker: a mean is no information |
# | half of the neurons together, then fine-tuned | about as good as lots |
#
# **And its recipe?** Steps 3 and 4 work: the net is really smaller, and fine-tuning brings it back. Step 1 pays only
# where you cannot fine-tune. For step 2 this net had better measures than the activation. All of this was found for fully connected nets on small images with a short training; for
# another net, measure.
#
# **Take with you**
# - A neuron is a column, a bias and a row. Delete all three.
# - A constant neuron is a bias in disguise. Move it, then delete it.
# - What arrives at the output is activation × outgoing weight. Loud is not important.
# - Hold a cheap score against brute force, by rank correlation. Then remember that brute force, too, asks one at a
#   time.
# - Always draw lots as well, and train a small net from scratch.
#
# **Graded next:** [the exercises of this chapter](../exercises/06_neuron_importance.ipynb). You remove neurons, score
# them, write the brute force, and put a constant neuron into a bias.
#
# ## Five questions
#
# **1.** You remove one of the 300 neurons of the first layer of LeNet-300-100 (784-300-100-10). How many parameters go?
#
# <details><summary>Answer</summary>
#
# 784 incoming weights, 1 bias, 100 outgoing weights: 885.
#
# </details>
#
# **2.** Someone masks the kernel column of a neuron and reports that the neuron has been pruned. The outputs differ
# from those of the net without it. Why?
#
# <details><summary>Answer</summary>
#
# The bias is still there: the neuron says relu(bias) to every input, and the next layer listens. Delete the neuron, or
# move that constant into the next layer's bias.
#
# </details>
#
# **3.** Two neurons each have a contribution of nearly zero. Can both go?
#
# <details><summary>Answer</summary>
#
# Not on that evidence. They may be twins: each stands in for the other, and only together are they missed. Remove
# one, measure again.
#
# </details>
#
# **4.** A score has a rank correlation of 0.9 with brute force. Is it a good score for removing half of the layer?
#
# <details><summary>Answer</summary>
#
# That was not tested. Brute force asks for one neuron at a time. Remove the half, by this score and by lot, fine-tune
# both, and compare over several seeds.
#
# </details>
#
# **5.** Why does the norm of the incoming weights say more after training with L1 or L2?
#
# <details><summary>Answer</summary>
#
# Every neuron starts with about the same norm. Without a penalty nothing makes the norm of an unused neuron smaller.
# With a penalty the weights that the data do not hold up shrink.
#
# </details>
#
# ## Further reading
#
# - M. C. Mozer, P. Smolensky, *Skeletonization: A Technique for Trimming the Fat from a Network via Relevance
#   Assessment*, NIPS 1988: removing units by an estimate of what the error does without them, the ancestor of the
#   Taylor score.
# - H. Hu, R. Peng, Y.-W. Tai, C.-K. Tang, *Network Trimming: A Data-Driven Neuron Pruning Approach towards Efficient
#   Deep Architectures*, arXiv:1607.03250, 2016: APoZ.
# - P. Molchanov, S. Tyree, T. Karras, T. Aila, J. Kautz, *Pruning Convolutional Neural Networks for Resource
#   Efficient Inference*, ICLR 2017, arXiv:1611.06440: mean activation, Taylor, and the comparison with brute force by
#   rank correlation.
# - H. Li, A. Kadav, I. Durdanovic, H. Samet, H. P. Graf, *Pruning Filters for Efficient ConvNets*, ICLR 2017,
#   arXiv:1608.08710: the norm.
# - Z. Liu, M. Sun, T. Zhou, G. Huang, T. Darrell, *Rethinking the Value of Network Pruning*, ICLR 2019,
#   arXiv:1810.05270.
# - A. S. Morcos, D. G. T. Barrett, N. C. Rabinowitz, M. Botvinick, *On the Importance of Single Directions for
#   Generalization*, ICLR 2018, arXiv:1803.06959: neurons that are easy to interpret are not more important.

# %% tags=["nbval-check-output"]
from course_lib.classroom import finish

finish("06")
