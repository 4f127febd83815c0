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
from tracing_app.recording.data import TraceData

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


class _Held(NamedTuple):
    trace: TraceData
    spans: int
    size: int


@dataclass(slots=True)
class _Upload:
    """``done_at`` is when its last request ended, 0 until then."""

    items: list[_Held] = field(default_factory=list)
    done_at: float = 0.0


@dataclass(frozen=True, slots=True)
class Given:
    """What is held no longer: so many traces and spans."""

    traces: int = 0
    spans: int = 0


def belongs_to_upload(trace: TraceData) -> bool:
    """Whether it is a request of a multipart upload."""
    return trace.spans[-1].attributes.get("rpc.method") in _OPERATIONS


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

    def hold(self, trace: TraceData) -> Given:
        """Keep it for now; what had to go for it."""
        upload = self._uploads.setdefault(trace.trace_id, _Upload())
        item = _Held(trace, len(trace.spans), weigh(trace).size)
        upload.items.append(item)
        if trace.spans[-1].attributes.get("rpc.method") in _LAST:
            upload.done_at = self._clock()
        self._bytes += item.size
        self._traces += 1
        traces = spans = 0
        while self._bytes > self._max_bytes or self._traces > self._max_traces:
            gone = self._take(next(iter(self._uploads)))
            traces += len(gone)
            spans += sum(each.spans for each in gone)
        return Given(traces, spans)

    def release(self, trace_id: int) -> list[TraceData]:
        """What is held of an upload, to be kept after all."""
        return [item.trace for item in self._take(trace_id)]

    def forget_done(self, before: float) -> Given:
        """Let go of uploads whose last request ended before that moment of ``clock``."""
        done = [number for number, upload in self._uploads.items() if 0 < upload.done_at < before]
        gone = [item for number in done for item in self._take(number)]
        return Given(len(gone), sum(item.spans for item in gone))

    def _take(self, trace_id: int) -> list[_Held]:
        upload = self._uploads.pop(trace_id, None)
        if upload is None:
            return []
        self._traces -= len(upload.items)
        self._bytes -= sum(item.size for item in upload.items)
        return upload.items
