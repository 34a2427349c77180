"""What this process has started."""

import os
from contextlib import suppress
from pathlib import Path


def descendants() -> set:
    """Numbers of the processes that this one has started, or that those have."""
    parents = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])

    def is_ours(number):
        while number > 1 and number != os.getpid():
            number = parents.get(number, 0)
        return number == os.getpid()

    return {number for number in parents if is_ours(number) and number != os.getpid()}
