"""First-order Taylor and the empirical Fisher, from the gradients of single examples."""

import numpy as np

from course_lib.classroom import Case, Exercise, Misconception


def taylor_and_fisher(w, gradients):
    return np.abs(w * gradients.mean(axis=0)), w**2 * np.mean(gradients**2, axis=0) / 2


def weights_and_gradients(rng):
    w = rng.normal(size=5)
    yield Case("gradients that agree on the direction", (w, 2 + rng.normal(size=(7, 5))))
    both = rng.normal(size=(4, 5)) + 1
    yield Case("gradients that cancel each other, as at a minimum", (w, np.vstack([both, -both])))
    yield Case("a single example", (w, rng.normal(size=(1, 5))))
    yield Case("a weight that is zero", (np.append(w, 0.0), rng.normal(size=(6, 6))))
    yield Case("many examples, of float32", (w.astype("float32"), rng.normal(size=(50, 5)).astype("float32")))


# Wrong answers that take more than a line


def square_the_mean(w, gradients):
    mean = gradients.mean(axis=0)
    return np.abs(w * mean), w**2 * mean**2 / 2


def sizes_before_the_mean(w, gradients):
    return np.mean(np.abs(w * gradients), axis=0), w**2 * np.mean(gradients**2, axis=0) / 2


def add_up(w, gradients):
    return np.abs(w * gradients.sum(axis=0)), w**2 * np.sum(gradients**2, axis=0) / 2


# Right answers, written differently


def one_weight_after_the_other(w, gradients):
    taylor, fisher = [], []
    for q, weight in enumerate(w):
        column = gradients[:, q]
        taylor.append(abs(weight * sum(column) / len(column)))
        fisher.append(0.5 * sum((weight * g) ** 2 for g in column) / len(column))
    return np.array(taylor), np.array(fisher)


EXERCISE = Exercise(
    id="04.taylor_and_fisher",
    title="Two prices from one set of gradients",
    points=3,
    minutes=10,
    difficulty=2,
    reference=taylor_and_fisher,
    cases=weights_and_gradients,
    misconceptions=[
        Misconception(
            wrong=square_the_mean,
            says="For Fisher you squared the mean of the gradients. At the end of training that mean is nearly zero, "
            "and so would be every price. Square the gradient of each example first, then take the mean.",
        ),
        Misconception(
            wrong=sizes_before_the_mean,
            says="For Taylor you took absolute values before the mean. The gradient of the loss is the mean of the "
            "examples' gradients, where opposite signs cancel; the absolute value comes last.",
        ),
        Misconception(
            wrong=lambda w, g: (np.abs(w * g.mean(axis=0)), w**2 * np.mean(g**2, axis=0)),
            says="The ½ of the second-order term is missing in Fisher. It does not change the order, but then the "
            "price is no longer a rise of the loss.",
        ),
        Misconception(
            wrong=lambda w, g: (w * g.mean(axis=0), w**2 * np.mean(g**2, axis=0) / 2),
            says="Your Taylor score has a sign. Ranked by it, a weight with a large negative value would count as the "
            "least important. The score is the size of the change.",
        ),
        Misconception(
            wrong=lambda w, g: (np.abs(g.mean(axis=0)), np.mean(g**2, axis=0) / 2),
            says="These are slopes and curvatures, not prices. Removing a weight changes it by −w: the slope is "
            "multiplied by w, the curvature by w².",
        ),
        Misconception(
            wrong=add_up,
            says="You added the examples up. The loss is a mean over examples, and so are its gradient and Fisher.",
        ),
    ],
    hints=[
        "The examples are the rows. Which of the two prices takes the mean over the rows first, and which one squares "
        "first?",
        "Taylor: np.abs(w * gradients.mean(axis=0)). Fisher: w**2 / 2 times the mean of gradients**2.",
    ],
    also_right=[
        one_weight_after_the_other,
        lambda w, g: [np.abs(np.mean(w * g, axis=0)), 0.5 * np.mean(np.square(w * g), axis=0)],
    ],
)
