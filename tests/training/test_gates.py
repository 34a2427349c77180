import keras
import numpy as np
import pytest

from course_lib import masks, report, scores, training
from course_lib.variables import prunable

RNG = np.random.default_rng(0)
IMAGES = RNG.random((32, 8, 8, 3), "float32") * RNG.random((32, 1, 1, 3), "float32")


def gated(rate=0.5, strength=1e-8, learning_rate=0.01, **options):
    x = keras.Input((8, 8, 3))
    y = keras.layers.Conv2D(10, 3, padding="same", activation="relu", name="conv")(x)
    y = training.ChannelGate(rate, strength, name="gate")([x, y])
    y = keras.layers.GlobalAveragePooling2D()(y)
    model = keras.Model(x, keras.layers.Dense(2, "softmax", name="head")(y))
    model.compile(keras.optimizers.Adam(learning_rate), "sparse_categorical_crossentropy", **options)
    return model


def test_a_gate_by_hand():
    gate = training.ChannelGate(rate=0.5)
    x = np.array([[1.0, -2.0], [3.0, 0.0]])
    y = np.array([[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0]])
    gate([x, y])
    gate.saliency.kernel.assign([[1.0, -1.0, 0.0, 0.5], [0.5, 1.0, 0.0, -1.0]])
    gate.saliency.bias.assign([0.0, 0.5, 1.0, -0.5])
    # |x| φ + ρ = [2, 1.5, 1, −2], [3, −2.5, 1, 1]; relu; the two highest, of equal ones the first
    np.testing.assert_allclose(gate([x, y]), [[2.0, 3.0, 0.0, 0.0], [15.0, 0.0, 7.0, 0.0]])
    np.testing.assert_allclose(gate.losses, [1e-8 * (4.5 + 5.0) / 2], rtol=1e-5)


def test_the_channels_that_run_depend_on_the_input_and_are_as_many_as_the_rate_says():
    model = gated(rate=0.3)
    output = keras.Model(model.input, model.get_layer("gate").output)(IMAGES).numpy()
    runs = (output != 0).any(axis=(1, 2))
    assert np.all(runs.sum(axis=1) <= 3) and len(np.unique(runs, axis=0)) > 1
    assert training.gate_rates(model, IMAGES) == {"gate": pytest.approx(0.3)}
    model.get_layer("gate").saliency.bias.assign(np.full(10, -100.0))
    assert training.gate_rates(model, IMAGES) == {"gate": 0.0}


@pytest.mark.parametrize(("rate", "k"), [(0.01, 1), (0.25, 3), (0.7, 7), (1.0, 10)])
def test_the_rate_is_rounded_and_one_channel_runs_at_least(rate, k):
    assert training.gate_rates(gated(rate), IMAGES)["gate"] == pytest.approx(k / 10)


@pytest.mark.parametrize("jit", [False, True])
def test_gates_train_and_their_gradient_is_the_finite_difference(jit):
    model, y = gated(jit_compile=jit), (IMAGES[:, :, :, 0].mean(axis=(1, 2)) > 0.5).astype(int)
    gate = model.get_layer("gate")
    found = scores.loss.gradients(model, (IMAGES, y))
    path = next(path for path, v in prunable(model).items() if v is gate.saliency.kernel)
    start, numerical = gate.saliency.kernel.numpy(), np.zeros((3, 10))
    for place in np.ndindex(3, 10):
        moved = [start.copy(), start.copy()]
        for sign, kernel in zip((1, -1), moved, strict=True):
            kernel[place] += sign * 1e-3
        losses = []
        for kernel in moved:
            gate.saliency.kernel.assign(kernel)
            losses.append(float(scores.loss.loss(model, IMAGES, y)))
        numerical[place] = (losses[0] - losses[1]) / 2e-3
    gate.saliency.kernel.assign(start)
    assert np.mean(np.abs(numerical - found[path]) < 2e-4) >= 0.8  # a winner that changes is a jump
    assert np.abs(found[path]).max() > 1e-3

    before = model.compute_loss(x=IMAGES, y=y, y_pred=model(IMAGES))
    model.fit(IMAGES, y, epochs=30, verbose=0)
    assert np.any(gate.saliency.kernel.numpy() != start)
    assert float(model.compute_loss(x=IMAGES, y=y, y_pred=model(IMAGES))) < float(before)


def test_the_penalty_closes_gates():
    open_, closed = gated(strength=0.0, learning_rate=0.1), gated(strength=10.0, learning_rate=0.1)
    for model in (open_, closed):
        model.fit(IMAGES, np.zeros(32), epochs=20, verbose=0)
    assert training.gate_rates(closed, IMAGES)["gate"] < training.gate_rates(open_, IMAGES)["gate"] == 0.5


def test_a_gated_model_is_saved_cloned_pruned_counted_and_runs_in_half_precision(tmp_path):
    model = gated(rate=0.3, strength=0.5)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded(IMAGES), model(IMAGES))
    gate = loaded.get_layer("gate")
    assert (gate.rate, gate.strength) == (0.3, 0.5)
    held = masks.from_scores(scores.magnitude(model), 0.5)
    training.hold(model, held)
    model.fit(IMAGES, np.zeros(32), verbose=0)
    assert masks.Masks.of_zeros(model).sparsity == pytest.approx(0.5)
    assert report.summary(model).macs == 64 * 27 * 10 + 3 * 10 + 10 * 2
    keras.config.set_dtype_policy("mixed_float16")
    try:
        half = gated()
    finally:
        keras.config.set_dtype_policy("float32")
    half.fit(IMAGES, np.zeros(32), verbose=0)
    assert training.gate_rates(half, IMAGES)["gate"] == 0.5


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: training.ChannelGate(0), "rate is 0; it is the fraction"),
        (lambda: training.ChannelGate(1.1), "rate is 1.1"),
        (lambda: training.ChannelGate(0.5, strength=-1), "strength is -1"),
        (lambda: training.ChannelGate(0.5)(np.ones((2, 3))), r"call it on \[x, y\]"),
        (lambda: training.ChannelGate(0.5)([np.ones((2, 3))]), r"call it on \[x, y\]"),
    ],
)
def test_bad_gates_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
