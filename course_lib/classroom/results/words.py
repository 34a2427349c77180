"""What a student is told of a record and of each verdict in it.

Nothing here can tell a hidden input, a right value, or the text of an exception: a verdict's sentences hold none, and
why grading failed, which may hold some, is for the instructor.
"""

from course_lib.classroom.exercise import Exercise
from course_lib.classroom.grade import Record
from course_lib.classroom.judge import CHECK_SEED, Verdict
from course_lib.classroom.language import _

__all__ = ["checked", "goals", "next_step", "outcome", "state", "words"]


def outcome(record: Record) -> str:
    """How the submission as a whole came out."""
    match record.status:
        case "rejected":
            return _("This file could not be graded. {reason}").format(reason=record.reason)
        case "error":
            return _("Grading failed. That is not the fault of your answers; your instructor can see the reason.")
        case "not attempted":
            return _("No answer has been written in this notebook yet.")
    return _("{score} of {max_score} points").format(score=record.score, max_score=record.max_score)


def next_step(record: Record) -> str:
    """What to do next."""
    match record.status:
        case "rejected":
            return _(
                "Take the exercise notebook as it was given out, write your answers into its cells, save it, "
                "and hand in that file."
            )
        case "error":
            return _("There is nothing for you to do: your notebook will be graded again.")
        case "not attempted":
            return _("If you did write answers, this is another copy: look for the one that you saved.")
    if all(verdict.passed for verdict in record.verdicts):
        return _("Everything is right. Compare with the solutions, which explain why; then on to the next chapter.")
    return _(
        "Open your notebook at an exercise that is not yet right and change your answer. "
        "check(…) tells at once whether it is right now, and hint(…) helps."
    )


def state(verdict: Verdict) -> str:
    """``passed``, ``partly``, ``wrong`` or ``untouched``."""
    if verdict.passed:
        return "passed"
    if verdict.status == "not attempted":
        return "untouched"
    return "partly" if any(verdict.groups.values()) else "wrong"


def words(state: str) -> str:
    """What a :func:`state` is called, with a sign that does not need its colour."""
    return {
        "passed": _("✔ Right"),
        "partly": _("◐ Partly right"),
        "wrong": _("✘ Not yet right"),
        "untouched": _("○ Not attempted"),
    }[state]


def goals(verdict: Verdict) -> list[tuple[str, str]]:
    """What was asked of a file: the state of each goal and the sentence; the sentences of other verdicts say it."""
    if verdict.exercise.kind != "artefact":
        return []
    reached = {True: ("passed", _("✔ Reached: {goal}")), False: ("wrong", _("✘ Not yet: {goal}"))}
    return [(reached[right][0], reached[right][1].format(goal=goal)) for goal, right in verdict.groups.items()]


def checked(exercise: Exercise) -> tuple[str, ...]:
    """What the cases are about, each once; the same for every seed."""
    if exercise.kind != "function":
        return ()
    return tuple(dict.fromkeys(case.says for case in exercise.draw([CHECK_SEED])))
