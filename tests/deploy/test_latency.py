import importlib

import keras
import numpy as np
import pytest
from keras import layers

from course_lib import deploy

module = importlib.import_module("course_lib.deploy.latency")  # the package's name ``latency`` is the function


class Clock:
    """Stands in for the interpreters and for the time: a run of file k takes what is written down for it."""

    def __init__(self, monkeypatch, nanoseconds):
        self.now, self.order = 0, []
        self.left = {path: iter(taken) for path, taken in nanoseconds.items()}
        monkeypatch.setattr(module, "_ready", lambda path, batch, threads, delegate: Run(self, path))
        monkeypatch.setattr(module.time, "perf_counter_ns", lambda: self.now)


class Run:
    def __init__(self, clock, path):
        self.clock, self.path = clock, path

    def invoke(self):
        self.clock.order.append(self.path)
        self.clock.now += next(self.clock.left[self.path])


def test_median_and_p90_are_of_the_runs_after_the_warm_up(monkeypatch):
    runs = [t * 1_000_000 for t in (3, 1, 2, 5, 4, 6, 8, 7, 10, 9, 11)]  # 1 … 11 ms
    Clock(monkeypatch, {"a": [10**12, 10**12, *runs]})
    taken = deploy.latency("a", runs=11, warmup=2, batch=3, threads=2)
    assert (taken.median, taken.p90) == (6.0, 10.0)
    assert (taken.runs, taken.batch, taken.threads) == (11, 3, 2)


def test_files_take_turns_and_keep_their_order(monkeypatch):
    clock = Clock(monkeypatch, {"slow": [7_000_000] * 5, "fast": [1_000_000] * 5})
    slow, fast = deploy.latency(["slow", "fast"], runs=3, warmup=2)
    assert clock.order == ["slow", "fast"] * 5
    assert (slow.median, fast.median) == (7.0, 1.0)


def test_a_model_with_far_more_work_takes_longer(tmp_path):
    def square(n):  # n² multiplications: 16 against 4 million
        return keras.Sequential([keras.Input((n,)), layers.Dense(n, kernel_initializer="ones")])

    files = [deploy.to_tflite(square(n), tmp_path / f"{n}.tflite") for n in (2000, 4)]
    large, small = deploy.latency(files, runs=15, warmup=3)
    assert large.median > 10 * small.median
    assert deploy.latency(files[0], batch=50, runs=5, warmup=1).median > large.median


def test_an_int8_file_is_fed_what_it_wants(tmp_path):
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3)])
    file = deploy.to_tflite(model, tmp_path / "m.tflite", "int8", calibration=np.random.default_rng(0).random((9, 4)))
    assert deploy.latency(file, batch=5, runs=3).median > 0


def test_says_what_it_was_measured_on(monkeypatch):
    Clock(monkeypatch, {"a": [1_234_567] * 30})
    taken = deploy.latency("a", runs=10)
    assert taken.cpu and taken.cores >= 1
    assert str(taken).startswith("median 1.235 ms, p90 1.235 ms (10 runs, batch 1, threads 1, ")


@pytest.mark.parametrize("wrong", [{"batch": 0}, {"threads": 0}, {"runs": 0}, {"warmup": -1}, {"batch": 1.5}])
def test_counts_must_be_whole_numbers(wrong):
    (name, value), *_ = wrong.items()
    with pytest.raises(ValueError, match=f"{name} is {value}; it must be a whole number"):
        deploy.latency("absent.tflite", **wrong)


def test_files_that_cannot_be_run(tmp_path):
    with pytest.raises(ValueError, match="empty list"):
        deploy.latency([])
    with pytest.raises(FileNotFoundError, match=r"absent\.tflite"):
        deploy.latency(tmp_path / "absent.tflite")
    broken = tmp_path / "broken.tflite"
    broken.write_bytes(b"not a model")
    with pytest.raises(ValueError, match=r"broken\.tflite.*damaged"):
        deploy.latency(broken)
