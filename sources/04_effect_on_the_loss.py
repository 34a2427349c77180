# %% [markdown]
# # Effect on the loss
#
# **The question.** Magnitude pruning throws away what is small. But nobody minds losing a weight, large or small. What
# we mind is what the loss does afterwards. Can you know that in advance, for each of a quarter of a million weights,
# without removing them one by one? And is a ranking by it better?
#
# The article that this course follows says to rank weights "by their absolute value or by their effect on the loss"
# (its section 3.1, step 2), as if the two came to much the same. You will measure how far apart they are.
#
# **Afterwards you can**
# - derive the three classic prices of a weight: first-order Taylor, Optimal Brain Damage, Optimal Brain Surgeon;
# - hold each against the truth, the loss with the weight really gone;
# - find weights about which magnitude is wrong, and say why;
# - say when these prices stop being true, and what helps then.
#
# 70 minutes · runs in about two minutes · needs chapter 03, and derivatives of functions of several variables

# %%
import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # for many small systems of equations threads cost more than they give

from course_lib import quiet

quiet.tensorflow()

from functools import partial

import ipywidgets
import keras
import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf
from IPython.display import Markdown, display

from course_lib import data, masks, models, plots, report, scores, training, variables
from course_lib.scores.hessian import hessian, split
from course_lib.scores.surgeon import damped

plots.style()

# %% [markdown]
# ## Before you run anything
#
# A model predicts a number from five inputs, with one weight each: $0.9\,A - 0.3\,B + 1.1\,C + 0.6\,D + 0.8\,E$.
# The inputs differ. A typical value of A is 1, of B is 4, of C is 0.3, of D and E is 1. And E is nearly a copy of D.
#
# 1. You have to remove one weight, and the other four stay as they are. Which one costs least?
# 2. The same, but the other four may be fitted again. Which one now?
# 3. In a trained network, rank all weights by their size and again by what their removal really costs. How well do the
#    two orders agree: 1 for the same order, 0 for no relation?
# 4. A LeNet-300-100 loses 80% of its weights at once and is fine-tuned for a little. Which ranking does best:
#    `"magnitude"`, `"first order"` or `"second order"`?
#
# Write your answers in place of the dots. We come back to them.

# %%
prediction = {
    "1. cheapest, others fixed": "…",
    "2. cheapest, others fitted again": "…",
    "3. magnitude against truth (0 to 1)": "…",
    "4. best at 80%, fine-tuned": "…",
}

# %% [markdown]
# ## Five weights
#
# Here are the data: 400 examples of five inputs and an outcome. The weights are fitted by **least squares**, so the
# loss is half the mean squared error and we are exactly at its minimum. (The `qr` in the second line makes columns that
# have nothing to do with each other, so that D and E are the only relatives.)

# %%
rng = np.random.default_rng(4)
n, names = 400, "ABCDE"
base = np.sqrt(n) * np.linalg.qr(rng.normal(size=(n, 5)))[0]  # (n, 5), each column of mean square 1
X = base * [1, 4, 0.3, 1, 1]
X[:, 4] = 0.9 * base[:, 3] + np.sqrt(1 - 0.9**2) * base[:, 4]  # E is nearly D
y = X @ [0.9, -0.3, 1.1, 0.6, 0.8] + 0.5 * rng.normal(size=n)


def fit(X):
    return np.linalg.lstsq(X, y, rcond=None)[0]


def loss(w, X=X):
    return np.mean((X @ w - y) ** 2) / 2


w = fit(X)

# %% [markdown]
# **The truth, by brute force.** Set one weight to zero, really, and look at how much the loss rises. Then put it back.
# This is called **leave-one-out**, and everything in this lesson is held against it.


# %% tags=["nbval-check-output"]
def without(w, q):
    z = w.copy()
    z[q] = 0
    return z


truth = np.array([loss(without(w, q)) - loss(w) for q in range(5)])
for q, name in enumerate(names):
    print(f"{name}: weight {w[q]:+.2f}, typical input {np.sqrt(np.mean(X[:, q] ** 2)):.1f}, rise {truth[q]:.3f}")

# %% [markdown]
# Read the columns against each other. The smallest weight, B, is the *dearest*, and the largest, C, is the *cheapest*.
# The reason stands between them: B multiplies large numbers and C small ones. **A weight acts only through its input.**
# Magnitude looks at one factor of a product.
#
# ## The formula
#
# Brute force needs one evaluation for each weight. For a large net that is too much. So predict the rise instead. Near
# the present weights $w$, the loss is its Taylor series in the change $\delta$:
#
# $$L(w + \delta) = L(w) + g^\top \delta + \tfrac12\, \delta^\top H\, \delta + \dots$$
#
# The **gradient** $g$ has the slopes $\partial L / \partial w_q$, the **Hessian** $H$ the curvatures
# $\partial^2 L / \partial w_q\, \partial w_r$: how the slope of one weight changes when another moves. To remove weight
# $q$ is the change $\delta$ with $-w_q$ in place $q$ and zeros elsewhere. Put that in, and only two numbers are left:
#
# $$\text{rise}_q \;\approx\; \underbrace{-\,g_q\, w_q}_{\text{first order}} \;+\;
# \underbrace{\tfrac12\, h_{qq}\, w_q^2}_{\text{second order}}$$
#
# - **First-order Taylor** ranks by the size of the first term, $|w_q\, g_q|$. It costs one gradient.
# - **Optimal Brain Damage** (OBD; LeCun, Denker and Solla) says: a trained net is at a minimum, the gradient is zero
#   there, so rank by the second term, $\frac12 h_{qq} w_q^2$. It costs the diagonal of the Hessian.
#
# For least squares both are one line, and the series ends after the second term.

# %% tags=["nbval-check-output"]
gradient = X.T @ (X @ w - y) / n
H = X.T @ X / n  # (5, 5)

first_order = -gradient * w
obd = np.diag(H) * w**2 / 2

print(f"first order, largest: below 1e-9: {np.abs(first_order).max() < 1e-9}")
print(f"OBD against brute force, all five within 1e-9: {np.abs(obd - truth).max() < 1e-9}")

# %% [markdown]
# OBD is right to the last digit. First order says that every weight is free.
#
# ## The slope at the bottom of a bowl
#
# That is no accident. At a minimum the gradient is zero; otherwise one could go lower. The first-order term is silent
# just where we want to prune. Was it ever of use? Go back to the start of the training: descend the
# same bowl by gradient steps, and at each step ask both terms what the removal of A would do.

# %%
steps, v = [], np.zeros(5)
for step in range(41):
    g = X.T @ (X @ v - y) / n
    steps.append([loss(without(v, 0)) - loss(v), -g[0] * v[0], H[0, 0] * v[0] ** 2 / 2])
    v = v - 0.1 * g
measured, first, second = np.array(steps).T

fig, ax = plt.subplots()
ax.plot(measured, "o", color=plots.GREY, ms=5, label="brute force")
ax.plot(first, color=plots.ORANGE, ls="--", label="first order")
ax.plot(second, color=plots.GREEN, ls="-.", label="second order (OBD)")
ax.plot(first + second, color=plots.BLUE, ls="-", label="sum of both")
crossed = np.flatnonzero(second[1:] > first[1:])[0] + 1
ax.set(xlabel="gradient step", ylabel="rise of the loss without A")
ax.set_title(f"First order leads at first; from step {crossed} on, the second order does")
ax.legend()
plt.show()

# %% [markdown]
# *In words: the grey dots, the truth, rise and level off, and the blue line, the sum of the two terms, runs through all
# of them. The orange first-order line rises first, then falls back to zero. The green second-order line starts flat and
# ends on the truth.*
#
# **Early in training the slope knows; at the end only the curvature does.** Keep this picture in mind. It will come
# back twice.
#
# ## Let the others make up for it
#
# So far the other four weights stood still. That is unfair to D: without it, E could do most of its work. Brute force
# again, but now fit the remaining four anew.


# %%
def refitted(q):
    kept = np.arange(5) != q
    z = np.zeros(5)
    z[kept] = fit(X[:, kept])
    return z


truth_refitted = np.array([loss(refitted(q)) - loss(w) for q in range(5)])

# %% [markdown]
# And the formula? **Optimal Brain Surgeon** (OBS; Hassibi and Stork) asks for the best change $\delta$ that removes
# weight $q$: the smallest rise $\frac12 \delta^\top H \delta$ among all changes with $\delta_q = -w_q$. One condition,
# one Lagrange multiplier $\lambda$:
#
# $$H\delta + \lambda\, e_q = 0 \quad\Rightarrow\quad \delta = -\lambda\, H^{-1} e_q, \qquad
# \delta_q = -w_q \;\Rightarrow\; \lambda = \frac{w_q}{[H^{-1}]_{qq}}$$
#
# Here $e_q$ is the vector with a 1 in place $q$. The result is a price, and the change of *all* weights that goes with
# it:
#
# $$\text{rise}_q = \frac{w_q^2}{2\,[H^{-1}]_{qq}}, \qquad \delta = -\frac{w_q}{[H^{-1}]_{qq}}\, H^{-1} e_q$$

# %% tags=["nbval-check-output"]
inverse = np.linalg.inv(H)
obs = w**2 / (2 * np.diag(inverse))


def surgeon(w, inverse, q):
    return w - w[q] / inverse[q, q] * inverse[:, q]


apart = max(np.abs(surgeon(w, inverse, q) - refitted(q)).max() for q in range(5))
print(f"prices equal the refitted loss within 1e-6:   {np.abs(obs - truth_refitted).max() < 1e-6}")
print(f"weights equal the refitted ones within 1e-6:  {apart < 1e-6}")

# %% [markdown]
# The formula has done in one step what a whole fit does. Note the trap in it: $[H^{-1}]_{qq}$ is the diagonal of the
# inverse, **not** the inverse of the diagonal. The two are the same only where weights do not interact. Look at the
# matrices.

# %%
fig, axes = plt.subplots(1, 2, figsize=(7.4, 3.7))
titles = ["Hessian H: D and E are tied", "inverse: the tie grows"]
for ax, m, title in zip(axes, [H, inverse], titles, strict=True):
    plots.matrix(m.round(2) + 0, title, ax, limit=2)  # + 0: no "-0"
    ax.set(xticks=range(5), yticks=range(5), xticklabels=names, yticklabels=names)
    ax.grid(False)
plt.show()

# %% [markdown]
# *In words: two 5 × 5 grids, zero but for the diagonal and the squares that join D and E. In H the entry of B is
# large, that of C small; in the inverse it is the other way round. The diagonal entries of D and E are 1 in H, and
# clearly more than 1 in the inverse.*
#
# Because the diagonal of the inverse is large for D and E, their OBS prices are low. OBS is never above OBD: to leave
# the others where they are is one of the changes it may choose.
#
# ## Three rankings, three victims
#
# Which weight would each method remove? And does it depend on things that should not matter, such as the unit in which
# an input was written down? If B is given in a unit that makes its numbers $u$ times as large, its weight becomes $u$
# times as small. The model says exactly what it said before.


# %%
def draw(unit):
    scaled = X * [1, unit, 1, 1, 1]
    w, H = fit(scaled), scaled.T @ scaled / n
    prices = {"magnitude |w|": np.abs(w), "OBD ½hw²": np.diag(H) * w**2 / 2}
    prices["OBS w²/(2[H⁻¹])"] = w**2 / (2 * np.diag(np.linalg.inv(H)))
    fig, axes = plt.subplots(1, 3, figsize=(8.6, 2.6))
    for ax, (name, price) in zip(axes, prices.items(), strict=True):
        victim = price.argmin()
        bars = ax.bar(list(names), price, color=plots.SKY)
        bars[victim].set(facecolor=plots.ORANGE, edgecolor="white", hatch="//")
        ax.set(title=f"{name}: {names[victim]} goes", xlabel="input", ylabel="price")
    fig.suptitle(f"Numbers of B times {unit:g}", x=0.01, ha="left", fontsize=11)
    plt.show()


draw(unit=1)

# %% [markdown]
# *In words: three groups of five bars, the lowest hatched. Magnitude is lowest for B, OBD for C, OBS for D. Three
# methods, three victims.*
#
# All three answers are right, each to a question of its own. Brute force agrees with OBD if you leave the others alone,
# and with OBS if you fit them again. Only magnitude answers a question that nobody has asked.
#
# Now move the slider: write B in other units. Watch which bars move. (A page on the web shows one position; run
# the notebook to move.)

# %%
_ = ipywidgets.interact(draw, unit=ipywidgets.FloatLogSlider(value=0.2, min=-1, max=1, step=0.1))

# %% [markdown]
# *In words: the same bars with B's numbers five times smaller. B is now the tallest bar under magnitude, and another
# weight goes first. The bars of OBD and OBS are those of before.*
#
# **Prices in the loss do not change with the unit; magnitude does.** A network has this freedom inside as well:
# multiply all weights into a ReLU unit, and its bias, by 10, divide the weights out of it by 10, and it computes the same.
#
# ## Two at once
#
# You found two cheap weights. Remove both. Is the price the sum? Put both changes into the quadratic term:
#
# $$\text{rise}_{qr} = \tfrac12 h_{qq} w_q^2 + \tfrac12 h_{rr} w_r^2 + h_{qr}\, w_q w_r$$
#
# The last term is the **interaction**. OBD, which looks at the diagonal alone, does not see it.

# %% tags=["nbval-check-output"]
print("pair   sum of two   with interaction   brute force")
for q, r in [(0, 2), (3, 4)]:
    together = obd[q] + obd[r] + H[q, r] * w[q] * w[r]
    both = loss(without(without(w, q), r)) - loss(w)
    print(f"{names[q]}, {names[r]}   {obd[q] + obd[r]:10.3f}   {together:16.3f}   {both:11.3f}")

# %% [markdown]
# A and C have nothing to do with each other: their prices add up. D and E do the same work, and whoever removes both
# pays nearly twice the sum. One can stand in for the other, but only while it is there. With opposite signs it would be
# the other way round: two weights that cancel each other are cheaper to remove as a pair.
#
# For two weights that is a footnote. Pruning removes thousands at once.
#
# ## A small network
#
# A network is no least-squares problem. The series does not end after two terms, and nobody guarantees a minimum. Do
# the prices still hold? To measure *every* weight by brute force we take a small net: images of Fashion-MNIST shrunk to
# 7 × 7 pixels, ten hidden units, ten classes, 1,000 training images.

# %%
fashion = data.fashion_mnist()


def to_49(images):  # (n, 28, 28, 1) -> (n, 49), the mean of each 4 × 4 square
    return images.reshape(-1, 7, 4, 7, 4).mean(axis=(2, 4)).reshape(-1, 49)


few = (to_49(fashion.train.x[:1000]), fashion.train.y[:1000])


def small_net(seed, l2=0.0):
    keras.utils.set_random_seed(seed)
    dense = partial(keras.layers.Dense, kernel_regularizer=keras.regularizers.L2(l2) if l2 else None)
    model = keras.Sequential([keras.Input((49,)), dense(10, "relu"), dense(10, "softmax")])
    model.compile(keras.optimizers.Adam(), "sparse_categorical_crossentropy")
    return model


def train(model, epochs, rate, *callbacks):
    model.optimizer.learning_rate = rate
    model.fit(*few, batch_size=50, epochs=epochs, verbose=0, callbacks=callbacks)


# %% [markdown]
# Brute force for a network is the same loop as before. `variables.prunable` gives the kernels, that is all weights but
# the biases.


# %%
def loss_of(model):
    """A function without arguments: the training loss of the model as it is now, on the few images."""
    x, y = tf.constant(few[0]), tf.constant(few[1])
    return tf.function(lambda: model.compute_loss(x=x, y=y, y_pred=model(x)), autograph=False)


def leave_one_out(model):
    measure, rises = loss_of(model), []
    whole = float(measure())
    for kernel in variables.prunable(model).values():
        trained = kernel.numpy()
        for place in np.ndindex(trained.shape):
            kernel.assign(without(trained, place))
            rises.append(float(measure()) - whole)
        kernel.assign(trained)
    return np.array(rises)


# %% [markdown]
# And the gradient, by TensorFlow's tape, which differentiates whatever it has watched. With it the first-order term is
# one line. The library has the scores ready: `scores.taylor` is $|w\,g|$, `scores.obd` is $\frac12 h w^2$ with the
# exact diagonal for nets as small as this one.


# %%
def flat(by_path):
    return np.concatenate([np.asarray(array).ravel() for array in by_path.values()])


def first_order_of(model):
    kernels = variables.prunable(model)
    with tf.GradientTape() as tape:
        value = model.compute_loss(x=few[0], y=few[1], y_pred=model(few[0]))
    slopes = tape.gradient(value, [kernel.value for kernel in kernels.values()])
    return -flat(dict(zip(kernels, slopes, strict=True))) * flat(kernels)


def ranks(values):
    """Ranks from 1 for the smallest; equal values share their mean rank."""
    _, place, times = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(times) - (times - 1) / 2)[place]


def rank_correlation(a, b):  # Spearman's: 1 the same order, 0 no relation, -1 the opposite order
    return np.corrcoef(ranks(a), ranks(b))[0, 1]


# %% [markdown]
# We judge a prediction by its **rank correlation** with the truth, written ρ: 1 is the same order, 0 no relation. For pruning the order is what counts: who goes
# first.
#
# Train in five stages, the last two with smaller steps to come close to a minimum. At each stage stop and measure all
# weights.

# %%
net, stages = small_net(0), {}
for epochs, rate in [(1, 0.01), (9, 0.01), (30, 0.01), (10, 0.003), (10, 0.0007)]:
    done = sum(stage["epochs"] for stage in stages.values()) + epochs
    train(net, epochs, rate, training.Progress(f"up to epoch {done}"))
    stages[done] = {
        "epochs": epochs,
        "truth": leave_one_out(net),
        "first": first_order_of(net),
        "second": flat(scores.obd(net, few)),
    }
print(f"{flat(scores.magnitude(net)).size} weights, each removed once at each of {len(stages)} stages")

# %%
terms = {"first order, with sign": "first", "second order (OBD)": "second"}
agreement = {name: [rank_correlation(s[t], s["truth"]) for s in stages.values()] for name, t in terms.items()}
agreement["sum of both"] = [rank_correlation(s["first"] + s["second"], s["truth"]) for s in stages.values()]

fig, ax = plt.subplots()
for (name, values), look in zip(agreement.items(), plots.look.lines(3), strict=True):
    ax.plot([str(done) for done in stages], values, label=name, **look)
began, ended = agreement["first order, with sign"][0], agreement["first order, with sign"][-1]
ax.set(xlabel="epochs trained", ylabel="rank correlation with the truth", ylim=(0, 1.05))
ax.set_title(f"The signed slope: {began:.2f} after one epoch, {ended:.2f} at the end")
ax.legend(loc="lower left")
plt.show()

# %% [markdown]
# *In words: after one epoch the first-order line is close to 1 and the second-order line is low. To the right they
# change places. The line of their sum stays near 1 throughout.*
#
# It is the picture of the five weights again, now measured on a real net. The sum of both terms is right at all times.
# Which term matters depends on where in training you are. OBD's assumption, a minimum, is one that you have to *make*
# true by training to the end.
#
# ## Prediction against truth
#
# Here is every weight at the end of training, one dot each. A dot on the grey diagonal is a perfect prediction.

# %%
last = stages[max(stages)]
truth, first, second = last["truth"], last["first"], last["second"]
size = flat(scores.magnitude(net))
panels = {"magnitude |w|": size, "Taylor |wg|": np.abs(first), "OBD ½hw²": second}

fig, axes = plt.subplots(1, 3, figsize=(9.6, 3.5))
shown = (truth > 1e-7) & (second > 1e-9)
for ax, (name, price) in zip(axes, panels.items(), strict=True):
    ax.loglog(price[shown], truth[shown], "o", ms=3, alpha=0.4, color=plots.BLUE, ls="")
    ax.set(xlabel=f"predicted: {name}", title=f"{name}: ρ = {rank_correlation(price, truth):.2f}")
    if name != "magnitude |w|":
        ax.plot([1e-7, 1], [1e-7, 1], color=plots.GREY, ls="-", lw=1)
axes[0].set(ylabel="measured rise of the loss")
plt.show()

left, bent = np.abs(first / size), second / size**2  # |g| and ½h
print(f"weights that are drawn: {shown.sum()} of {shown.size}; the others cost next to nothing, or less")
print(f"the first-order term, with its sign: ρ = {rank_correlation(first, truth):.2f}")
print(f"the size of the slope that is left against the curvature: ρ = {rank_correlation(left, bent):.2f}")
print(f"scores.taylor is |w·g|: {np.allclose(flat(scores.taylor(net, few)), np.abs(first), atol=1e-6)}")

# %% [markdown]
# *In words: three clouds of dots. Under magnitude it is broad: weights of one size differ in their true price by
# factors of a hundred and more. Under Taylor it follows the diagonal but lies to the left of it, so the prices are too
# low. Under OBD it is narrow and lies on the diagonal in its middle. At the top right it scatters, and at the bottom left
# most dots lie above the line.*
#
# - **Magnitude** is a rough guide, better than nothing.
# - **OBD** is nearly right in the middle. At the top right, where a weight is large, its removal is a long step, and the
#   terms that the series leaves out count. At the bottom left the price is tiny, and the slope that OBD takes for zero is
#   not.
# - **Taylor** is a surprise: with its sign the term says little, but $|w\,g|$ still ranks fairly well. Training never
#   reaches the minimum quite. What is left of the gradient is an accident of the last steps, but it is larger where the
#   curvature is larger (the third printed line). It gets the order roughly right for a reason that is not the one in
#   its derivation, and the values wrong.
#
# ## Where magnitude is wrong
#
# Look for the culprits. Among the weights of the first layer, which are the most overrated by size, and which the most
# underrated? Compare each weight's rank by magnitude with its rank by truth, and look at the pixel that it multiplies.

# %%
in_first = slice(0, 490)  # 49 pixels × 10 units
pixel = np.repeat(np.sqrt(np.mean(few[0] ** 2, axis=0)), 10)  # typical input of each first-layer weight
overrated = ranks(size[in_first]) - ranks(truth[in_first])

fig, ax = plt.subplots(figsize=(6.8, 3.8))
drawn = ax.scatter(size[in_first], np.maximum(truth[in_first], 1e-7), c=pixel, cmap="cividis", s=14)
ax.set(yscale="log", xlabel="magnitude |w|", ylabel="measured rise (below 1e-7 drawn there)")
fig.colorbar(drawn, ax=ax, label="typical value of the pixel")
sorted_by = np.argsort(overrated)
dark, bright = pixel[sorted_by[-49:]].mean(), pixel[sorted_by[:49]].mean()
ax.set_title(f"Pixels behind overrated weights: {dark:.2f}; behind underrated: {bright:.2f}")
plt.show()

# %%
rows = []
for name, q in {"overrated": sorted_by[-1], "underrated": sorted_by[0]}.items():
    rows.append([name, f"{size[q]:.2f}", f"{pixel[q]:.3f}", f"{second[q]:.1e}", f"{truth[q]:.1e}"])
report.Table(["weight most", "|w|", "typical pixel", "OBD's price", "measured rise"], rows)

# %% [markdown]
# *In words: the dots are coloured by pixel, dark for a pixel that is nearly always near zero. At the same size
# the dark dots lie below the bright ones, by a factor of ten and more. A row of dots of all colours at the bottom costs
# nothing, or less. The title gives the mean pixel of
# the tenth of the weights that size overrates most, and of the tenth that it underrates most.*
#
# It is the lesson of B and C. The corners of a picture of clothes are dark, and a weight on a dark pixel multiplies
# almost nothing. Chapter 03 found large weights there under Adam and showed that they can go. Here is the formula that
# knows it: the curvature $h_{qq}$ of a first-layer weight contains the mean square of its input.
#
# ## Is it magnitude's fault, or the training's?
#
# Nothing in the loss tells a weight on a dark pixel to be small. L2 does (chapter 02): it pulls every weight towards
# zero, and where the data do not pull back the weight goes. Train the small net with and without L2, three seeds each,
# and measure magnitude again. A second question on the way: the Hessian's diagonal is costly for large nets. The
# **empirical Fisher** puts the mean of the *squared gradients of single images* in its place, `scores.fisher`. Does
# that do?

# %%
in_order = {"magnitude": scores.magnitude, "Taylor": scores.taylor, "Fisher": scores.fisher, "OBD": scores.obd}
rows, agreements = [], {}
for l2 in (0.0, 0.001):
    found = agreements[l2] = {name: [] for name in in_order}
    for seed in range(3):
        model = small_net(seed, l2)
        for epochs, rate in [(25, 0.01), (8, 0.003), (8, 0.0007)]:
            train(model, epochs, rate)
        removed = leave_one_out(model)
        for name, score in in_order.items():
            found[name].append(rank_correlation(flat(score(model, few)), removed))
    rows.append([f"L2 = {l2:g}", *(f"{np.mean(f):.2f} ± {np.std(f, ddof=1):.2f}" for f in found.values())])
report.Table(["rank correlation with the truth", *in_order], rows)

# %% [markdown]
# **Whether size tells importance is decided in training.** With L2, magnitude comes much closer to the truth. The
# penalty has done part of the ranking beforehand. OBD and Fisher were good without its help. And Fisher, which needs
# gradients only, ranks nearly as well as the exact curvature. (Near a minimum, and only for losses like cross-entropy,
# the squared gradients and the curvature are relatives.)
#
# ## The surgeon on a network
#
# OBS needs the whole Hessian and its inverse. For 590 weights that is a matter of a second. But on a network $H$ is
# nearly singular: whole directions leave the loss as it is. Then the inverse is enormous and the step runs far away
# from where the series holds. The remedy is **damping**: add a little to every curvature. `damped` takes each
# curvature by its size, for some are negative off the minimum, and adds 1% of the mean.
#
# Its truth is the loss after the removal *and* its update of the other weights.

# %%
H = damped(hessian(net, few), 0.01)  # (590, 590)
inverse = np.linalg.inv(H)
trained = flat(variables.prunable(net))
obs = trained**2 / (2 * np.diag(inverse))


def put(model, weights):
    for path, kernel in split(model, weights).items():
        variables.prunable(model)[path].assign(kernel)


measure, operated = loss_of(net), []
whole = float(measure())
for q in range(trained.size):
    put(net, surgeon(trained, inverse, q))
    operated.append(float(measure()) - whole)
put(net, trained)
operated = np.array(operated)

# %%
helped = np.mean(operated[truth > 1e-6] < truth[truth > 1e-6])
saved = 1 - np.median(operated[truth > 1e-6] / truth[truth > 1e-6])
fig, ax = plt.subplots(figsize=(4.6, 4.2))
ax.loglog(truth, operated, "o", ms=3, alpha=0.4, color=plots.BLUE, ls="")
ax.plot([1e-7, 1], [1e-7, 1], color=plots.GREY, ls="-", lw=1)
ax.set(xlim=(1e-7, 1), ylim=(1e-7, 1), xlabel="rise, others fixed", ylabel="rise, others updated by OBS")
ax.set_title(f"With the update, {helped:.0%} of the weights cost less")
plt.show()

print(f"of the rise, the update saves (median): {saved:.0%}")
print(f"OBS's price against the rise after its update: ρ = {rank_correlation(obs, operated):.2f}")
print(f"OBD's price against the rise without an update: ρ = {rank_correlation(second, truth):.2f}")

# %% [markdown]
# *In words: most dots lie below the grey diagonal, many far below: with the update the loss rises less. Weights whose
# rise is below a millionth are not counted in the title, and those with no rise at all are not drawn.*
#
# Two results, and they differ. The **update** is excellent: it removes most of the damage. The **price** is a poorer
# prophet than OBD's. That is fair: it predicts the small remainder after a long step in many weights, by an inverse
# that we had to damp. On five weights it was exact because everything about the loss was quadratic. So: trust the
# operation more than the bill.
#
# ## Many at once
#
# All prices so far were for *one* weight. Now remove the cheapest 10, 20, … 90% by OBD, all at once, and compare the
# measured rise with two predictions: the sum of the single prices, and the full quadratic term, which knows all
# interactions between pairs.

# %%
curvature, slope = hessian(net, few), np.divide(-first, trained, out=np.zeros_like(first), where=trained != 0)
order, shares = np.argsort(second), np.arange(0.1, 0.95, 0.1)
rises = {"measured": [], "sum of single prices": [], "with all pairs": []}
for share in shares:
    gone = order[: round(share * trained.size)]
    delta = np.zeros_like(trained)
    delta[gone] = -trained[gone]
    put(net, trained + delta)
    rises["measured"].append(float(measure()) - whole)
    rises["sum of single prices"].append(second[gone].sum())
    rises["with all pairs"].append(slope @ delta + delta @ curvature @ delta / 2)
put(net, trained)

# %%
fig, ax = plt.subplots()
for (name, values), look in zip(rises.items(), plots.look.lines(3), strict=True):
    ax.plot(100 * shares[2:], values[2:], label=name, **look)
ax.set(yscale="log", xlabel="weights removed at once, %", ylabel="rise of the loss (logarithmic)")
factors = [rises["measured"][at] / rises["sum of single prices"][at] for at in (4, 7)]
ax.set_title(f"The sum is too low by a factor {factors[0]:.1f} at 50%, {factors[1]:.1f} at 80%")
ax.legend(loc="lower right")
plt.show()

# %% [markdown]
# *In words: three lines. The measured one lies above the other two all the way, farthest at 70% and 80%. At 30% and 40%
# the line with all pairs runs close below it and the sum well below. From 60% on the line with all pairs runs with the
# sum.*
#
# At first, knowing the pairs explains most of what the sum misses. Further out it no longer helps: the removal of most of
# the net is no small change, and a quadratic, however exact, does not describe what comes of it. **A price is true for one weight,
# at one place.**
#
# ## Which ranking survives that?
#
# So rank by each price and remove many. One of the rankings is the truth itself, the brute-force leave-one-out: no
# price for single weights can be better. For OBS the update comes with it: `scores.obs_update` moves the
# weights that stay, for all removed ones together.

# %%
few_scores = {
    "random": scores.random(net),
    "magnitude": scores.magnitude(net),
    "OBD": scores.obd(net, few),
    "brute force": split(net, truth),
    "OBS and update": scores.obs(net, few),
}
shares = [0.3, 0.5, 0.7, 0.8]
curves = {name: {} for name in few_scores}
for name, score in few_scores.items():
    for share in shares:
        kept = masks.from_scores(score, share)
        updated = name == "OBS and update"
        put(net, flat(scores.obs_update(net, few, kept)) if updated else trained * flat(kept))
        curves[name][share] = [float(measure()) - whole]
        put(net, trained)

ax = plots.trade_off(curves, y="rise of the loss")
ax.set(yscale="log", ylim=(1e-4, 10))
best = min(curves, key=lambda name: curves[name][0.7][0])
times = curves["brute force"][0.7][0] / curves[best][0.7][0]
ax.set_title(f"At 70%, {best} costs {times:.0f} times less than brute force")
plt.show()

# %% [markdown]
# *In words: five lines. Random is high throughout. Magnitude starts below it. OBD and brute force run close together, far
# below magnitude at 30%, and have passed above it at 80%. OBS with its update is the lowest everywhere, far below until
# 70%.*
#
# Three things to take from it.
# - Up to about half of the net, the price in the loss beats magnitude clearly, and the cheap OBD is about as good as
#   brute force.
# - At 80% **even the true prices fail**: what was measured for one weight at a time does not hold for all of them.
# - Letting the others make up for it is worth more than any ranking.
#
# ## The real model
#
# LeNet-300-100, as in chapter 03: 20,000 images, six epochs of Adam, three seeds. It has hundreds of times as many
# weights. What can be afforded now? The gradient, and so first order and Fisher; OBD's diagonal by an estimate from
# random vectors (Hutchinson's, see `scores.obd`); OBS no longer with the loss's Hessian, which would have seventy
# billion entries, but layer by layer, with the curvature of the error in the layer's own outputs,
# $H = \mathbb{E}[x x^\top]$ (Dong, Chen and Pan).

# %%
images, labels = fashion.train.x[:20_000], fashion.train.y[:20_000]
sample = (images[:1000], labels[:1000])  # what the scores are measured on


def build(seed, width=1.0):
    keras.utils.set_random_seed(seed)
    model = models.lenet_300_100(width=width)
    model.compile("adam", "sparse_categorical_crossentropy")
    return model


def fit_lenet(model, epochs, *callbacks):
    model.fit(images, labels, batch_size=256, epochs=epochs, verbose=0, callbacks=callbacks)


def accuracy(model, split=fashion.validation):
    return np.mean(model(split.x).numpy().argmax(-1) == split.y)


def snapshot(model):
    return [v.numpy() for v in (*model.weights, *model.optimizer.variables)]


def go_back(model, kept):
    for variable, value in zip((*model.weights, *model.optimizer.variables), kept, strict=True):
        variable.assign(value)


# %%
dense = [build(seed) for seed in range(3)]
for seed, model in enumerate(dense):
    fit_lenet(model, 6, training.Progress(f"dense, seed {seed}"))
snapshots = [snapshot(model) for model in dense]


def spread(values):
    """Mean ± standard deviation over the seeds, in percent."""
    return f"{100 * np.mean(values):.1f} ± {100 * np.std(values, ddof=1):.1f}"


print("dense, validation accuracy in %:", spread([accuracy(model) for model in dense]))

# %% [markdown]
# The ranking uses 1,000 training images, the same for all methods. Validation images are for choosing and the test
# images wait, as always.

# %%
rankings = {  # name: (score of a model and a seed, scope)
    "random": (lambda model, seed: scores.random(model, seed=seed), "tensor"),
    "magnitude": (lambda model, seed: scores.magnitude(model), "global"),
    "Taylor": (lambda model, seed: scores.taylor(model, sample), "global"),
    "Fisher": (lambda model, seed: scores.fisher(model, sample), "global"),
    "OBD, estimated": (lambda model, seed: scores.obd(model, sample), "global"),
    "OBS by layer": (lambda model, seed: scores.obs(model, sample), "tensor"),
}
price = {name: [score(model, seed) for seed, model in enumerate(dense)] for name, (score, _) in rankings.items()}

# %% [markdown]
# Are these prices true? Brute force on a sample, 60 weights from each layer, of the first net. A single weight among so
# many changes the loss in the seventh decimal, beyond float32. So the forward pass is written out in float64.


# %%
def loss_64(weights):
    h = sample[0].reshape(len(sample[0]), -1)
    for kernel, bias in zip(weights[::2], weights[1::2], strict=True):
        z = h @ kernel + bias
        h = np.maximum(z, 0)
    z = z - z.max(axis=1, keepdims=True)
    return np.mean(np.log(np.exp(z).sum(axis=1)) - z[np.arange(len(z)), sample[1]])


weights = [array.astype("float64") for array in dense[0].get_weights()]
whole, rng, true_rise = loss_64(weights), np.random.default_rng(0), []
sampled = [rng.choice(kernel.size, 60, replace=False) for kernel in weights[::2]]
for kernel, places in zip(weights[::2], sampled, strict=True):
    for q in places:
        kept, kernel.flat[q] = kernel.flat[q], 0
        true_rise.append(loss_64(weights) - whole)
        kernel.flat[q] = kept

# %%
starts = np.cumsum([0] + [kernel.size for kernel in weights[::2]])[:-1]
where = np.concatenate([start + places for start, places in zip(starts, sampled, strict=True)])
rows = []
for name in ["magnitude", "Taylor", "Fisher", "OBD, estimated"]:
    rows.append([name, f"{rank_correlation(flat(price[name][0])[where], np.abs(true_rise)):.2f}"])
again = flat(scores.obd(dense[0], sample, seed=1))
twice = rank_correlation(flat(price["OBD, estimated"][0]), again)
display(report.Table(["price", "rank correlation with the size of the true change"], rows))
print(f"weights whose removal would lower the loss: {np.mean(np.array(true_rise) < 0):.0%}")
print(f"two OBD estimates from other random vectors agree with each other: ρ = {twice:.2f}")

# %% [markdown]
# Compare with the small net, and mind what has changed.
#
# - **Taylor is nearly perfect here.** This net was stopped after six epochs and is at no minimum; it is on the left
#   side of our picture. So many removals would even *lower* the loss. We therefore hold prices against the size of the
#   change.
# - **The curvature in OBD's estimate is noise.** Two estimates of the same diagonal do not agree with each other. The error of a single
#   entry comes from all the other entries in its row, and there are a quarter of a million of them. A formula is only
#   as good as what you can compute of it. We keep it in the comparison as a warning.

# %% [markdown]
# ## Ranked once
#
# Rank, zero, measure. No training.


# %%
def zero(model, kept):
    for path, kernel in variables.prunable(model).items():
        kernel.assign(kernel.numpy() * kept[path])


def once(model, seed, sparsity, name):
    kept = masks.from_scores(price[name][seed], sparsity, scope=rankings[name][1])
    zero(model, kept)
    return kept


by_ranking = {name: {} for name in rankings if name != "OBS by layer"}
for name, reached in by_ranking.items():
    for sparsity in [0.5, 0.6, 0.7, 0.8, 0.9, 0.95]:
        reached[sparsity] = []
        for seed, model in enumerate(dense):
            once(model, seed, sparsity, name)
            reached[sparsity].append(accuracy(model))
            go_back(model, snapshots[seed])

# %%
ax = plots.trade_off(by_ranking, y="validation accuracy (fraction right)")
means = {name: 100 * np.mean(reached[0.8]) for name, reached in by_ranking.items()}
ordered = sorted(means, key=means.get, reverse=True)
ax.set_title(
    f"Ranked once, 80% zeroed: {ordered[0]} keeps {means[ordered[0]]:.0f}%, {ordered[1]} {means[ordered[1]]:.0f}%"
)
plt.show()
found = ", ".join(f"{name} {means[name]:.0f}" for name in ordered)
display(Markdown(f"*In words: all lines fall. At 80% zeros the mean validation accuracy in % is: {found}.*"))

# %% [markdown]
# Surprised? Magnitude knows the single weights worse, as the table has just shown, and yet it does better than Taylor
# and Fisher when most of the net goes at once. Why? (The estimated OBD beats random: its price still contains $w^2$, so
# some of magnitude is in it. At the very end, where all have lost most of the accuracy, it may even lead.)
#
# A likely reason: the series is good near the trained weights only, so the *length* of the step matters. Magnitude
# removes the weights with the least sum of squares. So at a given sparsity it makes the shortest step that there is.

# %%
start, rows = flat(variables.prunable(dense[0])), []
for name in ["magnitude", "Taylor", "Fisher"]:
    for sparsity in [0.5, 0.8]:
        gone = ~flat(once(dense[0], 0, sparsity, name))
        rise = float(dense[0].evaluate(*sample, verbose=0)) - whole
        length, predicted = np.linalg.norm(start[gone]), flat(price["Fisher"][0])[gone].sum()
        rows.append([f"{name}, {sparsity:.0%}", f"{length:.1f}", f"{predicted:.3f}", f"{rise:.3f}"])
        go_back(dense[0], snapshots[0])
report.Table(["removed", "length of the step", "sum of Fisher prices", "measured rise"], rows)

# %% [markdown]
# By the sum of its prices Fisher is the cheapest. That is what it was made for. But its step is longer than
# magnitude's, and the bill that arrives is many times what was promised. Magnitude promises nothing and stays close to
# home.
#
# ## Two remedies
#
# 1. **Measure again on the way.** Remove a little, take the gradient anew, remove a little more: Taylor in ten rounds.
#    The first cut takes the net off its place, and then the slope speaks. (Magnitude has nothing to gain from rounds
#    without training: the sizes do not change.)
# 2. **Let the rest make up for it**, with the update of OBS, layer by layer: once for the weights that OBS itself would
#    remove, and once for those that *magnitude* would. For the update does not mind who made the list.


# %%
def in_rounds(model, seed, sparsity, rounds=10):
    kept = {path: np.ones(kernel.shape, bool) for path, kernel in variables.prunable(model).items()}
    for number in range(1, rounds + 1):  # each removes the same fraction of what is left
        score = {path: np.where(kept[path], s, -1) for path, s in scores.taylor(model, sample).items()}
        kept = masks.from_scores(score, 1 - (1 - sparsity) ** (number / rounds))
        zero(model, kept)
    return kept


def with_update(model, seed, sparsity, name):
    kept = masks.from_scores(price[name][seed], sparsity, scope=rankings[name][1])
    for path, kernel in scores.obs_update(model, sample, kept).items():
        variables.prunable(model)[path].assign(kernel)
    return kept


# %% [markdown]
# All of them at two sparsities. Keep the masks and the weights: they will be fine-tuned.

# %%
methods = {name: partial(once, name=name) for name in ["random", "magnitude", "Taylor", "Fisher"]}
methods["Taylor, 10 rounds"] = in_rounds
methods["OBS by layer, updated"] = partial(with_update, name="OBS by layer")
methods["magnitude, updated"] = partial(with_update, name="magnitude")
tuned_at, pruned = [0.8, 0.95], {}  # {(method, sparsity): [(masks, weights), one a seed]}
before = {name: {sparsity: [] for sparsity in tuned_at} for name in methods}
for name, method in methods.items():
    for sparsity in tuned_at:
        pruned[name, sparsity] = []
        for seed, model in enumerate(dense):
            kept = method(model, seed, sparsity)
            pruned[name, sparsity].append((kept, model.get_weights()))
            before[name][sparsity].append(accuracy(model))
            go_back(model, snapshots[seed])

report.Table(
    ["validation accuracy in %, no training", *(f"{sparsity:.0%} zeroed" for sparsity in tuned_at)],
    [[name, *map(spread, reached.values())] for name, reached in before.items()],
)

# %% [markdown]
# Both remedies work, and the second one better.
#
# - Measured in rounds, the *same* Taylor price is level with magnitude at 80% or better, and far ahead at 95%. At every
#   place it is a fair guide to the next small step. It only must not be used for the whole way.
# - The update is worth more than the ranking. And the best list to update is magnitude's. (Part of the reason:
#   magnitude ranks all layers together, while OBS by layer can compare weights only within a layer and takes the same
#   share from each.)
#
# ## After a short fine-tune
#
# Nobody ships a net without training on. So two epochs with the masks held (chapter 03). Random masks take part. As the
# second baseline, small dense nets with as many parameters are trained from scratch for all eight epochs.

# %%
TRAINED, FINE_TUNE = 6, 2  # epochs
tuned, final = {}, {}  # validation accuracies; weights, for the test split
for name in methods:
    tuned[name] = {sparsity: [] for sparsity in tuned_at}
    for sparsity in tuned_at:
        final[name, sparsity] = []
        for seed, (model, (kept, weights)) in enumerate(zip(dense, pruned[name, sparsity], strict=True)):
            go_back(model, snapshots[seed])
            model.set_weights(weights)
            training.hold(model, kept)
            keras.utils.set_random_seed(seed)  # the same order of images for every method
            fit_lenet(model, FINE_TUNE)
            tuned[name][sparsity].append(accuracy(model))
            final[name, sparsity].append(model.get_weights())
        print(f"{name:22} {sparsity:.0%}: {spread(tuned[name][sparsity])} %")

# %% [markdown]
# And a control: the dense nets, trained on for the same two epochs with nothing removed. Then the small dense nets.

# %%
longer = []
for seed, model in enumerate(dense):
    go_back(model, snapshots[seed])
    training.hold(model, masks.from_scores(price["magnitude"][seed], 0.0))  # keep everything
    keras.utils.set_random_seed(seed)
    fit_lenet(model, FINE_TUNE)
    longer.append(accuracy(model))
final["dense"] = [model.get_weights() for model in dense]
print("dense, trained as long, validation accuracy in %:", spread(longer))

# %%
widths, small, tuned["small dense"] = np.arange(0.01, 0.5, 0.005), {}, {}
sizes = {s: 784 * round(300 * s) + round(300 * s) * round(100 * s) + 10 * round(100 * s) for s in widths}
for sparsity in tuned_at:
    budget = round((1 - sparsity) * start.size)  # weights kept, biases aside
    width = min(widths, key=lambda s: abs(sizes[s] - budget))
    small[sparsity] = [build(seed, width) for seed in range(3)]
    for model in small[sparsity]:
        fit_lenet(model, TRAINED + FINE_TUNE)
    tuned["small dense"][sparsity] = [accuracy(model) for model in small[sparsity]]
    print(f"{sparsity:.0%}: {budget:,} weights kept, small dense has {sizes[width]:,}")

# %%
fig, axes = plt.subplots(1, 2, figsize=(10, 3.9))
for ax, sparsity in zip(axes, tuned_at, strict=True):
    for place, (name, reached) in enumerate(tuned.items()):
        after = 100 * np.array(reached[sparsity])
        ax.plot(after, [place] * 3, "o", color=plots.BLUE, alpha=0.7)
        ax.text(101, place, f"{after.mean():.1f}", va="center", fontsize=9)
        if name in before:
            ax.plot(100 * np.array(before[name][sparsity]), [place] * 3, "D", mfc="none", color=plots.ORANGE)
    best = max(tuned, key=lambda name: np.mean(tuned[name][sparsity]))
    ax.set(xlim=(0, 100), ylim=(len(tuned) - 0.5, -0.5), yticks=range(len(tuned)), xlabel="validation accuracy, %")
    ax.set_yticklabels(tuned if sparsity == tuned_at[0] else [])
    ax.axvline(100 * np.mean(longer), color=plots.GREY, ls=":")
    ax.set_title(f"{sparsity:.0%}: best mean, {best}")
plt.show()


# %%
def listed(values):
    return ", ".join(f"{round(100 * value, 1) + 0:+.1f}" for value in values)  # + 0: no "-0.0"


words = "*In words: a row is a method. Open diamonds: only pruned; full dots: fine-tuned, the mean at the right; "
words += "dotted line: dense, trained as long. Fine-tuning closes most of the gaps. "
words += "What is left of them, in points against magnitude, seed by seed:*\n"
for sparsity in tuned_at:
    for name in [name for name in tuned if name != "magnitude"]:
        lead = np.array(tuned[name][sparsity]) - tuned["magnitude"][sparsity]
        words += f"\n- *{sparsity:.0%}, {name}: {listed(lead)}*"
display(Markdown(words))

# %% [markdown]
# Read the list with this rule: a lead counts if all three seeds agree on its sign and it is not tiny.
#
# - **Plain magnitude is hard to beat.** After fine-tuning, no ranking by the loss that we tried does better here,
#   neither once nor in rounds, although they were ahead on single weights or before the fine-tune. Perhaps because what
#   counts now is how well the net can learn on, and none of the prices asks for that.
# - **The update lasts at 95%**: magnitude's list with OBS's repair starts the fine-tune from a better place, and it shows at
#   the end. At 80% the fine-tune leaves hardly anything of it, and OBS's own list, updated, stays behind plain magnitude.
# - **Random** masks stay far behind. The **small dense** nets stay behind magnitude as well, but not behind every
#   ranking: a pruned net is not better than a small one just because it was pruned.
#
# ## Open the box: the test split, once


# %%
def test_accuracies(key):
    reached = []
    for model, weights in zip(dense, final[key], strict=True):
        model.set_weights(weights)
        reached.append(accuracy(model, fashion.test))
    return reached


rows = [["dense, trained as long", *[spread(test_accuracies("dense"))] * 2]]
rows += [[name, *(spread(test_accuracies((name, sparsity))) for sparsity in tuned_at)] for name in methods]
rows += [["small dense", *(spread([accuracy(m, fashion.test) for m in small[sparsity]]) for sparsity in tuned_at)]]
report.Table(["test accuracy in %, fine-tuned", *(f"{sparsity:.0%} pruned" for sparsity in tuned_at)], rows)

# %% [markdown]
# ## Were you right?

# %%
w = fit(X)
five_others_fixed = [loss(without(w, q)) for q in range(5)]
five_fitted_again = [loss(refitted(q)) for q in range(5)]
at_80 = {"magnitude": ["magnitude"], "first order": ["Taylor", "Taylor, 10 rounds"], "second order": ["Fisher"]}
at_80 = {order: max(np.mean(tuned[name][0.8]) for name in group) for order, group in at_80.items()}
measured = [
    names[np.argmin(five_others_fixed)],
    names[np.argmin(five_fitted_again)],
    f"{np.mean(agreements[0.0]['magnitude']):.2f} (small net, without L2)",
    f"{max(at_80, key=at_80.get)} ({', '.join(f'{order} {100 * a:.1f}%' for order, a in at_80.items())})",
]
report.Table(
    ["question", "you wrote", "measured"],
    [[question, str(guess), found] for (question, guess), found in zip(prediction.items(), measured, strict=True)],
)

# %% [markdown]
# For question 4 rankings only are compared. Fisher stands for the second order: the estimate of OBD was noise, and OBS
# brings an update, which is more than a ranking.
#
# **The article's claim**: rank the weights "by their absolute value or by their effect on the loss". Verdict: both are
# usable, and they are *not* the same.
#
# - For **one weight** the effect on the loss is the right question, and the formulas answer it well: OBD at a minimum,
#   first order away from it. Magnitude answers it only as far as inputs have one scale and the training has made
#   useless weights small.
# - For **most weights at once** the answers for one weight no longer hold. At 80% of this net magnitude, which stays close
#   to the trained weights, did better than prices measured once.
# - With **fine-tuning**, on this net, magnitude's ranking is as good as any, and it is the cheapest. What the loss adds
#   is the *repair* of OBS.
# - Step 2 leaves out what decides it: how many go at once, whether you measure again, and what the training was.
#
# Conditions: one fully connected net, 20,000 images, short training, scores from 1,000 images. Gradual pruning, with
# training between the cuts, is chapter 05.
#
# **Take with you**
# - $-g\,w + \frac12 h\,w^2$: the slope knows early, the curvature at the end.
# - $w^2 / (2\,[H^{-1}]_{qq})$: cheaper than OBD because the others help, and the update is worth more than the price.
# - Magnitude forgets the input. Change a unit and it changes its mind.
# - A price is for one weight at one place. Removing many is a long step; measure again, or repair.
# - An estimate can be too noisy to rank by. Compute it twice and compare.
#
# **Graded next:** [the exercises of this chapter](../exercises/04_effect_on_the_loss.ipynb). You write all three prices
# and the surgeon's update, price a set of weights, and read a picture of prediction against truth.

# %% [markdown]
# ## Five questions
#
# Answer each before you open it.
#
# **1.** A weight is 0.01, and its gradient is 3. Another is 2, and its gradient is 0.001. Which does first-order Taylor
# remove first?
#
# <details><summary>Answer</summary>
#
# The second: |2 · 0.001| = 0.002, against |0.01 · 3| = 0.03. A large weight can be cheap. But look at the curvature
# too before you believe it: a step of length 2 is long.
#
# </details>
#
# **2.** At a minimum all gradients are zero. Why is the empirical Fisher, made of gradients, not zero there?
#
# <details><summary>Answer</summary>
#
# The *mean* of the gradients over the images is zero, the gradients of single images are not: they cancel each other.
# Fisher takes the mean of their squares, and squares do not cancel.
#
# </details>
#
# **3.** Somebody computes OBS with $1/h_{qq}$ in place of $[H^{-1}]_{qq}$. What do they get?
#
# <details><summary>Answer</summary>
#
# OBD: $w^2 / (2 / h) = \frac12 h w^2$. The inverse of the diagonal knows nothing of the other weights, so they cannot
# help.
#
# </details>
#
# **4.** All weights into a ReLU unit are multiplied by 10 and all weights out of it divided by 10. Which of the scores
# change: magnitude, Taylor, OBD, OBS?
#
# <details><summary>Answer</summary>
#
# Magnitude only. The net computes the same, so removing a weight has the same effect on the loss, and the three prices
# predict that effect. A global ranking by magnitude now spares the ten times larger weights. (The unit's bias has to be
# multiplied by 10 as well.)
#
# </details>
#
# **5.** OBD says that the weights $q$ and $r$ cost 0.1 each. Removing both costs 0.02. How can that be?
#
# <details><summary>Answer</summary>
#
# They cancel each other: $h_{qr}\, w_q w_r = -0.18$. Each corrects what the other does; without both, neither is
# missed.
#
# </details>
#
# ## Further reading
#
# - Y. LeCun, J. S. Denker, S. A. Solla, *Optimal Brain Damage*, NIPS 1989.
# - B. Hassibi, D. G. Stork, *Second Order Derivatives for Network Pruning: Optimal Brain Surgeon*, NIPS 1992.
# - P. Molchanov, S. Tyree, T. Karras, T. Aila, J. Kautz, *Pruning Convolutional Neural Networks for Resource Efficient
#   Inference*, ICLR 2017, arXiv:1611.06440: first-order Taylor, there for whole filters.
# - L. Theis, I. Korshunova, A. Tejani, F. Huszár, *Faster Gaze Prediction with Dense Networks and Fisher Pruning*,
#   2018, arXiv:1801.05787.
# - X. Dong, S. Chen, S. J. Pan, *Learning to Prune Deep Neural Networks via Layer-wise Optimal Brain Surgeon*, NIPS
#   2017, arXiv:1705.07565.
# - S. P. Singh, D. Alistarh, *WoodFisher: Efficient Second-Order Approximation for Neural Network Compression*, NeurIPS
#   2020, arXiv:2004.14340: OBS with an inverse that can be afforded for large nets.

# %% tags=["nbval-check-output"]
from course_lib.classroom import finish

finish("04")
