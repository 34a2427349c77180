import keras
import numpy as np
import pytest
from keras import layers

from course_lib import masks, scores
from course_lib.variables import prunable


def chain(activation="gelu", widths=(6, 5, 3), **options):
    """Dense layers with biases, BatchNormalization and dropout between, none of them fresh."""
    keras.utils.set_random_seed(0)
    x = entrance = keras.Input((4,))
    for i, width in enumerate(widths):
        x = layers.Dense(width, activation, bias_initializer="normal", name=f"d{i}", **options)(x)
        x = layers.Dropout(0.5)(layers.BatchNormalization(gamma_initializer="normal")(x))
    return keras.Model(entrance, layers.Softmax()(x))


def flow_by_hand(kernels):
    """Scores of a chain of kernels in NumPy: what comes in times |w| times what goes on."""
    absolute = [np.abs(np.asarray(w, "float64")) for w in kernels]
    found = []
    for i, w in enumerate(absolute):
        before, after = np.ones(len(absolute[0])), np.ones(absolute[-1].shape[1])
        for earlier in absolute[:i]:
            before = before @ earlier
        for later in reversed(absolute[i + 1 :]):
            after = later @ after
        found.append(before[:, None] * w * after)
    return found


@pytest.mark.parametrize("activation", ["relu", "sigmoid", "gelu", "softmax", layers.LeakyReLU(0.3)])
def test_the_flow_is_that_of_the_absolute_weights_alone(activation):
    model = chain(activation)
    expected = flow_by_hand(kernel.numpy() for kernel in prunable(model).values())
    for found, by_hand in zip(scores.synflow(model).values(), expected, strict=True):
        np.testing.assert_allclose(found, by_hand, rtol=1e-5)


def test_conservation_every_layer_carries_the_same_and_every_unit_passes_on_what_it_gets():
    first, second, third = scores.synflow(chain()).values()
    np.testing.assert_allclose([first.sum(), second.sum()], third.sum(), rtol=1e-5)
    np.testing.assert_allclose(first.sum(axis=0), second.sum(axis=1), rtol=1e-5)
    np.testing.assert_allclose(second.sum(axis=0), third.sum(axis=1), rtol=1e-5)


def test_convolution_pooling_and_a_skip_connection():
    x = entrance = keras.Input((6, 6, 2))
    x = layers.Conv2D(4, 3, padding="same", activation="relu", name="conv")(x)
    x = layers.Add()([x, layers.DepthwiseConv2D(3, padding="same", use_bias=False, name="depthwise")(x)])
    x = layers.GlobalAveragePooling2D()(layers.MaxPooling2D()(layers.ReLU()(x)))
    model = keras.Model(entrance, layers.Dense(3, name="dense")(x))
    found = scores.synflow(model)
    into, out = found["conv/kernel"].sum(axis=(0, 1, 2)), found["dense/kernel"].sum(axis=1)
    np.testing.assert_allclose(into, out, rtol=1e-5)  # channel by channel, through all that is between
    skipped = out - found["depthwise/kernel"].sum(axis=(0, 1, 3))
    assert (skipped > 0).all()


def test_the_model_is_not_changed_also_when_scoring_fails():
    model = chain(activation="tanh")
    model.compile("adam", "mse")
    before, x = model.get_weights(), np.ones((2, 4), "float32")
    outputs = np.asarray(model(x))
    first, again = scores.synflow(model), scores.synflow(model, data="not looked at")
    assert all(np.array_equal(first[path], again[path]) for path in first)
    odd = keras.Model(model.input, layers.LayerNormalization(name="norm")(model.output))
    with pytest.raises(ValueError, match="'norm'"):
        scores.synflow(odd)
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(outputs, model(x))
    assert model.layers[1].activation is keras.activations.tanh and model.compiled


def gated(x):
    return layers.Multiply(name="odd")([x, x])


@pytest.mark.parametrize(
    "odd",
    [
        gated,
        layers.LayerNormalization(name="odd"),
        layers.Rescaling(1.0, offset=-1.0, name="odd"),
        layers.Lambda(lambda x: keras.ops.sigmoid(x), name="odd"),
        lambda x: layers.MultiHeadAttention(1, 2, name="odd")(x, x),
    ],
)
def test_a_layer_that_cannot_be_made_linear_is_named(odd):
    entrance = keras.Input((3, 4))
    model = keras.Model(entrance, layers.Dense(2)(odd(layers.Dense(4)(entrance))))
    with pytest.raises(ValueError, match=r"layer 'odd' \(\w+\) of model .* is not linear"):
        scores.synflow(model)


def test_the_inputs_shape_is_asked_for_where_it_is_not_known():
    class Subclassed(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(2, activation="relu")

        def call(self, x):
            return keras.ops.relu(self.dense(x))

    model = Subclassed()
    model(np.ones((1, 3)))
    with pytest.raises(ValueError, match=r"input_shape is None, and model .* give it"):
        scores.synflow(model)
    (found,) = scores.synflow(model, input_shape=(3,)).values()
    np.testing.assert_allclose(found, np.abs(model.dense.kernel.numpy()), rtol=1e-6)
    images = keras.Input((None, None, 1))
    open_shape = keras.Model(images, layers.GlobalAveragePooling2D()(layers.Conv2D(2, 3)(images)))
    with pytest.raises(ValueError, match="input_shape is None"):
        scores.synflow(open_shape)
    assert scores.synflow(open_shape, input_shape=(5, 5, 1))


def test_a_flow_that_is_too_large_is_refused():
    entrance = keras.Input((1,))
    dense = [layers.Dense(1, kernel_initializer=keras.initializers.Constant(1e20)) for _ in range(2)]
    with pytest.raises(ValueError, match="gives a flow of inf, too large"):
        scores.synflow(keras.Model(entrance, dense[1](dense[0](entrance))))


def uneven():
    """A wide layer of small weights between two narrow ones."""
    keras.utils.set_random_seed(0)
    entrance = keras.Input((20,))
    x = layers.Dense(100, "relu", name="first")(entrance)
    x = layers.Dense(100, "relu", name="wide", kernel_initializer=keras.initializers.RandomNormal(stddev=0.01))(x)
    return keras.Model(entrance, layers.Dense(10, name="last")(x))


def test_magnitude_in_one_step_empties_a_layer_where_iterative_synflow_does_not():
    model = uneven()
    for sparsity in (0.9, 0.99, 0.999):
        kept = scores.synflow_masks(model, sparsity, rounds=50)
        assert kept.sparsity == pytest.approx(sparsity, abs=0.5 / 13000)
        assert min(mask.sum() for mask in kept.values()) >= 1
        assert masks.from_scores(scores.magnitude(model), sparsity)["wide/kernel"].sum() == 0
    assert masks.from_scores(scores.synflow(model), 0.999)["wide/kernel"].sum() == 0, "nor does SynFlow in one step"


def test_iterative_synflow_is_the_exponential_schedule_in_numpy():
    model = chain(widths=(6, 5))
    start = [np.abs(kernel.numpy()) for kernel in prunable(model).values()]
    sizes, left = [w.size for w in start], list(start)
    for k in range(1, 8):
        flat = np.concatenate([score.ravel() for score in flow_by_hand(left)])
        kept = round((1 - 0.8) ** (k / 7) * flat.size)
        keep = np.zeros(flat.size, bool)
        keep[np.argsort(-flat, kind="stable")[:kept]] = True
        left = [w * part.reshape(w.shape) for w, part in zip(start, np.split(keep, np.cumsum(sizes)[:-1]), strict=True)]
    for mask, w in zip(scores.synflow_masks(model, 0.8, rounds=7).values(), left, strict=True):
        np.testing.assert_array_equal(mask, w != 0)


def test_what_is_pruned_stays_pruned_also_when_what_is_left_carries_nothing():
    entrance = keras.Input((2,))
    first, last = layers.Dense(2, use_bias=False, name="first"), layers.Dense(1, use_bias=False, name="last")
    model = keras.Model(entrance, last(first(entrance)))
    model.set_weights([np.array([[0.9, 10], [1, 10]]), np.ones((2, 1))])
    kept = scores.synflow_masks(
        model, 1 / 3, rounds=100
    )  # 0.9 goes, then what the first unit gives: the 1 is left idle
    assert kept["first/kernel"].tolist() == [[False, True], [True, True]]
    assert kept["last/kernel"].tolist() == [[False], [True]]


def test_a_bad_argument_is_named_before_the_work_begins():
    with pytest.raises(ValueError, match=r"sparsity is 1\.5"):
        scores.synflow_masks(chain(), 1.5)
    with pytest.raises(ValueError, match="rounds is 0"):
        scores.synflow_masks(chain(), 0.5, rounds=0)
