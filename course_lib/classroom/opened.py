"""Opens and runs a file that was handed in, where a submission runs: it may be damaged on purpose.

The checker calls these functions by name, one at a time, in a process in which nothing else runs.
"""

import io
import tempfile
from pathlib import Path

import numpy as np

from course_lib import models
from course_lib.deploy import latency, predict, to_tflite

__all__ = ["arrays", "classes", "file_of", "open_file", "time_beside"]

opened: dict = {}


def open_file(content: np.ndarray, suffix: str, model: str) -> None:
    """Take in the bytes (uint8) of a ``.tflite`` file, or those of an ``.npz`` with the weights of a model."""
    opened.clear()
    if suffix == ".tflite":
        opened["path"] = _written(content, "theirs.tflite")
        return
    with np.load(io.BytesIO(content.tobytes()), allow_pickle=False) as file:
        opened["arrays"] = {name: file[name] for name in file.files}
    opened["network"] = network = getattr(models, model)()
    for variable in network.weights:
        if variable.path not in opened["arrays"]:
            raise ValueError(f"the file has no array {variable.path!r}.")
        variable.assign(opened["arrays"][variable.path])


def arrays() -> dict[str, np.ndarray]:
    """What the ``.npz`` file holds."""
    return opened["arrays"]


def classes(x: np.ndarray) -> np.ndarray:
    """The class of each input: int64 (n,)."""
    outputs = opened["network"].predict(x, verbose=0) if "network" in opened else predict(opened["path"], x)
    return np.argmax(outputs, axis=-1)


def file_of(model: str) -> np.ndarray:
    """The bytes (uint8) of the float32 ``.tflite`` file of a model, with whatever weights it begins with."""
    path = to_tflite(getattr(models, model)(), Path(tempfile.mkdtemp()) / "beside.tflite")
    return np.frombuffer(path.read_bytes(), "uint8")


def time_beside(content: np.ndarray) -> float:
    """Median time of one input, divided by that of another ``.tflite`` file; they take turns."""
    theirs, other = latency([opened["path"], _written(content, "beside.tflite")], runs=300)
    return theirs.median / other.median


def _written(content: np.ndarray, name: str) -> Path:
    path = Path(tempfile.mkdtemp()) / name
    path.write_bytes(content.tobytes())
    return path
