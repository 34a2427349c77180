"""``course build``: sources/*.py become notebooks/, exercises/ and solutions/.

    read_source -> lesson | exercise, solution -> execute -> write

A source is held to the :mod:`rules` before anything is made of it. :mod:`drift` compares what lies in the folders
with what the sources give, without executing; :func:`build` uses it to leave alone what is up to date.
"""

from course_lib.classroom.build.drift import Drift, course_drift
from course_lib.classroom.build.make import build
from course_lib.classroom.build.render import exercise, lesson, notebooks, solution
from course_lib.classroom.build.source import Source, SourceError, read_source
from course_lib.classroom.course import Course

__all__ = [
    "Course",
    "Drift",
    "Source",
    "SourceError",
    "build",
    "course_drift",
    "exercise",
    "lesson",
    "notebooks",
    "read_source",
    "solution",
]
