"""One submission to grade, as bytes: what travels to the process that grades it, here or on another machine."""

import base64
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import course_lib
from course_lib.classroom import exercises
from course_lib.classroom.grade import grade_submission
from course_lib.classroom.journal import as_json, fingerprint
from course_lib.classroom.sandbox import Sandbox, Unconfined
from course_lib.classroom.submission import Submission

__all__ = ["Work", "as_task", "here", "library", "work"]

Work = Callable[[bytes], dict]  # gives the record of a task, as JSON
WORKERS = 2


def as_task(submission: Submission, name: str, setup: str, secret: bytes, options: dict) -> bytes:
    """The arguments of :func:`~course_lib.classroom.grade.grade_submission`."""
    files = {id: base64.b64encode(content).decode() for id, content in submission.files.items()}
    parts = {"chapter": submission.chapter, "answers": submission.answers, "files": files}
    return json.dumps(parts | {"name": name, "setup": setup, "secret": secret.hex(), "options": options}).encode()


def work(task: bytes, place: Sandbox | Unconfined) -> dict:
    """Grade what :func:`as_task` made; the record as :func:`~course_lib.classroom.journal.as_json` writes it."""
    parts = json.loads(task)
    files = {id: base64.b64decode(text) for id, text in parts["files"].items()}
    submission = Submission(parts["chapter"], exercises.chapter(parts["chapter"]), parts["answers"], files)
    secret = bytes.fromhex(parts["secret"])
    return as_json(
        grade_submission(submission, parts["name"], parts["setup"], place, secret=secret, **parts["options"])
    )


@contextmanager
def here(unsafe: bool, workers: int | None) -> Iterator[tuple[Work, int]]:
    """Grading on this machine, and how many submissions at once.

    Raises
    ------
    NoSandbox
        No sandbox works here, and ``unsafe`` is not set.
    """
    with Unconfined() if unsafe else Sandbox() as place:
        yield partial(work, place=place), workers or WORKERS


def library() -> str:
    """The fingerprint of what grades: a score depends on all of it."""
    return fingerprint([path.read_bytes() for path in sorted(Path(course_lib.__file__).parent.rglob("*.py"))])
