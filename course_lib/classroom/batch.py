"""Grading a folder: whatever lies in it becomes a row, and nothing in it stops the others."""

import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from course_lib.classroom.grade import OUR_NOTEBOOKS, Record, setup_of
from course_lib.classroom.journal import Journal, fingerprint, from_json
from course_lib.classroom.results import write_results
from course_lib.classroom.submission import Rejected, find_submissions, read_submission
from course_lib.classroom.work import as_task, here, library
from course_lib.files import whole_file

__all__ = ["grade_folder"]


def grade_folder(
    folder: str | Path,
    out: str | Path,
    *,
    exercises: str | Path = OUR_NOTEBOOKS,
    secret: bytes | None = None,
    unsafe: bool = False,
    workers: int | None = None,
    dask: str | None = None,
    on_progress: Callable[[int, int, Record], None] = lambda done, total, record: None,
    **options,
) -> list[Record]:
    """Grade everything in a folder and write its results: a row and a page each, whatever it is.

    What is finished is written to ``graded.jsonl`` at once. Called again with the same arguments it goes on after an
    interruption, and grades nothing twice but what has changed since: a submission, the secret, or the library.

    Parameters
    ----------
    folder
        Notebooks, or one folder of notebooks per student.
    out
        The folder to write into; it is made if need be.
    exercises
        The folder of the course's own exercise notebooks.
    secret
        As for :func:`~course_lib.classroom.grade.grade_submission`. By default that in ``out/secret.hex``, which is
        made at the first run, so that grading again draws the same cases.
    unsafe
        Whether student code runs without a sandbox, with the rights of whoever calls this.
    workers
        How many submissions are graded at once: by default 2 here, and on a cluster two for each of its threads.
    dask
        The address of a Dask scheduler, ``tcp://…`` or ``tls://…``: grading then runs on its workers, which need this
        version of the library and bubblewrap.
    on_progress
        Called after each submission with the number done, the number there are, and the record.
    options
        Time limits, for :func:`~course_lib.classroom.grade.grade_submission`.

    Raises
    ------
    NotADirectoryError
        ``folder`` or ``exercises`` is not there.
    ValueError
        ``out`` is ``folder``, or another process is grading into it; the cluster cannot grade.
    OSError
        No scheduler answers at ``dask``.
    NoSandbox
        No sandbox works on this machine, and ``unsafe`` is not set. Nothing was run.
    """
    folder, out = Path(folder), Path(out)
    for name, needed in (("folder", folder), ("exercises", Path(exercises))):
        if not needed.is_dir():
            raise NotADirectoryError(f"{name} is {str(needed)!r}, which is not a folder; give one that exists.")
    if folder.resolve() == out.resolve():
        raise ValueError(f"out is {str(out)!r}, the folder of the submissions; give another for the results.")
    submissions = find_submissions(folder, out)
    with here(unsafe, workers) if dask is None else _cluster(dask, unsafe, workers) as (work, at_once):
        out.mkdir(parents=True, exist_ok=True)
        secret = _secret(out / "secret.hex") if secret is None else secret
        grader = fingerprint(library(), secret.hex(), unsafe, sorted(options.items()))
        with Journal(out / "graded.jsonl") as journal:

            def graded(name: str, path: Path) -> Record:
                try:
                    submission = read_submission(path, at_the_top=path.parent == folder)
                    setup = setup_of(exercises, submission.chapter)
                    key = fingerprint(grader, name, setup, submission.answers, submission.files)
                    written = journal.get(key) or journal.add(
                        key, work(as_task(submission, name, setup, secret, options))
                    )
                    return from_json(written, submission.exercises)
                except Rejected as rejected:
                    return Record(name, "rejected", str(rejected))
                except Exception as error:  # one submission must not stop the batch
                    return Record(name, "error", f"{type(error).__name__}: {error}")

            records = {}
            pool = ThreadPoolExecutor(at_once)
            futures = [pool.submit(graded, name, path) for name, path in submissions.items()]
            try:
                for future in as_completed(futures):
                    record = future.result()
                    records[record.submission] = record
                    on_progress(len(records), len(futures), record)
            finally:
                pool.shutdown(wait=False, cancel_futures=True)
    ordered = [records[name] for name in submissions]
    write_results(ordered, out)
    return ordered


def _cluster(address: str, unsafe: bool, workers: int | None):
    try:
        from course_lib.classroom.cluster import cluster
    except ModuleNotFoundError as error:
        raise ValueError(
            f"dask is {address!r}, but {error.name} is not installed here; pip install 'course-lib[cluster]'."
        ) from error
    return cluster(address, unsafe, workers)


def _secret(path: Path) -> bytes:
    if not path.exists():
        with whole_file(path, "w", private=True) as file:
            file.write(secrets.token_hex(32))
    return bytes.fromhex(path.read_text())
