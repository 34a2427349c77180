"""A small bank of its own for the tests of the engine, and notebooks that answer it."""

import json
import shutil
from pathlib import Path

import pytest

from course_lib.classroom import exercises
from course_lib.classroom.course import Course
from course_lib.classroom.sandbox import Sandbox

RIGHT = json.loads((Path(__file__).parent / "bank" / "right.json").read_text())
UNTOUCHED = {
    "soft_threshold": "def soft_threshold(w, t):\n    raise NotImplementedError('write it')",
    "kept": "def kept(w):\n    raise NotImplementedError('write it')",
    "penalty": "def penalty(w):\n    raise NotImplementedError('write it')",
    "parameters": "parameters = ...",
    "letter": "letter = ...",
}


@pytest.fixture(scope="session")
def sandbox():
    """One for all tests that need a place where nothing gets out."""
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def bank(monkeypatch):
    """Chapter 91 of the folder ``bank`` in the place of the course's own chapters."""
    monkeypatch.setattr(exercises, "__path__", [str(Path(__file__).parent / "bank")])


def code(source, grade_id=None, **metadata):
    if grade_id:
        metadata["nbgrader"] = {"grade_id": grade_id, "solution": True, "grade": False, "schema_version": 3}
    return {"cell_type": "code", "metadata": metadata, "source": source, "outputs": [], "execution_count": None}


@pytest.fixture
def write_notebook():
    """``write_notebook(path, kept="def kept(w): ...")``: right answers but for those given; ``None`` leaves one out."""

    def write(path, *, base=RIGHT, setup="raise RuntimeError('the setup of a submission is not run')", **changed):
        path.parent.mkdir(parents=True, exist_ok=True)
        answers = {name: source for name, source in (base | changed).items() if source is not None}
        cells = [code(setup, tags=["setup"])]
        for name, source in answers.items():
            cells += [
                code(source.splitlines(keepends=True), f"91-{name}"),
                code("check(...)", f"91-{name}-check"),
            ]
        path.write_text(json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
        return path

    return write


@pytest.fixture
def our_exercises(tmp_path, write_notebook):
    """The folder of the course's own exercise notebooks."""
    return write_notebook(tmp_path / "ours" / "91_test.ipynb", base=UNTOUCHED, setup="import numpy as np").parent


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A learner's copy of chapters 01 and 02, and the current directory."""
    for folder in ("notebooks", "exercises"):
        (tmp_path / folder).mkdir()
        for file in (Path(__file__).parents[2] / folder).glob("0[12]_*.ipynb"):
            shutil.copy(file, tmp_path / folder)
    monkeypatch.chdir(tmp_path)
    return Course(tmp_path)
