import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from course_lib import masks, models, scores


def test_wanda_of_every_kind_of_layer_is_the_size_times_the_norm_of_what_it_multiplies(one_layer):
    model, data, a = one_layer
    w = model.get_layer("layer").kernel.numpy()
    found = scores.wanda(model, data)["layer/kernel"]
    np.testing.assert_allclose(found, np.abs(w) * np.linalg.norm(a, axis=0).reshape(w.shape), rtol=1e-5)


def test_wanda_with_numbers_by_hand_keeps_within_the_output_unit():
    x = keras.Input((4,))
    model = keras.Model(x, layers.Dense(2, name="dense")(x))
    model.get_layer("dense").kernel.assign([[1.0, -9], [2, 0], [3, 0], [-4, 1]])
    inputs = np.diag([100.0, 10.0, 1.0, 0.1])  # the norms of the columns
    found = scores.wanda(model, (inputs, np.zeros(4)))
    np.testing.assert_allclose(found["dense/kernel"], [[100, 900], [20, 0], [3, 0], [0.4, 0.1]], rtol=1e-6)
    kept = masks.from_scores(found, 0.5, scope="output")["dense/kernel"]
    assert kept[:, 0].tolist() == [True, True, False, False] and kept[:, 1].tolist() == [True, False, False, True]


def test_the_inputs_of_a_later_layer_are_the_outputs_of_the_one_before():
    keras.utils.set_random_seed(0)
    model = models.lenet_300_100(input_shape=(3, 3, 1), width=0.02)
    x = np.random.default_rng(0).normal(size=(50, 3, 3, 1)).astype("float32")
    first = model.get_layer("dense_1")
    hidden = np.maximum(x.reshape(50, 9) @ first.kernel.numpy() + first.bias.numpy(), 0)
    expected = np.abs(model.get_layer("dense_2").kernel.numpy()) * np.linalg.norm(hidden, axis=0)[:, None]
    np.testing.assert_allclose(scores.wanda(model, (x, np.zeros(50)))["dense_2/kernel"], expected, rtol=1e-5)


def test_a_shared_layer_sees_all_its_inputs_and_batches_and_precision_do_not_matter():
    x = keras.Input((3,))
    shared = layers.Dense(3, use_bias=False, name="shared", dtype="mixed_bfloat16")
    model = keras.Model(x, shared(shared(x)))
    shared.kernel.assign(2 * np.eye(3) + 1)
    inputs = np.array([[1.0, 0, 0], [0, 2, 0], [0, 0, 1]], "float32")
    norms = np.sqrt((inputs**2).sum(0) + ((inputs @ shared.kernel.numpy()) ** 2).sum(0))
    for data in ((inputs, np.zeros(3)), tf.data.Dataset.from_tensor_slices((inputs, np.zeros(3))).batch(2)):
        found = scores.wanda(model, data)["shared/kernel"]
        np.testing.assert_allclose(found, np.abs(shared.kernel.numpy()) * norms[:, None], rtol=1e-6)


def test_attention_is_scored_and_nothing_is_changed():
    x = keras.Input((4, 6))
    model = keras.Model(x, layers.Dense(2)(layers.MultiHeadAttention(2, 3, dropout=0.5)(x, x)))
    before, data = model.get_weights(), (np.ones((3, 4, 6)), np.zeros(3))
    first, again = scores.wanda(model, data), scores.wanda(model, data)
    assert len(first) == 5 and all(np.array_equal(first[path], again[path]) for path in first)
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    ("shape", "layer"),
    [
        ((4, 3), layers.LSTM(2, name="odd")),
        ((4, 4), layers.Conv1D(2, 2, groups=2, name="odd")),
        ((4, 4), layers.Conv1D(2, 2, padding="causal", name="odd")),
        ((3, 4, 4), layers.Conv2D(2, 2, data_format="channels_first", name="odd")),
        ((4, 4, 3), layers.SeparableConv2D(2, 2, name="odd")),
        ((4, 4, 3), layers.Conv2DTranspose(2, 2, name="odd")),
        ((4, 3), layers.EinsumDense("abc,bd->adc", (2, 3), name="odd")),
    ],
)
def test_a_layer_whose_inputs_are_not_rows_is_named(shape, layer):
    x = keras.Input(shape)
    model = keras.Model(x, layer(x))
    with pytest.raises(ValueError, match=r"the inputs of 'odd/.*kernel' cannot be looked at as rows"):
        scores.wanda(model, (np.zeros((2, *shape)), np.zeros(2)))


def test_missing_data_and_a_layer_that_is_not_called_are_named():
    class Half(keras.Model):
        def __init__(self):
            super().__init__()
            self.used, self.unused = layers.Dense(2, name="used"), layers.Dense(2, name="unused")

        def call(self, x):
            return self.used(x)

    model = Half()
    model.used.build((None, 3))
    model.unused.build((None, 3))
    model.built = True
    with pytest.raises(ValueError, match=r"the layer of '.*unused/kernel' was not called"):
        scores.wanda(model, (np.zeros((2, 3)), np.zeros(2)))
    with pytest.raises(ValueError, match=r"data is None.*give"):
        scores.wanda(models.lenet_300_100(), None)
    with pytest.raises(ValueError, match="data holds no example"):
        scores.wanda(models.lenet_300_100(), (np.zeros((0, 28, 28, 1)), np.zeros(0)))
