import numpy as np
import pytest

from course_lib import models


@pytest.mark.parametrize(
    ("build", "parameters"),
    [
        (models.lenet_300_100, 784 * 300 + 300 + 300 * 100 + 100 + 100 * 10 + 10),
        (models.small_cnn, 9 * 16 + 16 + 9 * 16 * 32 + 32 + 7 * 7 * 32 * 64 + 64 + 64 * 10 + 10),
    ],
)
def test_a_model_has_the_size_of_its_formula_and_gives_probabilities(build, parameters):
    model = build()
    assert model.count_params() == parameters
    probabilities = np.asarray(model(np.random.default_rng(0).random((3, 28, 28, 1), "float32")))
    assert probabilities.shape == (3, 10)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)
    assert not getattr(model, "compiled", False)


def test_names_do_not_depend_on_how_many_models_were_built():
    assert [layer.name for layer in models.small_cnn().layers] == [layer.name for layer in models.small_cnn().layers]


def test_width_scales_the_hidden_layers_and_never_the_outputs():
    model = models.lenet_300_100(width=0.1, classes=7, input_shape=(4,))
    assert [layer.units for layer in model.layers if hasattr(layer, "units")] == [30, 10, 7]


@pytest.mark.parametrize("width", [0, -1, float("nan"), float("inf")])
def test_a_width_that_is_not_positive_is_refused(width):
    with pytest.raises(ValueError, match="width is"):
        models.small_cnn(width=width)
