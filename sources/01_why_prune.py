# %% [markdown]
# # Why prune?
#
# **Welcome.** A trained network is a long list of numbers, its **weights**. *Pruning* takes away those that it can do
# without: single weights, or whole parts of the network. This is the first lesson of a course about when that works,
# what it saves, and what it does not save. You need no knowledge of pruning.
#
# **The question.** The article that this course follows says that networks hold redundant parameters, and that
# without them a model is smaller and faster and just as good (its sections 1 and 2). Is it? And is pruning the only
# way?
#
# **Afterwards you can**
# - count the parameters, the multiplications and the bytes of a model by hand, and check your count;
# - tell pruning from quantization and from distillation, and unstructured pruning from structured;
# - say for each of them what it made smaller on a real network, and what not.
#
# 45 minutes · runs in about two minutes · needs Python, a little NumPy, and that you have once seen a neural network
#
# ## How this course works
#
# - **Predict.** Before an experiment you write down what you expect. Nobody grades it. A wrong guess that is written
#   down teaches more than a right answer that is only read.
# - **Run.** A page like this one is a *notebook*. Grey cells hold code: click on one and press Shift + Enter, from
#   top to bottom. The pictures that you see already are from our run; yours replace them. Then change something and
#   run again.
# - **Check.** Each lesson has a notebook of exercises. `check(...)` looks at your answer at once, and if it is wrong
#   it tries to say *why*.
# - **Hint.** `hint(...)` gives the first of two hints, and the second when you ask again.
#
# You will try out the last two in this lesson.

# %% [markdown]
# ## Before you run anything
#
# Soon you will train a small network with about a hundred thousand weights to recognise clothes. Guess:
#
# 1. You set half of its weights to zero, those closest to zero already, and change nothing else. By how many
#    percentage points does its accuracy fall?
# 2. The same, but the half is drawn by lot.
# 3. 80% of the weights are zero. How many times faster does the network answer?
# 4. In each hidden layer you take out half of the units. How many times fewer multiplications does an answer need?
#
# Replace the dots by numbers. We come back to them at the end.

# %%
prediction = {
    "the smallest half at zero: points lost": ...,
    "a random half at zero: points lost": ...,
    "80% zeros: times faster": ...,
    "half of the units removed: times fewer multiplications": ...,
}

# %% [markdown]
# ## Twenty-five weights
#
# Here is a very small layer. It takes five numbers in and gives five numbers out: five **units**. Each unit
# multiplies every input by a weight of its own and adds up the products. So there are 5 × 5 weights. In the picture a
# row belongs to an input and a column to a unit. What can you do to make this matrix cheaper?

# %%
import matplotlib.pyplot as plt
import numpy as np

from course_lib import plots

plots.style()
w = np.random.default_rng(15).normal(size=(5, 5)).round(1).astype("float32")

tenth_largest = np.sort(np.abs(w), axis=None)[-10]
sparse = np.where(np.abs(w) >= tenth_largest, w, np.float32(0))

strength = np.abs(w).sum(axis=0)  # of each unit, that is of each column
narrow = w[:, np.sort(np.argsort(strength)[2:])]  # without the two weakest

scale = np.abs(w).max() / 127
integers = np.rint(w / scale).astype("int8")  # w is about scale · integers

# %%
fig, axes = plt.subplots(1, 4, figsize=(11, 3.2), width_ratios=[5, 5, 3, 5])
panels = {
    "the layer": w,
    f"unstructured: {np.sum(sparse == 0)} zeros": sparse,
    "structured:\n3 of 5 units": narrow,
    "quantized: small integers": integers,
}
for ax, (title, matrix) in zip(axes, panels.items(), strict=True):
    plots.matrix(matrix, title, ax)
for number in axes[3].texts:
    number.set_text(number.get_text().removesuffix(".0"))
fig.suptitle("Zeros keep the shape, fewer units change it, integers change the numbers", x=0.01, ha="left")
plt.show()

# %% [markdown]
# *In words: four grids. The first holds 25 weights, coloured by size and sign. In the second only the ten largest are
# left, of either sign; the other fifteen squares are empty and show 0. The third has only three columns. The fourth
# has all 25 places again, filled with whole numbers between −127 and 127.*
#
# These are three of the four words of this lesson:
#
# - **Unstructured pruning** sets single weights to zero, wherever they stand.
# - **Structured pruning** takes out whole units, and with them whole columns. The rest is an ordinary, smaller
#   matrix.
# - **Quantization** removes nothing. It stores each weight with fewer bits: here a whole number of one byte, and one
#   *scale* for all of them.
#
# The fourth does not touch the matrix. **Distillation** trains a new, smaller network, the *student*, to give the
# answers that the large one, the *teacher*, gives.

# %% [markdown]
# ## Three things to count
#
# "Smaller" and "faster" are too vague to check. We count:
#
# - **parameters**: the numbers that training has set, weights and *biases* (a bias is one number more for each unit,
#   added at the end);
# - **multiply-accumulates**, MACs: a product, added to a sum. It is the unit of work of a network;
# - **bytes**: what it takes to store the model. A number in `float32`, the usual format, takes four.
#
# You can watch a layer work. This is a matrix product with a counter in it.

# %% tags=["nbval-check-output"]
from course_lib import report


def answer(x, w):
    y, macs = np.zeros(w.shape[1]), 0
    for i in range(w.shape[0]):  # each input
        for j in range(w.shape[1]):  # each unit
            y[j] += x[i] * w[i, j]
            macs += 1
    return y, macs


x = np.array([1.0, 2.0, 0.0, -1.0, 0.5])
rows = []
for title, matrix in panels.items():
    y, macs = answer(x, matrix)
    kind = title.partition(":")[0]
    rows.append([kind, f"{matrix.size}", f"{np.sum(matrix == 0)}", f"{macs}", f"{matrix.nbytes}"])
report.Table(["matrix", "weights", "of them zero", "MACs", "bytes"], rows)

# %% [markdown]
# Compare the first two rows. Fifteen weights are zero, and yet the work and the bytes are the same: the loop
# multiplies by zero like by any other number, and `0.0` takes four bytes too. **A zero saves nothing by itself.**
# Something has to notice it: a compressor that packs the file, or a program that skips zeros.
#
# Structured pruning lowers all counts without anybody's help. Quantization lowers the bytes only. (Its scale is one
# number more; we left it out.)

# %% [markdown]
# ## The formulas
#
# A **dense** layer with $n$ inputs and $m$ units, as above, with a bias for each unit:
#
# $$\text{parameters} = n\,m + m \qquad \text{MACs} = n\,m$$
#
# (Adding a bias is no product, so it is not a MAC.) A **convolution** works on images. Its weights form small square
# *kernels*, which are laid on one place of the image after another. At each place the same weights are used again.


# %%
from course_lib import data

fashion = data.fashion_mnist()
picture = fashion.train.x[0, ..., 0]  # (28, 28)
centres = np.arange(1, 28, 2)  # every second pixel

fig, ax = plt.subplots(figsize=(4.2, 4.2))
ax.imshow(picture, cmap="gray_r", alpha=0.6)
ax.plot(*np.meshgrid(centres, centres), ".", color=plots.BLUE, ms=4)
for left, top in [(0, 0), (12, 12), (20, 16)]:
    ax.add_patch(plt.Rectangle((left - 0.5, top - 0.5), 3, 3, fill=False, lw=2.5, ec=plots.ORANGE))
ax.set(xlabel="column (pixels)", ylabel="row (pixels)")
ax.set_title(f"One 3 × 3 kernel, used at {centres.size} × {centres.size} = {centres.size**2} places")
plt.show()

# %% [markdown]
# *In words: the grey picture of an ankle boot, 28 × 28 pixels. A dot on every second pixel marks a place where the
# kernel is laid; three orange squares show it at three of them.*
#
# With kernels of $k \times k$, for $c$ input channels (a grey image has one) and $f$ output channels (one for each
# *filter*, as a convolution's units are called):
#
# $$\text{parameters} = k^2\,c\,f + f \qquad \text{MACs} = k^2\,c\,f \times \text{places}$$
#
# The distance between places is the *stride* $s$. Where the image is padded at its edges, as in our network, an image
# of $a \times a$ pixels has $\lceil a/s \rceil^2$ places. That is all. As code:


# %%
def dense(inputs, units):
    weights = inputs * units
    return {"parameters": weights + units, "MACs": weights}


def convolution(size, channels, filters, kernel=3, stride=2):
    places = int(np.ceil(size / stride)) ** 2
    weights = kernel**2 * channels * filters
    return {"parameters": weights + filters, "MACs": weights * places}


# %% [markdown]
# ## The real network
#
# Our network for this lesson, `small_cnn`, looks at an image of 28 × 28 grey pixels and says which of ten kinds of
# clothing it is. Two convolutions with 3 × 3 kernels and stride 2 (16 filters, then 32), and two dense layers (64
# units, then one for each of the ten kinds). The image shrinks from 28 to 14 to 7 pixels a side. So, by hand:

# %% tags=["nbval-check-output"]
by_hand = {
    "conv_1": convolution(size=28, channels=1, filters=16),
    "conv_2": convolution(size=14, channels=16, filters=32),
    "dense_1": dense(inputs=7 * 7 * 32, units=64),
    "output": dense(inputs=64, units=10),
}
total = {what: sum(layer[what] for layer in by_hand.values()) for what in ["parameters", "MACs"]}
print("by hand:", total, "and", 4 * total["parameters"], "bytes")

# %% [markdown]
# Now let the library count. `report.summary` looks into the real model. (TensorFlow, which runs the networks, takes
# some seconds to load.)

# %%
from course_lib import quiet

quiet.tensorflow()

import keras

from course_lib import deploy, models

keras.utils.set_random_seed(0)
model = models.small_cnn()
costs = report.summary(model)
costs

# %% tags=["nbval-check-output"]
for row in costs.layers:
    same = (row.parameters, row.macs) == tuple(by_hand[row.layer].values())
    print(f"{row.layer}: {row.parameters:,} parameters, {row.macs:,} MACs, the same by hand: {same}")
print("bytes by deploy.size:", deploy.size(model).bytes, "  by hand:", 4 * total["parameters"])

# %% [markdown]
# (The zeros in the table are the biases: before training they are 0.)
#
# Where are the parameters, and where is the work? Before you look at the picture: is it the same layer?

# %%
names, looks = list(by_hand), {"parameters": (plots.BLUE, ""), "MACs": (plots.ORANGE, "//")}
most = {}

fig, ax = plt.subplots(figsize=(7, 3))
for offset, (what, (color, hatch)) in zip([-0.2, 0.2], looks.items(), strict=True):
    shares = [100 * layer[what] / total[what] for layer in by_hand.values()]
    most[what] = names[np.argmax(shares)]
    look = {"color": color, "hatch": hatch, "ec": "white", "label": what}
    bars = ax.barh(np.arange(4) + offset, shares, 0.38, **look)
    ax.bar_label(bars, [f"{share:.1f}%" for share in shares], padding=3, fontsize=9)
title = "{parameters} holds most of the parameters, {MACs} does most of the work".format(**most)
ax.set(yticks=range(4), yticklabels=names, xlim=(0, 108))
ax.set(xlabel="share of the network, %", title=title)
ax.invert_yaxis()
ax.legend(loc="upper right")
plt.show()

# %% [markdown]
# *In words: two bars for each layer. The first dense layer has nearly all parameters and little more than a quarter
# of the MACs. The second convolution has a few per cent of the parameters, and most of the MACs: its weights are used
# at 49 places.*
#
# So "remove parameters" and "remove work" are two different aims. Whoever wants a smaller file looks at `dense_1`,
# whoever wants a faster answer at `conv_2`.

# %% [markdown]
# ## Try the check
#
# The first exercise of this chapter asks for the number of parameters of a network of dense layers, with the units of
# each layer given, for example `[784, 300, 100, 10]`. Here is an answer with a mistake. Do you see it? Run the check.

# %%
from course_lib.classroom import check, hint


def my_answer(units):
    return sum(units[i] * units[i + 1] for i in range(len(units) - 1))


check("01.network_parameters", my_answer)

# %% [markdown]
# That is what feedback looks like: what went wrong, and a case in which you can see it. And if you are stuck:

# %%
hint("01.network_parameters")

# %% [markdown]
# ## Train
#
# Now the network learns, from 20,000 images of clothes (Fashion-MNIST has 60,000 for training, of which the
# course keeps 5,000 for validation; 20,000 are quicker). One
# pass over all of them is an **epoch**; it gets four. Its **accuracy** is the share of images that it names rightly,
# and we measure it on images that it did not learn from: the *validation* images. The *test* images wait until the
# end.
#
# We train three networks, from three random starts. Training is partly luck, and a difference counts only if it is
# larger than the difference between two lucky starts.

# %%
from course_lib import masks, scores, shrink, training

images, labels = fashion.train.x[:20_000], fashion.train.y[:20_000]
STARTS = range(3)


def build(start, width=1.0):
    keras.utils.set_random_seed(start)
    return models.small_cnn(width=width)


def fit(model, epochs, says, start, targets=labels):
    loss = "sparse_categorical_crossentropy" if targets is labels else "categorical_crossentropy"
    model.compile("adam", loss)
    keras.utils.set_random_seed(start)  # the same order of images for everyone
    progress = training.Progress(f"{says}, start {start}")
    model.fit(images, targets, batch_size=128, epochs=epochs, verbose=0, callbacks=[progress])
    return model


trained = [fit(build(start), 4, "trained", start) for start in STARTS]


# %%
def accuracy(outputs, split=fashion.validation):
    """In percent."""
    return 100 * np.mean(outputs.argmax(axis=1) == split.y)


def predict(model, split=fashion.validation):
    return model.predict(split.x, batch_size=1000, verbose=0)


def spread(values):
    """Mean ± standard deviation of the three starts."""
    return f"{np.mean(values):.1f} ± {np.std(values, ddof=1):.1f}"


print("validation accuracy in %:", spread([accuracy(predict(model)) for model in trained]))

# %% [markdown]
# ## Are weights redundant?
#
# The article says so (1.2), and you can find out in the simplest of ways: set weights to zero and look. Once the
# weights closest to zero, once weights drawn by lot. No training afterwards.
#
# A **mask** says of each weight whether it stays. `masks.from_scores` keeps the weights with the highest *scores*,
# and for `scores.magnitude` the score is the distance from zero, $|w|$. The fraction of zeros is called **sparsity**.


# %%
def copy(model):
    twin = keras.models.clone_model(model)
    twin.set_weights(model.get_weights())
    return twin


rankings = {"the smallest": lambda model, start: scores.magnitude(model)}
rankings["by lot"] = lambda model, start: scores.random(model, seed=start)

zeros = [0, 0.1, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95]
zeroed = {name: np.empty((len(zeros), len(trained))) for name in rankings}
for start, model in enumerate(trained):
    twin = copy(model)
    for name, ranking in rankings.items():
        for row, sparsity in enumerate(zeros):
            twin.set_weights(model.get_weights())
            training.hold(twin, masks.from_scores(ranking(model, start), sparsity))  # zero, and keep it so
            zeroed[name][row, start] = accuracy(predict(twin))

# %%
half = zeros.index(0.5)
lost = {name: values[0].mean() - values[half].mean() for name, values in zeroed.items()}
percent = 100 * np.array(zeros)

fig, ax = plt.subplots()
for marker, (name, values) in zip("os", zeroed.items(), strict=True):  # values: (sparsities, starts)
    ax.plot(percent, values.mean(axis=1), marker=marker, label=f"zeroed: {name}")
    ax.fill_between(percent, values.min(axis=1), values.max(axis=1), alpha=0.2)
ax.axhline(10, color=plots.GREY, ls=":", label="guessing")
ax.set(xlabel="sparsity: weights set to zero, %", ylabel="validation accuracy, %", ylim=(0, 100))
small_half, any_half = lost["the smallest"], lost["by lot"]
ax.set_title(f"Half at zero costs {small_half:.1f} points if the smallest, {any_half:.0f} if by lot")
ax.legend(loc=(0.5, 0.4))
plt.show()

# %% [markdown]
# *In words: two lines fall from left to right. The line for the smallest weights stays level for a long time and then
# falls off a cliff. The line for weights drawn by lot falls from the beginning. The shaded bands reach from the worst
# to the best of the three starts; the dotted line is guessing, one in ten.*
#
# So *redundant* needs a condition. The network does not have a hundred thousand weights of which any half will do.
# But there is a half that it hardly misses, and a simple rule finds it.
#
# See for yourself. Move the slider, watch the eight images, and find the sparsity at which the first answer tips. (A page
# on the web shows one position; run the notebook to move.)

# %%
import ipywidgets

guinea_pig, eight = copy(trained[0]), fashion.validation.x[:8]


def look(sparsity, zeroed):
    guinea_pig.set_weights(trained[0].get_weights())
    zero = masks.from_scores(rankings[zeroed](guinea_pig, 0), sparsity)
    training.hold(guinea_pig, zero)
    answers = guinea_pig.predict(eight, verbose=0).argmax(axis=1)
    fig, axes = plt.subplots(1, 8, figsize=(11, 1.9))
    for ax, image, named, truth in zip(axes, eight, answers, fashion.validation.y[:8], strict=True):
        ax.imshow(image, cmap="gray_r")
        ax.axis("off")
        mark = "✓" if named == truth else "✗"
        ax.set_title(f"{mark} {data.FASHION_MNIST_CLASSES[named]}", fontsize=9)
    right = accuracy(predict(guinea_pig))
    title = f"{sparsity:.0%} of the weights ({zeroed}) at zero: {right:.1f}% of all validation images right"
    fig.suptitle(title, x=0.01, ha="left", fontsize=11)
    plt.show()


slider = ipywidgets.FloatSlider(0.9, max=0.99, step=0.01, readout_format=".0%", continuous_update=False)
controls = ipywidgets.interact(look, sparsity=slider, zeroed=list(rankings))

# %% [markdown]
# *In words: eight images of clothes, with the smallest 90% of all weights at zero. Above each stands the name that the
# network gives, with a tick where it is right and a cross where it is wrong. The title gives the share of all validation
# images that are still right.*
#
# ## One example of each
#
# Now all four methods, on the same network. To be fair, whatever is trained on gets two epochs more, and the dense
# network (**dense** is also the word for "not pruned") that we compare with gets them as well. Whatever is trained
# from nothing gets all six.

# %%
nets = {"dense": [fit(copy(model), 2, "dense, trained on", start) for start, model in enumerate(trained)]}

# %% [markdown]
# **1. Unstructured pruning.** Set 80% of the weights to zero and train on, so that the others take over the work.
# (This is called *fine-tuning*.) `training.hold` keeps the zeros at zero meanwhile. The baseline: the same with
# weights drawn by lot.


# %%
def pruned(start, ranking, says):
    twin = copy(trained[start])
    training.hold(twin, masks.from_scores(ranking(twin, start), 0.8))
    return fit(twin, 2, says, start)


nets["unstructured"] = [pruned(start, rankings["the smallest"], "unstructured") for start in STARTS]
nets["random weights"] = [pruned(start, rankings["by lot"], "random weights") for start in STARTS]

# %% [markdown]
# **2. Structured pruning.** In each hidden layer keep the half of the units (of a convolution: of the filters) whose
# weights are largest together, and remove the others, with all that is connected to them. `shrink.remove_units`
# builds the smaller network. The baseline: the half drawn by lot.


# %%
def shrunk(start, unit_scores, says):
    kept = shrink.keep_highest(trained[start], unit_scores, 0.5)
    return fit(shrink.remove_units(trained[start], kept), 2, says, start)


def by_lot(start):
    rng = np.random.default_rng(start)
    return {layer: rng.random(len(norms)) for layer, norms in scores.unit_norm(trained[start]).items()}


nets["structured"] = [shrunk(start, scores.unit_norm(trained[start]), "structured") for start in STARTS]
nets["random units"] = [shrunk(start, by_lot(start), "random units") for start in STARTS]

# %% [markdown]
# What did it remove? Half of each hidden layer, so one might expect half of everything. Count.

# %% tags=["nbval-check-output"]
before, after = report.summary(nets["dense"][0]), report.summary(nets["structured"][0])
for old, new in zip([*before.layers, before], [*after.layers, after], strict=True):
    name = getattr(old, "layer", "network")
    print(f"{name:8} MACs {old.macs:7,} → {new.macs:6,}, divided by {old.macs / new.macs:.1f}")

# %% [markdown]
# A layer between two pruned ones loses half of its inputs *and* half of its outputs: a quarter is left. Only the
# first, whose input is the image, and the last, whose outputs are the ten answers, lose half.
#
# **3. Distillation.** The student is a network of the same small shape as the shrunk one, but starts from nothing.
# Its teacher is the dense network. For an image of a shirt the teacher may say "shirt 70%, T-shirt 20%, coat 5%":
# that tells more than the label "shirt". The student's target is a mixture, 70% label and 30% teacher. The teacher is
# usually too sure of itself to be informative, so its probabilities are first drawn together, $p^{1/T}$ with a
# *temperature* $T = 4$, and scaled to add up to one. The baseline: the same small network, trained on the labels
# alone.


# %%
def softened(p, temperature=4):
    p = p ** (1 / temperature)
    return p / p.sum(axis=1, keepdims=True)


def student(start):
    teacher = nets["dense"][start].predict(images, batch_size=1000, verbose=0)
    targets = 0.7 * np.eye(10)[labels] + 0.3 * softened(teacher)
    return fit(build(start, width=0.5), 6, "distilled", start, targets)


nets["distilled"] = [student(start) for start in STARTS]
nets["small, from labels"] = [fit(build(start, width=0.5), 6, "small, from labels", start) for start in STARTS]

# %% [markdown]
# (The mixture and the temperature were chosen on the validation images, after trying several. So the student's accuracy
# there is flattered. Change them and see.)
#
# **4. Quantization.** Needs no training here. `deploy.to_tflite` writes a model as a `.tflite` file, the form in
# which it goes to a phone; with `quantize="int8"` each weight becomes an integer of one byte, and the network
# computes with integers. To choose its scales the converter looks at some training images. We write the others as
# `.tflite` files as well, in float32, so that files are compared with files. And one file is both, pruned and
# quantized.

# %%
import tempfile
from pathlib import Path

folder = tempfile.TemporaryDirectory()  # deleted when the notebook ends


def write(name, start, kind, **quantize):
    path = Path(folder.name) / f"{name}_{start}_{kind}.tflite"
    return deploy.to_tflite(nets[name][start], path, **quantize)


def write_int8(name):
    return [write(name, start, "int8", quantize="int8", calibration=images[:200]) for start in STARTS]


int8 = {"int8": write_int8("dense"), "unstructured + int8": write_int8("unstructured")}
files = {name: write(name, 0, "float32") for name in ["dense", "unstructured", "structured", "distilled"]}
files |= {name: of_starts[0] for name, of_starts in int8.items()}

# %% [markdown]
# ## Measure
#
# For each: the work (MACs), the bytes of the file, its bytes after gzip (a compressor; that is roughly what is sent
# over a network), the **latency**, that is the time for one image on this machine (in µs, millionths of a second),
# and the accuracy. Accuracies are the mean of three starts ± their standard deviation; the rest is measured on the
# first.

# %%
sizes = {name: deploy.size(file) for name, file in files.items()}
timings = deploy.latency(list(files.values()), runs=500)
latency = {name: 1000 * timing.median for name, timing in zip(files, timings, strict=True)}  # µs
made_from = {name: name for name in files} | {"int8": "dense", "unstructured + int8": "unstructured"}
summaries = {name: report.summary(nets[made_from[name]][0]) for name in files}


def accuracies(split):
    """{method: the accuracies of its three starts}; of int8 those of the files."""
    answers = {name: [predict(net, split) for net in three] for name, three in nets.items()}
    answers |= {name: [deploy.predict(file, split.x) for file in three] for name, three in int8.items()}
    return {name: [accuracy(outputs, split) for outputs in three] for name, three in answers.items()}


validation = accuracies(fashion.validation)

# %%
rows = []
for name, cost in summaries.items():
    size = [f"{sizes[name].bytes:,}", f"{sizes[name].gzip:,}"]
    kept = f"{cost.parameters - cost.zeros:,}"
    rows.append([name, kept, f"{cost.macs:,}", *size, f"{latency[name]:.1f}", spread(validation[name])])
heading = ["", "parameters not zero", "MACs", "bytes", "after gzip", "latency, µs", "validation accuracy, %"]
print(f"latency on {timings[0].cpu}")
report.Table(heading, rows)

# %%
measured = {
    "bytes of the file": {name: size.bytes for name, size in sizes.items()},
    "bytes after gzip": {name: size.gzip for name, size in sizes.items()},
    "MACs": {name: cost.macs for name, cost in summaries.items()},
    "latency": latency,
}
times_less = {what: {n: values["dense"] / v for n, v in values.items()} for what, values in measured.items()}

fig, axes = plt.subplots(1, 4, figsize=(11, 3.3), sharey=True)
for ax, (what, factors) in zip(axes, times_less.items(), strict=True):
    bars = ax.barh(list(factors), [100 / factor for factor in factors.values()], color=plots.SKY)
    ax.bar_label(bars, [f"÷ {factor:.1f}" for factor in factors.values()], padding=3, fontsize=9)
    ax.axvline(100, color=plots.GREY, ls=":", zorder=0)
    ax.set(xlabel="% of dense", xlim=(0, 150), xticks=[0, 50, 100], title=what)
axes[0].invert_yaxis()
zeros_gain, units_gain = (times_less["latency"][name] for name in ["unstructured", "structured"])
title = f"80% zeros: {zeros_gain:.1f} times as fast as dense. Half of the units: {units_gain:.1f} times"
fig.suptitle(title, x=0.01, ha="left")
plt.show()

# %% [markdown]
# *In words: four groups of bars, in per cent of the dense network; shorter is cheaper. The numbers beside the bars
# say by how much the dense value is divided. The unstructured network's bars are full in bytes, MACs and time, and
# short only after gzip. The structured and the distilled one, which have the same shape, are short in all four. int8
# is short in bytes, before and after gzip, and full in MACs. Pruned and quantized together is the shortest after
# gzip.*
#
# Compare the last two groups, bar by bar. **Time does not follow the MACs.** The int8 file has as many of them as the
# dense one, and takes another time. A network with about a quarter of the MACs need not take a quarter of the time.
# MACs say how much there is to do, not how fast this machine does it. Why so is the subject of chapters 08 and 12.
#
# And what did it cost?

# %%
order = ["dense", "unstructured", "random weights", "structured", "random units", "distilled"]
order += ["small, from labels", "int8", "unstructured + int8"]
baselines = ["random weights", "random units", "small, from labels"]
cost = {name: round(np.mean(validation["dense"]) - np.mean(values), 1) + 0 for name, values in validation.items()}

fig, ax = plt.subplots(figsize=(8, 3.8))
for row, name in enumerate(order):
    color, marker = (plots.ORANGE, "s") if name in baselines else (plots.BLUE, "o")
    ax.plot(validation[name], [row] * 3, marker, color=color, alpha=0.7, ls="none")
    ax.text(1.01, row, spread(validation[name]), va="center", transform=ax.get_yaxis_transform())
ax.axvline(np.mean(validation["dense"]), color=plots.GREY, ls=":", zorder=0)
ax.set(yticks=range(len(order)), yticklabels=order)
ax.set(xlabel="validation accuracy, %; a mark is one start, a square a baseline")
by_size, by_chance, of_units = (cost[name] for name in ["unstructured", "random weights", "structured"])
title = f"80% zeros cost {by_size:.1f} points, by lot {by_chance:.1f}; half of the units costs {of_units:.1f}"
ax.set_title(title)
ax.invert_yaxis()
plt.show()


# %%
pairs = [
    ("unstructured", "random weights"),
    ("unstructured", "small, from labels"),
    ("structured", "random units"),
    ("structured", "small, from labels"),
    ("distilled", "small, from labels"),
    ("unstructured", "dense"),
    ("int8", "dense"),
]
print("lead in points, start by start")
for name, over in pairs:
    by_start = np.subtract(validation[name], validation[over]).round(1) + 0  # + 0: no "-0.0"
    print(f"{name + ' over ' + over:38}", "  ".join(f"{points:+.1f}" for points in by_start))

# %% [markdown]
# *In words: a row of three marks for each method (dots) and each baseline (squares); the dotted line is the mean of
# dense. Weights drawn by lot are far to the left of all others. The rest lie within a few points of dense, the small
# networks to its left.*
#
# Read the list. If the three numbers of a line do not agree on a sign, the line shows no difference. If they do agree,
# look at the size too: three tossed coins agree one time in four.
#
# - **Unstructured** against weights drawn by lot: far ahead. *Which* weights go matters. It is also ahead of a small
#   dense network with about as many parameters. But that one is faster.
# - **Structured** against units drawn by lot: a much smaller lead. (After fine-tuning, that is; we did not
#   measure before it.)
# - **Structured** against a network that had the small shape from the beginning: look at the signs before you claim
#   anything. Liu et al. (2019) report that in structured pruning the small shape, trained from nothing, often does as
#   well.
# - **Distilled** against the same network without a teacher: remember that its settings were chosen on these very
#   images. And is it what the teacher knows that helps, or only that the targets are softer? This experiment cannot
#   tell; chapter 09 goes on.
# - **int8** against dense: the rounding is hardly felt.

# %% [markdown]
# ## Open the box: the test images, once
#
# Accuracy on images that were used for choosing flatters. So the numbers to report come from images that nothing was
# chosen on. We look once, and change nothing afterwards.

# %%
test = accuracies(fashion.test)
report.Table(["", "test accuracy, %"], [[name, spread(test[name])] for name in order])

# %% [markdown]
# ## Were you right?

# %%
found = [
    f"{lost['the smallest']:.1f}",
    f"{lost['by lot']:.0f}",
    f"{times_less['latency']['unstructured']:.2f}",
    f"{times_less['MACs']['structured']:.2f}",
]
rows = [
    [what, "–" if guess is ... else str(guess), value]
    for (what, guess), value in zip(prediction.items(), found, strict=True)
]
report.Table(["", "you wrote", "measured"], rows)

# %% [markdown]
# **Why.** *The smallest half*: a weight near zero moves the sum that it belongs to only a little; a large one, taken
# away by lot, moves it a lot. *80% zeros*: the processor multiplies by zero as fast as by anything else, and is told
# to do so; a factor near 1 is noise. *Half of the units*: a layer in the middle loses on both of its sides, so MACs
# fall faster than units do.
#
# ## The article's claims
#
# | section | claim | verdict, for this network, these images and this machine |
# |---|---|---|
# | 1.1 | models grow because size buys accuracy | It does: compare *dense* with *small, from labels*, a quarter of its size. |
# | 1.2 | parameters are redundant | Many are, if you choose which. Any will not do: see *by lot*. |
# | 2.1 | pruning removes what is not important… | Small weights, yes. For units the choice mattered far less. |
# | 2.1 | …and compresses the model | Removed units, yes. Zeros only once something compresses the file. |
# | 2.1 | …and makes inference faster | Removed units, yes. Zeros not on this processor with its usual program. |
# | 2.2 | quantization and distillation are other ways | Yes. Quantization combines with pruning: pruned *and* int8 is the smallest after gzip. |
# | 2.3 | unstructured: weights; structured: units, channels, layers | The one keeps the shape, the other changes it. |
#
# "Pruning makes a model smaller and faster" is not wrong. It leaves out *which* pruning, *which* bytes and *which*
# machine. This course fills that in. There are processors and programs that skip zeros; chapter 12 looks for them.
# Whole layers can go too; that is chapter 07.
#
# **Take with you**
# - Count three things: parameters, MACs, bytes. They sit in different layers.
# - A zero saves nothing until something notices it. A removed unit saves at once.
# - Removing half of the units leaves about a quarter of a middle layer.
# - Quantization stores each number in fewer bits; distillation trains a smaller network to imitate. Neither is
#   pruning. Quantization went well with it here; distillation together with pruning we did not try.
# - Compare with a baseline: drawn by lot, and small from the beginning.
#
# **Graded next:** [the exercises of this chapter](../exercises/01_why_prune.ipynb). You count, you take units out of
# two layers by hand, and you read a table and a plot. Then chapter 02: how to train a network so that weights become
# zero.

# %% [markdown]
# ## Five questions
#
# Answer each for yourself, then unfold ours.
#
# **1.** A dense layer has 100 inputs and 50 units. How many parameters has it, and how many MACs?
#
# <details><summary>Answer</summary>
#
# 100 · 50 + 50 = 5,050 parameters. 100 · 50 = 5,000 MACs: adding a bias is no multiplication.
#
# </details>
#
# **2.** A colleague sets 80% of the weights to zero and finds the file as large as before. What went wrong?
#
# <details><summary>Answer</summary>
#
# Nothing. A float32 zero takes four bytes. Compress the file, or store it in a format that leaves zeros out.
#
# </details>
#
# **3.** Which layer would you prune to save work, if a convolution has few parameters and many places?
#
# <details><summary>Answer</summary>
#
# That convolution. Its work is parameters times places. To save bytes you would look for the layer with most
# parameters instead.
#
# </details>
#
# **4.** "Distillation made our network four times smaller." Is it the same network?
#
# <details><summary>Answer</summary>
#
# No. It is another, smaller one, trained to imitate the first. Its shape was chosen beforehand; the teacher only
# affects how well it does. So compare it with the same small network trained on the labels.
#
# </details>
#
# **5.** An article reports that its pruned network is as accurate as the dense one. Which two further numbers do you
# ask for?
#
# <details><summary>Answer</summary>
#
# For example: the accuracy of a network pruned by lot, or of a small dense one; the spread over several starts; the
# bytes and the time that were saved, and on which machine.
#
# </details>
#
# ## Further reading
#
# - Y. LeCun, J. S. Denker, S. A. Solla, *Optimal Brain Damage*, NIPS 1989: an early classic (chapter 04).
# - M. Denil, B. Shakibi, L. Dinh, M. Ranzato, N. de Freitas, *Predicting Parameters in Deep Learning*, NIPS 2013,
#   arXiv:1306.0543: how redundant weights are.
# - G. Hinton, O. Vinyals, J. Dean, *Distilling the Knowledge in a Neural Network*, arXiv:1503.02531, 2015.
# - B. Jacob et al., *Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference*,
#   CVPR 2018, arXiv:1712.05877.
# - Z. Liu, M. Sun, T. Zhou, G. Huang, T. Darrell, *Rethinking the Value of Network Pruning*, ICLR 2019,
#   arXiv:1810.05270.
# - D. Blalock, J. J. Gonzalez Ortiz, J. Frankle, J. Guttag, *What is the State of Neural Network Pruning?*, MLSys
#   2020, arXiv:2003.03033.
# - H. Xiao, K. Rasul, R. Vollgraf, *Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine Learning
#   Algorithms*, arXiv:1708.07747, 2017.

# %% tags=["nbval-check-output"]
from course_lib.classroom import finish

finish("01")
