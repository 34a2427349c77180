"""What ``pip install .`` gives practitioners: the library, its data, and the command."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    shutil.copytree(ROOT / "course_lib", source / "course_lib", ignore=shutil.ignore_patterns("__pycache__"))
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--disable-pip-version-check"]
    subprocess.run([sys.executable, "-m", "pip", "wheel", *options, "--wheel-dir", target, source], check=True)
    (path,) = target.glob("*.whl")
    return zipfile.ZipFile(path)


def test_every_module_and_data_file_is_in_it(wheel):
    expected = {
        path.relative_to(ROOT).as_posix()
        for path in ROOT.glob("course_lib/**/*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert len(expected) > 50 and expected <= set(wheel.namelist())


def test_it_brings_the_command_and_the_licences(wheel):
    (commands,) = (name for name in wheel.namelist() if name.endswith("entry_points.txt"))
    assert "course = course_lib.classroom.cli:app" in wheel.read(commands).decode()
    assert sum(name.endswith("LICENSE") and "dist-info" in name for name in wheel.namelist()) == 3
