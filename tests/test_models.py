import keras
import numpy as np
import pytest

from course_lib import deploy, models

ALL = [getattr(models, name) for name in models.__all__]


def conv(size, entering, filters, bias=True):
    return size * size * entering * filters + bias * filters


def norm(channels):
    return 4 * channels


def separable(entering, filters):
    return 9 * entering + entering * filters + norm(filters)


def block(entering, filters):
    skip = conv(1, entering, filters, bias=False) + norm(filters) if entering != filters else 0
    return conv(3, entering, filters, bias=False) + conv(3, filters, filters, bias=False) + 2 * norm(filters) + skip


@pytest.mark.parametrize(
    ("build", "parameters"),
    [
        (models.lenet_5, conv(5, 1, 20) + conv(5, 20, 50) + 4 * 4 * 50 * 500 + 500 + 500 * 10 + 10),
        (
            models.separable_cnn,
            conv(3, 1, 32, bias=False)
            + norm(32)
            + sum(separable(*sizes) for sizes in [(32, 64), (64, 64), (64, 128), (128, 128), (128, 128)])
            + 128 * 10
            + 10,
        ),
        (
            models.small_resnet,
            conv(3, 1, 16, bias=False)
            + norm(16)
            + sum(block(*sizes) for sizes in [(16, 16), (16, 16), (16, 32), (32, 32), (32, 64), (64, 64)])
            + 64 * 10
            + 10,
        ),
        (
            models.tiny_transformer,
            28 * 64
            + 28 * 64  # the rows' embedding, with a bias for each row and unit
            + 2 * (4 * (64 * 64 + 64) + 64 * 128 + 128 + 128 * 64 + 64 + 2 * 2 * 64)  # attention, two dense, two norms
            + 2 * 64
            + 64 * 10
            + 10,
        ),
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


@pytest.mark.parametrize("build", ALL)
def test_names_do_not_depend_on_how_many_models_were_built(build):
    assert [layer.name for layer in build().layers] == [layer.name for layer in build().layers]


@pytest.mark.parametrize("build", ALL)
def test_a_model_is_saved_and_loaded_without_custom_objects(build, tmp_path):
    model, x = build(width=0.5), np.random.default_rng(0).random((3, 28, 28, 1), "float32")
    model.save(tmp_path / "model.keras")
    np.testing.assert_allclose(keras.models.load_model(tmp_path / "model.keras")(x), model(x), rtol=1e-5)


@pytest.mark.parametrize("build", ALL)
@pytest.mark.parametrize("quantize", [None, "float16", "dynamic", "int8"])
def test_every_model_becomes_a_file_that_answers_as_it_does(build, quantize, tmp_path):
    keras.utils.set_random_seed(0)
    model, x = build(), np.random.default_rng(0).random((40, 28, 28, 1), "float32")
    file = deploy.to_tflite(
        model, tmp_path / "model.tflite", quantize, calibration=x[:8] if quantize == "int8" else None
    )
    allowed = {None: 1e-5, "float16": 0.01, "dynamic": 0.05, "int8": 0.15}[quantize]
    assert deploy.parity(model, file, x).largest_difference < allowed


def test_a_row_of_the_transformer_is_not_like_another():
    keras.utils.set_random_seed(0)
    model = models.tiny_transformer()
    bias = model.get_layer("embedding").bias
    x = np.random.default_rng(0).random((2, 28, 28, 1), "float32")
    np.testing.assert_allclose(model(x[:, ::-1]), model(x), rtol=1e-4)  # at first all rows have the same bias, zero
    bias.assign(np.random.default_rng(1).normal(size=bias.shape))
    assert np.abs(np.asarray(model(x[:, ::-1])) - np.asarray(model(x))).max() > 1e-3


def test_width_scales_the_hidden_layers_and_never_the_outputs():
    model = models.lenet_300_100(width=0.1, classes=7, input_shape=(4,))
    assert [layer.units for layer in model.layers if hasattr(layer, "units")] == [30, 10, 7]


@pytest.mark.parametrize("width", [0, -1, float("nan"), float("inf"), "1", None])
def test_a_width_that_is_not_positive_is_refused(width):
    with pytest.raises(ValueError, match="width is"):
        models.small_cnn(width=width)


def test_a_transformer_says_what_its_rows_are():
    with pytest.raises(ValueError, match=r"input_shape is \(28, 28\); it must be \(rows, columns, channels\)"):
        models.tiny_transformer(input_shape=(28, 28))


@pytest.mark.parametrize("build", [models.separable_cnn, models.small_resnet])
def test_running_statistics_have_forgotten_their_start_after_a_hundred_steps(build):
    norms = [layer for layer in build().layers if isinstance(layer, keras.layers.BatchNormalization)]
    assert norms and all(layer.momentum**100 < 0.01 for layer in norms)
