"""The contract that every declared exercise keeps."""

from course_lib.classroom.attempt import attempt
from course_lib.classroom.check import Feedback
from course_lib.classroom.judge import CHECK_SEED, judge

SEEDS = ([CHECK_SEED], [1, 2, 3])  # the learner's, and others as in grading


def verdict(exercise, answer, seeds=(CHECK_SEED,)):
    if exercise.kind == "value":
        return judge(exercise, lambda args: attempt(lambda: answer), seeds)
    return judge(exercise, lambda args: attempt(answer, args), seeds)


def untouched(*args):
    raise NotImplementedError


def assert_proven(exercise):
    """The contract of a declaration; an AssertionError says what it breaks."""
    for seeds in SEEDS:
        assert verdict(exercise, exercise.reference, seeds).passed, "the reference fails"
        for number, right in enumerate(exercise.also_right):
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
        assert exercise.also_right, "no differently written right answer"
        assert all(case.says.strip() for case in exercise.draw([CHECK_SEED])), "a case does not say what it is about"
