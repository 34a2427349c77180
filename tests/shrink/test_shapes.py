"""Units that come to lie elsewhere: Flatten, Reshape, Permute, Concatenate, and the operations that do such things."""

from functools import partial

import keras
import pytest
from keras import layers, ops
from oracles import assert_removed, randomised

from course_lib import shrink

KEPT, GONE = [0, 3, 4, 5], [1, 2]


def image_model(*between):
    """An image → six channels "made" at 16 places → these layers → Flatten → Dense."""
    made = [keras.Input((5, 5, 3)), layers.Conv2D(6, 2, name="made")]
    return keras.Sequential([*made, *between, layers.Flatten(), layers.Dense(2)])


SHAPES = {
    "flat": [],
    "a row of places": [layers.Reshape((16, 6)), layers.Conv1D(3, 2)],
    "open": [layers.Reshape((-1, 6)), layers.Conv1D(3, 2)],
    "two places in one axis": [layers.Reshape((4, 24)), layers.Dense(3)],
    "rows of different places": [layers.Reshape((8, 12)), layers.Dense(3)],
    "channels split from a place": [layers.Reshape((2, 8, 6)), layers.Conv2D(3, 2)],
    "one place more": [layers.Reshape((4, 4, 1, 6)), layers.Conv3D(3, (2, 2, 1))],
    "channels in front": [layers.Permute((3, 1, 2)), layers.Flatten()],
    "channels in front, in one": [layers.Permute((3, 2, 1)), layers.Reshape((6, 16)), layers.Permute((2, 1))],
    "there and back": [layers.Flatten(), layers.Reshape((4, 4, 6)), layers.Conv2D(3, 2)],
}


@pytest.mark.parametrize("kind", SHAPES)
def test_from_a_convolution(kind):
    small = assert_removed(image_model(*SHAPES[kind]), {"made": KEPT}, {"made": GONE})
    assert small.get_layer("made").filters == 4


@pytest.mark.parametrize("shape", [(4, 6), (2, 2, 6), (24,), (1, 4, 6)])
def test_from_dense_to_an_image(shape):
    model = keras.Sequential([keras.Input((5,)), layers.Dense(24, name="made"), layers.Reshape(shape)])
    model.add(layers.BatchNormalization(name="n"))
    model.add(layers.Flatten())
    model.add(layers.Dense(2))
    gone = [i for i in range(24) if i % 6 in GONE]
    of_norm = gone if shape == (24,) else GONE
    kept = [i for i in range(24) if i not in gone]
    small = assert_removed(model, {"made": kept}, {"made": gone, "n": of_norm})
    assert small.get_layer("n").gamma.shape[0] == (16 if shape == (24,) else 4)


def test_units_that_become_a_channel_go_together():
    model = keras.Sequential([keras.Input((5,)), layers.Dense(12, name="made"), layers.Reshape((2, 6))])
    model.add(layers.Conv1D(3, 2))
    (group,) = shrink.groups(model)
    assert (group.name, group.units) == ("made", 6)
    assert group.places == ((0, 6), (1, 7), (2, 8), (3, 9), (4, 10), (5, 11))
    with pytest.raises(ValueError, match=r"keep\['made'\].*\[0, 6\].*go together"):
        shrink.remove_units(model, {"made": range(1, 12)})


@pytest.mark.parametrize("target", [(32, 3), (6, 16), (3, 32)])
def test_a_reshape_that_mixes_channels_with_places(target):
    model = image_model(layers.Reshape(target, name="mix"), layers.Dense(3))
    with pytest.raises(ValueError, match=r"keep\['made'\] leaves out .*'mix' it mixes channels with places"):
        shrink.remove_units(model, {"made": KEPT})


def functional(shape, build):
    x = keras.Input(shape)
    return keras.Model(x, layers.Dense(2)(layers.Flatten()(build(x))))


def dense(x, name="made"):
    return layers.Dense(6, name=name)(x)


OPERATIONS = {  # of six units at five places
    "reshape": lambda h: ops.reshape(h, (-1, 30)),
    "reshape, row of places": lambda h: layers.Conv1D(3, 2)(ops.reshape(h, (-1, 5, 6))),
    "mean of places": lambda h: ops.mean(h, axis=1),
    "max of places, kept": lambda h: ops.max(h, axis=1, keepdims=True),
    "sum of places": lambda h: ops.sum(h, axis=-2),
    "transpose": lambda h: ops.transpose(h, (0, 2, 1)),
    "expand and squeeze": lambda h: ops.squeeze(ops.expand_dims(h, 1), 1),
    "a place": lambda h: h[:, 0],
    "some places": lambda h: h[:, 1:4, :],
    "take and pad": lambda h: ops.take(ops.pad(h, ((0, 0), (0, 0), (0, 2))), [5, 0, 0, 3, 7, 1, 2, 4], axis=-1),
}


@pytest.mark.parametrize("kind", OPERATIONS)
def test_operations(kind):
    assert_removed(functional((5, 4), lambda x: OPERATIONS[kind](dense(x))), {"made": KEPT}, {"made": GONE})


@pytest.mark.parametrize("pick", [lambda h: h[:, :5], lambda h: h[..., 0:5:2], lambda h: ops.take(h, [4, 0, 2], -1)])
def test_units_that_are_picked(pick):
    model = functional((4,), lambda x: layers.Concatenate()([pick(dense(x)), x]))
    assert_removed(model, {"made": [0, 4]}, {"made": [1, 2, 3, 5]})


def test_heads_of_a_hand_written_attention():
    """(batch, 5, 24) → (batch, 5, 4, 6): unit k of each of the four heads goes with that of the others."""
    gone = [i for i in range(24) if i % 6 in GONE]
    model = functional((5, 3), lambda x: layers.Dense(3)(layers.Reshape((5, 4, 6))(layers.Dense(24, name="made")(x))))
    assert_removed(model, {"made": [i for i in range(24) if i not in gone]}, {"made": gone})


@pytest.mark.parametrize("operation", [False, True])
def test_concatenate(operation):
    join = partial(ops.concatenate, axis=-1) if operation else layers.Concatenate()

    def build(x):
        first, second = dense(x, "first"), layers.Dense(3, name="second")(x)
        h = layers.BatchNormalization(name="n")(join([first, x, second, first]))
        return layers.Dense(4)(h)

    zeros = {"first": GONE, "second": [0], "n": [1, 2, 6 + 4, 13 + 1, 13 + 2]}
    small = assert_removed(functional((4,), build), {"first": KEPT, "second": [1, 2]}, zeros)
    assert small.get_layer("n").gamma.shape == (4 + 4 + 2 + 4,)


def test_concatenate_along_places_ties_the_units():
    def build(x):
        return layers.Dense(3)(layers.Concatenate(axis=1)([dense(x, "first"), dense(x, "second")]))

    model = functional((5, 4), build)
    assert shrink.groups(model)[0].makes == ("first", "second")
    assert_removed(model, {"second": KEPT}, {"first": GONE, "second": GONE})


@pytest.mark.parametrize(
    "operation",
    [
        lambda h: ops.cumsum(h, axis=-1),
        ops.triu,
        lambda h: ops.flip(h, axis=-1),
        lambda h: ops.roll(h, 1, axis=-1),
        lambda h: ops.sort(h, axis=-1),
        lambda h: ops.softmax(h, axis=-1),
        lambda h: ops.transpose(ops.softmax(ops.transpose(h, (0, 2, 1)), axis=-2), (0, 2, 1)),
        lambda h: ops.mean(h, axis=-1),
        lambda h: ops.matmul(h, ops.transpose(h, (0, 2, 1))),
        lambda h: layers.Dot(axes=-1)([h, h]),
    ],
)
def test_operations_that_mix_units_keep_them(operation):
    """Or, where they only add them up, answer as with zeros in their place."""
    model = randomised(functional((5, 4), lambda x: operation(dense(x))))
    try:
        shrink.remove_units(model, {"made": KEPT})
    except ValueError as error:
        assert "cannot be removed: in layer" in str(error)
    else:
        assert_removed(model, {"made": KEPT}, {"made": GONE})


def test_places_that_are_taken_into_the_batch():
    x = keras.Input((5, 4))
    h = ops.reshape(dense(x), (-1, 6))
    model = randomised(keras.Model(x, layers.Dense(2)(h)))
    assert len(shrink.groups(model)) + len(shrink.groups(model).fixed) > 0
