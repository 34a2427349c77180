"""Does a built notebook agree with its source? Nothing is executed."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import nbformat
from nbformat import NotebookNode

from course_lib.classroom.build.cover import cover
from course_lib.classroom.build.execute import TIMINGS, unpublishable
from course_lib.classroom.build.render import notebooks
from course_lib.classroom.build.source import SourceError, read_source
from course_lib.classroom.course import BUILT, Course
from course_lib.classroom.language import _

__all__ = ["Drift", "course_drift", "notebook_drift"]


class Drift(NamedTuple):
    """One disagreement: the file, the cell in it (counted from 1; None for the whole file), what differs, remedy."""

    file: str
    cell: int | None
    differs: str
    remedy: str

    def __str__(self) -> str:
        if self.cell is None:
            return _("{file}: {differs} → {remedy}").format_map(self._asdict())
        return _("{file}: cell {cell} {differs} → {remedy}").format_map(self._asdict())


def course_drift(course: Course, numbers=()) -> Iterator[Drift]:
    """Everything that the built folders do not have as the sources give it."""
    expected = set()
    for path in course.sources(numbers):
        try:
            source = read_source(path)
        except SourceError as error:
            expected |= {course.root / folder / f"{path.stem.removesuffix('_exercises')}.ipynb" for folder in BUILT}
            for line, sentence in error.problems:
                yield Drift(f"{course.shown(path)}:{line}", None, sentence, _("correct the source"))
            continue
        for folder, notebook in notebooks(source).items():
            file = course.root / folder / f"{source.chapter}.ipynb"
            expected.add(file)
            for cell, differs in notebook_drift(notebook, file, course, executed=folder != "exercises"):
                yield Drift(
                    course.shown(file), cell, differs, _("run: course build {number}").format(number=source.number)
                )
    for file in course.built(numbers):
        if file not in expected:
            yield Drift(course.shown(file), None, _("has no source"), _("delete it"))


def notebook_drift(
    expected: NotebookNode, file: Path, course: Course, *, executed: bool
) -> Iterator[tuple[int | None, str]]:
    """Number of the cell (from 1; None: the whole file) and what differs between the file and ``expected``."""
    if not file.is_file():
        yield None, _("is missing")
        return
    try:
        found = nbformat.read(file, as_version=nbformat.NO_CONVERT)
        nbformat.validate(found)
    except (ValueError, nbformat.ValidationError) as error:  # not UTF-8, not JSON, not a notebook
        yield None, _("is not a notebook ({error})").format(error=str(error).splitlines()[0])
        return
    if executed:
        found.metadata.pop(TIMINGS, None)  # another run, another machine: nothing that the source gives
    if found.metadata != expected.metadata or found.nbformat_minor != expected.nbformat_minor:
        yield None, _("the notebook's metadata differ")
    yield from _cells_drift(expected.cells, found.cells)
    yield from _outputs_drift(found, course, executed)
    picture, beside = cover(found), file.with_suffix(".png")
    if (beside.read_bytes() if beside.is_file() else None) != picture:
        yield None, _("the picture {file} beside it is not the one of its cell 'cover'").format(file=beside.name)


def _cells_drift(expected: list, found: list) -> Iterator[tuple[int | None, str]]:
    wanted = {cell.id: cell for cell in expected}
    present = {cell.get("id"): cell for cell in found}
    for number, cell in enumerate(expected, start=1):
        if cell.id not in present:
            yield number, _("is missing: {text!r}").format(text=_first_line(cell))
    for number, cell in enumerate(found, start=1):
        if cell.get("id") not in wanted:
            yield number, _("is not in the source: {text!r}").format(text=_first_line(cell))
            continue
        for part in ("cell_type", "source", "metadata"):
            if cell[part] != wanted[cell.id][part]:
                yield number, _("has another {part}: {text!r}").format(part=part, text=_first_line(cell))
    if [id for id in present if id in wanted] != [id for id in wanted if id in present] or len(present) < len(found):
        yield None, _("the cells are in another order, or repeated")


def _outputs_drift(found: NotebookNode, course: Course, executed: bool) -> Iterator[tuple[int | None, str]]:
    code = [(number, cell) for number, cell in enumerate(found.cells, start=1) if cell.cell_type == "code"]
    for count, (number, cell) in enumerate(code, start=1):
        if not executed and (cell.outputs or cell.execution_count is not None):
            yield number, _("carries outputs; an exercise is handed out without")
        if executed and cell.execution_count != count:
            yield (
                number,
                _("was not executed in order: it has the count {count}, not {expected}").format(
                    count=cell.execution_count, expected=count
                ),
            )
    if executed:
        yield from ((index + 1, sentence) for index, sentence in unpublishable(found, course.root))


def _first_line(cell) -> str:
    return cell.source.strip().partition("\n")[0][:60]
