"""The last step of Deep Compression: pruned and clustered weights in a file near their entropy.

    bits ≥ N · H(s) + (1 − s) N · H(values),     H(p) = −Σ p log₂ p

Of N weights with sparsity s it is first coded which are zero, then the values of the others, each as its number in a
codebook; both by a range coder, which comes within a fraction of a percent of the bound. Values of which nearly each is
different have no codebook: they are coded byte by byte, the first bytes with the first. All of it is exact.

Source: Han, Mao, Dally, "Deep Compression", ICLR (2016), who use Huffman codes. The range coder is that of the library
``constriction``: Bamler, "Understanding Entropy Coding With Asymmetric Numeral Systems", arXiv:2201.01741 (2022).
"""

import hashlib
import json
import zlib
from itertools import zip_longest
from pathlib import Path

import constriction
import numpy as np

from course_lib.files import whole_file

__all__ = ["arrays", "decode", "encode", "is_encoded", "sections"]

MAGIC = b"pruned\x00\x01"
DIGEST = hashlib.sha256().digest_size


def encode(model, file) -> Path:
    """Write all weights of a model to a file, exactly and as small as their zeros and repetitions allow.

    ``deploy.size(file)`` says where its bytes go. Prune to make zeros, ``deploy.cluster`` to make repetitions.

    Parameters
    ----------
    model
        A built Keras model.
    file
        The file to write; it is written whole or not at all.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    TypeError, ValueError
        Not a Keras 3 model; not built.

    Examples
    --------
    >>> import tempfile
    >>> from course_lib import models
    >>> model, other = models.lenet_300_100(), models.lenet_300_100()
    >>> file = encode(model, Path(tempfile.mkdtemp()) / "lenet.bin")
    >>> decode(file, other)
    >>> all(np.array_equal(a, b) for a, b in zip(model.get_weights(), other.get_weights()))
    True
    """
    variables = _variables(model)
    header, parts = [], []
    for variable in variables:
        array = variable.numpy()
        coded = _coded(array.reshape(-1))
        header.append([variable.path, list(array.shape), array.dtype.name, *(len(part) for part in coded)])
        parts += coded
    names = zlib.compress(json.dumps(header).encode(), 9)
    body = b"".join([MAGIC, len(names).to_bytes(4, "little"), names, *parts])
    with whole_file(file) as opened:
        opened.write(body + hashlib.sha256(body).digest())
    return Path(file)


def decode(file, model) -> None:
    """Put the weights of a file that :func:`encode` wrote into a model of the same shapes, bit for bit.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    ValueError
        The file is damaged or not of this kind, or its weights have other shapes than the model's. Nothing is changed.
    """
    header, _ = _read(file)
    variables = _variables(model)
    here = [(list(v.shape), np.dtype(v.numpy().dtype).name) for v in variables]
    there = [(shape, dtype) for _, shape, dtype, *_ in header]
    if here != there:
        pairs = zip_longest(there, here)
        i, (in_file, in_model) = next((i, pair) for i, pair in enumerate(pairs) if pair[0] != pair[1])
        raise ValueError(
            f"{file} does not fit model {model.name!r}: of weight {i} it has {in_file}, the model {in_model}; "
            f"decode into a model of the same layers."
        )
    for variable, array in zip(variables, arrays(file), strict=True):
        variable.assign(array)


def arrays(file) -> list:
    """The weights in a file that :func:`encode` wrote."""
    header, parts = _read(file)
    return [_decoded(part, shape, dtype) for (_, shape, dtype, *_), part in zip(header, parts, strict=True)]


def is_encoded(file) -> bool:
    """Whether a file begins as those of :func:`encode` do."""
    path = Path(file)
    if not path.is_file():
        return False
    with path.open("rb") as opened:
        return opened.read(len(MAGIC)) == MAGIC


def sections(file) -> dict:
    """Bytes of a file that :func:`encode` wrote, by cause; they add up to its length."""
    _, parts = _read(file)
    masks = sum(len(part[0]) for part in parts)
    books = sum(len(part[1]) for part in parts)
    values = sum(len(part[2]) for part in parts)
    rest = Path(file).stat().st_size - masks - books - values
    return {"zeros": masks, "codebooks": books, "values": values, "names, shapes and checksum": rest}


def _variables(model):
    from course_lib.variables import prunable

    prunable(model)
    return model.weights


def _read(file):
    """The header, and for each weight its three parts: mask, codebooks, values."""
    content = Path(file).read_bytes()
    if not content.startswith(MAGIC):
        raise ValueError(f"{file} is not a file of encoded weights; give one that deploy.encode wrote.")
    body, digest = content[:-DIGEST], content[-DIGEST:]
    if hashlib.sha256(body).digest() != digest:
        raise ValueError(f"{file} is damaged: its checksum is wrong; write it again with deploy.encode.")
    start = len(MAGIC) + 4
    end = start + int.from_bytes(body[len(MAGIC) : start], "little")
    header = json.loads(zlib.decompress(body[start:end]))
    parts = []
    for _, _, _, *lengths in header:
        parts.append([])
        for length in lengths:
            parts[-1].append(body[end : end + length])
            end += length
    return header, parts


def _coded(flat) -> list:
    """Mask, codebooks and values of one weight, each as bytes."""
    bits = flat.view(f"u{flat.dtype.itemsize}").astype("u8")
    nonzero = bits != 0  # −0.0 is a value
    symbols = bits[nonzero]
    planes = [symbols]
    if len(np.unique(symbols)) * 8 > len(symbols) * flat.dtype.itemsize / 2:  # a codebook would not pay
        planes = [symbols >> np.uint64(8 * i) & np.uint64(255) for i in range(flat.dtype.itemsize)]
    books, words = [len(planes).to_bytes(4, "little")], []
    for plane in planes:
        book, index, counts = np.unique(plane, return_inverse=True, return_counts=True)
        coded = _entropy_coded(index, counts)
        width = 1 if len(planes) > 1 else flat.dtype.itemsize
        books.append(np.array([len(book), len(coded)], "<u4").tobytes() + book.astype(f"<u{width}").tobytes())
        books.append(counts.astype("<u4").tobytes())
        words.append(coded)
    kept = np.array([len(symbols)], "<u4").tobytes()
    return [kept + _entropy_coded(nonzero, _counts(nonzero)), zlib.compress(b"".join(books), 9), b"".join(words)]


def _decoded(part, shape, dtype):
    mask, books, words = part[0], zlib.decompress(part[1]), part[2]
    n, itemsize = int(np.prod(shape)), np.dtype(dtype).itemsize
    kept = int(np.frombuffer(mask[:4], "<u4")[0])
    nonzero = _entropy_decoded(mask[4:], np.array([n - kept, kept]), n).astype(bool)
    symbols = np.zeros(kept, "u8")
    planes, at, word = int.from_bytes(books[:4], "little"), 4, 0
    width = 1 if planes > 1 else itemsize
    for i in range(planes):
        size, length = (int(v) for v in np.frombuffer(books[at : at + 8], "<u4"))
        middle, end = at + 8 + width * size, at + 8 + (width + 4) * size
        book, counts = np.frombuffer(books[at + 8 : middle], f"<u{width}"), np.frombuffer(books[middle:end], "<u4")
        at = end
        index = _entropy_decoded(words[word : word + length], counts, kept)
        word += length
        symbols |= (book[index].astype("u8") if size else symbols) << np.uint64(8 * i)
    bits = np.zeros(n, "u8")
    bits[nonzero] = symbols
    return bits.astype(f"u{itemsize}").view(np.dtype(dtype)).reshape(shape)


def _counts(nonzero):
    return np.array([np.count_nonzero(~nonzero), np.count_nonzero(nonzero)])


def _entropy_coded(index, counts) -> bytes:
    """Numbers from 0 in as many bits as their frequencies ask for; none if there is only one."""
    if np.count_nonzero(counts) < 2:
        return b""
    encoder = constriction.stream.queue.RangeEncoder()
    encoder.encode(np.asarray(index, np.int32), _frequencies(counts))
    return encoder.get_compressed().astype("<u4").tobytes()


def _entropy_decoded(words, counts, n):
    if np.count_nonzero(counts) < 2:
        return np.full(n, np.flatnonzero(counts)[0] if n else 0, np.int32)
    decoder = constriction.stream.queue.RangeDecoder(np.frombuffer(words, "<u4").astype(np.uint32))
    return decoder.decode(_frequencies(counts), n)


def _frequencies(counts):
    return constriction.stream.model.Categorical(counts / counts.sum(), perfect=False)
