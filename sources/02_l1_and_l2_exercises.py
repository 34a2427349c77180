# %% [markdown]
# # Exercises: L1 and L2
#
# They go with [the lesson of chapter 02](../notebooks/02_l1_and_l2.ipynb) and need NumPy only.
# Fill in the answer cells; the cell after each one checks your answer at once, as often as you like.
# Four answers are functions, three are something to work out or to read.

# %% tags=["setup"]
import numpy as np

from course_lib.classroom import check, hint

# %% [markdown] exercise="02.penalty_gradients"
# Descending the loss, an optimizer feels a penalty only through its slope. Write both slopes, for
#
# $$\lambda \sum_i |w_i| \quad\text{(L1)} \qquad\text{and}\qquad \lambda \sum_i w_i^2 \quad\text{(L2, as in the article and in Keras)}.$$
#
# At $w_i = 0$, where $|w_i|$ has a kink, give the slope 0.
#
# *Example:* for `w = [2.0, -0.5]` and `strength = 0.1`, L1 gives `[0.1, -0.1]` and L2 gives `[0.4, -0.1]`.


# %% exercise="02.penalty_gradients"
def penalty_gradients(w, strength):
    """The slopes of both penalties with respect to each weight.

    w: array of any shape. strength: λ, a number ≥ 0.
    Returns {"L1": array of w's shape, "L2": array of w's shape}.
    """
    ### BEGIN SOLUTION
    return {"L1": strength * np.sign(w), "L2": 2 * strength * w}
    ### END SOLUTION


# %%
check("02.penalty_gradients", penalty_gradients)

# %% [markdown]
# Stuck? Run `hint("02.penalty_gradients")` in a new cell; once more for the second hint.

# %% [markdown] tags=["solution"]
# **Why.** The slope of $|w|$ is $+1$ on the right of zero and $-1$ on the left, whatever the size of the weight: a constant
# pull. The slope of $w^2$ is $2w$: a pull that fades. With the $\tfrac12$ of weight decay the 2 would be gone, and the same
# λ would mean half the pull. Dividing by $|w|$ to get the sign works until a weight arrives at zero, and then it gives
# NaN. Zero is one of the allowed slopes there: any number from $-\lambda$ to $\lambda$ is.

# %% [markdown] exercise="02.soft_threshold"
# The exact answer of L1 for one weight: with the data's wish `w` and the strength `t`,
#
# $$S_t(w) = \arg\min_v \; \tfrac12 (v - w)^2 + t\,|v|.$$
#
# It moves every weight towards zero by `t`, and stops at zero. Every proximal step of L1 ends with this function.
#
# *Example:* for `w = [3.0, -0.5, -2.0]` and `t = 1.0` the result is `[2.0, 0.0, -1.0]`.


# %% exercise="02.soft_threshold"
def soft_threshold(w, t):
    """Move each entry of w towards zero by t, and stop at zero.

    w: array of any shape. t: a number ≥ 0.
    Returns an array of w's shape; w itself is not changed.
    """
    ### BEGIN SOLUTION
    return np.sign(w) * np.maximum(np.abs(w) - t, 0)
    ### END SOLUTION


# %%
check("02.soft_threshold", soft_threshold)

# %% [markdown]
# Stuck? Run `hint("02.soft_threshold")` in a new cell; once more for the second hint.

# %% [markdown] tags=["solution"]
# **Why.** For a positive answer the slope is $(v - w) + t$, so $v = w - t$, as long as that is positive; the mirror image
# holds on the other side; in between, the pull of the data is at most $t$ and the kink holds the weight at 0. Zeroing the
# small entries alone (the *hard* threshold) belongs to another penalty, which counts weights. Subtracting
# $t\cdot\operatorname{sign}(w)$ without the stop is the plain gradient step of L1: it jumps across zero, and that is why
# training with it leaves no zeros.

# %% [markdown] exercise="02.elastic_net_step"
# The elastic net has both penalties. Its proximal step, of length $s$, is
#
# $$\arg\min_v \; \tfrac12 (v - w)^2 + s\,\big(\lambda_1 |v| + \lambda_2 v^2\big).$$
#
# Derive it: differentiate for $v > 0$, set to zero, solve for $v$. Then write it for arrays. (You may call the function
# of the last exercise or write it again.)
#
# *Example:* for `w = [3.0, -0.2]`, `step = 0.5`, `l1 = 2.0`, `l2 = 1.0` the result is `[1.0, 0.0]`.


# %% exercise="02.elastic_net_step"
def elastic_net_step(w, step, l1, l2):
    """The proximal step of the elastic net.

    w: array of any shape. step: s > 0. l1, l2: the strengths λ₁ and λ₂, numbers ≥ 0.
    Returns an array of w's shape; w itself is not changed.
    """
    ### BEGIN SOLUTION
    thresholded = np.sign(w) * np.maximum(np.abs(w) - step * l1, 0)
    return thresholded / (1 + 2 * step * l2)
    ### END SOLUTION


# %%
check("02.elastic_net_step", elastic_net_step)

# %% [markdown]
# Stuck? Run `hint("02.elastic_net_step")` in a new cell; once more for the second hint.

# %% [markdown] tags=["solution"]
# **Why.** For $v > 0$: $(v - w) + s\lambda_1 + 2 s\lambda_2 v = 0$, so $v = (w - s\lambda_1) / (1 + 2 s\lambda_2)$. It is
# positive exactly when $w > s\lambda_1$: the L1 part alone decides who becomes zero, L2 then scales the others. In the
# other order you would take the full $s\lambda_1$ off weights that L2 has already made smaller, and zero too many.
# Multiplying by $1 - 2s\lambda_2$ is a *gradient* step. It agrees for tiny steps, and for long ones it overshoots
# zero, which dividing never does.

# %% [markdown] exercise="02.group_soft_threshold"
# The group lasso lets a whole row live or die, for example all weights that leave one input:
#
# $$S_t(w_g) = w_g\,\max\!\left(1 - \frac{t}{\lVert w_g\rVert_2},\; 0\right), \qquad g = \text{a row}.$$
#
# Rows that are zero already must stay zero.
#
# *Example:* for `w = [[3.0, 4.0], [0.3, 0.4]]` and `t = 1.0` the rows have the lengths 5 and 0.5; the result is
# `[[2.4, 3.2], [0.0, 0.0]]`.


# %% exercise="02.group_soft_threshold"
def group_soft_threshold(w, t):
    """Shorten each row of w by t, and stop at zero.

    w: array (rows, columns). t: a number ≥ 0, in the units of a row's length.
    Returns an array of w's shape; w itself is not changed.
    """
    ### BEGIN SOLUTION
    length = np.linalg.norm(w, axis=1, keepdims=True)  # (rows, 1)
    return w * np.maximum(length - t, 0) / np.where(length > 0, length, 1)
    ### END SOLUTION


# %%
check("02.group_soft_threshold", group_soft_threshold)

# %% [markdown]
# Stuck? Run `hint("02.group_soft_threshold")` in a new cell; once more for the second hint.

# %% [markdown] tags=["solution"]
# **Why.** The penalty $\lambda\lVert w_g\rVert_2$ is a cone: it pulls along the row's own direction with a constant force. So
# the direction stays, the length shrinks by $t$, and the tip of the cone holds short rows at zero. A *squared* length would be
# plain L2 again, with a fading pull and no zeros. Thresholding entries scatters the zeros, and scattered zeros do not make
# a matrix smaller. A zero row has no direction to divide by: give the division something harmless, since the
# factor in front is zero anyway.

# %% [markdown] exercise="02.lambda_max"
# Five examples and three features are given below. From which λ on are **all** weights of the lasso zero?
#
# $$\min_w \; \frac{1}{2n}\lVert y - Xw\rVert^2 + \lambda \sum_i |w_i|$$
#
# Whoever draws a λ path has to know this number: it is the right end of the picture. Do it by hand or in code, and set
# `lambda_max` to a number.

# %%
X = np.array([[1, 0, 2], [0, 1, -1], [-1, 1, 0], [2, -1, 1], [1, 1, 1]])  # (n, features)
y = np.array([1, -2, -3, -1, -2])  # (n,)

# %% exercise="02.lambda_max"
### BEGIN SOLUTION
lambda_max = 1.2  # max |Xᵀy| / n = max(0, 6, 1) / 5
### END SOLUTION

# %%
check("02.lambda_max", lambda_max)

# %% [markdown]
# Stuck? Run `hint("02.lambda_max")` in a new cell; once more for the second hint.

# %% [markdown] tags=["solution"]
# **Why.** At $w = 0$ the data term has the slope $-X^\top y / n$: the 2 from the square cancels the ½, and the mean leaves
# $1/n$. L1 can hold a weight at zero while that slope is at most λ in magnitude. For all three to be held, λ must be at least
# the largest magnitude. The sign does not matter: feature 2 pulls with $-6/5$, to the negative side, and most strongly.

# %% tags=["solution"]
print("slopes at zero:", -X.T @ y / len(y), "→ λ_max =", np.abs(X.T @ y).max() / len(y))

# %% [markdown] exercise="02.path_order"
# The next cell draws a λ path of a lasso with four features; A and B are strongly correlated. In which order do the
# weights leave, that is, become zero for good, as λ grows? Set `path_order` to a text of four letters, the first
# to leave first, such as `"ABCD"`.

# %%
import matplotlib.pyplot as plt

from course_lib import plots

plots.style()
correlation = np.array([[1, 0.8, 0, 0], [0.8, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
wish = correlation @ [1.5, -1.1, 0.9, 0.4]
path = np.geomspace(0.01, 1.2, 200)
weights = np.zeros((4, path.size))
for _ in range(1000):
    step = weights + 0.5 * (wish[:, None] - correlation @ weights)
    weights = step - np.clip(step, -0.5 * path, 0.5 * path)  # the soft threshold, written differently

fig, ax = plt.subplots(figsize=(7, 3.6))
for letter, line in zip("ABCD", weights, strict=True):
    ax.semilogx(path, line)
    ax.text(path[0] * 0.93, line[0], letter, ha="right", va="center")
ax.set(xlabel="penalty strength λ", ylabel="weight", title="Four weights, and when they leave")
plt.show()

# %% [markdown]
# *In words, should you not see the picture: `weights` holds one row for each of A to D and one column for each λ in `path`.
# You can print it, and look where each row is zero from there on.*

# %% exercise="02.path_order"
### BEGIN SOLUTION
path_order = "BDAC"
### END SOLUTION

# %%
check("02.path_order", path_order)

# %% [markdown]
# Stuck? Run `hint("02.path_order")` in a new cell; once more for the second hint.

# %% [markdown] tags=["solution"]
# **Why.** B leaves first, although its weight is the second largest at the left end. A and B tell almost the same story
# with opposite signs, so part of A only makes up for what B takes away. As soon as weights have a price, both give up
# that part together: B goes to zero, and A falls steeply with it until B has gone. A large weight is not an important
# one if another can stand in for it. Keep that in mind for chapter 03, which prunes by size.

# %% [markdown] exercise="02.adam_steps"
# An L1 penalty of strength λ = 0.0001 is part of the loss. Adam trains with the learning rate η = 0.001. One weight
# stands at 0.05; it belongs to a pixel that is black in all images, so the data never pull on it.
#
# How many steps does Adam need until this weight reaches zero for the first time? Adam's step is
# $\eta\,\hat m / (\sqrt{\hat v} + \varepsilon)$, with $\hat m$ and $\hat v$ the running means of the gradient and of its
# square, both corrected for their start at zero; neglect the tiny $\varepsilon$. Set `adam_steps` to a number,
# or to `"never"`.

# %% exercise="02.adam_steps"
### BEGIN SOLUTION
adam_steps = 50  # each step is η·λ / √(λ²) = η, and 0.05 / 0.001 = 50
### END SOLUTION

# %%
check("02.adam_steps", adam_steps)

# %% [markdown]
# Stuck? Run `hint("02.adam_steps")` in a new cell; once more for the second hint.

# %% [markdown] tags=["solution"]
# **Why.** The gradient is λ at every step, so $\hat m = \lambda$ and $\sqrt{\hat v} = \lambda$. The strength cancels. Adam
# moves the weight by η, as if the penalty were a hundred times stronger or weaker. Plain gradient descent would move it by
# ηλ = 0.0000001 and need 500,000 steps. So under Adam λ hardly says how fast an unused weight goes; it says which
# weights count as unused. And then, at zero, the weight does not stop. The next cell walks ten steps further.

# %% tags=["solution"]
strength, eta, w, m, v, sizes = 1e-4, 1e-3, 0.05, 0.0, 0.0, []
for t in range(1, 61):
    slope = strength * np.sign(w)
    m, v = 0.9 * m + 0.1 * slope, 0.999 * v + 0.001 * slope**2
    w -= eta * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-7)
    sizes.append(w)
for steps in (49, 50, 51, 60):
    print(f"after {steps} steps: {sizes[steps - 1]:+.5f}")

# %% [markdown]
# That was all. Next: [chapter 03, magnitude pruning](../notebooks/03_magnitude_pruning.ipynb).
