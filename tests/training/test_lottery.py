import keras
import numpy as np
import pytest

from course_lib import masks, scores, training
from course_lib.masks import Masks
from course_lib.schedules import OneShot
from course_lib.variables import prunable

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(64, 6)).astype("float32"), RNG.integers(0, 3, 64)

OPTIMIZERS = {
    "SGD with momentum": lambda: keras.optimizers.SGD(0.1, momentum=0.9),
    "Adam": lambda: keras.optimizers.Adam(0.01),
    "Nadam": lambda: keras.optimizers.Nadam(0.01),
    "Adagrad": lambda: keras.optimizers.Adagrad(0.1),
    "Ftrl": lambda: keras.optimizers.Ftrl(0.1),
    "Muon": lambda: keras.optimizers.Muon(0.01),
    "schedule-free AdamW": lambda: keras.optimizers.ScheduleFreeAdamW(0.01),
    "learning rate schedule": lambda: keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(0.01, 20)),
    "moving average": lambda: keras.optimizers.Adam(0.01, use_ema=True, ema_overwrite_frequency=3),
    "gradient accumulation": lambda: keras.optimizers.Adam(0.01, gradient_accumulation_steps=3),
    "two optimizers": lambda: two_optimizers(),
    "loss scaling": lambda: keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam(0.01), dynamic_growth_steps=3),
}


def two_optimizers():
    adam, sgd = keras.optimizers.Adam(0.01), keras.optimizers.SGD(0.1, momentum=0.9)
    return keras.optimizers.MultiOptimizer(lambda variable: sgd if "one" in variable.path else adam)


def net(optimizer="adam", kind=keras.Model, **options):
    x = keras.Input((6,))
    h = keras.layers.Dense(20, "relu", name="one")(x)
    h = keras.layers.BatchNormalization()(h)
    model = kind(x, keras.layers.Dense(3, "softmax", name="two")(h))
    model.compile(optimizer, "sparse_categorical_crossentropy", **options)
    return model


def fit(model, *callbacks, epochs=1):
    model.fit(X, Y, batch_size=8, epochs=epochs, verbose=0, shuffle=False, callbacks=list(callbacks))


class History(keras.callbacks.Callback):
    def on_train_begin(self, logs=None):
        self.weights = []

    def on_train_batch_end(self, batch, logs=None):
        self.weights.append(self.model.get_weights())


def ticket(model):
    return masks.from_scores(scores.magnitude(model), 0.7)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_rewound_model_trains_on_as_a_new_one_with_the_same_masks_bit_for_bit(optimizer):
    model = net(OPTIMIZERS[optimizer]())
    initial = model.get_weights()
    fit(model, epochs=2)
    held = ticket(model)
    training.rewind(model, initial, held)

    assert int(model.optimizer.iterations) == 0
    if optimizer != "schedule-free AdamW":  # its "momentum" is a second copy of the weights
        slots = [v.numpy() for v in model.optimizer.variables if v.path.endswith(("momentum", "velocity", "average"))]
        assert all(np.all(slot == 0) for slot in slots)
    for variable, value in zip(model.weights, initial, strict=True):
        mask = held.get(variable.path, np.ones(value.shape, bool))
        np.testing.assert_array_equal(variable.numpy()[mask], value[mask])
        assert np.all(variable.numpy()[~mask] == 0)

    new = net(OPTIMIZERS[optimizer]())
    new.set_weights(initial)
    training.hold(new, held)
    new.optimizer.build(new.trainable_variables)  # inside of fit Keras loses what schedule-free slots start from
    for trained in (model, new):
        fit(trained, epochs=2)
    for variable, expected in zip(model.weights, new.weights, strict=True):
        np.testing.assert_array_equal(variable.numpy(), expected.numpy())
    for path, kernel in prunable(model).items():
        assert np.all(kernel.numpy()[~held[path]] == 0)
    assert np.any(model.get_weights()[0][held["one/kernel"]] != initial[0][held["one/kernel"]])


def test_without_a_new_start_of_the_optimizer_the_training_is_another():
    model = net()
    initial = model.get_weights()
    fit(model)
    held = ticket(model)
    training.hold(model, held)
    model.set_weights(initial)
    fit(model)
    new = net()
    training.rewind(new, initial, held)
    fit(new)
    assert any(np.any(a.numpy() != b.numpy()) for a, b in zip(model.weights, new.weights, strict=True))


@pytest.mark.parametrize("at", [0, 3, 8])
def test_a_snapshot_holds_the_weights_of_its_step(at):
    early, model, history = training.Snapshot(at=at), net(), History()
    initial = model.get_weights()
    fit(model, history, early)
    seen = [initial, *history.weights]
    assert len(early.weights) == len(seen[at]) == 8
    for found, expected in zip(early.weights, seen[at], strict=True):
        np.testing.assert_array_equal(found, expected)
    training.rewind(model, early.weights, ticket(model))
    fit(model, training.Prune(scores.magnitude, OneShot(0.9, at=2)))
    assert Masks.of_zeros(model).sparsity == pytest.approx(0.9, abs=0.01)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_an_optimizer_put_back_trains_the_second_epoch_again_bit_for_bit(optimizer):
    model, early = net(OPTIMIZERS[optimizer]()), training.Snapshot(at=8)
    if optimizer == "gradient accumulation":  # of two batches: an epoch is whole steps
        model, early = net(keras.optimizers.Adam(0.01, gradient_accumulation_steps=2)), training.Snapshot(at=4)
    fit(model, early, epochs=2)
    after = model.get_weights()
    everything = {path: np.ones(kernel.shape, bool) for path, kernel in prunable(model).items()}
    training.rewind(model, early.weights, everything, early.optimizer)
    assert int(model.optimizer.iterations) == early.at
    fit(model)
    for variable, expected in zip(model.weights, after, strict=True):
        np.testing.assert_array_equal(variable.numpy(), expected)


@pytest.mark.parametrize("at", [0, 3, 8])
def test_the_learning_rate_schedule_is_rewound_to_the_step_of_the_weights(at):
    falling = keras.optimizers.schedules.PolynomialDecay(0.1, decay_steps=16, end_learning_rate=0.02)
    model, early = net(keras.optimizers.SGD(falling, momentum=0.9)), training.Snapshot(at=at)
    fit(model, early, epochs=2)
    rates = []
    for optimizer in (early.optimizer, None):
        training.rewind(model, early.weights, ticket(model), optimizer)
        rates.append(float(model.optimizer.learning_rate))
        fit(model)
        rates.append(float(model.optimizer.learning_rate))
    line = [0.1 - (0.1 - 0.02) * step / 16 for step in (at, at + 8, 0, 8)]
    assert rates == pytest.approx(line)
    assert Masks.of_zeros(model).sparsity == pytest.approx(0.7, abs=0.01)


def test_a_snapshot_rewinds_a_model_that_was_not_trained_yet():
    model, early = net(), training.Snapshot(at=3)
    fit(model, early)
    fresh = net()
    training.rewind(fresh, early.weights, ticket(model), early.optimizer)
    assert int(fresh.optimizer.iterations) == 3
    for variable, kept in zip(fresh.optimizer.variables, early.optimizer, strict=True):
        np.testing.assert_array_equal(variable.numpy(), kept)


def test_a_snapshot_goes_on_in_another_fit_and_counts_the_optimizers_steps():
    model = net(keras.optimizers.Adam(gradient_accumulation_steps=2))
    early, history = training.Snapshot(at=3), History()
    fit(model, history, early)
    np.testing.assert_array_equal(early.weights[0], history.weights[5][0])  # three steps of two batches
    assert np.any(history.weights[5][0] != history.weights[3][0])
    taken = early.weights
    fit(model, early)
    assert early.weights is taken


def test_a_snapshot_that_cannot_be_taken_is_an_error():
    unbuilt = keras.Sequential([keras.layers.Dense(3, "softmax")])
    unbuilt.compile("sgd", "sparse_categorical_crossentropy")
    with pytest.raises(ValueError, match="is not built; call it on a batch"):
        fit(unbuilt, training.Snapshot())
    with pytest.raises(ValueError, match="at is -1"):
        training.Snapshot(at=-1)
    with pytest.raises(ValueError, match="Snapshot ends at step 9, but fit makes only 8 steps"):
        fit(net(), training.Snapshot(at=9))
    with pytest.raises(RuntimeError, match="at is 3, but training was only seen at step 4"):
        fit(net(steps_per_execution=4), training.Snapshot(at=3))

    class Stop(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            self.model.stop_training = batch == 3

    with pytest.raises(RuntimeError, match="at is 6, but training ended after step 4"):
        fit(net(), training.Snapshot(at=6), Stop())


def test_rewinding_again_needs_no_new_trace():
    traces = []

    class Counted(keras.Model):
        def train_step(self, *arguments):
            traces.append(1)  # Python runs only while the step is traced
            return super().train_step(*arguments)

    model = net(kind=Counted)
    initial = model.get_weights()
    training.rewind(model, initial, ticket(model))
    fit(model)
    traced = len(traces)
    training.rewind(model, initial, ticket(model))
    fit(model)
    assert len(traces) == traced > 0


def test_a_model_that_is_not_compiled_or_not_fitted_can_be_rewound():
    model = net()
    model.optimizer = None
    training.rewind(model, model.get_weights(), ticket(model))
    model = net()
    training.rewind(model, model.get_weights(), ticket(model))
    assert Masks.of_zeros(model).sparsity == pytest.approx(0.7, abs=0.01)


@pytest.mark.parametrize("weights", [None, [], "other"])
def test_bad_arguments_change_nothing(weights):
    model = net()
    fit(model)
    before = model.get_weights()
    other = [np.ones((2, 2)), *before[1:]] if weights == "other" else weights
    with pytest.raises(ValueError, match="weights have the shapes"):
        training.rewind(model, other, ticket(model))
    with pytest.raises(ValueError, match="no variable 'three/kernel'"):
        training.rewind(model, [0 * w for w in before], {"three/kernel": np.ones((1, 1), bool)})
    for compiled in (True, False):
        asked = model if compiled else keras.Model(model.inputs, model.outputs)
        with pytest.raises(ValueError, match=r"optimizer has the shapes \[\(3,\)\]; the model's, as Snapshot"):
            training.rewind(asked, [0 * w for w in before], ticket(model), [np.ones(3)])
    assert int(model.optimizer.iterations) == 8
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
