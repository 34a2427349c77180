"""Where the bytes of a model go, and how few its weights could take.

    bits ≥ N · H(s) + (1 − s) N · H(values) = N · H(all values, zero among them),     H(p) = −Σ p log₂ p

The first sum is for the places of the non-zeros of a tensor of N weights with sparsity s, the second for what stands
there; that they are one is the grouping rule of entropy.

Source: Shannon, "A Mathematical Theory of Communication", Bell System Technical Journal 27 (1948), sections 6 and 9.
"""

import gzip
import math
import os
from collections import Counter
from dataclasses import dataclass
from html import escape
from pathlib import Path

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from course_lib.deploy.container import arrays, is_encoded, sections
from course_lib.deploy.interpreter import load
from course_lib.variables import built

__all__ = ["Size", "size"]

BYTES = {  # of a number, where it is more than one
    schema.TensorType.FLOAT16: 2, schema.TensorType.FLOAT32: 4, schema.TensorType.FLOAT64: 8,
    schema.TensorType.INT16: 2, schema.TensorType.INT32: 4, schema.TensorType.INT64: 8,
}  # fmt: skip


@dataclass(frozen=True)
class Size:
    """Bytes by cause.

    Attributes
    ----------
    name : str
        Of the file or the model.
    causes : dict
        {cause: bytes}, in the order of the file or of ``model.weights``.
    gzip : int
        Bytes of the same after gzip, level 9.
    entropy : int
        Bytes that the weights alone need, at least, in any code that takes them one by one, each tensor by itself.
    """

    name: str
    causes: dict[str, int]
    gzip: int
    entropy: int

    @property
    def bytes(self) -> int:
        """All causes together: for a file its length."""
        return sum(self.causes.values())

    def __str__(self):
        rows = self._rows()
        width = max(len(cause) for cause, _ in rows)
        return "\n".join(f"{cause:{width}} {number:>11}" for cause, number in rows)

    def _repr_html_(self):
        (name, unit), *rows = self._rows()
        body = "".join(
            f'<tr><th style="text-align:left">{escape(cause)}</th><td>{number}</td></tr>' for cause, number in rows
        )
        return f"<table><thead><tr><th>{escape(name)}</th><th>{unit}</th></tr></thead><tbody>{body}</tbody></table>"

    def _rows(self):
        numbers = {**self.causes, "together": self.bytes, "after gzip": self.gzip, "entropy bound": self.entropy}
        return [(self.name, "bytes"), *((cause, f"{number:,}") for cause, number in numbers.items())]


def size(model_or_path) -> Size:
    """Bytes of a ``.tflite`` file or of encoded weights by cause, or of a Keras model's weights by variable.

    A file has four causes, which add up to its length exactly:

    ==========================  =========================================================================
    "weights"                   constant tensors of real numbers; of a sparse tensor its non-zero values
    "sparse indices"            the places of those values
    "quantization"              scales (4 bytes) and zero points (8 bytes), for weights and activations
    "graph and metadata"        the rest: operators, tensor names, shapes, padding
    ==========================  =========================================================================

    A file that ``deploy.encode`` wrote has "zeros" (where they are), "codebooks", "values" and "names, shapes and
    checksum". A Keras model has one cause for each variable, by path, trainable or not. What is compressed is then the
    variables' raw bytes, one after the other in the order of ``model.weights``; a saved ``.keras`` file holds more.
    gzip runs at level 9 with the time stamp zero, so the same bytes always give the same number.

    The entropy bound is for the weights, biases too, as the file holds them, at their number of zeros and their
    repetitions. What it does not count, a decoder must be told: which values there are, and how often. It is close to
    what can be reached where few values are shared by many weights (``deploy.encode`` comes within some percent), and
    far below where nearly every weight is different, as in float32 before ``deploy.cluster``.

    Parameters
    ----------
    model_or_path
        A built Keras model, a ``.tflite`` file, or one that ``deploy.encode`` wrote.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    TypeError
        model_or_path is neither.
    ValueError
        The file is not TensorFlow Lite, or is damaged; the model is not built.

    Examples
    --------
    >>> import keras
    >>> model = keras.Sequential([keras.Input((100,)), keras.layers.Dense(9, name="answer")], name="guess")
    >>> guess = size(model)
    >>> guess.causes
    {'guess/answer/kernel': 3600, 'guess/answer/bias': 36}
    >>> print(guess)                                # doctest: +ELLIPSIS
    guess                     bytes
    guess/answer/kernel       3,600
    guess/answer/bias            36
    together                  3,636
    after gzip                  ...
    entropy bound               ...
    """
    if isinstance(model_or_path, (str, os.PathLike)):
        return _of_file(Path(model_or_path))
    return _of_model(built(model_or_path, "model_or_path", "a Keras 3 model or a .tflite file"))


def _of_model(model):
    causes = Counter()  # adds up variables of the same path, which nested models may have
    weights = [variable.numpy() for variable in model.weights]
    for variable, array in zip(model.weights, weights, strict=True):
        causes[variable.path] += array.nbytes
    content = b"".join(array.tobytes() for array in weights)
    return Size(name=model.name, causes=dict(causes), gzip=_gzip(content), entropy=_entropy(weights))


def _of_file(path):
    if is_encoded(path):
        causes, zipped = sections(path), _gzip(path.read_bytes())
        return Size(name=path.name, causes=causes, gzip=zipped, entropy=_entropy(arrays(path)))
    load(path)  # refuses what is no model: the parser below trusts every offset it reads
    content = path.read_bytes()
    model = schema.ModelT.InitFromPackedBuf(content, 0)
    tensors = [tensor for graph in model.subgraphs for tensor in graph.tensors]

    weights = {tensor.buffer: tensor for tensor in tensors if _is_real(tensor)}  # tensors may share a buffer
    causes = {
        "weights": sum(_length(model.buffers[i].data) for i in weights),
        "sparse indices": sum(_index_bytes(tensor.sparsity) for tensor in tensors if tensor.sparsity),
        "quantization": sum(
            4 * _length(tensor.quantization.scale) + 8 * _length(tensor.quantization.zeroPoint)
            for tensor in tensors
            if tensor.quantization
        ),
    }
    causes["graph and metadata"] = len(content) - sum(causes.values())
    stored = [_values(tensor, model.buffers[i].data) for i, tensor in weights.items()]
    return Size(name=path.name, causes=causes, gzip=_gzip(content), entropy=_entropy(stored))


def _is_real(tensor):
    """Floating point, or integers with a scale. Plain integers are arguments of operators, such as a shape."""
    floats = (schema.TensorType.FLOAT32, schema.TensorType.FLOAT16, schema.TensorType.FLOAT64)
    return tensor.type in floats or (tensor.quantization is not None and _length(tensor.quantization.scale) > 0)


def _index_bytes(sparsity):
    """Compressed-sparse-row arrays: where each row begins (segments), and the columns (indices) of its values."""
    vectors = [v for d in sparsity.dimMetadata for v in (d.arraySegments, d.arrayIndices) if v is not None]
    return sum(np.asarray(vector.values).nbytes for vector in vectors)


def _values(tensor, data):
    """All entries of a constant tensor: of a sparse one the zeros too. Narrower numbers than a byte stay packed."""
    if data is None:
        return np.empty(0, "u1")
    values = np.asarray(data).view(f"u{BYTES.get(tensor.type, 1)}")
    zeros = math.prod(tensor.shape) - len(values) if tensor.sparsity else 0
    return np.concatenate([values, np.zeros(zeros, values.dtype)])


def _entropy(weights):
    """Bytes, for each array by itself: N · H = N log₂ N − Σ n log₂ n over its values, each of which occurs n times."""
    bits = 0.0
    for array in weights:
        _, n = np.unique(array.reshape(-1).view(f"u{array.dtype.itemsize}"), return_counts=True)  # −0.0 is not 0.0
        bits += (n * (np.log2(array.size) - np.log2(n))).sum() if array.size else 0.0
    return math.ceil(bits / 8)


def _length(vector):
    return 0 if vector is None else len(vector)


def _gzip(content):
    return len(gzip.compress(content, compresslevel=9, mtime=0))
