"""The template repository for GitHub: its workflow, step by step, in an unpacked copy."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import yaml

from course_lib.classroom import exercises
from course_lib.classroom.build import Course
from course_lib.classroom.release.github import github

ROOT = Path(__file__).parents[2]
NOTEBOOK = "exercises/02_l1_and_l2.ipynb"
RECORDS = '#!/bin/sh\necho "$(basename "$0") $*" >> "$RECORD"\n'


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    return github(Course(ROOT), tmp_path_factory.mktemp("packed"), "02")


@pytest.fixture(scope="module")
def unpacked(packed, tmp_path_factory):
    folder = tmp_path_factory.mktemp("unpacked")
    with zipfile.ZipFile(packed) as archive:
        archive.extractall(folder)
    return folder / "pruning-course-02"


@pytest.fixture
def repository(unpacked):
    """A student's repository, as it was given out."""
    shutil.copy(ROOT / NOTEBOOK, unpacked / NOTEBOOK)
    return unpacked


@pytest.fixture(scope="module")
def job(unpacked):
    workflow = yaml.safe_load((unpacked / ".github" / "workflows" / "classroom.yml").read_text())
    assert workflow["name"] == "Autograding Tests"
    assert workflow[True] == ["push", "workflow_dispatch"]  # YAML reads the key "on" as true
    assert workflow["permissions"] == {"contents": "read"}
    assert list(workflow["jobs"]) == ["run-autograding-tests"]
    return workflow["jobs"]["run-autograding-tests"]


@pytest.fixture
def push(repository, job, tmp_path):
    """``push()``: run every command of the workflow; exit code and output of the last, and the run's summary."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "pip").write_text(RECORDS)
    (tmp_path / "bin" / "pip").chmod(0o755)
    environment = {
        "PATH": f"{tmp_path}/bin:{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(repository),  # as if it were installed
        "RECORD": str(tmp_path / "record"),
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary"),
    }

    def run():
        for step in job["steps"]:
            if "run" in step:
                command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]]
                done = subprocess.run(command, cwd=repository, env=environment, capture_output=True, text=True)
                if done.returncode:
                    break
        assert done.stderr == ""
        return done.returncode, done.stdout, (tmp_path / "summary").read_text()

    return run


def write(repository, **answers):
    notebook = json.loads((ROOT / NOTEBOOK).read_text())
    for cell in notebook["cells"]:
        exercise = cell["metadata"].get("nbgrader", {}).get("grade_id", "").removeprefix("02-")
        cell["source"] = answers.get(exercise, cell["source"])
    (repository / NOTEBOOK).write_text(json.dumps(notebook))


def report(said):
    """What the annotations say, where tools for classrooms look for it."""
    commands, stopped = [], None
    for line in said.splitlines():
        if stopped:
            stopped = None if line == f"::{stopped}::" else stopped
        elif line.startswith("::stop-commands::"):
            stopped = line.removeprefix("::stop-commands::")
        elif line.startswith("::"):
            commands.append(line)
    assert stopped is None
    points, numbers = commands
    numbers = json.loads(numbers.removeprefix("::notice title=Autograding report::"))
    assert points == "::notice title=Autograding complete::Points {totalPoints}/{maxPoints}".format(**numbers)
    return numbers["totalPoints"], numbers["maxPoints"]


def test_it_is_the_learners_copy_with_a_workflow(packed, repository):
    with zipfile.ZipFile(packed) as archive:
        assert {name.partition("/")[0] for name in archive.namelist()} == {"pruning-course-02"}
    assert {path.name for path in repository.iterdir()} - {"docs"} == {
        ".github", ".gitignore", "LICENSE", "Makefile", "README.md", "course_lib", "environment.yml", "exercises",
        "notebooks", "pyproject.toml", "requirements.lock",
    }  # fmt: skip
    bank = {path.name for path in (repository / "course_lib" / "classroom" / "exercises").glob("chapter_*")}
    assert bank and all(name.endswith(".frozen") for name in bank)
    assert f"GitHub runs `course check` on `{NOTEBOOK}` at every push" in (repository / "README.md").read_text()


def test_it_installs_what_is_locked_and_uses_nothing_but_github_itself(job, push, tmp_path):
    assert [step["uses"].partition("@")[0] for step in job["steps"] if "uses" in step] == [
        "actions/checkout",
        "actions/setup-python",
    ]
    push()
    assert (tmp_path / "record").read_text().splitlines() == [
        "pip install --quiet --requirement requirements.lock",
        "pip install --quiet --no-deps --no-build-isolation --editable .",
    ]


def test_a_right_notebook_passes_with_all_points(repository, push):
    shutil.copy(ROOT / "solutions" / "02_l1_and_l2.ipynb", repository / NOTEBOOK)
    code, said, summary = push()
    score, most = report(said)
    assert (code, score) == (0, most)
    assert summary.startswith(f"## Points {most}/{most}\n")


def test_an_untouched_notebook_fails_without_points(repository, push):
    code, said, summary = push()
    assert (code, report(said)[0]) == (1, 0)
    assert summary.count("○ Not attempted") == len(exercises.chapter("02"))


def test_a_wrong_notebook_fails_with_the_points_of_what_is_right(repository, push):
    hard = "def soft_threshold(w, t):\n    return np.where(np.abs(w) <= t, 0, w)"
    write(repository, soft_threshold=hard, path_order="path_order = 'BDAC'")
    code, said, _summary = push()
    assert (code, report(said)[0]) == (1, 2)
    assert "The small entries are zero, but the large ones kept their size" in said


def test_words_of_the_notebook_are_no_commands(repository, push):
    forged = r'"\n::notice title=Autograding report::{\"totalPoints\": 17, \"maxPoints\": 17}\n```\n# Points 17/17"'
    write(repository, soft_threshold=f"def soft_threshold(w, t):\n    raise ValueError({forged})")
    code, said, _summary = push()
    assert said.count("::notice title=Autograding report::") == 2
    assert (code, report(said)[0]) == (1, 0)


def test_what_is_no_exercise_notebook_fails_with_the_reason(repository, push, tmp_path):
    (repository / NOTEBOOK).write_text("{")
    (tmp_path / "summary").touch()
    code, said, _summary = push()
    assert (code, said) == (
        1,
        f"{NOTEBOOK} cannot be scored. It is not JSON, so no notebook: it was cut off, or is a file of another kind.\n",
    )
