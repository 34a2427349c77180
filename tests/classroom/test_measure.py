"""Files that are handed in: what they are worth, and what a hostile one can do."""

import io
import json
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from proof import assert_proven

from course_lib.classroom import check, exercises
from course_lib.classroom.batch import grade_folder

SETUP = {"cell_type": "code", "metadata": {"tags": ["setup"]}, "source": "import numpy as np"}
SECONDS = 4.0  # for a call; an answer that opens a file has three times as long
# Files that would do harm if they were believed
HOSTILE = {
    "empty": lambda: b"",
    "text": lambda: b"TFL3 but not really",
    "cut in half": lambda: right()[: len(right()) // 2],
    "every tenth byte changed": lambda: bytes(b ^ 0x55 if i % 10 == 9 else b for i, b in enumerate(right())),
    "offsets at the end of the world": lambda: right()[:4] + b"TFL3" + b"\xff" * 400,
    "never ends": lambda: converted(
        lambda x: tf.while_loop(lambda y: tf.reduce_all(y < 2.0), lambda y: [tf.minimum(y, 1.0)], [x])[0]
    ),
    "takes all memory": lambda: converted(lambda x: tf.reduce_sum(tf.zeros([tf.size(x) * 10**6, 1000]) + x[0, 0]) + x),
    "another shape": lambda: converted(lambda x: tf.reshape(x, [-1, 5, 2])[:, 0]),
    "one number": lambda: converted(tf.reduce_mean),
    "not finite": lambda: converted(lambda x: x / 0.0 * 0.0),
    "wants images": lambda: converted(lambda x: x, shape=(None, 28, 28, 1)),
}


def right():
    return find("shipped").reference()


def converted(function, shape=(None, 10)):
    concrete = tf.function(function, input_signature=[tf.TensorSpec(shape)]).get_concrete_function()
    return tf.lite.TFLiteConverter.from_concrete_functions([concrete]).convert()


def poisoned():
    """A pickle in the place of an array, which writes a file where it is loaded."""

    class Poison:
        def __reduce__(self):
            return os.system, ("touch /tmp/poisoned-by-a-pickle",)

    file = io.BytesIO()
    np.savez(file, **{"lenet_300_100/dense_1/kernel": np.array([Poison()], dtype=object)})
    return file.getvalue()


def bomb():
    """3 GB of zeros in a few kB."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("a.npy", "w", force_zip64=True) as a:
        np.lib.format.write_array_header_1_0(a, {"descr": "<f4", "fortran_order": False, "shape": (3 * 2**28,)})
        for _ in range(96):
            a.write(bytes(2**25))
    return file.getvalue()


def find(name):
    return exercises.find(f"92.{name}")


@pytest.fixture(autouse=True)
def bank(monkeypatch):
    monkeypatch.setattr(exercises, "__path__", [str(Path(__file__).parent / "files")])


@pytest.fixture
def hand_in(tmp_path):
    """``hand_in("anna", shipped=bytes, weights=bytes)``: a student's folder with a notebook and files."""
    ours = tmp_path / "ours" / "92_files.ipynb"
    ours.parent.mkdir()
    ours.write_text(json.dumps({"cells": [SETUP]}))

    def handed_in(name, **files):
        folder = tmp_path / "submissions" / name
        folder.mkdir(parents=True)
        (folder / "92_files.ipynb").write_text(
            json.dumps({"cells": [cell(n) for n in ("shipped", "weights", "letter")]})
        )
        for file, content in files.items():
            (folder / find(file).artefact.file).write_bytes(content)
        return folder

    return handed_in


def cell(name):
    """An answer cell: the grader takes the file, and must not wait for what made it."""
    source = "letter = 'B'" if name == "letter" else "while True: pass"
    return {"cell_type": "code", "source": source, "metadata": {"nbgrader": {"grade_id": f"92-{name}"}}}


def grade(tmp_path, **options):
    records = grade_folder(
        tmp_path / "submissions", tmp_path / "out", exercises=tmp_path / "ours", secret=b"of the test", **options
    )
    return {record.submission: record for record in records}


@pytest.mark.parametrize("name", ["shipped", "weights"])
def test_the_declaration_is_proven(name):
    assert_proven(find(name))


def test_the_learner_s_check_takes_the_path(tmp_path):
    path = tmp_path / "shipped.tflite"
    assert check("92.shipped", ...).verdict.status == "not attempted"
    assert "shipped.tflite" in repr(check("92.shipped", path)), "a missing file"
    assert check("92.shipped", 3).verdict.status == "not attempted"
    path.write_bytes(right())
    said = check("92.shipped", str(path))
    assert (
        said.verdict.passed and f"{len(right()):,} bytes" in repr(said) and "100.0% of the images" in said._repr_html_()
    )
    (tmp_path / "other.tflite").write_bytes(right())
    assert check("92.shipped", tmp_path / "other.tflite").verdict.status == "not attempted"


def test_files_are_graded_beside_the_notebook(tmp_path, hand_in):
    hand_in("anna", shipped=right(), weights=find("weights").reference())
    hand_in("ben", shipped=find("shipped").artefact.goals[1].missed_by())
    link = hand_in("carl", weights=b"PK\x03\x04 broken")
    (link / "shipped.tflite").symlink_to(tmp_path / "submissions" / "anna" / "shipped.tflite")
    os.mkfifo(hand_in("dora") / "shipped.tflite")
    hand_in("emil", shipped=right() + bytes(20 * 2**20))
    flat = tmp_path / "submissions" / "flat.ipynb"
    flat.write_bytes((link / "92_files.ipynb").read_bytes())
    flat.with_suffix(".tflite").write_bytes(right())
    (tmp_path / "submissions" / "shipped.tflite").write_bytes(right())  # at the top it could be anybody's

    records = grade(tmp_path)
    points = {name: [verdict.points for verdict in record.verdicts] for name, record in records.items()}
    assert points == {
        "anna/92_files": [3, 3, 1],
        "ben/92_files": [2, 0, 1],
        "carl/92_files": [0, 0, 1],
        "dora/92_files": [0, 0, 1],
        "emil/92_files": [0, 0, 1],
        "flat": [3, 0, 1],
        "shipped.tflite": [],
    }
    assert records["shipped.tflite"].status == "rejected"
    assert records["carl/92_files"].verdicts[1].status == "raised"
    assert [verdict.status for verdict in records["dora/92_files"].verdicts] == ["not attempted"] * 2 + ["passed"]


def test_a_hostile_file_costs_its_own_exercise_and_nothing_else(tmp_path, hand_in):
    for name, make in HOSTILE.items():
        hand_in(name, shipped=make())
    hand_in("poisoned", weights=poisoned())
    hand_in("bomb", weights=bomb())
    hand_in("other weights", weights=find("shipped").reference())
    hand_in("zzz honest", shipped=right(), weights=find("weights").reference())
    records = grade(tmp_path, call_seconds=SECONDS)
    honest = records.pop("zzz honest/92_files")
    assert [verdict.points for verdict in honest.verdicts] == [3, 3, 1]
    for name, record in records.items():
        points = [verdict.points for verdict in record.verdicts]
        assert points == [0, 0, 1], (name, record.verdicts)
    assert records["never ends/92_files"].verdicts[0].status in ("timeout", "died")
    assert not Path("/tmp/poisoned-by-a-pickle").exists()
