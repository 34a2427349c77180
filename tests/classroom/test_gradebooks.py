"""The tables: safe in a spreadsheet, and what nbgrader and Canvas write and read."""

import csv
import io
import logging
import os
import re
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from nbgrader.api import Gradebook
from nbgrader.plugins.export import CsvExportPlugin
from records import record, untouched_record

from course_lib.classroom.grade import Record
from course_lib.classroom.results import write_results
from course_lib.classroom.results.canvas import write_canvas
from course_lib.classroom.results.nbgrader import write_nbgrader
from course_lib.classroom.results.roster import read_roster
from course_lib.classroom.results.table import write_table

pytestmark = pytest.mark.usefixtures("bank")


def read(path):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def scored(name, points, chapter="02", most=17):
    """A record with this score."""
    verdict = SimpleNamespace(points=points, max_score=most, exercise_id=f"{chapter}.one")
    return Record(name, "graded", "", chapter, (verdict,))


# Formulas


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "+1",
        "-1",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "＝1",
        "a;=1",
        "a,=1",
        "a\t=1",
        "a\n=1",
        "a\r\n@x",
        '";=1',
        "=;=;=",
    ],
)
def test_no_cell_begins_as_a_formula_whatever_the_separator(tmp_path, text, separator):
    """A spreadsheet cuts a file at the separator of its country, which may be one that we wrote as text."""
    write_table(tmp_path / "t.csv", ["a", text], [{"a": text, text: "x"}, {"a": 1, text: text}])
    written = (tmp_path / "t.csv").read_bytes().decode()
    rows = csv.reader(io.StringIO(written, newline=""), delimiter=separator)
    lines = [line for row in rows for cell in row for line in re.split(r"[\r\n]+", cell)]
    assert [line for line in lines if re.match(r'["\s]*[=+\-@＝＋－＠]', line)] == []


def test_ordinary_text_and_numbers_stay_as_they_are(tmp_path):
    cells = ["Lovelace, Ada", "x-1", "a = b", "What? - that; so", "", "é"]
    write_table(tmp_path / "t.csv", list("abcdefg"), [dict(zip("abcdefg", [*cells, -1], strict=True))])
    assert read(tmp_path / "t.csv")[1] == [*cells, "-1"]


def test_text_that_is_no_unicode_does_not_stop_the_table(tmp_path):
    write_results([Record("anna", "error", "ValueError: \ud800")], tmp_path)
    assert read(tmp_path / "grades.csv")[1][5] == r"ValueError: \ud800"


# nbgrader


@pytest.fixture
def exported_by_nbgrader(tmp_path, monkeypatch):
    """What nbgrader itself exports of a gradebook with one student who has 4 of 9 points."""
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=os.pathsep)  # it calls alembic by its name
    path = tmp_path / "theirs.csv"
    with Gradebook(f"sqlite:///{tmp_path / 'gradebook.db'}") as gradebook:
        gradebook.add_assignment("91")
        gradebook.add_notebook("test", "91")
        gradebook.add_grade_cell("cell", "test", "91", max_score=9, cell_type="code")
        gradebook.add_student("anna")
        gradebook.add_submission("91", "anna")
        gradebook.find_grade("cell", "test", "91", "anna").auto_score = 4
        gradebook.db.commit()
        exporter = CsvExportPlugin(to=str(path))
        exporter.log = logging.getLogger("test")
        exporter.export(gradebook)
    return path


@pytest.mark.filterwarnings("ignore:Object of type <Submitted")  # of nbgrader's own making
def test_nbgraders_table_is_the_one_that_nbgrader_exports(tmp_path, exported_by_nbgrader):
    write_nbgrader(tmp_path / "ours.csv", [record("anna", kept=lambda w: w > 0.5, penalty=None, letter="A")])
    theirs, ours = read(exported_by_nbgrader), read(tmp_path / "ours.csv")
    assert theirs[1][theirs[0].index("timestamp")] == ours[1][ours[0].index("timestamp")] == ""
    assert ours == theirs


def test_nbgraders_table_has_the_higher_score_of_a_student(tmp_path):
    records = [
        scored("ben/first", 4),
        scored("ben/second", 12),
        scored("ben/third", 5, "03", 18),
        untouched_record("anna"),
        scored("lovelaceada_815_1_x", 3),
        Record("carl", "rejected", "It is empty."),
    ]
    write_nbgrader(tmp_path / "n.csv", records)
    header, *rows = read(tmp_path / "n.csv")
    chosen = [header.index(name) for name in ("student_id", "assignment", "score", "max_score")]
    assert [[row[i] for i in chosen] for row in rows] == [
        ["815", "02", "3.0", "17.0"],
        ["anna", "91", "0.0", "9.0"],
        ["ben", "02", "12.0", "17.0"],
        ["ben", "03", "5.0", "18.0"],
    ]


# Canvas

ROSTER = """\
Student,ID,SIS User ID,SIS Login ID,Section,Notes,Chapter 02 (4711),Essay (4712),Current Score,Final Score
,,,,,,Manual Posting,,,
    Points Possible,,,,,,17.00,10.00,(read only),(read only)
"Lovelace, Ada",815,S-1,ada@uni.example,Monday,private,3.00,9.00,70.1,60.2
"Müller, Anna Maria",816,S-2,amueller,Monday,,,,,
"van Rossum, Guido",817,S-3,guido,"Monday and Tuesday",,N/A,,,
"Hopper, Grace",818,S-4,grace,Monday,,EX,,,
"Test Student",819,,f00,Monday,,,,,
"""


@pytest.fixture
def canvas(tmp_path):
    """``canvas(record, ...)``: the rows of the table for Canvas, and the sentences for the instructor."""

    def written(*records, roster=ROSTER, encoding="utf-8"):
        (tmp_path / "roster.csv").write_text(roster, encoding=encoding)
        notes = write_canvas(tmp_path / "canvas.csv", records, read_roster(tmp_path / "roster.csv"))
        return read(tmp_path / "canvas.csv"), notes

    return written


def test_canvas_gets_its_own_columns_back_and_one_for_each_chapter(canvas):
    rows, _notes = canvas(scored("ada@uni.example/02", 12), scored("guido/03", 5, "03", 18))
    assert rows == [
        ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "Chapter 02 (4711)", "Chapter 03"],
        ["    Points Possible", "", "", "", "", "17.00", "18"],
        ["Lovelace, Ada", "815", "S-1", "ada@uni.example", "Monday", "12", ""],
        ["Müller, Anna Maria", "816", "S-2", "amueller", "Monday", "", ""],
        ["van Rossum, Guido", "817", "S-3", "guido", "Monday and Tuesday", "N/A", "5"],
        ["Hopper, Grace", "818", "S-4", "grace", "Monday", "EX", ""],
        ["Test Student", "819", "", "f00", "Monday", "", ""],
    ]


@pytest.mark.parametrize(
    "submission, student",
    [
        ("ADA@uni.example/02_l1_and_l2", "Lovelace, Ada"),
        ("S-1", "Lovelace, Ada"),
        ("815.ipynb", "Lovelace, Ada"),
        ("Ada Lovelace", "Lovelace, Ada"),
        ("lovelace_ada/x", "Lovelace, Ada"),
        ("Anna Maria MÜLLER", "Müller, Anna Maria"),
        ("mullerannamaria", "Müller, Anna Maria"),
        ("Mu\u0308ller, Anna-Maria/02", "Müller, Anna Maria"),
        ("Guido van Rossum/02", "van Rossum, Guido"),
        ("teststudent", "Test Student"),
        ("lovelaceada_815_99_02_l1_and_l2", "Lovelace, Ada"),
        ("lovelaceada_LATE_815_99_02_l1_and_l2-2", "Lovelace, Ada"),
        ("somethingelse_817_99_815_1_x", "van Rossum, Guido"),
    ],
)
def test_a_submission_is_matched_by_login_ids_or_name(canvas, submission, student):
    rows, notes = canvas(scored(submission, 12))
    assert {row[0]: row[5] for row in rows if row[5] == "12"} == {student: "12"}
    assert not [note for note in notes if "left out" in note]


@pytest.mark.parametrize("submission", ["anna", "van", "81", "", "lovelaceada_999_99_x", "group/lovelaceada_815_9_x"])
def test_a_submission_of_nobody_is_left_out_and_named(canvas, submission):
    rows, notes = canvas(scored(submission, 12))
    assert not [row for row in rows if "12" in row]
    assert f"Not in the roster, so left out: {submission}" in notes


def test_what_fits_two_students_is_never_guessed(canvas):
    twins = ROSTER + '"Lovelace, Ada",820,S-5,ada2,Monday,,,,,\n"Byron, Lord",821,S-6,guido,Monday,,,,,\n'
    rows, notes = canvas(scored("Ada Lovelace", 12), scored("guido/x", 12), scored("ada2", 11), roster=twins)
    assert [row[0] for row in rows if "12" in row] == [] and [row[1] for row in rows if "11" in row] == ["820"]
    assert "More than one student fits, so left out: Ada Lovelace; guido/x" in notes


def test_the_higher_score_counts_and_is_said(canvas):
    rows, notes = canvas(scored("S-1/a", 4), scored("ada@uni.example", 12), scored("815", 5))
    assert rows[2][5] == "12"
    assert "Lovelace, Ada handed in chapter 02 3 times; the highest of the scores 4, 12, 5 counts." in notes


def test_students_without_a_score_are_named(canvas):
    _rows, notes = canvas(scored("815", 4), scored("grace", 4), Record("guido", "rejected", "It is empty."))
    assert "Students without a score: Müller, Anna Maria; van Rossum, Guido; Test Student" in notes


def test_other_points_possible_in_canvas_are_told(canvas):
    assert not [note for note in canvas(scored("815", 4))[1] if "points possible" in note]
    rows, notes = canvas(scored("815", 4), roster=ROSTER.replace("17.00", "100.00"))
    assert rows[1][5] == "100.00"  # the import does not change it
    assert "Chapter 02 (4711) has 100.00 points possible in Canvas and 17 here; change it there." in notes


def test_other_ways_to_export_from_canvas_are_read(canvas):
    expected = canvas(scored("815", 4))[0]
    rows = list(csv.reader(io.StringIO(ROSTER)))
    text = io.StringIO()
    csv.writer(text, delimiter=";").writerows(rows)
    assert canvas(scored("815", 4), roster=text.getvalue(), encoding="utf-8-sig")[0] == expected
    halves = [["LastName", "FirstName"], ["", ""], ["    Points Possible", ""]]
    halves += [[*row[0].split(", "), ""][:2] for row in rows[3:]]
    text = io.StringIO()
    csv.writer(text).writerows(half + row[1:] for half, row in zip(halves, rows, strict=True))
    apart = canvas(scored("Ada Lovelace", 4), roster=text.getvalue())[0]
    assert [row[2:] for row in apart] == [row[1:] for row in expected]
    assert apart[2][:2] == ["Lovelace", "Ada"]


def test_a_name_in_the_roster_cannot_be_a_formula(canvas):
    rows, _notes = canvas(scored("815", 4), roster=ROSTER.replace("Lovelace, Ada", "=HYPERLINK(1)"))
    assert rows[2][0] == "'=HYPERLINK(1)"


@pytest.mark.parametrize(
    "roster, encoding, message",
    [
        ("", "utf-8", "no columns Student, ID and Section"),
        ("name,points\nada,3\n", "utf-8", "no columns Student, ID and Section"),
        (ROSTER, "latin-1", "not a CSV file in UTF-8"),
        ('Student,ID,Section\n"Ada"x,1,M\n', "utf-8", "not a CSV file in UTF-8"),
    ],
)
def test_what_is_no_gradebook_is_refused(canvas, roster, encoding, message):
    with pytest.raises(ValueError, match=message):
        canvas(roster=roster, encoding=encoding)
