"""Frozen exercises: a learner's copy says exactly what the course says, and holds nothing to grade with."""

import zlib
from functools import cache, partial

import numpy as np
import pytest

from course_lib import data
from course_lib.classroom import Case, Exercise, Misconception, check, close, exercises, hint
from course_lib.classroom.artefact import Artefact, Goal, fashion_images
from course_lib.classroom.attempt import Outcome, attempt
from course_lib.classroom.feedback import Feedback
from course_lib.classroom.frozen import thaw
from course_lib.classroom.judge import judge
from course_lib.classroom.measure import judge_file
from course_lib.classroom.release.freeze import freeze
from course_lib.classroom.wire import unpack

BANK = [exercise for number in exercises.chapters() for exercise in exercises.chapter(number)]
FILES = [exercise for exercise in BANK if exercise.kind == "artefact"]


def untouched(*args):
    raise NotImplementedError


def broken(*args):
    raise ZeroDivisionError("a message")


def spoils(*args):
    """Changes what it can, and returns nothing."""
    for value in args:
        if isinstance(value, np.ndarray):
            value *= 0


def answers(exercise):
    yield exercise.reference
    yield from exercise.also_right
    yield from (misconception.wrong for misconception in exercise.misconceptions)
    yield from (untouched, broken, spoils, lambda *args: {"a": object()}, 3) if exercise.kind == "function" else ()
    yield from (..., None, "something else", np.zeros(2)) if exercise.kind == "value" else ()


def verdict(exercise, answer):
    function = exercise.kind == "function" and answer is not ...
    call = (lambda args: attempt(answer, args)) if function else lambda args: attempt(lambda: answer)
    return judge(exercise, call, reveal=True)


def told(verdict):
    """All that a learner is told, and the points."""
    named = verdict.misconception and verdict.misconception.says
    return verdict.status, verdict.says, named, verdict.groups, verdict.points, repr(Feedback(verdict))


@pytest.fixture
def frozen(tmp_path):
    """``frozen(exercise)``: the exercise as a learner's copy has it."""

    def write_and_read(exercise):
        path = tmp_path / "chapter.frozen"
        path.write_bytes(freeze([exercise]))
        thaw.cache_clear()
        (read,) = thaw(path)
        return read

    return write_and_read


@pytest.mark.parametrize("exercise", [each for each in BANK if each not in FILES], ids=lambda exercise: exercise.id)
def test_every_answer_gets_the_same_verdict_frozen_and_declared(exercise, frozen):
    copy = frozen(exercise)
    for answer in answers(exercise):
        assert told(verdict(copy, answer)) == told(verdict(exercise, answer))
    named = [verdict(copy, misconception.wrong).misconception.says for misconception in exercise.misconceptions]
    assert named == [misconception.says for misconception in exercise.misconceptions]


def measured(right, time):
    """A call for ``judge_file`` in the place of LiteRT: this share of the images right, in this time."""

    def call(name, *args):
        classes = fashion_images(np.random.default_rng(0), hidden=False)[1].astype(int)
        classes[int(right * len(classes)) :] = 99
        return Outcome("returned", {"classes": classes, "time_beside": time}.get(name))

    return call


@pytest.mark.parametrize("exercise", FILES, ids=lambda exercise: exercise.id)
def test_every_file_gets_the_same_verdict_frozen_and_declared(exercise, frozen, monkeypatch):
    monkeypatch.setattr(data, "fashion_mnist", cache(data.fashion_mnist))
    copy = frozen(exercise)
    rng = np.random.default_rng(1)
    verdicts = [
        [told(judge_file(each, content, measured(right, time))) for each in (exercise, copy)]
        for content in (None, b"small", rng.bytes(100_000), rng.bytes(400_000), bytes(400_000))
        for right, time in ((0.1, 0.1), (0.8, 0.1), (0.95, 0.1), (0.95, 0.9))
    ]
    assert all(declared == copied for declared, copied in verdicts)
    assert len({declared[1] for declared, _copied in verdicts}) > len(exercise.artefact.goals)
    with pytest.raises(KeyError):
        copy.reference()


HALF = {
    "id": "92.half",
    "title": "Half",
    "points": 2,
    "minutes": 3,
    "difficulty": 1,
    "reference": lambda x: x / 2,
    "cases": lambda rng: [Case("a number", (x,)) for x in rng.normal(size=3)],
    "misconceptions": [Misconception(lambda x: x * 2, "twice"), Misconception(lambda x: x, "same")],
    "hints": ["one", "two"],
}


def half(**changes):
    return Exercise(**HALF | changes)


def own_images(rng, hidden):
    return np.zeros((1, 2)), np.zeros(1)


def a_file(**changes):
    goal = Goal(says="small", measure="bytes", at_most=9, otherwise="too large", missed_by=bytes)
    artefact = Artefact(**{"file": "x.tflite", "goals": [goal], "floor": 0.5} | changes)
    return {"cases": None, "misconceptions": (), "artefact": artefact}


def unusable(x):
    return object()


def ends(x):
    raise SystemExit("an end")


@pytest.mark.parametrize("wrong", [broken, untouched, unusable, ends, lambda x: ...])
def test_a_misconception_without_a_value_is_recognised_as_well(wrong, frozen):
    exercise = half(misconceptions=[Misconception(lambda x: x, "same"), Misconception(wrong, "none")])
    for answer in (wrong, lambda x: x, lambda x: x + 1):
        assert told(verdict(frozen(exercise), answer)) == told(verdict(exercise, answer))


@pytest.mark.parametrize("compare", [close, partial(close, rtol=0.5), partial(close, atol=0.1, rtol=0)])
def test_the_tolerance_is_kept(compare, frozen):
    exercise = half(compare=compare)
    copy = frozen(exercise)
    for answer in (lambda x: 0.6 * x, lambda x: x / 2 + 0.09, lambda x: x / 2 + 0.2):
        assert verdict(copy, answer).passed == verdict(exercise, answer).passed


def own_comparison(answer, expected):
    return None


@pytest.mark.parametrize(
    "change, message",
    [
        ({"compare": own_comparison}, "92.half: compare=.* cannot be frozen; give a function of course_lib.classroom"),
        ({"compare": partial(own_comparison, rtol=1)}, "cannot be frozen"),
        ({"compare": lambda answer, expected: None}, "cannot be frozen"),
        ({"cases": None, "reference": object()}, "92.half: <object .*> cannot be frozen, it is no plain value"),
        ({"cases": lambda rng: [Case("much", (["x"] * 100_000,))] * 3}, r"92.half cannot be frozen: the value takes"),
        (a_file(inputs=own_images), r"92\.half: inputs=<function own_images .* leave it at fashion_images"),
    ],
)
def test_what_cannot_be_written_down_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        freeze([half(**change)])


def test_another_kind_of_exercise_is_refused(monkeypatch):
    exercise = half()
    monkeypatch.setattr(Exercise, "kind", "essay")
    with pytest.raises(
        ValueError, match=r"92\.half: kind='essay' cannot be frozen, only one of function, value, artefact"
    ):
        freeze([exercise])


def test_no_hidden_case_can_be_drawn(frozen):
    copy = frozen(half())
    assert len(copy.draw([0])) == 3
    with pytest.raises(ValueError, match="A learner's copy has the cases of the check only"):
        copy.draw([1])


def test_only_plain_values_are_written_and_none_by_accident_readable():
    exercise = exercises.find("02.path_order")
    written = freeze([exercise])
    assert exercise.reference.encode() not in written
    (message,) = unpack(zlib.decompress(written))
    plain = unpack(message.tobytes())
    assert set(plain) == {"kind", "shown", "compare", "parameters", "cases", "right", "wrong"}
    assert plain["right"] == [{"status": "returned", "value": exercise.reference, "error": ""}]


def test_the_bank_finds_a_frozen_chapter(bank, tmp_path, monkeypatch):
    declared = exercises.chapter("91")
    before = repr(check("91.kept", lambda w: w > 0.5))
    (tmp_path / "chapter_91.frozen").write_bytes(freeze(declared))
    monkeypatch.setattr(exercises, "__path__", [str(tmp_path)])
    assert exercises.chapters() == ["91"]
    assert [exercise.id for exercise in exercises.chapter("91")] == [exercise.id for exercise in declared]
    assert repr(check("91.kept", lambda w: w > 0.5)) == before
    assert "Rank by |w|, not by w." in before
    assert repr(hint("91.kept", 2)) == "Hint 2 of 2: Nearly there."
    assert "passed" in check("91.letter", " b").verdict.status


@pytest.mark.parametrize(
    "damaged", [b"", b"not compressed", zlib.compress(b"not a message"), zlib.compress(b'{"list":[1]}\0')]
)
def test_a_damaged_file_says_so(tmp_path, damaged):
    path = tmp_path / "chapter_92.frozen"
    path.write_bytes(damaged)
    with pytest.raises(ValueError, match=r"chapter_92\.frozen is damaged; unpack the course again"):
        thaw(path)
    path.write_bytes(freeze([half()])[:-5])
    with pytest.raises(ValueError, match="is damaged"):
        thaw(path)
