"""Layers between those that make units and those that read them: norms, activations, pooling, padding, dropout."""

import keras
import numpy as np
import pytest
from keras import layers
from oracles import answers, assert_removed, examples, randomised

from course_lib import shrink

KEPT, GONE = [0, 3, 4, 5], [1, 2]

PASS = {
    "batch norm": layers.BatchNormalization,
    "batch norm without scale": lambda **o: layers.BatchNormalization(scale=False, **o),
    "batch norm without center": lambda **o: layers.BatchNormalization(center=False, epsilon=0.1, **o),
    "layer norm": layers.LayerNormalization,
    "rms norm": layers.RMSNormalization,
    "group norm": lambda **o: layers.GroupNormalization(2, **o),
    "instance norm": lambda **o: layers.GroupNormalization(-1, **o),
    "one group": lambda **o: layers.GroupNormalization(1, **o),
    "prelu": layers.PReLU,
    "prelu, shared": lambda **o: layers.PReLU(shared_axes=[1, 2], **o),
    "prelu, one slope": lambda **o: layers.PReLU(shared_axes=[1, 2, 3], **o),
    "relu": lambda **o: layers.ReLU(6.0, **o),
    "leaky": layers.LeakyReLU,
    "elu": layers.ELU,
    "sigmoid": lambda **o: layers.Activation("sigmoid", **o),
    "silu": lambda **o: layers.Activation("silu", **o),
    "gelu": lambda **o: layers.Activation("gelu", **o),
    "softplus": lambda **o: layers.Activation("softplus", **o),
    "dropout": lambda **o: layers.Dropout(0.5, **o),
    "spatial dropout": lambda **o: layers.SpatialDropout2D(0.5, **o),
    "noise": lambda **o: layers.GaussianNoise(0.5, **o),
    "alpha dropout": lambda **o: layers.AlphaDropout(0.5, **o),
    "activity": lambda **o: layers.ActivityRegularization(l1=0.1, **o),
    "rescaling": lambda **o: layers.Rescaling(2.0, 0.5, **o),
    "identity": layers.Identity,
    "average": lambda **o: layers.AveragePooling2D(2, strides=1, padding="same", **o),
    "max": lambda **o: layers.MaxPooling2D(2, padding="same", **o),
    "global average": lambda **o: layers.GlobalAveragePooling2D(keepdims=True, **o),
    "global max": layers.GlobalMaxPooling2D,
    "crop": lambda **o: layers.Cropping2D(1, **o),
    "nearest": lambda **o: layers.UpSampling2D(2, **o),
    "bilinear": lambda **o: layers.UpSampling2D(2, interpolation="bilinear", **o),
    "permuted places": lambda **o: layers.Permute((2, 1, 3), **o),
}
OWN = {"batch norm", "layer norm", "rms norm", "group norm", "instance norm", "one group", "prelu", "prelu, shared"}


@pytest.mark.parametrize("kind", PASS)
def test_units_go_through(kind):
    layer = PASS[kind](name="between")
    model = keras.Sequential(
        [keras.Input((5, 5, 3)), layers.Conv2D(6, 2, name="made"), layer, layers.Flatten(), layers.Dense(2)]
    )
    own = kind.split(" without")[0] in OWN
    assert_removed(model, {"made": KEPT}, {"made": GONE} | ({"between": GONE} if own else {}))


def wave(x):
    return keras.ops.sin(x) + 1


@pytest.mark.parametrize("function", [wave, lambda x: keras.ops.sin(x) + 1])
def test_units_go_through_a_function_of_ones_own(function):
    behind = layers.Dense(2, name="behind")
    made = layers.Dense(6, activation=function, name="made")
    model = randomised(keras.Sequential([keras.Input((4,)), made, layers.Activation(function), behind]))
    small, x = shrink.remove_units(model, {"made": KEPT}), examples(model)
    hidden = np.array(made(x))
    hidden[:, GONE] = np.sin(0) + 1
    np.testing.assert_allclose(answers(small, x)[0], np.asarray(behind(np.sin(hidden) + 1)), atol=1e-5)


@pytest.mark.parametrize("layer", [layers.ZeroPadding2D(1), layers.ZeroPadding2D(((0, 1), (2, 0)))])
def test_zeros_around_units_that_leave_nothing_behind(layer):
    inputs = [keras.Input((5, 5, 3)), layers.Conv2D(6, 2, activation="relu", name="made"), layer]
    assert_removed(keras.Sequential([*inputs, layers.Flatten(), layers.Dense(2)]), {"made": KEPT}, {"made": GONE})


ONE = {
    "max 1d": layers.MaxPooling1D(2),
    "average 1d": layers.AveragePooling1D(2),
    "padding 1d": layers.ZeroPadding1D(1),
    "crop 1d": layers.Cropping1D(1),
    "up 1d": layers.UpSampling1D(2),
    "dropout 1d": layers.SpatialDropout1D(0.5),
    "global 1d": layers.GlobalMaxPooling1D(),
}


@pytest.mark.parametrize("kind", ONE)
def test_sequences(kind):
    made = [keras.Input((6, 3)), layers.Conv1D(6, 2, name="made"), ONE[kind]]
    assert_removed(keras.Sequential([*made, layers.Flatten(), layers.Dense(2)]), {"made": KEPT}, {"made": GONE})


THREE = {
    "max 3d": layers.MaxPooling3D(2),
    "average 3d": layers.AveragePooling3D(2, padding="same"),
    "padding 3d": layers.ZeroPadding3D(1),
    "crop 3d": layers.Cropping3D(1),
    "up 3d": layers.UpSampling3D(2),
    "global 3d": layers.GlobalAveragePooling3D(),
}


@pytest.mark.parametrize("kind", THREE)
def test_volumes(kind):
    made = [keras.Input((4, 4, 4, 2)), layers.Conv3D(6, 2, name="made"), THREE[kind]]
    assert_removed(keras.Sequential([*made, layers.Flatten(), layers.Dense(2)]), {"made": KEPT}, {"made": GONE})


FIRST = {  # with channels first, where the CPU can run it
    "batch norm": lambda: layers.BatchNormalization(axis=1, name="between"),
    "layer norm": lambda: layers.LayerNormalization(axis=1, name="between"),
    "group norm": lambda: layers.GroupNormalization(3, axis=1, name="between"),
    "prelu": lambda: layers.PReLU(shared_axes=[2, 3], name="between"),
    "max": lambda: layers.MaxPooling2D(2, data_format="channels_first"),
    "padding": lambda: layers.ZeroPadding2D(1, data_format="channels_first"),
    "up": lambda: layers.UpSampling2D(2, data_format="channels_first"),
    "global": lambda: layers.GlobalAveragePooling2D(data_format="channels_first", keepdims=True),
}


@pytest.mark.parametrize("flatten", ["channels_first", "channels_last"])
@pytest.mark.parametrize("kind", FIRST)
def test_channels_first(kind, flatten):
    x = image = keras.Input((5, 4, 3))
    x = layers.Permute((3, 1, 2))(layers.Conv2D(6, 2, name="made")(x))
    model = keras.Model(image, layers.Dense(2)(layers.Flatten(data_format=flatten)(FIRST[kind]()(x))))
    zeros = {"made": GONE}
    if "norm" in kind:
        zeros["between"] = GONE
    assert_removed(model, {"made": KEPT}, zeros)


@pytest.mark.parametrize("kind", ["batch norm", "layer norm", "softmax", "dense"])
def test_a_constant_does_not_stay_one_where_a_layer_mixes_places(kind):
    """Behind it each place has another value, so that nothing can be folded into the bias of what reads the unit."""
    mixing = {
        "batch norm": layers.BatchNormalization(axis=1, name="mixing"),
        "layer norm": layers.LayerNormalization(axis=1, name="mixing"),
        "softmax": layers.Softmax(axis=1),
        "dense": layers.Dense(7, name="mixing"),
    }[kind]
    turn = layers.Permute((2, 1)) if kind == "dense" else layers.Identity()
    model = keras.Sequential(
        [keras.Input((5, 4)), layers.Dense(6, name="made"), turn, mixing, layers.Flatten(), layers.Dense(2)]
    )
    randomised(model)
    kernel = model.get_layer("made").kernel
    kernel.assign(kernel * np.array([1, 0, 0, 1, 1, 1]))  # the bias makes two constants
    small, x = shrink.shrink(model), examples(model)
    np.testing.assert_allclose(answers(small, x)[0], answers(model, x)[0], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("layer", "why"),
    [
        (layers.Softmax(name="n"), "softmax"),
        (layers.Activation("log_softmax", name="n"), "all units together"),
        (layers.UnitNormalization(name="n"), "no rule"),
        (layers.LayerNormalization(axis=[1, 2, 3], name="n"), "several axes"),
        (layers.Rescaling([1.0, 2, 3, 4, 5, 6], name="n"), "scale of its own"),
        (layers.Dense(6, activation=layers.PReLU(), name="n"), None),
    ],
)
def test_what_looks_at_all_units_together_keeps_them(layer, why):
    name = "made" if why else "n"
    model = keras.Sequential(
        [keras.Input((5, 5, 3)), layers.Conv2D(6, 2, name="made"), layer, layers.Flatten(), layers.Dense(2)]
    )
    with pytest.raises(ValueError, match=rf"keep\['{name}'\] leaves out .*'n'.*{why or ''}"):
        shrink.remove_units(model, {name: KEPT})
