"""A class of thirty, as notebooks: what a student types is taken from the declarations and the solutions."""

import ast
import copy
import inspect
import itertools
import json
import textwrap
from pathlib import Path

from course_lib.classroom import exercises

ROOT = Path(__file__).parents[2]
CHAPTER, NAME = "02", "02_l1_and_l2"
BANK = exercises.chapter(CHAPTER)


def solutions():
    """The solved answer cells, by exercise."""
    cells = json.loads((ROOT / "solutions" / f"{NAME}.ipynb").read_text())["cells"]
    sources = {cell["id"]: "".join(cell["source"]) for cell in cells}
    return {each.id: sources[each.id.replace(".", "-")] for each in BANK}


RIGHT = solutions()


def mistaken(exercise, misconception):
    """An answer cell with the misconception, nothing of it visible to the cells that follow."""
    if exercise.kind == "value":
        return f"{exercise.name} = {misconception.wrong!r}"
    module = ast.parse(inspect.getsource(inspect.getmodule(exercise.cases)))
    declared = [
        node.args[0]
        for node in ast.walk(module)
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Misconception"
    ]
    wrong = ast.unparse(declared[exercise.misconceptions.index(misconception)])
    written = [ast.unparse(node) for node in module.body if isinstance(node, ast.FunctionDef)]
    body = [*written, LIBRARY, f"return {wrong}"]
    made = "\n".join(["def made():", textwrap.indent("import numpy as np\n" + "\n".join(body), "    ")])
    return f"{made}\n\n{exercise.name} = made()"


# What the declarations import, which a submission does not see: written out, along any axis.
LIBRARY = """
def soft_threshold(w, t):
    return np.sign(w) * np.maximum(np.abs(w) - t, 0)
def group_soft_threshold(w, t, axis):
    size = np.linalg.norm(w, axis=axis, keepdims=True)
    return w * np.maximum(size - t, 0) / np.where(size > 0, size, 1)
"""


def filled(blank, answers):
    """The notebook that was handed out, with these answers typed in; the others are left as they were."""
    notebook = copy.deepcopy(blank)
    for cell in notebook["cells"]:
        id = cell.get("id", "").replace("-", ".", 1)
        if id in answers and not cell["id"].endswith("-check"):
            cell["source"] = answers[id]
    return json.dumps(notebook)


def graded(blank):
    """{student: (text of the notebook, {exercise id: its misconception, or None if it is wrong without one})}."""
    most = max(len(each.misconceptions) for each in BANK)
    for i in range(4):
        yield f"right-{i}", (filled(blank, RIGHT), {})
    for i in range(most):
        errors = {each.id: each.misconceptions[i % len(each.misconceptions)] for each in BANK}
        cells = {each.id: mistaken(each, errors[each.id]) for each in BANK}
        yield f"everything-{i}", (filled(blank, cells), errors)
    turns = itertools.product((0, 1), BANK)
    for i, (turn, each) in enumerate(itertools.islice(turns, 11)):
        error = each.misconceptions[turn]
        yield f"one-{i}", (filled(blank, RIGHT | {each.id: mistaken(each, error)}), {each.id: error})
    for i in range(1, 4):
        done = {each.id: RIGHT[each.id] for each in BANK[:i]}
        yield f"begun-{i}", (filled(blank, done), {each.id: None for each in BANK[i:]})
    for name, code in {
        "loops": "def soft_threshold(w, t):\n    while True: pass",
        "raises": "def soft_threshold(w, t):\n    raise ZeroDivisionError('of the student')",
        "unreadable": "def soft_threshold(w, t:",
    }.items():
        yield name, (filled(blank, RIGHT | {"02.soft_threshold": code}), {"02.soft_threshold": None})


def broken(blank):
    """{student: what was handed in, and cannot be graded}."""
    text = json.dumps(blank)
    return {"cut-off": text[: len(text) // 2], "empty": "", "a-letter": "Dear teacher, my notebook will not open."}
