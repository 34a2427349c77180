"""The workflows for the course itself: GitHub's files parse, and what they run is there."""

import os
import re
import shlex
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.specifiers import SpecifierSet

from course_lib.classroom.sandbox.remedy import PROFILE

ROOT = Path(__file__).parent.parent
WORKFLOWS = sorted(ROOT.glob(".github/workflows/*.yml"))
ON_THE_RUNNER = {"sudo", "echo"}


def steps(path):
    (job,) = yaml.safe_load(path.read_text())["jobs"].values()
    return job["steps"]


def commands(path):
    """Every simple command of the steps, as words."""
    for step in steps(path):
        for line in step.get("run", "").splitlines():
            yield from (shlex.split(part) for part in re.split(r" && | \| ", line))


def test_there_is_one_for_every_push_and_one_for_every_week():
    triggers = {path.stem: set(yaml.safe_load(path.read_text())[True]) for path in WORKFLOWS}  # YAML reads on as true
    assert triggers == {
        "check": {"push", "pull_request", "workflow_dispatch"},
        "upgrade": {"schedule", "workflow_dispatch"},
    }


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_it_may_only_read_and_uses_nothing_but_github_s_own(path):
    assert yaml.safe_load(path.read_text())["permissions"] == {"contents": "read"}
    assert [step["uses"].partition("@")[0] for step in steps(path) if "uses" in step] == [
        "actions/checkout",
        "actions/setup-python",
    ]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_what_it_runs_is_there(path):
    for words in commands(path):
        if words[0] == "make":
            subprocess.run([*words, "--dry-run"], cwd=ROOT, check=True, capture_output=True)
        elif words[0] not in ON_THE_RUNNER:
            assert os.access(ROOT / words[0], os.X_OK), f"{words[0]} is no program of the course"
    assert [words for words in commands(path) if words[0] not in ON_THE_RUNNER]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_the_sandbox_has_the_profile_that_the_course_itself_recommends(path):
    assert ["echo", PROFILE] in commands(path)


def test_every_promised_python_is_tried_and_the_tested_one_has_to_pass():
    wanted = SpecifierSet(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"])
    (job,) = yaml.safe_load((ROOT / ".github" / "workflows" / "check.yml").read_text())["jobs"].values()
    assert job["strategy"]["matrix"]["python"] == [f"3.{n}" for n in range(50) if f"3.{n}.1" in wanted]
    assert job["continue-on-error"] == "${{ matrix.python != '3.11' }}"
