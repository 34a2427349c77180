"""A control group for each worker, where the system lets the grader make one: the kernel then counts all its memory.

Version 2 of control groups, which systemd delegates to a user's session. Without one the memory of a worker is still
limited for each process and watched from outside, but pages that no process has mapped are not counted.
Source: Linux, Documentation/admin-guide/cgroup-v2.rst.
"""

import os
import secrets
from contextlib import suppress
from pathlib import Path

from course_lib.classroom.sandbox.isolate import STRICT_LIMITS
from course_lib.classroom.worker import MEMORY, children

__all__ = ["Group"]

ROOT = Path("/sys/fs/cgroup")
OWN = Path("/proc/self/cgroup")
LIMITS = {
    "memory.max": MEMORY,
    "memory.swap.max": 0,
    "memory.oom.group": 1,  # where there is not enough, all of the worker ends
    "pids.max": STRICT_LIMITS["NPROC"],
    "cpu.weight": 50,  # half of the grader's
}


class Group:
    """The group that a worker's process and its children are put into, before anything of a submission runs in them.

    Where no group can be made this does nothing.
    """

    def __init__(self, pid: int):
        self.folder = None
        with suppress(OSError):
            if parent := _parent():
                self.folder = parent / f"course-{secrets.token_hex(8)}"
                self.folder.mkdir()
                for name, limit in LIMITS.items():
                    with suppress(OSError):  # a controller that is not there
                        (self.folder / name).write_text(str(limit))
                self._add(pid)

    def _add(self, pid: int) -> None:
        (self.folder / "cgroup.procs").write_text(str(pid))
        for child in children(pid):  # what it starts from now on is in the group already
            self._add(child)

    def remove(self) -> None:
        """The group has to be empty."""
        if self.folder:
            with suppress(OSError):
                self.folder.rmdir()


def _parent() -> Path | None:
    """The nearest group around this process in which groups with a limit of memory can be made."""
    own = [ROOT / line[4:] for line in OWN.read_text().splitlines() if line.startswith("0::/")]
    for folder in (around for here in own for around in (here, *here.parents) if around.is_relative_to(ROOT)):
        control = folder / "cgroup.subtree_control"
        if control.exists() and "memory" in control.read_text().split() and os.access(folder / "cgroup.procs", os.W_OK):
            return folder
    return None
