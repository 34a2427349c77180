"""The networks that are pruned.

Sources: LeNet-300-100 is the fully connected net of LeCun et al., "Gradient-Based Learning Applied to Document
Recognition", Proc. IEEE (1998), the standard small subject of pruning papers since Han et al. (2015).
"""

import math

__all__ = ["lenet_300_100", "small_cnn"]


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


def _scaled(units, width):
    if not (width > 0 and math.isfinite(width)):
        raise ValueError(f"width is {width}; it must be a positive number, 1.0 for the published size.")
    return max(1, round(units * width))
