"""Where a constant cannot be folded exactly, as at zeros around an image or in a shared bias, a warning says so."""

import warnings

import keras
import numpy as np
import pytest
from keras import layers
from oracles import GONE, difference, examples, masked, randomised, without_kernels

from course_lib import shrink


@pytest.mark.parametrize(
    ("made", "behind"),
    [
        (layers.Conv2D(6, 2, name="made"), layers.Conv2D(4, 3, padding="same", name="reader")),
        (layers.Conv2D(6, 2, name="made"), layers.DepthwiseConv2D(3, padding="same", name="reader")),
        (layers.Conv2D(6, 2, name="made"), layers.SeparableConv2D(4, 3, padding="same", name="reader")),
        (layers.Conv2D(6, 2, name="made"), layers.ZeroPadding2D(1, name="reader")),
        (layers.Conv2D(6, 2, name="made"), layers.Conv2D(6, 3, padding="same", groups=6, name="reader")),
        (layers.Conv2D(6, 2, name="made"), layers.Conv2DTranspose(4, 3, strides=2, name="reader")),
    ],
)
def test_zeros_at_the_border_make_it_inexact_and_a_warning_says_so(made, behind):
    between = [keras.Input((7, 7, 3)), made, behind, layers.GlobalAveragePooling2D()]
    model = randomised(keras.Sequential([*between, layers.Dense(2)]))
    x, expected = examples(model), masked(model, {"made/kernel": GONE})
    with pytest.warns(UserWarning, match="'reader'"):
        small = shrink.shrink(model, without_kernels(model, "made"))
    assert small.get_layer("made").filters == 4
    assert 1e-4 < difference(expected, small, x) < 1
    model.get_layer("made").bias.assign(np.zeros(6))  # no constant but zero: exact again, and silent
    expected = masked(model, {"made/kernel": GONE})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert difference(expected, shrink.shrink(model, without_kernels(model, "made")), x) < 1e-5


def test_a_causal_convolution_pads_too():
    behind = layers.Conv1D(4, 3, padding="causal", name="reader")
    model = keras.Sequential([keras.Input((6, 3)), layers.Dense(6, name="made"), behind, layers.Flatten()])
    model.add(layers.Dense(2))
    randomised(model)
    with pytest.warns(UserWarning, match="'reader'"):
        shrink.shrink(model, without_kernels(model, "made"))


def test_attention_cannot_fold_a_constant():
    x = keras.Input((5, 4))
    h = layers.Dense(6, name="made")(x)
    model = randomised(keras.Model(x, layers.Dense(2)(layers.MultiHeadAttention(2, 3, name="attention")(h, h))))
    with pytest.warns(UserWarning, match="'attention'"):
        shrink.shrink(model, without_kernels(model, "made"))


@pytest.mark.parametrize("norm", [layers.LayerNormalization, layers.RMSNormalization])
def test_a_norm_over_units_cannot_put_back_what_differs_from_place_to_place(norm):
    """A norm over the places leaves its β behind, another at each place."""
    inner = [layers.Dense(6, name="made"), layers.LayerNormalization(axis=1, name="places"), norm(name="units")]
    model = randomised(keras.Sequential([keras.Input((5, 4)), *inner, layers.Flatten(), layers.Dense(2)]))
    with pytest.warns(UserWarning, match="'units'"):
        shrink.remove_units(model, {"made": [0, 3, 4, 5]})


@pytest.mark.parametrize("size", [4, 6])
def test_a_norm_over_units_puts_a_constant_back_along_its_own_axis(size):
    """Also where another axis has as many entries."""
    image = keras.Input((size, size, 3))
    h = layers.Permute((3, 1, 2))(layers.Conv2D(6, 1, activation="softplus", name="made")(image))
    h = layers.LayerNormalization(axis=1, name="norm")(h)
    model = randomised(keras.Model(image, layers.Dense(2)(layers.Flatten()(h))))
    expected = masked(model, {"made": GONE, "norm": GONE})
    small = shrink.remove_units(model, {"made": [0, 3, 4, 5]})
    assert difference(expected, small, examples(model)) < 1e-5


def shared_reader(kind):
    x, y = keras.Input((4,)), keras.Input((4,))
    a, b = layers.Dense(6, "relu", name="a")(x), layers.Dense(6, "relu", name="b")(y)
    reader = {
        "dense": layers.Dense(3, name="reader"),
        "no bias": layers.Dense(3, use_bias=False, name="reader"),
        "norm": layers.LayerNormalization(name="reader"),
        "model": keras.Sequential([keras.Input((6,)), layers.Dense(3, name="inside")], name="reader"),
    }[kind]
    model = randomised(keras.Model([x, y], layers.Dense(2)(layers.Concatenate()([reader(a), reader(b)]))))
    if kind == "norm":
        reader.gamma.assign([1, 0, 0, 1, 1, 1])
    return model


@pytest.mark.parametrize("kind", ["dense", "no bias", "norm", "model"])
@pytest.mark.parametrize("both", [True, False])
def test_a_shared_layer_cannot_fold_two_constants(kind, both):
    """It has one bias: what differs from call to call must stay, or a warning says what is lost."""
    model = shared_reader(kind)
    model.get_layer("a").bias.assign(np.arange(6.0))
    model.get_layer("b").bias.assign(np.arange(6.0) + (3 if both else 0))
    masks = without_kernels(model, "a", "b") if both else without_kernels(model, "a")
    expected = masked(model, {f"{path.split('/')[0]}/kernel": GONE for path in masks})
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        small = shrink.shrink(model, masks)
    assert difference(expected, small, examples(model)) < 1e-5 or any("exactly" in str(w.message) for w in warned)


def test_a_shared_layer_folds_a_constant_that_all_its_calls_have():
    model = shared_reader("dense")
    for name in "ab":
        model.get_layer(name).bias.assign(np.arange(6.0))
    masks = without_kernels(model, "a", "b")
    expected = masked(model, dict.fromkeys(["a/kernel", "b/kernel"], GONE))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        small = shrink.shrink(model, masks)
    assert small.get_layer("a").units == 4
    assert difference(expected, small, examples(model)) < 1e-5
