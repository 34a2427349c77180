import keras
import numpy as np
import pytest
from keras import layers


def image(*shape):
    return np.random.default_rng(0).normal(size=(12, *shape)).astype("float32")


KINDS = {
    "dense": (image(5), lambda: layers.Dense(3)),
    "dense on sequences": (image(4, 5), lambda: layers.Dense(3)),
    "conv1d": (image(6, 2), lambda: layers.Conv1D(3, 2)),
    "conv2d same, strides": (image(5, 5, 2), lambda: layers.Conv2D(3, (3, 2), strides=2, padding="same")),
    "conv2d dilated": (image(6, 6, 1), lambda: layers.Conv2D(2, 2, dilation_rate=2)),
    "conv3d": (image(3, 4, 4, 1), lambda: layers.Conv3D(2, 2)),
    "depthwise": (image(5, 5, 3), lambda: layers.DepthwiseConv2D(2, depth_multiplier=2, strides=2)),
    "einsum": (image(4, 5), lambda: layers.EinsumDense("abc,cd->abd", (None, 3), bias_axes="d")),
    "einsum, heads out": (image(4, 5), lambda: layers.EinsumDense("abc,cde->abde", (None, 2, 3))),
    "einsum, heads in": (image(2, 2, 3), lambda: layers.EinsumDense("abcd,cde->abe", (None, 4))),
    "einsum, ellipsis": (image(4, 5), lambda: layers.EinsumDense("...x,xy->...y", 3)),
}


@pytest.fixture(params=KINDS)
def one_layer(request):
    """A model of one linear layer, data, and the matrix A with outputs = A · kernel + constant, entry by entry.

    A is found by asking the layer itself: column k is its answer to a kernel that is 1 at entry k and 0 elsewhere.
    """
    x, make = KINDS[request.param]
    keras.utils.set_random_seed(1)
    entrance = keras.Input(x.shape[1:])
    layer = make()
    layer.name = "layer"
    model = keras.Model(entrance, layer(entrance))
    layer.kernel.assign(np.random.default_rng(2).normal(size=layer.kernel.shape))
    start = layer.kernel.numpy()

    def answer(kernel):
        layer.kernel.assign(kernel)
        return np.asarray(model(x), "float64").ravel()

    unit_kernels = np.eye(start.size).reshape(start.size, *start.shape)
    a = np.stack([answer(unit) - answer(0 * unit) for unit in unit_kernels], axis=1)
    layer.kernel.assign(start)
    return model, (x, np.zeros(len(x))), a
