"""The optimizer goes on: the smaller model takes the steps that the masked and held one takes."""

import keras
import numpy as np
import pytest
from keras import layers
from oracles import answers, randomised
from trained import ALONG, X, fit, held, net, remaining, removed

from course_lib import shrink

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
