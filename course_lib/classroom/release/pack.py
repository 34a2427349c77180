"""What every release is made of: the library, a chapter's notebook, and a folder that becomes a zip file."""

import os
import shutil
import zipfile
from pathlib import Path

import course_lib
from course_lib.classroom.course import Course
from course_lib.classroom.exercises import chapter
from course_lib.classroom.language import _
from course_lib.files import whole_file

__all__ = ["BANK", "FILES", "copy_library", "notebook_of", "pack_folder"]

LIBRARY = Path(course_lib.__file__).parent
BANK = "classroom/exercises"  # in the library
FILES = Path(__file__).parent / "files"  # what is put into releases as it stands, or nearly
FIRST_DAY = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip file can say


def notebook_of(course: Course, number: str) -> str:
    """The exercise notebook of a chapter, as a path in the course.

    Raises
    ------
    ValueError
        The chapter declares no exercises.
    FileNotFoundError
        Its notebook has not been built.
    """
    chapter(number)
    for path in sorted((course.root / "exercises").glob(f"{number}_*.ipynb")):
        return course.shown(path)
    raise FileNotFoundError(
        _("There is no exercises/{number}_*.ipynb; run: course build {number}").format(number=number)
    )


def copy_library(target: Path, *, declarations: bool) -> None:
    """Copy the library, with the declarations of the exercises or without, and without what Python made of it."""

    def ignored(folder: str, names: list[str]) -> list[str]:
        made = {name for name in names if name == "__pycache__" or name.startswith(".")}
        if declarations or Path(folder) != LIBRARY / BANK:
            return [*made]
        return [*made, *(name for name in names if name.startswith("chapter_"))]

    shutil.copytree(LIBRARY, target, ignore=ignored)


def pack_folder(folder: Path, path: Path, top: str = "", private: bool = False) -> Path:
    """Write the zip file ``path``, whole or not at all; inside, everything lies in the folder ``top``.

    Only its owner may read a ``private`` one. The same files give the same bytes: they are in order, and without times.
    """
    with whole_file(path, private=private) as file, zipfile.ZipFile(file, "w") as archive:
        for each in sorted(each for each in folder.rglob("*") if each.is_file()):
            info = zipfile.ZipInfo((Path(top) / each.relative_to(folder)).as_posix(), FIRST_DAY)
            info.external_attr = (0o100755 if os.access(each, os.X_OK) else 0o100644) << 16
            info.create_system = 3  # Unix: the permissions count
            info.compress_type = zipfile.ZIP_STORED if each.suffix == ".gz" else zipfile.ZIP_DEFLATED
            archive.writestr(info, each.read_bytes())
    return path
