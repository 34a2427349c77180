"""What is packed comes back, and nothing that is malformed gets through."""

import json
import math

import hypothesis.extra.numpy as arrays
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_lib.classroom.wire import LENGTH, SKELETON, WireError, pack, receive, send, unpack

numbers = st.integers(-(2**63), 2**64 - 1) | st.floats() | st.booleans() | st.none() | st.text()
dtypes = arrays.scalar_dtypes().filter(lambda dtype: dtype.kind in "biufc" and dtype.itemsize <= 16)
plain_arrays = arrays.arrays(dtypes, arrays.array_shapes(min_dims=0, min_side=0, max_side=3))
values = st.recursive(
    numbers | plain_arrays,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.text() | st.integers(0, 9), inner, max_size=3)
    ),
    max_leaves=8,
)


def same(a, b):
    if isinstance(a, np.ndarray | np.generic):
        native = a.dtype.newbyteorder("<")
        return type(a) is type(b) and a.shape == b.shape and a.astype(native).tobytes() == b.astype(native).tobytes()
    if isinstance(a, list | tuple):
        return type(a) is type(b) and len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return type(b) is dict and list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    if isinstance(a, float) and math.isnan(a):
        return isinstance(b, float) and math.isnan(b)
    return type(a) is type(b) and a == b


@given(values)
def test_what_is_packed_comes_back(value):
    assert same(value, unpack(pack(value)))


def test_scalars_subclasses_and_views():
    assert type(unpack(pack(np.float32(0.1)))) is np.float32
    assert type(unpack(pack(np.float64(0.1)))) is np.float64
    assert type(unpack(pack(np.True_))) is np.bool_
    assert type(unpack(pack(np.ma.array([1.0])))) is np.ndarray
    assert unpack(pack(np.array(["a", "bc"]))).tolist() == ["a", "bc"]
    column = np.arange(12).reshape(3, 4)[:, ::2]
    back = unpack(pack(column))
    np.testing.assert_array_equal(back, column)
    back[0, 0] = 7  # its own memory


@pytest.mark.parametrize(
    "value",
    [{1, 2}, object(), b"bytes", 10**30, np.array([object()]), np.array([(1, 2.0)], "i4,f8"), 1j, lambda: 0, [..., 1]],
    ids=str,
)
def test_what_cannot_be_sent_is_refused(value):
    with pytest.raises(WireError):
        pack([value])


def test_what_is_too_large_is_refused_before_it_is_copied():
    with pytest.raises(WireError, match="limit"):
        pack(np.broadcast_to(0.0, (10**6, 10**6)))
    with pytest.raises(WireError, match="limit"):
        pack(["x" * 600, "x" * 600], limit=1000)
    nested = []
    nested.append(nested)
    with pytest.raises(WireError):
        pack(nested)


def is_refused_or_a_value(message):
    """Nothing else may come of a message, whoever wrote it: what is read is of the kinds that can be written."""
    try:
        value = unpack(message)
    except WireError:
        return True
    return isinstance(pack(value), bytes)


@given(values, st.data())
def test_a_damaged_message_is_a_wire_error_or_another_value(value, data):
    message = bytearray(pack(value))
    message[data.draw(st.integers(0, len(message) - 1))] = data.draw(st.integers(0, 255))
    assert is_refused_or_a_value(bytes(message))


@given(st.binary())
def test_random_bytes_are_a_wire_error_or_a_value(message):
    assert is_refused_or_a_value(message)


@pytest.mark.parametrize(
    "skeleton",
    [
        "",
        "{}",
        "[1]",
        '{"set": [1]}',
        '{"list": 3}',
        '{"list": [1], "tuple": [2]}',
        '{"dict": [[1]]}',
        '{"dict": [[1, 2, 3]]}',
        '{"dict": [[{"list": []}, 2]]}',
        '{"array": []}',
        '{"array": ["<f8", [1]]}',
        '{"array": ["<f8", [-1]]}',
        '{"array": ["<f8", [1000000000000000000000]]}',
        '{"array": ["<f8", [true]]}',
        '{"array": ["<f8", 3]}',
        '{"array": ["|O", [0]]}',
        '{"array": ["O", []]}',
        '{"array": [["<f8"], [0]]}',
        '{"scalar": ["<f8", [0]]}',
        '{"array": ["<U999999", [0, 99999999999999999999]]}',
        "[" * 100_000,
        '{"list": [' * 20_000 + "]}" * 20_000,
        "9" * 10_000,
    ],
    ids=lambda text: text[:30],
)
def test_a_malformed_message_is_a_wire_error(skeleton):
    with pytest.raises(WireError):
        unpack(skeleton.encode() + b"\0")


def test_what_is_not_an_array_has_a_limit_of_its_own():
    with pytest.raises(WireError, match="limit"):
        pack([0] * SKELETON)
    with pytest.raises(WireError, match="limit"):
        unpack(b" " * SKELETON + b"1\0")
    assert len(unpack(pack(np.zeros(SKELETON)))) == SKELETON


def test_bytes_that_belong_to_no_array_are_a_wire_error():
    with pytest.raises(WireError, match="3 bytes"):
        unpack(pack(np.zeros(2)) + b"abc")
    with pytest.raises(WireError):
        unpack(json.dumps("text").encode()[:-1])


class Pipe:
    """Bytes that come and go one, two or three at a time, as they may in a pipe."""

    def __init__(self, content=b""):
        self.content, self.turn = bytearray(content), 0

    def write(self, rest):
        self.turn += 1
        part = bytes(rest[: 1 + self.turn % 3])
        self.content += part
        return len(part)

    def read(self, size):
        part = bytes(self.content[: min(size, 2)])
        del self.content[: len(part)]
        return part


def test_frames_arrive_whole_and_in_order():
    pipe = Pipe()
    for message in (b"first", b"", b"third" * 100):
        send(pipe.write, message)
    assert [receive(pipe.read) for _ in range(3)] == [b"first", b"", b"third" * 100]
    with pytest.raises(EOFError):
        receive(pipe.read)


def test_a_frame_that_is_too_long_or_cut_short_is_refused():
    with pytest.raises(WireError, match="limit"):
        receive(Pipe(LENGTH.pack(2**63)).read)
    with pytest.raises(WireError, match="11 bytes"):
        receive(Pipe(LENGTH.pack(11) + b"x" * 11).read, limit=10)
    with pytest.raises(EOFError):
        receive(Pipe(LENGTH.pack(5) + b"four").read)
