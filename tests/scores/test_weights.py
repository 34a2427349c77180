from functools import partial

import numpy as np
import pytest

from course_lib import models, scores


@pytest.fixture(scope="module")
def model():
    return models.small_cnn()


@pytest.mark.parametrize("score", [scores.magnitude, scores.random])
def test_a_score_has_the_variables_shapes_is_finite_repeats_and_changes_nothing(model, score):
    before = model.get_weights()
    first, second = score(model), score(model, data=None)
    assert {path: s.shape for path, s in first.items()} == {
        f"{layer.name}/kernel": tuple(layer.kernel.shape) for layer in model.layers if hasattr(layer, "kernel")
    }
    for path, values in first.items():
        assert np.isfinite(values).all() and values.dtype == np.float32
        np.testing.assert_array_equal(values, second[path])
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_magnitude_ranks_by_size_not_by_sign(model):
    kernel = model.get_layer("output").kernel
    values = np.zeros(kernel.shape, "float32")
    values[0, :3] = [-3, 2, 0.5]
    kernel.assign(values)
    np.testing.assert_array_equal(scores.magnitude(model)["output/kernel"][0, :4], [3, 2, 0.5, 0])


def test_random_is_uniform_and_another_seed_is_another_score(model):
    first, other = scores.random(model), partial(scores.random, seed=1)(model)
    values = first["dense_1/kernel"]
    assert values.min() >= 0 and values.max() < 1 and abs(values.mean() - 0.5) < 0.01
    assert not np.array_equal(values, other["dense_1/kernel"])
