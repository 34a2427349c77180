"""One call of an answer, and what came of it: the same in the learner's notebook and in the worker of the grader."""

import traceback
from dataclasses import dataclass
from typing import Any

import numpy as np

from course_lib.classroom.wire import WireError, pack, unpack

__all__ = ["Outcome", "attempt"]

LONGEST_TEXT = 500  # characters of an exception's message


@dataclass(frozen=True)
class Outcome:
    """What came of a call.

    ``status`` is one of ``returned`` (then ``value``), ``raised`` (then ``error``, ``message`` and ``line``),
    ``not attempted``, ``undefined``, ``not a function``, ``unusable`` (the result is not plain data), ``timeout``,
    ``memory`` (it took too much) and ``died``. ``changed`` says that the answer changed its arguments.
    """

    status: str
    value: Any = None
    error: str = ""
    message: str = ""
    line: str = ""
    changed: bool = False


def attempt(function: Any, args: tuple = ()) -> Outcome:
    """Call an answer on its own copy of the arguments. Only KeyboardInterrupt gets out.

    The result is made plain, as it would be on its way out of a worker: a subclass of an array is an array.

    Examples
    --------
    >>> attempt(abs, (-2,)).value
    2
    >>> attempt(int, ("two",)).error
    'ValueError'
    """
    if not callable(function):
        return Outcome("not a function")
    sent = pack(args)
    own = unpack(sent)
    try:
        with np.errstate(all="ignore"):
            value = function(*own)
    except NotImplementedError:
        return Outcome("not attempted")
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # SystemExit as well: the answer must not end the notebook or the worker
        return Outcome("raised", error=type(error).__name__, message=_message(error), line=_line(error))
    if value is ...:
        return Outcome("not attempted")
    try:
        return Outcome("returned", value=unpack(pack(value)), changed=_changed(own, sent))
    except WireError:
        return Outcome("unusable", changed=_changed(own, sent))


def _changed(own: tuple, sent: bytes) -> bool:
    try:
        return pack(own) != sent
    except WireError:
        return True


def _message(error: BaseException) -> str:
    try:
        return str(error)[:LONGEST_TEXT]
    except Exception:  # the answer's own exception class may have a broken __str__
        return ""


def _line(error: BaseException) -> str:
    """The last line of the learner's own code on the way to the error, or nothing where there is no source."""
    _ours, *theirs = traceback.extract_tb(error.__traceback__)
    lines = [frame.line for frame in theirs if frame.filename == theirs[0].filename and frame.line]
    return lines[-1] if lines else ""
