import resource
import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter
from keras import layers

from course_lib import deploy, models, scores, shrink
from course_lib.deploy import convert as converting

QUANTIZE = [None, "float16", "dynamic", "int8"]


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def randomised(model, zeros=0.0):
    """Weights large enough that the classes differ, biases that are not zero, a share of each kernel zero."""
    rng = np.random.default_rng(1)
    for variable in model.weights:
        fan_in = np.prod(variable.shape[:-1]) * (1 - zeros)
        w = rng.normal(size=variable.shape) * (2 / fan_in) ** 0.5
        w = 0.5 + np.abs(w) if variable.name == "moving_variance" else w
        variable.assign(np.where(rng.random(w.shape) < zeros, 0, w) if w.ndim > 1 else w)
    return model


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).normal(size=(300, 28, 28, 1))


@pytest.fixture(scope="module")
def small():
    return randomised(keras.Sequential([keras.Input((4,)), layers.Dense(3, activation="softmax")], name="small"))


@pytest.mark.parametrize("shrunk", [False, True])
@pytest.mark.parametrize("architecture", models.__all__)
def test_the_files_answer_as_the_model_does(images, tmp_path, architecture, shrunk):
    model = randomised(getattr(models, architecture)())
    if shrunk:
        model = shrink.remove_units(model, shrink.keep_highest(model, scores.unit_norm(model), 0.5))
    here = model.predict(images, verbose=0)
    assert np.ptp(here) > 0.25  # else any answer would be near
    for quantize, near in {None: 1e-5, "float16": 0.02, "dynamic": 0.25, "int8": 0.25}.items():
        calibration = images[:100] if quantize == "int8" else None
        file = deploy.to_tflite(model, tmp_path / f"{quantize}.tflite", quantize, calibration=calibration)
        there = deploy.predict(file, images)
        assert np.abs(here - there).max() < near
        assert np.mean(here.argmax(axis=1) == there.argmax(axis=1)) > 0.85
        interpreter = Interpreter(str(file))
        kinds = {tensor["dtype"] for tensor in interpreter.get_input_details() + interpreter.get_output_details()}
        assert kinds == {np.int8 if quantize == "int8" else np.float32}


@pytest.mark.parametrize("quantize", [None, "int8"])
def test_the_same_weights_give_the_same_bytes(images, tmp_path, quantize):
    calibration = images[:10] if quantize == "int8" else None
    first, second = randomised(models.small_cnn()), models.small_cnn()
    second.set_weights(first.get_weights())
    files = [deploy.to_tflite(m, tmp_path / f"{m is first}", quantize, calibration) for m in (first, second)]
    assert files[0].read_bytes() == files[1].read_bytes()


def test_calibration_arrays_go_to_their_inputs(tmp_path, rng):
    """The file sorts the inputs by name; were the ranges swapped, the wide input would be clipped to ±0.1."""
    wide, narrow = keras.Input((2,), name="wide"), keras.Input((2,), name="narrow")
    model = keras.Model([wide, narrow], layers.Identity()(wide) + 0 * narrow)
    x = [rng.uniform(-50, 50, (100, 2)), rng.uniform(-0.1, 0.1, (100, 2))]
    file = deploy.to_tflite(model, tmp_path / "two.tflite", "int8", calibration=x)
    np.testing.assert_allclose(deploy.predict(file, {"wide": x[0], "narrow": x[1]}), x[0], atol=1)


class Subclassed(keras.Model):
    def __init__(self):
        super().__init__()
        self.hidden, self.drop, self.top = layers.Dense(8), layers.Dropout(0.5), layers.Dense(3)

    def call(self, x, training=False):
        return self.top(self.drop(self.hidden(x), training=training))


@pytest.mark.parametrize("quantize", [None, "int8"])
def test_a_subclassed_model_is_converted_without_its_dropout(tmp_path, quantize, rng):
    x = rng.normal(size=(50, 4))
    model = Subclassed()
    model(x[:2])
    file = deploy.to_tflite(model, tmp_path / "s.tflite", quantize, calibration=x if quantize else None)
    np.testing.assert_allclose(deploy.predict(file, x), model.predict(x, verbose=0), atol=0.1 if quantize else 1e-5)


def test_tokens_stay_integers(tmp_path, rng):
    tokens = keras.Input((6,), dtype="int32", name="tokens")
    model = keras.Model(tokens, layers.Dense(3)(layers.Flatten()(layers.Embedding(50, 8)(tokens))))
    x = rng.integers(0, 50, (80, 6))
    file = deploy.to_tflite(model, tmp_path / "t.tflite", "int8", calibration=x)
    assert Interpreter(str(file)).get_input_details()[0]["dtype"] == np.int32
    np.testing.assert_allclose(deploy.predict(file, x), model.predict(x, verbose=0), atol=0.02)


def test_a_sparse_file_answers_the_same_and_is_smaller(images, tmp_path):
    model = randomised(models.lenet_300_100(), zeros=0.9)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        sparse = deploy.to_tflite(model, tmp_path / "sparse.tflite", sparse=True)
    np.testing.assert_allclose(deploy.predict(sparse, images), model.predict(images, verbose=0), atol=1e-5)
    assert sparse.stat().st_size < 4 * model.count_params() / 6


@pytest.mark.parametrize("quantize", ["dynamic", "int8"])
def test_sparse_int8_is_warned_of(images, tmp_path, quantize):
    calibration = images[:10] if quantize == "int8" else None
    model = randomised(models.lenet_300_100(), zeros=0.9)
    with pytest.warns(UserWarning) as caught:
        file = deploy.to_tflite(model, tmp_path / "s.tflite", quantize, calibration, sparse=True)
    assert [str(w.message)[:58] for w in caught] == ["sparse=True wrote a file that cannot be run as it is: path"]
    assert caught[0].filename == __file__
    for run in (lambda: deploy.predict(file, images), lambda: deploy.latency(file)):
        with pytest.raises(ValueError, match=r"refuses to run .* run it with delegate=False, or write it"):
            run()
    dense = deploy.to_tflite(model, tmp_path / "d.tflite", quantize, calibration)
    here, there = (deploy.predict(path, images, delegate=False) for path in (file, dense))
    assert np.abs(here - there).max() < 0.05 and np.ptp(here) > 0.5
    assert deploy.parity(model, file, images, delegate=False).same_class > 0.9
    assert deploy.latency(file, runs=3, delegate=False).median > 0


def test_a_sparse_file_that_is_not_smaller_is_warned_of(small, tmp_path):
    with pytest.warns(UserWarning, match=r"s\.tflite no smaller: [\d,]+ bytes, [\d,]+ with sparse=False"):
        deploy.to_tflite(small, tmp_path / "s.tflite", sparse=True)


def test_8_bit_values_and_their_indices_take_more_room_at_half_the_zeros(tmp_path):
    model = randomised(models.small_cnn(), zeros=0.5)
    with pytest.warns(UserWarning) as caught:
        deploy.to_tflite(model, tmp_path / "s.tflite", "dynamic", sparse=True)
    assert ["no smaller" in str(w.message) for w in caught] == [True, False]  # the second: it cannot be run


@pytest.mark.parametrize("quantize", QUANTIZE)
def test_conversion_prints_and_logs_nothing(small, tmp_path, capfd, caplog, monkeypatch, quantize, rng):
    logger = tf.get_logger()
    monkeypatch.setattr(logger, "propagate", True)
    monkeypatch.setattr(logger, "disabled", False)
    caplog.set_level("INFO", "tensorflow")  # as TensorFlow sets it in a notebook
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        deploy.to_tflite(
            small, tmp_path / "m.tflite", quantize, rng.normal(size=(9, 4)) if quantize == "int8" else None
        )
    assert capfd.readouterr() == ("", "")
    assert caplog.messages == []


class SingularValues(layers.Layer):
    def call(self, x):
        return tf.linalg.svd(x, compute_uv=False)

    def compute_output_shape(self, shape):
        return shape[:-1]


def test_a_failing_conversion_says_why_and_leaves_the_old_file(tmp_path):
    file = tmp_path / "m.tflite"
    file.write_bytes(b"old")
    model = keras.Sequential([keras.Input((3, 3)), SingularValues()], name="spectrum")
    with pytest.raises(ValueError, match=r"(?s)'spectrum' cannot be converted.*quantize=None.*tf\.Svd"):
        deploy.to_tflite(model, file)
    assert file.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"quantize": "int4"}, "quantize is 'int4'; it must be one of None, 'float16'"),
        ({"quantize": "int8"}, r"calibration is None, .* train\.x"),
        ({"calibration": np.ones((5, 4))}, "calibration is given, but quantize=None"),
        ({"quantize": "dynamic", "calibration": np.ones((5, 4))}, "calibration is given, but quantize='dynamic'"),
        ({"quantize": "int8", "calibration": np.ones((5, 3))}, r"calibration has shape \(5, 3\) .* \(n, 4\)"),
        ({"quantize": "int8", "calibration": np.ones((0, 4))}, "calibration has shape .* at least one row"),
        ({"quantize": "int8", "calibration": np.full((5, 4), np.inf)}, "calibration holds values .* not finite"),
        ({"quantize": "int8", "calibration": [np.ones((5, 4))] * 2}, r"calibration has shape \(2, 5, 4\)"),
    ],
)
def test_wrong_arguments_leave_the_file_alone(small, tmp_path, arguments, says):
    file = tmp_path / "m.tflite"
    file.write_bytes(b"old")
    with pytest.raises(ValueError, match=says):
        deploy.to_tflite(small, file, **arguments)
    assert file.read_bytes() == b"old"


def test_the_path_is_looked_at_before_the_conversion(small, tmp_path, monkeypatch):
    monkeypatch.setattr(tf.lite.TFLiteConverter, "from_saved_model", lambda *_: pytest.fail("converted first"))
    with pytest.raises(FileNotFoundError, match=r"no folder .*absent"):
        deploy.to_tflite(small, tmp_path / "absent" / "m.tflite")
    with pytest.raises(IsADirectoryError, match="which is a folder"):
        deploy.to_tflite(small, tmp_path)
    with pytest.raises(OSError):
        deploy.to_tflite(small, tmp_path / ("long" * 100))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("write", [deploy.to_tflite, deploy.encode])
def test_a_disk_that_fills_up_leaves_the_old_file(tmp_path, monkeypatch, write):
    monkeypatch.setattr(converting, "_convert", lambda *_: bytes(300_000))  # which would write files of its own
    file = tmp_path / "m.bin"
    file.write_bytes(b"old")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))  # of any file of this process
    try:
        with pytest.raises(OSError, match="File too large"):
            write(models.lenet_300_100(), file)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert file.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [file]


def test_models_that_cannot_be_converted(tmp_path):
    file = tmp_path / "m.tflite"
    with pytest.raises(ValueError, match=r"'bare' is not built; .*build"):
        deploy.to_tflite(keras.Sequential([layers.Dense(3)], name="bare"), file)
    with pytest.raises(TypeError, match="model is a str"):
        deploy.to_tflite("model.keras", file)

    class Sum(keras.Model):
        def call(self, pair):
            return pair[0] + pair[1]

    model = Sum(name="sum")
    model([np.zeros((1, 2)), np.zeros((1, 2))])
    with pytest.raises(ValueError, match=r"'sum' is subclassed .* wrap it in a functional model"):
        deploy.to_tflite(model, file)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16", "float16", "float64"])
def test_a_model_of_another_precision_is_converted_as_its_float32_copy(images, tmp_path, policy):
    keras.utils.set_random_seed(0)
    inner = keras.Sequential([keras.Input((28, 28, 1), dtype="float32"), keras.layers.Flatten()], name="inner")
    x = keras.Input((28, 28, 1))
    dense = keras.layers.Dense(20, "relu", dtype=policy)(inner(x))
    model = keras.Model(x, keras.layers.Dense(10, "softmax", dtype=policy)(dense))
    before = model.get_weights()
    file = deploy.to_tflite(model, tmp_path / "model.tflite")
    h = np.maximum(images.reshape(len(images), -1) @ before[0].astype("float64") + before[1], 0)
    logits = h @ before[2].astype("float64") + before[3]
    expected = np.exp(logits - logits.max(axis=1, keepdims=True))
    np.testing.assert_allclose(deploy.predict(file, images), expected / expected.sum(axis=1, keepdims=True), atol=1e-5)
    assert model.layers[-1].dtype_policy.name == policy


class Doubled(layers.Layer):  # Keras does not know of it: it is not registered
    def call(self, x):
        return 2 * x


def test_a_layer_of_your_own_is_copied_with_its_model(tmp_path, rng):
    dense = layers.Dense(3, dtype="mixed_float16")
    model = randomised(keras.Sequential([keras.Input((4,)), Doubled(dtype="mixed_float16"), dense]))
    x = rng.normal(size=(9, 4))
    kernel, bias = model.get_weights()
    file = deploy.to_tflite(model, tmp_path / "model.tflite")
    np.testing.assert_allclose(deploy.predict(file, x), 2 * x @ kernel + bias, atol=1e-5)


def test_a_subclassed_model_in_half_precision_is_refused_with_the_way_out(tmp_path):
    class Own(keras.Model):
        def __init__(self):
            super().__init__(dtype="mixed_float16")
            self.dense = keras.layers.Dense(2, dtype="mixed_float16")

        def call(self, x):
            return self.dense(x)

    model = Own()
    model(np.zeros((1, 3)))
    with pytest.raises(ValueError, match=r"computes in mixed_float16 .* build it with the dtype policy float32"):
        deploy.to_tflite(model, tmp_path / "model.tflite")
    assert not list(tmp_path.iterdir())


def test_arguments_in_the_wrong_order_and_other_kerases_are_named(small, tmp_path):
    with pytest.raises(TypeError, match="model is a str; give a Keras 3 model, and the path second"):
        deploy.to_tflite(str(tmp_path / "model.tflite"), small)
    import tf_keras

    with pytest.raises(TypeError, match=r"model is a tf_keras\..*; give a Keras 3 model"):
        deploy.to_tflite(tf_keras.Sequential([tf_keras.layers.Dense(1, input_shape=(2,))]), tmp_path / "model.tflite")
