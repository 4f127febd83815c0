"""An ``ExportTraceServiceRequest`` as rows of the store: one for each local root."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span, Status, TracesData

from .models import StoredTrace

Value = str | int | float | bool

_LEVEL = 1
_HAS_IS_REMOTE, _IS_REMOTE = 0x100, 0x200


@dataclass(frozen=True, slots=True)
class _Placed:
    """A span with what it was exported under."""

    span: Span
    scope: ScopeSpans
    resource: ResourceSpans

    @property
    def is_local_root(self) -> bool:
        """Its parent is another process, or there is none."""
        return not self.span.parent_span_id or bool(self.span.flags & _IS_REMOTE)


def stored_traces(payload: bytes) -> list[StoredTrace]:
    """Rows to be saved, in the order in which their local roots ended."""
    placed = [
        _Placed(span, scope, resource)
        for resource in ExportTraceServiceRequest.FromString(payload).resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]
    return [_row(root, spans) for root, spans in _grouped(placed)]


def read_spans(row: StoredTrace) -> TracesData:
    """What was stored."""
    return TracesData.FromString(zlib.decompress(bytes(row.spans)))


def attributes_of(span: Span | Span.Event) -> dict[str, Value]:
    """The plain values among the attributes of a span or event; lists and bytes are left out."""
    found: dict[str, Value] = {}
    for pair in span.attributes:
        value = _plain(pair.value)
        if value is not None:
            found[pair.key] = value
    return found


def _plain(value: AnyValue) -> Value | None:
    match value.WhichOneof("value"):
        case "string_value":
            return value.string_value
        case "int_value":
            return value.int_value
        case "double_value":
            return value.double_value
        case "bool_value":
            return value.bool_value
        case _:
            return None


def _grouped(placed: Iterable[_Placed]) -> Iterator[tuple[_Placed, list[_Placed]]]:
    """Each local root with the spans below it; a span whose root came before is a group of its own."""
    by_id = {(each.span.trace_id, each.span.span_id): each for each in placed}
    groups: dict[tuple[bytes, bytes], list[_Placed]] = {}
    for each in by_id.values():
        root = each
        while not root.is_local_root:
            parent = by_id.get((root.span.trace_id, root.span.parent_span_id))
            if parent is None:
                break
            root = parent
        groups.setdefault((root.span.trace_id, root.span.span_id), []).append(each)
    for key, spans in groups.items():
        yield by_id[key], spans


def _row(root: _Placed, spans: list[_Placed]) -> StoredTrace:
    span = root.span
    own = attributes_of(span)
    every: dict[str, Value] = {}
    for each in spans:
        every |= attributes_of(each.span)
    every |= own
    status = _whole(own, "http.response.status_code")
    rate = _number(own, "mizuchi.sampling.rate")
    return StoredTrace(
        trace_id=span.trace_id.hex(),
        is_late=not root.is_local_root,
        started_at=datetime.fromtimestamp(span.start_time_unix_nano / 1e9, UTC),
        duration_ms=(span.end_time_unix_nano - span.start_time_unix_nano) / 1e6,
        name=_storable(span.name, 255),
        operation=_text(own, "rpc.method", 64).removeprefix("S3/"),
        bucket=_text(own, "aws.s3.bucket", 63),
        key=_text(own, "aws.s3.key", 1100),
        upload_hash=_text(every, "aws.s3.upload_id", 64),
        principal_hash=_text(every, "user.hash", 64),
        status=status,
        error=_text(every if status is None or status >= 400 else own, "error.type", 64),
        is_error=any(each.span.status.code == Status.STATUS_CODE_ERROR for each in spans),
        bytes=_whole(every, "mizuchi.upload.bytes"),
        receive_wait_ms=_number(every, "mizuchi.upload.receive_wait_ms"),
        backend_wait_ms=_number(every, "mizuchi.upload.backend_wait_ms"),
        reason=_text(own, "mizuchi.sampling.reason", 16) or "head",
        rule=_text(own, "mizuchi.sampling.rule", 128),
        rate=1.0 if rate is None else rate,
        span_count=len(spans),
        spans=zlib.compress(_traces_data(spans).SerializeToString(), _LEVEL),
    )


def _traces_data(spans: Iterable[_Placed]) -> TracesData:
    data = TracesData()
    resources: dict[int, ResourceSpans] = {}
    scopes: dict[int, ScopeSpans] = {}
    for each in spans:
        resource = resources.get(id(each.resource))
        if resource is None:
            resource = resources[id(each.resource)] = data.resource_spans.add()
            resource.resource.CopyFrom(each.resource.resource)
            resource.schema_url = each.resource.schema_url
        scope = scopes.get(id(each.scope))
        if scope is None:
            scope = scopes[id(each.scope)] = resource.scope_spans.add()
            scope.scope.CopyFrom(each.scope.scope)
            scope.schema_url = each.scope.schema_url
        scope.spans.add().CopyFrom(each.span)
    return data


def _text(attributes: Mapping[str, Value], name: str, length: int) -> str:
    return _storable(str(attributes.get(name, "")), length)


def _storable(text: str, length: int) -> str:
    """PostgreSQL takes no NUL."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")[:length]


def _whole(attributes: Mapping[str, Value], name: str) -> int | None:
    value = attributes.get(name)
    return value if isinstance(value, int) and -(2**63) <= value < 2**63 else None


def _number(attributes: Mapping[str, Value], name: str) -> float | None:
    value = attributes.get(name)
    return float(value) if isinstance(value, (int, float)) else None
