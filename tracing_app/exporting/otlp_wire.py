"""Finished traces as the bytes of an ``ExportTraceServiceRequest`` (opentelemetry-proto ``trace/v1``).

The bytes are joined, no message is built: seven times as fast as the generated classes. Tests hold the
result equal to theirs.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence

from opentelemetry.sdk.resources import Resource
from opentelemetry.trace import DEFAULT_TRACE_STATE, StatusCode

from tracing_app.recording.data import EventData, LinkData, Scope, SpanData, TraceData
from tracing_app.recording.fixed import FixedAttributes

from .attribute_wire import PairCache, encode_attributes
from .exported_state import exported_state
from .protobuf_wire import SMALL, count_field, delimited, fixed32, text_field, varint
from .signal import TRACES
from .trace_queue import weigh

_MAX_NAMES, _MAX_NAME_BYTES = 1024, 256
_MAX_SCOPES = 256
_SAMPLED = 0x01
_HAS_IS_REMOTE = 0x100
_IS_REMOTE = 0x200

_times = struct.Struct("<BQBQ").pack
_time = struct.Struct("<BQ").pack

_SPAN_KINDS = tuple(b"\x30" + bytes((kind + 1,)) for kind in range(5))
_STATUS_CODES = {StatusCode.UNSET: b"", StatusCode.OK: b"\x18\x01", StatusCode.ERROR: b"\x18\x02"}
_UNSET, _NO_STATUS = StatusCode.UNSET, b"\x7a\x00"
_TRACE_ID, _SPAN_ID, _PARENT_ID = b"\x0a\x10", b"\x12\x08", b"\x22\x08"
_LOCAL_FLAGS, _REMOTE_FLAGS = (
    tuple(b"\x85\x01" + fixed32(flags | _SAMPLED | _HAS_IS_REMOTE | remote) for flags in range(256))
    for remote in (0, _IS_REMOTE)
)


class SpanEncoder:
    """Encodes for one resource. Names, scopes and frequent attributes are kept encoded, within bounds."""

    signal = TRACES
    weigh = staticmethod(weigh)

    def __init__(self, resource: Resource) -> None:
        self._head = delimited(b"\x0a", encode_attributes(b"\x0a", resource.attributes))
        self._tail = text_field(b"\x1a", resource.schema_url)
        self._span_pairs = PairCache(b"\x4a")
        self._event_pairs = PairCache(b"\x1a")
        self._link_pairs = PairCache(b"\x22")
        self._span_names: dict[str, bytes] = {}
        self._event_names: dict[str, tuple[bytes, bytes]] = {}
        self._scopes: dict[int, tuple[Scope, bytes, bytes]] = {}

    def encode(self, traces: Iterable[TraceData]) -> bytes:
        """One request with all spans of these traces, grouped by scope."""
        groups: dict[int, list[bytes]] = {}
        scopes: dict[int, Scope] = {}
        for trace in traces:
            for span in trace.spans:
                group = groups.get(id(span.scope))
                if group is None:
                    scopes[id(span.scope)] = span.scope
                    group = groups[id(span.scope)] = []
                self._append_span(group, span)
        parts = [self._head]
        for key, group in groups.items():
            self._append_scope(parts, scopes[key], group)
        parts.append(self._tail)
        return delimited(b"\x0a", b"".join(parts)) if groups else b""

    def _append_scope(self, parts: list[bytes], scope: Scope, spans: list[bytes]) -> None:
        kept = self._scopes.get(id(scope))
        if kept is None:
            kept = self._keep_scope(scope)
        body = b"".join((kept[1], *spans, kept[2]))
        parts += (b"\x12", varint(len(body)), body)

    def _keep_scope(self, scope: Scope) -> tuple[Scope, bytes, bytes]:
        if len(self._scopes) >= _MAX_SCOPES:
            self._scopes.clear()
        content = text_field(b"\x0a", scope.name) + text_field(b"\x12", scope.version)
        content += encode_attributes(b"\x1a", dict(scope.attributes))
        # The scope is kept with its bytes: while it lives no other object has its id.
        kept = (scope, delimited(b"\x0a", content), text_field(b"\x1a", scope.schema_url))
        self._scopes[id(scope)] = kept
        return kept

    def _append_span(self, group: list[bytes], span: SpanData) -> None:
        # A context is a tuple; its properties cost a call each.
        trace_id, span_id, _, flags, state, _ = span.context
        parent, name = span.parent_span_id, self._span_names.get(span.name)
        parts = [
            _TRACE_ID,
            trace_id.to_bytes(16, "big"),
            _SPAN_ID,
            span_id.to_bytes(8, "big"),
            _PARENT_ID + parent.to_bytes(8, "big") if parent else b"",
            name if name is not None else _keep_name(self._span_names, b"\x2a", span.name),
            _SPAN_KINDS[span.kind._value_],
            _times(0x39, span.start_ns, 0x41, span.end_ns),
        ]
        if state is not DEFAULT_TRACE_STATE and state:
            parts.insert(4, text_field(b"\x1a", exported_state(state)))
        if fixed := span.fixed:
            parts.append(fixed.encoded or self._keep_fixed(fixed))
        if varied := span.varied:
            self._span_pairs.append_to(parts, varied)
        if span.dropped_attributes:
            parts.append(count_field(b"\x50", span.dropped_attributes))
        if events := span.events:
            self._append_events(parts, events)
        if span.dropped_events:
            parts.append(count_field(b"\x60", span.dropped_events))
        if span.links:
            self._append_links(parts, span.links)
        if span.dropped_links:
            parts.append(count_field(b"\x70", span.dropped_links))
        if span.status_code is not _UNSET or span.status_description:
            parts.append(_status(span.status_code, span.status_description))
        else:
            parts.append(_NO_STATUS)
        # What is exported was sampled, whoever decided so and when: W3C's flag says it from here on.
        parts.append((_REMOTE_FLAGS if span.is_parent_remote else _LOCAL_FLAGS)[flags & 0xFF])
        body = b"".join(parts)
        length = len(body)
        group += (b"\x12", SMALL[length] if length < 2048 else varint(length), body)

    def _keep_fixed(self, fixed: FixedAttributes) -> bytes:
        parts: list[bytes] = []
        self._span_pairs.append_to(parts, fixed)
        fixed.encoded = b"".join(parts)
        return fixed.encoded

    def _append_events(self, parts: list[bytes], events: Sequence[EventData]) -> None:
        for name, time_ns, attributes, dropped in events:
            known = self._event_names.get(name)
            if known is None:
                known = self._keep_event_name(name)
            before, encoded = known
            if not attributes and not dropped:
                parts += (before, time_ns.to_bytes(8, "little"), encoded)
                continue
            event = [_time(0x09, time_ns), encoded]
            if attributes:
                self._event_pairs.append_to(event, attributes)
            if dropped:
                event.append(count_field(b"\x20", dropped))
            parts.append(delimited(b"\x5a", b"".join(event)))

    def _keep_event_name(self, name: str) -> tuple[bytes, bytes]:
        """All that comes before the time of an event without attributes, and its name."""
        encoded = text_field(b"\x12", name)
        known = b"\x5a" + varint(9 + len(encoded)) + b"\x09", encoded
        if len(self._event_names) >= _MAX_NAMES:
            self._event_names.clear()
        if len(encoded) <= _MAX_NAME_BYTES:
            self._event_names[name] = known
        return known

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


def _keep_name(names: dict[str, bytes], tag: bytes, name: str) -> bytes:
    encoded = text_field(tag, name)
    if len(names) >= _MAX_NAMES:
        names.clear()
    if len(encoded) <= _MAX_NAME_BYTES:
        names[name] = encoded
    return encoded


def _status(code: StatusCode, description: str) -> bytes:
    return delimited(b"\x7a", text_field(b"\x12", description) + _STATUS_CODES[code])
