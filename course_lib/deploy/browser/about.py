"""What the page has to know about a ``.tflite`` file: all that depends on its number format is worked out here."""

import math

import numpy as np

from course_lib.data import FASHION_MNIST_CLASSES
from course_lib.deploy.interpreter import load, ports, quantised, run_once
from course_lib.deploy.size import size

__all__ = ["about"]

PIXELS = 28 * 28
CLASSES = len(FASHION_MNIST_CLASSES)
FORMATS = ("float32", "int8", "uint8")
LEVELS = np.arange(256, dtype="float32") / 255  # a pixel is one byte, so a file is fed at most 256 different numbers


def about(path) -> dict:
    """Describe a classifier of Fashion-MNIST images, after it has classified one.

    Parameters
    ----------
    path
        A ``.tflite`` file with one input of 28 × 28 pixels and one output of ten classes, float32, int8 or uint8.

    Returns
    -------
    dict
        ``bytes`` and ``gzip``, as :func:`deploy.size` counts them; ``input``: its ``format``, its ``shape`` for one
        image, and ``levels``, the number that stands for each of the 256 values of a pixel; ``output``: its
        ``format``, and ``scale`` and ``zero_point``, with which real = scale · (stored − zero point).

    Raises
    ------
    FileNotFoundError, ValueError
        There is no such file, it is damaged or refused by LiteRT, or it is no classifier of such images.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from course_lib import deploy, models
    >>> file = deploy.to_tflite(models.small_cnn(), Path(tempfile.mkdtemp()) / "cnn.tflite")
    >>> known = about(file)
    >>> known["input"]["format"], known["input"]["shape"], known["input"]["levels"][255]
    ('float32', [1, 28, 28, 1], 1.0)
    """
    interpreter = load(path)
    inputs, outputs = ports(interpreter)
    if len(inputs) != 1 or len(outputs) != 1:
        raise ValueError(
            f"path is {str(path)!r}, which has {len(inputs)} inputs and {len(outputs)} outputs; "
            f"give a file with one of each: an image and its classes."
        )
    ((name, image),) = inputs.items()
    (answer,) = outputs
    for what, tensor, wanted in [("input", image, PIXELS), ("output", answer, CLASSES)]:
        first, *rest = (int(size) for size in tensor["shape_signature"])
        if first not in (-1, 1) or math.prod(rest) != wanted:
            raise ValueError(
                f"path is {str(path)!r}, whose {what} has the shape {(first, *rest)}; give a file that takes one image "
                f"of 28 × 28 pixels and gives ten classes, as those of the course do."
            )
        if _format(tensor) not in FORMATS:
            raise ValueError(
                f"path is {str(path)!r}, whose {what} is {_format(tensor)}; it must be one of {', '.join(FORMATS)}."
            )
    shape = [1, *(int(size) for size in image["shape_signature"][1:])]
    run_once(interpreter, {name: np.zeros(shape, "float32")}, path)
    bytes_of = size(path)
    scale, zero_point = answer["quantization"]
    return {
        "bytes": bytes_of.bytes,
        "gzip": bytes_of.gzip,
        "input": {"format": _format(image), "shape": shape, "levels": quantised(LEVELS, image).tolist()},
        "output": {"format": _format(answer), "scale": float(scale) or 1.0, "zero_point": int(zero_point)},
    }


def _format(tensor):
    return np.dtype(tensor["dtype"]).name
