import subprocess
import sys

import pytest

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
    code = f"import sys, {module}; print({heavy} or 'light')"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert result.stdout.strip() == "light", result.stdout + result.stderr
