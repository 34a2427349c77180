import math
import zlib
from collections import Counter
from itertools import product

import keras
import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter
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
    size = deploy.Size("a<b", {"weights": 1_234_567, "graph and metadata": 89}, gzip=1000, entropy=900)
    assert str(size).splitlines() == [
        "a<b                      bytes",
        "weights              1,234,567",
        "graph and metadata          89",
        "together             1,234,656",
        "after gzip               1,000",
        "entropy bound              900",
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


def entropy_bits(p):
    return -sum(q * math.log2(q) for q in p if q)


@pytest.fixture
def tiny():
    """Sixteen weights: twelve zeros, two of one value, two of two others; no bias that counts: two zeros."""
    model = keras.Sequential([keras.Input((8,)), layers.Dense(2)])
    kernel = np.zeros(16)
    kernel[[1, 5, 6, 12]] = 0.5, 0.5, -1, 3
    model.layers[0].kernel.assign(kernel.reshape(8, 2))
    return model


def test_the_entropy_bound_in_closed_form(tiny):
    """Places: 16 · H(1/4). Values: 4 · H(1/2, 1/4, 1/4) = 6 bits. Two equal biases need none."""
    places = 16 * (0.25 * 2 + 0.75 * math.log2(4 / 3))
    assert deploy.size(tiny).entropy == math.ceil((places + 6) / 8) == 3
    tiny.layers[0].bias.assign([1, -1])  # one bit each
    assert deploy.size(tiny).entropy == math.ceil((places + 6 + 2) / 8) == 3
    tiny.layers[0].kernel.assign(np.arange(16).reshape(8, 2))  # all different: four bits each
    assert deploy.size(tiny).entropy == math.ceil((16 * 4 + 2) / 8) == 9


@pytest.mark.parametrize("sparsity", [0, 0.5, 0.97, 1])
def test_the_entropy_bound_is_places_and_values_of_each_tensor(sparsity):
    rng = np.random.default_rng(3)
    model = models.small_cnn()
    bits = 0
    for variable in model.weights:
        w = rng.choice([-0.3, -0.1, 0.2, 0.7], variable.shape, p=[0.1, 0.2, 0.3, 0.4]).astype("float32")
        w[rng.random(w.shape) < sparsity] = 0
        variable.assign(w)
        kept = w[w != 0]
        bits += w.size * entropy_bits([len(kept) / w.size, 1 - len(kept) / w.size])
        bits += len(kept) * entropy_bits(n / len(kept) for n in Counter(kept.tolist()).values())
    assert deploy.size(model).entropy == pytest.approx(bits / 8, abs=1)


def test_no_code_is_shorter_than_the_bound(tiny):
    """Every prefix code of the four values that occur, by brute force over the lengths in Kraft's inequality."""
    counts = Counter(tiny.layers[0].kernel.numpy().reshape(-1).tolist()).values()
    codes = [lengths for lengths in product(range(1, 8), repeat=4) if sum(2.0**-n for n in lengths) <= 1]
    shortest = min(sum(n * length for n, length in zip(counts, lengths, strict=True)) for lengths in codes)
    assert shortest / 8 - 1 < deploy.size(tiny).entropy <= math.ceil(shortest / 8)


def test_the_bound_is_the_same_however_the_weights_are_written(lenet, tmp_path):
    model = models.lenet_300_100()
    rng = np.random.default_rng(4)
    for variable in model.weights:
        w = rng.choice([-0.3, 0.1, 0.25, 0.7], variable.shape)
        variable.assign(np.where(rng.random(w.shape) < 0.9, 0, w) if w.ndim > 1 else w)
    files = [deploy.to_tflite(model, tmp_path / str(sparse), sparse=sparse) for sparse in (False, True)]
    files += [deploy.encode(model, tmp_path / "encoded"), deploy.to_tflite(model, tmp_path / "16", "float16")]
    assert {deploy.size(file).entropy for file in files} == {deploy.size(model).entropy}


def test_integers_have_the_entropy_of_the_integers(lenet, calibration, tmp_path):
    """8 bits are 255 values: their bound is below a byte a weight and below that of the float32 weights."""
    file = deploy.to_tflite(lenet, tmp_path / "lenet.tflite", "int8", calibration=calibration)
    interpreter = Interpreter(str(file))
    interpreter.allocate_tensors()
    kernels = [w for w in map(constant(interpreter), interpreter.get_tensor_details()) if w is not None]
    bits = sum(w.size * entropy_bits(np.unique(w, return_counts=True)[1] / w.size) for w in kernels)
    assert len(kernels) == 6 and deploy.size(file).entropy == pytest.approx(bits / 8, abs=1)


def constant(interpreter):
    """A tensor's values if they come from the file: kernels and biases have the shapes of LeNet's."""
    shapes = {(300, 784), (100, 300), (10, 100), (300,), (100,), (10,)}
    return lambda t: interpreter.get_tensor(t["index"]) if tuple(t["shape"]) in shapes else None
