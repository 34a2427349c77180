"""The cells of a submission share a worker, and one that ends it costs the others nothing."""

import time

import numpy as np
import pytest

from course_lib.classroom import exercises
from course_lib.classroom.session import Session

ENDS_LATER = "import os, threading\ndef kept(w):\n    threading.Timer(0.2, os._exit, (0,)).start()\n    return w > 0"
PENALTY = "def penalty(w):\n    return np.abs(w).sum()"


@pytest.fixture
def ask(bank):
    opened = []

    def started(answers, seconds=30.0, call_seconds=1.0):
        session = Session("import numpy as np", answers, call_seconds, seconds)
        opened.append(session)
        return lambda id: session.ask(exercises.find(id), (np.array([1.0, -2.0]),))

    yield started
    for session in opened:
        session.__exit__(None, None, None)


def test_a_process_that_ends_between_two_questions_costs_the_second_nothing(ask):
    asked = ask({"91.kept": ENDS_LATER, "91.penalty": PENALTY})
    assert asked("91.kept").value.tolist() == [True, False]
    time.sleep(0.5)
    assert asked("91.penalty").value == 3


def test_an_answer_that_ends_every_process_is_asked_no_more_than_twice(ask, tmp_path):
    log = tmp_path / "calls"
    source = f"import os\ndef kept(w):\n    open({str(log)!r}, 'a').write('x')\n    os._exit(0)"
    assert ask({"91.kept": source})("91.kept").status == "died"
    assert log.read_text() == "xx"


def test_a_later_cell_uses_what_an_earlier_one_defines_and_the_last_definition_counts(ask):
    answers = {
        "91.kept": "def positive(w): return w > 0\ndef kept(w): return positive(w)",
        "91.penalty": "def penalty(w): return positive(w).sum()\ndef positive(w): return -w > 0",
    }
    asked = ask(answers)
    assert asked("91.penalty").value == 1
    assert asked("91.kept").value.tolist() == [False, True]


def test_no_time_left_is_a_timeout(ask):
    assert ask({"91.penalty": PENALTY}, seconds=0.0)("91.penalty").status == "timeout"


def test_a_cell_that_hangs_is_run_once_only(ask, tmp_path):
    log = tmp_path / "runs"
    asked = ask({"91.kept": f"open({str(log)!r}, 'a').write('x')\nwhile True: pass", "91.penalty": PENALTY}, 30.0, 0.3)
    assert asked("91.penalty").value == 3
    assert asked("91.kept").status == "timeout"
    assert log.read_text() == "x"
