"""The IDX format of the MNIST family: a magic number, the shape as big-endian integers, then the bytes.

Source: LeCun, Cortes, Burges, "The MNIST database of handwritten digits", section FILE FORMATS.
"""

import gzip
import hashlib
import struct
import zlib
from pathlib import Path

import numpy as np

__all__ = ["read_idx"]

UNSIGNED_BYTE = 0x08
REMEDY = "Restore the folder course_lib/data/fashion_mnist with 'git checkout' or install the package again."


def read_idx(path: Path, checksums: Path | None = None) -> np.ndarray:
    """The uint8 array in a gzipped IDX file, after its SHA-256 has been found in ``SHA256SUMS`` beside it.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    ValueError
        Its SHA-256 is not the listed one, or it is not an IDX file of unsigned bytes.

    Examples
    --------
    >>> from course_lib.data import FOLDER
    >>> read_idx(FOLDER / "t10k-labels-idx1-ubyte.gz")[:5]
    array([9, 2, 1, 1, 6], dtype=uint8)
    """
    path = Path(path)
    checksums = checksums or path.parent / "SHA256SUMS"
    for needed in (path, checksums):
        if not needed.is_file():
            raise FileNotFoundError(f"{needed.name} is missing from {needed.parent}. {REMEDY}")
    expected = dict(reversed(line.split()) for line in checksums.read_text().splitlines())
    packed = path.read_bytes()
    if hashlib.sha256(packed).hexdigest() != expected.get(path.name):
        raise ValueError(f"{path} is damaged: its SHA-256 is not the one in {checksums.name}. {REMEDY}")
    try:
        content = gzip.decompress(packed)
        zeros, kind, rank = struct.unpack_from(">HBB", content)
        shape = struct.unpack_from(f">{rank}I", content, 4)
        array = np.frombuffer(content, np.uint8, offset=4 + 4 * rank).reshape(shape)
    except (OSError, EOFError, zlib.error, struct.error, ValueError) as error:
        raise ValueError(f"{path} is not a gzipped IDX file ({error}). {REMEDY}") from error
    if (zeros, kind) != (0, UNSIGNED_BYTE):
        raise ValueError(f"{path} holds IDX type {kind:#04x}; only unsigned bytes ({UNSIGNED_BYTE:#04x}) are read.")
    return array
