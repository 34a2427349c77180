"""Memory, cores and disk."""

import os
import shutil
import tempfile
from pathlib import Path

import psutil

from course_lib.classroom.language import _

__all__ = ["cores", "disk", "memory"]

MEMORY = 2e9  # bytes; measured: the kernels of the lessons take up to 1.8 GB, JupyterLab 0.2 GB
DISK = 0.5e9  # bytes; for executed notebooks and the models of the exercises
CONTROL_GROUP = Path("/sys/fs/cgroup")  # inside a container its own, with its limit


def memory() -> str:
    free = psutil.virtual_memory().available
    limit = CONTROL_GROUP / "memory.max"
    if limit.is_file() and (most := limit.read_text().strip()) != "max":
        held = dict(line.split() for line in (CONTROL_GROUP / "memory.stat").read_text().splitlines())
        free = min(free, int(most) - int(held["anon"]))  # the files that it also counts are given up when needed
    says = _("{free:.1f} GB free").format(free=free / 1e9)
    if free < MEMORY:
        raise RuntimeError(
            _(
                "{says}, and the lessons need {need:.0f} GB. Close other programs and notebooks (in JupyterLab: "
                "Kernel → Shut Down All Kernels), or give the container more"
            ).format(says=says, need=MEMORY / 1e9)
        )
    return says


def cores() -> str:
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return _("{count}; the times that the lessons give were measured on 2").format(count=count)


def disk(folder: Path) -> str:
    try:
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise RuntimeError(
            _("nothing can be written in {folder} ({reason}). Copy the course to a folder of yours").format(
                folder=folder, reason=error.strerror
            )
        ) from error
    free = shutil.disk_usage(folder).free
    says = _("{free:.1f} GB free in {folder}").format(free=free / 1e9, folder=folder)
    if free < DISK:
        raise RuntimeError(
            _("{says}, and the lessons write up to {need:.1f} GB. Remove something").format(says=says, need=DISK / 1e9)
        )
    return says
