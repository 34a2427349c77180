"""What there is inside the sandbox: bubblewrap's options, and the command that starts it.

Inside, Python is in ``/python``, its packages in ``/packages``, the library in ``/course``: where they are on this
machine, and for whom, shows nowhere. The options travel through a descriptor, so no list of processes shows them.
"""

import os
import shutil
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import course_lib
from course_lib.classroom.sandbox import stand_in
from course_lib.classroom.sandbox.isolate import HIDDEN, NO_PROC, SHARED, TEMPORARY
from course_lib.classroom.worker import ENVIRONMENT

__all__ = ["LARGE", "LIBRARY", "Layout", "copied_library", "inside"]

LIBRARY = Path(course_lib.__file__).parent
NEEDED_INSIDE = ["attempt.py", "inside.py", "opened.py", "wire.py"]  # of the classroom
NEEDED_INSIDE += ["sandbox/isolate.py", "sandbox/libc.py", "sandbox/syscalls.py", "sandbox/zygote.py"]
LARGE = "data/fashion_mnist"  # bound, not copied
SYSTEM = ["/usr/bin", "/usr/lib", "/usr/lib32", "/usr/lib64", "/usr/local/lib", "/usr/share/zoneinfo"]
SYSTEM += ["/etc/alternatives", "/etc/ld.so.cache"]  # where libraries are found
SYSTEM += [
    "/sys/devices/system/cpu/possible",
    "/sys/devices/system/cpu/present",
]  # and /proc/cpuinfo: without them LiteRT takes its slowest kernels
FORMER = ["/bin", "/lib", "/lib32", "/lib64"]  # links into /usr, or folders on an older system
NAMESPACES = ["user", "pid", "net", "ipc", "uts", "cgroup-try"]
NOBODY = 65534
# The bind mounts are root's and only in this mount namespace: what follows may not be allowed to read their sources.
AS_NOBODY = f"""
while [ "$1" != bwrap ]; do mount --bind "$1" "$2" || exit; shift 2; done
exec setpriv --reuid={NOBODY} --regid={NOBODY} --clear-groups "$@"
"""


class Layout:
    """The sandbox's files: a copy of the library without exercises and tests, and where the rest is found.

    Parameters
    ----------
    folder
        An empty folder for the copy. :meth:`clear` empties it again.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        folder.chmod(0o755)
        self.library = copied_library(folder / "course")
        self.python, private = _python()
        private["/course/course_lib/" + LARGE] = LIBRARY / LARGE
        self.staged = {}
        if os.getuid() == 0:
            self.staged = {path: folder / f"bound-{number}" for number, path in enumerate(private.values())}
            for stage in self.staged.values():
                stage.mkdir()
        self.system = {path: Path(path) for path in SYSTEM if Path(path).exists()}
        self.private = {"/course": self.library} | private

    def clear(self) -> None:
        shutil.rmtree(self.library)
        for stage in self.staged.values():
            stage.rmdir()  # never more than the empty folder, should a mount have escaped
        self.folder.rmdir()

    def command(self, options: int, module: str, *arguments: str) -> list[str]:
        """The command that runs a module of Python inside; bubblewrap finds its options in this descriptor.

        Where root calls it, root binds what has to be seen, and somebody without rights does the rest.
        """
        command = ["bwrap", "--args", str(options), self.python, "-s", "-P", "-m", module, *arguments]
        if not self.staged:
            return command
        pairs = [str(path) for pair in self.staged.items() for path in pair]
        return ["unshare", "--mount", "sh", "-c", AS_NOBODY, "sh", *pairs, *command]

    def options(self, alone: bool, hidden: Iterable[str] = ()) -> list[str]:
        """Bubblewrap's options.

        Parameters
        ----------
        alone
            Whether the sandbox is for one worker, without ``/proc`` and with sized files in memory. A worker that is
            forked inside makes these for itself.
        hidden
            Files of the library that are empty.
        """
        options = [f"--unshare-{name}" for name in NAMESPACES]
        options += ["--uid", "1000", "--gid", "1000", "--hostname", "sandbox", "--die-with-parent", "--new-session"]
        options += ["--clearenv", *_each("--setenv", self._environment())]
        options += _each("--ro-bind", {self.staged.get(here, here): there for there, here in self._bound()})
        options += _former_folders()
        for there in self._ours_among_them():
            options += ["--tmpfs", there]
        for path in hidden:
            options += ["--ro-bind", str(self.library / Path(HIDDEN).name), inside(path)]
        options += ["--dev", "/dev"]
        for there, size in {"/tmp": TEMPORARY, "/dev/shm": SHARED}.items():
            options += ["--size", str(size), "--tmpfs", there] if alone else ["--tmpfs", there]
        for name, link in {"self/exe": self.python, "self/cmdline": "/dev/null", "cpuinfo": "/course/cpuinfo"}.items():
            options += ["--symlink", link, f"{'/proc' if alone else NO_PROC}/{name}"]
        options += [] if alone else ["--proc", "/proc"]
        return [*options, "--chdir", "/tmp", "--remount-ro", "/dev", "--remount-ro", "/"]

    def _bound(self) -> Iterator[tuple[str, Path]]:
        yield from self.system.items()
        yield from self.private.items()

    def _ours_among_them(self) -> Iterator[str]:
        """Where the course itself would show, if it is installed among the packages or below a bound folder."""
        ours = LIBRARY.parent if (LIBRARY.parent / "pyproject.toml").exists() else LIBRARY
        for there, here in self._bound():
            if ours.is_relative_to(here.resolve()) and here != self.library:
                yield str(Path(there, ours.relative_to(here.resolve())))

    def _environment(self) -> dict[str, str]:
        packages = [there for there in self.private if there.startswith("/packages")]
        moved = {"LD_LIBRARY_PATH": "/python/lib"} if self.python.startswith("/python/") else {}
        return {
            **ENVIRONMENT,
            **moved,
            "PATH": "/usr/bin:/bin",
            "PYTHONPATH": ":".join(["/course", *packages]),
            "HOME": "/tmp",
            "TMPDIR": "/tmp",
        }


def inside(path: str) -> str:
    """Where a file of the library, such as ``masks.py``, is inside."""
    return f"/course/course_lib/{path}"


def copied_library(copy: Path) -> Path:
    """Source only: what a hidden module was compiled to must not lie beside it."""

    def left_out(folder, names):
        here = Path(folder).relative_to(LIBRARY)
        return [n for n in names if n == "__pycache__" or (here / n).as_posix() in ("classroom", LARGE)]

    shutil.copytree(LIBRARY, copy / "course_lib", ignore=left_out)
    classroom = copy / "course_lib" / "classroom"
    (classroom / "sandbox").mkdir(parents=True)
    (copy / "course_lib" / LARGE).mkdir()
    (copy / "hidden.py").write_text(stand_in.HIDDEN)
    (copy / "cpuinfo").write_text(Path("/proc/cpuinfo").read_text())
    (classroom / "__init__.py").write_text(stand_in.CLASSROOM)
    for name in NEEDED_INSIDE:
        shutil.copy(LIBRARY / "classroom" / name, classroom / name)
    for path in [copy, *copy.rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)
    return copy


def _python() -> tuple[str, dict[str, Path]]:
    """This Python's path inside, and what has to be bound for it: ``{inside: here}``."""
    base, program = Path(sys.base_prefix), Path(sys.executable).resolve()
    bound = {}
    if base not in (Path("/usr"), Path("/usr/local")):
        bound = {f"/python/{name}": base / name for name in ("bin", "lib", "lib64") if (base / name).is_dir()}
        program = Path("/python", program.relative_to(base.resolve()))
    elsewhere = [Path(path) for path in sys.path if path.endswith(("site-packages", "dist-packages"))]
    packages = [path for path in elsewhere if path.is_dir() and not path.is_relative_to(base)]
    bound |= {f"/packages/{number}": path for number, path in enumerate(packages)}
    return str(program), bound


def _former_folders() -> list[str]:
    options = []
    for path in map(Path, FORMER):
        if path.is_symlink():
            options += ["--symlink", os.readlink(path), str(path)]
        elif path.is_dir():
            options += ["--ro-bind", str(path), str(path)]
    return options


def _each(option: str, pairs: dict) -> list[str]:
    return [text for pair in pairs.items() for text in (option, *map(str, pair))]
