"""What the receive side makes of the server's input: S3 errors, and nothing past the end."""

from __future__ import annotations

import io

import pytest

from uploads.s3.errors import IncompleteBody, RequestTimeout
from uploads.wire_source import BinaryInput, WireSource


class BrokenInput:
    """Gives ``data`` and then fails."""

    def __init__(self, data: bytes, error: OSError) -> None:
        self._data = data
        self._error = error

    def read1(self, size: int) -> bytes:
        if not self._data:
            raise self._error
        block, self._data = self._data[:size], self._data[size:]
        return block

    read = read1


class WholeReads:
    """A server's input without ``read1``; it blocks when read past the end, here it fails the test."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def read(self, size: int) -> bytes:
        assert self._data, "read past the end of the body"
        block, self._data = self._data[:size], self._data[size:]
        return block


def test_reads_stop_at_the_expected_length() -> None:
    source = WireSource(WholeReads(b"hello" + b"next request"), expected_bytes=5)
    assert [source.read(3), source.read(3), source.read(3)] == [b"hel", b"lo", b""]
    assert source.received_bytes == 5


def test_an_empty_body_is_not_read_at_all() -> None:
    assert WireSource(WholeReads(b""), expected_bytes=0).read(10) == b""


def test_a_chunked_body_ends_where_the_server_says() -> None:
    source = WireSource(io.BytesIO(b"hello"), expected_bytes=None)
    assert [source.read(10), source.read(10)] == [b"hello", b""]


def test_a_read_returns_what_came() -> None:
    """``read`` of a buffered input would wait for all of it."""
    with io.BufferedReader(Trickle()) as stream:
        assert WireSource(stream, expected_bytes=10).read(10) == b"x"


class Trickle(io.RawIOBase):
    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        buffer[:1] = b"x"
        return 1


class Straight(io.BufferedIOBase):
    """A server's input that receives into what it is given."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def readinto1(self, buffer: bytearray) -> int:  # type: ignore[override]
        count = min(len(buffer), len(self._data))
        buffer[:count], self._data = self._data[:count], self._data[count:]
        return count


@pytest.mark.parametrize(
    ("stream", "copied_by"),
    [
        pytest.param(Straight(b"hello" + b"next request"), "", id="straight"),
        pytest.param(io.BytesIO(b"hello" + b"next request"), "server", id="bytes behind readinto1"),
        pytest.param(WholeReads(b"hello" + b"next request"), "server", id="bytes"),
    ],
)
def test_receiving_into_a_buffer(stream: BinaryInput, copied_by: str) -> None:
    source = WireSource(stream, expected_bytes=5)
    buffer = bytearray(4)
    assert [source.read_into(memoryview(buffer)), bytes(buffer)] == [4, b"hell"]
    assert [source.read_into(memoryview(buffer)), bytes(buffer)] == [1, b"oell"]
    assert source.read_into(memoryview(buffer)) == 0
    assert source.received_bytes == 5
    assert source.copied_by == copied_by


def test_a_short_body_in_a_buffer_is_incomplete() -> None:
    source = WireSource(Straight(b"hello"), expected_bytes=6)
    buffer = memoryview(bytearray(10))
    assert source.read_into(buffer) == 5
    with pytest.raises(IncompleteBody):
        source.read_into(buffer)


def test_a_short_body_is_incomplete() -> None:
    source = WireSource(io.BytesIO(b"hello"), expected_bytes=6)
    assert source.read(10) == b"hello"
    with pytest.raises(IncompleteBody):
        source.read(10)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        pytest.param(TimeoutError("stalled"), RequestTimeout, id="stalled"),
        pytest.param(ConnectionResetError("reset"), IncompleteBody, id="reset"),
        pytest.param(ConnectionAbortedError("stopping"), IncompleteBody, id="server stops"),
        pytest.param(OSError("request data read error"), IncompleteBody, id="other servers"),
    ],
)
@pytest.mark.parametrize("expected_bytes", [10, None], ids=["length", "chunked"])
def test_failures_of_the_connection(
    error: OSError, expected: type[Exception], expected_bytes: int | None
) -> None:
    source = WireSource(BrokenInput(b"hello", error), expected_bytes=expected_bytes)
    assert source.read(10) == b"hello"
    with pytest.raises(expected) as raised:
        source.read(10)
    assert raised.value.__cause__ is error
    assert source.received_bytes == 5
