"""Which files of the library a submission does not see: those that hold what its exercises ask to write.

An exercise's reference is often a function of the library, or calls one. Whatever module defines it is hidden where
the submission runs, unless the exercise lists it in ``may_use``.
"""

import inspect
import sys
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

import course_lib
from course_lib.classroom.exercise import Exercise

__all__ = ["hidden_files"]

LIBRARY = Path(course_lib.__file__).parent


def hidden_files(exercises: Iterable[Exercise]) -> frozenset[str]:
    """The files, as paths inside the library.

    Examples
    --------
    >>> from course_lib.classroom.exercises import find
    >>> sorted(hidden_files([find("02.soft_threshold"), find("02.path_order")]))
    ['regularizers/proximal.py']
    """
    asked = [each for each in exercises if not each.artefact]  # a file may be made with all that there is
    modules = {module for each in asked for module in _modules(each.reference, set()) if module not in each.may_use}
    return frozenset(Path(sys.modules[module].__file__).relative_to(LIBRARY).as_posix() for module in modules)


def _modules(value: Any, seen: set[int]) -> Iterator[str]:
    """The library's modules that define what a function of an exercise is or names, and what those name."""
    while isinstance(value, partial):
        value = value.func
    module = value.__name__ if isinstance(value, ModuleType) else getattr(value, "__module__", None) or ""
    if id(value) in seen or module.partition(".")[0] != "course_lib":
        return
    seen.add(id(value))
    if not module.startswith("course_lib.classroom"):
        yield module
    elif isinstance(value := inspect.unwrap(value), FunctionType):
        known = value.__globals__ | inspect.getclosurevars(value).nonlocals
        for name in _names(value.__code__):
            if name in known:
                yield from _modules(known[name], seen)


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names + code.co_freevars
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)
