import keras
import numpy as np
import pytest
from keras import layers

from course_lib import masks, scores, structures


def test_all_weights_that_lead_to_a_unit_have_its_score():
    x = keras.Input((8, 8, 2))
    h = layers.Conv2D(3, 3, name="conv")(x)
    h = layers.Conv2DTranspose(4, 2, name="back")(h)
    h = layers.SeparableConv2D(5, 3, name="separable")(h)
    model = keras.Model(x, layers.Dense(2)(layers.Flatten()(h)))
    ranked = scores.unit_norm(model)
    spread = scores.per_weight(model, ranked)
    for path, axis, name in [
        ("conv/kernel", -1, "conv"),
        ("back/kernel", -2, "back"),
        ("separable/pointwise_kernel", -1, "separable"),
    ]:
        whole = np.moveaxis(spread[path], axis, 0).reshape(len(ranked[name]), -1)
        np.testing.assert_array_equal(whole, np.repeat(ranked[name][:, None], whole.shape[1], axis=1))
    kept = masks.from_scores(spread, 0.5, structures.Unit(), scope={"conv/kernel": 1 / 3})["conv/kernel"]
    assert np.flatnonzero(~kept.any(axis=(0, 1, 2))).tolist() == [int(np.argmin(ranked["conv"]))]


def test_scores_by_path_stay_and_layers_inside_are_found():
    inner = keras.Sequential([keras.Input((4,)), layers.Dense(3, name="dense")], name="inner")
    x = keras.Input((4,))
    model = keras.Model(x, layers.Dense(2, name="last")(inner(x)))
    by_path = scores.magnitude(model)
    assert scores.per_weight(model, by_path).keys() == by_path.keys()
    spread = scores.per_weight(model, {"inner/dense": np.arange(3)})
    assert [array[0].tolist() for array in spread.values()] == [[0, 1, 2]] and set(spread) < set(by_path)


def test_a_score_for_other_units_is_refused():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3, name="dense"), layers.Dense(1)])
    with pytest.raises(ValueError, match=r"scores\['dense'\] has shape \(2,\); the layer has 3 units"):
        scores.per_weight(model, {"dense": np.ones(2)})
