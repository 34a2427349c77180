"""The verdict: what is asked of an answer, and which misconception is named."""

import numpy as np
import pytest

from course_lib.classroom import Case, Exercise, Misconception, check
from course_lib.classroom.attempt import Outcome, attempt
from course_lib.classroom.compare import Difference
from course_lib.classroom.judge import judge


def declare(**options):
    defaults = {
        "id": "02.inverse",
        "title": "Inverse",
        "points": 2,
        "minutes": 2,
        "difficulty": 1,
        "reference": lambda x: 1 / x if x else 0.0,
        "cases": lambda rng: [Case("two", (2.0,)), Case("zero", (0.0,)), Case("any", (rng.normal(),))],
        "misconceptions": [
            Misconception(lambda x: int("one") if x else 0.0, "That is an error of text."),
            Misconception(lambda x: 1 / int(x > 1), "Zero has no inverse."),
            Misconception(lambda x: -x, "That is the opposite."),
            Misconception(lambda x: 0 - x, "Declared later, and the same."),
        ],
        "hints": ["one", "two"],
    }
    return Exercise(**defaults | options)


def verdict(exercise, answer, **options):
    return judge(exercise, lambda args: attempt(answer, args), **options)


def test_a_misconception_may_raise_and_is_named_by_the_kind_of_its_error():
    def answer(x):
        return 1.0 if x > 1 else 1 / 0

    result = verdict(declare(), answer)
    assert result.status == "wrong" and result.misconception.says == "Zero has no inverse."

    def other_error(x):
        return 1.0 if x > 1 else [][0]

    assert verdict(declare(), other_error).misconception is None


def test_the_first_misconception_that_fits_is_named():
    assert verdict(declare(), lambda x: np.negative(x)).misconception.says == "That is the opposite."


def test_points_are_all_or_none():
    right, wrong = verdict(declare(), lambda x: x**-1 if x else 0.0), verdict(declare(), lambda x: 1 / 2)
    assert (right.passed, right.points, right.max_score) == (True, 2, 2)
    assert (wrong.passed, wrong.points, wrong.max_score) == (False, 0, 2)


def test_every_seed_draws_its_cases():
    seen = []
    verdict(declare(), lambda x: seen.append(x) or (1 / x if x else 0.0), seeds=[5, 6])
    assert seen == [2.0, 0.0, np.random.default_rng(5).normal(), 2.0, 0.0, np.random.default_rng(6).normal()]


def test_an_answer_that_hangs_is_not_waited_for_in_every_case():
    calls = []
    result = judge(declare(), lambda args: calls.append(args) or Outcome("timeout"))
    assert result.status == "timeout" and len(calls) == 1


def test_a_comparison_that_cannot_take_the_answer_finds_it_wrong():
    def same_letters(answer, expected):
        return None if sorted(answer) == sorted(expected) else Difference("other letters", "other letters")

    exercise = declare(
        reference="abc", cases=None, compare=same_letters, misconceptions=[Misconception("abd", "d is not c")]
    )
    assert judge(exercise, lambda args: attempt(lambda: "cab")).passed
    assert judge(exercise, lambda args: attempt(lambda: "dab")).says == ("d is not c",)
    assert judge(exercise, lambda args: attempt(lambda: 3)).says == ("The result is not the kind of value asked for.",)


def test_the_line_is_the_learner_s_and_not_the_library_s(bank):
    def penalty(w):
        return np.linalg.inv(np.zeros((2, 2))).sum()  # the learner's

    assert "# the learner's" in check("91.penalty", penalty).verdict.says[1]


# groups of cases


def in_groups(rng):
    yield Case("two", (2.0,), group="numbers")
    yield Case("any", (rng.normal(),), group="numbers")
    yield Case("zero", (0.0,), group="zero and one")
    yield Case("one", (1.0,), group="zero and one")


def test_each_group_has_its_share_of_the_points_rounded_down():
    exercise = declare(points=3, cases=in_groups)
    result = verdict(exercise, lambda x: 1 / x if x else float("inf"))
    assert (result.status, result.points, result.max_score) == ("wrong", 1, 3)
    assert result.groups == {"numbers": True, "zero and one": False}
    assert result.says[-1] == "Right: numbers. Not yet: zero and one."
    assert verdict(exercise, lambda x: 5.0).points == 0
    assert verdict(exercise, lambda x: 1 / x if x else 0.0).points == 3


def test_an_answer_that_hangs_in_one_group_is_still_asked_about_the_others():
    asked = []

    def call(args):
        asked.append(args[0])
        return Outcome("timeout") if args[0] == 2.0 else Outcome("returned", 1.0 if args[0] else 0.0)

    result = judge(declare(points=4, cases=in_groups), call)
    assert asked == [2.0, 0.0, 1.0]
    assert (result.status, result.points) == ("timeout", 2)


def test_an_answer_that_is_not_there_is_asked_once():
    asked = []
    result = judge(declare(cases=in_groups), lambda args: asked.append(args) or Outcome("undefined"))
    assert (len(asked), result.points, {*result.groups.values()}) == (1, 0, {False})


def test_a_group_in_which_a_constant_would_be_right_is_refused():
    def cases(rng):
        yield Case("two", (2.0,))
        yield Case("any", (rng.normal(),))
        yield Case("zero", (0.0,), group="zero")
        yield Case("zero again", (-0.0,), group="zero")

    with pytest.raises(RuntimeError, match=r"02\.inverse: .*'zero' are the same"):
        verdict(declare(cases=cases), lambda x: 0.0)
