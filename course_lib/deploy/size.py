"""Where the bytes of a model go."""

import gzip
import os
from collections import Counter
from dataclasses import dataclass
from html import escape
from pathlib import Path

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from course_lib.deploy.container import is_encoded, sections
from course_lib.deploy.interpreter import load
from course_lib.variables import built

__all__ = ["Size", "size"]


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
    """

    name: str
    causes: dict[str, int]
    gzip: int

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
        numbers = {**self.causes, "together": self.bytes, "after gzip": self.gzip}
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
    """
    if isinstance(model_or_path, (str, os.PathLike)):
        return _of_file(Path(model_or_path))
    return _of_model(built(model_or_path, "model_or_path", "a Keras 3 model or a .tflite file"))


def _of_model(model):
    causes = Counter()  # adds up variables of the same path, which nested models may have
    contents = []
    for variable in model.weights:
        contents.append(variable.numpy().tobytes())
        causes[variable.path] += len(contents[-1])
    return Size(name=model.name, causes=dict(causes), gzip=_gzip(b"".join(contents)))


def _of_file(path):
    if is_encoded(path):
        return Size(name=path.name, causes=sections(path), gzip=_gzip(path.read_bytes()))
    load(path)  # refuses what is no model: the parser below trusts every offset it reads
    content = path.read_bytes()
    model = schema.ModelT.InitFromPackedBuf(content, 0)
    tensors = [tensor for graph in model.subgraphs for tensor in graph.tensors]

    weights = {tensor.buffer for tensor in tensors if _is_real(tensor)}  # tensors may share a buffer
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
    return Size(name=path.name, causes=causes, gzip=_gzip(content))


def _is_real(tensor):
    """Floating point, or integers with a scale. Plain integers are arguments of operators, such as a shape."""
    floats = (schema.TensorType.FLOAT32, schema.TensorType.FLOAT16, schema.TensorType.FLOAT64)
    return tensor.type in floats or (tensor.quantization is not None and _length(tensor.quantization.scale) > 0)


def _index_bytes(sparsity):
    """Compressed-sparse-row arrays: where each row begins (segments), and the columns (indices) of its values."""
    vectors = [v for d in sparsity.dimMetadata for v in (d.arraySegments, d.arrayIndices) if v is not None]
    return sum(np.asarray(vector.values).nbytes for vector in vectors)


def _length(vector):
    return 0 if vector is None else len(vector)


def _gzip(content):
    return len(gzip.compress(content, compresslevel=9, mtime=0))
