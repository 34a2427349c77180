"""How fast and how large grading is, beside nbgrader; and whether a thousand submissions leave anything behind.

    python benchmarks/grading.py [results.json] [--quick]

Twenty notebooks with three questions, whose answers are right, wrong in several ways, unfinished, and in one notebook
slow, are graded by ``nbgrader autograde`` and by ``course grade``: once with answers in NumPy, once with the same ones
in TensorFlow. The commands take turns, each is timed from its start to its end, and their scores have to agree. They
do not do the same: nbgrader runs one notebook after the other in a kernel without walls, on the few cases of the
learner's own check; ``course grade`` runs in its sandbox, on three times as many hidden cases.

Memory is the proportional set size of the command and of all that it has started (a page that n processes share counts
1/n in each), sampled in runs of their own; only root may be allowed to read it.
"""

import argparse
import csv
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import nbformat
import psutil
from nbgrader.api import Gradebook

from course_lib.report import Table

OURS = Path(__file__).parents[1] / "exercises" / "02_l1_and_l2.ipynb"
COMMANDS = Path(sys.executable).parent
NOTEBOOKS, EVERY = 20, 0.1  # seconds between two samples
LIBRARIES = {"NumPy": "import numpy as xp", "TensorFlow": "import tensorflow as xp"}
ANSWERS = {
    "penalty_gradients": [
        'return {"L1": np.asarray(strength * xp.sign(w)), "L2": np.asarray(2 * strength * xp.abs(w) * xp.sign(w))}',
        'return {"L1": np.asarray(strength * xp.sign(w)), "L2": np.asarray(strength * xp.abs(w) * xp.sign(w))}',
        'return {"L1": np.asarray(xp.sign(w)), "L2": 2 * w}',
    ],
    "soft_threshold": [
        "return np.asarray(xp.sign(w) * xp.maximum(xp.abs(w) - t, 0))",
        "return np.asarray(xp.where(xp.abs(w) <= t, xp.zeros_like(w), w))",
        "return np.asarray(w - xp.sign(w) * xp.minimum(xp.abs(w), t))",
        "return np.asarray(w - t * xp.sign(w))",
    ],
    "elastic_net_step": [
        "return np.asarray(xp.sign(w) * xp.maximum(xp.abs(w) - step * l1, 0) / (1 + 2 * step * l2))",
        "return np.asarray(xp.sign(w) * xp.maximum(xp.abs(w) - step * l1, 0) * (1 - 2 * step * l2))",
        "raise ValueError('unfinished')",
        None,  # as it was handed out
        "return np.asarray(xp.sign(w) * xp.maximum(xp.abs(w) / (1 + 2 * step * l2) - step * l1, 0))",
    ],
}
SLOW = "sum(range(1_000_000))\n    "  # hundredths of a second in every call


def handed_out(library):
    """Chapter 02's exercises up to the third, and the library in their setup cell."""
    notebook = nbformat.read(OURS, as_version=4)
    last = next(i for i, cell in enumerate(notebook.cells) if cell.id == f"02-{[*ANSWERS][-1]}-check")
    notebook.cells = notebook.cells[: last + 1]
    setup = next(cell for cell in notebook.cells if cell.id == "02-setup")
    setup.source += "\n" + LIBRARIES[library]
    return notebook


def submission(library, number):
    """The answers take turns, in cycles of 3, 4 and 5; every twentieth submission has a slow one."""
    notebook = handed_out(library)
    for cell in notebook.cells:
        name = cell.id.removeprefix("02-")
        bodies = ANSWERS.get(name)
        body = bodies and bodies[number % len(bodies)]
        if name == "soft_threshold" and number % NOTEBOOKS == NOTEBOOKS - 1:
            body = SLOW + body
        if body:
            cell.source = re.sub("raise NotImplementedError.*", body, cell.source)
    return notebook


def lay_out(folder, library, count):
    """A course folder with submissions, and one of nbgrader's beside it with the same."""
    theirs = folder / "nbgrader"
    places = {folder / "exercises": None, theirs / "source" / "pruning": None}
    for number in range(count):
        places |= {folder / "submissions" / f"{number:04}": number}
        places |= {theirs / "submitted" / f"{number:04}" / "pruning": number}
    for place, number in places.items():
        place.mkdir(parents=True)
        notebook = handed_out(library) if number is None else submission(library, number)
        nbformat.write(notebook, place / OURS.name)
    for name in ("notebooks", "temporary"):
        (folder / name).mkdir()
    finish(nbgrader(folder, "generate_assignment", "pruning", "--ClearSolutions.enabled=False"))
    return folder


def start(folder, *command, **environment):
    return subprocess.Popen(
        [COMMANDS / command[0], *command[1:]],
        cwd=folder,
        env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"} | environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def nbgrader(folder, *arguments):
    path = os.pathsep.join([str(COMMANDS), os.environ["PATH"]])  # it calls alembic
    return start(folder / "nbgrader", "nbgrader", *arguments, "--log-level=ERROR", PATH=path)


def autograde(folder):
    return nbgrader(folder, "autograde", "pruning", "--force", "--Execute.timeout=600")


def grade(folder, workers=2):
    shutil.rmtree(folder / "grades", ignore_errors=True)  # or it would know them all
    options = ["--out", "grades", "--workers", str(workers)]
    return start(folder, "course", "grade", "submissions", *options, TMPDIR=str(folder / "temporary"))


def finish(process):
    said = process.communicate()[1]
    if process.returncode:
        raise SystemExit(f"{process.args} ended with {process.returncode}:\n{said}")


def scores(folder):
    """Of nbgrader and of ours, by submission."""
    with Gradebook(f"sqlite:///{folder}/nbgrader/gradebook.db") as gradebook:
        theirs = {found.student.id: found.score for found in gradebook.assignment_submissions("pruning")}
    with open(folder / "grades" / "grades.csv") as file:
        rows = [*csv.DictReader(file)]
    if ungraded := [row for row in rows if not row["score"]]:
        raise SystemExit(f"Not graded: {ungraded}")
    return theirs, {row["submission"].partition("/")[0]: float(row["score"]) for row in rows}


GRADERS = {
    "nbgrader autograde": autograde,
    "course grade --workers 1": lambda folder: grade(folder, 1),
    "course grade --workers 2": grade,
}


def speed(folder, rounds):
    """Submissions a minute of each, taking turns."""
    rates = {name: [] for name in GRADERS}
    for _ in range(rounds):
        for name, grader in GRADERS.items():
            began = time.perf_counter()
            finish(grader(folder))
            rates[name].append(60 * NOTEBOOKS / (time.perf_counter() - began))
    theirs, ours = scores(folder)
    if theirs != ours:
        raise SystemExit(f"The scores do not agree: {theirs} {ours}")
    return rates


class Sample(NamedTuple):
    """A moment of a grader's run."""

    seconds: float
    done: int  # submissions graded so far
    alone: int  # bytes of the command itself
    family: int  # bytes of all its processes
    processes: int


def watched(folder, process, seen):
    """Samples from the start to the end; ``seen`` gathers the processes."""
    samples, began = [], time.perf_counter()
    while process.poll() is None:
        with suppress(psutil.NoSuchProcess):
            family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
            seen.update(family)
            held = []
            for each in family:
                with suppress(psutil.NoSuchProcess):
                    held.append(each.memory_full_info().pss)
            journal = folder / "grades" / "graded.jsonl"
            done = journal.read_bytes().count(b"\n") if journal.exists() else 0
            samples.append(Sample(time.perf_counter() - began, done, held[0], sum(held), len(held)))
        time.sleep(EVERY)
    finish(process)
    return samples


def growth(folder, count):
    """Seconds a submission, memory and processes in the first and the last tenth; and what is left at the end."""
    seen, shared = set(), set(os.listdir("/dev/shm"))
    samples = watched(folder, grade(folder), seen)
    found = {}
    for name, first in {"first": 0, "last": count - count // 10}.items():
        tenth = [sample for sample in samples if first < sample.done < first + count // 10]
        seconds = (tenth[-1].seconds - tenth[0].seconds) / (tenth[-1].done - tenth[0].done)
        most = {field: max(getattr(sample, field) for sample in tenth) for field in ("alone", "family", "processes")}
        found[name] = {"seconds": seconds} | most
    files = [*os.listdir(folder / "temporary"), *set(os.listdir("/dev/shm")) - shared]
    return found | {"processes_left": sum(each.is_running() for each in seen), "files_left": files}


def beside_nbgrader(library, rates, peaks):
    """The rows of the table."""
    for name, each in rates.items():
        ratio = statistics.median(a / b for a, b in zip(each, rates["nbgrader autograde"], strict=True))
        row = [f"{library}: {name}", f"{statistics.median(each):.1f}", f"{min(each):.1f}–{max(each):.1f}"]
        yield [*row, f"{ratio:.1f}", f"{peaks[name] / 2**20:.0f}"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("results", nargs="?", type=Path, help="a JSON file for the figures")
    parser.add_argument("--quick", action="store_true", help="one round, and 200 submissions instead of 1,000")
    options = parser.parse_args()
    rounds, many = (1, 200) if options.quick else (3, 1000)
    results, rows = {}, []
    with tempfile.TemporaryDirectory() as root:
        Path(root).chmod(0o755)  # where root grades, it is somebody without rights who looks into it
        for library in LIBRARIES:
            folder = lay_out(Path(root, library), library, NOTEBOOKS)
            rates = speed(folder, rounds)
            peaks = {n: max(s.family for s in watched(folder, grader(folder), set())) for n, grader in GRADERS.items()}
            results[library] = {"a_minute": rates, "peak_bytes": peaks}
            rows += beside_nbgrader(library, rates, peaks)
        results["growth"] = grown = growth(lay_out(Path(root, "many"), "NumPy", many), many)
    print(Table(["", "median a minute", "spread", "÷ nbgrader", "peak memory, MiB"], rows))
    rows = []
    for name in ("first", "last"):
        part = grown[name]
        mib = [f"{part[field] / 2**20:.0f}" for field in ("alone", "family")]
        rows.append([f"the {name} {many // 10}", f"{part['seconds']:.3f}", *mib, str(part["processes"])])
    heading = [f"of {many} submissions", "s each", "MiB alone", "MiB with workers", "processes"]
    print(f"\n{Table(heading, rows)}")
    print(f"left behind: {grown['processes_left']} processes, {len(grown['files_left'])} temporary files")
    if options.results:
        options.results.write_text(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
