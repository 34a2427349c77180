"""What a learner has done: one file, ``progress.json``, in the course folder.

It never leaves the machine and says nothing to the grader. The best attempt counts: nothing that is noted later takes
points, hints or a lesson away, so notes can be joined in any order.
"""

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

from course_lib.classroom.course import Course
from course_lib.classroom.judge import Verdict
from course_lib.classroom.language import _
from course_lib.files import whole_file

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

__all__ = ["FILE", "Progress", "attempted", "load", "note"]

FILE, ASIDE = "progress.json", "progress.damaged.json"
UNTOUCHED = {"not attempted", "missing", "undefined"}


@dataclass(frozen=True)
class Progress:
    """Lessons that were read to the end, by chapter; best points and number of hints seen, by exercise.

    Examples
    --------
    >>> monday = Progress(read=["02"], points={"02.soft_threshold": 3})
    >>> tuesday = Progress(points={"02.soft_threshold": 0, "02.lambda_max": 2}, hints={"02.lambda_max": 1})
    >>> monday.joined(tuesday)
    Progress(read=['02'], points={'02.lambda_max': 2, '02.soft_threshold': 3}, hints={'02.lambda_max': 1})
    """

    read: list[str] = field(default_factory=list)
    points: Mapping[str, int] = field(default_factory=dict)
    hints: Mapping[str, int] = field(default_factory=dict)

    def joined(self, other: "Progress") -> "Progress":
        """What was done in either, the better of both where they differ."""
        read = sorted({*self.read, *other.read})
        return Progress(read, _best(self.points, other.points), _best(self.hints, other.hints))


def _best(one: Mapping[str, int], other: Mapping[str, int]) -> dict[str, int]:
    return {id: max(one.get(id, 0), other.get(id, 0)) for id in sorted({*one, *other})}


def attempted(verdicts: Iterable[Verdict]) -> Progress:
    """The points of the exercises that were attempted."""
    return Progress(points={each.exercise_id: each.points for each in verdicts if each.status not in UNTOUCHED})


def load(course: Course) -> Progress:
    """What has been noted in this course so far.

    Raises
    ------
    ValueError
        The file is damaged, or is not one of ours.
    """
    file = course.root / FILE
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Progress()
    except (ValueError, RecursionError):
        content = None
    match content:
        case {"format": 1, "read": list(read), "points": dict(points), "hints": dict(hints)} if all(
            isinstance(number, str) for number in read
        ) and all(type(value) is int and value >= 0 for value in (*points.values(), *hints.values())):
            return Progress(read, points, hints)
    raise ValueError(
        _("{file} is damaged or not of this course. Move it away, and your next check(...) begins a new one.").format(
            file=file
        )
    )


def note(course: Course, done: Progress) -> Progress:
    """Join what was done to the course's file, and give the whole.

    Several kernels may note at once and nothing is lost; on Windows, which has no ``fcntl``, two that do so in the same
    instant keep the later note. A damaged file is set aside. Where that is so, or nothing can be written, a line is
    printed: whoever asks for a check gets one.
    """
    try:
        with _alone(course.root):
            before = _before(course)
            after = before.joined(done)
            if after != before:
                with whole_file(course.root / FILE, "w", encoding="utf-8") as file:
                    json.dump({"format": 1, **asdict(after)}, file, indent=1)
            return after
    except OSError as error:
        print(_("Your progress was not noted: {error}").format(error=error))
        return done


def _before(course: Course) -> Progress:
    try:
        return load(course)
    except ValueError:
        (course.root / FILE).replace(course.root / ASIDE)
        said = _("{file} was damaged or not of this course. It is now {aside}, and a new record has begun.")
        print(said.format(file=FILE, aside=ASIDE))
        return Progress()


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Nobody else notes in this folder meanwhile: the folder itself is locked, which leaves no file behind."""
    if fcntl is None:
        yield
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # some network file systems lock no folders
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
