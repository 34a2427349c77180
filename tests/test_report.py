import keras
import numpy as np
import pytest
from keras import layers

from course_lib import models, report


def costs(model, **options):
    return {row.layer: (row.parameters, row.macs) for row in report.summary(model, **options).layers}


def test_lenet_and_the_small_cnn_cost_what_their_formulas_say():
    assert costs(models.lenet_300_100()) == {
        "dense_1": (784 * 300 + 300, 784 * 300),
        "dense_2": (300 * 100 + 100, 300 * 100),
        "output": (100 * 10 + 10, 100 * 10),
    }
    assert costs(models.small_cnn()) == {
        "conv_1": (9 * 16 + 16, 14 * 14 * 9 * 16),
        "conv_2": (9 * 16 * 32 + 32, 7 * 7 * 9 * 16 * 32),
        "dense_1": (7 * 7 * 32 * 64 + 64, 7 * 7 * 32 * 64),
        "output": (64 * 10 + 10, 64 * 10),
    }


@pytest.mark.parametrize(
    ("layer", "shape", "macs"),
    [
        (layers.Dense(5), (7, 4), 7 * 4 * 5),
        (layers.Conv1D(5, 3), (10, 4), 8 * 3 * 4 * 5),
        (layers.Conv2D(6, 3, groups=2), (8, 8, 4), 36 * 9 * 2 * 6),
        (layers.Conv2D(6, 3, strides=2, padding="same"), (9, 9, 4), 25 * 9 * 4 * 6),
        (layers.Conv3D(2, 2), (3, 3, 3, 1), 8 * 8 * 2),
        (layers.Conv2DTranspose(5, 3, strides=2), (4, 4, 2), 16 * 9 * 2 * 5),
        (layers.DepthwiseConv2D(3, depth_multiplier=2), (8, 8, 3), 36 * 9 * 3 * 2),
        (layers.SeparableConv2D(5, 3), (8, 8, 4), 36 * (9 * 4 + 4 * 5)),
        (layers.EinsumDense("abc,cde->abde", (None, 2, 3)), (7, 4), 7 * 4 * 2 * 3),
        (layers.EinsumDense("...c,cd->...d", 3), (7, 5, 4), 7 * 5 * 4 * 3),
        (layers.BatchNormalization(), (4,), 0),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_each_kind_of_layer_counts_its_products(layer, shape, macs):
    x = keras.Input(shape)
    assert report.summary(keras.Model(x, layer(x))).macs == macs


def test_attention_counts_its_four_projections():
    x = keras.Input((7, 8))
    model = keras.Model(x, layers.MultiHeadAttention(2, 4, name="attention")(x, x))
    assert costs(model) == {name: (8 * 8 + 8, 7 * 8 * 8) for name in ("query", "key", "value", "attention_output")}


def test_a_shared_layer_has_its_parameters_once_and_its_products_at_every_call():
    shared = layers.Dense(4, name="shared")
    x = keras.Input((4,))
    assert costs(keras.Model(x, shared(shared(x)))) == {"shared": (20, 2 * 16)}


class Subclassed(keras.Model):
    def __init__(self):
        super().__init__()
        self.inner = keras.Sequential([keras.Input((4,)), layers.Dense(3, name="inside")])
        self.last = layers.Dense(2, name="last")

    def call(self, x):
        return self.last(self.inner(x))


def test_a_subclassed_model_needs_the_input_shape():
    model = Subclassed()
    model(np.zeros((1, 4)))
    assert costs(model, input_shape=(4,)) == {"inside": (15, 12), "last": (8, 6)}
    with pytest.raises(ValueError, match="input_shape is None"):
        report.summary(model)
    with pytest.raises(ValueError, match="is not built"):
        report.summary(Subclassed())


@pytest.mark.parametrize(
    ("layer", "gates"), [(layers.SimpleRNN(3), 1), (layers.GRU(3), 3), (layers.LSTM(3, return_sequences=True), 4)]
)
def test_a_recurrent_layer_multiplies_its_input_and_its_state_once_a_step_in_each_gate(layer, gates):
    x = keras.Input((7, 5))
    assert report.summary(keras.Model(x, layer(x))).macs == 7 * gates * (5 * 3 + 3 * 3)


def test_both_directions_of_a_recurrent_layer_count():
    x = keras.Input((7, 5))
    assert report.summary(keras.Model(x, layers.Bidirectional(layers.LSTM(3))(x))).macs == 2 * 7 * 4 * (5 * 3 + 3 * 3)


def test_a_layer_that_is_applied_at_every_step_counts_at_every_step():
    x = keras.Input((7, 6, 6, 2))
    model = keras.Model(x, layers.TimeDistributed(layers.Conv2D(4, 3))(x))
    assert report.summary(model).macs == 7 * 4 * 4 * 9 * 2 * 4


def test_an_open_axis_is_named_with_its_layer_and_can_be_given():
    x = keras.Input((None, None, 3))
    model = keras.Model(x, layers.Conv2D(4, 3, name="conv")(x))
    with pytest.raises(ValueError, match=r"^input_shape leaves an axis open, on which the MACs of layer 'conv' depend"):
        report.summary(model)
    assert report.summary(model, (8, 8, 3)).macs == 6 * 6 * 9 * 3 * 4
    x = keras.Input((None, 3))
    with pytest.raises(ValueError, match="of layer 'gru' depend"):
        report.summary(keras.Model(x, layers.GRU(2, name="gru")(x)))


def test_a_recurrent_convolution_is_refused_by_name():
    x = keras.Input((3, 8, 8, 1))
    with pytest.raises(ValueError, match="layer 'steps' is a recurrent convolution"):
        report.summary(keras.Model(x, layers.ConvLSTM2D(2, 3, name="steps")(x)))


def test_inputs_by_name_may_come_in_any_order():
    z, a = keras.Input((3,), name="z"), keras.Input((5,), name="a")
    both = layers.Concatenate()([layers.Dense(2)(z), layers.Dense(4)(a)])
    assert report.summary(keras.Model({"z": z, "a": a}, both)).macs == 3 * 2 + 5 * 4
    assert report.summary(keras.Model([z, a], both)).macs == 3 * 2 + 5 * 4


def test_zeros_and_bytes_and_the_printed_table():
    model = models.lenet_300_100()
    model.get_layer("output").kernel.assign(np.eye(100, 10))
    costs = report.summary(model)
    assert costs.layers[-1].zeros == 100 * 10 - 10 + 10  # the kernel's, and the fresh bias
    assert costs.bytes == 4 * 266_610
    text = str(costs)
    assert text.splitlines()[-1].split()[:2] == ["total", "266,610"]
    assert "<td>output</td>" in costs._repr_html_()


def test_a_table_escapes_what_it_shows():
    assert "<td>&lt;b&gt;</td>" in report.Table(["name"], [["<b>"]])._repr_html_()


def test_what_is_no_model_and_a_shape_that_does_not_fit_are_named():
    import tf_keras

    with pytest.raises(TypeError, match="model is a str; give a Keras 3 model"):
        report.summary("model.keras")
    with pytest.raises(TypeError, match=r"model is a tf_keras\.\S+; give a Keras 3 model"):
        report.summary(tf_keras.Sequential([tf_keras.layers.Dense(1, input_shape=(2,))]))
    for wrong in (4, "28", (2, -1), (2.5,)):
        with pytest.raises(ValueError, match=r"input_shape is .*; give the sizes of one example"):
            report.summary(models.lenet_300_100(), wrong)
    model = Subclassed()
    model(np.zeros((1, 4)))
    with pytest.raises(ValueError, match=r"input_shape is \(5,\), but the model .* is not for such examples") as error:
        report.summary(model, (5,))
    assert "user code" not in str(error.value)
