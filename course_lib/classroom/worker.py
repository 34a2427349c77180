"""Where a submission runs: a child process that holds no tests, no right answers and no points.

The checker starts ``python -m course_lib.classroom.worker`` through :class:`Worker` and sends it one request at a
time: source to run, or the name of an answer and one case's arguments. It is answered by an
:class:`~course_lib.classroom.attempt.Outcome`, read with a time limit and believed in nothing but plain values.

The worker's own standard input and output carry the frames. It moves them away before any of the submission runs, so
that what a submission prints goes nowhere and what it reads is empty.
"""

import os
import selectors
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

import course_lib
from course_lib.classroom.attempt import Outcome, attempt
from course_lib.classroom.wire import WireError, pack, receive, send, unpack

__all__ = ["Worker"]

CPU_SECONDS = 600  # the wall clock ends a worker long before; this ends what it may have left behind
FILE_BYTES = 256 * 2**20


class Worker:
    """A fresh process, seen from the checker. Use it in a ``with`` statement, or close it: it is then killed whole.

    After a timeout, or when the process has died, ``alive`` is False and every further request gives ``died``.

    Examples
    --------
    >>> with Worker() as worker:
    ...     _ = worker.run("def double(x): return 2 * x", seconds=60)
    ...     worker.call("double", (21,), seconds=60).value
    42
    """

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="course-worker-")
        self.process = subprocess.Popen(
            start_command(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            cwd=self.folder,
            env=_environment(self.folder),
            start_new_session=True,
        )
        for pipe in (self.process.stdin, self.process.stdout):
            os.set_blocking(pipe.fileno(), False)
        self.alive = True

    def __enter__(self) -> "Worker":
        return self

    def __exit__(self, *exception) -> None:
        self.close()

    def close(self) -> None:
        """End the process with all that it started, and remove its folder."""
        self._kill()
        shutil.rmtree(self.folder, ignore_errors=True)

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
        until = time.monotonic() + seconds
        try:
            stdin, stdout = self.process.stdin.fileno(), self.process.stdout.fileno()
            send(lambda rest: _before(until, stdin, selectors.EVENT_WRITE, os.write, rest), pack(request))
            reply = receive(lambda size: _before(until, stdout, selectors.EVENT_READ, os.read, size))
            return _outcome(unpack(reply))
        except TimeoutError:
            failed = Outcome("timeout")
        except (EOFError, OSError, WireError):
            failed = Outcome("died")
        self._kill()
        return failed

    def _kill(self) -> None:
        if not self.alive:
            return
        self.alive = False
        os.killpg(self.process.pid, signal.SIGKILL)  # not yet waited for, so the number is still its own
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            pipe.close()


def start_command() -> list[str]:
    """The command that starts a worker."""
    return [sys.executable, "-P", "-m", "course_lib.classroom.worker"]


def _environment(folder: str) -> dict[str, str]:
    """Nothing of the checker's environment but the path; one thread, as several workers share the machine."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "PYTHONPATH": str(Path(course_lib.__file__).parents[1]),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONHASHSEED": "0",
        "LANG": "C.UTF-8",
        "HOME": folder,
        "TMPDIR": folder,
        "MPLBACKEND": "agg",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }


def _before(until: float, descriptor: int, event: int, transfer, what):
    """``transfer(descriptor, what)`` as soon as the pipe is ready, or TimeoutError."""
    with selectors.DefaultSelector() as selector:
        selector.register(descriptor, event)
        if not selector.select(max(until - time.monotonic(), 0)):
            raise TimeoutError
    return transfer(descriptor, what)


def _outcome(reply: object) -> Outcome:
    """The reply, which the submission may have written itself, as an outcome with fields of the right types."""
    types = {"status": str, "error": str, "message": str, "line": str, "changed": bool}
    if (
        not isinstance(reply, dict)
        or reply.keys() != types.keys() | {"value"}
        or any(type(reply[name]) is not kind for name, kind in types.items())
        or reply["status"] not in FROM_WORKER
    ):
        raise WireError("the reply is not an outcome")
    return Outcome(**reply)


FROM_WORKER = {"returned", "raised", "not attempted", "undefined", "not a function", "unusable"}


def main() -> None:
    """Answer requests until the checker closes the pipe."""
    requests, replies = os.dup(0), os.dup(1)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nowhere, standard)
    _limit_resources()
    namespace = {"__name__": "__main__"}
    while True:
        try:
            request = unpack(receive(lambda size: os.read(requests, size)))
        except EOFError:
            return
        outcome = _answer(request, namespace)
        send(lambda rest: os.write(replies, rest), pack(asdict(outcome)))


def _answer(request: tuple, namespace: dict) -> Outcome:
    match request:
        case "run", source:
            return attempt(lambda: exec(compile(source, "<cell>", "exec"), namespace))
        case _, name, *_rest if name not in namespace:
            return Outcome("undefined")
        case "value", name:
            return attempt(lambda: namespace[name])
        case "call", name, args:
            return attempt(namespace[name], args)


def _limit_resources() -> None:
    """Limits that need no sandbox. Not the address space: TensorFlow reserves far more than it uses."""
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_BYTES, FILE_BYTES))


if __name__ == "__main__":
    main()
