"""``course run``: the lessons in order, as a reader would run them, and the table that they end in."""

import time
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from rich.console import Console

from course_lib.classroom.build.execute import CellFailure, execute
from course_lib.classroom.build.progress import cell_progress
from course_lib.classroom.course import Course
from course_lib.classroom.language import _
from course_lib.files import whole_file

__all__ = ["run", "whole_path"]

WHOLE_PATH = "whole-path"  # the tag of the cell that computes the table of the whole path


def run(course: Course, numbers=(), *, console: Console) -> int:
    """Execute the lessons and write the executed copies to ``runs/``; returns how many failed.

    A lesson that fails is reported and the next one begins. The table of the last lesson that computes the whole
    path is printed at the end.
    """
    failures, table = 0, ""
    runs = course.root / "runs"
    runs.mkdir(exist_ok=True)
    for lesson in course.lessons(numbers):
        notebook = _fresh(lesson)
        began = time.perf_counter()
        with cell_progress(console, course.shown(lesson), notebook) as on_cell:
            failure = _failure(notebook, lesson.parent, on_cell)
        seconds, name = time.perf_counter() - began, course.shown(lesson)
        with whole_file(runs / lesson.name, "w", encoding="utf-8", newline="\n") as whole:
            nbformat.write(notebook, whole)
        if failure is None:
            console.print(_("{name}  ran in {seconds:.1f} s").format(name=name, seconds=seconds))
            table = whole_path(notebook) or table
        else:
            failures += 1
            said = _("{name}  failed in cell {cell} after {seconds:.1f} s: {reason} (see runs/{file})").format(
                name=name, cell=failure.index + 1, seconds=seconds, reason=failure, file=lesson.name
            )
            console.print(said, style="red")
    if table:
        console.print("\n" + table)
    return failures


def whole_path(notebook: NotebookNode) -> str:
    """What the cell tagged ``whole-path`` shows, as text; nothing if there is no such cell."""
    outputs = [
        output
        for cell in notebook.cells
        if WHOLE_PATH in cell.metadata.get("tags", [])
        for output in cell.get("outputs", [])
    ]
    return "\n".join(output.get("text") or output.get("data", {}).get("text/plain", "") for output in outputs).strip()


def _fresh(lesson: Path) -> NotebookNode:
    notebook = nbformat.read(lesson, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return notebook


def _failure(notebook: NotebookNode, folder: Path, on_cell) -> CellFailure | None:
    try:
        execute(notebook, folder, on_cell)
    except CellFailure as failure:
        return failure
    return None
