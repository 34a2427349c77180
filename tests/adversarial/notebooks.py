"""Notebooks as students hand them in: the five answer cells of the bank's chapter 91, some of them changed."""

import json
from pathlib import Path

RIGHT = json.loads((Path(__file__).parents[1] / "classroom" / "bank" / "right.json").read_text())
FULL, OF_KEPT = 9, 2  # points
WITNESS = """
import os, signal
assert os.listdir('/tmp') == [] and os.listdir('/dev/shm') == [], 'somebody has been here'
assert os.getpid() == 2 and np.array_equal([1], [1]) and not np.isclose(1, 2)
"""  # what an honest student's first cell runs as well: nothing of anybody else's is there


def cell(source: str, grade_id: str = "", **metadata) -> dict:
    if grade_id:
        metadata["nbgrader"] = {"grade_id": grade_id, "solution": True, "grade": False, "schema_version": 3}
    return {"cell_type": "code", "metadata": metadata, "source": source, "outputs": [], "execution_count": None}


def notebook(**changed: str) -> dict:
    """With right answers but for those given."""
    answers = RIGHT | changed
    cells = [cell(source, f"91-{name}") for name, source in answers.items()]
    setup = cell("raise RuntimeError('the setup of a submission is not run')", tags=["setup"])
    return {"cells": [setup, *cells], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


def honest() -> dict:
    return notebook(soft_threshold=WITNESS + RIGHT["soft_threshold"])


def write(path: Path, content: dict | str | bytes) -> Path:
    content = json.dumps(content) if isinstance(content, dict) else content
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path
