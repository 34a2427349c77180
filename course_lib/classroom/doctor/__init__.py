"""What the lessons need of this machine, looked at one by one: what ``course doctor`` prints.

A check returns what it found, or raises an error that says what is wrong and, in the same sentence or the next, what
to do about it.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from course_lib import data
from course_lib.classroom.doctor.machine import cores, disk, memory
from course_lib.classroom.doctor.programs import jupyter, litert, tensorflow
from course_lib.classroom.doctor.versions import locked, packages, python
from course_lib.classroom.language import _
from course_lib.data.idx import read_idx

__all__ = ["Finding", "examine"]

LOCK = "requirements.lock"


@dataclass(frozen=True)
class Finding:
    """What one check found; ``needed`` is False where learning does not depend on it."""

    what: str
    works: bool
    needed: bool
    says: str

    def __str__(self) -> str:
        mark = "✔" if self.works else "✘" if self.needed else "–"
        return f"{mark} {self.what}: {self.says}"


def examine(folder: Path) -> Iterator[Finding]:
    """Every check in turn, for the course in this folder; several are at work at once.

    Examples
    --------
    >>> for finding in examine(Path.cwd()):
    ...     print(finding)  # doctest: +ELLIPSIS
    ✔ Python: 3...
    """
    checks: list[tuple[str, bool, Callable[[], str]]] = [
        (_("Python"), True, python),
        (_("Packages"), True, packages),
        (_("Locked versions"), False, lambda: locked(folder / LOCK)),
        (_("Memory"), True, memory),
        (_("Cores"), True, cores),
        (_("Disk"), True, lambda: disk(folder)),
        (_("Fashion-MNIST"), True, fashion_mnist),
        (_("TensorFlow"), True, tensorflow),
        (_("LiteRT"), True, litert),
        (_("Jupyter"), True, jupyter),
        (_("Sandbox"), False, sandbox),
    ]

    def find(check):
        what, needed, look = check
        try:
            return Finding(what, True, needed, look())
        except Exception as error:  # whatever is broken here, the other checks go on
            return Finding(what, False, needed, str(error) or repr(error))

    with ThreadPoolExecutor() as pool:
        yield from pool.map(find, checks)


def fashion_mnist() -> str:
    names = [line.split()[1] for line in (data.FOLDER / "SHA256SUMS").read_text().splitlines()]
    for name in names:
        read_idx(data.FOLDER / name)
    return _("{count} files, each with its SHA-256").format(count=len(names))


def sandbox() -> str:
    from course_lib.classroom.sandbox import NoSandbox, Sandbox

    try:
        with Sandbox():
            return _("works; instructors grade in it")
    except NoSandbox as error:
        _refused, *why, _unsafe = str(error).splitlines()
        raise RuntimeError(_("for instructors only. {why}").format(why=" ".join(why))) from error
