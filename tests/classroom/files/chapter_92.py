"""Two exercises that ask for a file, and a value beside them."""

import io
import tempfile
from functools import cache
from pathlib import Path

import keras
import numpy as np

from course_lib import deploy, models
from course_lib.classroom import Artefact, Exercise, Goal, Misconception

CLASSES = 10
SWAPPED = np.eye(CLASSES, dtype="float32")[[1, 0, *range(2, CLASSES)]]  # two classes of ten


@cache
def written(width=16, swap=False, dtype=None):
    """A network that gives its input back, by way of a layer as wide as is asked for."""
    model = keras.Sequential([keras.Input((CLASSES,)), keras.layers.Dense(width), keras.layers.Dense(CLASSES)])
    first, second = np.zeros((CLASSES, width), "float32"), np.zeros((width, CLASSES), "float32")
    first[:, :CLASSES], second[:CLASSES] = np.eye(CLASSES), SWAPPED if swap else np.eye(CLASSES)
    model.set_weights([first, np.zeros(width), second, np.zeros(CLASSES)])
    with tempfile.TemporaryDirectory() as folder:
        return deploy.to_tflite(model, Path(folder) / "made.tflite", quantize=dtype).read_bytes()


def one_hot(rng, hidden):
    y = rng.integers(0, CLASSES, 300)
    return np.eye(CLASSES, dtype="float32")[y], y


@cache
def lenet(smallest=0.0, noise=0.0):
    """Weights of LeNet-300-100 by path, as an .npz file."""
    rng, other = np.random.default_rng(7), np.random.default_rng(8)
    arrays = {}
    for variable in models.lenet_300_100().weights:
        arrays[variable.path] = rng.normal(size=variable.shape).astype("float32") / np.sqrt(variable.shape[0])
        arrays[variable.path] += noise * other.normal(size=variable.shape).astype("float32")
        arrays[variable.path][np.abs(arrays[variable.path]) < smallest] = 0
    return packed(arrays)


def packed(arrays, **more):
    file = io.BytesIO()
    np.savez(file, **arrays, **more)
    return file.getvalue()


def lenet_answers(rng, hidden):
    """What the weights of the reference answer, computed here with NumPy alone."""
    x = rng.random((200, 28, 28, 1), "float32")
    layers = [*np.load(io.BytesIO(lenet())).values()]
    h = x.reshape(len(x), -1)
    for kernel, bias in zip(layers[::2], layers[1::2], strict=True):
        h = h @ kernel + bias
        h = np.maximum(h, 0) if kernel.shape[1] != CLASSES else h
    return x, h.argmax(axis=1)


def declare(name, **options):
    common = {"title": name, "points": 3, "minutes": 5, "difficulty": 1, "hints": ["Begin here.", "Nearly there."]}
    return Exercise(id=f"92.{name}", **common | options)


EXERCISES = [
    declare(
        "shipped",
        reference=written,
        also_right=[lambda: written(width=12), lambda: written(dtype="float16")],
        artefact=Artefact(
            file="shipped.tflite",
            inputs=one_hot,
            floor=0.5,
            beside="lenet_300_100",
            goals=[
                Goal("at most 2 MB", "bytes", "It is large.", lambda: written() + bytes(2_000_000), at_most=2_000_000),
                Goal("9 in 10 right", "accuracy", "It errs.", lambda: written(swap=True), at_least=0.9),
                Goal("half the time", "time", "It is slow.", lambda: written(width=20_000), at_most=0.5),
            ],
        ),
    ),
    declare(
        "weights",
        reference=lambda: lenet(smallest=0.001),
        also_right=[lambda: lenet(smallest=0.002)],
        artefact=Artefact(
            file="weights.npz",
            model="lenet_300_100",
            inputs=lenet_answers,
            floor=0.1,
            goals=[
                Goal("9 in 10 right", "accuracy", "It errs.", lambda: lenet(0.001, noise=0.03), at_least=0.9),
                Goal("a hundredth zero", "zeros", "It is dense.", lenet, at_least=0.01),
            ],
        ),
    ),
    declare("letter", points=1, reference="B", misconceptions=[Misconception("A", "Not A.")]),
]
