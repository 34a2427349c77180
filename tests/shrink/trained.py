"""A net that is trained, masked and held, and trained again once its units are removed."""

import keras
import numpy as np
from keras import layers
from oracles import randomised

from course_lib import shrink, training

KEPT, GONE = [0, 3, 4, 5], [1, 2]
OF_DENSE = [1, 7]
X = np.random.default_rng(5).normal(size=(16, 5, 5, 3)).astype("float32")
Y = np.random.default_rng(6).normal(size=(16, 2)).astype("float32")
ALONG = {  # what of each weight is gone: {its end: ((axis, indices), …)}
    "made/kernel": ((3, GONE),),
    "norm/gamma": ((0, GONE),),
    "norm/beta": ((0, GONE),),
    "branch/kernel": ((3, GONE), (2, GONE)),
    "branch/bias": ((0, GONE),),
    "dense/kernel": ((1, OF_DENSE), (0, [i for i in range(96) if i % 6 in GONE])),
    "dense/bias": ((0, OF_DENSE),),
    "output/kernel": ((0, OF_DENSE),),
}


def net():
    """A residual block with a norm, then two Dense layers; no weight is 0 or 1."""
    x = keras.Input((5, 5, 3))
    h = layers.Conv2D(6, 2, use_bias=False, name="made")(x)
    h = layers.ReLU()(layers.BatchNormalization(name="norm")(h))
    h = layers.Add()([h, layers.Conv2D(6, 1, name="branch")(h)])
    h = layers.Dense(8, "tanh", name="dense")(layers.Flatten()(h))
    return randomised(keras.Model(x, layers.Dense(2, name="output")(h)))


def held(model):
    """The masks of the units, held: of all weights that make or scale them."""
    masks = {}
    for v in model.trainable_variables:
        mask = np.ones(v.shape, bool)
        (axis, indices), *_ = ALONG.get(v.path, ((0, []),))
        if v.path != "output/kernel":
            np.moveaxis(mask, axis, 0)[indices] = False
            masks[v.path] = mask
    training.hold(model, masks)
    mean = model.get_layer("norm").moving_mean
    mean.assign(mean.numpy() * np.isin(range(6), KEPT))
    return model


def remaining(v):
    value = v.numpy()
    for axis, indices in ALONG.get(v.path, ()):
        value = np.delete(value, indices, axis)
    return value


def fit(model, epochs, **options):
    model.fit(X, Y, batch_size=4, epochs=epochs, verbose=0, shuffle=False, **options)


def removed(model):
    return shrink.remove_units(model, {"made": KEPT, "dense": [0, 2, 3, 4, 5, 6]})
