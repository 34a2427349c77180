import keras
import numpy as np
import pytest
from scipy.optimize import minimize

from course_lib import models, scores


def linear_net(n=5, examples=30, outputs=1):
    """y = x w and the mean squared error, trained to its minimum: a quadratic."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(examples, n)) @ rng.normal(size=(n, n))  # correlated inputs
    y = rng.normal(size=(examples, outputs))
    entrance = keras.Input((n,))
    model = keras.Model(entrance, keras.layers.Dense(outputs, use_bias=False, name="dense")(entrance))
    model.get_layer("dense").kernel.assign(np.linalg.lstsq(x, y)[0])
    model.compile(loss="mse")
    return model, x.astype("float32"), y.astype("float32")


def best_loss(x, y, kept):
    """The lowest mean squared error that these inputs can reach, by a general minimiser."""
    x = np.asarray(x, "float64")[:, kept]
    return minimize(lambda w: np.mean((x @ w - y[:, 0]) ** 2), np.zeros(x.shape[1]), tol=1e-12)


def test_obs_is_the_rise_of_the_loss_after_the_others_made_up_exactly_so_for_a_quadratic():
    model, x, y = linear_net()
    everything = best_loss(x, y, np.ones(5, bool)).fun
    expected = [best_loss(x, y, np.arange(5) != k).fun - everything for k in range(5)]
    found = scores.obs(model, (x, y), damping=0)["dense/kernel"].ravel()
    np.testing.assert_allclose(found, expected, rtol=1e-3)
    assert not np.allclose(found, scores.obd(model, (x, y))["dense/kernel"].ravel(), rtol=0.1)


def test_obs_update_reaches_the_constrained_minimum_of_a_quadratic():
    model, x, y = linear_net()
    mask = np.array([True, False, True, False, True])
    found = scores.obs_update(model, (x, y), {"dense/kernel": mask[:, None]}, damping=0)["dense/kernel"]
    assert found.dtype == np.float32 and (found[~mask] == 0).all()
    np.testing.assert_allclose(found[mask, 0], best_loss(x, y, mask).x, rtol=1e-3)
    np.testing.assert_array_equal(scores.obs_update(model, (x, y), {}, damping=0)["dense/kernel"][:, 0], weights(model))


def weights(model):
    return model.get_layer("dense").kernel.numpy()[:, 0]


def test_layer_wise_obs_of_every_kind_of_layer_is_the_least_squares_error_of_its_outputs(one_layer):
    model, data, a = one_layer
    w = model.get_layer("layer").kernel.numpy()
    found = scores.obs(model, data, layerwise=True, damping=1e-9)["layer/kernel"]
    for k in range(0, w.size, 3):
        others = np.arange(w.size) != k
        error = a @ w.ravel() - a[:, others] @ np.linalg.lstsq(a[:, others], a @ w.ravel())[0]
        np.testing.assert_allclose(found.flat[k], 0.5 * np.sum(error**2) / len(data[0]), rtol=1e-3)


def test_layer_wise_update_of_every_kind_of_layer_is_the_least_squares_optimum(one_layer):
    model, data, a = one_layer
    w = model.get_layer("layer").kernel.numpy()
    mask = np.random.default_rng(0).random(w.shape) < 0.5
    found = scores.obs_update(model, data, {"layer/kernel": mask}, layerwise=True, damping=1e-9)["layer/kernel"]
    expected = np.zeros(w.size)
    expected[mask.ravel()] = np.linalg.lstsq(a[:, mask.ravel()], a @ w.ravel())[0]
    np.testing.assert_allclose(found.ravel(), expected, rtol=1e-3, atol=1e-4)


def test_large_nets_are_looked_at_layer_by_layer_without_a_loss():
    model = models.lenet_300_100(input_shape=(8, 8, 1), width=0.2)  # 5,440 weights
    data = (np.random.default_rng(0).normal(size=(20, 8, 8, 1)), np.zeros(20))
    chosen, asked = scores.obs(model, data), scores.obs(model, data, layerwise=True)
    for path, score in chosen.items():
        np.testing.assert_array_equal(score, asked[path])
        assert np.isfinite(score).all() and (score >= 0).all()


def test_negative_curvature_and_dead_inputs_give_finite_scores_and_nothing_is_changed():
    keras.utils.set_random_seed(0)
    hidden = keras.layers.Dense(4, activation="tanh")
    model = keras.Sequential([keras.Input((3,)), hidden, keras.layers.Dense(1)])
    model.compile(loss="mse")
    x = np.random.default_rng(0).normal(size=(20, 3)).astype("float32")
    x[:, 1] = 0
    before = model.get_weights()
    for layerwise in (True, False):
        for inputs in (x, 0 * x):
            found = scores.obs(model, (inputs, np.ones((20, 1), "float32")), layerwise=layerwise)
            assert all(np.isfinite(score).all() and (score >= 0).all() for score in found.values())
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_what_cannot_be_done_is_named():
    model, x, y = linear_net()
    with pytest.raises(ValueError, match=r"damping is 0, and the Hessian cannot be inverted; give more"):
        scores.obs(model, (x * [1, 0, 1, 1, 1], y), damping=0)
    with pytest.raises(ValueError, match=r"damping is -0\.001"):
        scores.obs(model, (x, y), damping=-0.001)
    with pytest.raises(ValueError, match="no variable 'dens/kernel'"):
        scores.obs_update(model, (x, y), {"dens/kernel": np.ones((5, 1), bool)})
    with pytest.raises(ValueError, match=r"mask 'dense/kernel' is bool of shape \(5,\); it must be"):
        scores.obs_update(model, (x, y), {"dense/kernel": np.ones(5, bool)})
    with pytest.raises(ValueError, match="mask 'dense/kernel' is float64"):
        scores.obs_update(model, (x, y), {"dense/kernel": np.ones((5, 1))})
    lenet = models.lenet_300_100()
    with pytest.raises(ValueError, match=r"variable that is not prunable; these are: dense_1/kernel"):
        scores.obs_update(lenet, (x, y), {"dense_1/bias": np.ones(300, bool)})
