"""Tables as CSV files that a spreadsheet opens without running anything in them; ``grades.csv`` is one."""

import csv
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from course_lib.classroom.grade import Record
from course_lib.files import whole_file

__all__ = ["COLUMNS", "write_grades", "write_table"]

COLUMNS = ["submission", "chapter", "score", "max_score", "status", "reason"]
# A spreadsheet runs a cell that begins so, and may cut a cell at a separator that its country uses.
FORMULA = re.compile(r"(^|[;,\t\r\n])(?=[=+\-@＝＋－＠\t\r])")


def write_grades(path: Path, records: Sequence[Record]) -> None:
    """A row for each record, with the points of every exercise."""
    ids = {verdict.exercise_id for record in records for verdict in record.verdicts}
    rows = [
        {column: getattr(record, column) for column in COLUMNS}
        | {verdict.exercise_id: verdict.points for verdict in record.verdicts}
        for record in records
    ]
    write_table(path, [*COLUMNS, *sorted(ids)], rows)


def write_table(path: Path, columns: Sequence[str], rows: Iterable[Mapping[str, object]]) -> None:
    """Write the rows; a cell that is not given is empty, and text that begins as a formula has a ``'`` in front."""
    with whole_file(path, "w", encoding="utf-8", errors="backslashreplace", newline="") as file:
        table = csv.DictWriter(file, columns)
        table.writerow({column: _harmless(column) for column in columns})
        for row in rows:
            table.writerow({column: _harmless(value) for column, value in row.items()})


def _harmless(value: object) -> object:
    return FORMULA.sub(r"\1'", value) if isinstance(value, str) else value
