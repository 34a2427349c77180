"""What global masks cost: 11 million scores in ten tensors, beside one numpy.partition of the same numbers.

    python benchmarks/global_masks.py [results.json]

Both take turns in one process. Peak memory is what NumPy asks for meanwhile, beside the scores themselves.
"""

import json
import statistics
import sys
import time
import tracemalloc

import numpy as np

from course_lib import masks
from course_lib.report import Table

TENSORS, EACH, SPARSITY, ROUNDS = 10, 1_100_000, 0.9, 15


def main():
    rng = np.random.default_rng(0)
    scores = {f"tensor_{i}": rng.random(EACH, "float32") for i in range(TENSORS)}
    flat = np.concatenate(list(scores.values()))
    kth = int(SPARSITY * flat.size)
    tasks = {
        "numpy.partition": lambda: np.partition(flat, kth),
        "masks.from_scores, global": lambda: masks.from_scores(scores, SPARSITY),
    }
    seconds = {name: [] for name in tasks}
    for _ in range(ROUNDS):
        for name, task in tasks.items():
            start = time.perf_counter()
            task()
            seconds[name].append(time.perf_counter() - start)
    rows, results = [], {}
    for name, task in tasks.items():
        tracemalloc.start()
        task()
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        times = [1e3 * t for t in seconds[name]]
        ratio = statistics.median(t / base for t, base in zip(seconds[name], seconds["numpy.partition"], strict=True))
        results[name] = {"times_ms": times, "ratio": ratio, "peak_over_scores": peak / flat.nbytes}
        spread = f"{min(times):.0f}–{max(times):.0f}"
        rows.append([name, f"{statistics.median(times):.0f}", spread, f"{ratio:.2f}", f"{peak / flat.nbytes:.2f}"])
    print(Table(["11 million scores", "median ms", "spread ms", "÷ partition", "peak memory ÷ scores"], rows))
    if len(sys.argv) > 1:
        with open(sys.argv[1], "w") as file:
            json.dump(results, file, indent=1)


if __name__ == "__main__":
    main()
