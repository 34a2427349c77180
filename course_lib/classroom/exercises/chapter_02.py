"""The exercises of chapter 02, L1 and L2."""

from functools import partial

import numpy as np

from course_lib.classroom import Case, Exercise, Misconception, close
from course_lib.regularizers import group_soft_threshold, soft_threshold


def penalty_gradients(w, strength):
    return {"L1": strength * np.sign(w), "L2": 2 * strength * w}


def elastic_net_step(w, step, l1, l2):
    return soft_threshold(w, step * l1) / (1 + 2 * step * l2)


def group_soft_threshold_of_rows(w, t):
    return group_soft_threshold(w, t, axis=1)


# Cases


def weights_and_strengths(rng):
    yield Case("weights of both signs", (rng.normal(size=6), 0.1))
    yield Case("a matrix of float32", (rng.normal(size=(4, 3)).astype("float32"), 0.5))
    yield Case("some weights are exactly zero", (np.append(rng.normal(size=3), [0.0, 0.0]), 2.0))
    yield Case("no penalty, no pull", (rng.normal(size=4), 0.0))


def weights_and_thresholds(rng):
    for shape in [(7,), (5, 5), (3, 3, 2, 4)]:
        w = rng.normal(size=shape).astype("float32")
        w.flat[:3] = 0.5, -0.5, 0.0
        yield Case("entries on both sides of the threshold, on it, and zero", (w, 0.5))
    yield Case("all weights are negative", (-1 - rng.random(4), 0.25))
    yield Case("threshold zero changes nothing", (rng.normal(size=4), 0.0))
    yield Case("threshold above every entry leaves only zeros", (rng.normal(size=4), 99.0))


def elastic_nets(rng):
    w = 3 * rng.normal(size=8)
    yield Case("both penalties", (w, 0.5, 1.0, 0.7))
    yield Case("both penalties, on a matrix", (rng.normal(size=(4, 4)), 0.1, 2.0, 3.0))
    yield Case("L2 alone makes no zero", (w, 0.3, 0.0, 1.0))
    yield Case("L1 alone is the soft threshold", (w, 0.3, 2.0, 0.0))
    yield Case("a very strong L2 does not change a sign", (w, 1.0, 0.1, 20.0))


def rows_and_thresholds(rng):
    directions = rng.normal(size=(5, 4))
    lengths = np.array([[0.2], [0.9], [1.5], [3.0], [4.0]])
    w = lengths * directions / np.linalg.norm(directions, axis=1, keepdims=True)
    yield Case("two rows are shorter than t", (w, 1.0))
    yield Case("more rows than columns, of float32", (rng.normal(size=(9, 2)).astype("float32"), 1.2))
    yield Case("one row is already zero", (np.vstack([w, np.zeros(4)]), 0.5))
    yield Case("threshold zero changes nothing", (w, 0.0))
    yield Case("threshold above every length leaves only zeros", (w, 9.0))


# Wrong answers that take more than a line


def divide_by_the_weight(w, strength):
    with np.errstate(invalid="ignore"):
        return {"L1": strength * w / np.abs(w), "L2": 2 * strength * w}


def length(w):
    return np.linalg.norm(w, axis=1, keepdims=True)


def divide_by_no_length(w, t):
    with np.errstate(invalid="ignore"):
        return w / length(w) * np.maximum(length(w) - t, 0)


def threshold_without_end(w, t):
    return w * (1 - t / np.maximum(length(w), 1e-12))


def threshold_on_the_square(w, t):
    return w * np.maximum(1 - t / np.maximum(length(w) ** 2, 1e-12), 0)


# Right answers, written differently


def row_by_row(w, t):
    result = np.zeros_like(w)
    for i, row in enumerate(w):
        size = np.sqrt(np.sum(row**2))
        if size > t:
            result[i] = row - t * row / size
    return result


def case_by_case(w, t):
    return np.where(w > t, w - t, np.where(w < -t, w + t, 0))


EXERCISES = [
    Exercise(
        id="02.penalty_gradients",
        title="Two pulls",
        points=2,
        minutes=5,
        difficulty=1,
        reference=penalty_gradients,
        cases=weights_and_strengths,
        misconceptions=[
            Misconception(
                lambda w, strength: {"L1": strength * np.sign(w), "L2": strength * w},
                "Your L2 is the slope of ½λw², the weight decay of many textbooks. The article and Keras write λw², "
                "without the ½, and its slope is 2λw.",
            ),
            Misconception(
                lambda w, strength: {"L1": strength * np.abs(w), "L2": strength * w**2},
                "These are the penalties themselves. The pull is their slope: differentiate with respect to w.",
            ),
            Misconception(
                lambda w, strength: {"L1": strength * np.ones_like(w), "L2": 2 * strength * w},
                "Your L1 slope has no sign: descending it would push negative weights away from zero. "
                "The slope of |w| is −1 on the left of zero.",
            ),
            Misconception(
                divide_by_the_weight,
                "w / |w| is the sign of w, except at zero, where it is 0 / 0. A weight that has arrived at zero would "
                "become NaN, and with it the network. NumPy's sign gives 0 there.",
            ),
            Misconception(
                lambda w, strength: {"L1": np.sign(w), "L2": 2 * w},
                "The strength λ is missing: it multiplies the penalty, so it multiplies its slope.",
            ),
        ],
        hints=[
            "Write down the slope of |w| for a positive and for a negative w, then the slope of w².",
            "np.sign gives −1, 0 and 1. Do not forget the 2 of w².",
        ],
        also_right=[lambda w, strength: {"L1": strength * ((w > 0) * 1.0 - (w < 0)), "L2": strength * (w + w)}],
    ),
    Exercise(
        id="02.soft_threshold",
        title="The soft threshold",
        points=3,
        minutes=8,
        difficulty=2,
        reference=soft_threshold,
        cases=weights_and_thresholds,
        misconceptions=[
            Misconception(
                lambda w, t: np.where(np.abs(w) <= t, 0, w),
                "The small entries are zero, but the large ones kept their size: that is the hard threshold. "
                "L1 pulls on every weight, so those that survive move by t as well.",
            ),
            Misconception(
                lambda w, t: np.maximum(w - t, 0),
                "All negative weights have vanished. Shrink the magnitude, then give it its sign back.",
            ),
            Misconception(
                lambda w, t: w / (1 + 2 * t),
                "Every entry is scaled, and none has become zero: that is what L2 does.",
            ),
            Misconception(
                lambda w, t: w - t * np.sign(w),
                "Entries smaller than t have jumped across zero and changed their sign. Stop at zero.",
            ),
            Misconception(
                lambda w, t: np.where(np.abs(w) <= t, 0, w - t),
                "Negative weights have moved by t away from zero. Towards zero means: plus t for them.",
            ),
        ],
        hints=[
            "Write the answer for one positive weight first: what is left after a pull of t, and where does it stop?",
            "The magnitude becomes max(|w| − t, 0). Then give it back its sign.",
        ],
        also_right=[case_by_case, lambda w, t: np.maximum(w - t, 0) + np.minimum(w + t, 0)],
    ),
    Exercise(
        id="02.elastic_net_step",
        title="One step of the elastic net",
        points=3,
        minutes=10,
        difficulty=3,
        reference=elastic_net_step,
        cases=elastic_nets,
        misconceptions=[
            Misconception(
                lambda w, step, l1, l2: soft_threshold(w / (1 + 2 * step * l2), step * l1),
                "You scale first and take the L1 part off afterwards. Set the derivative to zero once more: "
                "(v − w) + s·l1 + 2·s·l2·v = 0 gives (w − s·l1) / (1 + 2·s·l2), the threshold inside the fraction.",
            ),
            Misconception(
                lambda w, step, l1, l2: soft_threshold(w, step * l1) / (1 + step * l2),
                "A factor 2 is lost: the derivative of s·l2·v² is 2·s·l2·v.",
            ),
            Misconception(
                lambda w, step, l1, l2: soft_threshold(w, l1) / (1 + 2 * l2),
                "The length of the step is missing. In this formula both penalties are multiplied by s.",
            ),
            Misconception(
                lambda w, step, l1, l2: soft_threshold(w, step * l1) * (1 - 2 * step * l2),
                "That is a gradient step on L2, w − s·2·l2·w. It is not the minimum, and if 2·s·l2 is more than 1 it "
                "flies across zero. The minimum divides.",
            ),
            Misconception(
                lambda w, step, l1, l2: (w - step * l1 * np.sign(w)) / (1 + 2 * step * l2),
                "Small weights have jumped across zero. The L1 part is a soft threshold: it stops at zero.",
            ),
        ],
        hints=[
            "Suppose that the answer v is positive. Differentiate, set to zero, solve. When is v positive at all?",
            "It is the soft threshold of w with one number, divided by another: 1 + 2 · step · l2.",
        ],
        also_right=[
            lambda w, step, l1, l2: np.sign(w) * np.maximum(np.abs(w) - step * l1, 0) / (2 * step * l2 + 1),
            lambda w, step, l1, l2: case_by_case(w / (1 + 2 * step * l2), step * l1 / (1 + 2 * step * l2)),
        ],
    ),
    Exercise(
        id="02.group_soft_threshold",
        title="Whole rows at once",
        points=3,
        minutes=10,
        difficulty=3,
        reference=group_soft_threshold_of_rows,
        cases=rows_and_thresholds,
        misconceptions=[
            Misconception(
                lambda w, t: group_soft_threshold(w, t, axis=0),
                "You took the columns as groups. In a Dense kernel (inputs, units) a row is axis 0, so its length is a "
                "sum over axis 1.",
            ),
            Misconception(
                soft_threshold,
                "Each entry was thresholded by itself, so zeros are scattered and rows stay. "
                "Compare the length of the row with t, not its entries.",
            ),
            Misconception(
                lambda w, t: w * (length(w) > t),
                "Short rows vanish, but the long ones kept their length: a hard threshold. The penalty pulls on them, "
                "too: their length shrinks by t.",
            ),
            Misconception(
                threshold_without_end,
                "Rows shorter than t have turned round and point the other way. Stop at zero.",
            ),
            Misconception(
                threshold_on_the_square,
                "That is the squared length. The group lasso has the length itself: take the square root.",
            ),
            Misconception(
                divide_by_no_length,
                "A row of zeros has become NaN: its length is zero, and you divide by it. "
                "A pruned input would poison the network. Keep such a row zero.",
            ),
        ],
        hints=[
            "Begin with the rows' lengths: np.linalg.norm has an axis, and keepdims=True keeps the shape (rows, 1).",
            "Multiply each row by max(1 − t / length, 0); put something harmless in the place of a length that is 0.",
        ],
        also_right=[row_by_row],
    ),
    Exercise(
        id="02.lambda_max",
        title="The strength at which everything is silent",
        points=2,
        minutes=8,
        difficulty=2,
        reference=1.2,  # max |Xᵀy| / n of the notebook's five examples: Xᵀy = (0, −6, 1)
        misconceptions=[
            Misconception(6.0, "You left out 1/n. The loss is a mean over the examples, and so is its slope."),
            Misconception(
                2.4, "Twice too much: the ½ in front of the squares cancels the 2 that differentiating gives."
            ),
            Misconception(
                0.2,
                "That is the largest entry of Xᵀy / n with its sign. A strong negative pull has to be held as well: "
                "compare magnitudes.",
            ),
            Misconception(
                0.0, "At this strength only the feature with the weakest pull is silent. All of them must be."
            ),
        ],
        hints=[
            "At w = 0, what is the slope of the data term with respect to each weight? L1 can hold a slope of up to λ.",
            "The slopes at zero are −Xᵀy / n. Which λ is as large as the largest of them in magnitude?",
        ],
    ),
    Exercise(
        id="02.path_order",
        title="Read a λ path",
        points=2,
        minutes=6,
        difficulty=2,
        reference="BDAC",
        misconceptions=[
            Misconception(
                "CADB", "That is the order from the last to the first. Follow the picture from left to right."
            ),
            Misconception(
                "DCBA",
                "You ordered the weights by their size at the left end. But size without a penalty does not tell "
                "who leaves first: look where each line meets zero.",
            ),
            Misconception(
                "BDCA",
                "You ordered the weights from the lowest line to the highest. Leaving means arriving at zero, "
                "from above or from below.",
            ),
        ],
        hints=[
            "Follow each line to the place where it meets zero and stays there.",
            "The first to arrive is one of the two long lines at the left end, not one of the short ones.",
        ],
    ),
    Exercise(
        id="02.adam_steps",
        title="How long does Adam need?",
        points=2,
        minutes=6,
        difficulty=2,
        reference=50.0,
        compare=partial(close, rtol=0.03),
        misconceptions=[
            Misconception(
                500_000,
                "That is plain gradient descent, which moves by η·λ a step. Adam divides the pull by its own size.",
            ),
            Misconception(500, "That is 0.05 / λ. Adam divides the pull by its own size, so λ cancels; η remains."),
            Misconception("never", "The pull of L1 does not fade, so the weight gets there. How long is one step?"),
        ],
        hints=[
            "The gradient is λ at every step. What is its mean, and the root of its mean square?",
            "Adam's step is η · λ / √(λ²). How many of them fit into 0.05?",
        ],
        also_right=[51],
    ),
]
