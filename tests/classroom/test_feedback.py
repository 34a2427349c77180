"""The pages: what they say, what they never say, and how they are made."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from records import record, untouched_record

from course_lib.classroom import exercises, results
from course_lib.classroom.batch import grade_folder
from course_lib.classroom.grade import Record, hidden_seeds
from course_lib.classroom.judge import Verdict
from course_lib.classroom.results import gradescope, write_results
from course_lib.classroom.results.overview import chapters
from course_lib.classroom.results.pages import page_names

pytestmark = pytest.mark.usefixtures("bank")
SECRET = b"of the test"
VOID = {"meta", "br", "img", "link", "input", "hr"}


class Page(HTMLParser):
    """The elements of a page, the text of each, and whether all are closed."""

    def __init__(self, path):
        super().__init__()
        self.elements, self.open, self.style, self.text = [], [], "", ""
        self.feed(path.read_text(encoding="utf-8"))
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attributes):
        element = {"tag": tag, "text": "", **dict(attributes)}
        self.elements.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_endtag(self, tag):
        assert self.open.pop()["tag"] == tag

    def handle_data(self, data):
        for element in self.open:
            element["text"] += data
        if self.open and self.open[-1]["tag"] == "style":
            self.style += data
        else:
            self.text += data

    def all(self, tag):
        return [element for element in self.elements if element["tag"] == tag]

    def texts(self, tag):
        return [" ".join(element["text"].split()) for element in self.all(tag)]


@pytest.fixture
def write(tmp_path):
    """``write(record, ...)``: the pages of these records by their submissions, the overview as ``index``."""

    def written(*records):
        write_results(records, tmp_path)
        names = page_names(record.submission for record in records)
        pages = {submission: Page(tmp_path / "feedback" / name) for submission, name in names.items()}
        return pages | {"index": Page(tmp_path / "index.html")}

    return written


# What is never said


def numbers_of(value):
    """How the numbers in a value begin when they are printed; short ones, such as 0.5, may stand anywhere."""
    printed = {repr(abs(float(each))) for array in value for each in np.ravel(array) if np.ndim(each) == 0}
    return {each[:7] for each in printed if len(each) > 8}


def test_no_page_and_no_table_tells_a_hidden_input_a_right_value_or_an_exception(
    tmp_path, write_notebook, our_exercises
):
    name = "<script>alert(1)</script>"
    leaks = {
        "soft_threshold": "def soft_threshold(w, t):\n    print(w.tolist())\n    return str(w.tolist())",
        "kept": "def kept(w): raise type('Leak%r' % w.tolist(), (Exception,), {})('<b>my words</b> %r' % w.tolist())",
        "penalty": "def penalty(w):\n    print(w, flush=True)\n    return {'leak': w.tolist(), str(w.tolist()): 1}",
        "parameters": "raise ValueError('<b>my words</b>')",
        "letter": "letter = '<b>my words</b>'",
    }
    write_notebook(tmp_path / "submissions" / f"{name}.ipynb", **leaks)
    out = tmp_path / "out"
    (graded,) = grade_folder(tmp_path / "submissions", out, exercises=our_exercises, secret=SECRET)
    assert (graded.submission, graded.status, graded.score) == (name, "graded", 0)

    secrets = {"266610", "266_610", "266,610", "my words", "Leak", "leak"}
    for each in ("soft_threshold", "kept", "penalty"):
        exercise = exercises.find(f"91.{each}")
        for case in exercise.draw(hidden_seeds(SECRET, exercise.id)):
            numbers = numbers_of(case.args)
            assert all(number in repr([np.ravel(arg).tolist() for arg in case.args]) for number in numbers)
            secrets |= numbers | numbers_of([exercise.reference(*case.args)])
    assert len(secrets) > 100
    files = [path for path in out.rglob("*") if path.is_file()]
    assert {path.suffix for path in files} == {".csv", ".html", ".jsonl"} and len(files) == 5
    assert [secret for secret in secrets if secret in json.dumps(gradescope.results(graded))] == []
    for path in files:
        text = path.read_text(encoding="utf-8")
        assert [secret for secret in secrets if secret in text] == []
        if path.suffix == ".html":
            assert "<script" not in text and "&lt;script&gt;alert(1)" in text


def test_only_the_instructor_reads_why_grading_failed(write):
    pages = write(Record("anna", "error", "RuntimeError: the reference fails on array([0.12573])"))
    assert "0.12573" in pages["index"].text
    assert "0.12573" not in pages["anna"].text and "not the fault of your answers" in pages["anna"].text


# What is said


def test_a_page_tells_points_misconceptions_what_was_checked_and_hints(write):
    anna = write(record("anna", kept=lambda w: w > 0.5, penalty=lambda w: 0.0, letter=None))["anna"]
    assert anna.texts("h1") == ["anna"]
    assert "4 of 9 points" in anna.texts("p")
    threshold, kept, penalty, parameters, letter, go_on = anna.texts("section")
    assert "The soft threshold ✔ Right 3 of 3 points" in threshold and "All 15 cases are right." in threshold
    assert (
        "The hidden inputs cover: entries on both sides of the threshold; threshold zero changes nothing; "
        "threshold above every entry leaves only zeros." in threshold
    )
    assert "✘ Not yet right 0 of 2 points" in kept and "Hints Begin here. Nearly there." in kept
    assert kept.count("Rank by |w|, not by w.") == 1
    assert "The value is not right." in penalty
    assert "✔ Right 1 of 1 points" in parameters and "hidden inputs" not in parameters
    assert "○ Not attempted 0 of 1 points" in letter and "Put your own code" in letter
    assert [section.count("Hints") for section in (threshold, kept, penalty, parameters, letter)] == [0, 1, 1, 0, 1]
    assert "check(…)" in go_on


@pytest.mark.parametrize(
    "made, said",
    [
        (lambda: record("anna"), "Everything is right."),
        (lambda: untouched_record("anna"), "No answer has been written"),
        (lambda: Record("anna", "rejected", "It is not <JSON>."), "This file could not be graded. It is not <JSON>."),
    ],
)
def test_a_page_says_how_the_whole_came_out_and_how_to_go_on(write, made, said):
    anna = write(made())["anna"]
    assert said in anna.text
    assert anna.texts("h2")[-1] == "How to go on"


def test_partial_credit_is_told_group_by_group(write):
    exercise = exercises.find("91.soft_threshold")
    says = ("Entries that differ: 3 of 4.", "Right: zeros; ones. Not yet: <many>.")
    verdict = Verdict(exercise, "wrong", says, groups={"zeros": True, "ones": True, "<many>": False})
    (section, _go_on) = write(Record("anna", "graded", "", "91", (verdict,)))["anna"].texts("section")
    assert "◐ Partly right 2 of 3 points" in section
    assert "Right: zeros; ones. Not yet: <many>." in section


def test_the_goals_of_a_file_are_told_one_by_one(write):
    letter = exercises.find("91.letter")
    exercise = replace(letter, points=2, reference=bytes, misconceptions=(), artefact=object())
    verdict = Verdict(exercise, "wrong", ("x: 9 bytes",), groups={"at most 300 kB": True, "85% right": False})
    (section, _go_on) = write(Record("anna", "graded", "", "91", (verdict,)))["anna"].texts("section")
    assert "◐ Partly right 1 of 2 points" in section
    assert "x: 9 bytes ✔ Reached: at most 300 kB ✘ Not yet: 85% right" in section


# The overview


def test_the_overview_counts_answers_and_misconceptions(write):
    hard, soft = (lambda w, t: np.where(np.abs(w) <= t, 0, w)), (lambda w, t: np.maximum(w - t, 0))
    records = [
        record("anna"),
        record("ben", soft_threshold=hard),
        record("carl", soft_threshold=hard),
        record("dora", soft_threshold=soft),
        record("emil", soft_threshold=None),
        Record("frida", "rejected", "It is empty."),
    ]
    (chapter,) = chapters(records)
    assert (chapter.number, chapter.count, chapter.median, chapter.max_score) == ("91", 5, 6, 9)
    threshold, *others = chapter.exercises
    assert threshold.states == {"passed": 1, "wrong": 3, "untouched": 1} and threshold.share == 0.2
    assert threshold.misconceptions == [("That is the hard threshold.", 2), ("Negative weights have vanished.", 1)]
    assert all(other.states == {"passed": 5} and not other.misconceptions for other in others)
    index = write(*records)["index"]
    assert "2 × That is the hard threshold." in index.texts("li")
    assert "Submissions: 6 · graded: 5 · rejected: 1" in index.texts("p")
    row = next(row for row in index.texts("tr") if row.startswith("The soft threshold"))
    assert "20% right ✔ Right: 1 ✘ Not yet right: 3 ○ Not attempted: 1" in row
    assert index.texts("tr")[-1] == "frida rejected It is empty."


def test_the_overview_links_to_every_page(tmp_path, write):
    odd = ["a/b", "50%", "what?", "a#b", '"', "'><b>", "é"]
    index = write(*[record(name) for name in odd])["index"]
    links = {element["text"]: tmp_path / unquote(element["href"]) for element in index.all("a")}
    assert {name: Page(path).texts("h1") for name, path in links.items()} == {name: [name] for name in odd}


def test_pages_of_submissions_that_are_gone_are_removed(tmp_path, write):
    write(record("anna"), record("ben"))
    (tmp_path / "feedback" / "notes.txt").write_text("of the instructor")
    write(record("ben"))
    assert {path.name for path in (tmp_path / "feedback").iterdir()} == {"ben.html", "notes.txt"}


# File names


@given(st.lists(st.text(st.characters() | st.sampled_from("./\\ aA-\ud800"), max_size=300), unique=True, max_size=20))
def test_any_names_give_files_of_one_folder_that_nobody_shares(submissions):
    names = page_names(submissions)
    assert list(names) == submissions
    assert len({name.casefold() for name in names.values()}) == len(submissions)
    for name in names.values():
        assert re.fullmatch(r"[\w(][\w. ()-]*\.html", name) and len(name.encode()) <= 200


def test_plain_names_stay_readable():
    assert list(page_names(["anna", "Zoë van Dyk", "anna/02_l1_and_l2", "anna - 02_l1_and_l2", "-rf"]).values()) == [
        "anna.html", "Zoë van Dyk.html", "anna - 02_l1_and_l2.html", "anna - 02_l1_and_l2 (2).html", "_-rf.html"
    ]  # fmt: skip


# For everybody


@pytest.fixture
def pages(write):
    return write(record("anna", kept=lambda w: w > 0.5), Record("ben", "rejected", "It is empty."))


def test_pages_are_complete_in_themselves_and_run_nothing(pages):
    for page in pages.values():
        assert not {"script", "link", "img", "iframe", "object", "form", "base"} & {e["tag"] for e in page.elements}
        assert not [key for element in page.elements for key in element if key.startswith("on")]
        addresses = [element.get("href", element.get("src")) for element in page.elements]
        assert all(address is None or address.startswith("feedback/") for address in addresses)
        assert "url(" not in page.style and "@import" not in page.style
        (policy,) = [each["content"] for each in page.all("meta") if "http-equiv" in each]
        assert policy.startswith("default-src 'none';")


def test_pages_can_be_read_by_everybody(pages):
    for page in pages.values():
        assert [element["lang"] for element in page.all("html")] == ["en"]
        assert any(element.get("name") == "viewport" for element in page.all("meta"))
        assert len(page.texts("h1")) == 1 and page.texts("title")[0]
        levels = [int(element["tag"][1]) for element in page.elements if re.fullmatch(r"h\d", element["tag"])]
        assert levels[0] == 1 and all(after <= before + 1 for before, after in pairwise(levels))
        assert {element["scope"] for element in page.all("th")} <= {"col", "row"}
        for words in ("prefers-color-scheme: dark", "@media print", "max-width"):
            assert words in page.style


def luminance(colour):
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return np.dot([0.2126, 0.7152, 0.0722], linear)


def test_text_stands_out_from_its_ground_in_light_and_dark():
    """A contrast of 4.5, as WCAG 2.2 asks for (1.4.3); the formula is its definition of relative luminance."""
    style = (Path(results.__file__).parent / "page.css").read_text()
    themes = [dict(re.findall(r"--(\w+): (#\w{6})", block)) for block in re.findall(r":root \{(.*?)\}", style, re.S)][
        :2
    ]
    for theme in themes:
        for text in ("text", "quiet", "link", "passed", "partly", "wrong", "untouched"):
            for ground in ("ground", "sheet", "note"):
                light, dark = sorted((luminance(theme[text]), luminance(theme[ground])), reverse=True)
                assert (light + 0.05) / (dark + 0.05) >= 4.5, (text, ground)
