from functools import partial

import keras
import numpy as np
import pytest
from keras import layers

from course_lib import models, scores

ON_WEIGHTS = [scores.unit_norm, partial(scores.unit_norm, order=2), scores.geometric_median]
ON_DATA = [scores.activation_mean, scores.apoz, scores.contribution, scores.unit_taylor]


def parts():
    """Convolution, BatchNormalization, ReLU behind it; a sigmoid, which is not 0 at 0; an output."""
    keras.utils.set_random_seed(0)
    norm = layers.BatchNormalization(name="norm", gamma_initializer="normal", beta_initializer="normal")
    return [
        layers.Conv2D(3, 3, use_bias=False, name="conv"),
        norm,
        layers.ReLU(name="relu"),
        layers.Flatten(name="flatten"),
        layers.Dropout(0.5, name="dropout"),
        layers.Dense(4, activation="sigmoid", name="dense"),
        layers.Dense(2, activation="softmax", name="output"),
    ]


def compiled(model):
    model.compile(loss="sparse_categorical_crossentropy")
    return model


def sequential():
    return compiled(keras.Sequential([keras.Input((5, 5, 1)), *parts()], name="net"))


def nested():
    first, *rest = parts()
    image = keras.Input((5, 5, 1))
    inner = keras.Sequential([layers.BatchNormalization(name="norm"), layers.ReLU()], name="inner")
    body = keras.Sequential([layers.Flatten(), rest[4]], name="body")
    model = keras.Model(image, rest[5](body(inner(first(image)))))
    inner.layers[0].set_weights(sequential().get_layer("norm").get_weights())
    return compiled(model)


class Subclassed(keras.Model):
    """The same net, with one activation layer for two places, a bare operation and a model output by one too."""

    def __init__(self):
        super().__init__()
        self.conv, self.norm, self.relu, self.flatten, _, self.dense, self.last = parts()
        self.last.activation = keras.activations.linear

    def build(self, shape):  # without it Keras warns
        self.built = True

    def call(self, x):
        h = self.relu(self.norm(self.conv(self.relu(x + 10.0) - 10.0)))
        h = keras.ops.reshape(h, (-1, 27))
        return keras.ops.softmax(self.last(self.dense(h)))


def subclassed():
    model = Subclassed()
    model(np.zeros((1, 5, 5, 1), "float32"))
    return compiled(model)


def points(n=40):
    rng = np.random.default_rng(0)
    return rng.normal(size=(n, 5, 5, 1)).astype("float32"), rng.integers(0, 2, n)


def outgoing(model):
    """{hidden layer: the kernel that takes its units, and their number of positions, which are flattened}."""
    return {"conv": (model.get_layer("dense").kernel, 9), "dense": (model.get_layer("output").kernel, 1)}


def losses(model, x, y):
    """The loss of every example, by NumPy from the predictions."""
    return -np.log(model(x, training=False).numpy()[np.arange(len(y)), y])


def with_outgoing(kernel, unit, factor, model, x, y, positions=1):
    """The losses of all examples with the unit's outgoing weights, in the next layer's kernel, times a factor."""
    start = kernel.numpy()
    changed = start.copy()
    changed[unit :: len(start) // positions] *= factor  # channels come last
    kernel.assign(changed)
    try:
        return losses(model, x, y)
    finally:
        kernel.assign(start)


def activations(model, x):
    """By NumPy: sums over the 3 × 3 windows, normalisation, ReLU; product, sigmoid."""
    kernel, (gamma, beta, mean, variance) = (
        model.get_layer("conv").kernel.numpy(),
        model.get_layer("norm").get_weights(),
    )
    windows = np.lib.stride_tricks.sliding_window_view(x[..., 0], (3, 3), axis=(1, 2))
    conv = np.einsum("nhwij,ijc->nhwc", windows, kernel[:, :, 0])
    conv = np.maximum(gamma * (conv - mean) / np.sqrt(variance + 1e-3) + beta, 0)
    w, b = model.get_layer("dense").get_weights()
    return {"conv": conv, "dense": 1 / (1 + np.exp(-(conv.reshape(len(x), -1) @ w + b)))}


def test_mean_activation_and_apoz_are_those_of_a_forward_pass_in_numpy():
    model, (x, y) = sequential(), points()
    means, shares = scores.activation_mean(model, (x, y)), scores.apoz(model, (x, y))
    assert list(means) == list(shares) == ["conv", "dense"]
    for name, a in activations(model, x).items():
        axes = tuple(range(a.ndim - 1))
        np.testing.assert_allclose(means[name], a.mean(axis=axes), rtol=1e-5)
        np.testing.assert_allclose(shares[name], 1 - (a == 0).mean(axis=axes), rtol=1e-6)
    assert 0 < shares["conv"].min() < 0.9 and shares["dense"].tolist() == [1, 1, 1, 1]


def test_contribution_is_the_rise_of_the_loss_when_the_outgoing_weights_are_zero():
    model, (x, y) = sequential(), points()
    found = scores.contribution(model, (x, y))
    base = losses(model, x, y).mean()
    for name, values in found.items():
        kernel, positions = outgoing(model)[name]
        silent = [with_outgoing(kernel, u, 0.0, model, x, y, positions).mean() for u in range(len(values))]
        np.testing.assert_allclose(values, silent - base, rtol=1e-3, atol=1e-6)


def test_unit_taylor_is_the_mean_of_the_absolute_finite_differences_of_single_examples():
    model, (x, y) = sequential(), points()
    found, h = scores.unit_taylor(model, (x, y)), 0.02
    for name, (kernel, positions) in outgoing(model).items():
        for unit, value in enumerate(found[name]):
            more, less = (with_outgoing(kernel, unit, f, model, x, y, positions) for f in (1 + h, 1 - h))
            slopes = (more - less) / (2 * h) / positions
            np.testing.assert_allclose(value, np.abs(slopes).mean(), rtol=0.01, atol=1e-6)
            assert value > 1.05 * abs(slopes.mean())  # not the absolute value of the mean


def test_taylor_ranks_units_nearly_as_brute_force_does():
    from scipy.stats import spearmanr

    keras.utils.set_random_seed(0)
    hidden = [layers.Dense(16, activation="tanh", name="one"), layers.Dense(16, activation="relu", name="two")]
    model = compiled(keras.Sequential([keras.Input((5,)), *hidden, layers.Dense(3, activation="softmax")]))
    rng = np.random.default_rng(0)
    data = rng.normal(size=(300, 5)).astype("float32"), rng.integers(0, 3, 300)
    taylor, brute, base = scores.unit_taylor(model, data), scores.contribution(model, data), losses(model, *data)
    for name, kernel in (("one", model.layers[1].kernel), ("two", model.layers[2].kernel)):
        rises = [np.abs(with_outgoing(kernel, u, 0.0, model, *data) - base).mean() for u in range(16)]
        each, whole = spearmanr(taylor[name], rises).statistic, spearmanr(taylor[name], np.abs(brute[name])).statistic
        print(f"{name}: rank correlation with the rises of single examples {each:.3f}, of the mean loss {whole:.3f}")
        assert each > 0.9 and whole > 0.3


@pytest.mark.parametrize("kind", [nested, subclassed])
@pytest.mark.parametrize("score", [*ON_WEIGHTS, *ON_DATA, scores.bn_gamma])
def test_every_kind_of_model_gives_the_same_scores(kind, score):
    if score is scores.bn_gamma:
        score = partial(score, layers=["conv"])
    expected, found = score(sequential(), points()), score(kind(), points())
    assert len(found) == len(expected)
    for (name, values), (found_name, found_values) in zip(expected.items(), found.items(), strict=True):
        assert found_name == ("body/dense" if kind is nested and name == "dense" else name)
        np.testing.assert_allclose(found_values, values, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("score", [*ON_WEIGHTS, *ON_DATA])
def test_a_score_repeats_does_not_depend_on_batches_and_changes_nothing(score):
    import tensorflow as tf

    model, (x, y) = sequential(), points()
    before = model.get_weights()
    whole = score(model, (x, y))
    batched = score(model, tf.data.Dataset.from_tensor_slices((x, y)).batch(15))  # 15, 15 and 10
    assert {name: values.shape for name, values in whole.items()} == {"conv": (3,), "dense": (4,)}
    for name, values in score(model, (x, y)).items():
        np.testing.assert_array_equal(values, whole[name])
        np.testing.assert_allclose(batched[name], values, rtol=1e-4, atol=1e-7)
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("score", ON_DATA)
def test_frozen_layers_and_mixed_precision_are_scored_too(score):
    model, data = sequential(), points()
    expected = score(model, data)
    model.trainable = False
    for name, values in score(model, data).items():
        np.testing.assert_array_equal(values, expected[name])
    keras.config.set_dtype_policy("mixed_float16")
    try:
        half = sequential()
    finally:
        keras.config.set_dtype_policy("float32")
    half.set_weights(model.get_weights())
    for name, values in score(half, data).items():
        np.testing.assert_allclose(values, expected[name], rtol=0.05, atol=3e-3)


def test_a_layer_that_is_called_twice_is_silenced_in_both_places():
    keras.utils.set_random_seed(0)
    one, two = keras.Input((3,)), keras.Input((3,))
    shared, last = layers.Dense(2, activation="tanh", name="shared"), layers.Dense(1, use_bias=False)
    model = keras.Model([one, two], last(layers.Subtract()([shared(one), shared(two)])))
    model.compile(loss="mse")
    rng = np.random.default_rng(0)
    x, y = [rng.normal(size=(9, 3)).astype("float32") for _ in "ab"], np.ones((9, 1), "float32")
    a, b = (np.tanh(part @ shared.kernel.numpy()) for part in x)
    v = last.kernel.numpy()
    silent = [np.mean(((a - b)[:, [1 - u]] @ v[[1 - u]] - 1) ** 2) for u in range(2)]
    expected = silent - np.mean(((a - b) @ v - 1) ** 2)
    np.testing.assert_allclose(scores.contribution(model, (x, y))["shared"], expected, rtol=1e-4)
    np.testing.assert_allclose(scores.activation_mean(model, (x, y))["shared"], (a + b).mean(axis=0) / 2, rtol=1e-4)


def test_norms_and_distances_by_hand_for_every_kind_of_kernel():
    w = np.array([[3.0, 4.0], [0.0, 1.0], [3.0, 0.0]], "float32")  # three units of two inputs
    made = {
        "dense": (layers.Dense(3), (2,), w.T),
        "conv": (layers.Conv1D(3, 2), (4, 1), w.T[:, None]),
        "grouped": (layers.Conv2D(3, 1, groups=3), (1, 1, 6), w.T[None, None]),
        "transposed": (layers.Conv2DTranspose(3, 1), (1, 1, 2), w[None, None]),
        "separable": (layers.SeparableConv2D(3, 1), (1, 1, 2), w.T[None, None]),
        "volume": (layers.Conv3D(3, 1), (1, 1, 1, 2), w.T[None, None, None]),
    }
    for name, (layer, shape, kernel) in made.items():
        model = keras.Sequential([keras.Input(shape), layer, layers.Flatten(), layers.Dense(1)])
        (layer.pointwise_kernel if name == "separable" else layer.kernel).assign(kernel)
        assert scores.unit_norm(model)[layer.name].tolist() == [7, 1, 3], name
        assert scores.unit_norm(model, order=2)[layer.name].tolist() == [5, 1, 3], name
        distances = [18**0.5 + 4, 18**0.5 + 10**0.5, 4 + 10**0.5]
        np.testing.assert_allclose(scores.geometric_median(model)[layer.name], distances, rtol=1e-6, err_msg=name)


class ChannelsFirst(layers.Conv1D):
    """Keras's own needs a GPU for this format."""

    def call(self, x):
        last = keras.ops.conv(keras.ops.swapaxes(x, 1, 2), self.kernel, data_format="channels_last")
        return self.activation(keras.ops.swapaxes(last, 1, 2))


def test_channels_first_counts_units_on_the_first_axis():
    x = np.random.default_rng(0).normal(size=(6, 1, 5)).astype("float32")
    conv = ChannelsFirst(2, 2, activation="relu", data_format="channels_first", name="conv")
    model = keras.Sequential([keras.Input((1, 5)), conv, layers.Flatten(), layers.Dense(1, name="output")])
    model.compile(loss="mse")
    data = x, np.ones((6, 1), "float32")
    np.testing.assert_allclose(
        scores.activation_mean(model, data)["conv"], conv(x).numpy().mean(axis=(0, 2)), rtol=1e-5
    )
    found, (start, bias) = scores.contribution(model, data)["conv"], model.get_layer("output").get_weights()
    for unit in range(2):
        rises = []
        for factor in (0, 1):
            kernel = start.copy()
            kernel[4 * unit : 4 * unit + 4] *= factor
            rises.append(float(np.mean((conv(x).numpy().reshape(6, 8) @ kernel + bias - 1) ** 2)))
        np.testing.assert_allclose(found[unit], rises[0] - rises[1], rtol=1e-4)


def test_what_becomes_an_output_is_left_out():
    image = keras.Input((4, 4, 1))
    hidden = layers.Conv2D(2, 3, activation="relu", name="hidden")(image)
    classes = layers.Conv2D(2, 1, name="classes")(hidden)  # class activation maps: channels are the model's outputs
    maps = layers.DepthwiseConv2D(2, name="depthwise")(layers.BatchNormalization()(classes))
    pooled = layers.GlobalAveragePooling2D()(maps)
    side = layers.Dense(3, name="side")(layers.Flatten()(hidden))
    model = keras.Model(image, [keras.ops.softmax(pooled), keras.ops.sigmoid(side + 1.0)])
    assert list(scores.unit_norm(model)) == ["hidden"]


def test_a_loop_around_the_output_layer_does_no_harm_and_dropout_hides_no_activation():
    drop = [layers.Dense(3, name="hidden"), layers.Dropout(0.5), layers.ReLU()]
    model = keras.Sequential([keras.Input((4, 2)), *drop, layers.TimeDistributed(layers.Dense(1))])
    x = np.random.default_rng(0).normal(size=(9, 4, 2)).astype("float32")
    found = scores.activation_mean(model, (x, np.zeros(9)))
    assert list(found) == ["hidden"]
    expected = np.maximum(x @ drop[0].kernel.numpy(), 0).mean(axis=(0, 1))
    np.testing.assert_allclose(found["hidden"], expected, rtol=1e-5)


def test_an_activation_is_not_looked_for_beyond_a_fork_and_a_pooling():
    image = keras.Input((4,))
    x = layers.Dense(4, name="forked")(image)
    fork = layers.Add()([x, layers.ReLU()(x)])
    y = layers.Dense(4, activation="relu", name="own")(fork)
    z = layers.BatchNormalization(beta_initializer="ones")(y)
    model = keras.Model(image, layers.Dense(1, name="last")(z))
    data = np.random.default_rng(0).normal(size=(20, 4)).astype("float32"), np.zeros((20, 1), "float32")
    found = scores.activation_mean(model, data)
    np.testing.assert_allclose(found["forked"], (data[0] @ model.get_layer("forked").kernel.numpy()).mean(0), atol=1e-6)
    inner = keras.Model(image, y)(data[0]).numpy()
    np.testing.assert_allclose(found["own"], inner.mean(axis=0), rtol=1e-5)  # before the normalisation,
    model.compile(loss="mse")
    last = model.get_layer("last")
    normed, v = inner / np.sqrt(1.001) + 1, last.kernel.numpy()
    silent = [np.mean((np.delete(normed, u, 1) @ np.delete(v, u, 0)) ** 2) for u in range(4)]
    rise = silent - np.mean((normed @ v) ** 2)
    np.testing.assert_allclose(scores.contribution(model, data)["own"], rise, rtol=1e-3)  # but silence is behind it


def test_gamma_is_that_of_the_layer_it_follows_and_absent_ones_are_named():
    model = sequential()
    gamma = model.get_layer("norm").gamma.numpy()
    assert (gamma < 0).any()
    assert scores.bn_gamma(model, layers=["conv"])["conv"].tolist() == np.abs(gamma).tolist()
    with pytest.raises(ValueError, match=r"layer 'dense' is not followed by one BatchNormalization"):
        scores.bn_gamma(model)
    with pytest.raises(ValueError, match=r"layers names 'output', which is no hidden layer.* conv, dense"):
        scores.bn_gamma(model, layers=["output"])
    bare = [layers.Dense(2, name="hidden"), layers.BatchNormalization(scale=False), layers.Dense(1)]
    with pytest.raises(ValueError, match="layer 'hidden' is not followed by one BatchNormalization with scale=True"):
        scores.bn_gamma(keras.Sequential([keras.Input((2,)), *bare]))


def test_errors_name_the_remedy():
    model, (x, y) = sequential(), points(4)
    with pytest.raises(ValueError, match="order is 3"):
        scores.unit_norm(model, order=3)
    for score in ON_DATA:
        with pytest.raises(ValueError, match=r"data is None.*give"):
            score(model, None)
        with pytest.raises(ValueError, match="data holds no example"):
            score(model, (x[:0], y[:0]))
    uncompiled = models.lenet_300_100(width=0.01)
    for score in (scores.contribution, scores.unit_taylor):
        with pytest.raises(ValueError, match=r"has no loss; call model\.compile"):
            score(uncompiled, (np.zeros((1, 28, 28, 1)), np.zeros(1)))
    with pytest.raises(ValueError, match="does not know the shape of its inputs; give"):
        scores.unit_norm(subclassed())
    with pytest.raises(ValueError, match="is not built"):
        scores.unit_norm(keras.Sequential([layers.Dense(1)]), (x, y))
    with pytest.raises(ValueError, match="has no hidden units"):
        scores.unit_norm(keras.Sequential([keras.Input((2,)), layers.Dense(1)]))
    looped = [keras.Input((3, 2)), layers.TimeDistributed(layers.Dense(2, name="inside")), layers.Dense(1)]
    with pytest.raises(ValueError, match=r"layer 'time_distributed\S*/inside' is not called"):
        scores.unit_norm(keras.Sequential(looped))
