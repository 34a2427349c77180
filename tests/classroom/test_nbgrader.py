"""nbgrader on our notebooks: it opens, hands out, validates and grades them, and gives the points that we give."""

import ast
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from IPython.core.formatters import DisplayFormatter
from nbformat.v4 import new_code_cell, new_output
from nbgrader.api import Gradebook
from nbgrader.nbgraderformat import MetadataValidator, ValidationError
from nbgrader.nbgraderformat import read as open_as_nbgrader
from nbgrader.utils import determine_grade
from nbgrader.validator import Validator

from course_lib.classroom import Case, Exercise, Misconception
from course_lib.classroom.attempt import attempt
from course_lib.classroom.build.stub import PLACEHOLDER
from course_lib.classroom.check import check
from course_lib.classroom.exercises import chapter
from course_lib.classroom.feedback import Feedback
from course_lib.classroom.grade import grade_notebook
from course_lib.classroom.judge import judge
from course_lib.classroom.presence import NBGRADER
from course_lib.classroom.sandbox import Unconfined

COURSE = Path(__file__).parents[2]
EXERCISES = sorted((COURSE / "exercises").glob("*.ipynb"))
SOLUTIONS = sorted((COURSE / "solutions").glob("*.ipynb"))
LIGHT, SOLVED = (COURSE / folder / "02_l1_and_l2.ipynb" for folder in ("exercises", "solutions"))  # NumPy only
OURS = "--ClearSolutions.enabled=False"  # the exercises hold no solutions, and their stubs are to stay


def nbgrader(course, *arguments):
    """nbgrader's command in a course folder. It calls alembic, which is beside this Python and perhaps on no path."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    environment = os.environ | {"PATH": path}
    environment.pop("PYTEST_CURRENT_TEST")  # with it a kernel does not see what is written past sys.stderr
    command = [sys.executable, "-m", "nbgrader", *arguments]
    done = subprocess.run(command, cwd=course, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def hand_out(course, assignment, notebooks, *options):
    """``nbgrader generate_assignment``."""
    source = course / "source" / assignment
    source.mkdir(parents=True)
    for notebook in notebooks:
        shutil.copy(notebook, source)
    nbgrader(course, "generate_assignment", assignment, *options)


def handed_out(course):
    return {path.name: without_checksums(opened(path)) for path in course.glob("release/pruning/*.ipynb")}


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """A course folder of nbgrader's, with our exercises handed out."""
    folder = tmp_path_factory.mktemp("course")
    hand_out(folder, "pruning", EXERCISES, OURS)
    return folder


def opened(path):
    return nbformat.read(path, as_version=nbformat.NO_CONVERT)


def without_checksums(notebook):
    """What nbgrader adds to every cell of its own, taken out again."""
    for cell in notebook.cells:
        if "nbgrader" in cell.metadata:
            assert len(cell.metadata.nbgrader.pop("checksum")) == 32
    return notebook


def graded_cells(notebook):
    return [cell for cell in notebook.cells if cell.metadata.get("nbgrader", {}).get("grade")]


@pytest.mark.parametrize("path", [*EXERCISES, *SOLUTIONS], ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_the_metadata_are_what_nbgrader_would_write(path):
    with path.open(encoding="utf-8") as file:
        notebook = open_as_nbgrader(file, as_version=4)  # raises for an older schema, or what breaks this one
    for cell in notebook.cells:
        assert MetadataValidator().upgrade_cell_metadata(cell.copy()) == cell  # nothing missing, nothing unknown
    points = {cell.metadata.nbgrader.grade_id: cell.metadata.nbgrader.points for cell in graded_cells(notebook)}
    assert points == {f"{e.id.replace('.', '-')}-check": e.points for e in chapter(path.name[:2])}


def test_nbgrader_does_look_at_the_metadata():
    notebook = opened(LIGHT)
    del graded_cells(notebook)[0].metadata.nbgrader["points"]
    with pytest.raises(ValidationError, match="does not have points"):
        MetadataValidator().validate_nb(notebook)


def test_nbgrader_hands_out_our_exercises_as_they_are(course):
    assert handed_out(course) == {path.name: opened(path) for path in EXERCISES}


def test_nbgrader_makes_the_same_cells_of_our_solutions_with_stubs_of_its_own(tmp_path):
    """And it leaves in what the tag ``solution`` keeps from the learners: hand out the exercises, not the solutions."""
    hand_out(tmp_path, "pruning", SOLUTIONS)
    made = handed_out(tmp_path)
    assert len(made) == len(EXERCISES)
    for ours in EXERCISES:
        expected, found = opened(ours), made[ours.name]
        found.cells = [cell for cell in found.cells if "solution" not in cell.metadata.get("tags", [])]
        found.metadata.pop("timings", None)  # of the solution when it was executed
        for cell in expected.cells:
            if cell.metadata.get("nbgrader", {}).get("solution"):
                cell.source = with_stub_of_nbgrader(cell.source)
        assert found == expected


def with_stub_of_nbgrader(answer):
    lines = []
    for line in answer.splitlines():
        indent = line[: len(line) - len(line.lstrip())]
        stub = re.match(PLACEHOLDER, line)
        lines += [indent + "# YOUR CODE HERE", indent + "raise NotImplementedError()"] if stub else [line]
    return "\n".join(lines)


@pytest.mark.parametrize("path", EXERCISES, ids=lambda path: path.stem)
def test_a_check_is_all_that_its_cell_shows(path):
    """Else nbgrader would not see the number, and give full points: it counts what a cell's last line shows."""
    for cell in graded_cells(opened(path)):
        (statement,) = ast.parse(cell.source).body
        assert statement.value.func.id == "check" and cell.source.endswith(")")


def test_validating_fails_at_every_check_until_it_is_solved(tmp_path):
    checks = [cell.source for cell in graded_cells(opened(LIGHT))]
    untouched = validated(LIGHT, tmp_path)
    assert [cell["source"] for cell in untouched["failed"]] == checks
    assert validated(SOLVED, tmp_path) == {}


def validated(path, folder):
    """What nbgrader finds wrong with a copy."""
    return Validator().validate(shutil.copy(path, folder))


PARTLY = {
    "penalty_gradients": """
def penalty_gradients(w, strength):
    import os, sys, warnings
    warnings.warn("beside a right answer")
    print("and this", file=sys.stderr)
    os.write(2, b"as C++ does\\n")
    print(0.5)
    return {"L1": strength * np.sign(w), "L2": 2 * strength * w}
""",
    "soft_threshold": "def soft_threshold(w, t):\n    return np.where(np.abs(w) <= t, 0, w)",
    "elastic_net_step": "def elastic_net_step(w, step, l1, l2):\n    raise ValueError('unfinished')",
    "group_soft_threshold": "def another_name(w, t):\n    return w",
    "lambda_max": "lambda_max = 1 / 0",
    "path_order": None,  # as we handed it out
}


def copy_with(answers, source, target):
    """A notebook with other answers: ``{name: source, or None for what we handed out}``."""
    untouched = {cell.id: cell.source for cell in opened(LIGHT).cells}
    notebook = opened(source)
    for cell in notebook.cells:
        name = cell.id.removeprefix("02-")
        if name in answers:
            cell.source = untouched[cell.id] if answers[name] is None else answers[name]
    target.parent.mkdir(parents=True)
    nbformat.write(notebook, target)
    return target


def test_nbgrader_grades_as_we_do(course):
    path = "submitted/{}/pruning/" + LIGHT.name
    submitted = {
        "untouched": copy_with({}, LIGHT, course / path.format("untouched")),
        "right": copy_with({}, SOLVED, course / path.format("right")),
        "partly": copy_with(PARTLY, SOLVED, course / path.format("partly")),
    }
    nbgrader(course, "autograde", "pruning")
    theirs = {}
    with Gradebook(f"sqlite:///{course}/gradebook.db") as gradebook:
        for student in submitted:
            grades = gradebook.find_submission_notebook(LIGHT.stem, "pruning", student).grades
            theirs[student] = {grade.name: grade.auto_score for grade in grades}
    ours = {student: grade_notebook(path, place=Unconfined()) for student, path in submitted.items()}
    assert theirs == {
        student: {f"{v.exercise_id.replace('.', '-')}-check": v.points for v in record.verdicts}
        for student, record in ours.items()
    }
    assert [record.score for record in ours.values()] == [0, 17, 2 + 2]


def half_right():
    """Feedback on an exercise with two groups of cases, of which one is right: 2 of 5 points."""
    exercise = Exercise(
        id="92.magnitude",
        title="The magnitude",
        points=5,
        minutes=1,
        difficulty=1,
        reference=abs,
        cases=lambda rng: (Case("a number", (sign * size,), str(sign)) for sign in (-1, 1) for size in (1, 2)),
        misconceptions=[Misconception(lambda w: 0, "Nothing is left."), Misconception(lambda w: -w, "Turned.")],
        hints=["Begin here.", "Nearly there."],
    )
    return Feedback(judge(exercise, lambda args: attempt(lambda w: w, args)))


def shown(value):
    """What a notebook keeps of a cell that ends in this value."""
    return DisplayFormatter().format(value)[0]


@pytest.mark.parametrize("execution", ["autograde", "validate"])
def test_nbgrader_counts_part_of_the_points(execution, monkeypatch):
    monkeypatch.setenv(NBGRADER, execution)
    output = new_output("execute_result", data=shown(half_right()))
    cell = new_code_cell(metadata={"nbgrader": {"grade": True, "solution": False, "points": 5}}, outputs=[output])
    assert determine_grade(cell) == (2, 5)
    assert "Not yet right" in output.data["text/html"]  # the page of feedback that nbgrader makes keeps the sentences


def test_without_nbgrader_nothing_changes_for_the_learner(monkeypatch, capsys):
    monkeypatch.delenv(NBGRADER, raising=False)
    feedback = half_right()
    assert shown(feedback) == {"text/plain": repr(feedback), "text/html": feedback._repr_html_()}
    assert repr(feedback).startswith("✘ Not yet right: The magnitude (2 of 5 points)\n")
    check("02.penalty_gradients", lambda w, strength: print("a warning", file=sys.stderr))
    assert "a warning" in capsys.readouterr().err
