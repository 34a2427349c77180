"""One submission is graded: what it deserves, and what it is told."""

import pytest

from course_lib.classroom import exercises
from course_lib.classroom.grade import grade_notebook, hidden_seeds

pytestmark = pytest.mark.usefixtures("bank")
SECRET = b"of the test"
FULL = 9


@pytest.fixture
def grade(tmp_path, write_notebook, our_exercises, sandbox):
    """``grade(kept="...")``: the record of a notebook with these answers changed."""

    def graded(secret=SECRET, call_seconds=10.0, reveal=False, seconds=30.0, **changed):
        path = write_notebook(tmp_path / "anna.ipynb", **changed)
        limits = {"call_seconds": call_seconds, "seconds": seconds}
        return grade_notebook(path, exercises=our_exercises, place=sandbox, secret=secret, reveal=reveal, **limits)

    return graded


def statuses(record):
    return {verdict.exercise.name: verdict.status for verdict in record.verdicts}


def test_right_answers_have_full_marks(grade):
    record = grade()
    assert (record.submission, record.chapter, record.status, record.reason) == ("anna", "91", "graded", "")
    assert record.score == record.max_score == FULL


def test_untouched_stubs_are_not_attempted(our_exercises):  # in a sandbox of its own
    record = grade_notebook(our_exercises / "91_test.ipynb", exercises=our_exercises, secret=SECRET)
    assert (record.status, record.score, record.max_score) == ("not attempted", 0, FULL)


@pytest.mark.parametrize(
    "source, status",
    [
        ("def kept(w): return w > 0.5", "wrong"),
        ("def kept(w): raise ValueError(str(w))", "raised"),
        ("def kept(w): raise SystemExit", "raised"),
        ("def kept(w):\n    while True: pass", "timeout"),
        ("import os\ndef kept(w): os._exit(0)", "died"),
        ("import os\nos._exit(0)", "died"),
        ("while True: pass", "timeout"),
        ("raise SystemExit", "raised"),
        ("def kept(w) return", "raised"),
        ("kept = 3", "not a function"),
        ("w = 1", "undefined"),
        (None, "missing"),
        ("import os\nos.closerange(0, 100)\ndef kept(w): return w", "died"),
        ("import sys\nsys.stdout = sys.stderr = None\nprint('x')\ndef kept(w): return print(w)", "wrong"),
        ("class Kept:\n    def __eq__(self, other): return True\ndef kept(w): return Kept()", "unusable"),
    ],
)
def test_an_answer_that_fails_costs_only_its_own_points(grade, source, status):
    record = grade(kept=source, call_seconds=1.0 if status == "timeout" else 10.0)
    assert record.status == "graded"
    assert statuses(record) == {
        "soft_threshold": "passed", "kept": status, "penalty": "passed", "parameters": "passed", "letter": "passed"
    }  # fmt: skip
    assert record.score == FULL - 2
    assert ("91.kept" in record.reason) == (status in ("missing", "timeout", "died"))


def test_lines_for_the_notebook_itself_are_left_out(grade):
    right = "".join(
        f"{line}\n" for line in ["%matplotlib inline", "!pip list", "def kept(w):", "    return abs(w) > 0.5"]
    )
    assert statuses(grade(kept=right))["kept"] == statuses(grade(kept=right.split("\n", 2)[2]))["kept"]
    assert statuses(grade(kept=right))["kept"] != "raised"


def test_the_time_of_a_whole_submission_is_limited(grade):
    record = grade(kept="import time\ndef kept(w): time.sleep(60)", call_seconds=60, seconds=1.5)
    assert statuses(record)["soft_threshold"] == "passed"
    assert {statuses(record)[name] for name in ("kept", "penalty", "letter")} == {"timeout"}


def test_a_numpy_changed_by_one_submission_is_not_the_checker_s(grade):
    changed = grade(kept="np.abs = lambda w: w\ndef kept(w): return np.ones(w.shape, bool)")
    assert statuses(changed)["kept"] == "wrong"
    assert grade().score == FULL


def test_a_misconception_is_named(grade):
    (verdict,) = [v for v in grade(kept="def kept(w): return w > 0.5").verdicts if not v.passed]
    assert verdict.says[0] == "Rank by |w|, not by w."


def test_feedback_gives_no_hidden_input_and_no_exception_away(grade):
    record = grade(
        kept="def kept(w): raise type('Leak%d' % (w.flat[0] * 10**9), (Exception,), {})(repr(w))",
        penalty="def penalty(w): return w.flat[0]",
        parameters="parameters = 1",
    )
    said = {v.exercise.name: v.says for v in record.verdicts if not v.passed}
    assert said == {
        "kept": ("Your code raised an error.",),
        "penalty": ("The value is not right.",),
        "parameters": ("The value is not right.",),
    }
    assert "0." not in repr(record)


def test_the_learner_s_own_notebook_is_told_more(grade):
    record = grade(secret=None, reveal=True, kept="def kept(w): raise ValueError('mine')")
    said = " ".join(v.says[0] for v in record.verdicts if not v.passed)
    assert said == "Your code raised ValueError: mine"


def test_an_answer_fitted_to_the_visible_cases_fails_on_the_hidden_ones(grade):
    visible = exercises.find("91.penalty").draw([0])
    table = {float(case.args[0].flat[0]): float(abs(case.args[0]).sum()) for case in visible}
    source = f"table = {table}\ndef penalty(w): return table.get(float(w.flat[0]), 0.0)"
    assert statuses(grade(secret=None, penalty=source))["penalty"] == "passed"
    assert statuses(grade(penalty=source))["penalty"] == "wrong"


def test_hidden_seeds_follow_from_the_secret_and_the_exercise():
    assert hidden_seeds(SECRET, "91.kept") == hidden_seeds(SECRET, "91.kept")
    seeds = hidden_seeds(SECRET, "91.kept") + hidden_seeds(SECRET, "91.penalty") + hidden_seeds(b"other", "91.kept")
    assert len(set(seeds)) == 9
