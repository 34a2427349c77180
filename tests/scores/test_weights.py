from functools import partial

import keras
import numpy as np
import pytest

from course_lib import masks, models, scores


@pytest.fixture(scope="module")
def model():
    return models.small_cnn()


@pytest.mark.parametrize("score", [scores.magnitude, scores.random])
def test_a_score_has_the_variables_shapes_is_finite_repeats_and_changes_nothing(model, score):
    before = model.get_weights()
    first, second = score(model), score(model, data=None)
    assert {path: s.shape for path, s in first.items()} == {
        f"{layer.name}/kernel": tuple(layer.kernel.shape) for layer in model.layers if hasattr(layer, "kernel")
    }
    for path, values in first.items():
        assert np.isfinite(values).all() and values.dtype == np.float32
        np.testing.assert_array_equal(values, second[path])
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_magnitude_ranks_by_size_not_by_sign(model):
    kernel = model.get_layer("output").kernel
    values = np.zeros(kernel.shape, "float32")
    values[0, :3] = [-3, 2, 0.5]
    kernel.assign(values)
    np.testing.assert_array_equal(scores.magnitude(model)["output/kernel"][0, :4], [3, 2, 0.5, 0])


def test_random_is_uniform_and_another_seed_is_another_score(model):
    first, other = scores.random(model), partial(scores.random, seed=1)(model)
    values = first["dense_1/kernel"]
    assert values.min() >= 0 and values.max() < 1 and abs(values.mean() - 0.5) < 0.01
    assert not np.array_equal(values, other["dense_1/kernel"])


def lamp_in_loops(w):
    flat = [float(value) ** 2 for value in w.ravel()]
    found = []
    for k, square in enumerate(flat):
        at_least = sum(other for j, other in enumerate(flat) if other > square or (other == square and j <= k))
        found.append(square / at_least if at_least else 0.0)
    return np.reshape(found, w.shape)


def test_lamp_is_the_share_of_what_would_be_left_ties_to_the_lower_index():
    model = small_net()
    for path, score in scores.lamp(model).items():
        w = model.get_layer(path.split("/")[0]).kernel.numpy()
        np.testing.assert_allclose(score, lamp_in_loops(w), rtol=1e-12)
        assert score.max() == 1 and np.count_nonzero(score == 1) == 1, "only the largest, of equal ones the first"


def test_pruning_globally_by_lamp_keeps_a_weight_of_every_tensor():
    model = small_net()
    model.get_layer("b").kernel.assign(model.get_layer("b").kernel.numpy() / 1000)
    for kept in (2, 3, 10):
        sparsity = 1 - kept / (4 * 5 + 5 * 3)
        assert min(mask.sum() for mask in masks.from_scores(scores.lamp(model), sparsity).values()) >= 1
    assert masks.from_scores(scores.magnitude(model), 1 - 10 / 35)["b/kernel"].sum() == 0


def test_lamp_of_a_tensor_of_zeros_is_zero():
    model = small_net()
    model.get_layer("b").kernel.assign(np.zeros((5, 3)))
    assert not scores.lamp(model)["b/kernel"].any()


def small_net():
    rng = np.random.default_rng(0)
    x = keras.Input((4,))
    model = keras.Model(x, keras.layers.Dense(3, name="b")(keras.layers.Dense(5, name="a")(x)))
    for layer in model.layers[1:]:
        layer.kernel.assign(rng.integers(-3, 4, layer.kernel.shape))  # ties and zeros
    return model
