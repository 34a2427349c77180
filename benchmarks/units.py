"""Which units to remove: a small CNN and a small ResNet on Fashion-MNIST at half and a quarter of the MACs.

    python benchmarks/units.py [results.json]

Every unit score takes the same number of units from each group, as do random units; the rest is fine-tuned for as many
epochs. Beside them the whole net, trained on for as long, and a net of the small size from scratch, trained for as many
epochs in all. Scores see 512 images of the validation split; nothing is chosen here, so the test split is read
directly, once a net.
"""

import json
import statistics
import sys
import time

from course_lib import quiet

quiet.tensorflow()

import keras  # noqa: E402
import numpy as np  # noqa: E402

from course_lib import data, models, scores, shrink  # noqa: E402
from course_lib.report import Table, summary  # noqa: E402

SEEDS, LEFT, BATCH, DENSE_EPOCHS, TUNING_EPOCHS = (0, 1, 2), (0.5, 0.25), 128, 3, 2
FASHION = data.fashion_mnist()
SOME = FASHION.validation.x[:512], FASHION.validation.y[:512]


def random_units(model, data, seed=0):
    rng = np.random.default_rng(seed)
    return {name: rng.random(len(score)) for name, score in scores.unit_norm(model).items()}


SCORES = {
    "random": random_units,
    "unit_norm": scores.unit_norm,
    "geometric_median": scores.geometric_median,
    "bn_gamma": scores.bn_gamma,
    "activation_mean": scores.activation_mean,
    "apoz": scores.apoz,
    "unit_taylor": scores.unit_taylor,
    "contribution": scores.contribution,
}


def fit(model, epochs):
    model.fit(*FASHION.train, batch_size=BATCH, epochs=epochs, verbose=0)
    return model


def fresh(build, seed, width=1.0):
    keras.utils.set_random_seed(seed)
    model = build(width=width)
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def accuracy(model):
    return 100 * model.evaluate(*FASHION.test, batch_size=1000, verbose=0)[1]


def width_for(model, left):
    """The largest fraction of units at which the model has that part of its MACs."""
    ranked, macs = scores.unit_norm(model), summary(model).macs
    widths = np.arange(64, 0, -1) / 64
    small = (shrink.remove_units(model, shrink.keep_highest(model, ranked, w)) for w in widths)
    return next(float(w) for w, s in zip(widths, small, strict=True) if summary(s).macs <= left * macs)


def results_of(build):
    found = {}  # {part of the MACs: {method: [accuracy of each seed]}}

    def note(left, method, model):
        found.setdefault(left, {}).setdefault(method, []).append(accuracy(model))

    for seed in SEEDS:
        dense = fit(fresh(build, seed), DENSE_EPOCHS)
        with_norm = any(isinstance(layer, keras.layers.BatchNormalization) for layer in dense.layers)
        ranked = {n: score(dense, SOME) for n, score in SCORES.items() if n != "bn_gamma" or with_norm}
        for left in LEFT:
            width = width_for(dense, left)
            for method, score in ranked.items():
                small = shrink.remove_units(dense, shrink.keep_highest(dense, score, width))
                note(left, method, fit(small, TUNING_EPOCHS))
            note(left, "small, from scratch", fit(fresh(build, seed, width), DENSE_EPOCHS + TUNING_EPOCHS))
        note(1.0, "the whole net", fit(dense, TUNING_EPOCHS))
    return found


def main():
    everything = {}
    for build in (models.small_cnn, models.small_resnet):
        start = time.time()
        found = everything[build.__name__] = results_of(build)
        rows = [
            [method, f"{left:.0%}", f"{statistics.mean(values):.2f}", f"{statistics.stdev(values):.2f}"]
            for left, methods in sorted(found.items(), reverse=True)
            for method, values in sorted(methods.items(), key=lambda item: -statistics.mean(item[1]))
        ]
        heading = [build.__name__, "MACs left", "test accuracy, %, mean of 3 seeds", "std"]
        print(Table(heading, rows), f"\n{time.time() - start:.0f} s\n", flush=True)
    if len(sys.argv) > 1:
        with open(sys.argv[1], "w") as file:
            json.dump(everything, file, indent=1)


if __name__ == "__main__":
    main()
