"""The cells of a submission share a worker, and one that ends it costs the others nothing."""

import time

import numpy as np
import pytest

from course_lib.classroom import exercises
from course_lib.classroom.session import Session
from course_lib.classroom.worker import unconfined

ENDS_LATER = "import os, threading\n\ndef kept(w):\n    threading.Timer(0.2, os._exit, (0,)).start()\n    return w > 0"
PENALTY = "def penalty(w):\n    return np.abs(w).sum()"


@pytest.fixture
def ask(bank):
    opened = []

    def started(answers, seconds=30.0, call_seconds=1.0):
        session = Session(unconfined, "import numpy as np", answers, call_seconds, seconds)
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


def test_an_answer_that_ends_every_process_is_asked_twice_among_the_others_and_once_alone(ask, tmp_path):
    log = tmp_path / "calls"
    source = f"import os\ndef kept(w):\n    open({str(log)!r}, 'a').write('x')\n    os._exit(0)"
    assert ask({"91.kept": source})("91.kept").status == "died"
    assert log.read_text() == "xxx"


def test_a_later_cell_uses_what_an_earlier_one_defines_and_the_last_definition_counts(ask):
    answers = {
        "91.kept": "def positive(w): return w > 0\ndef kept(w): return positive(w)",
        "91.penalty": "def penalty(w): return positive(w).sum()\ndef positive(w): return -w > 0",
    }
    asked = ask(answers)
    assert asked("91.penalty").value == 1
    assert asked("91.kept").value.tolist() == [False, True]


def test_no_time_left_is_a_timeout_and_no_failure_of_the_setup(ask):
    asked = ask({"91.kept": "while True: pass", "91.penalty": PENALTY}, seconds=0.6, call_seconds=9.0)
    assert [asked(id).status for id in ("91.kept", "91.penalty")] == ["timeout"] * 2
    assert ask({"91.penalty": PENALTY}, seconds=0.0)("91.penalty").status == "timeout"


def test_a_cell_that_hangs_is_run_once_among_the_others_and_once_alone(ask, tmp_path):
    log = tmp_path / "runs"
    asked = ask({"91.kept": f"open({str(log)!r}, 'a').write('x')\nwhile True: pass", "91.penalty": PENALTY}, 30.0, 0.3)
    assert asked("91.penalty").value == 3
    assert log.read_text() == "x"
    assert [asked("91.kept").status for _call in range(3)] == ["timeout"] * 3
    assert log.read_text() == "xx"


@pytest.mark.parametrize(
    "spoiler",
    [
        "import os, threading\ndef tick(): os._exit(0)\nthreading.Timer(0.1, tick).start()",
        "import os\nfor _child in range(30):\n    if not os.fork():\n        while True: pass",
    ],
    ids=["ends the process later", "thirty busy children"],
)
def test_a_cell_that_spoils_what_runs_after_it_costs_the_other_exercises_nothing(ask, spoiler):
    slow = "import time\ndef penalty(w):\n    time.sleep(0.3)\n    return [np.abs(w).sum() for _turn in range(9000)][0]"
    asked = ask({"91.kept": spoiler, "91.penalty": slow}, call_seconds=0.8)
    assert asked("91.penalty").value == 3
    assert asked("91.penalty").value == 3
