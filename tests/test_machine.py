import platform
from pathlib import Path

from course_lib.machine import processor


def test_the_processor_is_named_as_linux_names_it(monkeypatch):
    file = "processor\t: 0\nvendor_id\t: A\nmodel name\t: A Fast One @ 3.00GHz\n\nmodel name\t: A Fast One @ 3.00GHz\n"
    monkeypatch.setattr(Path, "exists", lambda path: True)
    monkeypatch.setattr(Path, "read_text", lambda path, encoding: file)
    assert processor() == "A Fast One @ 3.00GHz"


def test_elsewhere_python_says_what_it_knows(monkeypatch):
    monkeypatch.setattr(Path, "exists", lambda path: False)
    monkeypatch.setattr(platform, "processor", lambda: "")
    monkeypatch.setattr(platform, "machine", lambda: "arm64")
    assert processor() == "arm64"
