import keras
import numpy as np
import pytest
from keras import layers

from course_lib import deploy


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def classifier(*inputs, classes=4):
    inputs = inputs or [keras.Input((6,))]
    joined = layers.Concatenate()(inputs) if len(inputs) > 1 else inputs[0]
    model = keras.Model(list(inputs), layers.Dense(classes, activation="softmax", name="output")(joined))
    rng = np.random.default_rng(1)
    model.set_weights([rng.normal(size=w.shape) for w in model.get_weights()])
    return model


@pytest.fixture(scope="module")
def model():
    return classifier()


@pytest.fixture(scope="module")
def file(model, tmp_path_factory):
    return deploy.to_tflite(model, tmp_path_factory.mktemp("parity") / "model.tflite")


def test_a_model_and_its_own_file(model, file, rng):
    found = deploy.parity(model, file, rng.normal(size=(300, 6)))
    assert found.largest_difference < 1e-6
    assert found.same_class == 1
    assert found.changed.size == 0 and found.answers.shape == (0, 2)


def test_a_model_altered_by_hand(model, file, rng):
    """Swapping the columns of classes 1 and 3 swaps their probabilities, and changes just the inputs of those two."""
    x = rng.normal(size=(300, 6))
    p = model.predict(x, verbose=0)
    altered = keras.models.clone_model(model)
    altered.set_weights([w[..., [0, 3, 2, 1]] for w in model.get_weights()])

    found = deploy.parity(altered, file, x)
    expected = np.flatnonzero(np.isin(p.argmax(axis=1), [1, 3]))
    assert 0 < len(expected) < 300
    np.testing.assert_array_equal(found.changed, expected)
    swapped = np.where(p.argmax(axis=1) == 1, 3, 1)  # what the altered model says where the file says 1 or 3
    np.testing.assert_array_equal(found.answers, np.stack([swapped, p.argmax(axis=1)], axis=1)[expected])
    assert found.same_class == pytest.approx(1 - len(expected) / 300)
    assert found.largest_difference == pytest.approx(np.abs(p[:, 1] - p[:, 3]).max(), abs=1e-6)
    assert f"{len(expected)} changed" in str(found)


def test_int8_outputs_are_compared_as_real_numbers(model, tmp_path, rng):
    x = rng.normal(size=(300, 6))
    file = deploy.to_tflite(model, tmp_path / "int8.tflite", "int8", calibration=x)
    found = deploy.parity(model, file, x)
    assert 1 / 512 < found.largest_difference < 0.1  # not finer than half a step of 1/256, far below 1
    assert found.same_class > 0.9


def test_several_inputs_in_the_order_of_the_model(tmp_path, rng):
    model = classifier(keras.Input((3,), name="zeta"), keras.Input((3,), name="alpha"))
    file = deploy.to_tflite(model, tmp_path / "two.tflite")
    x = [rng.normal(size=(50, 3)), rng.normal(size=(50, 3))]
    assert deploy.parity(model, file, x).largest_difference < 1e-6
    assert deploy.parity(model, file, {"alpha": x[1], "zeta": x[0]}).largest_difference < 1e-6


def test_x_is_checked(model, file):
    with pytest.raises(ValueError, match=r"x has shape \(3, 5\) .* \(n, 6\)"):
        deploy.parity(model, file, np.zeros((3, 5)))
    with pytest.raises(ValueError, match="at least one row"):
        deploy.parity(model, file, np.zeros((0, 6)))


def test_what_has_no_classes_is_refused(model, file, tmp_path):
    x = np.zeros((2, 6))
    image = keras.Input((6,))
    two = keras.Model(image, [layers.Dense(2)(image), layers.Dense(2)(image)])
    pair = deploy.to_tflite(two, tmp_path / "two.tflite")
    with pytest.raises(ValueError, match=r"model .* has 2 outputs"):
        deploy.parity(two, pair, x)
    with pytest.raises(ValueError, match=r"two\.tflite has 2 outputs"):
        deploy.parity(model, pair, x)
    one = keras.Model(image, layers.Dense(1)(image))
    with pytest.raises(ValueError, match=r"shape \(2, 1\); classes need"):
        deploy.parity(one, deploy.to_tflite(one, tmp_path / "one.tflite"), x)
    with pytest.raises(ValueError, match=r"shape \(2, 7\), that of .*model\.tflite \(2, 4\)"):
        deploy.parity(classifier(classes=7), file, x)


def test_what_is_no_model_is_named(file):
    with pytest.raises(TypeError, match=r"model is a .*Path; give a Keras 3 model"):
        deploy.parity(file, file, np.zeros((2, 6)))
