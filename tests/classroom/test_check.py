"""What a learner sees in a notebook."""

import subprocess
import sys
from html.parser import HTMLParser

import numpy as np
import pytest

from course_lib.classroom import check, hint
from course_lib.classroom import check as check_function
from course_lib.classroom.check import hints_given

pytestmark = pytest.mark.usefixtures("bank")


def test_a_right_answer():
    feedback = check("91.soft_threshold", lambda w, t: w - np.clip(w, -t, t))
    assert repr(feedback) == "✔ Passed: The soft threshold (3 of 3 points)\nAll 5 cases are right."


def test_a_misconception_comes_first_and_the_case_follows():
    feedback = check("91.soft_threshold", lambda w, t: np.where(abs(w) > t, w, w * 0))
    lines = repr(feedback).splitlines()
    assert lines[0] == "✘ Not yet right: The soft threshold (0 of 3 points)"
    assert lines[1] == "That is the hard threshold."
    assert lines[2].startswith("Entries that differ: 3 of 7. The first is at [2]: expected")
    assert lines[3] == "Case: entries on both sides of the threshold"
    assert lines[4].startswith("w: [") and lines[5] == "t: 0.5"
    assert lines[6].startswith("Expected: [") and lines[7].startswith("Received: [")


def test_a_mistake_in_some_cases_only_is_no_misconception():
    def hard_for_vectors(w, t):
        return np.where(np.abs(w) <= t, 0, w) if w.ndim == 1 else w - np.clip(w, -t, t)

    feedback = check("91.soft_threshold", hard_for_vectors)
    assert feedback.verdict.misconception is None and feedback.verdict.status == "wrong"


def test_an_exception_is_told_with_its_line_and_without_a_traceback():
    def soft_threshold(w, t):
        scale = 0
        return int(t) // scale  # this very line

    text = repr(check("91.soft_threshold", soft_threshold))
    assert "Your code raised ZeroDivisionError: " in text
    assert "It happened in the line: return int(t) // scale  # this very line" in text
    assert "Traceback" not in text


def test_an_argument_changed_in_place_is_told_even_if_the_result_is_right():
    def soft_threshold(w, t):
        w -= np.clip(w, -t, t)
        return w

    feedback = check("91.soft_threshold", soft_threshold)
    assert feedback.verdict.status == "wrong"
    assert feedback.verdict.says == ("Your function changed its argument. Work on a copy and return the result.",)


def test_a_stub_is_not_attempted():
    def kept(w):
        raise NotImplementedError

    for feedback in (check("91.kept", kept), check("91.kept", ...), check("91.letter", ...)):
        assert repr(feedback).splitlines()[0].startswith("○ Not attempted")
        assert len(repr(feedback).splitlines()) == 2


def test_a_large_array_is_told_by_shape_and_type():
    def right_but_for_images(w, t):
        return w if w.ndim == 4 else w - np.clip(w, -t, t)

    text = repr(check("91.soft_threshold", right_but_for_images))
    assert "w: array of shape (3, 3, 2, 4), float32" in text
    assert "Received: array of shape (3, 3, 2, 4), float32" in text


def test_a_matrix_begins_on_its_own_line_and_has_no_negative_zeros():
    text = repr(check("91.kept", lambda w: np.abs(w) > 0.5 if w.ndim == 1 else -0.0 * np.ones((2, 2))))
    assert text.endswith("Received:\n[[0. 0.]\n [0. 0.]]")


def test_the_result_of_the_function_is_not_the_function():
    assert "Hand over the function itself" in repr(check("91.kept", np.array([True])))


def test_a_value_is_judged_without_giving_the_right_one_away():
    assert check("91.parameters", 266_610.0).verdict.passed
    assert check("91.letter", " b").verdict.passed
    biases = check("91.parameters", np.int64(266_200))
    assert "The biases are missing." in repr(biases)
    for wrong in (
        biases,
        check("91.parameters", 266_611),
        check("91.parameters", "many"),
        check("91.parameters", None),
    ):
        assert not wrong.verdict.passed
        assert len(wrong.verdict.says) == 1
        assert "266610" not in repr(wrong) + wrong._repr_html_()


class Weird:
    """Equal to everything, true and false, and ill-behaved."""

    __wrapped__ = property(lambda self: self)

    def __eq__(self, other):
        raise ValueError("not comparable")

    def __bool__(self):
        raise ValueError("neither")

    def __array__(self, *args, **kwargs):
        raise RuntimeError("no array")

    def __repr__(self):
        raise RuntimeError("no text")


class Untold(Exception):
    def __str__(self):
        raise RuntimeError("no message")


def raises(error):
    raise error


def endless():
    nested = []
    nested.append(nested)
    return nested


@pytest.mark.parametrize(
    "answer",
    [
        lambda w: raises(SystemExit(0)),
        lambda w: raises(Untold()),
        lambda w: raises(RecursionError()),
        lambda w: Weird(),
        lambda w: (i for i in range(3)),
        lambda w: {1, 2},
        lambda w: endless(),
        lambda w: np.broadcast_to(np.float64(0), (10**6, 10**6)),
        lambda w: np.array([object()]),
        lambda w: 10**30,
        lambda w, extra: w,
        lambda: True,
        Weird(),
        Weird,
        3,
        None,
    ],
)
def test_no_wrong_answer_raises(answer):
    feedback = check("91.kept", answer)
    assert not feedback.verdict.passed
    assert repr(feedback) and feedback._repr_html_()
    assert not check("91.letter", answer).verdict.passed


def test_a_subclass_of_an_array_is_the_array():
    assert check(
        "91.kept", lambda w: (np.abs(w) > 0.5).view(np.matrix) if w.ndim == 2 else np.abs(w) > 0.5
    ).verdict.passed


def test_an_interrupt_is_the_learner_s_own():
    with pytest.raises(KeyboardInterrupt):
        check("91.kept", lambda w: raises(KeyboardInterrupt()))


def test_the_same_answer_has_the_same_feedback():
    def answer(w, t):
        return w * t

    texts = {repr(check("91.soft_threshold", answer)) for _ in range(3)}
    assert len(texts) == 1


class Tags(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.open, self.attributes, self.words = [], [], ""
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.open.append(tag)
        self.attributes.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words += data + "\n"


@pytest.mark.parametrize("answer", [lambda w, t: w - np.clip(w, -t, t), lambda w, t: w * 2, ..., lambda: 1])
def test_the_html_says_what_the_text_says(answer):
    feedback = check("91.soft_threshold", answer)
    page = Tags(feedback._repr_html_())
    assert page.open == []
    tag, attributes = page.attributes[0]
    assert (tag, attributes["role"]) == ("div", "status")
    assert "var(--jp-" in attributes["style"]
    for said in [feedback.headline, *feedback.verdict.says, *(part for line in feedback.evidence for part in line)]:
        assert said in repr(feedback) and said in page.words


def test_the_learner_s_text_is_no_markup():
    feedback = check("91.kept", lambda w: raises(ValueError("<script>alert(1)</script>")))
    assert "<script>" not in feedback._repr_html_()
    assert "&lt;script&gt;" in feedback._repr_html_()
    returned = check("91.kept", lambda w: "<script>alert(1)</script>")
    assert "Received: '<script>" in repr(returned) and "<script>" not in returned._repr_html_()


def test_hints_come_one_after_the_other():
    hints_given.clear()
    assert repr(hint("91.kept")) == "Hint 1 of 2: Begin here."
    assert repr(hint("91.penalty")) == "Hint 1 of 2: Begin here."
    assert repr(hint("91.kept")) == "Hint 2 of 2: Nearly there."
    assert repr(hint("91.kept")).startswith("You have seen both hints.")
    assert repr(hint("91.kept", 1)) == "Hint 1 of 2: Begin here."
    assert "Nearly there." in hint("91.kept", 2)._repr_html_()
    with pytest.raises(ValueError, match="number=3"):
        hint("91.kept", 3)


@pytest.mark.parametrize("ask", [lambda id: check_function(id, 1), hint])
def test_an_unknown_id_names_those_that_look_alike(ask):
    with pytest.raises(ValueError, match=r"91\.penalty"):
        ask("91.penality")


def test_the_classroom_does_not_import_tensorflow():
    program = (
        "import sys; from course_lib.classroom import check, grade, worker, exercises;"
        "exercises.chapters(); sys.exit(bool({'tensorflow', 'keras', 'nbformat'} & sys.modules.keys()))"
    )
    assert subprocess.run([sys.executable, "-c", program]).returncode == 0
