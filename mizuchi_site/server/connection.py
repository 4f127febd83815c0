"""One connection of a client: its socket, and what was received and not yet read.

Sockets are blocking, with the kernel's own time limits (``SO_RCVTIMEO``), so a read is one system call.
At any time one thread has the connection: the poller while it waits for a request, else a request thread.
"""

from __future__ import annotations

import contextlib
import select
import socket
import struct
from collections.abc import Callable

from .request_head import find_end

_RECEIVE_BYTES = 16 * 1024
_EMPTY_LINE = b"\r\n"


def limit_waiting(listener: socket.socket, seconds: float) -> None:
    """Set how long connections that will be accepted wait for a byte to come or to go: they inherit it. A
    wait that was too long raises BlockingIOError."""
    whole = int(seconds)
    limit = struct.pack("@ll", whole, int((seconds - whole) * 1_000_000))
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)


class Connection:
    """An accepted ``socket`` and the ``(address, port)`` of its ``peer``.

    The poller's own: ``deadline``, the monotonic time at which it loses patience; ``unwanted_bytes``, what is
    to be dropped before the next request; ``is_ending``, nothing but the end is awaited.
    """

    __slots__ = (
        "_head_end",
        "_on_close",
        "_poll",
        "_received",
        "_searched",
        "deadline",
        "is_ending",
        "peer",
        "socket",
        "unwanted_bytes",
    )

    def __init__(
        self,
        accepted: socket.socket,
        peer: tuple[str, int],
        *,
        on_close: Callable[[Connection], object],
    ) -> None:
        """``on_close`` is called by the thread that closes it, once."""
        self.socket = accepted
        self.peer = peer
        self.deadline = 0.0
        self.unwanted_bytes = 0
        self.is_ending = False
        self._on_close = on_close
        self._received = b""
        self._searched = 0
        self._head_end = 0
        self._poll: select.poll | None = None

    def fileno(self) -> int:
        return self.socket.fileno()

    @property
    def received(self) -> bytes:
        """Bytes that came and were not read."""
        return self._received

    def skip(self, count: int) -> None:
        """Drop the first ``count`` bytes of ``received``."""
        self._received = self._received[count:]

    def drop(self, count: int) -> int:
        """Drop ``count`` bytes that were or will be received; how many will."""
        left = max(0, count - len(self._received))
        self.skip(count)
        return left

    def has_head(self) -> bool:
        """Whether the head of a request was received as a whole."""
        if not self._head_end:
            while self._received.startswith(_EMPTY_LINE):  # some end a body with one line too many
                self.skip(len(_EMPTY_LINE))
            self._head_end = find_end(self._received, self._searched)
            self._searched = 0 if self._head_end else len(self._received)
        return self._head_end > 0

    def take_head(self) -> bytes:
        """The head that ``has_head`` found."""
        head = self._received[: self._head_end]
        self.skip(self._head_end)
        self._head_end = 0
        return head

    def receive(self, *, waits: bool = True) -> int:
        """Receive more; how many bytes, 0 at the end. Raises BlockingIOError when none came in time, or,
        unless it ``waits``, none was there."""
        block = self.socket.recv(_RECEIVE_BYTES, 0 if waits else socket.MSG_DONTWAIT)
        self._received = self._received + block if self._received else block
        return len(block)

    def wait_readable(self, seconds: float) -> bool:
        """Wait for bytes, or the end, to be there."""
        if self._poll is None:
            self._poll = select.poll()
            self._poll.register(self.socket, select.POLLIN)
        return bool(self._poll.poll(seconds * 1000))

    def read(self, size: int) -> bytes:
        """At most ``size`` bytes, as soon as some came; ``b""`` at the end."""
        if not self._received:
            return self.socket.recv(size)
        block = self._received[:size]
        self.skip(size)
        return block

    def read_into(self, buffer: memoryview) -> int:
        """Like ``read``; what the socket has goes to ``buffer`` without a detour."""
        if not self._received:
            return self.socket.recv_into(buffer)
        count = min(len(buffer), len(self._received))
        buffer[:count] = self._received[:count]
        self.skip(count)
        return count

    def end_reading(self) -> None:
        """Let a read in progress, on another thread, see the end."""
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RD)

    def end_writing(self) -> None:
        """Tell the client that nothing more will come."""
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        self.socket.close()
        self._on_close(self)
