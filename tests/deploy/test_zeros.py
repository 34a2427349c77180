import keras
import numpy as np
import pytest
from keras import layers

from course_lib import deploy

RNG = np.random.default_rng(0)


def net(depth=2):
    """A depthwise kernel with two filters a channel, a folded batch normalisation, and zeros by a rule."""
    x = keras.Input((6, 6, 3))
    h = layers.DepthwiseConv2D(3, depth_multiplier=depth, name="depthwise")(x)
    h = layers.BatchNormalization(name="norm")(layers.Conv2D(4, 3, use_bias=False, name="conv")(h))
    model = keras.Model(x, layers.Dense(2, name="dense")(layers.Flatten()(h)), name="net")
    for variable in model.weights:
        w = RNG.uniform(0.5, 1, variable.shape) * RNG.choice(
            [-1, 1], variable.shape if variable.name != "moving_variance" else ()
        )
        if w.ndim > 1:
            w.reshape(-1)[::3] = 0  # one of three
        variable.assign(np.abs(w) if variable.name == "moving_variance" else w)
    return model


@pytest.mark.parametrize("quantize", [None, "float16", "dynamic", "int8"])
def test_zeros_by_a_rule_are_counted_in_every_kind_of_file(tmp_path, quantize):
    model = net()
    x = RNG.random((20, 6, 6, 3))
    file = deploy.to_tflite(model, tmp_path / "m.tflite", quantize, calibration=x if quantize == "int8" else None)
    found = deploy.zeros(model, file)
    sizes = {"depthwise/kernel": 9 * 6, "conv/kernel": 9 * 6 * 4, "dense/kernel": 16 * 2}
    assert found.kernels == {path: (n, -(-n // 3), -(-n // 3), -(-n // 3)) for path, n in sizes.items()}
    assert (found.pruned, found.kept) == (18 + 72 + 11, 18 + 72 + 11)
    assert str(found).splitlines()[1].split() == ["depthwise/kernel", "54", "18", "18", "18"]


def test_zeros_that_the_file_lost_or_rounding_added_show(tmp_path):
    x = keras.Input((4,))
    model = keras.Model(x, layers.Dense(2, use_bias=False, name="dense")(x))
    kernel = model.get_layer("dense").kernel
    kernel.assign([[0, 1], [1, 0], [0.001, 1], [1, 1]])  # 0.001 is less than half of 1/127
    x = RNG.random((20, 4))
    file = deploy.to_tflite(model, tmp_path / "m.tflite", "int8", calibration=x)
    assert deploy.zeros(model, file).kernels["dense/kernel"] == (8, 2, 2, 3)
    kernel.assign([[0, 1], [1, 0], [0, 1], [0, 0]])  # the file still has the two last
    assert deploy.zeros(model, file).kernels["dense/kernel"] == (8, 5, 3, 3)


def test_two_layers_with_the_same_kernel_share_a_tensor_of_the_file(tmp_path):
    x = keras.Input((4,))
    first, second = layers.Dense(4, name="a"), layers.Dense(4, name="b")
    model = keras.Model(x, second(layers.ReLU()(first(x))))
    for layer in (first, second):
        layer.kernel.assign(np.diag([1.0, 2, 3, 0]))
    found = deploy.zeros(model, deploy.to_tflite(model, tmp_path / "m.tflite"))
    assert found.kernels == {"a/kernel": (16, 13, 13, 13), "b/kernel": (16, 13, 13, 13)}


def test_a_kernel_that_is_all_zero(tmp_path):
    x = keras.Input((4,))
    first, second = layers.Dense(3, name="a"), layers.Dense(3, name="b")
    model = keras.Model(x, [first(x), second(x)])
    first.kernel.assign(np.zeros((4, 3)))
    found = deploy.zeros(model, deploy.to_tflite(model, tmp_path / "m.tflite"))
    assert found.kernels == {"a/kernel": (12, 12, 12, 12), "b/kernel": (12, 0, 0, 0)}


def test_the_file_of_another_model_and_a_sparse_one_are_refused(tmp_path):
    model = net()
    file = deploy.to_tflite(model, tmp_path / "m.tflite")
    for other in (net(depth=1), keras.Sequential([keras.Input((16,)), layers.Dense(2)])):
        with pytest.raises(ValueError, match=r"m\.tflite has no tensor like '.*kernel': is it a file of this model"):
            deploy.zeros(other, file)
    with pytest.raises(FileNotFoundError, match="there is no such file"):
        deploy.zeros(model, tmp_path / "absent.tflite")
    for arguments, name in ((model, model), "path"), ((file, model), "model"):
        with pytest.raises(TypeError, match=f"{name} is a "):
            deploy.zeros(*arguments)
