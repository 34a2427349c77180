"""From a clone to feedback handed back: the commands of docs/teaching.md as they stand there, and a class of thirty."""

import csv
import html
import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from container import context
from proof import verdict
from students import BANK, NAME, ROOT, broken, graded

from course_lib.classroom.grade import hidden_seeds
from course_lib.classroom.results.overview import MOST_FREQUENT

CUT_OFF = "It is not JSON, so no notebook: it was cut off, or is a file of another kind."
GUIDE = ROOT / "docs" / "teaching.md"
COURSE = [str(Path(sys.executable).parent / "course")]
COMMANDS = re.findall(r"^course (.+?)(?: +#.*)?$", GUIDE.read_text().split("```")[1], re.MULTILINE)


def course(folder, command):
    done = subprocess.run([*COURSE, *command.split()], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def school(tmp_path_factory):
    """The clone after the whole path: handed out, collected, graded."""
    clone = context(ROOT, tmp_path_factory.mktemp("school") / "course")
    hand_out, grade = COMMANDS
    course(clone, hand_out)
    with zipfile.ZipFile(clone / "release" / "pruning-course.zip") as archive:
        blank = json.loads(archive.read(f"pruning-course/exercises/{NAME}.ipynb"))
    (clone / "submissions").mkdir()
    for student, text in {**{name: text for name, (text, _) in graded(blank)}, **broken(blank)}.items():
        (clone / "submissions" / f"{student}.ipynb").write_text(text)
    course(clone, grade)
    return clone, {name: errors for name, (_, errors) in graded(blank)}, broken(blank)


@pytest.fixture(scope="module")
def rows(school):
    with open(school[0] / "grades" / "grades.csv", newline="", encoding="utf-8-sig") as file:
        return {row["submission"]: row for row in csv.DictReader(file)}


def points(id, error, seeds):
    """What an answer with this error has earned, by a call in this process."""
    (exercise,) = (each for each in BANK if each.id == id)
    return 0 if error is None else verdict(exercise, error.wrong, seeds).points


def test_the_guide_has_two_commands():
    assert [command.split()[0] for command in COMMANDS] == ["release", "grade"]


def test_every_one_of_the_thirty_has_a_row(school, rows):
    _, class_of, unreadable = school
    assert len(rows) == 30 and {*rows} == {*class_of, *unreadable}
    for student in unreadable:
        says = "It is empty." if student == "empty" else CUT_OFF
        assert (rows[student]["status"], rows[student]["reason"]) == ("rejected", says)


def test_the_points_are_those_of_the_same_answers_called_here(school, rows):
    clone, class_of, _ = school
    secret = bytes.fromhex((clone / "grades" / "secret.hex").read_text())
    for student, errors in class_of.items():
        lost = sum(
            exercise.points - points(exercise.id, errors[exercise.id], hidden_seeds(secret, exercise.id))
            for exercise in BANK
            if exercise.id in errors
        )
        assert float(rows[student]["score"]) == sum(each.points for each in BANK) - lost, student


def test_each_has_a_page_that_sets_the_misconception_right(school):
    clone, class_of, unreadable = school
    secret = (clone / "grades" / "secret.hex").read_text().strip()
    pages = {path.stem: path.read_text() for path in (clone / "grades" / "feedback").glob("*.html")}
    assert {*pages} == {*class_of, *unreadable}
    for student, errors in class_of.items():
        shown = html.unescape(pages[student])
        said = {each.says for exercise in BANK for each in exercise.misconceptions if each.says in shown}
        assert said == {error.says for error in errors.values() if error}, student
    assert not [student for student, page in pages.items() if secret in page or "of the student" in page]


def test_the_overview_counts_who_believed_what(school):
    clone, class_of, _ = school
    overview = html.unescape((clone / "grades" / "index.html").read_text())
    for exercise in BANK:
        held = [
            sum(each is errors.get(exercise.id) for errors in class_of.values()) for each in exercise.misconceptions
        ]
        shown = {each.says: re.search(rf"(\d+) × {re.escape(each.says)}", overview) for each in exercise.misconceptions}
        counts = {says: int(found[1]) for says, found in shown.items() if found}
        assert min(held) > 0 and len(counts) == min(MOST_FREQUENT, len(held)), exercise.id
        assert counts == {
            each.says: n for each, n in zip(exercise.misconceptions, held, strict=True) if each.says in counts
        }
        assert sorted(counts.values()) == sorted(held)[-len(counts) :], exercise.id


def test_started_again_it_grades_nobody_twice(school):
    clone, *_ = school
    before = (clone / "grades" / "grades.csv").read_bytes()
    journal = next((clone / "grades").glob("*.jsonl"))
    lines = journal.read_bytes()
    course(clone, COMMANDS[1])
    assert (clone / "grades" / "grades.csv").read_bytes() == before
    assert journal.read_bytes() == lines
