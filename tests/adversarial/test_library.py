"""What the library holds answers no exercise that asks to write it."""

import pytest

from course_lib.classroom.exercises import find
from course_lib.classroom.grade import grade_notebook
from course_lib.classroom.sandbox import Unconfined
from notebooks import cell, write

BORROWED = {
    "imported": "from course_lib.regularizers import soft_threshold",
    "read": "import course_lib\nexec(open(course_lib.__path__[0] + '/regularizers/proximal.py').read())",
    "imported by another": "from course_lib.training.proximal import soft_threshold",
}


@pytest.mark.parametrize("source", BORROWED.values(), ids=BORROWED)
def test_an_answer_borrowed_from_the_library_earns_nothing(tmp_path, source):
    path = write(tmp_path / "mine.ipynb", {"cells": [cell(source, "02-soft_threshold")]})
    assert grade_notebook(path, secret=b"of the test").score == 0
    without_sandbox = grade_notebook(path, secret=b"of the test", place=Unconfined())
    assert without_sandbox.score == find("02.soft_threshold").points
