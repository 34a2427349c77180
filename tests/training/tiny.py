"""A small net, some steps of training, and what was seen meanwhile."""

import keras
import numpy as np

from course_lib import models
from course_lib.masks import Masks

N, BATCH = 80, 8  # ten steps an epoch


def compiled(optimizer="adam", **options):
    model = models.lenet_300_100(width=0.1)
    model.compile(optimizer, "sparse_categorical_crossentropy", **options)
    return model


def fit(model, *callbacks, epochs=1):
    rng = np.random.default_rng(0)
    x, y = rng.random((N, 28, 28, 1), "float32"), rng.integers(0, 10, N)
    model.fit(x, y, batch_size=BATCH, epochs=epochs, verbose=0, callbacks=list(callbacks))


class Sparsities(keras.callbacks.Callback):
    """The zeros in the model after each step: what training really saw."""

    def on_train_begin(self, logs=None):
        self.seen = []

    def on_train_batch_end(self, batch, logs=None):
        self.seen.append(round(Masks.of_zeros(self.model).sparsity, 2))
