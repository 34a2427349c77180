import keras
import numpy as np
import pytest
from keras import layers

from course_lib import masks, scores, training


def values(n, *shape):
    return np.random.default_rng(0).normal(3, 2, size=(n, *shape)).astype("float32")


def statistics(norm):
    return norm.moving_mean.numpy(), norm.moving_variance.numpy()


def test_one_layer_has_the_mean_and_variance_of_all_values_whatever_the_batches():
    x = values(50, 4, 4, 3) * [1, 5, 0.1] + [100, 0, 0]
    for batch_size in (50, 16, 7):  # the last batch is shorter
        norm = layers.BatchNormalization()
        training.reestimate(keras.Sequential([keras.Input((4, 4, 3)), norm]), x, batch_size=batch_size)
        np.testing.assert_allclose(norm.moving_mean, x.mean(axis=(0, 1, 2)), rtol=1e-5)
        np.testing.assert_allclose(norm.moving_variance, x.var(axis=(0, 1, 2)), rtol=1e-3)


def test_only_the_first_batches_are_used():
    x = values(30, 2)
    norm = layers.BatchNormalization()
    training.reestimate(keras.Sequential([keras.Input((2,)), norm]), x, batches=2, batch_size=10)
    np.testing.assert_allclose(norm.moving_mean, x[:20].mean(axis=0), rtol=1e-5)


def test_a_later_layer_sees_what_the_earlier_one_gives_once_it_is_right():
    x, second = values(40, 3), layers.BatchNormalization()
    hidden = [layers.BatchNormalization(), layers.Dropout(0.5), layers.Dense(4, activation="relu"), second]
    model = keras.Sequential([keras.Input((3,)), *hidden, layers.Dense(1)])
    training.reestimate(model, x, batch_size=40)
    w, b = hidden[2].get_weights()
    given = np.maximum((x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + 1e-3) @ w + b, 0)  # no Dropout
    np.testing.assert_allclose(second.moving_mean, given.mean(axis=0), rtol=1e-4)
    np.testing.assert_allclose(second.moving_variance, given.var(axis=0), rtol=1e-4)


def test_shared_layers_and_several_inputs_count_every_call():
    one, two, norm = keras.Input((2,), name="one"), keras.Input((2,), name="two"), layers.BatchNormalization()
    model = keras.Model({"one": one, "two": two}, layers.Add()([norm(one), norm(two)]))
    x = {"one": values(12, 2), "two": values(12, 2) * 4}
    training.reestimate(model, x, batch_size=5)
    both = np.concatenate(list(x.values()))
    np.testing.assert_allclose(norm.moving_mean, both.mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(norm.moving_variance, both.var(axis=0), rtol=1e-5)


def test_nothing_but_the_statistics_changes_and_frozen_layers_keep_theirs():
    frozen = layers.BatchNormalization(trainable=False)
    inner = keras.Sequential([layers.Dense(3), layers.BatchNormalization(), layers.Dropout(0.5)])
    model = keras.Sequential([keras.Input((2,)), frozen, inner, layers.Dense(1)])
    model.compile("adam", "mse")
    x, y = values(20, 2), values(20, 1)
    model.fit(x, y, verbose=0)
    training.hold(model, masks.from_scores(scores.magnitude(model), 0.5))
    norm = inner.layers[1]
    others = [v for v in (*model.variables, *model.optimizer.variables) if "moving_" not in v.path]
    before, was, frozen_was = [v.numpy() for v in others], statistics(norm), statistics(frozen)
    training.reestimate(model, x)
    assert any("seed" in v.path for v in others)  # Dropout drew nothing
    for variable, value in zip(others, before, strict=True):
        np.testing.assert_array_equal(variable, value, err_msg=variable.path)
    assert not np.allclose(statistics(norm), was)
    np.testing.assert_array_equal(statistics(frozen), frozen_was)
    assert norm.momentum == 0.99 and "call" not in vars(norm)


def test_it_brings_back_what_pruning_a_convolutional_net_took():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 4, 600)
    x = rng.normal(size=(600, 8, 8, 1)).astype("float32")
    x[np.arange(600), 2 * y, :, 0] += 2  # the class is a bright line
    stack = [
        layer
        for filters in (16, 32, 32)
        for layer in (layers.Conv2D(filters, 3, use_bias=False), layers.BatchNormalization(momentum=0.9), layers.ReLU())
    ]
    model = keras.Sequential([keras.Input((8, 8, 1)), *stack, layers.Flatten(), layers.Dense(4, activation="softmax")])
    model.compile(keras.optimizers.Adam(0.003), "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(x[:400], y[:400], epochs=6, batch_size=32, verbose=0)
    validation = x[400:], y[400:]
    dense = model.evaluate(*validation, verbose=0)
    training.hold(model, masks.from_scores(scores.magnitude(model), 0.9))
    pruned = model.evaluate(*validation, verbose=0)
    training.reestimate(model, x[:400])
    again = model.evaluate(*validation, verbose=0)
    for label, (loss, accuracy) in (("dense", dense), ("pruned to 90%", pruned), ("re-estimated", again)):
        print(f"{label}: loss {loss:.3f}, accuracy {accuracy:.3f}")
    assert again[0] < pruned[0] and again[1] > pruned[1] + 0.1


def test_errors_name_the_remedy_and_leave_the_statistics():
    norm = layers.BatchNormalization()
    model = keras.Sequential([keras.Input((2,)), norm])
    before = statistics(norm)
    with pytest.raises(ValueError, match="x holds no example"):
        training.reestimate(model, values(0, 2))
    with pytest.raises(ValueError, match="batches is 0 and batch_size 128"):
        training.reestimate(model, values(3, 2), batches=0)
    with pytest.raises(Exception, match=r"(?i)shape"):
        training.reestimate(model, values(3, 5))
    one, two = keras.Input((2,)), keras.Input((2,))
    with pytest.raises(Exception, match=r"(?i)shape|dimensions"):  # in the second batch
        training.reestimate(keras.Model([one, two], norm(one) + two), [values(6, 2), values(5, 2)], batch_size=3)
    np.testing.assert_array_equal(statistics(norm), before)
    for without in ([layers.Dense(1)], [layers.BatchNormalization(trainable=False)]):
        with pytest.raises(ValueError, match="has no BatchNormalization with trainable=True"):
            training.reestimate(keras.Sequential([keras.Input((2,)), *without]), values(3, 2))
    with pytest.raises(ValueError, match="is not built"):
        training.reestimate(keras.Sequential([layers.BatchNormalization()]), values(3, 2))
