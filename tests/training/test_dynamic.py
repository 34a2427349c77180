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


def branched(last="softmax"):
    x = keras.Input((4,))
    first = keras.layers.Dense(3, "softmax", name="first")(x)
    h = keras.layers.Dense(20, "relu", name="hidden")(x)
    second = keras.layers.Dense(3, "softmax", name="second")(h)
    h = keras.layers.Dense(30, "relu", name="deeper")(h)
    return keras.Model(x, [first, second, keras.layers.Dense(3, last, name="third")(h)])


MACS = np.array([12, 12 + 80 + 60, 12 + 80 + 60 + 600 + 90])


def test_each_example_leaves_at_the_first_confident_head():
    model, x = branched(), 3 * RNG.normal(size=(50, 4)).astype("float32")
    heads = [head.numpy() for head in model(x)]
    left = training.early_exit(model, x, threshold=0.8)
    for i in range(50):
        at = next((h for h in range(2) if heads[h][i].max() >= 0.8), 2)
        assert (left.exits[i], left.classes[i]) == (at, heads[at][i].argmax())
    assert set(left.exits) == {0, 1, 2}
    assert left.macs_share == pytest.approx(np.mean(MACS[left.exits]) / MACS[2])


def test_at_the_ends_of_the_threshold_all_leave_at_once_or_hardly_any():
    model, x = branched(), RNG.normal(size=(20, 4)).astype("float32")
    assert training.early_exit(model, x, 0.0).macs_share == pytest.approx(MACS[0] / MACS[2])
    assert training.early_exit(model, x, 1.0).macs_share == 1.0


def test_heads_train_together_and_easy_examples_leave_early():
    model = branched()
    x = RNG.normal(size=(300, 4)).astype("float32")
    y = (x[:, 0] > 0).astype(int) + (x[:, 0] > 1)
    loss = "sparse_categorical_crossentropy"
    model.compile(keras.optimizers.Adam(0.03), [loss] * 3, loss_weights=[0.3, 0.3, 1.0])
    model.fit(x, [y] * 3, epochs=20, verbose=0)
    left = training.early_exit(model, x, threshold=0.9)
    assert np.mean(left.classes == y) > 0.9 and left.macs_share < 0.9
    margin = np.minimum(np.abs(x[:, 0]), np.abs(x[:, 0] - 1))  # from the borders between the classes
    assert margin[left.exits == 0].mean() > margin[left.exits == 2].mean()


def test_exits_are_put_behind_layers_and_trained_with_the_model(tmp_path):
    keras.utils.set_random_seed(1)
    x = keras.Input((8, 8, 3))
    h = keras.layers.Conv2D(6, 3, activation="relu", name="conv")(x)
    h = keras.layers.Conv2D(6, 3, activation="relu", name="deeper")(h)
    h = keras.layers.Dense(16, "relu", name="dense")(keras.layers.Flatten()(h))
    base = keras.Model(x, keras.layers.Dense(2, "softmax", name="output")(h), name="base")
    model = training.add_exits(base, ["dense", "conv"], classes=2)  # in whatever order
    assert [layer.name for layer in model.layers if layer.name.endswith("_exit")] == ["conv_exit", "dense_exit"]

    conv, dense, output = (head.numpy() for head in model(IMAGES))
    np.testing.assert_array_equal(output, base(IMAGES))
    pooled = keras.Model(x, base.get_layer("conv").output)(IMAGES).numpy().mean(axis=(1, 2))
    for head, inside, name in ((conv, pooled, "conv_exit"), (dense, None, "dense_exit")):
        inside = keras.Model(x, base.get_layer("dense").output)(IMAGES).numpy() if inside is None else inside
        logits = inside @ model.get_layer(name).kernel.numpy() + model.get_layer(name).bias.numpy()
        np.testing.assert_allclose(head, np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True), atol=1e-5)

    y = (IMAGES[:, :, :, 0].mean(axis=(1, 2)) > 0.3).astype(int)
    model.compile(keras.optimizers.Adam(0.02), ["sparse_categorical_crossentropy"] * 3, loss_weights=[0.3, 0.3, 1.0])
    model.fit(IMAGES, [y] * 3, epochs=30, verbose=0)
    np.testing.assert_array_equal(model(IMAGES)[-1], base(IMAGES))  # the layers are shared
    left = training.early_exit(model, IMAGES, threshold=0.9)
    assert np.mean(left.classes == y) > 0.9 and left.macs_share < 1
    model.save(tmp_path / "model.keras")
    for a, b in zip(keras.models.load_model(tmp_path / "model.keras")(IMAGES), model(IMAGES), strict=True):
        np.testing.assert_array_equal(a, b)


def test_exits_need_a_functional_model_of_one_output_and_its_layers():
    class Net(keras.Model):
        pass

    for model in (Net(name="net"), branched()):
        with pytest.raises(ValueError, match=r"has [03] outputs; give one with one output, not subclassed"):
            training.add_exits(model, ["hidden"], classes=3)
    base = keras.Sequential([keras.Input((4,)), keras.layers.Dense(5, name="a"), keras.layers.Dense(3, "softmax")])
    assert len(training.add_exits(base, ["a"], classes=3).outputs) == 2
    for wrong, message in (("a", "layers is 'a'; give"), (["b"], "layers is .'b'.; give.*, of a, dense"), ([], "give")):
        with pytest.raises(ValueError, match=message):
            training.add_exits(base, wrong, classes=3)


@pytest.mark.parametrize(
    ("model", "threshold", "message"),
    [
        (lambda: keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, "softmax")]), 0.5, "has 1 outputs"),
        (lambda: branched("linear"), 0.5, "are not probabilities"),
        (branched, 1.5, "threshold is 1.5"),
    ],
)
def test_what_has_no_exits_is_refused(model, threshold, message):
    with pytest.raises(ValueError, match=message):
        training.early_exit(model(), np.ones((2, 4)), threshold)
