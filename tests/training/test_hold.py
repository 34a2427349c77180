import keras
import numpy as np
import pytest

from course_lib import masks, models, scores, training
from course_lib.masks import Masks
from course_lib.variables import prunable


def data(n=64):
    rng = np.random.default_rng(0)
    return rng.random((n, 28, 28, 1), "float32"), rng.integers(0, 10, n)


def compiled(optimizer="adam", model=None, **options):
    model = model or models.lenet_300_100(width=0.1)
    model.compile(optimizer, "sparse_categorical_crossentropy", **options)
    return model


def magnitude_masks(model, sparsity=0.8):
    return masks.from_scores(scores.magnitude(model), sparsity)


def assert_held(model, held):
    for path, kernel in prunable(model).items():
        values = kernel.numpy()
        assert np.all(values[~held[path]] == 0.0), (
            f"{path}: {np.count_nonzero(values[~held[path]])} pruned weights live"
        )
        assert np.any(values[held[path]] != 0.0)


def assert_trained(model, before):
    """The kept weights have moved: a test of a model that does not train shows nothing."""
    after = prunable(model)
    assert all(np.any(after[path].numpy() != values) for path, values in before.items())


OPTIMIZERS = {
    "SGD with momentum": lambda: keras.optimizers.SGD(0.1, momentum=0.9, nesterov=True),
    "Adam": lambda: keras.optimizers.Adam(0.01),
    "AdamW": lambda: keras.optimizers.AdamW(0.01, weight_decay=0.1),
    "RMSprop, clipped": lambda: keras.optimizers.RMSprop(0.001, momentum=0.5, global_clipnorm=1.0),
    "Lion": lambda: keras.optimizers.Lion(0.01),
    "Muon": lambda: keras.optimizers.Muon(0.01),
    "schedule-free AdamW": lambda: keras.optimizers.ScheduleFreeAdamW(0.01),
    "learning rate schedule": lambda: keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(0.01, 20)),
    "gradient accumulation": lambda: keras.optimizers.Adam(0.01, gradient_accumulation_steps=2),
    "moving average": lambda: keras.optimizers.Adam(0.01, use_ema=True, ema_momentum=0.9),
    "moving average, written back": lambda: keras.optimizers.Adam(0.01, use_ema=True, ema_overwrite_frequency=3),
    "loss scaling of a moving average": lambda: keras.optimizers.LossScaleOptimizer(
        keras.optimizers.Adam(0.01, use_ema=True)
    ),
}


COMPILED = ["SGD with momentum", "AdamW", "gradient accumulation", "moving average, written back"]  # by XLA, slowly


@pytest.mark.parametrize(("optimizer", "jit"), [(o, False) for o in OPTIMIZERS] + [(o, True) for o in COMPILED])
def test_a_pruned_weight_is_exactly_zero_after_any_optimizers_steps(optimizer, jit):
    model = compiled(OPTIMIZERS[optimizer](), jit_compile=jit)
    model.fit(*data(), batch_size=8, verbose=0)  # slots and averages of the weights to be pruned are not zero
    held = magnitude_masks(model)
    training.hold(model, held)
    assert_held(model, held)
    before = {path: v.numpy() for path, v in prunable(model).items()}
    model.fit(*data(), batch_size=8, epochs=2, verbose=0)
    assert_held(model, held)
    assert_trained(model, before)


def test_without_hold_the_same_training_fills_the_zeros():
    model = compiled()
    held = magnitude_masks(model)
    training.hold(model, held)
    training.release(model)
    model.fit(*data(), verbose=0)
    with pytest.raises(AssertionError, match="pruned weights live"):
        assert_held(model, held)


def test_mixed_precision():
    keras.config.set_dtype_policy("mixed_float16")
    try:
        model = compiled(keras.optimizers.Adam(0.01), models.small_cnn(width=0.5))
    finally:
        keras.config.set_dtype_policy("float32")
    held = magnitude_masks(model)
    training.hold(model, held)
    before = {path: v.numpy() for path, v in prunable(model).items()}
    model.fit(*data(), batch_size=8, epochs=2, verbose=0)
    assert isinstance(model.optimizer, keras.optimizers.LossScaleOptimizer)
    assert_held(model, held)
    assert_trained(model, before)


def test_a_custom_loop():
    import tensorflow as tf

    model = models.lenet_300_100(width=0.1)
    held = magnitude_masks(model)
    training.hold(model, held)
    before = {path: v.numpy() for path, v in prunable(model).items()}
    optimizer, loss = keras.optimizers.Adam(0.01), keras.losses.SparseCategoricalCrossentropy()

    @tf.function
    def step(x, y):
        with tf.GradientTape() as tape:
            value = loss(y, model(x, training=True))
        weights = model.trainable_variables
        optimizer.apply_gradients(zip(tape.gradient(value, weights), weights, strict=True))

    for _ in range(3):
        step(*data())
    assert_held(model, held)
    assert_trained(model, before)


def test_new_masks_are_used_without_a_new_trace():
    traces = []

    class Counted(keras.Model):
        def train_step(self, *arguments):
            traces.append(1)  # Python runs only while the step is traced
            return super().train_step(*arguments)

    lenet = models.lenet_300_100(width=0.1)
    model = compiled(model=Counted(lenet.inputs, lenet.outputs))
    training.hold(model, magnitude_masks(model, 0.2))
    model.fit(*data(), verbose=0)
    traced = len(traces)
    for sparsity in (0.5, 0.9):
        held = magnitude_masks(model, sparsity)
        training.hold(model, held)
        model.fit(*data(), verbose=0)
        assert_held(model, held)
    assert len(traces) == traced > 0


def test_a_model_that_was_fitted_before_does_not_ignore_the_masks():
    model = compiled()
    model.fit(*data(), verbose=0)
    held = magnitude_masks(model)
    training.hold(model, held)
    model.fit(*data(), verbose=0)
    assert_held(model, held)


def test_a_constraint_that_is_there_already_is_kept_and_given_back():
    x = keras.Input((6,))
    own = keras.constraints.UnitNorm(axis=0)
    model = keras.Model(x, keras.layers.Dense(5, kernel_constraint=own, name="dense")(x))
    model.compile("adam", "mse")
    held = magnitude_masks(model, 0.5)
    training.hold(model, held)
    training.hold(model, held)  # twice is once
    model.fit(np.ones((8, 6)), np.ones((8, 5)), verbose=0)
    assert_held(model, held)
    norms = np.linalg.norm(model.get_layer("dense").kernel.numpy(), axis=0)
    np.testing.assert_allclose(norms[held["dense/kernel"].any(axis=0)], 1, rtol=1e-3)
    training.release(model)
    assert model.get_layer("dense").kernel.constraint is own


def test_resuming_from_a_file_needs_the_masks_again(tmp_path):
    model = compiled()
    held = magnitude_masks(model)
    training.hold(model, held)
    model.fit(*data(), verbose=0)
    model.save(tmp_path / "model.keras")
    held.save(tmp_path / "masks.npz")

    lost = keras.models.load_model(tmp_path / "model.keras")  # no custom objects
    lost.fit(*data(), verbose=0)
    assert Masks.of_zeros(lost).sparsity < 0.5, "Keras keeps constraints in files now: simplify the docstring of hold"

    for again in (Masks.load(tmp_path / "masks.npz"), Masks.of_zeros(model)):
        loaded = keras.models.load_model(tmp_path / "model.keras")
        training.hold(loaded, again)
        loaded.fit(*data(), verbose=0)
        assert_held(loaded, held)


def test_masks_of_a_sequential_model_fit_its_loaded_and_its_cloned_self(tmp_path):
    model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(8), keras.layers.Dense(3)])
    held = magnitude_masks(model)
    model.save(tmp_path / "model.keras")
    for other in (keras.models.load_model(tmp_path / "model.keras"), keras.models.clone_model(model)):
        training.hold(other, held)
        assert round(Masks.of_zeros(other).sparsity, 2) == round(held.sparsity, 2)


def test_subclassed_nested_and_shared():
    class Twice(keras.Model):
        def __init__(self):
            super().__init__()
            self.inner = keras.Sequential([keras.Input((6,)), keras.layers.Dense(6), keras.layers.Dense(6)])

        def call(self, x):
            return self.inner(self.inner(x))

    model = Twice()
    model(np.zeros((1, 6)))
    model.compile("adam", "mse")
    held = magnitude_masks(model, 0.5)
    training.hold(model, held)
    model.fit(np.ones((8, 6)), np.ones((8, 6)), verbose=0)
    assert_held(model, held)


def test_variables_without_a_mask_are_left_alone_and_other_variables_can_be_named():
    model = compiled()
    held = {"output/bias": np.arange(10) < 5}
    training.hold(model, held)
    model.fit(*data(), verbose=0)
    bias = model.get_layer("output").bias.numpy()
    assert np.all(bias[5:] == 0) and np.all(bias[:5] != 0)
    assert model.get_layer("output").kernel.constraint is None


@pytest.mark.parametrize("masks", [None, np.ones(3, bool), [np.ones(3, bool)], "output/kernel"])
def test_what_are_no_masks_are_refused(masks):
    with pytest.raises(TypeError, match=rf"masks is a {type(masks).__name__}; give \{{variable path: boolean array\}}"):
        training.hold(compiled(), masks)


def test_what_is_no_model_of_keras_3_is_refused():
    import tf_keras

    model = compiled()
    for other in ({}, None, tf_keras.Sequential([tf_keras.Input((6,)), tf_keras.layers.Dense(3)])):
        for call in (lambda x: training.hold(x, model), lambda x: training.hold(x, {}), training.release):
            with pytest.raises(TypeError, match=rf"model is a .*{type(other).__name__}; give a Keras 3 model"):
                call(other)
    with pytest.raises(TypeError, match=r"model is a course_lib\.masks\S*\.Masks"):  # the wrong way round
        training.hold(magnitude_masks(model), model)


@pytest.mark.parametrize(
    ("mask", "message"),
    [
        ({"output/kernle": np.ones((10, 10), bool)}, "no variable 'output/kernle'; it has dense_1/kernel"),
        ({"output/kernel": np.ones((10, 9), bool)}, r"shape \(10, 9\).*variable's shape, \(10, 10\)"),
        ({"output/kernel": np.ones((10, 10))}, "mask 'output/kernel' is float64"),
    ],
)
def test_bad_masks_are_refused_before_anything_is_changed(mask, message):
    model = compiled()
    weights = model.get_weights()
    with pytest.raises(ValueError, match=message):
        training.hold(model, {"dense_1/kernel": np.zeros((784, 30), bool), **mask})
    assert all(v.constraint is None for v in model.weights)
    for before, after in zip(weights, model.get_weights(), strict=True):
        np.testing.assert_array_equal(before, after)
