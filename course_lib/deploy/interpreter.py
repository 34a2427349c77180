"""Run a ``.tflite`` file on arrays, whatever number format it wants.

    stored integer q, real number r:   r = scale · (q − zero point)

Source: Jacob et al., "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only
Inference", CVPR 2018, equation 1. The interpreter is LiteRT's, with its default delegate, XNNPACK, or without.
"""

import os
import re
from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType

from course_lib.deploy.arrays import named_arrays
from course_lib.quiet import silence

__all__ = ["predict"]

BATCH = 256


def predict(path, x, delegate=True):
    """The outputs of a ``.tflite`` file for the inputs ``x``, as real numbers.

    Inputs are quantised and outputs dequantised as the file asks. The file runs in batches of 256, or of the size
    that it fixes.

    Parameters
    ----------
    path
        A ``.tflite`` file.
    x
        Array (n, …) of real inputs. For a file with several inputs: a dict {name of the input: array}, the names
        being those of the Keras model, because the file does not keep their order.
    delegate
        Whether LiteRT may use its default delegate, XNNPACK: fast, but it refuses sparse 8-bit weights.

    Returns
    -------
    numpy.ndarray
        float32 (n, …), the output; a list of them, in the model's order, when the file has several outputs.

    Raises
    ------
    TypeError
        path is no file, but a model, say.
    FileNotFoundError
        There is no such file.
    ValueError
        The file is broken or LiteRT refuses it; x is empty, has another shape than the file wants, or holds values
        that are not finite where they must become integers.

    Examples
    --------
    >>> import keras, tempfile
    >>> from course_lib import deploy
    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, kernel_initializer="ones")])
    >>> file = deploy.to_tflite(model, Path(tempfile.mkdtemp()) / "sum.tflite")
    >>> predict(file, np.array([[1, 2], [3, 4]]))
    array([[3.], [7.]], dtype=float32)
    """
    interpreter = load(path, delegate=delegate)
    inputs, outputs = ports(interpreter)
    if len(inputs) > 1 and not isinstance(x, dict):
        raise ValueError(
            f"x is a {type(x).__name__}, but {path} has {len(inputs)} inputs and not their order; "
            f"give a dict {{name: array}} with the names {list(inputs)}."
        )
    arrays = named_arrays("x", x, {name: tensor["shape_signature"][1:] for name, tensor in inputs.items()})
    n = len(next(iter(arrays.values())))
    batch = fixed_batch(inputs) or BATCH
    if fixed_batch(inputs) and n % batch:
        raise ValueError(f"x has {n} rows, but {path} runs batches of exactly {batch}; give a multiple of {batch}.")

    results = [[] for _ in outputs]
    for start in range(0, n, batch):
        run_once(interpreter, {name: array[start : start + batch] for name, array in arrays.items()}, path)
        for result, tensor in zip(results, outputs, strict=True):
            result.append(dequantised(interpreter.get_tensor(tensor["index"]), tensor))
    results = [np.concatenate(result) for result in results]
    return results[0] if len(results) == 1 else results


def load(path, threads=1, delegate=True):
    """An interpreter for the file, which it has checked from end to end but not allocated."""
    if not isinstance(path, (str, os.PathLike)):
        raise TypeError(f"path is a {type(path).__name__}; give a .tflite file: deploy.to_tflite writes one.")
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"path is {str(path)!r}, but there is no such file; write it with deploy.to_tflite.")
    kernels = OpResolverType.AUTO if delegate else OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    with silence():
        try:
            return Interpreter(model_path=str(path), num_threads=threads, experimental_op_resolver_type=kernels)
        except ValueError as error:
            raise ValueError(
                f"path is {str(path)!r}, which is not a TensorFlow Lite file or is damaged ({error}); "
                f"write it again with deploy.to_tflite."
            ) from None


def ports(interpreter):
    """Inputs {name: tensor} and the list of outputs of the interpreter's file, in the Keras model's names and order."""
    signatures = list(interpreter.get_signature_list())
    if not signatures:  # files of old converters
        return {tensor["name"]: tensor for tensor in interpreter.get_input_details()}, interpreter.get_output_details()
    signature = interpreter.get_signature_runner(signatures[0])
    outputs = signature.get_output_details()
    return signature.get_input_details(), [outputs[name] for name in sorted(outputs, key=_numbers_as_numbers)]


def _numbers_as_numbers(name):  # output_2 comes before output_10
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", name)]


def fixed_batch(inputs):
    """The only batch size that the file runs, or None when any will do."""
    sizes = {int(tensor["shape_signature"][0]) for tensor in inputs.values()} - {-1}
    return max(sizes, default=None)


def run_once(interpreter, arrays, path):
    """Make room for a batch, feed it and run it; say so when LiteRT refuses, which it may do at any of the three."""
    inputs, _ = ports(interpreter)
    with silence():
        try:
            for name, tensor in inputs.items():
                interpreter.resize_tensor_input(tensor["index"], arrays[name].shape)
            interpreter.allocate_tensors()
            for name, tensor in inputs.items():
                interpreter.set_tensor(tensor["index"], quantised(arrays[name], tensor))
            interpreter.invoke()
        except RuntimeError as error:
            raise ValueError(
                f"path is {str(path)!r}, which LiteRT refuses to run ({error}); if it was written with sparse=True "
                f"and 8-bit weights, run it with delegate=False, or write it with sparse=False."
            ) from None


def quantised(x, tensor):
    """q = round(r / scale) + zero point, kept within the range of the input's type."""
    scale, zero_point = tensor["quantization"]
    if not scale:
        return x.astype(tensor["dtype"])
    if not np.isfinite(x).all():
        raise ValueError("x holds values that are not finite, and the file wants integers; clean x first.")
    limits = np.iinfo(tensor["dtype"])
    return np.clip(np.rint(x / scale) + zero_point, limits.min, limits.max).astype(tensor["dtype"])


def dequantised(q, tensor):
    scale, zero_point = tensor["quantization"]
    q = q.astype("float32")
    return (q - zero_point) * np.float32(scale) if scale else q
