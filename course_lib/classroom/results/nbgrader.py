"""The table that ``nbgrader export`` writes: https://nbgrader.readthedocs.io, ``nbgrader/plugins/export.py``."""

from collections.abc import Iterable
from pathlib import Path

from course_lib.classroom.grade import Record
from course_lib.classroom.results.students import best, student_of
from course_lib.classroom.results.table import write_table

__all__ = ["COLUMNS", "write_nbgrader"]

COLUMNS = [
    "assignment",
    "duedate",
    "timestamp",
    "student_id",
    "last_name",
    "first_name",
    "email",
    "raw_score",
    "late_submission_penalty",
    "score",
    "max_score",
]


def write_nbgrader(path: Path, records: Iterable[Record]) -> None:
    """A row for each student and chapter; what is not known here, such as the due date, is empty."""
    rows = [
        {
            "assignment": chapter,
            "student_id": student,
            "raw_score": float(record.score),
            "late_submission_penalty": 0.0,
            "score": float(record.score),
            "max_score": float(record.max_score),
        }
        for (student, chapter), record in sorted(best(records, lambda record: student_of(record.submission)).items())
    ]
    write_table(path, COLUMNS, rows)
