"""HTTP/1.1 messages on sockets, as far as benchmarks need them: a head, then as many bytes as it says."""

from __future__ import annotations

import re
import socket

_BLOCK_BYTES = 64 * 1024
_HEAD_ENDS = b"\r\n\r\n"
_LENGTH = re.compile(rb"(?i)\r\ncontent-length: *(\d+)")


def read_head(sock: socket.socket, pending: bytes = b"") -> tuple[bytes, bytes]:
    """The next head without its empty line, and what came after it; ``pending`` is what came before.

    Raises OSError, also when the connection ends before.
    """
    while _HEAD_ENDS not in pending:
        block = sock.recv(_BLOCK_BYTES)
        if not block:
            raise ConnectionResetError(f"the connection ended after {pending[:200]!r}")
        pending += block
    head, _, rest = pending.partition(_HEAD_ENDS)
    return head, rest


def read_body(sock: socket.socket, head: bytes, rest: bytes) -> tuple[bytes, bytes]:
    """The body that belongs to a head, and what came after it. Raises OSError."""
    length = content_length(head)
    blocks, missing = [rest], length - len(rest)
    while missing > 0:
        block = sock.recv(min(missing, 1024 * 1024))
        if not block:
            raise ConnectionResetError("the connection ended in a body")
        blocks.append(block)
        missing -= len(block)
    whole = b"".join(blocks)
    return whole[:length], whole[length:]


def content_length(head: bytes) -> int:
    """0 when the head says nothing."""
    found = _LENGTH.search(head)
    return int(found[1]) if found else 0


def without_delay(sock: socket.socket) -> None:
    """Send at once what is to be sent (TCP_NODELAY)."""
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
