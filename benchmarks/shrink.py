"""What removing units gives, and what finding them costs.

    python benchmarks/shrink.py [results.json]

1. Latency in LiteRT of a net whose units were removed, beside a net built from scratch with those widths, at four
   widths: the two files take turns.
2. The time that ``shrink.groups`` takes for Keras's application models, beside the model's own construction.
"""

import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

from course_lib import quiet

quiet.tensorflow()

import keras  # noqa: E402

from course_lib import deploy, models, scores, shrink  # noqa: E402
from course_lib.report import Table, summary  # noqa: E402

WIDTHS, ROUNDS = (1.0, 0.75, 0.5, 0.25), 9
SIZES = {"VGG16": 32, "InceptionV3": 75, "Xception": 71}
APPLICATIONS = [
    "VGG16", "ResNet50", "ResNet50V2", "MobileNet", "MobileNetV2", "MobileNetV3Small",
    "EfficientNetB0", "EfficientNetV2B0", "DenseNet121", "InceptionV3", "Xception", "NASNetMobile", "ConvNeXtTiny",
]  # fmt: skip


def mobilenet(width):
    return keras.applications.MobileNet((96, 96, 3), alpha=width, weights=None, classes=10)


def latencies(build, runs, folder):
    """Rows of width, MACs, medians of both, and the median and the spread of their ratio."""
    rows, results = [], {}
    dense = build(width=1.0)
    for width in WIDTHS:
        small = shrink.remove_units(dense, shrink.keep_highest(dense, scores.unit_norm(dense), width))
        scratch = build(width=width)
        assert summary(small).macs == summary(scratch).macs
        files = [deploy.to_tflite(m, folder / f"{i}.tflite") for i, m in enumerate((small, scratch))]
        pairs = [[taken.median for taken in deploy.latency(files, runs=runs)] for _ in range(ROUNDS)]
        ratios = sorted(a / b for a, b in pairs)
        results[width] = {"milliseconds": pairs, "ratio": statistics.median(ratios)}
        ours, theirs = (f"{statistics.median(column):.4f}" for column in zip(*pairs, strict=True))
        spread = f"{ratios[0]:.2f}–{ratios[-1]:.2f}"
        name = f"{dense.name}, width {width:g}"
        rows.append([name, f"{summary(small).macs:,}", ours, theirs, f"{statistics.median(ratios):.2f}", spread])
    return rows, results


def group_times():
    rows, results = [], {}
    for name in APPLICATIONS:
        size, times = SIZES.get(name, 64), {"built": [], "grouped": []}
        for _ in range(3):
            start = time.perf_counter()
            model = getattr(keras.applications, name)(weights=None, input_shape=(size, size, 3), classes=10)
            middle = time.perf_counter()
            found = shrink.groups(model)
            times["built"].append(middle - start)
            times["grouped"].append(time.perf_counter() - middle)
            keras.backend.clear_session()
        results[name] = times
        seconds = [f"{statistics.median(column):.2f}" for column in times.values()]
        spread = f"{min(times['grouped']):.2f}–{max(times['grouped']):.2f}"
        rows.append([name, f"{len(found)}", f"{sum(g.units for g in found):,}", *seconds, spread])
    return rows, results


def main():
    with tempfile.TemporaryDirectory() as folder:
        rows, small = latencies(models.small_cnn, 2000, Path(folder))
        more, mobile = latencies(mobilenet, 60, Path(folder))
    print(Table(["latency", "MACs", "removed, ms", "from scratch, ms", "ratio", "spread"], rows + more))
    rows, groups = group_times()
    print(Table(["\ngroups", "groups", "units", "model built, s", "groups found, s", "spread, s"], rows))
    if len(sys.argv) > 1:
        Path(sys.argv[1]).write_text(json.dumps({"latency": [small, mobile], "groups": groups}, indent=1))


if __name__ == "__main__":
    main()
