"""Where people already are: containers, Binder, Colab. Their files are followed step by step on this machine."""

import ast
import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from container import Container, context, packages
from packaging.requirements import Requirement

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "elsewhere.md").read_text()
LOOK = """
import sys, time, urllib.request
for _ in range(600):
    try:
        page = urllib.request.urlopen("http://127.0.0.1:8888" + sys.argv[1], timeout=60)
    except OSError as error:
        if getattr(error, "code", None): raise
        time.sleep(0.1)
    else:
        print(page.status, page.url)
        print(page.read().decode())
        break
else:
    sys.exit("nothing answered")
"""


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    """What the Dockerfile makes of this folder."""
    folder = tmp_path_factory.mktemp("image")
    container = Container(folder)
    container.build(ROOT / "Dockerfile", context(ROOT, folder / "context"))
    return container


def opened(container, command, address):
    """The page at the address while the command serves."""
    (container.home / "tmp" / "look.py").write_text(LOOK)
    return container.run(f"{command} >/home/tmp/log 2>&1 & python /home/tmp/look.py '{address}' || cat /home/tmp/log")


def test_the_image_is_for_the_tested_python_and_an_ordinary_user(image):
    assert re.fullmatch(r"python:3\.11-slim-\w+", image.base)
    assert image.user == "learner"
    record = (image.home / "tmp" / "record").read_text().splitlines()
    assert record[-1] == "useradd --create-home --uid 1000 learner"
    assert record[1].startswith("apt-get install --yes --no-install-recommends bubblewrap")


def test_git_s_ignored_files_stay_out_of_it(image):
    ignored = {line.strip("/") for line in (ROOT / ".gitignore").read_text().split()}
    left_out = {line.removeprefix("**/") for line in (ROOT / ".dockerignore").read_text().splitlines()[1:]}
    assert ignored | {".git"} == left_out
    assert not image.on_host(".git").exists() and not image.on_host(".venv").exists()
    assert image.on_host("course_lib/data/fashion_mnist/SHA256SUMS").is_file()


def test_inside_the_course_is_the_copied_one_and_the_doctor_finds_all_that_lessons_need(image):
    said = image.run("cd / && python -c 'import course_lib; print(course_lib.__file__)'")
    assert said == "/home/learner/course/course_lib/__init__.py\n"
    assert image.run("course doctor").splitlines()[-1] == "Ready: all that the lessons need works."


def test_it_starts_with_the_start_page(image):
    image.environment["JUPYTER_TOKEN"] = "known"
    command = subprocess.list2cmdline(image.command)
    assert "0.0.0.0" in image.command and image.port == 8888
    said = opened(image, command, "/course?token=known")
    assert said.startswith("200 ") and "02_l1_and_l2" in said


# VS Code and Codespaces


def test_the_development_container_is_the_image_with_the_opened_folder(image):
    declared = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text())
    folder = ROOT / ".devcontainer"
    assert (folder / declared["build"]["dockerfile"]).resolve() == ROOT / "Dockerfile"
    assert (folder / declared["build"]["context"]).resolve() == ROOT
    assert (declared["remoteUser"], declared["forwardPorts"]) == (image.user, [image.port])
    interpreter = declared["customizations"]["vscode"]["settings"]["python.defaultInterpreterPath"]
    image.run("cp --recursive . /home/workspace")
    image.run(f"cd /home/workspace && {declared['postCreateCommand']}")
    said = image.run(f"cd / && {interpreter} -c 'import course_lib; print(course_lib.__file__)'")
    image.run("pip install --no-deps --no-build-isolation --editable .")
    assert said.strip() == "/home/workspace/course_lib/__init__.py"


# Binder: repo2docker looks into .binder/ alone, installs requirements.txt, runs postBuild, and every session by start


def test_binder_has_the_locked_packages_and_the_tested_python():
    binder = ROOT / ".binder"
    option, name = (binder / "requirements.txt").read_text().split()
    assert option == "-r" and (binder / name).resolve() == ROOT / "requirements.lock"
    assert (binder / "runtime.txt").read_text().strip() == "python-3.11"
    assert {path.name for path in binder.iterdir()} == {"requirements.txt", "runtime.txt", "postBuild", "start"}


def test_binder_starts_with_the_start_page(image):
    image.run("pip uninstall --yes --quiet course_lib")
    image.run("pip install --requirement .binder/requirements.txt && .binder/postBuild")
    serve = ".binder/start python -m jupyterlab --ip 0.0.0.0 --no-browser --ServerApp.base_url=/user/somebody/"
    image.environment["JUPYTER_TOKEN"] = "known"
    said = opened(image, serve, "/user/somebody/course?token=known")
    assert said.startswith("200 ") and "02_l1_and_l2" in said
    assert "write `course` there" in PAGE


# Colab: its own packages, and the cell of docs/elsewhere.md

COLAB_HAS = {  # from pip-freeze.txt of github.com/googlecolab/backend-info
    "flatbuffers", "ipykernel", "ipywidgets", "jinja2", "matplotlib", "nbclient", "nbformat", "numpy", "packaging",
    "psutil", "rich", "typer",
}  # fmt: skip
NOT_ON_COLAB = {"jupyterlab", "jupytext"}  # it is a notebook itself, and nobody builds the course there
CELL = re.search(r"```python\n(!git.+?)```", PAGE, re.DOTALL)[1]


def test_the_cell_installs_exactly_what_colab_lacks_and_the_tested_tensorflow():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    declared = {*project["dependencies"], *project["optional-dependencies"]["toolkit"]}
    needed = {Requirement(text).name for text in declared} - COLAB_HAS - NOT_ON_COLAB
    installed = re.search(r"--constraint requirements.lock (.+)", CELL)[1].split()
    assert sorted(installed) == sorted(needed)


IMPORTS = sorted(
    {
        ast.unparse(node)
        for path in ROOT.glob("sources/*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Import | ast.ImportFrom)
    }
)
SESSION = f"""
import os, sys
os.chdir("..")  # where a session is after a restart
for name in {NOT_ON_COLAB}:
    sys.modules[name] = None  # importing it is an ImportError
from course_lib import quiet
quiet.tensorflow()
exec({chr(10).join(IMPORTS)!r})
import course_lib
from course_lib.classroom import check
print(course_lib.__file__)
print(check("02.soft_threshold", lambda w, t: np.sign(w) * np.maximum(np.abs(w) - t, 0)))
"""


@pytest.fixture(scope="module")
def runtime(tmp_path_factory):
    """A new environment in which the cell has run, with a clone of this folder in place of the address."""
    folder = tmp_path_factory.mktemp("colab")
    repository = context(ROOT, folder / "repository")
    identity = ["-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "commit.gpgsign=false"]
    for command in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "--message", "All"]):
        subprocess.run(["git", *identity, *command], cwd=repository, check=True)
    subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
    (folder / "session.ipy").write_text(CELL.replace("ADDRESS", repository.as_uri()) + SESSION)
    environment = os.environ | {
        "PYTHONPATH": str(packages(folder / "packages")), "PIP_NO_INDEX": "1", "PIP_NO_BUILD_ISOLATION": "0",
        "IPYTHONDIR": str(folder / "ipython"),
    }  # fmt: skip
    command = [folder / "venv" / "bin" / "python", "-m", "IPython", "--colors=NoColor", folder / "session.ipy"]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder, done.stdout


def test_after_the_cell_all_that_the_notebooks_import_is_there_and_check_answers(runtime):
    folder, said = runtime
    installed, answer, *_cases = said.splitlines()[-3:]
    assert Path(installed).is_relative_to(folder / "venv")
    assert answer.startswith("✔ Passed: ")
