"""The networks that are pruned.

Sources: LeNet-300-100 is the fully connected net of LeCun et al., "Gradient-Based Learning Applied to Document
Recognition", Proc. IEEE (1998), the standard small subject of pruning papers since Han et al. (2015), as is LeNet-5 in
the form that came with Caffe. Separable convolutions: Howard et al., "MobileNets", arXiv:1704.04861 (2017). Residual
blocks: He et al., "Deep Residual Learning for Image Recognition", CVPR (2016). Attention: Dosovitskiy et al., "An Image
is Worth 16x16 Words", ICLR (2021), here with the rows of an image as its words.
"""

import math
from numbers import Real

__all__ = ["lenet_5", "lenet_300_100", "separable_cnn", "small_cnn", "small_resnet", "tiny_transformer"]


def lenet_300_100(*, input_shape=(28, 28, 1), classes=10, width=1.0):
    """LeNet-300-100: flatten, Dense 300, Dense 100, Dense 10 with softmax. 266,610 parameters.

    Parameters
    ----------
    input_shape
        Shape of one image.
    classes
        Number of outputs.
    width
        Factor on the hidden layers' units; ``width=0.1`` is the small dense net 30-10 that pruning must beat.

    Returns
    -------
    keras.Model
        Uncompiled, functional, layers ``flatten``, ``dense_1``, ``dense_2``, ``output``; randomly initialised
        (``keras.utils.set_random_seed`` before the call repeats it).

    Examples
    --------
    >>> lenet_300_100().count_params()
    266610
    """
    import keras
    from keras import layers

    image = keras.Input(input_shape, name="image")
    x = layers.Flatten(name="flatten")(image)
    x = layers.Dense(_scaled(300, width), activation="relu", name="dense_1")(x)
    x = layers.Dense(_scaled(100, width), activation="relu", name="dense_2")(x)
    x = layers.Dense(classes, activation="softmax", name="output")(x)
    return keras.Model(image, x, name="lenet_300_100")


def small_cnn(*, input_shape=(28, 28, 1), classes=10, width=1.0):
    """A small strided convolutional net: 3 × 3 filters, 16 then 32, Dense 64, Dense 10 with softmax.

    Parameters and result as for :func:`lenet_300_100`; layers ``conv_1``, ``conv_2``, ``flatten``, ``dense_1``,
    ``output``. Both convolutions move in strides of 2, so no pooling is needed.

    Examples
    --------
    >>> small_cnn().count_params()
    105866
    """
    import keras
    from keras import layers

    image = keras.Input(input_shape, name="image")
    x = layers.Conv2D(_scaled(16, width), 3, strides=2, padding="same", activation="relu", name="conv_1")(image)
    x = layers.Conv2D(_scaled(32, width), 3, strides=2, padding="same", activation="relu", name="conv_2")(x)
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dense(_scaled(64, width), activation="relu", name="dense_1")(x)
    x = layers.Dense(classes, activation="softmax", name="output")(x)
    return keras.Model(image, x, name="small_cnn")


def lenet_5(*, input_shape=(28, 28, 1), classes=10, width=1.0):
    """LeNet-5 as pruning papers know it: 5 × 5 filters, 20 then 50, each with max-pooling, Dense 500, Dense 10.

    Parameters and result as for :func:`lenet_300_100`; layers ``conv_1``, ``pool_1``, ``conv_2``, ``pool_2``,
    ``flatten``, ``dense_1``, ``output``. As in Caffe only the dense layer has an activation.

    Examples
    --------
    >>> lenet_5().count_params()
    431080
    """
    import keras
    from keras import layers

    x = image = keras.Input(input_shape, name="image")
    for i, filters in enumerate((20, 50), start=1):
        x = layers.Conv2D(_scaled(filters, width), 5, name=f"conv_{i}")(x)
        x = layers.MaxPooling2D(2, name=f"pool_{i}")(x)
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dense(_scaled(500, width), activation="relu", name="dense_1")(x)
    x = layers.Dense(classes, activation="softmax", name="output")(x)
    return keras.Model(image, x, name="lenet_5")


def separable_cnn(*, input_shape=(28, 28, 1), classes=10, width=1.0):
    """A small MobileNet: a convolution, then five separable ones, each with BatchNormalization; global average.

    Parameters and result as for :func:`lenet_300_100`; layers ``conv_1``, ``bn_1``, ``relu_1``, ``separable_2`` …
    ``relu_6``, ``average``, ``output``; 32, 64, 64, 128, 128, 128 filters, in strides of 2 at the third and fifth.

    Examples
    --------
    >>> separable_cnn().count_params()
    54602
    """
    import keras
    from keras import layers

    image = keras.Input(input_shape, name="image")
    x = layers.Conv2D(_scaled(32, width), 3, padding="same", use_bias=False, name="conv_1")(image)
    x = _norm_relu(x, "1")
    for i, (filters, strides) in enumerate([(64, 1), (64, 2), (128, 1), (128, 2), (128, 1)], start=2):
        convolution = layers.SeparableConv2D(
            _scaled(filters, width), 3, strides=strides, padding="same", use_bias=False, name=f"separable_{i}"
        )
        x = _norm_relu(convolution(x), f"{i}")
    x = layers.GlobalAveragePooling2D(name="average")(x)
    x = layers.Dense(classes, activation="softmax", name="output")(x)
    return keras.Model(image, x, name="separable_cnn")


def small_resnet(*, input_shape=(28, 28, 1), classes=10, width=1.0):
    """A ResNet in the layout of ResNet-18, two blocks a stage, with three stages of 16, 32 and 64 filters.

        y = relu(x + BN(conv(relu(BN(conv(x))))))

    Where a stage begins with a stride of 2, a 1 × 1 convolution brings x to the new shape; the stem has one too.

    Parameters and result as for :func:`lenet_300_100`; layers ``conv_stem``, ``bn_stem``, ``relu_stem``, and for block
    ``k`` of stage ``s`` ``conv_{s}_{k}_a``, ``bn_{s}_{k}_a``, ``relu_{s}_{k}_a``, ``conv_{s}_{k}_b``, ``bn_{s}_{k}_b``,
    ``add_{s}_{k}``, ``relu_{s}_{k}``, and at a new shape ``conv_{s}_{k}_skip``, ``bn_{s}_{k}_skip``.

    Examples
    --------
    >>> small_resnet().count_params()
    176090
    """
    import keras
    from keras import layers

    def convolved(x, filters, size, strides, name):
        convolution = layers.Conv2D(filters, size, strides, padding="same", use_bias=False, name=f"conv_{name}")
        return convolution(x)

    image = keras.Input(input_shape, name="image")
    x = _norm_relu(convolved(image, _scaled(16, width), 3, 2, "stem"), "stem")
    for stage, filters in enumerate((_scaled(16, width), _scaled(32, width), _scaled(64, width)), start=1):
        for block in (1, 2):
            name, strides = f"{stage}_{block}", 2 if stage > 1 and block == 1 else 1
            y = _norm_relu(convolved(x, filters, 3, strides, f"{name}_a"), f"{name}_a")
            y = _norm(convolved(y, filters, 3, 1, f"{name}_b"), f"{name}_b")
            if strides > 1:
                x = _norm(convolved(x, filters, 1, 2, f"{name}_skip"), f"{name}_skip")
            x = layers.Add(name=f"add_{name}")([x, y])
            x = layers.ReLU(name=f"relu_{name}")(x)
    x = layers.GlobalAveragePooling2D(name="average")(x)
    x = layers.Dense(classes, activation="softmax", name="output")(x)
    return keras.Model(image, x, name="small_resnet")


def tiny_transformer(*, input_shape=(28, 28, 1), classes=10, width=1.0):
    """A transformer that reads an image row by row: two blocks of 4 heads, 64 wide, then the mean over the rows.

        x ← x + attention(norm(x)),     x ← x + W₂ gelu(W₁ norm(x))

    The embedding has a bias for each row and unit: that is what tells the rows apart.

    Parameters and result as for :func:`lenet_300_100`; layers ``rows``, ``embedding``, and for block ``k``
    ``norm_{k}_a``, ``attention_{k}``, ``add_{k}_a``, ``norm_{k}_b``, ``dense_{k}_1``, ``dense_{k}_2``, ``add_{k}_b``,
    then ``norm``, ``average``, ``output``. ``width`` scales units and not the number of heads.

    Examples
    --------
    >>> tiny_transformer().count_params()
    71306
    """
    import keras
    from keras import layers

    if len(input_shape) != 3:
        raise ValueError(f"input_shape is {input_shape}; it must be (rows, columns, channels).")
    height, columns, channels = input_shape
    units, hidden, heads = _scaled(64, width), _scaled(128, width), 4
    image = keras.Input(input_shape, name="image")
    x = layers.Reshape((height, columns * channels), name="rows")(image)
    x = layers.EinsumDense("brp,pu->bru", (height, units), bias_axes="ru", name="embedding")(x)
    for block in (1, 2):
        y = layers.LayerNormalization(name=f"norm_{block}_a")(x)
        y = layers.MultiHeadAttention(heads, max(1, units // heads), name=f"attention_{block}")(y, y)
        x = layers.Add(name=f"add_{block}_a")([x, y])
        y = layers.LayerNormalization(name=f"norm_{block}_b")(x)
        y = layers.Dense(hidden, activation="gelu", name=f"dense_{block}_1")(y)
        y = layers.Dense(units, name=f"dense_{block}_2")(y)
        x = layers.Add(name=f"add_{block}_b")([x, y])
    x = layers.LayerNormalization(name="norm")(x)
    x = layers.GlobalAveragePooling1D(name="average")(x)
    x = layers.Dense(classes, activation="softmax", name="output")(x)
    return keras.Model(image, x, name="tiny_transformer")


def _norm(x, name):
    """BatchNormalization whose running statistics keep up with the weights; with Keras's 0.99 they lag for an epoch."""
    from keras import layers

    return layers.BatchNormalization(momentum=0.9, name=f"bn_{name}")(x)


def _norm_relu(x, name):
    from keras import layers

    return layers.ReLU(name=f"relu_{name}")(_norm(x, name))


def _scaled(units, width):
    if not (isinstance(width, Real) and width > 0 and math.isfinite(width)):
        raise ValueError(f"width is {width!r}; it must be a positive number, 1.0 for the published size.")
    return max(1, round(units * width))
