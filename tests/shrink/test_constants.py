"""Units that the masks leave nothing but a constant: it is folded into what reads them, exactly where that can be."""

import warnings

import keras
import numpy as np
import pytest
from keras import layers
from oracles import GONE, difference, examples, masked, randomised, without_kernels

from course_lib import shrink

KEPT = [0, 3, 4, 5]


def assert_exact(model, masks, tolerance=2e-5):
    """The model without what the masks leave constant, which answers as the masked one; no warning is needed."""
    x, full = examples(model), keras.models.clone_model(model)
    full.set_weights(model.get_weights())
    for path, mask in masks.items():
        variable = next(v for v in full.weights if v.path.endswith("/".join(path.split("/")[-2:])))
        variable.assign(variable.numpy() * mask)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        small = shrink.shrink(model, masks)
    assert difference(full, small, x) < tolerance < 0.01 < difference(full, model, x)
    return small


IMAGE = {  # between a convolution whose constants are not zero and the Flatten, exact all
    "nothing": [],
    "batch norm": [layers.BatchNormalization()],
    "relu": [layers.ReLU()],
    "sigmoid": [layers.Activation("sigmoid")],
    "average": [layers.AveragePooling2D(2, padding="same")],
    "max": [layers.MaxPooling2D(2)],
    "global": [layers.GlobalMaxPooling2D(keepdims=True)],
    "crop, up": [layers.Cropping2D(1), layers.UpSampling2D(2)],
    "convolution": [layers.Conv2D(4, 2, strides=2)],
    "1 × 1 convolution": [layers.Conv2D(4, 1, padding="same", use_bias=False)],
    "depthwise": [layers.DepthwiseConv2D(2, depth_multiplier=2), layers.ReLU()],
    "separable": [layers.SeparableConv2D(4, 2)],
    "two convolutions": [layers.Conv2D(4, 2, use_bias=False), layers.ReLU(), layers.Conv2D(3, 2, use_bias=False)],
    "layer norm": [layers.LayerNormalization()],
    "norm, conv, norm": [layers.LayerNormalization(), layers.Conv2D(4, 1), layers.BatchNormalization()],
    "group norm": [layers.GroupNormalization(3)],
    "prelu": [layers.PReLU(shared_axes=[1, 2])],
    "leaky": [layers.LeakyReLU()],
    "rescaling": [layers.Rescaling(2.0, 1.0), layers.Dropout(0.5)],
    "reshape": [layers.Reshape((8, 12)), layers.Dense(3, use_bias=False)],
    "permute": [layers.Permute((3, 2, 1))],
}


@pytest.mark.parametrize("kind", IMAGE)
@pytest.mark.parametrize("use_bias", [True, False])
def test_the_constants_of_a_convolution(kind, use_bias):
    made = layers.Conv2D(6, 2, name="made", activation="softplus" if not use_bias else None, use_bias=use_bias)
    reader = layers.Dense(2, use_bias=use_bias, name="output")
    model = randomised(keras.Sequential([keras.Input((5, 5, 3)), made, *IMAGE[kind], layers.Flatten(), reader]))
    small = assert_exact(model, without_kernels(model, "made"))
    if kind not in ("layer norm", "norm, conv, norm", "group norm", "prelu"):  # there they may have to stay
        assert small.get_layer("made").filters == 4


@pytest.mark.parametrize("reader", ["conv 1d", "grouped", "einsum", "dense on places", "separable", "transposed"])
def test_layers_that_read_constants(reader):
    behind = {
        "conv 1d": layers.Conv1D(4, 2, use_bias=False),
        "grouped": layers.Conv1D(4, 2, groups=2),
        "einsum": layers.EinsumDense("...c,cd->...d", 4, bias_axes="d"),
        "dense on places": layers.Dense(4, use_bias=False),
        "separable": layers.SeparableConv1D(4, 2, depth_multiplier=2, use_bias=False),
        "transposed": layers.Conv1DTranspose(4, 1),
    }[reader]
    made = layers.Dense(6, activation="sigmoid", name="made")
    model = randomised(keras.Sequential([keras.Input((5, 4)), made, behind, layers.Flatten(), layers.Dense(2)]))
    kernel, gone = made.kernel, [1, 4] if reader == "grouped" else GONE
    mask = np.ones(kernel.shape, bool)
    mask[:, gone] = False
    x = examples(model)
    masked_model = masked(model, {"made/kernel": gone})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore" if reader == "transposed" else "error")
        small = shrink.shrink(model, {kernel.path: mask})
    assert small.get_layer("made").units == 4
    if reader != "transposed":
        assert difference(masked_model, small, x) < 1e-5


def test_the_constant_is_in_the_bias():
    """y = 3·h₀ + 5·h₁ + 7 with h₁ = relu(0·x + 2) = 2 for every x: y = 3·h₀ + 17."""
    model = keras.Sequential([keras.Input((1,)), layers.Dense(2, "relu", name="h"), layers.Dense(1, name="y")])
    model.set_weights([np.array([[1.0, 1.0]]), np.array([0.0, 2.0]), np.array([[3.0], [5.0]]), np.array([7.0])])
    small = shrink.shrink(model, {"h/kernel": np.array([[True, False]])})
    assert [w.tolist() for w in small.get_weights()] == [[[1.0]], [0.0], [[3.0]], [17.0]]
    without = shrink.remove_units(model, {"h": [0]})  # h₁ depends on x here: it is silenced
    assert [w.tolist() for w in without.get_weights()] == [[[1.0]], [0.0], [[3.0]], [7.0]]


def test_a_layer_without_a_bias_gets_one():
    model = randomised(
        keras.Sequential(
            [
                keras.Input((4,)),
                layers.Dense(6, "sigmoid", name="made"),
                layers.Dense(2, use_bias=False, name="output"),
            ]
        )
    )
    small = assert_exact(model, without_kernels(model, "made"))
    bias = (
        1 / (1 + np.exp(-model.get_layer("made").bias.numpy()[GONE])) @ model.get_layer("output").kernel.numpy()[GONE]
    )
    np.testing.assert_allclose(small.get_layer("output").bias, bias, rtol=1e-5)


@pytest.mark.parametrize("join", [layers.Add, layers.Subtract, layers.Average, layers.Maximum, layers.Multiply])
def test_constants_that_are_joined(join):
    x = keras.Input((4,))
    h = join()([layers.Dense(6, "relu", name="first")(x), layers.Dense(6, name="second")(x)])
    model = randomised(keras.Model(x, layers.Dense(2)(h)))
    for name in ("first", "second"):
        model.get_layer(name).bias.assign(np.linspace(0.5, 2, 6))
    small = assert_exact(model, without_kernels(model, "first", "second"))
    assert small.get_layer("first").units == 4
    only_one = assert_exact(model, without_kernels(model, "first"))
    assert only_one.get_layer("first").units == 6  # the other half still depends on x


def test_zero_times_anything():
    x = keras.Input((4,))
    h = layers.Multiply()([layers.Dense(6, "relu", name="first")(x), layers.Dense(6, "sigmoid", name="gate")(x)])
    model = randomised(keras.Model(x, layers.Dense(2)(h)))
    model.get_layer("first").bias.assign([1, -0.1, -0.2, 1, 1, 1])  # relu(−0.1) = 0
    assert assert_exact(model, without_kernels(model, "first")).get_layer("gate").units == 4


def test_the_shift_of_a_batch_norm():
    """A zero γ makes the channel β whatever comes in, so that all filters in front of it can go, too."""
    inner = [layers.Conv2D(6, 2, use_bias=False, name="made"), layers.BatchNormalization(name="norm"), layers.ReLU()]
    model = randomised(keras.Sequential([keras.Input((5, 5, 3)), *inner, layers.Conv2D(4, 2), layers.Flatten()]))
    model.add(layers.Dense(2))
    randomised(model)
    gamma = model.get_layer("norm").gamma
    gamma.assign(gamma.numpy() * [1, 0, 0, 1, 1, 1])
    small = shrink.shrink(model)
    assert small.get_layer("made").filters == 4
    assert difference(model, small, examples(model)) < 1e-5
