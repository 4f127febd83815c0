"""One request, from its begin to its count."""

from __future__ import annotations

import time
from contextvars import ContextVar, Token
from types import TracebackType
from typing import Self

from tracing_app.api import known_method, trace_id
from uploads.backends.measured import StorageCall
from uploads.s3.operations import Operation

from .metrics import RequestMetrics
from .recorder import NO_BUCKET, RequestRecorder, Waits

_current: ContextVar[CountedRequest | None] = ContextVar("mizuchi_counted_request", default=None)


class CountedRequest:
    """Counts a request when the block ends: as answered, or as a server error when nothing was. ``code`` is
    the error code of its answer, "" without one."""

    __slots__ = (
        "_began",
        "_bucket",
        "_method",
        "_metrics",
        "_operation",
        "_recorder",
        "_token",
        "bytes_received",
        "code",
        "status",
        "stored_by",
        "waits",
    )

    _token: Token[CountedRequest | None]

    def __init__(
        self, recorder: RequestRecorder, metrics: RequestMetrics | None = None, method: str = ""
    ) -> None:
        """Without ``metrics`` none are shown; ``method`` is what the client says it is."""
        self._recorder = recorder
        self._metrics = metrics
        self._method = method
        self._bucket = NO_BUCKET
        self._operation: Operation | None = None
        self.status = 500
        self.code = ""
        self.bytes_received = 0
        self.waits: Waits | None = None
        self.stored_by: StorageCall | None = None

    def __enter__(self) -> Self:
        self._token = _current.set(self)
        self._began = time.perf_counter()
        return self

    def is_for(self, bucket: str, operation: Operation) -> None:
        """It is known what the request asks; ``bucket`` is one of the configuration's, or NO_BUCKET."""
        self._bucket, self._operation = bucket, operation
        self._recorder.enter(self, bucket)

    @property
    def seconds(self) -> float:
        """Since it began."""
        return time.perf_counter() - self._began

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        _current.reset(self._token)
        self._recorder.leave(self)
        operation, seconds = self._operation, self.seconds
        self._recorder.count(self._bucket, operation, self.status, seconds, self.bytes_received, self.waits)
        if self._metrics is not None:
            # A client may make a method up, of which then there is no operation.
            method = self._method if operation is not None else known_method(self._method)
            alike = (self._bucket, operation, method, self.status, self.code, self.stored_by)
            self._metrics.note((alike, seconds, self.bytes_received, self.waits, trace_id()))


def note_waits(
    receive_wait_seconds: float, backend_wait_seconds: float, stored_by: StorageCall | None = None
) -> None:
    """Tell the request that is served how long the flow of its body waited for its client, and for the
    storage, in which call. Outside of one: nothing."""
    current = _current.get()
    if current is not None:
        current.waits = (receive_wait_seconds, backend_wait_seconds)
        current.stored_by = stored_by
