"""The rules that a source keeps, so that its notebooks read well and its solutions stay out of the exercises.

Each rule yields pairs (cell, sentence) for what breaks it.
"""

import ast
import re
from collections import Counter
from itertools import pairwise

from course_lib.classroom.build.source import BEGIN, END, Cell, Source
from course_lib.classroom.build.stub import stub
from course_lib.classroom.language import _

__all__ = ["broken"]

MOST_LINES = 35  # of code in one cell of a lesson
TAGS = {
    "setup",  # the exercise notebook's imports; the grader runs ours before the answers
    "solution",  # only in solutions/
    "whole-path",  # its output is the table that `course run` ends with
    "cover",  # its picture is written beside the notebook, for the README
    "stderr-ok",  # may write to standard error, which is left out of the built notebook
    "raises-exception",  # shows an error on purpose
    "nbval-check-output",  # the tests compare its output with the stored one
    "nbval-ignore-output",
    "nbval-skip",
}
METADATA = {"tags", "exercise"}
MARKER_LIKE = re.compile(r"(begin|end)[\s_-]*solution", re.IGNORECASE)


def broken(source: Source) -> list[tuple[int, str]]:
    """The line and a sentence for every rule that the source breaks, in the order of the lines."""
    rules = [one_name, titled, cells_known, *(LESSON if source.is_lesson else EXERCISES)]
    return sorted((cell.line if cell else 1, sentence) for rule in rules for cell, sentence in rule(source))


def one_name(source):
    """A number and its name belong together in all folders."""
    for other in sorted(source.path.parent.glob(f"{source.number}_*.py")):
        if other.stem.removesuffix("_exercises") != source.chapter:
            yield None, _("{other} has the same number and another name.").format(other=other.name)


def titled(source):
    first = source.cells[0] if source.cells else None
    if first is None or first.kind != "markdown" or not first.text.startswith("# "):
        yield first, _("The first cell has to be markdown and begin with the title: '# # Title'.")


def cells_known(source):
    for cell in source.cells:
        if cell.kind not in ("code", "markdown"):
            yield cell, _("A {kind} cell; use code or [markdown].").format(kind=cell.kind)
        if not cell.text.strip():
            yield cell, _("The cell is empty.")
        for key in sorted(set(cell.metadata) - METADATA):
            yield cell, _("Unknown metadata {key!r}; known are tags and exercise.").format(key=key)
        for tag in sorted(set(cell.tags) - TAGS):
            yield cell, _("Unknown tag {tag!r}; known are: {known}.").format(tag=tag, known=", ".join(sorted(TAGS)))


def short_code(source):
    for cell in source.cells:
        lines = sum(bool(line.strip()) for line in cell.text.splitlines())
        if cell.kind == "code" and lines > MOST_LINES:
            yield (
                cell,
                _("{lines} lines of code; a lesson's cell has at most {most}. Split it.").format(
                    lines=lines, most=MOST_LINES
                ),
            )


def no_exercises(source):
    for cell in source.cells:
        if cell.exercise is not None or "solution" in cell.tags or MARKER_LIKE.search(cell.text):
            yield cell, _("Exercises and solutions belong into {chapter}_exercises.py.").format(chapter=source.chapter)


def regions_exact(source):
    """Whatever looks like a marker is one, in an answer cell, in turn: else a solution would reach the learners."""
    for cell in source.cells:
        markers = [line.strip() for line in cell.text.splitlines() if MARKER_LIKE.search(line)]
        if not cell.answers:
            if markers:
                yield cell, _('A solution region outside an answer cell; only cells with exercise="…" have one.')
        elif unknown := [marker for marker in markers if marker not in (BEGIN, END)]:
            yield (
                cell,
                _("{marker!r} is not a marker; write {begin!r} and {end!r}, each alone on its line.").format(
                    marker=unknown[0], begin=BEGIN, end=END
                ),
            )
        elif not markers:
            yield cell, _("The answer cell has no solution region.")
        elif markers != [BEGIN, END] * (len(markers) // 2):
            yield cell, _("{begin!r} and {end!r} do not come in pairs.").format(begin=BEGIN, end=END)


def stated_once(source):
    """Every exercise of the chapter is stated, then answered, once; none is unknown."""
    for kind, what in (("markdown", _("statement")), ("code", _("answer cell"))):
        cells = [cell for cell in source.cells if cell.kind == kind and cell.exercise]
        count = Counter(cell.exercise for cell in cells)
        for cell in cells:
            if cell.exercise not in source.declared:
                yield (
                    cell,
                    _("Exercise {id!r} is not declared in exercises/chapter_{number}.").format(
                        id=cell.exercise, number=source.number
                    ),
                )
            elif count[cell.exercise] > 1:
                yield cell, _("Exercise {id!r} has more than one {what}.").format(id=cell.exercise, what=what)
        for id in source.declared:
            if id not in count:
                yield None, _("Exercise {id!r} is declared but has no {what} here.").format(id=id, what=what)


def in_order(source):
    """Setup, then for each exercise: statement, answer, check."""
    seen: set[str] = set()
    setups = [cell for cell in source.cells if "setup" in cell.tags]
    if len(setups) != 1 or setups[0].kind != "code":
        yield None, _("One code cell, not {number}, carries the tag 'setup'.").format(number=len(setups))
    for cell, following in pairwise((*source.cells, Cell("end", "", 0, {}))):
        if cell.kind == "markdown" and cell.exercise:
            seen.add(cell.exercise)
        if cell.answers:
            if cell.exercise not in seen:
                yield cell, _("The statement of {id!r} has to come before its answer cell.").format(id=cell.exercise)
            if not all(setup.line < cell.line for setup in setups):
                yield cell, _("The setup cell has to come before the first answer cell.")
            if following.kind != "code" or not following.text.startswith(f'check("{cell.exercise}", '):
                yield cell, _('The next cell has to be its check: check("{id}", …).').format(id=cell.exercise)


def stub_runs(source):
    """With the stub in place of the solution, the cell is Python and still defines the name that is checked."""
    for cell in source.cells:
        if not cell.answers or cell.exercise not in source.declared or BEGIN not in cell.text:
            continue
        declared = source.declared[cell.exercise]
        try:
            statements = ast.parse(stub(cell.text, declared)).body
        except SyntaxError as error:
            yield cell, _("Without its solution the cell is not Python: {error}.").format(error=error.msg)
            continue
        if declared.name not in {defined for statement in statements for defined in _defines(statement)}:
            yield (
                cell,
                _("Without its solution the cell does not define {name}; leave 'def {name}(…):' outside.").format(
                    name=declared.name
                ),
            )


def _defines(statement: ast.stmt):
    if isinstance(statement, ast.FunctionDef | ast.ClassDef):
        yield statement.name
    else:
        names = (node for node in ast.walk(statement) if isinstance(node, ast.Name))
        yield from (node.id for node in names if isinstance(node.ctx, ast.Store))


def solution_cells(source):
    for cell in source.cells:
        if "solution" in cell.tags and (cell.exercise or "setup" in cell.tags or cell.text.startswith("check(")):
            yield cell, _("The tag 'solution' would take this cell out of the exercise notebook.")


LESSON = (short_code, no_exercises)
EXERCISES = (regions_exact, stated_once, in_order, stub_runs, solution_cells)
