"""The sandbox that submissions run in: bubblewrap around a zygote, and namespaces of its own for every worker.

Threat model
------------
A submission is a program of somebody who may want points that were not earned, other people's work, the tests, or the
batch to fail. It may run any code as an ordinary process. Grading relies on these walls:

- **Nothing to find.** The sandbox holds Python, its packages and a copy of the library without exercises, answers,
  tests and notebooks; where an exercise asks to write what the library has, an empty module covers it. The checker
  sends the arguments of one call at a time and compares what comes back out here.
- **Nothing to reach.** No network device, no process of the host or of another worker, no environment of the grader,
  and of ``/proc`` and ``/sys`` only what describes the processor. All files are read-only but ``/tmp`` and
  ``/dev/shm``, which are in memory, sized, and new for every worker.
- **Nothing to gain.** An unprivileged user, also where root grades; no capabilities, no further namespaces, no
  ``ptrace``, and none of the system calls of :mod:`~course_lib.classroom.sandbox.syscalls`.
- **Nothing to use up.** Limits for processor time, address space, processes, files and their size, and a control group
  where one can be made; the wall clock and the memory of all processes of a worker are watched from out here.
- **Nothing to leave.** A worker is the second process of a namespace of its own. When the first is killed the kernel
  kills the rest, and the grader waits until that is done. The sandbox ends with the grader, however that ends.

A submission can still learn the arguments of its own hidden calls, but has no way to tell them: feedback holds none of
its words. It can slow down what runs beside it as busy programs slow each other down. It may read which packages are
installed. Holes in the kernel itself are not defended against: to grade strangers, use a virtual machine.

How the zygote and bubblewrap fit together
------------------------------------------
Importing TensorFlow takes seconds, so one process inside bubblewrap does it once, executes nothing, and is forked. The
fork unshares user, mount, process, network, IPC and host-name namespaces, so two workers share no more than they would
in two sandboxes of bubblewrap's. A light zygote without TensorFlow serves chapters whose setup does not import it.

Some systems let bubblewrap make namespaces but nothing inside it (Ubuntu's profile ``bwrap-userns-restrict``, a
container that masks ``/proc``). There every worker has a sandbox and a zygote of its own: as safe, but slower by the
start of Python, and of TensorFlow where it is needed.
"""

import sys
import tempfile
import threading
from collections.abc import Iterable
from pathlib import Path

from course_lib.classroom.sandbox.launch import START_SECONDS, Zygote
from course_lib.classroom.sandbox.layout import Layout
from course_lib.classroom.sandbox.remedy import NoSandbox, remedy
from course_lib.classroom.worker import Worker, unconfined

__all__ = ["NoSandbox", "Sandbox", "Unconfined"]

HEAVY = ("tensorflow", "keras")
STOP_AT_HEAVY = f"""
import sys
class Heavy:
    def find_spec(name, *rest):
        if name in {HEAVY}:
            raise LookupError
sys.meta_path.insert(0, Heavy)
"""


class Unconfined:
    """In place of a :class:`Sandbox`: workers with the rights of whoever calls this."""

    def __enter__(self) -> "Unconfined":
        return self

    def __exit__(self, *exception) -> None:
        self.close()

    def close(self) -> None:
        """Nothing: its workers do not depend on it."""

    def start(self, setup: str = "", hidden: Iterable[str] = ()) -> Worker:
        """A worker in which nothing has run yet. It sees all of the library."""
        return unconfined()


class Sandbox:
    """Starts workers. Use it in a ``with`` statement; what is still running at its end is killed.

    Parameters
    ----------
    shared
        Whether workers are forked from one zygote, if that works here; by default it is tried.

    Raises
    ------
    NoSandbox
        On entering it: no sandbox works on this machine. The message says why and what to do.

    Examples
    --------
    >>> with Sandbox() as sandbox, sandbox.start() as worker:
    ...     _ = worker.run("import os; files = os.listdir('/tmp')", seconds=60)
    ...     worker.value("files", seconds=60).value
    []
    """

    def __init__(self, shared: bool = True):
        self.shared = shared
        self.zygotes: dict[tuple[str, ...], Zygote] = {}
        self.modules: dict[str, tuple[str, ...]] = {}
        self.lock = threading.Lock()
        self.layout: Layout | None = None

    def __enter__(self) -> "Sandbox":
        if sys.platform != "linux":
            raise NoSandbox(remedy(""))
        self.layout = Layout(Path(tempfile.mkdtemp(prefix="course-sandbox-")))
        try:
            self._try_out()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *exception) -> None:
        self.close()

    def close(self) -> None:
        """Kill what is still running; from now on no worker starts."""
        with self.lock:
            for zygote in self.zygotes.values():
                zygote.end()
            self.zygotes.clear()
            if self.layout:
                self.layout.clear()
            self.layout = None

    def start(self, setup: str = "", hidden: Iterable[str] = ()) -> Worker:
        """A worker in which nothing has run yet.

        Parameters
        ----------
        setup
            What will run in it first: if that imports TensorFlow, it is there already.
        hidden
            Files of the library, such as ``masks.py``, that are empty for this worker.

        Raises
        ------
        OSError
            The worker could not be started.
        """
        if setup not in self.modules:
            with self._start((), hidden) as worker:
                stopped = worker.run(STOP_AT_HEAVY + setup, START_SECONDS).error == "LookupError"
                self.modules[setup] = HEAVY if stopped else ()
        return self._start(self.modules[setup], hidden)

    def _start(self, modules: tuple[str, ...], hidden: Iterable[str]) -> Worker:
        layout = self.layout
        if layout is None:
            raise OSError("the sandbox is closed")
        if not self.shared:
            return Zygote(layout, modules, alone=True, hidden=hidden).worker()
        with self.lock:
            zygote = self.zygotes.get(modules)
            if zygote is None or not zygote.alive:
                zygote = self.zygotes[modules] = Zygote(layout, modules)
        return zygote.worker(hidden)

    def _try_out(self) -> None:
        """Start a worker in the sandbox of others; where that fails, one in a sandbox of its own."""
        failure = ""
        for shared in [True, False] if self.shared else [False]:
            self.shared = shared
            try:
                with self._start((), ()) as worker:
                    if worker.run("", START_SECONDS).status == "returned":
                        return
                failure = "a worker was started, and did not answer"
            except OSError as error:
                failure = str(error)
        raise NoSandbox(remedy(failure))
