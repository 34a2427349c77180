"""What is noted of a learner's work, how it survives, and what it says; when it is noted, test_noted.py has."""

import json
import shutil
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from course_lib.classroom import cli, exercises, standing
from course_lib.classroom.progress import Progress, load, note


def typed(*arguments):
    result = CliRunner().invoke(cli.app, arguments)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


# The record

IDS = st.sampled_from(["01.a", "02.b", "02.c"])
RECORDS = st.builds(
    Progress,
    st.lists(st.sampled_from(["01", "02"])),
    st.dictionaries(IDS, st.integers(0, 5)),
    st.dictionaries(IDS, st.integers(1, 2)),
)


@given(st.lists(RECORDS, min_size=1), st.randoms())
def test_in_whatever_order_it_is_noted_the_best_counts(records, random):
    shuffled = [*records, *random.sample(records, len(records) // 2)]
    random.shuffle(shuffled)
    whole = Progress()
    for record in shuffled:
        whole = whole.joined(record)
    assert set(whole.read) == {number for record in records for number in record.read}
    for kind in ("points", "hints"):
        every = [item for record in records for item in getattr(record, kind).items()]
        assert getattr(whole, kind) == {id: max(v for i, v in every if i == id) for id in dict(every)}


def test_a_note_is_kept_and_points_never_go_down(course):
    note(course, Progress(["02"], {"02.soft_threshold": 3}))
    note(course, Progress(points={"02.soft_threshold": 0}, hints={"02.soft_threshold": 2}))
    assert load(course) == Progress(["02"], {"02.soft_threshold": 3}, {"02.soft_threshold": 2})
    assert sorted(path.name for path in course.root.iterdir()) == ["exercises", "notebooks", "progress.json"]


def test_kernels_that_note_at_once_lose_nothing(course):
    program = """if True:
        import sys
        from pathlib import Path
        from course_lib.classroom.course import Course
        from course_lib.classroom.progress import Progress, note
        for number in range(40):
            note(Course(Path.cwd()), Progress(points={f"02.by_{sys.argv[1]}_{number}": 1}))
    """
    writers = [subprocess.Popen([sys.executable, "-c", program, str(writer)]) for writer in range(4)]
    assert [writer.wait(timeout=120) for writer in writers] == [0] * 4
    assert load(course).points == {f"02.by_{writer}_{number}": 1 for writer in range(4) for number in range(40)}


DAMAGED = [
    "",
    "[" * 100_000,
    "[]",
    '{"format": 1, "read": ["02"]}',
    '{"format": 2, "read": [], "points": {}, "hints": {}}',
    '{"format": 1, "read": [2], "points": {}, "hints": {}}',
    '{"format": 1, "read": [], "points": {"02.soft_threshold": "3"}, "hints": {}}',
    '{"format": 1, "read": [], "points": {"02.soft_threshold": -1}, "hints": {}}',
    '{"format": 1, "read": [], "points": {"02.soft_threshold": true}, "hints": {}}',
    b"\xff\xfe",
]


@pytest.mark.parametrize("content", DAMAGED, ids=range(len(DAMAGED)))
def test_a_damaged_record_is_set_aside_whole_and_a_new_one_begins(course, content, capsys):
    content = content if isinstance(content, bytes) else content.encode()
    file = course.root / "progress.json"
    file.write_bytes(content)
    with pytest.raises(ValueError, match=r"progress.json is damaged or not of this course\. Move it away"):
        load(course)
    note(course, Progress(["02"]))
    assert "It is now progress.damaged.json, and a new record has begun." in capsys.readouterr().out
    assert load(course) == Progress(["02"])
    assert (course.root / "progress.damaged.json").read_bytes() == content


def test_where_nothing_can_be_written_a_line_says_so(course, capsys):
    (course.root / "progress.json").mkdir()
    assert note(course, Progress(["02"])) == Progress(["02"])
    assert capsys.readouterr().out.startswith("Your progress was not noted: ")


def test_without_fcntl_as_on_windows_it_is_noted_too(course, monkeypatch):
    monkeypatch.setattr("course_lib.classroom.progress.fcntl", None)
    note(course, Progress(["01"]))
    note(course, Progress(["02"]))
    assert load(course).read == ["01", "02"]


# What it says


def test_course_check_notes_the_best_points(course, monkeypatch):
    file = course.root / "exercises" / "02_l1_and_l2.ipynb"
    notebook = json.loads(file.read_text())
    for value, points in [("1.2", 2), ("3", 0)]:
        for cell in notebook["cells"]:
            if cell["metadata"].get("nbgrader", {}).get("grade_id") == "02-lambda_max":
                cell["source"] = f"lambda_max = {value}"
        file.write_text(json.dumps(notebook))
        assert not (course.root / "progress.json").exists() or points == 0
        assert f"Total: {points} of" in typed("check", str(file)).stdout
        with monkeypatch.context() as patch:
            patch.delenv("PYTEST_CURRENT_TEST")
            typed("check", str(file))
        assert load(course) == Progress(points={"02.lambda_max": 2})


def rows(said):
    return [[cell.strip() for cell in line.strip("│").split("│")] for line in said.splitlines() if line.startswith("│")]


def test_course_progress_counts_what_the_chapters_declare(course):
    """Not what an exercise that is gone was worth, nor more than one is worth now."""
    counted = {n: (len(exercises.chapter(n)), sum(e.points for e in exercises.chapter(n))) for n in ("01", "02")}
    note(course, Progress(["02"], {"02.lambda_max": 9, "02.soft_threshold": 1, "02.unknown": 9}))
    said = typed("progress").stdout
    (one, two) = ([row[0], *row[2:]] for row in rows(said) if row[0])
    assert one == ["01", "not started", f"0 of {counted['01'][0]}", f"0 of {counted['01'][1]}"]
    assert two == ["02", "read", f"1 of {counted['02'][0]}", f"3 of {counted['02'][1]}"]
    assert said.endswith("The best attempt counts.\nNext: Chapter 01: Why prune? (notebooks/01_why_prune.ipynb)\n")


def test_course_progress_names_a_damaged_record_in_one_line(course):
    (course.root / "progress.json").write_text("{")
    result = typed("progress")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("course: ") and result.stderr.count("\n") == 1 and "Move it away" in result.stderr


def full(chapter):
    return {exercise.id: exercise.points for exercise in exercises.chapter(chapter)}


@pytest.mark.parametrize(
    ("done", "states", "next_notebook"),
    [
        (Progress(), ["not started", "not started"], "notebooks/01_why_prune.ipynb"),
        (Progress(hints={"01.conv_macs": 1}), ["begun", "not started"], "notebooks/01_why_prune.ipynb"),
        (Progress(["01"]), ["read", "not started"], "exercises/01_why_prune.ipynb"),
        (Progress(["01"], full("01")), ["done", "not started"], "notebooks/02_l1_and_l2.ipynb"),
        (Progress(["02"], full("01") | full("02")), ["begun", "done"], "notebooks/01_why_prune.ipynb"),
        (Progress(["01", "02"], full("01") | full("02")), ["done", "done"], None),
    ],
)
def test_the_state_of_each_chapter_and_what_comes_next(course, done, states, next_notebook):
    chapters = standing.chapters(course, done)
    assert [chapter.state for chapter in chapters] == states
    step = standing.next_step(chapters)
    assert (step and step.notebook) == next_notebook


def test_copies_and_damaged_notebooks_do_not_stop_it(course):
    shutil.copy(
        course.root / "notebooks" / "01_why_prune.ipynb", course.root / "notebooks" / "01_why_prune-Copy1.ipynb"
    )
    (course.root / "notebooks" / "Untitled.ipynb").write_text("{}")
    (course.root / "notebooks" / "02_l1_and_l2.ipynb").write_text("torn")
    (course.root / "exercises" / "02_l1_and_l2.ipynb").write_text("torn")
    (course.root / "exercises" / "01_why_prune.ipynb").unlink()
    one, two = standing.chapters(course, Progress(["01", "02"]))
    assert (one.title, one.minutes, one.exercises, one.state) == ("Why prune?", 45, None, "done")
    assert (two.title, two.minutes, two.worth, two.state) == ("02_l1_and_l2", None, {}, "read")
