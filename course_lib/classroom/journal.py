"""What has been graded, written down at once, so that a batch that was interrupted goes on where it was."""

import hashlib
import json
import os
import threading
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from course_lib.classroom.exercise import Exercise
from course_lib.classroom.grade import Record
from course_lib.classroom.judge import Verdict

__all__ = ["Journal", "as_json", "fingerprint", "from_json"]


class Journal:
    """A file with one line of JSON for each finished submission. Use it in a ``with`` statement.

    A line that was cut short, by a full disk or a power cut, counts as not written.

    Raises
    ------
    ValueError
        On entering it: another process is writing the same file.
    """

    def __init__(self, path: Path):
        self.path = path
        self.finished: dict[str, dict] = {}
        self.lock = threading.Lock()

    def __enter__(self) -> "Journal":
        import fcntl  # not on Windows, where no sandbox works either

        self.file = open(self.path, "a+b")
        try:
            fcntl.flock(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self.file.close()
            raise ValueError(
                f"{self.path} is being written by another 'course grade'; wait for its end, or give another --out."
            ) from error
        self.file.seek(0)
        lines = self.file.read().splitlines(keepends=True)
        for line in lines:
            with suppress(ValueError):
                written = json.loads(line)
                self.finished[written["key"]] = written["record"]
        if lines and not lines[-1].endswith(b"\n"):
            self.file.write(b"\n")
        return self

    def __exit__(self, *exception) -> None:
        self.file.close()

    def get(self, key: str) -> dict | None:
        """The record with this key, as JSON, if it was finished."""
        return self.finished.get(key)

    def add(self, key: str, record: dict) -> dict:
        """Write a record down, as JSON, and give it back; it is on the disk when this returns."""
        with self.lock:
            self.file.write(json.dumps({"key": key, "record": record}).encode() + b"\n")
            self.file.flush()
            os.fsync(self.file.fileno())
        return record


def fingerprint(*parts: object) -> str:
    """A key that is another as soon as any part is."""
    return hashlib.sha256(repr(parts).encode(errors="backslashreplace")).hexdigest()


def as_json(record: Record) -> dict:
    """All of a record but the hidden cases that failed."""
    verdicts = [
        {
            "exercise": verdict.exercise_id,
            "status": verdict.status,
            "says": verdict.says,
            "misconception": verdict.misconception and verdict.misconception.says,
            "groups": verdict.groups,
        }
        for verdict in record.verdicts
    ]
    fields = {name: getattr(record, name) for name in ("submission", "status", "reason", "chapter")}
    return fields | {"verdicts": verdicts}


def from_json(written: dict, exercises: Iterable[Exercise]) -> Record:
    """The record that :func:`as_json` was made of; its verdicts are on these exercises."""
    known = {exercise.id: exercise for exercise in exercises}
    verdicts = []
    for verdict in written["verdicts"]:
        exercise = known[verdict["exercise"]]
        named = {misconception.says: misconception for misconception in exercise.misconceptions}
        says, misconception = tuple(verdict["says"]), named.get(verdict["misconception"])
        verdicts.append(Verdict(exercise, verdict["status"], says, misconception, groups=verdict["groups"]))
    return Record(**written | {"verdicts": tuple(verdicts)})
