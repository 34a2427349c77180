"""The command ``course``, as it is typed in a terminal."""

import csv
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from typer.testing import CliRunner

from course_lib.classroom import cli, exercises

FIXTURES = Path(__file__).parent / "fixtures"
SPOILT = {"def double": "def double(x):\n    return x * x", "factor =": "factor = 2"}


@pytest.fixture(scope="module")
def built_once(tmp_path_factory):
    root = tmp_path_factory.mktemp("course")
    for folder in ("sources", "notebooks"):
        (root / folder).mkdir()
    for source in FIXTURES.glob("90_*.py"):
        shutil.copy(source, root / "sources")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(exercises, "__path__", [str(FIXTURES)])
        patch.chdir(root / "sources")  # the course is found from any folder inside it
        result = CliRunner().invoke(cli.app, ["build"])
    assert result.exit_code == 0, result.output
    return root


@pytest.fixture
def here(built_once, tmp_path, monkeypatch):
    """The current directory: a copy of the built course of chapter 90."""
    shutil.copytree(built_once, tmp_path, dirs_exist_ok=True)
    monkeypatch.setattr(exercises, "__path__", [str(FIXTURES)])
    monkeypatch.chdir(tmp_path)
    return tmp_path


def course(*arguments):
    """Exit code, standard output and standard error."""
    result = CliRunner().invoke(cli.app, [str(argument) for argument in arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.stdout, result.stderr


def submit(here, path, answers):
    """The exercise notebook with the cells that begin so replaced."""
    notebook = json.loads((here / "exercises" / "90_doubling.ipynb").read_text())
    for cell in notebook["cells"]:
        for begin, source in answers.items():
            if "".join(cell["source"]).startswith(begin):
                cell["source"] = source
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(notebook))
    return path


def test_help_names_every_command_with_an_example_and_imports_little():
    program = (
        "import sys\nfrom course_lib.classroom.cli import app\n"
        "try: app(['--help'])\n"
        "finally: print(sorted({'tensorflow', 'keras', 'jupyterlab', 'nbformat', 'nbclient'} & set(sys.modules)))"
    )
    said = subprocess.check_output([sys.executable, "-c", program], text=True)
    assert said.endswith("[]\n")
    for command in ("lab", "run", "build", "check", "progress", "grade"):
        assert re.search(rf"^│ {command} ", said, re.MULTILINE)
        assert f"Example: course {command}" in course(command, "--help")[1]


@pytest.mark.parametrize(
    "arguments",
    [["lab"], ["run"], ["build"], ["build", "--check"], ["check", "x"], ["progress"], ["grade", "x", "--out", "y"]],
)
def test_outside_of_the_course_every_command_says_where_to_go(tmp_path, monkeypatch, arguments):
    monkeypatch.chdir(tmp_path)
    code, said, error = course(*arguments)
    assert (code, said) == (2, "")
    assert error.count("\n") == 1 and "Go to the folder that you cloned" in error


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["build", "7"], "There is no chapter 7 here; choose from: 90."),
        (["run", "07"], "There is no chapter 07 here; choose from: 90."),
        (["check", "nothing.ipynb"], "nothing.ipynb cannot be scored. It cannot be read: No such file"),
        (["check", "notebooks/90_doubling.ipynb"], "It is not one of the course's exercise notebooks"),
        (["grade", "nothing", "--out", "grades"], "folder is 'nothing', which is not a folder"),
        (["grade", "exercises", "--out", "grades", "--secret", "nothing"], "No such file or directory: 'nothing'"),
        (["grade", "exercises", "--out", "grades", "--secret", "sources/90_doubling.py"], "is not a secret"),
    ],
)
def test_a_wrong_argument_is_one_line_with_the_remedy(here, arguments, message):
    code, said, error = course(*arguments)
    assert (code, said) == (2, "")
    assert message in error.splitlines()[-1] and error.splitlines()[-1].startswith("course: ")


# build and run


def test_build_check_passes_then_finds_an_edited_cell(here):
    assert course("build", "--check") == (0, "What is built agrees with its 2 sources.\n", "")
    submit(here, here / "exercises" / "90_doubling.ipynb", SPOILT)
    code, said, _error = course("build", "--check", "90")
    assert code == 1
    assert said.splitlines() == [
        "exercises/90_doubling.ipynb: cell 4 has another source: 'def double(x):' → run: course build 90",
        "exercises/90_doubling.ipynb: cell 7 has another source: 'factor = 2' → run: course build 90",
        "Differences: 2. Nothing was changed.",
    ]
    assert course("build", "--force")[0] == 0
    assert course("build", "--check")[0] == 0


def test_build_fails_with_the_code_1(here):
    (here / "sources" / "91_bad.py").write_text("# %%\n1\n")
    code, said, _error = course("build", "91")
    assert (code, said) == (
        1,
        "sources/91_bad.py:1: The first cell has to be markdown and begin with the title: '# # Title'.\n",
    )


def test_run_goes_on_after_a_failure_and_ends_with_the_table_of_the_whole_path(here):
    broken = nbformat.read(here / "notebooks" / "90_doubling.ipynb", as_version=4)
    broken.cells[1].source = "numbers = nothing"
    nbformat.write(broken, here / "notebooks" / "01_broken.ipynb")
    code, said, _error = course("run")
    failed, ran, empty, table = said.splitlines()
    assert code == 1
    assert re.fullmatch(
        r"notebooks/01_broken.ipynb  failed in cell 2 after \d+\.\d s: NameError: name 'nothing' is not defined "
        r"\(see runs/01_broken.ipynb\)",
        failed,
    )
    assert re.fullmatch(r"notebooks/90_doubling.ipynb  ran in \d+\.\d s", ran)
    assert (empty, table) == ("", "doubled | 0 2 4 6")
    counts = {
        file.name: [
            cell.execution_count for cell in nbformat.read(file, as_version=4).cells if cell.cell_type == "code"
        ]
        for file in (here / "runs").iterdir()
    }
    assert counts == {"01_broken.ipynb": [1, None, None], "90_doubling.ipynb": [1, 2, 3]}


# lab


@pytest.mark.parametrize(("uid", "as_root"), [(0, ["--allow-root"]), (1000, [])])
def test_lab_replaces_the_process_by_jupyterlab_of_the_same_python(here, monkeypatch, uid, as_root):
    started = []
    monkeypatch.setattr(os, "execv", lambda *arguments: started.append(arguments))
    monkeypatch.setattr(os, "getuid", lambda: uid, raising=False)
    assert course("lab", "--", "--no-browser", "--ip", "0.0.0.0")[0] == 0
    page = "--LabApp.default_url=/course"
    command = [sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={here}", page, *as_root]
    assert started == [(sys.executable, [*command, "--no-browser", "--ip", "0.0.0.0"])]


def test_lab_without_lessons_says_how_to_build_them(here):
    (here / "notebooks" / "90_doubling.ipynb").unlink()
    assert course("lab") == (2, "", "course: There are no lessons in notebooks/ yet; run: course build\n")


# check and grade


def test_check_prints_a_line_for_each_exercise_and_the_total(here):
    code, said, _error = course("check", submit(here, here / "mine.ipynb", SPOILT))
    assert code == 0
    double, factor, total = said.splitlines()
    assert double.startswith("✘ Not yet right: Twice (0 of 3 points) That is the square.")
    assert factor.startswith("✔ Passed: The factor (1 of 1 points)")
    assert total == "Total: 1 of 4 points"


def test_check_shows_learners_the_errors_of_their_own_code(here):
    raising = {"def double": "def double(x):\n    raise ValueError('my own words')"}
    assert "Your code raised ValueError: my own words" in course("check", submit(here, here / "mine.ipynb", raising))[1]


def test_check_says_when_our_own_setup_fails(here):
    edited = submit(here, here / "mine.ipynb", SPOILT)
    path = here / "exercises" / "90_doubling.ipynb"
    path.write_text(path.read_text().replace("def check(id, answer):", "import nothing_of_this_name\\n"))
    code, said, error = course("check", edited)
    assert (code, said) == (1, "")
    assert error.startswith("course: the setup cell failed") and error.count("\n") == 1


def test_check_gives_a_solution_all_points_and_an_untouched_notebook_none(here):
    assert course("check", "solutions/90_doubling.ipynb")[1].endswith("Total: 4 of 4 points\n")
    code, said, _error = course("check", "exercises/90_doubling.ipynb")
    assert code == 0
    assert said.startswith("○ Not attempted: Twice") and said.endswith("Total: 0 of 4 points\n")


def test_grade_writes_the_table(here):
    submit(here, here / "submissions" / "ada.ipynb", {})
    submit(here, here / "submissions" / "grace.ipynb", SPOILT)
    (here / "submissions" / "essay.txt").write_text("My essay.")
    secret = here / "secret"
    secret.write_text("00ff" * 16 + "\n")
    code, said, error = course("grade", "submissions", "--out", "grades", "--secret", secret, "--workers", 1)
    assert code == 0
    assert error == ""
    assert "grace" in said and "1/4" in said and "rejected" in said
    with open(here / "grades" / "grades.csv", newline="") as file:
        rows = {row["submission"]: (row["score"], row["status"]) for row in csv.DictReader(file)}
    assert rows == {"ada": ("0", "not attempted"), "grace": ("1", "graded"), "essay.txt": ("", "rejected")}
    assert not (here / "grades" / "secret.hex").exists()  # ours was used


ROSTER = """\
Student,ID,SIS User ID,SIS Login ID,Section
    Points Possible,,,,
"Hopper, Grace",7,,grace,A
"Lovelace, Ada",8,,ada,A
"""


def test_grade_for_canvas_says_whom_it_did_not_find_and_what_it_wrote(here):
    submit(here, here / "submissions" / "grace.ipynb", SPOILT)
    submit(here, here / "submissions" / "nobody.ipynb", SPOILT)
    (here / "roster.csv").write_text(ROSTER)
    code, said, _error = course("grade", "submissions", "--out", "grades", "--canvas", "roster.csv")
    assert code == 0
    assert said.splitlines()[-5:] == [
        "Not in the roster, so left out: nobody",
        "Students without a score: Lovelace, Ada",
        "Written: grades/index.html, the overview with a feedback page for each",
        "Written: grades/grades.csv, and nbgrader.csv beside it",
        "Written: grades/canvas.csv, to be imported in Canvas",
    ]
    with open(here / "grades" / "canvas.csv", newline="") as file:
        assert {row["Student"].strip(): row["Chapter 90"] for row in csv.DictReader(file)} == {
            "Points Possible": "4", "Hopper, Grace": "1", "Lovelace, Ada": ""
        }  # fmt: skip
    assert {path.name for path in (here / "grades" / "feedback").iterdir()} == {"grace.html", "nobody.html"}


def test_a_roster_that_is_none_is_refused_before_anything_is_graded(here):
    code, said, error = course("grade", "exercises", "--out", "grades", "--canvas", "sources/90_doubling.py")
    assert (code, said) == (2, "")
    assert "sources/90_doubling.py has no columns Student, ID and Section" in error
    assert not (here / "grades").exists()


def test_grade_without_a_sandbox_refuses_and_the_instructor_decides(here, monkeypatch):
    submit(here, here / "submissions" / "grace.ipynb", SPOILT)
    monkeypatch.setenv("PATH", str(here))
    code, said, error = course("grade", "submissions", "--out", "grades")
    assert (code, said) == (1, "")
    refused, why, decide = error.splitlines()
    assert refused == "course: Student code was not run: no sandbox works on this machine."
    assert "apt-get install bubblewrap" in why and "--unsafe" in decide
    assert not (here / "grades").exists()
    code, said, error = course("grade", "submissions", "--out", "grades", "--unsafe")
    assert code == 0 and "1/4" in said
    assert error == "There is no sandbox: student code runs on this machine with your rights.\n"


def test_an_interrupted_grading_says_how_to_go_on(here, monkeypatch):
    def interrupted(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("course_lib.classroom.batch.grade_folder", interrupted)
    code, said, error = course("grade", "exercises", "--out", "grades")
    assert (code, said) == (130, "")
    assert error == "Stopped. Start the same command again: it goes on where it was.\n"


def test_the_lab_shows_learners_no_menus_of_nbgrader():
    from course_lib.classroom.cli.learn import CONFIG

    command = [sys.executable, "-m", "jupyter", "labextension", "list"]
    listed = subprocess.run(
        command, env=os.environ | {"JUPYTER_CONFIG_PATH": str(CONFIG)}, capture_output=True, text=True, timeout=120
    )
    lines = [line for line in (listed.stdout + listed.stderr).splitlines() if "@jupyter/nbgrader" in line]
    assert lines and "disabled" in lines[0]
