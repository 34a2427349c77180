from itertools import pairwise

import keras
import numpy as np
import pytest

from course_lib import training
from course_lib.schedules import Constant, OneShot, Polynomial
from course_lib.variables import prunable

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(64, 6)).astype("float32"), RNG.integers(0, 3, 64)

OPTIMIZERS = {
    "SGD with momentum": lambda: keras.optimizers.SGD(0.1, momentum=0.9),
    "Adam": lambda: keras.optimizers.Adam(0.01),
    "gradient accumulation": lambda: keras.optimizers.Adam(0.01, gradient_accumulation_steps=2),
    "moving average, written back": lambda: keras.optimizers.Adam(0.01, use_ema=True, ema_overwrite_frequency=3),
    "two optimizers": lambda: two_optimizers(),
}


def two_optimizers():
    adam, sgd = keras.optimizers.Adam(0.01), keras.optimizers.SGD(0.1)
    return keras.optimizers.MultiOptimizer(lambda v: sgd if "one" in v.path else adam)


def net(optimizer="adam", kind=keras.Model, **options):
    x = keras.Input((6,))
    h = keras.layers.Dense(20, "relu", name="one")(x)
    model = kind(x, keras.layers.Dense(3, "softmax", name="two")(h))
    model.compile(optimizer, "sparse_categorical_crossentropy", **options)
    return model


def fit(model, *callbacks, epochs=2):
    model.fit(X, Y, batch_size=8, epochs=epochs, verbose=0, callbacks=list(callbacks))


class Watch(keras.callbacks.Callback):
    def __init__(self, movement):
        super().__init__()
        self.movement, self.masks = movement, []

    def on_train_batch_end(self, batch, logs=None):
        if self.movement.masks is not None:
            self.masks.append(self.movement.masks)
            for path, mask in self.movement.masks.items():
                assert np.all(prunable(self.model)[path].numpy()[~mask] == 0), path


def sloped(w, slope, optimizer, steps_a_fit, movement, **options):
    """Train w under the loss Σ slope · w, whose gradient is the slope, whatever w is."""
    x = keras.Input((len(w),))
    model = keras.Model(x, keras.layers.Dense(1, use_bias=False, name="dense")(x))
    model.get_layer("dense").kernel.assign(w[:, None])
    model.compile(optimizer, lambda y, prediction: keras.ops.mean(prediction), **options)
    x = np.tile(slope.astype("float32"), (steps_a_fit, 1))
    model.fit(x, np.zeros(steps_a_fit), batch_size=1, verbose=0, callbacks=[movement])
    return model.get_layer("dense").kernel.numpy()[:, 0]


W = np.array([1.0, -2.0, 0.5, -0.25, 3.0, 1.4])  # the last one falls towards zero, through it, and grows
G = np.array([2.0, 1.0, -1.0, 0.5, 0.25, 4.0])


@pytest.mark.parametrize("scaled", [False, True])
def test_the_score_of_a_constant_gradient_before_any_pruning(scaled):
    optimizer = keras.optimizers.SGD(0.1)
    optimizer = keras.optimizers.LossScaleOptimizer(optimizer) if scaled else optimizer
    movement = training.Movement(OneShot(0.5, at=10))
    sloped(W, G, optimizer, 10, movement)
    expected = -sum(G * (W - 0.1 * G * t) for t in range(10))  # S = −Σ g w, while w = w₀ − η g t
    np.testing.assert_allclose(movement.scores["dense/kernel"][:, 0], expected, rtol=1e-5)
    np.testing.assert_array_equal(movement.masks["dense/kernel"][:, 0], expected > np.sort(expected)[2])


def test_a_weight_that_sleeps_keeps_its_value_and_its_score_learns_on_until_it_comes_back():
    rate, schedule = 0.1, Polynomial(0.5, begin=3, end=9, power=1)
    movement = training.Movement(schedule, frequency=3)
    w, s, kept = W.copy(), np.zeros(6), np.ones(6, bool)
    came_back = 0
    for t in range(30):  # the algorithm by hand; masks at steps 3, 6 and 9
        if t in (3, 6, 9):
            n = 6 - int(np.floor(schedule(t) * 6 + 0.5))
            before, kept = kept, np.isin(np.arange(6), np.argsort(-s)[:n])
            came_back += (kept & ~before).sum()
        s -= G * w
        w = np.where(kept, w - rate * G, w)
    assert came_back > 0
    found = sloped(W, G, keras.optimizers.SGD(rate), 30, movement)
    np.testing.assert_allclose(movement.scores["dense/kernel"][:, 0], s, rtol=1e-4)
    np.testing.assert_array_equal(movement.masks["dense/kernel"][:, 0], kept)
    np.testing.assert_allclose(found, np.where(kept, w, 0), rtol=1e-5)


def test_a_weight_comes_back_with_the_value_that_it_fell_asleep_with_and_no_momentum():
    movement = training.Movement(Polynomial(0.5, begin=2, end=8, power=1), frequency=2)
    model = net(keras.optimizers.Adam(0.03))
    fit(model, keras.callbacks.LambdaCallback(), epochs=1)
    history = []

    class Keep(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            kernels = {path: v.numpy() for path, v in prunable(self.model).items()}
            slots = {v.path: v.numpy() for v in self.model.optimizer.variables}
            history.append((movement.masks, kernels, slots))

        def on_train_batch_end(self, batch, logs=None):
            history.append((movement.masks, {path: v.numpy() for path, v in prunable(self.model).items()}, None))

    fit(model, movement, Keep())
    slept, back = {}, 0
    for (old, before, _), (new, after, slots) in pairwise(history):
        if slots is None or new is None or new is old:
            continue
        for path, mask in new.items():
            was = np.ones_like(mask) if old is None else old[path]
            for place in np.argwhere(mask & ~was):
                back += 1
                assert after[path][tuple(place)] == slept[path, *place]
                name = path.replace("/", "_")
                own = [slot[tuple(place)] for key, slot in slots.items() if name in key]
                assert own == [0, 0]
            slept |= {(path, *place): before[path][tuple(place)] for place in np.argwhere(was & ~mask)}
    assert back > 0


@pytest.mark.parametrize(
    ("optimizer", "jit"),
    [(o, False) for o in OPTIMIZERS] + [("SGD with momentum", True), ("gradient accumulation", True)],
)
def test_the_schedule_is_followed_exactly_and_zeros_hold(optimizer, jit):
    movement = training.Movement(Polynomial(0.8, begin=2, end=8), frequency=2)
    watch = Watch(movement)
    model = net(OPTIMIZERS[optimizer](), jit_compile=jit)
    fit(model, movement, watch, epochs=3)
    counts = [[int(mask.sum()) for mask in masks.values()] for masks in watch.masks]
    expected = [[n - int(np.floor(Polynomial(0.8, 2, 8)(t) * n + 0.5)) for n in (120, 60)] for t in (4, 6, 8)]
    assert sorted(map(tuple, counts), reverse=True) == list(map(tuple, counts))
    assert set(map(tuple, expected)) == set(map(tuple, counts))
    assert all(np.any(score != 0) for score in movement.scores.values())


def test_new_masks_need_no_new_trace_and_training_ends_as_it_began():
    traces = []

    class Counted(keras.Model):
        def train_step(self, *arguments):
            traces.append(1)  # Python runs only while the step is traced
            return super().train_step(*arguments)

    model = net(kind=Counted)
    fit(model, epochs=1)
    before = len(traces)
    movement = training.Movement(Polynomial(0.8, begin=1, end=30), frequency=1)
    fit(model, movement, epochs=4)
    learned = movement.scores
    assert len(traces) - before <= 3  # the step with the scores; once more for the masks
    fit(model)
    assert all(np.array_equal(learned[path], score) for path, score in movement.scores.items())
    assert [float(np.mean(kernel.numpy() == 0)) for kernel in prunable(model).values()] == pytest.approx([0.8, 0.8])


def test_what_others_held_does_not_come_back_and_what_movement_pruned_may():
    model = net(keras.optimizers.SGD(0.3))
    training.hold(model, {"one/kernel": np.arange(120).reshape(6, 20) % 2 == 0})
    movement = training.Movement(Polynomial(0.8, begin=2, end=14), frequency=2, fits=2)
    watch = Watch(movement)
    fit(model, movement, watch, epochs=1)
    awake, count = movement.masks["two/kernel"], len(watch.masks)
    training.hold(model, {"two/kernel": awake & (np.arange(3) > 0)})  # the first of three units goes
    fit(model, movement, watch, epochs=1)
    assert np.any(awake[:, 0])
    assert not any(np.any(masks["two/kernel"][awake[:, 0], 0]) for masks in watch.masks[count:])
    came_back = 0
    for old, new in pairwise(watch.masks):
        assert not np.any(new["one/kernel"].ravel()[1::2])
        came_back += sum(int((new[path] & ~old[path]).sum()) for path in new)
    assert came_back > 0
    assert list(movement.masks.per_tensor().values()) == pytest.approx([0.8, 0.8])


def test_another_fit_goes_on():
    movement = training.Movement(OneShot(0.5, at=8))
    model = net()
    fit(model, epochs=1)  # the step that is compiled already knows of no scores
    fit(model, movement, epochs=1)
    learned = movement.scores
    assert all(np.any(score != 0) for score in learned.values())
    fit(model, movement, Watch(movement), epochs=1)
    assert movement.step == 16
    assert not any(np.array_equal(learned[path], score) for path, score in movement.scores.items())


def test_what_cannot_work_is_refused():
    with pytest.raises(ValueError, match="prunes before a score is learned; let it begin later"):
        training.Movement(Constant(0.5))
    with pytest.raises(ValueError, match="both must be functions"):
        training.Movement(0.5)
    with pytest.raises(ValueError, match="ends at step 17, but fit makes only 16 steps"):
        fit(net(), training.Movement(OneShot(0.5, at=17)))
    model = net()
    model.get_layer("one").trainable = False
    model.compile("adam", "sparse_categorical_crossentropy")
    with pytest.raises(ValueError, match="'one/kernel' is not trained, so it has no movement"):
        fit(model, training.Movement(OneShot(0.5, at=6)))
    movement = training.Movement(OneShot(0.5, at=6), scope={"two/kernel": 0.5})
    fit(model, movement)
    assert movement.masks.per_tensor() == {"one/kernel": 0.0, "two/kernel": 0.5}


def test_an_error_while_training_does_not_leave_scores_that_learn_twice():
    class Fail(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            raise RuntimeError("stop")

    model, movement = net(), training.Movement(OneShot(0.5, at=8))
    with pytest.raises(RuntimeError, match="stop"):
        fit(model, movement, Fail(), epochs=1)
    keras.utils.set_random_seed(0)
    twin, alone = net(), training.Movement(OneShot(0.5, at=8))
    twin.set_weights(model.get_weights())
    for a, b in ((model, movement), (twin, alone)):
        a.fit(X, Y, batch_size=8, verbose=0, shuffle=False, callbacks=[b])
    for path, score in movement.scores.items():
        np.testing.assert_array_equal(score, alone.scores[path])
