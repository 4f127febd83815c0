"""The metrics of S3 requests: noted when they are over, added up elsewhere."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from tracing_app.api import (
    BYTES_BOUNDS,
    CALL_BOUNDS,
    SECONDS_BOUNDS,
    Counter,
    Distribution,
    Gauge,
    Histogram,
    KeptTraces,
    Label,
    Reading,
)
from uploads.backends.measured import CALLS, StorageCall
from uploads.s3.operations import Operation

from .recorder import MAX_NOTED, Waits

_BUCKET: Final = Label("bucket", "aws.s3.bucket")
_OPERATION: Final = Label("operation", "mizuchi.s3.operation")
_METHOD: Final = Label("method", "http.request.method")
_STATUS: Final = Label("status", "http.response.status_code", is_number=True)
# As the root spans have it: TLS ends before the gateway.
_HTTP: Final = {"url.scheme": "http"}

REQUESTS = Counter(
    "mizuchi_requests",
    "Requests of the S3 API that were answered; code is the S3 error code, empty without one.",
    otlp="mizuchi.requests",
    labels=(_OPERATION, _BUCKET, _STATUS, Label("code", "error.type")),
)
DURATION = Histogram(
    "mizuchi_request_duration_seconds",
    "How long requests of the S3 API took, from their head to their answer.",
    otlp="http.server.request.duration",
    bounds=SECONDS_BOUNDS,
    labels=(_METHOD, _OPERATION, _BUCKET, _STATUS),
    unit="seconds",
    constants=_HTTP,
)
BODY_SIZE = Histogram(
    "mizuchi_request_body_size_bytes",
    "Bytes received of the bodies of requests, as they came.",
    otlp="http.server.request.body.size",
    bounds=BYTES_BOUNDS,
    labels=(_METHOD, _OPERATION, _BUCKET),
    unit="bytes",
    constants=_HTTP,
)
UPLOADS = Counter(
    "mizuchi_uploads",
    "Objects that were stored, by how they came.",
    otlp="mizuchi.uploads",
    labels=(_BUCKET, Label("method", "mizuchi.upload.method")),
)
TRANSFER_SECONDS = Counter(
    "mizuchi_transfer_seconds",
    "Time of requests with an object's bytes: waiting for the client, for the storage, and in the gateway.",
    otlp="mizuchi.transfer.time",
    labels=(_BUCKET, Label("spent", "mizuchi.transfer.spent")),
    unit="seconds",
)
LIMITED = Counter(
    "mizuchi_limit_refusals",
    "Requests that were refused because a limit or a quota was reached, and whose it was.",
    otlp="mizuchi.limit.refusals",
    labels=(_BUCKET, Label("kind", "mizuchi.limit.kind"), Label("reason", "mizuchi.limit.reason")),
)
IN_FLIGHT = Gauge(
    "mizuchi_requests_in_flight",
    "Requests of the S3 API that are under way.",
    otlp="mizuchi.requests.in_flight",
    labels=(_BUCKET,),
)

_STORING: Final[Mapping[Operation | None, str]] = {
    Operation.PUT_OBJECT: "simple",
    Operation.POST_OBJECT: "form",
    Operation.COMPLETE_MULTIPART_UPLOAD: "multipart",
}


Kind = tuple[str, Operation | None, str, int, str, StorageCall | None]
"""What requests that are counted together have in common: bucket, operation, method, status, error code, and
which call to a storage took their bytes. Each has few values, whatever clients send."""

Answered = tuple[Kind, float, int, Waits | None, str]
"""A request that is over: how many seconds it took, the bytes received, waits and trace id."""


class _Sums:
    """Of the requests of a kind."""

    __slots__ = ("bodies", "calls", "client_seconds", "durations", "gateway_seconds", "storage_seconds")

    def __init__(self) -> None:
        self.durations = Distribution(len(SECONDS_BOUNDS) + 1)
        self.bodies = Distribution(len(BYTES_BOUNDS) + 1)
        self.calls = Distribution(len(CALL_BOUNDS) + 1)
        self.client_seconds = 0.0
        self.storage_seconds = 0.0
        self.gateway_seconds = 0.0


class RequestMetrics:
    """``note`` is for the threads of requests: one atomic step, no lock. ``collect`` is for one at a time.

    Of ``kept_traces`` some become examples. ``in_flight`` is how many requests are under way, by bucket.
    """

    def __init__(
        self,
        kept_traces: KeptTraces,
        in_flight: Callable[[], Mapping[str, int]],
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        noted: deque[Answered] = deque(maxlen=MAX_NOTED)
        self._noted = noted
        self.note: Callable[[Answered], None] = noted.append
        self._kept_traces = kept_traces
        self._in_flight = in_flight
        self._wall_clock = wall_clock
        self._sums: dict[Kind, _Sums] = {}

    @property
    def waiting(self) -> int:
        """How many requests are noted that nobody has added up."""
        return len(self._noted)

    def collect(self) -> Iterator[Reading]:
        """All of this process, as it is now."""
        self._add_up(self._wall_clock())
        for kind, sums in self._sums.items():
            yield from _readings(kind, sums)
        under_way = self._in_flight()
        for bucket in {bucket for bucket, *_ in self._sums} | under_way.keys():
            yield IN_FLIGHT, (bucket,), float(under_way.get(bucket, 0))

    def _add_up(self, at: float) -> None:
        by_kind, kept = self._sums, self._kept_traces()
        for _ in range(len(self._noted)):
            kind, seconds, bytes_received, waits, trace_id = self._noted.popleft()
            sums = by_kind.get(kind)
            if sums is None:
                sums = by_kind[kind] = _Sums()
            is_kept = trace_id in kept
            bucket = sums.durations.observe(SECONDS_BOUNDS, seconds)
            if is_kept:
                sums.durations.exemplify(bucket, seconds, trace_id, at)
            sums.bodies.observe(BYTES_BOUNDS, bytes_received)
            if waits is not None:
                client, storage = waits
                sums.client_seconds += client
                sums.storage_seconds += storage
                sums.gateway_seconds += max(seconds - client - storage, 0.0)
                bucket = sums.calls.observe(CALL_BOUNDS, storage)
                if is_kept:
                    sums.calls.exemplify(bucket, storage, trace_id, at)


def _readings(kind: Kind, sums: _Sums) -> Iterator[Reading]:
    bucket, operation, method, status_code, code, call = kind
    name, status = operation.value if operation else "", str(status_code)
    count = float(sum(sums.durations.counts))
    yield REQUESTS, (name, bucket, status, code), count
    yield DURATION, (method, name, bucket, status), sums.durations
    if operation is not None and operation.has_body:
        yield BODY_SIZE, (method, name, bucket), sums.bodies
    if status_code < 400 and (how := _STORING.get(operation)):
        yield UPLOADS, (bucket, how), count
    if sums.storage_seconds:
        yield TRANSFER_SECONDS, (bucket, "client"), sums.client_seconds
        yield TRANSFER_SECONDS, (bucket, "storage"), sums.storage_seconds
        yield TRANSFER_SECONDS, (bucket, "gateway"), sums.gateway_seconds
    if call is not None:
        yield CALLS, call, sums.calls
