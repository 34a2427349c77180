# %% [markdown]
# # L1 and L2: which penalty makes a zero?
#
# **The question.** The oldest way to get zeros is to ask for them during training: add a price for being large to
# the loss. The article that this course follows makes two claims of it (its sections 4.1 and 4.2): L1 makes weights
# sparse, and L2 brings them close to zero. We take both seriously and measure them.
#
# **Afterwards you can**
# - derive the pull of L1 and of L2 on a weight, and say which of the two arrives at zero;
# - use the soft threshold, its version for whole rows (group lasso), and the elastic net;
# - read a λ path;
# - explain why L1 in the loss, trained with Adam, leaves almost no weight at zero, and what does.
#
# 40 minutes · runs in about 90 seconds · needs: Python, a little calculus; [chapter 01](01_why_prune.ipynb) helps

# %% [markdown]
# ## Before you run anything
#
# Predict. A wrong guess teaches more than none, and nobody grades it. Put your answers in the place of the dots.
#
# 1. The data alone would put a weight at 0.8. A penalty $\lambda\,|w|$ joins in. From which $\lambda$ on is the best
#    weight exactly zero? And with $\lambda\,w^2$? (A number, or `"never"`.)
# 2. A network with 266,200 weights is trained with Adam and an L1 penalty in its loss, the way most tutorials do it.
#    How many per cent of its weights are exactly `0.0` afterwards?
# 3. Afterwards we set the 90% smallest weights to zero, without any retraining. Does it help to have trained with L1?
#    With L2? (`"yes"` or `"no"`.)

# %%
prediction = {
    "L1 is zero from λ =": ...,
    "L2 is zero from λ =": ...,
    "% exact zeros, L1 in the loss with Adam": ...,
    "training with L1 helps thresholding": ...,
    "training with L2 helps thresholding": ...,
}

# %% [markdown]
# ## Two prices, two pulls
#
# A penalty acts on a weight through its slope. Descend the loss, and the slope of the penalty is the force that pulls
# the weight towards zero.

# %%
import matplotlib.pyplot as plt
import numpy as np

from course_lib import plots

plots.style()
w = np.linspace(-1, 1, 401)
fig, (price, pull) = plt.subplots(1, 2, figsize=(8.4, 3))
price.plot(w, np.abs(w), w, w**2)
price.set(xlabel="weight w", ylabel="price, λ = 1", title="Both prices are lowest at zero")
pull.plot(w, np.where(w == 0, np.nan, np.sign(w)), label="L1: λ|w|")
pull.plot(w, 2 * w, label="L2: λw²")
pull.set(xlabel="weight w", ylabel="slope, λ = 1")
pull.set(title="The pull of L1 is constant, that of L2 fades")
pull.legend()
plt.show()
# %% [markdown]
# *In words: on the left a V (L1, solid) and a parabola (L2, dashed), both lowest at zero. On the right their slopes:
# L1 pulls with the same force however small the weight, and jumps at zero; L2's pull is a straight line through zero,
# so a small weight hardly feels it.*
#
# Everything that follows is in the right-hand picture. As formulas, for the sum over all weights $w_i$:
#
# $$\frac{\partial}{\partial w_i}\,\lambda\sum_j |w_j| = \lambda\,\operatorname{sign}(w_i) \quad (w_i \neq 0)
# \qquad\qquad
# \frac{\partial}{\partial w_i}\,\lambda\sum_j w_j^2 = 2\lambda\,w_i$$
#
# At $w_i = 0$ the V has no slope; every value from $-\lambda$ to $\lambda$ is allowed there (each of them is a *subgradient*).
# It can therefore cancel any force of the data up to $\lambda$, and that is why a weight can rest at zero.
#
# The article and Keras write $\lambda w^2$, so the pull is $2\lambda w$. Texts on *weight decay* often write
# $\tfrac12\lambda w^2$, to lose the 2. When you compare two values of $\lambda$, ask which of the two is meant.

# %% [markdown]
# ## One weight, by hand
#
# Let the data want the weight at $a$:
#
# $$\min_w \; \tfrac12 (w - a)^2 + \lambda\,|w| \qquad\text{or}\qquad \min_w \; \tfrac12 (w - a)^2 + \lambda\,w^2$$
#
# **L2.** Set the slope to zero: $(w - a) + 2\lambda w = 0$, so $w = a / (1 + 2\lambda)$.
#
# **L1.** Take $a > 0$. While $w > 0$ the slope is $(w - a) + \lambda$, so $w = a - \lambda$. That only makes sense
# while $a > \lambda$. From there on the data pull with less than $\lambda$, the V holds the weight, and $w = 0$.
#
# You need not believe it. The next cell tries 3,001 values of $w$ for each $\lambda$ and keeps the best.

# %%
a = 0.8
strength = np.linspace(0, 2, 21)
by_hand = {"L1": np.maximum(a - strength, 0), "L2": a / (1 + 2 * strength)}

tried = np.arange(-1000, 2001) / 1000
penalty = {"L1": np.abs(tried), "L2": tried**2}
by_trying = {
    name: np.array([tried[np.argmin((tried - a) ** 2 / 2 + s * cost)] for s in strength])
    for name, cost in penalty.items()
}


# %% tags=["nbval-check-output"]
def zero_from(name):
    zero = strength[by_trying[name] == 0]
    return f"{zero[0]:.1f}" if zero.size else "never"


for name in by_hand:
    apart = np.abs(by_hand[name] - by_trying[name]).max()
    print(f"{name}: at most {apart:.4f} apart, by trying zero from λ = {zero_from(name)}")

# %%
fig, ax = plt.subplots()
for name, color, dash in (("L1", plots.BLUE, "-"), ("L2", plots.ORANGE, "--")):
    ax.plot(strength, by_hand[name], color=color, ls=dash, label=f"{name}, by hand")
    ax.plot(strength, by_trying[name], "o", color=color, ms=4, label=f"{name}, best of {tried.size:,} tried")
ax.axhline(0, color="0.6", lw=0.8, ls="-")
ax.set(
    xlabel="penalty strength λ",
    ylabel="best weight w",
    title=f"L1 arrives at λ = {a}, where its pull equals the data's; L2 does not",
)
ax.legend()
plt.show()

# %% [markdown]
# *In words: the L1 line falls straight from 0.8 to zero at λ = 0.8 and lies on zero from there. The L2 curve bends away
# and is still well above zero at λ = 2. The dots of the trial lie on both lines.*
#
# L1 has a second property that is easily missed: it takes λ off **every** weight, also off the one that the data want
# most. A lasso (regression with L1) selects, and it shrinks what it selects. We will meet the bill for that below.

# %% [markdown]
# ## A matrix
#
# Entry by entry, the L1 solution is called the **soft threshold**. It moves each entry towards zero by $t$, and stops
# there:
#
# $$S_t(w) = \operatorname{sign}(w)\,\max(|w| - t,\; 0)$$
#
# There is one more idea in this family, and for networks it is the most useful one. Let a whole row share its fate:
# take $t$ off the row's *length* instead of off each entry. A row shorter than $t$ vanishes, all entries at once. A
# row that is long enough keeps its direction:
#
# $$S_t(w_g) = w_g\,\max\!\left(1 - \frac{t}{\lVert w_g\rVert_2},\; 0\right)$$
#
# This is the step of the **group lasso**, whose penalty is $\lambda \sum_g \lVert w_g \rVert_2$. For one entry a group
# it is the soft threshold again.


# %%
def soft_threshold(w, t):
    return np.sign(w) * np.maximum(np.abs(w) - t, 0)


def shrink(w, t):  # the minimum with L2
    return w / (1 + 2 * t)


def row_threshold(w, t):
    length = np.linalg.norm(w, axis=1, keepdims=True)  # (rows, 1)
    return w * np.maximum(1 - t / length, 0)


# %%
w = np.array(
    [
        [1.1, -0.3, 0.9, 1.6, -0.8],
        [0.2, -0.4, 0.1, 0.9, -0.3],
        [-1.9, 0.8, 0.3, -1.2, 0.5],
        [0.5, 0.3, -0.6, -0.2, 0.4],
        [0.7, -1.4, -0.2, 0.6, 2.0],
    ]
)
results = {
    "before": w,
    "L2: w / (1 + 2 · 0.7)": shrink(w, 0.7),
    "L1: soft threshold, t = 0.7": soft_threshold(w, 0.7),
    "group lasso on rows, t = 1.2": row_threshold(w, 1.2),
}
fig, axes = plt.subplots(2, 2, figsize=(6.6, 6.8))
for ax, (name, m) in zip(axes.flat, results.items(), strict=True):
    rows_gone = np.sum((m == 0).all(axis=1))
    title = f"{name}\n{np.mean(m == 0):.0%} zeros, rows gone: {rows_gone}"
    plots.matrix(m, title, ax=ax, limit=2)
plt.show()

# %% [markdown]
# *In words: four 5 × 5 grids; an empty square is an exact zero. L2 makes every entry 2.4 times smaller and adds no
# zero. L1 empties the squares of at most 0.7, wherever they are. The group lasso empties rows two and four, whole: also
# the 0.9, which L1 kept. In the rows that stay even the smallest entry stays.*
#
# The weight matrix of a dense layer is called its **kernel**. A row of it holds all weights that leave one input; a column holds those that enter one unit. An empty
# row is an input that nobody listens to, and you can cut it out of the matrix. Scattered zeros cannot be cut out.
#
# `course_lib` has the same functions. They also take TensorFlow tensors, which we need later.

# %% tags=["nbval-check-output"]
from course_lib import regularizers

same = np.allclose(soft_threshold(w, 0.7), regularizers.soft_threshold(w, 0.7))
rows_same = np.allclose(row_threshold(w, 1.2), regularizers.group_soft_threshold(w, 1.2, axis=1))
print(f"soft threshold the same: {same}, row threshold the same: {rows_same}")

# %% [markdown]
# ## Many weights that depend on each other
#
# So far each weight had a wish of its own. In a regression they share the work: if one leaves, others step in.
#
# $$\min_w \; \frac{1}{2n}\lVert y - Xw \rVert^2 + \lambda_1 \sum_i |w_i| + \lambda_2 \sum_i w_i^2$$
#
# There is no formula for the minimum now, but a simple way to walk there: the **proximal gradient** method.
# Take a gradient step on the data term alone. Then let the penalty act on the result, with the exact solution for one
# weight that you derived above:
#
# $$w \;\leftarrow\; \frac{S_{\eta\lambda_1}\!\big(w - \eta\,\nabla_{\text{data}}(w)\big)}{1 + 2\eta\lambda_2}$$
#
# With $\lambda_2 = 0$ this is the lasso, with $\lambda_1 = 0$ ridge regression (L2), with both the **elastic net**.
# Eight features, of which the outcome uses three; number 6 is a copycat, strongly correlated with number 1.

# %%
rng = np.random.default_rng(4)
n, features = 60, 8
X = rng.normal(size=(n, features))
X[:, 5] = 0.8 * X[:, 0] + 0.6 * X[:, 5]  # feature 6 imitates feature 1
X /= np.sqrt(np.mean(X**2, axis=0))  # one scale for all, or λ would treat them unequally
true = np.array([2.0, -1.2, 0.5, 0, 0, 0, 0, 0])
y = X @ true + rng.normal(size=n)

gram, wish = X.T @ X / n, X.T @ y / n  # the data's pull on w is  wish − gram·w
eta = 1 / np.linalg.norm(gram, 2)  # the longest step that is safe


# %%
def penalised(l1=0.0, l2=0.0, steps=1500):
    """The minimum for every strength, one column each."""
    l1, l2 = np.broadcast_arrays(np.atleast_1d(l1), l2)
    w = np.zeros((features, l1.size))
    for _ in range(steps):
        w = w + eta * (wish[:, None] - gram @ w)
        w = soft_threshold(w, eta * l1) / (1 + 2 * eta * l2)
    return w


path = np.geomspace(0.01, 4, 80)
lasso, ridge = penalised(l1=path), penalised(l2=path)

# %% [markdown]
# Did the walk arrive? A minimum can be recognised without knowing the way. At a weight that is not zero, the data's
# pull and the penalty's must cancel: it is exactly $\lambda\,\operatorname{sign}(w_i)$. At a weight that *is* zero,
# the data's pull is at most $\lambda$. Ridge even has a closed form, $(X^\top X/n + 2\lambda I)\,w = X^\top y/n$.

# %% tags=["nbval-check-output"]
left = wish[:, None] - gram @ lasso  # the data's pull at the end of the walk
too_strong = np.maximum(np.abs(left) - path, 0)  # matters where the weight is zero
unbalanced = np.abs(left - path * np.sign(lasso))  # matters where it is not
excess = np.where(lasso == 0, too_strong, unbalanced)
closed = np.stack([np.linalg.solve(gram + 2 * s * np.eye(features), wish) for s in path], axis=1)
print(f"lasso: the conditions hold within 1e-9 at all {path.size} strengths: {excess.max() < 1e-9}")
print(f"ridge: equals the closed form within 1e-9: {np.abs(ridge - closed).max() < 1e-9}")
print(f"all weights are zero from λ = max|Xᵀy|/n = {np.abs(wish).max():.3f} on")

# %% [markdown]
# Now draw every weight against λ. This picture is called a **λ path**. Read it from left to right, as a queue at the
# door: where does each line reach zero, and who leaves first?

# %%
looks = {i: (plots.GREY, ":", None) for i in range(features)}
looks[7] = (plots.GREY, ":", "4, 5, 7, 8: unused")
looks[0] = (plots.BLUE, "-", "1: used")
looks[1] = (plots.ORANGE, "--", "2: used")
looks[2] = (plots.GREEN, "-.", "3: used")
looks[5] = (plots.PINK, (0, (4, 1, 1, 1)), "6: copycat of 1")
fig, axes = plt.subplots(1, 2, figsize=(9, 3.8), sharey=True)
for ax, name, weights in (axes[0], "L1", lasso), (axes[1], "L2", ridge):
    for i, (color, dash, label) in looks.items():
        ax.semilogx(path, weights[i], color=color, ls=dash, label=label)
    still = np.sum(weights[:, -20] != 0)
    ax.set(title=f"{name}: {still} of {features} weights left at λ = {path[-20]:.2f}")
    ax.set(xlabel="penalty strength λ")
axes[0].set(ylabel="weight")
axes[1].legend(fontsize=8)
plt.show()

# %% tags=["nbval-check-output"]
leaves = [path[weights != 0].max() for weights in lasso]  # the last λ at which it is there
for i in np.argsort(leaves):
    kind = "used" if true[i] else "copycat" if i == 5 else "unused"
    print(f"feature {i + 1} ({kind}) is last seen at λ = {leaves[i]:.3f}")
print(f"L2 at λ = {path[-1]:.0f}: the smallest weight is {np.abs(ridge[:, -1]).min():.4f}")
print(f"L2 at λ = {path[-1]:.0f}: feature 1 has {ridge[0, -1]:.2f}, its copycat {ridge[5, -1]:.2f}")

# %% [markdown]
# *In words: under L1 the lines hit zero one after another and stay there; at the right end none is left. Under L2 the
# copycat's line first rises, as it takes over part of the work of feature 1. Then all lines fall towards zero, and none
# stays there; at the right end the copycat's weight (it should be zero) is
# almost as large as that of the feature it imitates.*
#
# Three things to see.
# - L1 **selects**: the strong features 1 and 2 are the last to leave.
# - L1 is **no oracle**. Look at the list: feature 3 is used, and yet two features that are not used outlive it.
#   With 60 noisy examples a weak truth and a lucky accident look alike.
# - L2 **shares**. It gives a copycat part of the original's work. A weight can pass through zero on its way and change
#   its sign, but no stretch of λ holds it there.
#
# Move λ yourself: the bars are the eight weights at one λ, L1 on the left, L2 on the right. Watch the copycat, number 6,
# while you move from left to right. (A page on the web shows one position; run the notebook to move.)

# %%
import ipywidgets


def weights_at(place):
    _, axes = plt.subplots(1, 2, figsize=(9, 2.8), sharey=True)
    for ax, name, weights in (axes[0], "L1", lasso), (axes[1], "L2", ridge):
        ax.bar(range(1, features + 1), weights[:, place], color=[looks[i][0] for i in range(features)])
        ax.set(title=f"{name} at λ = {path[place]:.2f}: {np.sum(weights[:, place] == 0)} zeros")
        ax.set(xlabel="feature", ylim=(-1.5, 2.5))
    axes[0].set(ylabel="weight")
    plt.show()


small_to_large = ipywidgets.IntSlider(40, 0, path.size - 1, description="λ, rising")
ipywidgets.interactive(weights_at, place=small_to_large)
# %% [markdown]
# *In words: eight bars for the weights of the eight features, once under L1 and once under L2. The titles
# count the exact zeros. A missing bar need not be one: a weight may also be too small to see. Under L2 the count is 0.*
#
# Sharing is not always bad. Give the lasso *two nearly equal* features and it may leave all the work to one of them.
# The elastic net keeps the pair together and still sends others away.

# %% tags=["nbval-check-output"]
twins = rng.normal(size=(n, features))
twins[:, 1] = twins[:, 0] + 0.05 * rng.normal(size=n)
outcome = twins[:, 0] + twins[:, 1] + 0.5 * rng.normal(size=n)
gram, wish = twins.T @ twins / n, twins.T @ outcome / n
eta = 1 / np.linalg.norm(gram, 2)
for name, l1, l2 in (("lasso", 0.3, 0), ("ridge", 0, 0.3), ("elastic net", 0.3, 0.3)):
    w = penalised(l1, l2, steps=20_000)[:, 0]
    print(f"{name:12} twins {w[0]:.2f} and {w[1]:.2f}, zeros in the other six: {np.sum(w[2:] == 0)}")

# %% [markdown]
# ## Does an optimizer find the zeros?
#
# The *minimum* of an L1-penalised loss has zeros. But a network walks there in small steps, and Keras simply adds the
# slope $\lambda\,\operatorname{sign}(w)$ to the gradient. Look at what that does to a weight that should be zero:
# a step of length $\eta\lambda$ to the left, across zero, a step to the right, across zero …
# ($\eta$ is the learning rate.)
#
# Adam makes it more curious still. It divides each step by the size of the recent gradients. Where the penalty is the
# only force and keeps its sign, that is $\lambda / \sqrt{\lambda^2} = 1$: the weight moves by $\eta$ a step,
# **however small your λ is**.
#
# Three walks from one start, on the regression from before.

# %%
gram, wish, lam, lr = X.T @ X / n, X.T @ y / n, 0.4, 0.05
eta = 1 / np.linalg.norm(gram, 2)
start = rng.normal(size=features)
walks = {"gradient of L1": [start], "gradient of L1, Adam": [start], "proximal step": [start]}
m, v = np.zeros(features), np.zeros(features)
for t in range(1, 1001):
    plain, adam, proximal = (walk[-1] for walk in walks.values())
    plain = plain - lr * (gram @ plain - wish + lam * np.sign(plain))
    slope = gram @ adam - wish + lam * np.sign(adam)
    m, v = 0.9 * m + 0.1 * slope, 0.999 * v + 0.001 * slope**2
    adam = adam - lr * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-7)
    proximal = soft_threshold(proximal - lr * (gram @ proximal - wish), lr * lam)
    for walk, w in zip(walks.values(), (plain, adam, proximal), strict=True):
        walk.append(w)

# %%
wanted = penalised(lam)[:, 0] == 0  # where the minimum is zero
one = np.flatnonzero(wanted)[0]
arrives = max(t for t, w in enumerate(walks["proximal step"]) if w[one] != 0) + 1
looks = (plots.SKY, 0.8), (plots.BLUE, 0.8), (plots.ORANGE, 2.2)
fig, ax = plt.subplots(figsize=(8, 3.6))
for (name, walk), (color, width) in zip(walks.items(), looks, strict=True):
    distance = np.abs(np.array(walk)[:, one])
    ax.semilogy(np.where(distance > 0, distance, np.nan), color=color, ls="-", lw=width, label=name)
ax.plot(arrives, 1e-6, "v", color=plots.ORANGE, ms=9, clip_on=False)
ax.set(xlabel="step", ylabel=f"|weight {one + 1}|, log scale", ylim=(1e-6, 30))
ax.set(title=f"The proximal step is exactly at 0 from step {arrives} on; the gradients jitter")
ax.legend(loc="upper right", ncols=3)
plt.show()

# %% tags=["nbval-check-output"]
print(f"the minimum has {wanted.sum()} zeros")
for name, walk in walks.items():
    end = np.abs(walk[-1])
    print(f"{name:21} exact zeros: {np.sum(end == 0)}   smaller than 0.05: {np.sum(end < 0.05)}")

# %% [markdown]
# *In words: on a log scale, three lines fall from the start. Two turn into a band of jitter that never ends; the thick
# one, of the proximal step, leaves the picture at the bottom, because a logarithm has no place for zero.*
#
# So "L1 makes weights zero" is true of the minimum and false of the usual way to look for it. **Small is not gone:**
# a weight of 0.0001 is stored, sent and multiplied like any other.

# %% [markdown]
# ## A real network
#
# Now LeNet-300-100: three Dense kernels, 266,200 weights, on Fashion-MNIST, small pictures of clothing in ten classes.
# TensorFlow needs a few seconds to start.

# %%
from course_lib import quiet

quiet.tensorflow()

import keras

from course_lib import data, masks, models, report, scores, training
from course_lib.variables import prunable

fashion = data.fashion_mnist()
few = data.Split(fashion.train.x[:20_000], fashion.train.y[:20_000])  # enough to see it, and quick

# %% [markdown]
# Four recipes, all with Adam. Before you compare two λ, ask what each is measured against.
#
# - **In the loss**, λ stands beside the *mean* loss of a batch. If you sum the loss over the batch instead, or divide
#   the penalty by the number of examples "to be fair", you have changed λ by a factor of hundreds.
# - **As a proximal step after Adam**, `training.Proximal` moves each weight by ηλ towards zero, and Adam moves it by
#   about η. So λ is measured against 1, not against the loss. (AdamW treats L2 the same way: the decay is
#   *decoupled* from the gradient.) That is why 0.2 stands beside 0.0001 below.
#
# The strengths are choices, made beforehand on the validation images, so that the accuracy in the table below stays
# close to that of the first row. Change them and run again.

# %%
recipes = {
    "no penalty": {},
    "L2 in the loss": {"penalty": regularizers.L2(1e-4)},
    "L1 in the loss": {"penalty": regularizers.L1(1e-4)},
    "L1, proximal step": {"callbacks": [training.Proximal(0.2)]},
}


def fit(model, label, *, optimizer="adam", epochs=15, callbacks=()):
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    shown = training.Progress(label)
    model.fit(*few, batch_size=500, epochs=epochs, verbose=0, callbacks=[shown, *callbacks])
    return model


def train(label, seed, *, penalty=None, width=1.0, **options):
    keras.utils.set_random_seed(seed)
    model = models.lenet_300_100(width=width)
    for kernel in prunable(model).values():
        kernel.regularizer = penalty  # what kernel_regularizer= does when a layer is made
    return fit(model, f"{label}, seed {seed}", **options)


def accuracy(model, split=fashion.validation):
    return model.evaluate(*split, batch_size=1000, verbose=0, return_dict=True)["accuracy"]


# %%
first = {name: train(name, 0, **recipe) for name, recipe in recipes.items()}

# %% [markdown]
# Count three things: the weights that are exactly zero, those that are merely small, and the smallest of all.


# %%
def all_weights(model):
    return np.concatenate([kernel.numpy().ravel() for kernel in prunable(model).values()])


size = {name: np.abs(all_weights(model)) for name, model in first.items()}
zeros = {name: np.mean(values == 0) for name, values in size.items()}
rows = []
for name, values in size.items():
    below, smallest = np.mean(values < 1e-3), values[values > 0].min()
    shares = [f"{share:.1%}" for share in (accuracy(first[name]), zeros[name], below)]
    rows.append([name, *shares, f"{smallest:.0e}"])
heading = ["", "validation accuracy", "exactly 0", "below 0.001", "smallest that is not 0"]
report.Table(heading, rows)

# %%
bins = np.arange(-10, 0.6, 0.2)
fig, axes = plt.subplots(4, 1, figsize=(7.5, 7), sharex=True, sharey=True)
for ax, (name, values) in zip(axes, size.items(), strict=True):
    there = np.log10(np.maximum(values[values > 0], 1e-10))  # first bar: this and smaller
    share = np.full(there.size, 100 / values.size)
    ax.hist(there, bins, weights=share, color=plots.BLUE, log=True)
    ax.axvline(-3, color=plots.ORANGE, ls="--", lw=1)
    ax.set_title(f"{name}: {zeros[name]:.1%} exactly zero, which no bar shows", fontsize=10)
axes[0].text(-3.1, 5, "one step of Adam, η = 0.001", color=plots.ORANGE, ha="right")
axes[-1].set(xlabel="log₁₀ |w|", ylim=(0.005, 50))
fig.supylabel("per cent of all weights, log scale")
in_loss, proximal = zeros["L1 in the loss"], zeros["L1, proximal step"]
fig.suptitle(f"Exact zeros: {in_loss:.1%} with L1 in the loss, {proximal:.0%} with the proximal step")
plt.show()

# %% [markdown]
# *In words: four histograms of the weights' sizes, both axes logarithmic, one below the other. Without a penalty there
# is one hill, highest between 0.01 and 0.1. L2 draws a long, thin tail out of it, to the left edge and beyond. L1 in the
# loss piles up a broad second hill below the dashed line, which marks the length of one step of Adam: weights that should
# be zero and jitter around it. Under the proximal step that hill is several times lower: most of those weights are
# zero, and in no bar.*
#
# The table's last column shows the fading pull at work. Where no data speak, L2 makes a weight smaller and smaller:
# some have become absurdly small, and are still there. (*Never* is mathematics. A 32-bit number runs out of
# digits near 1e-45, so after a very long training a computer may round the last crumb to zero. Do not wait for it.)

# %% [markdown]
# ## Whole inputs at once
#
# The group lasso on the rows of `dense_1` lets a whole pixel go: 90 weights at once, in a net of 0.3 times the width.
# Which of the 784 pixels will it be? The corners, you might say, where there is hardly ever any cloth.
#
# We train twice. Once with plain SGD, for which the proximal step is the textbook method and λ is measured against the
# mean loss. And once with Adam.


# %%
def train_pixels(label, seed, strength, optimizer):
    shrink_rows = training.Proximal(strength, axis=1, paths=["dense_1/kernel"])
    model = train(label, seed, width=0.3, optimizer=optimizer, callbacks=[shrink_rows])
    length = np.linalg.norm(model.get_layer("dense_1").kernel.numpy(), axis=1)  # (784,)
    return length, accuracy(model)


slowing_down = keras.optimizers.schedules.CosineDecay(0.3, decay_steps=15 * 40)  # for a calm end
pixels = {"SGD": [], "Adam": []}
for seed in range(3):
    pixels["SGD"].append(train_pixels("SGD", seed, 0.007, keras.optimizers.SGD(slowing_down)))
    pixels["Adam"].append(train_pixels("Adam", seed, 2.0, keras.optimizers.Adam()))

# %%
lit = np.mean(few.x.reshape(-1, 784) > 0, axis=0)  # in which share of the pictures
fig, axes = plt.subplots(1, 3, figsize=(9.6, 3.8))
axes[0].imshow(lit.reshape(28, 28), cmap="cividis", vmin=0, vmax=1)
axes[0].set_title("How often a pixel is lit,\nfrom never (dark) to always (yellow)")
for ax, (name, runs) in zip(axes[1:], pixels.items(), strict=True):
    length, _ = runs[0]
    alive = np.where(length > 0, length, np.nan).reshape(28, 28)
    ax.imshow(alive, cmap="cividis", vmin=0, vmax=np.quantile(length, 0.99))
    gone = length == 0
    often = np.median(lit[gone])
    ax.set_title(f"{name}: {gone.sum()} pixels gone (white),\nlit in {often:.0%} of the pictures (median)")
for ax in axes:
    ax.set(xticks=[], yticks=[])
    ax.spines[:].set_visible(True)
plt.show()

# %%
rows = []
for name, runs in pixels.items():
    gone = [length == 0 for length, _ in runs]
    numbers = ", ".join(str(g.sum()) for g in gone)
    often = ", ".join(f"{np.median(lit[g]):.0%}" if g.any() else "–" for g in gone)
    rows.append([name, numbers, often, ", ".join(f"{reached:.1%}" for _, reached in runs)])
rows.append(["all pixels", "784", f"{np.median(lit):.0%}", ""])
report.Table(["three seeds each", "pixels gone", "lit in (median)", "validation accuracy"], rows)

# %% [markdown]
# *In words: three pictures of 28 × 28 pixels. The first is bright in the middle and dark in the corners. In the second
# (SGD) corners and edges are white: those pixels are gone. In the third (Adam) the corners are still there, and the
# white pixels lie inside, in little clusters where the cloth is.*
#
# The same penalty, and the optimizer decides **which** pixels go. The penalty asks: is the data's pull on this row
# weaker than λ?
# - **SGD** answers with the pull itself. A pixel that is hardly ever lit hardly ever pulls, so the corners go.
# - **Adam** divides every pull by its own usual size first. A pixel that is lit in three pictures pulls as hard
#   in those as any other, and stays. What goes are pixels inside the clothes, whose pull changes its sign from batch
#   to batch and cancels. (This is our reading of the picture; the picture itself only shows which ones go.)
#
# Neither is a mistake. But "the group lasso removes the useless inputs" is a sentence about a minimum, too. With
# mini-batches even the proximal step is noisy: a weight that is zero now may be woken by the next batch, and has to
# be put to sleep again. So the number of zeros is that of the last step, and in the table of the four recipes the
# proximal net has more weights below 0.001 than weights at zero.

# %% [markdown]
# ## Does it pay?
#
# Nobody needs zeros for their own sake. So take the four recipes, three seeds each. Set the smallest weights of each net
# to zero, more and more of them, **without retraining**, and read the accuracy on the validation images. This is
# *thresholding*; chapter 03 is about it. If L1 is worth its price, its nets should stand more of it.
#
# Two baselines keep us honest: zeroing *random* weights, and a *small dense* net that never had more weights.

# %%
trained = {name: [model.get_weights()] for name, model in first.items()}
for name, recipe in recipes.items():
    trained[name] += [train(name, seed, **recipe).get_weights() for seed in (1, 2)]

# %%
small = [train("small dense net", seed, width=0.1, epochs=17) for seed in range(3)]
small_share = all_weights(small[0]).size / all_weights(first["no penalty"]).size
print(f"the small net has {small_share:.1%} of the weights")

# %%
net = models.lenet_300_100()
net.compile(loss="sparse_categorical_crossentropy", metrics=["accuracy"])


def accuracy_at(sparsity, weights, score=scores.magnitude):
    net.set_weights(weights)
    training.hold(net, masks.from_scores(score(net), sparsity))  # the lowest scores become zero
    return accuracy(net)


sparsities = [0, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98]
curves = {}
for name, seeds in trained.items():
    curves[name] = [[accuracy_at(s, w) for s in sparsities] for w in seeds]
unpenalised = trained["no penalty"]
curves["random weights"] = [[accuracy_at(s, w, scores.random) for s in sparsities] for w in unpenalised]
at_90 = {name: np.array(runs)[:, sparsities.index(0.9)] for name, runs in curves.items()}
small_reached = [accuracy(model) for model in small]

# %%
grey, orange, blue, green, pink = plots.GREY, plots.ORANGE, plots.BLUE, plots.GREEN, plots.PINK
looks = ("o", grey, "-"), ("^", orange, "--"), ("s", blue, "-."), ("D", green, (0, (5, 1))), ("x", pink, ":")
fig, ax = plt.subplots(figsize=(8, 4.4))
for (name, runs), (marker, color, dash) in zip(curves.items(), looks, strict=True):
    low, mean, high = np.min(runs, axis=0), np.mean(runs, axis=0), np.max(runs, axis=0)
    ax.plot(sparsities, mean, marker=marker, ms=5, color=color, ls=dash, label=name)
    ax.fill_between(sparsities, low, high, color=color, alpha=0.15, lw=0)
ax.plot(1 - small_share, np.mean(small_reached), "k*", ls="", ms=11, label="small dense net")
ax.set(xlabel="sparsity: fraction of weights set to zero", ylabel="validation accuracy", ylim=(0, 1))
none, l2, l1, proximal = (np.mean(at_90[name]) for name in recipes)
ax.set_title(
    f"At 90% zeros, not retrained: {none:.0%} without a penalty, {l2:.0%} with L2,\n"
    f"{l1:.0%} with L1 in the loss, {proximal:.0%} with L1 as a proximal step"
)
ax.legend(loc="lower left")
plt.show()

# %% [markdown]
# *In words: accuracy against sparsity, mean of three seeds with the range from worst to best as a band. All four
# magnitude curves are flat up to half the weights. Then the net without a penalty falls first, L2 and L1 in the loss
# follow, and the proximal net goes furthest before it falls. Random pruning falls long before all of them. The star of
# the small dense net, at about 91%, lies on the curve of the proximal net and above all others.*
#
# So the penalty does pay when nobody retrains, and L2, which makes no zero at all, pays as well. One reading: the penalty
# makes weights small that the data do not hold up, and a threshold then finds them. (The ranges over the seeds are wide,
# see the table below. And one caution: the strengths are not
# equivalent. The picture compares four recipes, not four laws of nature.)
#
# But who prunes without retraining? Two more epochs at 90% zeros, without any penalty, while
# `training.hold` keeps the zeros at zero after every step:


# %%
def fine_tune(label, weights, score=scores.magnitude):
    keras.utils.set_random_seed(0)
    model = models.lenet_300_100()
    model.set_weights(weights)
    training.hold(model, masks.from_scores(score(model), 0.9))
    return fit(model, label, epochs=2)


tuned = {name: [fine_tune(name, w) for w in seeds] for name, seeds in trained.items()}
tuned["random weights"] = [fine_tune("random weights", w, scores.random) for w in unpenalised]

# %%
reached = {name: [accuracy(model) for model in runs] for name, runs in tuned.items()}


def spread(values):
    return f"{np.mean(values):.1%} ({np.min(values):.1%} to {np.max(values):.1%})"


rows = [[name, spread(at_90[name]), spread(reached[name])] for name in tuned]
rows.append(["small dense net", "–", spread(small_reached)])
report.Table(["90% zeros, validation accuracy", "not retrained", "after 2 more epochs"], rows)


# %%
def gain(name, values):
    return f"{100 * (np.mean(values[name]) - np.mean(values['no penalty'])):+.1f} points"


ahead = [[name, gain(name, at_90), gain(name, reached)] for name in recipes if name != "no penalty"]
heading = ["against no penalty, mean of three seeds", "not retrained", "after 2 more epochs"]
report.Table(heading, ahead)

# %% [markdown]
# **What is left of the folklore.** Without retraining, L1 makes thresholding much cheaper. With it, two epochs remove
# most of the advantage, and what remains must be read against the ranges in the table. Look at L2 there: after
# retraining it is by no means behind L1. Han et al. reported the same turn in 2015, on larger networks: with L1 the
# remaining connections were not as good. One reason may be the bill that we promised above, for L1 also presses on
# the weights that it keeps.
#
# All this holds for one network, one data set, one strength each and 90% zeros. Exercise your doubt: change the
# 0.9 in `fine_tune`, or a strength in `recipes`.
#
# The test images have not been looked at so far. Once, now, for the retrained nets with 90% zeros:

# %%
final = {name: [accuracy(model, fashion.test) for model in runs] for name, runs in tuned.items()}
final["small dense net"] = [accuracy(model, fashion.test) for model in small]
rows = [[name, spread(values)] for name, values in final.items()]
report.Table(["test accuracy, three seeds", "mean (range)"], rows)

# %% [markdown]
# ## Were you right?

# %%
measured = [
    zero_from("L1"),
    zero_from("L2"),
    f"{100 * zeros['L1 in the loss']:.2f}",
    f"at 90% zeros {gain('L1 in the loss', at_90)}, retrained {gain('L1 in the loss', reached)}",
    f"at 90% zeros {gain('L2 in the loss', at_90)}, retrained {gain('L2 in the loss', reached)}",
]
guessed = ["(no guess)" if guess is ... else str(guess) for guess in prediction.values()]
rows = [list(row) for row in zip(prediction, guessed, measured, strict=True)]
report.Table(["", "you", "measured"], rows)

# %% [markdown]
# - *One weight.* L1 wins where its constant pull λ equals the data's pull, which is 0.8 at zero. L2's pull fades with
#   the weight, so the data always win the last inch.
# - *The network.* Perhaps you guessed "most of them": that is the share of *small* weights. The gradient of L1 steps
#   across zero; only the proximal step, or a threshold afterwards, puts a weight *on* it.
# - *Does it pay.* Yes for a net that is not retrained, for both penalties; far less after two epochs.
#
# The article's two sentences, then. "L1 encourages sparsity": the minimum, yes; Adam with L1 in the loss, only with a
# threshold. "L2 makes weights approach zero": yes, and it never arrives, yet it prepares a net for thresholding, too.

# %% [markdown]
# ## Five questions
#
# Answer each aloud, or in a new cell, before you open it.
#
# **1.** A weight is 0.001 and no data speak for or against it. How strong are the pulls of L1 and of L2, with λ = 1?
#
# <details><summary>Answer</summary>
#
# L1: 1, as for any other weight. L2: 2 · 0.001 = 0.002. That is why only one of them arrives.
#
# </details>
#
# **2.** Why can a weight under L1 *rest* at zero, where |w| has no slope?
#
# <details><summary>Answer</summary>
#
# Every value from −λ to λ is allowed there, so the penalty can cancel any pull of the data up to λ. A weight leaves
# zero only when the data pull with more.
#
# </details>
#
# **3.** Adam with L1 in the loss: after training, no weight is exactly zero. Is the penalty too weak?
#
# <details><summary>Answer</summary>
#
# Not necessarily. The gradient step carries weights across zero and back. Make it a proximal step, or apply a
# threshold at the end.
#
# </details>
#
# **4.** A colleague halves the batch size and sums the loss over the batch instead of taking the mean. What happens
# to the same λ?
#
# <details><summary>Answer</summary>
#
# The data's pull is now the sum of as many terms as there are examples, and λ is weak beside it: it means something
# else, and has to be chosen again.
#
# </details>
#
# **5.** Which penalty would you take to get rid of whole inputs, and what is it applied to?
#
# <details><summary>Answer</summary>
#
# The group lasso on the rows of the first kernel: a row leaves one input. L1 would leave scattered zeros: an
# input is gone only if all its weights happen to be zero.
#
# </details>

# %% [markdown]
# ## Take with you
#
# - A constant pull arrives at zero; a fading pull does not.
# - Soft threshold = exact solution of L1 for one weight = the proximal step. The same for rows is the group lasso.
# - Small is not gone. Count zeros, not small weights.
# - Ask what λ is measured against: the mean loss, the summed loss, or Adam's step.
# - "The penalty removes what is useless" is true of a minimum. Which weights go in practice, your optimizer decides too.
#
# **Next, and graded:** [the exercises of chapter 02](../exercises/02_l1_and_l2.ipynb). They need NumPy only.
# Then chapter 03: [magnitude pruning](03_magnitude_pruning.ipynb).
#
# **Further reading**
# - Robert Tibshirani, "Regression Shrinkage and Selection via the Lasso", Journal of the Royal Statistical Society B 58
#   (1996): where L1 selection comes from.
# - Hui Zou, Trevor Hastie, "Regularization and Variable Selection via the Elastic Net", Journal of the Royal
#   Statistical Society B 67 (2005): why twins should stay together.
# - Ming Yuan, Yi Lin, "Model Selection and Estimation in Regression with Grouped Variables", Journal of the Royal
#   Statistical Society B 68 (2006): the group lasso.
# - Neal Parikh, Stephen Boyd, "Proximal Algorithms", Foundations and Trends in Optimization 1(3) (2014): the proximal
#   step, in a style for reading.
# - Ilya Loshchilov, Frank Hutter, "Decoupled Weight Decay Regularization", ICLR (2019): why a penalty inside Adam is not
#   the penalty you meant.
# - Song Han, Jeff Pool, John Tran, William Dally, "Learning both Weights and Connections for Efficient Neural Networks",
#   NIPS (2015), section 3.1: L1 is better before retraining, L2 after it.

# %% tags=["nbval-check-output"]
from course_lib.classroom import finish

finish("02")
