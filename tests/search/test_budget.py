"""Budgets are held to a net of which it is known what can go."""

import keras
import numpy as np
import pytest

from course_lib import search
from course_lib.report import summary

RNG = np.random.default_rng(0)
X = RNG.normal(size=(256, 8)).astype("float32")


@pytest.fixture(scope="module")
def model():
    """Of 20 and 40 hidden units a quarter matters; the others end in weights of a thousandth."""
    keras.utils.set_random_seed(0)
    layers = keras.layers
    model = keras.Sequential(
        [keras.Input((8,)), layers.Dense(20, "relu", name="one"), layers.Dense(40, "relu", name="two"), layers.Dense(3)]
    )
    for layer, matter in zip(model.layers[1:], (5, 10), strict=True):
        kernel = layer.kernel.numpy()
        kernel[matter:] /= 1000
        layer.kernel.assign(kernel)
    model.compile(loss="mse")
    return model


@pytest.fixture(scope="module")
def data(model):
    return X, model.predict(X, verbose=0)


def leaving(model, data=None):
    """A score that knows: the norm of the weights that lead away."""
    return {name: np.abs(model.layers[i + 1].kernel.numpy()).sum(axis=1) for i, name in enumerate(["one", "two"])}


def test_what_does_not_matter_goes_and_the_rest_stays(model, data):
    macs = 8 * 5 + 5 * 10 + 10 * 3
    found = search.fit_budget(model, data, macs=int(1.3 * macs), score=leaving)
    assert found.point.macs == summary(found.model).macs <= 1.3 * macs
    # random units would leave about the variance of the outputs
    assert found.point.loss < 0.01 * np.var(data[1])
    units = [layer.units for layer in found.model.layers]
    assert 5 <= units[0] <= 7 and 10 <= units[1] <= 14


def test_the_front_is_what_no_other_point_beats_and_rises_in_loss_as_it_falls_in_cost(model, data):
    front = search.fit_budget(model, data, macs=200, score=leaving).front
    macs, losses = [point.macs for point in front], [point.loss for point in front]
    assert macs == sorted(set(macs), reverse=True) and losses == sorted(set(losses))
    assert macs[0] > 200 > macs[-1]  # it shows both sides of the budget


def test_bytes_are_those_of_the_file_that_is_written(model, data, tmp_path):
    from course_lib.deploy import to_tflite

    whole = to_tflite(model, tmp_path / "whole.tflite").stat().st_size
    found = search.fit_budget(model, data, bytes=whole - 2000, score=leaving)
    assert found.point.bytes == to_tflite(found.model, tmp_path / "small.tflite").stat().st_size <= whole - 2000


def test_milliseconds_are_measured_and_a_budget_that_is_met_takes_nothing_away(model, data):
    found = search.fit_budget(model, data, milliseconds=1e3, score=leaving)
    assert 0 < found.point.milliseconds <= 1e3 and summary(found.model).macs == summary(model).macs


def test_the_model_is_unchanged_and_the_smaller_one_is_compiled_and_trains(model, data):
    before = model.get_weights()
    small = search.fit_budget(model, data, macs=400, score=leaving).model
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))
    assert np.isfinite(small.fit(*data, verbose=0).history["loss"][0])


def test_tuning_is_done_on_each_model_before_its_loss_is_measured(model, data):
    seen = []

    def tune(small):
        seen.append(small)
        small.layers[-1].bias.assign(small.layers[-1].bias + 10.0)  # a loss that tuning alone explains

    found = search.fit_budget(model, data, macs=200, score=leaving, tune=tune)
    assert found.model in seen and all(point.loss > 50 for point in found.front)


@pytest.mark.parametrize(
    ("budget", "says"),
    [({}, "give bytes, macs or milliseconds"), ({"macs": 0}, "above 0"), ({"macs": 3}, "smallest model of the search")],
)
def test_a_budget_that_cannot_be_met_is_refused(model, data, budget, says):
    with pytest.raises(ValueError, match=says):
        search.fit_budget(model, data, score=leaving, **budget)
