"""Layers that make units: their filters go, and what the layers behind read of them."""

import keras
import numpy as np
import pytest
from keras import layers
from oracles import answers, assert_removed, difference, examples, masked, randomised

from course_lib import shrink

KEPT, GONE = [0, 3, 4, 5], [1, 2]


def chain(shape, *between):
    """x → layers → Flatten → Dense: a model whose last layer reads every place of every channel."""
    return keras.Sequential([keras.Input(shape), *between, layers.Flatten(), layers.Dense(2, name="output")])


MADE = {  # a layer that makes six units of four, and its input
    "dense": ((4,), lambda **o: layers.Dense(6, **o)),
    "dense on places": ((5, 4), lambda **o: layers.Dense(6, **o)),
    "conv1d": ((5, 4), lambda **o: layers.Conv1D(6, 2, **o)),
    "conv1d causal": ((5, 4), lambda **o: layers.Conv1D(6, 2, padding="causal", **o)),
    "conv2d strides": ((6, 5, 4), lambda **o: layers.Conv2D(6, 3, strides=2, padding="same", **o)),
    "conv2d dilated": ((6, 5, 4), lambda **o: layers.Conv2D(6, 2, dilation_rate=2, **o)),
    "conv3d": ((3, 4, 3, 4), lambda **o: layers.Conv3D(6, 2, **o)),
    "conv1d transposed": ((5, 4), lambda **o: layers.Conv1DTranspose(6, 3, strides=2, **o)),
    "conv2d transposed": ((4, 3, 4), lambda **o: layers.Conv2DTranspose(6, 3, padding="same", **o)),
    "conv3d transposed": ((2, 3, 2, 4), lambda **o: layers.Conv3DTranspose(6, 2, **o)),
    "separable 1d": ((5, 4), lambda **o: layers.SeparableConv1D(6, 2, **o)),
    "separable 2d": ((5, 5, 4), lambda **o: layers.SeparableConv2D(6, 2, padding="same", depth_multiplier=2, **o)),
    "einsum": ((5, 4), lambda **o: layers.EinsumDense("abc,cd->abd", (5, 6), **bias_axes(o))),
}
FILTERS = {"conv1d transposed": -2, "conv2d transposed": -2, "conv3d transposed": -2}  # the kernel's axis of filters


def bias_axes(options):
    return {"bias_axes": "d", "name": options["name"]} if options.get("use_bias", True) else {"name": options["name"]}


@pytest.mark.parametrize("use_bias", [True, False])
@pytest.mark.parametrize("kind", MADE)
def test_units_that_a_layer_makes(kind, use_bias):
    shape, make = MADE[kind]
    model = chain(shape, make(name="made", use_bias=use_bias))
    kernel = "made/pointwise_kernel" if "separable" in kind else "made/kernel"
    zeros = {kernel: (FILTERS.get(kind, -1), GONE)} | ({"made/bias": GONE} if use_bias else {})
    small = assert_removed(model, {"made": KEPT}, zeros)
    assert small.get_layer("made").output.shape[-1] == 4


@pytest.mark.parametrize("kind", MADE)
def test_units_that_a_layer_reads(kind):
    shape, make = MADE[kind]
    model = chain((*shape[:-1], 3), layers.Dense(4, name="read"), make(name="reader"))
    small = assert_removed(model, {"read": [1, 3]}, {"read": [0, 2]})
    assert small.get_layer("reader").output.shape == model.get_layer("reader").output.shape


PASSED = {  # channels go through, each with filters of its own; of six inputs the first, fourth, fifth, sixth are kept
    "depthwise 1d": ((5, 3), lambda: layers.DepthwiseConv1D(2, name="passing"), -2, GONE),
    "depthwise 2d": ((5, 4, 3), lambda: layers.DepthwiseConv2D(3, padding="same", name="passing"), -2, GONE),
    "depthwise, two each": ((4, 4, 3), lambda: layers.DepthwiseConv2D(2, depth_multiplier=2, name="passing"), -2, GONE),
    "groups of one": ((4, 4, 3), lambda: layers.Conv2D(6, 2, groups=6, name="passing"), -1, GONE),
    "groups of one, two each": ((5, 3), lambda: layers.Conv1D(12, 2, groups=6, name="passing"), -1, [2, 3, 4, 5]),
}


@pytest.mark.parametrize("kind", PASSED)
def test_units_that_pass_through_a_depthwise_layer(kind):
    shape, make, axis, gone = PASSED[kind]
    model = chain(shape, layers.Dense(6, name="made"), make())
    behind = [2, 3, 4, 5] if "two" in kind else GONE
    zeros = {"made": GONE, "passing/kernel": (axis, gone), "passing/bias": behind}
    small = assert_removed(model, {"made": KEPT}, zeros)
    assert small.get_layer("passing").output.shape[-1] == model.get_layer("passing").output.shape[-1] * 4 // 6


def test_depthwise_layers_one_behind_the_other():
    twice = [layers.DepthwiseConv2D(1, depth_multiplier=2, use_bias=False, name=name) for name in ("first", "second")]
    model = chain((3, 3, 2), layers.Conv2D(6, 1, name="made"), *twice)
    zeros = {"made": GONE, "first/kernel": (-2, GONE), "second/kernel": (-2, [2, 3, 4, 5])}
    small = assert_removed(model, {"made": KEPT}, zeros)
    assert small.get_layer("second").output.shape[-1] == 16


@pytest.mark.parametrize("groups", [2, 3])
def test_a_grouped_convolution_loses_the_same_filters_in_each_group(groups):
    each = 6 // groups
    model = chain((4, 4, 3), layers.Conv2D(6, 1, name="read"), layers.Conv2D(6, 2, groups=groups, name="grouped"))
    gone = [each * group for group in range(groups)]  # the first of each
    kept = [i for i in range(6) if i not in gone]
    small = assert_removed(model, {"grouped": kept}, {"grouped": gone})
    assert small.get_layer("grouped").groups == groups
    assert small.get_layer("grouped").kernel.shape == (2, 2, each, 6 - groups)
    small = assert_removed(model, {"read": kept}, {"read": gone})
    assert small.get_layer("grouped").kernel.shape == (2, 2, each - 1, 6)


@pytest.mark.parametrize("layer", ["read", "grouped"])
def test_groups_of_filters_go_together(layer):
    model = chain((4, 4, 3), layers.Conv2D(6, 1, name="read"), layers.Conv2D(6, 2, groups=2, name="grouped"))
    with pytest.raises(ValueError, match=rf"keep\['{layer}'\].*\[0, 3\].*go together"):
        shrink.remove_units(model, {layer: [0, 1, 2, 4, 5]})
    (group,) = [group for group in shrink.groups(model) if group.name == layer]
    assert (group.units, group.places) == (3, ((0, 3), (1, 4), (2, 5)))


def test_a_grouped_convolution_of_the_input():
    model = chain((4, 4, 4), layers.Conv2D(6, 2, groups=2, name="grouped"))
    assert_removed(model, {"grouped": [0, 1, 3, 4]}, {"grouped": [2, 5]})


def test_a_depthwise_convolution_of_the_input_stays():
    model = chain((4, 4, 4), layers.DepthwiseConv2D(2, depth_multiplier=2, name="first"), layers.Dense(6, name="made"))
    assert_removed(model, {"made": KEPT}, {"made": GONE})
    with pytest.raises(ValueError, match="'first'"):
        shrink.remove_units(model, {"first": [0, 1]})


@pytest.mark.parametrize("kind", ["conv", "transposed", "separable", "depthwise", "grouped", "recurrent"])
def test_units_along_an_axis_that_a_layer_works_across_cannot_go(kind):
    across = {
        "conv": layers.Conv1D(3, 2, name="across"),
        "transposed": layers.Conv1DTranspose(3, 2, name="across"),
        "separable": layers.SeparableConv1D(3, 2, name="across"),
        "depthwise": layers.DepthwiseConv1D(2, name="across"),
        "grouped": layers.Conv1D(5, 2, groups=5, name="across"),
        "recurrent": layers.GRU(3, return_sequences=True, name="across"),
    }[kind]
    model = chain((5, 4), layers.Dense(6, name="made"), layers.Permute((2, 1)), across)
    with pytest.raises(ValueError, match=r"keep\['made'\].*'across' it works across them"):
        shrink.remove_units(model, {"made": KEPT})


@pytest.mark.parametrize(
    ("kind", "cell", "gates"),
    [(layers.SimpleRNN, "simple_rnn_cell", 1), (layers.GRU, "gru_cell", 3), (layers.LSTM, "lstm_cell", 4)],
)
def test_recurrent_units_go_from_every_gate(kind, cell, gates):
    first, second = kind(6, return_sequences=True, name="first"), kind(6, name="second")
    model = keras.Sequential([keras.Input((5, 3)), first, second, layers.Dense(2)])
    columns = [6 * gate + unit for gate in range(gates) for unit in GONE]
    small = assert_removed(
        model, {"first": KEPT, "second": KEPT}, {f"{n}/{cell}": columns for n in ("first", "second")}
    )
    assert [small.get_layer(name).units for name in ("first", "second")] == [4, 4]


def test_embedding():
    words = keras.Input((5,), dtype="int32")
    x = layers.Embedding(5, 6, name="made")(words)
    model = keras.Model(words, layers.Dense(2)(layers.Flatten()(x)))
    assert_removed(model, {"made": KEPT}, {"made": GONE})


def test_a_random_selection_of_units_in_a_deep_chain():
    rng = np.random.default_rng(3)
    widths = [8, 5, 7, 6]
    hidden = [layers.Dense(n, "relu", name=f"hidden_{i}") for i, n in enumerate(widths)]
    model = randomised(keras.Sequential([keras.Input((4,)), *hidden, layers.Dense(3)]))
    keep = {f"hidden_{i}": rng.choice(n, n // 2 + 1, replace=False) for i, n in enumerate(widths)}
    gone = {name: np.setdiff1d(np.arange(model.get_layer(name).units), kept) for name, kept in keep.items()}
    small, x = shrink.remove_units(model, keep), examples(model, 20)
    assert difference(masked(model, gone), small, x) < 1e-5
    assert np.abs(answers(small, x)[0]).max() > 0
    kernels = [small.get_layer(name).kernel for name in keep]
    assert [kernel.shape for kernel in kernels] == [(4, 5), (5, 3), (3, 4), (4, 4)]
    first, second = np.sort(keep["hidden_0"]), np.sort(keep["hidden_1"])
    np.testing.assert_array_equal(kernels[1], model.get_layer("hidden_1").kernel.numpy()[np.ix_(first, second)])
