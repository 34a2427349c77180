"""A source: one notebook as text, in jupytext's py:percent form. It is what people edit."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from course_lib.classroom.exercise import Exercise
from course_lib.classroom.exercises import chapter, chapters
from course_lib.classroom.language import _

__all__ = ["BEGIN", "END", "Cell", "Source", "SourceError", "read_source"]

BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
FILE_NAME = re.compile(r"(?P<chapter>(?P<number>\d\d)_[a-z0-9_]+?)(?P<exercises>_exercises)?\.py")
FROM_JUPYTEXT = {"lines_to_next_cell"}  # how many blank lines followed: nothing that a notebook needs


class SourceError(ValueError):
    """A source breaks rules of the course; ``problems`` has the line and a sentence for each."""

    def __init__(self, path: Path, problems: list[tuple[int, str]]):
        super().__init__("\n".join(f"{path.name}:{line}: {sentence}" for line, sentence in problems))
        self.problems = problems


@dataclass(frozen=True)
class Cell:
    """One cell, and the line of the source where its ``# %%`` stands."""

    kind: str  # "markdown" or "code"
    text: str
    line: int
    metadata: Mapping

    @property
    def tags(self) -> list[str]:
        return self.metadata.get("tags", [])

    @property
    def exercise(self) -> str | None:
        """The id of the exercise that this cell states (markdown) or answers (code)."""
        return self.metadata.get("exercise")

    @property
    def answers(self) -> bool:
        return self.kind == "code" and self.exercise is not None


@dataclass(frozen=True)
class Source:
    """A lesson, or the solved exercises of a chapter together with their declarations."""

    path: Path
    number: str  # "02"
    chapter: str  # "02_l1_and_l2", the name of the built notebooks
    declared: Mapping[str, Exercise] | None  # None: a lesson
    cells: tuple[Cell, ...]

    @property
    def is_lesson(self) -> bool:
        return self.declared is None


def read_source(path: Path) -> Source:
    """The source in the file, after it has been held to every rule in :mod:`rules`.

    Raises
    ------
    SourceError
        The file's name, or its content, breaks a rule; each failure names file, line and rule.
    """
    from course_lib.classroom.build.rules import broken  # rules speak about sources

    named = FILE_NAME.fullmatch(path.name)
    if not named:
        raise SourceError(path, [(1, _("A source is called NN_name.py or NN_name_exercises.py, in lower case."))])
    source = Source(
        path=path,
        number=named["number"],
        chapter=named["chapter"],
        declared=_declared(named["number"]) if named["exercises"] else None,
        cells=_cells(path),
    )
    if problems := broken(source):
        raise SourceError(path, problems)
    return source


def _cells(path: Path) -> tuple[Cell, ...]:
    import jupytext

    text = path.read_text(encoding="utf-8")
    cells = jupytext.reads(text, fmt="py:percent").cells
    lines = [number for number, line in enumerate(text.splitlines(), start=1) if line.startswith("# %%")]
    if len(lines) != len(cells):
        sentence = _(
            "{lines} lines begin with '# %%' but they make {cells} cells. Begin the file with '# %%', "
            "and do not begin a line inside a string with it."
        ).format(lines=len(lines), cells=len(cells))
        raise SourceError(path, [(1, sentence)])
    return tuple(
        Cell(cell.cell_type, cell.source, line, {k: v for k, v in cell.metadata.items() if k not in FROM_JUPYTEXT})
        for cell, line in zip(cells, lines, strict=True)
    )


def _declared(number: str) -> dict[str, Exercise]:
    return {exercise.id: exercise for exercise in chapter(number)} if number in chapters() else {}
