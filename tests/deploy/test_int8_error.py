"""How far an int8 file is from its model: a few steps of its own output, for every kind of net, whole or cut."""

import keras
import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

from course_lib import deploy, models, scores, shrink


def logits(model):
    """The net without its softmax, whose slope turns the same error into anything from 0 to a quarter of it."""
    copy = keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    copy.layers[-1].activation = keras.activations.linear
    return keras.Model(copy.inputs, copy.outputs)


@pytest.mark.parametrize("cut", [False, True])
@pytest.mark.parametrize("architecture", [models.lenet_300_100, models.small_cnn])
def test_inputs_that_were_calibrated_are_within_a_few_steps(tmp_path, architecture, cut):
    rng = np.random.default_rng(0)
    model = architecture()
    for variable in model.weights:
        if len(variable.shape) > 1:
            variable.assign(rng.normal(size=variable.shape) * (2 / np.prod(variable.shape[:-1])) ** 0.5)
    if cut:
        model = shrink.remove_units(model, shrink.keep_highest(model, scores.unit_norm(model), 0.5))
    model, x = logits(model), rng.normal(size=(300, 28, 28, 1))
    file = deploy.to_tflite(model, tmp_path / "m.tflite", "int8", calibration=x)
    (step, _) = Interpreter(str(file)).get_output_details()[0]["quantization"]
    error = np.abs(deploy.predict(file, x) - model.predict(x, verbose=0)) / step
    assert 0.2 < error.mean() < 0.8  # rounding the output alone gives a mean of 1/4
    assert error.max() < 5
