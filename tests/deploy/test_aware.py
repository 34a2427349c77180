import keras
import numpy as np
import pytest
import tf_keras
from ai_edge_litert.interpreter import Interpreter
from keras import layers

from course_lib import deploy, models, training
from course_lib.deploy.keras_2 import KINDS, in_keras_2
from course_lib.masks import Masks
from course_lib.variables import prunable

RNG = np.random.default_rng(0)
X, Y = RNG.random((96, 8, 8, 3)).astype("float32"), RNG.integers(0, 4, 96)


def randomised(model):
    """Biases, scales and statistics that are not those of a new model."""
    for variable in model.weights:
        if len(variable.shape) == 1:
            variable.assign(RNG.uniform(0.2, 1, variable.shape))
    return model


def half_pruned(model):
    model.compile("adam", "sparse_categorical_crossentropy")
    masks = Masks({path: RNG.random(kernel.shape) < 0.5 for path, kernel in prunable(model).items()})
    training.hold(model, masks)
    return model


def plain():
    """Every kernel has a shape of its own, so that it can be told in the file by that."""
    return keras.Sequential(
        [keras.Input((8, 8, 3)), layers.Conv2D(5, 3, activation="relu"), layers.Flatten(), layers.Dense(4, "softmax")],
        name="plain",
    )


def apart():
    """A ReLU that is a layer, depthwise and separable kernels, batch normalisation, two ways that meet."""
    x = keras.Input((8, 8, 3), name="image")
    h = layers.ReLU(name="relu")(layers.Conv2D(6, 3, padding="same", name="conv")(x))
    a = layers.BatchNormalization(name="norm")(layers.DepthwiseConv2D(3, padding="same", name="depthwise")(h))
    b = layers.SeparableConv2D(6, 5, padding="same", name="separable")(h)
    h = layers.Activation("relu", name="active")(layers.Add(name="add")([a, b]))
    h = layers.Dense(7, name="dense")(layers.GlobalAveragePooling2D(name="average")(h))
    h = layers.ReLU(name="relu_2")(layers.BatchNormalization(name="norm_2")(h))
    return randomised(keras.Model(x, layers.Dense(4, "softmax", name="output")(h), name="apart"))


def everything():
    """Each kind of layer that can cross, once at least."""
    x = keras.Input((8, 8, 3))
    h = layers.ZeroPadding2D(1)(x)
    h = layers.Cropping2D(1)(h)
    h = layers.Permute((2, 1, 3))(h)
    h = layers.Reshape((8, 8, 3))(h)
    h = layers.SeparableConv2D(6, 3, padding="same", depth_multiplier=2, activation="tanh")(h)
    h = layers.SpatialDropout2D(0.1)(layers.DepthwiseConv2D(3, activation="sigmoid")(h))
    h = layers.BatchNormalization()(layers.Conv2D(6, 3, dilation_rate=2, padding="same", groups=2)(h))
    h = layers.ReLU(max_value=6.0)(layers.Add()([h, h]))
    pools = [layers.MaxPooling2D(2), layers.AveragePooling2D(2)]
    h = layers.Dropout(0.1)(layers.Concatenate()([pool(h) for pool in pools]))
    ends = [layers.GlobalAveragePooling2D()(h), layers.GlobalMaxPooling2D()(h), layers.Flatten()(h)]
    h = layers.Activation("relu")(layers.Dense(9)(layers.Concatenate()(ends)))
    return randomised(keras.Model(x, layers.Softmax()(layers.Dense(4)(h)), name="everything"))


CROSSING = [models.lenet_300_100, models.lenet_5, models.small_cnn, models.separable_cnn, models.small_resnet]


@pytest.mark.parametrize("build", [*CROSSING, plain, apart, everything], ids=lambda build: build.__name__)
def test_the_model_that_has_crossed_computes_the_same(build):
    keras.utils.set_random_seed(0)
    model = randomised(build())
    x = 10 * RNG.normal(size=(20, *model.input_shape[1:])).astype("float32")
    if any(isinstance(layer, layers.BatchNormalization) for layer in model.layers):
        training.reestimate(model, x)  # else so deep a net does not let the input through
    here, there = model.predict(x, verbose=0), in_keras_2(model).predict(x, verbose=0)
    assert np.ptp(here, axis=0).max() > 0.01
    np.testing.assert_allclose(there, here, atol=1e-6)


def test_every_kind_of_layer_that_can_cross_ends_in_integers(tmp_path):
    model = half_pruned(everything())
    assert {type(layer).__name__ for layer in model.layers} == KINDS | {"InputLayer"}
    file = deploy.quantize_aware(model, tmp_path / "e.tflite", (X, Y), batch_size=16, learning_rate=0.01)
    counted = deploy.zeros(model, file)
    assert counted.kept == counted.pruned > 700
    kinds = {tensor["dtype"] for tensor in Interpreter(str(file)).get_tensor_details()}
    assert kinds <= {np.int8, np.int32}


LAYOUTS = {  # of the file, for each kernel of ``apart``; no two have the same shape
    "conv/kernel": lambda w: w.transpose(3, 0, 1, 2),
    "depthwise/kernel": lambda w: w.transpose(3, 0, 1, 2),  # with one filter for each channel, (1, 3, 3, 6)
    "separable/depthwise_kernel": lambda w: w.transpose(3, 0, 1, 2),
    "separable/pointwise_kernel": lambda w: w.transpose(3, 0, 1, 2),
    "dense/kernel": lambda w: w.T,
    "output/kernel": lambda w: w.T,
}


@pytest.fixture(scope="module")
def pruned():
    return half_pruned(apart())


@pytest.fixture(scope="module", params=[True, False], ids=["zeros kept", "plain"])
def trained(pruned, request, tmp_path_factory):
    path = tmp_path_factory.mktemp("aware") / "apart.tflite"
    options = {"epochs": 2, "batch_size": 16, "learning_rate": 0.01, "keep_zeros": request.param}
    return request.param, deploy.quantize_aware(pruned, path, (X, Y), **options)


def test_every_zero_stays_zero_and_without_the_scheme_they_are_lost(pruned, trained):
    keep, file = trained
    interpreter = Interpreter(str(file))
    interpreter.allocate_tensors()
    details = [t for t in interpreter.get_tensor_details() if t["dtype"] == np.int8]
    counted = deploy.zeros(pruned, file)
    for path, kernel in prunable(pruned).items():
        w = LAYOUTS[path](kernel.numpy())
        (tensor,) = (t for t in details if tuple(t["shape"]) == w.shape)
        zero = interpreter.get_tensor(tensor["index"]) == 0
        assert not tensor["quantization_parameters"]["zero_points"].any()
        assert np.mean(zero[w == 0]) == 1 if keep else np.mean(zero[w == 0]) < 0.3
        assert np.mean(zero[w != 0]) < 0.2  # they have been trained and not been dropped
        assert counted.kernels[path] == (w.size, np.sum(w == 0), np.sum(zero & (w == 0)), np.sum(zero))


def test_the_model_itself_is_not_changed(pruned, trained):
    assert 0.4 < Masks.of_zeros(pruned).sparsity < 0.6
    assert pruned.get_layer("conv").kernel.constraint is not None and pruned.optimizer.iterations == 0


def blobs():
    """Classes that are far from each other: each has its own channel and corner that are bright."""
    y = RNG.integers(0, 4, 400)
    x = RNG.random((400, 8, 8, 3)).astype("float32")
    for i, label in enumerate(y):
        x[i, 4 * (label % 2) :, :, label // 2] += 1
    return x, y


@pytest.mark.parametrize("loss", [keras.losses.SparseCategoricalCrossentropy(), {"answer": "categorical_crossentropy"}])
def test_what_is_learnt_is_in_the_file(tmp_path, capfd, loss):
    keras.utils.set_random_seed(0)
    x, y = blobs()
    end = layers.Dense(4, "softmax", name="answer")
    model = keras.Sequential([keras.Input((8, 8, 3)), layers.Conv2D(8, 3, 2, activation="relu"), layers.Flatten(), end])
    model.compile("adam", loss)
    known = np.eye(4)[y] if isinstance(loss, dict) else y
    options = {"epochs": 15, "batch_size": 20, "learning_rate": 0.005}
    capfd.readouterr()
    file = deploy.quantize_aware(model, tmp_path / "b.tflite", (x, known), **options)
    assert capfd.readouterr() == ("", "")
    assert np.mean(model.predict(x, verbose=0).argmax(axis=1) == y) < 0.5
    assert np.mean(deploy.predict(file, x).argmax(axis=1) == y) > 0.95


def test_activations_of_any_size_are_not_clipped(tmp_path):
    """They reach 400 here. Ranges that begin at ±6 and move by a thousandth a step would still end at 6."""
    x = keras.Input((8, 8, 3))
    h = layers.Dense(16, "relu", kernel_initializer="random_normal")(layers.Flatten()(x))
    model = keras.Model(x, layers.Dense(4, kernel_initializer="random_normal")(h))
    model.compile("adam", "mse")
    inputs, nothing_to_learn = 5000 * X, model.predict(5000 * X, verbose=0)
    file = deploy.quantize_aware(model, tmp_path / "c.tflite", (inputs, nothing_to_learn), learning_rate=1e-9)
    difference = np.abs(deploy.predict(file, inputs) - nothing_to_learn).max()
    assert np.ptp(nothing_to_learn) > 100 and difference < 0.05 * np.ptp(nothing_to_learn)


def test_several_inputs_go_by_their_order(tmp_path):
    a, b = keras.Input((8, 8, 3), name="z"), keras.Input((2,), name="a")
    h = layers.Concatenate()([layers.Flatten()(a), b])
    model = keras.Model([a, b], layers.Dense(1, kernel_initializer="ones")(h))
    model.compile("adam", "mse")
    x = [X, RNG.uniform(0, 5, (len(X), 2))]
    truth = model.predict(x, verbose=0)
    file = deploy.quantize_aware(model, tmp_path / "d.tflite", (x, truth), learning_rate=1e-9)
    np.testing.assert_allclose(deploy.predict(file, {"z": x[0], "a": x[1]}), truth, atol=0.03 * truth.max())


def made(*parts, shape=(8, 8, 3)):
    return keras.Sequential([keras.Input(shape), *parts], name="made")


def twice():
    x, dense = keras.Input((4,)), layers.Dense(4, name="again")
    return keras.Model(x, dense(dense(x)))


def two_outputs():
    x = keras.Input((4,))
    return keras.Model(x, [layers.Dense(1)(x), layers.Dense(1)(x)], name="double")


class Own(layers.Dense):
    pass


@pytest.mark.parametrize(
    ("build", "says"),
    [
        (lambda: models.tiny_transformer(width=0.2), "layer 'embedding' is a EinsumDense, which the toolkit cannot"),
        (
            lambda: made(layers.LayerNormalization(name="even")),
            "layer 'even' is a LayerNormalization, which .* BatchNorm",
        ),
        (lambda: made(layers.Flatten(), Own(3, name="mine")), "layer 'mine' is a Own"),
        (lambda: made(layers.Flatten(), layers.Dense(3, "selu", name="x")), "layer 'x' has the activation 'selu'"),
        (
            lambda: made(layers.BatchNormalization(name="early")),
            "'made' cannot be trained .* the toolkit says: Layer early",
        ),
        (lambda: made(keras.Sequential([layers.Flatten()], name="inner")), "layer 'inner' is a Sequential"),
        (twice, "layer 'again' is called twice"),
        (two_outputs, "model 'double' has 2 outputs"),
    ],
)
def test_what_cannot_cross_is_named_before_any_training(tmp_path, monkeypatch, build, says):
    monkeypatch.setattr(tf_keras.Model, "fit", lambda *_, **__: pytest.fail("trained first"))
    model = build()
    model.compile("adam", "mse")
    x = np.zeros((4, *model.input_shape[1:]))
    with pytest.raises(ValueError, match=says):
        deploy.quantize_aware(model, tmp_path / "m.tflite", (x, np.zeros((4, 10))))
    assert not list(tmp_path.iterdir())


def subclassed():
    class Net(keras.Model):
        def call(self, x):
            return x

    model = Net(name="own")
    model(X)
    return model


@pytest.mark.parametrize(
    ("changed", "error", "says"),
    [
        ({"data": X}, TypeError, r"data is a ndarray; give \(x, y\)"),
        ({"data": (X, Y[:5])}, ValueError, r"data has 96 inputs, and y of shape \(5,\)"),
        ({"data": (X[:, :4], Y)}, ValueError, r"data\[0\] has shape \(96, 4, 8, 3\)"),
        ({"data": (X * np.nan, Y)}, ValueError, "data holds values that are not finite"),
        ({"epochs": 0}, ValueError, "epochs is 0"),
        ({"batch_size": 1.5}, ValueError, r"batch_size is 1\.5"),
        ({"learning_rate": 0}, ValueError, "learning_rate is 0; it must be a positive number"),
        ({"model": plain()}, ValueError, "model 'plain' has no loss to train with; compile it"),
        ({"model": subclassed()}, TypeError, "model 'own' is subclassed: its graph .* functional API"),
        ({"model": "model.keras"}, TypeError, "model is a str; give a Keras 3 model, and the path second"),
    ],
)
def test_wrong_arguments_leave_the_file_alone(pruned, tmp_path, changed, error, says):
    file = tmp_path / "m.tflite"
    file.write_bytes(b"old")
    with pytest.raises(error, match=says):
        deploy.quantize_aware(**{"model": pruned, "path": file, "data": (X, Y), **changed})
    assert file.read_bytes() == b"old" and list(tmp_path.iterdir()) == [file]


def test_without_the_toolkit_it_says_how_to_get_it(pruned, tmp_path, monkeypatch):
    monkeypatch.setattr("course_lib.deploy.aware.find_spec", lambda name: None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install .course-lib\[toolkit\]"):
        deploy.quantize_aware(pruned, tmp_path / "m.tflite", (X, Y))


def test_a_model_of_half_precision_is_trained_as_its_float32_copy(tmp_path):
    x = keras.Input((8, 8, 3), dtype="float16")
    h = layers.Flatten(dtype="float16")(x)
    model = keras.Model(x, layers.Dense(4, "softmax", dtype="mixed_float16")(h))
    model.compile("sgd", "sparse_categorical_crossentropy")
    file = deploy.quantize_aware(model, tmp_path / "h.tflite", (X, Y), learning_rate=1e-9)
    np.testing.assert_allclose(deploy.predict(file, X), model.predict(X, verbose=0), atol=0.02)


def test_the_path_is_looked_at_before_the_training(pruned, tmp_path, monkeypatch):
    monkeypatch.setattr(tf_keras.Model, "fit", lambda *_, **__: pytest.fail("trained first"))
    with pytest.raises(FileNotFoundError, match=r"no folder .*absent"):
        deploy.quantize_aware(pruned, tmp_path / "absent" / "m.tflite", (X, Y))


def test_an_error_in_training_leaves_the_old_file(pruned, tmp_path):
    file = tmp_path / "m.tflite"
    file.write_bytes(b"old")
    with pytest.raises(Exception, match="shape"):
        deploy.quantize_aware(pruned, file, (X, np.zeros((96, 3))))
    assert file.read_bytes() == b"old" and list(tmp_path.iterdir()) == [file]
