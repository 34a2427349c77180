"""What runs where a submission runs: it answers the checker's requests, one at a time.

It holds no tests, no right answers and no points, so there is nothing here that a submission could read or change to
its advantage. It shares its process with the submission, so the checker believes nothing that it says.
"""

import os
import socket
import sys
from dataclasses import asdict

from course_lib.classroom.attempt import Outcome, attempt
from course_lib.classroom.wire import pack, receive, send, unpack

__all__ = ["LIMITS", "limit_resources", "serve"]

LIMITS = {  # of each process; how much a whole worker may hold is watched from outside
    "CORE": 0,
    "CPU": 300,  # seconds; the wall clock ends a worker long before
    "FSIZE": 64 * 2**20,  # bytes of a file
}


def serve(channel: socket.socket) -> None:
    """Answer requests until the checker closes the channel; what is printed goes nowhere, what is read is empty."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nowhere, standard)
    namespace = {"__name__": "__main__"}
    while True:
        try:
            nonce, request = unpack(receive(channel.recv))
        except EOFError:
            return
        outcome = _answer(request, namespace)
        send(channel.send, pack({"nonce": nonce} | asdict(outcome)))


def limit_resources(limits: dict[str, int] = LIMITS) -> None:
    """Hard limits, which the process cannot raise again."""
    import resource  # not on Windows

    for name, most in limits.items():
        resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (most, most))


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


if __name__ == "__main__":  # without a sandbox: see course_lib.classroom.worker.unconfined
    limit_resources()
    serve(socket.socket(fileno=int(sys.argv[1])))
