"""Two files to look at when there are none yet: a dense network, and the same one pruned and in int8."""

from pathlib import Path

import keras

from course_lib import models, quiet, scores, training
from course_lib.data import fashion_mnist
from course_lib.deploy.convert import to_tflite
from course_lib.schedules import Polynomial

__all__ = ["example_files"]

EPOCHS, BATCH, SEED = 2, 128, 8


def example_files(folder) -> list[Path]:
    """LeNet-300-100 as ``dense_float32.tflite``, and with 90% of its weights zero as ``pruned_int8.tflite``.

    Files that are there already are taken as they are. Else two networks are trained, from the same start and on the
    same images for the same two epochs, with a line of progress each.

    Parameters
    ----------
    folder
        Where the files are kept; it is made if need be.

    Returns
    -------
    list of pathlib.Path
        The two files, the dense one first.
    """
    folder = Path(folder)
    dense, pruned = folder / "dense_float32.tflite", folder / "pruned_int8.tflite"
    if dense.is_file() and pruned.is_file():
        return [dense, pruned]
    quiet.tensorflow()
    folder.mkdir(parents=True, exist_ok=True)
    train = fashion_mnist().train
    steps = EPOCHS * -(-len(train.x) // BATCH)
    prune = training.Prune(scores.magnitude, Polynomial(final=0.9, begin=0, end=steps // 2))
    to_tflite(_trained(train, "dense"), dense)
    to_tflite(_trained(train, "pruned", prune), pruned, quantize="int8", calibration=train.x[:500])
    return [dense, pruned]


def _trained(train, label, *callbacks):
    keras.utils.set_random_seed(SEED)
    model = models.lenet_300_100()
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    callbacks = [*callbacks, training.Progress(label)]
    model.fit(*train, batch_size=BATCH, epochs=EPOCHS, verbose=0, callbacks=callbacks)
    return model
