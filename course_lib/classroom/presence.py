"""Is a person at work in this kernel, and in which copy of the course?

A notebook that somebody opened is told from one that a program executes, such as nbval or ``course build``.
"""

import os
import sys
from pathlib import Path

from course_lib.classroom.course import Course

__all__ = ["JUPYTER", "NBGRADER", "attended", "course_at_work"]

NBGRADER = "NBGRADER_EXECUTION"  # in the environment of a notebook that nbgrader validates or grades
PYTEST = "PYTEST_CURRENT_TEST"  # and in that of every kernel that a test starts
JUPYTER = "JPY_SESSION_NAME"  # jupyter_server: the notebook that the kernel was opened for
VS_CODE = "__vsc_ipynb_file__"  # the same in VS Code, as a variable among the learner's own


def attended() -> bool:
    """No program for tests or grades is at work."""
    return NBGRADER not in os.environ and PYTEST not in os.environ


def course_at_work() -> Course | None:
    """The course in whose lessons or exercises somebody is working in this kernel; None where nobody is.

    Running ``solutions/`` is reading, not working.
    """
    notebook = _open_notebook()
    if notebook is None or not attended():
        return None
    try:
        course = Course.around(notebook.parent)
    except FileNotFoundError:
        return None
    return None if notebook.parent == course.root / "solutions" else course


def _open_notebook() -> Path | None:
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    if not hasattr(shell, "kernel"):
        return None
    named = os.environ.get(JUPYTER) or shell.user_ns.get(VS_CODE)
    return Path(named).resolve() if named else None
