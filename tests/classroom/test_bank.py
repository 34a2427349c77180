"""Every declared exercise is proven: what is right passes, what is wrong fails and is told why."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from proof import assert_proven

from course_lib.classroom import Case, Exercise, Misconception, exercises
from course_lib.classroom.grade import grade_notebook

REPOSITORY = Path(__file__).parents[2]
BANK = [exercise for number in exercises.chapters() for exercise in exercises.chapter(number)]
NOTEBOOKS = sorted(REPOSITORY.glob("exercises/*.ipynb"))


def test_exercises_are_declared():
    assert BANK, "no chapter declares an exercise"


@pytest.mark.parametrize("exercise", BANK, ids=lambda exercise: exercise.id)
def test_the_declaration_is_proven(exercise):
    assert_proven(exercise)


def grade(path):
    return grade_notebook(path, exercises=REPOSITORY / "exercises", secret=b"of the test")


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_untouched_notebook_is_not_attempted(path):
    record = grade(path)
    assert (record.status, record.score, record.reason) == ("not attempted", 0, "")
    assert [verdict.exercise for verdict in record.verdicts] == exercises.chapter(path.name[:2])


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_solution_has_full_marks(path, tmp_path):
    solution = Path(shutil.copy(REPOSITORY / "solutions" / path.name, tmp_path))
    for exercise in exercises.chapter(path.name[:2]):
        if exercise.artefact:  # the solution makes it too, by training
            (tmp_path / exercise.artefact.file).write_bytes(exercise.reference())
    record = grade(solution)
    assert (record.status, record.score) == ("graded", record.max_score), [v.says for v in record.verdicts]


def test_the_proof_accepts_the_bank_of_the_tests(bank):
    for exercise in exercises.chapter("91"):
        assert_proven(exercise)


GOOD = {
    "id": "02.half",
    "title": "Half",
    "points": 1,
    "minutes": 2,
    "difficulty": 1,
    "reference": lambda x: x / 2,
    "cases": lambda rng: [Case("a number", (x,)) for x in rng.normal(size=3)],
    "misconceptions": [Misconception(lambda x: x * 2, "twice"), Misconception(lambda x: x, "same")],
    "hints": ["one", "two"],
    "also_right": [lambda x: 0.5 * x, lambda x: x - x / 2],
}


@pytest.mark.parametrize(
    "change, broken",
    [
        ({"also_right": [lambda x: x, lambda x: x]}, r"also_right\[0\] fails"),
        ({"also_right": [lambda x: 0.5 * x]}, "fewer than two differently written"),
        ({"misconceptions": [*GOOD["misconceptions"], Misconception(lambda x: x / 2.0, "?")]}, r"\[2\] passes"),
        ({"misconceptions": [*GOOD["misconceptions"], Misconception(lambda x: x + x, "?")]}, r"\[2\] is named as"),
        ({"hints": ["one", "one"]}, "hints are the same"),
        ({"cases": lambda rng: [Case(" ", (x,)) for x in rng.normal(size=3)]}, "does not say"),
    ],
)
def test_the_proof_rejects_a_bad_declaration(change, broken):
    assert_proven(Exercise(**GOOD))
    with pytest.raises(AssertionError, match=broken):
        assert_proven(Exercise(**GOOD | change))


def test_a_reference_that_fails_is_the_declaration_s_fault_and_not_the_learner_s():
    def changes_its_argument(x):
        x += 1
        return x

    cases = {"cases": lambda rng: [Case("an array", (np.zeros(3),))]}
    with pytest.raises(RuntimeError, match="reference itself"):
        assert_proven(Exercise(**GOOD | cases | {"reference": changes_its_argument}))
