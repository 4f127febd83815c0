"""The framing of a checksum that comes after the body."""

from __future__ import annotations

import pytest

from uploads.backends import s3_trailer
from uploads.backends.s3_trailer import encode, encoded_length

TRAILER = "x-amz-checksum-crc32:AAAAAA=="


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(s3_trailer, "CHUNK_BYTES", 10)


@pytest.mark.parametrize(
    ("data", "framed"),
    [
        (b"", b"0\r\n"),
        (b"abc", b"3\r\nabc\r\n0\r\n"),
        (b"0123456789", b"a\r\n0123456789\r\n0\r\n"),
        (b"0123456789abc", b"a\r\n0123456789\r\n3\r\nabc\r\n0\r\n"),
    ],
    ids=["empty", "less than a chunk", "one chunk", "more"],
)
@pytest.mark.parametrize("block_bytes", [1, 4, 10, 64])
def test_a_framed_body(data, framed, block_bytes):
    blocks = [data[start : start + block_bytes] for start in range(0, len(data), block_bytes)]
    wire = b"".join(encode(blocks, len(data), lambda: TRAILER))
    assert wire == framed + TRAILER.encode() + b"\r\n\r\n"
    assert len(wire) == encoded_length(len(data), len(TRAILER))


def test_the_trailer_is_asked_for_last():
    asked = []

    def blocks():
        yield b"abc"
        asked.append("the end of the body")

    def trailer():
        asked.append("the trailer")
        return TRAILER

    list(encode(blocks(), 3, trailer))
    assert asked == ["the end of the body", "the trailer"]


def test_a_body_that_breaks_is_never_framed_to_its_end():
    def blocks():
        yield b"0123456789"
        raise RuntimeError

    sent = []
    with pytest.raises(RuntimeError):
        sent.extend(encode(blocks(), 11, lambda: TRAILER))
    assert len(b"".join(sent)) < encoded_length(11, len(TRAILER))
