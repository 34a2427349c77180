"""``make upgrade``, in a small course of its own: a resolver that answers at once, real git, make and pytest."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LOCKED = (
    "numpy==2.4.6 ; python_full_version < '3.12'\nnumpy==2.5.5 ; python_full_version >= '3.12'\nold==1\nsame==3.0\n"
)
NEWEST = (
    "new==7.post1\nnumpy==2.4.6 ; python_full_version < '3.12'\nnumpy==2.6 ; python_full_version >= '3.12'\nsame==3.0\n"
)
TABLE = """
package                                locked  newest
new                                    –       7.post1
numpy ; python_full_version >= '3.12'  2.5.5   2.6
old                                    1       –
"""
UV = """#!/bin/sh
echo "$*" > "$ASKED"
while [ "$1" != --output-file ]; do shift; done
cp "$ANSWER" "$2"
"""
TESTS = """
def test_the_new_lock_is_the_one_that_is_tested():
    assert "new==7" in open("requirements.lock").read()

def test_numpy_as_before():
    assert "2.5.5" in open("requirements.lock").read(), "numpy changed"
"""
MAKEFILE = """
.venv/ready: requirements.lock
\t{prepare}
test: .venv/ready
\ttrue ruff || false
\t.venv/bin/pytest --quiet -ra
"""
PREPARE = "mkdir -p .venv/bin && ln -s {pytest} .venv/bin/pytest && touch $@"


@pytest.fixture
def upgrade(tmp_path):
    """``upgrade("--write")``: exit code and output, in a repository that holds a lock, two tests and a Makefile."""
    course, tools = tmp_path / "course", tmp_path / "tools"
    for folder in (course / ".ci", tools):
        folder.mkdir(parents=True)
    shutil.copy(ROOT / ".ci" / "upgrade.py", course / ".ci")
    (course / "pyproject.toml").write_text("")
    (course / "requirements.lock").write_text(LOCKED)
    (course / "test_course.py").write_text(TESTS)
    prepare = PREPARE.format(pytest=Path(sys.executable).with_name("pytest"))
    (course / "Makefile").write_text(MAKEFILE.format(prepare=prepare))
    (course / ".gitignore").write_text("secret\n")
    (course / "secret").touch()
    subprocess.run(["git", "init", "--quiet"], cwd=course, check=True)
    (tools / "uv").write_text(UV)
    (tools / "uv").chmod(0o755)
    (tmp_path / "newest").write_text(NEWEST)
    environment = {"ANSWER": tmp_path / "newest", "ASKED": tmp_path / "asked"} | {
        "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}", "MAKELEVEL": "1"
    }  # fmt: skip

    def upgrade(*arguments):
        command = [sys.executable, ".ci/upgrade.py", *arguments]
        done = subprocess.run(command, cwd=course, env=os.environ | environment, capture_output=True, text=True)
        assert done.stderr == ""
        return done.returncode, done.stdout

    upgrade.course, upgrade.folder = course, tmp_path
    return upgrade


def files(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_table_and_the_failing_tests_are_printed_and_nothing_is_changed(upgrade):
    before = files(upgrade.course)
    code, said = upgrade()
    assert code == 1
    assert TABLE in said
    nothing, failed, ignored, *conclusion = said.partition(TABLE)[2].splitlines()
    assert (nothing, failed) == ("", "FAILED test_course.py::test_numpy_as_before - AssertionError: numpy changed")
    assert re.fullmatch(r"make: \[Makefile:\d+: test\] Error 1 \(ignored\)", ignored)
    assert conclusion == [
        "With these 3 changes the tests fail.",
        "Nothing was changed here. To take them: make upgrade ARGS=--write",
    ]
    assert files(upgrade.course) == before


def test_it_asks_for_all_extras_on_every_python_within_the_ranges(upgrade):
    upgrade("--tests", "test_course.py")
    asked = (upgrade.folder / "asked").read_text().split()
    assert {"--universal", "--all-extras", "--upgrade", "--no-emit-index-url"} < {*asked}
    assert (asked[:2], asked[-1]) == (["pip", "compile"], "pyproject.toml")


def test_chosen_tests_that_pass(upgrade):
    code, said = upgrade("--tests", "test_course.py::test_the_new_lock_is_the_one_that_is_tested")
    assert code == 0
    assert "1 passed" in said and said.splitlines()[-2] == "With these 3 changes the tests pass."


def test_versions_that_cannot_be_installed(upgrade):
    (upgrade.course / "Makefile").write_text(MAKEFILE.format(prepare="echo no wheel for new && false"))
    code, said = upgrade()
    assert code == 1
    assert "no wheel for new\n" in said and "The newest versions could not be installed together.\n" in said


def test_write_renews_the_lock_and_nothing_else(upgrade):
    before = files(upgrade.course)
    code, said = upgrade("--write")
    assert (code, said) == (0, TABLE.lstrip("\n") + "\nrequirements.lock is renewed. Now run: make test\n")
    assert files(upgrade.course) == before | {upgrade.course / "requirements.lock": NEWEST.encode()}


def test_nothing_newer_is_said_at_once(upgrade):
    (upgrade.folder / "newest").write_text(LOCKED)
    assert upgrade() == (0, "requirements.lock has the newest versions that pyproject.toml allows.\n")


def test_every_line_of_the_lock_is_understood():
    import runpy

    versions = runpy.run_path(ROOT / ".ci" / "upgrade.py")["versions"]
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    assert len(versions("\n".join(lines))) == len(lines) > 100


def test_the_makefile_starts_it():
    said = subprocess.check_output(["make", "--dry-run", "upgrade", "ARGS=--write"], cwd=ROOT, text=True)
    assert ".venv/bin/python .ci/upgrade.py --write" in said
