"""Where a learner stands: each chapter as its notebooks describe it, what was done of it, and what comes next."""

import json
import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import NamedTuple

from course_lib.classroom.course import Course
from course_lib.classroom.language import _
from course_lib.classroom.progress import Progress

__all__ = ["Chapter", "Step", "chapters", "next_step", "words"]

NOTEBOOK = re.compile(r"(\d\d)_[a-z0-9_]+\.ipynb")  # the course's own, not copies such as 02_l1_and_l2-Copy1.ipynb
MINUTES = re.compile(r"^(\d+) \w+ · ", re.MULTILINE)  # in a lesson's first cell: "40 minutes · runs in …"


@dataclass(frozen=True)
class Chapter:
    """A chapter and what was done of it.

    ``lesson`` and ``exercises`` are paths within the course, ``exercises`` None where the chapter has none; ``worth``
    has the points of each exercise, by id.
    """

    number: str
    title: str
    minutes: int | None
    lesson: str
    exercises: str | None
    worth: dict[str, int]
    done: Progress = field(default_factory=Progress)

    @property
    def points(self) -> int:
        return sum(min(self.done.points.get(id, 0), most) for id, most in self.worth.items())

    @property
    def max_score(self) -> int:
        return sum(self.worth.values())

    @property
    def solved(self) -> int:
        """How many exercises have all their points."""
        return sum(self.done.points.get(id, 0) >= most for id, most in self.worth.items())

    @property
    def read(self) -> bool:
        return self.number in self.done.read

    @property
    def state(self) -> str:
        """``"done"``, ``"read"``, ``"begun"`` or ``"not started"``."""
        if self.read:
            whole = self.exercises is None or 0 < len(self.worth) == self.solved
            return "done" if whole else "read"
        begun = any(id.partition(".")[0] == self.number for id in (*self.done.points, *self.done.hints))
        return "begun" if begun else "not started"


class Step(NamedTuple):
    """The notebook that comes next, and a sentence that says so."""

    notebook: str
    says: str


def chapters(course: Course, done: Progress | None = None) -> list[Chapter]:
    """The chapters of the course in order, each with what was ``done``."""
    lessons = [file for file in course.lessons() if NOTEBOOK.fullmatch(file.name)]
    return [_chapter(course, lesson, done or Progress()) for lesson in lessons]


def next_step(chapters: list[Chapter]) -> Step | None:
    """The first lesson that was not read, or exercises that were not solved; None when all is done."""
    for chapter in chapters:
        if not chapter.read:
            return Step(chapter.lesson, _("Chapter {number}: {title}").format(**vars(chapter)))
        if chapter.state != "done":
            says = _("Exercises of chapter {number}: {title}").format(**vars(chapter))
            return Step(chapter.exercises, says)
    return None


def words(state: str) -> str:
    """The state of a chapter as people read it."""
    return {"done": _("done"), "read": _("read"), "begun": _("begun"), "not started": _("not started")}[state]


def _chapter(course: Course, lesson: Path, done: Progress) -> Chapter:
    exercises = course.root / "exercises" / lesson.name
    title, minutes = _heading(lesson, lesson.stat().st_mtime_ns)
    return Chapter(
        number=lesson.name[:2],
        title=title,
        minutes=minutes,
        lesson=course.shown(lesson),
        exercises=course.shown(exercises) if exercises.is_file() else None,
        worth=_worth(exercises) if exercises.is_file() else {},
        done=done,
    )


@cache
def _heading(lesson: Path, changed: int) -> tuple[str, int | None]:
    """Title and minutes from a lesson's first cell; read again only when the file has ``changed``."""
    first = next(iter(_cells(lesson)), {})
    text = "".join(first.get("source", ""))
    title, minutes = text.partition("\n")[0].removeprefix("# "), MINUTES.search(text)
    return title or lesson.stem, int(minutes[1]) if minutes else None


def _worth(exercises: Path) -> dict[str, int]:
    """Points by exercise id, from the metadata of the cells that check."""
    worth = {}
    for cell in _cells(exercises):
        match cell:
            case {"metadata": {"nbgrader": {"grade": True, "grade_id": str(name), "points": int(points)}}}:
                worth[name.removesuffix("-check").replace("-", ".", 1)] = points
    return worth


def _cells(file: Path) -> list[dict]:
    """The cells of a notebook; none of a file that is damaged, which JupyterLab says when it is opened."""
    try:
        return json.loads(file.read_text(encoding="utf-8"))["cells"]
    except (OSError, ValueError, LookupError, TypeError):
        return []
