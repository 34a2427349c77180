"""Data sets, cut once into train, validation and test.

Fashion-MNIST travels with the package as the four official IDX files, so a lesson needs no network:
70,000 grey pictures of clothing, 28 × 28 pixels, ten classes.

Source: Xiao, Rasul, Vollgraf, "Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine Learning
Algorithms", arXiv:1708.07747 (2017). MIT licence, in ``fashion_mnist/LICENSE``.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from course_lib.data.idx import read_idx

__all__ = ["FASHION_MNIST_CLASSES", "Dataset", "Split", "fashion_mnist", "load"]

FASHION_MNIST_CLASSES = (
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
)  # fmt: skip
VALIDATION = 5_000  # the last images of the official training files
FOLDER = Path(__file__).parent / "fashion_mnist"
KERAS_DATASETS = ("mnist", "cifar10", "cifar100")


class Split(NamedTuple):
    """Images ``x``, float32 (n, height, width, channels) in [0, 1], and their classes ``y``, int32 (n,)."""

    x: np.ndarray
    y: np.ndarray


class Dataset(NamedTuple):
    """Fit on ``train``, choose on ``validation``, read ``test`` once, at the end."""

    train: Split
    validation: Split
    test: Split


def fashion_mnist(folder: str | Path = FOLDER) -> Dataset:
    """Fashion-MNIST: 55,000 train, 5,000 validation and 10,000 test images of shape (28, 28, 1).

    Parameters
    ----------
    folder
        Where the four IDX files lie; by default the ones that came with the package.

    Raises
    ------
    FileNotFoundError, ValueError
        A file is missing or is not, byte for byte, the official one. The message names the file and the remedy.

    Examples
    --------
    >>> train, validation, test = fashion_mnist()
    >>> train.x.shape, validation.x.shape, test.x.shape
    ((55000, 28, 28, 1), (5000, 28, 28, 1), (10000, 28, 28, 1))
    >>> FASHION_MNIST_CLASSES[train.y[0]]
    'Ankle boot'
    """
    pictures, labels, test_pictures, test_labels = (
        read_idx(Path(folder) / name)
        for name in (
            "train-images-idx3-ubyte.gz",
            "train-labels-idx1-ubyte.gz",
            "t10k-images-idx3-ubyte.gz",
            "t10k-labels-idx1-ubyte.gz",
        )
    )
    return _dataset(pictures, labels, test_pictures, test_labels)


def load(name: str) -> Dataset:
    """The data set of that name in ``keras.datasets``, in the same form as :func:`fashion_mnist`.

    ``"fashion_mnist"`` is the one that came with the package; ``"mnist"``, ``"cifar10"`` and ``"cifar100"`` are
    opened from Keras's cache, or downloaded by Keras where the network allows.

    Raises
    ------
    ValueError
        ``name`` is not one of these.
    ConnectionError
        The data set is neither cached nor can it be downloaded; the message says where to put the file.

    Examples
    --------
    >>> load("fashion_mnist").test.y.dtype
    dtype('int32')
    """
    if name == "fashion_mnist":
        return fashion_mnist()
    if name not in KERAS_DATASETS:
        raise ValueError(f"name is {name!r}; choose one of {', '.join(('fashion_mnist', *KERAS_DATASETS))}.")
    import keras

    try:
        (pictures, labels), (test_pictures, test_labels) = getattr(keras.datasets, name).load_data()
    except Exception as error:  # Keras raises a bare Exception when a download fails
        cache = (
            Path(keras.config.keras_home()) / "datasets" if hasattr(keras.config, "keras_home") else "~/.keras/datasets"
        )
        raise ConnectionError(
            f"The data set {name!r} is not in {cache} and could not be downloaded ({error}). "
            f"Copy Keras's own file there, or use data.fashion_mnist(), which needs no network."
        ) from error
    return _dataset(pictures, labels, test_pictures, test_labels)


def _dataset(pictures, labels, test_pictures, test_labels) -> Dataset:
    x, y = _as_float(pictures), labels.reshape(-1).astype("int32")
    return Dataset(
        train=Split(x[:-VALIDATION], y[:-VALIDATION]),
        validation=Split(x[-VALIDATION:], y[-VALIDATION:]),
        test=Split(_as_float(test_pictures), test_labels.reshape(-1).astype("int32")),
    )


def _as_float(pictures):  # uint8 (n, h, w) or (n, h, w, c) -> float32 (n, h, w, c)
    x = np.multiply(pictures, np.float32(1 / 255), dtype="float32")
    return x if x.ndim == 4 else x[..., np.newaxis]
