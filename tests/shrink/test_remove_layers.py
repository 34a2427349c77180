"""Whole layers and blocks out of a model: what is left is the model built without them, with the same weights."""

import keras
import numpy as np
import pytest
from keras import layers, ops
from oracles import answers, examples, randomised

from course_lib import shrink


def dense(name, units=6, **options):
    return layers.Dense(units, name=name, **options)


def assert_is(small, expected, model):
    """``small`` has the structure of ``expected``, a model built by hand, and ``model``'s weights of the same paths."""
    assert [layer.name for layer in small.layers] == [layer.name for layer in expected.layers]
    weights = {v.path: v.numpy() for v in model.weights}
    assert [v.path for v in small.weights] == [v.path for v in expected.weights]
    for v, new in zip(expected.weights, small.weights, strict=True):
        np.testing.assert_array_equal(new, weights[v.path])
        v.assign(weights[v.path])
    x = examples(model)
    for a, b in zip(answers(expected, x), answers(small, x), strict=True):
        np.testing.assert_allclose(b, a, atol=1e-6)
    assert any(np.abs(a - b).max() > 0.01 for a, b in zip(answers(expected, x), answers(model, x), strict=True))


def residual(blocks=(), join=lambda x, y, name: layers.Add(name=name)([x, y])):
    x = image = keras.Input((5, 5, 3), name="image")
    x = layers.Conv2D(6, 1, name="stem")(x)
    for name in blocks:
        y = layers.BatchNormalization(name=f"{name}_norm")(x)
        y = layers.Conv2D(4, 3, padding="same", activation="relu", name=f"{name}_conv")(y)  # another width inside
        x = join(x, layers.Conv2D(6, 1, name=f"{name}_out")(y), f"{name}_join")
    return keras.Model(image, dense("output", 2)(layers.GlobalAveragePooling2D(name="pool")(x)))


BLOCK = ["norm", "conv", "out"]
JOINS = {
    "Add": lambda x, y, name: layers.Add(name=name)([x, y]),
    "Average": lambda x, y, name: layers.Average(name=name)([x, y]),
    "Multiply": lambda x, y, name: layers.Multiply(name=name)([x, y]),
    "Maximum": lambda x, y, name: layers.Maximum(name=name)([y, x]),
    "x + y": lambda x, y, name: x + y,
}


@pytest.mark.parametrize("join", JOINS)
@pytest.mark.parametrize("gone", ["a", "b", "ab"])
def test_residual_blocks_and_gates(join, gone):
    model = randomised(residual("ab", JOINS[join]))
    names = [f"{block}_{layer}" for block in gone for layer in BLOCK]
    left = [block for block in "ab" if block not in gone]
    assert_is(shrink.remove_layers(model, names), residual(left, JOINS[join]), model)


@pytest.mark.parametrize("names", [["two"], ("two", "three"), "two", {"drop", "two", "three"}])
def test_a_sequential(names):
    def build(kept):
        stages = [dense("one", activation="relu"), dense("two"), layers.Dropout(0.5, name="drop"), dense("three")]
        stages = [stage for stage in stages if kept(stage.name)]
        return keras.Sequential([keras.Input((4,)), *stages, dense("output", 2)], name="line")

    model = randomised(build(lambda name: True))
    small = shrink.remove_layers(model, names)
    assert isinstance(small, keras.Sequential)
    assert_is(small, build(lambda name: name not in ([names] if isinstance(names, str) else names)), model)


def test_layers_of_models_inside():
    def build(whole):
        i = keras.Input((6,), name="i")
        y = dense("second")(dense("first", activation="relu")(i)) if whole else dense("second")(i)
        inner = keras.Model(i, layers.Add(name="join")([i, y]), name="inner")
        x = keras.Input((4,), name="x")
        return keras.Model(x, dense("output", 2)(inner(inner(dense("made")(x)))))

    model = randomised(build(True))
    small = shrink.remove_layers(model, ["inner/first"])
    assert [layer.name for layer in small.get_layer("inner").layers[1:]] == ["second", "join"]
    assert_is(small, build(False), model)
    x = keras.Input((4,), name="x")
    without = keras.Model(x, dense("output", 2)(dense("made")(x)))
    assert_is(shrink.remove_layers(model, ["inner"]), without, model)
    small = shrink.remove_layers(model, ["inner/first", "inner/second"])  # i + i: the inner model passes i on
    np.testing.assert_allclose(answers(small, examples(model)), answers(without, examples(model)), atol=1e-6)


def test_a_shared_layer_goes_wherever_it_is_called():
    def build(whole):
        x, y = keras.Input((6,), name="x"), keras.Input((6,), name="y")
        shared = dense("shared") if whole else (lambda h: h)
        return keras.Model([x, y], dense("output", 2)(layers.Concatenate(name="cat")([shared(x), shared(y)])))

    model = randomised(build(True))
    assert_is(shrink.remove_layers(model, ["shared"]), build(False), model)


def test_operations_go_by_their_names():
    x = keras.Input((6,), name="x")
    h = ops.relu(dense("made")(x))
    model = randomised(keras.Model(x, dense("output", 2)(h)))
    name = h._keras_history.operation.name
    x = keras.Input((6,), name="x")
    assert_is(shrink.remove_layers(model, [name]), keras.Model(x, dense("output", 2)(dense("made")(x))), model)


def test_a_sum_of_a_tensor_with_itself_is_no_block():
    """x + x was in the model on purpose: it stays when something else goes."""

    def build(whole):
        x = keras.Input((4,), name="x")
        h = dense("made")(x)
        h = layers.Add(name="twice")([h, h])
        return keras.Model(x, dense("output", 2)(dense("after")(h) if whole else h))

    model = randomised(build(True))
    assert_is(shrink.remove_layers(model, ["after"]), build(False), model)


def test_no_names():
    model = randomised(residual("a"))
    small = shrink.remove_layers(model, [])
    np.testing.assert_array_equal(answers(small, examples(model)), answers(model, examples(model)))


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["nothing"], "names has 'nothing'.*there are .*stem"),
        (["image"], "names has 'image'"),
        (["stem"], "would get .*shape"),
        (["a_conv"], "'a_out' would get"),
        (["a_out"], "'a_join' would get"),
        (["output"], "output of .* would get"),
        (["a_join"], "'a_join' joins tensors that stay different"),
        (["pool"], "'output' would get"),
        ([3], "names has 3"),
    ],
)
def test_what_cannot_go(names, message):
    model = residual("a")
    calls = {layer.name: len(layer._inbound_nodes) for layer in model.layers}
    with pytest.raises(ValueError, match=message):
        shrink.remove_layers(model, names)
    assert calls == {layer.name: len(layer._inbound_nodes) for layer in model.layers}


@pytest.mark.parametrize("names", [None, 3])
def test_what_is_no_list_of_names(names):
    with pytest.raises(TypeError, match="names"):
        shrink.remove_layers(residual("a"), names)


def test_the_optimizer_goes_on_with_what_is_left():
    """The model's training step equals that of the one built without the block, with the same slots."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(16, 5, 5, 3)), rng.normal(size=(16, 2))
    model = randomised(residual("ab"))
    model.compile(keras.optimizers.Adam(0.01), "mse", metrics=["mae"])
    model.fit(x, y, batch_size=4, verbose=0)
    small = shrink.remove_layers(model, [f"a_{layer}" for layer in BLOCK])
    assert int(small.optimizer.iterations) == 4
    old = dict(zip([v.path for v in model.trainable_variables], model.optimizer._momentums, strict=True))
    for v, new in zip(small.trainable_variables, small.optimizer._momentums, strict=True):
        np.testing.assert_array_equal(new, old[v.path])
        assert np.any(new.numpy() != 0)
    assert small.fit(x, y, batch_size=4, verbose=0).history.keys() == {"loss", "mae"}
    assert int(small.optimizer.iterations) == 8


def test_units_and_layers_of_the_same_model():
    model = randomised(residual("ab"))
    layers_first = shrink.remove_units(
        shrink.remove_layers(model, [f"a_{layer}" for layer in BLOCK]), {"stem": [0, 1, 2], "b_conv": [3]}
    )
    units_first = shrink.remove_layers(
        shrink.remove_units(model, {"stem": [0, 1, 2], "b_conv": [3]}), [f"a_{layer}" for layer in BLOCK]
    )
    x = examples(model)
    np.testing.assert_allclose(answers(layers_first, x), answers(units_first, x), atol=1e-6)
    assert layers_first.count_params() == units_first.count_params()
