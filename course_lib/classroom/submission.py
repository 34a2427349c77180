"""A submitted file: is it a notebook of the course, and what stands in its answer cells. Nothing of it is run here."""

import json
import os
import re
import stat
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from course_lib.classroom.artefact import SUFFIXES
from course_lib.classroom.exercise import Exercise
from course_lib.classroom.exercises import chapter, chapters
from course_lib.classroom.language import _

__all__ = ["Rejected", "Submission", "find_submissions", "read_submission"]

LARGEST = 20 * 2**20  # bytes
MAGIC = re.compile(r"^[%!].*$", re.MULTILINE)  # lines for the notebook, such as %matplotlib inline; not Python


class Rejected(Exception):
    """The file cannot be graded; the message is the reason, for the instructor."""


@dataclass(frozen=True)
class Submission:
    """What was handed in for a chapter, each by the id of its exercise.

    ``answers`` holds the source of each answer cell, in the notebook's order; ``files`` the content of each file.
    """

    chapter: str
    exercises: list[Exercise]
    answers: dict[str, str]
    files: dict[str, bytes] = field(default_factory=dict)


def find_submissions(folder: Path, out: Path) -> dict[str, Path]:
    """What lies in the folder, and one level down in each student's folder, by the name it has in the table.

    A notebook is called as its file, with its folder in front and without ``.ipynb`` unless something else has that
    name; anything else by its whole name. Bytes that are no text and characters that steer a terminal are written out.
    Names that begin with a dot are the system's and are left out, and so is the folder ``out`` of the results, and a
    ``.tflite`` or ``.npz`` file that was handed in with a notebook: in a student's folder any, at the top one that has
    the notebook's name.
    """
    names = {}
    at_the_top = [path for path in _entries(folder) if path.resolve() != out.resolve()]
    found = [inside for entry in at_the_top for inside in _entries(entry) or [entry]]

    def owner(path: Path) -> Path:
        return path.with_suffix("") if path.parent == folder else path.parent

    owners = {owner(path) for path in found if path.suffix == ".ipynb"}
    for path in found:
        if path.suffix in SUFFIXES and owner(path) in owners:
            continue
        whole = _printable(os.fsencode(path.relative_to(folder)).decode(errors="backslashreplace"))
        free = (whole.removesuffix(".ipynb"), whole, *(f"{whole} ({number})" for number in range(2, len(names) + 3)))
        names[next(name for name in free if name not in names)] = path
    return names


def _printable(text: str) -> str:
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


def _entries(folder: Path) -> list[Path]:
    """What lies in a folder; nothing in what is not one, or is closed to us."""
    try:
        inside = [] if folder.is_symlink() else folder.iterdir()
        return sorted(path for path in inside if not path.name.startswith("."))
    except OSError:
        return []


def read_submission(path: Path, at_the_top: bool = False) -> Submission:
    """The answer cells of a notebook, found by their grade ids, and the files that its exercises ask for.

    Its tests, points and other metadata are ignored. A file has the name that the exercise gives it, in the notebook's
    folder; ``at_the_top``, where the notebooks of all lie in one folder, it has the notebook's name and its own suffix.

    Raises
    ------
    Rejected
        It is not a file that can be graded.
    """
    path = Path(path)
    if not path.is_symlink() and path.is_file() and path.suffix.lower() != ".ipynb":
        raise Rejected(_("It is not a notebook: its name does not end in .ipynb."))
    notebook = _notebook(_content(path))
    known = {exercise.id: exercise for number in chapters() for exercise in chapter(number)}
    answers: dict[str, str] = {}
    for id, source in _graded_cells(notebook):
        if id in answers:
            raise Rejected(_("Two cells have the grade id of exercise {id}.").format(id=id))
        if id in known:
            answers[id] = source
    numbers = {known[id].chapter for id in answers}
    if not numbers:
        raise Rejected(_("It is not one of the course's exercise notebooks: no cell has a known grade id."))
    if len(numbers) > 1:
        raise Rejected(_("It mixes exercises of the chapters {numbers}.").format(numbers=", ".join(sorted(numbers))))
    (number,) = numbers
    files = {}
    for id in answers:
        if artefact := known[id].artefact:
            name = path.with_suffix(Path(artefact.file).suffix) if at_the_top else path.with_name(artefact.file)
            with suppress(Rejected):  # it costs this exercise only
                files[id] = _content(name)
    return Submission(number, chapter(number), answers, files)


def _content(path: Path) -> bytes:
    """The bytes of an ordinary file. Links are not followed; pipes, sockets and devices are not opened."""
    try:
        info = path.lstat()
        if stat.S_ISLNK(info.st_mode):
            raise Rejected(_("It is a symbolic link."))
        if stat.S_ISDIR(info.st_mode):
            raise Rejected(_("It is a folder without notebooks at this level."))
        if not stat.S_ISREG(info.st_mode):
            raise Rejected(_("It is not an ordinary file but a pipe, a socket or a device."))
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
            content = file.read(LARGEST + 1)
    except OSError as error:
        raise Rejected(_("It cannot be read: {error}.").format(error=error.strerror)) from error
    if len(content) > LARGEST:
        raise Rejected(_("It is larger than {megabytes} MB.").format(megabytes=LARGEST // 2**20))
    if not content.strip():
        raise Rejected(_("It is empty."))
    return content


def _notebook(content: bytes) -> dict:
    try:
        notebook = json.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise Rejected(_("It is not UTF-8 text.")) from error
    except (ValueError, RecursionError) as error:
        raise Rejected(_("It is not JSON, so no notebook: it was cut off, or is a file of another kind.")) from error
    if not isinstance(notebook, dict) or not isinstance(notebook.get("cells"), list):
        raise Rejected(_("It is JSON, but not a notebook of format 4: it has no list of cells."))
    return notebook


def _graded_cells(notebook: dict):
    """Exercise id and source of every code cell with a grade id: ``02-soft_threshold`` is ``02.soft_threshold``."""
    for cell in notebook["cells"]:
        match cell:
            case {"cell_type": "code", "source": source, "metadata": {"nbgrader": {"grade_id": str(grade_id)}}}:
                lines = [source] if isinstance(source, str) else source
                if not isinstance(lines, list) or not all(isinstance(line, str) for line in lines):
                    raise Rejected(_("The source of cell {id} is not text.").format(id=_printable(grade_id[:80])))
                yield grade_id.replace("-", ".", 1), MAGIC.sub("", "".join(lines))
