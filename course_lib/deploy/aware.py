"""Train a model that knows it will be quantized, and keep the zeros that pruning has made.

    forward     q(w) = Δ · round(w / Δ)       Δ = max |w| / 127,   so that q(0) = 0
    backward    ∂q/∂w = 1                     within the range: the straight-through estimator

The training itself is that of the TensorFlow Model Optimization Toolkit (tfmot), with its prune-preserving scheme.

Source: Jacob et al., "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference",
CVPR 2018, section 3.
"""

import warnings
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from course_lib.checks import whole
from course_lib.deploy.arrays import named_arrays
from course_lib.deploy.convert import converted, model_inputs
from course_lib.deploy.precision import in_single_precision
from course_lib.files import whole_file
from course_lib.quiet import silence
from course_lib.shrink.graph import graph_of
from course_lib.variables import built

__all__ = ["quantize_aware"]

CALIBRATION = 100  # rows, for what the training has left without a range


def quantize_aware(model, path, data, epochs=1, batch_size=128, learning_rate=1e-4, keep_zeros=True) -> Path:
    """Fine-tune a copy of a model as int8 arithmetic will compute it, and write that as a TensorFlow Lite file.

    The file is like that of ``to_tflite(..., quantize="int8")``: integers only, inputs and outputs too. The weights
    were trained with the rounding, so that accuracy which rounding alone would cost can be won back. Every weight that
    is zero in the model is zero in the file: :func:`zeros` counts them. The model itself is not changed.

    It comes with the optional extra: ``pip install "course-lib[toolkit]"``. The toolkit works on Keras 2, so the model
    crosses over: most layers of convolutional networks and activations up to relu, sigmoid, softmax and tanh can; a
    BatchNormalization only right after a Dense layer or a convolution without activation; attention, layer
    normalisation and recurrent layers cannot. Regularizers and constraints are not part of the training, and frozen
    layers train too.

    Parameters
    ----------
    model
        A built and compiled Keras 3 model, functional or Sequential, with one output: it is trained with its loss.
    path
        The file to write; it is written whole or not at all.
    data
        (x, y), the training split: x an array (n, …), for several inputs a tuple or list of arrays in the order of
        ``model.inputs``; y what the loss wants.
    epochs, batch_size, learning_rate
        Of the fine-tuning, by Adam.
    keep_zeros
        False is plain quantization-aware training, which fills the zeros again.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    ModuleNotFoundError
        The extra is not installed.
    TypeError, ValueError
        model is no Keras 3 model, not built, not compiled, subclassed, or has several outputs; a layer cannot cross or
        be quantized, which is named; data are not finite, or do not fit the model; a number is out of range. Nothing
        has been trained then.
    FileNotFoundError, IsADirectoryError
        The folder of path does not exist, or path is a folder.

    Examples
    --------
    >>> import tempfile
    >>> from course_lib import deploy, masks, models, scores, training
    >>> model = models.lenet_300_100(width=0.1)
    >>> model.compile("adam", "sparse_categorical_crossentropy")
    >>> training.hold(model, masks.from_scores(scores.magnitude(model), 0.8, scope="tensor"))
    >>> x, y = np.random.default_rng(0).random((64, 28, 28, 1)), np.arange(64) % 10
    >>> file = quantize_aware(model, Path(tempfile.mkdtemp()) / "small.tflite", (x, y), batch_size=32)
    >>> print(deploy.zeros(model, file))                                     # doctest: +ELLIPSIS
    kernel          entries  zero in the model  of these in the file  zero in the file
    dense_1/kernel   23,520             18,816                18,816            ...
    dense_2/kernel      300                240                   240            ...
    output/kernel       100                 80                    80            ...
    """
    if find_spec("tensorflow_model_optimization") is None or find_spec("tf_keras") is None:
        raise ModuleNotFoundError('The toolkit is not installed: pip install "course-lib[toolkit]".')
    with silence(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it still asks distutils for versions
        import tf_keras

        from course_lib.deploy.fake_quantized import ZerosStay, fake_quantized

    whole(1, epochs=epochs, batch_size=batch_size)
    if not 0 < learning_rate < float("inf"):
        raise ValueError(f"learning_rate is {learning_rate!r}; it must be a positive number.")
    loss = _loss(built(model, wanted="a Keras 3 model, and the path second"))
    model = in_single_precision(model)
    inputs = model_inputs(model)
    x, y = _checked(data, inputs)
    with whole_file(path) as file, silence():
        student = fake_quantized(model, keep_zeros)
        student.compile(tf_keras.optimizers.Adam(learning_rate), loss)
        held = [ZerosStay()] if keep_zeros else []
        student.fit(x, y, batch_size=int(batch_size), epochs=int(epochs), verbose=0, callbacks=held)
        samples = [{name: array[i : i + 1] for name, array in x.items()} for i in range(min(CALIBRATION, len(y)))]
        file.write(converted(partial(tf.saved_model.save, student), model.name, "int8", samples))
    return Path(path)


def _loss(model):
    """The loss that the model is compiled with, as a function of tensors: those are the same in both Kerases."""
    outputs = graph_of(model).outputs
    if len(outputs) > 1:
        raise ValueError(f"model {model.name!r} has {len(outputs)} outputs; give one with a single output.")
    if not model.compiled or model.loss is None:
        raise ValueError(f"model {model.name!r} has no loss to train with; compile it: model.compile(optimizer, loss).")
    loss = keras.losses.get(next(iter(keras.tree.flatten(model.loss))))
    return lambda y, answer: loss(y, answer)


def _checked(data, inputs):
    """x as {name of the input: array}, and y as an array."""
    if not isinstance(data, (tuple, list)) or len(data) != 2:
        raise TypeError(f"data is a {type(data).__name__}; give (x, y), inputs and what the loss wants for them.")
    x = named_arrays("data[0]", data[0], {name: spec.shape[1:] for name, spec in inputs.items()})
    y = np.asarray(data[1])
    n = len(next(iter(x.values())))
    if y.ndim == 0 or len(y) != n:
        raise ValueError(f"data has {n} inputs, and y of shape {y.shape}; give one for each.")
    for name, array in {**x, "y": y}.items():
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise ValueError(f"data holds values that are not finite, for {name!r}; clean it first.")
    return {name: array.astype(inputs[name].dtype, copy=False) for name, array in x.items()}, y
