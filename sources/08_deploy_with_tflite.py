# %% [markdown]
# # Deploy with TFLite
#
# **The question.** You pruned nine weights out of ten, and the accuracy held. Now the net has to leave the notebook, as
# a file, for a device that is not yours. Is the file smaller? Does it answer faster? Are its answers the same?
#
# The article that this course follows promises all of it: smaller models that need less computation, and so fit on phones
# and microcontrollers (its section 6.1), faster answers (6.2), and a way to ship them, TensorFlow Lite (8.3).
#
# You will test each promise on a file that you make yourself.
#
# **Afterwards you can**
# - convert a Keras model to a `.tflite` file in four number formats, and compress it;
# - say where each byte of the file went, and how much of a saving pruning may claim for itself;
# - measure latency on the machine in front of you so that the number survives a second look;
# - check that the file still answers as the model did;
# - answer the three questions at the end of the article.
#
# 70 minutes · runs in about two minutes · needs chapter 03

# %%
from course_lib import quiet

quiet.tensorflow()

import tempfile
import zlib
from functools import partial
from pathlib import Path

import keras
import matplotlib.pyplot as plt
import numpy as np
from IPython.display import Markdown, display

from course_lib import data, deploy, masks, models, plots, report, scores, training
from course_lib.schedules import Polynomial

plots.style()

# %% [markdown]
# ## Before you run anything
#
# LeNet-300-100 has 266,610 parameters. In float32 that is about one megabyte. You set 90% of its weights to zero and
# write it to a `.tflite` file, beside the file of the dense net. Both hold float32 numbers.
#
# How many times smaller is the pruned file? And when both are compressed with gzip? How many times faster does it
# answer? Put three numbers in the place of the dots. We come back to them at the end.

# %%
prediction = {
    "file: dense bytes ÷ pruned bytes": ...,
    "after gzip: dense bytes ÷ pruned bytes": ...,
    "one image: dense time ÷ pruned time": ...,
}

# %% [markdown]
# ## A small matrix: what a zero costs
#
# Here are 25 weights. The small ones have been pruned. How many bytes does that save?

# %% tags=["nbval-check-output"]
w = np.random.default_rng(3).normal(size=(5, 5)).round(1).astype("float32")
pruned_w = np.where(np.abs(w) < 0.8, np.float32(0), w)

print("zeros:", np.sum(pruned_w == 0), "of", pruned_w.size)
print("bytes before:", w.nbytes, "  bytes after:", pruned_w.nbytes)
print("the four bytes of a zero:", np.float32(0).tobytes().hex(" "))

# %% [markdown]
# None. A float32 takes four bytes, and 0.0 is a float32 like any other. An array has a place for every entry, whatever
# stands in it. **Pruning changes values, not sizes.** To save bytes, something else has to notice the zeros.
#
# ## A small matrix in 8 bits
#
# There is a second way to save, and you will meet it in every deployed file: **quantisation**. Store each weight not as
# a float32 but as an integer of one byte, from −127 to 127, and remember one number for all of them, the **scale**: how
# much one step of the integer is worth. The largest weight gets ±127.

# %%
scale = np.abs(pruned_w).max() / 127
q = np.rint(pruned_w / scale).astype("int8")
back = scale * q

fig, axes = plt.subplots(1, 3, figsize=(10, 3.6))
plots.matrix(pruned_w, f"w, float32: {pruned_w.nbytes} bytes", axes[0])
plots.matrix(q, f"q = round(w / scale), int8: {q.nbytes} bytes", axes[1])
plots.matrix(1000 * (back - pruned_w), "1000 · (scale · q − w): the error", axes[2])
for number in axes[1].texts:
    number.set_text(number.get_text().removesuffix(".0"))  # integers have no decimals
title = "A quarter of the bytes, errors of at most half a step, and zeros stay zero"
fig.suptitle(f"{title} (a step: {scale:.4f})", x=0.01, ha="left")
plt.show()

# %% [markdown]
# *In words: three 5 × 5 grids. The first holds the weights, more than half of them zero. The second holds integers
# between −127 and 127 in the same places. The third shows what is lost: errors of either sign, none larger than half of
# the scale. Where the weight is zero, the integer is zero and the error is zero.*
#
# That last point matters most to us. Rounding moves nearly every weight a little. A pruned weight must not move at all,
# or it would no longer be pruned. Zero divided by the scale is zero, rounds to zero and comes back as zero.

# %% [markdown]
# Why 8 bits, and not 4, or 2? Move the number of bits: the matrix on the left is what comes back, the one on the right the
# error. (A page on the web shows one position, 4 bits; run the notebook to move.)

# %%
import ipywidgets


def with_bits(bits):
    most = 2 ** (bits - 1) - 1  # the largest integer on either side of zero
    step = np.abs(pruned_w).max() / most
    back = step * np.rint(pruned_w / step)
    _, axes = plt.subplots(1, 2, figsize=(7, 3.6))
    plots.matrix(back, f"{bits} bits: at most {2 * most + 1} different values", axes[0])
    plots.matrix(back - pruned_w, f"the error, up to {np.abs(back - pruned_w).max():.2g}", axes[1])
    plt.show()


ipywidgets.interactive(with_bits, bits=ipywidgets.IntSlider(4, 2, 8))

# %% [markdown]
# *In words: with 4 bits, the same grid with slightly different numbers, fifteen different ones at most, and the errors: zero
# where the weight is zero, several times larger elsewhere than with 8 bits.*
#
# Each bit less doubles the step, and the error with it. With 2 bits only −1, 0 and 1 times the scale are left. And a byte is
# what processors read and multiply; numbers of 4 bits have to be unpacked first.
#
# ## The formula
#
# Weights lie on both sides of zero. The numbers that flow *between* layers often do not: after a ReLU, none is
# negative, and half of the integers would lie idle. So the general form has a second number, the **zero point** $Z$:
# the integer that stands for the real number 0. With the scale $S$:
#
# $$q = \operatorname{clip}\bigl(\operatorname{round}(r / S) + Z,\; -128,\; 127\bigr), \qquad \hat r = S\,(q - Z)$$
#
# - **round**: to the nearest integer, so inside the range the error is at most $S/2$;
# - **clip**: what lies outside the range is moved to its edge, and there the error can be large;
# - $Z$ is an integer, so $r = 0$ gives $q = Z$ and comes back as exactly 0. With $Z = 0$, as for weights, a pruned
#   weight is also the *byte* 0.
#
# Three lines of Python:


# %%
def quantise(r, scale, zero_point=0):
    q = np.rint(r / scale) + zero_point
    return np.clip(q, -128, 127).astype("int8")


def dequantise(q, scale, zero_point=0):
    return scale * (q.astype("float32") - zero_point)


# %% tags=["nbval-check-output"]
r = np.array([-1.0, 0.0, 0.26, 1.0, 5.0])
for name, S, Z in [("weights, range −1 to 1", 1 / 127, 0), ("after a ReLU, range 0 to 2", 2 / 255, -128)]:
    q = quantise(r, S, Z)
    print(f"{name}: scale {S:.5f}, zero point {Z}")
    print("  r  ", *(f"{x:7.2f}" for x in r))
    print("  q  ", *(f"{x:7d}" for x in q))
    print("  r̂  ", *(f"{x:7.3f}" for x in dequantise(q, S, Z)))

# %% [markdown]
# Read the columns. The 5 is outside both ranges and is clipped; so is the −1 in the second. The 0 comes back as 0 both
# times, once as the byte 0 and once as the byte −128. Everything else is off by less than a step.
#
# ## Who notices the zeros? A compressor
#
# gzip looks for repetition. Four bytes of `00` are as repetitive as it gets; the last digits of a weight are as good as
# random. Take 100,000 random weights, prune more and more of them, and let `zlib`, the engine inside gzip, do its work.


# %%
def gzipped(array):
    return len(zlib.compress(array.tobytes(), 9))


weights = np.random.default_rng(0).normal(size=100_000).astype("float32")
sparsity = np.array([0, 0.25, 0.5, 0.75, 0.9, 0.95, 0.98])
factor = {"float32": [], "int8": []}
for s in sparsity:
    cut_off = np.quantile(np.abs(weights), s)
    float32 = np.where(np.abs(weights) < cut_off, np.float32(0), weights)
    int8 = quantise(float32, np.abs(float32).max() / 127)
    factor["float32"].append(float32.nbytes / gzipped(float32))
    factor["int8"].append(int8.nbytes / gzipped(int8))

# %% [markdown]
# What should we expect? If zeros were free, ten times fewer weights would be ten times fewer bytes. But the file must
# also say *where* the zeros are. The best code for a map of zeros at random places with sparsity $s$ takes $H(s)$ bits
# a weight (Shannon's entropy), and each survivor takes its $b$ bits. So a weight costs about
#
# $$\underbrace{-s\log_2 s-(1-s)\log_2(1-s)}_{H(s):\ \text{where the zeros are}}\;+\;\underbrace{(1-s)\,b}_{\text{what the others are}}\quad\text{bits instead of } b.$$


# %%
def bits(s, b):
    return -s * np.log2(s) - (1 - s) * np.log2(1 - s) + (1 - s) * b


fine = np.linspace(0.001, 0.98, 300)
_, ax = plt.subplots(figsize=(7, 3.8))
ax.plot(fine, 1 / (1 - fine), color=plots.GREY, ls=":", label="if zeros were free: 1 / (1 − s)")
for name, b, color, marker in [("float32", 32, plots.BLUE, "o"), ("int8", 8, plots.ORANGE, "s")]:
    estimate = f"{name}: b / (H(s) + (1 − s) b)"
    ax.plot(fine, b / bits(fine, b), color=color, ls="--", lw=1, label=estimate)
    ax.plot(sparsity, factor[name], marker, color=color, label=f"{name}: gzip, measured")
at_90 = {name: measured[list(sparsity).index(0.9)] for name, measured in factor.items()}
title = f"90% zeros: gzip makes float32 {at_90['float32']:.1f}×, int8 {at_90['int8']:.1f}× smaller, not 10×"
ax.set(xlabel="sparsity s (fraction of zeros)", ylabel="raw bytes ÷ gzipped bytes")
ax.set(yscale="log", yticks=[1, 2, 5, 10, 20, 50], yticklabels=["1", "2", "5", "10", "20", "50"])
ax.set_title(title)
ax.legend()
plt.show()

# %% [markdown]
# *In words: how many times smaller gzip makes the weights, against their sparsity. The dotted line, zeros for free, is
# the highest and reaches 50 at 98%. The dashed estimate for float32 lies below it, that for int8 lower still, and from
# 75% zeros on the measured points lie a little below their dashed lines. At sparsity 0 both points are close to 1:
# there is little to find in dense weights.*
#
# Two things to take from this. **The zeros only count once something compresses the file.** And **the smaller the
# number format, the less pruning adds**: a map of the zeros costs the same $H(s)$ bits beside 8-bit weights as beside
# 32-bit ones, but there it is a larger part of the whole.

# %% [markdown]
# ## The real network
#
# LeNet-300-100 on Fashion-MNIST. To be fair, the dense net and the pruned one start from the same trained weights and
# both train on for the same four epochs. The only difference is that one of them is pruned to 90% on the way. A third
# net has a quarter of the hidden units, is never pruned, and gets as many epochs in all.

# %%
fashion = data.fashion_mnist()
steps = -(-len(fashion.train.x) // 128)  # optimizer steps in an epoch, rounded up


def fitted(model, epochs, label, *callbacks):
    keras.utils.set_random_seed(8)  # the same images in the same order for all
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    callbacks = [*callbacks, training.Progress(label)]
    model.fit(*fashion.train, batch_size=128, epochs=epochs, verbose=0, callbacks=callbacks)
    return model


def copy(model):
    twin = keras.models.clone_model(model)
    twin.set_weights(model.get_weights())
    return twin


# %%
keras.utils.set_random_seed(8)
start = fitted(models.lenet_300_100(), 3, "the common start")
narrow = fitted(models.lenet_300_100(width=0.25), 7, "a quarter of the width")

# %%
dense = fitted(copy(start), 4, "dense, trained on")
prune = training.Prune(scores.magnitude, Polynomial(final=0.9, begin=0, end=2 * steps))
pruned = fitted(copy(start), 4, "pruned to 90%, trained on", prune)

# %% [markdown]
# And one more, because the article's first question (8.1) is about it. *cut* is the finished dense net, cut to 90% at
# once, with no training afterwards. *pruned* was pruned while it trained on; *narrow* has a quarter of the width.

# %%
cut = copy(dense)
training.hold(cut, masks.from_scores(scores.magnitude(dense), 0.9))

nets = {"dense": dense, "cut": cut, "pruned": pruned, "narrow": narrow}


def accuracy(outputs, split):
    return np.mean(outputs.argmax(axis=1) == split.y)


rows = []
for name, net in nets.items():
    cost = report.summary(net)
    outputs = net.predict(fashion.validation.x, verbose=0)
    right = accuracy(outputs, fashion.validation)
    rows.append([name, f"{cost.parameters - cost.zeros:,}", f"{cost.macs:,}", f"{right:.1%}"])
report.Table(["net", "parameters kept", "multiply-accumulates", "validation accuracy"], rows)

# %%
share = accuracy(dense.predict(fashion.validation.x, verbose=0), fashion.validation)
error = np.sqrt(share * (1 - share) / len(fashion.validation.y))
display(Markdown(f"""
*How much of a difference counts?* With {len(fashion.validation.y):,} images, an accuracy like these is known to
±{error:.2%} (one standard error), and another seed gives another net. These are single runs: read nothing into
differences of a point or so. Where a claim rests on such a difference, further below, we take three seeds.
"""))  # fmt: skip

# %% [markdown]
# Look at the multiply-accumulates. Pruned or not, they are the same: an ordinary matrix product multiplies by the zeros
# as well. Only the narrow net has less to do. Remember this when it comes to latency.

# %% [markdown]
# ## Convert: four formats
#
# A `.tflite` file holds the graph of operators and the weights, and can be run by a small interpreter without
# TensorFlow. (The interpreter is called LiteRT these days; the file ending stayed.)
#
# | `quantize=` | weights in the file | arithmetic |
# |---|---|---|
# | `None` | float32 | float32 |
# | `"float16"` | float16 | float32, after unpacking |
# | `"dynamic"` | int8; small tensors stay float32 | int8 products, with the range of the inputs found at run time |
# | `"int8"` | int8 | integers only, inputs and outputs too; ranges from a **calibration** set |
#
# For int8 the converter must know which range the numbers between the layers will have. It watches the net answer a few
# hundred *training* images.

# %%
shelf = tempfile.TemporaryDirectory()  # deleted when the notebook ends
formats = {"float32": None, "float16": "float16", "dynamic": "dynamic", "int8": "int8"}


def convert(name, kind):
    print(name, kind, end=" · ")
    calibration = fashion.train.x[:500] if kind == "int8" else None
    path = Path(shelf.name) / f"{name}_{kind}.tflite"
    return deploy.to_tflite(nets[name], path, quantize=formats[kind], calibration=calibration)


wanted = [(name, kind) for name in ("dense", "pruned") for kind in formats]
wanted += [("narrow", "float32"), ("narrow", "int8")]
files = {key: convert(*key) for key in wanted}
print("done")

# %% [markdown]
# For each file five questions: how many bytes; how many after gzip; how few its weights could need; how accurate; and how
# many of the 5,000 validation images get the same class from the file as from the Keras model it was made from. (The
# last is called **parity**. A file can be as accurate as its model and still answer differently.)
#
# "How few" is Shannon's bound again, now for the numbers that are really in the file: no code that takes the weights of
# a layer one by one, and knows how often each value occurs, needs fewer bytes.

# %%
sizes = {key: deploy.size(path) for key, path in files.items()}
parities = {key: deploy.parity(nets[key[0]], path, fashion.validation.x) for key, path in files.items()}

rows = []
for key, path in files.items():
    size, same = sizes[key], parities[key].same_class
    right = accuracy(deploy.predict(path, fashion.validation.x), fashion.validation)
    bytes_of = [f"{size.bytes:,}", f"{size.gzip:,}", f"{size.entropy:,}"]
    rows.append([" ".join(key), *bytes_of, f"{right:.1%}", f"{same:.2%}"])
columns = ["file", "bytes", "after gzip", "entropy bound", "validation accuracy", "same class as Keras"]
report.Table(columns, rows)

# %% [markdown]
# Compare a dense row with the pruned row of the same format. The bytes are the same. After gzip they are not. And gzip,
# which was made for text, leaves room above the bound. (For float32 the bound is far too kind: it takes the list of values
# as known, and nearly every value occurs once. For int8 there are few values, and it is close to what a good code reaches.)
#
# ### The converter does what you did
#
# Is the kernel in the int8 file what our three lines give? One refinement is needed: the converter takes **one scale
# for each output unit** (a column of the Keras kernel), not one for the whole tensor, so that a unit with small weights
# is not rounded with the steps of a unit with large ones.

# %%
from ai_edge_litert.interpreter import Interpreter

with quiet.silence():
    tensors = Interpreter(str(files["pruned", "int8"]))
details = [t for t in tensors.get_tensor_details() if tuple(t["shape"]) == (300, 784)]
in_file = tensors.get_tensor(details[0]["index"]).T  # the file stores (outputs, inputs)

kernel = pruned.get_layer("dense_1").kernel.numpy()  # (784, 300)
scale = np.abs(kernel).max(axis=0) / 127  # (300,)
scale[scale == 0] = 1  # a unit that has lost all its inputs
ours = quantise(kernel, scale)

differ = ours != in_file
halfway = np.abs(kernel / scale % 1 - 0.5) < 1e-4
print(f"integers that differ: {differ.sum()} of {ours.size:,}")
print(f"of these, halfway between two integers: {np.sum(differ & halfway)}")
print("pruned weights that are no longer zero:", np.count_nonzero(in_file[kernel == 0]))
lost = np.count_nonzero(in_file[kernel != 0] == 0)
print(f"kept weights that were rounded to zero: {lost} of {np.count_nonzero(kernel):,}")

# %% [markdown]
# Where a weight lies exactly halfway between two integers, NumPy takes the even one and the converter the one farther
# from zero. Everything else agrees. And no zero has been lost: what you pruned is still pruned in the file.

# %% [markdown]
# ## Where did the bytes go?
#
# `deploy.size` opens a file and adds up its bytes by cause. We ask it for the most telling files, and add one that we
# have not met: float32 in TFLite's own **sparse encoding**, which stores the non-zero weights and an index for each. We
# split the weights by hand into those that are zero and those that are not.

# %%
files["pruned", "sparse"] = deploy.to_tflite(pruned, Path(shelf.name) / "pruned_sparse.tflite", sparse=True)
sizes["pruned", "sparse"] = deploy.size(files["pruned", "sparse"])

shown = [("dense", "float32"), ("pruned", "float32"), ("pruned", "sparse")]
shown += [("dense", "int8"), ("pruned", "int8")]
cost = report.summary(pruned)
causes = {"non-zero weights": [], "zero weights": [], "places of the non-zeros": [], "all the rest": []}
for key in shown:
    size = sizes[key]
    holds_zeros = key in [("pruned", "float32"), ("pruned", "int8")]
    zeros = size.causes["weights"] * cost.zeros / cost.parameters if holds_zeros else 0
    causes["non-zero weights"].append(size.causes["weights"] - zeros)
    causes["zero weights"].append(zeros)
    causes["places of the non-zeros"].append(size.causes["sparse indices"])
    causes["all the rest"].append(size.causes["quantization"] + size.causes["graph and metadata"])

# %%
_, ax = plt.subplots(figsize=(8.5, 3.6))
left = np.zeros(len(shown))
colors = [plots.BLUE, "#DDDDDD", plots.PINK, "black"]
for (cause, numbers), color in zip(causes.items(), colors, strict=True):
    kilobytes = np.array(numbers) / 1000
    ax.barh(range(len(shown)), kilobytes, left=left, color=color, label=cause)
    left += kilobytes
zipped = [sizes[key].gzip / 1000 for key in shown]
ax.plot(zipped, range(len(shown)), "D", color=plots.ORANGE, mec="white", label="whole file, gzipped")
ax.set(yticks=range(len(shown)), yticklabels=[" ".join(key) for key in shown])
ax.set_xlabel("kilobytes (1,000 bytes)")
ax.invert_yaxis()
zero_share = causes["zero weights"][1] / sizes["pruned", "float32"].bytes
ax.set_title(f"Zeros fill {zero_share:.0%} of the pruned float32 file; gzip or an index takes them out")
ax.legend(loc="lower right")
plt.show()

# %%
raw = {" ".join(key): f"{sizes[key].bytes:,}" for key in shown}
places = sizes["pruned", "sparse"].causes["sparse indices"]
display(Markdown(f"""
*In words: five bars. The two float32 bars are the longest, {raw["dense float32"]} and
{raw["pruned float32"]} bytes; in the pruned one nearly everything is zeros. The sparse bar has
{raw["pruned sparse"]} bytes, of which {places:,} say where the survivors sit. The int8 bars have
{raw["dense int8"]} and {raw["pruned int8"]}. Diamonds mark each file after gzip: close to the end of
the bar for the dense files, far to the left of it for the pruned ones that hold zeros.*
"""))  # fmt: skip

# %% [markdown]
# So claim 6.1 needs its small print. Pruning makes the file *compressible*. The device that downloads the gzipped file
# saves; but before it can run the net, it unpacks it, and then the zeros are back in its memory. The sparse encoding
# stays small on disk without gzip. What the interpreter does with it, we shall see when we measure.

# %% [markdown]
# ## A fair share of the credit
#
# A pruning tutorial of TensorFlow's model optimization toolkit promises a model that is "10× smaller" from pruning
# *and* quantisation together. Such a sentence is easily remembered as "pruning makes it 10× smaller". How much of our
# own factor is whose? Three steps lead from the dense float32 file to the small one: prune, 8 bits, gzip. The full bars
# are the way. The hatched bar below each says what that step would have given **alone**, to the dense float32 file.

# %%
start_bytes = sizes["dense", "float32"].bytes
end = sizes["pruned", "int8"]
steps_down = {
    "prune 90%": (sizes["pruned", "float32"].bytes, sizes["pruned", "float32"].bytes),
    "8 bits": (end.bytes, sizes["dense", "int8"].bytes),
    "gzip": (end.gzip, sizes["dense", "float32"].gzip),
}
alone = [start_bytes / by_itself for _, by_itself in steps_down.values()]
each = ", ".join(f"{factor:.1f}×" for factor in alone)
title = f"Together {start_bytes / end.gzip:.0f}× smaller; alone {each}, which multiply to {np.prod(alone):.0f}×"
plots.waterfall(start_bytes, steps_down, title)
plt.show()

# %%
float32, int8 = ([sizes[net, kind].gzip for net in ("dense", "pruned")] for kind in ("float32", "int8"))
display(Markdown(f"""
*In words: a staircase of three bars on a logarithmic scale. Pruning moves nothing, 8 bits a good deal, and gzip, at the
end, a good deal more. The hatched bars: gzip alone does next to nothing to dense weights, and pruning alone nothing.*

After gzip, pruning makes the float32 file **{float32[0] / float32[1]:.1f}×** and the int8 file
**{int8[0] / int8[1]:.1f}×** smaller.
"""))  # fmt: skip

# %% [markdown]
# So zeros and a compressor are worth something only together, and pruning weighs more beside 32-bit numbers than beside
# 8-bit ones: the formula with $H(s)$ again. Say what you compare: **the factor that pruning adds is that between two
# files that differ in nothing but pruning.**
#
# ### The same bytes, spent otherwise
#
# Look back at the table of files: *narrow int8* needs about as many bytes after gzip as *pruned int8*. It was never
# pruned. So the question for a pruner is not "how many times smaller?" but "is it better than a small net of the same
# size?" And, always: "is it better than zeros at random places?" Three seeds each, all of it smaller so that it fits:
# 20,000 images, five epochs, int8 files.

# %%
few = fashion.train.x[:20_000], fashion.train.y[:20_000]


def rival(seed, width=1.0, score=None):
    """Bytes after gzip, and validation accuracy, of the int8 file."""
    keras.utils.set_random_seed(seed)
    model = models.lenet_300_100(width=width)
    model.compile("adam", "sparse_categorical_crossentropy")
    schedule = Polynomial(final=0.9, begin=157, end=3 * 157)  # epochs 2 and 3
    callbacks = [training.Prune(score, schedule, frequency=20)] if score else []
    model.fit(*few, batch_size=128, epochs=5, verbose=0, callbacks=callbacks)
    file = Path(shelf.name) / "rival.tflite"
    deploy.to_tflite(model, file, quantize="int8", calibration=few[0][:500])
    outputs = deploy.predict(file, fashion.validation.x)
    return deploy.size(file).gzip, accuracy(outputs, fashion.validation)


# %%
rivals = {"90% zeros by magnitude": [], "90% zeros at random": [], "a quarter of the width": []}
for seed in (1, 2, 3):
    rivals["90% zeros by magnitude"].append(rival(seed, score=scores.magnitude))
    rivals["90% zeros at random"].append(rival(seed, score=partial(scores.random, seed=seed)))
    rivals["a quarter of the width"].append(rival(seed, width=0.25))

# %%
rows = []
for name, results in rivals.items():
    zipped, shares = np.transpose(results)
    each = " ".join(f"{share:.1%}" for share in shares)
    rows.append([name, f"{zipped.mean():,.0f}", each, f"{shares.mean():.1%} ± {shares.std(ddof=1):.1%}"])
report.Table(["int8 file", "bytes after gzip", "accuracy, three seeds", "mean ± std"], rows)

# %%
by = {name: np.array([share for _, share in results]) for name, results in rivals.items()}
best, random_zeros, thin = by.values()
display(Markdown(f"""
Zeros by magnitude were more accurate than zeros at random in **{np.sum(best > random_zeros)} of 3** seeds, on average by
{100 * np.mean(best - random_zeros):.1f} points, and more accurate than the narrow net in **{np.sum(best > thin)} of 3**,
on average by {100 * np.mean(best - thin):.1f} points. All are judged on the same images; the spread over seeds is in the last column. That much,
and no more, is what pruning earns here for the same bytes.
"""))  # fmt: skip

# %% [markdown]
# ## Latency: four rules
#
# 1. **Warm up.** The first runs fetch memory and wake the clock. They are not timed.
# 2. **Median and p90, not the mean.** One interruption by the system can cost as much as a hundred runs. The median is
#    the ordinary run; the 90th percentile is what one run in ten exceeds.
# 3. **Take turns.** A machine gets faster and slower as it works. Files that are compared run A B C A B C …
# 4. **Measure one file twice.** What differs between a file and itself is noise. No smaller difference counts.
#
# `deploy.latency` does the first three; the fourth is ours: the dense file stands in the list twice.

# %%
print(deploy.latency(files["dense", "float32"]))


# %%
def medians(paths, rounds=10, **how):
    """Median time of one batch in microseconds, (rounds, files)."""
    return 1000 * np.array(
        [[each.median for each in deploy.latency(paths, **how)] for _ in range(rounds)]
    )  # fmt: skip


entrants = {
    "dense, once more": files["dense", "float32"],
    "pruned 90%": files["pruned", "float32"],
    "pruned 90%, sparse encoding": files["pruned", "sparse"],
    "a quarter of the width": files["narrow", "float32"],
}
times = medians([files["dense", "float32"], *entrants.values()])
ratios = {name: times[:, 0] / times[:, i] for i, name in enumerate(entrants, start=1)}
noise = max(0.05, np.quantile(np.abs(ratios["dense, once more"] - 1), 0.9))

# %% [markdown]
# Each of the ten rounds gives one ratio, *time of the dense file ÷ time of this one*: above 1 is faster. How far the
# dense file is off from itself in nine rounds of ten is the noise; less than 5% we never call a difference. The verdict
# is a rule, set before we look: *faster* or *slower* if more than eight rounds of ten say so beyond the noise, *no
# difference* if fewer than two do, and otherwise *undecided*.


# %%
def verdict(ratio, noise):
    faster, slower = np.mean(ratio > 1 + noise), np.mean(ratio < 1 - noise)
    if faster > 0.8:
        return "faster"
    if slower > 0.8:
        return "slower"
    return "no difference" if max(faster, slower) < 0.2 else "undecided"


def draw(ratios, noise, title, most=12):
    _, ax = plt.subplots(figsize=(9, 0.5 * len(ratios) + 1.3))
    ax.axvspan(1 - noise, 1 + noise, color="0.9")
    for row, ratio in enumerate(ratios.values()):
        ax.plot([ratio.min(), ratio.max()], [row, row], color=plots.BLUE, lw=3, ls="-")
        ax.plot(np.median(ratio), row, "o", color=plots.ORANGE, mec="white", ms=9)
        ax.text(1.2 * most, row, f"{np.median(ratio):.2f}× {verdict(ratio, noise)}", va="center")
    ax.set(xscale="log", xlim=(1 / most, most), title=title, yticks=range(len(ratios)))
    ticks = [tick for tick in (0.1, 0.2, 0.5, 1, 2, 5, 10) if 1 / most < tick < most]
    ax.set(xticks=ticks, xticklabels=[f"{tick:g}" for tick in ticks], yticklabels=list(ratios))
    ax.set_xlabel("times faster (dot: median of rounds, bar: lowest to highest, grey: noise)")
    ax.minorticks_off()
    ax.invert_yaxis()
    plt.show()


def in_words(ratios, noise):
    spread = [
        f"{name}: {np.median(r):.2f} (rounds from {r.min():.2f} to {r.max():.2f}), {verdict(r, noise)}"
        for name, r in ratios.items()
    ]
    return Markdown(f"*In words, how many times faster: {'; '.join(spread)}. The noise is ±{noise:.0%}.*")


# %%
zeros_say = verdict(ratios["pruned 90%"], noise)
quarter = ratios["a quarter of the width"]
width_says = f"{verdict(quarter, noise)}, {np.median(quarter):.1f}×"
draw(ratios, noise, f"90% zeros: {zeros_say}. A quarter of the width: {width_says}", most=6)
in_words(ratios, noise)

# %% [markdown]
# Why? The zeros are still in the matrix, and the kernel multiplies by them: the column of multiply-accumulates said so.
# (Here a *kernel* is the piece of program that computes a layer, not its array of weights. The word has both meanings.)
# To gain time it would have to skip them, and to skip them it would have to look up where they are, while a processor
# that takes eight or sixteen floats at a time has long multiplied them. LiteRT does have sparse kernels, but on x86
# processors it does not choose them here: the row of the sparse encoding shows it. (On Arm it may choose them, and then
# your row looks different.) The net of a quarter of the width has smaller matrices, and smaller matrices need no trick.
#
# **The conditions of this verdict.** Single zeros anywhere in a fully connected net; LiteRT with its default kernels;
# the processor named above. Sparse kernels that do pay exist for 1 × 1 convolutions (Elsen et al. 2020), and for zeros
# in regular patterns. Chapter 12 takes them up; chapter 07 makes nets really smaller.
#
# ## What else does not help, and what hurts
#
# More things that are said to make a net faster, each against the same without it: one image and one thread where
# nothing else is said.

# %%
base, tiny = files["dense", "float32"], files["narrow", "float32"]
kinds = medians([files["dense", kind] for kind in formats])
more = {f"{kind}, not float32": kinds[:, 0] / kinds[:, i] for i, kind in enumerate(formats) if i}

small = medians([files["pruned", "int8"], files["narrow", "int8"]])
more["int8: narrow, not pruned"] = small[:, 0] / small[:, 1]

threads = np.array([[medians([base, tiny], 1, threads=n)[0] for n in (1, 2)] for _ in range(10)])
more["two threads: dense"] = threads[:, 0, 0] / threads[:, 1, 0]  # (rounds, threads, files)
more["two threads: narrow"] = threads[:, 0, 1] / threads[:, 1, 1]

batch = np.array([[medians([base], 1, batch=n)[0, 0] for n in (1, 32)] for _ in range(10)])
more["batch of 32: per image"] = batch[:, 0] / (batch[:, 1] / 32)
more["batch of 32: to the first answer"] = batch[:, 0] / batch[:, 1]

# %%
words = [verdict(ratio, noise) for ratio in more.values()]
possible = ["faster", "no difference", "undecided", "slower"]
count = ", ".join(f"{words.count(word)} {word}" for word in possible if word in words)
draw(more, noise, f"{len(words)} ways to be faster: {count}")
in_words(more, noise)

# %% [markdown]
# How to read it, whatever your machine says:
#
# - **float16** halves the file. The kernels compute in float32, so the weights are unpacked when the file is loaded. Do
#   not expect speed from it on a processor.
# - **dynamic and int8** move a quarter of the bytes, and new processors have instructions for products of int8. Old
#   ones do not. These rows will differ most from machine to machine.
# - **narrow, not pruned** compares the two int8 files that need about the same bytes after gzip. The zeros of one are
#   multiplied; the missing units of the other are not.
# - **two threads** must be started and waited for, each time. A net that answers in a few microseconds has little work
#   to share.
# - **a batch** uses each weight 32 times once it is loaded, so an image costs less; but nobody gets an answer until all
#   32 are done. That is throughput, not latency. Say which of the two you report.

# %% [markdown]
# ## Are the answers the same?
#
# The accuracy of the int8 file is close to that of its model. That is an average, and it hides that single answers
# change. Here are images that get another class from the pruned int8 file than from the Keras model it was made from.

# %%
x, y = fashion.validation
before = pruned.predict(x, verbose=0)
after = deploy.predict(files["pruned", "int8"], x)
found = parities["pruned", "int8"]
changed = found.changed
title = f"{len(changed)} of {len(x):,} images change their class: the first {min(12, len(changed))}"
plots.changed(found, x, title, names=data.FASHION_MNIST_CLASSES, y=y)
plt.show()

# %% [markdown]
# *In words: small grey pictures of clothes. Below each stand the class that Keras gave and another that the int8 file
# gave; a tick marks the one that is right.*
#
# How sure was Keras of these images, compared with all the others? The **margin** is the probability of its best class
# minus that of its second best: how decided it was.

# %%
ordered = np.sort(before, axis=1)
margin = ordered[:, -1] - ordered[:, -2]
was_right, is_right = before.argmax(axis=1) == y, after.argmax(axis=1) == y
lost, won = np.sum(was_right & ~is_right), np.sum(~was_right & is_right)
display(Markdown(f"""
Median margin of all images: **{np.median(margin):.2f}**; of the {len(changed)} that changed:
**{np.median(margin[changed]):.2f}**. Right before and wrong now: **{lost}**. Wrong before and right now: **{won}**.
Wrong both times, in another way: **{len(changed) - lost - won}**.
"""))  # fmt: skip

# %% [markdown]
# The rounding tips those that were on the edge. It tips them in both directions, so gains and losses partly cancel in
# the accuracy. A user whose picture is among the losses is not consoled by that. This is why you check parity as well
# as accuracy, and look at what changed before you ship. (Chapter 13 asks whom such changes hit.)

# %% [markdown]
# Look yourself, in your browser. This keeps two files, and the line below it, typed in a terminal in the course's folder,
# opens a page that runs both on the test images, with nothing but the browser: sizes, times, and where they disagree. You
# can also draw a piece of clothing for them.

# %% tags=["nbval-check-output"]
import shutil

runs = Path("../runs")
runs.mkdir(exist_ok=True)
for name, kind in [("dense", "float32"), ("pruned", "int8")]:
    shutil.copy(files[name, kind], runs / f"{name}_{kind}.tflite")
print("course demo runs/dense_float32.tflite runs/pruned_int8.tflite")

# %% [markdown]
# ## The article's three questions
#
# **8.1 What if the model is worse after pruning?** Train on with the zeros held: compare *cut* with *pruned* in the
# table of the four nets. If it is still worse, prune less; how the accuracy falls as the sparsity rises is chapter 03.
#
# **8.2 How do I choose a strategy?** Ask what you are short of. For bytes to download, single zeros, 8 bits and gzip
# work together (the staircase); for time, look at the figure of ratios and cut what a dense kernel can feel, such as whole
# units.
#
# **8.3 How do I deploy it?** With `deploy.to_tflite`, as the article says: the cell that begins with `shelf` does it.
# But a conversion is not a deployment until you have compressed the file, measured it on the device that will run it,
# and checked its parity.

# %% [markdown]
# ## The whole path
#
# Dense, then pruned, then pruned and int8. The test split is read here, and nowhere else in this lesson; nothing was
# chosen by it. The accuracy is that of the *files*. The parameters kept are those of the Keras model that are not zero.

# %% tags=["whole-path"]
path = {
    "dense": (dense, files["dense", "float32"]),
    "pruned 90%": (pruned, files["pruned", "float32"]),
    "pruned 90% + int8": (pruned, files["pruned", "int8"]),
}
timings = deploy.latency([file for _, file in path.values()], runs=1000)

rows = []
for (name, (model, file)), timing in zip(path.items(), timings, strict=True):
    cost, size = report.summary(model), deploy.size(file)
    right = accuracy(deploy.predict(file, fashion.test.x), fashion.test)
    row = [f"{right:.2%}", f"{cost.parameters - cost.zeros:,}", f"{size.bytes:,}", f"{size.gzip:,}"]
    rows.append([name, *row, f"{1000 * timing.median:.1f} µs", f"{1000 * timing.p90:.1f} µs"])
columns = ["test accuracy", "parameters kept", "bytes raw", "bytes gzipped", "latency, median", "p90"]
report.Table(["LeNet-300-100", *columns], rows)

# %%
cost, first, last = report.summary(pruned), sizes["dense", "float32"], sizes["pruned", "int8"]
faster = timings[0].median / timings[2].median
by_pruning = timings[0].median / timings[1].median
display(Markdown(f"""
**"How many times smaller?" has more than one answer.** From the first row to the last:
**{cost.parameters / (cost.parameters - cost.zeros):.1f}×** fewer *parameters kept*,
**{first.bytes / last.bytes:.1f}×** fewer *bytes in the raw file*, **{first.gzip / last.gzip:.1f}×** fewer *bytes
after gzip*, and **{faster:.1f}×** in *latency*, of which the step from dense to pruned gives {by_pruning:.2f}×.
None of these stands for another. A ratio without its unit is not a result.
"""))  # fmt: skip

# %% [markdown]
# ## Were you right?

# %%
dense_file, pruned_file = sizes["dense", "float32"], sizes["pruned", "float32"]
raw_factor, zip_factor = dense_file.bytes / pruned_file.bytes, dense_file.gzip / pruned_file.gzip
results = [f"{raw_factor:.2f}", f"{zip_factor:.2f}", f"{np.median(ratios['pruned 90%']):.2f} ({zeros_say})"]
rows = [
    [what, "–" if guess is ... else str(guess), result]
    for (what, guess), result in zip(prediction.items(), results, strict=True)
]
report.Table(["90% of the weights are zero", "your prediction", "measured"], rows)

# %%
fewer = report.summary(dense).macs / report.summary(pruned).macs
same = [f"{parities['pruned', kind].same_class:.2%} in {kind}" for kind in ("float32", "int8")]
rows = [
    ["6.1 smaller", f"{raw_factor:.2f}× as it is, {zip_factor:.2f}× after gzip"],
    ["6.1 less computation", f"{fewer:.2f}× fewer multiply-accumulates in a dense kernel"],
    ["6.2 faster", f"single zeros, on this machine: {zeros_say}; a quarter of the width: {width_says}"],
    ["8.3 deployable with TFLite", f"yes; the same class as Keras: {', '.join(same)}"],
]
report.Table(["the article's claim", "what we measured"], rows)

# %% [markdown]
# If you wrote 10, 10 and 10, you are in good company. The first is 1 because a zero is stored like any other number.
# The second falls short of 10 because the places of the survivors must be stored too, because gzip is not the best code,
# and because gzip shortens the dense file a little as well. The third is about time, and a
# kernel that multiplies by the zeros takes as long as one that multiplies by other numbers.

# %% [markdown]
# ## Five questions
#
# Answer each aloud, or in a new cell, before you open it.
#
# **1.** 90% of the weights in a float32 file are zero. How much smaller is the file?
#
# <details><summary>Answer</summary>
#
# Not at all: a zero takes four bytes like any other number. After gzip it is several times smaller.
#
# </details>
#
# **2.** A pruned int8 file is a tenth of the dense float32 file after gzip. May you say that pruning made it ten
# times smaller?
#
# <details><summary>Answer</summary>
#
# No. The 8 bits alone make it about four times smaller. Measure the dense int8 file after gzip, and give pruning the
# rest.
#
# </details>
#
# **3.** Why must the real number 0 be stored exactly?
#
# <details><summary>Answer</summary>
#
# Pruned weights, padding and the output of a ReLU are zeros. Off by a fraction of a step, they would all be wrong in
# the same direction, at every place.
#
# </details>
#
# **4.** File A takes 20 µs, then file B 19 µs. Which one is faster?
#
# <details><summary>Answer</summary>
#
# You cannot tell. Let them take turns, measure one file twice to learn the noise, and compare medians and spread.
#
# </details>
#
# **5.** Model and file have the same accuracy. Are their answers the same?
#
# <details><summary>Answer</summary>
#
# Not necessarily: what is lost on some images may be won on others. Count the images whose class changed.
#
# </details>

# %% [markdown]
# ## Take with you
#
# - Pruning changes values. A compressor turns zeros into saved bytes; a narrower matrix turns missing units into saved
#   time. Nothing turns single zeros into time by itself.
# - Quantisation keeps zeros exactly zero. The two savings multiply, but 8 bits need no pruning: take their factor out
#   before you praise the zeros.
# - Latency: warm up, take turns, measure one file twice, give median and p90, and name the machine.
# - Equal accuracy is not equal answers. Check parity, and look at what changed.
#
# **Graded next:** [the exercises of this chapter](../exercises/08_deploy_with_tflite.ipynb): scale and zero point, what
# an index costs, whose factor it is, and which claims a table of latencies supports.
#
# ## Further reading
#
# - B. Jacob, S. Kligys, B. Chen, M. Zhu, M. Tang, A. Howard, H. Adam, D. Kalenichenko, *Quantization and Training of
#   Neural Networks for Efficient Integer-Arithmetic-Only Inference*, CVPR 2018. The formula of this chapter is its
#   equation 1.
# - S. Han, H. Mao, W. J. Dally, *Deep Compression: Compressing Deep Neural Networks with Pruning, Trained Quantization
#   and Huffman Coding*, ICLR 2016. Reports the saving stage after stage: 40× for LeNet-300-100 on MNIST, all
#   together.
# - E. Elsen, M. Dukhan, T. Gale, K. Simonyan, *Fast Sparse ConvNets*, CVPR 2020. Where single zeros do save time.
# - D. Blalock, J. J. Gonzalez Ortiz, J. Frankle, J. Guttag, *What is the State of Neural Network Pruning?*, MLSys 2020.
#   Why results of pruning are so hard to compare.
# - TensorFlow Model Optimization Toolkit, guide [*Pruning in Keras
#   example*](https://www.tensorflow.org/model_optimization/guide/pruning/pruning_with_keras): the "10×".

# %% tags=["nbval-check-output"]
from course_lib.classroom import finish

finish("08")
