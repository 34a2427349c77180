import keras
import numpy as np
import pytest

from course_lib import masks, models, scores, training
from course_lib.regularizers import L1


def least_squares(n=200, features=20, informative=4):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(n, features)).astype("float32")
    truth = np.zeros((features, 1), "float32")
    truth[:informative] = [[2.0], [-1.5], [1.0], [-0.7]]
    return x, x @ truth + 0.1 * rng.normal(size=(n, 1)).astype("float32")


def steps(x, y, n, batch=200):
    """Batches in their order, the whole data by default, n times, in one epoch."""
    import tensorflow as tf

    return tf.data.Dataset.from_tensor_slices((x, y)).batch(batch).repeat(n)


def linear(features=20, units=1, **options):
    x = keras.Input((features,))
    return keras.Model(x, keras.layers.Dense(units, use_bias=False, name="dense", **options)(x))


def test_full_batch_sgd_arrives_at_the_lasso_solution():
    x, y = least_squares()
    lam = 0.5
    model = linear()
    model.compile(keras.optimizers.SGD(0.1), "mse")
    model.fit(steps(x, y, 300), verbose=0, callbacks=[training.Proximal(lam)])
    w = model.get_layer("dense").kernel.numpy()[:, 0]
    gradient = 2 * x.T @ (x @ w - y[:, 0]) / len(x)
    assert 0.5 < np.mean(w == 0.0) < 1
    np.testing.assert_allclose(gradient[w != 0], -lam * np.sign(w[w != 0]), atol=1e-3)  # optimality on the support
    assert np.all(np.abs(gradient[w == 0]) <= lam)  # and off it


def test_the_penalty_in_the_loss_leaves_no_zero_under_adam_and_the_proximal_step_does():
    x, y = least_squares()
    penalised = linear(kernel_regularizer=L1(0.5))
    proximal = linear()
    for model, callbacks in ((penalised, []), (proximal, [training.Proximal(0.5)])):
        model.compile(keras.optimizers.Adam(0.01), "mse")
        model.fit(steps(x, y, 200, batch=20), verbose=0, callbacks=callbacks)
    assert np.mean(penalised.get_layer("dense").kernel.numpy() == 0.0) == 0.0
    assert np.mean(proximal.get_layer("dense").kernel.numpy() == 0.0) > 0.5


def test_the_group_lasso_removes_whole_inputs():
    x, y = least_squares()
    model = linear(units=2)
    model.compile(keras.optimizers.SGD(0.05), "mse")
    target = np.concatenate([y, -2 * y], axis=1)
    model.fit(steps(x, target, 300), verbose=0, callbacks=[training.Proximal(0.8, axis=1)])
    zero = model.get_layer("dense").kernel.numpy() == 0.0
    assert np.all(zero.all(axis=1) == zero.any(axis=1)) and 0.5 < zero.mean() < 1


def test_it_goes_with_masks_and_is_taken_off_at_the_end():
    model = linear()
    held = masks.from_scores(scores.magnitude(model), 0.5)
    model.compile("sgd", "mse")
    training.hold(model, held)
    x, y = least_squares()
    model.fit(x, y, verbose=0, callbacks=[training.Proximal(0.1)])
    assert np.all(model.get_layer("dense").kernel.numpy()[~held["dense/kernel"]] == 0)
    model.fit(x, y, verbose=0)
    kernel = model.get_layer("dense").kernel
    assert np.all(kernel.numpy()[~held["dense/kernel"]] == 0) and np.all(kernel.numpy()[held["dense/kernel"]] != 0)
    training.release(model)
    assert kernel.constraint is None


def test_paths_choose_the_variables_and_bad_arguments_are_refused():
    model = models.lenet_300_100(width=0.1)
    model.compile("sgd", "sparse_categorical_crossentropy")
    x, y = np.zeros((8, 28, 28, 1)), np.zeros(8)
    model.fit(x, y, verbose=0, callbacks=[training.Proximal(1e3, paths=["dense_2/kernel"])])
    assert masks.Masks.of_zeros(model).per_tensor() == {"dense_1/kernel": 0, "dense_2/kernel": 1, "output/kernel": 0}
    with pytest.raises(ValueError, match="no variable 'dense/kernel'"):
        model.fit(x, y, verbose=0, callbacks=[training.Proximal(1.0, paths=["dense/kernel"])])
    with pytest.raises(ValueError, match="strength is -1"):
        training.Proximal(-1)
