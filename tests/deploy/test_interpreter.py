import keras
import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.tools import flatbuffer_utils
from keras import layers

from course_lib import deploy


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture(scope="module")
def dense():
    """4 -> 6 -> 3, random weights and biases, softmax."""
    model = keras.Sequential([keras.Input((4,)), layers.Dense(6, activation="relu"), layers.Dense(3, "softmax")])
    rng = np.random.default_rng(1)
    model.set_weights([rng.normal(size=w.shape) for w in model.get_weights()])
    return model


@pytest.fixture(scope="module")
def file(dense, tmp_path_factory):
    return deploy.to_tflite(dense, tmp_path_factory.mktemp("run") / "dense.tflite")


def forward(model, x):
    w1, b1, w2, b2 = (w.astype("float64") for w in model.get_weights())
    logits = np.maximum(x @ w1 + b1, 0) @ w2 + b2
    e = np.exp(logits - logits.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("n", [1, 255, 256, 257, 700])  # around the batch of 256
def test_predict_is_the_forward_pass(dense, file, n, rng):
    x = rng.normal(size=(n, 4))
    outputs = deploy.predict(file, x)
    assert outputs.dtype == np.float32
    np.testing.assert_allclose(outputs, forward(dense, x), atol=1e-6)


def test_int8_answers_lie_on_the_grid_of_the_output(dense, tmp_path, rng):
    x = rng.normal(size=(300, 4))
    file = deploy.to_tflite(dense, tmp_path / "int8.tflite", "int8", calibration=x)
    outputs = deploy.predict(file, x)
    np.testing.assert_allclose(outputs, forward(dense, x), atol=0.05)
    steps = outputs * 256  # LiteRT fixes the grid of a softmax: scale 1/256, zero point -128
    np.testing.assert_array_equal(steps, np.rint(steps))


def test_inputs_beyond_the_calibrated_range_are_clipped_not_wrapped(tmp_path):
    model = keras.Sequential([keras.Input((1,)), layers.Dense(1, kernel_initializer="ones")])
    file = deploy.to_tflite(model, tmp_path / "same.tflite", "int8", calibration=np.linspace(-1, 1, 50)[:, None])
    np.testing.assert_allclose(deploy.predict(file, [[-9.0], [0.5], [9.0]]).ravel(), [-1, 0.5, 1], atol=0.02)


def test_inputs_go_by_name_and_outputs_come_in_order(tmp_path):
    inputs = [keras.Input((2,), name=name) for name in ("zeta", "alpha")]
    model = keras.Model(inputs, [layers.Rescaling(k)(inputs[0]) for k in range(11)] + [inputs[1] * 1.0])
    file = deploy.to_tflite(model, tmp_path / "many.tflite")
    ones, fives = np.ones((3, 2)), np.full((3, 2), 5.0)
    outputs = deploy.predict(file, {"alpha": fives, "zeta": ones})
    assert [float(output[0, 0]) for output in outputs] == [*range(11), 5]  # output_2 before output_10
    with pytest.raises(ValueError, match=r"2 inputs and not their order; give a dict .*'alpha'.*'zeta'"):
        deploy.predict(file, [ones, fives])


def test_a_file_with_a_fixed_batch_runs_in_that_batch(tmp_path, rng):
    double = tf.function(lambda x: tf.reshape(2 * x, (4, 3)), input_signature=[tf.TensorSpec((4, 3))])
    converter = tf.lite.TFLiteConverter.from_concrete_functions([double.get_concrete_function()], double)
    file = tmp_path / "four.tflite"
    file.write_bytes(converter.convert())
    x = rng.normal(size=(8, 3)).astype("float32")
    np.testing.assert_array_equal(deploy.predict(file, x), 2 * x)
    with pytest.raises(ValueError, match=r"x has 7 rows, .* exactly 4"):
        deploy.predict(file, x[:7])
    with pytest.raises(ValueError, match=r"batch is 1, .* exactly 4"):
        deploy.latency(file)
    assert deploy.latency(file, batch=4, runs=2).batch == 4


def test_a_file_without_signatures_runs(dense, file, tmp_path, rng):
    model = schema.ModelT.InitFromPackedBuf(file.read_bytes(), 0)
    model.signatureDefs = None
    old = tmp_path / "old.tflite"
    old.write_bytes(flatbuffer_utils.convert_object_to_bytearray(model))
    x = rng.normal(size=(5, 4))
    np.testing.assert_array_equal(deploy.predict(old, x), deploy.predict(file, x))


def test_the_interpreter_is_silent(file, capfd):
    deploy.predict(file, np.zeros((1, 4)))
    deploy.latency(file, runs=1)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("x", "says"),
    [
        (np.zeros((2, 5)), r"x has shape \(2, 5\) .* \(n, 4\)"),
        (np.zeros((0, 4)), "at least one row"),
        (np.zeros(4), r"shape \(4,\)"),
    ],
)
def test_x_must_fit_the_file(file, x, says):
    with pytest.raises(ValueError, match=says):
        deploy.predict(file, x)


def test_what_is_not_finite_cannot_become_an_integer(dense, tmp_path, rng):
    file = deploy.to_tflite(dense, tmp_path / "int8.tflite", "int8", calibration=rng.normal(size=(20, 4)))
    with pytest.raises(ValueError, match="not finite"):
        deploy.predict(file, np.full((1, 4), np.nan))


def test_missing_and_damaged_files(file, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"absent\.tflite.*to_tflite"):
        deploy.predict(tmp_path / "absent.tflite", np.zeros((1, 4)))
    broken = tmp_path / "broken.tflite"
    for content in (b"", b"not a model", file.read_bytes()[:-100]):
        broken.write_bytes(content)
        with pytest.raises(ValueError, match=r"broken\.tflite.*damaged"):
            deploy.predict(broken, np.zeros((1, 4)))


def test_a_model_in_place_of_a_file_is_refused(dense, file):
    for run in (
        lambda path: deploy.predict(path, np.zeros((1, 4))),
        deploy.latency,
        lambda p: deploy.latency([file, p]),
    ):
        with pytest.raises(TypeError, match=r"path is a Sequential; give a \.tflite file: deploy\.to_tflite"):
            run(dense)
