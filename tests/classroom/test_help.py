"""What the command says of itself: help with examples that parse, the near command, and what the shell completes."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from course_lib.classroom import cli

ROOT = Path(__file__).parents[2]
COURSE = Path(sys.executable).with_name("course")
COMMANDS = typer.main.get_command(cli.app).commands


def course(*arguments):
    return CliRunner().invoke(cli.app, arguments)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_s_help_has_an_example_that_it_understands(name):
    (example,) = re.findall(rf"^ *Example: course {name}(.*)", course(name, "--help").stdout, re.MULTILINE)
    typed, _, passed_on = example.partition(" -- ")
    context = COMMANDS[name].make_context(name, shlex.split(example))  # a UsageError where a value is missing
    options = {
        option for parameter in context.command.params for option in (*parameter.opts, *parameter.secondary_opts)
    }
    values = [str(value) for given in context.params.values() for value in (given if type(given) is list else [given])]
    assert context.args == shlex.split(passed_on)
    assert [word for word in shlex.split(typed) if word not in options and word not in values] == []


@pytest.mark.parametrize("name", COMMANDS)
def test_help_says_what_every_argument_and_option_is(name):
    assert [parameter.name for parameter in COMMANDS[name].params if not parameter.help] == []


@pytest.mark.parametrize(("typed", "meant"), [("chek", "check"), ("docter", "doctor"), ("grades", "grade")])
def test_an_unknown_command_is_answered_with_the_near_one(typed, meant):
    result = course(typed)
    assert result.exit_code == 2
    assert f"No such command '{typed}'. Did you mean '{meant}'?" in result.stderr


# completion, as bash, zsh and fish ask for it


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A learner's copy with two chapters, as the current directory."""
    for name in ("notebooks/02_l1.ipynb", "notebooks/03_masks.ipynb", "notebooks/12_last.png", "exercises/02_l1.ipynb"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def completed(*words):
    """What bash is given for the last word; it starts the command once for every Tab."""
    line = " ".join(["course", *words])
    asked = {"_COURSE_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": str(len(words))}
    return subprocess.check_output([COURSE], env=os.environ | asked, text=True).split()


def test_chapter_numbers_complete_to_what_is_there(here):
    assert completed("run", "0") == ["02", "03"]
    assert completed("build", "02", "03") == ["03"]
    assert completed("release", "--gradescope", "0") == ["02", "03"]
    assert completed("run", "1") == []


def test_exercise_notebooks_complete_from_wherever_one_is(here, monkeypatch):
    assert completed("check", "ex") == ["exercises/02_l1.ipynb"]
    assert completed("check", "notebooks/") == []
    monkeypatch.chdir("notebooks")
    assert completed("check", "../") == ["../exercises/02_l1.ipynb"]


def test_outside_of_the_course_nothing_is_offered_and_nothing_is_said(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert completed("run", "0") == [] == completed("check", "ex")


def test_commands_complete_too():
    assert completed("do") == ["doctor"]


@pytest.mark.parametrize("shell", [shell for shell in ("bash", "zsh", "fish") if shutil.which(shell)])
def test_what_show_completion_prints_is_a_program_of_that_shell(shell):
    script = subprocess.check_output([COURSE, "--show-completion", shell], text=True)
    assert "_COURSE_COMPLETE" in script
    subprocess.run([shell, "-n"], input=script, text=True, check=True)


def test_bash_itself_completes_with_it(here):
    tab = 'COMP_WORDS=(course run 0) COMP_CWORD=2; _course_completion course; printf "%s\\n" "${COMPREPLY[@]}"'
    script = f'eval "$({COURSE} --show-completion bash)"\n{tab}'
    environment = os.environ | {"PATH": f"{COURSE.parent}{os.pathsep}{os.environ['PATH']}"}
    said = subprocess.check_output(["bash", "--noprofile", "--norc", "-c", script], env=environment, text=True)
    assert said.split() == ["02", "03"]


def test_completion_is_installed_where_the_shell_reads_it(tmp_path):
    environment = os.environ | {"HOME": str(tmp_path), "SHELL": "/bin/bash"}
    said = subprocess.check_output([COURSE, "--install-completion", "bash"], env=environment, text=True)
    assert "bash completion installed in" in said
    (rc,) = [line for line in (tmp_path / ".bashrc").read_text().splitlines() if line]
    assert "_COURSE_COMPLETE" in Path(shlex.split(rc)[1].replace("~", str(tmp_path))).read_text()
