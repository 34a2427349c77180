"""Build what is out of date: render, execute, write; one bad source does not stop the others."""

import re
import time
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from rich.console import Console

from course_lib.classroom.build.cover import cover
from course_lib.classroom.build.drift import notebook_drift
from course_lib.classroom.build.execute import CellFailure, execute, unpublishable
from course_lib.classroom.build.progress import cell_progress
from course_lib.classroom.build.render import notebooks
from course_lib.classroom.build.source import Source, SourceError, read_source
from course_lib.classroom.build.stub import PLACEHOLDER
from course_lib.classroom.course import Course
from course_lib.classroom.language import _
from course_lib.classroom.submission import Rejected, read_submission
from course_lib.files import whole_file

__all__ = ["build"]


def build(course: Course, numbers=(), *, force: bool = False, console: Console) -> int:
    """Write every notebook that is not what its source gives; returns how many sources or notebooks failed.

    A notebook that failed is left as it was, and so is an exercise notebook that somebody has written answers in.
    ``force`` replaces those, and executes also what is up to date, for example after a change in the library.
    """
    failures = 0
    for path in course.sources(numbers):
        try:
            source = read_source(path)
        except SourceError as error:
            failures += 1
            for line, sentence in error.problems:
                console.print(f"{course.shown(path)}:{line}: {sentence}", style="red")
            continue
        for folder, notebook in notebooks(source).items():
            file = course.root / folder / f"{source.chapter}.ipynb"
            failures += not _build_one(course, source, notebook, file, force, console)
    return failures


def _build_one(
    course: Course, source: Source, notebook: NotebookNode, file: Path, force: bool, console: Console
) -> bool:
    name, executed = course.shown(file), file.parent.name != "exercises"
    if not force and not any(notebook_drift(notebook, file, course, executed=executed)):
        console.print(_("{name}  up to date").format(name=name), style="dim")
        return True
    if not force and not executed and _holds_answers(file):
        said = _(
            "{name}  holds answers and was left alone. Keep a copy elsewhere, then run: course build --force {number}"
        )
        console.print(said.format(name=name, number=source.number), style="red")
        return False
    began = time.perf_counter()
    problems = _execute(course, notebook, file, console) if executed else []
    for index, sentence in problems:
        said = _("{source}:{line}: cell {cell} of {name}, which was not written: {sentence}").format(
            source=course.shown(source.path),
            line=source.cells[index].line,
            cell=index + 1,
            name=name,
            sentence=sentence,
        )
        console.print(said, style="red")
    if problems:
        return False
    file.parent.mkdir(exist_ok=True)
    with whole_file(file, "w", encoding="utf-8", newline="\n") as whole:
        nbformat.write(notebook, whole)
    if picture := cover(notebook):
        with whole_file(file.with_suffix(".png")) as whole:
            whole.write(picture)
    seconds = time.perf_counter() - began
    console.print(_("{name}  built in {seconds:.1f} s").format(name=name, seconds=seconds))
    return True


def _holds_answers(file: Path) -> bool:
    """Has a learner written in this exercise notebook? Then an answer has lost its placeholder."""
    try:
        answers = read_submission(file).answers.values()
    except Rejected:
        return False
    return any(not re.search(PLACEHOLDER, answer, re.M) for answer in answers)


def _execute(course: Course, notebook: NotebookNode, file: Path, console: Console) -> list[tuple[int, str]]:
    file.parent.mkdir(exist_ok=True)
    with cell_progress(console, course.shown(file), notebook) as on_cell:
        try:
            execute(notebook, file.parent, on_cell)
        except CellFailure as failure:
            return [(failure.index, str(failure))]
    return list(unpublishable(notebook, course.root))
