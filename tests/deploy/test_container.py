import keras
import numpy as np
import pytest
from keras import layers

from course_lib import deploy, masks, models, scores, training
from course_lib.variables import prunable


def entropy_bytes(array):
    """N · H of the values of an array: the least that any code of single values needs."""
    counts = np.unique(array, return_counts=True)[1]
    p = counts / counts.sum()
    return array.size * -(p * np.log2(p)).sum() / 8


@pytest.fixture
def clustered():
    keras.utils.set_random_seed(0)
    model = models.lenet_300_100()
    training.hold(model, masks.from_scores(scores.magnitude(model), 0.9))
    deploy.cluster(model, 32)
    return model


def bits(arrays):
    return [array.tobytes() for array in arrays]


def test_pruned_and_clustered_weights_take_little_more_than_their_entropy(clustered, tmp_path):
    file = deploy.encode(clustered, tmp_path / "model.bin")
    bound = sum(entropy_bytes(weight) for weight in clustered.get_weights())
    assert bound < file.stat().st_size < 1.05 * bound
    assert file.stat().st_size < 4 * clustered.count_params() / 30


def test_the_causes_add_up_and_the_zeros_cost_what_their_number_says(clustered, tmp_path):
    file = deploy.encode(clustered, tmp_path / "model.bin")
    size = deploy.size(file)
    assert size.bytes == file.stat().st_size
    least = sum(entropy_bytes(weight != 0) for weight in clustered.get_weights())
    assert least <= size.causes["zeros"] < 1.02 * least + 4 * 6 * 2


@pytest.mark.parametrize("build", [models.lenet_300_100, models.small_resnet])
def test_any_weights_come_back_bit_for_bit(build, tmp_path):
    model, other = build(), build()
    for weight in model.weights:
        weight.assign(np.random.default_rng(0).normal(size=weight.shape))
    deploy.decode(deploy.encode(model, tmp_path / "model.bin"), other)
    assert bits(model.get_weights()) == bits(other.get_weights())


@pytest.mark.parametrize(
    "values",
    [
        [0.0, -0.0, np.nan, np.inf, -np.inf, 1e-45, 0.0, 0.0],
        [0.0] * 8,
        [2.5] * 8,
        [-0.0] * 8,
        np.frombuffer(bytes(range(32)), "float32").tolist(),
    ],
)
@pytest.mark.parametrize("dtype", ["float32", "float16", "float64"])
def test_what_floats_there_are(values, dtype, tmp_path):
    build = lambda: keras.Sequential([keras.Input((4,)), layers.Dense(2, use_bias=False, dtype=dtype)])  # noqa: E731
    model, other = build(), build()
    with np.errstate(over="ignore"):
        model.layers[0].kernel.assign(np.array(values).reshape(4, 2).astype(dtype))
    deploy.decode(deploy.encode(model, tmp_path / "model.bin"), other)
    assert bits(model.get_weights()) == bits(other.get_weights())


def test_a_changed_bit_anywhere_and_a_short_file_are_refused_and_change_nothing(clustered, tmp_path):
    file = deploy.encode(clustered, tmp_path / "model.bin")
    content = file.read_bytes()
    other = models.lenet_300_100()
    before = bits(other.get_weights())
    for i in [8, 12, 60, len(content) // 2, len(content) - 1]:
        file.write_bytes(content[:i] + bytes([content[i] ^ 1]) + content[i + 1 :])
        with pytest.raises(ValueError, match="is damaged"):
            deploy.decode(file, other)
    for short in (content[:-1], content[:20], content + b"x"):
        file.write_bytes(short)
        with pytest.raises(ValueError, match="is damaged"):
            deploy.size(file)
    file.write_bytes(b"something else")
    with pytest.raises(ValueError, match="not a file of encoded weights"):
        deploy.decode(file, other)
    assert bits(other.get_weights()) == before


def test_a_model_of_other_shapes_is_refused_with_the_first_difference(clustered, tmp_path):
    file = deploy.encode(clustered, tmp_path / "model.bin")
    other = models.lenet_300_100(width=0.5)
    before = bits(other.get_weights())
    with pytest.raises(ValueError, match=r"of weight 0 it has \(\[784, 300\].*the model \(\[784, 150\]"):
        deploy.decode(file, other)
    assert bits(other.get_weights()) == before
    with pytest.raises(FileNotFoundError):
        deploy.decode(tmp_path / "nothing", other)


def test_sharing_gives_each_weight_the_nearest_value_and_each_value_the_mean_of_its_weights():
    keras.utils.set_random_seed(0)
    model = models.lenet_300_100()
    training.hold(model, masks.from_scores(scores.magnitude(model), 0.8))
    before = {path: kernel.numpy() for path, kernel in prunable(model).items()}
    shared = deploy.cluster(model, 8)
    for path, kernel in prunable(model).items():
        now, values = kernel.numpy(), shared[path]
        assert np.array_equal(now == 0, before[path] == 0) and len(values) == 8
        w = before[path][before[path] != 0]
        nearest = values[np.abs(w[:, None] - values).argmin(axis=1)]
        np.testing.assert_array_equal(now[now != 0], nearest)
        for value in values:
            np.testing.assert_allclose(w[nearest == value].mean(), value, rtol=1e-4)
        steps = np.linspace(w.min(), w.max(), 8)
        rounded = steps[np.abs(w[:, None] - steps).argmin(axis=1)]
        assert np.sum((w - nearest) ** 2) < 0.9 * np.sum((w - rounded) ** 2)  # better than equal steps


def test_few_different_weights_stay_as_they_are():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(2)])
    weights = np.array([[0, 1], [2, 1], [0, -3], [2, 2]], "float32")
    model.layers[0].kernel.assign(weights)
    (values,) = deploy.cluster(model, 3).values()
    assert values.tolist() == [-3, 1, 2] and np.array_equal(model.layers[0].kernel, weights)


@pytest.mark.parametrize("clusters", [0, 2.5, None, True])
def test_bad_numbers_of_values_are_refused(clusters):
    with pytest.raises(ValueError, match="clusters is"):
        deploy.cluster(models.small_cnn(), clusters)


def test_weights_that_are_nan_are_refused_before_anything_changes():
    model = models.lenet_300_100()
    model.get_layer("output").kernel.assign(np.full((100, 10), np.nan))
    first = model.get_layer("dense_1").kernel.numpy()
    with pytest.raises(ValueError, match="weights of 'output/kernel' are not all finite"):
        deploy.cluster(model)
    assert np.array_equal(model.get_layer("dense_1").kernel, first)
