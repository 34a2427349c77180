"""What grading gives back: tables, a feedback page for each submission, and what other platforms take in."""

from collections.abc import Sequence
from pathlib import Path

from course_lib.classroom.grade import Record
from course_lib.classroom.results.nbgrader import write_nbgrader
from course_lib.classroom.results.overview import write_overview
from course_lib.classroom.results.pages import write_feedback
from course_lib.classroom.results.table import write_grades

__all__ = ["write_results"]


def write_results(records: Sequence[Record], out: Path) -> None:
    """Write into the folder ``out`` what a batch of submissions came to.

    - ``index.html``: the overview, for the instructor.
    - ``feedback/``: a page for each submission, to be handed back.
    - ``grades.csv``: the table.
    - ``nbgrader.csv``: the table that nbgrader exports.
    """
    write_grades(out / "grades.csv", records)
    write_nbgrader(out / "nbgrader.csv", records)
    pages = write_feedback(out / "feedback", records)
    write_overview(out / "index.html", records, {name: f"feedback/{page}" for name, page in pages.items()})
