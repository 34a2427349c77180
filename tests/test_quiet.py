import logging
import os
import subprocess
import sys

import pytest

from course_lib.quiet import silence


def test_only_what_is_printed_inside_is_dropped(capfd, monkeypatch):
    with open(1, "w", closefd=False) as buffered:  # as Python's own stream is when the output goes to a file
        monkeypatch.setattr(sys, "stdout", buffered)
        print("before", end=" ")
        with silence():
            os.write(1, b"secret")
            os.write(2, b"secret")
            sys.stdout.flush()
        print("after", end="")
    os.write(2, b"err")
    assert capfd.readouterr() == ("before after", "err")


def test_an_error_passes_and_the_streams_come_back(capfd):
    with pytest.raises(ZeroDivisionError), silence():
        os.write(2, b"secret")
        raise ZeroDivisionError
    os.write(2, b"err")
    assert capfd.readouterr() == ("", "err")


def test_warnings_of_loggers_are_dropped_and_the_level_comes_back(caplog):
    with silence():
        logging.getLogger("tensorflow").warning("secret")
    assert caplog.messages == []
    logging.getLogger("course").warning("shown")
    assert caplog.messages == ["shown"]


def test_tensorflow_starts_without_a_word():
    code = (
        "from course_lib import quiet; quiet.tensorflow(); import keras; print(float(keras.ops.sum(keras.ops.ones(3))))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert (result.stdout, result.stderr) == ("3.0\n", "")
