"""The verdict on a file that was handed in: one function for the learner's check and for the hidden grading."""

import gzip
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from course_lib.classroom.artefact import Artefact, Measured
from course_lib.classroom.attempt import Outcome, attempt
from course_lib.classroom.exercise import Exercise
from course_lib.classroom.judge import CHECK_SEED, Verdict
from course_lib.classroom.language import _
from course_lib.classroom.worker import Worker

__all__ = ["here", "in_worker", "judge_file"]

OPENED = "from course_lib.classroom.opened import arrays, classes, file_of, open_file, time_beside"
files: dict[str, np.ndarray] = {}  # of models to be compared with, made once
Call = Callable[..., Outcome]  # call(name, *args): a function of course_lib.classroom.opened


class Failed(Exception):
    """The file could not be measured: the outcome says why."""


def judge_file(
    exercise: Exercise, content: bytes | None, call: Call, seeds: Iterable[int] = (CHECK_SEED,), hidden: bool = False
) -> Verdict:
    """Measure a file and see which goals it reaches.

    Parameters
    ----------
    exercise
        What was asked.
    content
        The file's bytes; None where there is none.
    call
        Runs a function of :mod:`course_lib.classroom.opened`: :func:`here` or :func:`in_worker`.
    seeds
        The first draws the inputs.
    hidden
        Whether they are the held-out ones, and messages of errors are kept back.
    """
    artefact = exercise.artefact
    if content is None:
        says = _("Hand in the file {file}, in the folder of the notebook.").format(file=artefact.file)
        return Verdict(exercise, "not attempted", (says,))
    x, y = artefact.inputs(np.random.default_rng(next(iter(seeds))), hidden)
    try:
        measured = _measure(artefact, content, call, x, y)
    except Failed as failed:
        (outcome,) = failed.args
        return Verdict(exercise, outcome.status, (_trouble(artefact, outcome, reveal=not hidden),))
    works = measured.accuracy >= artefact.floor
    reached = {goal.says: works and goal.reached(measured) for goal in artefact.goals}
    says = [_summary(artefact, measured)]
    if not works:
        says.append(_("Below {floor:.0%} right, nothing else counts.").format(floor=artefact.floor))
        return Verdict(exercise, "wrong", tuple(says), groups=reached)
    says += [
        _("Not yet: {goal}. {otherwise}").format(goal=goal.says, otherwise=goal.otherwise)
        for goal in artefact.goals
        if not reached[goal.says]
    ]
    return Verdict(exercise, "passed" if all(reached.values()) else "wrong", tuple(says), groups=reached)


def here(name: str, *args: object) -> Outcome:
    """For :func:`judge_file`: run it in this process."""
    from course_lib.classroom import opened  # waits for TensorFlow

    return attempt(getattr(opened, name), args)


def in_worker(worker: Worker, seconds: float) -> Call:
    """For :func:`judge_file`: run it in a fresh worker, each call within a time limit."""

    def call(name: str, *args: object) -> Outcome:
        began = worker.run(OPENED, seconds)
        return worker.call(name, args, seconds) if began.status == "returned" else began

    return call


def _measure(artefact: Artefact, content: bytes, call: Call, x: np.ndarray, y: np.ndarray) -> Measured:
    suffix = Path(artefact.file).suffix
    if artefact.beside and artefact.beside not in files:  # first of all: nothing of theirs has been opened yet
        files[artefact.beside] = _value(call("file_of", artefact.beside))
    _value(call("open_file", np.frombuffer(content, "uint8"), suffix, artefact.model))
    answers = _value(call("classes", x))
    if not isinstance(answers, np.ndarray) or answers.shape != y.shape or answers.dtype.kind != "i":
        raise Failed(Outcome("unusable"))
    more = {}
    if artefact.beside:
        more["time"] = float(_value(call("time_beside", files[artefact.beside])))
    if artefact.model:
        more["arrays"] = _value(call("arrays"))
    squeezed = len(gzip.compress(content, compresslevel=9, mtime=0))
    return Measured(bytes=len(content), gzip=squeezed, accuracy=float(np.mean(answers == y)), **more)


def _value(outcome: Outcome) -> object:
    if outcome.status != "returned":
        raise Failed(outcome)
    return outcome.value


def _summary(artefact: Artefact, measured: Measured) -> str:
    said = _("{file}: {bytes:,} bytes, {gzip:,} after gzip, {accuracy:.1%} of the images right.").format(
        file=artefact.file, bytes=measured.bytes, gzip=measured.gzip, accuracy=measured.accuracy
    )
    if artefact.beside:
        said += " " + _("Its time is {time:.2f} of that of the file it is compared with.").format(time=measured.time)
    return said


def _trouble(artefact: Artefact, outcome: Outcome, reveal: bool) -> str:
    match outcome.status:
        case "timeout":
            said = _("{file} takes longer than the time allowed.")
        case "memory":
            said = _("{file} takes more memory than is allowed.")
        case "died":
            said = _("{file} ends the process that runs it.")
        case "unusable":
            said = _("{file} does not give one row of class scores for each image.")
        case _ if reveal:
            said = _("{file} cannot be run: {message}")
        case _:
            said = _("{file} cannot be run: it is damaged, or not made for these images.")
    return said.format(file=artefact.file, message=outcome.message)
