"""One request, from its begin to its count."""

from __future__ import annotations

import time
from contextvars import ContextVar, Token
from types import TracebackType
from typing import Self

from uploads.s3.operations import Operation

from .recorder import NO_BUCKET, RequestRecorder, Waits

_current: ContextVar[CountedRequest | None] = ContextVar("mizuchi_counted_request", default=None)


class CountedRequest:
    """Counts a request when the block ends: as answered, or as a server error when nothing was."""

    __slots__ = (
        "_began",
        "_bucket",
        "_operation",
        "_recorder",
        "_token",
        "bytes_received",
        "status",
        "waits",
    )

    _token: Token[CountedRequest | None]

    def __init__(self, recorder: RequestRecorder) -> None:
        self._recorder = recorder
        self._bucket = NO_BUCKET
        self._operation: Operation | None = None
        self.status = 500
        self.bytes_received = 0
        self.waits: Waits | None = None

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
        self._recorder.count(
            self._bucket, self._operation, self.status, self.seconds, self.bytes_received, self.waits
        )


def note_waits(receive_wait_seconds: float, backend_wait_seconds: float) -> None:
    """Tell the request that is served how long the flow of its body waited for its client, and for the
    storage. Outside of one: nothing."""
    current = _current.get()
    if current is not None:
        current.waits = (receive_wait_seconds, backend_wait_seconds)
