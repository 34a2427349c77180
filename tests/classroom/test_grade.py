"""Folders of submissions, good and bad, become one table; nothing in them stops the batch."""

import csv
import json
import os
import socket
from pathlib import Path

import pytest

from course_lib.classroom import exercises
from course_lib.classroom.grade import Record, grade_folder, grade_notebook, hidden_seeds
from course_lib.classroom.submission import LARGEST, find_submissions

pytestmark = pytest.mark.usefixtures("bank")
SECRET = b"of the test"
FULL = 9


@pytest.fixture
def grade(tmp_path, write_notebook, our_exercises):
    """``grade(kept="...")``: the record of a notebook with these answers changed."""

    def graded(secret=SECRET, call_seconds=10.0, reveal=False, seconds=30.0, **changed):
        path = write_notebook(tmp_path / "anna.ipynb", **changed)
        limits = {"call_seconds": call_seconds, "seconds": seconds}
        return grade_notebook(path, exercises=our_exercises, secret=secret, reveal=reveal, **limits)

    return graded


def statuses(record):
    return {verdict.exercise.name: verdict.status for verdict in record.verdicts}


def test_right_answers_have_full_marks(grade):
    record = grade()
    assert (record.submission, record.chapter, record.status, record.reason) == ("anna", "91", "graded", "")
    assert record.score == record.max_score == FULL


def test_untouched_stubs_are_not_attempted(our_exercises):
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


def read(out):
    with open(out / "grades.csv", encoding="utf-8", newline="") as file:
        return {row["submission"]: row for row in csv.DictReader(file)}


def test_everything_in_a_folder_is_a_row(tmp_path, write_notebook, our_exercises):
    folder, out = tmp_path / "submissions", tmp_path / "out"
    good = write_notebook(folder / "anna.ipynb")
    write_notebook(folder / "ben" / "91_test.ipynb", letter="letter = 'A'")
    write_notebook(folder / "=HYPERLINK(1).ipynb")
    (folder / "empty").mkdir()
    (folder / ".ipynb_checkpoints").mkdir()
    (folder / "notes.txt").write_text("hello")
    (folder / "nothing.ipynb").write_text("")
    (folder / "text.ipynb").write_text("not json")
    (folder / "list.ipynb").write_text("[]")
    (folder / "old.ipynb").write_text('{"worksheets": [], "nbformat": 3}')
    (folder / "deep.ipynb").write_text('{"cells": ' + "[" * 100_000)
    (folder / "latin.ipynb").write_bytes("é".encode("latin-1"))
    (folder / "foreign.ipynb").write_text('{"cells": [{"cell_type": "code", "source": "x", "metadata": {}}]}')
    (folder / "source.ipynb").write_text(good.read_text().replace('"source": ["letter', '"source": [1, "letter'))
    with open(folder / "large.ipynb", "wb") as file:
        file.truncate(LARGEST + 1)
    twice = json.loads(good.read_text())
    twice["cells"].append(twice["cells"][1])
    (folder / "twice.ipynb").write_text(json.dumps(twice))
    (folder / "link.ipynb").symlink_to(good)
    (folder / "gone.ipynb").symlink_to(folder / "nowhere")
    (folder / "folder.ipynb").mkdir()
    os.mkfifo(folder / "pipe.ipynb")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.path.relpath(folder / "socket.ipynb"))
    for latin in (b"/caf\xe9.ipynb", b"/caf\xe8.ipynb"):
        Path(os.fsdecode(os.fsencode(folder) + latin)).write_text("")

    progress = []
    records = grade_folder(
        folder,
        out,
        exercises=our_exercises,
        on_progress=lambda done, total, record: progress.append((done, total, record.submission)),
    )
    rows = read(out)
    assert [done for done, _total, _name in progress] == list(range(1, len(rows) + 1))
    assert {total for _done, total, _name in progress} == {len(records)} == {len(rows)}
    graded = {name: row for name, row in rows.items() if row["status"] == "graded"}
    assert {name: row["score"] for name, row in graded.items()} == {
        "anna": "9",
        "ben/91_test": "8",
        "'=HYPERLINK(1)": "9",
    }
    assert [graded["ben/91_test"][f"91.{name}"] for name in ("soft_threshold", "letter")] == ["3", "0"]
    assert list(graded["anna"])[:6] == ["submission", "chapter", "score", "max_score", "status", "reason"]
    reasons = {name: row["reason"] for name, row in rows.items() if row["status"] == "rejected"}
    for name, word in {
        "empty": "folder",
        "folder": "folder",
        "notes.txt": ".ipynb",
        "nothing": "empty",
        "text": "JSON",
        "list": "format 4",
        "old": "format 4",
        "deep": "JSON",
        "latin": "UTF-8",
        "foreign": "known grade id",
        "source": "source of cell 91-letter",
        "large": "20 MB",
        "twice": "91.soft_threshold",
        "link": "symbolic link",
        "gone": "symbolic link",
        "pipe": "pipe",
        "socket": "socket",
        "caf\\xe9": "empty",
        "caf\\xe8": "empty",
    }.items():
        assert word in reasons.pop(name)
    assert not reasons


def test_no_two_submissions_share_a_name(tmp_path):
    (tmp_path / "anna").mkdir()
    for name in ("anna.ipynb", "ben", "ben.ipynb", "ben.ipynb.ipynb", "carl.ipynb"):
        (tmp_path / name).touch()
    names = {name: path.name for name, path in find_submissions(tmp_path, tmp_path / "out").items()}
    assert names == {
        "anna": "anna",
        "anna.ipynb": "anna.ipynb",
        "ben": "ben",
        "ben.ipynb": "ben.ipynb",
        "ben.ipynb.ipynb": "ben.ipynb.ipynb",
        "carl": "carl.ipynb",
    }


def test_the_secret_is_made_once_and_kept_from_others(tmp_path, write_notebook, our_exercises):
    folder, out = tmp_path / "submissions", tmp_path / "out"
    write_notebook(folder / "anna.ipynb")
    grade_folder(folder, out, exercises=our_exercises)
    secret = (out / "secret.hex").read_text()
    assert len(bytes.fromhex(secret)) == 32
    assert (out / "secret.hex").stat().st_mode & 0o077 == 0
    grade_folder(folder, out, exercises=our_exercises)
    assert (out / "secret.hex").read_text() == secret
    grade_folder(folder, tmp_path / "other", exercises=our_exercises, secret=SECRET)
    assert not (tmp_path / "other" / "secret.hex").exists()


def test_an_unexpected_error_is_a_row_and_the_others_are_graded(tmp_path, write_notebook, our_exercises, monkeypatch):
    folder = tmp_path / "submissions"
    names = ["anna", "ben", "carl", "dora", "emil", "fay", "gus", "hans"]
    for name in names:
        write_notebook(folder / f"{name}.ipynb")

    def graded(path, name, **options):
        if name == "ben":
            raise MemoryError("no room")
        return Record(name, "graded")

    monkeypatch.setattr("course_lib.classroom.grade.grade_notebook", graded)
    records = grade_folder(folder, tmp_path / "out", exercises=our_exercises)
    assert [(record.submission, record.status) for record in records] == [
        (name, "error" if name == "ben" else "graded") for name in names
    ]
    assert read(tmp_path / "out")["ben"]["reason"] == "MemoryError: no room"


def test_a_setup_of_ours_that_fails_is_an_error_and_not_a_zero(tmp_path, write_notebook, our_exercises):
    write_notebook(our_exercises / "91_test.ipynb", setup="import no_such_module")
    write_notebook(tmp_path / "submissions" / "anna.ipynb")
    (record,) = grade_folder(tmp_path / "submissions", tmp_path / "out", exercises=our_exercises)
    assert (record.status, record.score) == ("error", None)
    assert "no_such_module" in record.reason


def test_a_folder_that_is_not_there_is_an_error_before_anything_is_written(tmp_path, our_exercises):
    with pytest.raises(NotADirectoryError, match="nowhere"):
        grade_folder(tmp_path / "nowhere", tmp_path / "out", exercises=our_exercises)
    with pytest.raises(NotADirectoryError, match="exercises is"):
        grade_folder(our_exercises, tmp_path / "out", exercises=tmp_path / "nowhere")
    assert not (tmp_path / "out").exists()


def test_out_inside_the_folder_is_not_a_submission(tmp_path, write_notebook, our_exercises):
    folder = tmp_path / "submissions"
    write_notebook(folder / "anna.ipynb")
    for _run in range(2):
        grade_folder(folder, folder / "out", exercises=our_exercises)
    assert list(read(folder / "out")) == ["anna"]
    with pytest.raises(ValueError, match="out is"):
        grade_folder(folder, folder, exercises=our_exercises)
