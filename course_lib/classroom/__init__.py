"""Teaching: exercises that are declared once, checked at once, and graded without trusting what was handed in.

In a notebook: ``from course_lib.classroom import check, finish, hint``.
In a chapter's declarations: ``from course_lib.classroom import Artefact, Case, Exercise, Goal, Misconception``.
"""

from course_lib.classroom.artefact import Artefact, Goal
from course_lib.classroom.check import check, finish, hint
from course_lib.classroom.compare import close
from course_lib.classroom.exercise import Case, Exercise, Misconception

__all__ = ["Artefact", "Case", "Exercise", "Goal", "Misconception", "check", "close", "finish", "hint"]
