"""What all callbacks that count optimizer steps have in common, whatever they do at them."""

import keras
import numpy as np
import pytest

from course_lib import models, scores, training
from course_lib.masks import Masks
from course_lib.schedules import OneShot, Polynomial
from course_lib.variables import prunable

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(64, 6)).astype("float32"), RNG.integers(0, 3, 64)  # eight steps an epoch

CALLBACKS = {
    "Prune": lambda **more: training.Prune(scores.magnitude, OneShot(0.5, at=more.pop("end", 4)), **more),
    "Movement": lambda **more: training.Movement(OneShot(0.5, at=more.pop("end", 4)), **more),
    "SET": lambda **more: training.SET(0.5, **{"end": 4, "frequency": 2, **more}),
    "RigL": lambda **more: training.RigL(0.5, data=(X, Y), **{"end": 4, "frequency": 2, **more}),
    "Snapshot": lambda **more: training.Snapshot(at=more.pop("end", 4), **more),
}
every_callback = pytest.mark.parametrize("name", CALLBACKS)


def net(optimizer="adam", **options):
    layers = [keras.layers.Dense(20, "relu", name="one"), keras.layers.Dense(3, "softmax", name="two")]
    model = keras.Sequential([keras.Input((6,)), *layers], name="net")  # loading changes a Sequential model's paths
    model.compile(optimizer, "sparse_categorical_crossentropy", **options)
    return model


def fit(model, *callbacks, **options):
    model.fit(X, Y, **{"batch_size": 8, "verbose": 0, "callbacks": list(callbacks), **options})


def saved_and_loaded(model, folder):
    model.save(folder / "model.keras")
    return keras.models.load_model(folder / "model.keras")


def zeros(model):
    return round(Masks.of_zeros(model).sparsity, 3)


def assert_unchanged(model, weights):
    for before, after in zip(weights, model.get_weights(), strict=True):
        np.testing.assert_array_equal(before, after)


@every_callback
@pytest.mark.parametrize("steps", [1, 8], ids=["in the middle", "at the end"])
def test_another_model_is_refused(name, steps):
    callback = CALLBACKS[name](fits=2)
    fit(net(), callback, steps_per_epoch=steps)
    other = net()
    weights = other.get_weights()
    for _ in range(2):  # a refusal is not the beginning of another run
        with pytest.raises(ValueError, match=f"{name} has trained another model, up to step {steps}; make a new one"):
            fit(other, callback)
    assert int(other.optimizer.iterations) == 0
    assert_unchanged(other, weights)
    larger = models.lenet_300_100(width=0.1)
    larger.compile("adam", "sparse_categorical_crossentropy")
    with pytest.raises(ValueError, match="has trained another model"):
        larger.fit(np.zeros((8, 28, 28, 1)), np.zeros(8), verbose=0, callbacks=[callback])


@every_callback
@pytest.mark.parametrize("steps", [2, 8], ids=["in the middle", "at the end"])
def test_a_model_that_was_saved_and_loaded_goes_on(name, steps, tmp_path):
    callback = CALLBACKS[name](fits=2)
    fit(net(), callback, steps_per_epoch=steps)
    loaded = saved_and_loaded(callback.model, tmp_path)
    fit(loaded, callback)
    assert callback.step == steps + 8
    if name == "Snapshot":
        assert len(callback.weights) == 4
    else:
        assert zeros(loaded) >= 0.5 and set(callback.masks) == set(prunable(loaded))
        assert set(getattr(callback, "scores", callback.masks)) == set(prunable(loaded))
        assert round(callback.masks.sparsity, 3) == 0.5


@pytest.mark.parametrize("name", ["Prune", "Movement"])
def test_a_pruned_model_that_was_built_again_goes_on_by_its_zeros(name):
    callback = CALLBACKS[name]()
    fit(net(), callback)
    again = net()
    again.set_weights(callback.model.get_weights())
    fit(again, callback)
    assert zeros(again) == 0.5 and callback.step == 16


@every_callback
def test_the_epochs_before_initial_epoch_are_not_counted(name):
    model = net()
    weights = model.get_weights()
    with pytest.raises(ValueError, match=f"{name} ends at step 12, but fit makes only 8 steps; train longer"):
        fit(model, CALLBACKS[name](end=12), epochs=3, initial_epoch=2)
    assert_unchanged(model, weights)
    callback = CALLBACKS[name](end=12)
    fit(model, callback, epochs=4, initial_epoch=2)
    assert callback.step == 16


@every_callback
def test_a_loop_of_fits_says_how_many_they_are(name):
    with pytest.raises(ValueError, match=r"but fit makes only 8 steps; .* give the number of calls as fits"):
        fit(net(), CALLBACKS[name](end=20))
    model, callback = net(), CALLBACKS[name](end=20, fits=3)
    fit(model, callback, steps_per_epoch=2)
    fit(model, callback)
    with pytest.raises(ValueError, match=f"{name} ends at step 20, but fit makes only 18 steps"):
        fit(model, callback)
    fit(model, callback, epochs=2)
    fit(model, callback)  # and one more
    assert callback.step == 34
    if name == "Snapshot":
        assert len(callback.weights) == 4
    else:
        assert zeros(model) >= 0.5


@pytest.mark.parametrize("name", ["Prune", "Movement", "Snapshot"])
def test_only_the_last_of_several_fits_may_not_stop_early(name):
    model, callback = net(), CALLBACKS[name](end=14, fits=2)
    fit(model, callback, Stop(after=6))
    with pytest.raises(RuntimeError, match=r"ended after (optimizer )?step 12"):
        fit(model, callback, Stop(after=6))
    fit(model, callback)
    assert callback.step == 20


class Stop(keras.callbacks.Callback):
    def __init__(self, after):
        super().__init__()
        self.after = after

    def on_train_batch_end(self, batch, logs=None):
        self.model.stop_training = batch == self.after - 1


@pytest.mark.parametrize("batches", [7, 8])
def test_gradients_that_are_accumulated_across_fits_make_steps_too(batches):
    model = net(keras.optimizers.Adam(gradient_accumulation_steps=2))
    prune = CALLBACKS["Prune"](end=(2 * batches) // 2, fits=2)
    for _ in range(2):
        fit(model, prune, steps_per_epoch=batches)
    assert prune.step == batches and zeros(model) == 0.5


def overflowing():
    """A model whose loss scaling starts too high: the first steps have infinite gradients, and are skipped."""
    return net(keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam(), initial_scale=2.0**127), loss_weights=[16])


@every_callback
def test_a_step_that_loss_scaling_skips_has_passed_when_fit_ends(name):
    model, callback = overflowing(), CALLBACKS[name](end=16)
    fit(model, callback, epochs=2)
    assert 0 < int(model.optimizer.iterations) < 16
    assert callback.step == 16
    if name == "Snapshot":
        for kept, last in zip(callback.weights, model.get_weights(), strict=True):
            np.testing.assert_array_equal(kept, last)
    else:
        assert zeros(model) >= 0.5


def test_skipped_steps_do_not_add_up_over_several_fits():
    model, prune = overflowing(), CALLBACKS["Prune"](end=24, fits=3)
    for step in (8, 16, 24):
        fit(model, prune)
        assert prune.step == step
    assert int(model.optimizer.iterations) < 24 and zeros(model) == 0.5


def test_a_fit_that_is_stopped_while_loss_scaling_skips_says_how_far_it_came():
    model = overflowing()
    with pytest.raises(RuntimeError, match=r"ended after optimizer step \d, before the schedule's end at 16"):
        fit(model, CALLBACKS["Prune"](end=16), Stop(after=7), epochs=2)
    assert zeros(model) == 0


@pytest.mark.parametrize("number", [None, "2", 1.5, True, -1, float("nan")])
def test_steps_and_fits_are_whole_numbers(number):
    for make, argument in (
        *((lambda n, name=name: CALLBACKS[name](fits=n), "fits") for name in CALLBACKS),
        (lambda n: training.SET(0.5, end=n, frequency=2), "end"),
        (lambda n: training.SET(0.5, end=10, frequency=n), "frequency"),
        (lambda n: training.Prune(scores.magnitude, OneShot(0.5), frequency=n), "frequency"),
        (lambda n: training.Snapshot(at=n), "at"),
    ):
        with pytest.raises(ValueError, match=f"{argument} is {number!r}; it must be a whole number, at least"):
            make(number)


def test_numpys_whole_numbers_are_whole_numbers():
    training.SET(0.5, end=np.int64(10), frequency=np.float32(2))
    assert training.Snapshot(at=np.int32(3)).at == 3


@every_callback
def test_a_model_of_keras_2_is_refused(name):
    import tf_keras

    model = tf_keras.Sequential([tf_keras.Input((6,)), tf_keras.layers.Dense(3, activation="softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy")
    with pytest.raises(TypeError, match=r"model is a tf_keras\..*Sequential; give a Keras 3 model"):
        model.fit(X, Y, verbose=0, callbacks=[CALLBACKS[name]()])


def test_a_model_that_is_built_by_its_first_batch_is_pruned():
    model = keras.Sequential([keras.layers.Dense(20, "relu"), keras.layers.Dense(3, "softmax")])
    model.compile("adam", "sparse_categorical_crossentropy")
    fit(model, training.Prune(scores.magnitude, Polynomial(0.8, begin=0, end=8), frequency=2))
    assert zeros(model) == 0.8
