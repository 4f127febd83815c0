"""How long calls to storages take, and which fail.

The time of a call that takes an object's bytes is known where its body flows: ``TimedBody`` is told which
call takes it, and the request tells the rest. Every other call is timed here.
"""

from __future__ import annotations

from time import perf_counter
from types import TracebackType
from typing import Final, Self

from tracing_app.api import CALL_BOUNDS, FixedAttributes, Histogram, Kind, Label, stage
from uploads.body.stream import Body
from uploads.body.timed import TimedBody

StorageCall = tuple[str, str, str]
"""Storage, call and error, which is "" when it went well: the labels of ``CALLS``."""

CALLS: Final = Histogram(
    "mizuchi_storage_call_duration_seconds",
    "Time of calls to storages without what they waited for the client; error is empty when it went well.",
    otlp="mizuchi.storage.call.duration",
    bounds=CALL_BOUNDS,
    labels=(
        Label("storage", "mizuchi.storage"),
        Label("call", "mizuchi.storage.call"),
        Label("error", "error.type"),
    ),
    unit="seconds",
)


class MeasuredCall(stage):
    """A stage whose time is counted."""

    __slots__ = ("_began", "_call")

    def __init__(self, attributes: FixedAttributes, kind: Kind, call: StorageCall) -> None:
        super().__init__(call[1], attributes, kind=kind)
        self._call = call

    def __enter__(self) -> Self:
        self._began = perf_counter()
        return super().__enter__()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        super().__exit__(kind, error, traceback)
        call = self._call if error is None else _failed(self._call, error)
        CALLS.observe(call, perf_counter() - self._began)


def tell_taker(body: Body, call: StorageCall, error: BaseException | None = None) -> None:
    """Tell ``body`` which call takes it, and again when that fails."""
    if isinstance(body, TimedBody):
        body.taken_by = call if error is None else _failed(call, error)


def _failed(call: StorageCall, error: BaseException) -> StorageCall:
    storage, name, _ = call
    return storage, name, str(getattr(error, "code", type(error).__name__))
