"""What right answers look like as text, and the text in which they are looked for."""

import ast
import inspect
import json
import textwrap
import warnings
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from course_lib.classroom.build.source import Source
from course_lib.classroom.build.stub import REGION
from course_lib.classroom.exercise import Exercise
from course_lib.classroom.exercises import chapter, chapters

__all__ = ["answers", "searchable"]

SHORTEST = 30  # characters of a declared answer that is looked for: any lesson may have a shorter piece of code


def answers(sources: Iterable[Source]) -> Iterator[tuple[str, str]]:
    """Exercise id and text of every solution in the sources and every right answer of the declarations.

    Those of an exercise whose reference is a function of the library are left out: learners have that function.
    """
    for source in sources:
        for cell in source.cells:
            if cell.answers and not _taught(source.declared[cell.exercise]):
                for region in REGION.finditer(cell.text):
                    texts = {_plain(region["solution"]), _plain(_unparsed(region["solution"]))}
                    yield from ((cell.exercise, text) for text in sorted(texts) if text)
    for exercise in (exercise for number in chapters() for exercise in chapter(number)):
        if not _taught(exercise):
            for right in (exercise.reference, *exercise.also_right):
                yield from ((exercise.id, text) for text in _written(right) if len(text) >= SHORTEST)


def searchable(name: str, text: str) -> str:
    """A file's text, or that of a notebook's cells and outputs; and the same as Python would write it."""
    pieces = _cells(text) if name.endswith(".ipynb") else [text]
    return "\n".join(_plain(piece) for each in pieces for piece in (each, _unparsed(each)))


def _taught(exercise: Exercise) -> bool:
    module = getattr(inspect.unwrap(exercise.reference), "__module__", None) or ""
    return module.startswith("course_lib.") and not module.startswith("course_lib.classroom.")


def _written(right: object) -> Iterator[str]:
    """The body of a function of the declarations."""
    if not inspect.isfunction(right) or not right.__module__.startswith("course_lib.classroom.exercises."):
        return
    module = ast.parse(Path(inspect.getsourcefile(right)).read_text(encoding="utf-8"))
    for node in ast.walk(module):
        if getattr(node, "lineno", None) == right.__code__.co_firstlineno:
            if isinstance(node, ast.Lambda):
                yield _plain(ast.unparse(node.body))
            elif isinstance(node, ast.FunctionDef):
                body = node.body[1:] if ast.get_docstring(node) else node.body
                yield _plain("\n".join(map(ast.unparse, body)))


def _cells(text: str) -> Iterator[str]:
    with suppress(ValueError, LookupError, TypeError):  # what is no notebook is named for that
        for cell in json.loads(text)["cells"]:
            yield "".join(cell["source"])
            for output in cell.get("outputs", []):
                yield "".join(output.get("text") or output.get("data", {}).get("text/plain", ""))


def _unparsed(text: str) -> str:
    """Python without comments and in one style; nothing where it is not Python."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # prose may have backslashes in quotes
        try:
            return ast.unparse(ast.parse(textwrap.dedent(text)))
        except (SyntaxError, ValueError):
            return ""


def _plain(text: str) -> str:
    return " ".join(text.replace("'", '"').split())
