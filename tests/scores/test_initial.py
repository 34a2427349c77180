import keras
import numpy as np
import pytest
import tensorflow as tf

from course_lib import scores
from course_lib.variables import prunable


def net():
    keras.utils.set_random_seed(0)
    hidden = keras.layers.Dense(4, activation="tanh")
    model = keras.Sequential([keras.Input((3,)), hidden, keras.layers.Dropout(0.5), keras.layers.Dense(1)])
    model.compile(loss="mse")
    return model


def points(n=20):
    rng = np.random.default_rng(0)
    return rng.normal(size=(n, 3)).astype("float32"), rng.normal(size=(n, 1)).astype("float32")


def with_switches(model, measure, step=1e-2):
    """∂ measure(model) / ∂c of a switch c = 1 on every weight, by central differences."""
    found = {}
    for path, kernel in prunable(model).items():
        start, found[path] = kernel.numpy(), np.zeros(kernel.shape)
        for place in np.ndindex(start.shape):
            values = []
            for c in (1 + step, 1 - step):
                switched = start.copy()
                switched[place] *= c
                kernel.assign(switched)
                values.append(measure(model))
            found[path][place] = (values[0] - values[1]) / (2 * step)
        kernel.assign(start)
    return found


def test_snip_is_the_share_of_what_the_loss_feels_of_a_switch():
    model, (x, y) = net(), points()
    felt = with_switches(model, lambda m: float(m.compute_loss(x=x, y=y, y_pred=m(x))))
    total = sum(np.abs(array).sum() for array in felt.values())
    found = scores.snip(model, (x, y))
    for path, array in felt.items():
        np.testing.assert_allclose(found[path], np.abs(array) / total, rtol=0.02, atol=1e-4)
    assert sum(array.sum() for array in found.values()) == pytest.approx(1)


def test_snip_is_zero_where_no_gradient_arrives():
    model = net()
    model.compile(loss=lambda y, prediction: keras.ops.mean(0 * prediction))
    assert not any(array.any() for array in scores.snip(model, points()).values())


def gradient_flow(x, y):
    def measure(model):
        values = [kernel.value for kernel in prunable(model).values()]
        with tf.GradientTape() as tape:
            loss = model.compute_loss(x=x, y=y, y_pred=model(x))
        return float(sum(tf.reduce_sum(g**2) for g in tape.gradient(loss, values)))

    return measure


def test_grasp_is_half_of_what_gradient_flow_feels_of_a_switch():
    model, (x, y) = net(), points()
    felt = with_switches(model, gradient_flow(x, y))
    found = scores.grasp(model, (x, y))
    for path, array in felt.items():
        np.testing.assert_allclose(found[path], array / 2, rtol=0.02, atol=1e-3)


def quadratic():
    x, y = points()
    entrance = keras.Input((3,))
    model = keras.Model(entrance, keras.layers.Dense(1, use_bias=False, name="dense")(entrance))
    model.get_layer("dense").kernel.assign(np.linalg.lstsq(x, y)[0] * [[0.3], [3], [2]])  # too small, too large
    model.compile(loss="mse")
    return model, x, y


def test_grasp_of_a_quadratic_in_closed_form():
    model, x, y = quadratic()
    w = model.get_layer("dense").kernel.numpy()
    h = 2 * x.T @ x / len(x)
    g = 2 * x.T @ (x @ w - y) / len(x)
    np.testing.assert_allclose(scores.grasp(model, (x, y))["dense/kernel"], w * (h @ g), rtol=1e-4)


def test_what_grasp_keeps_is_what_gradient_flow_would_lose():
    model, x, y = quadratic()
    score, kernel = scores.grasp(model, (x, y))["dense/kernel"].ravel(), model.get_layer("dense").kernel
    start, flow = kernel.numpy(), gradient_flow(x, y)
    lost = np.full(3, flow(model))
    for k in range(3):
        kernel.assign(start * np.where(np.arange(3) == k, 0.95, 1)[:, None])  # a small step towards removal
        lost[k] -= flow(model)
    assert np.argsort(score).tolist() == np.argsort(lost).tolist()
    np.testing.assert_array_equal(np.sign(score), np.sign(lost))
    assert score.min() < 0 < score.max(), "both signs are tried"


@pytest.mark.parametrize("score", [scores.snip, scores.grasp])
def test_the_size_of_batches_does_not_matter_and_nothing_is_changed(score):
    model, (x, y) = net(), points(10)
    before = model.get_weights()
    whole = score(model, (x, y))
    batches = score(model, tf.data.Dataset.from_tensor_slices((x, y)).batch(4))
    for path, kernel in prunable(model).items():
        assert whole[path].shape == tuple(kernel.shape)
        np.testing.assert_allclose(whole[path], batches[path], rtol=1e-3, atol=1e-6)
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("score", [scores.snip, scores.grasp])
def test_without_data_or_a_loss_the_remedy_is_named(score):
    with pytest.raises(ValueError, match=r"data is None.*give"):
        score(net(), None)
    with pytest.raises(ValueError, match=r"has no loss; call model\.compile"):
        score(keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)]), points())
