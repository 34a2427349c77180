"""One batch with every attack in it, honest students in between, and what the machine looks like afterwards."""

import os
import py_compile
import shutil
import socket
import tempfile
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest
from attacks import ATTACKS
from processes import descendants

from course_lib.classroom import exercises
from course_lib.classroom.batch import grade_folder
from notebooks import cell, honest, notebook, write

TESTS = Path(__file__).parent
SETUP = {"cells": [cell("import numpy as np", tags=["setup"])], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
EVERY = 8  # so many attacks between two honest students


@contextmanager
def bank_of_the_tests():
    """Chapter 91 of the tests in the place of the course's own chapters."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(exercises, "__path__", [str(TESTS.parent / "classroom" / "bank")])
        yield


@pytest.fixture
def bank():
    with bank_of_the_tests():
        yield


@pytest.fixture(scope="session")
def grade(world):
    """``grade(folder, out)``: everything in the folder, with the bank of the tests; records by name."""

    def graded(folder, out, **options):
        with bank_of_the_tests():
            records = grade_folder(folder, out, exercises=world.ours, **options)
        return {record.submission: record for record in records}

    return graded


@pytest.fixture(scope="session")
def world():
    """A folder that anybody may enter and write to, with sockets that anybody may connect to."""
    py_compile.compile(exercises.__file__)  # there is something compiled to be found, on every machine
    children = descendants()
    root = Path(tempfile.mkdtemp(prefix="course-adversarial-"))
    for name in ("", "submissions", "ours", "outside", "temporary"):
        (root / name).mkdir(exist_ok=True)
        (root / name).chmod(0o777)
    write(root / "ours" / "91_test.ipynb", SETUP)
    with socket.socket(socket.AF_UNIX) as named, socket.socket(socket.AF_UNIX) as abstract, socket.socket() as network:
        named.bind(str(root / "outside" / "socket"))
        (root / "outside" / "socket").chmod(0o777)
        abstract.bind(f"\0{root.name}")
        network.bind(("127.0.0.1", 0))
        listeners = {"named": named, "abstract": abstract, "network": network}
        for listener in listeners.values():
            listener.listen(100)
            listener.setblocking(False)
        known = {
            "out": root / "out",
            "submissions": root / "submissions",
            "outside": root / "outside",
            "tests": TESTS,
            "repository": TESTS.parents[1],
            "grader": os.getpid(),
            "port": network.getsockname()[1],
            "abstract": root.name,
        }
        yield SimpleNamespace(
            root=root,
            known=known,
            listeners=listeners,
            children=children,
            **{name: root / name for name in ("out", "submissions", "outside", "ours", "temporary")},
        )
    shutil.rmtree(root)


@pytest.fixture(scope="session")
def told(world):
    """``told(source)``: an attack's source with what the attacker may know filled in."""

    def filled(source):
        for name, value in world.known.items():
            source = source.replace(f"{{{name}}}", str(value))
        return source

    return filled


@pytest.fixture(scope="session")
def batch(world, told, grade):
    """All attacks, graded at once, as an instructor would: ``records`` by the submission's name."""
    names = {}
    for number, (name, attack) in enumerate(ATTACKS.items()):
        if number % EVERY == 0:
            write(world.submissions / f"{number:03} honest.ipynb", honest())
        names[name] = f"{number:03} {name.replace('/', ' ')}"
        write(world.submissions / f"{names[name]}.ipynb", notebook(kept=told(attack.source)))
    write(world.submissions / "999 honest.ipynb", honest())
    before = {path: path.read_bytes() for path in world.submissions.iterdir()}
    progress = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tempfile, "tempdir", str(world.temporary))
        patch.setenv("COURSE_TOKEN", "of the grader")
        records = grade(
            world.submissions,
            world.out,
            call_seconds=2.0,
            seconds=40.0,
            on_progress=lambda done, total, record: progress.append((done, total)),
        )
    return SimpleNamespace(records=records, names=names, before=before, progress=progress)
