"""What the class found hard: for each exercise how many solved it, and which misconceptions were frequent."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median_high
from urllib.parse import quote

from course_lib.classroom.grade import Record
from course_lib.classroom.judge import Verdict
from course_lib.classroom.results.pages import render
from course_lib.classroom.results.words import state

__all__ = ["chapters", "write_overview"]

STATES = ("passed", "partly", "wrong", "untouched")
MOST_FREQUENT = 3


@dataclass(frozen=True)
class ExerciseOfClass:
    """How the class did in an exercise: how many answers in each state, the misconceptions and their counts."""

    id: str
    title: str
    states: dict[str, int]
    misconceptions: list[tuple[str, int]]

    @property
    def share(self) -> float:
        """Of the answers, those that are right."""
        return self.states.get("passed", 0) / sum(self.states.values())


@dataclass(frozen=True)
class ChapterOfClass:
    """How the class did in a chapter."""

    number: str
    count: int
    median: int
    max_score: int
    exercises: list[ExerciseOfClass]


def chapters(records: Sequence[Record]) -> list[ChapterOfClass]:
    """The chapters that were handed in, their exercises in the notebook's order."""
    of_class = []
    for number in sorted({record.chapter for record in records if record.verdicts}):
        mine = [record for record in records if record.verdicts and record.chapter == number]
        columns = zip(*(record.verdicts for record in mine), strict=True)
        median = median_high(record.score for record in mine)
        exercises = [_exercise(verdicts) for verdicts in columns]
        of_class.append(ChapterOfClass(number, len(mine), median, mine[0].max_score, exercises))
    return of_class


def _exercise(verdicts: Sequence[Verdict]) -> ExerciseOfClass:
    exercise = verdicts[0].exercise
    counts = Counter(state(verdict) for verdict in verdicts)
    named = Counter(verdict.misconception.says for verdict in verdicts if verdict.misconception)
    states = {state: counts[state] for state in STATES if counts[state]}
    return ExerciseOfClass(exercise.id, exercise.title, states, named.most_common(MOST_FREQUENT))


def write_overview(path: Path, records: Sequence[Record], pages: dict[str, str]) -> None:
    """Write the instructor's page; ``pages`` has the address of each submission's page, as seen from it."""
    links = {submission: quote(page) for submission, page in pages.items()}
    statuses = dict(Counter(record.status for record in records))
    render(path, "overview.html.jinja", records=records, chapters=chapters(records), statuses=statuses, links=links)
