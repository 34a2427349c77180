"""What groups tells of a model."""

import keras
import pytest
from keras import layers

from course_lib import models, shrink


@pytest.fixture
def block():
    """A residual block behind a stem, squeezed and excited, with a concatenation at the end."""
    x = keras.Input((6, 6, 3))
    h = layers.BatchNormalization(name="norm")(layers.Conv2D(8, 3, padding="same", name="stem")(x))
    y = layers.Conv2D(4, 1, activation="relu", name="narrow")(h)
    h = layers.Add(name="sum")([h, layers.Conv2D(8, 3, padding="same", name="wide")(y)])
    h = layers.Concatenate(name="both")([layers.DepthwiseConv2D(3, name="depthwise")(h), x[:, 1:5, 1:5]])
    return keras.Model(x, layers.Dense(2, name="output")(layers.Flatten()(h)))


def test_who_makes_scales_and_reads_the_units_of_a_group(block):
    found = shrink.groups(block)
    assert [(g.name, g.units, g.makes, g.passes, g.reads) for g in found] == [
        ("stem", 8, ("stem", "wide"), ("norm", "depthwise"), ("narrow", "output")),
        ("narrow", 4, ("narrow",), (), ("wide",)),
    ]
    (output,) = found.fixed
    assert (output.name, output.fixed) == ("output", "they are the model's outputs")
    assert found[0].layers == ("stem", "wide", "norm", "depthwise", "narrow", "output")
    assert found[0].places == tuple((i,) for i in range(8))


def test_it_is_a_sequence_that_prints_as_a_table(block):
    found = shrink.groups(block)
    assert len(found) == 2 and found[-1].name == "narrow" and [g.name for g in found[:1]] == ["stem"]
    text = str(found)
    assert text == repr(found)
    lines = text.splitlines()
    assert [line.split()[0] for line in lines[1:]] == ["stem", "narrow", "output"]
    assert "stem, wide" in lines[1] and "they are the model's outputs" in lines[3]
    html = found._repr_html_()
    assert html.count("<tr>") == 4 and "depthwise" in html


def test_a_long_list_of_layers_is_cut_in_the_table():
    x = keras.Input((4,))
    hidden = [layers.Dense(6, name=f"branch_{i}")(x) for i in range(5)]
    model = keras.Model(x, layers.Dense(2)(layers.Add()(hidden)))
    assert "branch_0, branch_1, branch_2 and 2 more" in str(shrink.groups(model))


def test_a_model_without_groups():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(2, name="output")])
    assert len(shrink.groups(model)) == 0 and "output" in str(shrink.groups(model))
    copy = shrink.remove_units(model, {})
    assert copy is not model and copy.count_params() == model.count_params()


@pytest.mark.parametrize(
    ("build", "names"),
    [
        (models.lenet_300_100, ["dense_1", "dense_2"]),
        (models.small_cnn, ["conv_1", "conv_2", "dense_1"]),
        (models.separable_cnn, ["conv_1", *(f"separable_{i}" for i in range(2, 7))]),
        (models.tiny_transformer, ["embedding", "attention_1", "dense_1_1", "attention_2", "dense_2_1"]),
    ],
)
def test_the_library_s_own_models(build, names):
    assert [group.name for group in shrink.groups(build())] == names


def test_all_units_of_a_group_by_any_of_its_layers(block):
    by_name = {g.name: g for g in shrink.groups(block)}
    for layer in by_name["stem"].makes:
        small = shrink.remove_units(block, {layer: [2, 5]})
        assert [small.get_layer(name).filters for name in ("stem", "wide")] == [2, 2]
        assert small.get_layer("output").kernel.shape == (4 * 4 * (2 + 3), 2)
