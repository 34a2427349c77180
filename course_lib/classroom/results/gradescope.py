"""A record as Gradescope takes it in: the content of ``results.json``.

Format: https://gradescope-autograders.readthedocs.io/en/latest/specs/.
"""

from course_lib.classroom.grade import Record
from course_lib.classroom.judge import Verdict
from course_lib.classroom.language import _
from course_lib.classroom.results.words import goals, next_step, outcome

__all__ = ["results"]

# All text is shown as it stands: Gradescope would read the output of a submission as HTML.
AS_IT_STANDS = {"output_format": "text", "test_output_format": "text", "test_name_format": "text"}


def results(record: Record) -> dict:
    """One test for each exercise; for a submission without verdicts no points, and the reason.

    Why grading failed is in a test that only instructors see.

    Examples
    --------
    >>> rejected = results(Record("anna", "rejected", "It is not JSON."))
    >>> rejected["score"], rejected["output"].splitlines()[0]
    (0, 'This file could not be graded. It is not JSON.')
    """
    tests = [_test(verdict) for verdict in record.verdicts]
    if record.status == "error":
        tests.append({"name": _("Grading failed"), "status": "failed", "output": record.reason, "visibility": "hidden"})
    return {
        "score": record.score or 0,
        "output": f"{outcome(record)}\n\n{next_step(record)}",
        **AS_IT_STANDS,
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "tests": tests,
    }


def _test(verdict: Verdict) -> dict:
    return {
        "name": _("{id}: {title}").format(id=verdict.exercise_id, title=verdict.exercise.title),
        "score": verdict.points,
        "max_score": verdict.max_score,
        "status": "passed" if verdict.passed else "failed",
        "output": "\n".join([*verdict.says, *(goal for _state, goal in goals(verdict))]),
        "visibility": "visible",
    }
