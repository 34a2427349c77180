"""How long a ``.tflite`` file takes on this machine."""

import os
import time
from dataclasses import dataclass

import numpy as np

from course_lib.deploy.interpreter import fixed_batch, load, ports, run_once
from course_lib.machine import processor

__all__ = ["Latency", "latency"]


@dataclass(frozen=True)
class Latency:
    """Milliseconds that one batch takes, and what they were measured on.

    Attributes
    ----------
    median, p90 : float
        Milliseconds a batch: half of the runs, and nine in ten, were at least as fast.
    runs, batch, threads : int
        How it was measured.
    cpu : str
        Name of the processor.
    cores : int
        Logical cores of the machine.
    """

    median: float
    p90: float
    runs: int
    batch: int
    threads: int
    cpu: str
    cores: int

    def __str__(self):
        return (
            f"median {self.median:.4g} ms, p90 {self.p90:.4g} ms "
            f"({self.runs} runs, batch {self.batch}, threads {self.threads}, {self.cpu}, {self.cores} cores)"
        )


def latency(path, batch=1, threads=1, runs=200, warmup=20, delegate=True):
    """Median and 90th percentile of the time that one batch takes in LiteRT's interpreter.

    Only the run itself is timed, not the copying of inputs and outputs. The input is drawn once from a seeded
    generator, uniform in [0, 1), and quantised as the file wants; where the model takes integers it is zero. Of single
    operators LiteRT knows the times in C++ (its tool ``benchmark_model``), but does not tell them to Python.

    A machine speeds up and slows down while it measures. To compare files give a list: they then take turns,
    A B C A B C …, so that all are measured under the same conditions.

    Parameters
    ----------
    path
        A ``.tflite`` file, or a list of them.
    batch
        Rows in a batch.
    threads
        Threads that the interpreter may use.
    runs, warmup
        Timed runs of each file, and runs before them that are not timed.
    delegate
        As for :func:`predict`.

    Returns
    -------
    Latency
        A list of them, in the order of the files, when ``path`` is a list.

    Raises
    ------
    TypeError
        path is neither a file nor a list of them.
    FileNotFoundError
        There is no such file.
    ValueError
        batch, threads or runs is not a whole number of at least 1, warmup of at least 0; the list is empty; a file is
        broken, refused by LiteRT, or fixed to another batch size.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from course_lib import deploy, models
    >>> file = deploy.to_tflite(models.lenet_300_100(), Path(tempfile.mkdtemp()) / "lenet.tflite")
    >>> taken = latency(file, runs=20)
    >>> 0 < taken.median <= taken.p90
    True
    """
    for name, value, least in [("batch", batch, 1), ("threads", threads, 1), ("runs", runs, 1), ("warmup", warmup, 0)]:
        if not isinstance(value, (int, np.integer)) or value < least:
            raise ValueError(f"{name} is {value!r}; it must be a whole number of at least {least}.")
    single = not isinstance(path, (list, tuple))
    paths = [path] if single else path
    if not paths:
        raise ValueError("path is an empty list; give at least one file.")

    interpreters = [_ready(p, int(batch), int(threads), delegate) for p in paths]
    nanoseconds = np.empty((warmup + runs, len(paths)))
    for run in nanoseconds:
        for i, interpreter in enumerate(interpreters):
            begin = time.perf_counter_ns()
            interpreter.invoke()
            run[i] = time.perf_counter_ns() - begin

    median, p90 = np.percentile(nanoseconds[warmup:] / 1e6, [50, 90], axis=0)
    machine = {"cpu": processor(), "cores": os.cpu_count()}
    measured = {"runs": int(runs), "batch": int(batch), "threads": int(threads), **machine}
    results = [Latency(float(m), float(p), **measured) for m, p in zip(median, p90, strict=True)]
    return results[0] if single else results


def _ready(path, batch, threads, delegate):
    """An interpreter with an input in place, run once."""
    interpreter = load(path, threads, delegate)
    inputs, _ = ports(interpreter)
    if fixed_batch(inputs) not in (None, batch):
        raise ValueError(f"batch is {batch}, but {path} runs batches of exactly {fixed_batch(inputs)}; give that.")
    rng = np.random.default_rng(0)
    run_once(interpreter, {name: rng.random((batch, *tensor["shape"][1:])) for name, tensor in inputs.items()}, path)
    return interpreter
