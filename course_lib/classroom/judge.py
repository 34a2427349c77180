"""The verdict on an answer: one function for the learner's check and for the hidden grading."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from course_lib.classroom.attempt import Outcome, attempt
from course_lib.classroom.compare import Difference
from course_lib.classroom.exercise import Case, Exercise, Misconception
from course_lib.classroom.language import _

__all__ = ["CHECK_SEED", "Failure", "Verdict", "judge"]

CHECK_SEED = 0
ENDS = {"not attempted", "not a function", "undefined"}  # further cases would say the same
ENDS_GROUP = ENDS | {"timeout", "memory", "died"}  # and these would take long to


@dataclass(frozen=True)
class Failure:
    """The first case that failed: what was expected, what came of it, and how they differ."""

    case: Case
    expected: object
    outcome: Outcome
    difference: Difference | None


@dataclass(frozen=True)
class Verdict:
    """What an answer is worth and why.

    ``status`` is ``passed``, ``wrong``, or the :class:`~course_lib.classroom.attempt.Outcome` that kept the answer
    from being compared. ``says`` are sentences for the learner; unless the verdict was asked to ``reveal``, they hold
    no input, no right value and no text of an exception. ``failure`` holds all of these: it is for the learner's own
    check, not for feedback on hidden cases. ``groups`` tells of each group of cases whether all of it is right.
    """

    exercise: Exercise
    status: str
    says: tuple[str, ...] = ()
    misconception: Misconception | None = None
    failure: Failure | None = field(default=None, repr=False)
    groups: Mapping[str, bool] = field(default_factory=dict)

    @property
    def exercise_id(self) -> str:
        return self.exercise.id

    @property
    def passed(self) -> bool:
        return self.status == "passed"

    @property
    def max_score(self) -> int:
        return self.exercise.points

    @property
    def points(self) -> int:
        """All of the exercise's points, or the share of the groups that are right, rounded down."""
        if self.passed:
            return self.max_score
        return self.max_score * sum(self.groups.values()) // max(len(self.groups), 1)


def judge(
    exercise: Exercise, call: Callable[[tuple], Outcome], seeds: Iterable[int] = (CHECK_SEED,), reveal: bool = False
) -> Verdict:
    """Judge an answer on the cases of every seed.

    Parameters
    ----------
    exercise
        What was asked.
    call
        ``call(args) -> Outcome`` runs the answer, here or in another process; for a value it is called once, without
        arguments.
    seeds
        Each draws the exercise's cases once more.
    reveal
        Whether the sentences may show the right values of a function, and exceptions.
    """
    cases = exercise.draw(seeds)
    rights = [_right(exercise, case) for case in cases]
    _require_different(exercise, cases, rights)
    asked, failures, ended = [], {}, False
    for case, expected in zip(cases, rights, strict=True):
        if ended or (case.group in failures and failures[case.group].outcome.status in ENDS_GROUP):
            continue
        outcome = call(case.args)
        difference = _difference(exercise, outcome, expected)
        if outcome.status != "returned" or outcome.changed or difference:
            failures.setdefault(case.group, Failure(case, expected, outcome, difference))
        asked.append((case, outcome))
        ended = outcome.status in ENDS
    if not failures:
        says = (_("All {count} cases are right.").format(count=len(cases)),) if exercise.kind == "function" else ()
        return Verdict(exercise, "passed", says)
    failure = next(iter(failures.values()))
    misconception = _misconception(exercise, asked)
    status = "wrong" if failure.outcome.status == "returned" else failure.outcome.status
    says = _sentences(exercise, failure, reveal)
    if misconception:  # a value has no failing case to be told about as well
        says = [misconception.says] + (says if exercise.kind == "function" else [])
    groups = {case.group: not ended and case.group not in failures for case in cases}
    if any(groups.values()):
        right = [group for group, passed in groups.items() if passed]
        wrong = [group for group, passed in groups.items() if not passed]
        says.append(_("Right: {right}. Not yet: {wrong}.").format(right="; ".join(right), wrong="; ".join(wrong)))
    return Verdict(exercise, status, tuple(says), misconception, failure, groups)


def _require_different(exercise: Exercise, cases: list[Case], rights: list) -> None:
    """Two cases of every group have to have different right answers; else a constant would be right."""
    if exercise.kind == "value":
        return
    first = {}
    different = set()
    for case, right in zip(cases, rights, strict=True):
        if _difference(exercise, Outcome("returned", first.setdefault(case.group, right)), right):
            different.add(case.group)
    if alike := first.keys() - different:
        raise RuntimeError(
            f"{exercise.id}: all right answers in the group of cases {min(alike)!r} are the same, so a constant would "
            "pass; let cases() yield another."
        )


def _difference(exercise: Exercise, outcome: Outcome, expected: object) -> Difference | None:
    if outcome.status != "returned":
        return None
    try:
        return exercise.compare(outcome.value, expected)
    except Exception:  # an exercise's own comparison need not foresee every kind of answer
        return Difference(*[_("The result is not the kind of value asked for.")] * 2)


def _right(exercise: Exercise, case: Case) -> object:
    outcome = _given(exercise, exercise.reference, case)
    if outcome.status != "returned" or outcome.changed:
        raise RuntimeError(f"{exercise.id}: the reference itself fails on the case {case.says!r}: {outcome}")
    return outcome.value


def _given(exercise: Exercise, answer: object, case: Case) -> Outcome:
    """What an answer of our own gives: the reference or a misconception."""
    return attempt(answer, case.args) if exercise.kind == "function" else attempt(lambda: answer)


def _misconception(exercise: Exercise, asked: list[tuple[Case, Outcome]]) -> Misconception | None:
    """The first one declared that gives what the answer gave, in every case: the same value or the same error."""
    for misconception in exercise.misconceptions:
        if all(_alike(exercise, outcome, _given(exercise, misconception.wrong, case)) for case, outcome in asked):
            return misconception
    return None


def _alike(exercise: Exercise, outcome: Outcome, wrong: Outcome) -> bool:
    if (outcome.status, outcome.error) != (wrong.status, wrong.error):
        return False
    return _difference(exercise, outcome, wrong.value) is None


def _sentences(exercise: Exercise, failure: Failure, reveal: bool) -> list[str]:
    outcome, difference, name = failure.outcome, failure.difference, exercise.name
    match outcome.status:
        case "not attempted":
            return [_("Put your own code in place of the placeholder.")]
        case "undefined":
            return [_("The answer cell does not define {name}.").format(name=name)]
        case "not a function":
            return [_("{name} is not a function. Hand over the function itself, not its result.").format(name=name)]
        case "timeout":
            return [_("Your code took longer than the time allowed.")]
        case "memory":
            return [_("Your code used more memory than is allowed.")]
        case "died":
            return [_("Your code ended the process that it ran in.")]
        case "unusable":
            return [_("The result is too large, or not made of numbers, text, arrays, lists and dictionaries.")]
        case "raised" if reveal:
            said = _("Your code raised {error}: {message}").format(error=outcome.error, message=outcome.message)
            return [said] + ([_("It happened in the line: {line}").format(line=outcome.line)] if outcome.line else [])
        case "raised":
            return [_("Your code raised an error.")]
    if exercise.kind == "value":  # there is only one, and it is what the learner is to find
        return [difference.says]
    said = []
    if outcome.changed:
        said.append(_("Your function changed its argument. Work on a copy and return the result."))
    if difference:
        said.append(difference.shown if reveal else difference.says)
    return said
