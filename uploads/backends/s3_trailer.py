"""The aws-chunked framing that carries a checksum after the body (``STREAMING-UNSIGNED-PAYLOAD-TRAILER``).

Source: S3 API reference, "Trailing checksums". Chunks have a fixed size, so the length on the wire is
known before the body is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from .s3_channel import Block

CHUNK_BYTES = 1024 * 1024


def encoded_length(length: int, trailer_length: int) -> int:
    """Bytes on the wire of a body of ``length`` bytes; ``trailer_length`` is that of ``name:value``."""
    whole, rest = divmod(length, CHUNK_BYTES)
    chunks = whole * _chunk_length(CHUNK_BYTES) + (_chunk_length(rest) if rest else 0)
    return chunks + len(b"0\r\n") + trailer_length + len(b"\r\n\r\n")


def encode(blocks: Iterable[Block], length: int, trailer: Callable[[], str]) -> Iterator[Block]:
    """The framed body. ``trailer`` is asked for ``name:value`` once the blocks have ended.

    What ends a chunk goes with what begins the next one: each yield is a send.
    """
    remaining, room, end = length, 0, b""
    for block in blocks:
        rest = memoryview(block)
        while rest:
            if room == 0:
                room = min(CHUNK_BYTES, remaining)
                yield b"%b%x\r\n" % (end, room)
                end = b"\r\n"
            piece, rest = rest[:room], rest[room:]
            room -= len(piece)
            remaining -= len(piece)
            yield piece
    yield b"%b0\r\n%b\r\n\r\n" % (end, trailer().encode())


def _chunk_length(size: int) -> int:
    return len(f"{size:x}") + size + len(b"\r\n\r\n")
