"""The learners' zip: lessons, exercises to fill in, and the library with frozen exercises."""

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

from course_lib.classroom.build.source import read_source
from course_lib.classroom.course import Course
from course_lib.classroom.exercises import chapter, chapters
from course_lib.classroom.release.contents import require_clean
from course_lib.classroom.release.freeze import freeze
from course_lib.classroom.release.pack import BANK, FILES, copy_library, pack_folder

__all__ = ["learners", "stage"]

TOP = ("LICENSE", "Makefile", "environment.yml", "pyproject.toml", "requirements.lock")


def learners(course: Course, out: Path) -> Path:
    """Make ``out/pruning-course.zip``.

    Raises
    ------
    ValueError
        Something would leave the course that must not: nothing was written. The message names all of it.
    FileNotFoundError
        The course is a learner's copy itself, or a file of it is missing.
    """
    with TemporaryDirectory() as temporary:
        folder = Path(temporary)
        stage(course, folder)
        require_clean(folder, course)
        return pack_folder(folder, out / "pruning-course.zip", top="pruning-course")


def stage(course: Course, folder: Path) -> None:
    """Fill the folder with what learners get."""
    text = (FILES / "README.md").read_text(encoding="utf-8").replace("{chapters}", "\n".join(_rows(course)))
    (folder / "README.md").write_text(text, encoding="utf-8")
    for name in TOP:
        shutil.copy(course.root / name, folder)
    for name in ("notebooks", "exercises"):
        shutil.copytree(course.root / name, folder / name, ignore=shutil.ignore_patterns(".*"))
    (folder / "docs").mkdir()
    shutil.copy(course.root / "docs" / "glossary.md", folder / "docs")  # the rest is for instructors and the website
    copy_library(folder / "course_lib", declarations=False)
    for number in chapters():
        frozen = folder / "course_lib" / BANK / f"chapter_{number}.frozen"
        frozen.write_bytes(freeze(chapter(number)))


def _rows(course: Course):
    """The chapters as rows of a table in Markdown."""
    for source in map(read_source, course.sources()):
        if source.is_lesson:
            title = source.cells[0].text.partition("\n")[0].removeprefix("# ")
            declared = chapter(source.number) if source.number in chapters() else []
            linked = f"[{len(declared)}](exercises/{source.chapter}.ipynb)" if declared else "–"
            points = sum(exercise.points for exercise in declared) or "–"
            yield f"| {source.number} | [{title}](notebooks/{source.chapter}.ipynb) | {linked} | {points} |"
