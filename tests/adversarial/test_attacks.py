"""No attack earns a point, reaches out of the sandbox, harms anybody else or stops the batch."""

import csv

import pytest
from attacks import ATTACKS
from processes import descendants

from course_lib.classroom.grade import grade_notebook
from course_lib.classroom.sandbox import Unconfined
from notebooks import FULL, OF_KEPT, notebook, write


def statuses(record):
    return {verdict.exercise.name: verdict.status for verdict in record.verdicts}


def test_there_are_enough_attacks():
    assert len(ATTACKS) >= 40


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_earns_nothing_and_costs_its_own_question_only(batch, name):
    attack, record = ATTACKS[name], batch.records[batch.names[name]]
    found = statuses(record)
    assert record.status == "graded"
    assert found.pop("kept") in attack.ends
    assert record.score <= (FULL if attack.ends == {"passed"} else FULL - OF_KEPT)
    if not attack.own_harm:
        assert set(found.values()) == {"passed"}


def test_honest_students_between_them_lose_nothing(batch):
    honest = {name: record.score for name, record in batch.records.items() if name.endswith("honest")}
    assert len(honest) > 10
    assert set(honest.values()) == {FULL}, honest


def test_the_batch_ends_with_a_row_for_everybody(batch, world):
    assert batch.progress == [(number, len(batch.before)) for number in range(1, len(batch.before) + 1)]
    with open(world.out / "grades.csv", newline="") as file:
        rows = {row["submission"]: row["score"] for row in csv.DictReader(file)}
    assert rows == {name: str(record.score) for name, record in batch.records.items()}


def test_feedback_holds_nothing_of_an_attack_s_error(batch):
    said = [sentence for record in batch.records.values() for verdict in record.verdicts for sentence in verdict.says]
    assert len(set(said)) < 20, set(said)  # the checker's own sentences


def test_no_file_is_left_outside(batch, world):
    assert {path: path.read_bytes() for path in world.submissions.iterdir()} == batch.before
    assert {path.name for path in world.outside.iterdir()} == {"socket"}
    results = {"feedback", "grades.csv", "graded.jsonl", "index.html", "nbgrader.csv", "secret.hex"}
    assert {path.name for path in world.out.iterdir()} == results
    assert not list(world.temporary.iterdir())


def test_no_process_is_left(batch, world):
    assert descendants() <= world.children


def test_nobody_has_knocked(batch, world):
    for listener in world.listeners.values():
        with pytest.raises(BlockingIOError):
            listener.accept()


@pytest.mark.parametrize("name", [name for name, attack in ATTACKS.items() if attack.wins_unconfined])
def test_without_the_sandbox_the_attack_works(name, batch, bank, world, told):
    path = write(world.root / "mine.ipynb", notebook(kept=told(ATTACKS[name].source)))
    record = grade_notebook(path, exercises=world.ours, place=Unconfined(), secret=b"of the test")
    assert statuses(record)["kept"] == "passed"
