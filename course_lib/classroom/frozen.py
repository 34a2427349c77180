"""The exercises of a learner's copy: what their check needs, written down, without the code that made it.

In the place of a chapter's declarations such a copy has one file, ``chapter_NN.frozen``. It holds the texts, the cases
of the check, and what the reference and every misconception give for each (of a file, its goals): enough to say whether
an answer is right and which misconception it looks like, but no right function to read, and nothing that hidden cases
could be drawn from. It is compressed, so that nobody reads a right value by accident; whoever takes it apart does find
those, as ``check`` has to know them. :mod:`course_lib.classroom.release.freeze` writes it.
"""

import zlib
from functools import cache, partial
from inspect import Parameter, Signature
from pathlib import Path

import numpy as np

from course_lib.classroom import compare
from course_lib.classroom.artefact import Artefact, Goal
from course_lib.classroom.exercise import Case, Exercise, Misconception
from course_lib.classroom.judge import CHECK_SEED
from course_lib.classroom.language import _
from course_lib.classroom.wire import pack, unpack

__all__ = ["Recorded", "thaw"]


@cache
def thaw(path: Path) -> list[Exercise]:
    """The exercises in a frozen file.

    Raises
    ------
    ValueError
        The file is damaged.
    """
    try:
        messages = unpack(zlib.decompress(path.read_bytes()))
        return [_exercise(unpack(message.tobytes())) for message in messages]
    except (zlib.error, ValueError, LookupError, TypeError, AttributeError) as error:
        raise ValueError(_("{path} is damaged; unpack the course again.").format(path=path)) from error


class Recorded:
    """A function of which a few calls are known: it gives what was recorded, or raises it again.

    Parameters
    ----------
    parameters
        The names of its parameters.
    outcomes
        By the packed arguments: a dictionary with the ``status``, ``value`` and ``error`` of an
        :class:`~course_lib.classroom.attempt.Outcome`.

    Examples
    --------
    >>> double = Recorded(["x"], {pack((2,)): {"status": "returned", "value": 4, "error": ""}})
    >>> double(2)
    4
    """

    def __init__(self, parameters: list[str], outcomes: dict[bytes, dict]):
        self.__signature__ = Signature([Parameter(name, Parameter.POSITIONAL_OR_KEYWORD) for name in parameters])
        self.outcomes = outcomes

    def __call__(self, *args):
        outcome = self.outcomes[pack(args)]
        match outcome["status"]:
            case "returned":
                return outcome["value"]
            case "raised":
                raise type(outcome["error"], (Exception,), {})
            case "not attempted":
                return ...
        return object()  # what cannot be sent is unusable here as well


def _exercise(written: dict) -> Exercise:
    special = _file(written) if written["kind"] == "artefact" else _answers(written)
    return Exercise(**written["shown"], **special)


def _answers(written: dict) -> dict:
    cases = [Case(**case) for case in written["cases"]]
    calls = [pack(case.args) for case in cases]

    def answer(outcomes: list[dict]) -> object:
        if written["kind"] == "value":
            return outcomes[0]["value"]
        return Recorded(written["parameters"], dict(zip(calls, outcomes, strict=True)))

    def check_cases(rng: np.random.Generator) -> list[Case]:
        if rng.bit_generator.state != np.random.default_rng(CHECK_SEED).bit_generator.state:
            raise ValueError(
                _("A learner's copy has the cases of the check only; grade where the exercises are declared.")
            )
        return cases

    comparison = written["compare"]
    return {
        "reference": answer(written["right"]),
        "misconceptions": [Misconception(answer(wrong["outcomes"]), wrong["says"]) for wrong in written["wrong"]],
        "cases": check_cases if written["kind"] == "function" else None,
        "compare": partial(getattr(compare, comparison["name"]), **comparison["options"]),
    }


def _file(written: dict) -> dict:
    nothing = Recorded([], {})  # in the place of what makes a file
    goals = [Goal(**goal, missed_by=nothing) for goal in written["goals"]]
    return {"reference": nothing, "artefact": Artefact(**written["artefact"], goals=goals)}
