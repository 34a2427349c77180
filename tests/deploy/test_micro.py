import re

import keras
import numpy as np
import pytest

from course_lib import data, deploy, models
from course_lib.deploy import micro as function

module = __import__("importlib").import_module("course_lib.deploy.micro")


@pytest.fixture(scope="module")
def images():
    return data.fashion_mnist().validation.x[:60]


@pytest.fixture(scope="module")
def cnn(images, tmp_path_factory):
    keras.utils.set_random_seed(0)
    file = tmp_path_factory.mktemp("micro") / "cnn.tflite"
    return deploy.to_tflite(models.small_cnn(), file, quantize="int8", calibration=images)


def test_a_microcontrollers_interpreter_gives_the_answers_of_litert(cnn, images):
    result, here = function(cnn, images), deploy.predict(cnn, images)
    assert result.outputs.shape == here.shape and result.outputs.dtype == np.float32
    assert np.abs(result.outputs - here).max() <= 2 / 256  # kernels may round a step apart
    assert np.mean(result.outputs.argmax(axis=1) == here.argmax(axis=1)) > 0.9  # of an untrained net
    assert result.outputs.std(axis=0).max() > 0.001


def test_flash_is_the_file_and_the_arena_holds_at_least_the_largest_layers(cnn, images):
    result = function(cnn, images[:1])
    assert result.flash == cnn.stat().st_size
    assert 14 * 14 * 16 + 7 * 7 * 32 < result.arena < 50_000  # input and output of the second convolution, in bytes


def test_a_file_that_micro_cannot_run_is_refused_and_this_process_lives(images, tmp_path):
    file = deploy.to_tflite(models.small_cnn(), tmp_path / "dynamic.tflite", quantize="dynamic")
    with pytest.raises(ValueError, match=r"TensorFlow Lite Micro cannot run .*dynamic\.tflite"):
        function(file, images)


def test_without_the_extra_it_says_how_to_get_it(cnn, images, monkeypatch):
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    with pytest.raises(ModuleNotFoundError, match=r'pip install "course-lib\[micro\]"'):
        function(cnn, images)


def test_files_of_several_inputs_and_wrong_arrays_are_refused(cnn, images, tmp_path):
    x, y = keras.Input((3,)), keras.Input((3,))
    two = deploy.to_tflite(keras.Model([x, y], keras.layers.Add()([x, y])), tmp_path / "two.tflite")
    with pytest.raises(ValueError, match="2 inputs and 1 outputs"):
        function(two, images)
    with pytest.raises(ValueError, match="x has shape"):
        function(cnn, images[:, :5])
    with pytest.raises(FileNotFoundError):
        function(tmp_path / "nothing.tflite", images)


def test_the_header_holds_the_file_byte_for_byte(cnn, tmp_path):
    text = deploy.c_array(cnn, tmp_path / "my-net 2.h").read_text()
    name, body = re.search(r"alignas\(16\) const unsigned char (\w+)\[\] = \{(.*?)\};", text, re.DOTALL).groups()
    assert name == "my_net_2"
    assert bytes(int(byte, 16) for byte in re.findall(r"0x([0-9a-f]{2}),", body)) == cnn.read_bytes()
    assert f"const unsigned int my_net_2_len = {cnn.stat().st_size};" in text


def test_a_name_in_c_does_not_begin_with_a_digit(cnn, tmp_path):
    assert "unsigned char _8bit[]" in deploy.c_array(cnn, tmp_path / "8bit.h").read_text()


def test_a_damaged_file_makes_no_header(tmp_path):
    (tmp_path / "bad.tflite").write_bytes(b"nothing")
    with pytest.raises(ValueError, match="is not a TensorFlow Lite file"):
        deploy.c_array(tmp_path / "bad.tflite", tmp_path / "bad.h")
    assert not (tmp_path / "bad.h").exists()
