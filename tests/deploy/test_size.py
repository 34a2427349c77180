import zlib

import keras
import numpy as np
import pytest
from keras import layers

from course_lib import deploy, models

WEIGHTS = 784 * 300 + 300 * 100 + 100 * 10
BIASES = 300 + 100 + 10


@pytest.fixture(scope="module")
def lenet():
    """LeNet-300-100 without a zero among its 266,610 parameters."""
    rng = np.random.default_rng(0)
    model = models.lenet_300_100()
    model.set_weights([rng.uniform(0.01, 0.1, w.shape) * rng.choice([-1, 1], w.shape) for w in model.get_weights()])
    return model


@pytest.fixture(scope="module")
def calibration():
    return np.random.default_rng(1).random((20, 28, 28, 1))


@pytest.mark.parametrize(
    ("quantize", "weights", "quantization"),
    [
        (None, 4 * (WEIGHTS + BIASES), 0),
        ("float16", 2 * (WEIGHTS + BIASES), 0),
        # The last layer has fewer than 1,024 weights and stays float32; the others have a scale for each output.
        ("dynamic", WEIGHTS - 1000 + 4 * 1000 + 4 * BIASES, (300 + 100) * (4 + 8)),
        # Biases are int32; weights and biases have a scale for each output, the six activations one each.
        ("int8", WEIGHTS + 4 * BIASES, (2 * BIASES + 6) * (4 + 8)),
    ],
)
def test_causes_in_closed_form(lenet, calibration, tmp_path, quantize, weights, quantization):
    file = deploy.to_tflite(
        lenet, tmp_path / "lenet.tflite", quantize, calibration=calibration if quantize == "int8" else None
    )
    size = deploy.size(file)
    assert size.causes["weights"] == weights
    assert size.causes["quantization"] == quantization
    assert size.causes["sparse indices"] == 0
    assert 1000 < size.causes["graph and metadata"] < 6000
    assert sum(size.causes.values()) == size.bytes == file.stat().st_size


def test_a_sparse_tensor_has_values_and_indices(lenet, tmp_path):
    rng = np.random.default_rng(2)
    pruned = models.lenet_300_100()
    pruned.set_weights([np.where(rng.random(w.shape) < 0.9, 0, w) if w.ndim > 1 else w for w in lenet.get_weights()])
    size = deploy.size(deploy.to_tflite(pruned, tmp_path / "sparse.tflite", sparse=True))

    kernels = [w for w in pruned.get_weights() if w.ndim > 1]
    values = sum(np.count_nonzero(w) for w in kernels)
    assert size.causes["weights"] == 4 * (values + BIASES)
    # Compressed sparse rows: for each output where its values end, a number up to their count, and for each value the
    # input it belongs to. Numbers up to 255 take one byte, larger ones two.
    indices = 0
    for w in kernels:
        inputs, outputs = w.shape
        ends = (outputs + 1) * (1 if np.count_nonzero(w) < 256 else 2)
        indices += ends + np.count_nonzero(w) * (1 if inputs < 256 else 2)
    assert size.causes["sparse indices"] == indices


def test_gzip_is_what_the_archive_of_the_file_takes(lenet, tmp_path):
    file = deploy.to_tflite(lenet, tmp_path / "lenet.tflite", "dynamic")
    archiver = zlib.compressobj(9, zlib.DEFLATED, 31)
    assert deploy.size(file).gzip == len(archiver.compress(file.read_bytes()) + archiver.flush())
    file.write_bytes(file.read_bytes())  # a new time stamp
    assert deploy.size(str(file)) == deploy.size(file)


def test_a_model_by_variable():
    model = models.small_cnn()
    size = deploy.size(model)
    assert size.causes["conv_1/kernel"] == 4 * 3 * 3 * 1 * 16
    assert size.causes["dense_1/kernel"] == 4 * 7 * 7 * 32 * 64
    assert list(size.causes) == [variable.path for variable in model.weights]
    assert size.bytes == 4 * 105_866
    for variable in model.weights:
        variable.assign(np.zeros(variable.shape))
    assert deploy.size(model).gzip < size.bytes / 500 < size.gzip


class Twins(keras.Model):
    def __init__(self):
        super().__init__(name="twins")
        self.first, self.second = layers.Dense(5, name="dense"), layers.Dense(5, name="dense")

    def call(self, x):
        return self.second(self.first(x))


def test_variables_of_the_same_path_are_added_up():
    model = Twins()
    model(np.zeros((1, 5)))
    assert deploy.size(model).causes == {"twins/dense/kernel": 2 * 4 * 25, "twins/dense/bias": 2 * 4 * 5}


def test_shown_as_a_table():
    size = deploy.Size("a<b", {"weights": 1_234_567, "graph and metadata": 89}, gzip=1000)
    assert str(size).splitlines() == [
        "a<b                      bytes",
        "weights              1,234,567",
        "graph and metadata          89",
        "together             1,234,656",
        "after gzip               1,000",
    ]
    assert "<th>a&lt;b</th>" in size._repr_html_() and "<td>1,234,567</td>" in size._repr_html_()


def test_what_cannot_be_weighed(lenet, tmp_path):
    import tf_keras

    with pytest.raises(FileNotFoundError, match=r"absent\.tflite"):
        deploy.size(tmp_path / "absent.tflite")
    with pytest.raises(TypeError, match="model_or_path is a int"):
        deploy.size(3)
    with pytest.raises(TypeError, match=r"model_or_path is a tf_keras\.\S+; give a Keras 3 model"):
        deploy.size(tf_keras.Sequential([tf_keras.layers.Dense(1, input_shape=(2,))]))
    with pytest.raises(ValueError, match="not built"):
        deploy.size(keras.Sequential([layers.Dense(3)]))
    content = deploy.to_tflite(lenet, tmp_path / "lenet.tflite", "dynamic").read_bytes()
    broken = tmp_path / "broken.tflite"
    for length in (0, 3, 8, 100, 5_000, len(content) // 2, len(content) - 1):
        broken.write_bytes(content[:length])
        with pytest.raises(ValueError, match=r"broken\.tflite.*damaged"):
            deploy.size(broken)
