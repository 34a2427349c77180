"""Functions of the C library that Python does not have."""

import ctypes
import os
from functools import cache

__all__ = ["libc"]


def libc(name: str, *arguments: int | bytes | None) -> int:
    """Call a function that gives -1 where it fails; that is an OSError here.

    Examples
    --------
    >>> libc("abs", -3)
    3
    """
    result = getattr(_library(), name)(*arguments)
    if result == -1:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")
    return result


@cache
def _library() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)
