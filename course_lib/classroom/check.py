"""``check`` and ``hint``: what the learner calls in a notebook."""

import html
import os
import sys
from contextlib import ExitStack, contextmanager, redirect_stderr
from dataclasses import dataclass
from inspect import signature
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

from course_lib.classroom.attempt import attempt
from course_lib.classroom.exercise import Exercise
from course_lib.classroom.exercises import find
from course_lib.classroom.judge import Verdict, judge
from course_lib.classroom.language import _
from course_lib.classroom.measure import here, judge_file
from course_lib.quiet import silence

__all__ = ["Feedback", "check", "hint"]

WHOLE = 40  # entries of an array that is still printed whole
NBGRADER = "NBGRADER_EXECUTION"  # in the environment of a notebook that nbgrader validates or grades
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
def check(id: str, answer: Any) -> "Feedback":
    """Check an answer on the spot: all right, or what is wrong with it and in which case.

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
    if exercise.artefact:
        return Feedback(judge_file(exercise, _content(exercise, answer), here))

    def call(args):
        if answer is ... or exercise.kind == "value":
            return attempt(lambda: answer)
        return attempt(answer, args)

    return Feedback(judge(exercise, call, reveal=True))


def _content(exercise: Exercise, answer: Any) -> bytes | None:
    """The bytes of the file that was asked for; None where the answer is no such file."""
    named = isinstance(answer, str | os.PathLike) and Path(answer).name == exercise.artefact.file
    return Path(answer).read_bytes() if named and Path(answer).is_file() else None


def hint(id: str, number: int | None = None) -> "Hint":
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
    if number > 2:
        return Hint(_("You have seen both hints. hint({id!r}, 1) shows the first again.").format(id=id))
    return Hint(_("Hint {number} of 2: {text}").format(number=number, text=exercise.hints[number - 1]))


@dataclass(frozen=True)
class Hint:
    """A sentence that a notebook shows as it stands."""

    text: str

    def __repr__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        return _box("var(--jp-info-color1, #1976d2)", [self.text], [])


@dataclass(frozen=True)
class Feedback:
    """A verdict as the learner sees it."""

    verdict: Verdict

    @property
    def headline(self) -> str:
        verdict = self.verdict
        sentence = {
            "passed": _("✔ Passed: {title} ({points} of {max_score} points)"),
            "not attempted": _("○ Not attempted: {title} ({points} of {max_score} points)"),
        }.get(verdict.status, _("✘ Not yet right: {title} ({points} of {max_score} points)"))
        return sentence.format(title=verdict.exercise.title, points=verdict.points, max_score=verdict.max_score)

    @property
    def evidence(self) -> list[tuple[str, str]]:
        """The failing case: its inputs, what was expected and what was received, each with its label."""
        failure, exercise = self.verdict.failure, self.verdict.exercise
        if failure is None or self.verdict.status in ("not attempted", "not a function") or exercise.kind == "value":
            return []
        names = [*signature(exercise.reference).parameters]
        lines = [(_("Case"), failure.case.says)]
        lines += [(name, _shown(value)) for name, value in zip(names, failure.case.args, strict=False)]
        lines.append((_("Expected"), _shown(failure.expected)))
        if failure.outcome.status == "returned":
            lines.append((_("Received"), _shown(failure.outcome.value)))
        return lines

    def __repr__(self) -> str:
        evidence = [f"{label}:\n{text}" if "\n" in text else f"{label}: {text}" for label, text in self.evidence]
        return "\n".join([self.headline, *self.verdict.says, *evidence])

    def _repr_pretty_(self, printer, cycle: bool) -> None:
        """The text of a notebook's output; nbgrader would take any but a number for full points."""
        printer.text(str(self.verdict.points) if NBGRADER in os.environ else repr(self))

    def _repr_html_(self) -> str:
        colour = {
            "passed": "var(--jp-success-color1, #388e3c)",
            "not attempted": "var(--jp-info-color1, #1976d2)",
        }.get(self.verdict.status, "var(--jp-error-color1, #d32f2f)")
        return _box(colour, [self.headline, *self.verdict.says], self.evidence)


def _box(colour: str, sentences: list[str], evidence: list[tuple[str, str]]) -> str:
    """The colour only frames: the words keep the theme's own, and say everything that the colour says."""
    first, *rest = (html.escape(sentence) for sentence in sentences)
    rows = "".join(
        f'<tr><th scope="row" style="text-align:left;vertical-align:top">{html.escape(label)}</th>'
        f'<td style="text-align:left"><pre style="margin:0">{html.escape(text)}</pre></td></tr>'
        for label, text in evidence
    )
    return (
        f'<div role="status" style="border-left:4px solid {colour};padding:4px 12px;'
        'color:var(--jp-content-font-color1, inherit)">'
        f"<p><strong>{first}</strong></p>"
        + "".join(f"<p>{sentence}</p>" for sentence in rest)
        + (f"<table>{rows}</table>" if rows else "")
        + "</div>"
    )


def _shown(value: Any) -> str:
    """Small values whole, a large array as its shape and type."""
    if isinstance(value, np.ndarray) and value.size > WHOLE:
        return _("array of shape {shape}, {dtype}").format(shape=value.shape, dtype=value.dtype)
    if isinstance(value, dict):
        return "\n".join(f"{key!r}: {_shown(each)}" for key, each in value.items())
    if isinstance(value, list | tuple):
        return "\n".join(f"[{index}] {_shown(each)}" for index, each in zip(count(), value))
    if isinstance(value, np.ndarray | np.generic):
        positive_zero = value + 0.0 if value.dtype.kind == "f" else value  # -0. would look like a difference
        with np.printoptions(precision=4, suppress=True):
            return str(positive_zero)
    return repr(value)
