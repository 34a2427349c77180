"""What each method keeps of the accuracy: LeNet-300-100 on Fashion-MNIST at 80, 90, 95 and 98% zeros, three seeds.

    python benchmarks/accuracy.py [results.json]

Every net sees as many epochs of the same images. Methods that prune a trained net start from the same weights of a
seed and follow the same schedule for the same steps, the TensorFlow toolkit too; SynFlow and RigL are sparse from the
start. Nothing is chosen here, so the test split is read directly, once a net.
"""

import json
import sys
import time
from functools import partial

from course_lib import quiet

quiet.tensorflow()

import keras  # noqa: E402
import numpy as np  # noqa: E402
import tf_keras  # noqa: E402

from course_lib import data, models, scores, search, training  # noqa: E402
from course_lib.report import Table  # noqa: E402
from course_lib.schedules import Polynomial  # noqa: E402

SPARSITIES, SEEDS, BATCH = (0.8, 0.9, 0.95, 0.98), (0, 1, 2), 256
DENSE_EPOCHS, PRUNING_EPOCHS = 4, 4
FASHION = data.fashion_mnist()
STEPS = -(-len(FASHION.train.x) // BATCH) * PRUNING_EPOCHS  # of pruning and fine-tuning
RAMP, FREQUENCY = STEPS // 2, 40  # sparsity rises for half of them
SOME = FASHION.train.x[:512], FASHION.train.y[:512]  # for scores that need data


def fit(model, epochs, *callbacks):
    model.fit(*FASHION.train, batch_size=BATCH, epochs=epochs, verbose=0, callbacks=list(callbacks))


def fresh(seed, weights=None):
    keras.utils.set_random_seed(seed)
    model = models.lenet_300_100()
    model.compile("adam", "sparse_categorical_crossentropy")
    if weights is not None:
        model.set_weights(weights)
    return model


def pruned(score, scope, sparsity, seed, weights, frequency=FREQUENCY):
    model = fresh(seed, weights)
    schedule = Polynomial(sparsity, begin=0, end=RAMP)
    fit(model, PRUNING_EPOCHS, training.Prune(score, schedule, scope=scope, frequency=frequency, data=SOME))
    return model


def toolkit(sparsity, seed, weights):
    from tensorflow_model_optimization.sparsity import keras as tfmot

    tf_keras.utils.set_random_seed(seed)
    layers = [tf_keras.layers.Flatten(input_shape=(28, 28, 1))]
    layers += [tf_keras.layers.Dense(units, "relu") for units in (300, 100)] + [tf_keras.layers.Dense(10, "softmax")]
    model = tf_keras.Sequential(layers)
    model.set_weights(weights)
    schedule = tfmot.PolynomialDecay(0.0, sparsity, 0, RAMP - RAMP % FREQUENCY, power=3, frequency=FREQUENCY)
    model = tfmot.prune_low_magnitude(model, schedule)
    model.compile("adam", "sparse_categorical_crossentropy")
    fit(model, PRUNING_EPOCHS, tfmot.UpdatePruningStep())
    return tfmot.strip_pruning(model)


def synflow(sparsity, seed, weights):
    model = fresh(seed)
    training.hold(model, scores.synflow_masks(model, sparsity))
    fit(model, DENSE_EPOCHS + PRUNING_EPOCHS)
    return model


def rigl(sparsity, seed, weights):
    model = fresh(seed)
    scope, steps = search.allocate(model, sparsity, "erk"), STEPS * (DENSE_EPOCHS + PRUNING_EPOCHS) // PRUNING_EPOCHS
    fit(
        model,
        DENSE_EPOCHS + PRUNING_EPOCHS,
        training.RigL(scope, end=3 * steps // 4, data=FASHION.train, frequency=100, seed=seed),
    )
    return model


METHODS = {
    "magnitude, global": partial(pruned, scores.magnitude, "global"),
    "magnitude, per tensor": partial(pruned, scores.magnitude, "tensor"),
    "magnitude, tfmot": toolkit,
    "OBD, global": partial(pruned, scores.obd, "global", frequency=RAMP // 4),
    "SynFlow at the start": synflow,
    "RigL, ERK": rigl,
    "random, per tensor": lambda sparsity, seed, weights: pruned(
        partial(scores.random, seed=seed), "tensor", sparsity, seed, weights
    ),
}


def zeros(model):
    kernels = [np.asarray(w) for w in model.get_weights() if np.ndim(w) == 2]
    return sum(np.sum(kernel == 0) for kernel in kernels) / sum(kernel.size for kernel in kernels)


def accuracy(model):
    return float(np.mean(model.predict(FASHION.test.x, verbose=0, batch_size=1000).argmax(axis=1) == FASHION.test.y))


def main():
    results = {name: {s: [] for s in SPARSITIES} for name in METHODS}
    dense = []
    for seed in SEEDS:
        model = fresh(seed)
        fit(model, DENSE_EPOCHS)
        weights = model.get_weights()
        fit(model, PRUNING_EPOCHS)
        dense.append(accuracy(model))
        for name, method in METHODS.items():
            for sparsity in SPARSITIES:
                start = time.perf_counter()
                model = method(sparsity, seed, weights)
                if abs(zeros(model) - sparsity) > 0.001:
                    raise RuntimeError(f"{name} has {zeros(model):.4f} zeros, not {sparsity}: the comparison is void.")
                results[name][sparsity].append(accuracy(model))
                print(f"seed {seed} {name} {sparsity:.0%}: {time.perf_counter() - start:.0f} s", file=sys.stderr)
                keras.backend.clear_session()
    rows = [["dense", *[_spread(dense)] * len(SPARSITIES)]]
    rows += [[name, *map(_spread, by_sparsity.values())] for name, by_sparsity in results.items()]
    print(
        Table([f"test accuracy in %, mean ± std of {len(SEEDS)} seeds", *(f"{s:.0%} zeros" for s in SPARSITIES)], rows)
    )
    if len(sys.argv) > 1:
        with open(sys.argv[1], "w") as file:
            json.dump({"dense": dense, **results}, file, indent=1)


def _spread(values):
    return f"{100 * np.mean(values):.2f} ± {100 * np.std(values, ddof=1):.2f}"


if __name__ == "__main__":
    main()
