"""``wsgi.input``: the body of one request, read from the socket by the request's own thread.

A read waits in the kernel, with a time limit, so a client that stalls ends the read and frees the thread.
Raised, as sockets do: ``TimeoutError`` when no byte came for the time limit, ``ConnectionError`` when the
body is cut (also a chunked one) or malformed, or the server stops.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any, TypeVar

from .chunks import ChunkFraming, MalformedChunkError
from .connection import Connection

_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_BLOCK_BYTES = 64 * 1024
_Argument = TypeVar("_Argument")
_Result = TypeVar("_Result")


class RequestBody(io.BufferedIOBase):
    """The body as a binary file: ``read`` waits for all it was asked for, ``read1`` and ``readinto1`` for one
    byte at least. Nothing is asked of the client before the first read: that is when ``100 Continue``
    goes out.
    """

    def __init__(
        self, connection: Connection, size: int | None, *, awaits_continue: bool, stall_seconds: float
    ) -> None:
        """``size`` is the Content-Length, None for a chunked body. ``stall_seconds`` is the time limit that
        the connection has, for messages."""
        self._connection = connection
        self._stall_seconds = stall_seconds
        self._framing = ChunkFraming() if size is None else None
        self._ahead = size or 0  # bytes of data that come next, without framing between them
        self._failure: OSError | None = None
        self.awaits_continue = awaits_continue and not connection.received

    @property
    def has_failed(self) -> bool:
        return self._failure is not None

    @property
    def unread_bytes(self) -> int | None:
        """Bytes until the end of the body; None when the client alone knows."""
        return self._ahead if self._framing is None or self._framing.is_complete else None

    def abort(self) -> None:
        """End the read in progress and every later one with a ConnectionError. From any thread."""
        self._failure = self._failure or ConnectionAbortedError("the server is stopping")
        self._connection.end_reading()

    def readable(self) -> bool:
        return True

    def read1(self, size: int | None = -1, /) -> bytes:
        limit = _BLOCK_BYTES if size is None or size < 0 else size
        at_most = min(limit, self._look_ahead())
        if not at_most:
            return b""
        block = self._wait(self._connection.read, at_most)
        self._ahead -= len(block)
        return block

    def readinto1(self, buffer: Any, /) -> int:
        """Receive what comes straight into ``buffer``; how many bytes."""
        view = memoryview(buffer).cast("B")
        at_most = min(len(view), self._look_ahead())
        if not at_most:
            return 0
        count = self._wait(self._connection.read_into, view[:at_most])
        self._ahead -= count
        return count

    def read(self, size: int | None = -1, /) -> bytes:
        wanted = -1 if size is None else size
        blocks: list[bytes] = []
        while wanted and (block := self.read1(wanted)):
            blocks.append(block)
            if wanted > 0:
                wanted -= len(block)
        return b"".join(blocks)

    def peek(self, _size: int = 0, /) -> bytes:
        """What is at hand, one byte at least, left where it is; ``readline`` is made of this."""
        ahead = self._look_ahead()
        if ahead and not self._connection.received:
            self._wait(Connection.receive, self._connection)
        return self._connection.received[:ahead]

    def _look_ahead(self) -> int:
        """Bytes of data that come next, after framing that had to be read; 0 is the end."""
        framing = self._framing
        while framing and not self._ahead and not framing.is_complete:
            try:
                count, self._ahead = framing.advance(self._connection.received)
            except MalformedChunkError as error:
                raise self._fail(ConnectionResetError(f"the body is malformed: {error}")) from error
            if count:
                self._connection.skip(count)
            else:
                self._wait(Connection.receive, self._connection)
        return self._ahead

    def _wait(self, read: Callable[[_Argument], _Result], argument: _Argument) -> _Result:
        """``read(argument)``, with the errors that this class promises. Nothing read is an end too early."""
        if self._failure is not None:
            raise type(self._failure)(*self._failure.args)
        try:
            if self.awaits_continue:
                self.awaits_continue = False
                self._connection.socket.sendall(_CONTINUE)
            result = read(argument)
        except BlockingIOError:
            stalled = TimeoutError(f"no byte of the body came for {self._stall_seconds:g} seconds")
            raise self._fail(stalled) from None
        except OSError as error:
            raise self._fail(ConnectionResetError(str(error))) from error
        if not result:
            raise self._fail(ConnectionResetError("the client cut the body short"))
        return result

    def _fail(self, failure: OSError) -> OSError:
        """The first failure stays: a read that an abort ended is aborted, not cut."""
        self._failure = self._failure or failure
        return self._failure
