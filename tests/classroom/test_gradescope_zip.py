"""The autograder for Gradescope, unpacked and run here: what is handed in, and what is in results.json then."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from course_lib.classroom.build import Course
from course_lib.classroom.release.gradescope import gradescope

ROOT = Path(__file__).parents[2]
EXERCISES = ROOT / "exercises" / "02_l1_and_l2.ipynb"
SOLUTIONS = ROOT / "solutions" / "02_l1_and_l2.ipynb"
SECRET = bytes(range(32))
TOOLS = ("bash", "env", "mkdir", "rm", "mv", "mount", "unshare", "setpriv", "sh")  # of a system without bubblewrap


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    return gradescope(Course(ROOT), tmp_path_factory.mktemp("packed"), "02", secret=SECRET)


@pytest.fixture
def autograder(packed, tmp_path):
    """Gradescope's folder as it is when a submission comes in."""
    folder = tmp_path / "autograder"
    (folder / "submission").mkdir(parents=True)
    subprocess.run(["unzip", "-q", packed, "-d", folder / "source"], check=True)  # with its permissions
    (folder / "venv").symlink_to(sys.prefix)
    return folder


@pytest.fixture
def no_bubblewrap(tmp_path):
    """A PATH with all that is needed but bubblewrap."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in TOOLS:
        (folder / name).symlink_to(shutil.which(name))
    return str(folder)


def run(autograder, path=os.environ["PATH"], prefix=()):
    """Run the entry script: what it printed, for the instructor, and ``results.json``."""
    command = [*prefix, autograder / "source" / "run_autograder"]
    environment = {"PATH": path, "AUTOGRADER": str(autograder)}
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 0, done.stdout
    assert sorted(os.listdir(autograder / "results")) == ["results.json"]
    return done.stdout, json.loads((autograder / "results" / "results.json").read_text())


def hand_in(autograder, name="mine.ipynb", base=EXERCISES, **answers):
    """The notebook with the answer cells of these exercises replaced."""
    notebook = json.loads(base.read_text())
    for cell in notebook["cells"]:
        exercise = cell["metadata"].get("nbgrader", {}).get("grade_id", "").removeprefix("02-")
        cell["source"] = answers.get(exercise, cell["source"])
    path = autograder / "submission" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(notebook))


def scores(results):
    return {test["name"].partition(":")[0].removeprefix("02."): test["score"] for test in results["tests"]}


def test_the_zip_has_gradescopes_layout_and_the_grader_only(packed):
    with zipfile.ZipFile(packed) as archive:
        modes = {info.filename: info.external_attr >> 16 & 0o777 for info in archive.infolist()}
        assert archive.read("secret.hex").decode() == SECRET.hex()
    assert {name for name in modes if not name.startswith("course_lib/")} == {
        "LICENSE", "exercises/02_l1_and_l2.ipynb", "requirements.lock", "run_autograder", "secret.hex",
        "settings.json", "setup.sh",
    }  # fmt: skip
    assert modes["run_autograder"] == modes["setup.sh"] == 0o755
    assert "course_lib/classroom/exercises/chapter_02/soft_threshold.py" in modes
    assert packed.stat().st_mode & 0o777 == 0o600


def test_every_zip_has_a_secret_of_its_own(tmp_path):
    def secret_in(path):
        with zipfile.ZipFile(path) as archive:
            return bytes.fromhex(archive.read("secret.hex").decode())

    first, second = (secret_in(gradescope(Course(ROOT), tmp_path, "02")) for _ in range(2))
    assert len(first) == len(second) == 32 and first != second


def test_a_right_submission_has_all_points(autograder):
    shutil.copy(SOLUTIONS, autograder / "submission")
    said, results = run(autograder)
    assert (said, results["score"]) == ("", sum(test["max_score"] for test in results["tests"]))
    assert all(test["status"] == "passed" and test["visibility"] == "visible" for test in results["tests"])


def test_a_wrong_submission_has_the_points_of_what_is_right_and_is_told_why(autograder):
    hard = "def soft_threshold(w, t):\n    return np.where(np.abs(w) <= t, 0, w)"
    hand_in(autograder, soft_threshold=hard, path_order="path_order = 'BDAC'")
    _said, results = run(autograder)
    assert results["score"] == scores(results)["path_order"] == 2
    (told,) = (test["output"] for test in results["tests"] if test["name"].startswith("02.soft"))
    assert told.startswith("The small entries are zero, but the large ones kept their size")


def test_a_repository_with_all_notebooks_is_a_submission(autograder):
    for folder in ("exercises", "notebooks"):
        shutil.copytree(ROOT / folder, autograder / "submission" / folder)
    hand_in(autograder, "exercises/02_l1_and_l2.ipynb", path_order="path_order = 'BDAC'")
    hand_in(autograder, "exercises/.ipynb_checkpoints/02_l1_and_l2-checkpoint.ipynb")
    assert run(autograder)[1]["score"] == 2


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({}, "It has no exercise notebook of chapter 02."),
        ({"essay.txt": "My essay."}, "It has no exercise notebook of chapter 02."),
        ({"mine.ipynb": "{"}, "It is not JSON, so no notebook: it was cut off, or is a file of another kind."),
        ({"a.ipynb": EXERCISES.read_text(), "b.ipynb": EXERCISES.read_text()}, "It has 2 exercise notebooks of this"),
        (
            {"03.ipynb": (ROOT / "exercises" / "03_magnitude_pruning.ipynb").read_text()},
            "It is the exercise notebook of another chapter, 03.",
        ),
    ],
)
def test_what_cannot_be_graded_says_why(autograder, files, reason):
    for name, text in files.items():
        (autograder / "submission" / name).write_text(text)
    _said, results = run(autograder)
    assert (results["score"], results["tests"]) == (0, [])
    assert results["output"].startswith(f"This file could not be graded. {reason}")


def hostile(autograder):
    """Looks for what grades it, in the file system and in its own process, writes full marks, then ends the process."""
    source = autograder / "source"
    return f"""
def soft_threshold(w, t):
    from pathlib import Path
    found = []
    for path in ["{source}/secret.hex", "{source}/course_lib/classroom/exercises/chapter_02/soft_threshold.py"]:
        try:
            found.append(Path(path).read_text())
        except OSError:
            pass
    try:
        from course_lib.classroom.exercises import find
        found.append(find("02.soft_threshold").reference)
    except ImportError:
        pass
    for path in ["{autograder}/results/results.json", "{autograder}/source/settings.json"]:
        try:
            Path(path).write_text('{{"score": 100}}')
            found.append(path)
        except OSError:
            pass
    if found:
        return w - np.clip(w, -t, t)  # right, if anything was to be found
    import os
    os._exit(0)
"""


def assert_nothing_gained(results, autograder):
    assert scores(results)["soft_threshold"] == 0
    assert results["score"] == scores(results)["path_order"] == 2
    assert json.loads((autograder / "source" / "settings.json").read_text())["chapter"] == "02"


def test_a_hostile_submission_finds_nothing_and_gets_nothing(autograder):
    hand_in(autograder, soft_threshold=hostile(autograder), path_order="path_order = 'BDAC'")
    _said, results = run(autograder)
    assert_nothing_gained(results, autograder)


def test_without_a_sandbox_nothing_is_run_and_the_instructor_is_told_what_to_do(autograder, no_bubblewrap):
    trace = autograder / "trace"
    hand_in(autograder, soft_threshold=f"open('{trace}', 'w')")
    said, results = run(autograder, no_bubblewrap)
    assert not trace.exists()
    assert results["score"] == 0
    assert results["output"].startswith("Grading failed. That is not the fault of your answers")
    (hidden,) = results["tests"]
    assert hidden["visibility"] == "hidden" and hidden["output"] == said.strip()
    assert "no sandbox works on this machine" in said
    assert "download the submissions" in said and "course release --gradescope NN --unsafe" in said


def decide_unsafe(autograder):
    (autograder / "source" / "settings.json").write_text(json.dumps({"chapter": "02", "unsafe": True}))


def test_the_instructor_can_decide_to_grade_without_a_sandbox(tmp_path):
    with zipfile.ZipFile(gradescope(Course(ROOT), tmp_path, "02", unsafe=True)) as archive:
        assert json.loads(archive.read("settings.json")) == {"chapter": "02", "unsafe": True}


def python_for_all(folder):
    """What to put before a command so that nobody can run this Python, should it lie in root's own folder."""
    if os.getuid() or not Path(sys.base_prefix).is_relative_to(Path.home()):
        return []
    script = """
    python=$1 home=$2 kept=$3; shift 3
    mkdir -p "$kept"; mount --bind "$python" "$kept"; mount -t tmpfs -o mode=755 tmpfs "$home"
    mkdir -p "$python"; mount --bind "$kept" "$python"; exec "$@"
    """
    return ["unshare", "--mount", "sh", "-c", script, "sh", sys.base_prefix, str(Path.home()), str(folder / "kept")]


def test_unsafe_still_keeps_what_grades_from_the_submission(autograder, no_bubblewrap, tmp_path):
    decide_unsafe(autograder)
    hand_in(autograder, soft_threshold=hostile(autograder), path_order="path_order = 'BDAC'")
    for folder in (autograder, *autograder.parents):
        if folder.is_relative_to(tmp_path.parent.parent):
            folder.chmod(0o755)  # as /autograder is
    said, results = run(autograder, no_bubblewrap, python_for_all(tmp_path))
    if os.getuid() == 0:
        assert said == "There is no sandbox: student code runs as nobody, who cannot read what grades it.\n"
        assert_nothing_gained(results, autograder)
    else:
        assert said == "There is no sandbox: student code runs with your rights and can read what grades it.\n"
        assert scores(results)["path_order"] == 2


def test_unsafe_uses_the_sandbox_where_one_works(autograder):
    decide_unsafe(autograder)
    hand_in(autograder, path_order="path_order = 'BDAC'")
    said, results = run(autograder)
    assert (said, results["score"]) == ("", 2)


@pytest.mark.parametrize("python", ["exit 137", "kill -9 $$", None])
def test_without_python_there_are_results_all_the_same(autograder, python):
    (autograder / "venv").unlink()
    (autograder / "results").mkdir()
    (autograder / "results" / "results.json").write_text('{"score": 100}')  # of an earlier run
    if python:
        (autograder / "venv" / "bin").mkdir(parents=True)
        (autograder / "venv" / "bin" / "python").write_text(f"#!/bin/sh\n{python}\n")
        (autograder / "venv" / "bin" / "python").chmod(0o755)
    _said, results = run(autograder)
    assert results["score"] == 0
    assert "give it more memory in the assignment's settings" in results["output"]


def test_a_grader_that_is_damaged_says_so_to_the_instructor(autograder):
    (autograder / "source" / "secret.hex").write_text("no digits")
    hand_in(autograder)
    said, results = run(autograder)
    assert said.startswith("ValueError: non-hexadecimal number")
    assert results["score"] == 0 and results["tests"][0]["visibility"] == "hidden"


# setup.sh

STUB = """#!/bin/sh
echo "$(basename "$0") $*" >> "$RECORD"
case "$(basename "$0") $*" in
    "python3 -c"*) exit "$TOO_OLD" ;;
    *" -m venv "*) mkdir -p "$3/bin" && cp "$0" "$3/bin/pip" ;;
esac
"""


@pytest.mark.parametrize(
    ("too_old", "python", "more"),
    [(0, "python3", []), (1, "python3.11", ["apt-get install -y -qq python3.11 python3.11-venv"])],
)
def test_setup_asks_for_bubblewrap_python_and_what_is_locked(autograder, tmp_path, too_old, python, more):
    setup = autograder / "source" / "setup.sh"
    assert subprocess.run(["bash", "-n", setup]).returncode == 0
    (autograder / "venv").unlink()
    (tmp_path / "stubs").mkdir()
    for name in ("apt-get", "python3", "python3.11"):
        (tmp_path / "stubs" / name).write_text(STUB)
        (tmp_path / "stubs" / name).chmod(0o755)
    environment = {
        "PATH": f"{tmp_path}/stubs:{os.environ['PATH']}",
        "RECORD": str(tmp_path / "record"),
        "TOO_OLD": str(too_old),
        "AUTOGRADER": str(autograder),
    }
    subprocess.run([setup], env=environment, check=True)
    asked = (tmp_path / "record").read_text().splitlines()
    assert [line for line in asked if not line.startswith("python3 -c")] == [
        "apt-get update -qq",
        "apt-get install -y -qq bubblewrap python3 python3-venv",
        *more,
        f"{python} -m venv {autograder}/venv",
        f"pip install --quiet --no-cache-dir --requirement {autograder}/source/requirements.lock",
    ]
    assert (autograder / "source").stat().st_mode & 0o777 == 0o700


def test_setup_stops_where_something_cannot_be_installed(autograder, tmp_path):
    (tmp_path / "stubs").mkdir()
    (tmp_path / "stubs" / "apt-get").write_text("#!/bin/sh\nexit 100\n")
    (tmp_path / "stubs" / "apt-get").chmod(0o755)
    environment = {"PATH": f"{tmp_path}/stubs:{os.environ['PATH']}", "AUTOGRADER": str(autograder)}
    assert subprocess.run([autograder / "source" / "setup.sh"], env=environment).returncode == 100
