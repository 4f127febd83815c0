"""Who waited for whom while a body flowed: the moments and the waits that telemetry tells."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping

from .stream import Body, DigestAlgorithm


class TimedBody:
    """A body that notes when its bytes came and how long its reader, the backend, kept each block.

    ``first_block_ns`` and ``verified_ns`` are Unix times in nanoseconds, 0 until then: the first bytes are
    at hand, and all were received and found true. ``backend_wait_ns`` is the time between handing over a
    block and being asked for the next.
    """

    def __init__(self, body: Body) -> None:
        self._body = body
        self.length = body.length
        self.block_bytes = body.block_bytes
        self.first_block_ns = 0
        self.verified_ns = 0
        self.backend_wait_ns = 0

    def want(self, algorithm: DigestAlgorithm) -> None:
        self._body.want(algorithm)

    def __iter__(self) -> Iterator[bytes | memoryview]:
        for block in self._body:
            handed_over = time.perf_counter_ns()
            if not self.first_block_ns:
                self.first_block_ns = time.time_ns()
            yield block
            self.backend_wait_ns += time.perf_counter_ns() - handed_over
        self.verified_ns = time.time_ns()

    @property
    def size(self) -> int:
        return self._body.size

    @property
    def digests(self) -> Mapping[DigestAlgorithm, bytes]:
        return self._body.digests
