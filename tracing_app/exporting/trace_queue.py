"""What waits for export: whole traces or log records, within bounds, those with an error last to go."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Generic, NamedTuple, TypeVar

from opentelemetry.trace import StatusCode

from tracing_app.recording.data import EventData, LinkData, TraceData
from tracing_app.recording.fixed import FixedAttributes

# What a span, an event, a link and an attribute take beside their text, about.
_SPAN_BYTES, _EVENT_BYTES, _ATTRIBUTE_BYTES = 300, 100, 60
_CROWDED_SHARE = 0.75
_ERROR = StatusCode.ERROR
_FIXED = frozenset({int, bool, float})

T = TypeVar("T")


class Queued(NamedTuple, Generic[T]):
    """A trace, its number of spans, about how many bytes it takes, and whether a span is an error.

    Or a log record, which counts as one.
    """

    content: T
    spans: int
    size: int
    is_error: bool


class Evicted(NamedTuple):
    """What had to go for want of room."""

    traces: int
    spans: int


_NOTHING = Evicted(0, 0)


class TraceQueue(Generic[T]):
    """Not locked: every method is called under the worker's lock.

    Without room the oldest traces without an error go first, then the oldest with one: what happens now is
    worth more than what happened before, and an error more than either.
    """

    def __init__(self, *, max_spans: int, max_bytes: int) -> None:
        self._max_spans = max_spans
        self._max_bytes = max_bytes
        self._crowded_spans = max_spans * _CROWDED_SHARE
        self._crowded_bytes = max_bytes * _CROWDED_SHARE
        self._errors: deque[Queued[T]] = deque()
        self._others: deque[Queued[T]] = deque()
        self.spans = 0
        self.bytes = 0

    def __len__(self) -> int:
        return len(self._errors) + len(self._others)

    @property
    def is_crowded(self) -> bool:
        """Whether there is little room left."""
        return self.spans > self._crowded_spans or self.bytes > self._crowded_bytes

    def put(self, item: Queued[T]) -> Evicted:
        """Take a trace in; it may itself be what is evicted."""
        self.spans += item.spans
        self.bytes += item.size
        (self._errors if item.is_error else self._others).append(item)
        if self.spans <= self._max_spans and self.bytes <= self._max_bytes:
            return _NOTHING
        return self._evict()

    def take(self, *, max_spans: int, max_bytes: int) -> list[Queued[T]]:
        """The next whole traces of a batch, errors first; at least one when there is any."""
        taken: list[Queued[T]] = []
        spans = size = 0
        while waiting := self._errors or self._others:
            item = waiting[0]
            spans += item.spans
            size += item.size
            if taken and (spans > max_spans or size > max_bytes):
                break
            taken.append(waiting.popleft())
            self._leave(item)
        return taken

    def _evict(self) -> Evicted:
        traces = spans = 0
        while self.spans > self._max_spans or self.bytes > self._max_bytes:
            item = (self._others or self._errors).popleft()
            self._leave(item)
            traces += 1
            spans += item.spans
        return Evicted(traces, spans)

    def _leave(self, item: Queued[T]) -> None:
        self.spans -= item.spans
        self.bytes -= item.size


def weigh(trace: TraceData) -> Queued[TraceData]:
    """The trace as an item of the queue; raises nothing, the thread tells what cannot be encoded."""
    try:
        return _weigh(trace)
    except Exception:  # noqa: BLE001 - never into a request
        return Queued(trace, len(trace.spans), 0, False)


def _weigh(trace: TraceData) -> Queued[TraceData]:
    """Runs on a request's thread: hence the loop written out for the values of a span."""
    spans = trace.spans
    size = _SPAN_BYTES * len(spans)
    is_error = False
    for span in spans:
        if span.status_code is _ERROR:
            is_error = True
        if fixed := span.fixed:
            size += fixed.weight or _weigh_fixed(fixed)
        varied = span.varied
        size += _ATTRIBUTE_BYTES * len(varied)
        for value in varied.values():
            if type(value) is str:
                size += len(value)
            elif type(value) not in _FIXED:
                size += _length(value)
        if span.events:
            size += _weigh_items(span.events)
        if span.links:
            size += _weigh_items(span.links)
    return Queued(trace, len(spans), size, is_error)


def _weigh_fixed(fixed: FixedAttributes) -> int:
    """The spans share them, but to what is spooled and sent each adds its own."""
    fixed.weight = sum(_ATTRIBUTE_BYTES + _length(value) for value in fixed.values())
    return fixed.weight


def _weigh_items(items: Sequence[EventData] | Sequence[LinkData]) -> int:
    size = _EVENT_BYTES * len(items)
    for item in items:
        if item.attributes:
            size += sum([_ATTRIBUTE_BYTES + _length(value) for value in item.attributes.values()])
    return size


def _length(value: object) -> int:
    if isinstance(value, str | bytes):
        return len(value)
    if isinstance(value, Sequence):
        return sum(_ATTRIBUTE_BYTES + _length(item) for item in value)
    return 0
