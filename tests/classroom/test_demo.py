"""``course demo``, as it is typed in a terminal; its page is tested in tests/deploy/browser."""

import json
import signal
import subprocess
import sys
from urllib.request import urlopen

import keras
import pytest
from typer.testing import CliRunner

from course_lib import deploy, models
from course_lib.classroom.cli import app

PROGRAM = "from course_lib.classroom.cli import app; app()"


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    keras.utils.set_random_seed(1)
    return deploy.to_tflite(models.lenet_300_100(width=0.1), tmp_path_factory.mktemp("odd") / "-a b'c%20.tflite")


def test_it_serves_until_ctrl_c(file, tmp_path):
    command = [sys.executable, "-c", PROGRAM, "demo", "--no-browser", "--images", "7", str(file), str(file)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, cwd=tmp_path, **pipes) as process:
        said = process.stdout.readline()
        address = said.removeprefix("The page is at ").removesuffix(" (Ctrl-C ends it)\n")
        assert address.startswith("http://127.0.0.1:"), said + process.stderr.read()
        assert b"<title>Your models in the browser</title>" in urlopen(address).read()
        assert len(urlopen(address + "images").read()) == 7 * 28 * 28
        assert [f["bytes"] for f in json.load(urlopen(address + "comparison.json"))["files"]] == 2 * [
            file.stat().st_size
        ]
        process.send_signal(signal.SIGINT)
        rest, errors = process.communicate(timeout=30)
    assert (process.returncode, rest, errors) == (0, "\nEnded.\n", "")


def test_the_browser_is_asked_for_the_page(file, monkeypatch):
    opened = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    monkeypatch.setattr("course_lib.deploy.browser.Server.serve_forever", lambda server: opened.append("serving"))
    result = CliRunner().invoke(app, ["demo", str(file)])
    assert result.exit_code == 0, result.output
    assert sorted(opened)[1] == "serving" and sorted(opened)[0] in result.output


def test_without_files_the_example_is_shown(file, tmp_path, monkeypatch):
    for folder in ("notebooks", "exercises", "runs/demo"):
        (tmp_path / folder).mkdir(parents=True)
    for name in ("dense_float32.tflite", "pruned_int8.tflite"):
        (tmp_path / "runs" / "demo" / name).write_bytes(file.read_bytes())
    served = []
    monkeypatch.setattr("course_lib.deploy.browser.Server.serve_forever", lambda server: served.append(server))
    monkeypatch.chdir(tmp_path / "notebooks")
    assert CliRunner().invoke(app, ["demo", "--no-browser"]).exit_code == 0
    names = [each["name"] for each in json.loads(served[0].resources["/comparison.json"].content)["files"]]
    assert names == ["dense_float32.tflite", "pruned_int8.tflite"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nothing.tflite"], "there is no such file"),
        (["torn.tflite"], "is not a TensorFlow Lite file or is damaged"),
        (["torn.tflite"] * 3, "give one or two .tflite files"),
        ([], "is not inside the course"),
    ],
    ids=["missing", "damaged", "three", "none, elsewhere"],
)
def test_what_cannot_be_shown_is_one_line(file, tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "torn.tflite").write_bytes(file.read_bytes()[:-2000])
    result = CliRunner().invoke(app, ["demo", "--no-browser", *arguments])
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr and result.stderr.count("\n") == 1 and result.stderr.startswith("course: ")
