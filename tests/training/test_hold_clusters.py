import keras
import numpy as np
import pytest

from course_lib import deploy, masks, models, scores, training
from course_lib.masks import Masks
from course_lib.schedules import Polynomial
from course_lib.variables import prunable


def data(n=64):
    rng = np.random.default_rng(0)
    return rng.random((n, 28, 28, 1), "float32"), rng.integers(0, 10, n)


def clustered(optimizer="adam", clusters=6, sparsity=0.8, **options):
    """A small LeNet, pruned, and its shared values; nothing is held yet."""
    model = models.lenet_300_100(width=0.1)
    model.compile(optimizer, "sparse_categorical_crossentropy", **options)
    training.hold(model, masks.from_scores(scores.magnitude(model), sparsity, scope="tensor"))
    training.release(model)
    return model, deploy.cluster(model, clusters)


def partition(array):
    """For each entry the flat index of the first that equals it: which entries share a value, whatever the value."""
    _, first, inverse = np.unique(array, return_index=True, return_inverse=True)
    return first[inverse.reshape(-1)]


def assert_shared(model, before, limit):
    """Who shared a value shares one still, zeros are zeros, and the values have been trained."""
    for path, kernel in prunable(model).items():
        now, old = kernel.numpy(), before[path]
        assert np.array_equal(partition(now), partition(old))
        assert np.array_equal(now == 0, old == 0) and 0 < np.mean(now == 0) < 1
        assert len(np.unique(now[now != 0])) <= limit
        assert np.any(now != old)


def kernels(model):
    return {path: kernel.numpy() for path, kernel in prunable(model).items()}


OPTIMIZERS = {
    "SGD with momentum": lambda: keras.optimizers.SGD(0.1, momentum=0.9),
    "Adam": lambda: keras.optimizers.Adam(0.01),
    "AdamW": lambda: keras.optimizers.AdamW(0.01, weight_decay=0.1),
    "gradient accumulation": lambda: keras.optimizers.Adam(0.01, gradient_accumulation_steps=2),
    "moving average, written back": lambda: keras.optimizers.Adam(0.01, use_ema=True, ema_overwrite_frequency=3),
}


@pytest.mark.parametrize(("optimizer", "jit"), [*((o, False) for o in OPTIMIZERS), ("Adam", True)])
def test_clusters_and_zeros_are_held_by_any_optimizer(optimizer, jit):
    model, _ = clustered(OPTIMIZERS[optimizer](), jit_compile=jit)
    x, y = data()
    model.fit(x[:8], y[:8], verbose=0)  # what is compiled now knows of no clusters
    training.hold(model, masks.from_scores(scores.magnitude(model), 0.8, scope="tensor"))
    values = deploy.cluster(model, 6)
    training.release(model)  # the clusters alone keep the zeros
    training.hold_clusters(model, values)
    before = kernels(model)
    model.fit(x, y, batch_size=8, epochs=2, verbose=0)
    assert_shared(model, before, limit=6)


def test_one_step_moves_a_cluster_by_the_mean_of_its_gradients():
    """loss = Σ_o Σ_i x_i w_io on one example: the gradient of w_io is x_i."""
    x = np.array([[1.0, 2, 4, 8]])
    w = np.array([[0.5, -1], [0.5, 0.5], [0, -1], [-1, 0.5]], "float32")
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2, use_bias=False)])
    model.compile(keras.optimizers.SGD(0.125), lambda y, answer: keras.ops.sum(answer))
    (kernel,) = model.weights
    kernel.assign(w)
    training.hold_clusters(model, {kernel.path: [0.5, -1]})
    model.train_on_batch(x, np.zeros((1, 2)))
    halves = 0.5 - 0.125 * (1 + 2 + 2 + 8) / 4
    ones = -1 - 0.125 * (8 + 1 + 4) / 3
    expected = [[halves, ones], [halves, halves], [0, ones], [ones, halves]]
    np.testing.assert_allclose(kernel.numpy(), expected, rtol=1e-6)
    assert len(np.unique(kernel)) == 3


def test_the_projection_is_the_nearest_point():
    """By least squares on the matrix whose columns mark the clusters, in float64."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 5, (40, 30))
    values = np.array([0.0, -2, -1, 1, 2])
    model = keras.Sequential([keras.Input((40,)), keras.layers.Dense(30, use_bias=False)])
    (kernel,) = model.weights
    kernel.assign(values[labels])
    training.hold_clusters(model, {kernel.path: values[1:]})
    w = rng.normal(size=(40, 30)).astype("float32")
    marks = np.eye(5)[labels.reshape(-1)][:, 1:]
    nearest = marks @ np.linalg.lstsq(marks, w.reshape(-1).astype("float64"), rcond=None)[0]
    projected = keras.ops.convert_to_numpy(kernel.constraint(keras.ops.convert_to_tensor(w)))
    np.testing.assert_allclose(projected.reshape(-1), nearest, rtol=1e-6, atol=1e-7)


def test_without_a_gradient_not_a_bit_changes():
    """100,000 equal weights, whose sum in float32 would be off by parts in a thousand."""
    model = keras.Sequential([keras.Input((1000,)), keras.layers.Dense(200, use_bias=False)])
    model.compile(keras.optimizers.SGD(0.0), "mse")
    (kernel,) = model.weights
    before = np.where(np.arange(200_000).reshape(1000, 200) % 2, np.float32(0.1), np.float32(-0.3))
    kernel.assign(before)
    training.hold_clusters(model, {kernel.path: np.unique(before)})
    model.fit(np.ones((8, 1000)), np.ones((8, 200)), batch_size=1, verbose=0)
    np.testing.assert_array_equal(kernel.numpy(), before)


def test_a_mask_that_prunes_more_takes_weights_out_of_their_cluster():
    model, values = clustered(keras.optimizers.Adam(0.01), sparsity=0.5)
    training.hold_clusters(model, values)
    prune = training.Prune(scores.magnitude, Polynomial(0.9, begin=0, end=8), frequency=2, scope="tensor")
    before = kernels(model)
    x, y = data()
    model.fit(x, y, batch_size=8, epochs=2, verbose=0, callbacks=[prune])
    assert round(Masks.of_zeros(model).sparsity, 2) == 0.9
    for path, kernel in prunable(model).items():
        now, kept = kernel.numpy(), prune.masks[path]
        assert not now[~kept].any()
        assert np.array_equal(partition(now[kept]), partition(before[path][kept]))
    (w, mask, old) = (kernel.numpy(), prune.masks["output/kernel"], before["output/kernel"])
    moved = w + np.random.default_rng(0).normal(size=w.shape).astype("float32")
    projected = keras.ops.convert_to_numpy(kernel.constraint(keras.ops.convert_to_tensor(moved)))
    for value in np.unique(old[mask]):
        alive = mask & (old == value)
        np.testing.assert_allclose(projected[alive], moved[alive].mean(), rtol=1e-5)  # of what is left, not of all


def test_release_lets_the_weights_go_their_ways():
    model, values = clustered()
    training.hold_clusters(model, values)
    training.release(model)
    assert all(kernel.constraint is None for kernel in prunable(model).values())
    x, y = data()
    model.fit(x, y, verbose=0)
    assert len(np.unique(model.get_layer("dense_1").kernel)) > 1000


def test_a_model_from_a_file_goes_on(tmp_path):
    model, values = clustered()
    training.hold_clusters(model, values)
    x, y = data()
    model.fit(x, y, verbose=0)
    model.save(tmp_path / "m.keras")
    loaded, before = keras.models.load_model(tmp_path / "m.keras"), kernels(model)
    training.hold_clusters(loaded, deploy.cluster(loaded, 6))
    loaded.fit(x, y, verbose=0)
    assert_shared(loaded, before, limit=6)


def test_fine_tuning_wins_back_what_clustering_cost():
    """Four values a tensor are rough: accuracy falls, and rises again as the values are trained."""
    from course_lib.data import fashion_mnist

    keras.utils.set_random_seed(0)
    x, y = fashion_mnist().train.x[:4000], fashion_mnist().train.y[:4000]
    model = models.lenet_300_100(width=0.2)
    model.compile(keras.optimizers.Adam(0.001), "sparse_categorical_crossentropy", metrics=["accuracy"])
    prune = training.Prune(scores.magnitude, Polynomial(0.8, begin=0, end=100))
    model.fit(x, y, batch_size=64, epochs=3, verbose=0, callbacks=[prune])

    def accuracy():
        split = fashion_mnist().validation
        return model.evaluate(split.x[:2000], split.y[:2000], verbose=0)[1]

    sound = accuracy()
    values = deploy.cluster(model, 4)
    rough, before = accuracy(), kernels(model)
    training.hold_clusters(model, values)
    model.compile(keras.optimizers.Adam(0.005), "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(x, y, batch_size=64, epochs=2, verbose=0)
    assert_shared(model, before, limit=4)
    assert rough < sound - 0.01 and accuracy() > (rough + sound) / 2


def test_the_clusters_go_into_a_small_container(tmp_path):
    model, values = clustered()
    training.hold_clusters(model, values)
    x, y = data()
    model.fit(x, y, verbose=0)
    trained = model.get_weights()
    file = deploy.encode(model, tmp_path / "m.bin")
    assert deploy.size(file).bytes < 0.1 * deploy.size(model).bytes
    deploy.decode(file, model)
    for before, after in zip(trained, model.get_weights(), strict=True):
        np.testing.assert_array_equal(before, after)


@pytest.mark.parametrize(
    ("change", "error", "says"),
    [
        (lambda values: list(values), TypeError, "values is a list; give {variable path: its values}"),
        (
            lambda values: {**values, "dense/kernel": [1]},
            ValueError,
            "no variable 'dense/kernel'; it has dense_1/kernel",
        ),
        (
            lambda values: {**values, "output/kernel": [0.5]},
            ValueError,
            r"\d+ weights of 'output/kernel', such as -?0\.",
        ),
        (lambda values: {**values, "output/kernel": []}, ValueError, "are neither zero nor one of its values"),
    ],
)
def test_bad_values_are_refused_before_anything_is_changed(change, error, says):
    model, values = clustered()
    with pytest.raises(error, match=says):
        training.hold_clusters(model, change(values))
    assert all(kernel.constraint is None for kernel in prunable(model).values())


def test_what_is_no_model_of_keras_3_is_refused():
    model, values = clustered()
    with pytest.raises(TypeError, match=r"model is a .*; give a Keras 3 model"):
        training.hold_clusters(values, model)
