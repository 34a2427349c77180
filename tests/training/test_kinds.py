"""``Prune`` on every kind of model and optimizer: the exact sparsity at the end, and no weight that grows again."""

import keras
import numpy as np
import pytest
from keras import layers

from course_lib import scores, training
from course_lib.masks import Masks, from_scores
from course_lib.schedules import Polynomial
from course_lib.variables import prunable

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(64, 8)).astype("float32"), RNG.integers(0, 4, 64)
HELD, FINAL = 0.3, 0.75


def sequential():
    return keras.Sequential([keras.Input((8,)), layers.Dense(12, "relu"), layers.Dense(4, "softmax")])


def functional():
    x = keras.Input((8,))
    h = layers.Add()([layers.Dense(8, "relu")(x), x])
    return keras.Model(x, layers.Dense(4, "softmax")(h))


def convolutional():
    x = keras.Input((8,))
    h = layers.Reshape((8, 1))(x)
    h = layers.BatchNormalization()(layers.SeparableConv1D(6, 3)(layers.Conv1D(4, 3, activation="relu")(h)))
    return keras.Model(x, layers.Dense(4, "softmax")(layers.Flatten()(h)))


def recurrent():
    return keras.Sequential([keras.Input((8,)), layers.Reshape((8, 1)), layers.LSTM(5), layers.Dense(4, "softmax")])


def nested():
    x = keras.Input((8,))
    inner = keras.Sequential([keras.Input((8,)), layers.Dense(8, "relu", name="d"), layers.Dense(8, name="e")])
    return keras.Model(x, layers.Dense(4, "softmax", name="d")(inner(x)))


def shared():
    x, twice = keras.Input((8,)), layers.Dense(8, "relu")
    return keras.Model(x, layers.Dense(4, "softmax")(twice(twice(x))))


def subclassed():
    class Net(keras.Model):
        def __init__(self):
            super().__init__()
            self.hidden = [layers.Dense(8, "relu") for _ in range(2)]
            self.head = layers.Dense(4, "softmax")

        def call(self, x):
            for layer in self.hidden:
                x = layer(x)
            return self.head(x)

    model = Net()
    model(X[:1])
    return model


def half_precision():
    keras.config.set_dtype_policy("mixed_float16")
    try:
        return functional()
    finally:
        keras.config.set_dtype_policy("float32")


def own_step():
    import tensorflow as tf

    class Net(keras.Model):
        def train_step(self, data):
            x, y = data
            with tf.GradientTape() as tape:
                loss = self.compute_loss(y=y, y_pred=self(x, training=True))
            variables = self.trainable_variables
            self.optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
            return {"loss": loss}

    model = functional()
    return Net(model.inputs, model.outputs)


def adam(**options):
    return keras.optimizers.Adam(0.01, **options)


def several():
    return keras.optimizers.MultiOptimizer(
        keras.optimizers.OptimizerMap(adam(use_ema=True), {".*/bias": keras.optimizers.SGD(0.1, momentum=0.9)})
    )


KINDS = {
    **{make.__name__: (make, adam, {}) for make in (sequential, functional, convolutional, recurrent, nested, shared)},
    **{make.__name__: (make, adam, {}) for make in (subclassed, half_precision, own_step)},
    "accumulated": (functional, lambda: adam(gradient_accumulation_steps=2), {}),
    "averaged": (functional, lambda: adam(use_ema=True, ema_momentum=0.9), {}),
    "averaged, written back": (functional, lambda: adam(use_ema=True, ema_overwrite_frequency=3), {}),
    "averaged and scaled": (half_precision, lambda: adam(use_ema=True), {}),
    "several optimizers": (functional, several, {}),
    "compiled by XLA": (functional, adam, {"jit_compile": True}),
    "in bundles": (functional, adam, {"steps_per_execution": 3}),
    "eager": (functional, adam, {"run_eagerly": True}),
}


def exact(model, sparsity):
    """The zeros among the kernels, counted in the arrays themselves, are ⌊s·n + ½⌋."""
    kernels = [w for w in model.get_weights() if w.ndim > 1]
    n = sum(w.size for w in kernels)
    return sum(int(np.sum(w == 0)) for w in kernels) == int(sparsity * n + 0.5)


class NothingGrows(keras.callbacks.Callback):
    def on_train_begin(self, logs=None):
        self.zeros = {path: np.zeros(kernel.shape, bool) for path, kernel in prunable(self.model).items()}

    def on_train_batch_end(self, batch, logs=None):
        for path, kernel in prunable(self.model).items():
            now = kernel.numpy() == 0
            assert np.all(now >= self.zeros[path]), f"{path} grew"
            self.zeros[path] = now


@pytest.mark.parametrize("kind", KINDS)
def test_prune(kind):
    make, optimizer, options = KINDS[kind]
    model = make()
    model.compile(optimizer(), "sparse_categorical_crossentropy", **options)
    model.fit(X, Y, batch_size=8, verbose=0)  # what is compiled now knows of no masks
    training.hold(model, from_scores(scores.random(model, seed=1), HELD))
    assert exact(model, HELD)
    before = model.get_weights()
    prune = training.Prune(scores.magnitude, Polynomial(FINAL, begin=1, end=8), frequency=2)
    watch = NothingGrows()
    model.fit(X, Y, batch_size=8, epochs=3, verbose=0, callbacks=[prune, watch])
    assert exact(model, FINAL) and prune.masks.sparsity == pytest.approx(FINAL, abs=0.01)
    model.fit(X, Y, batch_size=8, verbose=0, callbacks=[watch])
    assert exact(model, FINAL)
    assert any(np.any(a[b != 0] != b[b != 0]) for a, b in zip(before, model.get_weights(), strict=True))


@pytest.mark.parametrize("kind", ["functional", "subclassed", "nested", "averaged"])
def test_a_loop_of_ones_own_holds_what_it_makes(kind):
    import tensorflow as tf

    make, optimizer, _ = KINDS[kind]
    model, optimizer, loss = make(), optimizer(), keras.losses.SparseCategoricalCrossentropy()
    model.compile(optimizer)
    schedule = Polynomial(FINAL, begin=0, end=8)
    training.hold(model, from_scores(scores.magnitude(model), 0.0))

    @tf.function
    def step(x, y):
        with tf.GradientTape() as tape:
            value = loss(y, model(x, training=True))
        variables = model.trainable_variables
        optimizer.apply_gradients(zip(tape.gradient(value, variables), variables, strict=True))

    for t in range(12):
        if t % 2 == 0:
            training.hold(model, from_scores(scores.magnitude(model), schedule(t)))
        before = Masks.of_zeros(model)
        step(X, Y)
        for path, kernel in prunable(model).items():
            assert not np.any(kernel.numpy()[~before[path]])
    assert exact(model, FINAL)
