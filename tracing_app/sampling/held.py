"""Traces of multipart uploads in progress that would be dropped, held until nobody can want them any more.

All requests of an upload are one decision: an error in one brings what is still held of the others.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from tracing_app.exporting.trace_queue import weigh
from tracing_app.recording.data import TraceData, attribute_of

_OPERATIONS = frozenset(
    f"S3/{name}"
    for name in (
        "CreateMultipartUpload",
        "UploadPart",
        "ListParts",
        "CompleteMultipartUpload",
        "AbortMultipartUpload",
    )
)
_LAST = frozenset({"S3/CompleteMultipartUpload", "S3/AbortMultipartUpload"})


class Held(NamedTuple):
    """A request's trace, of ``size`` bytes; ``label`` is what it is counted under if nobody wants it."""

    trace: TraceData
    label: str
    size: int


@dataclass(slots=True)
class _Upload:
    """``done_at`` is when its last request ended, 0 until then."""

    items: list[Held] = field(default_factory=list)
    done_at: float = 0.0


def belongs_to_upload(trace: TraceData) -> bool:
    """Whether it is a request of a multipart upload."""
    return attribute_of(trace.spans[-1], "rpc.method") in _OPERATIONS


class HeldUploads:
    """Not locked: every method is called under the sampler's lock. Without room the oldest upload goes."""

    def __init__(
        self,
        *,
        max_bytes: int = 16 * 1024 * 1024,
        max_traces: int = 20_000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._max_bytes = max_bytes
        self._max_traces = max_traces
        self._clock = clock
        self._uploads: OrderedDict[int, _Upload] = OrderedDict()
        self._bytes = 0
        self._traces = 0

    @property
    def traces(self) -> int:
        return self._traces

    @property
    def bytes(self) -> int:
        return self._bytes

    def hold(self, trace: TraceData, label: str) -> list[Held]:
        """Keep it for now; what had to go for it."""
        upload = self._uploads.setdefault(trace.trace_id, _Upload())
        item = Held(trace, label, weigh(trace).size)
        upload.items.append(item)
        if attribute_of(trace.spans[-1], "rpc.method") in _LAST:
            upload.done_at = self._clock()
        self._bytes += item.size
        self._traces += 1
        gone: list[Held] = []
        while self._bytes > self._max_bytes or self._traces > self._max_traces:
            gone += self.release(next(iter(self._uploads)))
        return gone

    def release(self, trace_id: int) -> list[Held]:
        """What is held of an upload, held no longer."""
        upload = self._uploads.pop(trace_id, None)
        if upload is None:
            return []
        self._traces -= len(upload.items)
        self._bytes -= sum(item.size for item in upload.items)
        return upload.items

    def forget_done(self, before: float) -> list[Held]:
        """Let go of uploads whose last request ended before that moment of ``clock``."""
        done = [number for number, upload in self._uploads.items() if 0 < upload.done_at < before]
        return [item for number in done for item in self.release(number)]
