"""Who is in the class: the gradebook that Canvas exported, and whose a submission is.

Format: https://community.canvaslms.com, "How do I export grades in the Gradebook?"; in the source of Canvas,
``lib/gradebook_exporter.rb``.
"""

import csv
import re
import unicodedata
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from course_lib.classroom.language import _
from course_lib.classroom.results.students import canvas_id, first_part

__all__ = ["POINTS_POSSIBLE", "Roster", "read_roster"]

IDS = ("SIS Login ID", "SIS User ID", "ID")
POINTS_POSSIBLE = "Points Possible"  # in the first cell of the row that holds them


@dataclass(frozen=True)
class Roster:
    """A gradebook exported from Canvas: its columns, its students, and the row of the points possible."""

    columns: list[str]
    students: list[dict[str, str]]
    possible: dict[str, str]

    @property
    def who(self) -> list[str]:
        """The columns that say who a student is."""
        return self.columns[: self.columns.index("Section") + 1]

    def name(self, number: int) -> str:
        """``"Lovelace, Ada"``."""
        return _name(self.students[number])

    def column(self, chapter: str) -> str:
        """The title of a chapter's column, with the assignment's id where Canvas already has it."""
        title = _("Chapter {number}").format(number=chapter)
        known = [column for column in self.columns if re.sub(r" \(\d+\)$", "", column) == title]
        return known[0] if known else title

    def find(self, submission: str) -> list[int]:
        """The numbers of the students that a submission may be of: one if that is clear."""
        part = first_part(submission)
        called = {("id", part.strip().casefold()), ("name", _letters(part)), ("canvas", canvas_id(submission))}
        return [number for number, keys in enumerate(self._keys) if called & keys]

    @cached_property
    def _keys(self) -> list[set[tuple[str, str]]]:
        return [_keys(student) for student in self.students]


def read_roster(path: Path) -> Roster:
    """Read a gradebook that was exported from Canvas.

    Raises
    ------
    OSError, ValueError
        The file cannot be read, or is no such gradebook.
    """
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            header = file.readline()
            file.seek(0)
            separator = ";" if header.count(";") > header.count(",") else ","
            rows = csv.DictReader(file, delimiter=separator, restval="", strict=True)
            students, columns = list(rows), list(rows.fieldnames or ())
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(
            _("{file} is not a CSV file in UTF-8; give the gradebook as Canvas exported it.").format(file=path)
        ) from error
    named = "Student" in columns or {"LastName", "FirstName"} <= {*columns}
    if not named or not {"ID", "Section"} <= {*columns}:
        raise ValueError(
            _("{file} has no columns Student, ID and Section; in Canvas choose Grades, Export.").format(file=path)
        )
    possible = [row for row in students if POINTS_POSSIBLE in row[columns[0]]]
    return Roster(columns, [row for row in students if row["ID"].strip()], possible[0] if possible else {})


def _keys(student: dict[str, str]) -> set[tuple[str, str]]:
    """All that a submission of this student may be called by."""
    ids = {("id", student[name].strip().casefold()) for name in IDS if student.get(name, "").strip()}
    last, _comma, first = _name(student).partition(",")
    names = {("name", letters) for letters in (_letters(last + first), _letters(first + last)) if letters}
    return ids | names | {("canvas", student["ID"].strip())}


def _name(student: dict[str, str]) -> str:
    return student["Student"] if "Student" in student else f"{student['LastName']}, {student['FirstName']}"


def _letters(name: str) -> str:
    """Letters and digits without case and accents."""
    return "".join(each for each in unicodedata.normalize("NFKD", name).casefold() if each.isalnum())
