"""Grading one submission. Its code runs in workers; scores are made here, where none of it runs."""

import hmac
import json
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from course_lib.classroom.exercise import Exercise
from course_lib.classroom.hide import hidden_files
from course_lib.classroom.judge import CHECK_SEED, Verdict, judge
from course_lib.classroom.language import _
from course_lib.classroom.measure import OPENED, in_worker, judge_file
from course_lib.classroom.sandbox import Sandbox, Unconfined
from course_lib.classroom.session import Session
from course_lib.classroom.submission import Rejected, Submission, read_submission

__all__ = ["Record", "grade_notebook", "grade_submission", "hidden_seeds", "setup_of"]

OUR_NOTEBOOKS = Path(__file__).parents[2] / "exercises"  # the folder of the repository
ROUNDS = 3  # hidden cases are drawn so many times
FILE = 3  # a call of what opens or runs a file that was handed in may take so many times as long as one of an answer


@dataclass(frozen=True)
class Record:
    """The result of one submission.

    ``status`` is ``graded``, ``not attempted`` (every exercise is untouched), ``rejected`` (not a file that can be
    graded) or ``error`` (grading failed); ``reason`` is for the instructor. A record without verdicts has no score.
    """

    submission: str
    status: str
    reason: str = ""
    chapter: str = ""
    verdicts: tuple[Verdict, ...] = ()

    @property
    def score(self) -> int | None:
        return sum(verdict.points for verdict in self.verdicts) if self.verdicts else None

    @property
    def max_score(self) -> int | None:
        return sum(verdict.max_score for verdict in self.verdicts) if self.verdicts else None


def grade_notebook(
    path: str | Path, *, exercises: str | Path = OUR_NOTEBOOKS, place: Sandbox | Unconfined | None = None, **options
) -> Record:
    """Grade one notebook.

    Parameters
    ----------
    path
        The submitted notebook.
    exercises
        The folder of the course's own exercise notebooks. Their setup cell is run, not the submission's.
    place
        Where its code runs: by default in a sandbox that is made for this notebook.
    options
        For :func:`grade_submission`.

    Raises
    ------
    FileNotFoundError, RuntimeError
        The course's own notebook of this chapter is missing, or its setup cell fails.
    NoSandbox
        ``place`` is not given, and no sandbox works on this machine.
    """
    name = Path(path).stem
    try:
        submission = read_submission(path)
    except Rejected as rejected:
        return Record(name, "rejected", str(rejected))
    setup = setup_of(exercises, submission.chapter)
    with nullcontext(place) if place else Sandbox() as opened:
        return grade_submission(submission, name, setup, opened, **options)


def grade_submission(
    submission: Submission,
    name: str,
    setup: str,
    place: Sandbox | Unconfined,
    *,
    secret: bytes | None = None,
    reveal: bool = False,
    call_seconds: float = 10.0,
    seconds: float = 180.0,
) -> Record:
    """Ask every answer of a submission, and judge it.

    Parameters
    ----------
    submission, name
        The answer cells, and what the record is called.
    setup
        The setup cell of the chapter: :func:`setup_of`.
    place
        Where its code runs.
    secret
        What the hidden cases are drawn from; ``None`` draws the cases of the learner's own check.
    reveal
        Whether the sentences may show right values and exceptions; for a learner's own notebook.
    call_seconds, seconds
        Time limits: of one answer cell or one call, and of the submission.

    Raises
    ------
    RuntimeError
        The setup cell fails.
    """
    files = {exercise.id for exercise in submission.exercises if exercise.artefact}
    answers = {id: source for id, source in submission.answers.items() if id not in files}  # not what makes the files

    def seeds(exercise: Exercise) -> list[int]:
        return [CHECK_SEED] if secret is None else hidden_seeds(secret, exercise.id)

    start = partial(place.start, setup, hidden_files(submission.exercises))
    judged = {}
    with Session(start, setup, answers, call_seconds, seconds) as session:
        for exercise in submission.exercises:
            if exercise.id not in submission.answers:
                judged[exercise.id] = Verdict(exercise, "missing", (_("The answer cell is missing."),))
            elif exercise.id not in files:
                call = partial(session.ask, exercise)
                judged[exercise.id] = judge(exercise, call, seeds(exercise), reveal)
    for exercise in submission.exercises:
        if exercise.id not in judged:
            content = submission.files.get(exercise.id)
            with place.start(OPENED) if content else nullcontext() as worker:
                call = in_worker(worker, FILE * call_seconds)
                judged[exercise.id] = judge_file(exercise, content, call, seeds(exercise), secret is not None)
    verdicts = [judged[exercise.id] for exercise in submission.exercises]
    untouched = all(verdict.status == "not attempted" for verdict in verdicts)
    notes = [_note(verdict) for verdict in verdicts if verdict.status in ("missing", "timeout", "memory", "died")]
    status = "not attempted" if untouched else "graded"
    return Record(name, status, " ".join(notes), submission.chapter, tuple(verdicts))


def hidden_seeds(secret: bytes, id: str) -> list[int]:
    """Seeds that nobody without the secret can draw the same cases from."""
    digests = (hmac.digest(secret, f"{id} {number}".encode(), "sha256") for number in range(ROUNDS))
    return [int.from_bytes(digest) for digest in digests]


def setup_of(exercises: str | Path, chapter: str) -> str:
    """The source of the cell tagged ``setup`` in the course's own notebook of the chapter.

    Raises
    ------
    FileNotFoundError, ValueError
        There is no such notebook, or it has no such cell.
    """
    notebooks = sorted(Path(exercises).glob(f"{chapter}_*.ipynb"))
    if not notebooks:
        raise FileNotFoundError(
            f"exercises is {str(exercises)!r}, but it has no notebook {chapter}_*.ipynb; run 'course build' first."
        )
    cells = json.loads(notebooks[0].read_text(encoding="utf-8"))["cells"]
    tagged = ["".join(cell["source"]) for cell in cells if "setup" in cell["metadata"].get("tags", ())]
    if not tagged:
        raise ValueError(f"{notebooks[0]} has no cell tagged 'setup'; tag one in its source and build again.")
    return "\n".join(tagged)


def _note(verdict: Verdict) -> str:
    return _("{id}: {says}").format(id=verdict.exercise_id, says=" ".join(verdict.says))
