"""The course folder: sources, and the three folders that are built from them.

A learner's copy has two of those, ``notebooks`` and ``exercises``, and no sources.
"""

from dataclasses import dataclass
from pathlib import Path

from course_lib.classroom.language import _

__all__ = ["BUILT", "Course"]

BUILT = ("notebooks", "exercises", "solutions")


@dataclass(frozen=True)
class Course:
    """A folder with ``notebooks/``, beside what they are built from or, in a learner's copy, ``exercises/``."""

    root: Path

    @classmethod
    def around(cls, folder: Path) -> "Course":
        """The course that ``folder`` lies in: itself or the nearest folder above it.

        Raises
        ------
        FileNotFoundError
            None of them has ``notebooks`` and one of ``sources`` and ``exercises``.
        """
        folder = Path(folder).resolve()
        for candidate in (folder, *folder.parents):
            beside = (candidate / "sources").is_dir() or (candidate / "exercises").is_dir()
            if beside and (candidate / "notebooks").is_dir():
                return cls(candidate)
        raise FileNotFoundError(
            _(
                "{folder} is not inside the course: no folder above it has notebooks/ and exercises/. "
                "Go to the folder that you cloned or unpacked, then run this again."
            ).format(folder=folder)
        )

    def sources(self, numbers=()) -> list[Path]:
        """The sources in chapter order; if any ``numbers`` (``"02"`` or ``"2"``) are given, only of those chapters.

        Raises
        ------
        FileNotFoundError
            There are none: this is a learner's copy.
        ValueError
            There is no such chapter.
        """
        if not (self.root / "sources").is_dir():
            raise FileNotFoundError(
                _("{folder} is a learner's copy of the course: it has no sources/ to build from.").format(
                    folder=self.root
                )
            )
        return _of_chapters(sorted((self.root / "sources").glob("*.py")), numbers)

    def lessons(self, numbers=()) -> list[Path]:
        """The built lessons in chapter order."""
        return _of_chapters(sorted((self.root / "notebooks").glob("*.ipynb")), numbers)

    def built(self, numbers=()) -> list[Path]:
        """Every notebook in the three built folders."""
        files = [file for folder in BUILT for file in sorted((self.root / folder).glob("*.ipynb"))]
        return [file for file in files if not numbers or file.name[:2] in {n.zfill(2) for n in numbers}]

    def shown(self, path: Path) -> str:
        """The path as people read it: relative to the course folder."""
        return path.relative_to(self.root).as_posix() if path.is_relative_to(self.root) else str(path)


def _of_chapters(files: list[Path], numbers) -> list[Path]:
    present = sorted({file.name[:2] for file in files})
    for number in numbers:
        if number.zfill(2) not in present:
            raise ValueError(
                _("There is no chapter {number} here; choose from: {present}.").format(
                    number=number, present=" ".join(present) or "–"
                )
            )
    wanted = {number.zfill(2) for number in numbers} or set(present)
    return [file for file in files if file.name[:2] in wanted]
