"""A file to hand in that is small, right and fast at once."""

import tempfile
from functools import cache
from pathlib import Path

from course_lib.classroom import Artefact, Exercise, Goal

EPOCH = {"batch_size": 128, "verbose": 0, "epochs": 1}


def converted(model, quantize="int8"):
    from course_lib import data, deploy

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ship_it.tflite"
        calibration = data.fashion_mnist().train.x[:500] if quantize == "int8" else None
        return deploy.to_tflite(model, path, quantize=quantize, calibration=calibration).read_bytes()


@cache
def trained(keep=0.5, sparsity=0.8):
    """LeNet-300-100 with a share of its units, then with a share of its weights zero."""
    import keras

    from course_lib import data, models, scores, shrink, training
    from course_lib.schedules import Polynomial

    fashion = data.fashion_mnist()
    keras.utils.set_random_seed(8)
    model = models.lenet_300_100()
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(*fashion.train, **EPOCH)
    if keep < 1:
        model = shrink.remove_units(model, shrink.keep_highest(model, scores.unit_norm(model), keep))
        model.fit(*fashion.train, **EPOCH)
    if sparsity > 0:
        prune = training.Prune(scores.magnitude, Polynomial(final=sparsity, begin=0, end=300))
        model.fit(*fashion.train, **EPOCH, callbacks=[prune])
    return model


def two_classes_exchanged():
    import keras

    model = keras.models.clone_model(trained())
    weights = trained().get_weights()
    for array in weights[-2:]:
        array[..., [0, 1]] = array[..., [1, 0]]
    model.set_weights(weights)
    return converted(model)


def enlarged_and_reduced_again():
    """The same answers from the same weights, after work on 50,000 pixels that changes nothing."""
    import keras

    small = trained()
    image = keras.Input((28, 28, 1))
    same = keras.layers.AveragePooling2D(8)(keras.layers.UpSampling2D(8)(image))
    return converted(keras.Model(image, small(same)))


EXERCISE = Exercise(
    id="08.ship_it",
    title="Ship it",
    points=4,
    minutes=25,
    difficulty=3,
    reference=lambda: converted(trained()),
    also_right=[lambda: converted(trained(keep=0.4, sparsity=0.7))],
    hints=[
        "Units removed make the file smaller and faster, zeros only its gzip. In which order do the steps spare each "
        "other work: removing units, training with Prune, int8?",
        "shrink.remove_units with shrink.keep_highest(model, scores.unit_norm(model), 0.5), one epoch; one epoch with "
        "training.Prune to 0.8; then deploy.to_tflite(..., quantize='int8', calibration=fashion.train.x[:500]).",
    ],
    artefact=Artefact(
        file="ship_it.tflite",
        floor=0.5,
        beside="lenet_300_100",
        goals=[
            Goal(
                says="at most 150,000 bytes",
                measure="bytes",
                at_most=150_000,
                otherwise="A weight in int8 takes one byte, zero or not, so fewer bytes need fewer weights: remove "
                "units, then quantize to int8.",
                missed_by=lambda: converted(trained(keep=1, sparsity=0.92)),
            ),
            Goal(
                says="at most 60,000 bytes after gzip",
                measure="gzip",
                at_most=60_000,
                otherwise="gzip finds zeros and little else. Prune what is left of the weights while you fine-tune.",
                missed_by=lambda: converted(trained(sparsity=0)),
            ),
            Goal(
                says="at least 84% of the images right",
                measure="accuracy",
                at_least=0.84,
                otherwise="Each step costs accuracy, and fine-tuning wins it back: an epoch after the units go, and "
                "weights pruned bit by bit while it trains. Calibrate with images scaled as those of the test.",
                missed_by=two_classes_exchanged,
            ),
            Goal(
                says="at most 0.3 of the time of LeNet-300-100 in float32",
                measure="time",
                at_most=0.3,
                otherwise="Zeros are multiplied like any other number. Time falls with the units removed and with int8.",
                missed_by=enlarged_and_reduced_again,
            ),
        ],
    ),
)
