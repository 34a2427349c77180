"""What holding masks costs: a training step unpruned, held, and in the TensorFlow toolkit's wrapper.

    python benchmarks/training_step.py

The three train LeNet-300-100 on the same batches in turn, A B C A B C …, in one process; the table gives the median
step of each, its spread, and the median of the ratios taken pair by pair.
"""

import json
import statistics
import sys
import time

from course_lib import quiet

quiet.tensorflow()

import keras  # noqa: E402
import numpy as np  # noqa: E402
import tf_keras  # noqa: E402

from course_lib import masks, models, scores, training  # noqa: E402
from course_lib.report import Table  # noqa: E402

STEPS, ROUNDS, BATCH, SPARSITY = 200, 15, 128, 0.8


def keras_model():
    model = models.lenet_300_100()
    model.compile("adam", "sparse_categorical_crossentropy")
    return model


def held():
    model = keras_model()
    training.hold(model, masks.from_scores(scores.magnitude(model), SPARSITY))
    return model


def toolkit():
    from tensorflow_model_optimization.sparsity import keras as sparsity

    layers = [tf_keras.layers.Flatten(input_shape=(28, 28, 1))]
    layers += [tf_keras.layers.Dense(units, activation="relu") for units in (300, 100)]
    layers += [tf_keras.layers.Dense(10, activation="softmax")]
    schedule = sparsity.ConstantSparsity(SPARSITY, begin_step=0, frequency=100)
    model = sparsity.prune_low_magnitude(tf_keras.Sequential(layers), schedule)
    model.compile("adam", "sparse_categorical_crossentropy")
    return model, [sparsity.UpdatePruningStep()]


def main():
    keras.utils.set_random_seed(0)
    rng = np.random.default_rng(0)
    x = rng.random((STEPS * BATCH, 28, 28, 1), "float32")
    y = rng.integers(0, 10, STEPS * BATCH)
    wrapped, callbacks = toolkit()
    fits = {
        "unpruned": (keras_model(), []),
        "held (course_lib)": (held(), []),
        "wrapper (tfmot)": (wrapped, callbacks),
    }
    for model, extra in fits.values():
        model.fit(x, y, batch_size=BATCH, verbose=0, shuffle=False, callbacks=extra)  # traces
    milliseconds = {name: [] for name in fits}
    for _ in range(ROUNDS):
        for name, (model, extra) in fits.items():
            start = time.perf_counter()
            model.fit(x, y, batch_size=BATCH, verbose=0, shuffle=False, callbacks=extra)
            milliseconds[name].append((time.perf_counter() - start) / STEPS * 1e3)
    rows, results = [], {}
    for name, times in milliseconds.items():
        ratios = [t / base for t, base in zip(times, milliseconds["unpruned"], strict=True)]
        results[name] = {"median_ms": statistics.median(times), "times_ms": times, "ratio": statistics.median(ratios)}
        spread = f"{min(times):.2f}–{max(times):.2f}"
        rows.append([name, f"{statistics.median(times):.2f}", spread, f"{results[name]['ratio']:.2f}"])
    print(Table(["step", "median ms", "spread ms", "÷ unpruned"], rows))
    if len(sys.argv) > 1:
        with open(sys.argv[1], "w") as file:
            json.dump(results, file, indent=1)


if __name__ == "__main__":
    main()
