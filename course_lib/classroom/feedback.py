"""What ``check``, ``hint`` and ``finish`` show: HTML in a notebook, text in a terminal."""

import html
import os
from dataclasses import dataclass
from inspect import signature
from itertools import count
from typing import Any

import numpy as np

from course_lib.classroom.judge import Verdict
from course_lib.classroom.language import _
from course_lib.classroom.presence import NBGRADER

__all__ = ["RIGHT", "Feedback", "Notice"]

WHOLE = 40  # entries of an array that is still printed whole
INFO = "var(--jp-info-color1, #1976d2)"
RIGHT = "var(--jp-success-color1, #388e3c)"
WRONG = "var(--jp-error-color1, #d32f2f)"
NUMBERS = "margin:0;background:none;word-break:normal;overflow-wrap:anywhere"  # a line ends between numbers, not in one


@dataclass(frozen=True)
class Notice:
    """A sentence that a notebook shows as it stands."""

    text: str
    colour: str = INFO

    def __repr__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        return _box(self.colour, [html.escape(self.text)])


@dataclass(frozen=True)
class Feedback:
    """A verdict as the learner sees it; ``best`` points of an earlier attempt still count."""

    verdict: Verdict
    best: int = 0

    @property
    def headline(self) -> str:
        verdict = self.verdict
        sentence = {
            "passed": _("✔ Passed: {title} ({points} of {max_score} points)"),
            "not attempted": _("○ Not attempted: {title} ({points} of {max_score} points)"),
        }.get(verdict.status, _("✘ Not yet right: {title} ({points} of {max_score} points)"))
        return sentence.format(title=verdict.exercise.title, points=verdict.points, max_score=verdict.max_score)

    @property
    def sentences(self) -> list[str]:
        """What is said below the headline."""
        if self.best <= self.verdict.points:
            return [*self.verdict.says]
        still = _("Your best attempt counts: {points} of {max_score} points.")
        return [*self.verdict.says, still.format(points=self.best, max_score=self.verdict.max_score)]

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
        return "\n".join([self.headline, *self.sentences, *evidence])

    def _repr_pretty_(self, printer, cycle: bool) -> None:
        """The text of a notebook's output; nbgrader would take any but a number for full points."""
        printer.text(str(self.verdict.points) if NBGRADER in os.environ else repr(self))

    def _repr_html_(self) -> str:
        colour = {"passed": RIGHT, "not attempted": INFO}.get(self.verdict.status, WRONG)
        headline, *sentences = map(html.escape, (self.headline, *self.sentences))
        return _box(colour, [f"<strong>{headline}</strong>", *sentences], self.evidence)


def _box(colour: str, paragraphs: list[str], evidence: list[tuple[str, str]] = ()) -> str:
    """The colour only frames: the words keep the theme's own, and say everything that the colour says."""
    rows = "".join(
        f'<tr><th scope="row" style="text-align:left;vertical-align:top">{html.escape(label)}</th>'
        f'<td style="text-align:left"><pre style="{NUMBERS}">{html.escape(text)}</pre></td></tr>'
        for label, text in evidence
    )
    return (
        f'<div role="status" style="border-left:4px solid {colour};padding:4px 12px;'
        'color:var(--jp-content-font-color1, inherit)">'
        + "".join(f'<p style="margin:0.3em 0">{paragraph}</p>' for paragraph in paragraphs)
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
