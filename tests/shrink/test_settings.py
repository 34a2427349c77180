"""What a layer was set to or has learned beside its kernels is the same in the new model."""

import keras
import numpy as np
import pytest
from keras import layers, ops
from oracles import difference, examples, masked, randomised

from course_lib import shrink

KEPT, GONE = [0, 3, 4, 5], [1, 2]


def dense(name, units=6, **options):
    return layers.Dense(units, name=name, **options)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16", "bfloat16", "float16", "float64"])
def test_policies_are_kept(policy):
    options = {"dtype": policy}
    stages = [
        layers.Conv2D(6, 2, name="made", **options),
        layers.BatchNormalization(name="norm", **options),
        layers.DepthwiseConv2D(2, activation="relu", use_bias=False, **options),
        layers.LayerNormalization(**options),
        layers.Flatten(**options),
        layers.Dense(2, dtype="float32", name="output"),
    ]
    model = randomised(keras.Sequential([keras.Input((5, 5, 3)), *stages]))
    small = shrink.remove_units(model, {"made": KEPT})
    names = ["made", "norm", "layer_normalization", "output"]
    norm = next(layer.name for layer in model.layers if isinstance(layer, layers.LayerNormalization))
    depthwise = next(layer.name for layer in model.layers if isinstance(layer, layers.DepthwiseConv2D))
    names = ["made", "norm", norm, "output"]
    assert [small.get_layer(name).dtype_policy.name for name in names] == [policy] * 3 + ["float32"]
    expected = masked(model, {"made": GONE, "norm": GONE, f"{depthwise}/kernel": (-2, GONE), norm: GONE})
    assert difference(expected, small, examples(model)) < (1e-5 if policy == "float64" else 0.05)


def test_settings_of_layers_are_kept():
    made = dense("made", kernel_regularizer="l2", kernel_constraint="max_norm", bias_initializer="ones")
    output = dense("output", 2, trainable=False)
    model = randomised(keras.Sequential([keras.Input((4,)), made, layers.Dropout(0.3, seed=1), output]))
    small = shrink.remove_units(model, {"made": KEPT})
    new = small.get_layer("made").get_config()
    assert {**new, "units": 6} == made.get_config()
    assert not small.get_layer("output").trainable and len(small.trainable_weights) == 2
    assert len(small.losses) == len(model.losses) == 1


def test_a_frozen_inner_model_stays_frozen():
    x = keras.Input((4,))
    inner = keras.Sequential([keras.Input((4,)), dense("a", activation="relu"), dense("b")], name="inner")
    inner.trainable = False
    model = keras.Model(x, dense("output", 2)(inner(x)))
    small = shrink.remove_units(model, {"inner/a": KEPT})
    assert [v.path for v in small.trainable_weights] == [v.path for v in model.trainable_weights]
    assert not small.get_layer("inner").trainable


@pytest.mark.parametrize("kind", ["normalization", "string", "integer", "text", "bins"])
def test_what_an_input_layer_has_learned_is_kept(kind):
    rng = np.random.default_rng(0)
    words = np.array([["a"], ["c"], ["z"], ["b"]])
    layer, learned, x, dtype = {
        "normalization": (layers.Normalization(), rng.normal(3, 2, (50, 4)), rng.normal(3, 2, (4, 4)), "float32"),
        "bins": (
            layers.Discretization(num_bins=4, output_mode="one_hot"),
            rng.normal(size=(50, 1)),
            [[-2.0], [2]],
            None,
        ),
        "string": (layers.StringLookup(output_mode="multi_hot"), ["a", "b", "c"], words, "string"),
        "integer": (layers.IntegerLookup(output_mode="multi_hot"), [5, 7, 9], [[5], [9], [1]], "int64"),
        "text": (layers.TextVectorization(output_mode="multi_hot"), ["a b c", "d e"], words, "string"),
    }[kind]
    layer.adapt(learned)
    x = np.asarray(x) if dtype == "string" else ops.convert_to_tensor(x)
    entrance = keras.Input((x.shape[1],), dtype=dtype)
    model = keras.Model(entrance, dense("output", 2)(dense("made", activation="tanh")(layer(entrance))))
    before = np.asarray(model(x))
    assert np.ptp(before, axis=0).max() > 0.01
    for small in (shrink.remove_units(model, {"made": range(6)}), shrink.shrink(model)):
        np.testing.assert_allclose(small(x), before, atol=1e-6)
