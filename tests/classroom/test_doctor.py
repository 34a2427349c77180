"""Each check of ``course doctor`` is made to fail for real: by packages, folders and programs, not by its verdict."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from course_lib import data
from course_lib.classroom import cli, doctor
from course_lib.classroom.doctor import machine, programs


def fails(check, *arguments):
    """What the check says that is wrong."""
    with pytest.raises((OSError, RuntimeError, ValueError)) as raised:
        check(*arguments)
    return str(raised.value)


@pytest.fixture
def install(tmp_path, monkeypatch):
    """``install("numpy", "1.0", "Requires-Dist: x")``: what importlib.metadata finds first."""
    monkeypatch.syspath_prepend(tmp_path / "site")

    def install(name, version, *headers):
        folder = tmp_path / "site" / f"{name}-{version}.dist-info"
        folder.mkdir(parents=True)
        (folder / "METADATA").write_text("\n".join([f"Name: {name}", f"Version: {version}", *headers, ""]))

    return install


@pytest.fixture
def python_that(tmp_path, monkeypatch):
    """``python_that("kill -ILL $$")``: the program that the checks start in place of Python."""

    def python_that(does):
        script = tmp_path / "python"
        script.write_text(f"#!/bin/sh\n{does}\n")
        script.chmod(0o755)
        monkeypatch.setattr(sys, "executable", str(script))

    return python_that


def test_here_everything_works_and_tensorflow_is_not_imported_by_the_doctor_itself():
    program = (
        "import sys\nfrom course_lib.classroom.cli import app\ntry: app(['doctor'])\n"
        "finally: print(sorted({'tensorflow', 'keras', 'jupyterlab', 'ai_edge_litert'} & set(sys.modules)))"
    )
    *lines, ready, imported = subprocess.check_output([sys.executable, "-c", program], text=True).splitlines()
    assert (ready, imported) == ("Ready: all that the lessons need works.", "[]")
    found = dict(line.removeprefix("✔ ").split(": ", 1) for line in lines)
    assert list(found) == [
        "Python", "Packages", "Locked versions", "Memory", "Cores", "Disk", "Fashion-MNIST", "TensorFlow", "LiteRT",
        "Jupyter", "Sandbox",
    ]  # fmt: skip
    assert found["Python"] == ".".join(map(str, sys.version_info[:3]))


def test_a_python_out_of_the_range(install):
    install("course_lib", "9", "Requires-Python: >=3.99,<4")
    said = fails(doctor.python)
    assert "is not >=3.99,<4" in said and "make PYTHON=" in said


def test_packages_that_are_missing_or_out_of_their_range_with_the_command_that_installs_them(install):
    requires = ["numpy>=2", "nothing-of-this-name>=1", "rich>=13", "surely-not; extra == 'site'"]
    install("course_lib", "9", *(f"Requires-Dist: {each}" for each in requires))
    install("numpy", "1.0")
    said = fails(doctor.packages)
    assert said.startswith("numpy is 1.0, not >=2, nothing-of-this-name is missing. Run: ")
    assert said.endswith("-m pip install 'numpy>=2' 'nothing-of-this-name>=1'")


def test_the_toolkit_of_chapter_05_is_needed(install):
    install("course_lib", "9", "Requires-Dist: no-toolkit; extra == 'toolkit'")
    assert "no-toolkit is missing" in fails(doctor.packages)


def test_versions_that_are_not_the_locked_ones_are_named(tmp_path, install):
    lock = tmp_path / "requirements.lock"
    pins = ["one==1", "two==2", "three==3", "four==4", "five==5", "colorama==0.1 ; sys_platform == 'never'"]
    lock.write_text("\n".join(pins) + "\n")
    install("one", "1")
    install("two", "2.1")
    said = fails(doctor.locked, lock)
    assert said.startswith("4 differ from requirements.lock: two is 2.1, not 2, three is missing, four is missing")
    assert said.endswith(f"-m pip install --requirement {lock}")


def test_a_copy_without_a_lock_says_so(tmp_path):
    assert fails(doctor.locked, tmp_path / "requirements.lock") == "there is no requirements.lock here to compare with"


@pytest.mark.parametrize(("most", "enough"), [("1500000000", False), ("2900000000", False), ("max", True)])
def test_the_memory_of_a_container_is_its_limit_less_what_it_holds(tmp_path, monkeypatch, most, enough):
    monkeypatch.setattr(machine, "CONTROL_GROUP", tmp_path)
    monkeypatch.setattr(machine, "MEMORY", 2e9 if not enough else 1)
    (tmp_path / "memory.max").write_text(f"{most}\n")
    (tmp_path / "memory.stat").write_text("anon 1000000000\nfile 600000000\n")
    if enough:
        assert doctor.memory().endswith(" GB free")
    else:
        assert fails(doctor.memory).startswith(f"{(int(most) - 1e9) / 1e9:.1f} GB free, and the lessons need 2 GB.")


def test_a_full_disk_and_a_folder_that_cannot_be_written(tmp_path, monkeypatch):
    assert f"nothing can be written in {os.sep}proc" in fails(doctor.disk, Path("/proc"))
    monkeypatch.setattr(machine, "DISK", 1e18)
    assert "and the lessons write up to" in fails(doctor.disk, tmp_path)


def test_one_flipped_bit_in_the_data_is_found(tmp_path, monkeypatch):
    folder = shutil.copytree(data.FOLDER, tmp_path / "data")
    monkeypatch.setattr(data, "FOLDER", folder)
    assert doctor.fashion_mnist() == "4 files, each with its SHA-256"
    labels = folder / "t10k-labels-idx1-ubyte.gz"
    content = bytearray(labels.read_bytes())
    content[len(content) // 2] ^= 1
    labels.write_bytes(content)
    said = fails(doctor.fashion_mnist)
    assert "t10k-labels-idx1-ubyte.gz is damaged" in said and "git checkout" in said
    labels.unlink()
    assert "t10k-labels-idx1-ubyte.gz is missing" in fails(doctor.fashion_mnist)


@pytest.mark.parametrize("check", [doctor.tensorflow, doctor.litert, doctor.jupyter], ids=lambda check: check.__name__)
@pytest.mark.parametrize(
    ("does", "says"),
    [
        ("kill -ILL $$", "an illegal instruction: it is built for processors with AVX"),
        ("kill -KILL $$", "want of memory"),
        ("kill -SEGV $$", "ended by SIGSEGV. Install it again: "),
        ("echo 'no libstdc++.' >&2; exit 1", "no libstdc++. Install it again: "),
        ("exec sleep 60", "did not answer within 0.5 s"),
    ],
)
def test_a_program_that_crashes_fails_or_hangs_is_one_line(python_that, monkeypatch, check, does, says):
    monkeypatch.setattr(programs, "SECONDS", 0.5 if "sleep" in does else 60)
    python_that(does)
    assert says in fails(check)


def test_a_tensorflow_that_cannot_be_imported_says_why(tmp_path, monkeypatch):
    (tmp_path / "tensorflow.py").write_text("raise ImportError('libcudart.so.99: cannot open shared object file')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert "ImportError: libcudart.so.99: cannot open shared object file. Install" in fails(doctor.tensorflow)


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        (["false"], "Kernel died before replying"),
        (
            [sys.executable, "-c", "import sys; sys.prefix = '/another'; from ipykernel.kernelapp import main; main()"],
            "the kernel is of /another",
        ),
    ],
)
def test_a_kernel_that_does_not_start_or_is_of_another_python(tmp_path, monkeypatch, argv, says):
    folder = tmp_path / "kernels" / "python3"
    folder.mkdir(parents=True)
    kernel = {"argv": [*argv, "-f", "{connection_file}"], "display_name": "Python 3", "language": "python"}
    (folder / "kernel.json").write_text(json.dumps(kernel))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    assert says in fails(doctor.jupyter)


def test_without_a_sandbox_the_instructor_is_told_what_to_install(monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    said = fails(doctor.sandbox)
    assert said.startswith("for instructors only. bubblewrap is not installed. On Debian and Ubuntu: apt-get install")
    assert "\n" not in said and "--unsafe" not in said


def test_learners_are_ready_without_a_lock_and_without_a_sandbox(python_that, tmp_path, monkeypatch):
    python_that("echo 1.2.3")
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(cli.app, ["doctor"])
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert "– Locked versions: there is no requirements.lock here to compare with" in lines
    assert "✔ TensorFlow: 1.2.3" in lines and lines[-2].startswith("– Sandbox: ")
    assert lines[-1] == "Ready: all that the lessons need works."


def test_the_command_fails_with_all_that_is_needed_and_goes_on_after_what_nobody_thought_of(python_that, monkeypatch):
    python_that("kill -ILL $$")
    monkeypatch.setattr(machine.psutil, "virtual_memory", lambda: {}["available"])
    result = CliRunner().invoke(cli.app, ["doctor"])
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    assert "✘ Memory: 'available'" in lines
    assert [line[0] for line in lines if line.startswith(("✘ TensorFlow", "✘ LiteRT", "✘ Jupyter"))] == ["✘"] * 3
    assert lines[-1] == "Not yet ready: Memory, TensorFlow, LiteRT, Jupyter."
