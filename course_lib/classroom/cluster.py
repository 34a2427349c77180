"""Grading on the machines of a Dask cluster.

Each worker process of the cluster gets a sandbox of its own for the time of the batch, and is sent bytes: submissions,
the setup cell and the secret. What comes back is a record. When a worker process dies its tasks go to the others; only
here is written down what is finished, so every submission has one record however often it was begun.

The secret and the submissions cross the network: where others listen, give a ``tls://`` address. A worker that
joins later gets its sandbox as well. Source: https://distributed.dask.org.
"""

import secrets
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from distributed import Client, WorkerPlugin, get_worker
from distributed.comm import parse_address, parse_host_port

from course_lib.classroom.language import _
from course_lib.classroom.sandbox import Sandbox, Unconfined
from course_lib.classroom.work import Work, library, work

__all__ = ["cluster"]

CONNECT_SECONDS = 10


class Place(WorkerPlugin):
    """A sandbox in every worker process, for a batch."""

    def __init__(self, library: str, unsafe: bool):
        self.library, self.unsafe = library, unsafe

    def setup(self, worker) -> None:
        if library() != self.library:
            raise ValueError(
                _("The worker {address} has another version of course_lib; install the same everywhere.").format(
                    address=worker.address
                )
            )
        self.place = (Unconfined() if self.unsafe else Sandbox()).__enter__()

    def teardown(self, worker) -> None:
        self.place.close()


def _there(task: bytes, batch: str) -> dict:
    return work(task, get_worker().plugins[batch].place)


@contextmanager
def cluster(address: str, unsafe: bool, workers: int | None) -> Iterator[tuple[Work, int]]:
    """Grading on a cluster, and how many submissions at once: by default two for each thread, one of which waits.

    Raises
    ------
    OSError
        No scheduler answers at the address.
    ValueError
        The address cannot be read, the cluster has no workers, or one of them has another version of the library.
    NoSandbox
        No sandbox works on a worker's machine, and ``unsafe`` is not set.
    """
    _answers(address)
    batch = f"course-{secrets.token_hex(8)}"
    with Client(address, timeout=CONNECT_SECONDS, set_as_default=False) as client:
        if not (threads := sum(client.nthreads().values())):
            raise ValueError(
                _("The cluster at {address} has no workers; start some: dask worker {address}").format(address=address)
            )
        client.register_plugin(Place(library(), unsafe), name=batch)
        submit = partial(client.submit, _there, batch=batch, pure=False)
        try:
            yield lambda task: submit(task).result(), workers or 2 * threads
        finally:
            client.unregister_worker_plugin(batch)


def _answers(address: str) -> None:
    """Whether somebody listens: a client that finds nobody would keep the program from ending."""
    try:
        _protocol, place = parse_address(address)
        socket.create_connection(parse_host_port(place), CONNECT_SECONDS).close()
    except ValueError as error:
        raise ValueError(
            _("dask is {address!r}, which is no address; give one such as tcp://10.0.0.1:8786.").format(address=address)
        ) from error
    except OSError as error:
        raise OSError(
            _("No Dask scheduler answers at {address} ({error}); start one: dask scheduler").format(
                address=address, error=error.strerror or error
            )
        ) from error
