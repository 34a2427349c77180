"""What 8 bits cost a pruned net, and what becomes of its zeros: LeNet-300-100 on Fashion-MNIST, pruned to 80%.

    python benchmarks/quantize_aware.py [results.json]

After training the net is pruned; then every row has one more epoch, in float32, in quantization-aware training with
the zeros kept or without, or with a few shared values a tensor. Nothing is chosen here, so the test split is read
directly.
"""

import json
import statistics
import sys
import tempfile
from pathlib import Path

from course_lib import quiet

quiet.tensorflow()

import keras  # noqa: E402
import numpy as np  # noqa: E402

from course_lib import data, deploy, models, scores, training  # noqa: E402
from course_lib.masks import Masks  # noqa: E402
from course_lib.report import Table  # noqa: E402
from course_lib.schedules import Polynomial  # noqa: E402

SEEDS, SPARSITY, BATCH, VALUES, RATE = (0, 1, 2), 0.8, 128, 4, 0.001
FASHION = data.fashion_mnist()


def fit(model, *callbacks):
    model.fit(*FASHION.train, batch_size=BATCH, verbose=0, callbacks=list(callbacks))


def pruned(seed):
    keras.utils.set_random_seed(seed)
    model = models.lenet_300_100()
    model.compile(keras.optimizers.Adam(RATE), "sparse_categorical_crossentropy")
    fit(model)
    fit(model, training.Prune(scores.magnitude, Polynomial(SPARSITY, begin=0, end=300)))
    return model


def copy_of(model):
    copy = keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    copy.compile(keras.optimizers.Adam(RATE), "sparse_categorical_crossentropy")
    return copy


def accuracy(model_or_file):
    x, y = FASHION.test
    outputs = (
        deploy.predict(model_or_file, x) if isinstance(model_or_file, Path) else model_or_file.predict(x, verbose=0)
    )
    return 100 * float(np.mean(outputs.argmax(axis=1) == y))


def rows(model, folder):
    """{name: (accuracy, % of the zeros of the pruned model that are left, bytes after gzip)}."""
    found, some = {}, FASHION.train.x[:500]

    def note(name, result, of):
        if isinstance(result, Path):
            zeros = deploy.zeros(of, result)
            found[name] = accuracy(result), 100 * zeros.kept / zeros.pruned, deploy.size(result).gzip
        else:
            found[name] = accuracy(result), 100.0, deploy.size(result).gzip

    note("pruned, float32", model, model)
    note("pruned, int8 after training", deploy.to_tflite(model, folder / "p", "int8", some), model)
    tuned = copy_of(model)
    training.hold(tuned, Masks.of_zeros(model))
    fit(tuned)
    note("one epoch more, float32", tuned, tuned)
    note("one epoch more, int8 after training", deploy.to_tflite(tuned, folder / "t", "int8", some), tuned)
    options = {"batch_size": BATCH, "learning_rate": RATE}
    for name, keep in ("quantization-aware, zeros kept", True), ("quantization-aware, plain", False):
        file = deploy.quantize_aware(model, folder / "q", FASHION.train, keep_zeros=keep, **options)
        note(name, file, model)
    shared = copy_of(model)
    values = deploy.cluster(shared, VALUES)
    note(f"{VALUES} values a tensor, float32", shared, shared)
    training.hold_clusters(shared, values)
    fit(shared)
    note(f"{VALUES} values a tensor, one epoch more, float32", shared, shared)
    return found


def main():
    with tempfile.TemporaryDirectory() as folder:
        runs = [rows(pruned(seed), Path(folder)) for seed in SEEDS]
    table = []
    for name in runs[0]:
        accuracies, zeros, sizes = zip(*(run[name] for run in runs), strict=True)
        spread = f"{statistics.mean(accuracies):.2f} ± {statistics.stdev(accuracies):.2f}"
        table.append([name, spread, f"{statistics.mean(zeros):.1f}", f"{statistics.mean(sizes) / 1000:.1f}"])
    print(Table(["LeNet-300-100, 80% pruned", "test accuracy, %", "zeros left, %", "kB after gzip"], table))
    if len(sys.argv) > 1:
        Path(sys.argv[1]).write_text(json.dumps(runs, indent=1))


if __name__ == "__main__":
    main()
