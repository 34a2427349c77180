"""The contract that every declared exercise keeps."""

import numpy as np

from course_lib.classroom.attempt import attempt
from course_lib.classroom.feedback import Feedback
from course_lib.classroom.judge import CHECK_SEED, judge
from course_lib.classroom.measure import here, judge_file

SEEDS = ([CHECK_SEED], [1, 2, 3])  # the learner's, and others as in grading


def verdict(exercise, answer, seeds=(CHECK_SEED,)):
    if exercise.kind == "value":
        return judge(exercise, lambda args: attempt(lambda: answer), seeds)
    return judge(exercise, lambda args: attempt(answer, args), seeds)


def written_differently(value):
    """What learners write who found this value: in other types, in other letters, rounded."""
    match value:
        case str():
            return [value.lower(), f" {value} "]
        case dict():
            both = zip(*(written_differently(each) for each in value.values()), strict=True)
            return [dict(zip(reversed(value), reversed(each), strict=True)) for each in both]
        case int():
            return [np.int32(value), float(value)]
    return [np.float32(value), float(f"{value:.4g}")]


def untouched(*args):
    raise NotImplementedError


def assert_proven(exercise):
    """The contract of a declaration; an AssertionError says what it breaks."""
    if exercise.artefact:
        return assert_file_proven(exercise)
    alternatives = list(exercise.also_right)
    if exercise.kind == "value":
        alternatives += written_differently(exercise.reference)
    assert len(alternatives) >= 2, "fewer than two differently written right answers"
    for seeds in SEEDS:
        assert verdict(exercise, exercise.reference, seeds).passed, "the reference fails"
        for number, right in enumerate(alternatives):
            said = verdict(exercise, right, seeds).says
            assert verdict(exercise, right, seeds).passed, f"also_right[{number}] fails: {said}"
        for number, misconception in enumerate(exercise.misconceptions):
            result = verdict(exercise, misconception.wrong, seeds)
            assert not result.passed, f"misconceptions[{number}] passes: {misconception.says}"
            named = result.misconception and result.misconception.says
            assert named == misconception.says, f"misconceptions[{number}] is named as another: {named}"
            assert result.says[0] == misconception.says
            assert misconception.says in repr(Feedback(result)) and Feedback(result)._repr_html_()
    stub = untouched if exercise.kind == "function" else ...
    assert verdict(exercise, stub).status == "not attempted"
    assert len({*exercise.hints}) == 2, "the hints are the same"
    if exercise.kind == "function":
        assert all(case.says.strip() for case in exercise.draw([CHECK_SEED])), "a case does not say what it is about"


def assert_file_proven(exercise):
    """The same for a file: two that are right, and for each goal one that misses it and no other."""
    assert judge_file(exercise, None, here).status == "not attempted"
    assert exercise.also_right, "no differently made right file"
    for make in (exercise.reference, *exercise.also_right):
        for hidden in (False, True):
            verdict = judge_file(exercise, make(), here, hidden=hidden)
            assert verdict.passed and verdict.points == exercise.points, f"a right file fails: {verdict.says}"
    for goal in exercise.artefact.goals:
        verdict = judge_file(exercise, goal.missed_by(), here)
        missed = [said for said, reached in verdict.groups.items() if not reached]
        assert missed == [goal.says], f"the file that misses {goal.says!r} misses {missed}"
        assert verdict.points == exercise.points * (len(verdict.groups) - 1) // len(verdict.groups)
        assert goal.otherwise in verdict.says[-1]
