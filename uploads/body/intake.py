"""Receiving: what comes over the wire goes into buffers, large ones for clients that are fast."""

from __future__ import annotations

from typing import Final

from .buffers import GROWTH, Buffers
from .stream import ByteSource
from .timed import Timeline

PATIENCE_NS: Final = 50_000_000
"""What came is handed on after so long, although there is room for more: the storage's connection does not
fall asleep beside a slow client, and progress is seen."""

_NOTHING: Final = memoryview(b"")


class Intake:
    """Fills buffers from ``source``, one or two in turn. Not past ``wire_length`` bytes; None means that the
    source knows its end.

    A client that fills a buffer in no time gets a larger one, one that lets us wait a small one.
    """

    def __init__(
        self, source: ByteSource, timeline: Timeline, buffers: Buffers, wire_length: int | None
    ) -> None:
        self._source = source
        self._timeline = timeline
        self._buffers = buffers
        self._wanted = buffers.small_bytes
        self._taken: list[memoryview | None] = [None, None]
        self._turn = 0
        self._failure: Exception | None = None
        self._is_ended = False
        self.remaining = wire_length
        self.filled = 0

    def fill(self) -> memoryview:
        """The next bytes, in the buffer whose turn it is; empty at the end.

        ``filled`` is how many have come meanwhile. Raises what the source raises, once everything that came
        before is handed on.
        """
        if self._failure is not None:
            self._raise()
        if self._is_ended or self.remaining == 0:
            return _NOTHING
        room = self._room()
        began = self._timeline.now_ns()
        try:
            is_slow = self._receive(room, began + PATIENCE_NS)
        except Exception as error:
            if not self.filled:
                raise
            self._failure, is_slow = error, True
        filled, self.filled = self.filled, 0
        if self.remaining is not None:
            self.remaining -= filled
        self._adapt(is_full=filled == len(room), is_slow=is_slow)
        return room[:filled]

    def swap(self) -> None:
        """The next turn is the other buffer's: what this one holds is still needed."""
        self._turn ^= 1

    def close(self) -> None:
        """Give the buffers back."""
        taken, self._taken = self._taken, [None, None]
        for buffer in taken:
            if buffer is not None:
                self._buffers.give_back(buffer)

    def _receive(self, room: memoryview, deadline_ns: int) -> bool:
        """Fill the room; whether that takes too long."""
        while count := self._timeline.read(self._source, room[self.filled :] if self.filled else room):
            self.filled += count
            if self.filled == len(room):
                return self._timeline.last_read_ns > deadline_ns
            if self._timeline.last_read_ns > deadline_ns:
                return True
        self._is_ended = True
        return False

    def _raise(self) -> None:
        failure, self._failure = self._failure, None
        try:
            if failure is not None:
                raise failure
        finally:
            del failure  # its traceback has this frame

    def _adapt(self, *, is_full: bool, is_slow: bool) -> None:
        if is_slow:
            self._wanted = self._buffers.small_bytes
        elif is_full:
            self._wanted = min(self._wanted * GROWTH, self._buffers.large_bytes)

    def _room(self) -> memoryview:
        wanted = self._wanted if self.remaining is None else min(self._wanted, self.remaining)
        buffer = self._taken[self._turn]
        if buffer is None or not wanted <= len(buffer) <= self._wanted:
            if buffer is not None:
                self._buffers.give_back(buffer)
            buffer = self._taken[self._turn] = self._buffers.take(wanted)
        return buffer if len(buffer) <= wanted else buffer[:wanted]
