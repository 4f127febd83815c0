"""A stored trace as OTLP/JSON, to be downloaded and given to any other tool.

Source: OpenTelemetry specification, "OTLP", section "JSON Protobuf Encoding": ProtoJSON, with ids in hex and
enumerations as numbers.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span, TracesData

from .models import StoredTrace
from .rows import read_spans

Json = dict[str, Any]


def load_otlp_json(trace_id: str) -> Json | None:
    """All that is stored of a trace as a ``TracesData`` document; None when nothing is."""
    rows = list(StoredTrace.objects.filter(trace_id=trace_id.lower()).order_by("id"))
    return otlp_json(map(read_spans, rows)) if rows else None


def otlp_json(parts: Iterable[TracesData]) -> Json:
    """One document of several, in which each resource, scope and span is there once."""
    merged = _merged(parts)
    document: Json = {"resourceSpans": [], **MessageToDict(merged, use_integers_for_enums=True)}
    for resource, shown_resource in zip(merged.resource_spans, document["resourceSpans"], strict=True):
        for scope, shown_scope in zip(resource.scope_spans, shown_resource["scopeSpans"], strict=True):
            for span, shown in zip(scope.spans, shown_scope["spans"], strict=True):
                _show_ids(span, shown)
    return document


def _show_ids(span: Span, shown: Json) -> None:
    shown |= {"traceId": span.trace_id.hex(), "spanId": span.span_id.hex()}
    if span.parent_span_id:
        shown["parentSpanId"] = span.parent_span_id.hex()
    for link, shown_link in zip(span.links, shown.get("links", ()), strict=True):
        shown_link |= {"traceId": link.trace_id.hex(), "spanId": link.span_id.hex()}


def _merged(parts: Iterable[TracesData]) -> TracesData:
    merged = TracesData()
    resources: dict[bytes, ResourceSpans] = {}
    scopes: dict[tuple[bytes, bytes], ScopeSpans] = {}
    seen: set[bytes] = set()
    for resource in (each for part in parts for each in part.resource_spans):
        of = _identity(resource.resource, resource.schema_url)
        for scope in resource.scope_spans:
            new = [span for span in scope.spans if span.span_id not in seen]
            if not new:
                continue
            if of not in resources:
                resources[of] = merged.resource_spans.add(
                    resource=resource.resource, schema_url=resource.schema_url
                )
            key = of, _identity(scope.scope, scope.schema_url)
            if key not in scopes:
                scopes[key] = resources[of].scope_spans.add(scope=scope.scope, schema_url=scope.schema_url)
            scopes[key].spans.extend(new)
            seen.update(span.span_id for span in new)
    return merged


def _identity(described: Resource | InstrumentationScope, schema_url: str) -> bytes:
    return described.SerializeToString(deterministic=True) + schema_url.encode()
