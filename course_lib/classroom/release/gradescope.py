"""An autograder for Gradescope: https://gradescope-autograders.readthedocs.io/en/latest/specs/.

The zip holds ``setup.sh``, ``run_autograder``, the library with its declarations, a chapter's exercise notebook and a
secret. It is the instructor's: whoever has it can read the right answers and draw the hidden cases.
"""

import json
import secrets
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

from course_lib.classroom.course import Course
from course_lib.classroom.release.pack import FILES, copy_library, notebook_of, pack_folder

__all__ = ["gradescope"]


def gradescope(course: Course, out: Path, number: str, *, secret: bytes | None = None, unsafe: bool = False) -> Path:
    """Make ``out/gradescope-NN.zip`` for the chapter with this number.

    Parameters
    ----------
    course, out, number
        The course, the folder to write into, and the chapter, ``"02"``.
    secret
        What the hidden cases are drawn from; by default new entropy.
    unsafe
        Whether submissions are graded also where no sandbox works.

    Raises
    ------
    ValueError, FileNotFoundError
        There is no such chapter, or its notebook has not been built.
    """
    notebook = notebook_of(course, number)
    with TemporaryDirectory() as temporary:
        folder = Path(temporary)
        copy_library(folder / "course_lib", declarations=True)
        for name in ("LICENSE", "requirements.lock"):
            shutil.copy(course.root / name, folder)
        for name in ("setup.sh", "run_autograder"):
            shutil.copy(FILES / name, folder)
            (folder / name).chmod(0o755)
        (folder / "exercises").mkdir()
        shutil.copy(course.root / notebook, folder / notebook)
        (folder / "settings.json").write_text(json.dumps({"chapter": number, "unsafe": unsafe}))
        (folder / "secret.hex").write_text((secrets.token_bytes(32) if secret is None else secret).hex())
        return pack_folder(folder, out / f"gradescope-{number}.zip", private=True)
