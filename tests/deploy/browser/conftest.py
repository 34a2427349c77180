"""Two files, and the page that compares them, once for all tests of this folder."""

from types import SimpleNamespace

import keras
import pytest
from browsers import chromium
from pages import IMAGES, served, visit

from course_lib import data, deploy, models


def trained(model):
    model.compile("adam", "sparse_categorical_crossentropy")
    train = data.fashion_mnist().train
    model.fit(train.x[:8000], train.y[:8000], epochs=1, batch_size=64, verbose=0)
    return model


@pytest.fixture(scope="session")
def compared(tmp_path_factory):
    """A dense float32 file, a narrow int8 one that often disagrees, and the classes they give in Python."""
    folder, (train, _, test) = tmp_path_factory.mktemp("files"), data.fashion_mnist()
    keras.utils.set_random_seed(4)
    wide, narrow = (trained(models.lenet_300_100(width=width)) for width in (1, 0.1))
    files = [
        deploy.to_tflite(wide, folder / "dense <i>&amp; 'ü' 100% #1.tflite"),
        deploy.to_tflite(narrow, folder / "narrow.tflite", quantize="int8", calibration=train.x[:300]),
    ]
    x, y = test.x[:IMAGES], test.y[:IMAGES]
    return SimpleNamespace(files=files, x=x, y=y, classes=[deploy.predict(f, x).argmax(axis=1) for f in files])


@pytest.fixture(scope="module")
def browser():
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def page(browser, compared):
    """The two files compared, on a page that no other test leaves."""
    with served(compared.files) as server:
        yield visit(browser, server.address)
