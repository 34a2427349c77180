"""Grading: a folder of submitted notebooks in, one table out. Student code runs in workers, scores are made here."""

import csv
import hmac
import json
import os
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from course_lib.classroom.judge import CHECK_SEED, Verdict, judge
from course_lib.classroom.language import _
from course_lib.classroom.session import Session
from course_lib.classroom.submission import Rejected, find_submissions, read_submission
from course_lib.files import whole_file

__all__ = ["Record", "grade_folder", "grade_notebook"]

OUR_NOTEBOOKS = Path(__file__).parents[2] / "exercises"  # the folder of the repository
ROUNDS = 3  # hidden cases are drawn so many times
COLUMNS = ["submission", "chapter", "score", "max_score", "status", "reason"]
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet would run a cell that begins so


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
    path: str | Path,
    *,
    exercises: str | Path = OUR_NOTEBOOKS,
    secret: bytes | None = None,
    reveal: bool = False,
    call_seconds: float = 10.0,
    seconds: float = 120.0,
    name: str | None = None,
) -> Record:
    """Grade one notebook.

    Parameters
    ----------
    path
        The submitted notebook.
    exercises
        The folder of the course's own exercise notebooks. Their setup cell is run, not the submission's.
    secret
        What the hidden cases are drawn from; ``None`` draws the cases of the learner's own check.
    reveal
        Whether the sentences may show right values and exceptions; for a learner's own notebook.
    call_seconds, seconds
        Time limits: of one answer cell or one call, and of the notebook.
    name
        The submission's name in the record, by default the file's without ``.ipynb``.

    Raises
    ------
    FileNotFoundError, RuntimeError
        The course's own notebook of this chapter is missing, or its setup cell fails.
    """
    name = Path(path).stem if name is None else name
    try:
        submission = read_submission(path)
    except Rejected as rejected:
        return Record(name, "rejected", str(rejected))
    verdicts = []
    with Session(_setup(Path(exercises), submission.chapter), submission.answers, call_seconds, seconds) as session:
        for exercise in submission.exercises:
            if exercise.id not in submission.answers:
                verdicts.append(Verdict(exercise, "missing", (_("The answer cell is missing."),)))
                continue
            seeds = [CHECK_SEED] if secret is None else hidden_seeds(secret, exercise.id)
            verdicts.append(judge(exercise, lambda args, e=exercise: session.ask(e, args), seeds, reveal))
    untouched = all(verdict.status == "not attempted" for verdict in verdicts)
    notes = [_note(verdict) for verdict in verdicts if verdict.status in ("missing", "timeout", "died")]
    status = "not attempted" if untouched else "graded"
    return Record(name, status, " ".join(notes), submission.chapter, tuple(verdicts))


def grade_folder(
    folder: str | Path,
    out: str | Path,
    *,
    secret: bytes | None = None,
    workers: int = 2,
    on_progress: Callable[[int, int, Record], None] = lambda done, total, record: None,
    **options,
) -> list[Record]:
    """Grade everything in a folder and write ``grades.csv``, one row each, whatever it is.

    Parameters
    ----------
    folder
        Notebooks, or one folder of notebooks per student.
    out
        The folder to write into; it is made if need be.
    secret
        As for :func:`grade_notebook`. By default that in ``out/secret.hex``, which is made at the first run, so that
        grading again draws the same cases.
    workers
        How many submissions are graded at once.
    on_progress
        Called after each submission with the number done, the number there are, and the record.
    options
        For :func:`grade_notebook`.

    Raises
    ------
    NotADirectoryError
        ``folder``, or the folder of the exercise notebooks, is not there.
    ValueError
        ``out`` is ``folder``.
    """
    folder, out = Path(folder), Path(out)
    for name, needed in (("folder", folder), ("exercises", Path(options.get("exercises", OUR_NOTEBOOKS)))):
        if not needed.is_dir():
            raise NotADirectoryError(f"{name} is {str(needed)!r}, which is not a folder; give one that exists.")
    if folder.resolve() == out.resolve():
        raise ValueError(f"out is {str(out)!r}, the folder of the submissions; give another for the results.")
    submissions = find_submissions(folder, out)
    out.mkdir(parents=True, exist_ok=True)
    secret = _secret(out / "secret.hex") if secret is None else secret
    records = {}
    with ThreadPoolExecutor(workers) as pool:
        futures = [pool.submit(_graded, name, path, secret, options) for name, path in submissions.items()]
        try:
            for future in as_completed(futures):
                record = future.result()
                records[record.submission] = record
                on_progress(len(records), len(futures), record)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    ordered = [records[name] for name in submissions]
    _write(out / "grades.csv", ordered)
    return ordered


def hidden_seeds(secret: bytes, id: str) -> list[int]:
    """Seeds that nobody without the secret can draw the same cases from."""
    digests = (hmac.digest(secret, f"{id} {number}".encode(), "sha256") for number in range(ROUNDS))
    return [int.from_bytes(digest) for digest in digests]


def _graded(name: str, path: Path, secret: bytes, options: dict) -> Record:
    try:
        return grade_notebook(path, secret=secret, name=name, **options)
    except Exception as error:  # one submission must not stop the batch
        return Record(name, "error", f"{type(error).__name__}: {error}")


def _setup(exercises: Path, chapter: str) -> str:
    """The source of the cell tagged ``setup`` in the course's own notebook of the chapter."""
    notebooks = sorted(exercises.glob(f"{chapter}_*.ipynb"))
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


def _secret(path: Path) -> bytes:
    if not path.exists():
        with whole_file(path, "w") as file:
            file.write(secrets.token_hex(32))
        os.chmod(path, 0o600)
    return bytes.fromhex(path.read_text())


def _write(path: Path, records: list[Record]) -> None:
    ids = {verdict.exercise_id: None for record in records for verdict in record.verdicts}
    with whole_file(path, "w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, [*COLUMNS, *sorted(ids)])
        table.writeheader()
        for record in records:
            row = {column: getattr(record, column) for column in COLUMNS}
            row |= {verdict.exercise_id: verdict.points for verdict in record.verdicts}
            table.writerow({column: _harmless(value) for column, value in row.items()})


def _harmless(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value
