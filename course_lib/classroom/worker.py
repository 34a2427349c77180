"""A process where a submission runs, as the checker sees it: something to ask, and to believe nothing of.

One request goes out at a time: source to run, or the name of an answer and one case's arguments. Each carries a fresh
nonce, which the reply must repeat: a reply that was written before its question is worth nothing. A reply is read with
a time limit and a length cap, and holds plain values only.
"""

import os
import re
import secrets
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import course_lib
from course_lib.classroom.attempt import Outcome
from course_lib.classroom.wire import WireError, pack, receive, send, unpack

__all__ = ["ENVIRONMENT", "MEMORY", "Worker", "children", "unconfined"]

MEMORY = 2 * 2**30  # bytes that a worker's processes may hold together
GLANCE = 0.1  # seconds between two looks at its memory
ENVIRONMENT = {  # one thread each, as several workers share the machine
    "LANG": "C.UTF-8",
    "MPLBACKEND": "agg",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONHASHSEED": "0",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "TF_NUM_INTEROP_THREADS": "1",
    "TF_NUM_INTRAOP_THREADS": "1",
}
FIELDS = {"nonce": str, "status": str, "error": str, "message": str, "line": str, "changed": bool}
STATUSES = {"returned", "raised", "not attempted", "undefined", "not a function", "unusable"}


class Worker:
    """A fresh process. Use it in a ``with`` statement, or close it: it is then killed with all that it started.

    After a timeout, too much memory, or when the process has died, ``alive`` is False and every further request gives
    ``died``.

    Parameters
    ----------
    channel
        A connected socket to :func:`course_lib.classroom.inside.serve`.
    pid
        The process whose memory, with its descendants', is watched.
    end
        Kills the process with all that it started, and returns when they are gone.

    Examples
    --------
    >>> with unconfined() as worker:
    ...     _ = worker.run("def double(x): return 2 * x", seconds=60)
    ...     worker.call("double", (21,), seconds=60).value
    42
    """

    def __init__(self, channel: socket.socket, pid: int, end: Callable[[], None]):
        channel.setblocking(False)
        self.channel, self.pid, self._end = channel, pid, end
        self.alive = True

    def __enter__(self) -> "Worker":
        return self

    def __exit__(self, *exception) -> None:
        self.close()

    def close(self) -> None:
        """End the process with all that it started."""
        if self.alive:
            self.alive = False
            self.channel.close()
            self._end()

    def run(self, source: str, seconds: float) -> Outcome:
        """Run a cell in the worker's one namespace."""
        return self._ask(("run", source), seconds)

    def call(self, name: str, args: tuple, seconds: float) -> Outcome:
        """Call the function of this name."""
        return self._ask(("call", name, args), seconds)

    def value(self, name: str, seconds: float) -> Outcome:
        """The value of this name."""
        return self._ask(("value", name), seconds)

    def _ask(self, request: tuple, seconds: float) -> Outcome:
        if not self.alive:
            return Outcome("died")
        nonce, until = secrets.token_hex(16), time.monotonic() + seconds
        try:
            send(lambda rest: self._when(selectors.EVENT_WRITE, until).send(rest), pack((nonce, request)))
            return _outcome(unpack(receive(lambda size: self._when(selectors.EVENT_READ, until).recv(size))), nonce)
        except TimeoutError:
            failed = Outcome("timeout")
        except MemoryError:
            failed = Outcome("memory")
        except (EOFError, OSError, WireError):
            failed = Outcome("died")
        self.close()
        return failed

    def _when(self, event: int, until: float) -> socket.socket:
        """The channel as soon as it is ready, or TimeoutError, or MemoryError."""
        with selectors.DefaultSelector() as selector:
            selector.register(self.channel, event)
            while not selector.select(max(min(GLANCE, until - time.monotonic()), 0)):
                if time.monotonic() >= until:
                    raise TimeoutError
                if _memory(self.pid) > MEMORY:
                    raise MemoryError
        return self.channel


def _outcome(reply: object, nonce: str) -> Outcome:
    """The reply, which the submission may have written itself, as an outcome with fields of the right types."""
    if (
        not isinstance(reply, dict)
        or reply.keys() != FIELDS.keys() | {"value"}
        or any(type(reply[name]) is not kind for name, kind in FIELDS.items())
        or reply.pop("nonce") != nonce
        or reply["status"] not in STATUSES
    ):
        raise WireError("the reply is not an outcome of this request")
    return Outcome(**reply)


def children(pid: int) -> list[int]:
    """The numbers of a process's children; none where there is no /proc, or the process has gone."""
    try:
        return [
            int(child) for file in Path(f"/proc/{pid}/task").glob("*/children") for child in file.read_text().split()
        ]
    except OSError:
        return []


def _memory(pid: int) -> int:
    """Bytes that a process and its descendants hold; 0 where there is no /proc, or the process has gone."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    held = re.findall(r"^(?:RssAnon|RssShmem):\s+(\d+) kB", status, re.MULTILINE)
    return 1024 * sum(map(int, held)) + sum(map(_memory, children(pid)))


def unconfined(library: Path | None = None, user: str | None = None) -> Worker:
    """A worker with the rights of whoever calls this: for a learner's own notebook, or by the instructor's decision.

    A process that leaves its session outlives it, and it sees every file that the caller sees.

    Parameters
    ----------
    library
        The folder that it imports ``course_lib`` from; by default that of this process.
    user
        Whose rights it has instead; only root can give it those of another.
    """
    folder = tempfile.mkdtemp(prefix="course-worker-")
    rights = {}
    if user:
        import pwd  # not on Windows

        shutil.chown(folder, user)
        rights = {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []}
    ours, theirs = socket.socketpair()
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "course_lib.classroom.inside", str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=folder,
            env={
                **ENVIRONMENT,
                "PATH": os.environ.get("PATH", os.defpath),
                "PYTHONPATH": str(library or Path(course_lib.__file__).parents[1]),
                "HOME": folder,
                "TMPDIR": folder,
            },
            start_new_session=True,
            **rights,
        )

    def end() -> None:
        os.killpg(process.pid, signal.SIGKILL)  # not yet waited for, so the number is still its own
        process.wait()
        shutil.rmtree(folder, ignore_errors=True)

    return Worker(ours, process.pid, end)
