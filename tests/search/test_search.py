import math

import keras
import numpy as np
import pytest

from course_lib import models, search
from course_lib.masks import Masks, from_scores
from course_lib.scores import magnitude
from course_lib.variables import prunable


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(0)
    model = models.lenet_300_100()
    model.compile(loss="sparse_categorical_crossentropy")
    return model


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    return rng.random((64, 28, 28, 1), "float32"), rng.integers(0, 10, 64)


def overall(model, allocation):
    sizes = {path: math.prod(kernel.shape) for path, kernel in prunable(model).items()}
    return sum(allocation[path] * size for path, size in sizes.items()) / sum(sizes.values())


@pytest.mark.parametrize("how", ["uniform", "erk", "lamp"])
@pytest.mark.parametrize("sparsity", [0.0, 0.3, 0.9, 0.99])
def test_every_allocation_adds_up_to_the_models_sparsity(model, how, sparsity):
    allocation = search.allocate(model, sparsity, how)
    assert overall(model, allocation) == pytest.approx(sparsity, abs=1e-5)
    assert all(0 <= s <= 1 for s in allocation.values())
    masks = from_scores(magnitude(model), None, scope=allocation)
    assert masks.sparsity == pytest.approx(sparsity, abs=1e-4)


def test_erk_densities_are_in_proportion_to_the_sum_over_the_product_of_the_axes():
    model = models.small_cnn()
    density = {path: 1 - s for path, s in search.allocate(model, 0.8, "erk").items()}
    shapes = {path: tuple(kernel.shape) for path, kernel in prunable(model).items()}
    ratio = {path: density[path] / (sum(shape) / math.prod(shape)) for path, shape in shapes.items()}
    dense = {path for path, d in density.items() if d == 1}
    free = [r for path, r in ratio.items() if path not in dense]
    assert dense == {"conv_1/kernel", "output/kernel"} and max(free) == pytest.approx(min(free))
    assert all(ratio[path] < free[0] for path in dense)  # their share would have been more than dense


def test_the_scan_is_the_loss_with_one_tensor_pruned_and_changes_nothing(model, data):
    before = model.get_weights()
    scan = search.sensitivity(model, data, sparsities=[0.5, 0.9])
    assert scan.loss == pytest.approx(model.evaluate(*data, verbose=0), rel=1e-5)
    kernel = model.get_layer("dense_2").kernel
    weights = kernel.numpy()
    cut = np.quantile(np.abs(weights), 0.9)
    kernel.assign(np.where(np.abs(weights) > cut, weights, 0))
    expected = model.evaluate(*data, verbose=0)
    kernel.assign(weights)
    assert scan.losses["dense_2/kernel"][1] == pytest.approx(expected, rel=1e-4)
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_the_scan_puts_the_weights_back_after_an_error(model):
    def failing():
        yield np.zeros((2, 28, 28, 1), "float32"), np.zeros(2)
        if not Masks.of_zeros(model).sparsity < 0.01:
            raise RuntimeError("no more data")

    class Data:
        def __iter__(self):
            return failing()

    before = model.get_weights()
    with pytest.raises(RuntimeError, match="no more data"):
        search.sensitivity(model, Data(), sparsities=[0.5])
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_what_a_tensor_bears_is_read_between_the_points_of_a_curve_that_never_falls():
    scan = search.Sensitivity((0.4, 0.8), {"w": (3.0, 2.0)}, loss=1.0)
    assert [scan.bearable("w", level) for level in (0.5, 1.0, 2.0, 3.0, 9.0)] == [0.0, 0.0, 0.2, 0.8, 0.8]


def test_allocation_by_sensitivity_spares_the_sensitive_tensor_and_adds_up(model):
    robust, fragile = (0.1, 0.2, 0.3), (1.0, 5.0, 9.0)
    losses = {"dense_1/kernel": robust, "dense_2/kernel": robust, "output/kernel": fragile}
    scan = search.Sensitivity((0.5, 0.9, 0.99), losses, loss=0.0)
    allocation = search.allocate(model, 0.9, "sensitivity", sensitivity=scan)
    assert overall(model, allocation) == pytest.approx(0.9, abs=1e-6)
    assert allocation["output/kernel"] < 0.2 < 0.85 < allocation["dense_1/kernel"] == allocation["dense_2/kernel"]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda model, data: search.allocate(model, 1.2), "sparsity is 1.2"),
        (lambda model, data: search.allocate(model, 0.5, "best"), "how is 'best'; choose one of 'uniform'"),
        (lambda model, data: search.allocate(model, 0.5, "sensitivity"), "not a scan of this model"),
        (
            lambda model, data: search.allocate(
                model, 0.9, "sensitivity", search.Sensitivity((0.5,), dict.fromkeys(prunable(model), (1.0,)), 0.0)
            ),
            r"sparsity is 0\.9, but the scan goes only as far as 0\.500",
        ),
        (lambda model, data: search.sensitivity(model, data, sparsities=[]), r"sparsities is \(\)"),
        (lambda model, data: search.sensitivity(model, data, sparsities=[0.9, 0.5]), "must rise"),
        (lambda model, data: search.sensitivity(model, None), "data is None"),
    ],
)
def test_bad_arguments_are_named(model, data, call, message):
    with pytest.raises(ValueError, match=message):
        call(model, data)
