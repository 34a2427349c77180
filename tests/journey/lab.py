"""``course lab`` in a copy of the course, and the commands that a learner types beside it."""

import json
import os
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import psutil

ROOT = Path(__file__).parents[2]
COURSE = [sys.executable, "-c", "from course_lib.classroom.cli import app; app()"]


def copy_of_the_course(folder):
    """What a learner has: lessons and exercises, nothing done yet."""
    for name in ("notebooks", "exercises"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns(".*", "*.tflite"))
    return folder


def course(folder, *arguments):
    """What a command prints."""
    command = [*COURSE, *arguments]
    return subprocess.run(command, cwd=folder, env=at_home(folder), capture_output=True, text=True, check=True).stdout


def at_home(folder):
    """The environment of somebody who works in the folder, for whom this is the first day with Jupyter."""
    own = {f"JUPYTER_{name}_DIR": str(folder / ".jupyter" / name) for name in ("CONFIG", "DATA", "RUNTIME")}
    env = os.environ | own | {"IPYTHONDIR": str(folder / ".ipython"), "COLUMNS": "120", "PYTHONPATH": str(ROOT)}
    env.pop("PYTEST_CURRENT_TEST", None)
    return env


@contextmanager
def lab(folder, *options):
    """The running server: ``address`` of its start page, ``token``, ``base``. Ended with every process it started."""
    command = [*COURSE, "lab", "--", "--no-browser", "--port=0", *options]
    with open(folder / "lab.log", "wb") as log:
        process = psutil.Popen(command, cwd=folder, env=at_home(folder), stdout=log, stderr=log)
        try:
            about = _about(folder, process)
            base = f"http://127.0.0.1:{about['port']}{about['base_url']}"
            yield SimpleNamespace(base=base, token=about["token"], address=f"{base}course?token={about['token']}")
        finally:
            family = [*process.children(recursive=True), process]
            process.terminate()  # the server then ends its kernels
            _gone, left = psutil.wait_procs(family, timeout=30)
            for each in left:
                each.kill()
            psutil.wait_procs(left)
            assert left == []


def _about(folder, process):
    """What the server writes down about itself as soon as it answers."""
    deadline = time.monotonic() + 90
    file = folder / ".jupyter" / "RUNTIME" / f"jpserver-{process.pid}.json"
    while not file.is_file():
        assert process.is_running() and time.monotonic() < deadline, (folder / "lab.log").read_text()
        time.sleep(0.1)
    return json.loads(file.read_text())
