"""Finished traces as the bytes of an ``ExportTraceServiceRequest`` (opentelemetry-proto ``trace/v1``).

The bytes are joined, no message is built: seven times as fast as the generated classes. Tests hold the
result equal to theirs.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from opentelemetry.sdk.resources import Resource
from opentelemetry.trace import DEFAULT_TRACE_STATE, StatusCode

from tracing_app.recording.data import LinkData, RawEvent, Scope, SpanData, TraceData
from tracing_app.recording.span import has_failed

from .attribute_wire import PairCache, encode_attributes
from .exported_state import exported_state
from .protobuf_wire import SMALL, count_field, delimited, fixed32, text_field, varint
from .signal import TRACES
from .trace_queue import Queued

try:
    from .plain_trace import encode_plain
except ImportError:  # it is not compiled here
    encode_plain = None  # type: ignore[assignment]

_MAX_NAMES, _MAX_NAME_LENGTH = 1024, 256
_MAX_COMMONS = 1024
_MAX_SCOPES = 256
_SAMPLED = 0x01
_HAS_IS_REMOTE = 0x100
_IS_REMOTE = 0x200

_TRACE_BYTES = 200  # what a trace in the queue takes beside its bytes, about

# Each 16 bits before an id are the first bytes of its field.
_root_ids = struct.Struct(">HQ").pack
_child_ids = struct.Struct(">HQHQ").pack
_times = struct.Struct("<BQBQ").pack
_time = struct.Struct("<BQ").pack

_SPAN_KINDS = tuple(b"\x30" + bytes((kind + 1,)) for kind in range(5))
_STATUS_CODES = {StatusCode.UNSET: b"", StatusCode.OK: b"\x18\x01", StatusCode.ERROR: b"\x18\x02"}
_NO_STATUS = b"\x7a\x00"
_LOCAL_FLAGS, _REMOTE_FLAGS = (
    tuple(b"\x85\x01" + fixed32(flags | _SAMPLED | _HAS_IS_REMOTE | remote) for flags in range(256))
    for remote in (0, _IS_REMOTE)
)


class _EncodedScope(NamedTuple):
    """``head`` and ``tail`` are the fields of a ``ScopeSpans`` beside its spans. The scope is kept with them:
    while it lives no other object has its id."""

    scope: Scope
    head: bytes
    tail: bytes


EncodedTrace = list[tuple[_EncodedScope, bytes]]
"""The spans of a trace by their scope."""


class SpanEncoder:
    """Encodes for one resource. Names, scopes, what spans have in common and frequent attributes are kept
    encoded, within bounds. Several threads may encode at once: each look and each change is one operation of
    the interpreter, and what two of them keep at the same time is equal.
    """

    signal = TRACES

    def __init__(self, resource: Resource) -> None:
        self._head = delimited(b"\x0a", encode_attributes(b"\x0a", resource.attributes))
        self._tail = text_field(b"\x1a", resource.schema_url)
        self._span_pairs = PairCache(b"\x4a")
        self._event_pairs = PairCache(b"\x1a")
        self._link_pairs = PairCache(b"\x22")
        self._commons: dict[tuple[object, ...], bytes] = {}
        self._event_heads: dict[str, bytes] = {}
        self._scopes: dict[int, _EncodedScope] = {}

    def prepare(self, trace: TraceData) -> Queued[TraceData | EncodedTrace]:
        """The trace, encoded now: its spans are let go, and the queue knows its size. One that cannot be is
        queued as it is, for ``encode`` to raise what is wrong with it."""
        spans = trace.spans
        try:
            encoded = self._encode_trace(trace)
        except Exception:  # noqa: BLE001 - never into a request
            return Queued(trace, len(spans), 0, False)
        size = _TRACE_BYTES
        for _, body in encoded:
            size += len(body)
        return Queued(encoded, len(spans), size, has_failed(spans))

    def encode(self, traces: Iterable[TraceData | EncodedTrace]) -> bytes:
        """One request with all spans of these traces, grouped by scope."""
        groups: dict[int, list[bytes]] = {}
        for trace in traces:
            encoded = self._encode_trace(trace) if isinstance(trace, TraceData) else trace
            for scope, spans in encoded:
                group = groups.get(id(scope))
                if group is None:
                    group = groups[id(scope)] = [scope.head, scope.tail]
                group.append(spans)
        parts = [self._head, *[delimited(b"\x12", b"".join(group)) for group in groups.values()], self._tail]
        return delimited(b"\x0a", b"".join(parts)) if groups else b""

    def _encode_trace(self, trace: TraceData) -> EncodedTrace:
        """The spans of each scope, as fields of a ``ScopeSpans``."""
        spans = trace.spans
        if not spans:
            return []
        if encode_plain is not None:
            plain = encode_plain(spans, trace.trace_id, self._common)
            if plain is not None:
                return [(self._scope(spans[0].scope), plain)]
        trace_id = b"\x0a\x10" + trace.trace_id.to_bytes(16, "big")
        scope = spans[0].scope
        group: list[bytes] = []
        groups = {id(scope): (scope, group)}
        for span in spans:
            if span.scope is not scope:
                scope = span.scope
                _, group = groups.setdefault(id(scope), (scope, []))
            self._append_span(group, trace_id, span)
        return [(self._scope(scope), b"".join(group)) for scope, group in groups.values()]

    def _scope(self, scope: Scope) -> _EncodedScope:
        kept = self._scopes.get(id(scope))
        if kept is None:
            if len(self._scopes) >= _MAX_SCOPES:
                self._scopes.clear()
            content = text_field(b"\x0a", scope.name) + text_field(b"\x12", scope.version)
            content += encode_attributes(b"\x1a", dict(scope.attributes))
            kept = _EncodedScope(scope, delimited(b"\x0a", content), text_field(b"\x1a", scope.schema_url))
            self._scopes[id(scope)] = kept
        return kept

    def _append_span(self, group: list[bytes], trace_id: bytes, span: SpanData) -> None:
        parent = span.parent_span_id
        common = self._common(span)
        parts = [
            trace_id,
            _child_ids(0x1208, span.span_id, 0x2208, parent) if parent else _root_ids(0x1208, span.span_id),
            _times(0x39, span.start_ns, 0x41, span.end_ns),
            common,
        ]
        if varied := span.varied:
            self._span_pairs.append_to(parts, varied)
        if events := span.raw_events:
            self._append_events(parts, events)
        if span.is_plain and span.trace_state is DEFAULT_TRACE_STATE:
            parts.append(_NO_STATUS)
        else:
            self._append_rest(parts, span)
        body = b"".join(parts)
        length = len(body)
        group += (b"\x12", SMALL[length] if length < 2048 else varint(length), body)

    def _common(self, span: SpanData) -> bytes:
        """What spans of one name, kind and origin have in common, with their fixed attributes."""
        key = (span.name, span.kind._value_, span.fixed.number, span.trace_flags, span.is_parent_remote)
        common = self._commons.get(key)
        return self._keep_common(key, span) if common is None else common

    def _keep_common(self, key: tuple[object, ...], span: SpanData) -> bytes:
        # What is exported was sampled, whoever decided so and when: W3C's flag says it from here on.
        flags = (_REMOTE_FLAGS if span.is_parent_remote else _LOCAL_FLAGS)[span.trace_flags & 0xFF]
        parts = [text_field(b"\x2a", span.name), _SPAN_KINDS[span.kind._value_], flags]
        self._span_pairs.append_to(parts, span.fixed)
        common = b"".join(parts)
        if len(self._commons) >= _MAX_COMMONS:
            self._commons.clear()
        if len(span.name) <= _MAX_NAME_LENGTH:
            self._commons[key] = common
        return common

    def _append_rest(self, parts: list[bytes], span: SpanData) -> None:
        """What most spans do not have: links, counts of what was dropped, a status, a ``tracestate``."""
        if state := exported_state(span.trace_state):
            parts.append(text_field(b"\x1a", state))
        parts.append(count_field(b"\x50", span.dropped_attributes))
        parts.append(count_field(b"\x60", span.dropped_events))
        self._append_links(parts, span.links)
        parts.append(count_field(b"\x70", span.dropped_links))
        parts.append(_status(span.status_code, span.status_description))

    def _append_events(self, parts: list[bytes], events: Sequence[RawEvent]) -> None:
        heads = self._event_heads
        for name, time_ns, attributes, dropped in events:
            if attributes or dropped:
                event = [_time(0x09, time_ns), text_field(b"\x12", name)]
                self._event_pairs.append_to(event, attributes)
                event.append(count_field(b"\x20", dropped))
                parts.append(delimited(b"\x5a", b"".join(event)))
            else:
                head = heads.get(name)
                parts += (
                    self._keep_event_head(name) if head is None else head,
                    time_ns.to_bytes(8, "little"),
                )

    def _keep_event_head(self, name: str) -> bytes:
        """All that comes before the time of an event without attributes."""
        encoded = text_field(b"\x12", name)
        head = b"\x5a" + varint(9 + len(encoded)) + encoded + b"\x09"
        if len(self._event_heads) >= _MAX_NAMES:
            self._event_heads.clear()
        if len(name) <= _MAX_NAME_LENGTH:
            self._event_heads[name] = head
        return head

    def _append_links(self, parts: list[bytes], links: Sequence[LinkData]) -> None:
        for link in links:
            context = link.context
            content = [
                _ids(context.trace_id, context.span_id),
                text_field(b"\x1a", exported_state(context.trace_state)),
            ]
            self._link_pairs.append_to(content, link.attributes)
            content.append(count_field(b"\x28", link.dropped_attributes))
            flags = context.trace_flags & 0xFF | _HAS_IS_REMOTE | (_IS_REMOTE if context.is_remote else 0)
            content.append(b"\x35" + fixed32(flags))
            parts.append(delimited(b"\x6a", b"".join(content)))


def _ids(trace_id: int, span_id: int) -> bytes:
    return b"\x0a\x10" + trace_id.to_bytes(16, "big") + b"\x12\x08" + span_id.to_bytes(8, "big")


def _status(code: StatusCode, description: str) -> bytes:
    return delimited(b"\x7a", text_field(b"\x12", description) + _STATUS_CODES[code])
