"""``results.json`` against a strict schema, written from Gradescope's specification."""

import json

import pytest
from jsonschema import Draft202012Validator
from records import record, untouched_record

from course_lib.classroom.grade import Record
from course_lib.classroom.results.gradescope import results

pytestmark = pytest.mark.usefixtures("bank")

# https://gradescope-autograders.readthedocs.io/en/latest/specs/
TEXT, NUMBER = {"type": "string"}, {"type": "number"}
FORMAT = {"enum": ["text", "html", "simple_format", "md", "ansi"]}
VISIBILITY = {"enum": ["hidden", "after_due_date", "after_published", "visible"]}
TEST = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "score": NUMBER,
        "max_score": NUMBER,
        "status": {"enum": ["passed", "failed"]},
        "name": TEXT,
        "name_format": FORMAT,
        "number": TEXT,
        "output": TEXT,
        "output_format": FORMAT,
        "tags": {"type": "array", "items": TEXT},
        "visibility": VISIBILITY,
        "extra_data": {"type": "object"},
    },
}
RESULTS = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "score": NUMBER,
        "execution_time": NUMBER,
        "output": TEXT,
        "output_format": FORMAT,
        "test_output_format": FORMAT,
        "test_name_format": FORMAT,
        "visibility": VISIBILITY,
        "stdout_visibility": VISIBILITY,
        "extra_data": {"type": "object"},
        "tests": {"type": "array", "items": TEST},
        "leaderboard": {"type": "array"},
    },
    "anyOf": [
        {"required": ["score"]},
        {"required": ["tests"], "properties": {"tests": {"minItems": 1, "items": {"required": ["score"]}}}},
    ],
}


def read(record):
    written = json.loads(json.dumps(results(record), allow_nan=False))
    Draft202012Validator(RESULTS).validate(written)
    return written


def test_each_exercise_is_a_test_with_its_points():
    written = read(record("anna", kept=lambda w: w > 0.5, letter="A", parameters=None))
    assert written["score"] == 5 == sum(test["score"] for test in written["tests"])
    assert [(t["name"], t["score"], t["max_score"], t["status"]) for t in written["tests"]] == [
        ("91.soft_threshold: The soft threshold", 3, 3, "passed"),
        ("91.kept: kept", 0, 2, "failed"),
        ("91.penalty: penalty", 2, 2, "passed"),
        ("91.parameters: parameters", 0, 1, "failed"),
        ("91.letter: letter", 0, 1, "failed"),
    ]
    assert written["tests"][1]["output"].startswith("Rank by |w|, not by w.")
    assert written["output"].startswith("5 of 9 points\n")
    assert all(test["visibility"] == "visible" for test in written["tests"])


def test_what_a_student_wrote_is_never_markup():
    """The output of a submission is HTML by default."""
    written = read(Record("anna", "rejected", "The source of cell <img src=x> is not text."))
    assert {written[key] for key in ("output_format", "test_output_format", "test_name_format")} == {"text"}
    assert written["stdout_visibility"] == "hidden"


def test_a_rejected_submission_has_no_points_and_the_reason():
    written = read(Record("anna", "rejected", "It is not JSON."))
    assert written["score"] == 0 and written["tests"] == []
    assert "It is not JSON." in written["output"]


def test_only_instructors_see_why_grading_failed():
    written = read(Record("anna", "error", "RuntimeError: the reference fails on array([0.12573])"))
    assert written["score"] == 0 and "Grading failed" in written["output"]
    (test,) = written["tests"]
    assert test["visibility"] == "hidden" and "0.12573" in test["output"]
    assert "0.12573" not in written["output"]


def test_an_untouched_notebook_has_no_points():
    written = read(untouched_record("anna"))
    assert written["score"] == 0 and {test["status"] for test in written["tests"]} == {"failed"}
    assert "No answer has been written" in written["output"]
