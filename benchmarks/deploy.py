"""How small and how fast: LeNet-300-100 in bytes, two small CNNs in bytes and milliseconds, on Fashion-MNIST.

    python benchmarks/deploy.py [results.json] [--seeds 0 1 2] [--net small_cnn]

1. LeNet-300-100 is pruned gradually, its weights, biases too, are clustered, the clusters are fine-tuned, and
   ``deploy.encode`` writes them: the file beside the dense float32 ``.tflite`` file.
2. Of each CNN units are removed, the rest is fine-tuned and converted to int8. Of one net in between more units stay,
   and weights of the rest are pruned: zeros, which only gzip makes small. The dense file and the others take turns in
   LiteRT, so that a latency is a ratio of times measured together.

The dense net trains for as many epochs in all as any net made from it, and every net keeps its best epoch on the
validation split. The dense net teaches the others: their targets are its probabilities, softened by a temperature,
mixed with the labels (Hinton, Vinyals, Dean, "Distilling the Knowledge in a Neural Network", arXiv:1503.02531, 2015).
Sparsities, clusters, widths and rates were chosen on the validation split. The test split is read once a file, at the
end.
"""

import argparse
import json
import statistics
import tempfile
import time
from functools import partial
from pathlib import Path

from course_lib import quiet

quiet.tensorflow()

import keras  # noqa: E402
import numpy as np  # noqa: E402

from course_lib import data, deploy, models, scores, shrink, training  # noqa: E402
from course_lib.report import Table  # noqa: E402
from course_lib.schedules import Polynomial  # noqa: E402

FASHION, BATCH = data.fashion_mnist(), 128
STEPS = -(-len(FASHION.train.x) // BATCH)  # of an epoch
HOT = np.eye(10, dtype="float32")
LABELS, VALIDATION = HOT[FASHION.train.y], (FASHION.validation.x, HOT[FASHION.validation.y])
TEMPERATURE, TAUGHT = 3, 0.7  # the share of the target that is the teacher's
SHARING = 3  # epochs of fine-tuning clusters
RATE, CUT = 1e-3, 3e-3  # where the learning rate begins; nets with fewer units like a higher one, dense ones do not
LENET = {10: (0.55, 32), 20: (0.82, 32), 40: (0.915, 16), 60: (0.947, 16)}  # times smaller: (sparsity, clusters)
CNNS = {  # net: epochs before and after the cut, and {name: (units kept, sparsity of the rest)}
    models.small_cnn: (
        10,
        20,
        {
            "fewer units, int8": ({"conv_2": 0.5, "dense_1": 0.25}, 0),
            "fewer units, zeros, int8": ({"conv_2": 0.5, "dense_1": 0.5}, 0.65),
        },
    ),
    models.lenet_5: (
        6,
        12,
        {
            "fewer units, int8": ({"conv_1": 0.8, "conv_2": 0.64, "dense_1": 0.236}, 0),
            "fewer units, zeros, int8": ({"conv_1": 0.8, "conv_2": 0.64, "dense_1": 0.5}, 0.7),
        },
    ),
}
ROUNDS, RUNS = 9, 300


def fit(model, epochs, targets, *callbacks, first=0, rate=RATE):
    """Train with a rate that falls to zero, and take the best epoch from ``first`` on."""
    schedule = keras.optimizers.schedules.CosineDecay(rate, epochs * STEPS)
    model.compile(keras.optimizers.Adam(schedule), "categorical_crossentropy", metrics=["accuracy"])
    best = keras.callbacks.EarlyStopping(
        "val_accuracy", patience=epochs, restore_best_weights=True, start_from_epoch=first
    )
    options = {"batch_size": BATCH, "epochs": epochs, "validation_data": VALIDATION, "verbose": 0}
    model.fit(FASHION.train.x, targets, callbacks=[best, *callbacks], **options)
    return model


def gradually(sparsity, epochs):
    """Prune during the first half of the epochs; the number of epochs that takes."""
    ramp = epochs // 2
    return training.Prune(scores.magnitude, Polynomial(sparsity, begin=0, end=ramp * STEPS), frequency=STEPS // 4), ramp


def start(build, seed, before, after):
    """The net to be made small, the dense net it is compared to, and what that teaches."""
    keras.utils.set_random_seed(seed)
    begun, dense = fit(build(), before, LABELS), build()
    dense.set_weights(begun.get_weights())
    fit(dense, after, LABELS)
    logits = np.log(dense.predict(FASHION.train.x, batch_size=1000, verbose=0) + 1e-7) / TEMPERATURE
    taught = keras.ops.convert_to_numpy(keras.ops.softmax(logits))
    return begun, dense, TAUGHT * taught + (1 - TAUGHT) * LABELS


def lenet_files(seed, folder, before=8, after=16):
    """{times smaller: file of the encoded weights}, the dense ``.tflite`` file first."""
    begun, dense, targets = start(models.lenet_300_100, seed, before, after + SHARING)
    yield "dense", deploy.to_tflite(dense, folder / f"lenet_{seed}.tflite")
    for times, (sparsity, clusters) in LENET.items():
        keras.utils.set_random_seed(seed)
        model = models.lenet_300_100()
        model.set_weights(begun.get_weights())
        prune, ramp = gradually(sparsity, after)
        fit(model, after, targets, prune, first=ramp)
        training.hold_clusters(model, deploy.cluster(model, clusters, [v.path for v in model.weights]))
        fit(model, SHARING, targets, rate=1e-4)
        yield f"{times}× smaller", deploy.encode(model, folder / f"lenet_{times}_{seed}.bin")


def cnn_files(build, seed, folder):
    """{name: ``.tflite`` file}, the dense float32 one first."""
    before, after, points = CNNS[build]
    begun, dense, targets = start(build, seed, before, after)

    def written(model, name, quantize):
        calibration = FASHION.train.x[:500] if quantize else None
        return name, deploy.to_tflite(model, folder / f"{build.__name__}_{name}_{seed}.tflite", quantize, calibration)

    yield written(dense, "dense", None)
    yield written(dense, "dense, int8", "int8")
    for name, (kept, sparsity) in points.items():
        keras.utils.set_random_seed(seed)
        model = shrink.remove_units(begun, shrink.keep_highest(begun, scores.unit_norm(begun), kept))
        prune, ramp = gradually(sparsity, after)
        fit(model, after, targets, *[prune] * bool(sparsity), first=ramp * bool(sparsity), rate=CUT)
        yield written(model, name, "int8")


def accuracy(file, split):
    """In %, of what the file itself answers."""
    if file.suffix == ".bin":
        model = models.lenet_300_100()
        deploy.decode(file, model)
        outputs = model.predict(split.x, batch_size=1000, verbose=0)
    else:
        outputs = deploy.predict(file, split.x)
    return 100 * float(np.mean(outputs.argmax(axis=1) == split.y))


def speed_ups(files):
    """How many times faster each file is than the first: the medians of rounds in which all take turns."""
    rounds = [[taken.median for taken in deploy.latency(files, runs=RUNS)] for _ in range(ROUNDS)]
    return [statistics.median(times[0] / times[i] for times in rounds) for i in range(len(files))]


def spread(values):
    return f"{statistics.mean(values):.2f}" + (f" ± {statistics.stdev(values):.2f}" if len(values) > 1 else "")


def measured(files):
    """{name: {what: its values, one a seed}} of files[seed][name]."""
    found = {name: {} for name in files[0]}

    def note(name, **values):
        for what, value in values.items():
            found[name].setdefault(what, []).append(value)

    for made in files:
        dense = deploy.size(made["dense"])
        best = {name: accuracy(file, FASHION.validation) for name, file in made.items()}
        for name, file in made.items():
            size = deploy.size(file)
            note(name, smaller=dense.bytes / size.bytes, gzip=dense.gzip / size.gzip, bytes=size.bytes)
            note(name, entropy=size.entropy, validation=best[name] - best["dense"])
        runnable = [name for name, file in made.items() if file.suffix == ".tflite"]
        for name, times in zip(runnable, speed_ups([made[name] for name in runnable]), strict=True):
            note(name, faster=times)
    for made in files:
        right = {name: accuracy(file, FASHION.test) for name, file in made.items()}
        for name in made:
            note(name, test=right[name], change=right[name] - right["dense"])
    return found


COLUMNS = {
    "bytes": "bytes", "smaller": "times smaller", "gzip": "both gzipped", "entropy": "entropy bound",
    "faster": "times faster", "validation": "validation, points", "test": "test, %", "change": "test, points",
}  # fmt: skip


def table(title, found):
    columns = [what for what in COLUMNS if all(what in values for values in found.values())]
    rows = [
        [name, *(f"{statistics.mean(v[c]):,.0f}" if c in ("bytes", "entropy") else spread(v[c]) for c in columns)]
        for name, v in found.items()
    ]
    return Table([title, *(COLUMNS[c] for c in columns)], rows)


def main():
    makers = {"lenet_300_100": lenet_files} | {build.__name__: partial(cnn_files, build) for build in CNNS}
    parser = argparse.ArgumentParser(description="Bytes, milliseconds and accuracy of deployed nets.")
    parser.add_argument("results", nargs="?", type=Path, help="a JSON file for all single values")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--net", choices=makers, help="only this one")
    arguments = parser.parse_args()
    everything = {}
    for title in [arguments.net] if arguments.net else makers:
        begin = time.time()
        with tempfile.TemporaryDirectory() as folder:
            everything[title] = measured([dict(makers[title](seed, Path(folder))) for seed in arguments.seeds])
        print(table(title, everything[title]), f"\n{time.time() - begin:.0f} s\n", flush=True)
    if arguments.results:
        arguments.results.write_text(json.dumps(everything, indent=1))


if __name__ == "__main__":
    main()
