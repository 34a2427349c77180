"""Compile state: loss, metrics and settings are the old model's, and the old model is not touched."""

import keras
import numpy as np
import pytest
from keras import layers
from oracles import answers
from trained import GONE, X, Y, fit, held, net, removed

from course_lib import shrink

opt = keras.optimizers


@pytest.mark.parametrize("options", [{"jit_compile": True}, {"steps_per_execution": 2}, {"run_eagerly": True}])
def test_how_it_was_compiled_is_kept(options):
    model = net()
    model.compile("adam", "mse", metrics=["mae"], **options)
    fit(model, 1)
    small = removed(model)
    for name, value in options.items():
        assert getattr(small, name) == value
    fit(small, 1)


def test_metrics_are_new_and_a_model_s_own():
    model = net()
    error = keras.metrics.MeanSquaredError(name="error")
    model.compile("adam", "mse", metrics=[error, "mae"], weighted_metrics=["mape"])
    fit(model, 1)
    seen = float(error.count)
    small = removed(model)
    assert small.evaluate(X, Y, verbose=0, return_dict=True).keys() == {"loss", "error", "mae", "mape"}
    assert float(error.count) == seen  # the old model's metric saw nothing of that
    total = small.evaluate(X, Y, verbose=0, return_dict=True)
    assert total["error"] == pytest.approx(np.mean((answers(small, X)[0] - Y) ** 2), rel=1e-5)


def test_losses_metrics_and_weights_by_the_outputs_names():
    x = keras.Input((4,))
    h = layers.Dense(6, name="made")(x)
    model = keras.Model(x, {"p": layers.Dense(2, name="p")(h), "q": layers.Dense(1, name="q")(h)})
    losses = {"p": "mse", "q": lambda y, found: keras.ops.mean(keras.ops.abs(y - found))}
    model.compile("sgd", losses, loss_weights={"p": 1.0, "q": 0.5}, metrics={"q": [keras.metrics.MeanSquaredError()]})
    y = {"p": np.ones((8, 2)), "q": np.ones((8, 1))}
    model.fit(np.ones((8, 4)), y, verbose=0)
    small = shrink.remove_units(model, {"made": range(6)})
    before = model.evaluate(np.ones((8, 4)), y, verbose=0, return_dict=True)
    assert small.evaluate(np.ones((8, 4)), y, verbose=0, return_dict=True) == pytest.approx(before)


def test_again_and_again_saved_and_loaded(tmp_path):
    model = net()
    model.compile("adam", "mse")
    fit(model, 1)
    small = shrink.remove_units(removed(model), {"made": [0, 1]})
    fit(small, 1)
    small.save(tmp_path / "small.keras")
    loaded = keras.models.load_model(tmp_path / "small.keras")
    np.testing.assert_allclose(answers(loaded, X), answers(small, X), atol=1e-6)
    fit(loaded, 1)
    assert int(loaded.optimizer.iterations) == 12 and loaded.get_layer("made").filters == 2


def test_the_old_model_is_not_touched():
    model = net()
    model.compile(opt.Adam(0.01), "mse", metrics=["mae"])
    fit(held(model), 1)
    everything = [*model.variables, *model.optimizer.variables]
    before = [v.numpy() for v in everything]
    calls = {layer.name: len(layer._inbound_nodes) for layer in model.layers}
    optimizer, step, output = model.optimizer, model.train_function, model.get_layer("branch").output
    removed(model)
    assert all(np.array_equal(old, v) for old, v in zip(before, everything, strict=True))
    assert calls == {layer.name: len(layer._inbound_nodes) for layer in model.layers}
    assert model.optimizer is optimizer and model.train_function is step and model.get_layer("branch").output is output
    fit(model, 1)
    assert np.all(model.get_layer("made").kernel.numpy()[..., GONE] == 0)  # still held
    assert int(optimizer.iterations) == 8


def test_a_model_that_was_not_compiled():
    small = removed(net())
    assert not small.compiled
    small.compile("adam", "mse")
    fit(small, 1)


def test_an_optimizer_that_cannot_be_made_again():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(6, name="made"), layers.Dense(2)])
    model.compile(keras.optimizers.Adam(lambda: 0.01), "mse")
    with pytest.raises(ValueError, match="Adam, with which the model was compiled"):
        shrink.remove_units(model, {"made": range(4)})
