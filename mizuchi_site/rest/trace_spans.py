"""One trace: its spans with who was waited for, and as OTLP/JSON."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from mizuchi_site.desk.trace_store import trace_store
from tracing_app.store.critical_path import SpanTime, span_times
from tracing_app.store.otlp_json import load_otlp_json
from tracing_app.store.search import load_tree
from tracing_app.store.tree import Node, Tree
from tracing_app.store.waits import request_waits, trace_waits

from .traces import ANSWERS, TraceRestView

_TRACE_ID = re.compile("[0-9a-fA-F]{32}", re.ASCII)
_NOT_KEPT = "This trace is not kept here: sampling let it go, or it was among the oldest."
_PATH = OpenApiParameter(
    "trace_id", location=OpenApiParameter.PATH, pattern="^[0-9a-fA-F]{32}$", description="The request id."
)


class WaitsSerializer(serializers.Serializer[Any]):
    """Who was waited for; together the duration."""

    client_ms = serializers.FloatField()
    backend_ms = serializers.FloatField()
    policy_ms = serializers.FloatField()
    gateway_ms = serializers.FloatField()


class EventSerializer(serializers.Serializer[Any]):
    """``offset_ms`` is from the start of the trace."""

    name = serializers.CharField()
    offset_ms = serializers.FloatField()
    attributes = serializers.DictField(child=serializers.JSONField())


class SpanSerializer(serializers.Serializer[Any]):
    """``self_ms``: when no child was under way. ``critical_ms``: how long of that on the critical path.
    ``waits``: of a request, null for other spans. ``links``: trace ids."""

    span_id = serializers.CharField()
    parent_span_id = serializers.CharField(allow_null=True)
    depth = serializers.IntegerField()
    name = serializers.CharField()
    kind = serializers.CharField()
    offset_ms = serializers.FloatField()
    duration_ms = serializers.FloatField()
    self_ms = serializers.FloatField()
    is_critical = serializers.BooleanField()
    critical_ms = serializers.FloatField()
    is_error = serializers.BooleanField()
    attributes = serializers.DictField(child=serializers.JSONField())
    events = EventSerializer(many=True)
    links = serializers.ListField(child=serializers.CharField())
    waits = WaitsSerializer(allow_null=True)


class TraceTreeSerializer(serializers.Serializer[Any]):
    """All requests that share the id; parents before children. ``ui_url``: its page at the collector."""

    trace_id = serializers.CharField()
    started_at = serializers.DateTimeField()
    duration_ms = serializers.FloatField()
    waits = WaitsSerializer()
    ui_url = serializers.URLField(allow_null=True)
    spans = SpanSerializer(many=True)


class OneTrace(TraceRestView):
    """The spans of a trace."""

    @extend_schema(
        operation_id="traces_retrieve",
        parameters=[_PATH],
        responses={200: TraceTreeSerializer, **ANSWERS},
    )
    def get(self, request: Request, trace_id: str) -> Response:
        tree = load_tree(_checked(trace_id))
        if tree is None:
            raise NotFound(_NOT_KEPT)
        return Response(TraceTreeSerializer(_trace(tree)).data)


class TraceOtlp(TraceRestView):
    """The trace as OTLP/JSON (``TracesData``), for other tools."""

    @extend_schema(
        operation_id="traces_otlp",
        parameters=[_PATH],
        responses={200: OpenApiResponse({"type": "object"}, "TracesData as ProtoJSON"), **ANSWERS},
    )
    def get(self, request: Request, trace_id: str) -> Response:
        document = load_otlp_json(_checked(trace_id))
        if document is None:
            raise NotFound(_NOT_KEPT)
        return Response(document)


def _checked(trace_id: str) -> str:
    if not _TRACE_ID.fullmatch(trace_id):
        raise NotFound("A trace id has 32 hexadecimal digits.")
    return trace_id.lower()


def _trace(tree: Tree) -> dict[str, Any]:
    return {
        "trace_id": tree.trace_id,
        "started_at": datetime.fromtimestamp(tree.start_ns / 1e9, UTC),
        "duration_ms": tree.duration_ms,
        "waits": trace_waits(tree),
        "ui_url": trace_store().ui_url(tree.trace_id) or None,
        "spans": list(_spans(tree)),
    }


def _spans(tree: Tree) -> Iterator[dict[str, Any]]:
    times = span_times(tree)
    requests = {id(each) for each in tree.requests()}
    parents = {id(child): node.span_id for _, node in tree.walk() for child in node.children}
    for depth, node in tree.walk():
        yield {
            **_span(node, times[node.span_id]),
            "depth": depth,
            "parent_span_id": parents.get(id(node)),
            "waits": request_waits(node) if id(node) in requests else None,
        }


def _span(node: Node, time: SpanTime) -> dict[str, Any]:
    return {
        "span_id": node.span_id,
        "name": node.name,
        "kind": node.kind,
        "offset_ms": node.offset_ms,
        "duration_ms": node.duration_ms,
        "self_ms": time.self_ms,
        "is_critical": time.is_critical,
        "critical_ms": time.critical_ms,
        "is_error": node.is_error,
        "attributes": node.attributes,
        "events": node.events,
        "links": node.links,
    }
