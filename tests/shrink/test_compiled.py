"""Compile state and optimizer: what trains on as the smaller model is what trains on as the masked one."""

import keras
import numpy as np
import pytest
from keras import layers
from oracles import answers, randomised

from course_lib import shrink, training

KEPT, GONE = [0, 3, 4, 5], [1, 2]
OF_DENSE = [1, 7]
X = np.random.default_rng(5).normal(size=(16, 5, 5, 3)).astype("float32")
Y = np.random.default_rng(6).normal(size=(16, 2)).astype("float32")
ALONG = {  # what of each weight is gone: {its end: ((axis, indices), …)}
    "made/kernel": ((3, GONE),),
    "norm/gamma": ((0, GONE),),
    "norm/beta": ((0, GONE),),
    "branch/kernel": ((3, GONE), (2, GONE)),
    "branch/bias": ((0, GONE),),
    "dense/kernel": ((1, OF_DENSE), (0, [i for i in range(96) if i % 6 in GONE])),
    "dense/bias": ((0, OF_DENSE),),
    "output/kernel": ((0, OF_DENSE),),
}


def net():
    """A residual block with a norm, then two Dense layers; no weight is 0 or 1."""
    x = keras.Input((5, 5, 3))
    h = layers.Conv2D(6, 2, use_bias=False, name="made")(x)
    h = layers.ReLU()(layers.BatchNormalization(name="norm")(h))
    h = layers.Add()([h, layers.Conv2D(6, 1, name="branch")(h)])
    h = layers.Dense(8, "tanh", name="dense")(layers.Flatten()(h))
    return randomised(keras.Model(x, layers.Dense(2, name="output")(h)))


def held(model):
    """The masks of the units, held: of all weights that make or scale them."""
    masks = {}
    for v in model.trainable_variables:
        mask = np.ones(v.shape, bool)
        (axis, indices), *_ = ALONG.get(v.path, ((0, []),))
        if v.path != "output/kernel":
            np.moveaxis(mask, axis, 0)[indices] = False
            masks[v.path] = mask
    training.hold(model, masks)
    mean = model.get_layer("norm").moving_mean
    mean.assign(mean.numpy() * np.isin(range(6), KEPT))
    return model


def remaining(v):
    value = v.numpy()
    for axis, indices in ALONG.get(v.path, ()):
        value = np.delete(value, indices, axis)
    return value


def fit(model, epochs, **options):
    model.fit(X, Y, batch_size=4, epochs=epochs, verbose=0, shuffle=False, **options)


def removed(model):
    return shrink.remove_units(model, {"made": KEPT, "dense": [0, 2, 3, 4, 5, 6]})


opt = keras.optimizers
OPTIMIZERS = {
    "sgd": lambda: opt.SGD(0.01),
    "momentum": lambda: opt.SGD(0.01, momentum=0.9, nesterov=True),
    "adam": lambda: opt.Adam(0.01),
    "adamw": lambda: opt.AdamW(0.01, weight_decay=0.1),
    "rmsprop": lambda: opt.RMSprop(0.01, momentum=0.5, centered=True),
    "ftrl": lambda: opt.Ftrl(0.01),
    "lion": lambda: opt.Lion(0.001),
    "schedule-free": lambda: opt.ScheduleFreeAdamW(0.01),
    "moving average": lambda: opt.Adam(0.01, use_ema=True, ema_momentum=0.9),
    "moving average, written back": lambda: opt.Adam(0.01, use_ema=True, ema_overwrite_frequency=3),
    "accumulation": lambda: opt.Adam(0.01, gradient_accumulation_steps=3),  # 4 steps an epoch: one is half done
    "schedule": lambda: opt.Adam(opt.schedules.ExponentialDecay(0.02, 2, 0.5)),
    "loss scaling": lambda: opt.LossScaleOptimizer(opt.SGD(0.01, momentum=0.9), dynamic_growth_steps=3),
    "several": lambda: opt.MultiOptimizer(opt.OptimizerMap(opt.SGD(0.01, momentum=0.9), {"norm.*": opt.Adam(0.01)})),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_more_steps_are_those_of_the_masked_model(name):
    model = net()
    model.compile(OPTIMIZERS[name](), "mse")
    fit(held(model), 2)
    small = removed(model)
    np.testing.assert_allclose(answers(small, X)[0], answers(model, X)[0], atol=1e-5)
    assert int(small.optimizer.iterations) == int(model.optimizer.iterations) > 0
    fit(model, 2)
    fit(small, 2)
    assert [v.path for v in model.variables] == [v.path for v in small.variables]
    for v, new in zip(model.trainable_variables, small.trainable_variables, strict=True):
        np.testing.assert_allclose(new, remaining(v), rtol=1e-4, atol=2e-6 + 1e-5 * np.abs(v).max(), err_msg=v.path)


@pytest.mark.parametrize("kind", ["adam", "accumulation", "moving average"])
def test_slots_are_carried_unit_by_unit(kind):
    model = net()
    model.compile(OPTIMIZERS[kind](), "mse")
    fit(held(model), 2)
    small = removed(model)
    slots = [v for v in model.optimizer.variables if len(v.shape) > 0]
    carried = [v for v in small.optimizer.variables if len(v.shape) > 0]
    assert len(slots) == len(carried) >= 2 * len(model.trainable_variables)
    variables = {tuple(v.shape): v for v in model.trainable_variables}  # each shape of this net with its own axes
    same = [slot for slot, new in zip(slots, carried, strict=True) if tuple(new.shape) == tuple(slot.shape)]
    assert all(tuple(slot.shape) == (2,) for slot in same)  # only the output's bias keeps its size
    for slot, new in zip(slots, carried, strict=True):
        owner = variables[tuple(slot.shape)]
        value = slot.numpy()
        for axis, indices in ALONG.get(owner.path, ()):
            value = np.delete(value, indices, axis)
        np.testing.assert_array_equal(new, value)


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


def test_the_learning_rate_that_a_callback_has_set():
    for fitted in (True, False):
        model = net()
        model.compile(opt.Adam(0.01), "mse")
        if fitted:
            fit(model, 1)
        model.optimizer.learning_rate = 0.5
        assert float(removed(model).optimizer.learning_rate) == 0.5


def test_weights_that_were_not_to_decay_still_do_not():
    model = net()
    decaying = opt.SGD(0.1, weight_decay=0.5)
    decaying.exclude_from_weight_decay(var_names=["bias", "beta", "gamma"])
    model.compile(decaying, "mse")
    fit(held(model), 1)
    small = removed(model)
    fit(model, 1)
    fit(small, 1)
    np.testing.assert_allclose(answers(small, X)[0], answers(model, X)[0], atol=1e-4)


def test_a_bias_that_was_added_trains_with_the_others():
    """A layer without one gets one for a constant: the optimizer must know it."""
    x = keras.Input((4,))
    h = layers.Dense(6, "sigmoid", name="made")(x)
    model = randomised(keras.Model(x, layers.Dense(2, use_bias=False, name="output")(h)))
    model.compile("adam", "mse")
    model.fit(np.ones((8, 4)), np.ones((8, 2)), verbose=0)
    kernel = model.get_layer("made").kernel
    kernel.assign(kernel.numpy() * [1, 0, 1, 1, 1, 1])
    small = shrink.shrink(model)
    bias = small.get_layer("output").bias
    before = bias.numpy()
    small.fit(np.ones((8, 4)), np.ones((8, 2)), verbose=0)
    assert int(small.optimizer.iterations) == 2 and np.all(bias.numpy() != before)


def test_mixed_precision_keeps_its_loss_scale():
    keras.config.set_dtype_policy("mixed_float16")
    try:
        model = net()
    finally:
        keras.config.set_dtype_policy("float32")
    model.compile("adam", "mse")
    fit(model, 1)
    small = removed(model)
    assert type(small.optimizer.inner_optimizer) is opt.Adam
    assert float(small.optimizer.dynamic_scale) == float(model.optimizer.dynamic_scale)
    fit(small, 1)
    assert int(small.optimizer.iterations) == 2 * int(model.optimizer.iterations)


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
    before = [np.array(v) for v in everything]
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


def test_layers_frozen_before_and_after_the_first_fit():
    for before in (True, False):
        model = net()
        model.get_layer("branch").trainable = not before
        model.compile("adam", "mse")
        fit(model, 1)
        model.get_layer("branch").trainable = False
        small = removed(model)
        kernel = small.get_layer("branch").kernel.numpy()
        fit(small, 1)
        np.testing.assert_array_equal(small.get_layer("branch").kernel, kernel)
