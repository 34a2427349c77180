import keras
import numpy as np
import pytest
from keras import layers

from course_lib.variables import find, prunable


def test_what_is_prunable():
    image = keras.Input((8, 8, 3))
    x = layers.Conv2D(4, 3, name="conv")(image)
    x = layers.BatchNormalization()(x)
    x = layers.DepthwiseConv2D(3, name="depthwise")(x)
    x = layers.SeparableConv2D(4, 3, name="separable")(x)
    x = layers.Reshape((-1, 4))(x)
    x = layers.LayerNormalization()(x + layers.Embedding(9, 4)(np.zeros((1, 4))))
    x = layers.MultiHeadAttention(2, 3, name="attention")(x, x)
    x = layers.EinsumDense("abc,cd->abd", (None, 5), name="einsum")(x)
    x = layers.Dense(2, name="dense")(x)
    assert list(prunable(keras.Model(image, x))) == [
        "conv/kernel",
        "depthwise/kernel",
        "separable/depthwise_kernel",
        "separable/pointwise_kernel",
        "attention/query/kernel",
        "attention/key/kernel",
        "attention/value/kernel",
        "attention/attention_output/kernel",
        "einsum/kernel",
        "dense/kernel",
    ]


def test_a_shared_layer_appears_once():
    shared = layers.Dense(4, name="shared")
    x = keras.Input((4,))
    assert list(prunable(keras.Model(x, shared(shared(x))))) == ["shared/kernel"]


def test_a_model_that_is_not_built_or_has_no_kernel_is_refused():
    with pytest.raises(ValueError, match="is not built"):
        prunable(keras.Sequential([layers.Dense(3)]))
    x = keras.Input((4,))
    with pytest.raises(ValueError, match="no kernel to prune"):
        prunable(keras.Model(x, layers.BatchNormalization()(x)))


def nested():
    inner = keras.Sequential([keras.Input((4,)), layers.Dense(4, name="dense")], name="inner")
    x = keras.Input((4,))
    return keras.Model(x, layers.Dense(2, name="dense")(inner(x)))


def test_kernels_whose_keras_paths_collide_after_loading_are_told_apart(tmp_path):
    model = nested()
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert len({v.path for v in loaded.weights}) < len(loaded.weights), "Keras gives unique paths: simplify prunable"
    assert list(prunable(loaded)) == list(prunable(model)) == ["inner/dense/kernel", "dense/kernel"]
    found = find(loaded, prunable(model))
    assert {path: tuple(v.shape) for path, v in found.items()} == {"inner/dense/kernel": (4, 4), "dense/kernel": (4, 2)}


def test_a_path_read_before_saving_is_found_after_loading(tmp_path):
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3), layers.Dense(2)])
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert list(prunable(loaded)) != list(prunable(model)), "Keras keeps the paths: simplify find"
    for before, after in zip(prunable(model).values(), find(loaded, prunable(model)).values(), strict=True):
        np.testing.assert_array_equal(before, after)


def test_an_unknown_path_is_named_with_the_known_ones():
    with pytest.raises(ValueError, match=r"no variable 'dens/kernel'; it has inner/dense/kernel, dense/kernel"):
        find(nested(), ["dens/kernel"])


def test_what_is_no_keras_3_model_is_named():
    import tf_keras

    with pytest.raises(TypeError, match="model is a dict; give a Keras 3 model"):
        find({}, [])
    other = tf_keras.Sequential([tf_keras.layers.Dense(1, input_shape=(2,))])
    with pytest.raises(TypeError, match=r"model is a tf_keras\.\S+; give a Keras 3 model"):
        prunable(other)


def test_one_path_in_place_of_a_list_is_refused():
    with pytest.raises(TypeError, match=r"paths is 'dense/kernel'; give a list of paths"):
        find(nested(), "dense/kernel")
