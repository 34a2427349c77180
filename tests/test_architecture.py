import subprocess
import sys

import pytest


def run(*command):
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def test_each_floor_imports_only_from_the_floors_below():
    result = run("lint-imports", "--no-cache")
    assert result.returncode == 0, result.stdout + result.stderr


LIGHT = [
    "course_lib",
    "course_lib.data",
    "course_lib.models",
    "course_lib.schedules",
    "course_lib.masks",
    "course_lib.regularizers",
    "course_lib.report",
    "course_lib.classroom",
    "course_lib.classroom.cli",
    "course_lib.classroom.grade",
    "course_lib.classroom.worker",
]


@pytest.mark.parametrize("module", LIGHT)
def test_a_light_module_does_not_wait_for_tensorflow(module):
    heavy = "{name for name in ('tensorflow', 'keras', 'tf_keras', 'jupyterlab') if name in sys.modules}"
    result = run(sys.executable, "-c", f"import sys, {module}; print({heavy} or 'light')")
    assert result.stdout.strip() == "light", result.stdout + result.stderr
