"""The learners' zip: what is in it, that it works where it is unpacked, and what keeps it from being made."""

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from course_lib.classroom import cli, exercises
from course_lib.classroom.build import Course, build
from course_lib.classroom.release.contents import require_clean
from course_lib.classroom.release.learners import TOP, learners, stage

ROOT = Path(__file__).parents[2]
FIXTURES = Path(__file__).parent / "fixtures"
SOLUTION = "def double(x):\n    return x + x"
PROGRAM = "from course_lib.classroom.cli import app; app()"


@pytest.fixture(scope="module")
def built_once(tmp_path_factory):
    """The course of chapter 90, with the files that every release has."""
    root = tmp_path_factory.mktemp("course")
    for folder in ("sources", "notebooks"):
        (root / folder).mkdir()
    for file in FIXTURES.glob("90_*.py"):
        shutil.copy(file, root / "sources")
    (root / "docs").mkdir()
    for name in (*TOP, ".gitignore", "docs/glossary.md"):
        shutil.copy(ROOT / name, root / name)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(exercises, "__path__", [str(FIXTURES)])
        assert build(Course(root), console=Console(quiet=True)) == 0
    return root


@pytest.fixture
def course(built_once, tmp_path, monkeypatch):
    """A copy of it, to be spoilt."""
    shutil.copytree(built_once, tmp_path / "course")
    monkeypatch.setattr(exercises, "__path__", [str(FIXTURES)])
    return Course(tmp_path / "course")


@pytest.fixture
def out(tmp_path):
    (tmp_path / "out").mkdir()
    return tmp_path / "out"


def names(path):
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        return {name.removeprefix("pruning-course/") for name in archive.namelist()}


def inside(folder, *command):
    """Run Python in an unpacked copy, with its library: exit code, output, errors."""
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    done = subprocess.run([sys.executable, *command], cwd=folder, env=environment, capture_output=True, text=True)
    return done.returncode, done.stdout, done.stderr


def test_it_holds_what_a_learner_needs_and_nothing_else(course, out):
    path = learners(course, out)
    assert path == out / "pruning-course.zip"
    assert os.listdir(out) == ["pruning-course.zip"]
    library = {name for name in names(path) if name.startswith("course_lib/")}
    assert names(path) - library == {
        "LICENSE", "Makefile", "README.md", "environment.yml", "pyproject.toml", "requirements.lock",
        "notebooks/90_doubling.ipynb", "exercises/90_doubling.ipynb", "docs/glossary.md",
    }  # fmt: skip
    bank = {name for name in library if name.startswith("course_lib/classroom/exercises/")}
    assert bank == {f"course_lib/classroom/exercises/{name}" for name in ("__init__.py", "chapter_90.frozen")}
    assert {"course_lib/data/fashion_mnist/LICENSE", "course_lib/shrink/rules/norms.py"} <= library


def test_the_same_course_gives_the_same_bytes(course, out):
    first = learners(course, out).read_bytes()
    (course.root / "notebooks" / ".ipynb_checkpoints").mkdir()
    os.utime(course.root / "LICENSE", (0, 0))
    assert learners(course, out).read_bytes() == first


def test_the_readme_lists_the_chapters(course, out):
    with zipfile.ZipFile(learners(course, out)) as archive:
        text = archive.read("pruning-course/README.md").decode()
    assert "| 90 | [Doubling](notebooks/90_doubling.ipynb) | [2](exercises/90_doubling.ipynb) | 4 |\n" in text
    assert "{" not in text


@pytest.fixture
def unpacked(course, out, tmp_path, monkeypatch):
    with zipfile.ZipFile(learners(course, out)) as archive:
        archive.extractall(tmp_path / "unpacked")
    return tmp_path / "unpacked" / "pruning-course"


def test_check_works_where_it_is_unpacked(course, unpacked):
    shutil.copy(course.root / "solutions" / "90_doubling.ipynb", unpacked / "mine.ipynb")
    code, said, error = inside(unpacked, "-c", PROGRAM, "check", "mine.ipynb")
    assert (code, said.splitlines()[-1], error) == (0, "Total: 4 of 4 points", "")
    code, said, error = inside(unpacked, "-c", PROGRAM, "check", "exercises/90_doubling.ipynb")
    assert (code, said.splitlines()[-1], error) == (0, "Total: 0 of 4 points", "")
    program = "from course_lib.classroom import check\nprint(check('90.double', lambda x: x * x))"
    said = inside(unpacked, "-c", program)[1]
    assert "✘ Not yet right: Twice (0 of 3 points)\nThat is the square.\n" in said


def test_run_and_lab_work_where_it_is_unpacked(unpacked):
    code, said, error = inside(unpacked, "-c", PROGRAM, "run")
    assert (code, error) == (0, "")
    assert said.endswith("\ndoubled | 0 2 4 6\n")
    code, said, error = inside(unpacked, "-c", PROGRAM, "lab", "--", "--version")
    assert code == 0 and re.fullmatch(r"\d+\.\d+\.\d+\n", said), error
    make = subprocess.check_output(["make", "--no-print-directory", "--dry-run", "lab"], cwd=unpacked, text=True)
    assert make.splitlines()[-1] == ".venv/bin/course lab -- "


@pytest.mark.parametrize("command", [["build"], ["build", "--check"], ["release", "--out", "out"]])
def test_what_needs_the_sources_says_so_where_it_is_unpacked(unpacked, monkeypatch, command):
    monkeypatch.chdir(unpacked)
    result = CliRunner().invoke(cli.app, command)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == f"course: {unpacked} is a learner's copy of the course: it has no sources/ to build from.\n"


def prose(path):
    """What is written in a file; of a notebook without its code."""
    if path.suffix != ".ipynb":
        return path.read_text()
    cells = json.loads(path.read_text())["cells"]
    return "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")


def test_the_whole_course_can_be_released(out, tmp_path):
    path = learners(Course(ROOT), out)
    assert path.stat().st_size < 50e6
    bank = {name for name in names(path) if name.startswith("course_lib/classroom/exercises/")}
    frozen = {f"course_lib/classroom/exercises/chapter_{number}.frozen" for number in exercises.chapters()}
    assert bank == frozen | {"course_lib/classroom/exercises/__init__.py"}
    with zipfile.ZipFile(path) as archive:
        archive.extractall(tmp_path)
    folder = tmp_path / "pruning-course"
    for text in (folder / "README.md", *folder.glob("notebooks/*.ipynb"), *folder.glob("exercises/*.ipynb")):
        links = re.findall(r"\]\(([\w./]+)\)", prose(text))
        assert links and [link for link in links if not (text.parent / link).exists()] == []
    program = "from course_lib.classroom import check; print(check('02.soft_threshold', lambda w, t: w / (1 + 2 * t)))"
    said = inside(folder, "-c", program)[1]
    assert said == inside(ROOT, "-c", program)[1]
    assert "that is what L2 does" in said


# What must not leave


def edit(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def fill_in(root):
    notebook = json.loads((root / "exercises" / "90_doubling.ipynb").read_text())
    for cell in notebook["cells"]:
        if "".join(cell["source"]).startswith("def double"):
            cell["source"] = SOLUTION
    (root / "exercises" / "90_doubling.ipynb").write_text(json.dumps(notebook))


def run_it(root):
    output = {"output_type": "stream", "name": "stdout", "text": "checked"}
    notebook = json.loads((root / "exercises" / "90_doubling.ipynb").read_text())
    next(cell for cell in notebook["cells"] if cell["cell_type"] == "code")["outputs"].append(output)
    (root / "exercises" / "90_doubling.ipynb").write_text(json.dumps(notebook))


def in_the_lesson(text):
    """Written into the lesson and built, so that the lesson is what its source gives."""

    def plant(root):
        with open(root / "sources" / "90_doubling.py", "a") as source:
            source.write(f"\n# %% [markdown]\n# One more: {text.format(root=root)}\n")
        assert build(Course(root), console=Console(quiet=True)) == 0

    return plant


def in_a_cell_of_the_lesson(code):
    def plant(root):
        with open(root / "sources" / "90_doubling.py", "a") as source:
            source.write(f"\n# %%\n{code}\n")
        assert build(Course(root), console=Console(quiet=True)) == 0

    return plant


def a_file(name, text):
    def plant(root):
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text(text)

    return plant


def secret_of_a_batch(root):
    (root / "grades").mkdir()
    (root / "grades" / "secret.hex").write_text("5ec2e7" * 12)
    in_the_lesson("5ec2e7" * 12)(root)


GRADED = json.dumps({"key": "ab" * 32, "record": {"submission": "ada"}})
LEAKS = {
    "an exercise that was filled in": (fill_in, "exercises/90_doubling.ipynb: cell 4 has another source: 'def double"),
    "outputs in an exercise": (run_it, "exercises/90_doubling.ipynb: cell 2 carries outputs"),
    "a solution in a lesson's text": (
        in_the_lesson("`return x + x`"),
        "notebooks/90_doubling.ipynb holds the solution of 90.double: return x + x",
    ),
    "a solution in a lesson's code": (
        in_a_cell_of_the_lesson("def twice(x):\n    return x  +  x  # in another style"),
        "notebooks/90_doubling.ipynb holds the solution of 90.double: return x + x",
    ),
    "a value in a lesson's code": (
        in_a_cell_of_the_lesson("factor=2"),
        "notebooks/90_doubling.ipynb holds the solution of 90.factor: factor = 2",
    ),
    "a solution that is printed": (
        in_a_cell_of_the_lesson("print('return x', '+ x')"),
        "notebooks/90_doubling.ipynb holds the solution of 90.double: return x + x",
    ),
    "a lesson that was edited": (
        lambda root: edit(root / "notebooks" / "90_doubling.ipynb", "Add each", "Take each"),
        "notebooks/90_doubling.ipynb: cell 3 has another source",
    ),
    "a lesson that is damaged": (
        lambda root: edit(root / "notebooks" / "90_doubling.ipynb", "{", ""),
        "notebooks/90_doubling.ipynb: cell – is not a notebook",
    ),
    "a notebook without a source": (
        lambda root: shutil.copy(root / "solutions" / "90_doubling.ipynb", root / "exercises" / "91_mine.ipynb"),
        "exercises/91_mine.ipynb has no source",
    ),
    "a secret among the lessons": (
        a_file("notebooks/secret.hex", "00ff" * 16 + "\n"),
        "notebooks/secret.hex does not belong in a release; take it out of that folder.\n"
        "notebooks/secret.hex holds a secret that hidden cases are drawn from.",
    ),
    "the secret of a batch in a lesson": (
        secret_of_a_batch,
        "notebooks/90_doubling.ipynb holds a secret that hidden cases are drawn from.",
    ),
    "grades among the exercises": (
        a_file("exercises/graded.jsonl", GRADED + "\n"),
        "exercises/graded.jsonl does not belong in a release; take it out of that folder.\n"
        "exercises/graded.jsonl holds grades.",
    ),
    "another folder among the lessons": (
        a_file("notebooks/more/90_x.ipynb", "{}"),
        "notebooks/more/90_x.ipynb does not",
    ),
    "a path of this machine": (
        in_the_lesson("see {root}/notebooks"),
        "notebooks/90_doubling.ipynb shows a path of this machine.",
    ),
}


@pytest.mark.parametrize("leak", LEAKS)
def test_a_leak_is_named_and_nothing_is_released(leak, course, out):
    plant, named = LEAKS[leak]
    plant(course.root)
    with pytest.raises(ValueError, match=re.escape(named)) as caught:
        learners(course, out)
    assert str(caught.value).startswith("Nothing was released.\n")
    assert os.listdir(out) == []


def test_a_solution_that_is_no_python_by_itself_is_no_reason_to_refuse(course, out):
    part = "    ### BEGIN SOLUTION\n    # Twice.\n    ### END SOLUTION\n    ### BEGIN SOLUTION\n    return x + x"
    edit(course.root / "sources" / "90_doubling_exercises.py", "    ### BEGIN SOLUTION\n    return x + x", part)
    assert build(course, console=Console(quiet=True)) == 0
    assert learners(course, out).exists()


def test_an_older_zip_is_left_as_it_was(course, out):
    before = learners(course, out).read_bytes()
    fill_in(course.root)
    with pytest.raises(ValueError, match="Nothing was released"):
        learners(course, out)
    assert learners_in(out) == before


def learners_in(out):
    assert os.listdir(out) == ["pruning-course.zip"]
    return (out / "pruning-course.zip").read_bytes()


STAGED = {
    "course_lib/classroom/exercises/chapter_90.py": "EXERCISES = []",
    "course_lib/classroom/exercises/chapter_90/__init__.py": "",
    "course_lib/classroom/exercises/chapter_90/soft.json": "{}",
    "course_lib/notes.txt": "",
    "solutions/90_doubling.ipynb": "{}",
    "sources/90_doubling.py": "",
    "tests/test_x.py": "",
    "grades.csv": "",
    ".git/config": "",
}


@pytest.fixture(scope="module")
def staged_once(built_once, tmp_path_factory):
    folder = tmp_path_factory.mktemp("staged")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(exercises, "__path__", [str(FIXTURES)])
        stage(Course(built_once), folder)
    return folder


@pytest.mark.parametrize("name", STAGED)
def test_a_file_that_is_not_known_to_belong_is_refused(name, course, staged_once):
    require_clean(staged_once, course)
    first = staged_once / Path(name).parts[0]
    existed = first.exists()
    (staged_once / name).parent.mkdir(parents=True, exist_ok=True)
    (staged_once / name).write_text(STAGED[name])
    try:
        with pytest.raises(ValueError, match=re.escape(f"{name} does not belong in a release")):
            require_clean(staged_once, course)
    finally:
        (staged_once / name).unlink()
        if not existed and first.is_dir():
            shutil.rmtree(first)


def test_a_right_answer_of_the_declarations_is_found_wherever_it_stands(tmp_path, monkeypatch, built_once):
    """As the sources do not have it, only the declaration gives it away."""
    bank = tmp_path / "bank"
    bank.mkdir()
    declared = (FIXTURES / "chapter_90.py").read_text()
    other = "also_right=[lambda x: (3.0 * x + 5.0 * x) / 4.0 + 0.0 * x]"
    (bank / "chapter_90.py").write_text(declared.replace("also_right=[lambda x: x + x]", other))
    monkeypatch.setattr(exercises, "__path__", [str(bank)])
    monkeypatch.delitem(sys.modules, "course_lib.classroom.exercises.chapter_90", raising=False)
    folder = tmp_path / "staged"
    folder.mkdir()
    stage(Course(built_once), folder)
    require_clean(folder, Course(built_once))
    with open(folder / "course_lib" / "classroom" / "language.py", "a") as module:
        module.write("\n\ndef twice(x):\n    return (3. * x + 5. * x) / 4. + 0. * x\n")
    with pytest.raises(ValueError, match=r"classroom/language\.py holds the solution of 90\.double: \(3\.0 \* x"):
        require_clean(folder, Course(built_once))
    monkeypatch.delitem(sys.modules, "course_lib.classroom.exercises.chapter_90", raising=False)


# The command


def release(*arguments):
    result = CliRunner().invoke(cli.app, ["release", *map(str, arguments)])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.stdout, result.stderr


def test_the_command_has_its_help_and_wants_to_be_inside_of_the_course(tmp_path, monkeypatch):
    assert "Example: course release --out release" in release("--help")[1]
    assert re.search(r"^│ release ", CliRunner().invoke(cli.app, ["--help"]).stdout, re.MULTILINE)
    monkeypatch.chdir(tmp_path)
    code, said, error = release("--out", "out")
    assert (code, said, os.listdir(tmp_path)) == (2, "", [])
    assert "Go to the folder that you cloned or unpacked" in error


def test_the_command_says_what_it_has_written(course, tmp_path, monkeypatch):
    monkeypatch.chdir(course.root / "notebooks")
    code, said, error = release("--out", tmp_path / "new" / "folder")
    assert (code, error) == (0, "")
    assert re.fullmatch(rf"Written: {tmp_path}/new/folder/pruning-course\.zip \(\d\d\.\d MB\)\n", said)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--unsafe"], "course: --secret and --unsafe are for --gradescope NN."),
        (["--github", "7"], "course: There are no exercises for chapter '07'; there are for 90."),
        (["--gradescope", "07"], "course: There are no exercises for chapter '07'; there are for 90."),
        (["--gradescope", "90", "--secret", "Makefile"], "course: Makefile is not a secret"),
    ],
)
def test_a_wrong_argument_is_one_line(course, out, monkeypatch, arguments, message):
    monkeypatch.chdir(course.root)
    code, said, error = release("--out", out, *arguments)
    assert (code, said) == (2, "")
    assert error.startswith(message) and error.count("\n") == 1
    assert os.listdir(out) == []


def test_the_command_names_a_leak(course, out, monkeypatch):
    monkeypatch.chdir(course.root)
    fill_in(course.root)
    code, said, error = release("--out", out)
    assert (code, said) == (2, "")
    assert error.startswith("course: Nothing was released.\nexercises/90_doubling.ipynb: cell 4 has another source")
    assert os.listdir(out) == []
