"""``check``, ``hint`` and ``finish``: what the learner calls in a notebook."""

import os
import sys
from contextlib import ExitStack, contextmanager, redirect_stderr
from pathlib import Path
from typing import Any

from course_lib.classroom import exercises
from course_lib.classroom.attempt import attempt
from course_lib.classroom.course import Course
from course_lib.classroom.exercise import Exercise
from course_lib.classroom.exercises import find
from course_lib.classroom.feedback import RIGHT, Feedback, Notice
from course_lib.classroom.judge import judge
from course_lib.classroom.language import _
from course_lib.classroom.measure import here, judge_file
from course_lib.classroom.presence import NBGRADER, course_at_work
from course_lib.classroom.progress import Progress, attempted, note
from course_lib.quiet import silence

__all__ = ["check", "finish", "hint"]

hints_given: dict[str, int] = {}


@contextmanager
def _nothing_on_stderr():
    """Where nbgrader runs: it gives no points to a cell that wrote there, be it a warning or a line of TensorFlow's."""
    with ExitStack() as held:
        if NBGRADER in os.environ:
            held.enter_context(silence())
            held.enter_context(redirect_stderr(sys.stdout))
        yield


@_nothing_on_stderr()
def check(id: str, answer: Any) -> Feedback:
    """Check an answer on the spot: all right, or what is wrong with it and in which case.

    In a notebook that somebody opened in the course, the points are noted for the start page and ``course progress``.
    The best attempt counts.

    Parameters
    ----------
    id
        The exercise, for example ``"02.soft_threshold"``.
    answer
        The function that was written, the value that was found, or the path of the file that was made.

    Returns
    -------
    Feedback
        Shown by the notebook as HTML, by a terminal as text. A wrong answer never raises. Where nbgrader runs the
        notebook, the text is the number of points, which nbgrader counts.

    Raises
    ------
    ValueError
        There is no exercise with this id; the message names those that look alike.
    """
    exercise = find(id)

    def call(args):
        if answer is ... or exercise.kind == "value":
            return attempt(lambda: answer)
        return attempt(answer, args)

    if exercise.artefact:
        verdict = judge_file(exercise, _content(exercise, answer), here)
    else:
        verdict = judge(exercise, call, reveal=True)
    if (course := course_at_work()) is None:
        return Feedback(verdict)
    return Feedback(verdict, best=min(note(course, attempted([verdict])).points.get(id, 0), exercise.points))


def _content(exercise: Exercise, answer: Any) -> bytes | None:
    """The bytes of the file that was asked for; None where the answer is no such file."""
    named = isinstance(answer, str | os.PathLike) and Path(answer).name == exercise.artefact.file
    return Path(answer).read_bytes() if named and Path(answer).is_file() else None


def hint(id: str, number: int | None = None) -> Notice:
    """The first hint for an exercise; called again, the second. ``number`` asks for one of the two.

    Raises
    ------
    ValueError
        There is no exercise with this id, or ``number`` is not 1 or 2.
    """
    exercise = find(id)
    if number not in (None, 1, 2):
        raise ValueError(_("number={number!r}: there are hints 1 and 2.").format(number=number))
    if number is None:
        number = hints_given.get(id, 0) + 1
        hints_given[id] = min(number, 2)
    if course := course_at_work():
        note(course, Progress(hints={id: min(number, 2)}))
    if number > 2:
        return Notice(_("You have seen both hints. hint({id!r}, 1) shows the first again.").format(id=id))
    return Notice(_("Hint {number} of 2: {text}").format(number=number, text=exercise.hints[number - 1]))


def finish(number: str) -> Notice:
    """Note that the lesson of a chapter was read to its end, and say what comes next: the last cell of every lesson.

    What it says is the same for everybody. Outside of the course folder, as on Colab, it cannot name the exercises.

    Raises
    ------
    ValueError
        The course has no such chapter.
    """
    try:
        root = Course.around(Path.cwd()).root
    except FileNotFoundError:
        return Notice(_("Chapter {number} is read.").format(number=number), RIGHT)
    folders = root / "notebooks", root / "sources"  # a new chapter has only its sources when its lesson is built
    names = [path.stem for folder in folders for path in folder.glob(f"{number}_*")]
    if not names:
        raise ValueError(
            _("number={number!r}: there is no such chapter here; give both digits, such as '02'.").format(number=number)
        )
    if course := course_at_work():
        note(course, Progress(read=[number]))
    declared = exercises.chapter(number) if number in exercises.chapters() else []
    if not declared:
        return Notice(_("Chapter {number} is read.").format(number=number), RIGHT)
    says = _("Chapter {number} is read. Next: {file}, {count} exercises for {points} points.")
    file = f"exercises/{min(names, key=len)}.ipynb"  # the lesson's own name is shorter than that of a copy
    points = sum(exercise.points for exercise in declared)
    return Notice(says.format(number=number, file=file, count=len(declared), points=points), RIGHT)
