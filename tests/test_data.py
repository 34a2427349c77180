import gzip
import shutil
import struct

import numpy as np
import pytest

from course_lib import data


@pytest.fixture(scope="module")
def fashion():
    return data.fashion_mnist()


@pytest.fixture
def folder(tmp_path):
    return shutil.copytree(data.FOLDER, tmp_path / "copy")


def test_the_shapes_types_and_range_are_the_promised_ones(fashion):
    for split, n in zip(fashion, (55_000, 5_000, 10_000), strict=True):
        assert split.x.shape == (n, 28, 28, 1) and split.x.dtype == np.float32
        assert split.y.shape == (n,) and split.y.dtype == np.int32
        assert split.x.min() == 0.0 and split.x.max() == 1.0


def test_the_pixels_are_those_of_the_file_read_by_hand(fashion):
    with gzip.open(data.FOLDER / "train-images-idx3-ubyte.gz") as file:
        assert struct.unpack(">4I", file.read(16)) == (2051, 60_000, 28, 28)
        file.seek(16 + 59_999 * 784)
        last = np.frombuffer(file.read(784), np.uint8).reshape(28, 28)
    np.testing.assert_array_equal(np.round(fashion.validation.x[-1, :, :, 0] * 255), last)


def test_every_class_has_its_share_in_every_split(fashion):
    together = np.concatenate([fashion.train.y, fashion.validation.y])
    assert np.bincount(together).tolist() == [6_000] * 10  # as published
    assert np.bincount(fashion.test.y).tolist() == [1_000] * 10
    assert np.bincount(fashion.validation.y).min() > 400


@pytest.mark.parametrize("name", ["train-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz", "SHA256SUMS"])
def test_a_missing_file_is_named_with_the_remedy(folder, name):
    (folder / name).unlink()
    with pytest.raises(FileNotFoundError, match=f"{name} is missing.*install the package again"):
        data.fashion_mnist(folder)


def test_one_flipped_bit_is_found(folder):
    path = folder / "t10k-labels-idx1-ubyte.gz"
    content = bytearray(path.read_bytes())
    content[2000] ^= 1
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"t10k-labels-idx1-ubyte\.gz is damaged.*install the package again"):
        data.fashion_mnist(folder)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"not gzip", "not a gzipped IDX file"),
        (gzip.compress(b"\0\0\x08\x03\0\0"), "not a gzipped IDX file"),
        (gzip.compress(b"\0\0\x08\x01\0\0\0\x09abc"), "not a gzipped IDX file"),
        (gzip.compress(b"\0\0\x0d\x01\0\0\0\x04abcd"), "IDX type 0x0d"),
    ],
)
def test_a_file_with_the_right_checksum_can_still_be_refused(tmp_path, content, message):
    import hashlib

    path = tmp_path / "labels.gz"
    path.write_bytes(content)
    (tmp_path / "SHA256SUMS").write_text(f"{hashlib.sha256(content).hexdigest()}  labels.gz\n")
    with pytest.raises(ValueError, match=message):
        data.idx.read_idx(path)


def test_load_gives_a_keras_data_set_the_same_form(monkeypatch, tmp_path):
    import keras

    rng = np.random.default_rng(0)
    pixels, labels = rng.integers(0, 256, (6_000, 32, 32, 3), np.uint8), rng.integers(0, 10, (6_000, 1), np.uint8)
    monkeypatch.setattr(keras.datasets.cifar10, "load_data", lambda: ((pixels, labels), (pixels[:9], labels[:9])))
    train, validation, test = data.load("cifar10")
    assert train.x.shape == (1_000, 32, 32, 3) and validation.y.shape == (5_000,) and test.y.dtype == np.int32
    np.testing.assert_array_equal(validation.x[-1], pixels[-1].astype("float32") * np.float32(1 / 255))


def test_load_says_what_to_do_without_a_network(monkeypatch):
    import keras

    def offline():
        raise Exception("URL fetch failure")

    monkeypatch.setattr(keras.datasets.mnist, "load_data", offline)
    with pytest.raises(ConnectionError, match=r"'mnist'.*URL fetch failure.*fashion_mnist\(\)"):
        data.load("mnist")


def test_load_refuses_an_unknown_name():
    with pytest.raises(ValueError, match="name is 'imagenet'; choose one of fashion_mnist, mnist"):
        data.load("imagenet")
