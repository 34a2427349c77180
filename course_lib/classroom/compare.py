"""Is an answer the right one, and if not, what is different, in one sentence."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from course_lib.classroom.language import _

__all__ = ["Difference", "close", "close_and_same_type"]


class Difference(NamedTuple):
    """What is wrong with an answer.

    ``says`` gives nothing of the right answer away, for grading on hidden cases; ``shown`` names what was expected
    and what was received, for the learner's own check.
    """

    says: str
    shown: str


def close(answer: Any, expected: Any, *, rtol: float = 1e-5, atol: float = 1e-6) -> Difference | None:
    """``None`` if the answer has the structure, shape, kind and entries of what was expected.

    - Floating-point numbers may differ by ``atol + rtol·|expected|``; NaN equals only NaN.
    - Where whole numbers are expected, the answer must equal them: write ``1068.0`` to allow a tolerance.
    - A mask must be boolean: numbers 0 and 1 are not one. The width, float32 or float64, does not matter.
    - A single number may be a Python or a NumPy one; a list may be a tuple or an array, an array is not a list.
    - Text is compared without regard to case and to the spaces around it, keys of dictionaries exactly.

    Examples
    --------
    >>> close(np.float32(0.1), 0.1) is None
    True
    >>> close(np.array([1.0, 2.0]), np.array([1.0, 3.0])).shown
    'Entries that differ: 1 of 2. The first is at [1]: expected 3, received 2.'
    """
    if isinstance(expected, list | tuple) and isinstance(answer, np.ndarray) and answer.ndim > 0:
        answer = list(answer)
    if answer is None and expected is not None:
        return Difference(*[_("The result is None: is a return missing?")] * 2)
    if _kind(answer) != _kind(expected):
        return Difference(
            _("The result is {received}, and that is not the kind of value asked for.").format(received=_kind(answer)),
            _("Expected {expected}, received {received}.").format(expected=_kind(expected), received=_kind(answer)),
        )
    match expected:
        case Mapping():
            return _in_keys(answer, expected, rtol, atol)
        case list() | tuple():
            return _in_items(answer, expected, rtol, atol)
        case str():
            return _in_text(answer, expected)
        case None:
            return None
    return _in_entries(np.asarray(answer), np.asarray(expected), rtol, atol)


def close_and_same_type(answer: Any, expected: Any, *, rtol: float = 1e-5, atol: float = 1e-6) -> Difference | None:
    """As :func:`close`, and an array of the right numbers counts only in the right type: where a byte is the point.

    Examples
    --------
    >>> close_and_same_type(np.array([1.0, 2.0]), np.array([1, 2], "int8")).says
    'The numbers are right, but they are stored as float64; int8 is asked for.'
    """
    if difference := close(answer, expected, rtol=rtol, atol=atol):
        return difference
    received, wanted = np.asarray(answer).dtype, np.asarray(expected).dtype
    if received == wanted:
        return None
    says = _("The numbers are right, but they are stored as {received}; {wanted} is asked for.")
    return Difference(*[says.format(received=received, wanted=wanted)] * 2)


def _kind(value: Any) -> str:
    if value is None:
        return _("None")
    if isinstance(value, Mapping):
        return _("a dictionary")
    if isinstance(value, list | tuple):
        return _("a list")
    if isinstance(value, str):
        return _("text")
    array = np.asarray(value)
    match array.dtype.kind, array.ndim > 0:
        case "b", False:
            return _("True or False")
        case "b", True:
            return _("an array of True and False")
        case "i" | "u" | "f" | "c", False:
            return _("a number")
        case "i" | "u" | "f" | "c", True:
            return _("an array of numbers")
    return _("an array of something other than numbers")


def _in_keys(answer: Mapping, expected: Mapping, rtol: float, atol: float) -> Difference | None:
    missing = [key for key in expected if key not in answer]
    unexpected = [key for key in answer if key not in expected]
    if missing or unexpected:
        return Difference(
            _("The dictionary does not have the right keys."),
            _("The keys are not the right ones. Missing: {missing}. Unexpected: {unexpected}.").format(
                missing=missing, unexpected=unexpected
            ),
        )
    return _first_inside(expected, answer, expected, rtol, atol)


def _in_items(answer: list | tuple, expected: list | tuple, rtol: float, atol: float) -> Difference | None:
    if len(answer) != len(expected):
        return Difference(
            _("The list does not have the right length."),
            _("Expected {expected} items, received {received}.").format(expected=len(expected), received=len(answer)),
        )
    return _first_inside(range(len(expected)), answer, expected, rtol, atol)


def _first_inside(places, answer: Any, expected: Any, rtol: float, atol: float) -> Difference | None:
    for place in places:
        if difference := close(answer[place], expected[place], rtol=rtol, atol=atol):
            inside = _("At [{place}]: {difference}")
            return Difference(*(inside.format(place=repr(place), difference=text) for text in difference))
    return None


def _in_text(answer: str, expected: str) -> Difference | None:
    if answer.strip().casefold() == expected.strip().casefold():
        return None
    return Difference(
        _("The text is not the right one."),
        _("Expected {expected!r}, received {received!r}.").format(expected=expected, received=answer),
    )


def _in_entries(answer: np.ndarray, expected: np.ndarray, rtol: float, atol: float) -> Difference | None:
    if answer.shape != expected.shape:
        return Difference(
            _("The result does not have the right shape."),
            _("Expected shape {expected}, received {received}.").format(expected=expected.shape, received=answer.shape),
        )
    whole = expected.dtype.kind not in "fc"
    wrong = answer != expected if whole else ~np.isclose(answer, expected, rtol=rtol, atol=atol, equal_nan=True)
    if not wrong.any():
        return None
    first = tuple(int(i) for i in np.argwhere(wrong)[0])
    values = {"expected": _number(expected[first]), "received": _number(answer[first])}
    if expected.ndim == 0:
        return Difference(_("The value is not right."), _("Expected {expected}, received {received}.").format(**values))
    counts = {"wrong": int(wrong.sum()), "total": wrong.size}
    return Difference(
        _("Entries that differ: {wrong} of {total}.").format(**counts),
        _(
            "Entries that differ: {wrong} of {total}. "
            "The first is at [{place}]: expected {expected}, received {received}."
        ).format(place=", ".join(map(str, first)), **counts, **values),
    )


def _number(value: np.generic) -> str:
    return f"{value:.7g}" if value.dtype.kind in "fc" else str(value)
