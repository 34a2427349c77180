"""Notebooks that are poisoned as files: each is a row with the points of its answers, or with a reason."""

import io
import json
import os
import zipfile

import pytest

from notebooks import FULL, OF_KEPT, RIGHT, cell, honest, notebook, write

WRONG = "def kept(w): return w"


def with_cells(*more, **changed):
    content = notebook(**changed)
    content["cells"] += more
    return content


def with_metadata(**metadata):
    """The wrong answer, in a cell with this metadata of nbgrader's."""
    content = notebook(kept=WRONG)
    for each in content["cells"]:
        if each["source"] == WRONG:
            each["metadata"]["nbgrader"] |= metadata
    return content


def zipped():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as bomb:
        bomb.writestr("notebook.ipynb", bytes(10**8))
    return file.getvalue()


def text(content):
    return json.dumps(content)


SCORED = {  # and the points that its answers deserve
    "claims points": (with_metadata(points=1000, grade=True, score=1000), FULL - OF_KEPT),
    "claims to be tested": (
        with_cells(cell("assert True", "91-kept-check"), cell("score = 9", "91-score"), kept=WRONG),
        FULL - OF_KEPT,
    ),
    "claims in its outputs": (
        with_cells({**cell("1"), "outputs": [{"output_type": "stream", "name": "stdout", "text": "9/9"}]}, kept=WRONG),
        FULL - OF_KEPT,
    ),
    "brings its own setup": (with_cells(cell("import os; os._exit(0)", tags=["setup"])), FULL),
    "brings its own check": (
        with_cells(cell("import course_lib.classroom as c; c.check = print", "91-check"), kept=WRONG),
        FULL - OF_KEPT,
    ),
    "an id that is another's": (with_cells(cell("kept = 0", "02-kept"), cell("kept = 0", "91-../kept")), FULL),
    "ids of other kinds": (
        with_cells(
            *(
                {"cell_type": "code", "source": "x", "metadata": {"nbgrader": {"grade_id": grade_id}}}
                for grade_id in (None, 91, ["91-kept"], {"91-kept": 1})
            )
        ),
        FULL,
    ),
    "cells of other kinds": (with_cells(None, 1, "cell", [], {}, {"cell_type": "code"}, {"metadata": None}), FULL),
    "an id in other letters": (with_cells(cell(WRONG, "91-ｋept")), FULL),
    "a hundred thousand cells": (with_cells(*({"cell_type": "raw"} for _ in range(100_000))), FULL),
    "a hundred thousand lines": (notebook(kept=100_000 * "\n" + RIGHT["kept"]), FULL),
    "a zero byte": (notebook(kept="kept = '\0'"), FULL - OF_KEPT),
    "half a character": (notebook(kept="kept = '\ud800'"), FULL - OF_KEPT),
    "code that no compiler takes": (notebook(kept=100_000 * "(" + 100_000 * ")"), FULL - OF_KEPT),
    "numbers that are none": (
        text(notebook()).replace('"metadata": {},', '"metadata": {"x": NaN, "y": Infinity, "z": 1e999},', 1),
        FULL,
    ),
    "the same key twice": (text(notebook()).replace('"nbformat": 4', '"cells": 1, "cells": [], "nbformat": 4'), None),
}
REJECTED = {  # and a word of the reason
    "two answers": (with_cells(cell(WRONG, "91-kept")), "Two cells"),
    "a number without end": (text(notebook()).replace('"nbformat": 4', f'"nbformat": {10_000 * "4"}'), "JSON"),
    "nested without end": ('{"cells": ' + 200_000 * "[" + 200_000 * "]" + "}", "JSON"),
    "zip bomb": (zipped(), "UTF-8"),
    "UTF-16": (text(notebook()).encode("utf-16"), "UTF-8"),
    "source of other kinds": (with_cells({**cell("", "91-other"), "source": {"a": 1}}), "not text"),
    "a pickle": (b"cposix\nsystem\n(S'touch /tmp/x'\ntR.", "JSON"),
    "a page": ("<script>alert(1)</script>", "JSON"),
}
NAMES = [
    "\x1b[2J\x1b]0;title\x07",
    "two\nlines",
    "two\\nlines",
    "=cmd()",
    "$(reboot)",
    "; rm -rf ~",
    "-rf",
    "\u202egnp",
]


@pytest.fixture(scope="module")
def rows(world, grade):
    folder, out = world.root / "poisoned", world.root / "poisoned out"
    folder.mkdir()
    for name, (content, _expected) in (SCORED | REJECTED).items():
        write(folder / f"{name}.ipynb", content)
    for name in NAMES:
        write(folder / f"{name}.ipynb", notebook())
    write(folder / "honest.ipynb", honest())
    (folder / "link to a secret.ipynb").symlink_to("/etc/shadow")
    (folder / "a folder of itself").mkdir()
    (folder / "a folder of itself" / "again").symlink_to(folder)
    os.mkfifo(folder / "pipe.ipynb")
    return grade(folder, out, call_seconds=5.0)


@pytest.mark.parametrize("name", SCORED)
def test_a_poisoned_notebook_has_the_points_of_its_answers(rows, name):
    assert (rows[name].score, rows[name].status) == (SCORED[name][1], "graded" if SCORED[name][1] else "rejected")


@pytest.mark.parametrize("name", REJECTED)
def test_a_poisoned_file_is_a_row_with_a_reason(rows, name):
    assert rows[name].status == "rejected" and REJECTED[name][1] in rows[name].reason


def test_every_name_is_a_row_of_its_own_and_steers_no_terminal(rows):
    odd = [name for name in rows if name not in SCORED | REJECTED]
    assert len(odd) == len(NAMES) + 4
    assert all(name.isprintable() for name in odd)
    assert {rows[name].score for name in odd if rows[name].status == "graded"} == {FULL}


def test_links_and_pipes_are_not_followed(rows):
    for name in ("link to a secret", "a folder of itself/again", "pipe"):
        assert rows[name].status == "rejected"
