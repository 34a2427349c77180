"""Folders of submissions, good and bad, become one table; nothing in them stops the batch."""

import csv
import json
import os
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from course_lib.classroom import exercises
from course_lib.classroom.batch import grade_folder
from course_lib.classroom.grade import Record
from course_lib.classroom.submission import LARGEST, find_submissions

pytestmark = pytest.mark.usefixtures("bank")
SECRET = b"of the test"


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


def test_a_reason_can_be_written_and_read_whatever_the_notebook_says(tmp_path, write_notebook, our_exercises):
    path = write_notebook(tmp_path / "submissions" / "anna.ipynb")
    odd = json.dumps("91-\ud800\x1b[2J" + "x" * 10_000)
    path.write_text(path.read_text().replace('"91-letter"', odd).replace('"source": ["letter', '"source": [1, "letter'))
    grade_folder(path.parent, tmp_path / "out", exercises=our_exercises)
    reason = read(tmp_path / "out")["anna"]["reason"]
    assert "source of cell 91-\\ud800\\x1b[2J" in reason and len(reason) < 200


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

    def graded(submission, name, *more, **options):
        if name == "ben":
            raise MemoryError("no room")
        return Record(name, "graded")

    monkeypatch.setattr("course_lib.classroom.work.grade_submission", graded)
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


@pytest.fixture
def counted(monkeypatch):
    """The names of the submissions that are graded, in order; ``stop_after`` interrupts the batch."""
    from course_lib.classroom import work

    class Names(list):
        stop_after = None

    names, original = Names(), work.grade_submission

    def graded(submission, name, *more, **options):
        if len(names) == names.stop_after:
            raise KeyboardInterrupt
        names.append(name)
        return original(submission, name, *more, **options)

    monkeypatch.setattr(work, "grade_submission", graded)
    return names


@pytest.fixture
def class_of_five(tmp_path, write_notebook):
    for name in ("anna", "ben", "carl", "dora", "emil"):
        write_notebook(tmp_path / "submissions" / f"{name}.ipynb", letter=f"letter = {'ab'[name > 'c']!r}")
    return tmp_path / "submissions"


def rows(out):
    return {name: (row["score"], row["reason"], row["91.letter"]) for name, row in read(out).items()}


def test_a_batch_that_is_interrupted_goes_on_where_it_was(tmp_path, class_of_five, our_exercises, counted):
    def grade(out):
        return grade_folder(class_of_five, tmp_path / out, exercises=our_exercises, secret=SECRET, workers=1)

    counted.stop_after = 2
    with pytest.raises(KeyboardInterrupt):
        grade("out")
    assert not (tmp_path / "out" / "grades.csv").exists()
    counted.stop_after = None
    resumed = grade("out")
    assert counted == ["anna", "ben", "carl", "dora", "emil"]
    at_once = grade("other")
    assert rows(tmp_path / "out") == rows(tmp_path / "other")
    assert [[(v.status, v.says, v.misconception, v.points) for v in record.verdicts] for record in resumed] == [
        [(v.status, v.says, v.misconception, v.points) for v in record.verdicts] for record in at_once
    ]


def test_a_batch_that_was_killed_goes_on_where_it_was(tmp_path, class_of_five, our_exercises, counted):
    program = f"""
import sys
from course_lib.classroom import batch, exercises

def wait_for_the_end(done, total, record):
    if done == 2:
        print("two", flush=True)
        sys.stdin.read()

exercises.__path__[:] = {list(exercises.__path__)}
folders = {str(class_of_five)!r}, {str(tmp_path / "out")!r}
batch.grade_folder(
    *folders, exercises={str(our_exercises)!r}, secret={SECRET}, workers=1, on_progress=wait_for_the_end
)
"""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        grader = subprocess.Popen([sys.executable, "-c", program], env=os.environ | {"TMPDIR": folder}, **pipes)
        assert grader.stdout.readline() == b"two\n"
        grader.kill()
        grader.communicate()
    grade_folder(class_of_five, tmp_path / "out", exercises=our_exercises, secret=SECRET, workers=1)
    assert 0 < len(counted) < 4  # what was finished is not graded again
    assert {row[0] for row in rows(tmp_path / "out").values()} == {"8", "9"}


def test_only_what_has_changed_is_graded_again(tmp_path, class_of_five, our_exercises, counted, write_notebook):
    def grade(secret=SECRET, **options):
        counted.clear()
        grade_folder(class_of_five, tmp_path / "out", exercises=our_exercises, secret=secret, **options)
        return sorted(counted)

    everybody = ["anna", "ben", "carl", "dora", "emil"]
    assert grade() == everybody
    assert grade() == []
    write_notebook(class_of_five / "carl.ipynb", letter="letter = 'c'")
    assert grade() == ["carl"]
    assert rows(tmp_path / "out")["carl"] == ("8", "", "0")
    assert grade(secret=b"another") == everybody
    assert grade(seconds=60.0) == everybody
    write_notebook(our_exercises / "91_test.ipynb", setup="import numpy as np\nnew = 1")
    assert grade() == everybody


def test_a_line_of_the_journal_that_was_cut_short_is_graded_again(tmp_path, class_of_five, our_exercises, counted):
    out = tmp_path / "out"
    for expected in (5, 6, 6):
        grade_folder(class_of_five, out, exercises=our_exercises, secret=SECRET, workers=1)
        assert len(counted) == expected
        if expected == 5:
            os.truncate(out / "graded.jsonl", (out / "graded.jsonl").stat().st_size - 20)
    assert counted[-1] == "emil"


def test_two_batches_do_not_write_into_one_folder(tmp_path, class_of_five, our_exercises):
    from course_lib.classroom.journal import Journal

    (tmp_path / "out").mkdir()
    with Journal(tmp_path / "out" / "graded.jsonl"), pytest.raises(ValueError, match="another 'course grade'"):
        grade_folder(class_of_five, tmp_path / "out", exercises=our_exercises)


def test_a_record_keeps_no_hidden_case(tmp_path, write_notebook, our_exercises):
    write_notebook(tmp_path / "submissions" / "anna.ipynb", kept="def kept(w): return w")
    (record,) = grade_folder(tmp_path / "submissions", tmp_path / "out", exercises=our_exercises)
    assert [verdict.failure for verdict in record.verdicts] == [None] * 5
    assert "0." not in (tmp_path / "out" / "graded.jsonl").read_text()


def test_without_a_sandbox_nothing_is_run_and_nothing_written(tmp_path, class_of_five, our_exercises, monkeypatch):
    from course_lib.classroom.sandbox import NoSandbox

    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NoSandbox, match="apt-get install bubblewrap"):
        grade_folder(class_of_five, tmp_path / "out", exercises=our_exercises)
    assert not (tmp_path / "out").exists()
    records = grade_folder(class_of_five, tmp_path / "out", exercises=our_exercises, unsafe=True)
    assert [record.score for record in records] == [8, 8, 9, 9, 9]
