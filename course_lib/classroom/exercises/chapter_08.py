"""The exercises of chapter 08, Deploy with TFLite."""

from functools import partial

import numpy as np

from course_lib.classroom import Case, Exercise, Misconception
from course_lib.classroom.compare import Difference, close
from course_lib.classroom.language import _

# --- 08.quantise ------------------------------------------------------------------------------------------------------


def quantise(r, scale, zero_point):
    return np.clip(np.rint(r / scale) + zero_point, -128, 127).astype("int8")


def wrapped(q):
    """What int8 keeps of a number that does not fit: it starts again from the other end."""
    return q.astype("int64").astype("int8")


def close_and_same_type(answer, expected):
    """One byte an entry is the point of the exercise, so the type counts as well as the numbers."""
    if difference := close(answer, expected):
        return difference
    if np.asarray(answer).dtype != np.asarray(expected).dtype:
        says = _(
            "The numbers are right, but they are stored as {type}: that is not one byte an entry, from −128 to 127."
        )
        return Difference(*[says.format(type=np.asarray(answer).dtype)] * 2)
    return None


def quantise_cases(rng):
    """Real numbers off the integers by less than a half: how halves are rounded is not the question."""

    def reals(q, scale, zero_point):
        return (scale * (q - zero_point + rng.uniform(-0.4, 0.4, q.shape))).astype("float32")

    inside = rng.integers(-120, 120, (4, 5))
    outside = rng.choice([-1, 1], 12) * rng.integers(180, 250, 12)
    pruned = reals(inside, 0.02, 0) * (rng.random((4, 5)) < 0.5)
    pruned[0, 0] = 0
    yield Case("weights, zero point 0, inside the range", (reals(inside, 0.02, 0), 0.02, 0))
    yield Case("pruned weights: zeros stay zero", (pruned, 0.02, 0))
    yield Case("a zero point that is not 0", (reals(inside, 0.1, -37), 0.1, -37))
    yield Case("numbers outside the range on both sides", (reals(outside, 0.5, 0), 0.5, 0))
    yield Case("outside the range, with a zero point", (reals(outside, 0.5, 21), 0.5, 21))


QUANTISE = Exercise(
    id="08.quantise",
    title="From real numbers to bytes",
    points=2,
    minutes=6,
    difficulty=1,
    reference=quantise,
    cases=quantise_cases,
    compare=close_and_same_type,
    misconceptions=[
        Misconception(
            lambda r, scale, zero_point: np.clip(r / scale + zero_point, -128, 127).astype("int8"),
            "The decimals are cut off, not rounded: 2.9 became 2. A conversion to an integer type does that. The "
            "error is then up to a whole step, and always towards zero; round first, with np.rint.",
        ),
        Misconception(
            lambda r, scale, zero_point: wrapped(np.trunc(r / scale + zero_point)),
            "The conversion to int8 alone does two kinds of harm: it cuts the decimals off, and a number that does "
            "not fit starts again from the other end, 130 as −126. Round and clip before you convert.",
        ),
        Misconception(
            lambda r, scale, zero_point: wrapped(np.rint(r / scale) + zero_point),
            "Numbers outside the range have changed sign: 130 does not fit into int8 and becomes −126. "
            "Clip to −128 … 127 before you convert.",
        ),
        Misconception(
            lambda r, scale, zero_point: np.clip(np.rint(r / scale), -128, 127).astype("int8"),
            "The zero point is not used. Real 0 has to become the integer zero_point, so add it before you clip.",
        ),
        Misconception(
            lambda r, scale, zero_point: np.clip(np.rint(r / scale) + zero_point, 0, 255).astype("uint8"),
            "This is uint8, from 0 to 255: everything below the zero point is lost. The file stores int8, from −128 "
            "to 127.",
        ),
        Misconception(
            lambda r, scale, zero_point: wrapped(np.clip(np.rint(r / scale), -128, 127) + zero_point),
            "You clip and then add the zero point, which pushes numbers out of the range again. Add first, clip last.",
        ),
        Misconception(
            lambda r, scale, zero_point: np.clip(np.rint(r / scale) + zero_point, -128, 127),
            "The numbers are right, but they are still floating point and save nothing. Convert to int8 at the end.",
        ),
    ],
    hints=[
        "Four steps in this order: divide, round, shift, clip. Then change the type.",
        'np.clip(np.rint(…) + …, -128, 127).astype("int8")',
    ],
    also_right=[
        lambda r, scale, zero_point: np.maximum(-128, np.minimum(127, np.floor(r / scale + 0.5) + zero_point)).astype(
            "i1"
        )
    ],
)

# --- 08.scale_and_zero_point ------------------------------------------------------------------------------------------


def scale_and_zero_point(r):
    low, high = min(r.min(), 0), max(r.max(), 0)
    if low == high:
        return 1.0, 0
    scale = (high - low) / 255
    return float(scale), int(np.rint(-128 - low / scale))


def but(wrong):
    """A wrong rule that nevertheless treats an array of zeros as the statement says."""
    return lambda r: wrong(r, min(r.min(), 0), max(r.max(), 0)) if r.any() else (1.0, 0)


def range_cases(rng):
    def between(low, high):
        return np.concatenate([rng.uniform(low, high, 10), [low, high]])[rng.permutation(12)]

    scale, zero_point = rng.uniform(0.01, 0.1), int(rng.integers(-90, 90))
    low = scale * (-128 - zero_point + rng.uniform(-0.3, 0.3))  # rounds to this zero point, with room to spare
    yield Case("numbers on both sides of zero, not evenly", (between(low, low + 255 * scale),))
    yield Case("after a ReLU: the smallest is 0", (between(0, rng.uniform(1, 9)),))
    yield Case("all positive, the smallest is not 0", (between(rng.uniform(1, 2), rng.uniform(4, 9)),))
    yield Case("all negative", (between(-rng.uniform(4, 9), -rng.uniform(1, 2)),))
    yield Case("a matrix", (between(low, low + 255 * scale).reshape(3, 4),))
    yield Case("everything has been pruned", (np.zeros(5),))


SCALE = Exercise(
    id="08.scale_and_zero_point",
    title="Scale and zero point, with zero kept exact",
    points=4,
    minutes=12,
    difficulty=3,
    reference=scale_and_zero_point,
    cases=range_cases,
    misconceptions=[
        Misconception(
            but(lambda r, low, high: ((np.ptp(r)) / 255, int(np.rint(-128 - r.min() / (np.ptp(r) / 255))))),
            "The range goes from the smallest to the largest entry, even where 0 is not between them. Then no "
            "integer from −128 to 127 stands for 0, and zeros (padding, ReLU, pruned weights) cannot be stored. "
            "Widen the range until it holds 0.",
        ),
        Misconception(
            but(lambda r, low, high: (np.abs(r).max() / 127, 0)),
            "This is the symmetric rule of weights, with zero point 0. For numbers that lie mostly on one side it "
            "wastes up to half of the integers. Use the range from low to high.",
        ),
        Misconception(
            but(lambda r, low, high: ((high - low) / 256, int(np.rint(-128 - low / ((high - low) / 256))))),
            "256 integers have 255 steps between them, as 11 fence posts have 10 gaps. With 256 the largest number "
            "falls outside and is clipped.",
        ),
        Misconception(
            but(lambda r, low, high: ((high - low) / 255, int(np.rint(-low / ((high - low) / 255))))),
            "That is the zero point for uint8, where low becomes 0. In int8 low becomes −128, so the zero point is "
            "smaller by 128.",
        ),
        Misconception(
            but(lambda r, low, high: ((high - low) / 255, int(np.rint(-128 + low / ((high - low) / 255))))),
            "The sign of low / scale is turned round. Put r = low into q = r / scale + Z and ask for q = −128: Z = "
            "−128 − low / scale.",
        ),
        Misconception(
            but(lambda r, low, high: ((high - low) / 255, float(-128 - low / ((high - low) / 255)))),
            "The zero point is not a whole number. Then no integer stands for exactly 0, and every pruned weight "
            "comes back as a small number. Round it.",
        ),
    ],
    hints=[
        "Which real number should become −128, and which 127? Make sure that 0 lies between the two.",
        "scale = (high − low) / 255; the zero point solves −128 = low / scale + Z, rounded. If everything is 0, "
        "return (1.0, 0).",
    ],
    also_right=[
        lambda r: (
            (1.0, 0)
            if not np.any(r)
            else (s := np.ptp(np.append(r, 0.0)) / 255, round(127 - np.append(r, 0.0).max() / s))
        )
    ],
)

# --- 08.break_even ----------------------------------------------------------------------------------------------------

BREAK_EVEN = Exercise(
    id="08.break_even",
    title="When does an index pay?",
    points=3,
    minutes=10,
    difficulty=2,
    reference={"index": 2 / 3, "bitmask": 1 / 8, "index beats bitmask": 15 / 16},
    compare=partial(close, rtol=0.01),
    misconceptions=[
        Misconception(
            {"index": 1 / 3, "bitmask": 7 / 8, "index beats bitmask": 1 / 16},
            "These are the fractions of weights that are *kept* at break-even. The sparsity is the fraction of "
            "zeros: one minus that.",
        ),
        Misconception(
            {"index": 1 / 3, "bitmask": 1 / 32, "index beats bitmask": 15 / 16},
            "That is right for float32, where a weight has four bytes. Here it has one, and an index of two bytes "
            "weighs more.",
        ),
        Misconception(
            {"index": 1 / 2, "bitmask": 1 / 8, "index beats bitmask": 7 / 8},
            "A survivor costs its index *and* its value: three bytes, not two.",
        ),
        Misconception(
            {"index": 2 / 3, "bitmask": 1.0, "index beats bitmask": 1 / 2},
            "The map has one *bit* for each weight, an eighth of a byte.",
        ),
    ],
    hints=[
        "Write the bytes of each way for one weight on average, with d = 1 − s for the fraction that is kept.",
        "Dense 1, index 3d, bitmask 1/8 + d. Set them equal in pairs, solve for d, and give s = 1 − d.",
    ],
)

# --- 08.pruning_factor ------------------------------------------------------------------------------------------------

PRUNING_FACTOR = Exercise(
    id="08.pruning_factor",
    title="Whose factor is it?",
    points=2,
    minutes=5,
    difficulty=1,
    reference=5.5,
    compare=partial(close, rtol=0.01),
    misconceptions=[
        Misconception(
            24.0,
            "That is the advertisement's own number: it counts gzip and the 8 bits as pruning. "
            "Compare two files that differ in nothing but pruning.",
        ),
        Misconception(
            22.0,
            "gzip is now on both sides, but the 8 bits are not: one file is float32, the other int8. Compare like "
            "with like.",
        ),
        Misconception(1200 / 275, "That is what 8 bits and gzip give, without any pruning: the part to take out."),
        Misconception(4.0, "That is the factor of the 8 bits alone: neither of the two files is pruned."),
        Misconception(24 - 1200 / 275, "Factors multiply; they cannot be subtracted. Divide instead."),
    ],
    hints=[
        "Which two of the four files differ in nothing but pruning?",
        "Both are int8 and both are gzipped.",
    ],
)

# --- 08.median_and_p90 ------------------------------------------------------------------------------------------------


def median_and_p90(times, warmup):
    median, p90 = np.percentile(times[warmup:], [50, 90])
    return float(median), float(p90)


def timing_cases(rng):
    def runs(n, warmup):
        times = rng.gamma(20, 0.01, n)
        times[rng.integers(warmup, n, 2)] *= 30  # the system was busy with something else
        times[:warmup] *= rng.uniform(2, 8)
        return times

    yield Case("slow first runs, and two interruptions", (runs(60, 10), 10))
    yield Case("no warm-up to drop", (runs(30, 0), 0))
    yield Case("an even number of runs", (runs(25, 5), 5))
    yield Case("a fast run among the warm-up", (np.append(0.01, runs(40, 6)), 7))


def drop_slowest(times, warmup):
    fastest = np.sort(times)[: len(times) - warmup]
    return np.median(fastest), np.percentile(fastest, 90)


MEDIAN = Exercise(
    id="08.median_and_p90",
    title="Median and p90 of a latency",
    points=2,
    minutes=6,
    difficulty=1,
    reference=median_and_p90,
    cases=timing_cases,
    misconceptions=[
        Misconception(
            lambda times, warmup: (np.mean(times[warmup:]), np.percentile(times[warmup:], 90)),
            "The first number is the mean. Two interruptions are enough to move it away from every ordinary run; the "
            "median stays.",
        ),
        Misconception(
            lambda times, warmup: (np.median(times), np.percentile(times, 90)),
            "The warm-up is still in. Leave out the first `warmup` runs: nobody will ever see them again.",
        ),
        Misconception(
            lambda times, warmup: (np.median(times[warmup:]), np.percentile(times[warmup:], 10)),
            "Your p90 is below the median: it is the 10th percentile, counted from the slow end. "
            "Nine runs in ten are at least as fast as p90.",
        ),
        Misconception(
            drop_slowest,
            "You sorted before you dropped, so the slowest runs are gone, wherever they stood. That makes any "
            "machine look calm. The warm-up is the *first* runs in time.",
        ),
        Misconception(
            lambda times, warmup: (np.median(times[warmup:]), np.max(times[warmup:])),
            "The second number is the worst run of all, which grows with every run you add. p90 does not.",
        ),
    ],
    hints=[
        "First slice the warm-up away, in the order of time. Sort nothing.",
        "np.percentile(times[warmup:], [50, 90])",
    ],
    also_right=[lambda times, warmup: tuple(np.quantile(np.sort(times[warmup:]), q) for q in (0.5, 0.9))],
)

# --- 08.agreement -----------------------------------------------------------------------------------------------------


def agreement(before, after, y):
    a, b = before.argmax(axis=1), after.argmax(axis=1)
    return {
        "same class": float(np.mean(a == b)),
        "lost": int(np.sum((a == y) & (b != y))),
        "won": int(np.sum((a != y) & (b == y))),
    }


def instead(**wrong):
    """The right answer with some entries replaced by wrong ones."""
    wrong = {key.replace("_", " "): rule for key, rule in wrong.items()}

    def answer(before, after, y):
        a, b = before.argmax(axis=1), after.argmax(axis=1)
        return agreement(before, after, y) | {key: rule(before, after, a, b, y) for key, rule in wrong.items()}

    return answer


def output_cases(rng):
    def outputs(n, classes, noise):
        logits = rng.normal(size=(n, classes))
        y = np.where(rng.random(n) < 0.8, logits.argmax(axis=1), rng.integers(0, classes, n))
        both = np.stack([logits, logits + noise * rng.normal(size=logits.shape)])
        share = np.exp(both) / np.exp(both).sum(axis=2, keepdims=True)
        return *share.astype("float32"), y

    before, after, y = outputs(300, 10, 0.5)
    yield Case("300 images, some change their class", (before, after, y))
    yield Case("outputs in steps of 1/256, as int8 gives them, with ties", (before, np.rint(before * 256) / 256, y))
    yield Case("nothing changes", (before, before, y))
    yield Case("the answers change a lot", outputs(200, 4, 2.0))


AGREEMENT = Exercise(
    id="08.agreement",
    title="Are the answers the same?",
    points=3,
    minutes=8,
    difficulty=2,
    reference=agreement,
    cases=output_cases,
    misconceptions=[
        Misconception(
            instead(same_class=lambda before, after, a, b, y: float(np.mean(before == after))),
            '"same class" compares the probabilities, which almost never agree to the last digit. Compare the '
            "classes: the argmax of each row.",
        ),
        Misconception(
            instead(same_class=lambda before, after, a, b, y: float(np.mean(b == y))),
            '"same class" is the accuracy of the file. Parity asks whether file and model agree, and an answer on '
            "which both are wrong"
            "in the same way counts as agreement.",
        ),
        Misconception(
            instead(same_class=lambda before, after, a, b, y: float(1 - abs(np.mean(a == y) - np.mean(b == y)))),
            '"same class" compares two accuracies. They can be equal while many answers differ: what is lost here is '
            "won there.",
        ),
        Misconception(
            instead(
                lost=lambda before, after, a, b, y: int(np.sum((a != y) & (b == y))),
                won=lambda before, after, a, b, y: int(np.sum((a == y) & (b != y))),
            ),
            "Lost and won are exchanged: lost was right before and is wrong after.",
        ),
        Misconception(
            instead(lost=lambda before, after, a, b, y: int(np.sum((a != b) & (b != y)))),
            '"lost" also counts images that were wrong before. They have changed from one wrong class to another: '
            "nothing was lost.",
        ),
    ],
    hints=[
        "Turn both outputs into classes first, one for each row. Everything else is a comparison of three arrays of n.",
        "a = before.argmax(axis=1), b = after.argmax(axis=1); lost: (a == y) & (b != y).",
    ],
    also_right=[
        lambda before, after, y: {
            "won": np.count_nonzero(np.argmax(after, 1)[np.argmax(before, 1) != y] == y[np.argmax(before, 1) != y]),
            "lost": np.count_nonzero(np.argmax(after, 1)[np.argmax(before, 1) == y] != y[np.argmax(before, 1) == y]),
            "same class": np.count_nonzero(np.argmax(before, 1) == np.argmax(after, 1)) / len(y),
        }
    ],
)

# --- 08.claims --------------------------------------------------------------------------------------------------------

CLAIMS = Exercise(
    id="08.claims",
    title="Which claims follow from the table?",
    points=2,
    minutes=6,
    difficulty=2,
    reference="BD",
    misconceptions=[
        Misconception(
            "ABD",
            "A does not follow: the dense file differs from *itself* by more. Below the noise there is no "
            "difference to explain.",
        ),
        Misconception(
            "BCD",
            "C does not follow: nobody measured a dense int8 file. The 8 bits alone may give all of that factor; "
            "pruning has not been separated.",
        ),
        Misconception(
            "BDE",
            "E does not follow: a table speaks for the machine it was measured on. Another processor has other "
            "kernels and another memory.",
        ),
        Misconception(
            "ABCDE",
            "Not all of them. Ask of each: is it above the noise, are all the files there, is it the same machine?",
        ),
        Misconception(
            "B", "One more follows. Take the worst case for it: fastest dense run, slowest run of the other."
        ),
        Misconception(
            "D", "One more follows. Take the worst case for it: fastest dense run, slowest run of the other."
        ),
    ],
    hints=[
        "Rows 1 and 2 are the same file. What does their difference tell you about claim A?",
        "For each claim name the two rows that differ in nothing but what is claimed. If one of them is missing, it "
        "does not follow.",
    ],
)

EXERCISES = [QUANTISE, SCALE, BREAK_EVEN, PRUNING_FACTOR, MEDIAN, AGREEMENT, CLAIMS]
