"""From a Keras model to a ``.tflite`` file: float32, float16, dynamic range or full integer, dense or sparse.

Sources: the LiteRT guide, "Post-training quantization"; Jacob et al., "Quantization and Training of Neural Networks
for Efficient Integer-Arithmetic-Only Inference", CVPR 2018.
"""

import tempfile
import warnings
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from course_lib.deploy.arrays import named_arrays
from course_lib.deploy.interpreter import predict
from course_lib.deploy.precision import in_single_precision
from course_lib.deploy.reshapes import with_constant_shapes
from course_lib.files import whole_file
from course_lib.quiet import silence
from course_lib.variables import built

__all__ = ["to_tflite"]

QUANTIZE = (None, "float16", "dynamic", "int8")


def to_tflite(model, path, quantize=None, calibration=None, sparse=False) -> Path:
    """Write a Keras model as a TensorFlow Lite file.

    ============  ==========================================================  ====================
    ``quantize``  what the file holds                                         inputs and outputs
    ============  ==========================================================  ====================
    None          float32 weights                                             float32
    "float16"     float16 weights, turned back into float32 when it is run    float32
    "dynamic"     int8 weights (tensors under 1,024 entries stay float32),    float32
                  activations quantised while it runs
    "int8"        int8 weights and activations, integers only                 int8
    ============  ==========================================================  ====================

    The inputs and outputs of "int8" are int8 too, because a microcontroller without floating point must be able to
    run the file as it is; :func:`predict`, :func:`parity` and :func:`latency` translate. Integer inputs of the model
    (tokens, say) stay as they are. An operator that cannot be done in integers is an error, never left in float32.

    The same layer names, weights and calibration give the same bytes, in any process with the same TensorFlow. The
    converter drops biases that are all zero, as they are in a model that was not trained. Flatten and Reshape become
    one operator, not four: see ``course_lib/deploy/reshapes.py``.

    Parameters
    ----------
    model
        A built Keras 3 model. A subclassed one may have a single input. One that computes in half (also mixed) or
        double precision is converted as its float32 copy.
    path
        The file to write; it is written whole or not at all.
    quantize
        A row of the table.
    calibration
        For "int8" only: representative inputs (n, …), a few hundred images of the training split, from which the
        ranges of the activations are taken. For several inputs a tuple or list of arrays in the order of
        ``model.inputs``.
    sparse
        Store tensors with many zeros as their non-zero values and an index of i bytes to each: 2, or 1 in rows of at
        most 256. Values of b bytes take less room when the sparsity is above i / (b + i), that is, with i = 2: 1/3 for
        float32, 1/2 for float16, 2/3 for int8; the converter encodes them from less than that. LiteRT's default
        delegate refuses sparse int8 weights: such a file runs with ``delegate=False``, see :func:`predict`. A warning
        says when the file is not smaller than with ``sparse=False``, and when it cannot be run as it is.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    TypeError
        model is not a Keras model.
    ValueError
        quantize is not in the table; calibration is missing, unused, empty, not finite or of another shape than the
        model's inputs; the model is not built; the converter cannot translate it (its message is in the error).
    FileNotFoundError, IsADirectoryError
        The folder of path does not exist, or path is a folder.

    Examples
    --------
    >>> import tempfile
    >>> from course_lib import deploy, models
    >>> folder = Path(tempfile.mkdtemp())
    >>> file = to_tflite(models.lenet_300_100(), folder / "lenet.tflite", quantize="dynamic")
    >>> deploy.size(file).causes["weights"]  # one byte a weight, but for the output layer: four
    269200
    """
    if quantize not in QUANTIZE:
        raise ValueError(f"quantize is {quantize!r}; it must be one of {', '.join(map(repr, QUANTIZE))}.")
    model = in_single_precision(built(model, wanted="a Keras 3 model, and the path second"))
    inputs = model_inputs(model)
    samples = _calibration_samples(calibration, quantize, inputs)

    path = Path(path)
    with whole_file(path) as file:
        content = _convert(model, quantize, samples, sparse)
        file.write(content)
    if sparse:
        _warn_of_no_use(path, inputs, len(content), dense=len(_convert(model, quantize, samples, sparse=False)))
    return path


def model_inputs(model) -> dict:
    """{name of the input in the file: its keras.InputSpec} for a built model, in the order of ``model.inputs``."""
    if getattr(model, "inputs", None):
        return {tensor.name: keras.InputSpec(tensor.dtype, tensor.shape) for tensor in model.inputs}
    shape = (model.get_build_config() or {}).get("input_shape")  # a subclassed model keeps that of its first call
    if not shape or not all(size is None or isinstance(size, int) for size in shape):
        raise ValueError(
            f"model {model.name!r} is subclassed and its inputs are {shape}, not one array of known shape; "
            f"wrap it in a functional model: keras.Model(inputs, model(inputs))."
        )
    return {"args_0": keras.InputSpec(model.input_dtype, shape)}


def _calibration_samples(calibration, quantize, inputs):
    """The calibration set as a list of {name of the input: array (1, …)}, or None."""
    if quantize != "int8":
        if calibration is not None:
            raise ValueError(f'calibration is given, but quantize={quantize!r} does not use it; only "int8" does.')
        return None
    if calibration is None:
        raise ValueError(
            'calibration is None, but quantize="int8" takes the range of every activation from it; '
            "give some hundred training inputs, such as train.x[:500]."
        )
    arrays = named_arrays("calibration", calibration, {name: spec.shape[1:] for name, spec in inputs.items()})
    for name, array in arrays.items():
        if not np.isfinite(array).all():
            raise ValueError(f"calibration holds values that are not finite, for the input {name!r}; clean it first.")
    rows = len(next(iter(arrays.values())))
    return [{name: arrays[name][i : i + 1].astype(inputs[name].dtype) for name in inputs} for i in range(rows)]


def _convert(model, quantize, samples, sparse) -> bytes:
    def export(folder):
        model.export(folder, format="tf_saved_model", verbose=False)

    return converted(export, model.name, quantize, samples, sparse)


def converted(export, name, quantize, samples, sparse=False) -> bytes:
    """What the converter makes of the SavedModel that ``export(folder)`` writes."""
    with silence(), warnings.catch_warnings(), tempfile.TemporaryDirectory() as folder:
        warnings.simplefilter("ignore")
        try:
            export(folder)
            converter = tf.lite.TFLiteConverter.from_saved_model(folder)
            converter.optimizations = [tf.lite.Optimize.DEFAULT] if quantize else []
            if sparse:
                converter.optimizations.append(tf.lite.Optimize.EXPERIMENTAL_SPARSITY)
            if quantize == "float16":
                converter.target_spec.supported_types = [tf.float16]
            if quantize == "int8":
                converter.representative_dataset = lambda: samples
                converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
                converter.inference_input_type = converter.inference_output_type = tf.int8
            content = converter.convert()
        except Exception as error:  # whatever Keras, TensorFlow or the converter raise
            raise ValueError(
                f"model {name!r} cannot be converted to TensorFlow Lite with quantize={quantize!r}; "
                f"the converter says: {error}"
            ) from error
    return with_constant_shapes(content)


def _warn_of_no_use(path, inputs, size, dense):
    if size >= dense:
        warnings.warn(
            f"sparse=True made {path.name} no smaller: {size:,} bytes, {dense:,} with sparse=False.", stacklevel=3
        )
    row = {name: np.zeros([1, *(n or 1 for n in spec.shape[1:])], spec.dtype) for name, spec in inputs.items()}
    try:
        predict(path, row)
    except ValueError as error:
        warnings.warn(f"sparse=True wrote a file that cannot be run as it is: {error}", stacklevel=3)
