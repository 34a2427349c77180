"""Records of the tests' bank, made without a sandbox."""

from proof import untouched, verdict

from course_lib.classroom.exercises import chapter
from course_lib.classroom.grade import Record

SEEDS = (1, 2, 3)


def record(name="anna", status="graded", reason="", **answers):
    """``record("anna", kept=lambda w: ...)``: right answers but for those given; ``None`` is an untouched stub."""
    verdicts = []
    for exercise in chapter("91"):
        answer = answers.pop(exercise.name, exercise.reference)
        stub = untouched if exercise.kind == "function" else ...
        verdicts.append(verdict(exercise, stub if answer is None else answer, SEEDS))
    assert not answers
    return Record(name, status, reason, "91", tuple(verdicts))


def untouched_record(name):
    return record(name, "not attempted", **dict.fromkeys(exercise.name for exercise in chapter("91")))
