import os
import subprocess
import sys

import pytest

from course_lib.quiet import captured


def test_what_is_printed_inside_is_caught_and_what_follows_is_not(capfd):
    with captured() as printed:
        print("python", flush=True)
        os.write(1, b"one\n")
        os.system("echo child >&2")
        assert printed() == "python\none\nchild\n"
    print("after")
    assert capfd.readouterr() == ("after\n", "")


def test_the_streams_come_back_after_an_error(capfd):
    with pytest.raises(ZeroDivisionError), captured():
        raise ZeroDivisionError
    os.write(2, b"heard\n")
    assert capfd.readouterr().err == "heard\n"


def test_tensorflow_starts_without_a_word():
    code = (
        "from course_lib import quiet; quiet.tensorflow(); import keras; print(float(keras.ops.sum(keras.ops.ones(3))))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert (result.stdout, result.stderr) == ("3.0\n", "")
