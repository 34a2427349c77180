import keras
import numpy as np
import pytest
from keras import layers

from course_lib import models, scores, shrink


def test_of_each_group_the_highest_are_kept_and_rounded_as_masks_are():
    x = keras.Input((4,))
    model = keras.Model(x, layers.Dense(2)(layers.Dense(5, name="hidden")(x)))
    ranked = {"hidden": np.array([3.0, 9.0, 1.0, 9.0, 4.0])}
    kept = {n: list(shrink.keep_highest(model, ranked, n)["hidden"]) for n in (0.0, 0.1, 0.3, 0.5, 1.0)}
    assert kept == {0.0: [1], 0.1: [1], 0.3: [1, 3], 0.5: [1, 3, 4], 1.0: [0, 1, 2, 3, 4]}


def test_layers_of_a_group_count_alike_however_large_their_scores_are():
    x = keras.Input((8, 8, 1))
    one = layers.Conv2D(3, 3, padding="same", name="one")(x)
    two = layers.Conv2D(3, 3, padding="same", name="two")(x)
    h = layers.GlobalAveragePooling2D()(layers.Add()([one, two]))
    model = keras.Model(x, layers.Dense(2)(h))
    ranked = {"one": np.array([100.0, 200.0, 300.0]), "two": np.array([3.0, 1.0, 0.5])}
    # divided by their means: [0.5, 1, 1.5] + [2, 2/3, 1/3]; added as they are unit 2 would have been the best
    assert shrink.keep_highest(model, ranked, 1 / 3) == {"one": [0]}


def test_units_with_several_places_go_together_by_the_sum_of_their_scores():
    x = keras.Input((8, 8, 4))
    h = layers.Conv2D(6, 3, groups=2, name="grouped")(x)
    model = keras.Model(x, layers.Dense(2)(layers.Flatten()(h)))
    ranked = {"grouped": np.array([1.0, 5.0, 0.0, 1.0, 0.0, 4.0])}  # units (0, 3), (1, 4), (2, 5): 2, 5, 4
    keep = shrink.keep_highest(model, ranked, 2 / 3)
    assert keep == {"grouped": [1, 2, 4, 5]}
    assert shrink.remove_units(model, keep).get_layer("grouped").filters == 4


@pytest.mark.parametrize("build", [getattr(models, name) for name in models.__all__])
@pytest.mark.parametrize("score", [scores.unit_norm, scores.geometric_median])
def test_scores_of_every_model_lead_to_a_smaller_one(build, score):
    model = build()
    small = shrink.remove_units(model, shrink.keep_highest(model, score(model), 0.5))
    assert small.count_params() < 0.6 * model.count_params()
    assert small.output_shape == model.output_shape


def test_only_named_groups_lose_units():
    model = models.lenet_300_100()
    keep = shrink.keep_highest(model, scores.unit_norm(model), {"dense_2": 0.1})
    assert {name: len(units) for name, units in keep.items()} == {"dense_2": 10}


@pytest.mark.parametrize(
    ("kept", "says"),
    [
        ({"conv": 0.5}, "kept names 'conv', which is no group with scores; there are dense_1, dense_2"),
        (1.5, "kept is 1.5 for 'dense_1'"),
        (float("nan"), "kept is nan"),
    ],
)
def test_what_does_not_fit_is_named(kept, says):
    model = models.lenet_300_100()
    with pytest.raises(ValueError, match=says):
        shrink.keep_highest(model, scores.unit_norm(model), kept)


def test_scores_that_are_nan_are_refused():
    model = models.lenet_300_100()
    with pytest.raises(ValueError, match="scores of group 'dense_1' hold NaN"):
        shrink.keep_highest(model, {"dense_1": np.full(300, np.nan)}, 0.5)
