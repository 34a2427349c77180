"""Keras's own application models: masked and shrunk they answer alike."""

import keras
import numpy as np
import pytest
from followed import Followed
from keras import applications
from oracles import answers, examples, normalised, randomised

from course_lib import deploy, shrink

SIZES = {
    "VGG16": 32,
    "ResNet50": 32,
    "ResNet50V2": 32,
    "MobileNet": 32,
    "MobileNetV2": 32,
    "MobileNetV3Small": 32,
    "EfficientNetB0": 32,
    "EfficientNetV2B0": 32,
    "DenseNet121": 32,
    "InceptionV3": 75,
    "Xception": 71,
    "NASNetMobile": 32,
    "ConvNeXtTiny": 32,
}


def application(name):
    keras.backend.clear_session()
    options = {"weights": None, "input_shape": (SIZES[name], SIZES[name], 3), "classes": 7}
    return getattr(applications, name)(**options, classifier_activation=None)


def random_keep(groups, ratio, rng):
    keep = {}
    for group in groups:
        keep |= group.keep(rng.choice(group.units, max(1, round(group.units * ratio)), replace=False).tolist())
    return keep


def relative(a, b):
    assert np.ptp(a, axis=0).max() > 0.01 * np.abs(a).max(), "the examples are answered all alike: nothing is shown"
    return np.abs(a - b).max() / np.abs(a).max()


@pytest.mark.parametrize("name", SIZES)
def test_masked_and_shrunk_answer_alike(name):
    model, rng = application(name), np.random.default_rng(0)
    followed, groups, x = Followed(model), shrink.groups(model), examples(model, 8)
    assert {frozenset(group.makes) for group in groups} == followed.groups()
    for ratio in (0.75, 0.5, 0.25):
        keep = random_keep(groups, ratio, rng)
        randomised(model, ratio)
        with followed.without(keep):
            normalised(model, x)
            (expected,) = answers(model, x)
        small = shrink.remove_units(model, keep)
        (found,), (dense,) = answers(small, x), answers(model, x)
        assert relative(expected, found) < 1e-4 < relative(expected, dense)
        assert small.count_params() < model.count_params()


@pytest.mark.parametrize("name", ["MobileNetV3Small", "Xception", "ConvNeXtTiny"])
def test_a_shrunk_application_is_saved_loaded_and_converted(name, tmp_path):
    model, rng = application(name), np.random.default_rng(0)
    followed, x = Followed(model), examples(model, 8)
    keep = random_keep(shrink.groups(model), 0.25, rng)
    randomised(model, 0.25)
    with followed.without(keep):
        normalised(model, x)
        (expected,) = answers(model, x)
        small = shrink.shrink(model)  # finds the zeros by itself
    assert small.count_params() == shrink.remove_units(model, keep).count_params()
    small.save(tmp_path / "small.keras")
    loaded = keras.models.load_model(tmp_path / "small.keras")
    assert relative(expected, answers(loaded, x)[0]) < 1e-4
    file = deploy.to_tflite(small, tmp_path / "small.tflite")
    assert relative(expected, deploy.predict(file, x)) < 1e-4
