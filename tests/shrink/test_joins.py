"""Tensors joined unit by unit: Add, Multiply, squeeze-and-excite, broadcasting, as layers and as bare operations."""

import keras
import numpy as np
import pytest
from keras import layers, ops
from oracles import assert_removed, randomised

from course_lib import shrink

KEPT, GONE = [0, 3, 4, 5], [1, 2]


def functional(shape, build):
    x = keras.Input(shape)
    return keras.Model(x, layers.Dense(2, name="output")(layers.Flatten()(build(x))))


def dense(x, name, **options):
    return layers.Dense(6, name=name, **options)(x)


def conv(x, name, **options):
    return layers.Conv2D(6, 1, name=name, **options)(x)


TWO = {
    "Add": lambda a, b: layers.Add()([a, b]),
    "Subtract": lambda a, b: layers.Subtract()([a, b]),
    "Multiply": lambda a, b: layers.Multiply()([a, b]),
    "Average": lambda a, b: layers.Average()([a, b]),
    "Maximum": lambda a, b: layers.Maximum()([a, b]),
    "Minimum": lambda a, b: layers.Minimum()([a, b]),
    "a + b": lambda a, b: a + b,
    "a - b": lambda a, b: a - b,
    "a * b": lambda a, b: a * b,
    "maximum": ops.maximum,
    "minimum": ops.minimum,
    "3 - 2a + b / 2": lambda a, b: 3 - 2 * a + b / 2,
    "relu of both": lambda a, b: ops.relu(a) + ops.sigmoid(b),
    "max(a, 0.1) b": lambda a, b: ops.maximum(a, 0.1) * b,
    "abs, square": lambda a, b: ops.abs(a) + ops.square(b) - ops.exp(-b),
    "a / (1 + b²)": lambda a, b: a / (1 + ops.square(b)),
    "a²": lambda a, b: a**2 + b,
}


@pytest.mark.parametrize("named", ["first", "second"])
@pytest.mark.parametrize("how", TWO)
def test_two_layers_that_are_joined_lose_the_same_units(how, named):
    model = functional((4,), lambda x: TWO[how](dense(x, "first"), dense(x, "second")))
    (group,) = shrink.groups(model)
    assert set(group.makes) == {"first", "second"} and group.reads == ("output",)
    small = assert_removed(model, {named: KEPT}, {"first": GONE, "second": GONE})
    assert [small.get_layer(name).units for name in ("first", "second")] == [4, 4]


def test_three_layers():
    model = functional((4,), lambda x: layers.Add()([dense(x, "a"), dense(x, "b"), dense(x, "c")]))
    assert_removed(model, {"b": KEPT}, dict.fromkeys("abc", GONE))


def test_a_chain_of_residual_blocks():
    def build(x):
        h = conv(x, "stem", use_bias=False)
        for block in ("one", "two"):
            y = layers.ReLU()(layers.BatchNormalization(name=f"{block}_norm")(h))
            y = layers.Conv2D(5, 2, padding="same", activation="relu", name=f"{block}_a")(y)
            h = layers.Add()([h, conv(y, f"{block}_b", activation="tanh")])
        return h

    zeros = {"stem": GONE, "one_norm": GONE, "two_norm": GONE, "one_b": GONE, "two_b": GONE, "one_a": [0], "two_a": [4]}
    keep = {"two_b": KEPT, "one_a": [1, 2, 3, 4], "two_a": [0, 1, 2, 3]}
    small = assert_removed(functional((3, 3, 3), build), keep, zeros)
    assert small.get_layer("stem").filters == 4


def squeezed_dense(h):
    s = layers.Reshape((1, 1, 6))(layers.GlobalAveragePooling2D()(h))
    return layers.Dense(6, activation="sigmoid", name="gate")(layers.Dense(3, activation="relu", name="squeeze")(s))


def squeezed_conv(h):
    s = layers.GlobalAveragePooling2D(keepdims=True)(h)
    s = layers.Conv2D(3, 1, activation="relu", name="squeeze")(s)
    return layers.Conv2D(6, 1, activation="hard_sigmoid", name="gate")(s)


def squeezed_ops(h):
    s = layers.Dense(3, activation="relu", name="squeeze")(ops.mean(h, axis=(1, 2), keepdims=True))
    return ops.sigmoid(layers.Dense(6, name="gate")(s))


def squeezed_then_spread(h):
    s = layers.Dense(3, activation="relu", name="squeeze")(layers.GlobalMaxPooling2D()(h))
    return layers.Reshape((1, 1, 6))(layers.Dense(6, activation="sigmoid", name="gate")(s))


@pytest.mark.parametrize("squeezed", [squeezed_dense, squeezed_conv, squeezed_ops, squeezed_then_spread])
@pytest.mark.parametrize("named", ["made", "gate"])
def test_squeeze_and_excite(squeezed, named):
    def build(x):
        h = layers.BatchNormalization(name="norm")(conv(x, "made"))
        return layers.Multiply()([h, squeezed(h)])

    zeros = {"made": GONE, "norm": GONE, "gate": GONE, "squeeze": [1]}
    assert_removed(functional((3, 4, 3), build), {named: KEPT, "squeeze": [0, 2]}, zeros)


def test_a_gate_for_every_place_keeps_its_one_channel():
    def build(x):
        h = conv(x, "made")
        return layers.Multiply()([h, layers.Conv2D(1, 1, activation="sigmoid", name="gate")(h)])

    model = functional((3, 4, 3), build)
    assert_removed(model, {"made": KEPT}, {"made": GONE})
    assert [group.name for group in shrink.groups(model)] == ["made"]


def test_broadcasting_of_fewer_axes():
    x, y = keras.Input((5, 4)), keras.Input((1, 4))
    model = keras.Model([x, y], layers.Dense(2)(layers.Flatten()(dense(x, "a") + dense(y, "b"))))
    assert_removed(model, {"b": KEPT}, {"a": GONE, "b": GONE})
    z = keras.Input((6,))
    whole = ops.reshape(layers.Dense(30, name="b")(z), (-1, 5, 6))
    model = keras.Model([x, z], layers.Dense(2)(layers.Flatten()(dense(x, "a") * whole)))
    assert_removed(model, {"a": KEPT}, {"a": GONE, "b": [i for i in range(30) if i % 6 in GONE]})


@pytest.mark.parametrize(
    "join",
    [
        lambda h, x: layers.Add()([h, x]),
        lambda h, x: layers.Multiply()([x, h]),
        lambda h, x: h + np.arange(6.0, dtype="float32"),
        lambda h, x: h * keras.ops.arange(6.0),
    ],
)
def test_what_is_joined_with_a_tensor_that_stays_cannot_go(join):
    model = randomised(functional((6,), lambda x: join(dense(x, "made"), x)))
    assert len(shrink.groups(model)) == 0
    with pytest.raises(ValueError, match=r"keep\['made'\].*joined with a tensor of which nothing can be removed"):
        shrink.remove_units(model, {"made": KEPT})


def test_a_layer_added_to_a_rearrangement_of_itself_ties_its_units():
    """h + h[::-1]: units 0 and 5, 1 and 4, 2 and 3 are a unit each."""
    model = functional((4,), lambda x: (h := dense(x, "made")) + ops.take(h, [5, 4, 3, 2, 1, 0], axis=-1))
    (group,) = shrink.groups(model)
    assert (group.units, group.places) == (3, ((0, 5), (1, 4), (2, 3)))
    assert_removed(model, {"made": [0, 2, 3, 5]}, {"made": [1, 4]})


def test_the_same_tensor_twice():
    model = functional((4,), lambda x: layers.Add()([(h := dense(x, "made", activation="relu")), h, h]) * h)
    assert_removed(model, {"made": KEPT}, {"made": GONE})
