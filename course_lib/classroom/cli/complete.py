"""What the shell offers after Tab: the chapters and exercise notebooks that are there; outside of the course, none."""

import os
from pathlib import Path

from course_lib.classroom.course import Course

__all__ = ["chapter_numbers", "exercise_files"]

SUFFIXES = (".ipynb", ".py")


def chapter_numbers(incomplete: str) -> list[str]:
    numbers = {path.name[:2] for path in _course_files("notebooks", "sources")}
    return sorted(number for number in numbers if number.startswith(incomplete))


def exercise_files(incomplete: str) -> list[str]:
    """As they are reached from here, so that the command finds what the shell completed."""
    reached = (os.path.relpath(path) for path in _course_files("exercises"))
    return sorted(path for path in reached if path.startswith(incomplete))


def _course_files(*folders: str) -> list[Path]:
    try:
        root = Course.around(Path.cwd()).root
    except FileNotFoundError:
        return []
    return [path for folder in folders for path in (root / folder).glob("[0-9][0-9]_*") if path.suffix in SUFFIXES]
