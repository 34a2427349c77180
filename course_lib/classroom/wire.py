"""Values as bytes, between the checker and the process where a submission runs.

A message is a JSON skeleton, a zero byte, and the bytes of its arrays one after another. Nothing is pickled and
nothing is believed: sizes are checked before memory is asked for, and whatever is malformed is a :class:`WireError`.
A frame is a message behind its length.

JSON alone would lose the type of arrays, tuples and keys; ``np.savez`` can carry a compressed file that unpacks
without bound, and an ``.npy`` header may claim a shape that its file does not have.
"""

import json
import math
import re
import struct
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

__all__ = ["LIMIT", "WireError", "pack", "receive", "send", "unpack"]

LIMIT = 64 * 2**20  # bytes of a message
SKELETON = 2**20  # bytes of what is not an array: as Python's objects it takes fifty times as many
LENGTH = struct.Struct(">Q")
DTYPE = re.compile(r"[<>|](b1|[iu][1248]|f[248]|c8|c16|U\d{1,6})")


class WireError(ValueError):
    """A value that cannot be sent, or bytes that are not a message."""


def pack(value: Any, limit: int = LIMIT) -> bytes:
    """The message that :func:`unpack` gives the value back from.

    Parameters
    ----------
    value
        None, bool, int of 64 bits, float, str, NumPy arrays and scalars of these or of complex numbers, and lists,
        tuples and mappings of them. Whatever else NumPy can read as an array (a tensor, a Keras variable) becomes one.
    limit
        The longest message in bytes.

    Raises
    ------
    WireError
        The value holds something else, or it is too large.

    Examples
    --------
    >>> unpack(pack({"kept": (3, 0.25)}))
    {'kept': (3, 0.25)}
    """
    arrays: list[np.ndarray] = []
    try:
        skeleton = json.dumps(_skeleton(value, arrays, limit), separators=(",", ":")).encode()
        message = b"\0".join([skeleton, b"".join(array.tobytes() for array in arrays)])
    except WireError:
        raise
    except Exception as error:  # an array-like or a mapping of the submission may do anything while it is read
        raise WireError(f"a value of type {type(value).__name__} cannot be sent") from error
    for length, most in ((len(skeleton), SKELETON), (len(message), limit)):
        if length > most:
            raise WireError(f"the value takes {length} bytes, over the limit of {most}")
    return message


def _skeleton(value: Any, arrays: list[np.ndarray], limit: int) -> Any:
    match value:
        case None | bool() | float() | str() if not isinstance(value, np.generic):
            return value
        case int() if -(2**63) <= value < 2**64:
            return value
        case list() | tuple():
            kind = "tuple" if isinstance(value, tuple) else "list"
            return {kind: [_skeleton(item, arrays, limit) for item in value]}
        case Mapping():
            return {"dict": [[_skeleton(part, arrays, limit) for part in item] for item in value.items()]}
    if not hasattr(value, "__array__"):
        raise WireError(f"a value of type {type(value).__name__} cannot be sent")
    array = np.asarray(value)
    if not DTYPE.fullmatch(array.dtype.str):
        raise WireError(f"an array of dtype {array.dtype} cannot be sent")
    if sum(each.nbytes for each in arrays) + array.nbytes > limit:  # a broadcast array is small only until it is copied
        raise WireError(f"the value takes more bytes than the limit of {limit}")
    arrays.append(array)
    kind = "scalar" if isinstance(value, np.generic) else "array"
    return {kind: [array.dtype.str, list(array.shape)]}


def unpack(message: bytes) -> Any:
    """The value of a message. Arrays own their memory and can be written to.

    Raises
    ------
    WireError
        The bytes are not a message that :func:`pack` makes.
    """
    skeleton, _zero, body = bytes(message).partition(b"\0")
    if len(skeleton) > SKELETON:
        raise WireError(f"the message has {len(skeleton)} bytes beside its arrays, over the limit of {SKELETON}")
    try:
        value, end = _value(json.loads(skeleton), body, 0)
    except WireError:
        raise
    except (ValueError, TypeError, RecursionError, OverflowError) as error:
        raise WireError("the bytes are not a message") from error
    if end != len(body):
        raise WireError(f"{len(body) - end} bytes belong to no array")
    return value


def _value(skeleton: Any, body: bytes, offset: int) -> tuple[Any, int]:
    if not isinstance(skeleton, dict):
        if isinstance(skeleton, list):
            raise WireError("a list stands where a value is expected")
        return skeleton, offset
    if len(skeleton) != 1:
        raise WireError("a value has exactly one kind")
    [(kind, content)] = skeleton.items()
    if kind in ("array", "scalar"):
        return _array(kind, content, body, offset)
    items = []
    for item in content:
        parts = item if kind == "dict" else [item]
        values = []
        for part in parts:
            value, offset = _value(part, body, offset)
            values.append(value)
        items.append(values if kind == "dict" else values[0])
    make = {"list": list, "tuple": tuple, "dict": dict}.get(kind)
    if make is None:
        raise WireError(f"a value of kind {kind!r} is unknown")
    return make(items), offset


def _array(kind: str, content: Any, body: bytes, offset: int) -> tuple[Any, int]:
    dtype, shape = content
    if not DTYPE.fullmatch(dtype) or any(type(n) is not int or n < 0 for n in shape):
        raise WireError(f"dtype {dtype!r} or shape {shape!r} cannot be received")
    count = math.prod(shape)
    end = offset + count * np.dtype(dtype).itemsize
    if kind == "scalar" and shape:
        raise WireError(f"a scalar of shape {shape!r} cannot be received")
    array = np.frombuffer(body[offset:end], dtype, count).reshape(shape).copy()  # a ValueError where bytes are missing
    return (array[()] if kind == "scalar" else array), end


def send(write: Callable[[bytes], int], message: bytes) -> None:
    """Write the frame of a message; ``write`` takes bytes and gives the number it took, as ``os.write`` does."""
    rest = memoryview(LENGTH.pack(len(message)) + message)
    while rest:
        rest = rest[write(rest) :]


def receive(read: Callable[[int], bytes], limit: int = LIMIT) -> bytes:
    """The message of the next frame; ``read(n)`` gives up to n bytes and none at the end, as ``os.read`` does.

    Raises
    ------
    EOFError
        The other side has closed the pipe.
    WireError
        The frame says that it is longer than ``limit``.
    """
    (length,) = LENGTH.unpack(_exactly(read, LENGTH.size))
    if length > limit:
        raise WireError(f"a frame of {length} bytes is over the limit of {limit}")
    return _exactly(read, length)


def _exactly(read: Callable[[int], bytes], length: int) -> bytes:
    received = bytearray()
    while len(received) < length:
        chunk = read(min(length - len(received), 2**16))
        if not chunk:
            raise EOFError("the pipe was closed in the middle of a frame")
        received += chunk
    return bytes(received)
