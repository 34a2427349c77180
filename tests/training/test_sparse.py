from functools import partial
from math import cos, floor, pi

import keras
import numpy as np
import pytest

from course_lib import training
from course_lib.masks import Masks
from course_lib.variables import prunable

N, BATCH = 64, 8  # eight steps an epoch
RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(N, 6)).astype("float32"), RNG.integers(0, 3, N)

OPTIMIZERS = {
    "SGD with momentum": lambda: keras.optimizers.SGD(0.1, momentum=0.9),
    "Adam": lambda: keras.optimizers.Adam(0.01),
    "AdamW, amsgrad": lambda: keras.optimizers.AdamW(0.01, weight_decay=0.1, amsgrad=True),
    "RMSprop with momentum": lambda: keras.optimizers.RMSprop(0.01, momentum=0.5, centered=True),
    "Muon": lambda: keras.optimizers.Muon(0.01),
    "schedule-free AdamW": lambda: keras.optimizers.ScheduleFreeAdamW(0.01),
    "moving average": lambda: keras.optimizers.Adam(0.01, use_ema=True, ema_overwrite_frequency=3),
    "loss scaling": lambda: keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.1, momentum=0.9)),
    "two optimizers": lambda: keras.optimizers.MultiOptimizer(
        keras.optimizers.OptimizerMap(keras.optimizers.Adam(0.01), {"one/.*": keras.optimizers.SGD(0.1, momentum=0.9)})
    ),
}


def net(optimizer="adam", kind=keras.Model, **options):
    x = keras.Input((6,))
    h = keras.layers.Dense(20, "tanh", name="one")(x)
    model = kind(x, keras.layers.Dense(3, "softmax", name="two")(h))
    model.compile(optimizer, "sparse_categorical_crossentropy", **options)
    return model


def fit(model, *callbacks, epochs=2):
    model.fit(X, Y, batch_size=BATCH, epochs=epochs, verbose=0, callbacks=list(callbacks))


class Watch(keras.callbacks.Callback):
    """Placed behind a sparse callback: what it changed before each step, and that its masks hold after each."""

    def __init__(self, sparse):
        super().__init__()
        self.sparse, self.changes, self.seen = sparse, [], None

    def state(self):
        kernels = {path: kernel.numpy() for path, kernel in prunable(self.model).items()}
        slots = {v.path: v.numpy() for v in self.model.optimizer.variables}
        return self.sparse.masks, kernels, slots

    def on_train_batch_begin(self, batch, logs=None):
        now = self.state()
        if self.seen is not None and now[0] is not self.seen[0]:
            self.changes.append((self.sparse.step, self.seen, now))

    def on_train_batch_end(self, batch, logs=None):
        self.seen = masks, kernels, _ = self.state()
        for path, mask in masks.items():
            assert np.all(kernels[path][~mask] == 0), path
            assert np.any(kernels[path][mask] != 0), path


def sparse_callbacks(**options):
    return [training.SET(0.8, **options), training.RigL(0.8, data=(X, Y), **options)]


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("which", [0, 1], ids=["SET", "RigL"])
def test_counts_never_change_zeros_hold_and_what_grows_is_new(optimizer, which):
    sparse = sparse_callbacks(end=14, frequency=3)[which]
    watch = Watch(sparse)
    fit(net(OPTIMIZERS[optimizer]()), sparse, watch)
    kept = {"one/kernel": 24, "two/kernel": 12}  # 120 and 60 weights at 80%
    assert [step for step, *_ in watch.changes] == [3, 6, 9, 12]
    remembered = 0
    for step, (old, before, slots_before), (new, after, slots) in watch.changes:
        for path, n in kept.items():
            assert old[path].sum() == new[path].sum() == n
            dropped = floor(0.3 / 2 * (1 + cos(pi * step / 14)) * n + 0.5)
            weakest = np.sort(np.abs(before[path][old[path]]))[:dropped]
            gone, grown = old[path] & ~new[path], new[path] & ~old[path]
            assert gone.sum() == grown.sum() <= dropped  # what is dropped may be grown at once
            assert np.all(np.abs(before[path][gone]) <= weakest[-1:])
            assert np.all(after[path][grown] == 0)
            assert np.all(after[path][new[path] & old[path]] == before[path][new[path] & old[path]])
            for name, slot in slots.items():
                if path.replace("/", "_") in name and slot.shape == grown.shape:  # Keras's names of the slots
                    assert np.all(slot[grown] == 0), name
                    np.testing.assert_array_equal(slot[~grown], slots_before[name][~grown])
                    remembered += np.count_nonzero(slots_before[name][grown])
    assert remembered > 0  # there was something to reset


def test_set_grows_at_random_what_is_not_kept():
    sparse = training.SET({"one/kernel": 0.5}, end=100, fraction=0.5, frequency=1)
    watch = Watch(sparse)
    fit(net(), sparse, watch, epochs=13)
    new = [(now[0]["one/kernel"] & ~old[0]["one/kernel"]).sum() for _, old, now in watch.changes[:20]]
    assert len(watch.changes) == 99 and 0.55 < np.sum(new) / (20 * 30) < 0.78  # 60 of 60 + 30 candidates were pruned


def linear(optimizer, features=40):
    x = keras.Input((features,))
    model = keras.Model(x, keras.layers.Dense(1, use_bias=False, name="dense")(x))
    model.compile(optimizer, "mse")
    return model


def test_rigl_grows_the_largest_gradients_of_the_dense_loss_on_the_next_batch():
    x = RNG.normal(size=(512, 40)).astype("float32")
    y = x @ RNG.normal(size=(40, 1)).astype("float32")
    sparse = training.RigL(0.75, end=12, data=(x, y), fraction=0.4, frequency=2)
    watch = Watch(sparse)
    linear(keras.optimizers.SGD(0.01)).fit(x, y, batch_size=32, verbose=0, callbacks=[sparse, watch])
    assert len(watch.changes) == 5
    for i, (step, (_, before, _), (new, _, _)) in enumerate(watch.changes):
        w = before["dense/kernel"].astype("float64")
        part = slice(0, 256) if i % 2 == 0 else slice(256, 512)
        gradient = np.abs(2 / 256 * x[part].T @ (x[part] @ w - y[part]))[:, 0]
        left = list(np.argsort(-np.abs(w[:, 0]))[: 10 - floor(0.2 * (1 + cos(pi * step / 12)) * 10 + 0.5)])
        others = [i for i in np.argsort(-gradient) if i not in left]
        assert set(np.flatnonzero(new["dense/kernel"])) == set(left + others[: 10 - len(left)])


def test_rigl_finds_the_inputs_that_matter_where_masks_that_stay_cannot():
    x = RNG.normal(size=(256, 40)).astype("float32")
    truth = np.zeros((40, 1), "float32")
    truth[[3, 14, 15, 30]] = [[2.0], [-1.5], [1.0], [-3.0]]
    found = {}
    for name, sparse in {
        "rigl": training.RigL(0.85, end=100, data=(x, x @ truth), frequency=10),
        "stays": training.SET(0.85, end=100, frequency=99),
    }.items():
        model = linear(keras.optimizers.SGD(0.05, momentum=0.5))
        model.fit(x, x @ truth, batch_size=32, epochs=20, verbose=0, callbacks=[sparse])
        found[name] = model.get_layer("dense").kernel.numpy()
    np.testing.assert_allclose(found["rigl"], truth, atol=1e-3)
    assert np.abs(found["stays"] - truth).max() > 0.5


@pytest.mark.parametrize("make", [training.SET, partial(training.RigL, data=(X, Y))], ids=["SET", "RigL"])
def test_a_seed_is_a_run(make):
    def masks(seed):
        keras.utils.set_random_seed(1)
        sparse = make(0.8, end=12, frequency=2, seed=seed)
        fit(net(), sparse)
        return sparse.masks

    first, again, other = masks(1), masks(1), masks(2)
    assert all(np.array_equal(first[path], again[path]) for path in first)
    assert not all(np.array_equal(first[path], other[path]) for path in first)


def test_new_masks_need_no_new_trace():
    traces = []

    class Counted(keras.Model):
        def train_step(self, *arguments):
            traces.append(1)  # Python runs only while the step is traced
            return super().train_step(*arguments)

    model = net(kind=Counted)
    sparse = training.SET(0.8, end=16, frequency=2)
    fit(model, sparse)
    traced, masks = len(traces), sparse.masks
    fit(model, training.SET(0.5, end=16, frequency=2, masks=masks))
    assert len(traces) == traced > 0


def test_sparsities_by_tensor_and_uniform():
    for sparsity, expected in ((0.8, [0.8, 0.8]), ({"one/kernel": 0.9}, [0.9, 0.0]), (1.0, [119 / 120, 59 / 60])):
        sparse = training.SET(sparsity, end=12, frequency=2)
        model = net()
        fit(model, sparse)
        assert list(sparse.masks.per_tensor().values()) == pytest.approx(expected)
        zeros = [np.mean(kernel.numpy() == 0) for kernel in prunable(model).values()]
        assert zeros == pytest.approx(expected, abs=0.02)


def test_steps_are_the_optimizers():
    accumulated = training.SET(0.8, end=8, frequency=3)
    watch = Watch(accumulated)
    fit(net(keras.optimizers.Adam(gradient_accumulation_steps=2)), accumulated, watch)
    assert [step for step, *_ in watch.changes] == [3, 6]
    bundled = training.SET(0.8, end=16, frequency=3)
    watch = Watch(bundled)
    fit(net(steps_per_execution=4), bundled, watch)
    assert [step for step, *_ in watch.changes] == [4, 8, 12]


def test_another_fit_goes_on_and_ends():
    sparse = training.SET(0.8, end=8, frequency=5)
    model = net()
    fit(model, sparse, epochs=1)
    masks = sparse.masks
    fit(model, sparse)
    assert sparse.step == 24
    assert all(np.array_equal(masks[path], sparse.masks[path]) for path in masks)
    assert Masks.of_zeros(model).sparsity >= 0.8


def test_resuming_a_saved_model_with_its_masks(tmp_path):
    model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(20, "relu"), keras.layers.Dense(3, "softmax")])
    model.compile("adam", "sparse_categorical_crossentropy")
    first = training.SET(0.8, end=8, frequency=2)
    fit(model, first)
    model.save(tmp_path / "model.keras")
    first.masks.save(tmp_path / "masks.npz")
    loaded, masks = keras.models.load_model(tmp_path / "model.keras"), Masks.load(tmp_path / "masks.npz")
    assert set(masks) != set(prunable(loaded))  # loading changes the paths of a Sequential model
    again = training.RigL(0.8, end=8, data=(X, Y), frequency=2, masks=masks)
    watch = Watch(again)
    fit(loaded, again, watch)
    _, (old, *_), _ = watch.changes[0]
    assert all(np.array_equal(a, b) for a, b in zip(masks.values(), old.values(), strict=True))
    assert [mask.sum() for mask in again.masks.values()] == [24, 12]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (dict(sparsity=1.5, end=10), "sparsity is 1.5"),
        (dict(sparsity=None, end=10), "sparsity is None"),
        (dict(sparsity={"one/kernel": "0.5"}, end=10), "sparsity is {'one/kernel': '0.5'}"),
        (dict(sparsity=0.5, end=10, frequency=2, fraction=None), "fraction is None"),
        (dict(sparsity={"one/kernel": -1}, end=10), "sparsity is {'one/kernel': -1}"),
        (dict(sparsity=0.5, end=10, frequency=2, fraction=0), "fraction is 0"),
        (dict(sparsity=0.5, end=10, frequency=0), "frequency is 0; it must be a whole number, at least 1"),
        (dict(sparsity=0.5, end=100), "frequency is 100 and end 100"),
    ],
)
def test_bad_arguments_are_refused_when_the_callback_is_made(arguments, message):
    with pytest.raises(ValueError, match=message):
        training.SET(**arguments)


def test_what_cannot_work_is_refused_when_training_begins():
    model = net()
    before = model.get_weights()
    with pytest.raises(ValueError, match="SET ends at step 17, but fit makes only 16 steps; train longer"):
        fit(model, training.SET(0.5, end=17, frequency=2))
    with pytest.raises(ValueError, match="scope names 'three/kernel', which has no scores"):
        fit(model, training.SET({"three/kernel": 0.5}, end=16, frequency=2))
    with pytest.raises(ValueError, match="no variable 'three/kernel'"):
        fit(model, training.SET(0.5, end=16, frequency=2, masks={"three/kernel": np.ones((1, 1), bool)}))
    with pytest.raises(ValueError, match="masks name 'one/bias', which is no kernel"):
        fit(model, training.SET(0.5, end=16, frequency=2, masks={"one/bias": np.ones(20, bool)}))
    model.get_layer("one").trainable = False
    model.compile("adam", "sparse_categorical_crossentropy")
    with pytest.raises(ValueError, match="'one/kernel' is not trained: nothing grows in it"):
        fit(model, training.SET(0.5, end=16, frequency=2))
    assert all(any(np.array_equal(a, b) for b in model.get_weights()) for a in before)  # frozen ones are listed last
    fit(model, training.SET({"two/kernel": 0.5}, end=16, frequency=2))


def test_rigl_needs_data_that_last_and_gradients_that_are_numbers():
    with pytest.raises(ValueError, match="data is None"):
        training.RigL(0.5, end=10, data=None, frequency=2)
    with pytest.raises(ValueError, match="data has no batch left"):
        fit(net(), training.RigL(0.5, end=10, data=iter([(X, Y)]), frequency=2))
    with pytest.raises(ValueError, match="Weights or gradients are NaN"):
        fit(net(), training.RigL(0.5, end=10, data=(X * np.nan, Y), frequency=2))
