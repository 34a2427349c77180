"""MultiHeadAttention, whose units are heads, and EinsumDense."""

import keras
import pytest
from keras import layers
from oracles import assert_removed, examples, randomised

from course_lib import shrink

KEPT, GONE = [0, 3, 4, 5], [1, 2]


def heads(name, gone, use_bias=True):
    """What is zeroed for heads: their values, and what the output reads of them."""
    weights = {f"{name}/value/kernel": (1, gone), f"{name}/attention_output/kernel": (0, gone)}
    return weights | ({f"{name}/value/bias": (0, gone)} if use_bias else {})


def output(name, gone):
    return {f"{name}/attention_output": gone}


def transformer(shape, build):
    x = keras.Input(shape)
    return keras.Model(x, layers.Dense(2)(layers.Flatten()(build(x))))


@pytest.mark.parametrize("options", [{}, {"use_bias": False}, {"value_dim": 2}, {"dropout": 0.5}, {"output_shape": 4}])
def test_heads(options):
    model = transformer((5, 4), lambda x: x + layers.MultiHeadAttention(6, 3, name="attention", **options)(x, x))
    small = assert_removed(model, {"attention": KEPT}, heads("attention", GONE, options.get("use_bias", True)))
    attention = small.get_layer("attention")
    assert attention.num_heads == 4 and attention.query_dense.kernel.shape == (4, 4, 3)
    (group,) = shrink.groups(model)
    assert (group.name, group.units, group.makes) == ("attention", 6, ("attention",))


def test_the_stream_of_a_residual_attention():
    """Embedding, attention's output and the norms share their units; heads are units of their own."""

    def build(x):
        h = layers.Dense(6, name="embed")(x)
        for i in "12":
            y = layers.LayerNormalization(name=f"norm{i}")(h)
            h = h + layers.MultiHeadAttention(4, 3, name=f"attention{i}")(y, y)
        y = layers.Dense(8, activation="gelu", name="wide")(layers.LayerNormalization(name="norm3")(h))
        return layers.Add()([h, layers.Dense(6, name="narrow")(y)])

    model = transformer((5, 4), build)
    stream = dict.fromkeys(["embed", "norm1", "norm2", "norm3", "narrow"], GONE)
    stream |= output("attention1", GONE) | output("attention2", GONE)
    keep = {"embed": KEPT, "attention1": [0, 2], "attention2": [1, 2, 3], "wide": [0, 1, 6]}
    zeros = stream | heads("attention1", [1, 3]) | heads("attention2", [0]) | {"wide": [2, 3, 4, 5, 7]}
    small = assert_removed(model, keep, zeros)
    assert [small.get_layer(f"attention{i}").num_heads for i in "12"] == [2, 3]
    assert_removed(model, {"attention2/attention_output": KEPT}, stream)


@pytest.mark.parametrize("rank", [2, 3])
def test_cross_attention_reads_from_both_sides(rank):
    x, y = keras.Input((3, 5, 4)[-rank:]), keras.Input((3, 7, 4)[-rank:])
    query, key, value = (
        layers.Dense(n, name=name)(z) for n, name, z in ((6, "query_in", x), (5, "key_in", y), (8, "value_in", y))
    )
    h = layers.MultiHeadAttention(4, 3, attention_axes=(rank - 1,), output_shape=6, name="attention")(query, value, key)
    model = keras.Model([x, y], layers.Dense(2)(layers.Flatten()(h)))
    keep = {"query_in": KEPT, "key_in": [0, 4], "value_in": range(1, 8), "attention": [0, 1, 3]}
    keep["attention/attention_output"] = [0, 1, 2, 4, 5]
    zeros = {
        "query_in": GONE,
        "key_in": [1, 2, 3],
        "value_in": [0],
        **heads("attention", [2]),
        **output("attention", [3]),
    }
    assert_removed(model, keep, zeros)


@pytest.mark.parametrize("options", [{"use_causal_mask": True}, {"attention_mask": True}])
def test_masks_of_attention(options):
    x, seen = keras.Input((5, 4)), keras.Input((5, 5), dtype="bool")
    options = {"attention_mask": seen} if "attention_mask" in options else options
    h = layers.MultiHeadAttention(6, 3, name="attention")(layers.Dense(6, name="made")(x), x, **options)
    model = keras.Model([x, seen], layers.Dense(2)(layers.Flatten()(h)))
    randomised(model)
    causal = examples(model)[0], examples(model)[1] > 0
    small = shrink.remove_units(model, {"attention": KEPT, "made": KEPT})
    assert keras.ops.shape(small(causal)) == (4, 2)
    assert_removed(model, {"attention": KEPT, "made": KEPT}, heads("attention", GONE) | {"made": GONE})


def test_attention_that_also_gives_its_scores():
    x = keras.Input((5, 4))
    h = layers.Dense(6, name="made")(x)
    h, scores = layers.MultiHeadAttention(4, 3, name="attention")(h, h, return_attention_scores=True)
    model = keras.Model(x, [layers.Dense(2)(layers.Flatten()(h)), scores])
    zeros = {"made": GONE, **output("attention", GONE)}
    assert_removed(model, {"made": KEPT, "attention/attention_output": KEPT}, zeros)
    with pytest.raises(ValueError, match="model's outputs"):
        shrink.remove_units(model, {"attention": [0, 1]})


def test_an_output_of_two_axes():
    x = keras.Input((5, 4))
    h = layers.MultiHeadAttention(6, 3, output_shape=(2, 3), name="attention")(x, x)
    model = keras.Model(x, layers.Dense(2)(layers.Flatten()(h)))
    assert_removed(model, {"attention": KEPT}, heads("attention", GONE))


def test_units_along_attention_cannot_go():
    model = transformer(
        (5, 4),
        lambda x: layers.MultiHeadAttention(2, 3, name="attention")(
            layers.Permute((2, 1))(layers.Dense(6, name="made")(x)), x
        ),
    )
    with pytest.raises(ValueError, match=r"keep\['made'\].*in layer 'attention'"):
        shrink.remove_units(model, {"made": KEPT})


def test_units_that_attention_reads_and_also_looks_across():
    """Turned round they are the query's places, and as they are what its values are made of."""
    x = keras.Input((4, 5))
    h = layers.Dense(6, name="made")(x)
    h = layers.MultiHeadAttention(2, 3, name="attention")(layers.Permute((2, 1))(h), h)
    model = keras.Model(x, layers.Dense(2)(layers.Flatten()(h)))
    with pytest.raises(ValueError, match=r"keep\['made'\].*in layer 'attention'"):
        shrink.remove_units(model, {"made": KEPT})


EINSUMS = {  # equation: (input, output_shape, bias_axes, axis of the six units in the output, of the kernel)
    "bc,cd->bd": ((4,), 6, "d", -1, 1),
    "abc,cd->abd": ((5, 4), (5, 6), "d", -1, 1),
    "...x,xy->...y": ((5, 4), 6, "y", -1, 1),
    "...cx,xy->...cy": ((3, 5, 4), (5, 6), "y", -1, 1),
    "abc,bcd->abd": ((5, 4), (5, 6), "d", -1, 2),  # kernels of their own for each place
    "abc,bcd->ad": ((5, 4), 6, "d", -1, 2),
    "abc,dc->abd": ((5, 4), (5, 6), "d", -1, 0),
    "abc,bd->adc": ((5, 3), (6, 3), "d", 1, 1),
    "abcd,cde->abe": ((5, 2, 4), (5, 6), "e", -1, 2),
    "ab...,bc->ac...": ((5, 3), 6, "c", 1, 1),
}


UNSEEN = "abc,bcd->abd", "abc,bcd->ad", "abc,bd->adc"  # without weights they may not be known to be constant


@pytest.mark.parametrize("use_bias", [True, False])
@pytest.mark.parametrize("equation", EINSUMS)
def test_einsum_makes_units(equation, use_bias):
    shape, output_shape, bias_axes, axis, of_kernel = EINSUMS[equation]
    made = layers.EinsumDense(equation, output_shape, bias_axes=bias_axes if use_bias else None, name="made")
    model = keras.Sequential([keras.Input(shape), made, layers.ReLU(), layers.Flatten(), layers.Dense(2)])
    zeros = {"made/kernel": (of_kernel, GONE)}
    if use_bias:
        zeros["made/bias"] = (0, GONE)
    small = assert_removed(model, {"made": KEPT}, zeros, found=equation not in UNSEEN)
    assert small.get_layer("made").output.shape[axis] == 4


@pytest.mark.parametrize("equation", [e for e in EINSUMS if "bd->adc" not in e and "bc->ac" not in e])
def test_einsum_reads_units(equation):
    shape, output_shape, bias_axes, _, _ = EINSUMS[equation]
    reader = layers.EinsumDense(equation, output_shape, bias_axes=bias_axes, name="reader")
    model = keras.Sequential([keras.Input((*shape[:-1], 3)), layers.Dense(4, name="made"), reader, layers.Flatten()])
    model.add(layers.Dense(2))
    small = assert_removed(model, {"made": [1, 3]}, {"made": [0, 2]})
    assert small.get_layer("reader").output.shape == reader.output.shape


def test_heads_of_two_einsums():
    """(places, in) → (places, heads, width) → (places, out): as MultiHeadAttention does."""
    split = layers.EinsumDense("abc,cde->abde", (5, 3, 2), bias_axes="de", name="split")
    join = layers.EinsumDense("abde,def->abf", (5, 6), bias_axes="f", name="join")
    model = keras.Sequential([keras.Input((5, 4)), layers.Dense(6, name="made"), split, join, layers.Flatten()])
    model.add(layers.Dense(2))
    assert_removed(model, {"made": KEPT, "join": KEPT}, {"made": GONE, "join": GONE})
    assert_removed(model, {"split": [1]}, {"split": [0]}, found=False)


def test_einsum_adds_units_up():
    """The sum over an axis of units that the kernel does not have: zeros add nothing, a constant does."""
    turned = [keras.Input((5, 4)), layers.Dense(6, name="made"), layers.Permute((2, 1))]
    summed = layers.EinsumDense("abc,cd->ad", 3, bias_axes="d", name="summed")
    model = randomised(keras.Sequential([*turned, summed, layers.Dense(2)]))
    try:
        shrink.remove_units(model, {"made": KEPT})
    except ValueError as error:
        assert "'summed'" in str(error)
    else:
        assert_removed(model, {"made": KEPT}, {"made": GONE})
