"""Whose a submission is, and which of several counts."""

import re
from collections.abc import Callable, Hashable, Iterable

from course_lib.classroom.grade import Record

__all__ = ["best", "canvas_id", "first_part", "student_of"]

# Canvas names a downloaded file lastnamefirstname_LATE_userid_fileid_name, and finds the user's id in it like this.
CANVAS = re.compile(r"_(\d+)_\d+_")


def student_of(submission: str) -> str:
    """The student's folder; for a file that lies in none its name, or the user's id if Canvas named it.

    Examples
    --------
    >>> student_of("anna/02_l1_and_l2"), student_of("anna.ipynb"), student_of("lovelaceada_LATE_815_4711_02_l1_and_l2")
    ('anna', 'anna', '815')
    """
    return canvas_id(submission) or first_part(submission)


def first_part(submission: str) -> str:
    """The name of the folder, or of the file that lies in none."""
    return submission.partition("/")[0].removesuffix(".ipynb")


def canvas_id(submission: str) -> str:
    """The user's id in the name that Canvas gave to a file, else nothing."""
    found = None if "/" in submission else CANVAS.search(submission)
    return found[1] if found else ""


def best(records: Iterable[Record], student: Callable[[Record], Hashable]) -> dict[tuple[Hashable, str], Record]:
    """For each student and chapter the record with the highest score, the first of equals."""
    counts: dict[tuple[Hashable, str], Record] = {}
    for record in records:
        if record.score is not None:
            key = student(record), record.chapter
            counts[key] = max(counts.get(key, record), record, key=lambda each: each.score)
    return counts
