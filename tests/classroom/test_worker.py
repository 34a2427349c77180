"""A worker answers one request at a time, whatever the submission does to it, with a sandbox and without."""

import time
from pathlib import Path

import numpy as np
import pytest

from course_lib.classroom.inside import LIMITS
from course_lib.classroom.sandbox import Sandbox, Unconfined

PATIENT = 30.0  # never reached unless something is broken


@pytest.fixture(scope="module", params=["unconfined", "forked in the sandbox", "a sandbox of its own"])
def place(request):
    with Unconfined() if request.param == "unconfined" else Sandbox(shared="forked" in request.param) as place:
        yield place


@pytest.fixture
def worker(place):
    with place.start() as worker:
        yield worker


def define(worker, source):
    outcome = worker.run(source, PATIENT)
    assert outcome.status == "returned", outcome


def test_cells_share_one_namespace_and_answers_come_back(worker):
    define(worker, "import numpy as np\nfactor = np.float32(2)")
    define(worker, "def scale(w, by=1):\n    return {'scaled': w * factor, 'by': by}")
    outcome = worker.call("scale", (np.arange(3.0), 4), PATIENT)
    assert outcome.value["by"] == 4
    np.testing.assert_array_equal(outcome.value["scaled"], [0, 2, 4])
    assert worker.value("factor", PATIENT).value == 2
    assert worker.value("nothing", PATIENT).status == "undefined"
    assert worker.call("nothing", (), PATIENT).status == "undefined"
    assert worker.call("factor", (), PATIENT).status == "not a function"


@pytest.mark.parametrize(
    "source, status, error",
    [
        ("def answer(w): raise ValueError('secret')", "raised", "ValueError"),
        ("def answer(w): raise SystemExit(0)", "raised", "SystemExit"),
        ("def answer(w): return input()", "raised", "EOFError"),
        ("def answer(w): raise NotImplementedError", "not attempted", ""),
        ("def answer(w): return ...", "not attempted", ""),
        ("def answer(w): return {1, 2}", "unusable", ""),
        ("import numpy as np\ndef answer(w): return np.broadcast_to(0.0, (10**6, 10**6))", "unusable", ""),
        ("class Answer:\n  def __eq__(self, other): return True\ndef answer(w): return Answer()", "unusable", ""),
        ("import os\ndef answer(w): os._exit(0)", "died", ""),
        ("import os\ndef answer(w): os.kill(os.getpid(), 9)", "died", ""),
        ("import os\ndef answer(w): os.closerange(0, 100)", "died", ""),
        ("import numpy as np\ndef answer(w): np.asarray = np.frombuffer = None; return np.zeros(2)", "unusable", ""),
    ],
)
def test_an_answer_that_does_not_return(worker, source, status, error):
    define(worker, source)
    outcome = worker.call("answer", (np.zeros(2),), PATIENT)
    assert (outcome.status, outcome.error) == (status, error)
    assert worker.alive == (status != "died")


def test_what_is_printed_goes_nowhere(worker, capfd):
    define(
        worker, "import os, sys\nprint('x' * 10**6)\nprint('y', file=sys.stderr)\nos.write(1, b'z')\nsys.stdout = None"
    )
    define(worker, "def answer(): os.system('echo from a shell'); return 7")
    assert worker.call("answer", (), PATIENT).value == 7
    assert capfd.readouterr() == ("", "")


def test_an_argument_changed_in_place_is_reported(worker):
    define(worker, "def answer(w):\n    w[0] = 9\n    return w")
    w = np.zeros(2)
    assert worker.call("answer", (w,), PATIENT).changed
    assert w[0] == 0


@pytest.mark.parametrize(
    "source",
    [
        "def answer():\n    while True: pass",
        "import os, signal\ndef answer(): os.kill(os.getpid(), signal.SIGSTOP)",
        "import time\ndef answer():\n  while True:\n    try: time.sleep(60)\n    except BaseException: pass",
    ],
    ids=["loop", "stopped", "catches everything"],
)
def test_time_is_limited(worker, source):
    define(worker, source)
    began = time.monotonic()
    assert worker.call("answer", (), 0.5).status == "timeout"
    assert time.monotonic() - began < 5
    assert worker.call("answer", (), 0.5).status == "died"


def test_a_child_that_holds_the_channel_open_holds_nobody_up(worker):
    define(worker, "import os, time\ndef answer():\n    if os.fork(): os._exit(0)\n    time.sleep(60)")
    assert worker.call("answer", (), 0.5).status in ("timeout", "died")  # in a sandbox the child ends with its parent


def test_a_worker_that_reads_nothing_cannot_hold_the_checker(worker):
    define(
        worker,
        "import os, signal\nimport threading\nthreading.Timer(0.1, os.kill, (os.getpid(), signal.SIGSTOP)).start()",
    )
    time.sleep(0.3)
    assert worker.call("answer", (np.zeros(10**6),), 0.5).status == "timeout"


@pytest.mark.parametrize(
    "reply",
    [
        "b'garbage that is no frame'",
        "(2**62).to_bytes(8, 'big')",
        "frame('passed')",
        "frame(reply)",  # well formed, but with another request's nonce
        "frame(reply | {'nonce': nonce(), 'status': 'passed'})",
        "frame(reply | {'nonce': nonce(), 'error': 1})",
        "frame(reply | {'nonce': nonce(), 'points': 9})",
        "frame({'nonce': nonce(), 'status': 'returned'})",
    ],
)
def test_a_forged_reply_is_no_more_than_a_dead_worker(worker, reply):
    define(
        worker,
        "import os, struct, sys\nfrom course_lib.classroom.wire import pack\n"
        "reply = {'nonce': 32 * '0', 'status': 'returned', 'value': 1, 'error': '', 'message': '', 'line': ''}\n"
        "reply |= {'changed': False}\n"
        "def nonce():\n    frame = sys._getframe()\n    while 'nonce' not in frame.f_locals: frame = frame.f_back\n"
        "    return frame.f_locals['nonce']\n"
        "def frame(value): return struct.pack('>Q', len(pack(value))) + pack(value)\n"
        f"def answer():\n    for pipe in range(3, 30):\n        try: os.write(pipe, {reply})\n"
        "        except OSError: pass",
    )
    assert worker.call("answer", (), PATIENT).status == "died"


def test_processes_and_files_are_gone_at_the_end():
    with Unconfined().start() as worker:
        define(
            worker,
            "import os, time\nopen('left', 'w').write('x')\nhere, home = os.getcwd(), os.environ['HOME']\n"
            "child = os.fork()\nif not child: time.sleep(60)",
        )
        child, folder = worker.value("child", PATIENT).value, Path(worker.value("here", PATIENT).value)
        assert (folder / "left").exists()
        assert worker.value("home", PATIENT).value == str(folder)
    assert not folder.exists()
    for _wait in range(100):  # an orphan stays a zombie until init has noticed
        if not Path(f"/proc/{child}").exists() or "Z" in Path(f"/proc/{child}/stat").read_text():
            break
        time.sleep(0.02)
    else:
        pytest.fail("a child of the worker is still running")


def test_it_sees_none_of_the_checker_s_environment_and_has_limits(monkeypatch, place):
    monkeypatch.setenv("COURSE_SECRET", "of the checker")
    with place.start() as worker:
        define(
            worker,
            "import os, resource\nsecret = os.environ.get('COURSE_SECRET')\n"
            "def limit(name): return resource.getrlimit(getattr(resource, f'RLIMIT_{name}'))",
        )
        assert worker.value("secret", PATIENT).value is None
        for name, most in LIMITS.items():
            assert worker.call("limit", (name,), PATIENT).value == (most, most)


def test_a_worker_that_takes_too_much_memory_is_ended(worker, monkeypatch):
    monkeypatch.setattr("course_lib.classroom.worker.MEMORY", 200 * 2**20)
    define(worker, "import os, time\ndef answer():\n    if not os.fork(): hold = b'x' * 2**28\n    time.sleep(60)")
    assert worker.call("answer", (), PATIENT).status == "memory"
    assert worker.call("answer", (), PATIENT).status == "died"


def test_it_holds_no_exercises(worker):
    define(worker, "import sys\nloaded = [name for name in sys.modules if 'chapter_' in name or 'grade' in name]")
    assert worker.value("loaded", PATIENT).value == []
