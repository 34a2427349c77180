"""Models in models, layers called more than once, several inputs and outputs, unknown sizes."""

import keras
import numpy as np
import pytest
from keras import layers, ops
from oracles import assert_removed, randomised

from course_lib import shrink

KEPT, GONE = [0, 3, 4, 5], [1, 2]


def dense(name, units=6, **options):
    return layers.Dense(units, name=name, **options)


def sequential(name, *inner):
    return keras.Sequential([*inner], name=name)


def test_units_inside_and_at_the_end_of_an_inner_sequential():
    x = keras.Input((4,))
    inner = sequential("inner", keras.Input((4,)), dense("a", activation="relu"), dense("b"))
    model = keras.Model(x, dense("output", 2)(inner(x)))
    small = assert_removed(model, {"inner/a": KEPT}, {"a": GONE})
    assert isinstance(small.get_layer("inner"), keras.Sequential) and small.get_layer("inner").get_layer("a").units == 4
    small = assert_removed(model, {"inner/b": KEPT}, {"b": GONE})
    assert small.get_layer("output").kernel.shape == (4, 2)
    assert [group.name for group in shrink.groups(model)] == ["inner/a", "inner/b"]


@pytest.mark.parametrize("named", ["made", "inner/branch"])
@pytest.mark.parametrize("times", [1, 3])
def test_an_inner_residual_block_called_again_and_again(named, times):
    i = keras.Input((6,))
    inner = keras.Model(i, layers.Add()([i, dense("branch", activation="relu")(i)]), name="inner")
    x = keras.Input((4,))
    h = dense("made")(x)
    for _ in range(times):
        h = inner(h)
    model = keras.Model(x, dense("output", 2)(h))
    small = assert_removed(model, {named: KEPT}, {"made": GONE, "branch": GONE})
    assert small.get_layer("inner").input.shape == (None, 4)
    assert len(small.get_layer("inner")._inbound_nodes) == len(inner._inbound_nodes)


def test_three_models_deep_with_norms():
    innermost = sequential("innermost", keras.Input((6,)), dense("a"), layers.LayerNormalization(name="norm"))
    inner = sequential("inner", keras.Input((6,)), innermost, dense("b"), layers.BatchNormalization(name="scaled"))
    model = sequential("outer", keras.Input((4,)), dense("c"), inner, layers.ReLU(), dense("output", 2))
    zeros = {"a": GONE, "norm": GONE, "b": [0], "scaled": [0], "c": [5]}
    keep = {"inner/innermost/a": KEPT, "inner/b": [1, 2, 3, 4, 5], "c": [0, 1, 2, 3, 4]}
    assert_removed(model, keep, zeros)


def test_an_inner_model_with_named_inputs_and_outputs():
    i, j = keras.Input((4,), name="i"), keras.Input((3,), name="j")
    a, b = dense("a")(i), dense("b")(j)
    inner = keras.Model({"i": i, "j": j}, {"sum": layers.Add()([a, b]), "first": a}, name="inner")
    x, y = keras.Input((4,), name="x"), keras.Input((3,), name="y")
    both = inner({"i": x, "j": y})
    joined = layers.Concatenate()([both["sum"], y, both["first"]])
    model = keras.Model({"x": x, "y": y}, {"p": dense("p", 2)(joined), "q": dense("q", 1)(y)})
    small = assert_removed(model, {"inner/b": KEPT}, {"a": GONE, "b": GONE})
    assert small.get_layer("p").kernel.shape == (4 + 3 + 4, 2)
    assert set(small.input) == {"x", "y"} and set(small.output) == {"p", "q"}
    assert small.output_names == model.output_names


def test_a_shared_layer_has_its_units_once():
    x, y = keras.Input((4,)), keras.Input((4,))
    tower = dense("tower", activation="tanh")
    norm = layers.BatchNormalization(name="norm")
    far = ops.abs(norm(tower(x)) - norm(tower(y)))
    model = keras.Model([x, y], [dense("output", 2)(far), dense("other", 1)(tower(x))])
    small = assert_removed(model, {"tower": KEPT}, {"tower": GONE, "norm": GONE})
    assert len(small.get_layer("tower")._inbound_nodes) == len(tower._inbound_nodes)


def test_a_layer_that_reads_its_own_units():
    x = keras.Input((4,))
    again = dense("again", activation="relu")
    model = keras.Model(x, dense("output", 2)(again(again(again(dense("made")(x))))))
    small = assert_removed(model, {"made": KEPT}, {"made": GONE, "again": GONE})
    assert small.get_layer("again").kernel.shape == (4, 4)


@pytest.mark.parametrize("name", ["read", "shared"])
def test_a_layer_that_is_also_called_on_the_input(name):
    x, y = keras.Input((4,)), keras.Input((6,))
    shared = dense("shared")
    model = randomised(
        keras.Model([x, y], dense("output", 2)(layers.Concatenate()([shared(dense("read")(x)), shared(y)])))
    )
    if name == "shared":
        assert_removed(model, {"shared": KEPT}, {"shared": GONE})
    else:
        with pytest.raises(ValueError, match=r"keep\['read'\].*also called where nothing can be removed"):
            shrink.remove_units(model, {"read": KEPT})


@pytest.mark.parametrize("kind", ["list", "dict", "nested"])
def test_structures_of_inputs_and_outputs(kind):
    x, y = keras.Input((4,), name="x"), keras.Input((3,), name="y")
    h = dense("joined")(layers.Concatenate()([dense("a")(x), y]))
    p, q = dense("p", 2)(h), dense("q", 3)(h)
    pack = {
        "list": lambda a, b: [a, b],
        "dict": lambda a, b: {a.name: a, b.name: b},
        "nested": lambda a, b: [[a], (b,)],
    }
    pack = pack[kind]
    model = keras.Model(pack(x, y), pack(p, q))
    small = assert_removed(model, {"a": KEPT, "joined": [0, 1]}, {"a": GONE, "joined": [2, 3, 4, 5]})
    for old, new in ((model.input, small.input), (model.output, small.output)):
        keras.tree.assert_same_structure(old, new)
        assert [t.shape for t in keras.tree.flatten(old)] == [t.shape for t in keras.tree.flatten(new)]


def test_an_input_that_is_an_output_too():
    x = keras.Input((4,))
    model = keras.Model(x, [dense("p", 2)(dense("made")(x)), x])
    assert_removed(model, {"made": KEPT}, {"made": GONE})


def test_unknown_sizes():
    x = keras.Input((None, None, 3))
    h = layers.Conv2D(6, 2, padding="same", activation="relu", name="made")(x)
    h = layers.UpSampling2D(2)(layers.MaxPooling2D(2)(layers.Conv2D(5, 1, name="next")(h)))
    rows = layers.Reshape((-1, 5))(h)
    model = keras.Model(x, [dense("p", 2)(layers.GlobalAveragePooling2D()(h)), dense("q", 2)(rows)])
    small = assert_removed(model, {"made": KEPT, "next": [0, 4]}, {"made": GONE, "next": [1, 2, 3]})
    assert small(np.zeros((1, 8, 10, 3)))[0].shape == (1, 2)


def test_a_flatten_of_unknown_size_is_an_error_that_says_so():
    x = keras.Input((None, 3))
    h = ops.reshape(dense("made")(x), (-1, 3))
    model = keras.Model(x, dense("output", 2)(h))
    with pytest.raises(ValueError, match=r"keep\['made'\].*in layer 'reshape"):
        shrink.remove_units(model, {"made": KEPT})
