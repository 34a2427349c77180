"""How often a file and its model agree, and what is lost and won where they do not."""

import numpy as np

from course_lib.classroom import Case, Exercise, Misconception


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


def one_image_at_a_time(before, after, y):
    same = lost = won = 0
    for a, b, truth in zip(before, after, y, strict=True):
        a, b = a.argmax(), b.argmax()
        same += a == b
        lost += a == truth != b
        won += a != truth == b
    return {"same class": same / len(y), "lost": int(lost), "won": int(won)}


EXERCISE = Exercise(
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
            "which both are wrong "
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
        },
        one_image_at_a_time,
    ],
)
