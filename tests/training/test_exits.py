import keras
import numpy as np
import pytest

from course_lib import training

RNG = np.random.default_rng(0)
IMAGES = RNG.random((32, 8, 8, 3), "float32") * RNG.random((32, 1, 1, 3), "float32")


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
