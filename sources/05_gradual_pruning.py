# %% [markdown]
# # Gradual pruning and the TensorFlow toolkit
#
# **The question.** Pruning can be one cut or many. Does it matter how the sparsity rises, and if so, when? And does the
# TensorFlow program in the article that this course follows (its section 5.1) do what it says?
#
# You will complete that program, run it, and look inside while it works. Beside it runs the same thing in `course_lib`.
# Then you will find three traps that leave you with too few zeros, or none. At the end, one shot, rounds and a gradual
# rise meet at equal length, with three seeds.
#
# **Afterwards you can**
# - write and draw a constant, a one-shot, an iterative and a polynomial schedule;
# - run and repair a program with `prune_low_magnitude`, and say what has to be stripped;
# - explain why a mask must be applied again after every optimizer step;
# - tell from four numbers what a program will have pruned, before you run it;
# - say when a gradual schedule is worth having, and what part of it does the work.
#
# 70 minutes · runs in about two minutes · needs chapter 03

# %%
from course_lib import quiet

quiet.tensorflow()

import itertools
import os
import re
import statistics
import time
from functools import partial

import ipywidgets
import keras
import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf
import tensorflow_model_optimization as tfmot
import tf_keras
from IPython.display import Markdown, display

from course_lib import data, masks, plots, report, scores, training
from course_lib.schedules import Constant, Iterative, OneShot, Polynomial

plots.style()

# %% [markdown]
# ## Before you run anything
#
# The article trains a small net for ten epochs, then prunes to 50% while it trains for ten more. Its schedule begins at
# step 1,000 and ends at step 2,000. You have 20,000 images.
#
# - What share of the weights will be zero at the end if a batch has 64 images? And if it has 256?
# - Prune gradually instead of in one shot, in the same number of steps. How many percentage points of accuracy do you
#   gain at 50% sparsity? How many at 99%?
#
# Write four numbers in place of the dots. We come back to them.

# %%
prediction = {
    "zeros, batches of 64": "…",
    "zeros, batches of 256": "…",
    "gradual over one shot at 50%": "…",
    "gradual over one shot at 99%": "…",
}

# %% [markdown]
# ## Twenty-five weights, in four turns
#
# A **schedule** is a function from the optimizer step to the sparsity. Here is one that goes to 80% in four turns:
# 46%, 70%, 79%, 80%. Each turn ranks the weights that are left by $|w|$ and removes the smallest. Between two turns a real
# net would train, and the weights would move. Ours stand still, so that you see the turns alone.

# %%
w = np.random.default_rng(54).normal(size=(5, 5)).round(1)
schedule = Polynomial(final=0.8, begin=0, end=4)
turns = [masks.from_scores({"w": np.abs(w)}, schedule(turn))["w"] for turn in range(5)]

fig, axes = plt.subplots(1, 5, figsize=(11, 2.7))
for turn, (mask, ax) in enumerate(zip(turns, axes, strict=True)):
    fewer = f", {(turns[turn - 1] & ~mask).sum()} go" if turn else ""
    plots.matrix(w * mask, f"turn {turn}: {schedule(turn):.0%}{fewer}", ax, limit=np.abs(w).max())
plt.show()

# %% [markdown]
# *In words: five 5 × 5 grids. The first is full. In the second twelve squares are empty, the palest ones. Then six more
# go, then two, and between the last two grids nothing changes. The darkest five remain.*
#
# Fast first, slow later. The idea behind it: at the start there is a lot to spare and the cut hurts little; near the end
# every weight that is left has work to do.
#
# ## The formula
#
# Zhu and Gupta (2017) let the sparsity rise from $s_i$ to $s_f$, from step $t_0$ on, in $n$ masks that are $\Delta t$
# steps apart:
#
# $$s(t) = s_f + (s_i - s_f)\left(1 - \frac{t - t_0}{n\,\Delta t}\right)^{3}$$
#
# The bracket is the share of the way that is *still to go*. It falls from 1 to 0, and its third power falls faster.
# Before the first step and after the last one the share is held at 1 and 0. Two lines:


# %%
def polynomial(t, s_i, s_f, t_0, n, dt):
    to_go = 1 - np.clip((t - t_0) / (n * dt), 0, 1)
    return s_f + (s_i - s_f) * to_go**3


# %% [markdown]
# The library has it as `Polynomial(final, begin, end)`, where `begin` is $t_0$ and `end` is $t_0 + n\,\Delta t$. The
# TensorFlow Model Optimization Toolkit, `tfmot` for short, has it as `PolynomialDecay`. Do the three agree?

# %% tags=["nbval-check-output"]
ours = Polynomial(final=0.9, begin=100, end=500)
toolkit = tfmot.sparsity.keras.PolynomialDecay(0.0, 0.9, begin_step=100, end_step=500)
for t in [0, 100, 200, 300, 400, 500, 600]:
    _, theirs = toolkit(t)
    print(f"step {t}: {polynomial(t, 0.0, 0.9, 100, 4, 100):.3f} {ours(t):.3f} {theirs:.3f}")

# %% [markdown]
# They do. Look at step 300: half of the time is over and seven eighths of the pruning are done, because
# $1 - (\frac12)^3 = \frac78$.
#
# ## Four schedules
#
# - **Constant**: sparse from early on, usually from a net that has learned nothing yet.
# - **One shot**: nothing, then everything at once. The numbers look like Constant; what differs is that the net before it
#   is a trained one.
# - **Iterative**: rounds. Each removes the same fraction of the weights that are *left*, and the net trains in between.
# - **Polynomial**: the formula above, with a new mask every $\Delta t$ steps.

# %%
four = {
    "constant": Constant(0.9, begin=50),
    "one shot": OneShot(0.9, at=400),
    "iterative, 5 rounds": Iterative(0.9, rounds=5, every=100, begin=100),
    "polynomial": Polynomial(0.9, begin=100, end=500),
}
fig, ax = plt.subplots(figsize=(7, 3.2))
for name, schedule in four.items():
    ax.step(range(1000), [100 * schedule(t) for t in range(1000)], where="post", label=name)
ax.set(xlabel="optimizer step", ylabel="sparsity, %", ylim=(-4, 104))
ax.set_title(f"Half-way between steps 100 and 500 the polynomial is at {four['polynomial'](300):.0%}, and goes to 90%")
ax.legend(loc="lower right")
plt.show()

# %% [markdown]
# *In words: four curves that end at 90%. Constant jumps at step 50, one shot at step 400. Iterative climbs in five stairs,
# each lower than the one before. Polynomial is a smooth curve, steep from step 100 and flat before it reaches 500.*
#
# ### How deep is a cut?
#
# A net does not feel the sparsity. It feels how much of what it *has* is taken away. So divide: of the weights that
# are left before a mask, which share goes? Take ten masks on the way to 99%.


# %%
def cuts(schedule, turns=10):
    """What each of the turns takes, in percent of what it finds."""
    left = np.array([1 - schedule(turn) for turn in range(turns + 1)])
    return 100 * (1 - left[1:] / left[:-1])


def draw_cuts(power=3.0, final=0.99):
    _, (way, depth) = plt.subplots(1, 2, figsize=(9.6, 3.2))
    shapes = {f"power {power:g}": Polynomial(final, begin=0, end=10, power=power)}
    shapes |= {"straight line": Polynomial(final, begin=0, end=10, power=1)}
    shapes |= {"iterative": Iterative(final, rounds=10, every=1, begin=1)}
    for name, schedule in shapes.items():
        way.plot(range(11), [100 * schedule(turn) for turn in range(11)], marker="o", ms=4)
        depth.plot(range(1, 11), cuts(schedule), marker="o", ms=4, label=name)
    way.set(xlabel="turn", ylabel="sparsity, %", title=f"To {final:.0%} in ten turns")
    depth.set(xlabel="turn", ylabel="cut, % of what is left", ylim=(0, 100))
    depth.set_title(f"Deepest cut: {cuts(shapes['straight line']).max():.0f}% on the line")
    depth.legend(loc="upper left")
    plt.show()


draw_cuts()

# %%
deepest, evenly = cuts(Polynomial(0.99, begin=0, end=10)), cuts(Iterative(0.99, rounds=10, every=1, begin=1))
words = (
    "In words: left, three curves from 0 to 99%; the straight line is below the other two. Right, the depth of each "
    f"cut. Iterative takes {evenly[0]:.0f}% of what is left at every turn. The polynomial begins with "
    f"{deepest[0]:.0f}%, rises to {deepest.max():.0f}% at turn {deepest.argmax() + 1} and ends with {deepest[-1]:.0f}%. "
    f"The straight line begins gently and ends with a cut of {cuts(Polynomial(0.99, 0, 10, power=1))[-1]:.0f}%."
)
display(Markdown(f"*{words}*"))

# %% [markdown]
# So "fast first, slow later" is true of the sparsity. Measured against what is left, the polynomial cuts deepest in its
# second half, and only the iterative schedule cuts evenly. That is worth knowing when somebody explains a result by
# "gentle" cuts.
#
# Move the power and the target. At which power is the deepest cut the shallowest? What happens to it at a target of
# 50%? (A page on the web shows one position, a power of 6; run the notebook to move.)

# %%
sliders = {
    "power": ipywidgets.FloatSlider(6.0, min=1.0, max=8.0, step=0.5),
    "final": ipywidgets.FloatSlider(0.99, min=0.5, max=0.99, step=0.01),
}
_ = ipywidgets.interact(draw_cuts, **sliders)

# %% [markdown]
# *In words: the same two pictures. With a larger power the first turns take more and the last ones less.*
#
# ## A zero does not stay zero
#
# A schedule says how many weights are zero when a mask is made. The optimizer has not heard of it. Adam keeps two
# averages for every weight, of its gradient ($m$) and of its squared gradient ($v$), and steps by
# $\eta\,\hat m / \sqrt{\hat v}$. (The hats correct the averages for their start.) That is about $\eta$ whenever
# the gradients keep their direction, *however small they are*.
#
# Twenty steps of Adam on 25 weights, then prune 60%, then one more step.


# %%
def adam_step(w, g, m, v, t, lr=0.2):
    m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
    return w - lr * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-7), m, v


rng = np.random.default_rng(5)
w, slope = 3 * rng.normal(size=(2, 5, 5))  # start, and the mean gradient
m = v = np.zeros((5, 5))
for t in range(1, 21):
    w, m, v = adam_step(w, slope + rng.normal(size=(5, 5)), m, v, t)
mask = masks.from_scores({"w": np.abs(w)}, 0.6)["w"]
pruned, gradient = w * mask, slope + rng.normal(size=(5, 5))
after = {
    "pruned": pruned,
    "one step": adam_step(pruned, gradient, m, v, 21)[0],
    "gradient masked": adam_step(pruned, gradient * mask, m, v, 21)[0],
    "step, then mask": adam_step(pruned, gradient, m, v, 21)[0] * mask,
}

# %%
fig, axes = plt.subplots(1, 4, figsize=(11, 3.2))
for ax, (name, values) in zip(axes, after.items(), strict=True):
    plots.matrix(values, f"{name}: {np.sum(values == 0)} zeros", ax, limit=2)
fig.suptitle("Only the mask after the step keeps the zeros", x=0.01, ha="left", fontsize=11)
plt.show()

# %% [markdown]
# *In words: four 5 × 5 grids. The first has fifteen empty squares. After one step of Adam all of them hold small
# numbers again. With the gradient masked they do too. With the mask applied after the step, the fifteen are empty.*
#
# (A square that reads 0.0 or −0.0 is not zero: it holds less than 0.05. An exact zero reads 0.)
#
# In the third grid the gradient of every pruned weight was zero. The averages from before still moved it. So the mask
# goes on the **weight**, and **after** the step:
#
# $$w \leftarrow m_{\text{mask}} \odot \bigl(w - \text{step}\bigr)$$
#
# When exactly? There are two answers in use, and you will see the difference below.
# - `course_lib` masks right after the optimizer's update, inside the same compiled step.
# - The toolkit masks at the *beginning* of the next forward pass, and once more at the end of each epoch, from a callback.
#
# ## The article's program
#
# Here is what it leaves out.
#
# | missing | what happens without it |
# |---|---|
# | the imports, and `x_train`, `y_train` | NameError |
# | `tf_keras` in place of `tf.keras` | it depends on the order of the imports |
# | the callback `UpdatePruningStep` | an error, or worse: see below |
# | `strip_pruning` | the result carries masks and counters along |
#
# Since TensorFlow 2.16 `tf.keras` is Keras 3. The toolkit was written for Keras 2, which lives on in the package
# `tf_keras`. Both can be used in one process; this notebook does. But look at what importing the toolkit has done to
# `tf.keras`:

# %% tags=["nbval-check-output"]
print("TF_USE_LEGACY_KERAS =", os.environ.get("TF_USE_LEGACY_KERAS"))
print("tf.keras is now in", tf.keras.Sequential.__module__.partition(".")[0])

# %% [markdown]
# It has set a variable of the environment, and `tf.keras`, which is looked up at its first use, has become Keras 2. That is why
# some copies of the article's program run and others do not. Whoever uses `tf.keras` *before* that import gets a Keras 3
# model, and then a riddle for an answer:

# %% tags=["nbval-check-output"]
keras_3 = keras.Sequential([keras.Input((784,)), keras.layers.Dense(10)])
try:
    tfmot.sparsity.keras.prune_low_magnitude(keras_3)
except ValueError as error:
    print(str(error).replace(" You passed", "\nYou passed"))

# %% [markdown]
# "Only Sequential … you passed Sequential": the one of Keras 2, the other of Keras 3. Write `tf_keras` in a program for
# the toolkit, and it means the same in any order.
#
# Now the data. We use 20,000 of the 55,000 training images, each laid out as 784 numbers, in batches of 64: the net makes
# 313 steps an epoch, 3,130 in ten epochs. The article's steps 1,000 and 2,000 lie within. Validation has 5,000 images of
# its own.

# %%
fashion = data.fashion_mnist()
x_train, y_train = fashion.train.x[:20_000].reshape(-1, 784), fashion.train.y[:20_000]
EPOCHS, BATCH = 10, 64
PER_EPOCH = int(np.ceil(len(x_train) / BATCH))
print(f"{PER_EPOCH} steps an epoch, {EPOCHS * PER_EPOCH:,} in ten epochs")


def accuracy(model, split=fashion.validation):
    answers = np.asarray(model(split.x.reshape(-1, 784)))
    return np.mean(answers.argmax(-1) == split.y)


def kernels(model):
    """The weight matrices of a model of either Keras."""
    return [w.numpy() for w in model.trainable_weights if len(w.shape) == 2]


def zeros(model):
    return sum(np.sum(k == 0) for k in kernels(model)) / sum(k.size for k in kernels(model))


# %% [markdown]
# One more tool: something that looks at the net while it trains. It counts every 20 steps and at the end of each epoch, and
# shows how far the training is.


# %%
def watch(package, label, count):
    """A callback for keras or tf_keras, and the list of pairs (step, count()) that it fills."""
    trace, steps = [], itertools.count(1)
    line = display(Markdown(f"{label} …"), display_id=True)

    def after_batch(batch, logs):
        if (step := next(steps)) % 20 == 0:
            trace.append((step, count()))

    def after_epoch(epoch, logs):
        trace.append(((epoch + 1) * PER_EPOCH, count()))
        line.update(Markdown(f"{label}: epoch {epoch + 1}, loss {logs['loss']:.3f}"))

    callbacks = package.callbacks
    return trace, callbacks.LambdaCallback(on_train_batch_end=after_batch, on_epoch_end=after_epoch)


# %% [markdown]
# First the dense net. The lines are the article's, but for the package's name, the batch and the seed.

# %%
tf_keras.utils.set_random_seed(0)
model = tf_keras.models.Sequential(
    [
        tf_keras.layers.Dense(128, activation="relu", input_shape=(784,)),
        tf_keras.layers.Dense(10, activation="softmax"),
    ]
)
model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
_, shown = watch(tf_keras, "dense", lambda: None)
model.fit(x_train, y_train, epochs=EPOCHS, batch_size=BATCH, verbose=0, callbacks=[shown])

dense = model.get_weights()  # a copy: you will see why
print(f"dense: validation accuracy {accuracy(model):.1%}, zeros {zeros(model):.1%}")

# %% [markdown]
# Now prune. `prune_low_magnitude` wraps every layer. Each wrapper holds a **mask**, as large as the kernel, and a counter of
# steps. We count two things while it trains: the zeros of the masks, and the zeros that the kernels have right after a
# batch.


# %%
def mask_zeros(wrapped):
    found = [mask.numpy() for layer in wrapped.layers for _, mask, _ in layer.pruning_vars]
    return sum(np.sum(mask == 0) for mask in found) / sum(mask.size for mask in found)


pruning_schedule = tfmot.sparsity.keras.PolynomialDecay(
    initial_sparsity=0.0, final_sparsity=0.5, begin_step=1000, end_step=2000
)
pruned_model = tfmot.sparsity.keras.prune_low_magnitude(model, pruning_schedule=pruning_schedule)
pruned_model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])

toolkit_trace, shown = watch(tf_keras, "toolkit", lambda: (mask_zeros(pruned_model), zeros(pruned_model)))
callbacks = [tfmot.sparsity.keras.UpdatePruningStep(), shown]
pruned_model.fit(x_train, y_train, epochs=EPOCHS, batch_size=BATCH, verbose=0, callbacks=callbacks)
print(f"toolkit: validation accuracy {accuracy(pruned_model):.1%}, zeros {zeros(pruned_model):.1%}")

# %%
steps, counted = zip(*toolkit_trace, strict=True)
of_masks, of_kernels = 100 * np.array(counted).T
at_epoch_end = np.array(steps) % PER_EPOCH == 0
between = of_kernels[~at_epoch_end][-1]  # the last one inside an epoch

fig, ax = plt.subplots(figsize=(7.4, 3.3))
ax.plot(steps, of_masks, color=plots.BLUE, label="zeros of the masks")
ax.plot(steps, of_kernels, color=plots.ORANGE, ls="-", lw=1, label="zeros of the weights, after each 20th step")
ax.plot(np.array(steps)[at_epoch_end], of_kernels[at_epoch_end], "o", color=plots.ORANGE, label="at an epoch's end")
ax.set(xlabel="optimizer step", ylabel="zeros, %", ylim=(-3, 75))
ax.set_title(f"The toolkit: {of_kernels[-1]:.0f}% zeros at an epoch's end, {between:.0f}% between two steps")
ax.legend(loc="upper left")
plt.show()

# %%
words = (
    "In words: the blue line, of the masks, is 0 up to step 1000, climbs in ten stairs and is flat from step 2000 on "
    f"at {of_masks[-1]:.0f}%. The thin line, of the weights themselves, stays near the bottom, at {between:.1f}% towards "
    "the end. From it a spike rises to the blue line at the end of each epoch from then on, marked with a dot."
)
display(Markdown(f"*{words}*"))

# %% [markdown]
# The masks do as they should. But right after a step hardly any weight is zero: Adam has just revived them. At the next forward
# pass they are zeroed again, so the net always *computes* with pruned weights. What you find in the kernels depends on
# when you look. (A weight stays at zero only if Adam's average of its gradients is zero as well: there has been no
# gradient for a very long time, as on a pixel that is always dark, or in a unit that never fires.)
#
# Keep this picture in mind; it explains the worst of the traps below.
#
# ### What has to be stripped
#
# `strip_pruning` takes the wrappers off. And look at `model`, the net that you gave to the toolkit: has it changed?

# %%
stripped = tfmot.sparsity.keras.strip_pruning(pruned_model)
rows = []
for name, net in {"wrapped": pruned_model, "stripped": stripped, "model, your dense net": model}.items():
    numbers = sum(int(np.prod(v.shape)) for v in net.variables)
    rows.append([name, str(len(net.layers[0].variables)), f"{numbers:,}", f"{zeros(net):.1%}"])
report.Table(["net", "variables in its first layer", "numbers in all", "zeros"], rows)

# %% [markdown]
# - The wrapped net carries nearly **twice** the numbers: each kernel has a mask of its size. Save that, and your pruned model
#   is larger than the dense one.
# - `model` is pruned too. The wrappers hold *its* layers, not copies. A dense net to compare with must be copied first,
#   as we did with `get_weights`.
#
# ## The same in course_lib
#
# The net is a Keras 3 one, with the same trained weights: `get_weights` and `set_weights` carry them across.
# `training.Prune` is a callback, and everything else is ordinary Keras. The toolkit ranks each layer by itself, so we ask for the
# same, `scope="tensor"`. (On its own, `Prune` ranks all layers together.) Its default is a mask every 100 steps, like the
# toolkit's.

# %%
keras.utils.set_random_seed(0)
twin = keras.Sequential(
    [
        keras.Input((784,)),
        keras.layers.Dense(128, activation="relu"),
        keras.layers.Dense(10, activation="softmax"),
    ]
)
twin.set_weights(dense)
twin.compile(optimizer="adam", loss="sparse_categorical_crossentropy")

library_trace, shown = watch(keras, "course_lib", lambda: zeros(twin))
prune = training.Prune(scores.magnitude, Polynomial(final=0.5, begin=1000, end=2000), scope="tensor")
twin.fit(x_train, y_train, epochs=EPOCHS, batch_size=BATCH, verbose=0, callbacks=[prune, shown])
print(f"course_lib: validation accuracy {accuracy(twin):.1%}, zeros {zeros(twin):.1%}")

# %%
fig, ax = plt.subplots(figsize=(7.4, 3))
ax.plot(steps, of_masks, color=plots.BLUE, ls="--", lw=3, alpha=0.5, label="toolkit, zeros of the masks")
library_steps, library_zeros = np.array(library_trace).T
ax.plot(library_steps, 100 * library_zeros, color=plots.ORANGE, ls="-", label="course_lib, zeros of the weights")
apart = np.abs(np.interp(steps, library_steps, 100 * library_zeros) - of_masks)
ax.set(xlabel="optimizer step", ylabel="zeros, %", ylim=(-3, 75))
ax.set_title(f"The same stairs: the zeros of the two programs end {apart[-1]:.1f} points apart")
ax.legend(loc="upper left")
plt.show()

# %% [markdown]
# *In words: the two lines lie on each other, stair by stair, and end together. In `course_lib` the zeros of the
# weights themselves are counted, right after a step: nothing has been revived.*
#
# Do they choose the same weights? After thousands of steps the two nets have drifted apart, so that cannot be read from
# the results. Give both the *same* weights, and a learning rate of 0 that leaves them alone.

# %%
clone = tf_keras.models.clone_model(model)
clone.set_weights(dense)
half = tfmot.sparsity.keras.ConstantSparsity(0.5, begin_step=1, frequency=1)
clone = tfmot.sparsity.keras.prune_low_magnitude(clone, pruning_schedule=half)
clone.compile(tf_keras.optimizers.SGD(0.0), "sparse_categorical_crossentropy")
clone.fit(x_train[:64], y_train[:64], verbose=0, callbacks=[tfmot.sparsity.keras.UpdatePruningStep()])
for layer, kernel in zip(clone.layers, [dense[0], dense[2]], strict=True):
    theirs = layer.pruning_vars[0][1].numpy() == 1
    ours = masks.from_scores({"w": np.abs(kernel)}, 0.5)["w"]
    print(f"kernel {kernel.shape}: {np.sum(ours != theirs)} of {kernel.size:,} entries of the masks differ")

# %% [markdown]
# ### Side by side
#
# Two controls. For the accuracy, the dense net trained on for the same ten epochs: without it we would credit pruning with
# what more training did. For the time, unpruned nets of both kinds: 100 steps of each in turn, five rounds. Such numbers
# hold for this machine and this small net, and on a busy machine they mean little.

# %%
longer = keras.models.clone_model(twin)
longer.set_weights(dense)
longer.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
_, shown = watch(keras, "dense, trained as long", lambda: None)
longer.fit(x_train, y_train, epochs=EPOCHS, batch_size=BATCH, verbose=0, callbacks=[shown])

finished = {"dense, trained as long": longer, "toolkit": stripped, "course_lib": twin}
results = {name: [w.numpy() for w in net.variables[:4]] for name, net in finished.items()}
accuracies = {name: accuracy(net) for name, net in finished.items()}

# %%
old = tf_keras.models.clone_model(stripped)
old.compile("adam", "sparse_categorical_crossentropy")
racing = {"Keras 2": (old, []), "toolkit": (pruned_model, [tfmot.sparsity.keras.UpdatePruningStep()])}
racing |= {"Keras 3": (longer, []), "course_lib": (twin, [])}

laps = {name: [] for name in racing}
some = slice(0, 100 * BATCH)
for lap, (name, (net, extra)) in itertools.product(range(6), racing.items()):
    start = time.perf_counter()
    net.fit(x_train[some], y_train[some], batch_size=BATCH, verbose=0, callbacks=extra)
    if lap:  # the first one traces
        laps[name].append(1000 * (time.perf_counter() - start) / 100)


# %%
def pace(name, unpruned):
    """Median milliseconds a step, and the median of the ratios, lap by lap."""
    ratios = [a / b for a, b in zip(laps[name], laps[unpruned], strict=True)]
    return f"{statistics.median(laps[name]):.2f} ({statistics.median(ratios):.2f} ×)"


rows = [
    ["dense, trained as long", "0.0%", f"{accuracies['dense, trained as long']:.1%}", "", ""],
    ["toolkit", f"{of_kernels[-1]:.1f}%", f"{accuracies['toolkit']:.1%}", pace("toolkit", "Keras 2")],
    ["course_lib", f"{library_zeros[-1]:.1%}", f"{accuracies['course_lib']:.1%}", pace("course_lib", "Keras 3")],
]
rows[1].append("wrappers, masks, counters")
rows[2].append("nothing")
report.Table(["net", "zeros", "validation accuracy", "ms a step (÷ unpruned)", "to strip"], rows)

# %% [markdown]
# The two prune by the same rule to the same sparsity. The accuracies are those of one run each, so read nothing into small
# differences. What differs is around it: the toolkit needs the old Keras, a callback that must never be
# forgotten, and a strip. `course_lib` needs the new one.
#
# ## Programs that prune nothing
#
# Three traps. The first one makes a noise, but not always.
#
# ### 1. The forgotten callback
#
# As in the article: fit without `UpdatePruningStep`.

# %%
fresh = tf_keras.models.clone_model(stripped)
fresh = tfmot.sparsity.keras.prune_low_magnitude(fresh, pruning_schedule=pruning_schedule)
fresh.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
try:
    with quiet.silence():
        fresh.fit(x_train[some], y_train[some], verbose=0)
except tf.errors.InvalidArgumentError as error:
    print(re.search(r"Prune\(\) wrapper[^\]]*", str(error))[0])

# %% [markdown]
# Good: it refuses. The step counter is at −1 until the callback sets it to 0.
#
# So the callback is safe to forget? It is not. Take the net that was pruned with it, to 50%, and train it *a little
# more*, one epoch, this time without. The counter is set already.

# %%
at_first = zeros(pruned_model)
pruned_model.fit(x_train[:6400], y_train[:6400], batch_size=BATCH, verbose=0)
ruined = tfmot.sparsity.keras.strip_pruning(pruned_model)
print(f"zeros before: {at_first:.1%}, after one more fit without the callback, stripped: {zeros(ruined):.1%}")

# %% [markdown]
# No error and no warning, and the zeros are gone. You know why from the picture: after each step Adam has revived them,
# and the one who zeroes them at the end of the epoch was not there. The masks still know, but `strip_pruning` throws the
# masks away.
#
# **Count the zeros of the net that you ship.** Not those of the mask, and not before the last `fit`.
#
# ### 2. A schedule that training does not reach
#
# Steps are batches, not epochs and not images. The article's 1,000 to 2,000 are right for *its* number of steps. A toolkit schedule
# can be asked: at each step it says whether a mask is made now, and the sparsity. So we can know the result before we
# train. We do not need to, but we will check one.


# %%
def last_mask(begin_step, end_step, steps, frequency=100, final=0.5):
    """The sparsity of the last mask that the toolkit makes in so many steps; it counts them from 1."""
    schedule = tfmot.sparsity.keras.PolynomialDecay(0.0, final, begin_step, end_step, frequency=frequency)
    now, sparsity = schedule(tf.range(1, steps + 1))
    made = sparsity.numpy()[now.numpy()]
    return made[-1] if made.size else 0.0


cases = {
    "batches of 64": (1000, 2000, 3130),
    "batches of 128": (1000, 2000, 1570),
    "batches of 256": (1000, 2000, 790),
    "batches of 64, end_step 1180": (1000, 1180, 3130),
}
promised = {name: last_mask(*numbers) for name, numbers in cases.items()}
rows = [[name, *(f"{n:,}" for n in cases[name]), f"{promised[name]:.1%}"] for name in cases]
report.Table(["ten epochs of 20,000 images", "begin_step", "end_step", "steps made", "zeros at the end"], rows)

# %% [markdown]
# - With batches of 128 training ends before the schedule does, and the sparsity stays where it was.
# - With batches of 256 training ends before the schedule *begins*. Nothing is pruned.
# - In the last row training is long enough. But the toolkit makes masks at 1000, 1100, 1200, …, and 1180 is none of
#   them: the last mask is that of step 1100. Let `end_step − begin_step` be a multiple of `frequency`.
#
# Does a program with batches of 256 really say nothing? Run it, the article's, complete, with its callback.

# %%
large = tf_keras.models.clone_model(stripped)
large.set_weights(dense)
large = tfmot.sparsity.keras.prune_low_magnitude(large, pruning_schedule=pruning_schedule)
large.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
_, shown = watch(tf_keras, "toolkit, batches of 256", lambda: None)
callbacks = [tfmot.sparsity.keras.UpdatePruningStep(), shown]
large.fit(x_train, y_train, epochs=EPOCHS, batch_size=256, verbose=0, callbacks=callbacks)
large_zeros = zeros(tfmot.sparsity.keras.strip_pruning(large))
print(f"batches of 256: validation accuracy {accuracy(large):.1%}, zeros {large_zeros:.1%}")

# %% [markdown]
# An excellent accuracy, for a "pruned" net that is dense. In `course_lib` a schedule that cannot reach its end is an
# error, raised before the first step:

# %% tags=["nbval-check-output"]
too_late = training.Prune(scores.magnitude, Polynomial(final=0.5, begin=1000, end=2000))
try:
    twin.fit(x_train, y_train, epochs=EPOCHS, batch_size=256, verbose=0, callbacks=[too_late])
except ValueError as error:
    print(error)

# %% [markdown]
# And it makes a mask at its end step in any case, whatever the frequency.
#
# ### 3. A zero that nobody holds
#
# A stripped net is an ordinary net. Train it on, and its zeros fill up; chapter 03 showed that. The remedy in `course_lib`
# is `training.hold(model, masks.Masks.of_zeros(model))`: read the masks from the zeros, and hold them.
#
# ## Does the way matter?
#
# Now the comparison. The net is the article's. Three seeds; six epochs of dense training, then the three ways to the same
# sparsity **in the same number of steps**, ranked over the whole model. One shot cuts first and has all the time to recover.
# Iterative makes five cuts and polynomial rises until half of the time is over.
#
# - Sparsities: the article's 50%, then 95% and 99%.
# - Two lengths, one epoch (157 steps) and four (628 steps).
#
# The rule by which we judge: *a way is better than one shot where all three seeds say so and the mean lead is
# at least half a point.* A lead is one net's accuracy minus that of the one-shot net **from the same start**. Why half a
# point? Three coins agree one time in four, so agreement alone proves little; and half a point is 25 of the 5,000
# validation images.

# %%
STEPS = int(np.ceil(len(x_train) / 128))  # of an epoch


def build(seed, *before, hidden=128):
    keras.utils.set_random_seed(seed)
    layers = [keras.layers.Dense(hidden, "relu"), keras.layers.Dense(10, "softmax")]
    net = keras.Sequential([keras.Input((784,)), *before, *layers])
    net.compile("adam", "sparse_categorical_crossentropy")
    return net


def fit(net, epochs, *callbacks):
    net.fit(x_train, y_train, batch_size=128, epochs=epochs, verbose=0, callbacks=callbacks)


nets = [build(seed) for seed in range(3)]
for seed, net in enumerate(nets):
    fit(net, 6, training.Progress(f"dense, seed {seed}"))
trained = [[v.numpy() for v in (*net.weights, *net.optimizer.variables)] for net in nets]

# %% [markdown]
# Every run starts from what training left behind, the weights and Adam's averages. `restart` puts both back.


# %%
def restart(seed):
    """The trained net of this seed, with its optimizer, nothing pruned."""
    net = nets[seed]
    for variable, value in zip((*net.weights, *net.optimizer.variables), trained[seed], strict=True):
        variable.assign(value)
    training.hold(net, masks.from_scores(scores.magnitude(net), 0.0))  # hold nothing back
    keras.utils.set_random_seed(seed)  # the same order of batches
    return net


def ways(final, steps):
    return {
        "one shot": OneShot(final),
        "iterative": Iterative(final, rounds=5, every=steps // 8),
        "polynomial": Polynomial(final, begin=0, end=steps // 2),
    }


def run(schedule, epochs, seed, **options):
    """Prune and train on; the accuracy, and the weights."""
    net, options = restart(seed), {"score": scores.magnitude, "frequency": 20, **options}
    fit(net, epochs, training.Prune(schedule=schedule, **options))
    return accuracy(net), net.get_weights()


# %%
LONG = 4
reached, kept = {}, {}  # {(epochs, sparsity, way): three accuracies}, and three lists of weights
for epochs, final in [(LONG, 0.5), (1, 0.95), (LONG, 0.95), (1, 0.99), (LONG, 0.99)]:
    for way, schedule in ways(final, epochs * STEPS).items():
        each, weights = zip(*(run(schedule, epochs, seed) for seed in range(3)), strict=True)
        reached[epochs, final, way], kept[epochs, final, way] = 100 * np.array(each), weights
    found = ", ".join(f"{way} {reached[epochs, final, way].mean():.1f}" for way in ways(final, 8))
    print(f"{final:.0%} in {epochs * STEPS} steps: {found} (mean accuracy, %)")

# %%
settings = list(dict.fromkeys((epochs, final) for epochs, final, _ in reached))
lead = {
    (way, setting): reached[*setting, way] - reached[*setting, "one shot"]
    for way in ("iterative", "polynomial")
    for setting in settings
}
fig, ax = plt.subplots(figsize=(8, 3.7))
looks = {"iterative": (plots.ORANGE, "s", -0.12), "polynomial": (plots.BLUE, "o", 0.12)}
for (way, setting), values in lead.items():
    color, marker, aside = looks[way]
    place = settings.index(setting) + aside
    ax.plot([place] * 3, values, marker, color=color, alpha=0.6, label=way if setting == settings[0] else None)
    ax.plot([place - 0.1, place + 0.1], [values.mean()] * 2, color=color, ls="-", lw=2)
ax.axhline(0, color=plots.GREY, ls=":")
ax.set_xticks(range(5), [f"{final:.0%}\n{epochs * STEPS} steps" for epochs, final in settings])
ax.set(xlabel="sparsity and length of the run", ylabel="lead over one shot, points")
at_half, at_most = lead["polynomial", (LONG, 0.5)].mean(), lead["polynomial", (LONG, 0.99)].mean()
ax.set_title(f"Polynomial over one shot, {LONG * STEPS} steps: {at_half:+.1f} points at 50%, {at_most:+.1f} at 99%")
ax.legend(loc="upper left")
plt.show()


# %%
def verdict(values):
    agree = np.all(values > 0) or np.all(values < 0)
    if not agree or np.abs(values.mean()) < 0.5:
        return "no difference shown"
    return "better" if values.mean() > 0 else "worse"


rows = []
for (way, (epochs, final)), values in sorted(lead.items(), key=lambda item: (item[0][1][1], item[0][1][0])):
    seeds = ", ".join(f"{value:+.1f}" for value in values)
    rows.append([way, f"{final:.0%}", str(epochs * STEPS), seeds, f"{values.mean():+.1f}", verdict(values)])
report.Table(["way", "sparsity", "steps", "lead, seed by seed, points", "mean", "against one shot"], rows)

# %% [markdown]
# *In words: for each of five settings six marks, three seeds for each of two ways, with a bar at their mean. At 50% they lie
# on the zero line. At 95% they lie on it or a little below. At 99% they are above it, highest in the short run.*
#
# Read the table by its last column.
# - **At the article's 50%** one cut is as good as a rise. The leads are tenths of a point. For that, nobody needs a
#   schedule.
# - **At 95%** neither gradual way is better, and where the table shows a difference it is against them. Part of it may be
#   time: both reach the final sparsity only half-way, while one shot trains at it from the first step. We did not test
#   that.
# - **At 99%** the two gradual ways are far ahead. More time narrows the gap and does not close it.
#
# So "gradual is better" is a statement about deep cuts. And look at the printed means once more: from the short run to the
# long one every way gains. How *long* you train after the cut matters as much as how you cut.
#
# ## Why does it help?
#
# Three explanations come to mind. The rise may be gentler on the net. It may choose other *weights*, since it ranks anew after
# each bit of training. Or it may only leave other *numbers* of weights in each layer. These can be told apart at 99%,
# each from the same trained nets, in the same steps:
#
# 1. **Gradual's mask, at once**: take the final mask of the polynomial run, and apply it in one shot.
# 2. **Gradual's counts, at once**: only as many weights in each layer as that mask has, but the largest of the *trained*
#    net.
#
# And the baselines: the polynomial rise with a **random** score; the polynomial rise **per layer**, as in the toolkit; and a
# **small dense** net with as many parameters as the pruned net keeps, trained for all ten epochs. So that it
# is not built to lose, it sees the images averaged over 4 × 4 pixels, which leaves parameters for 19 hidden units.


# %%
def at_once(seed, counts_only=False):
    nets[seed].set_weights(kept[LONG, 0.99, "polynomial"][seed])
    final_mask = masks.Masks.of_zeros(nets[seed])
    net = restart(seed)
    if counts_only:
        final_mask = masks.from_scores(scores.magnitude(net), None, scope=final_mask.per_tensor())
    training.hold(net, final_mask)
    fit(net, LONG)
    return accuracy(net)


def by_lot(seed):
    return run(Polynomial(0.99, 0, LONG * STEPS // 2), LONG, seed, score=partial(scores.random, seed=seed))[0]


def per_layer(seed):
    return run(Polynomial(0.99, 0, LONG * STEPS // 2), LONG, seed, scope="tensor")[0]


def pooled(seed):
    layers = keras.layers
    net = build(seed, layers.Reshape((28, 28, 1)), layers.AveragePooling2D(4), layers.Flatten(), hidden=19)
    fit(net, 6 + LONG)
    small.append(net)
    return accuracy(net)


# %%
small = []
ways_at_99 = {way: reached[LONG, 0.99, way] for way in ("one shot", "iterative", "polynomial")}
controls = {
    "gradual's mask, at once": at_once,
    "gradual's counts, at once": lambda seed: at_once(seed, counts_only=True),
    "polynomial, per layer": per_layer,
    "polynomial, random": by_lot,
    "small dense": pooled,
}
for name, control in controls.items():
    ways_at_99[name] = 100 * np.array([control(seed) for seed in range(3)])
    print(f"{name}: {ways_at_99[name].mean():.1f} ± {ways_at_99[name].std(ddof=1):.1f} %")
budget = sum(np.count_nonzero(w) for w in kept[LONG, 0.99, "polynomial"][0] if w.ndim == 2) + 128 + 10
print(f"parameters: pruned {budget:,}, small dense {small[0].count_params():,}")

# %%
fig, ax = plt.subplots(figsize=(7.6, 3.6))
for place, (name, values) in enumerate(ways_at_99.items()):
    color = plots.BLUE if name in ("iterative", "polynomial") else plots.ORANGE
    ax.plot(values, [place] * 3, "o", color=color, alpha=0.7)
    ax.text(values.mean(), place - 0.25, f"{values.mean():.1f}", ha="center", fontsize=9)
gain = {name: ways_at_99[name].mean() - ways_at_99["one shot"].mean() for name in ways_at_99}
ax.set(yticks=range(len(ways_at_99)), yticklabels=ways_at_99, xlabel="validation accuracy, %")
ax.set(ylim=(len(ways_at_99) - 0.5, -0.7))
rise, alone = gain["polynomial"], gain["gradual's mask, at once"]
ax.set_title(f"Over one shot at 99%: the rise {rise:+.1f} points, its mask at once {alone:+.1f}")
plt.show()


# %%
def listed(values):
    return ", ".join(f"{round(value, 1) + 0:+.1f}" for value in values)  # + 0: no "-0.0"


words = "*In words: a row of dots is one way, a dot one seed. Its points over one shot, seed by seed:*\n"
for name in list(ways_at_99)[1:]:
    words += f"\n- *{name}: {listed(ways_at_99[name] - ways_at_99['one shot'])}*"
display(Markdown(words))

# %% [markdown]
# How different are the weights that one shot and the polynomial keep? Both keep the same number of them.

# %%
overlap = []
for seed in range(3):
    one, rise = (kept[LONG, 0.99, way][seed] for way in ("one shot", "polynomial"))
    both = sum(np.sum((a != 0) & (b != 0)) for a, b in zip(one, rise, strict=True) if a.ndim == 2)
    overlap.append(both / sum(np.count_nonzero(a) for a in one if a.ndim == 2))
print("kept by both, of those that one shot keeps:", ", ".join(f"{share:.0%}" for share in overlap))

# %% [markdown]
# Read it in this order.
#
# - **The mask is the gain.** Applied at once, to a net that never went through the rise, gradual's final mask does as well
#   as the rise itself, if not better: it has all the time to recover. So the net does not need gentle treatment.
# - **It is *which* weights, not how many from where.** With gradual's counts and the trained net's largest weights
#   the gain is gone.
# - Why other weights? One shot ranks weights that were made large by a net of a hundred times as many. The rise asks
#   again, after the others have gone and the rest has taken over their work. The two choices have less than half of their
#   weights in common.
# - **Per layer** is far behind at 99%: the output layer keeps as few in a hundred as the large one. The toolkit ranks so.
#   At 50% you saw no harm from it. Here the scope weighs more than the schedule.
# - **Random** is far behind everything. Rising gradually does not rescue a bad score.
# - **A small dense net** of a sensible shape is about as good as the best of them here. (Chapter 03 found the pruned net
#   ahead at a lower sparsity.) Zhu and Gupta found large-sparse ahead of small-dense in large nets; at 99% of this small
#   one we did not.
#
# One caution: to *have* gradual's mask you must first do the gradual run. The control explains the gain; it is not a
# cheaper recipe.
#
# ## Open the box: the test split, once

# %%
tested = {}
for name, weights in results.items():
    twin.set_weights(weights)
    tested[name if "dense" in name else f"{name}, 50%"] = [accuracy(twin, fashion.test)]
for way in ("one shot", "polynomial"):
    tested[f"{way}, 99%"] = []
    for seed, weights in enumerate(kept[LONG, 0.99, way]):
        nets[seed].set_weights(weights)
        tested[f"{way}, 99%"].append(accuracy(nets[seed], fashion.test))
tested["small dense"] = [accuracy(net, fashion.test) for net in small]

rows = []
for name, values in tested.items():
    values = 100 * np.array(values)
    spread = f" ± {values.std(ddof=1):.1f}" if len(values) > 1 else ""
    rows.append([name, str(len(values)), f"{values.mean():.1f}{spread}"])
report.Table(["net", "seeds", "test accuracy, %"], rows)

# %% [markdown]
# ## Were you right?

# %%
measured = {
    "zeros, batches of 64": f"{of_kernels[-1]:.0f}%",
    "zeros, batches of 256": f"{100 * large_zeros:.0f}%",
    "gradual over one shot at 50%": f"{at_half:+.1f} points",
    "gradual over one shot at 99%": f"{at_most:+.1f} points",
}
rows = [[name, str(prediction[name]), value] for name, value in measured.items()]
report.Table(["", "you wrote", "measured"], rows)

# %% [markdown]
# The leads are those of the polynomial way in the long run, on validation, for this net and these images.
#
# **Does the article's program work?** Its schedule and its calls are right. To run, it needs the imports, the data, the
# old Keras and the callback; to be of use, a strip. And it prunes only if training makes the steps that its schedule
# counts, which it never checks. At the 50% it asks for, a single cut would have served as well.
#
# **Take with you**
# - $s(t) = s_f + (s_i - s_f)(1 - \text{share of the way})^3$: seven eighths are done half-way.
# - A mask goes on the weight, after the step. When you count zeros, know when they were last applied.
# - Steps are batches. Compute them before you write a schedule.
# - Count the zeros of what you ship. Neither accuracy nor a missing error message tells you.
# - A gradual schedule pays at deep cuts, because it chooses other weights. At moderate sparsity, spend your time on
#   training.
#
# **Graded next:** [the exercises of this chapter](../exercises/05_gradual_pruning.ipynb). You write the schedule and the mask
# that never lets a weight come back, predict what programs will have pruned, and read four traces. Then chapter 06: from
# single weights to whole neurons.

# %% [markdown]
# ## Five questions
#
# Answer each for yourself, then unfold ours.
#
# **1.** A polynomial schedule goes from 0 to 80% between steps 0 and 4,000. What is the sparsity at step 2,000?
#
# <details><summary>Answer</summary>
#
# 70%. Half of the way is to go, one half to the third power is one eighth: 0.8 · (1 − 1/8) = 0.7.
#
# </details>
#
# **2.** You mask the gradient of each pruned weight before Adam sees it. Do the pruned weights stay zero?
#
# <details><summary>Answer</summary>
#
# Not if they were trained before. Adam's average of earlier gradients still moves them. (Weight decay would leave
# them alone: it pulls in proportion to the weight, and zero pulled is zero.)
#
# </details>
#
# **3.** In the toolkit, `begin_step=0, end_step=250, frequency=100`. Which mask is the last?
#
# <details><summary>Answer</summary>
#
# That of step 200. Step 250 is no turn, and after it there is none. The net stays at the sparsity of step 200.
#
# </details>
#
# **4.** A colleague's pruned net has 50% zeros after `fit`, and 2% in the file that was shipped. Between them: "one more
# epoch, for luck". What happened?
#
# <details><summary>Answer</summary>
#
# That epoch ran without `UpdatePruningStep`, or on the stripped net. Nobody applied the masks after the last step, or there
# were none any more.
#
# </details>
#
# **5.** Gradual pruning wins at 99% by several points. Somebody says: "because small cuts do not shock the net". Which
# experiment tells whether that is so?
#
# <details><summary>Answer</summary>
#
# Apply the final mask of the gradual run to the trained net in one cut, and train as long. If that is as good, the shock was
# not the reason. Here it was as good.
#
# </details>
#
# ## Further reading
#
# - M. Zhu, S. Gupta, *To Prune, or Not to Prune: Exploring the Efficacy of Pruning for Model Compression*,
#   arXiv:1710.01878, 2017: the formula.
# - S. Han, J. Pool, J. Tran, W. J. Dally, *Learning both Weights and Connections for Efficient Neural Networks*, NIPS 2015,
#   arXiv:1506.02626: rounds of pruning and training.
# - T. Gale, E. Elsen, S. Hooker, *The State of Sparsity in Deep Neural Networks*, arXiv:1902.09574, 2019: gradual magnitude
#   pruning against methods that promise more.
# - D. P. Kingma, J. Ba, *Adam: A Method for Stochastic Optimization*, ICLR 2015, arXiv:1412.6980.

# %% tags=["nbval-check-output"]
from course_lib.classroom import finish

finish("05")
