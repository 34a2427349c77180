"""Where no sandbox works and the instructor has decided to grade nevertheless: as somebody else, if root grades."""

import os
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path

from course_lib.classroom.language import _
from course_lib.classroom.sandbox import Unconfined, stand_in
from course_lib.classroom.sandbox.layout import LARGE, LIBRARY, copied_library
from course_lib.classroom.worker import Worker, unconfined

__all__ = ["Lowered"]


class Lowered(Unconfined):
    """Workers that see a copy of the library without exercises and, where root calls this, have ``nobody``'s rights.

    That is less than a sandbox: they can use the network, read what all may read, and leave processes behind.
    ``says`` tells which of the two it is.
    """

    def __enter__(self) -> "Lowered":
        self.folder = Path(tempfile.mkdtemp(prefix="course-lowered-"))
        self.folder.chmod(0o755)
        self.library = copied_library(self.folder / "course")
        shutil.copytree(LIBRARY / LARGE, self.library / "course_lib" / LARGE, dirs_exist_ok=True)
        return self

    def close(self) -> None:
        """Remove the copy of the library."""
        shutil.rmtree(self.folder)

    @property
    def says(self) -> str:
        if os.getuid() == 0:
            return _("There is no sandbox: student code runs as nobody, who cannot read what grades it.")
        return _("There is no sandbox: student code runs with your rights and can read what grades it.")

    def start(self, setup: str = "", hidden: Iterable[str] = ()) -> Worker:
        """A worker in which nothing has run yet; the hidden files are covered in the copy, for good."""
        for path in hidden:
            (self.library / "course_lib" / path).write_text(stand_in.HIDDEN)
        return unconfined(self.library, "nobody" if os.getuid() == 0 else None)
