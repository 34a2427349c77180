"""A zygote inside bubblewrap, seen from outside: it is asked for workers."""

import json
import os
import re
import select
import signal
import socket
import subprocess
import tempfile
import threading
from collections.abc import Iterable
from contextlib import suppress
from functools import partial
from pathlib import Path

from course_lib.classroom.sandbox.cgroup import Group
from course_lib.classroom.sandbox.layout import Layout, inside
from course_lib.classroom.sandbox.zygote import ALONE, STARTED
from course_lib.classroom.worker import Worker, children

__all__ = ["Zygote"]

START_SECONDS = 120  # a busy machine may need a while to import TensorFlow
END_SECONDS = 30  # the kernel may need a moment to free what a worker held


class Zygote:
    """A sandbox with a zygote inside, from which workers are forked.

    Parameters
    ----------
    layout
        What there is inside.
    modules
        What the zygote imports.
    alone
        Whether the zygote itself becomes the only worker.
    hidden
        Files of the library that this only worker finds empty.
    """

    def __init__(self, layout: Layout, modules: tuple[str, ...] = (), alone: bool = False, hidden: Iterable[str] = ()):
        self.alone, self.lock = alone, threading.Lock()
        self.control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.control.settimeout(START_SECONDS)
        self.errors = tempfile.TemporaryFile()  # noqa: SIM115 - open as long as the zygote
        program = ["course_lib.classroom.sandbox.zygote", str(theirs.fileno()), ALONE if alone else "shared", *modules]
        with theirs, tempfile.TemporaryFile() as options:
            options.write(b"".join(os.fsencode(option) + b"\0" for option in layout.options(alone, hidden)))
            options.seek(0)
            self.process = subprocess.Popen(
                layout.command(options.fileno(), *program),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self.errors,
                pass_fds=[theirs.fileno(), options.fileno()],
                env={"PATH": os.environ.get("PATH", os.defpath)},
                start_new_session=True,
            )

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    def worker(self, hidden: Iterable[str] = ()) -> Worker:
        """A new worker, which finds these files of the library empty.

        Raises
        ------
        OSError
            The sandbox or the worker could not be started; the message holds what bubblewrap said.
        """
        ours, theirs = socket.socketpair()
        request = json.dumps([inside(path) for path in hidden]).encode()
        with theirs, self.lock:
            try:
                socket.send_fds(self.control, [request], [theirs.fileno()])
                reply, descriptors, _flags, _address = socket.recv_fds(self.control, 2**12, 1)
            except OSError:
                reply = b""
        if reply != STARTED:
            if self.alone or not reply:  # else it is this worker only that could not be started
                self.end()
            self.errors.seek(0)
            said = self.errors.read().strip() or reply or b"the sandbox does not answer"
            raise OSError(said.decode(errors="replace"))
        if self.alone:
            pid, end = self.process.pid, self.end
        else:
            (descriptor,) = descriptors
            pid, end = _number(descriptor), partial(_end, descriptor)
        group = Group(pid)

        def end_and_clear() -> None:
            end()
            group.remove()

        return Worker(ours, pid, end_and_clear)

    def end(self) -> None:
        """Kill the zygote and all of its workers, and wait until they are gone."""
        firsts = children(self.process.pid)  # bubblewrap's child is the first process of the namespace
        for first in firsts:
            with suppress(ProcessLookupError):
                _end(os.pidfd_open(first))
        if not firsts:
            self.process.kill()
        self.process.wait()  # bubblewrap ends with its child
        self.control.close()


def _number(descriptor: int) -> int:
    """The process's number out here; inside it is another."""
    return int(re.search(r"^Pid:\s+(-?\d+)", Path(f"/proc/self/fdinfo/{descriptor}").read_text(), re.MULTILINE)[1])


def _end(descriptor: int) -> None:
    """Kill the first process of a worker's namespace, and wait until the kernel has killed the others."""
    with os.fdopen(descriptor):
        try:
            signal.pidfd_send_signal(descriptor, signal.SIGKILL)
        except ProcessLookupError:
            return
        waiting = select.poll()
        waiting.register(descriptor, select.POLLIN)
        if not waiting.poll(END_SECONDS * 1000):
            raise TimeoutError(f"a worker was killed, but did not end within {END_SECONDS} s")
