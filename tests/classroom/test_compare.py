"""Equal answers are equal, and a difference is said in one sentence."""

import numpy as np
import pytest

from course_lib.classroom import close
from course_lib.classroom.compare import close_and_same_type

ARRAY = np.array([[1.0, 2.0], [3.0, np.nan]])


@pytest.mark.parametrize(
    "answer, expected",
    [
        (ARRAY.astype("float32"), ARRAY),
        (1.0 + 1e-7, 1.0),
        (np.float32(0.1), 0.1),
        (np.array(2), 2),
        (3.0, 3),
        (3, 3.0),
        (np.array([True, False]), np.array([True, False])),
        (" b", "B"),
        ((1, 2.0), [1.0, 2]),
        (np.array([1, 2]), [1, 2]),
        ({"b": [1, ARRAY], "a": None}, {"a": None, "b": (1, ARRAY)}),
        (np.array([np.inf, -np.inf]), np.array([np.inf, -np.inf])),
    ],
)
def test_equal(answer, expected):
    assert close(answer, expected) is None


@pytest.mark.parametrize(
    "answer, expected, shown",
    [
        (None, 2.0, "The result is None: is a return missing?"),
        (0.5, ARRAY, "Expected an array of numbers, received a number."),
        (ARRAY.tolist(), ARRAY, "Expected an array of numbers, received a list."),
        (
            np.array([1.0, 0.0]),
            np.array([True, False]),
            "Expected an array of True and False, received an array of numbers.",
        ),
        (True, 1, "Expected a number, received True or False."),
        ("1", 1, "Expected a number, received text."),
        (ARRAY.ravel(), ARRAY, "Expected shape (2, 2), received (4,)."),
        (np.zeros((2, 2)), ARRAY, "Entries that differ: 4 of 4. The first is at [0, 0]: expected 1, received 0."),
        (
            np.array([1, np.nan]),
            np.array([1, 2.5]),
            "Entries that differ: 1 of 2. The first is at [1]: expected 2.5, received nan.",
        ),
        (266_611, 266_610, "Expected 266610, received 266611."),
        (0.5, 1, "Expected 1, received 0.5."),
        (
            np.array([1.001]),
            np.array([1.0]),
            "Entries that differ: 1 of 1. The first is at [0]: expected 1, received 1.001.",
        ),
        ({"a": 1, "c": 1}, {"a": 1, "b": 1}, "The keys are not the right ones. Missing: ['b']. Unexpected: ['c']."),
        ({"a": 1, "b": [1, 3]}, {"a": 1, "b": [1, 2]}, "At ['b']: At [1]: Expected 2, received 3."),
        ([1], [1, 2], "Expected 2 items, received 1."),
        ("C", "B", "Expected 'B', received 'C'."),
    ],
)
def test_different(answer, expected, shown):
    assert close(answer, expected).shown == shown


def test_the_sentence_for_hidden_cases_gives_no_expected_value_away():
    for answer, expected in [
        (0.25, 0.7654321),
        (np.zeros(3), np.array([0.7654321, 7654321.0, 0.0])),
        ({"mine": 1}, {"7654321": 1}),
        ("mine", "7654321"),
        ({"a": [np.zeros(2)]}, {"a": [np.array([0.7654321, 0])]}),
        (np.zeros(2), np.zeros(7654321)),
        ([0], [0] * 7654321),
    ]:
        assert "7654321" in close(answer, expected).shown
        assert "7654321" not in close(answer, expected).says


def test_the_tolerance_can_be_chosen():
    assert close(1.05, 1.0, rtol=0.1) is None
    assert close({"a": [1.05]}, {"a": [1.0]}, rtol=0.1) is None
    assert close(1.05, 1.0, rtol=0.01)


def test_the_type_counts_where_it_is_asked_for_and_after_the_numbers():
    expected = np.array([1, 2], "int8")
    assert close_and_same_type(np.array([1, 2], "int8"), expected) is None
    assert "stored as int64; int8" in close_and_same_type(np.array([1, 2]), expected).says
    assert close_and_same_type(np.array([1, 3]), expected) == close(np.array([1, 3]), expected)
    assert close_and_same_type(np.float32(1.4), np.float32(1.0), rtol=0.5) is None
