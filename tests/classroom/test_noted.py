"""When a learner's work is noted: where a person works, and nowhere else."""

import os
from pathlib import Path

import pytest
from jupyter_client.manager import start_new_kernel
from typer.testing import CliRunner

from course_lib.classroom import cli, exercises, presence
from course_lib.classroom.progress import Progress, load

ROOT = Path(__file__).parents[2]
CHAPTER_02 = exercises.chapter("02")


NAMES = "JPY_SESSION_NAME", "NBGRADER_EXECUTION", "PYTEST_CURRENT_TEST"
FORGET = f"import os; [os.environ.pop(name, 0) for name in {NAMES}]; globals().pop('__vsc_ipynb_file__', 0)"


@pytest.fixture(scope="module")
def kernel():
    """A kernel that no server started."""
    manager, client = start_new_kernel(env={k: v for k, v in os.environ.items() if k != "PYTEST_CURRENT_TEST"})
    yield client
    client.stop_channels()
    manager.shutdown_kernel(now=True)


@pytest.mark.parametrize(
    ("open_in", "environment", "noted"),
    [
        ("exercises/02_l1_and_l2.ipynb", {}, True),
        ("notebooks/02_l1_and_l2.ipynb", {}, True),
        ("exercises/02_l1_and_l2.ipynb", {"NBGRADER_EXECUTION": "validate"}, False),
        ("exercises/02_l1_and_l2.ipynb", {"PYTEST_CURRENT_TEST": "by nbval"}, False),
        ("solutions/02_l1_and_l2.ipynb", {}, False),
        ("../elsewhere.ipynb", {}, False),
        (None, {}, False),
    ],
)
@pytest.mark.parametrize("editor", ["Jupyter", "VS Code"])
def test_it_is_noted_when_a_person_works(kernel, course, editor, open_in, environment, noted):
    path = open_in and str(course.root / open_in)
    by_editor = {"Jupyter": f"os.environ['JPY_SESSION_NAME'] = {path!r}", "VS Code": f"__vsc_ipynb_file__ = {path!r}"}
    code = f"""if True:
        {FORGET}
        os.environ |= {environment}
        {by_editor[editor] if path else ""}
        from course_lib.classroom import check, hint
        check('02.lambda_max', 1.2); check('02.path_order', 'ABCD'); check('02.adam_steps', ...)
        hint('02.adam_steps', 1); hint('02.path_order', 2)
    """
    reply = kernel.execute_interactive(code, timeout=60)
    assert reply["content"]["status"] == "ok"
    assert (course.root / "progress.json").exists() == noted
    if noted:
        expected = Progress([], {"02.lambda_max": 2, "02.path_order": 0}, {"02.adam_steps": 1, "02.path_order": 2})
        assert load(course) == expected


def test_a_lesson_is_read_when_its_last_cell_ran_and_says_the_same_to_everybody(kernel, course):
    said = []
    for path in ("", str(course.root / "notebooks" / "02_l1_and_l2.ipynb")):
        code = f"""if True:
            {FORGET}
            os.chdir({str(course.root / "notebooks")!r})
            os.environ["JPY_SESSION_NAME"] = {path!r}
            from course_lib.classroom import finish
            display(finish("02"))
        """
        kernel.execute_interactive(code, timeout=60, output_hook=said.append)
        assert (course.root / "progress.json").exists() == bool(path)
    texts = [each["content"]["data"] for each in said if each["msg_type"] == "display_data"]
    count, points = len(CHAPTER_02), sum(exercise.points for exercise in CHAPTER_02)
    assert texts[0] == texts[1]
    assert texts[0]["text/plain"] == (
        f"Chapter 02 is read. Next: exercises/02_l1_and_l2.ipynb, {count} exercises for {points} points."
    )
    assert load(course) == Progress(["02"])


def test_every_lesson_ends_with_its_own_number():
    lessons = [path for path in sorted((ROOT / "sources").glob("*.py")) if not path.stem.endswith("_exercises")]
    assert len(lessons) == len(exercises.chapters())
    for lesson in lessons:
        assert lesson.read_text().endswith(f'\nfinish("{lesson.name[:2]}")\n')


def test_a_chapter_that_is_not_there_is_named(course):
    from course_lib.classroom import finish

    for number in ("77", "2"):
        with pytest.raises(ValueError, match=f"number='{number}': there is no such chapter here; give both digits"):
            finish(number)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir("/")
        assert repr(finish("02")) == "Chapter 02 is read."


def test_a_command_that_a_notebook_runs_starts_kernels_at_which_nobody_works(course, monkeypatch):
    monkeypatch.setenv(presence.JUPYTER, str(course.root / "notebooks" / "02_l1_and_l2.ipynb"))
    assert CliRunner().invoke(cli.app, ["progress"]).exit_code == 0
    assert presence.JUPYTER not in os.environ
