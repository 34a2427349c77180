"""A chapter's exercises as plain data, for a learner's copy; :mod:`course_lib.classroom.frozen` reads them."""

import zlib
from collections.abc import Iterable
from functools import partial
from inspect import signature

import numpy as np

from course_lib.classroom import compare
from course_lib.classroom.artefact import fashion_images
from course_lib.classroom.attempt import attempt
from course_lib.classroom.exercise import Case, Exercise
from course_lib.classroom.judge import CHECK_SEED
from course_lib.classroom.wire import WireError, pack

__all__ = ["freeze"]

SHOWN = ("id", "title", "points", "minutes", "difficulty", "hints")  # as they are
GOAL = ("says", "measure", "otherwise", "at_most", "at_least")


def freeze(exercises: Iterable[Exercise]) -> bytes:
    """What the check of these exercises needs, as the bytes of a ``.frozen`` file.

    Raises
    ------
    ValueError
        An exercise cannot be written down as plain data; the message names it and says why.
    """
    return zlib.compress(pack([np.frombuffer(_message(exercise), "uint8") for exercise in exercises]), 9)


def _message(exercise: Exercise) -> bytes:
    if exercise.kind not in HOW:
        raise ValueError(f"{exercise.id}: kind={exercise.kind!r} cannot be frozen, only one of {', '.join(HOW)}.")
    shown = {name: getattr(exercise, name) for name in SHOWN}
    try:
        return pack({"kind": exercise.kind, "shown": shown, **HOW[exercise.kind](exercise)})
    except WireError as error:
        raise ValueError(f"{exercise.id} cannot be frozen: {error}.") from error


def _answers(exercise: Exercise) -> dict:
    """What the reference and the misconceptions give for each case, and how to compare with it."""
    cases = exercise.draw([CHECK_SEED])
    return {
        "compare": _comparison(exercise),
        "parameters": [*signature(exercise.reference).parameters] if exercise.kind == "function" else [],
        "cases": [{"says": case.says, "args": case.args, "group": case.group} for case in cases],
        "right": _outcomes(exercise, exercise.reference, cases),
        "wrong": [
            {"says": misconception.says, "outcomes": _outcomes(exercise, misconception.wrong, cases)}
            for misconception in exercise.misconceptions
        ],
    }


def _file(exercise: Exercise) -> dict:
    """What is asked of a file; not what makes one."""
    artefact = exercise.artefact
    if artefact.inputs is not fashion_images:
        raise ValueError(f"{exercise.id}: inputs={artefact.inputs!r} cannot be frozen; leave it at fashion_images.")
    return {
        "artefact": {name: getattr(artefact, name) for name in ("file", "floor", "model", "beside")},
        "goals": [{name: getattr(goal, name) for name in GOAL} for goal in artefact.goals],
    }


HOW = {"function": _answers, "value": _answers, "artefact": _file}


def _outcomes(exercise: Exercise, answer: object, cases: list[Case]) -> list[dict]:
    """What an answer of ours gives for each case."""
    call = answer if exercise.kind == "function" else lambda: answer
    outcomes = [attempt(call, case.args) for case in cases]
    if exercise.kind == "value" and outcomes[0].status != "returned":
        raise ValueError(f"{exercise.id}: {answer!r} cannot be frozen, it is no plain value.")
    return [{"status": each.status, "value": each.value, "error": each.error} for each in outcomes]


def _comparison(exercise: Exercise) -> dict:
    """The name and the options of a function of :mod:`course_lib.classroom.compare`."""
    given = exercise.compare if isinstance(exercise.compare, partial) else partial(exercise.compare)
    name = getattr(given.func, "__name__", "")
    if name not in compare.__all__ or getattr(compare, name) is not given.func or given.args:
        raise ValueError(
            f"{exercise.id}: compare={exercise.compare!r} cannot be frozen; give a function of "
            "course_lib.classroom.compare, with options by functools.partial if need be."
        )
    return {"name": name, "options": given.keywords}
