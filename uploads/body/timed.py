"""Who waited for whom while a body flowed: the moments and the waits that telemetry tells."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Final, NamedTuple

from .stream import Body, ByteSource, DigestAlgorithm

STALL_NS: Final = 1_000_000_000
MAX_STALLS: Final = 8


class Stall(NamedTuple):
    """A read that waited for the client for ``STALL_NS`` or longer, and whatever ended it, in Unix time."""

    ended_ns: int
    wait_ns: int


class Timeline:
    """What happened to a body, noted as it happens.

    Moments are Unix times in nanoseconds, 0 until then: ``first_byte_ns`` and ``received_ns`` are those of
    the first and of the last byte that came from the client, ``verified_ns`` is when everything claimed of
    the body was found true. They are read off a clock that never steps back, so they are in order.

    ``receive_wait_ns`` is the time spent in reads, ``backend_wait_ns`` that of the backend but for its waits
    for blocks; that one is known at the end. ``stalls`` are the first ``MAX_STALLS`` of
    ``stall_count``, those included that ended the body: a time limit, a client that went away.
    """

    __slots__ = (
        "_clock",
        "_epoch_ns",
        "_last_read_ns",
        "backend_wait_ns",
        "first_byte_ns",
        "receive_wait_ns",
        "received_ns",
        "stall_count",
        "stalls",
        "verified_ns",
    )

    def __init__(self, clock: Callable[[], int] = time.perf_counter_ns) -> None:
        self._clock = clock
        self._epoch_ns = time.time_ns() - clock()
        self._last_read_ns = 0
        self.first_byte_ns = 0
        self.received_ns = 0
        self.verified_ns = 0
        self.receive_wait_ns = 0
        self.backend_wait_ns = 0
        self.stalls: list[Stall] = []
        self.stall_count = 0

    def now_ns(self) -> int:
        """Unix time by the clock of the moments."""
        return self._epoch_ns + self._clock()

    def read(self, source: ByteSource, buffer: memoryview) -> int:
        """``source.read_into(buffer)``, noted. Raises what it raises."""
        began = self._clock()
        try:
            count = source.read_into(buffer)
        finally:
            ended = self._clock()
            self._waited(ended - began, ended)
        self._last_read_ns = self._epoch_ns + ended
        if not self.first_byte_ns and count:
            self.first_byte_ns = self._last_read_ns
        return count

    def received(self) -> None:
        """What was read last was the end."""
        self.received_ns = self._last_read_ns

    def verified(self) -> None:
        """Everything claimed was found true, now."""
        self.verified_ns = self.now_ns()

    def _waited(self, wait_ns: int, ended: int) -> None:
        self.receive_wait_ns += wait_ns
        if wait_ns >= STALL_NS:
            self.stall_count += 1
            if len(self.stalls) < MAX_STALLS:
                self.stalls.append(Stall(self._epoch_ns + ended, wait_ns))


class TimedBody:
    """A body that notes how long its reader, the backend, waits for blocks: ``pulled_ns``.

    That is receiving, decoding and hashing. The rest of the backend's time is the storage's. ``taken_by`` is
    the backend's call, see ``uploads.backends.measured``.
    """

    def __init__(self, body: Body, clock: Callable[[], int] = time.perf_counter_ns) -> None:
        self._body = body
        self._clock = clock
        self.length = body.length
        self.pulled_ns = 0
        self.taken_by: tuple[str, str, str] | None = None

    def want(self, algorithm: DigestAlgorithm) -> None:
        self._body.want(algorithm)

    def __iter__(self) -> Iterator[memoryview]:
        blocks = iter(self._body)
        while (block := self._pull(blocks)) is not None:
            yield block

    def _pull(self, blocks: Iterator[memoryview]) -> memoryview | None:
        began = self._clock()
        try:
            return next(blocks, None)
        finally:
            self.pulled_ns += self._clock() - began

    @property
    def size(self) -> int:
        return self._body.size

    @property
    def digests(self) -> Mapping[DigestAlgorithm, bytes]:
        return self._body.digests
