"""The pipeline, on one small chapter (fixtures/90_*.py) and on what may be wrong with its sources and notebooks."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from rich.console import Console

from course_lib.classroom import exercises
from course_lib.classroom.build import Course, SourceError, build, course_drift, exercise, lesson, read_source, solution
from course_lib.classroom.build.execute import CellFailure, execute, unpublishable
from course_lib.classroom.build.rules import MOST_LINES

FIXTURES = Path(__file__).parent / "fixtures"
LESSON, EXERCISES = "90_doubling.py", "90_doubling_exercises.py"


@pytest.fixture(autouse=True)
def chapter_90(monkeypatch):
    monkeypatch.setattr(exercises, "__path__", [str(FIXTURES)])


@pytest.fixture
def course(tmp_path):
    for folder in ("sources", "notebooks"):
        (tmp_path / folder).mkdir()
    for source in FIXTURES.glob("90_*.py"):
        shutil.copy(source, tmp_path / "sources")
    return Course(tmp_path)


@pytest.fixture(scope="module")
def built_once(tmp_path_factory):
    root = tmp_path_factory.mktemp("course")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(exercises, "__path__", [str(FIXTURES)])
        for folder in ("sources", "notebooks"):
            (root / folder).mkdir()
        for source in FIXTURES.glob("90_*.py"):
            shutil.copy(source, root / "sources")
        assert run_build(Course(root))[0] == 0
    return root


@pytest.fixture
def built(built_once, tmp_path):
    """A copy of the built course, to be spoilt."""
    shutil.copytree(built_once, tmp_path, dirs_exist_ok=True)
    return Course(tmp_path)


def run_build(course, numbers=(), **options):
    with open(course.root / "said.txt", "w+") as said:
        console = Console(file=said, markup=False, highlight=False, soft_wrap=True)
        failures = build(course, numbers, console=console, **options)
        said.seek(0)
        return failures, said.read()


def edit(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def edit_cell(path, number, **changes):
    notebook = json.loads(path.read_text())
    notebook["cells"][number - 1] |= changes
    path.write_text(json.dumps(notebook))


def contents(course):
    return {course.shown(file): file.read_bytes() for file in course.built()}


# What a source gives


def cells_of(notebook):
    return [(cell.cell_type, cell.source, dict(cell.metadata)) for cell in notebook.cells]


def nbgrader(grade_id, *, grade, solution, **points):
    return {
        "cell_type": "code", "schema_version": 3, "task": False, "locked": not solution,
        "grade": grade, "solution": solution, "grade_id": grade_id, **points,
    }  # fmt: skip


def answer(grade_id):
    return {"deletable": False, "nbgrader": nbgrader(grade_id, grade=False, solution=True)}


def locked(grade_id, **points):
    grade = bool(points)
    return {
        "deletable": False,
        "editable": False,
        "nbgrader": nbgrader(grade_id, grade=grade, solution=False, **points),
    }


TITLE = ("markdown", "# Exercises: doubling", {})
SETUP = (
    "code",
    'def check(id, answer):\n    print("checked", id)',
    {"tags": ["setup"], **locked("90-setup")},
)
DOUBLE = (
    "markdown",
    "## 1 · Twice\n\n*Points: 3 · minutes: 5 · difficulty: 1 of 3 · id: `90.double`*\n\nReturn twice `x`.",
    {},
)
DOUBLE_CHECK = ("code", 'check("90.double", double)', locked("90-double-check", points=3))
FACTOR = (
    "markdown",
    "## 2 · The factor\n\n*Points: 1 · minutes: 2 · difficulty: 2 of 3 · id: `90.factor`*\n\n"
    "By which factor does `double` scale a sum?",
    {},
)
FACTOR_CHECK = ("code", 'check("90.factor", factor)', locked("90-factor-check", points=1))
LAST = ("markdown", "That was all.", {})
SIGNATURE = 'def double(x):\n    """Twice x, of any shape."""\n    '


def test_exercise_notebook_has_stubs_headers_and_nbgraders_metadata():
    stub = 'raise NotImplementedError("write double: replace this line")'
    assert cells_of(exercise(read_source(FIXTURES / EXERCISES))) == [
        TITLE, SETUP,
        DOUBLE, ("code", SIGNATURE + stub, answer("90-double")), DOUBLE_CHECK,
        FACTOR, ("code", "factor = ...", answer("90-factor")), FACTOR_CHECK,
        LAST,
    ]  # fmt: skip


def test_solution_notebook_has_the_regions_and_the_explanations():
    regions = "### BEGIN SOLUTION\n    return x + x\n    ### END SOLUTION"
    why = ("markdown", "Adding is exact in binary, as is multiplying by two.", {"tags": ["solution"]})
    factor = "### BEGIN SOLUTION\nfactor = 2  # linear\n### END SOLUTION"
    assert cells_of(solution(read_source(FIXTURES / EXERCISES))) == [
        TITLE, SETUP,
        DOUBLE, ("code", SIGNATURE + regions, answer("90-double")), DOUBLE_CHECK, why,
        FACTOR, ("code", factor, answer("90-factor")), FACTOR_CHECK,
        LAST,
    ]  # fmt: skip


def test_lesson_notebook_is_the_source_with_fixed_metadata():
    notebook = lesson(read_source(FIXTURES / LESSON))
    assert cells_of(notebook) == [
        ("markdown", "# Doubling\n\n**The question.** What is twice a number?", {}),
        ("code", "import numpy as np\n\nnumbers = np.arange(4)", {}),
        ("markdown", "Add each number to itself.", {}),
        ("code", "print(numbers + numbers)", {"tags": ["nbval-check-output"]}),
        ("code", 'print("doubled | 0 2 4 6")', {"tags": ["whole-path"]}),
    ]
    assert notebook.metadata == {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    nbformat.validate(notebook)


def test_an_answer_cell_has_the_same_id_in_the_exercise_and_in_the_solution():
    source = read_source(FIXTURES / EXERCISES)
    ids = [cell.id for cell in solution(source).cells]
    assert len(set(ids)) == len(ids)
    assert [cell.id for cell in exercise(source).cells] == ids[:5] + ids[6:]


def test_nothing_of_a_solution_is_in_the_exercise_not_even_its_hash(course):
    path = course.root / "sources" / EXERCISES
    before = exercise(read_source(path))
    edit(path, "return x + x", "return 2 * x")
    edit(path, "factor = 2  # linear", "factor = 2.0")
    edit(path, "Adding is exact", "Doubling is exact")
    assert exercise(read_source(path)) == before


# What is wrong with a source

BAD = [
    (LESSON, "# # Doubling", "# Doubling", "90_doubling.py:1: The first cell has to be markdown and begin with"),
    (LESSON, "# %% [markdown]\n# # Doubling", "# %%\n# # Doubling", "90_doubling.py:1: The first cell has to be mark"),
    (LESSON, "print(numbers", "x = 1\n" * MOST_LINES + "print(numbers", ":14: 36 lines of code"),
    (LESSON, "nbval-check-output", "nbval-check-ouput", ":14: Unknown tag 'nbval-check-ouput'"),
    (LESSON, 'tags=["whole-path"]', "hidden=true", ":17: Unknown metadata 'hidden'"),
    (LESSON, "print(numbers + numbers)", "", ":14: The cell is empty."),
    (LESSON, "print(numbers + numbers)", "print() ### BEGIN SOLUTION", ":14: Exercises and solutions belong into"),
    (LESSON, "print(numbers + numbers)", 'print("""\n# %% no\n""")', "4 lines begin with '# %%'|6 lines begin with"),
    (LESSON, "# %% [markdown]\n# Add", "# %% [raw]\n# Add", ":11: A raw cell; use code or"),
    (EXERCISES, "    ### END SOLUTION\n", "", ":13: '### BEGIN SOLUTION' and '### END SOLUTION' do not come in pairs."),
    (EXERCISES, "    ### BEGIN SOLUTION\n", "", "'### BEGIN SOLUTION' and '### END SOLUTION' do not come in pairs."),
    (EXERCISES, "### BEGIN SOLUTION", "# begin solution", ":13: '# begin solution' is not a marker"),
    (EXERCISES, "# That was all.", "# ### END SOLUTION", ":38: A solution region outside an answer cell"),
    (EXERCISES, "### BEGIN SOLUTION\nfactor = 2  # linear\n### END SOLUTION", "factor = 2", "has no solution region."),
    (EXERCISES, '[markdown] exercise="90.double"', '[markdown] exercise="90.duoble"',
     ":9: Exercise '90.duoble' is not declared"),
    (EXERCISES, '[markdown] exercise="90.double"', "[markdown]", "'90.double' is declared but has no statement here"),
    (EXERCISES, '%% exercise="90.factor"', '%% exercise="90.double"', "'90.double' has more than one answer cell."),
    (EXERCISES, 'check("90.factor", factor)', "print(factor)", 'next cell has to be its check: check("90.factor", …)'),
    (EXERCISES, 'check("90.double", double)', 'check("90.factor", double)', 'its check: check("90.double", …)'),
    (EXERCISES, '# %% tags=["setup"]', "# %%", "One code cell, not 0, carries the tag 'setup'."),
    (EXERCISES, "### BEGIN SOLUTION\nfactor = 2  # linear", "factor = (2\n### BEGIN SOLUTION\n* 1)",
     "Without its solution the cell is not Python"),
    (EXERCISES, "def double(x):\n", "def twice(x):\n", "Without its solution the cell does not define double"),
    (EXERCISES, "### BEGIN SOLUTION\nfactor = 2", "### BEGIN SOLUTION\nratio = 2", "does not define factor"),
    (EXERCISES, '[markdown] exercise="90.factor"', '[markdown] exercise="90.factor" tags=["solution"]',
     ":27: The tag 'solution' would take this cell out"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "old", "new", "message"), BAD, ids=[row[3][:40] for row in BAD])
def test_a_bad_source_is_refused_with_file_line_and_rule(course, name, old, new, message):
    edit(course.root / "sources" / name, old, new)
    with pytest.raises(SourceError) as refused:
        read_source(course.root / "sources" / name)
    assert str(refused.value).startswith(name)
    assert any(each in str(refused.value) for each in message.split("|"))


@pytest.mark.parametrize(
    ("name", "message"),
    [("9_doubling.py", "is called NN_name.py"), ("90_twice.py", "has the same number and another name")],
)
def test_a_source_has_one_number_and_one_name(course, name, message):
    (course.root / "sources" / LESSON).rename(course.root / "sources" / name)
    with pytest.raises(SourceError, match=message):
        read_source(course.root / "sources" / name)


def test_the_statement_comes_before_its_answer_and_the_setup_before_both(course):
    path = course.root / "sources" / EXERCISES
    title, setup, statement, *rest = path.read_text().split("# %%")[1:]
    path.write_text("# %%".join(["", title, *rest[:2], statement, setup, *rest[2:]]))
    with pytest.raises(SourceError) as refused:
        read_source(path)
    assert "The statement of '90.double' has to come before its answer cell." in str(refused.value)
    assert "The setup cell has to come before the first answer cell." in str(refused.value)


def test_every_broken_rule_is_reported_and_the_other_sources_are_built(course):
    edit(course.root / "sources" / LESSON, "nbval-check-output", "chekc")
    edit(course.root / "sources" / LESSON, "# # Doubling", "# Doubling")
    failures, said = run_build(course)
    assert failures == 1
    assert "sources/90_doubling.py:1: The first cell" in said and "sources/90_doubling.py:14: Unknown tag" in said
    assert sorted(contents(course)) == ["exercises/90_doubling.ipynb", "solutions/90_doubling.ipynb"]


# What a build writes


def test_a_build_executes_lessons_and_solutions_and_leaves_the_exercise_untouched(built):
    outputs = {
        file.parent.name: [
            (cell.execution_count, [output.get("text") for output in cell.outputs])
            for cell in nbformat.read(file, as_version=4).cells
            if cell.cell_type == "code"
        ]
        for file in built.built()
    }
    assert outputs == {
        "notebooks": [(1, []), (2, ["[0 2 4 6]\n"]), (3, ["doubled | 0 2 4 6\n"])],
        "exercises": [(None, [])] * 5,
        "solutions": [(1, []), (2, []), (3, ["checked 90.double\n"]), (4, []), (5, ["checked 90.factor\n"])],
    }


def test_building_again_gives_the_same_but_for_the_timings(built):
    def but_for_the_timings():
        notebooks = {file.parent.name: json.loads(file.read_text()) for file in built.built()}
        timed = [name for name, notebook in notebooks.items() if notebook["metadata"].pop("timings", None)]
        return timed, notebooks

    before = but_for_the_timings()
    failures, said = run_build(built, force=True)
    assert failures == 0 and said.count("built in") == 3
    assert but_for_the_timings() == before
    assert sorted(before[0]) == ["notebooks", "solutions"]  # an exercise was not executed


def test_a_built_notebook_holds_the_seconds_of_each_code_cell_and_the_machine(course):
    path = course.root / "sources" / LESSON
    edit(path, "print(numbers + numbers)", "import time; time.sleep(0.5)")
    edit(path, 'print("doubled', 'time.sleep(0.25); print("doubled')
    assert run_build(course, ["90"])[0] == 0
    timings = nbformat.read(course.root / "notebooks/90_doubling.ipynb", as_version=4).metadata.timings
    first, second, third = timings.seconds
    assert second >= 0.5 and third >= 0.25 and first >= 0
    assert timings.cpu and timings.cores == os.cpu_count()
    assert set(timings) == {"cpu", "cores", "seconds"}


def test_an_exercise_with_timings_has_been_executed_and_drifts(built):
    path = built.root / "exercises/90_doubling.ipynb"
    edit(path, '"language_info"', '"timings": {}, "language_info"')
    (found,) = drifts(built)
    assert "the notebook's metadata differ" in found


DRAW = """from base64 import b64decode
from IPython.display import Image
Image(b64decode("iVBORw0KGgo="), format="png")"""


def test_the_picture_of_the_cover_lies_beside_the_notebook(course):
    edit(course.root / "sources" / LESSON, '# %% tags=["whole-path"]', f'# %% tags=["cover"]\n{DRAW}\n\n# %%')
    assert run_build(course)[0] == 0
    picture = course.root / "notebooks/90_doubling.png"
    assert picture.read_bytes() == b"\x89PNG\r\n\x1a\n"
    assert drifts(course) == []
    picture.write_bytes(b"another")
    (found,) = drifts(course)
    assert found.startswith("notebooks/90_doubling.ipynb: the picture 90_doubling.png beside it")
    assert run_build(course)[0] == 0 and drifts(course) == []


def test_what_is_up_to_date_is_not_executed_again(built):
    edit(built.root / "sources" / LESSON, "What is twice", "And what is twice")
    failures, said = run_build(built)
    assert failures == 0
    assert "notebooks/90_doubling.ipynb  built in" in said and said.count("up to date") == 2


def test_a_failing_cell_is_named_and_leaves_the_old_notebook(built):
    before = contents(built)
    edit(built.root / "sources" / LESSON, "print(numbers + numbers)", "print(nothing)")
    failures, said = run_build(built)
    assert failures == 1
    assert said.startswith(
        "sources/90_doubling.py:14: cell 4 of notebooks/90_doubling.ipynb, which was not written: "
        "NameError: name 'nothing' is not defined\n"
    )
    assert contents(built) == before


def test_a_path_in_an_output_fails_the_build(built):
    before = contents(built)
    edit(built.root / "sources" / LESSON, "print(numbers + numbers)", "from pathlib import Path\nprint(Path.home())")
    failures, said = run_build(built)
    assert failures == 1 and "shows a path of this machine" in said
    assert contents(built) == before


@pytest.mark.parametrize(
    ("output", "fault"),
    [
        (new_output("stream", name="stderr", text="a warning"), "wrote to standard error: 'a warning'"),
        (
            new_output("stream", text=f"saved to {Path.home()}/model"),
            f"shows a path of this machine: {Path.home()}/model",
        ),
        (
            new_output("display_data", {"text/html": "<b>/repository/x</b>"}),
            "shows a path of this machine: /repository/x",
        ),
        (new_output("display_data", {"text/plain": "<A at 0x7f12d3cd7950>"}), "shows a memory address: 'at 0x7f12d3cd"),
        (new_output("error", ename="ValueError", evalue="no", traceback=[]), "raised ValueError: no"),
    ],
)
def test_what_may_not_be_published(output, fault):
    notebook = new_notebook(cells=[new_markdown_cell("text"), new_code_cell(outputs=[output])])
    ((index, sentence),) = unpublishable(notebook, Path("/repository"))
    assert index == 1 and sentence.startswith(fault)


def test_what_may_be_published():
    outputs = [
        new_output("stream", text="0xff at 0x10, /repository-mirror, and a share of 1/2"),
        new_output("display_data", {"image/png": str(Path.home()), "text/plain": "<Figure size 640x480 with 1 Axes>"}),
    ]
    assert not list(unpublishable(new_notebook(cells=[new_code_cell(outputs=outputs)]), Path("/repository")))


def test_a_tag_allows_a_log_or_an_error_on_purpose(course):
    path = course.root / "sources" / LESSON
    edit(path, 'tags=["whole-path"]', 'tags=["raises-exception"]')
    edit(path, 'print("doubled', 'raise ValueError("on purpose')
    edit(path, '"nbval-check-output"', '"stderr-ok"')
    edit(path, "print(numbers", "import sys; sys.stderr.write('a log'); print(numbers")
    assert run_build(course, ["90"])[0] == 0
    cells = nbformat.read(course.root / "notebooks/90_doubling.ipynb", as_version=4).cells
    assert [output.name for output in cells[3].outputs] == ["stdout"]
    assert cells[4].outputs[0].evalue == "on purpose | 0 2 4 6"


def test_of_a_widget_that_shows_something_this_is_kept(course):
    moved = "import ipywidgets\nipywidgets.interactive(lambda x: print('at', x), x=(0, 4))"
    edit(course.root / "sources" / LESSON, "print(numbers + numbers)", moved)
    assert run_build(course)[0] == 0
    notebook = nbformat.read(course.root / "notebooks/90_doubling.ipynb", as_version=4)
    assert notebook.cells[3].outputs == [{"output_type": "stream", "name": "stdout", "text": "at 2\n"}]


def test_no_slider_waits_for_the_time_limit(tmp_path, monkeypatch):
    sliders = [new_code_cell("ipywidgets.interact(lambda x: print(x), x=(0, 9));") for _ in range(300)]
    notebook = new_notebook(cells=[new_code_cell("import ipywidgets"), *sliders])
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3"}
    monkeypatch.setattr("course_lib.classroom.build.execute.SECONDS_PER_CELL", 20)
    execute(notebook, tmp_path)
    assert [cell.outputs[0].text for cell in notebook.cells[1:]] == ["4\n"] * 300
    assert max(notebook.metadata.timings.seconds) < 20  # where a message was slept through, the cell ends at its limit


def test_a_widget_leaves_its_text_only(course):
    edit(course.root / "sources" / LESSON, "print(numbers + numbers)", "import ipywidgets\nipywidgets.IntSlider(3)")
    assert run_build(course)[0] == 0
    notebook = nbformat.read(course.root / "notebooks/90_doubling.ipynb", as_version=4)
    assert notebook.cells[3].outputs[0].data == {"text/plain": "IntSlider(value=3)"}
    assert "widgets" not in notebook.metadata


def test_a_kernel_that_dies_is_a_failure_of_its_cell(tmp_path):
    notebook = new_notebook(metadata=lesson(read_source(FIXTURES / LESSON)).metadata)
    notebook.cells = [new_code_cell("1"), new_code_cell("import os; os._exit(1)")]
    with pytest.raises(CellFailure, match="the kernel died") as failed:
        execute(notebook, tmp_path)
    assert failed.value.index == 1


# What the check finds


def drifts(course):
    return [str(drift) for drift in course_drift(course)]


def test_a_built_course_has_no_drift(built):
    assert drifts(built) == []


FIRST_OUTPUT = [{"output_type": "stream", "name": "stdout", "text": "1"}]
ERROR = [{"output_type": "error", "ename": "ValueError", "evalue": "no", "traceback": []}]


@pytest.mark.parametrize(
    ("folder", "cell", "changes", "finding"),
    [
        ("notebooks", 2, {"source": "numbers = 0"}, "cell 2 has another source: 'numbers = 0'"),
        ("notebooks", 3, {"metadata": {"tags": ["x"]}}, "cell 3 has another metadata"),
        ("notebooks", 2, {"execution_count": None}, "cell 2 was not executed in order: it has the count None, not 1"),
        ("notebooks", 4, {"outputs": ERROR}, "cell 4 raised ValueError: no"),
        ("solutions", 3, {"source": "## 1 · Thrice"}, "cell 3 has another source"),
        ("exercises", 4, {"source": "def double(x):\n    return 2 * x"}, "cell 4 has another source: 'def double(x):'"),
        ("exercises", 5, {"outputs": FIRST_OUTPUT}, "cell 5 carries outputs"),
        ("exercises", 5, {"id": "other"}, "cell 5 is not in the source"),
    ],
)
def test_the_check_names_the_file_the_cell_and_the_remedy(built, folder, cell, changes, finding):
    edit_cell(built.root / folder / "90_doubling.ipynb", cell, **changes)
    found = drifts(built)
    assert any(f"{folder}/90_doubling.ipynb: {finding}" in each for each in found), found
    assert all(each.endswith("→ run: course build 90") for each in found)


def test_the_check_finds_cells_in_another_order(built):
    path = built.root / "exercises" / "90_doubling.ipynb"
    notebook = json.loads(path.read_text())
    notebook["cells"].reverse()
    path.write_text(json.dumps(notebook))
    assert "another order" in drifts(built)[0]


def test_the_check_finds_missing_files_orphans_and_files_that_are_no_notebooks(built):
    (built.root / "solutions" / "90_doubling.ipynb").unlink()
    (built.root / "exercises" / "90_doubling.ipynb").write_text("no JSON")
    shutil.copy(built.root / "notebooks" / "90_doubling.ipynb", built.root / "notebooks" / "91_orphan.ipynb")
    exercise_file, solution_file, orphan = drifts(built)
    assert exercise_file.startswith("exercises/90_doubling.ipynb: is not a notebook (")
    assert solution_file == "solutions/90_doubling.ipynb: is missing → run: course build 90"
    assert orphan == "notebooks/91_orphan.ipynb: has no source → delete it"


def test_a_bad_source_does_not_make_orphans_of_its_notebooks(built):
    edit(built.root / "sources" / LESSON, "# # Doubling", "# Doubling")
    (found,) = drifts(built)
    assert found.startswith("sources/90_doubling.py:1: The first cell")


def test_the_check_imports_neither_tensorflow_nor_a_kernel(built):
    program = (
        "import sys; from pathlib import Path; from course_lib.classroom import exercises\n"
        f"exercises.__path__[:] = [{str(FIXTURES)!r}]\n"
        "from course_lib.classroom.build import Course, course_drift\n"
        f"assert not list(course_drift(Course(Path({str(built.root)!r}))))\n"
        "print({'tensorflow', 'keras', 'nbclient', 'IPython'} & set(sys.modules))"
    )
    assert subprocess.check_output([sys.executable, "-c", program], text=True) == "set()\n"


def test_a_learners_answers_are_not_overwritten_unless_that_is_forced(built):
    notebook = built.root / "exercises/90_doubling.ipynb"
    edit(notebook, '"factor = ..."', '"factor = 2"')
    mine = notebook.read_bytes()
    failures, said = run_build(built)
    assert failures == 1 and notebook.read_bytes() == mine
    assert "exercises/90_doubling.ipynb  holds answers and was left alone" in said and "--force" in said
    assert run_build(built, force=True)[0] == 0
    assert not list(course_drift(built))
