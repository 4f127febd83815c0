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

    __slots__ = (
        "_buffers",
        "_failure",
        "_is_ended",
        "_source",
        "_taken",
        "_timeline",
        "_turn",
        "_wanted",
        "filled",
        "remaining",
    )

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
        waited_ns = self._timeline.receive_wait_ns
        try:
            self._receive(room, waited_ns + PATIENCE_NS)
        except Exception as error:
            if not self.filled:
                raise
            self._failure = error
        filled, self.filled = self.filled, 0
        if self.remaining is not None:
            self.remaining -= filled
        is_full = filled == len(room)
        if self._timeline.receive_wait_ns - waited_ns > PATIENCE_NS:
            self._wanted = self._buffers.small_bytes
        elif is_full:
            self._wanted = min(self._wanted * GROWTH, self._buffers.large_bytes)
        return room if is_full else room[:filled]

    def swap(self) -> None:
        """The next turn is the other buffer's: what this one holds is still needed."""
        self._turn ^= 1

    def close(self) -> None:
        """Give the buffers back."""
        taken, self._taken = self._taken, [None, None]
        for buffer in taken:
            if buffer is not None:
                self._buffers.give_back(buffer)

    def _receive(self, room: memoryview, patience_ns: int) -> None:
        """Fill the room, as far as that goes before reads have taken ``patience_ns`` in all."""
        timeline, size = self._timeline, len(room)
        while count := timeline.read(self._source, room[self.filled :] if self.filled else room):
            self.filled += count
            if self.filled == size or timeline.receive_wait_ns > patience_ns:
                return
        self._is_ended = True

    def _raise(self) -> None:
        failure, self._failure = self._failure, None
        try:
            if failure is not None:
                raise failure
        finally:
            del failure  # its traceback has this frame

    def _room(self) -> memoryview:
        wanted = self._wanted if self.remaining is None else min(self._wanted, self.remaining)
        buffer = self._taken[self._turn]
        if buffer is None or not wanted <= len(buffer) <= self._wanted:
            if buffer is not None:
                self._buffers.give_back(buffer)
            buffer = self._taken[self._turn] = self._buffers.take(wanted)
        return buffer if len(buffer) <= wanted else buffer[:wanted]
