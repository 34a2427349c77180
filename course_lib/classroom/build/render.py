"""From one source to its notebooks: pure functions, nothing is executed."""

import hashlib
from collections import Counter
from itertools import pairwise

from nbformat import NotebookNode, v4

from course_lib.classroom.build.source import Cell, Source
from course_lib.classroom.build.stub import stub
from course_lib.classroom.language import _

__all__ = ["exercise", "grade_id", "lesson", "notebooks", "solution"]

KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}


def notebooks(source: Source) -> dict[str, NotebookNode]:
    """What the source gives, by folder."""
    if source.is_lesson:
        return {"notebooks": lesson(source)}
    return {"exercises": exercise(source), "solutions": solution(source)}


def lesson(source: Source) -> NotebookNode:
    """The lesson, not yet executed."""
    return _notebook(_cell(cell, cell.text, {}) for cell in source.cells)


def solution(source: Source) -> NotebookNode:
    """The solved exercises, not yet executed."""
    return _notebook(_exercise_cells(source))


def exercise(source: Source) -> NotebookNode:
    """What learners fill in: stubs for solutions, and no cell that is tagged ``solution``."""
    cells = []
    for cell, built in zip(source.cells, _exercise_cells(source), strict=True):
        if cell.answers:
            built.source = stub(cell.text, source.declared[cell.exercise])
        if "solution" not in cell.tags:
            cells.append(built)
    return _notebook(cells)


def grade_id(exercise_id: str) -> str:
    """The exercise's id as nbgrader allows it: letters, digits, ``_`` and ``-``.

    >>> grade_id("02.soft_threshold")
    '02-soft_threshold'
    """
    return exercise_id.replace(".", "-")


def _exercise_cells(source: Source):
    number = 0
    for before, cell in pairwise((None, *source.cells)):
        text, metadata = cell.text, {}
        if cell.answers:
            metadata = {"deletable": False, "nbgrader": _nbgrader(cell.exercise, solution=True)}
        elif before is not None and before.answers:
            points = source.declared[before.exercise].points
            metadata = _locked(_nbgrader(f"{before.exercise}-check", grade=True, points=points))
        elif "setup" in cell.tags:
            metadata = _locked(_nbgrader(f"{source.number}-setup"))
        elif cell.exercise:
            number += 1
            text = f"{_header(number, source.declared[cell.exercise])}\n\n{text}"
        yield _cell(cell, text, metadata)


def _header(number: int, declared) -> str:
    return _(
        "## {number} · {title}\n\n*Points: {points} · minutes: {minutes} · difficulty: {difficulty} of 3 · id: `{id}`*"
    ).format(
        number=number,
        title=declared.title,
        points=declared.points,
        minutes=declared.minutes,
        difficulty=declared.difficulty,
        id=declared.id,
    )


def _nbgrader(name: str, *, grade=False, solution=False, **points) -> dict:
    """nbgrader's cell metadata, schema 3: a cell is an answer (solution), a check (grade), or only locked."""
    return {
        "cell_type": "code",
        "grade": grade,
        "grade_id": grade_id(name),
        "locked": not solution,
        "schema_version": 3,
        "solution": solution,
        "task": False,
        **points,
    }


def _locked(nbgrader: dict) -> dict:
    return {"deletable": False, "editable": False, "nbgrader": nbgrader}


def _cell(cell: Cell, text: str, metadata: dict) -> NotebookNode:
    new = v4.new_code_cell if cell.kind == "code" else v4.new_markdown_cell
    if cell.tags:
        metadata = {"tags": list(cell.tags), **metadata}
    return new(text, metadata=metadata, id=hashlib.sha256(f"{cell.kind}\n{text}".encode()).hexdigest()[:8])


def _notebook(cells) -> NotebookNode:
    """Cell ids come from the cells' own text, so that the same source gives the same bytes."""
    cells = list(cells)
    seen: Counter = Counter()
    for cell in cells:
        if "nbgrader" in cell.metadata:
            cell.id = cell.metadata.nbgrader.grade_id  # not from the solution: a hash of "B" gives the answer away
        seen[cell.id] += 1
        if seen[cell.id] > 1:
            cell.id = f"{cell.id}-{seen[cell.id]}"
    return v4.new_notebook(cells=cells, metadata={"kernelspec": KERNEL, "language_info": {"name": "python"}})
