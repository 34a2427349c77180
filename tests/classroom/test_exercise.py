"""What a declaration must hold, and how it is found."""

import inspect
import textwrap

import numpy as np
import pytest
from proof import assert_proven

from course_lib.classroom import Case, Exercise, Misconception, exercise, exercises

GOOD = {
    "id": "02.half",
    "title": "Half",
    "points": 1,
    "minutes": 2,
    "difficulty": 1,
    "reference": lambda x: x / 2,
    "cases": lambda rng: [Case("a number", (rng.normal(),))],
    "misconceptions": [Misconception(lambda x: x * 2, "twice"), Misconception(lambda x: x, "same")],
    "hints": ["one", "two"],
}


@pytest.mark.parametrize(
    "change",
    [
        {"id": "2.half"},
        {"id": "02.half-life"},
        {"id": "02.lambda"},
        {"title": " "},
        {"points": 0},
        {"points": 1.5},
        {"minutes": -1},
        {"difficulty": 4},
        {"hints": ["one"]},
        {"hints": ["one", "two", "three"]},
        {"misconceptions": GOOD["misconceptions"][:1]},
        {"misconceptions": [Misconception(3, "three"), Misconception(4, "four")]},
        {"reference": 3},
        {"also_right": [3]},
        {"cases": None, "misconceptions": []},
    ],
    ids=str,
)
def test_a_bad_declaration_is_refused_with_its_argument_and_value(change):
    Exercise(**GOOD)
    with pytest.raises(ValueError) as error:
        Exercise(**GOOD | change)
    assert "02.half" in str(error.value) or "id=" in str(error.value)


def test_cases_depend_on_the_seed_and_on_nothing_else():
    half = Exercise(**GOOD)
    drawn = [case.args[0] for case in half.draw([1, 2])]
    assert [case.args[0] for case in half.draw([1, 2])] == drawn
    assert drawn[0] != drawn[1]
    assert drawn[1] == np.random.default_rng(2).normal()


def test_the_declaration_shown_in_the_docstring_works():
    _before, _colons, shown = inspect.getdoc(exercise).partition("::\n")
    source = shown.partition("\nArguments and results")[0]
    namespace = {}
    exec(textwrap.dedent(source), namespace)
    threshold, letter = namespace["EXERCISES"]
    assert (threshold.chapter, threshold.name, threshold.kind) == ("02", "soft_threshold", "function")
    assert letter.kind == "value"
    assert_proven(threshold)
    assert_proven(letter)


def test_the_bank_finds_exercises_and_names_what_looks_alike(bank):
    assert exercises.chapters() == ["91"]
    assert [each.name for each in exercises.chapter("91")][:2] == ["soft_threshold", "kept"]
    assert exercises.find("91.kept").points == 2
    with pytest.raises(ValueError, match=r"'91.soft_treshold'.*\? 91\.soft_threshold$"):
        exercises.find("91.soft_treshold")
    with pytest.raises(ValueError, match=r"'19\.kept'.*91\.kept"):
        exercises.find("19.kept")
    with pytest.raises(ValueError, match=r"'05'.*91"):
        exercises.chapter("05")


def test_only_the_chapter_that_is_asked_for_is_imported(tmp_path, monkeypatch):
    (tmp_path / "chapter_98.py").write_text("EXERCISES = []")
    (tmp_path / "chapter_99.py").write_text("raise ImportError('not asked for')")
    monkeypatch.setattr(exercises, "__path__", [str(tmp_path)])
    assert exercises.chapters() == ["98", "99"]
    assert exercises.chapter("98") == []
    with pytest.raises(ValueError, match=r"no exercise '98\.half'"):
        exercises.find("98.half")


def test_an_exercise_in_the_wrong_chapter_is_refused(tmp_path, monkeypatch):
    (tmp_path / "chapter_97.py").write_text(
        "from course_lib.classroom import exercises, Exercise, Misconception\n"
        "EXERCISES = [Exercise('02.x', 'x', 1, 1, 1, 3, [Misconception(4, 'four')], ['a', 'b'])]"
    )
    monkeypatch.setattr(exercises, "__path__", [str(tmp_path)])
    with pytest.raises(ValueError, match=r"02\.x"):
        exercises.chapter("97")
