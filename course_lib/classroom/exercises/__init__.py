"""The bank: every declared exercise, found by its id. Only the chapter that is asked for is imported.

A chapter is a package ``chapter_NN`` with one module for each exercise, named as the exercise; its ``EXERCISES`` put
them in the order of the notebook. A learner's copy of the course has ``chapter_NN.frozen`` instead, see
:mod:`course_lib.classroom.frozen`.
"""

import difflib
import importlib
import pkgutil
from pathlib import Path

from course_lib.classroom.exercise import Exercise
from course_lib.classroom.frozen import thaw
from course_lib.classroom.language import _

__all__ = ["chapter", "chapters", "find"]


def chapters() -> list[str]:
    """The numbers of the chapters with exercises, ``["02", "03", ...]``; none is imported."""
    names = {module.name for module in pkgutil.iter_modules(__path__)} | {path.stem for path in _frozen()}
    return sorted(name.removeprefix("chapter_") for name in names if name.startswith("chapter_"))


def _frozen() -> list[Path]:
    return [path for folder in __path__ for path in Path(folder).glob("chapter_*.frozen")]


def chapter(number: str) -> list[Exercise]:
    """The exercises of chapter ``"02"``, in the order of its notebook.

    Raises
    ------
    ValueError
        There is no such chapter, or one of its exercises has another chapter's id, or an id is declared twice.
    """
    if number not in chapters():
        raise ValueError(
            _("There are no exercises for chapter {number!r}; there are for {numbers}.").format(
                number=number, numbers=", ".join(chapters())
            )
        )
    frozen = [path for path in _frozen() if path.stem == f"chapter_{number}"]
    declared = thaw(frozen[0]) if frozen else importlib.import_module(f"{__name__}.chapter_{number}").EXERCISES
    ids = [exercise.id for exercise in declared]
    for exercise in declared:
        if exercise.chapter != number or ids.count(exercise.id) > 1:
            raise ValueError(f"chapter_{number}: id={exercise.id!r} is declared twice or is of another chapter.")
    return declared


def find(id: str) -> Exercise:
    """The exercise with this id.

    Raises
    ------
    ValueError
        There is none; the message names the ids that look alike.
    """
    number = str(id).partition(".")[0]
    searched = [number] if number in chapters() else chapters()
    bank = {exercise.id: exercise for each in searched for exercise in chapter(each)}
    if id in bank:
        return bank[id]
    alike = difflib.get_close_matches(str(id), bank, n=3, cutoff=0.5) or sorted(bank)
    raise ValueError(
        _("There is no exercise {id!r}. Do you mean one of these? {alike}").format(id=id, alike=", ".join(alike))
    )
