import keras
import numpy as np
import pytest

from course_lib import scores
from course_lib.variables import prunable


def net(loss="mse", units=(4, 1), **options):
    keras.utils.set_random_seed(0)
    layers = [keras.layers.Dense(n, activation="tanh", name=f"dense_{n}") for n in units]
    model = keras.Sequential([keras.Input((3,)), *layers])
    model.compile(loss=loss, **options)
    return model


def points(n=20):
    rng = np.random.default_rng(0)
    return rng.normal(size=(n, 3)).astype("float32"), rng.normal(size=(n, 1)).astype("float32")


def numerical_gradient(model, x, y, kernel, step=1e-2):
    start = kernel.numpy()
    gradient = np.zeros_like(start)
    for place in np.ndindex(start.shape):
        values = []
        for sign in (1, -1):
            moved = start.copy()
            moved[place] += sign * step
            kernel.assign(moved)
            values.append(float(model.compute_loss(x=x, y=y, y_pred=model(x))))
        gradient[place] = (values[0] - values[1]) / (2 * step)
    kernel.assign(start)
    return gradient


def test_taylor_is_the_weight_times_the_finite_difference_of_the_loss():
    model, (x, y) = net(), points()
    found = scores.taylor(model, (x, y))
    for path, kernel in prunable(model).items():
        expected = np.abs(kernel.numpy() * numerical_gradient(model, x, y, kernel))
        np.testing.assert_allclose(found[path], expected, rtol=0.02, atol=1e-4)


def test_taylor_with_numbers_by_hand():
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1, use_bias=False, name="dense")], name="net")
    w, g = np.array([0.1, 0.9, 0.2, 0.5]), np.array([5.0, 1.0, 3.0, 0.5])
    model.layers[0].kernel.assign(w[:, None])
    model.compile(loss=lambda y, prediction: keras.ops.mean(prediction))  # the gradient is the input
    found = scores.taylor(model, (g[None].astype("float32"), np.zeros((1, 1))))["net/dense/kernel"]
    np.testing.assert_allclose(found[:, 0], [0.5, 0.9, 0.6, 0.25], rtol=1e-6)


def test_fisher_is_the_mean_of_the_squares_not_the_square_of_the_mean():
    model, (x, y) = net(), points()
    squares = {path: 0.0 for path in prunable(model)}
    for i in range(len(x)):
        for path, kernel in prunable(model).items():
            squares[path] = squares[path] + numerical_gradient(model, x[i : i + 1], y[i : i + 1], kernel) ** 2
    found = scores.fisher(model, (x, y))
    for path, kernel in prunable(model).items():
        expected = 0.5 * kernel.numpy() ** 2 * squares[path] / len(x)
        np.testing.assert_allclose(found[path], expected, rtol=0.05, atol=1e-4)
        assert not np.allclose(found[path], 0.5 * scores.taylor(model, (x, y))[path] ** 2, rtol=0.05)


@pytest.mark.parametrize("score", [scores.taylor, scores.fisher])
def test_the_size_of_batches_does_not_matter_and_nothing_is_changed(score):
    import tensorflow as tf

    model, (x, y) = net(), points(10)
    before = model.get_weights()
    whole = score(model, (x, y))
    batches = score(model, tf.data.Dataset.from_tensor_slices((x, y)).batch(4))  # 4, 4 and 2
    for path in whole:
        np.testing.assert_allclose(whole[path], batches[path], rtol=1e-4, atol=1e-7)
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("score", [scores.taylor, scores.fisher])
def test_without_data_or_a_loss_the_remedy_is_named(score):
    model, (x, y) = net(), points()
    with pytest.raises(ValueError, match=r"data is None.*give"):
        score(model, None)
    with pytest.raises(ValueError, match="data holds no example"):
        score(model, (x[:0], y[:0]))
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    with pytest.raises(ValueError, match=r"has no loss; call model\.compile"):
        score(model, (x, y))


def test_scoring_again_and_again_does_not_make_tensorflow_warn(caplog):
    model, (x, y) = net(), points(10)
    for _ in range(8):
        scores.taylor(model, (x, y))
    assert "retracing" not in caplog.text
