"""Which of a model's zeros are zeros in its file?"""

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from course_lib.deploy.interpreter import load
from course_lib.report import Table
from course_lib.variables import prunable

__all__ = ["KernelZeros", "Zeros", "zeros"]

NUMBERS = {schema.TensorType.INT8: "int8", schema.TensorType.FLOAT16: "float16", schema.TensorType.FLOAT32: "float32"}
ALIKE = 0.5  # mean cosine between the units of a kernel and those of a tensor; of another layer it is about 0


class KernelZeros(NamedTuple):
    """Of one kernel: its entries, how many are zero in the model, how many of these in the file, how many there."""

    entries: int
    pruned: int
    kept: int
    zeros: int


@dataclass(frozen=True)
class Zeros:
    """Result of :func:`zeros`: ``kernels`` is {variable path: KernelZeros}; it prints as a table."""

    kernels: dict

    @property
    def pruned(self) -> int:
        """Entries that are zero in the model."""
        return sum(kernel.pruned for kernel in self.kernels.values())

    @property
    def kept(self) -> int:
        """How many of these are zero in the file."""
        return sum(kernel.kept for kernel in self.kernels.values())

    def _table(self):
        heading = ["kernel", "entries", "zero in the model", "of these in the file", "zero in the file"]
        return Table(heading, [[path, *(f"{n:,}" for n in kernel)] for path, kernel in self.kernels.items()])

    def __str__(self):
        return str(self._table())

    def _repr_html_(self):
        return self._table()._repr_html_()


def zeros(model, path) -> Zeros:
    """Count the zeros of a model's kernels in a ``.tflite`` file made from it, place by place.

    In an int8 tensor zero is the number that stands for 0.0: its zero point. Rounding adds zeros of its own, so the
    file may have more than the model.

    A tensor of the file is taken for the kernel of the same shape to whose units its own are parallel: rounding and
    training change them little, and folding a batch normalisation scales each.

    Parameters
    ----------
    model
        A built Keras 3 model.
    path
        A file that :func:`to_tflite` or :func:`quantize_aware` made from it, not with ``sparse=True``.

    Raises
    ------
    TypeError
        model is no Keras 3 model.
    FileNotFoundError
        There is no such file.
    ValueError
        The file is damaged, or has no tensor like one of the kernels.

    Examples
    --------
    >>> import tempfile
    >>> from course_lib import deploy, masks, models, scores, training
    >>> model = models.lenet_300_100()
    >>> training.hold(model, masks.from_scores(scores.magnitude(model), 0.9, scope="tensor"))
    >>> file = deploy.to_tflite(model, Path(tempfile.mkdtemp()) / "lenet.tflite")
    >>> print(zeros(model, file))
    kernel          entries  zero in the model  of these in the file  zero in the file
    dense_1/kernel  235,200            211,680               211,680           211,680
    dense_2/kernel   30,000             27,000                27,000            27,000
    output/kernel     1,000                900                   900               900
    """
    kernels, tensors = prunable(model), _constants(path)
    return Zeros({name: _count(name, kernel.numpy(), tensors, path) for name, kernel in kernels.items()})


def _count(name, kernel, tensors, path):
    pairs = [(w, t) for w in _layouts(kernel) for t in tensors if w.shape == t.shape]
    w, t = max(pairs, key=lambda pair: _likeness(*pair), default=(kernel, None))
    if t is None or _likeness(w, t) < ALIKE:
        raise ValueError(f"{path} has no tensor like {name!r}: is it a file of this model, written with sparse=False?")
    pruned, gone = w == 0, t == 0
    return KernelZeros(w.size, int(pruned.sum()), int((pruned & gone).sum()), int(gone.sum()))


def _layouts(kernel):
    """How the file may hold it: units first, (out, …, in), or in a depthwise convolution last, (1, …, in · each)."""
    yield np.moveaxis(kernel, -1, 0)
    if kernel.ndim == 4:
        yield kernel.reshape(1, *kernel.shape[:2], -1)


def _likeness(kernel, tensor):
    """The cosine between units, |<w, t>| / (|w| |t|), on average by their norms."""
    axis = -1 if len(kernel) == 1 else 0
    a, b = (np.moveaxis(w, axis, 0).reshape(w.shape[axis], -1).astype("float64") for w in (kernel, tensor))
    norms = (np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)).sum()
    return np.abs((a * b).sum(axis=1)).sum() / norms if norms else float(a.any() == b.any())


def _constants(path):
    """The constant tensors of a file, their zero points taken off."""
    load(path)  # refuses what is no model: the parser below trusts every offset it reads
    model = schema.ModelT.InitFromPackedBuf(Path(path).read_bytes(), 0)
    tensors = [tensor for graph in model.subgraphs for tensor in graph.tensors]
    stored = [(tensor, model.buffers[tensor.buffer].data) for tensor in tensors if tensor.type in NUMBERS]
    return [
        np.frombuffer(bytes(data), NUMBERS[tensor.type]).reshape(tensor.shape) - _zero_point(tensor)
        for tensor, data in stored
        if data is not None and len(data) and tensor.sparsity is None
    ]


def _zero_point(tensor):
    points = None if tensor.quantization is None else tensor.quantization.zeroPoint
    return 0 if points is None else points[0]  # those of weights are all 0, those of activations one number
