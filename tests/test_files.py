import os
import stat

import pytest

from course_lib.files import whole_file


def test_an_error_leaves_the_old_file_and_no_other(tmp_path):
    target = tmp_path / "file"
    target.write_text("old")
    with pytest.raises(ZeroDivisionError), whole_file(target, "w") as file:
        file.write("half of the ne")
        raise ZeroDivisionError
    assert target.read_text() == "old"
    assert os.listdir(tmp_path) == ["file"]


def test_the_file_is_an_ordinary_one(tmp_path):
    umask = os.umask(0o022)
    try:
        with whole_file(tmp_path / "file", "w", encoding="utf-8") as file:
            file.write("λ")
    finally:
        os.umask(umask)
    assert (tmp_path / "file").read_bytes() == "λ".encode()
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o644


def test_a_private_one_was_never_another(tmp_path, monkeypatch):
    modes = []
    replace = os.replace
    monkeypatch.setattr(os, "replace", lambda a, b: (modes.append(os.stat(a).st_mode), replace(a, b)))
    with whole_file(tmp_path / "file", "w", private=True) as file:
        modes.append(os.stat(file.name).st_mode)
    assert [stat.S_IMODE(mode) for mode in [*modes, (tmp_path / "file").stat().st_mode]] == [0o600] * 3


def test_a_missing_folder_and_a_folder_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no folder .*nowhere"), whole_file(tmp_path / "nowhere" / "file"):
        pass
    with pytest.raises(IsADirectoryError, match="which is a folder"), whole_file(tmp_path):
        pass


def test_a_folder_that_cannot_be_written_is_named(tmp_path, monkeypatch):
    def refused(**options):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("tempfile.mkstemp", refused)
    message = r"file', but nothing can be written in its folder \(Permission denied"
    with pytest.raises(PermissionError, match=message), whole_file(tmp_path / "file"):
        pass
