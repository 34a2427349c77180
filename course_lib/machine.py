"""The machine that something was measured on."""

import platform
from pathlib import Path

__all__ = ["processor"]


def processor():
    """Name of the processor, as its maker calls it.

    Linux keeps the name in a file; elsewhere Python's own answer is the best there is.

    Examples
    --------
    >>> isinstance(processor(), str)
    True
    """
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
