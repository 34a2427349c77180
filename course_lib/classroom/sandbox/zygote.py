"""The process that workers are forked from: it has imported what takes long, and executed nothing.

It runs inside the sandbox, holds nothing of the instructor's and runs nothing of a submission. A fork after TensorFlow
has executed an operation hangs; after the import alone it does not.

It is asked over a socket of whole messages: a JSON list of the library's files to hide, and the socket that the new
worker is to serve. It answers with the worker's pidfd, or with the text of an error.
"""

import gc
import importlib
import json
import os
import socket
import sys
from typing import NoReturn

from course_lib.classroom.inside import serve
from course_lib.classroom.sandbox.isolate import become_first_process, give_up_rights, own_namespaces

__all__ = ["ALONE", "STARTED", "main"]

ALONE = "alone"
STARTED = b"started"


def main(control: int, company: str, *modules: str) -> None:
    """Import the modules, then fork a worker for each request; ``alone``: become the only one of this sandbox."""
    control = socket.socket(fileno=int(control))
    for name in modules:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()  # else the first collection in a worker would copy every page
    while True:
        request, channels, _flags, _address = socket.recv_fds(control, 2**16, 1)
        if not request:
            return
        if company == ALONE:
            _become_worker(control, channels[0])
        child = os.fork()
        if child == 0:
            _start_worker(control, channels[0], json.loads(request))
        os.close(channels[0])
        if status := os.waitpid(child, 0)[1]:
            control.send(b"a fork of the zygote ended with the status %d" % status)


def _start_worker(control: socket.socket, channel: int, hidden: list[str]) -> NoReturn:
    """In a fork: start the first process of new namespaces, and hand its pidfd over."""
    try:
        own_namespaces(hidden)
        give_up_rights()
        first = os.fork()
    except OSError as error:
        control.send(str(error).encode())
        os._exit(0)
    if first:
        socket.send_fds(control, [STARTED], [os.pidfd_open(first)])
        os._exit(0)
    control.close()
    become_first_process()
    serve(socket.socket(fileno=channel))
    os._exit(0)


def _become_worker(control: socket.socket, channel: int) -> NoReturn:
    give_up_rights()
    control.send(STARTED)
    control.close()
    serve(socket.socket(fileno=channel))
    os._exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
