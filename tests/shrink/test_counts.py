"""A ResNet18 at half its width has the parameters and multiply-accumulates that the closed formula gives, exactly."""

import keras
import numpy as np
import pytest
from keras import layers
from oracles import answers, examples, randomised

from course_lib import report, shrink

WIDTHS, SIZE, CLASSES = (16, 32, 64, 128), 32, 10


def resnet18(widths=WIDTHS):
    """A 3 × 3 stem, four stages of two blocks, each with two convolutions; 1 × 1 where a stage begins with stride 2."""

    def convolved(x, filters, size, strides, name):
        x = layers.Conv2D(filters, size, strides, padding="same", use_bias=False, name=f"conv_{name}")(x)
        return layers.BatchNormalization(name=f"norm_{name}")(x)

    image = keras.Input((SIZE, SIZE, 3))
    x = layers.ReLU()(convolved(image, widths[0], 3, 1, "stem"))
    for stage, filters in enumerate(widths, start=1):
        for block in (1, 2):
            name, strides = f"{stage}_{block}", 2 if stage > 1 and block == 1 else 1
            y = layers.ReLU()(convolved(x, filters, 3, strides, f"{name}_a"))
            y = convolved(y, filters, 3, 1, f"{name}_b")
            x = convolved(x, filters, 1, strides, f"{name}_skip") if strides > 1 else x
            x = layers.ReLU()(layers.Add()([x, y]))
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(image, layers.Dense(CLASSES, name="output")(x))


def formula(widths, inner):
    """(parameters, MACs) for the width of each stage's stream and of the convolutions inside of its blocks.

    A k × k convolution from a to b channels on s × s places has k² a b parameters and k² a b s² MACs; a normalisation
    has 4 b parameters and no MACs.
    """
    convolutions = [(3, 3, widths[0], SIZE)]  # (k, a, b, s)
    for stage, (w, n) in enumerate(zip(widths, inner, strict=True)):
        s, before = SIZE // 2**stage, widths[max(stage - 1, 0)]
        convolutions += [(3, before, n, s), (3, n, w, s), (3, w, n, s), (3, n, w, s)]
        if stage:
            convolutions.append((1, before, w, s))
    parameters = sum(k * k * a * b + 4 * b for k, a, b, _ in convolutions) + (widths[-1] + 1) * CLASSES
    return parameters, sum(k * k * a * b * s * s for k, a, b, s in convolutions) + widths[-1] * CLASSES


def counted(model):
    cost = report.summary(model)
    return model.count_params(), sum(layer.macs for layer in cost.layers)


@pytest.mark.parametrize("ratio", [1, 0.75, 0.5, 0.25])
def test_every_group_at_a_ratio(ratio):
    model = randomised(resnet18())
    assert counted(model) == formula(WIDTHS, WIDTHS)
    rng, keep = np.random.default_rng(0), {}
    for group in shrink.groups(model):
        keep |= group.keep(rng.choice(group.units, round(ratio * group.units), replace=False))
    small = shrink.remove_units(model, keep)
    widths = [int(ratio * width) for width in WIDTHS]
    assert counted(small) == formula(widths, widths)
    assert counted(small) == counted(resnet18(widths))
    assert np.all(np.isfinite(answers(small, examples(small))))


def test_the_insides_of_the_blocks_alone():
    model = resnet18()
    keep = {f"conv_{s}_{b}_a": range(width // 2) for s, width in enumerate(WIDTHS, start=1) for b in (1, 2)}
    assert counted(shrink.remove_units(model, keep)) == formula(WIDTHS, [width // 2 for width in WIDTHS])


def test_its_groups():
    """A stream for each stage, and the inside of each of the eight blocks."""
    groups = shrink.groups(resnet18())
    streams = [group for group in groups if len(group.makes) > 1]
    assert [(group.name, group.units) for group in streams] == [
        ("conv_stem", 16),
        ("conv_2_1_b", 32),
        ("conv_3_1_b", 64),
        ("conv_4_1_b", 128),
    ]
    assert streams[0].makes == ("conv_stem", "conv_1_1_b", "conv_1_2_b")
    assert {group.makes for group in groups if len(group.makes) == 1} == {
        (f"conv_{stage}_{block}_a",) for stage in (1, 2, 3, 4) for block in (1, 2)
    }
    assert [group.name for group in groups.fixed] == ["output"]
