"""CONTRIBUTING.md, followed to the letter in a copy of the course: every file, every change, every command."""

import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

from container import context

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "CONTRIBUTING.md").read_text()
RECIPES = dict(re.findall(r"^## (Add .+)\n((?:(?!## ).*\n)+)", PAGE, re.MULTILINE))
BLOCK = re.compile(r"^( *)```(\w+)\n(.*?)^\1```$", re.DOTALL | re.MULTILINE)


def steps(recipe):
    """What the page says before a block, the kind of the block, and its text."""
    end = 0
    for block in BLOCK.finditer(recipe):
        yield recipe[end : block.start()], block[2], textwrap.dedent(block[3].replace("\n\n", f"\n{block[1]}\n"))
        end = block.end()


def write(folder, before, kind, text):
    """Do what the words before the block say with it; they end with the file's name, or say nothing new."""
    file = folder / re.search(r"`([\w/.]+)`:\s*$", before)[1]
    if kind == "diff":
        lines = text.splitlines()
        old, new = ("\n".join(line[1:] for line in lines if line[0] in kept) for kept in (" -", " +"))
        assert file.read_text().count(old) == 1, f"{file.name} has this not exactly once: {old}"
        file.write_text(file.read_text().replace(old, new))
    elif "after a blank line at the end of" in before:
        file.write_text(f"{file.read_text()}\n{text}")
    elif "below the last" in before:
        kind_of_line = re.sub(r"\d\d", r"\\d\\d", re.escape(text[:5]))  # "| 20 " and "20 · " for another number
        end = [line.end() for line in re.finditer(rf"^{kind_of_line}.*\n", file.read_text(), re.MULTILINE)][-1]
        file.write_text(file.read_text()[:end] + text + file.read_text()[end:])
    else:
        assert not file.exists(), f"{file} is there already; the page needs another example"
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)


def run(folder, command):
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = os.environ | {"PATH": path, "PYTHONPATH": str(folder)}  # before the course that is installed
    done = subprocess.run(command, shell=True, cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout


def test_the_recipes_work_to_the_letter(tmp_path):
    assert list(RECIPES) == ["Add a score", "Add a chapter", "Add an exercise"]  # the last one needs the one before
    copy = context(ROOT, tmp_path / "course")
    for name, recipe in RECIPES.items():
        told, said = "", ""
        for before, kind, text in steps(recipe):
            told = before if before.strip() else told  # a second block for the same file
            if kind == "sh":
                said = [run(copy, command) for command in text.splitlines()][-1]
            else:
                write(copy, told, kind, text)
        assert re.search(r"\d passed", said) and "skipped" not in said, name
    written = [
        str(path.relative_to(copy)) for path in copy.rglob("*.py") if not (ROOT / path.relative_to(copy)).exists()
    ]
    for command in ("ruff check", "ruff format --check"):
        run(copy, f"{command} {' '.join(written)}")
    run(copy, "lint-imports --no-cache")


def test_files_that_the_page_links_to_are_there():
    links = re.findall(r"\]\((?!http)([^)#]+)\)", BLOCK.sub("", PAGE))
    assert links and [link for link in links if not (ROOT / link).exists()] == []
